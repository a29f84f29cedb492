//! Reports and exports of histories whose course is known.

mod kit;
mod month;
mod promises;
mod whole;
mod command;
mod alerts;
mod refused;
mod auditor;
mod cost;
