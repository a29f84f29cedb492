//! Tests of whole parts, over sockets, files and processes: one binary, so that it links once.
#![expect(clippy::expect_used, reason = "a test whose surroundings are not sound has failed")]

#[cfg(test)]
mod history;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod web;
mod nasty;
#[cfg(test)]
mod probe_kit;
#[cfg(test)]
mod dns;
#[cfg(test)]
mod icmp;
#[cfg(test)]
mod tcp;
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod heartbeat;
#[cfg(test)]
//! Tests of whole parts, over real sockets, files and processes: one binary, so that it links
//! once.
#![cfg(test)]
#![expect(clippy::expect_used, reason = "a test whose surroundings are not sound has failed")]

mod sample;
mod probe_kit;
mod history;
mod metrics;
mod nasty;
mod noise;
mod dns;
mod icmp;
mod tcp;
mod grpc;
mod heartbeat;
mod web;
