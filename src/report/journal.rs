//! What the journal says of promises and maintenance.

use std::sync::Arc;

use serde_json::Value;

use super::ReportError;
use super::contract::Contract;
use crate::availability::maintenance::journal as maintenance;
use crate::history::{Reader, StoredEvent};
use crate::model::span::Span;
use crate::model::time::Millis;

/// Events read at once: each may hold a contract, of some megabytes with ten thousand checks.
const EVENTS_A_PAGE: usize = 16;

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

/// All that the journal says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// Contracts in order; each lasts until the next.
    pub terms: Vec<Term>,
    /// Maintenance as it was announced.
    pub maintenance: maintenance::Journal,
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
        let mut journal = Self { head: reader.head()?, ..Self::default() };
        let mut after = 0;
        loop {
            let events = reader.told(after, EVENTS_A_PAGE)?;
            let Some(last) = events.last() else { break };
            after = last.seq;
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
            kind if kind.starts_with(maintenance::KIND_PREFIX) => {
                let taken = self.maintenance.take(stored.event.at, kind, body);
                taken.ok_or_else(|| fault(format!("`{kind}` is not understood: {body}")))
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
}
