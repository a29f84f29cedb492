//! The history against files: what is acknowledged stays, what is damaged is noticed.

#![expect(clippy::unwrap_used, reason = "helpers of tests may stop the test")]

mod basic;
mod seal;
mod kill;
mod damage;
mod sample;
