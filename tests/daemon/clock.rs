//! The wall clock is set forward and back while the daemon watches.
//!
//! The daemon runs under a shim before the C library that shifts the wall clock by what a file
//! says, so the machine's own clock stays as it is.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use thongsuot::clock::Clock;
use thongsuot::history::{Filter, Reader};
use thongsuot::model::id::CheckId;
use thongsuot::model::result::{RunKind, RunResult};
use thongsuot::model::span::Span;
use thongsuot::model::time::Millis;

use crate::grid::every_slot_has_a_record;
use crate::harness::{Daemon, Folder, check, config, millis, until};
use crate::server::{Manner, Server};
use crate::skip::skip;

const HOUR_MS: i64 = 3_600_000;

/// How far a step may seem longer or shorter: a look at the clocks, and a busy machine.
const STEP_NEAR_MS: i64 = 1_000;

/// Longest that a run of a good server may seem on a busy machine. An hour is not near it.
const RUN_MS_MAX: i64 = 5_000;

/// Shifts the wall clock by the seconds in the file named by `CLOCK_SHIFT`.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static volatile long long *shift;
__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("CLOCK_SHIFT");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *page = mmap(0, sizeof(long long), PROT_READ, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED) shift = page;
    close(fd);
}
int clock_gettime(clockid_t id, struct timespec *now) {
    int done = syscall(SYS_clock_gettime, id, now);
    if (done == 0 && id == CLOCK_REALTIME && shift) now->tv_sec += *shift;
    return done;
}
"#;

/// A clock that can be set, for processes started with it.
pub(crate) struct SetClock {
    shim: PathBuf,
    path: PathBuf,
    file: File,
}

impl SetClock {
    /// As the machine's, until it is set. `None`, and said so, without a C compiler.
    pub(crate) fn new(folder: &Path) -> Option<Self> {
        let (source, shim) = (folder.join("shim.c"), folder.join("shim.so"));
        std::fs::write(&source, SHIM).unwrap();
        let compiled =
            Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&shim).arg(&source).output();
        if !compiled.as_ref().is_ok_and(|it| it.status.success()) {
            skip("steps of the clock", &format!("no C compiler to shift it with: {compiled:?}"));
            return None;
        }
        let path = folder.join("shift");
        let file = File::create(&path).unwrap();
        let clock = Self { shim, path, file };
        clock.set(0);
        Some(clock)
    }

    /// Sets it so far ahead of the machine's.
    pub(crate) fn set(&self, ahead_s: i64) {
        self.file.write_all_at(&ahead_s.to_ne_bytes(), 0).unwrap();
    }

    pub(crate) fn start(&self, folder: &Folder) -> Daemon {
        let mut command = folder.command(&["run"]);
        command.env("LD_PRELOAD", &self.shim).env("CLOCK_SHIFT", &self.path);
        Daemon::ready(command, folder.path())
    }
}

/// Waits for `count` results of the grid that are due from `from` to `to`.
#[track_caller]
fn until_results(daemon: &Daemon, id: &str, count: usize, (from, to): (i64, i64)) {
    let of_that_time = |it: &&Value| {
        (from..to).contains(&millis(&it["due"])) && it["kind"] == "grid" && it["outcome"] != "void"
    };
    until("results after the clock was set", || {
        (daemon.results(id).0.iter().filter(of_that_time).count() >= count).then_some(())
    });
}

/// When the newest result was due.
fn newest(daemon: &Daemon, id: &str) -> i64 {
    daemon.results(id).0.iter().map(|it| millis(&it["due"])).max().unwrap()
}

