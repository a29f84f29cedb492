//! Tests of alerting as a whole: rules, messages and channels, against real servers and against
//! servers that follow a script. Only loopback is talked to.
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
mod tokens;
mod alertmanager;
