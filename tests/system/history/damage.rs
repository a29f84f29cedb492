//! Bytes that are not what was written: cut, torn, edited.

use std::fs;
use std::path::Path;

use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use thongsuot::history::{Event, Filter, History, HistoryError, Reader, Record, verify};
use thongsuot::model::phases::Phases;
use thongsuot::model::result::RunResult;
use thongsuot::model::time::{Micros, Millis};

use super::sample::{DAY, NEW_YEAR, all_time, check, read_all, records, result, settings};

/// Days in the sealed history, of 864 results each.
const DAYS: i64 = 14;

/// How many bytes are changed, one at a time, of about 230,000.
const CHANGES: usize = 100;

const FILE: &str = "history.sqlite";

/// A closed history of some sealed days and events, and nothing else.
async fn sealed_history(folder: &Path) -> Vec<RunResult> {
    let history = History::open(settings(folder), None).unwrap();
    let mut rng = StdRng::seed_from_u64(1);
    let mut noisy = |i: i64| {
        let mut it = result("a", NEW_YEAR + i * 100_000);
        it.phases = Phases::from_array(rng.random::<[u16; 6]>().map(|it| Micros(it.into())));
        it
    };
    let results: Vec<_> = (0..DAYS * 864).map(&mut noisy).collect();
    let event = |n: i64| {
        let body = json!({ "fingerprint": "0123456789abcdef", "n": n });
        Record::Event(Event { at: Millis(n), kind: "config.loaded".to_owned(), body })
    };
    history.append((0..20).map(event).collect()).await.unwrap();
    history.append(records(&results)).await.unwrap();
    history.maintain(Millis(NEW_YEAR + (DAYS + 1) * DAY)).await.unwrap();
    history.close().await.unwrap();
    // Without the room of the rows that were sealed, in which no change matters.
    rusqlite::Connection::open(folder.join(FILE)).unwrap().execute_batch("VACUUM").unwrap();
    results
}

#[tokio::test]
async fn whatever_byte_is_changed_verify_says_so_or_nothing_reads_differently() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let results = sealed_history(folder.path()).await;
    let bytes = fs::read(folder.path().join(FILE)).unwrap();
    let mut rng = StdRng::seed_from_u64(3);
    let (mut noticed, mut refused, mut unused) = (0, 0, 0);
    for round in 0..CHANGES {
        for entry in fs::read_dir(copy.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        let mut changed = bytes.clone();
        let at = rng.random_range(0..bytes.len());
        changed[at] ^= rng.random_range(1..=255u8);
        fs::write(copy.path().join(FILE), &changed).unwrap();
        let Ok(report) = verify(copy.path(), |_| ()) else {
            refused += 1;
            continue;
        };
        // Reading may fail and may not panic, nor give something else unnoticed.
        let mut got = Vec::new();
        let filter = Filter::default();
        let read = Reader::open(copy.path())
            .and_then(|it| it.scan(&check("a"), all_time(), &filter, |it| got.push(it)));
        if report.is_sound() {
            unused += 1;
            assert!(read.is_ok() && got == results, "byte {at} changed results unnoticed");
        } else {
            noticed += 1;
        }
        if round % 5 == 0 {
            go_on_writing(copy.path()).await;
        }
    }
    println!("{CHANGES} bytes changed: {noticed} noticed, {refused} refused, {unused} not in use");
    assert!(noticed + refused > CHANGES / 2);
}

/// The daemon on a damaged file: it may refuse, and may not panic (then it would be closed).
async fn go_on_writing(folder: &Path) {
    let Ok(history) = History::open(settings(folder), None) else { return };
    history.append(records(&[result("a", NEW_YEAR), result("new", NEW_YEAR)])).await.unwrap();
    let stored = history.flush().await;
    let kept = history.maintain(Millis(NEW_YEAR + 500 * DAY)).await.map(|_| ());
    let closed = history.close().await;
    for outcome in [stored, kept, closed] {
        assert!(!matches!(outcome, Err(HistoryError::Closed)), "the writer died");
    }
}

