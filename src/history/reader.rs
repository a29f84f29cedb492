//! Reading: a connection of its own, and answers that are each one consistent view.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction};

use crate::model::check::Lane;
use crate::model::id::{CheckId, VantageId};
use crate::model::reason::Reason;
use crate::model::result::{RunResult, VoidSpan};
use crate::model::span::Span;
use crate::model::time::Millis;

use super::place::Place;
use super::record::{Event, StoredEvent};
use super::scan::{self, Flow};
use super::{Cursor, HistoryError, block, stored};

/// Most results of one page: one answer of the API, a few megabytes.
pub const PAGE_RESULTS_MAX: usize = 10_000;

/// Reads the history. Cheap to open and to keep; blocking: call it where blocking is allowed.
///
/// Each call sees one state of the file: what was durable when it began.
#[derive(Debug)]
pub struct Reader {
    connection: Connection,
    place: Place,
}

/// Which results of a check; the default is all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this lane.
    pub lane: Option<Lane>,
    /// Only this vantage.
    pub vantage: Option<VantageId>,
}

/// Some results, and where to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// In order of start, then of identity.
    pub results: Vec<RunResult>,
    /// Give it back to get the next page; `None`: this was the last.
    pub next: Option<Cursor>,
}

/// A day block of a check, by what it is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The lane.
    pub lane: Lane,
    /// The vantage.
    pub vantage: VantageId,
    /// The UTC day, counted from 1970-01-01.
    pub day: i64,
    /// Its number on that day.
    pub seq: i64,
    /// Results in it.
    pub count: i64,
    /// SHA-256 of what it says, as the journal tells it (`docs/history.md`, "A day block").
    pub sha256: [u8; 32],
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Results not yet sealed.
    pub raw: u64,
    /// Results in day blocks.
    pub sealed: u64,
    /// Day blocks.
    pub blocks: u64,
    /// Bytes of the day blocks.
    pub block_bytes: u64,
    /// Void spans.
    pub voids: u64,
    /// Events.
    pub events: u64,
}

impl Reader {
    /// Of the history in the data folder `folder`, whether a daemon is writing to it or not.
    ///
    /// # Errors
    ///
    /// If there is none, or it is not of this version's format: an older one is brought up to
    /// date by the daemon, not here.
    pub fn open(folder: &Path) -> Result<Self, HistoryError> {
        Self::of(&Place::new(Some(folder)))
    }

    pub(super) fn of(place: &Place) -> Result<Self, HistoryError> {
        Ok(Self { connection: place.reader()?, place: place.clone() })
    }

    /// Another reader of the same history, for another thread.
    ///
    /// # Errors
    ///
    /// As [`Reader::open`].
    pub fn another(&self) -> Result<Self, HistoryError> {
        Self::of(&self.place)
    }

