//! blackbox_exporter's way to ask and to answer: its configuration, read strictly; a run of ours
//! from a module and a target; its metrics from what that run saw.
//!
//! Nothing here touches the network. Read on in [`read()`] (the file), [`module`] (what it says),
//! `ask` and `answer`.

mod answer;
mod ask;
pub mod cel;
pub mod fault;
pub mod module;
pub mod no_proxy;
pub mod read;
mod yaml;
mod hide;
mod desk;
mod names;
mod pattern;
mod text;
mod told;
mod units;

pub use answer::{Answered, answer};
pub use ask::{Question, Refusal, question, timeout};
pub use desk::Env;
pub use fault::{Fault, Faults};
pub use module::{Module, Modules, Prober};
pub use read::{parse, read};
pub use told::told;
