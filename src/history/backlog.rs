//! Records that wait to become durable (pure).

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::model::id::{CheckId, VantageId};
use crate::model::reason::Reason;
use crate::model::result::VoidSpan;
use crate::model::time::Millis;

use super::record::{Document, Event, Record};

/// What waits, in order of arrival. When it is full the oldest record goes, but what it spoke
/// for does not: it is remembered as a void span.
#[derive(Debug)]
pub(super) struct Backlog {
    records: VecDeque<Record>,
    records_max: usize,
    lost: HashMap<(CheckId, VantageId), (Millis, Millis)>,
    /// What lost documents said last: they are never given up.
    documents: BTreeMap<(&'static str, String), Document>,
    lost_count: u64,
}

impl Backlog {
    /// Room for `records_max` records, at least 1.
    pub(super) fn new(records_max: usize) -> Self {
        let records_max = records_max.max(1);
        Self {
            records: VecDeque::new(),
            records_max,
            lost: HashMap::new(),
            documents: BTreeMap::new(),
            lost_count: 0,
        }
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
            if let Record::Documents(documents) = &oldest {
                let named = documents.iter().map(|it| ((it.space, it.name.clone()), it.clone()));
                self.documents.extend(named);
            }
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

    /// What to write down of what was lost: void spans, one event that says how many records
    /// they stand for, and documents, which later ones replace. Empty if nothing was lost.
    pub(super) fn owed(&self) -> Vec<Record> {
        if self.lost_count == 0 {
            return Vec::new();
        }
        let at = self.lost.values().map(|span| span.1).max().unwrap_or_default();
        let body = serde_json::json!({ "records": self.lost_count });
        let event = Event { at, kind: "history.dropped".to_owned(), body };
        let spans = self.lost.iter().map(|((check, vantage), (from, to))| {
            let (check, vantage) = (check.clone(), vantage.clone());
            Record::Void(VoidSpan {
                check,
                vantage,
                from: *from,
                to: *to,
                reason: Reason::DiskFull,
            })
        });
        let documents: Vec<_> = self.documents.values().cloned().collect();
        let documents = (!documents.is_empty()).then_some(Record::Documents(documents));
        spans.chain([Record::Event(event)]).chain(documents).collect()
    }

    /// The oldest, at most `count`.
    pub(super) fn front(&mut self, count: usize) -> &[Record] {
        let all = self.records.make_contiguous();
        &all[..count.min(all.len())]
    }

    /// The oldest `count`, and what was owed, are durable.
    pub(super) fn done(&mut self, count: usize) {
        self.lost.clear();
        self.documents.clear();
        self.lost_count = 0;
        self.records.drain(..count.min(self.records.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_that_do_not_fit_are_written_later_by_their_last_text() {
        let document = |name: &str, body: &str| {
            let body = Some(body.to_owned());
            Record::Documents(vec![Document { space: "s", name: name.to_owned(), body }])
        };
        let mut backlog = Backlog::new(1);
        for (name, body) in [("a", "1"), ("b", "1"), ("a", "2")] {
            backlog.push(document(name, body));
        }
        backlog.push(result("a", 1));
        let owed = backlog.owed();
        let Some(Record::Documents(documents)) = owed.last() else { panic!("{owed:?}") };
        let texts: Vec<_> = documents.iter().map(|it| (&*it.name, it.body.as_deref())).collect();
        assert_eq!(texts, [("a", Some("2")), ("b", Some("1"))]);
        backlog.done(1);
        assert_eq!(backlog.owed(), []);
    }
    use crate::model::check::Lane;
    use crate::model::phases::Phases;
    use crate::model::result::{RunKind, RunResult};
    use crate::model::time::Micros;

    fn result(check: &str, due: i64) -> Record {
        Record::Result(RunResult {
            check: CheckId::new(check).unwrap(),
            lane: Lane::Any,
            vantage: VantageId::new("hn").unwrap(),
            due: Millis(due),
            started: Millis(due),
            lateness: Micros(0),
            kind: RunKind::Grid,
            run: 0,
            reason: Reason::None,
            phases: Phases::default(),
            status: None,
            bytes: 0,
            reused: false,
        })
    }

    #[test]
    fn what_does_not_fit_becomes_one_void_span_a_check() {
        let mut backlog = Backlog::new(3);
        let dues = [("a", 10), ("b", 11), ("a", 20), ("a", 30), ("a", 40), ("b", 41)];
        let dropped: u64 = dues.iter().map(|(check, due)| backlog.push(result(check, *due))).sum();
        assert_eq!(dropped, 3);
        assert_eq!(backlog.front(9), [result("a", 30), result("a", 40), result("b", 41)]);
        let owed = backlog.owed();
        let mut spans: Vec<_> = owed
            .iter()
            .filter_map(Record::covers)
            .map(|(check, _, from, to)| (check.as_str(), from.0, to.0))
            .collect();
        spans.sort_unstable();
        assert_eq!(spans, [("a", 10, 21), ("b", 11, 12)]);
        assert!(owed.iter().any(|it| matches!(
            it,
            Record::Event(event) if event.kind == "history.dropped" && event.body["records"] == 3
        )));
        assert_eq!(backlog.owed().len(), 3, "until it is durable");
        backlog.done(0);
        assert_eq!(backlog.owed(), [], "and then no more");
    }

    #[test]
    fn what_is_durable_leaves() {
        let mut backlog = Backlog::new(9);
        for due in 0..5 {
            backlog.push(result("a", due));
        }
        assert_eq!(backlog.front(2), [result("a", 0), result("a", 1)]);
        backlog.done(2);
        assert_eq!(backlog.front(1), [result("a", 2)]);
        backlog.done(99);
        assert_eq!(backlog.len(), 0);
        assert_eq!(backlog.front(1), []);
    }
}