    /// One view of the file for all queries of an answer: sealing moves rows meanwhile.
    pub(super) fn view(&self) -> Result<Transaction<'_>, HistoryError> {
        self.connection.unchecked_transaction().map_err(HistoryError::sqlite("read"))
    }

    /// Every document of a space: name and body, in order of names.
    ///
    /// # Errors
    ///
    /// What SQLite says.
    pub fn documents(&self, space: &str) -> Result<Vec<(String, String)>, HistoryError> {
        let read = || {
            let mut rows = self
                .connection
                .prepare("SELECT name, body FROM documents WHERE space = ?1 ORDER BY name")?;
            let pairs = rows.query_map([space], |row| Ok((row.get(0)?, row.get(1)?)))?;
            pairs.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(HistoryError::sqlite("read documents"))
    }

    /// A page of the results of `check` that started in `span`, at most `limit` (and
    /// [`PAGE_RESULTS_MAX`]) of them, after `cursor`.
    ///
    /// # Errors
    ///
    /// [`HistoryError::Damaged`] rather than a smaller answer.
    pub fn results(
        &self,
        check: &CheckId,
        span: Span,
        filter: &Filter,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, HistoryError> {
        let limit = limit.clamp(1, PAGE_RESULTS_MAX);
        let mut results: Vec<RunResult> = Vec::new();
        let mut more = false;
        let from = cursor.map_or(span.start(), |it| it.started().max(span.start()));
        if let Some(rest) = Span::new(from, span.end()) {
            scan::scan(&self.view()?, check, rest, filter, |result| {
                if cursor.is_some_and(|it| !it.is_before(&result)) {
                    return Flow::GoOn;
                }
                if results.len() == limit {
                    more = true;
                    return Flow::Stop;
                }
                results.push(result);
                Flow::GoOn
            })?;
        }
        let next = results.last().filter(|_| more).map(Cursor::after);
        Ok(Page { results, next })
    }

    /// Every result of `check` that started in `span`, in order of start, then of identity.
    /// Memory: about one day of the check.
    ///
    /// # Errors
    ///
    /// [`HistoryError::Damaged`]: then what was given so far is not the whole.
    pub fn scan(
        &self,
        check: &CheckId,
        span: Span,
        filter: &Filter,
        mut each: impl FnMut(RunResult),
    ) -> Result<(), HistoryError> {
        scan::scan(&self.view()?, check, span, filter, |result| {
            each(result);
            Flow::GoOn
        })
    }

    /// The results of one lane and vantage that started at or after `from`, to restore the
    /// live state at start.
    pub fn tail(
        &self,
        check: &CheckId,
        lane: Lane,
        vantage: &VantageId,
        from: Millis,
    ) -> Result<Vec<RunResult>, HistoryError> {
        let filter = Filter { lane: Some(lane), vantage: Some(vantage.clone()) };
        let mut results = Vec::new();
        if let Some(span) = Span::new(from, Millis(i64::MAX)) {
            self.scan(check, span, &filter, |result| results.push(result))?;
        }
        Ok(results)
    }

    /// When the first result of `check` started; `None`: there is none.
    pub fn first_started(&self, check: &CheckId) -> Result<Option<Millis>, HistoryError> {
        let mut first = None;
        if let Some(span) = Span::new(Millis(i64::MIN), Millis(i64::MAX)) {
            scan::scan(&self.view()?, check, span, &Filter::default(), |result| {
                first = Some(result.started);
                Flow::Stop
            })?;
        }
        Ok(first)
    }

    /// Every check, lane and vantage that ever had a result, in order.
    pub fn streams(&self) -> Result<Vec<(CheckId, Lane, VantageId)>, HistoryError> {
        let streams = stored::streams(&self.connection, None)?;
        Ok(streams.into_iter().map(|it| (it.check, it.lane, it.vantage)).collect())
    }

    /// The day blocks of `check` with results that started in `span`, by lane, vantage, day and
    /// number. They are not read whole here: [`Reader::scan`] over the same span does that.
    pub fn sealed(&self, check: &CheckId, span: Span) -> Result<Vec<Sealed>, HistoryError> {
        let mut all = Vec::new();
        for stream in stored::streams(&self.connection, Some(check))? {
            let read = || {
                let mut query = self.connection.prepare(
                    "SELECT day, seq, count, substr(body, ?4, 32) FROM blocks
                     WHERE stream = ?1 AND started_max >= ?2 AND started_min < ?3
                     ORDER BY day, seq",
                )?;
                let place = i64::from(block::SHA256_OFFSET) + 1;
                let key = [stream.id, span.start().0, span.end().0, place];
                let rows = query.query_map(key, |row| {
                    Ok(Sealed {
                        lane: stream.lane,
                        vantage: stream.vantage.clone(),
                        day: row.get(0)?,
                        seq: row.get(1)?,
                        count: row.get(2)?,
                        sha256: row.get(3)?,
                    })
                })?;
                rows.collect::<rusqlite::Result<Vec<_>>>()
            };
            all.extend(read().map_err(HistoryError::reading(&stream))?);
        }
        Ok(all)
    }

    /// The void spans of `check` that touch `span`, whole, in order of start; the first `most`.
    pub fn void_spans(
        &self,
        check: &CheckId,
        span: Span,
        most: usize,
    ) -> Result<Vec<VoidSpan>, HistoryError> {
        let fault = HistoryError::sqlite("read void spans");
        let read = || {
            let mut query = self.connection.prepare(
                r#"SELECT vantages.text, "from", "to", reason FROM voids
                   JOIN checks ON checks.id = check_id JOIN vantages ON vantages.id = vantage_id
                   WHERE checks.text = ?1 AND "from" < ?3 AND "to" > ?2
                   ORDER BY "from", "to", vantages.text, reason LIMIT ?4"#,
            )?;
            let most = i64::try_from(most).unwrap_or(i64::MAX);
            let key = rusqlite::params![check.as_str(), span.start().0, span.end().0, most];
            let rows = query.query_map(key, |row| {
                Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get::<_, u8>(3)?))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        let damaged = |from: i64, fault: String| HistoryError::Damaged {
            at: format!("void span of {check} from {from} ms"),
            fault,
        };
        let rows = read().map_err(fault)?;
        let spans = rows.into_iter().map(|(vantage, from, to, reason)| {
            let vantage = VantageId::new(&vantage).map_err(|it| damaged(from, it.to_string()))?;
            let reason = Reason::from_code(reason)
                .ok_or_else(|| damaged(from, format!("unknown reason {reason}")))?;
            let (from, to) = (Millis(from), Millis(to));
            Ok(VoidSpan { check: check.clone(), vantage, from, to, reason })
        });
        spans.collect()
    }

    /// Events after number `after` (0: from the first), at most `limit`, in order.
    pub fn events(&self, after: i64, limit: usize) -> Result<Vec<StoredEvent>, HistoryError> {
        self.events_where("true", after, limit)
    }

    /// The same without the history's own (`history.…`), of which there is one a check and day:
    /// what the daemon and its operators told. Looks at every event all the same.
    pub fn told(&self, after: i64, limit: usize) -> Result<Vec<StoredEvent>, HistoryError> {
        // '/' is the character after '.'.
        self.events_where("(kind < 'history.' OR kind >= 'history/')", after, limit)
    }

    fn events_where(
        &self,
        which: &'static str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, HistoryError> {
        let read = || {
            let mut query = self.connection.prepare(&format!(
                "SELECT seq, at, kind, body, hash FROM events WHERE seq > ?1 AND {which}
                 ORDER BY seq LIMIT ?2",
            ))?;
            let rows = query.query_map([after, limit as i64], |row| {
                let body: String = row.get(3)?;
                let at = Millis(row.get(1)?);
                Ok((row.get::<_, i64>(0)?, at, row.get::<_, String>(2)?, body, row.get(4)?))
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        let rows = read().map_err(HistoryError::sqlite("read events"))?;
        let events = rows.into_iter().map(|(seq, at, kind, body, hash)| {
            let body = serde_json::from_str(&body).map_err(|fault| HistoryError::Damaged {
                at: format!("event {seq}"),
                fault: fault.to_string(),
            })?;
            Ok(StoredEvent { seq, event: Event { at, kind, body }, hash })
        });
        events.collect()
    }

    /// Number and hash of the newest event; `None`: there is none.
    pub fn head(&self) -> Result<Option<(i64, [u8; 32])>, HistoryError> {
        let sql = "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1";
        self.connection
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map_err(HistoryError::sqlite("read the newest event"))
    }

    /// When the daemon is last known to have been at work, by its own clock; `None`: never.
    pub fn last_activity(&self) -> Result<Option<Millis>, HistoryError> {
        self.connection
            .query_row("SELECT at FROM alive", [], |row| row.get(0).map(Millis))
            .optional()
            .map_err(HistoryError::sqlite("read the last activity"))
    }

    /// How much there is. Counts raw rows one by one.
    pub fn counts(&self) -> Result<Counts, HistoryError> {
        let sql = "SELECT (SELECT count(*) FROM results),
            (SELECT coalesce(sum(count), 0) FROM blocks), (SELECT count(*) FROM blocks),
            (SELECT coalesce(sum(length(body)), 0) FROM blocks),
            (SELECT count(*) FROM voids), (SELECT count(*) FROM events)";
        self.connection
            .query_row(sql, [], |row| {
                let count = |index| row.get::<_, i64>(index).map(i64::unsigned_abs);
                Ok(Counts {
                    raw: count(0)?,
                    sealed: count(1)?,
                    blocks: count(2)?,
                    block_bytes: count(3)?,
                    voids: count(4)?,
                    events: count(5)?,
                })
            })
            .map_err(HistoryError::sqlite("count"))
    }
}
