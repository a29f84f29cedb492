//! Going through the results of a check in order, raw and sealed alike.

use std::cmp::Ordering;

use rusqlite::Transaction;

use crate::model::check::Lane;
use crate::model::id::{CheckId, VantageId};
use crate::model::result::RunResult;
use crate::model::span::Span;
use crate::model::time::Millis;

use super::block::{self, Block};
use super::reader::Filter;
use super::row::{self, DAY_MS, Row};
use super::{Cursor, HistoryError};

/// What the receiver of a result says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// Give me the next.
    GoOn,
    /// Enough.
    Stop,
}

/// A stream of the check.
pub(super) struct Stream {
    pub(super) id: i64,
    pub(super) check: CheckId,
    pub(super) lane: Lane,
    pub(super) vantage: VantageId,
}

/// Gives every result of `check` that started in `span` to `each`, in order of start, then of
/// identity.
///
/// Goes from UTC day to UTC day, since day blocks hold about a day: each is unpacked once or
/// twice, and no more than a day is in memory.
pub(super) fn scan(
    view: &Transaction<'_>,
    check: &CheckId,
    span: Span,
    filter: &Filter,
    mut each: impl FnMut(RunResult) -> Flow,
) -> Result<(), HistoryError> {
    let streams = streams(view, check, filter)?;
    let mut at = span.start();
    while let Some(start) = first_at_or_after(view, &streams, at)? {
        let midnight = Millis(row::day_of(start.0).saturating_add(1).saturating_mul(DAY_MS));
        let Some(window) = Span::new(start, midnight.min(span.end())) else { break };
        let mut results = Vec::new();
        for stream in &streams {
            raw(view, stream, window, &mut results)?;
            sealed(view, stream, window, &mut results)?;
        }
        results.sort_by(Cursor::order);
        // Equal identities do not happen; were they to, a figure must not count one twice.
        results.dedup_by(|later, first| Cursor::order(later, first) == Ordering::Equal);
        for result in results {
            if each(result) == Flow::Stop {
                return Ok(());
            }
        }
        at = window.end();
    }
    Ok(())
}

/// The streams of `check`.
fn streams(
    view: &Transaction<'_>,
    check: &CheckId,
    filter: &Filter,
) -> Result<Vec<Stream>, HistoryError> {
    let read = || {
        let mut query = view.prepare(
            "SELECT streams.id, lane, vantages.text FROM streams
             JOIN checks ON checks.id = check_id JOIN vantages ON vantages.id = vantage_id
             WHERE checks.text = ?1 ORDER BY lane, vantages.text",
        )?;
        let rows = query.query_map([check.as_str()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, u8>(1)?, row.get::<_, String>(2)?))
        })?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    let mut streams = Vec::new();
    for (id, lane, vantage) in read().map_err(HistoryError::sqlite("read streams"))? {
        let damaged =
            |fault: String| HistoryError::Damaged { at: format!("stream {id} of {check}"), fault };
        let lane = Lane::ALL
            .get(usize::from(lane))
            .ok_or_else(|| damaged(format!("unknown lane {lane}")))?;
        let vantage = VantageId::new(&vantage).map_err(|it| damaged(it.to_string()))?;
        let wanted = filter.lane.is_none_or(|it| it == *lane)
            && filter.vantage.as_ref().is_none_or(|it| *it == vantage);
        if wanted {
            streams.push(Stream { id, check: check.clone(), lane: *lane, vantage });
        }
    }
    Ok(streams)
}

/// The first instant, not before `at`, at which a result may have started.
fn first_at_or_after(
    view: &Transaction<'_>,
    streams: &[Stream],
    at: Millis,
) -> Result<Option<Millis>, HistoryError> {
    let mut first: Option<i64> = None;
    for stream in streams {
        let read = |sql| view.query_row(sql, [stream.id, at.0], |row| row.get::<_, Option<i64>>(0));
        let fault = || HistoryError::sqlite("read results");
        let raw = read("SELECT min(started) FROM results WHERE stream = ?1 AND started >= ?2");
        let sealed =
            read("SELECT min(started_min) FROM blocks WHERE stream = ?1 AND started_max >= ?2");
        let found = [first, raw.map_err(fault())?, sealed.map_err(fault())?];
        first = found.into_iter().flatten().min();
    }
    Ok(first.map(|it| Millis(it).max(at)))
}

