//! Tests of the crate from outside, in one binary.

#[cfg(test)]
mod sample;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod web;
