//! Announced maintenance, rebuilt from the events of the history: only ever appended.
//!
//! | event | body |
//! |---|---|
//! | `maintenance.added` | `id`, `scope` (one of `system`, `check`, `platform`), `from_ms`, `to_ms`, `notice`, `who`, `why` |
//! | `maintenance.extended` | `id`, `to_ms`, `who`, `why` |
//! | `maintenance.cancelled` | `id`, `who`, `why` |
//!
//! The time of an event is when it was recorded.

use serde_json::{Value, json};

use crate::availability::span_set::SpanSet;
use crate::model::check::Check;
use crate::model::id::{CheckId, SystemId};
use crate::model::span::Span;
use crate::model::system::System;
use crate::model::time::Millis;

use super::{Window, excluded};

/// Events that this reads begin so.
pub const KIND_PREFIX: &str = "maintenance.";

/// What is maintained.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// A whole system.
    System(SystemId),
    /// One check.
    Check(CheckId),
    /// Every check on a platform.
    Platform(String),
}

/// One announcement, with all that was said of it later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Its id.
    pub id: String,
    /// What is maintained.
    pub scope: Scope,
    /// When it was recorded.
    pub recorded: Millis,
    /// The time first announced.
    pub span: Span,
    /// Number of the document.
    pub notice: Option<String>,
    /// Who recorded it.
    pub who: String,
    /// What is done.
    pub why: String,
    /// Later ends, in the order recorded; each is later than the one before.
    pub extensions: Vec<Extension>,
    /// That it was taken back: from then on it announces nothing.
    pub cancelled: Option<Cancelled>,
}

/// A later end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// When it was recorded.
    pub recorded: Millis,
    /// The new end.
    pub to: Millis,
    /// Who recorded it.
    pub who: String,
    /// Why.
    pub why: String,
}

/// An end before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancelled {
    /// When it was recorded.
    pub recorded: Millis,
    /// Who recorded it.
    pub who: String,
    /// Why.
    pub why: String,
}

/// All announcements, in the order recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    announcements: Vec<Announcement>,
}

impl Scope {
    /// The key and the id of the event's `scope`.
    #[must_use]
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::System(id) => ("system", id.as_str()),
            Self::Check(id) => ("check", id.as_str()),
            Self::Platform(id) => ("platform", id),
        }
    }

    /// The same as [`Self::parts`] gives; `None` if it is no scope.
    #[must_use]
    pub fn of(key: &str, id: &str) -> Option<Self> {
        match key {
            "system" => SystemId::new(id).ok().map(Self::System),
            "check" => CheckId::new(id).ok().map(Self::Check),
            "platform" if !id.is_empty() => Some(Self::Platform(id.to_owned())),
            _ => None,
        }
    }

    /// Whether it is about the whole of `system`.
    #[must_use]
    pub fn is_all_of(&self, system: &System) -> bool {
        matches!(self, Self::System(id) if *id == system.id)
    }

    /// Whether it is about this check alone or with others, but not its whole system.
    #[must_use]
    pub fn has_check(&self, check: &Check) -> bool {
        match self {
            Self::System(_) => false,
            Self::Check(id) => *id == check.id,
            Self::Platform(platform) => check.platform.as_ref() == Some(platform),
        }
    }

    /// Whether it has to do with `system`: with all of it, or a check that runs.
    #[must_use]
    pub fn touches(&self, system: &System) -> bool {
        let mut running = system.checks.iter().filter(|it| it.disabled.is_none());
        self.is_all_of(system) || running.any(|it| self.has_check(it))
    }
}

impl Announcement {
    /// The end that holds now.
    #[must_use]
    pub fn end(&self) -> Millis {
        self.extensions.last().map_or(self.span.end(), |it| it.to)
    }

    /// The windows that it amounts to: the one first announced, and one for each extension, from
    /// the end before it, which is announced when the extension is recorded.
    #[must_use]
    pub fn windows(&self) -> Vec<Window> {
        let withdrawn = self.cancelled.as_ref().map(|it| it.recorded);
        let window = |recorded, announced| Window { recorded, announced, done: None, withdrawn };
        let mut windows = vec![window(self.recorded, self.span)];
        let mut end = self.span.end();
        for extension in &self.extensions {
            windows.extend(Span::new(end, extension.to).map(|it| window(extension.recorded, it)));
            end = end.max(extension.to);
        }
        windows
    }

    /// What of it leaves the figures under this notice.
    #[must_use]
    pub fn excluded(&self, notice_ms: i64) -> SpanSet {
        excluded(&self.windows(), notice_ms)
    }

    /// Whether it is under way at `at`, excluded or not.
    #[must_use]
    pub fn is_active(&self, at: Millis) -> bool {
        let on = self.span.start() <= at && at < self.end();
        on && self.cancelled.as_ref().is_none_or(|it| at < it.recorded)
    }

    /// The kind and body of the event that adds it.
    #[must_use]
    pub fn added(&self) -> (&'static str, Value) {
        let (key, id) = self.scope.parts();
        let body = json!({
            "id": self.id, "scope": { key: id }, "from_ms": self.span.start().0,
            "to_ms": self.span.end().0, "notice": self.notice, "who": self.who, "why": self.why,
        });
        ("maintenance.added", body)
    }
}

impl Extension {
    /// The kind and body of its event.
    #[must_use]
    pub fn event(&self, id: &str) -> (&'static str, Value) {
        let body = json!({ "id": id, "to_ms": self.to.0, "who": self.who, "why": self.why });
        ("maintenance.extended", body)
    }
}

