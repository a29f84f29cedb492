//! Is the history what was written? Reads all of it and believes nothing.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::Transaction;
use sha2::{Digest, Sha256};

use crate::model::reason::Reason;
use crate::model::result::RunKind;
use crate::model::time::Millis;

use super::block;
use super::record::Event;
use super::row::day_of;
use super::stored::{self, BlockEntry, Stream};
use super::upkeep::{self, EXPIRED, SEALED};
use super::{HistoryError, Reader, chain};

/// Faults told in words; the rest are only counted. A broken file can have millions.
const FAULTS_TOLD_MAX: usize = 100;

/// What was read and what was wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Day blocks read.
    pub blocks: u64,
    /// Results in them.
    pub sealed: u64,
    /// Results not yet sealed.
    pub raw: u64,
    /// Events read.
    pub events: u64,
    /// Number and hash of the newest event. Written down elsewhere, it proves later that no
    /// event up to it was changed, and that none of these was cut off.
    pub head: Option<(i64, [u8; 32])>,
    /// What is wrong, in words, the first found first; at most 100.
    pub faults: Vec<String>,
    /// How many faults there are.
    pub fault_count: u64,
}

impl Report {
    /// Whether nothing is wrong.
    pub const fn is_sound(&self) -> bool {
        self.fault_count == 0
    }

    fn fault(&mut self, text: impl Into<String>) {
        self.fault_count += 1;
        if self.faults.len() < FAULTS_TOLD_MAX {
            self.faults.push(text.into());
        }
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Blocks read.
    pub blocks: u64,
    /// Blocks there are.
    pub blocks_total: u64,
}

/// Reads the whole history in `folder`: SQLite's own check, the chain of events, and every
/// block against its CRC-32, its SHA-256, its row and the event that told of it. Works beside
/// a running daemon. Calls `progress` after each block.
///
/// # Errors
///
/// Only if there is no history to read, or not one of this version. A fault found is part of
/// the report.
pub fn verify(folder: &Path, mut progress: impl FnMut(Progress)) -> Result<Report, HistoryError> {
    let reader = Reader::open(folder)?;
    let view = reader.view()?;
    let mut report = Report::default();
    if let Err(fault) = all(&view, &mut report, &mut progress) {
        report.fault(fault.to_string());
    }
    Ok(report)
}

fn all(
    view: &Transaction<'_>,
    report: &mut Report,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), HistoryError> {
    pages(view, report)?;
    let told = events(view, report)?;
    blocks(view, report, told, progress)?;
    raw(view, report)
}

/// What SQLite finds.
fn pages(view: &Transaction<'_>, report: &mut Report) -> Result<(), HistoryError> {
    let fault = || HistoryError::sqlite("check the file's pages");
    for sql in ["PRAGMA integrity_check", "PRAGMA foreign_key_check"] {
        let mut query = view.prepare(sql).map_err(fault())?;
        let mut rows = query.query([]).map_err(fault())?;
        while let Some(row) = rows.next().map_err(fault())? {
            let text: String = row.get(0).map_err(fault())?;
            if text != "ok" {
                report.fault(format!("{sql}: {text}"));
            }
        }
    }
    Ok(())
}

/// What the events say of blocks.
struct Told {
    /// The event of each block, by the SHA-256 of what it says: its day and number.
    sealed: HashMap<[u8; 32], (i64, i64)>,
    /// Days before this one were deleted, as is right.
    expired_before: i64,
    /// Damaged blocks by day: of these an event tells too, but which can't be known.
    damaged: HashMap<i64, u64>,
}

/// Follows the chain.
fn events(view: &Transaction<'_>, report: &mut Report) -> Result<Told, HistoryError> {
    let fault = || HistoryError::sqlite("read events");
    let mut told =
        Told { sealed: HashMap::new(), expired_before: i64::MIN, damaged: HashMap::new() };
    let mut before = (0, chain::GENESIS);
    let mut query = view
        .prepare("SELECT seq, at, kind, body, hash FROM events ORDER BY seq")
        .map_err(fault())?;
    let mut rows = query.query([]).map_err(fault())?;
    while let Some(row) = rows.next().map_err(fault())? {
        let (seq, event, text, hash) = read_event(row).map_err(fault())?;
        if seq != before.0 + 1 {
            report.fault(format!("event {seq}: comes after event {}; some are gone", before.0));
        } else if chain::hash(&before.1, seq, &event, &text) != hash {
            report.fault(format!(
                "event {seq} ({}, {}): its hash does not match",
                event.kind, event.at
            ));
        }
        if event.kind == SEALED {
            let day = event.body["day"].as_i64().unwrap_or(i64::MAX);
            told.sealed.insert(Sha256::digest(&text).into(), (day, seq));
        } else if event.kind == EXPIRED {
            let day = event.body["before_day"].as_i64().unwrap_or(i64::MIN);
            told.expired_before = told.expired_before.max(day);
        }
        report.events += 1;
        before = (seq, hash);
    }
    report.head = (before.0 > 0).then_some(before);
    Ok(told)
}

fn read_event(row: &rusqlite::Row<'_>) -> rusqlite::Result<(i64, Event, String, [u8; 32])> {
    let text: String = row.get(3)?;
    // What is no JSON any more has another hash too.
    let body = serde_json::from_str(&text).unwrap_or_default();
    let event = Event { at: Millis(row.get(1)?), kind: row.get(2)?, body };
    Ok((row.get(0)?, event, text, row.get(4)?))
}

/// Reads every block and ticks it off what was told.
fn blocks(
    view: &Transaction<'_>,
    report: &mut Report,
    mut told: Told,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), HistoryError> {
    let fault = || HistoryError::sqlite("read day blocks");
    let streams: HashMap<i64, Stream> =
        stored::streams(view, None)?.into_iter().map(|it| (it.id, it)).collect();
    let total: i64 =
        view.query_row("SELECT count(*) FROM blocks", [], |row| row.get(0)).map_err(fault())?;
    let mut query = view
        .prepare(
            "SELECT day, seq, count, started_min, started_max, body, stream FROM blocks
             ORDER BY day, stream, seq",
        )
        .map_err(fault())?;
    let mut rows = query.query([]).map_err(fault())?;
    while let Some(row) = rows.next().map_err(fault())? {
        let entry = BlockEntry::read(row).map_err(fault())?;
        let id: i64 = row.get(6).map_err(fault())?;
        match streams.get(&id).map(|stream| entry.unpack(stream)) {
            None => report.fault(format!("a block of day {} of unknown stream {id}", entry.day)),
            Some(Err(damaged)) => {
                *told.damaged.entry(entry.day).or_default() += 1;
                report.fault(damaged.to_string());
            }
            Some(Ok(block)) => {
                let count = block.rows.len();
                let event = upkeep::sealed_event(&block.key, count, &block.sha256, Millis(0));
                if told
                    .sealed
                    .remove::<[u8; 32]>(&Sha256::digest(event.body.to_string()).into())
                    .is_none()
                {
                    report.fault(format!("no event tells of this block: {}", event.body));
                }
                report.sealed += count as u64;
            }
        }
        report.blocks += 1;
        progress(Progress { blocks: report.blocks, blocks_total: total.unsigned_abs() });
    }
    missing(report, told);
    Ok(())
}

fn missing(report: &mut Report, mut told: Told) {
    let mut gone: Vec<(i64, i64)> =
        told.sealed.values().copied().filter(|(day, _)| *day >= told.expired_before).collect();
    gone.sort_unstable();
    for (day, seq) in gone {
        if let Some(left @ 1..) = told.damaged.get_mut(&day) {
            *left -= 1;
            continue;
        }
        let date = stored::date(day);
        report.fault(format!("a block of day {date} is gone: event {seq} tells of it"));
    }
}

/// Raw results can't be checked against anything but their own ranges.
fn raw(view: &Transaction<'_>, report: &mut Report) -> Result<(), HistoryError> {
    let fault = || HistoryError::sqlite("read results");
    let mut query = view
        .prepare("SELECT reason, kind, count(*), min(due) FROM results GROUP BY reason, kind")
        .map_err(fault())?;
    let mut rows = query.query([]).map_err(fault())?;
    while let Some(row) = rows.next().map_err(fault())? {
        let read = |row: &rusqlite::Row<'_>| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, row.get(3)?))
        };
        let (reason, kind, count, due) = read(row).map_err(fault())?;
        let known = u8::try_from(reason).ok().and_then(Reason::from_code).is_some()
            && usize::try_from(kind).is_ok_and(|it| it < RunKind::ALL.len());
        if !known {
            let date = stored::date(day_of(due));
            report.fault(format!(
                "{count} results of unknown reason {reason} or kind {kind}, the first of {date}"
            ));
        }
        report.raw += count.unsigned_abs();
    }
    let hidden: i64 = view
        .query_row(
            "SELECT count(*) FROM results JOIN streams ON streams.id = stream
             WHERE (started - due > after_max OR started - due < after_min)
             AND after_max < ?1 AND after_min > ?2",
            [i64::MAX, i64::MIN],
            |row| row.get(0),
        )
        .map_err(fault())?;
    if hidden > 0 {
        report.fault(format!("{hidden} results start outside their stream's bounds"));
    }
    Ok(())
}

