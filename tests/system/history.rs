//! The history against files: what is acknowledged stays, what is damaged is noticed.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may stop the test, and say what they saw"
)]

mod basic;
mod seal;
mod kill;
mod damage;
mod disk_full;
mod sync_fault;
mod old_files;
mod cost;
mod sample;
