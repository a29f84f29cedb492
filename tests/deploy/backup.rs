//! `deploy/backup.sh` beside a running daemon, and what is restored from its copy.

use std::fs;
use std::process::Command;

use crate::harness::{BINARY, Folder, is_installed, until};
use crate::{lonely, project, said, skip};

/// Results of the one check that the API gives.
fn results(daemon: &crate::harness::Daemon) -> usize {
    daemon.results("a").0.len()
}

#[test]
fn a_backup_of_a_live_history_is_whole_and_a_daemon_goes_on_from_it() {
    if !is_installed("sqlite3") {
        return skip::skip("a backup of a live history", "no sqlite3");
    }
    let folder = Folder::with(&lonely());
    let mut daemon = folder.start();
    until("there are results", || (results(&daemon) >= 3).then_some(()));

    let backups = folder.path().join("backups");
    let backup = |keep: &str| {
        let mut command = Command::new(project("deploy/backup.sh"));
        command.args([folder.path().join("var"), backups.clone()]).arg(keep);
        let output = command.env("THONGSUOT", BINARY).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    let told = backup("2");
    assert!(told.contains("whole, and as it was written"), "{told}");
    let copy = told.lines().last().unwrap().to_owned();
    let names = |path: &str| -> Vec<String> {
        let entries = fs::read_dir(path).unwrap();
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(names(&copy), ["history.sqlite"], "only the history is copied");
    let before = results(&daemon);
    until("it goes on measuring", || (results(&daemon) > before).then_some(()));
    assert_eq!(daemon.terminate(), 0);

    // As docs/backup.md restores it.
    let var = folder.path().join("var");
    fs::remove_dir_all(&var).unwrap();
    fs::create_dir(&var).unwrap();
    fs::copy(format!("{copy}/history.sqlite"), var.join("history.sqlite")).unwrap();
    let (code, out, error) = folder.run(&["verify", "--data", "var"]);
    assert_eq!((code, error.as_str()), (0, ""), "{out}");
    let daemon = folder.start();
    let restored = results(&daemon);
    assert!(restored >= 3, "{restored} of {before}");
    until("it adds to what was restored", || (results(&daemon) > restored).then_some(()));
}

#[test]
fn only_the_newest_backups_are_kept_and_nothing_else_is_touched() {
    if !is_installed("sqlite3") {
        return skip::skip("only the newest backups are kept", "no sqlite3");
    }
    let folder = Folder::with(&lonely());
    assert_eq!(folder.start().terminate(), 0);
    let backups = folder.path().join("backups");
    for name in ["2026-01-01T000000Z", "2026-01-02T000000Z", "by-hand", "2026-01-03T000000Z"] {
        fs::create_dir_all(backups.join(name)).unwrap();
    }
    let mut command = Command::new(project("deploy/backup.sh"));
    command.args([folder.path().join("var"), backups.clone()]).arg("2").env("THONGSUOT", BINARY);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    for (name, kept) in [("01", false), ("02", false), ("03", true)] {
        assert_eq!(backups.join(format!("2026-01-{name}T000000Z")).exists(), kept, "{name}");
    }
    assert!(backups.join("by-hand").exists());
}

#[test]
fn a_backup_that_is_damaged_gets_no_name() {
    if !is_installed("sqlite3") {
        return skip::skip("a backup that is damaged", "no sqlite3");
    }
    let folder = Folder::with(&lonely());
    assert_eq!(folder.start().terminate(), 0);
    let history = folder.path().join("var/history.sqlite");
    let edit = "UPDATE events SET body = '{}' WHERE seq = 1";
    assert!(Command::new("sqlite3").arg(&history).arg(edit).status().unwrap().success());
    let backups = folder.path().join("backups");
    let mut command = Command::new(project("deploy/backup.sh"));
    command.args([folder.path().join("var"), backups.clone()]).env("THONGSUOT", BINARY);
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{}", said(&output));
    assert_eq!(fs::read_dir(backups).unwrap().count(), 0, "{}", said(&output));
}
