//! Tests of the real binary: started as an operator starts it, asked as others ask it, and hurt
//! as the world hurts it. Only loopback is talked to.
#![cfg(test)]

#[path = "../support/skip.rs"]
mod skip;
#[path = "../support/exim.rs"]
mod debian_exim;
mod harness;
mod server;
mod grid;
mod nginx;
mod kill;
mod suspend;
mod clock;
mod backoff;
mod past;
mod reload;
mod descriptors;
mod disk_full;
mod ending;
mod supervisor;
mod prometheus;
mod blackbox;
mod rules;
mod grafana;
mod demo;
mod commands;
mod alerts;
mod heartbeat;
mod maintenance;
mod terms;
mod truth;
mod alerting;
