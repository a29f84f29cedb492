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
