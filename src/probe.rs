//! What touches the network. One file a kind; the decisions on what came are pure.

pub mod stopwatch;
pub mod heartbeat;
