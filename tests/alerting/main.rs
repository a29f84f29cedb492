//! Tests of alerting as a whole: rules, messages and channels, against real servers and against
//! servers that follow a script; and, without a clock or a socket, what must always hold, storms,
//! and the figures that `docs/alerting.md` quotes. Only loopback is talked to.
//!
//! `cargo test --test alerting -- --nocapture` prints the figures.
#![cfg(test)]

#[path = "../support/skip.rs"]
mod skip;
#[path = "../support/exim.rs"]
mod debian_exim;
mod send;
mod smtp;
mod email;
mod exim;
mod web;
mod http;
mod presets;
mod configured;
mod tokens;
mod alertmanager;
mod fixture;
mod watch;
mod simulation;
mod storm;
mod invariants;
