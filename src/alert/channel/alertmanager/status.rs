//! How one Alertmanager is doing: for metrics, for the monitor's own alerts, and for the rule by
//! which the direct channels take over.

use std::collections::{BTreeMap, BTreeSet};

use super::caller;
use crate::alert::book::IncidentId;
use crate::alert::facts::{Trouble, TroubleKind};
use crate::model::alerting::channel::Alertmanager;
use crate::model::time::Millis;

/// After so long without an acceptance the direct channels page instead.
pub const TAKE_OVER_MS: i64 = 60_000;

/// The state of one instance. Counts are since the loop began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Host and port, for logs and metrics.
    pub name: String,
    /// When its loop began.
    pub begun: Millis,
    /// When it last accepted anything.
    pub last_accepted: Option<Millis>,
    /// Since when every attempt failed; `None`: the last one did not.
    pub failing_since: Option<Millis>,
    /// Why the last attempt failed, without secrets.
    pub why: Option<String>,
    /// Alerts that should fire there.
    pub firing: usize,
    /// Resolved alerts that are still told.
    pub resolved: usize,
    /// Of both, those that it has not accepted as they are now.
    pub waiting: usize,
    /// What came of every alert in every post.
    pub counts: Counts,
    /// What it refuses, alone.
    pub quarantined: Vec<Quarantined>,
    /// Open incidents that it has not accepted, and since when they should stand there.
    pub unaccepted: BTreeMap<IncidentId, Millis>,
    /// Incidents closed within the last minutes whose end it may never tell, though it may have
    /// told that they fire: it started anew in between.
    pub untold: BTreeSet<IncidentId>,
    /// Alerts that it accepted and, when last asked, did not have: a limit drops them.
    pub dropped: usize,
    /// Since when there are such.
    pub dropped_since: Option<Millis>,
    /// How often it was seen to have started anew.
    pub restarts: u64,
    /// Its version, as it says.
    pub version: Option<String>,
    /// By how much its clock is ahead of ours (negative: behind), in milliseconds; within some
    /// seconds it is 0.
    pub skew_ms: i64,
}

/// What came of alerts, each counted each time it was posted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// In a post that was answered 2xx.
    pub accepted: u64,
    /// Refused alone.
    pub refused: u64,
    /// In a post of which nothing is known.
    pub failed: u64,
}

/// An alert that is left out because it alone is refused. Tried again when it changes, when the
/// Alertmanager starts anew, and now and then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// Its name and incident.
    pub alert: String,
    /// The incident; `None`: the watchdog.
    pub incident: Option<IncidentId>,
    /// What Alertmanager says.
    pub why: String,
    /// Since when.
    pub since: Millis,
}

impl Status {
    /// How an instance is doing before its loop has begun. Gives it the time from `now` until
    /// others take over.
    #[must_use]
    pub fn new(settings: &Alertmanager, now: Millis) -> Self {
        Self { name: caller::name(&settings.url), begun: now, ..Self::default() }
    }

    /// Instants that lie ahead of the clock, which was set back, are taken as now: an instance
    /// that is dead must not count as alive until the clock has caught up.
    pub(super) fn settle(&mut self, now: Millis) {
        self.begun = self.begun.min(now);
        for past in [&mut self.last_accepted, &mut self.failing_since, &mut self.dropped_since] {
            *past = past.map(|it| it.min(now));
        }
        self.unaccepted.values_mut().for_each(|it| *it = now.min(*it));
    }

    /// Whether it has accepted anything within [`TAKE_OVER_MS`] before `now`. While all is well
    /// the watchdog alone is accepted every 30 s.
    #[must_use]
    pub fn accepts(&self, now: Millis) -> bool {
        now.since(self.last_accepted.unwrap_or(self.begun)) <= TAKE_OVER_MS
    }

    /// What the monitor should tell of itself: the instance accepts nothing, or refuses or drops
    /// single alerts.
    #[must_use]
    pub fn troubles(&self, now: Millis) -> Vec<Trouble> {
        let trouble = |kind, since, why| Trouble { kind, subject: self.name.clone(), since, why };
        let mut troubles = Vec::new();
        if !self.accepts(now) {
            let since = self.last_accepted.unwrap_or(self.begun);
            let why = self.why.clone().unwrap_or_else(|| "no answer yet".to_owned());
            let since = self.failing_since.unwrap_or(since);
            troubles.push(trouble(TroubleKind::AlertmanagerFailing, since, why));
        }
        if let Some(first) = self.quarantined.iter().min_by_key(|it| it.since) {
            let why = format!("{}: {}", first.alert, first.why);
            troubles.push(trouble(TroubleKind::AlertRefused, first.since, why));
        } else if let Some(since) = self.dropped_since {
            let why = format!("{} alerts were accepted and then dropped", self.dropped);
            troubles.push(trouble(TroubleKind::AlertRefused, since, why));
        }
        troubles
    }

