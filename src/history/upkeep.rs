//! Sealing and deleting, in steps so short that commits are not held up.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use serde_json::json;

use crate::model::bytes::hex;
use crate::model::check::Lane;
use crate::model::time::Millis;

use super::block::{self, BLOCK_ROWS_MAX, BlockKey};
use super::record::Event;
use super::row::{self, DAY_MS, Row, day_of};
use super::writer::Answer;
use super::{HistoryError, Settings, seal, write};

/// Blocks deleted in one step: a few megabytes of pages to give back.
const EXPIRED_BLOCKS_A_STEP: i64 = 200;

/// What an upkeep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upkept {
    /// Results packed.
    pub sealed_results: u64,
    /// Blocks they were packed into.
    pub sealed_blocks: u64,
    /// Results deleted because they are older than is kept.
    pub expired_results: u64,
}

/// An upkeep under way.
#[derive(Debug)]
pub(super) struct Upkeep {
    now: Millis,
    settings: Settings,
    seal_before: i64,
    /// The first day that is kept; `None`: nothing is to be deleted at this stage.
    keep_from: Option<i64>,
    /// Old days are deleted first, to make room, and again once all is sealed.
    last_round: bool,
    /// Streams not yet done, the next at the end; `None`: not yet listed.
    streams: Option<Vec<i64>>,
    /// The first stream that could not be sealed; the others are, all the same.
    fault: Option<HistoryError>,
    pub(super) done: Upkept,
}

/// Whether there is more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    More,
    Finished,
}

impl Upkeep {
    pub(super) fn new(now: Millis, settings: &Settings) -> Self {
        Self {
            now,
            settings: settings.clone(),
            seal_before: seal::seal_before(now, settings),
            keep_from: None,
            last_round: false,
            streams: None,
            fault: None,
            done: Upkept::default(),
        }
    }

    /// Does a little, in one transaction.
    ///
    /// # Errors
    ///
    /// Nothing of the step is stored. A step tried again does the same.
    pub(super) fn step(&mut self, connection: &mut Connection) -> Result<Step, HistoryError> {
        if self.streams.is_none() {
            self.streams = Some(all_streams(connection)?);
            self.keep_from = self.oldest_kept(connection)?;
            return Ok(Step::More);
        }
        // First what gives room back.
        if let Some(keep_from) = self.keep_from {
            let expired = expire_some(connection, keep_from, self.now)?;
            self.done.expired_results += expired;
            if expired > 0 {
                return Ok(Step::More);
            }
            self.keep_from = None;
        }
        let streams = self.streams.get_or_insert_default();
        if let Some(stream) = streams.last().copied() {
            match seal_one(connection, stream, self.seal_before, self.now) {
                Ok(Some(count)) => {
                    self.done.sealed_results += count;
                    self.done.sealed_blocks += 1;
                }
                Ok(None) => drop(streams.pop()),
                Err(fault) if fault.is_about_content() => {
                    streams.pop();
                    self.fault.get_or_insert(fault);
                }
                Err(fault) => return Err(fault),
            }
            return Ok(Step::More);
        }
        if !self.last_round {
            self.last_round = true;
            self.keep_from = self.oldest_kept(connection)?;
            return Ok(Step::More);
        }
        match self.fault.take() {
            Some(fault) => Err(fault),
            None => Ok(Step::Finished),
        }
    }

    /// The first day that is kept, by the clock and by what is there.
    fn oldest_kept(&self, connection: &Connection) -> Result<Option<i64>, HistoryError> {
        let newest = newest_day(connection)?;
        let by_clock = seal::keep_from(self.now, &self.settings);
        Ok(by_clock.map(|it| seal::not_beyond(it, newest, &self.settings)))
    }
}

/// Tells everyone; the error's text goes to all but the first.
pub(super) fn answer_all(answers: Vec<Answer<Upkept>>, result: Result<Upkept, HistoryError>) {
    let text = result.as_ref().map(|it| *it).map_err(ToString::to_string);
    let mut result = Some(result);
    for answer in answers {
        let copy = || text.clone().map_err(|why| HistoryError::NotDurable { why });
        let _ = answer.send(result.take().unwrap_or_else(copy));
    }
}

/// The newest day that a block is about; `None`: there are no blocks.
fn newest_day(connection: &Connection) -> Result<Option<i64>, HistoryError> {
    connection
        .query_row("SELECT max(day) FROM blocks", [], |row| row.get(0))
        .map_err(HistoryError::sqlite("look for the newest day"))
}

fn all_streams(connection: &Connection) -> Result<Vec<i64>, HistoryError> {
    let read = || {
        let mut query = connection.prepare("SELECT id FROM streams ORDER BY id DESC")?;
        query.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(HistoryError::sqlite("list streams"))
}

/// Packs the oldest day of `stream`, if it is before `seal_before`: the block goes in, the
/// rows go out, and the journal says so, in one transaction. Returns how many rows.
fn seal_one(
    connection: &mut Connection,
    stream: i64,
    seal_before: i64,
    now: Millis,
) -> Result<Option<u64>, HistoryError> {
    let fault = || HistoryError::sqlite("seal a day");
    let oldest = connection
        .query_row("SELECT min(due) FROM results WHERE stream = ?1", [stream], |row| {
            row.get::<_, Option<i64>>(0)
        })
        .map_err(fault())?;
    let Some(day) = oldest.map(day_of).filter(|day| *day < seal_before) else { return Ok(None) };
    let tx =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault())?;
    let key = next_key(&tx, stream, day).map_err(fault())?;
    let rows = raw_rows(&tx, stream, day).map_err(fault())?;
    let packed = pack_checked(&key, &rows).map_err(|fault| HistoryError::Damaged {
        at: format!("check {}, vantage {}, day {day}", key.check, key.vantage),
        fault: format!("can't be sealed: {fault}"),
    })?;
    replace(&tx, stream, &key, &rows, &packed.bytes).map_err(fault())?;
    let event = sealed_event(&key, rows.len(), &packed.sha256, now);
    write::append_event(&tx, &event).map_err(fault())?;
    tx.commit().map_err(fault())?;
    Ok(Some(rows.len() as u64))
}

