//! Tests of whole parts, over files and sockets: one binary, so that it links once.

mod history;
//! Tests of the crate from outside, in one binary.

#[cfg(test)]
mod metrics;
