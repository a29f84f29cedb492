//! Killed at any instant, the daemon loses nothing that it has shown, and goes on on the same
//! grid.

use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::grid::{Identity, by_identity, every_slot_has_a_record};
use crate::harness::{
    BINARY, Daemon, Folder, PATIENCE, Process, check, config, millis, until, within,
};
use crate::server::{Manner, Server};
use crate::skip::skip;

/// Kills while it serves, and while it starts.
const KILLS_SERVING: usize = 35;
const KILLS_STARTING: usize = 15;

const CHECKS: usize = 20;

/// The wall time in milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the test's own record of when it killed")]
fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn pause(ms_max: u64) {
    std::thread::sleep(Duration::from_millis(rand::random_range(0..ms_max)));
}

/// Everything shown so far, by check.
type Seen = Vec<HashMap<Identity, Value>>;

fn look(daemon: &Daemon, seen: &mut Seen) {
    for (at, seen) in seen.iter_mut().enumerate() {
        seen.extend(by_identity(&daemon.results(&format!("c{at}")).0));
    }
}

#[test]
fn fifty_kills_lose_nothing_that_was_shown_and_every_slot_is_accounted_for() {
    let good = Server::start();
    let broken = Server::with(Manner::Broken);
    let hanging = Server::with(Manner::Hang);
    let checks: Vec<String> = (0..CHECKS)
        .map(|at| {
            let server = [&good, &good, &good, &broken, &hanging][at % 5];
            let keys = "interval = \"1s\"\ntimeout = \"900ms\"";
            check(&format!("c{at}"), server.address(), keys)
        })
        .collect();
    let folder = Folder::with(&config("", &checks));
    let mut seen: Seen = vec![HashMap::new(); CHECKS];
    let mut away = Vec::new();
    let mut killed_ms: Option<i64> = None;
    for kill in 0..KILLS_SERVING + KILLS_STARTING {
        let mut process = if kill % 10 < 3 {
            let process = Process::start(folder.command(&["run"]), folder.path());
            pause(600);
            process
        } else {
            let started_ms = now_ms();
            let daemon = folder.start();
            if let Some(killed_ms) = killed_ms {
                away.push((killed_ms, started_ms));
            }
            pause(1_500);
            look(&daemon, &mut seen);
            pause(300);
            daemon.process
        };
        process.kill();
        killed_ms = (kill % 10 >= 3).then(now_ms);
    }

    let mut daemon = folder.start();
    for at in 0..CHECKS {
        let id = format!("c{at}");
        let last = millis(&daemon.check(&id)["next_due"]);
        within(2 * PATIENCE, "a result after the last start", || {
            let results = daemon.results(&id).0;
            results.iter().any(|it| millis(&it["due"]) >= last).then_some(())
        });
    }
    look(&daemon, &mut seen);
    assert_eq!(daemon.terminate(), 0);
    let daemon = folder.start();
    let (mut shown, mut slots, mut in_spans) = (0, 0, 0);
    for (at, seen) in seen.iter().enumerate() {
        let id = format!("c{at}");
        let (results, voids) = daemon.results(&id);
        let kept = by_identity(&results);
        for (identity, result) in seen {
            assert_eq!(kept.get(identity), Some(result), "{id}: shown, and lost or changed");
        }
        shown += seen.len();
        let counts = every_slot_has_a_record(&daemon, &id);
        (slots, in_spans) = (slots + counts.0, in_spans + counts.1);
        for (from, to) in &away {
            let within = |void: &&Value| {
                void["reason"] == "stopped"
                    && millis(&void["from"]) <= *from
                    && *to <= millis(&void["to"])
            };
            assert!(voids.iter().any(|it| within(&it)), "{id}: away {from}..{to}: {voids:?}");
        }
    }
    println!("{shown} results shown, none lost; {slots} slots, {in_spans} of them in void spans");
    drop(daemon);
    let (code, out, _) = folder.run(&["verify", "--data", "var"]);
    assert_eq!(code, 0, "{out}");
}

#[test]
fn an_orderly_restart_loses_no_slot_either() {
    let slow = Server::with(Manner::After(Duration::from_millis(800)));
    let hanging = Server::with(Manner::Hang);
    let keys = "interval = \"1s\"\ntimeout = \"1s\"";
    let long = "interval = \"6s\"\ntimeout = \"6s\"";
    let checks = [
        check("slow", slow.address(), keys),
        check("hanging", hanging.address(), keys),
        check("long", hanging.address(), long),
    ];
    let folder = Folder::with(&config("grace = \"4s\"", &checks));
    for _ in 0..2 {
        let mut daemon = folder.start();
        let before = hanging.requests();
        until("runs are in flight", || (hanging.requests() > before + 6).then_some(()));
        assert_eq!(daemon.terminate(), 0);
    }
    let daemon = folder.start();
    let last = millis(&daemon.check("long")["next_due"]);
    within(2 * PATIENCE, "a result after the last start", || {
        daemon.results("long").0.iter().any(|it| millis(&it["due"]) >= last).then_some(())
    });
    for id in ["slow", "hanging", "long"] {
        let (slots, in_spans) = every_slot_has_a_record(&daemon, id);
        println!("{id}: {slots} slots, {in_spans} of them in void spans");
    }
}

/// After a reboot the machine's clocks begin anew, as in a time namespace of their own.
#[test]
fn a_reboot_is_a_stop_like_any_other() {
    let offsets = ["--time", "--monotonic", "500000", "--boottime", "900000", "--fork"];
    let works = Command::new("unshare").args(offsets).arg("true").output();
    if !works.is_ok_and(|it| it.status.success()) {
        return skip("a reboot", "no time namespace can be made: not root");
    }
    let broken = Server::with(Manner::Broken);
    let keys = "interval = \"1s\"\ntimeout = \"1s\"";
    let folder = Folder::with(&config("", &[check("a", broken.address(), keys)]));
    let mut before = Command::new("unshare");
    before.args(offsets).arg("--kill-child").arg(BINARY).arg("run").current_dir(folder.path());
    let mut daemon = Daemon::ready(before, folder.path());
    daemon.until_state("a", "down http_status");
    until("it is stored", || (daemon.results("a").0.len() > 4).then_some(()));
    let since = daemon.check("a")["since"].clone();
    daemon.process.kill();

    let daemon = until("the folder is free", || {
        let mut process = Process::start(folder.command(&["run"]), folder.path());
        within(PATIENCE, "it watches or gives up", || {
            (process.ended().is_some() || process.log().contains("watching")).then_some(())
        });
        process.ended().is_none().then(|| Daemon::of(process))
    });
    let now = daemon.check("a");
    assert_eq!((&now["state"], &now["since"]), (&"down".into(), &since), "the state is restored");
    let last = millis(&now["next_due"]);
    until("two results after the reboot", || {
        let after = |it: &&Value| millis(&it["due"]) > last;
        (daemon.results("a").0.iter().filter(after).count() >= 2).then_some(())
    });
    let voids = daemon.results("a").1;
    assert!(voids.iter().all(|it| it["reason"] == "stopped"), "{voids:?}");
    every_slot_has_a_record(&daemon, "a");
}
