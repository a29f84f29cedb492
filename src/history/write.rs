//! One transaction: a batch of records, all or nothing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, OptionalExtension, Statement, Transaction, params};

use crate::model::check::Lane;
use crate::model::id::{CheckId, VantageId};
use crate::model::result::{RunResult, VoidSpan};
use crate::model::time::Millis;

use super::after::After;
use super::late::Sealed;
use super::record::{Document, Event};
use super::row::Row;
use super::{HistoryError, Record, chain};

/// Whose results are packed together.
pub(super) type StreamKey = (CheckId, Lane, VantageId);

/// What a batch did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Records now stored.
    pub(super) stored: u64,
    /// Results and void spans that were there already.
    pub(super) duplicates: u64,
}

/// What is known of the file, so that a row needs one look-up in memory. Thrown away when a
/// transaction fails: it may hold what was rolled back.
#[derive(Debug, Default)]
pub(super) struct Names {
    streams: HashMap<StreamKey, Known>,
    sealed: Sealed,
}

/// A stream in the file.
#[derive(Clone, Copy, Debug)]
struct Known {
    id: i64,
    after: After,
}

impl Names {
    pub(super) fn forget(&mut self) {
        self.streams.clear();
        self.sealed.forget();
    }

    /// Blocks have changed.
    pub(super) fn forget_sealed(&mut self) {
        self.sealed.forget();
    }

    /// The stream of `result`, in which its row may be stored now.
    fn stream(&mut self, tx: &Transaction<'_>, result: &RunResult) -> rusqlite::Result<i64> {
        let key = (result.check.clone(), result.lane, result.vantage.clone());
        let known = match self.streams.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let known = find_stream(tx, new.key())?;
                new.insert(known)
            }
        };
        let after = known.after.widened(result.due, result.started);
        if after != known.after {
            tx.execute(
                "UPDATE streams SET after_min = ?2, after_max = ?3 WHERE id = ?1",
                [known.id, after.min, after.max],
            )?;
            known.after = after;
        }
        Ok(known.id)
    }
}

fn find_stream(tx: &Transaction<'_>, key: &StreamKey) -> rusqlite::Result<Known> {
    let found = params![check_id(tx, &key.0)?, key.1 as i64, vantage_id(tx, &key.2)?];
    tx.execute(
        "INSERT INTO streams (check_id, lane, vantage_id) VALUES (?1, ?2, ?3)
         ON CONFLICT DO NOTHING",
        found,
    )?;
    tx.query_row(
        "SELECT id, after_min, after_max FROM streams
         WHERE check_id = ?1 AND lane = ?2 AND vantage_id = ?3",
        found,
        |row| {
            let after = After { min: row.get(1)?, max: row.get(2)? };
            Ok(Known { id: row.get(0)?, after })
        },
    )
}

fn check_id(tx: &Transaction<'_>, check: &CheckId) -> rusqlite::Result<i64> {
    tx.execute("INSERT INTO checks (text) VALUES (?1) ON CONFLICT DO NOTHING", [check.as_str()])?;
    tx.query_row("SELECT id FROM checks WHERE text = ?1", [check.as_str()], |row| row.get(0))
}

fn vantage_id(tx: &Transaction<'_>, vantage: &VantageId) -> rusqlite::Result<i64> {
    let text = [vantage.as_str()];
    tx.execute("INSERT INTO vantages (text) VALUES (?1) ON CONFLICT DO NOTHING", text)?;
    tx.query_row("SELECT id FROM vantages WHERE text = ?1", text, |row| row.get(0))
}

/// Stores `records` and then `alive`, durably, or nothing.
pub(super) fn batch<'a>(
    connection: &mut Connection,
    names: &mut Names,
    records: impl Iterator<Item = &'a Record>,
    alive: Option<Millis>,
) -> Result<Tally, HistoryError> {
    let tally = store(connection, names, records, alive);
    if tally.is_err() {
        names.forget();
    }
    tally.map_err(HistoryError::sqlite("store results"))
}

fn store<'a>(
    connection: &mut Connection,
    names: &mut Names,
    records: impl Iterator<Item = &'a Record>,
    alive: Option<Millis>,
) -> rusqlite::Result<Tally> {
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut tally = Tally::default();
    {
        let mut insert = tx.prepare(INSERT_RESULT)?;
        for record in records {
            let stored = match record {
                Record::Result(result) => {
                    let stream = names.stream(&tx, result)?;
                    let row = Row::from(result);
                    !names.sealed.has(&tx, stream, &row)? && insert_row(&mut insert, stream, &row)?
                }
                Record::Void(span) => insert_void(&tx, span)?,
                Record::Event(event) => append_event(&tx, event).map(|()| true)?,
                Record::Documents(documents) => put(&tx, documents).map(|()| true)?,
            };
            if stored { tally.stored += 1 } else { tally.duplicates += 1 }
        }
    }
    if let Some(at) = alive {
        tx.execute(
            "INSERT INTO alive (id, at) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET at = ?1",
            [at.0],
        )?;
    }
    tx.commit()?;
    Ok(tally)
}

const INSERT_RESULT: &str = "INSERT INTO results
    (stream, due, kind, run, started, lateness, reason,
     dns, connect, tls, send, wait, receive, status, bytes, reused)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
    ON CONFLICT DO NOTHING";

/// Whether it was new.
fn insert_row(insert: &mut Statement<'_>, stream: i64, row: &Row) -> rusqlite::Result<bool> {
    let [dns, connect, tls, send, wait, receive] = row.phases;
    insert
        .execute(params![
            stream,
            row.due,
            row.kind,
            row.run,
            row.started,
            row.lateness,
            row.reason,
            dns,
            connect,
            tls,
            send,
            wait,
            receive,
            row.status,
            row.bytes,
            row.reused,
        ])
        .map(|rows| rows == 1)
}

fn insert_void(tx: &Transaction<'_>, span: &VoidSpan) -> rusqlite::Result<bool> {
    let check = check_id(tx, &span.check)?;
    let vantage = vantage_id(tx, &span.vantage)?;
    tx.execute(
        r#"INSERT INTO voids (check_id, vantage_id, "from", "to", reason)
           VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING"#,
        params![check, vantage, span.from.0, span.to.0, span.reason.code()],
    )
    .map(|rows| rows == 1)
}

/// Replaces documents.
fn put(tx: &Transaction<'_>, documents: &[Document]) -> rusqlite::Result<()> {
    for Document { space, name, body } in documents {
        match body {
            Some(body) => tx.execute(
                "INSERT INTO documents (space, name, body) VALUES (?1, ?2, ?3)
                 ON CONFLICT (space, name) DO UPDATE SET body = ?3",
                params![space, name, body],
            )?,
            None => tx.execute(
                "DELETE FROM documents WHERE space = ?1 AND name = ?2",
                params![space, name],
            )?,
        };
    }
    Ok(())
}

/// Adds one link to the chain of events.
pub(super) fn append_event(tx: &Transaction<'_>, event: &Event) -> rusqlite::Result<()> {
    let last = tx
        .query_row("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?))
        })
        .optional()?;
    let (before, hash) = last.unwrap_or((0, chain::GENESIS));
    let seq = before + 1;
    let body = event.body.to_string();
    let hash = chain::hash(&hash, seq, event, &body);
    tx.execute(
        "INSERT INTO events (seq, at, kind, body, hash) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![seq, event.at.0, event.kind, body, hash],
    )?;
    Ok(())
}
