//! A result as a row of numbers: what the raw table and the day blocks hold.

use crate::model::check::Lane;
use crate::model::id::{CheckId, VantageId};
use crate::model::phases::Phases;
use crate::model::reason::Reason;
use crate::model::result::{RunKind, RunResult};
use crate::model::time::{Micros, Millis};

/// A result without the names, which it shares with its whole stream. Every field is as in
/// [`RunResult`]; codes are not yet known to mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) due: i64,
    pub(super) kind: u8,
    pub(super) run: u16,
    pub(super) started: i64,
    pub(super) lateness: u32,
    pub(super) reason: u8,
    pub(super) phases: [u32; 6],
    pub(super) status: Option<u16>,
    pub(super) bytes: u32,
    pub(super) reused: bool,
}

/// The columns in the order of [`Row::read`].
pub(super) const COLUMNS: &str = "due, kind, run, started, lateness, reason, \
     dns, connect, tls, send, wait, receive, status, bytes, reused";

impl Row {
    /// What tells it from others of its stream.
    pub(super) const fn identity(&self) -> (i64, u8, u16) {
        (self.due, self.kind, self.run)
    }

    /// Reads [`COLUMNS`], the first of which is number `first` of the query.
    pub(super) fn read(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let phase = |index| row.get(first + 6 + index);
        Ok(Self {
            due: row.get(first)?,
            kind: row.get(first + 1)?,
            run: row.get(first + 2)?,
            started: row.get(first + 3)?,
            lateness: row.get(first + 4)?,
            reason: row.get(first + 5)?,
            phases: [phase(0)?, phase(1)?, phase(2)?, phase(3)?, phase(4)?, phase(5)?],
            status: row.get(first + 12)?,
            bytes: row.get(first + 13)?,
            reused: row.get(first + 14)?,
        })
    }

    /// The result, or the code that this version does not know.
    pub(super) fn result(
        &self,
        check: &CheckId,
        lane: Lane,
        vantage: &VantageId,
    ) -> Result<RunResult, String> {
        let reason = Reason::from_code(self.reason)
            .ok_or_else(|| format!("unknown reason {}", self.reason))?;
        let kind = RunKind::ALL
            .get(usize::from(self.kind))
            .copied()
            .ok_or_else(|| format!("unknown kind {}", self.kind))?;
        Ok(RunResult {
            check: check.clone(),
            lane,
            vantage: vantage.clone(),
            due: Millis(self.due),
            started: Millis(self.started),
            lateness: Micros(self.lateness),
            kind,
            run: self.run,
            reason,
            phases: Phases::from_array(self.phases.map(Micros)),
            status: self.status,
            bytes: self.bytes,
            reused: self.reused,
        })
    }
}

impl From<&RunResult> for Row {
    fn from(result: &RunResult) -> Self {
        Self {
            due: result.due.0,
            kind: result.kind as u8,
            run: result.run,
            started: result.started.0,
            lateness: result.lateness.0,
            reason: result.reason.code(),
            phases: result.phases.to_array().map(|it| it.0),
            status: result.status,
            bytes: result.bytes,
            reused: result.reused,
        }
    }
}

/// Milliseconds of a UTC day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// The UTC day, counted from 1970-01-01, that holds `at`.
pub(super) const fn day_of(at: i64) -> i64 {
    at.div_euclid(DAY_MS)
}
