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
