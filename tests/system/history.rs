//! The history against files: what is acknowledged stays, what is damaged is noticed.

mod basic;
mod sample;
