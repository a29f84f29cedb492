//! What one instance should have, what it has accepted of it, and what is due when. Pure.
//!
//! Lengths are measured by `at_ms`, a clock that is never set (milliseconds since the loop began);
//! the wall clock ([`Millis`]) is only told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::status::{Quarantined, Status};
use super::{Alerts, AmAlert, Labels, RESEND_MS, RESOLVED_MS};
use crate::alert::book::IncidentId;
use crate::model::time::Millis;

/// What is due within this long is sent along: alerts keep together instead of scattering.
const TOGETHER_MS: i64 = 5_000;

/// After so long a refused alert is tried again: the instance may have been mended.
const QUARANTINE_MS: i64 = 5 * 60_000;

/// Most resolved alerts that are kept for an instance that does not answer. The oldest go first:
/// Alertmanager lets them end by itself.
const RESOLVED_KEPT_MAX: usize = 4_096;

/// After so long without a word on what should stand, the watchdog ends: it must not vouch for a
/// monitor that judges nothing any more. What fires stays.
const SILENCE_MS: i64 = 2 * 60_000;

/// Both clocks at one instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// The wall clock.
    pub(super) now: Millis,
    /// Since the loop began.
    pub(super) at_ms: i64,
}

/// Everything about one instance.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: BTreeMap<Labels, Entry>,
    /// When we were last told what should stand.
    heard_ms: i64,
    /// Since when incidents wait, by a ledger before this one.
    before: BTreeMap<IncidentId, Millis>,
}

/// One alert.
#[derive(Debug)]
struct Entry {
    alert: Arc<AmAlert>,
    /// Whether its present state, firing or resolved, was accepted since it is so.
    stands: bool,
    /// Since when it should stand so.
    since: Millis,
    /// When it was last accepted.
    posted_ms: Option<i64>,
    /// When we learnt that it is over.
    over_ms: Option<i64>,
    /// When last looked for it was not there though it was accepted.
    missing: bool,
    /// Whether it was accepted while it fired: by the instance as it runs now, and ever.
    fired: (bool, bool),
    quarantine: Option<Quarantine>,
}

#[derive(Debug)]
struct Quarantine {
    until_ms: i64,
    why: String,
    since: Millis,
}

impl Ledger {
    /// Of an instance that has not accepted these incidents, since when.
    pub(super) fn after(unaccepted: BTreeMap<IncidentId, Millis>) -> Self {
        Self { before: unaccepted, ..Self::default() }
    }

    /// The wall clock may have been set back: nothing waits since an instant ahead of it.
    pub(super) fn settle(&mut self, now: Millis) {
        self.entries.values_mut().for_each(|it| it.since = it.since.min(now));
    }

    /// Takes over what should stand there now. What fired and is no longer named is over; if its
    /// incident goes on under other labels, it says so in the words of what follows it.
    pub(super) fn want(&mut self, wanted: &Alerts, at: Reading) {
        self.heard_ms = at.at_ms;
        for alert in &wanted.all {
            if let Some(entry) = self.entries.get_mut(&alert.labels) {
                entry.change(alert, at);
            } else if worth_telling(alert, at.now) {
                let mut entry = Entry::new(alert, at);
                let before = alert.incident.as_ref().and_then(|it| self.before.get(it));
                entry.since = before.map_or(at.now, |it| at.now.min(*it));
                self.entries.insert(alert.labels.clone(), entry);
            }
        }
        self.before.clear();
        let named: BTreeSet<&Labels> = wanted.all.iter().map(|it| &it.labels).collect();
        let told = wanted.all.iter().filter_map(|it| Some((it.incident.as_ref()?, it)));
        let told: BTreeMap<&IncidentId, &Arc<AmAlert>> = told.collect();
        for (_, entry) in self.entries.iter_mut().filter(|it| !named.contains(it.0)) {
            let follows = entry.alert.incident.as_ref().and_then(|it| told.get(it));
            entry.replaced(follows.copied(), at);
        }
        self.clear(at.at_ms);
    }

