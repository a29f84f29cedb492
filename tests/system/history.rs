//! The history against files: what is acknowledged stays, what is damaged is noticed.

mod basic;
mod seal;
mod kill;
mod damage;
mod disk_full;
mod sync_fault;
mod old_files;
mod cost;
mod sample;
