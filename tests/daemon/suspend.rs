//! A process that stood still measures nothing, and blames nobody.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::grid::every_slot_has_a_record;
use crate::harness::{Folder, check, config, millis, until};
use crate::server::{Manner, Server};

/// Three intervals of the checks.
const STOPPED: Duration = Duration::from_secs(6);

#[test]
fn standing_still_is_one_void_span_and_never_down_and_no_burst_follows() {
    let good = Server::start();
    let slow = Server::with(Manner::After(Duration::from_millis(1_500)));
    let keys = "interval = \"2s\"\ntimeout = \"1900ms\"";
    let checks = [("good", &good), ("slow", &slow), ("slow2", &slow)]
        .map(|(id, server)| check(id, server.address(), keys));
    let folder = Folder::with(&config("", &checks));
    let daemon = folder.start();
    for id in ["good", "slow", "slow2"] {
        daemon.until_state(id, "up");
    }
    let before = slow.requests();
    until("a run is in flight", || (slow.requests() > before).then_some(()));
    daemon.process.signal(Signal::STOP);
    std::thread::sleep(STOPPED);
    daemon.process.signal(Signal::CONT);

    let mut voids_in_flight = 0;
    for id in ["good", "slow", "slow2"] {
        let span = until("the absence is recorded", || {
            let voids = daemon.results(id).1;
            voids.iter().find(|it| it["reason"] == "suspend").cloned()
        });
        let (from, to) = (millis(&span["from"]), millis(&span["to"]));
        assert!((5_000..12_000).contains(&(to - from)), "{id}: {span}");
        let after = |it: &&Value| millis(&it["due"]) >= to && it["outcome"] == "ok";
        until("three good results after it", || {
            (daemon.results(id).0.iter().filter(after).count() >= 3).then_some(())
        });
        let (results, voids) = daemon.results(id);
        assert_eq!(voids.iter().filter(|it| it["reason"] == "suspend").count(), 1, "{voids:?}");
        let bad = |it: &&Value| !["ok", "void"].contains(&it["outcome"].as_str().unwrap());
        assert_eq!(results.iter().find(bad), None, "{id}: blamed for our absence");
        for void in results.iter().filter(|it| it["outcome"] == "void") {
            assert_eq!(void["reason"], "suspend", "{id}: {void}");
            assert!(millis(&void["started"]) < to, "{id}: {void}");
            voids_in_flight += 1;
        }
        // A burst would start more than one run for the first two seconds, or so.
        let soon = |it: &&Value| (to..to + 2_000).contains(&millis(&it["started"]));
        assert!(results.iter().filter(soon).count() <= 2, "{id}: a burst: {results:?}");
        every_slot_has_a_record(&daemon, id);
        assert_eq!(daemon.state(id), "up");
    }
    assert!(voids_in_flight > 0, "a run was in flight when it was stopped");
    println!("{voids_in_flight} runs in flight came out void");
    assert!(!daemon.process.log().contains("went down"), "a false alarm");
}
