//! Second pass: what is meant. Relations between values, references, and what lies outside.
//!
//! A value whose shape or form is wrong was reported by the first pass and is skipped here
//! without a word; so no order of checks matters, and nothing is reported twice.

pub(super) mod alerting;
pub(super) mod checks;
pub(super) mod graph;
pub(super) mod http;
pub(super) mod monitor;
pub(super) mod protocols;
pub(super) mod read;
pub(super) mod roster;
pub(super) mod streams;
pub(super) mod terms;
