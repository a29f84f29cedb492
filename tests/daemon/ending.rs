//! How it ends, and how it refuses to start: exit codes, and what is said.

use std::net::TcpListener;

use rustix::process::Signal;

use crate::harness::{Folder, PATIENCE, check, config, until, within};
use crate::server::{Manner, Server};

#[test]
fn a_run_that_ends_in_the_grace_is_stored_and_one_that_does_not_is_void() {
    let slow = Server::with(Manner::After(std::time::Duration::from_millis(1_200)));
    let hanging = Server::with(Manner::Hang);
    let checks = [
        check("slow", slow.address(), "interval = \"2s\"\ntimeout = \"2s\""),
        check("hanging", hanging.address(), "interval = \"12s\"\ntimeout = \"12s\""),
    ];
    let folder = Folder::with(&config("grace = \"4s\"", &checks));
    let mut daemon = folder.start();
    within(PATIENCE, "a run hangs", || (hanging.requests() > 0).then_some(()));
    let before = slow.requests();
    until("a slow run begins", || (slow.requests() > before).then_some(()));
    let begun = slow.requests();
    assert_eq!(daemon.terminate(), 0);
    assert_eq!(slow.requests(), begun, "nothing new was started");
    let log = daemon.process.log();
    assert!(log.contains("ending") && log.trim_end().ends_with("ended"), "{log}");

    let (code, out, _) = folder.run(&["verify", "--data", "var"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("whole, and as it was written"), "{out}");

    let daemon = folder.start();
    let ok = |id: &str, key: &str, value: &str| {
        daemon.results(id).0.iter().filter(|it| it[key] == value).count() as u64
    };
    assert!(ok("slow", "outcome", "ok") >= begun, "the run in flight is stored");
    assert_eq!(ok("hanging", "reason", "stopped"), 1, "{:?}", daemon.results("hanging"));
    assert_eq!(ok("hanging", "outcome", "hang"), 0);
}

#[test]
fn a_second_signal_leaves_at_once() {
    let hanging = Server::with(Manner::Hang);
    let keys = "interval = \"60s\"\ntimeout = \"60s\"";
    let checks: Vec<String> =
        (0..40).map(|at| check(&format!("h{at}"), hanging.address(), keys)).collect();
    let folder = Folder::with(&config("grace = \"5m\"", &checks));
    let mut daemon = folder.start();
    within(PATIENCE * 2, "a run hangs", || (hanging.requests() > 0).then_some(()));
    daemon.process.signal(Signal::TERM);
    until("it drains", || daemon.process.log().contains("ending").then_some(()));
    assert!(daemon.process.ended().is_none());
    daemon.process.signal(Signal::INT);
    assert_eq!(daemon.process.end(), 130);
    let (code, out, _) = folder.run(&["verify", "--data", "var"]);
    assert_eq!(code, 0, "{out}");
}

#[test]
fn a_bad_configuration_is_exit_code_78_and_every_mistake() {
    let address = "127.0.0.1:1".parse().unwrap();
    let faulty = config(
        "grase = \"1s\"",
        &[check("a", address, "interval = \"1s\"\ntimeout = \"2s\""), check("A b", address, "")],
    );
    let folder = Folder::with(&faulty);
    let (code, out, error) = folder.run(&["run"]);
    assert_eq!((code, out.as_str()), (78, ""));
    for named in ["grase", "timeout", "A b", "targets.toml"] {
        assert!(error.contains(named), "{named}: {error}");
    }
    assert!(!folder.path().join("var").exists(), "nothing was made");
    let missing = Folder::new();
    let (code, _, error) = missing.run(&["run"]);
    assert_eq!(code, 78);
    assert!(error.contains("targets.toml"), "{error}");
}

#[test]
fn a_taken_port_or_folder_or_one_open_to_all_is_refused_with_what_to_do() {
    let server = Server::start();
    let folder = Folder::with(&config("", &[check("a", server.address(), "")]));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, _, error) = folder.run(&["run", "--listen", &address]);
    assert_eq!(code, 74, "{error}");
    assert!(error.contains(&address) && error.contains("[monitor] listen"), "{error}");

    let (code, _, error) = folder.run(&["run", "--listen", "0.0.0.0:0"]);
    assert_eq!(code, 78, "{error}");
    assert!(error.contains("0.0.0.0:0") && error.contains("`[monitor] token`"), "{error}");

    let mut daemon = folder.start();
    let (code, _, error) = folder.run(&["run"]);
    assert_eq!(code, 74, "{error}");
    assert!(error.contains("var") && error.contains("another"), "{error}");
    assert_eq!(daemon.terminate(), 0);
    assert_eq!(folder.start().terminate(), 0);
}
