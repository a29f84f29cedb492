//! What is appended: results, void spans, events.

use crate::model::id::{CheckId, VantageId};
use crate::model::result::{RunResult, VoidSpan};
use crate::model::time::Millis;

/// One thing to keep.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A result. One with the identity of an earlier one is ignored: the first wins.
    Result(RunResult),
    /// Slots that could not be run. An equal one is ignored.
    Void(VoidSpan),
    /// A line of the journal.
    Event(Event),
    /// Documents that change together or not at all.
    Documents(Vec<Document>),
}

/// A small text of another part, kept under a name: what is open, what is on its way. Unlike
/// the journal it is replaced, and it proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Whose: names are unique within a space.
    pub space: &'static str,
    /// Its name.
    pub name: String,
    /// What it says now; `None`: it is gone.
    pub body: Option<String>,
}

impl Record {
    /// Whose slots it speaks for, and from when to when.
    pub(super) fn covers(&self) -> Option<(&CheckId, &VantageId, Millis, Millis)> {
        match self {
            Self::Result(it) => Some((&it.check, &it.vantage, it.due, it.due.plus_ms(1))),
            Self::Void(it) => Some((&it.check, &it.vantage, it.from, it.to)),
            Self::Event(_) | Self::Documents(_) => None,
        }
    }
}

/// A line of the journal: something that happened to the monitor itself. Only ever appended,
/// and chained by hashes (`docs/history.md`, "Events").
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub at: Millis,
    /// What, in one word with dots: `process.start`, `config.loaded`, `clock.step`.
    /// `history.…` is the history's own.
    pub kind: String,
    /// The details, for machines.
    pub body: serde_json::Value,
}

/// An event as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEvent {
    /// Its number, from 1, without gaps.
    pub seq: i64,
    /// The event.
    pub event: Event,
    /// Its hash, which covers every event before it.
    pub hash: [u8; 32],
}
