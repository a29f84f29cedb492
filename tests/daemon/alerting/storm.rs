//! A thousand systems fall at once because the one that they depend on does.

use std::fmt::Write as _;
use std::time::Duration;

use super::hook::Hook;
use super::kit::{QUICK, alerting, an};
use crate::harness::{Folder, check, within};
use crate::server::{Manner, Server};

const SYSTEMS: usize = 1_000;

/// From the confirmation of the shared system to the page; it is printed, and this is for a
/// machine under load.
const PAGE_MAX: Duration = Duration::from_secs(15);

#[test]
fn a_thousand_systems_that_fall_with_one_are_one_page_and_one_all_clear() {
    let hook = Hook::start();
    let shared = Server::start();
    let mut others = Server::start();
    let mut systems = check("nen", shared.address(), QUICK);
    let address = others.address();
    for at in 0..SYSTEMS {
        let _ = write!(
            systems,
            "[[system]]\nid = \"s{at}\"\nowner = \"bca\"\nname = \"Hệ thống {at}\"\n\
             depends_on = [\"nen\"]\n\n[[system.check]]\nid = \"s{at}\"\nkind = \"tcp\"\n\
             address = \"{address}\"\ninterval = \"10s\"\ntimeout = \"5s\"\n\n"
        );
    }
    let keys = "resolve_after = \"1s\"";
    let folder = Folder::with(&alerting(keys, &[systems], &an(&hook)));
    let daemon = folder.start();
    let said = |text: &str| daemon.process.log().matches(text).count();
    within(Duration::from_mins(1), "everything is up", || {
        (said("INFO changed check=") > SYSTEMS).then_some(())
    });

    shared.set(Manner::Broken);
    others.stop();
    daemon.until_state("nen", "down http_status");
    let page = within(PAGE_MAX, "one page", || hook.of("an", "page").into_iter().next());
    within(PAGE_MAX, "the log says so", || (said("INFO told incident") > 0).then_some(()));
    let took = told(&daemon.process.log());
    within(Duration::from_mins(1), "every other is a part of it", || {
        (said("what=\"cause.joined\"") >= SYSTEMS).then_some(())
    });
    let root = daemon.json(&format!("/api/v1/alerts/{}", page.incident()));
    assert_eq!((&root["subject"], &root["state"]), (&"nen".into(), &"open".into()));
    assert_eq!(root["parts"].as_array().unwrap().len(), SYSTEMS);
    assert_eq!(hook.all().len(), 1, "one page and nothing else");

    shared.set(Manner::Good);
    others.listen();
    let over = hook.hears("an", "resolved");
    assert_eq!(over.incident(), page.incident());
    within(Duration::from_secs(90), "everything is over", || {
        (said("what=\"closed\"") > SYSTEMS).then_some(())
    });
    assert_eq!(hook.all().len(), 2, "one all-clear and nothing else");
    println!(
        "storm of {SYSTEMS}: 1 page {took} ms after the shared system was confirmed down, 1 all-clear"
    );
}

/// From the line of the log that says that the shared system is down to the one that says that
/// somebody was told, in milliseconds.
#[track_caller]
fn told(log: &str) -> i64 {
    let at = |what: &str| {
        let line = log.lines().find(|it| it.contains(what));
        let text = line.and_then(|it| it.split(' ').next()).unwrap_or_else(|| panic!("no {what}"));
        text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
    };
    at("INFO told incident") - at("went down check=nen")
}
