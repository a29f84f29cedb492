//! When people are not called, or not again: announced maintenance, and what comes and goes.

use thongsuot::clock::Clock;

use super::hook::Hook;
use super::kit::{QUICK, about, alerting, an, post, until_is};
use crate::harness::{Folder, check, millis, until};
use crate::server::{Manner, Server};

/// How long the maintenance lasts: longer than it takes to see that the system is down.
const LASTS_MS: i64 = 15_000;

#[test]
fn announced_maintenance_mutes_and_what_is_still_down_at_its_end_is_paged() {
    let hook = Hook::start();
    let server = Server::start();
    let folder = Folder::with(&alerting("", &[check("a", server.address(), QUICK)], &an(&hook)));
    let daemon = folder.start();
    daemon.until_state("a", "up");
    let now = Clock::System.now();
    let at = |ms: i64| jiff::Timestamp::from_millisecond(now.0 + ms).unwrap().to_string();
    let body = serde_json::json!({
        "system": "a", "from": at(-1_000), "to": at(LASTS_MS), "who": "trực ca", "why": "nâng cấp",
    });
    let (status, answer) = post(daemon.address, "/api/v1/maintenance", &body.to_string());
    assert_eq!(status, 200, "{answer}");
    until("it is under way", || {
        (daemon.json("/api/v1/systems/a")["maintenance"] == true).then_some(())
    });
    server.set(Manner::Broken);
    let muted = until_is(&daemon, "a", "state", "open");
    assert_eq!(muted["maintenance"], true, "{muted:#}");
    assert_eq!(muted["messages"], serde_json::json!([]));

    let page = hook.hears("an", "page");
    let paged = about(&daemon, "a").pop().unwrap();
    assert_eq!(
        (paged["id"].as_str().unwrap(), &paged["maintenance"]),
        (page.incident(), &false.into())
    );
    let decided = millis(&paged["messages"][0]["decided"]);
    assert!(decided >= now.0 + LASTS_MS, "{decided}: paged while it was under way");
    assert_eq!(hook.all().len(), 1);
}

#[test]
fn what_comes_and_goes_is_one_incident_that_says_so() {
    let hook = Hook::start();
    let server = Server::start();
    let keys = "resolve_after = \"1m\"\n\
                flapping = { times = 2, within = \"1h\", calm = \"4s\" }";
    let folder = Folder::with(&alerting(keys, &[check("a", server.address(), QUICK)], &an(&hook)));
    let daemon = folder.start();
    daemon.until_state("a", "up");
    for turn in 0..3 {
        server.set(Manner::Broken);
        let open = until_is(&daemon, "a", "state", "open");
        assert_eq!(open["flapping"], turn >= 2, "{open:#}");
        if turn == 0 {
            hook.hears("an", "page");
        }
        server.set(Manner::Good);
        if turn < 2 {
            until_is(&daemon, "a", "state", "calm");
        }
    }
    let told = until("that it comes and goes is told", || {
        hook.all().into_iter().find(|it| it.purpose() == "update")
    });
    assert!(told.subject().starts_with("[CHẬP CHỜN"), "{}", told.subject());
    hook.hears("an", "resolved");
    let all = about(&daemon, "a");
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!((&all[0]["flapping"], &all[0]["state"]), (&true.into(), &"closed".into()));
    for purpose in ["page", "update", "resolved"] {
        assert_eq!(hook.of("an", purpose).len(), 1, "{purpose}");
    }
}
