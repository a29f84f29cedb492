//! Streams and blocks as their tables hold them.

use std::fmt;

use rusqlite::Connection;

use crate::model::check::Lane;
use crate::model::id::{CheckId, VantageId};
use crate::model::result::RunResult;
use crate::model::time::Millis;

use super::HistoryError;
use super::after::After;
use super::block::{self, Block};
use super::row::Row;

/// One check in one lane from one vantage.
pub(super) struct Stream {
    pub(super) id: i64,
    pub(super) check: CheckId,
    pub(super) lane: Lane,
    pub(super) vantage: VantageId,
    pub(super) after: After,
}

/// The streams of `check`, or all there are.
pub(super) fn streams(
    view: &Connection,
    check: Option<&CheckId>,
) -> Result<Vec<Stream>, HistoryError> {
    let read = || {
        let mut query = view.prepare(
            "SELECT streams.id, checks.text, lane, vantages.text, after_min, after_max FROM streams
             JOIN checks ON checks.id = check_id JOIN vantages ON vantages.id = vantage_id
             WHERE ?1 IS NULL OR checks.text = ?1 ORDER BY checks.text, lane, vantages.text",
        )?;
        let rows = query.query_map([check.map(CheckId::as_str)], |row| {
            let (check, vantage): (String, String) = (row.get(1)?, row.get(3)?);
            let after = After { min: row.get(4)?, max: row.get(5)? };
            Ok((row.get::<_, i64>(0)?, check, row.get::<_, i64>(2)?, vantage, after))
        })?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    };
    let rows = read().map_err(HistoryError::sqlite("read streams"))?;
    let streams = rows.into_iter().map(|(id, check, lane, vantage, after)| {
        let damaged = |fault| HistoryError::Damaged { at: format!("stream {id}"), fault };
        let code = usize::try_from(lane).ok().and_then(|it| Lane::ALL.get(it));
        Ok(Stream {
            id,
            check: CheckId::new(&check).map_err(|it| damaged(it.to_string()))?,
            lane: *code.ok_or_else(|| damaged(format!("unknown lane {lane}")))?,
            vantage: VantageId::new(&vantage).map_err(|it| damaged(it.to_string()))?,
            after,
        })
    });
    streams.collect()
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
pub(super) fn date(day: i64) -> String {
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

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { check, lane, vantage, .. } = self;
        write!(f, "check {check}, lane {}, vantage {vantage}", lane.as_str())
    }
}
