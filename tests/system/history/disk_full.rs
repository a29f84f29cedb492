//! A full disk: nothing vanishes silently, and it recovers alone.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use thongsuot::history::{Filter, History, HistoryError, Reader, Settings, verify};
use thongsuot::model::reason::Reason;
use thongsuot::model::result::RunResult;
use thongsuot::model::time::Millis;

use super::sample::{NEW_YEAR, all_time, check, read_all, records, result, settings};

/// Longest wait for the writer to see that there is room again; its own longest wait is 5 s.
const PATIENCE: Duration = Duration::from_mins(1);

/// A file system of 8 MiB in memory, gone when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None`, said aloud, where mounting is not allowed.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
            .arg(folder.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(folder)),
            other => {
                let why = format!("a tmpfs can't be mounted here (needs root): {other:?}");
                crate::skip::skip("a full disk", &why);
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Fills it to the last byte; remove the file to make room.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("ballast");
        let mut file = fs::File::create(&path).unwrap();
        while std::io::Write::write_all(&mut file, &[0; 4_096]).is_ok() {}
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn results(from: i64, count: i64) -> Vec<RunResult> {
    (from..from + count).map(|i| result("a", NEW_YEAR + i * 1_000)).collect()
}

async fn flush_until_durable(history: &History) {
    let durable = async {
        while history.flush().await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, durable).await.unwrap();
}

/// Appends until the disk refuses; returns how many were appended.
async fn append_until_refused(history: &History) -> i64 {
    let mut count = 0;
    loop {
        history.append(records(&results(count, 1_000))).await.unwrap();
        count += 1_000;
        if let Err(error) = history.flush().await {
            assert!(matches!(error, HistoryError::NotDurable { .. }), "{error}");
            assert!(error.to_string().contains("full"), "{error}");
            return count;
        }
        assert!(count < 1_000_000, "8 MiB must be full by now");
    }
}

#[tokio::test]
async fn a_short_time_without_room_loses_nothing() {
    let Some(disk) = SmallDisk::mount() else { return };
    let settings = Settings { reserve_bytes: 1 << 20, ..settings(disk.path()) };
    let history = History::open(settings, None).unwrap();
    history.append(records(&results(0, 500))).await.unwrap();
    history.flush().await.unwrap();
    let reserve = disk.path().join("history.reserve");
    assert_eq!(fs::metadata(&reserve).unwrap().len(), 1 << 20);

    let ballast = disk.fill();
    let count = append_until_refused(&history).await;
    assert!(!reserve.exists(), "the reserve is given back");
    assert!(count > 1_000, "with the reserve some were stored although the disk was full");
    let stats = history.stats();
    assert!(stats.failing > 0 && stats.waiting > 0 && stats.dropped == 0, "{stats:?}");
    history.reader().unwrap().counts().unwrap();

    fs::remove_file(ballast).unwrap();
    flush_until_durable(&history).await;
    assert_eq!(read_all(&history.reader().unwrap(), "a"), results(0, count));
    assert_eq!(history.stats().failing, 0);
    history.maintain(Millis(NEW_YEAR)).await.unwrap();
    assert_eq!(fs::metadata(&reserve).unwrap().len(), 1 << 20, "and taken again");
    history.close().await.unwrap();
    assert!(verify(disk.path(), |_| ()).unwrap().is_sound());
}

#[tokio::test]
async fn a_long_time_without_room_becomes_void_and_is_owned_up_to() {
    let Some(disk) = SmallDisk::mount() else { return };
    let settings = Settings { backlog_records_max: 3_000, ..settings(disk.path()) };
    let history = History::open(settings, None).unwrap();
    let ballast = disk.fill();
    let mut count = append_until_refused(&history).await;
    for _ in 0..10 {
        history.append(records(&results(count, 1_000))).await.unwrap();
        count += 1_000;
    }
    assert!(history.flush().await.is_err());
    let dropped = history.stats().dropped;
    assert!(dropped >= 7_000, "{dropped}");

    fs::remove_file(ballast).unwrap();
    flush_until_durable(&history).await;
    history.close().await.unwrap();
    let reader = Reader::open(disk.path()).unwrap();
    let stored: HashSet<Millis> = read_all(&reader, "a").iter().map(|it| it.due).collect();
    assert_eq!(stored.len() as u64 + dropped, count.unsigned_abs());
    let voids = reader.void_spans(&check("a"), all_time(), 9).unwrap();
    assert!(voids.iter().all(|it| it.reason == Reason::DiskFull));
    for it in results(0, count) {
        let void = voids.iter().any(|span| span.from <= it.due && it.due < span.to);
        assert!(void != stored.contains(&it.due), "each slot is stored or void: {}", it.due);
    }
    let events = reader.events(0, 9).unwrap();
    assert_eq!(events[0].event.kind, "history.dropped");
    assert_eq!(events[0].event.body["records"], dropped);
    let filter = Filter::default();
    assert!(reader.results(&check("a"), all_time(), &filter, None, 1).unwrap().next.is_some());
}