    /// Whether it can be counted on to tell of `incident`.
    fn has(&self, incident: &IncidentId, now: Millis) -> bool {
        let late = |since: &Millis| now.since(*since) > TAKE_OVER_MS;
        self.accepts(now) && !self.unaccepted.get(incident).is_some_and(late)
    }
}

/// Whether no instance can be counted on for `incident` at `now`: somebody else must page. Also
/// true without any instance.
#[must_use]
pub fn must_take_over<'a>(
    statuses: impl IntoIterator<Item = &'a Status>,
    incident: &IncidentId,
    now: Millis,
) -> bool {
    !statuses.into_iter().any(|it| it.has(incident, now))
}

/// Whether no instance can be counted on to tell that the closed `incident` is over, though one may
/// have told that it fires: somebody else must. Also true without any instance.
#[must_use]
pub fn must_tell_the_end<'a>(
    statuses: impl IntoIterator<Item = &'a Status>,
    incident: &IncidentId,
    now: Millis,
) -> bool {
    !statuses.into_iter().any(|it| it.accepts(now) && !it.untold.contains(incident))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted_at(at: i64) -> Status {
        Status { last_accepted: Some(Millis(at)), ..Status::default() }
    }

    #[test]
    fn the_direct_channels_take_over_when_no_instance_has_the_incident_for_a_minute() {
        let incident = IncidentId("SC-2026-0001".into());
        let takes_over = |all: &[Status], now| must_take_over(all, &incident, Millis(now));
        assert!(takes_over(&[], 0));
        assert!(!takes_over(&[accepted_at(0)], 60_000));
        assert!(takes_over(&[accepted_at(0)], 60_001));
        assert!(!takes_over(&[accepted_at(0), accepted_at(30_000)], 60_001));
        let mut refusing = accepted_at(120_000);
        refusing.unaccepted.insert(incident.clone(), Millis(60_000));
        assert!(!takes_over(std::slice::from_ref(&refusing), 120_000));
        assert!(takes_over(std::slice::from_ref(&refusing), 120_001));
        assert!(!takes_over(&[refusing, accepted_at(120_000)], 120_001));
    }

    #[test]
    fn a_dead_instance_is_not_alive_because_the_clock_was_set_back() {
        let incident = IncidentId("SC-2026-0001".into());
        let mut dead = Status { begun: Millis(3_000_000), ..accepted_at(3_600_000) };
        dead.unaccepted.insert(incident.clone(), Millis(3_600_000));
        dead.settle(Millis(0));
        let takes_over = |now| must_take_over([&dead], &incident, Millis(now));
        assert!(!takes_over(60_000) && takes_over(60_001));
        assert_eq!((dead.begun, dead.unaccepted[&incident]), (Millis(0), Millis(0)));
        let mut same = accepted_at(5);
        same.settle(Millis(10));
        assert_eq!(same, accepted_at(5));
    }

    #[test]
    fn an_instance_that_never_answered_is_given_a_minute_from_the_start() {
        let status = Status { begun: Millis(1_000), ..Status::default() };
        assert!(status.accepts(Millis(61_000)));
        assert!(!status.accepts(Millis(61_001)));
    }

    #[test]
    fn an_end_that_no_instance_will_tell_is_told_by_others() {
        let incident = IncidentId("SC-2026-0001".into());
        let tells = |all: &[Status]| must_tell_the_end(all, &incident, Millis(60_000));
        let mut forgot = accepted_at(60_000);
        forgot.untold.insert(incident.clone());
        assert!(!tells(&[accepted_at(60_000)]));
        assert!(tells(std::slice::from_ref(&forgot)));
        assert!(!tells(&[forgot.clone(), accepted_at(60_000)]));
        assert!(tells(&[forgot, accepted_at(-1)]));
    }

    #[test]
    fn what_is_wrong_with_an_instance_is_told_once_for_each_kind() {
        let kinds = |it: &Status| -> Vec<TroubleKind> {
            it.troubles(Millis(60_001)).into_iter().map(|it| it.kind).collect()
        };
        assert_eq!(kinds(&accepted_at(1)), []);
        assert_eq!(kinds(&accepted_at(0)), [TroubleKind::AlertmanagerFailing]);
        let quarantined = |since| Quarantined {
            alert: "ThongsuotServiceDown SC-2026-0001".into(),
            incident: None,
            why: "answers 400: no".into(),
            since: Millis(since),
        };
        let mut refusing = accepted_at(1);
        refusing.quarantined = vec![quarantined(7), quarantined(5)];
        refusing.dropped = 1;
        refusing.dropped_since = Some(Millis(9));
        let told = refusing.troubles(Millis(60_001));
        assert_eq!(
            (told.len(), told[0].kind, told[0].since),
            (1, TroubleKind::AlertRefused, Millis(5))
        );
        assert_eq!(told[0].why, "ThongsuotServiceDown SC-2026-0001: answers 400: no");
        refusing.quarantined.clear();
        assert_eq!(kinds(&refusing), [TroubleKind::AlertRefused]);
    }
}
