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
mod noise;
