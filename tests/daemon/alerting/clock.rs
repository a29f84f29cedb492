//! The wall clock is set back and forward while an incident is open and nobody has answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::hook::{Hook, Reply};
use super::kit::{QUICK, about, alerting, channel, messages, on_hook, person, team, until_is};
use crate::clock::SetClock;
use crate::harness::{Folder, check, until, within};
use crate::server::{Manner, Server};

const HOUR_S: i64 = 3_600;

/// Between two steps of the escalation.
const STEP: Duration = Duration::from_secs(3);

#[test]
fn steps_of_the_clock_lose_no_page_bring_no_storm_and_escalation_goes_on() {
    let folder = Folder::new();
    let Some(clock) = SetClock::new(folder.path()) else { return };
    let refuses = Arc::new(AtomicBool::new(true));
    let down = Arc::clone(&refuses);
    let hook = Hook::with(move |got| {
        let refused = got.to() == "an" && down.load(Ordering::SeqCst);
        Reply::Says(if refused { 500 } else { 200 }, "", "")
    });
    let server = Server::with(Manner::Broken);
    let steps: Vec<_> = (0..40)
        .map(|at| match at {
            0 => ("0s", "\"oncall\""),
            _ => ("3s", if at % 2 == 0 { "\"oncall\"" } else { "\"person:binh\"" }),
        })
        .collect();
    let people = [
        channel(&hook),
        person("an", &on_hook("an")),
        person("binh", &on_hook("binh")),
        team("truc", "an", "", &steps),
    ];
    let keys = "resolve_after = \"1s\"";
    folder.write(&alerting(keys, &[check("a", server.address(), QUICK)], &people));
    let daemon = clock.start(&folder);
    let first = until_is(&daemon, "a", "state", "open");
    let tries = || messages(&about(&daemon, "a")[0], "an", "hook")[0]["attempts"].as_u64();
    until("the first page is refused", || (tries() >= Some(2)).then_some(()));

    // Back: what waits for its next attempt does not wait for the hour to come again.
    clock.set(-HOUR_S);
    until("the step is noticed", || daemon.process.log().contains("by_ms=-36").then_some(()));
    refuses.store(false, Ordering::SeqCst);
    until("the page that was refused gets through", || {
        let sent = messages(&about(&daemon, "a")[0], "an", "hook")[0]["status"] == "sent";
        sent.then_some(())
    });
    goes_on(&hook, "after a step back");

    clock.set(HOUR_S);
    goes_on(&hook, "after a step forward");
    clock.set(0);
    goes_on(&hook, "after the clock is right again");

    server.set(Manner::Good);
    for who in ["an", "binh"] {
        hook.hears(who, "resolved");
    }
    let last = until_is(&daemon, "a", "state", "closed");
    assert_eq!(last["id"], first["id"], "one incident");
    assert_eq!(about(&daemon, "a").len(), 1);
    for (key, count) in hook.keys() {
        assert!(count == 1 || key.contains("/page/1/0/0/an/"), "{count} times {key}");
    }
}

/// Waits for two more steps; they come one by one, as written.
#[track_caller]
fn goes_on(hook: &Hook, when: &str) {
    let pages = || hook.all().iter().filter(|it| it.purpose() == "page").count();
    let before = pages();
    let from = tokio::time::Instant::now();
    within(Duration::from_secs(40), when, || (pages() >= before + 3).then_some(()));
    let took = from.elapsed();
    // Three steps are two pauses apart; one of them may be cut by the step of the clock.
    assert!(took + Duration::from_millis(500) > STEP, "{when}: three pages in {took:?}");
}