#[tokio::test]
async fn verify_names_what_an_editor_did() {
    let folder = tempfile::tempdir().unwrap();
    sealed_history(folder.path()).await;
    let report = verify(folder.path(), |_| ()).unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    assert_eq!((report.blocks, report.sealed, report.raw), (14, 14 * 864, 0));
    assert_eq!(report.head.unwrap().0, 34);

    let original = fs::read(folder.path().join(FILE)).unwrap();
    let check = |sql: &str, expected: &str| {
        fs::write(folder.path().join(FILE), &original).unwrap();
        let file = rusqlite::Connection::open(folder.path().join(FILE)).unwrap();
        file.execute_batch(sql).unwrap();
        drop(file);
        let report = verify(folder.path(), |_| ()).unwrap();
        let first = report.faults.first().map_or("nothing", String::as_str);
        assert!(first.contains(expected), "{sql}: {first}");
    };
    check("UPDATE events SET body = '{}' WHERE seq = 7", "event 7");
    check("UPDATE events SET at = at + 1 WHERE seq = 3", "event 3 (config.loaded, 3ms)");
    check("DELETE FROM events WHERE seq = 4", "event 5: comes after event 3");
    check("DELETE FROM blocks WHERE id = 2", "a block of day 2026-01-02 is gone: event 22");
    check("UPDATE blocks SET body = x'00' WHERE id = 2", "day 2026-01-02");
    check("UPDATE blocks SET started_min = 0 WHERE id = 2", "says otherwise");
    check(
        "INSERT INTO blocks (stream, day, seq, count, started_min, started_max, body)
         SELECT stream, day, 1, count, started_min, started_max, body FROM blocks WHERE id = 1",
        "the block is of another stream or day",
    );
    check("UPDATE checks SET text = 'b'", "another stream");
    check("UPDATE streams SET lane = 1", "another stream");
    check(
        "INSERT INTO results VALUES (1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, NULL, 0, 0)",
        "1 results start outside",
    );
    check(
        "INSERT INTO results VALUES (1, 0, 0, 0, 1, 0, 255, 0, 0, 0, 0, 0, 0, NULL, 0, 0)",
        "1 results of unknown reason 255 or kind 0, the first of 1970-01-01",
    );
}

/// The log as a power cut leaves it: cut anywhere, or with a byte that never reached the disk.
#[tokio::test]
async fn a_torn_log_loses_its_tail_and_nothing_else() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let history = History::open(settings(folder.path()), None).unwrap();
    let results: Vec<_> = (0..60).map(|i| result("a", NEW_YEAR + i * 30_000)).collect();
    for part in results.chunks(20) {
        history.append(records(part)).await.unwrap();
        history.flush().await.unwrap();
    }
    let file = fs::read(folder.path().join(FILE)).unwrap();
    let log = fs::read(folder.path().join("history.sqlite-wal")).unwrap();
    drop(history);
    let read = |log: &[u8]| {
        for entry in fs::read_dir(copy.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        fs::write(copy.path().join(FILE), &file).unwrap();
        fs::write(copy.path().join("history.sqlite-wal"), log).unwrap();
        let reader = Reader::open(copy.path());
        let got = reader.map_or(Vec::new(), |it| read_all(&it, "a"));
        assert!(got == results[..got.len()], "not a beginning of what was written");
        assert_eq!(got.len() % 20, 0, "a part of a commit");
        got.len()
    };
    assert_eq!(read(&log), 60);
    let mut rng = StdRng::seed_from_u64(5);
    let tail = log.len() * 2 / 3;
    let lengths: Vec<usize> = (0..150)
        .map(|i| {
            let cut = rng.random_range(tail..log.len());
            let mut torn = log.clone();
            if i % 2 == 0 {
                torn.truncate(cut);
            } else {
                torn[cut] ^= 0x40;
            }
            read(&torn)
        })
        .collect();
    assert!(lengths.contains(&40), "{lengths:?}");
}
