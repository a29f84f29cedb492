//! thongsuot watches public e-service systems around the clock and accounts for them.
//!
//! Read in this order: [`model`] (the nouns), [`availability`] (the arithmetic: no I/O, no
//! clock), [`clock`] (the only file that asks the time),
//! [`probe`] (what touches the network). What is deliberately missing, and why, is in
//! `ARCHITECTURE.md`.

pub mod model;
pub mod availability;
pub mod clock;
pub mod probe;
