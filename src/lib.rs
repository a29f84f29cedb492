//! thongsuot watches public e-service systems around the clock and accounts for them.
//!
//! Read in this order: [`model`] (the nouns), [`availability`] (what results mean: no I/O, no
//! clock), [`clock`] (the only file that asks the time), [`schedule`] (when), [`probe`] (what
//! touches the network), [`history`] (what was measured, kept), [`report`] (what it comes to),
//! [`alert`] (who is told), [`metrics`] and [`web`] (what is shown), [`config`] (from text to what is meant), [`import`] (from
//! other monitors' configurations to ours), [`app`] (how it hangs together), [`demo`]
//! [`alert`] (who is told), [`metrics`] and [`web`] (what is shown), [`config`] and [`blackbox`] (from text to what is meant), [`app`] (how it hangs together), [`demo`]
//! and [`cli`]. What is deliberately missing, and why, is in `ARCHITECTURE.md`.

pub mod model;
pub mod availability;
pub mod clock;
pub mod schedule;
pub mod probe;
pub mod history;
pub mod report;
pub mod alert;
pub mod metrics;
pub mod web;
pub mod config;
pub mod import;
pub mod blackbox;
pub mod app;
pub mod demo;
pub mod cli;
