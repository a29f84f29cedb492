//! One step of the book: what is true now goes in; incidents open, change and close.
//!
//! Pure. A step with the same facts at the same time changes nothing, and the book says all that
//! the next step needs: it may be written and read again between any two. The wall clock may
//! jump: instants that lie ahead of it are taken as now, so nothing waits for a time that was
//! never meant.

mod happened;
mod clock;
mod echo;
mod known;
mod new;
mod unknown;

use std::collections::{BTreeMap, HashSet};

use jiff::tz::TimeZone;

use super::book::{Ack, Book, Ending, Escalation, Incident, IncidentId};
use super::condition::{Condition, Kind, Thread};
use super::facts::Facts;
use super::index::Index;
use super::root;
use crate::availability::burn;
use crate::model::alerting::Alerting;
use crate::model::alerting::rules::Severity;
use crate::model::time::Millis;

pub use happened::{Happened, What};

/// Most parts that an incident names, those of before included: more than systems are watched.
pub(super) const PARTS_MAX: usize = 10_000;

/// All that a step works with besides the book.
pub(super) struct Ctx<'a> {
    pub(super) now: Millis,
    pub(super) index: &'a Index<'a>,
    pub(super) alerting: &'a Alerting,
    pub(super) happened: Vec<Happened>,
    /// Incidents that began to say [`Kind::Down`] in this step.
    pub(super) newly_down: HashSet<IncidentId>,
    /// When the vantage last began to see again.
    sees_since: Option<Millis>,
}

/// Takes what is true now into the book, and says what changed: incident by incident, causes
/// last. `zone` gives the civil year of a new incident's number.
pub fn step(
    book: &mut Book,
    conditions: &[Condition],
    facts: &Facts,
    alerting: &Alerting,
    zone: &TimeZone,
) -> Vec<Happened> {
    clock::settle(book, facts.now, alerting);
    let index = Index::new(facts);
    let mut ctx = Ctx {
        now: facts.now,
        index: &index,
        alerting,
        happened: Vec::new(),
        newly_down: HashSet::new(),
        sees_since: None,
    };
    let mut threads: BTreeMap<&Thread, Vec<&Condition>> = BTreeMap::new();
    for condition in conditions {
        threads.entry(&condition.thread).or_default().push(condition);
    }
    let mut latest: BTreeMap<Thread, IncidentId> = BTreeMap::new();
    for incident in book.incidents.values_mut() {
        if incident.is_open() {
            let said = threads.remove(&incident.thread).unwrap_or_default();
            known::update(incident, &said, &mut ctx);
        } else if !threads.contains_key(&incident.thread) {
            // The quiet that a person asked for ends with what it was about.
            if !unknown::is_unknown(incident, &ctx) {
                incident.now.clear();
            }
        } else {
            let newest =
                latest.entry(incident.thread.clone()).or_insert_with(|| incident.id.clone());
            if newest.number() < incident.id.number() {
                *newest = incident.id.clone();
            }
        }
    }
    ctx.sees_since = echo::sees_since(book, facts.now);
    let mut news: Vec<(&Thread, Vec<&Condition>)> = threads.into_iter().collect();
    news.sort_by_key(|(_, said)| said.iter().map(|it| it.since).min());
    for (thread, said) in news {
        new::open(book, latest.get(thread), &said, zone, &mut ctx);
    }
    root::settle(book, &mut ctx);
    ctx.happened
}

/// Closes an incident because a person says that it is over, and with it those of its parts of
/// which nothing is true any more; the others lose their cause in time and stand for themselves.
/// While the same goes on, no louder, it stays closed for `ack_timeout_ms`; then it is open again.
pub fn close(book: &mut Book, id: &IncidentId, ack: &Ack) -> Vec<Happened> {
    let mut happened = Vec::new();
    let mut ids = vec![id.clone()];
    while let Some(id) = ids.pop() {
        let Some(incident) = book.incidents.get_mut(&id).filter(|it| it.is_open()) else {
            continue;
        };
        happened.push(end(incident, Ending::ByHand, ack.at));
        let what = What::Closed(Ending::ByHand);
        incident.note(ack.at, what.as_str(), format!("{} ({})", ack.by, ack.via));
        let is_over = |it: &Incident| {
            it.now.is_empty() && it.cause.as_ref().is_some_and(|cause| cause.incident == id)
        };
        let parts = incident.parts.clone();
        ids.extend(parts.into_iter().filter(|it| book.incidents.get(it).is_some_and(is_over)));
    }
    happened
}

/// Forgets closed incidents, except those that `keep` wants, that an open one names as its cause,
/// or that [`step`] still needs to know what is new.
pub fn prune(book: &mut Book, now: Millis, alerting: &Alerting, keep: impl Fn(&Incident) -> bool) {
    let causes = book.incidents.values().filter(|it| it.is_open());
    let causes: HashSet<IncidentId> =
        causes.filter_map(|it| it.cause.as_ref()).map(|it| it.incident.clone()).collect();
    let longest = burn::RULES.iter().map(|it| it.short_ms).max().unwrap_or_default();
    let needed_ms = longest
        .max(alerting.flapping.within_ms)
        .max(alerting.ack_timeout_ms)
        .saturating_add(alerting.resolve_after_ms.max(alerting.flapping.calm_ms));
    book.incidents.retain(|id, it| match it.closed {
        None => true,
        Some(closed) => now.since(closed) < needed_ms || causes.contains(id) || keep(it),
    });
}

/// Closes an incident. What was true of it by hand is kept, to know when it ends.
fn end(incident: &mut Incident, ending: Ending, at: Millis) -> Happened {
    incident.closed = Some(at);
    incident.ending = Some(ending);
    incident.held_until = None;
    if ending != Ending::ByHand {
        incident.now.clear();
    }
    Happened { at, incident: incident.id.clone(), what: What::Closed(ending) }
}

/// Opens a closed incident again: the next page is a new one.
fn reopen(incident: &mut Incident) {
    incident.closed = None;
    incident.ending = None;
    incident.calm_since = None;
    incident.cause = None;
    incident.ack = None;
    incident.escalation = Escalation { round: incident.escalation.round, ..Escalation::default() };
}

impl Ctx<'_> {
    /// Tells what happened, and notes it in the incident's log.
    pub(super) fn tell(&mut self, incident: &mut Incident, what: What) {
        incident.note(self.now, what.as_str(), what.to_string());
        self.happened.push(Happened { at: self.now, incident: incident.id.clone(), what });
    }

    /// Time from `then` to now; 0 if the clock went back.
    fn since(&self, then: Millis) -> i64 {
        self.now.since(then).max(0)
    }
}

/// Makes an incident louder. Who took it on did so when it could wait: that counts no more.
pub(super) fn grow_louder(incident: &mut Incident, severity: Severity) {
    if severity > incident.severity {
        incident.severity = severity;
        incident.ack = None;
    }
}

/// Whether it is said.
fn says(incident: &Incident, kind: Kind) -> bool {
    incident.now.iter().any(|it| it.kind == kind)
}

#[cfg(test)]
mod tests;
