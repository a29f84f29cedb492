//! The disk is full when something breaks: people hear of it all the same, and the dead man's
//! switch is let go.

use std::time::Duration;

use super::hook::Hook;
use super::kit::{QUICK, about, alerting, an, until_all_sent, until_is};
use crate::disk_full::Tmpfs;
use crate::harness::{Folder, check, until, within};
use crate::server::{Manner, Server};
use crate::skip::skip;

/// From a server's fault to the message: confirmation is about 2 s.
const PAGE_MAX: Duration = Duration::from_secs(15);

#[test]
fn a_page_decided_while_the_disk_is_full_goes_out_and_is_durable_when_there_is_room() {
    let folder = Folder::new();
    let Some(disk) = Tmpfs::mount(&folder.path().join("var"), "4m") else {
        return skip("alerts on a full disk", "a tmpfs can't be mounted: not root");
    };
    let hook = Hook::start();
    let servers = [Server::start(), Server::start()];
    let systems = [("a", &servers[0]), ("b", &servers[1])];
    let systems = systems.map(|(id, server)| check(id, server.address(), QUICK));
    std::fs::write(
        folder.path().join("heartbeat-url"),
        format!("http://{}/heartbeat/t0k3n", hook.address),
    )
    .unwrap();
    let keys = "resolve_after = \"1s\"\n\
                [alerting.heartbeat]\nurl = { file = \"heartbeat-url\" }\nevery = \"10s\"";
    folder.write(&alerting(keys, &systems, &an(&hook)));
    let mut daemon = folder.start();
    daemon.until_state("a", "up");
    let calls = || hook.all().iter().filter(|it| it.path.starts_with("/heartbeat")).count();
    until("the dead man's switch is called", || (calls() >= 1).then_some(()));

    let filler = disk.fill();
    until("/-/ready says so", || daemon.get("/-/ready").filter(|(status, _)| *status == 503));
    let withheld = "thongsuot_heartbeats_total{result=\"withheld\"}";
    let before = (calls(), daemon.metric(withheld).unwrap_or(0.0));
    servers[0].set(Manner::Broken);
    let page = within(PAGE_MAX, "the page goes out", || hook.of("an", "page").pop());
    until("the switch is withheld", || daemon.metric(withheld).filter(|count| *count > before.1));
    assert!(calls() <= before.0 + 1, "it was called though nothing is stored");
    // An answer is taken as well.
    assert_eq!(super::kit::acknowledge(&daemon, page.incident(), "trực ca"), 200);

    std::fs::remove_file(filler).unwrap();
    until("it recovers by itself", || daemon.get("/-/ready").filter(|(status, _)| *status == 200));
    let called = calls();
    within(Duration::from_secs(40), "the switch is called again", || {
        (calls() > called).then_some(())
    });
    until_all_sent(&daemon);
    let before = about(&daemon, "a");
    daemon.process.kill();
    let daemon = folder.start();
    let after = about(&daemon, "a");
    for key in ["id", "opened", "acknowledged"] {
        assert_eq!(after[0][key], before[0][key], "{after:#?}");
    }
    servers[0].set(Manner::Good);
    servers[1].set(Manner::Broken);
    hook.hears("an", "resolved");
    let second = until_is(&daemon, "b", "state", "open");
    assert_ne!(second["id"], before[0]["id"]);
    until("the second outage is paged", || (hook.of("an", "page").len() == 2).then_some(()));
    let mut keys = hook.keys();
    keys.remove("");
    assert!(keys.values().all(|count| *count == 1), "{keys:?}");
    assert!(!daemon.process.log().contains("t0k3n"), "the address of the switch is secret");
}
