//! The configuration of blackbox_exporter, read strictly: what its modules say, or all that is
//! wrong with them.

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
mod units;

pub use desk::Env;
pub use fault::{Fault, Faults};
pub use module::{Module, Modules, Prober};
pub use read::{parse, read};