impl Cancelled {
    /// The kind and body of its event.
    #[must_use]
    pub fn event(&self, id: &str) -> (&'static str, Value) {
        ("maintenance.cancelled", json!({ "id": id, "who": self.who, "why": self.why }))
    }
}

impl Journal {
    /// All announcements, in the order recorded.
    #[must_use]
    pub fn all(&self) -> &[Announcement] {
        &self.announcements
    }

    /// The announcement of this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Announcement> {
        self.announcements.iter().find(|it| it.id == id)
    }

    /// An id that none has.
    #[must_use]
    pub fn next_id(&self) -> String {
        let mut number = self.announcements.len() + 1;
        while self.get(&format!("bt-{number}")).is_some() {
            number += 1;
        }
        format!("bt-{number}")
    }

    /// Takes one event into account, told in the order of their numbers. Others than
    /// `maintenance.…` change nothing. `None`: it is of no known form, or of an unknown id.
    pub fn take(&mut self, at: Millis, kind: &str, body: &Value) -> Option<()> {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let (who, why) = (text("who"), text("why"));
        match kind {
            "maintenance.added" => {
                let (key, id) = body["scope"].as_object()?.iter().next()?;
                let announcement = Announcement {
                    id: body["id"].as_str().filter(|it| self.get(it).is_none())?.to_owned(),
                    scope: Scope::of(key, id.as_str()?)?,
                    recorded: at,
                    span: Span::new(
                        Millis(body["from_ms"].as_i64()?),
                        Millis(body["to_ms"].as_i64()?),
                    )?,
                    notice: body["notice"].as_str().map(str::to_owned),
                    who,
                    why,
                    extensions: Vec::new(),
                    cancelled: None,
                };
                self.announcements.push(announcement);
            }
            "maintenance.extended" => {
                let to = Millis(body["to_ms"].as_i64()?);
                let found = self.find(body)?;
                found.extensions.push(Extension { recorded: at, to, who, why });
            }
            "maintenance.cancelled" => {
                let found = self.find(body).filter(|it| it.cancelled.is_none())?;
                found.cancelled = Some(Cancelled { recorded: at, who, why });
            }
            _ if kind.starts_with(KIND_PREFIX) => return None,
            _ => {}
        }
        Some(())
    }

    fn find(&mut self, body: &Value) -> Option<&mut Announcement> {
        let id = body["id"].as_str()?;
        self.announcements.iter_mut().find(|it| it.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn added(from: i64, to: i64) -> Announcement {
        Announcement {
            id: "bt-1".to_owned(),
            scope: Scope::System(SystemId::new("vneid").unwrap()),
            recorded: Millis(0),
            span: Span::new(Millis(from * HOUR), Millis(to * HOUR)).unwrap(),
            notice: Some("TB 123".to_owned()),
            who: "a".to_owned(),
            why: "b".to_owned(),
            extensions: Vec::new(),
            cancelled: None,
        }
    }

    fn set(spans: &[(i64, i64)]) -> SpanSet {
        let span = |it: &(i64, i64)| Span::new(Millis(it.0 * HOUR), Millis(it.1 * HOUR));
        spans.iter().filter_map(span).collect()
    }

    #[test]
    fn what_was_written_is_what_is_read() {
        let first = added(30, 34);
        let mut journal = Journal::default();
        let (kind, body) = first.added();
        journal.take(Millis(0), kind, &body).unwrap();
        assert_eq!(journal.all(), [first]);
        assert_eq!(journal.take(Millis(0), kind, &body), None, "an id is used once");
        assert_eq!(journal.next_id(), "bt-2");

        let longer = Extension {
            recorded: Millis(HOUR),
            to: Millis(36 * HOUR),
            who: "c".to_owned(),
            why: "d".to_owned(),
        };
        let (kind, body) = longer.event("bt-1");
        journal.take(Millis(HOUR), kind, &body).unwrap();
        let end = Cancelled { recorded: Millis(2), who: "e".to_owned(), why: "f".to_owned() };
        let (kind, body) = end.event("bt-1");
        journal.take(Millis(2), kind, &body).unwrap();
        let read = journal.get("bt-1").unwrap();
        assert_eq!(
            (read.extensions.as_slice(), &read.cancelled),
            ([longer].as_slice(), &Some(end))
        );
        assert_eq!(journal.take(Millis(3), kind, &body), None, "it can be taken back once");
        assert_eq!(journal.take(Millis(3), "maintenance.other", &body), None);
        assert_eq!(journal.take(Millis(3), "clock.step", &body), Some(()));
    }

    #[test]
    fn an_extension_counts_from_the_end_before_it_and_by_its_own_time() {
        let extend = |recorded: i64, to: i64| Extension {
            recorded: Millis(recorded * HOUR),
            to: Millis(to * HOUR),
            who: String::new(),
            why: String::new(),
        };
        let mut window = added(24, 30);
        window.extensions = vec![extend(25, 32), extend(26, 60)];
        // The first extension came five hours before the old end, the second six before 32 h.
        assert_eq!(window.excluded(24 * HOUR), set(&[(24, 30)]));
        assert_eq!(window.excluded(6 * HOUR), set(&[(24, 30), (32, 60)]));
        assert_eq!(window.excluded(5 * HOUR), set(&[(24, 60)]));
        assert_eq!(window.end(), Millis(60 * HOUR));
        let recorded = Millis(31 * HOUR);
        window.cancelled = Some(Cancelled { recorded, who: String::new(), why: String::new() });
        assert_eq!(window.excluded(5 * HOUR), set(&[(24, 31)]));
        assert!(window.is_active(Millis(30 * HOUR)) && !window.is_active(recorded));
    }
}
