//! What the journal says of promises and maintenance.

use std::sync::Arc;

use serde_json::Value;

use super::ReportError;
use super::alerts::Alerts;
use super::contract::{Contract, Promise, Tested};
use crate::availability::judge::Reach;
use crate::availability::maintenance::journal as maintenance;
use crate::history::{Event, HistoryError, Reader, StoredEvent};
use crate::model::check::Check;
use crate::model::id::{CheckId, SystemId};
use crate::model::span::Span;
use crate::model::step::Step;
use crate::model::time::Millis;

/// Events read at once: each may hold a contract, of some megabytes with ten thousand checks.
const EVENTS_A_PAGE: usize = 4;

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

/// What was promised of one system, and when. Of two in a row something counts in figures that is
/// not the same.
#[derive(Clone, Debug)]
pub struct Held {
    /// When.
    pub span: Span,
    /// The newest contract that says so.
    pub contract: Arc<Contract>,
    /// What was promised.
    pub promise: Arc<Promise>,
    /// Whether it is assumed, not from the journal.
    pub assumed: bool,
}

/// All that the journal says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// Contracts in order; each lasts until the next.
    pub terms: Vec<Term>,
    /// Maintenance as it was announced.
    pub maintenance: maintenance::Journal,
    /// Alerts; only [`Journal::read`] asks for them, since a daemon lives longer than a report.
    pub alerts: Alerts,
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
        let mut alerts = Alerts::default();
        let (mut journal, fault) = Self::each(reader, &mut |event| {
            if event.kind.starts_with("alert.") {
                alerts.take(event.at, &event.kind, &event.body);
            }
        })?;
        journal.alerts = alerts;
        fault.map_or(Ok(journal), Err)
    }

    /// Reads all of the journal that is understood, and says what is the first that is not.
    ///
    /// # Errors
    ///
    /// If it can't be read.
    pub fn heard(reader: &Reader) -> Result<(Self, Option<ReportError>), HistoryError> {
        Self::each(reader, &mut |_| ())
    }

    /// The same, and shows every event to `look`.
    fn each(
        reader: &Reader,
        look: &mut dyn FnMut(&Event),
    ) -> Result<(Self, Option<ReportError>), HistoryError> {
        let mut journal = Self { head: reader.head()?, ..Self::default() };
        let (mut after, mut fault) = (0, None);
        loop {
            let events = reader.told(after, EVENTS_A_PAGE)?;
            let Some(last) = events.last() else { break };
            after = last.seq;
            for StoredEvent { seq, event, .. } in &events {
                fault = fault.or(journal.hear(event, *seq).err());
                look(event);
            }
        }
        Ok((journal, fault))
    }

    /// Takes one event in; `seq` is its number, 0 if it has none yet.
    ///
    /// # Errors
    ///
    /// As [`Journal::read`].
    pub fn hear(&mut self, event: &Event, seq: i64) -> Result<(), ReportError> {
        let body = &event.body;
        let fault = |fault: String| ReportError::Journal { seq, fault };
        match event.kind.as_str() {
            "process.start" | "config.loaded" => match body.get("contract") {
                None | Some(Value::Null) => Ok(()),
                Some(value) => {
                    let contract =
                        Contract::from_json(value).map_err(|it| fault(it.to_string()))?;
                    let fingerprint = body["config"].as_str().unwrap_or_default().to_owned();
                    self.begin(event.at, seq, contract, fingerprint);
                    Ok(())
                }
            },
            kind if kind.starts_with(maintenance::KIND_PREFIX) => {
                let taken = self.maintenance.take(event.at, kind, body);
                taken.ok_or_else(|| fault(format!("`{kind}` is not understood: {body}")))
            }
            _ => Ok(()),
        }
    }

    /// What was promised of a system, in order.
    #[must_use]
    pub fn of(&self, system: &SystemId) -> Vec<Held> {
        let mut held: Vec<Held> = Vec::new();
        let mut near = 0;
        for Term { span, contract, event, .. } in &self.terms {
            let Some(place) = contract.place(system, near) else { continue };
            near = place;
            let (promise, assumed) = (&contract.systems[place], event.is_none());
            match held.last_mut() {
                Some(last)
                    if last.span.end() == span.start()
                        && last.assumed == assumed
                        && (Arc::ptr_eq(&last.promise, promise) || last.promise == *promise)
                        && last.contract.means_the_same(contract, promise) =>
                {
                    last.span = Span::new(last.span.start(), span.end()).unwrap_or(*span);
                    last.contract = Arc::clone(contract);
                }
                _ => held.push(Held {
                    span: *span,
                    contract: Arc::clone(contract),
                    promise: Arc::clone(promise),
                    assumed,
                }),
            }
        }
        held
    }

    /// How far results of a check speak, by when they started; from `now` on as it is configured.
    #[must_use]
    pub fn reach(&self, check: &Check, now: Millis) -> Reach {
        let mut steps = steps(&self.of(&check.system), &check.id);
        let step = Step::of(&check.id, check.interval_ms);
        if steps.last().is_none_or(|it| it.2 != step) {
            steps.push((now, check.interval_ms, step));
        }
        reach(&steps)
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
    fn begin(&mut self, at: Millis, seq: i64, mut contract: Contract, fingerprint: String) {
        let Some(span) = Span::new(at, Millis(i64::MAX)) else { return };
        self.terms.retain(|it| it.span.start() < at);
        if let Some(last) = self.terms.last_mut() {
            last.span = Span::new(last.span.start(), at).unwrap_or(last.span);
            contract.share(&last.contract);
        }
        let contract = Arc::new(contract);
        self.terms.push(Term { span, contract, fingerprint, event: Some(seq) });
    }
}

