//! Tests of whole parts, over files and sockets: one binary, so that it links once.

mod history;
//! Tests of the crate from outside, in one binary.

#[cfg(test)]
mod sample;
#[cfg(test)]
mod metrics;
//! Tests of the parts against real sockets, files and processes.
#![expect(clippy::expect_used, reason = "a test whose surroundings are not sound has failed")]

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
mod web;
//! Tests of the parts against real sockets, files and processes.

#![expect(clippy::expect_used, reason = "a test whose surroundings are not sound has failed")]

mod nasty;
mod noise;