/// What can be checked at open in no time: the newest event against the one before it, and
/// the newest block.
pub(super) fn quick(connection: &rusqlite::Connection) -> Result<(), HistoryError> {
    let fault = || HistoryError::sqlite("check the newest records");
    let damaged = |at: String, fault: &str| HistoryError::Damaged { at, fault: fault.to_owned() };
    let mut query = connection
        .prepare("SELECT seq, at, kind, body, hash FROM events ORDER BY seq DESC LIMIT 2")
        .map_err(fault())?;
    let newest: Vec<_> =
        query.query_map([], read_event).and_then(Iterator::collect).map_err(fault())?;
    if let Some((seq, event, text, hash)) = newest.first() {
        let before = newest.get(1).map_or(chain::GENESIS, |it| it.3);
        if chain::hash(&before, *seq, event, text) != *hash {
            return Err(damaged(format!("event {seq}"), "its hash does not match"));
        }
    }
    let body: Option<Vec<u8>> = rusqlite::OptionalExtension::optional(connection.query_row(
        "SELECT body FROM blocks ORDER BY id DESC LIMIT 1",
        [],
        |row| row.get(0),
    ))
    .map_err(fault())?;
    match body.as_deref().map(block::unpack) {
        Some(Err(fault)) => Err(damaged("the newest day block".to_owned(), &fault)),
        _ => Ok(()),
    }
}
