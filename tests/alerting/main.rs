//! Alerting as a whole, without a clock or a socket: what must always hold, storms, and the
//! figures that `docs/alerting.md` quotes.
//!
//! `cargo test --test alerting -- --nocapture` prints the figures.
#![cfg(test)]

mod fixture;
mod watch;
mod simulation;
mod storm;
mod invariants;
