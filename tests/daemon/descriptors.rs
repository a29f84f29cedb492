//! Short of descriptors, the daemon blames itself, and still answers.

use std::process::Command;

use crate::harness::{BINARY, Daemon, Folder, PATIENCE, check, config, until, within};
use crate::server::{Manner, Server};

/// What the shell allows the daemon: files, sockets and all.
const DESCRIPTORS: usize = 64;

/// Targets that hang: each takes a descriptor for its whole timeout.
const HANGING: usize = 120;

#[test]
fn without_descriptors_results_are_void_and_the_daemon_still_answers() {
    let good = Server::start();
    let hanging = Server::with(Manner::Hang);
    let keys = "interval = \"2s\"\ntimeout = \"2s\"";
    let mut checks: Vec<String> =
        (0..HANGING).map(|at| check(&format!("h{at}"), hanging.address(), keys)).collect();
    checks.push(check("good", good.address(), keys));
    let folder = Folder::with(&config("", &checks));
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("ulimit -n {DESCRIPTORS}; exec {BINARY} run"));
    command.current_dir(folder.path()).env_remove("THONGSUOT_LOG").env_remove("NOTIFY_SOCKET");
    let mut daemon = Daemon::ready(command, folder.path());

    let void = || daemon.metric_sum("thongsuot_slots_void_total{reason=\"fd\"}");
    within(PATIENCE * 2, "slots are void for want of descriptors", || {
        (void() > 100.0).then_some(())
    });
    let mut answered = 0;
    until("it answers fifty times", || {
        answered += usize::from(daemon.get("/-/healthy").is_some_and(|it| it.0 == 200));
        (answered >= 50).then_some(())
    });
    for at in 0..HANGING {
        for result in daemon.results(&format!("h{at}")).0 {
            let fair = result["outcome"] == "hang" || result["reason"] == "fd";
            assert!(fair, "{result}");
        }
    }
    let (results, _) = daemon.results("good");
    assert!(!results.is_empty());
    for result in &results {
        assert!(result["outcome"] == "ok" || result["reason"] == "fd", "{result}");
    }

    hanging.set(Manner::Good);
    daemon.until_state("h0", "up");
    daemon.until_state("good", "up");
    let open = std::fs::read_dir(format!("/proc/{}/fd", daemon.process.pid().as_raw_nonzero()));
    println!("{} void for want of descriptors; {} open now", void(), open.unwrap().count());
    assert_eq!(daemon.terminate(), 0);
}
