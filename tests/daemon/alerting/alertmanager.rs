//! A real Alertmanager beside direct channels: hung, gone, forgetful, and none of it holds up a
//! page.

use std::time::Duration;

use rustix::process::Signal;

use super::hook::Hook;
use super::instance::Instance;
use super::kit::{QUICK, alerting, an, until_is};
use crate::harness::{Folder, check, millis, until, within};
use crate::server::{Manner, Server};

const DOWN: &str = "ThongsuotServiceDown";

/// A hung one is noticed at its deadline, 2 s; a page that waited for it would come later.
const PAGE_MAX: Duration = Duration::from_secs(20);

#[test]
fn hung_forgetful_and_stopped_it_delays_no_page_and_is_told_what_it_missed() {
    let Some(mut am) = Instance::start("the daemon and a real Alertmanager") else { return };
    let hook = Hook::start();
    let servers = [Server::start(), Server::start(), Server::start()];
    let systems: Vec<String> = ["a", "b", "c"]
        .iter()
        .zip(&servers)
        .map(|(id, server)| check(id, server.address(), QUICK))
        .collect();
    let mut people = an(&hook);
    people.push(am.written());
    let folder = Folder::with(&alerting("resolve_after = \"1s\"", &systems, &people));
    let mut daemon = folder.start();
    let watchdog = am.has("ThongsuotWatchdog", "kind", "watchdog");
    assert!(millis(&watchdog["startsAt"]) < millis(&watchdog["endsAt"]) - 60_000, "{watchdog}");

    servers[0].set(Manner::Broken);
    let first = until_is(&daemon, "a", "state", "open");
    let alert = am.has(DOWN, "system", "a");
    assert_eq!(alert["labels"]["incident"], first["id"]);
    assert_eq!(alert["labels"]["severity"], "page");
    hook.hears("an", "page");

    am.signal(Signal::STOP);
    servers[1].set(Manner::Broken);
    within(PAGE_MAX, "the second outage is paged though Alertmanager hangs", || {
        (hook.of("an", "page").len() == 2).then_some(())
    });
    let up = format!("thongsuot_alertmanager_accepting{{alertmanager=\"{}\"}}", am.address);
    println!("{up} {:?}", daemon.metric(&up));
    am.signal(Signal::CONT);
    am.has(DOWN, "system", "b");

    am.kill_and_forget();
    servers[2].set(Manner::Broken);
    servers[0].set(Manner::Good);
    within(PAGE_MAX, "the third outage is paged though Alertmanager is gone", || {
        (hook.of("an", "page").len() == 3).then_some(())
    });
    until("the first is over", || (hook.of("an", "resolved").len() == 1).then_some(()));
    am.launch();
    for id in ["b", "c"] {
        am.has(DOWN, "system", id);
    }
    assert!(am.lacks(DOWN, "system", "a"), "{:?}", am.alerts());
    for server in &servers {
        server.set(Manner::Good);
    }
    until("everything is over", || (hook.of("an", "resolved").len() == 3).then_some(()));
    until("Alertmanager knows that it is", || {
        ["a", "b", "c"].iter().all(|id| am.lacks(DOWN, "system", id)).then_some(())
    });
    assert!(hook.keys().values().all(|count| *count == 1), "{:?}", hook.keys());
    assert_eq!(daemon.terminate(), 0);
}
