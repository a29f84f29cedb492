//! Files of every format that was ever released can be read.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use thongsuot::history::{Event, History, Reader, Record, verify};
use thongsuot::model::check::Lane;
use thongsuot::model::phases::Phases;
use thongsuot::model::reason::Reason;
use thongsuot::model::result::{RunKind, RunResult, VoidSpan};
use thongsuot::model::time::{Micros, Millis};

use super::sample::{DAY, NEW_YEAR, all_time, check, read_all, records, result, settings, vantage};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/history_files/v1.sqlite")
}

/// Numbers that look random and are the same for ever.
fn noise(seed: i64, below: u32) -> u32 {
    let mixed = (seed as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    (mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as u32 % below
}

/// Reasons there were when the file was made; later ones are at the end of the list.
const REASONS: usize = 67;

/// Every tenth minute of three days, in two lanes, one on a grid and one on none; each reason
/// and kind comes up.
fn expected() -> Vec<RunResult> {
    let one = |i: i64| {
        let lane = if i % 2 == 0 { Lane::V4 } else { Lane::V6 };
        let due_us = match lane {
            Lane::V4 => NEW_YEAR * 1_000 + i / 2 * 600_000_457,
            _ => (NEW_YEAR + i / 2 * 600_000 + i64::from(noise(i, 900))) * 1_000,
        };
        let due = due_us / 1_000;
        let lateness = noise(i, 3_000);
        let phase = |n| Micros(noise(i * 8 + n, 40_000));
        let mut it = result("vneid-home", due);
        it.lane = lane;
        it.vantage = vantage(if lane == Lane::V4 { "hn" } else { "hcm" });
        it.lateness = Micros(lateness);
        it.started = Millis((due_us + i64::from(lateness)) / 1_000);
        it.kind = RunKind::ALL[noise(i, 97) as usize % 3];
        it.run = (noise(i, 5)) as u16;
        it.reason = if i % 3 == 0 { Reason::ALL[i as usize / 3 % REASONS] } else { Reason::None };
        it.phases = Phases::from_array([0, 1, 2, 3, 4, 5].map(phase));
        it.status = (i % 5 != 0).then_some(200 + (i % 4) as u16);
        it.bytes = noise(i + 7, u32::MAX);
        it.reused = i % 11 == 0;
        it
    };
    (0..864).map(one).collect()
}

fn void() -> VoidSpan {
    VoidSpan {
        check: check("vneid-home"),
        vantage: vantage("hn"),
        from: Millis(NEW_YEAR - 5_000),
        to: Millis(NEW_YEAR),
        reason: Reason::Stopped,
    }
}

fn event() -> Event {
    let body = json!({ "version": "0.1.0", "ghi chú": "khởi động" });
    Event { at: Millis(NEW_YEAR), kind: "process.start".to_owned(), body }
}

/// Made once for each format, with the program of its time; never again. It refuses to
/// replace the file: if the test below fails, the program is what must change.
#[tokio::test]
#[ignore = "makes the file of a new format, once"]
async fn make_the_file() {
    assert!(!golden().exists(), "the file is there and must stay as it is");
    let folder = tempfile::tempdir().unwrap();
    let history = History::open(settings(folder.path()), None).unwrap();
    let (late, in_time): (Vec<_>, Vec<_>) =
        expected().into_iter().enumerate().partition(|(i, _)| i % 50 == 1);
    let only = |part: Vec<(usize, RunResult)>| part.into_iter().map(|it| it.1).collect::<Vec<_>>();
    history.append(vec![Record::Event(event()), Record::Void(void())]).await.unwrap();
    history.append(records(&only(in_time))).await.unwrap();
    let today = Millis(NEW_YEAR + 3 * DAY);
    history.maintain(today).await.unwrap();
    history.append(records(&only(late))).await.unwrap();
    history.maintain(today).await.unwrap();
    history.beat(today);
    history.close().await.unwrap();
    let made = folder.path().join("history.sqlite");
    rusqlite::Connection::open(&made).unwrap().execute_batch("VACUUM").unwrap();
    fs::copy(made, golden()).unwrap();
}

#[tokio::test]
async fn a_file_of_format_1_reads_as_it_was_written_and_can_be_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(golden(), folder.path().join("history.sqlite")).unwrap();
    let mut expected = expected();
    expected.sort_by_key(thongsuot::history::Cursor::after);
    let unchanged = |reader: &Reader| {
        assert_eq!(read_all(reader, "vneid-home"), expected);
        assert_eq!(reader.void_spans(&check("vneid-home"), all_time(), 9).unwrap(), [void()]);
        assert_eq!(reader.events(0, 1).unwrap()[0].event, event());
    };
    // A reader never changes the format, so it refuses older ones; the daemon does.
    let history = History::open(settings(folder.path()), None).unwrap();
    let reader = history.reader().unwrap();
    unchanged(&reader);
    let counts = reader.counts().unwrap();
    assert_eq!((counts.sealed, counts.blocks, counts.raw), (576, 8 - 2, 288));
    assert_eq!(reader.last_activity().unwrap(), Some(Millis(NEW_YEAR + 3 * DAY)));
    history.maintain(Millis(NEW_YEAR + 9 * DAY)).await.unwrap();
    unchanged(&reader);
    history.close().await.unwrap();
    let report = verify(folder.path(), |_| ()).unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    assert_eq!((report.sealed, report.raw), (864, 0));
}