/// The event that a sealed block leaves; `verify` compares each block with it.
pub(super) fn sealed_event(key: &BlockKey, count: usize, sha256: &[u8; 32], at: Millis) -> Event {
    let lane = Lane::ALL.get(usize::from(key.lane)).map_or("?", |it| it.as_str());
    let body = json!({
        "check": key.check,
        "lane": lane,
        "vantage": key.vantage,
        "day": key.day,
        "seq": key.seq,
        "count": count,
        "sha256": hex(sha256),
    });
    Event { at, kind: SEALED.to_owned(), body }
}

/// The kind of event that tells of a sealed block.
pub(super) const SEALED: &str = "history.sealed";

/// The kind of event that tells of deleted days.
pub(super) const EXPIRED: &str = "history.expired";

fn next_key(tx: &Transaction<'_>, stream: i64, day: i64) -> rusqlite::Result<BlockKey> {
    tx.query_row(
        "SELECT checks.text, lane, vantages.text,
            (SELECT coalesce(max(seq) + 1, 0) FROM blocks WHERE stream = ?1 AND day = ?2)
         FROM streams JOIN checks ON checks.id = check_id JOIN vantages ON vantages.id = vantage_id
         WHERE streams.id = ?1",
        [stream, day],
        |row| {
            Ok(BlockKey {
                check: row.get(0)?,
                lane: row.get(1)?,
                vantage: row.get(2)?,
                day: i32::try_from(day)
                    .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, day))?,
                seq: row.get(3)?,
            })
        },
    )
}

fn raw_rows(tx: &Transaction<'_>, stream: i64, day: i64) -> rusqlite::Result<Vec<Row>> {
    let mut query = tx.prepare(&format!(
        "SELECT {} FROM results WHERE stream = ?1 AND due >= ?2 AND due <= ?3
         ORDER BY due, kind, run LIMIT {BLOCK_ROWS_MAX}",
        row::COLUMNS
    ))?;
    let first = day.saturating_mul(DAY_MS);
    let key = [stream, first, first.saturating_add(DAY_MS - 1)];
    query.query_map(key, |row| Row::read(row, 0))?.collect()
}

/// A packed block.
struct Packed {
    bytes: Vec<u8>,
    sha256: [u8; 32],
}

/// Packs, unpacks and compares: raw rows are deleted only for a block known to hold them.
fn pack_checked(key: &BlockKey, rows: &[Row]) -> Result<Packed, String> {
    let bytes = block::pack(key, rows)?;
    let back = block::unpack(&bytes)?;
    if back.rows != rows || back.key != *key {
        return Err("what was packed is not what is unpacked".to_owned());
    }
    Ok(Packed { bytes, sha256: back.sha256 })
}

fn replace(
    tx: &Transaction<'_>,
    stream: i64,
    key: &BlockKey,
    rows: &[Row],
    body: &[u8],
) -> rusqlite::Result<()> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
    let (started_min, started_max) = block::started_range(rows).unwrap_or_default();
    tx.execute(
        "INSERT INTO blocks (stream, day, seq, count, started_min, started_max, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![stream, key.day, key.seq, rows.len() as i64, started_min, started_max, body],
    )?;
    let deleted = tx.execute(
        "DELETE FROM results
         WHERE stream = ?1 AND due >= ?2 AND (due, kind, run) <= (?3, ?4, ?5)",
        params![stream, first.due, last.due, last.kind, last.run],
    )?;
    if deleted == rows.len() {
        Ok(())
    } else {
        // Can't be; were it to, the transaction must not go through.
        Err(rusqlite::Error::StatementChangedRows(deleted))
    }
}

/// Deletes some of the blocks of days before `keep_from`; returns how many results, 0 if
/// there are none left.
fn expire_some(
    connection: &mut Connection,
    keep_from: i64,
    now: Millis,
) -> Result<u64, HistoryError> {
    let mut run = || {
        let some = "SELECT id FROM blocks WHERE day < ?1 ORDER BY day LIMIT ?2";
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let key = [keep_from, EXPIRED_BLOCKS_A_STEP];
        let count: Option<i64> = tx
            .query_row(&format!("SELECT sum(count) FROM blocks WHERE id IN ({some})"), key, |row| {
                row.get(0)
            })
            .optional()?
            .flatten();
        let Some(count) = count else { return Ok(0) };
        let blocks = tx.execute(&format!("DELETE FROM blocks WHERE id IN ({some})"), key)?;
        let body = json!({ "before_day": keep_from, "blocks": blocks, "results": count });
        let event = Event { at: now, kind: EXPIRED.to_owned(), body };
        write::append_event(&tx, &event)?;
        tx.commit()?;
        Ok(count.unsigned_abs())
    };
    run().map_err(HistoryError::sqlite("delete old days"))
}
