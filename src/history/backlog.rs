//! Records that wait to become durable (pure).

use std::collections::{HashMap, VecDeque};

use crate::model::id::{CheckId, VantageId};
use crate::model::reason::Reason;
use crate::model::result::VoidSpan;
use crate::model::time::Millis;

use super::record::{Event, Record};

/// What waits, in order of arrival. When it is full the oldest record goes, but what it spoke
/// for does not: it is remembered as a void span.
#[derive(Debug)]
pub(super) struct Backlog {
    records: VecDeque<Record>,
    records_max: usize,
    lost: HashMap<(CheckId, VantageId), (Millis, Millis)>,
    lost_count: u64,
}

impl Backlog {
    /// Room for `records_max` records, at least 1.
    pub(super) fn new(records_max: usize) -> Self {
        let records_max = records_max.max(1);
        Self { records: VecDeque::new(), records_max, lost: HashMap::new(), lost_count: 0 }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Adds one; how many (0 or 1) had to go for it.
    pub(super) fn push(&mut self, record: Record) -> u64 {
        let mut dropped = 0;
        if self.records.len() >= self.records_max
            && let Some(oldest) = self.records.pop_front()
        {
            dropped = 1;
            self.lost_count += 1;
            if let Some((check, vantage, from, to)) = oldest.covers() {
                self.lost
                    .entry((check.clone(), vantage.clone()))
                    .and_modify(|span| *span = (span.0.min(from), span.1.max(to)))
                    .or_insert((from, to));
            }
        }
        self.records.push_back(record);
        dropped
    }

    /// Moves what was lost to the front, as void spans and one event that says how many
    /// records they stand for. Returns how many were put there: 0 if nothing was lost.
    pub(super) fn own_up(&mut self) -> u64 {
        if self.lost_count == 0 {
            return 0;
        }
        let at = self.lost.values().map(|span| span.1).max().unwrap_or_default();
        let body = serde_json::json!({ "records": self.lost_count });
        self.lost_count = 0;
        let event = Event { at, kind: "history.dropped".to_owned(), body };
        let spans = self.lost.drain().map(|((check, vantage), (from, to))| {
            Record::Void(VoidSpan { check, vantage, from, to, reason: Reason::DiskFull })
        });
        // These may go over the limit: at most one a check and vantage, and the event.
        let records: Vec<Record> = spans.chain([Record::Event(event)]).collect();
        let count = records.len() as u64;
        for record in records {
            self.records.push_front(record);
        }
        count
    }

    /// The oldest, at most `count`.
    pub(super) fn front(&mut self, count: usize) -> &[Record] {
        let all = self.records.make_contiguous();
        &all[..count.min(all.len())]
    }

    /// The oldest `count` are durable.
    pub(super) fn done(&mut self, count: usize) {
        self.records.drain(..count.min(self.records.len()));
    }
}
