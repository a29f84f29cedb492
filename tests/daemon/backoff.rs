//! A service that asks to be left alone is left alone.

use crate::grid::every_slot_has_a_record;
use crate::harness::{Folder, check, config, until};
use crate::server::{Manner, Server};

#[test]
fn a_service_that_asks_for_time_is_not_asked_again_and_its_slots_say_so() {
    let busy = Server::with(Manner::Busy);
    let keys = "interval = \"1s\"\ntimeout = \"900ms\"";
    let folder = Folder::with(&config("", &[check("a", busy.address(), keys)]));
    let daemon = folder.start();
    let left_out = || {
        let results = daemon.results("a").0;
        results.iter().filter(|it| it["reason"] == "backoff").count()
    };
    until("three slots are left out", || (left_out() >= 3).then_some(()));
    assert!(daemon.results("a").0.iter().any(|it| it["reason"] == "rate_limited"));
    assert!(busy.requests() <= 2, "{} requests", busy.requests());
    every_slot_has_a_record(&daemon, "a");
}

#[test]
fn a_service_that_fails_and_asks_for_an_hour_is_confirmed_down_and_then_left_alone() {
    let overloaded = Server::with(Manner::Overloaded);
    let keys = "interval = \"1s\"\ntimeout = \"900ms\"";
    let folder = Folder::with(&config("", &[check("a", overloaded.address(), keys)]));
    let daemon = folder.start();
    daemon.until_state("a", "down http_status");
    assert_eq!(overloaded.requests(), 3, "one, and two that confirm it");
    every_slot_has_a_record(&daemon, "a");
}
