//! The nouns: owners, systems, checks, results, and the closed lists of outcomes and reasons.
//!
//! Pure: no input or output, no clock, no async. Everything else in the crate speaks in these
//! types, and nothing here knows anything else.

pub mod id;
pub mod time;
pub mod span;
pub mod outcome;
pub mod reason;
pub mod phases;
pub mod secret;
pub mod text;
pub mod bytes;
pub mod expect;
pub mod check;
pub mod how;
pub mod spec;
pub mod terms;
pub mod alerting;
pub mod system;
pub mod state;
pub mod step;
pub mod result;
pub mod kept;
pub mod observation;