#[test]
fn a_clock_set_forward_and_back_costs_no_slot_and_no_state_and_is_journalled() {
    let folder = Folder::new();
    let Some(clock) = SetClock::new(folder.path()) else { return };
    let good = Server::start();
    let broken = Server::with(Manner::Broken);
    let keys = "interval = \"1s\"\ntimeout = \"900ms\"";
    let checks = [("good", &good), ("broken", &broken)]
        .map(|(id, server)| check(id, server.address(), keys));
    folder.write(&config("", &checks));
    let mut daemon = clock.start(&folder);
    daemon.until_state("good", "up");
    daemon.until_state("broken", "down http_status");
    let same_states = |daemon: &Daemon| {
        assert_eq!(daemon.state("good"), "up");
        assert_eq!(daemon.state("broken"), "down http_status");
    };

    // Forward: what never was is one void span.
    let before = newest(&daemon, "good");
    clock.set(HOUR_MS / 1_000);
    for id in ["good", "broken"] {
        let span = until("the hour that never was is recorded", || {
            let voids = daemon.results(id).1;
            voids.iter().find(|it| it["reason"] == "clock_step").cloned()
        });
        let length = millis(&span["to"]) - millis(&span["from"]);
        assert!((length - HOUR_MS).abs() < 2 * STEP_NEAR_MS, "{span}");
        until_results(&daemon, id, 4, (millis(&span["to"]), i64::MAX));
        every_slot_has_a_record(&daemon, id);
    }
    same_states(&daemon);

    let ahead = (before + HOUR_MS, newest(&daemon, "good"));

    // Back: the instants come again.
    clock.set(0);
    until("the step is noticed", || daemon.process.log().contains("by_ms=-36").then_some(()));
    same_states(&daemon);
    let again = (before + 1, before + HOUR_MS / 2);
    for id in ["good", "broken"] {
        until_results(&daemon, id, 4, again);
        every_slot_has_a_record(&daemon, id);
    }
    same_states(&daemon);
    // The state follows what is seen now, though results of later instants are known.
    good.set(Manner::Broken);
    daemon.until_state("good", "down http_status");
    good.set(Manner::Good);
    daemon.until_state("good", "up");

    // A daemon that starts with results ahead of it goes on as well.
    assert_eq!(daemon.terminate(), 0);
    nothing_went_wrong(&daemon);
    let last = newest_stored(&folder, again.1);
    let mut daemon = clock.start(&folder);
    until_results(&daemon, "good", 4, (last + 1, again.1));
    daemon.until_state("good", "up");
    every_slot_has_a_record(&daemon, "good");
    // When those instants come, they are measured anew beside what was recorded for them.
    clock.set((ahead.0 - Clock::System.now().0) / 1_000);
    until("what lay ahead has come", || (newest(&daemon, "good") > ahead.1).then_some(()));
    daemon.until_state("good", "up");
    assert_eq!(daemon.terminate(), 0);
    nothing_went_wrong(&daemon);

    journal_tells_the_steps(&folder);
    instants_that_came_twice_have_two_results(&folder, ahead);
    runs_are_of_sane_length(&folder);
    let (code, out, _) = folder.run(&["verify", "--data", "var"]);
    assert_eq!(code, 0, "{out}");
}

#[track_caller]
fn nothing_went_wrong(daemon: &Daemon) {
    let log = daemon.process.log();
    for word in ["panicked", "ERROR"] {
        assert!(!log.contains(word), "{word}");
    }
}

fn stored(folder: &Folder) -> Vec<RunResult> {
    let reader = Reader::open(&folder.path().join("var")).unwrap();
    let all = Span::new(Millis(0), Millis(i64::MAX / 2)).unwrap();
    let mut results = Vec::new();
    for id in ["good", "broken"] {
        let id = CheckId::new(id).unwrap();
        reader.scan(&id, all, &Filter::default(), |result| results.push(result)).unwrap();
    }
    results
}

/// When the newest stored result before `end` was due.
fn newest_stored(folder: &Folder, end: i64) -> i64 {
    stored(folder).iter().map(|it| it.due.0).filter(|due| *due < end).max().unwrap()
}

#[track_caller]
fn journal_tells_the_steps(folder: &Folder) {
    let reader = Reader::open(&folder.path().join("var")).unwrap();
    let events = reader.events(0, 1_000).unwrap();
    let steps: Vec<i64> = events
        .iter()
        .filter(|it| it.event.kind == "clock.step")
        .map(|it| it.event.body["by_ms"].as_i64().unwrap())
        .collect();
    assert_eq!(steps.len(), 3, "{steps:?}");
    assert!((steps[0] - HOUR_MS).abs() < STEP_NEAR_MS, "{steps:?}");
    assert!((steps[1] + HOUR_MS).abs() < STEP_NEAR_MS, "{steps:?}");
    assert!((0..HOUR_MS).contains(&steps[2]), "{steps:?}");
}

/// What was recorded by the clock that was ahead stands, and what came later as well.
#[track_caller]
fn instants_that_came_twice_have_two_results(folder: &Folder, (from, to): (i64, i64)) {
    let results = stored(folder);
    let twice = results.iter().filter(|it| {
        let is_first = it.check.as_str() == "good" && it.kind == RunKind::Grid && it.run == 0;
        is_first && (from..=to).contains(&it.due.0)
    });
    let again = |first: &RunResult| {
        results.iter().any(|it| it.check == first.check && it.due == first.due && it.run == 1)
    };
    let twice = twice.filter(|it| again(it)).count();
    assert!(twice >= 2, "{twice}");
}

/// Lengths are of the monotonic clock, so no step of the wall clock is in them.
#[track_caller]
fn runs_are_of_sane_length(folder: &Folder) {
    let results = stored(folder);
    let grid = results.iter().filter(|it| it.kind == RunKind::Grid).count();
    assert!(grid > 20, "{grid}");
    for result in results {
        assert!(result.phases.total().whole_ms() < RUN_MS_MAX, "{result:?}");
        assert!(result.lateness.whole_ms() < RUN_MS_MAX, "{result:?}");
        let away = result.started.since(result.due);
        assert!((-RUN_MS_MAX..RUN_MS_MAX).contains(&away), "{result:?}");
    }
}
