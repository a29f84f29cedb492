//! thongsuot watches public e-service systems around the clock and accounts for them.
//!
//! Read in this order: [`model`] (the nouns), [`clock`] (the only file that asks the time),
//! [`probe`] (what touches the network). What is deliberately missing, and why, is in
//! `ARCHITECTURE.md`.

pub mod model;
pub mod clock;
pub mod probe;
pub mod config;