    /// What is to be posted now, the most urgent first: what changed before what is only said
    /// again, pages first, and of one incident what fires before what is over.
    pub(super) fn due(&mut self, at: Reading) -> Vec<Arc<AmAlert>> {
        let at_ms = at.at_ms;
        if at_ms >= self.silent_ms() {
            self.entries.values_mut().filter(|it| it.is_watchdog()).for_each(|it| it.end(at));
        }
        self.clear(at_ms);
        if self.entries.values().all(|it| it.due_ms() > at_ms) {
            return Vec::new();
        }
        let mut due: Vec<&Entry> =
            self.entries.values().filter(|it| it.due_ms() <= at_ms + TOGETHER_MS).collect();
        due.sort_by_key(|it| {
            let page = it.alert.labels.get("severity").is_some_and(|it| it == "page");
            (it.stands, !page, &it.alert.incident, !it.alert.is_firing())
        });
        due.into_iter().map(|it| Arc::clone(&it.alert)).collect()
    }

    /// When something is due next.
    pub(super) fn next_ms(&self) -> Option<i64> {
        let watchdog = self.entries.values().any(Entry::is_watchdog).then(|| self.silent_ms());
        self.entries.values().map(Entry::due_ms).chain(watchdog).min()
    }

    /// From when on nobody says any more what should stand.
    const fn silent_ms(&self) -> i64 {
        self.heard_ms + SILENCE_MS
    }

    /// `alerts` were accepted.
    pub(super) fn accepted(&mut self, alerts: &[Arc<AmAlert>], at_ms: i64) {
        for alert in alerts {
            let Some(entry) = self.entries.get_mut(&alert.labels) else { continue };
            entry.posted_ms = Some(at_ms);
            entry.quarantine = None;
            entry.stands |= entry.alert.ends_at == alert.ends_at;
            if alert.is_firing() {
                entry.fired = (true, true);
            }
        }
    }

    /// `alert` is refused alone: it is left out.
    pub(super) fn refused(&mut self, alert: &AmAlert, why: String, at: Reading) {
        let Some(entry) = self.entries.get_mut(&alert.labels) else { return };
        let since = entry.quarantine.as_ref().map_or(at.now, |it| it.since);
        entry.quarantine = Some(Quarantine { until_ms: at.at_ms + QUARANTINE_MS, why, since });
    }

    /// The instance has started anew and forgot everything.
    pub(super) fn restarted(&mut self, at: Reading) {
        for entry in self.entries.values_mut() {
            entry.lost(at.now);
            entry.quarantine = None;
            entry.fired.0 = false;
        }
    }

    /// Of what was accepted and fires, only `present` is there.
    pub(super) fn verify(&mut self, present: &BTreeSet<Labels>, at: Reading) {
        for (labels, entry) in &mut self.entries {
            if entry.stands && entry.alert.is_firing() {
                entry.missing = !present.contains(labels);
                if entry.missing {
                    entry.lost(at.now);
                }
            }
        }
    }

    /// Whether something that fires was accepted, so that it can be looked for.
    pub(super) fn has_standing(&self) -> bool {
        self.entries.values().any(|it| it.stands && it.alert.is_firing())
    }

    /// Writes what is known here into `status`.
    pub(super) fn tell(&self, status: &mut Status) {
        let count =
            |which: fn(&Entry) -> bool| self.entries.values().filter(|it| which(it)).count();
        status.firing = count(|it| it.alert.is_firing());
        status.resolved = count(|it| !it.alert.is_firing());
        status.waiting = count(|it| !it.stands);
        status.dropped = count(|it| it.missing);
        let waiting = self.entries.values().filter(|it| !it.stands && it.alert.is_firing());
        let unaccepted = waiting.filter_map(|it| Some((it.alert.incident.clone()?, it.since)));
        status.unaccepted = unaccepted.collect();
        let untold = self.entries.values().filter(|it| it.is_untold());
        status.untold = untold.filter_map(|it| it.alert.incident.clone()).collect();
        let quarantined =
            self.entries.values().filter_map(|it| Some((it, it.quarantine.as_ref()?)));
        let quarantined = quarantined.map(|(it, quarantine)| Quarantined {
            alert: it.alert.name(),
            incident: it.alert.incident.clone(),
            why: quarantine.why.clone(),
            since: quarantine.since,
        });
        status.quarantined = quarantined.collect();
    }