impl Held {
    /// The check, if it was to be run.
    #[must_use]
    pub fn check(&self, id: &CheckId) -> Option<&Tested> {
        self.promise.check(id).filter(|it| it.enabled)
    }

    /// Names what is judged by it: equal for equal promises.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.contract.digest(&self.promise)
    }

    /// Notice that maintenance must be given, in milliseconds.
    pub(super) fn notice_ms(&self) -> i64 {
        self.promise.notice_ms.unwrap_or(self.contract.notice_ms)
    }
}

/// The schedules of a check: from when, the interval as written, and what follows from it.
pub(super) fn steps(held: &[Held], id: &CheckId) -> Vec<(Millis, i64, Step)> {
    let mut steps: Vec<(Millis, i64, Step)> = Vec::new();
    for (span, tested) in held.iter().filter_map(|it| Some((it.span, it.check(id)?))) {
        let step = Step::of(id, tested.interval_ms);
        if steps.last().is_none_or(|it| it.2 != step) {
            steps.push((span.start(), tested.interval_ms, step));
        }
    }
    steps
}

/// How far results speak under schedules; the first counts also before it began.
pub(super) fn reach(steps: &[(Millis, i64, Step)]) -> Reach {
    let constant = Reach::constant(steps.first().map_or(1, |it| it.2.reach_ms()));
    steps.iter().skip(1).fold(constant, |it, (at, _, step)| it.then(*at, step.reach_ms()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::availability::sketch;
    use crate::model::check::IpChoice;

    /// A contract of the system of sketched checks.
    fn told(at: i64, interval_ms: i64, enabled: bool, owner: &str) -> Event {
        let check = json!({
            "confirm": 3, "critical": true, "enabled": enabled, "id": "c",
            "interval_ms": interval_ms, "lanes": ["any"], "name": "C",
        });
        let system = json!({
            "checks": [check], "hours": "always", "id": "s", "maintenance": [], "name": "S",
            "owner": "o",
        });
        let contract = json!({
            "coverage_ppm": 990_000, "holidays": [], "notice_ms": 1,
            "owners": [{ "id": "o", "name": owner }], "systems": [system],
            "vantages": ["v"], "version": 1, "zone": "UTC",
        });
        let body = json!({ "contract": contract });
        Event { at: Millis(at), kind: "config.loaded".to_owned(), body }
    }

    #[test]
    fn results_speak_as_far_as_the_contract_of_their_time_has_it() {
        let check = sketch::check(30_000, 3, IpChoice::Any);
        let reach_ms = |interval_ms| Step::of(&check.id, interval_ms).reach_ms();
        let (mut journal, now) = (Journal::default(), Millis(500));
        let constant = Reach::constant(reach_ms(30_000));
        assert_eq!(journal.reach(&check, now), constant, "no contract tells");
        for (at, interval_ms, enabled) in
            [(100, 600_000, true), (200, 600_000, true), (300, 60_000, false), (400, 30_000, true)]
        {
            journal.hear(&told(at, interval_ms, enabled, "O"), at).unwrap();
        }
        let first = Reach::constant(reach_ms(600_000));
        let expected = first.clone().then(Millis(400), reach_ms(30_000));
        assert_eq!(journal.reach(&check, now), expected);
        // The clock was set back; what is configured is not told yet.
        journal.hear(&told(350, 60_000, true, "O"), 9).unwrap();
        let expected = first.then(Millis(350), reach_ms(60_000)).then(now, reach_ms(30_000));
        assert_eq!(journal.reach(&check, now), expected);
    }

    #[test]
    fn contracts_that_mean_the_same_for_a_system_are_one_and_share_their_memory() {
        let mut journal = Journal::default();
        for (at, interval_ms, owner) in [(1, 60_000, "O"), (2, 60_000, "P"), (3, 30_000, "P")] {
            journal.hear(&told(at, interval_ms, true, owner), at).unwrap();
        }
        let promise = |place: usize| &journal.terms[place].contract.systems[0];
        assert!(Arc::ptr_eq(promise(0), promise(1)) && !Arc::ptr_eq(promise(1), promise(2)));
        let held = journal.of(&SystemId::new("s").unwrap());
        let spans: Vec<_> = held.iter().map(|it| (it.span.start().0, it.span.end().0)).collect();
        assert_eq!(spans, [(1, 3), (3, i64::MAX)]);
        assert_eq!(held[0].contract.owners[0].name, "P", "the newest");
        assert_ne!(held[0].digest(), held[1].digest());
        assert_eq!(journal.of(&SystemId::new("t").unwrap()).len(), 0);
    }
}