/// The raw results of a stream that started in `window`.
fn raw(
    view: &Transaction<'_>,
    stream: &Stream,
    window: Span,
    results: &mut Vec<RunResult>,
) -> Result<(), HistoryError> {
    let read = || {
        let mut query = view.prepare(&format!(
            "SELECT {} FROM results WHERE stream = ?1 AND started >= ?2 AND started < ?3",
            row::COLUMNS
        ))?;
        let key = [stream.id, window.start().0, window.end().0];
        query.query_map(key, |row| Row::read(row, 0))?.collect::<rusqlite::Result<Vec<_>>>()
    };
    for row in read().map_err(HistoryError::sqlite("read results"))? {
        results.push(stream.result(&row)?);
    }
    Ok(())
}

/// The sealed results of a stream that started in `window`.
fn sealed(
    view: &Transaction<'_>,
    stream: &Stream,
    window: Span,
    results: &mut Vec<RunResult>,
) -> Result<(), HistoryError> {
    let fault = || HistoryError::sqlite("read day blocks");
    let mut query = view
        .prepare(
            "SELECT day, seq, count, started_min, started_max, body FROM blocks
             WHERE stream = ?1 AND started_max >= ?2 AND started_min < ?3",
        )
        .map_err(fault())?;
    let key = [stream.id, window.start().0, window.end().0];
    let mut rows = query.query(key).map_err(fault())?;
    while let Some(row) = rows.next().map_err(fault())? {
        let entry = BlockEntry::read(row).map_err(fault())?;
        let block = entry.unpack(stream)?;
        for row in block.rows.iter().filter(|it| window.contains(Millis(it.started))) {
            results.push(stream.result(row)?);
        }
    }
    Ok(())
}

/// A row of the table of blocks.
pub(super) struct BlockEntry {
    pub(super) day: i64,
    pub(super) seq: i64,
    count: i64,
    started: (i64, i64),
    body: Vec<u8>,
}

impl BlockEntry {
    /// Reads `day, seq, count, started_min, started_max, body`.
    pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let started = (row.get(3)?, row.get(4)?);
        Ok(Self {
            day: row.get(0)?,
            seq: row.get(1)?,
            count: row.get(2)?,
            started,
            body: row.get(5)?,
        })
    }

    /// The block, if it is whole and is what its row says.
    pub(super) fn unpack(&self, stream: &Stream) -> Result<Block, HistoryError> {
        let whole = block::unpack(&self.body).and_then(|block| {
            let key = &block.key;
            let named = key.check == stream.check.as_str()
                && usize::from(key.lane) == stream.lane as usize
                && key.vantage == stream.vantage.as_str()
                && (i64::from(key.day), i64::from(key.seq)) == (self.day, self.seq);
            let counted = block.rows.len() as i64 == self.count
                && block::started_range(&block.rows) == Some(self.started);
            match (named, counted) {
                (true, true) => Ok(block),
                (false, _) => Err("the block is of another stream or day".to_owned()),
                (_, false) => Err("the block's row in the table says otherwise".to_owned()),
            }
        });
        whole.map_err(|fault| HistoryError::Damaged {
            at: format!(
                "{stream}, day {} (block {}), results from {} to {} ms",
                date(self.day),
                self.seq,
                self.started.0,
                self.started.1
            ),
            fault,
        })
    }
}

/// A UTC day as people write it; the number itself if it is beyond the calendar.
fn date(day: i64) -> String {
    i32::try_from(day)
        .ok()
        .and_then(|days| {
            jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().try_days(days).ok()?).ok()
        })
        .map_or_else(|| day.to_string(), |it| it.to_string())
}

impl Stream {
    /// The row with the stream's names.
    pub(super) fn result(&self, row: &Row) -> Result<RunResult, HistoryError> {
        row.result(&self.check, self.lane, &self.vantage).map_err(|fault| HistoryError::Damaged {
            at: format!("{self}, result due {}", Millis(row.due)),
            fault,
        })
    }
}

impl std::fmt::Display for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { check, lane, vantage, .. } = self;
        write!(f, "check {check}, lane {}, vantage {vantage}", lane.as_str())
    }
}
