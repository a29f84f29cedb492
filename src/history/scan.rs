//! Going through the results of a check in order, raw and sealed alike.

use std::cmp::Ordering;

use rusqlite::Transaction;

use crate::model::id::CheckId;
use crate::model::result::RunResult;
use crate::model::span::Span;
use crate::model::time::Millis;

use super::reader::Filter;
use super::row::{self, DAY_MS, Row};
use super::stored::{self, BlockEntry, Stream};
use super::{Cursor, HistoryError};

/// What the receiver of a result says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// Give me the next.
    GoOn,
    /// Enough.
    Stop,
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
    let mut streams = stored::streams(view, Some(check))?;
    streams.retain(|it| {
        filter.lane.is_none_or(|lane| lane == it.lane)
            && filter.vantage.as_ref().is_none_or(|vantage| *vantage == it.vantage)
    });
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

/// An instant, not before `at`, before which no result starts that starts at or after `at`;
/// `None`: none does.
fn first_at_or_after(
    view: &Transaction<'_>,
    streams: &[Stream],
    at: Millis,
) -> Result<Option<Millis>, HistoryError> {
    let mut first: Option<i64> = None;
    for stream in streams {
        let raw = first_raw(view, stream, at).map_err(HistoryError::reading(stream))?;
        let sealed = view
            .query_row(
                "SELECT min(started_min) FROM blocks WHERE stream = ?1 AND started_max >= ?2",
                [stream.id, at.0],
                |row| row.get::<_, Option<i64>>(0),
            )
            .map_err(HistoryError::reading(stream))?;
        first = [first, raw, sealed].into_iter().flatten().min();
    }
    Ok(first.map(|it| Millis(it).max(at)))
}

/// The same for the raw results of one stream.
fn first_raw(view: &Transaction<'_>, stream: &Stream, at: Millis) -> rusqlite::Result<Option<i64>> {
    let due_from = stream.after.due_from(at);
    let due: Option<i64> = view.query_row(
        "SELECT min(due) FROM results WHERE stream = ?1 AND due >= ?2",
        [stream.id, due_from],
        |row| row.get(0),
    )?;
    // Far ahead an estimate does; where it would be before `at`, the rows must be looked at.
    match due.map(|due| due.saturating_add(stream.after.min)) {
        Some(estimate) if estimate < at.0 => view.query_row(
            "SELECT min(started) FROM results WHERE stream = ?1 AND due >= ?2 AND started >= ?3",
            [stream.id, due_from, at.0],
            |row| row.get(0),
        ),
        estimate => Ok(estimate),
    }
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
            "SELECT {} FROM results
             WHERE stream = ?1 AND due >= ?2 AND due <= ?3 AND started >= ?4 AND started < ?5",
            row::COLUMNS
        ))?;
        let (start, end) = (window.start(), window.end());
        let due = (stream.after.due_from(start), stream.after.due_to(end));
        let key = [stream.id, due.0, due.1, start.0, end.0];
        query.query_map(key, |row| Row::read(row, 0))?.collect::<rusqlite::Result<Vec<_>>>()
    };
    let at = || format!("{stream}, results from {} to {}", window.start(), window.end());
    for row in read().map_err(|source| HistoryError::reading(&at())(source))? {
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
    let at = format!("{stream}, day blocks from {} to {}", window.start(), window.end());
    let fault = || HistoryError::reading(&at);
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