    /// Forgets what is over for good.
    fn clear(&mut self, at_ms: i64) {
        self.entries.retain(|_, it| !it.is_done(at_ms));
        let mut over: Vec<i64> = self.entries.values().filter_map(|it| it.over_ms).collect();
        if let Some(surplus) = over.len().checked_sub(RESOLVED_KEPT_MAX).filter(|it| *it > 0) {
            over.sort_unstable();
            let (mut left, newest) = (surplus, over[surplus - 1]);
            self.entries.retain(|_, it| {
                let goes = left > 0 && it.over_ms.is_some_and(|over| over <= newest);
                left -= usize::from(goes);
                !goes
            });
        }
    }
}

impl Entry {
    fn new(alert: &Arc<AmAlert>, at: Reading) -> Self {
        Self {
            alert: Arc::clone(alert),
            stands: false,
            since: at.now,
            posted_ms: None,
            over_ms: (!alert.is_firing()).then_some(at.at_ms),
            missing: false,
            fired: (false, false),
            quarantine: None,
        }
    }

    /// The same alert, as it is now. Words alone can wait; a change of state can't.
    fn change(&mut self, alert: &Arc<AmAlert>, at: Reading) {
        if self.alert == *alert {
            return;
        }
        self.quarantine = None;
        let turns = self.alert.is_firing() != alert.is_firing();
        // When it was over is known best by who resolved it first: a later word changes nothing.
        if turns || alert.is_firing() {
            self.alert = Arc::clone(alert);
        }
        if turns {
            self.turned(at);
        }
    }

    /// It is no longer wanted; if its incident is told of by another alert, `follows`, it speaks
    /// in the words of that.
    fn replaced(&mut self, follows: Option<&Arc<AmAlert>>, at: Reading) {
        if let Some(follows) = follows.filter(|it| it.annotations != self.alert.annotations) {
            Arc::make_mut(&mut self.alert).annotations.clone_from(&follows.annotations);
        }
        if self.alert.is_firing() {
            self.end(at);
        }
    }

    fn end(&mut self, at: Reading) {
        Arc::make_mut(&mut self.alert).ends_at = Some(at.now);
        self.turned(at);
    }

    /// Whether it fires and is about nothing but ourselves being there.
    fn is_watchdog(&self) -> bool {
        self.alert.is_firing() && self.alert.incident.is_none()
    }

    /// It is over, and whoever was told that it fires may not be told so: the instance that told
    /// them started anew before it could.
    fn is_untold(&self) -> bool {
        !self.alert.is_firing() && self.fired == (false, true)
    }

    /// It fires, or is over, since now.
    fn turned(&mut self, at: Reading) {
        self.stands = false;
        self.missing = false;
        self.quarantine = None;
        self.since = at.now;
        self.over_ms = (!self.alert.is_firing()).then_some(at.at_ms);
    }

    /// It does not stand there any more.
    const fn lost(&mut self, now: Millis) {
        if self.stands {
            self.stands = false;
            self.since = now;
        }
    }

    /// When it is to be posted; in the past: now.
    fn due_ms(&self) -> i64 {
        match (&self.quarantine, self.posted_ms) {
            (Some(quarantine), _) => quarantine.until_ms,
            (None, Some(posted)) if self.stands => posted + RESEND_MS,
            (None, _) => i64::MIN,
        }
    }

    /// Over, accepted as such, and told for long enough; or never wanted there.
    fn is_done(&self, at_ms: i64) -> bool {
        let told = self.stands || self.quarantine.is_some();
        told && self.over_ms.is_some_and(|over| at_ms - over >= RESOLVED_MS)
    }
}

/// Whether an alert that is not known here needs to be told: of what was over long ago nobody
/// wants to hear.
fn worth_telling(alert: &AmAlert, now: Millis) -> bool {
    alert.ends_at.is_none_or(|over| now.since(over) <= RESOLVED_MS)
}

#[cfg(test)]
mod tests;
