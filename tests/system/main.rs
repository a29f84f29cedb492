//! Tests of whole parts, over real sockets, files and processes: one binary, so that it links
//! once.
#![cfg(test)]

#[path = "../support/skip.rs"]
mod skip;
mod sample;
mod probe_kit;
mod history;
mod metrics;
mod report;
mod nasty;
mod noise;
mod dns;
mod icmp;
mod tcp;
mod unix;
mod websocket;
mod grpc;
mod heartbeat;
mod import;
mod web;
