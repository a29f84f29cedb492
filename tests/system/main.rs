//! Whole parts against real sockets on loopback, in real time.

mod probe_kit;
mod dns;
mod icmp;
mod tcp;
mod grpc;
mod heartbeat;
