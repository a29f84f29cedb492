//! Alerting in the real daemon: from a fault to the people who are told, and every fault on that
//! way that must not lose a page, double it, or hold it up.

mod hook;
mod kit;
mod smtp;
mod instance;
mod kill;
mod minute;
mod alertmanager;
mod mail;
mod webhook;
mod clock;
mod disk;
mod reload;
mod night;
mod storm;
mod quiet;
mod drill;
