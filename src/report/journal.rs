//! What the journal says of promises and maintenance.

use std::sync::Arc;

use serde_json::Value;

use super::ReportError;
use super::contract::Contract;
use crate::history::{Reader, StoredEvent};
use crate::model::id::{CheckId, SystemId};
use crate::model::span::Span;
use crate::model::time::Millis;

/// Events read at once: a few hundred kilobytes, contracts included.
const EVENTS_A_PAGE: usize = 256;

/// A contract and when it was in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// From its event until the event of the next; the last has no end.
    pub span: Span,
    /// What was promised.
    pub contract: Arc<Contract>,
    /// Fingerprint of the configuration it comes from, as the event tells.
    pub fingerprint: String,
    /// Number of the event; `None`: not from the journal but assumed, for lack of one.
    pub event: Option<i64>,
}

/// Maintenance as it was announced, step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub scope: Scope,
    /// The time announced, extensions included.
    pub span: Span,
    /// When each piece of it was recorded: the first, then the extensions.
    pub pieces: Vec<(Millis, Span)>,
    /// When it was taken back.
    pub cancelled: Option<Millis>,
    /// Number of the notice, as cited; empty if none was given.
    pub notice: String,
    /// Who announced it.
    pub who: String,
    /// What for.
    pub why: String,
}

/// What maintenance is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A whole system.
    System(SystemId),
    /// One check.
    Check(CheckId),
    /// Every check on a platform.
    Platform(String),
}

/// All that the journal says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// Contracts in order; each lasts until the next.
    pub terms: Vec<Term>,
    /// Announcements in order of their record.
    pub announcements: Vec<Announcement>,
    /// Number and hash of the newest event.
    pub head: Option<(i64, [u8; 32])>,
}

impl Journal {
    /// Reads the journal.
    ///
    /// # Errors
    ///
    /// [`ReportError::Journal`] for a contract or an announcement that can't be understood: a
    /// figure must not be worked out without it.
    pub fn read(reader: &Reader) -> Result<Self, ReportError> {
        let mut journal = Self::default();
        let mut after = 0;
        loop {
            let events = reader.events(after, EVENTS_A_PAGE)?;
            let Some(last) = events.last() else { break };
            after = last.seq;
            journal.head = Some((last.seq, last.hash));
            events.iter().try_for_each(|it| journal.take(it))?;
        }
        Ok(journal)
    }

    /// Takes one event in.
    ///
    /// # Errors
    ///
    /// As [`Journal::read`].
    pub fn take(&mut self, stored: &StoredEvent) -> Result<(), ReportError> {
        let body = &stored.event.body;
        let fault = |fault: String| ReportError::Journal { seq: stored.seq, fault };
        match stored.event.kind.as_str() {
            "process.start" | "config.loaded" => match body.get("contract") {
                None | Some(Value::Null) => Ok(()),
                Some(value) => {
                    let contract =
                        Contract::from_json(value).map_err(|it| fault(it.to_string()))?;
                    let fingerprint = body["config"].as_str().unwrap_or_default().to_owned();
                    self.begin(stored, contract, fingerprint);
                    Ok(())
                }
            },
            "maintenance.added" => {
                self.announcements.push(added(stored).map_err(fault)?);
                Ok(())
            }
            "maintenance.extended" => {
                let to = instant(body, "to").map_err(fault)?;
                let found = self.find(body).map_err(fault)?;
                let piece = Span::new(found.span.end(), to);
                let longer = Span::new(found.span.start(), to);
                let (piece, longer) = piece
                    .zip(longer)
                    .ok_or_else(|| fault(format!("`{}` is not made longer by this", found.id)))?;
                found.pieces.push((stored.event.at, piece));
                found.span = longer;
                Ok(())
            }
            "maintenance.cancelled" => {
                let found = self.find(body).map_err(fault)?;
                found.cancelled.get_or_insert(stored.event.at);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The same with `contract` in force before the first one that the journal tells of.
    #[must_use]
    pub fn assuming(mut self, contract: Contract, fingerprint: String) -> Self {
        let end = self.terms.first().map_or(Millis(i64::MAX), |it| it.span.start());
        if let Some(span) = Span::new(Millis(i64::MIN), end) {
            let contract = Arc::new(contract);
            self.terms.insert(0, Term { span, contract, fingerprint, event: None });
        }
        self
    }

    /// A contract takes the place of the one before it. A clock that was set back may put it
    /// before others: what was recorded last counts, from its instant on.
    fn begin(&mut self, stored: &StoredEvent, contract: Contract, fingerprint: String) {
        let at = stored.event.at;
        let Some(span) = Span::new(at, Millis(i64::MAX)) else { return };
        self.terms.retain(|it| it.span.start() < at);
        if let Some(last) = self.terms.last_mut()
            && let Some(cut) = Span::new(last.span.start(), at)
        {
            last.span = cut;
        }
        let event = Some(stored.seq);
        self.terms.push(Term { span, contract: Arc::new(contract), fingerprint, event });
    }

    fn find(&mut self, body: &Value) -> Result<&mut Announcement, String> {
        let id = text(body, "id")?;
        let found = self.announcements.iter_mut().find(|it| it.id == id);
        found.ok_or_else(|| format!("no maintenance `{id}` was announced before"))
    }
}

fn added(stored: &StoredEvent) -> Result<Announcement, String> {
    let body = &stored.event.body;
    let (from, to) = (instant(body, "from")?, instant(body, "to")?);
    let span = Span::new(from, to).ok_or("its end is not after its start")?;
    Ok(Announcement {
        id: text(body, "id")?,
        scope: scope(&body["scope"])?,
        span,
        pieces: vec![(stored.event.at, span)],
        cancelled: None,
        notice: optional(body, "notice"),
        who: optional(body, "who"),
        why: optional(body, "why"),
    })
}

/// `{"system": "vneid"}`, `{"check": "vneid-home"}` or `{"platform": "g-cloud"}`.
fn scope(value: &Value) -> Result<Scope, String> {
    let named = |key: &str| value.get(key).and_then(Value::as_str);
    if let Some(id) = named("system") {
        SystemId::new(id).map(Scope::System).map_err(|it| it.to_string())
    } else if let Some(id) = named("check") {
        CheckId::new(id).map(Scope::Check).map_err(|it| it.to_string())
    } else if let Some(name) = named("platform") {
        Ok(Scope::Platform(name.to_owned()))
    } else {
        Err(format!("scope {value} is neither a system, a check nor a platform"))
    }
}

fn instant(body: &Value, key: &str) -> Result<Millis, String> {
    let at = body.get(key).and_then(Value::as_i64).map(Millis);
    at.ok_or_else(|| format!("`{key}` is not an instant in milliseconds"))
}

fn text(body: &Value, key: &str) -> Result<String, String> {
    let text = body.get(key).and_then(Value::as_str).map(str::to_owned);
    text.ok_or_else(|| format!("`{key}` is missing"))
}

fn optional(body: &Value, key: &str) -> String {
    body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}
