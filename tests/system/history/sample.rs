//! Results to store.

use std::path::Path;

use thongsuot::history::{Filter, Reader, Record, Settings};
use thongsuot::model::check::Lane;
use thongsuot::model::id::{CheckId, VantageId};
use thongsuot::model::phases::Phases;
use thongsuot::model::reason::Reason;
use thongsuot::model::result::{RunKind, RunResult};
use thongsuot::model::span::Span;
use thongsuot::model::time::{Micros, Millis};

/// A UTC day, in milliseconds.
pub(super) const DAY: i64 = 86_400_000;

/// The first instant of 2026 in UTC.
pub(super) const NEW_YEAR: i64 = 1_767_225_600_000;

/// Everything.
pub(super) fn all_time() -> Span {
    Span::new(Millis(i64::MIN), Millis(i64::MAX)).unwrap()
}

/// Settings for a folder, without a reserve.
pub(super) fn settings(folder: &Path) -> Settings {
    Settings { folder: Some(folder.to_owned()), reserve_bytes: 0, ..Settings::default() }
}

pub(super) fn check(text: &str) -> CheckId {
    CheckId::new(text).unwrap()
}

pub(super) fn vantage(text: &str) -> VantageId {
    VantageId::new(text).unwrap()
}

/// The good grid result of `check` from `hn` that was due at `due`.
pub(super) fn result(check_id: &str, due: i64) -> RunResult {
    RunResult {
        check: check(check_id),
        lane: Lane::Any,
        vantage: vantage("hn"),
        due: Millis(due),
        started: Millis(due + 1),
        lateness: Micros(1_234),
        kind: RunKind::Grid,
        run: 0,
        reason: Reason::None,
        phases: Phases::from_array([1_000, 2_000, 9_000, 50, 80_000, 700].map(Micros)),
        status: Some(200),
        bytes: 15_321,
        reused: false,
    }
}

pub(super) fn records(results: &[RunResult]) -> Vec<Record> {
    results.iter().cloned().map(Record::Result).collect()
}

/// Every result of a check.
pub(super) fn read_all(reader: &Reader, check_id: &str) -> Vec<RunResult> {
    let mut results = Vec::new();
    let check = check(check_id);
    reader.scan(&check, all_time(), &Filter::default(), |it| results.push(it)).unwrap();
    results
}
