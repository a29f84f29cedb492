//! What only shows after a minute: each takes its time, side by side.

use std::net::TcpListener;
use std::time::Duration;

use tokio::time::Instant;

use super::hook::Hook;
use super::instance::Instance;
use super::kit::{QUICK, about, alerting, an, until_is};
use crate::harness::{Daemon, Folder, check, until, within};
use crate::server::{Manner, Server};

/// A minute of patience, a look, and a loaded machine.
const A_MINUTE_MAX: Duration = Duration::from_secs(85);

#[test]
fn a_dead_alertmanager_a_refused_configuration_and_a_dead_peer_are_told_after_a_minute() {
    std::thread::scope(|scope| {
        scope.spawn(direct_channels_take_over_and_then_own_the_end);
        scope.spawn(a_refused_configuration_and_a_silent_peer_are_told);
    });
}

fn direct_channels_take_over_and_then_own_the_end() {
    let Some(mut am) = Instance::start("direct channels take over from Alertmanager") else {
        return;
    };
    let hook = Hook::start();
    let server = Server::start();
    let mut people = an(&hook);
    people.push(am.written());
    let keys = "resolve_after = \"1s\"\npager = \"alertmanager\"";
    let systems = [check("a", server.address(), QUICK)];
    let folder = Folder::with(&alerting(keys, &systems, &people));
    let daemon = folder.start();
    am.has("ThongsuotWatchdog", "kind", "watchdog");
    let accepted = Instant::now();
    am.kill_and_forget();
    server.set(Manner::Broken);
    until_is(&daemon, "a", "state", "open");
    let opened = Instant::now();
    let page = within(A_MINUTE_MAX, "the direct channel pages", || {
        hook.of("an", "page").into_iter().next()
    });
    assert!(page.at.duration_since(accepted) > Duration::from_secs(29), "not at once");
    println!("paged {:?} after the incident opened", page.at.duration_since(opened));
    // It is back; whoever was paged directly hears the end directly.
    am.launch();
    am.has("ThongsuotServiceDown", "system", "a");
    server.set(Manner::Good);
    hook.hears("an", "resolved");
    assert!(hook.keys().values().all(|count| *count == 1), "{:?}", hook.keys());
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn a_refused_configuration_and_a_silent_peer_are_told() {
    let hook = Hook::start();
    let server = Server::start();
    let ports = [free_port(), free_port()];
    let folders = [Folder::new(), Folder::new()];
    let mut written = Vec::new();
    for (at, folder) in folders.iter().enumerate() {
        let other = ports[1 - at];
        let mut people = an(&hook);
        people.push(format!("[[peer]]\nid = \"ban-kia\"\nurl = \"http://127.0.0.1:{other}/\"\n"));
        let text =
            alerting("resolve_after = \"1s\"", &[check("a", server.address(), QUICK)], &people);
        let text = text.replace("127.0.0.1:0\"", &format!("127.0.0.1:{}\"", ports[at]));
        folder.write(&text);
        written.push(text);
    }
    let daemon = folders[0].start();
    let mut other = folders[1].start();
    other.until_state("a", "up");
    let newest = |daemon: &Daemon| daemon.json("/-/healthy")["newest_result"].clone();
    let at = newest(&other);
    until("the newest result is told", || (newest(&other) != at).then_some(()));
    other.process.kill();
    folders[0].write(&written[0].replace("[monitor]", "[monitor]\ntimezome = \"x\""));
    assert_eq!(daemon.reload().0, 422);
    // A monitor that is dead can't say so itself: that wakes somebody.
    let expected = [
        ("configuration_refused", "ticket", "timezome"),
        ("peer_failing ban-kia", "page", "ban-kia"),
    ];
    for (subject, severity, word) in expected {
        let seen = within(A_MINUTE_MAX, subject, || about(&daemon, subject).pop());
        assert_eq!((&seen["about"], &seen["severity"]), (&"monitor".into(), &severity.into()));
        let told = hook.hears("an", severity);
        assert_eq!(told.incident(), seen["id"]);
        assert!(told.body["text"].as_str().unwrap().contains(word), "{told:?}");
    }
    folders[0].write(&written[0]);
    assert_eq!(daemon.reload().0, 200);
    let over = until_is(&daemon, "configuration_refused", "state", "closed");
    let id = over["id"].as_str().unwrap();
    until("that it is mended is told", || {
        hook.of("an", "resolved").into_iter().find(|it| it.incident() == id)
    });
    for purpose in ["ticket", "page"] {
        assert_eq!(hook.of("an", purpose).len(), 1, "{purpose}");
    }
}
