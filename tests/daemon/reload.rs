//! A configuration is taken into force whole or not at all, however it is asked for.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::grid::{by_identity, every_slot_has_a_record};
use crate::harness::{Daemon, Folder, ask, check, config, until};
use crate::server::{Manner, Server};

const KEYS: &str = "interval = \"1s\"\ntimeout = \"1s\"";

/// Metric: whether the last reload was taken into force.
const RELOADED: &str = "thongsuot_config_last_reload_successful";

/// What must not change in a check that a reload does not touch.
fn identity(daemon: &Daemon, id: &str) -> [Value; 5] {
    let check = daemon.check(id);
    ["phase_us", "step_us", "state", "since", "reason"].map(|key| check[key].clone())
}

#[test]
fn a_good_one_swaps_by_request_signal_and_file_and_the_rest_keeps_its_state() {
    let good = Server::start();
    let broken = Server::with(Manner::Broken);
    let a = check("a", good.address(), KEYS);
    let b = check("b", broken.address(), KEYS);
    let c = check("c", good.address(), KEYS);
    let folder = Folder::with(&config("", &[a.clone(), b.clone()]));
    let daemon = folder.start();
    daemon.until_state("a", "up");
    daemon.until_state("b", "down http_status");
    let before = ["a", "b"].map(|id| identity(&daemon, id));
    let series = "thongsuot_results_total{owner=\"bca\",system=\"a\",check=\"a\"";
    let counted = daemon.metric_sum(series);
    assert!(counted >= 1.0);

    folder.write(&config("", &[a.clone(), b.clone(), c]));
    let (status, answer) = daemon.reload();
    assert_eq!(status, 200, "{answer}");
    daemon.until_state("c", "up");
    assert_eq!(["a", "b"].map(|id| identity(&daemon, id)), before);
    assert!(daemon.metric_sum(series) >= counted, "the counters went on");
    assert_eq!(daemon.metric(RELOADED), Some(1.0));

    folder.write(&config("", &[a.clone(), b.clone()]));
    until("the change of the file is seen", || {
        daemon.get("/api/v1/checks/c").filter(|(status, _)| *status == 404)
    });
    assert!(daemon.metric_sum("thongsuot_check_state{check=\"c\"") < 0.5, "its series are gone");

    let by_signal = || daemon.process.log().matches("asked_by=\"signal\"").count();
    assert_eq!(by_signal(), 0);
    daemon.process.signal(Signal::HUP);
    until("the signal is obeyed", || (by_signal() == 1).then_some(()));
    assert_eq!(["a", "b"].map(|id| identity(&daemon, id)), before);
    for id in ["a", "b"] {
        every_slot_has_a_record(&daemon, id);
    }
}

#[test]
fn a_bad_one_is_refused_whole_with_every_mistake_and_the_old_one_goes_on() {
    let good = Server::start();
    let a = check("a", good.address(), KEYS);
    let written = config("", std::slice::from_ref(&a));
    let folder = Folder::with(&written);
    let daemon = folder.start();
    daemon.until_state("a", "up");
    assert_eq!(daemon.metric(RELOADED), Some(1.0));

    let new = check("new", good.address(), KEYS);
    let faulty =
        config("timezome = \"x\"", &[a, new, check("B", good.address(), "interval = \"5\"")]);
    folder.write(&faulty);
    let (status, answer) = daemon.reload();
    assert_eq!(status, 422, "{answer}");
    let mistakes: Vec<&str> =
        answer["mistakes"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert!(mistakes.len() >= 3, "{mistakes:#?}");
    for named in ["timezome", "`B` is not an id", "`5` is not a length of time"] {
        let count = mistakes.iter().filter(|it| it.contains(named)).count();
        assert!(count > 0, "{named}: {mistakes:#?}");
    }
    for mistake in &mistakes {
        assert!(mistake.contains("targets.toml"), "says where: {mistake}");
    }
    assert_eq!(daemon.metric(RELOADED), Some(0.0));
    assert_eq!(daemon.get("/api/v1/checks/new").unwrap().0, 404, "nothing of it is in force");
    let count = daemon.results("a").0.len();
    until("the old one goes on", || (daemon.results("a").0.len() > count + 1).then_some(()));

    folder.write(&written);
    assert_eq!(daemon.reload().0, 200);
    assert_eq!(daemon.metric(RELOADED), Some(1.0));

    folder.write(&written.replace("127.0.0.1:0", "127.0.0.1:9"));
    let (status, answer) = daemon.reload();
    assert_eq!(status, 422);
    let mistakes = answer["mistakes"].to_string();
    for named in ["`listen`", "restart"] {
        assert!(mistakes.contains(named), "{mistakes}");
    }
    assert_eq!(daemon.metric(RELOADED), Some(0.0));
    assert_eq!(daemon.get("/-/ready").unwrap().0, 200);
    std::fs::remove_file(folder.path().join("targets.toml")).unwrap();
    let (status, answer) = daemon.reload();
    assert_eq!(status, 422);
    assert!(answer["mistakes"].to_string().contains("targets.toml"), "{answer}");
}

#[test]
fn many_reloads_at_once_end_and_leave_no_slot_of_the_others_without_a_record() {
    let good = Server::start();
    let a = check("a", good.address(), KEYS);
    let plain = config("", &[a.clone(), check("b", good.address(), KEYS)]);
    let changed =
        config("", &[a.clone(), check("b", good.address(), &format!("{KEYS}\nslow = \"900ms\""))]);
    let removed = config("", &[a, check("c", good.address(), KEYS)]);
    let folder = Folder::with(&plain);
    let mut daemon = folder.start();
    daemon.until_state("a", "up");
    let address = daemon.address;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..15 {
                    let (status, body) = ask(address, "POST", "/-/reload").unwrap();
                    assert_eq!(status, 200, "{body}");
                }
            });
        }
        for text in [&changed, &removed, &plain].iter().cycle().take(30) {
            folder.write(text);
            daemon.process.signal(Signal::HUP);
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let count = daemon.results("a").0.len();
    until("results go on", || (daemon.results("a").0.len() > count + 2).then_some(()));
    let (slots, in_spans) = every_slot_has_a_record(&daemon, "a");
    assert_eq!(in_spans, 0);
    by_identity(&daemon.results("a").0);
    println!("{slots} slots of a check that 75 reloads did not touch, each with a result");
    folder.write(&plain);
    assert_eq!(daemon.reload().0, 200);
    daemon.until_state("b", "up");
    assert_eq!(daemon.terminate(), 0);
}

#[test]
fn the_kill_switch_of_a_host_silences_it_until_it_is_released() {
    let good = Server::start();
    let checks = [check("a", good.address(), KEYS)];
    let folder = Folder::with(&config("", &checks));
    let daemon = folder.start();
    daemon.until_state("a", "up");

    folder.write(&config("kill = [\"127.0.0.1\"]", &checks));
    assert_eq!(daemon.reload().0, 200);
    let paused = || {
        let results = daemon.results("a").0;
        results.iter().filter(|it| it["reason"] == "paused").count()
    };
    until("a slot is paused", || (paused() > 0).then_some(()));
    let asked = good.requests();
    daemon.until_state("a", "unknown paused");
    until("three slots are paused", || (paused() >= 3).then_some(()));
    assert_eq!(good.requests(), asked, "nothing more was sent");

    folder.write(&config("", &checks));
    assert_eq!(daemon.reload().0, 200);
    daemon.until_state("a", "up");
    every_slot_has_a_record(&daemon, "a");
}
