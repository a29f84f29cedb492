//! A thousand systems fall at once because the one that they depend on does.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::time::Instant;

use super::hook::Hook;
use super::kit::{QUICK, about, alerting, an, incidents, until_is};
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
             address = \"{address}\"\ninterval = \"15s\"\ntimeout = \"5s\"\n\n"
        );
    }
    let keys = "resolve_after = \"1s\"";
    let folder = Folder::with(&alerting(keys, &[systems], &an(&hook)));
    let daemon = folder.start();
    within(Duration::from_mins(1), "everything is up", || {
        daemon.metric("thongsuot_checks{state=\"up\"}").filter(|up| *up > SYSTEMS as f64)
    });

    shared.set(Manner::Broken);
    others.stop();
    daemon.until_state("nen", "down http_status");
    let confirmed = Instant::now();
    let page = within(PAGE_MAX, "one page", || hook.of("an", "page").into_iter().next());
    let took = page.at.saturating_duration_since(confirmed);
    let root = until_is(&daemon, "nen", "state", "open");
    assert_eq!(root["id"].as_str().unwrap(), page.incident());
    let all_parts = Duration::from_mins(1);
    within(all_parts, "every other is a part of it", || {
        let root = about(&daemon, "nen").pop()?;
        (root["parts"].as_array()?.len() == SYSTEMS).then_some(())
    });
    assert_eq!(hook.all().len(), 1, "one page and nothing else");

    shared.set(Manner::Good);
    others.listen();
    let over = hook.hears("an", "resolved");
    assert_eq!(over.incident(), page.incident());
    within(Duration::from_secs(90), "everything is over", || {
        incidents(&daemon).iter().all(|it| it["state"] == "closed").then_some(())
    });
    assert_eq!(hook.all().len(), 2, "one all-clear and nothing else");
    println!(
        "storm of {SYSTEMS}: 1 page {took:?} after the shared system was seen down, 1 all-clear"
    );
}
