//! When each check runs. The plan is a pure function of the check's id and the time; the loop
//! is a thin rim that sleeps until the plan's next instant.
//!
//! Open loop: a run that hangs never delays the next slot, and no slot is dropped silently.
//! Each slot is started, or comes out as void with its reason, or lies in an absence.

pub mod plan;
pub mod gate;
pub mod core;
mod timer;

pub use self::timer::{Command, Ended, reading, run};
