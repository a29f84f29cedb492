//! thongsuot watches public e-service systems around the clock and accounts for them.
//!
//! Read in this order: [`model`] (the nouns), [`clock`] (the only file that asks the time),
//! [`probe`] (what touches the network), [`history`] (what was measured, kept). What is deliberately missing, and why, is in
//! Read in this order: [`model`] (the nouns), [`availability`] (the arithmetic: no I/O, no
//! clock), [`clock`] (the only file that asks the time),
//! [`probe`] (what touches the network). What is deliberately missing, and why, is in
//! `ARCHITECTURE.md`.

pub mod model;
pub mod availability;
pub mod clock;
pub mod schedule;
pub mod probe;
pub mod history;
pub mod metrics;
pub mod web;
pub mod config;
