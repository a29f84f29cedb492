//! kill -9 at any instant: what was acknowledged is there, once.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use thongsuot::history::{Event, History, Reader, Record, verify};
use thongsuot::model::result::RunResult;
use thongsuot::model::time::Millis;

use super::sample::{DAY, NEW_YEAR, read_all, records, result, settings};

/// How often the writer is killed.
const KILLS: u64 = 60;

const FOLDER: &str = "THONGSUOT_TEST_FOLDER";

/// Result number `n`: every five minutes, so that days pass and are sealed.
fn numbered(n: u64) -> RunResult {
    let mut it = result("a", NEW_YEAR + n as i64 * 300_000);
    it.bytes = n as u32;
    it
}

/// The writer that is killed: this binary again, with this test alone. Says `ack N` when the
/// first N results are durable.
#[test]
#[ignore = "is run by the test below, in a process of its own"]
fn writer_to_be_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(write_until_killed(Path::new(&folder)));
}

async fn write_until_killed(folder: &Path) {
    let mut settings = settings(folder);
    settings.commit_within = Duration::from_millis(3);
    let history = History::open(settings, None).unwrap();
    let mut n = read_all(&history.reader().unwrap(), "a").len() as u64;
    let mut rng = StdRng::seed_from_u64(n);
    loop {
        let count = rng.random_range(1..60);
        let results: Vec<_> = (n..n + count).map(numbered).collect();
        n += count;
        let now = numbered(n).due;
        history.append(records(&results)).await.unwrap();
        history.beat(now);
        match rng.random_range(0..6) {
            0 => drop(history.maintain(now).await.unwrap()),
            1 => {
                let event =
                    Event { at: now, kind: "test.line".to_owned(), body: json!({ "n": n }) };
                history.append(vec![Record::Event(event)]).await.unwrap();
            }
            _ => {}
        }
        if rng.random_bool(0.7) {
            history.flush().await.unwrap();
            let mut out = std::io::stdout().lock();
            writeln!(out, "ack {n}").unwrap();
            out.flush().unwrap();
        }
    }
}

fn spawn(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "history::kill::writer_to_be_killed", "--ignored", "--nocapture"])
        .env(FOLDER, OsString::from(folder))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills the child after `delay`, counted from its first acknowledgement if `after_first`.
/// Returns how many results it acknowledged.
fn kill(mut child: Child, delay: Duration, after_first: bool) -> u64 {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let acked = |line: &str| line.strip_prefix("ack ").and_then(|it| it.parse::<u64>().ok());
    let mut last = None;
    if after_first {
        last = lines.by_ref().find_map(|line| acked(&line.unwrap()));
    }
    // The instant of the kill is what is random here.
    std::thread::sleep(delay);
    child.kill().unwrap();
    child.wait().unwrap();
    lines.map_while(Result::ok).filter_map(|line| acked(&line)).last().or(last).unwrap_or(0)
}

#[test]
fn what_was_acknowledged_survives_a_kill_at_any_instant() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = StdRng::seed_from_u64(9);
    let (mut acknowledged, mut stored) = (0, 0);
    for round in 0..KILLS {
        let delay = Duration::from_micros(rng.random_range(0..60_000));
        acknowledged = kill(spawn(folder.path()), delay, round % 3 != 0).max(acknowledged);
        let Ok(reader) = Reader::open(folder.path()) else {
            assert_eq!(acknowledged, 0, "killed before the file was made");
            continue;
        };
        let results = read_all(&reader, "a");
        assert!(results.len() as u64 >= acknowledged, "round {round}: acknowledged and lost");
        assert!(results.len() >= stored, "round {round}: was there, is gone");
        stored = results.len();
        let expected: Vec<_> = (0..stored as u64).map(numbered).collect();
        assert!(results == expected, "round {round}: a gap, a double or a changed result");
        if stored > 0 {
            assert!(reader.last_activity().unwrap() > Some(Millis(NEW_YEAR)));
        }
    }
    let report = verify(folder.path(), |_| ()).unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    println!("{KILLS} kills, {stored} results, {acknowledged} acknowledged, {report:?}");
    assert!(acknowledged > 1_000, "the writers did get to write");
    assert!(report.sealed > 0 && stored as i64 * 300_000 > 2 * DAY, "days were sealed meanwhile");
}
