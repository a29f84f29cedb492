//! From the book of incidents to the alerts that should stand in Alertmanager. Pure.
//!
//! One alert an incident. What identifies it is what rules and routes look at: name, incident,
//! system, owner, severity, kind, team. When an incident gets worse its alert therefore becomes
//! another one: the old one is resolved, and the shipped rules of inhibition keep that from being
//! told as an all-clear. The same holds when it becomes part of another incident (`cause`) or
//! falls into maintenance (`maintenance`). Nothing measured is a label.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use url::Url;

use super::text::{Checks, Words};
use super::{Alerts, AmAlert, Labels, RESOLVED_MS};
use crate::alert::book::{Book, Incident};
use crate::alert::condition::Thread;
use crate::alert::word;
use crate::model::alerting::Alerting;
use crate::model::alerting::rules::Severity;
use crate::model::id::{OwnerId, SystemId};
use crate::model::system::{Roster, System};
use crate::model::time::Millis;

/// The alert that always fires: whoever waits for it learns when it stops.
pub const WATCHDOG: &str = "ThongsuotWatchdog";

/// Longest value of an annotation, in characters: so an alert is far below a batch.
const TEXT_CHARS_MAX: usize = 2_000;

/// One alert for every open incident and every one closed within the last [`RESOLVED_MS`], and
/// the watchdog, which fires since `begun`. `zone` is that of the times in the texts.
#[must_use]
pub fn alerts(
    book: &Book,
    roster: &Roster,
    alerting: &Alerting,
    zone: &TimeZone,
    (begun, now): (Millis, Millis),
) -> Alerts {
    let told = |it: &&Incident| it.closed.is_none_or(|at| now.since(at) <= RESOLVED_MS);
    let (index, words) = (Index::new(roster), Words { language: alerting.language, zone });
    let mut all = vec![Arc::new(watchdog(alerting, begun))];
    for incident in book.incidents.values().filter(told) {
        all.push(Arc::new(alert(incident, &index, alerting, words, now)));
    }
    Alerts { all }
}

/// The address of an incident's page.
#[must_use]
pub fn incident_url(base: &Url, incident: &str) -> Option<String> {
    let mut url = base.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(["incidents", incident]);
    Some(url.into())
}

/// Two monitors that tell one Alertmanager have a watchdog each if each has a public address.
fn watchdog(alerting: &Alerting, begun: Millis) -> AmAlert {
    let mut labels = Labels::new();
    put(&mut labels, "alertname", WATCHDOG);
    put(&mut labels, "severity", Severity::Info.as_str());
    put(&mut labels, "kind", "watchdog");
    if let Some(host) = alerting.public_url.as_ref().and_then(Url::host_str) {
        put(&mut labels, "monitor", host);
    }
    let mut annotations = BTreeMap::new();
    put(&mut annotations, "summary", super::text::watchdog(alerting.language));
    let generator_url = alerting.public_url.as_ref().map(ToString::to_string);
    // Without a start Alertmanager takes its end for it.
    let starts_at = Some(begun);
    AmAlert { labels, annotations, starts_at, generator_url, ..AmAlert::default() }
}

fn alert(
    incident: &Incident,
    index: &Index<'_>,
    alerting: &Alerting,
    words: Words<'_>,
    now: Millis,
) -> AmAlert {
    let system = index.system(&incident.thread);
    let url = alerting.public_url.as_ref().and_then(|base| incident_url(base, &incident.id.0));
    AmAlert {
        labels: labels(incident, system, alerting, now),
        annotations: annotations(incident, index, alerting, words, url.as_deref()),
        // Not `since`, which is in the past: Alertmanager would tell of it without waiting for
        // what belongs to it.
        starts_at: Some(incident.opened),
        ends_at: incident.closed.map(|at| Millis(at.0.max(incident.opened.0))),
        generator_url: url,
        incident: Some(incident.id.clone()),
    }
}

fn labels(
    incident: &Incident,
    system: Option<&System>,
    alerting: &Alerting,
    now: Millis,
) -> Labels {
    let mut labels = Labels::new();
    put(&mut labels, "alertname", incident.kind.alert_name());
    put(&mut labels, "incident", &incident.id.0);
    put(&mut labels, "kind", &word(&incident.kind));
    match &incident.thread {
        Thread::Service(id) | Thread::Coverage(id) | Thread::Objective(id) => {
            put(&mut labels, "system", id.as_str());
        }
        Thread::Certificate(check) => put(&mut labels, "check", check.as_str()),
        Thread::Monitor(trouble, subject) => {
            put(&mut labels, "trouble", &word(trouble));
            put(&mut labels, "subject", subject);
        }
        Thread::Drill(name) => put(&mut labels, "drill", name),
    }
    if let Some(system) = system {
        put(&mut labels, "system", system.id.as_str());
        put(&mut labels, "owner", system.owner.as_str());
    }
    if let Some(team) = incident.team.as_ref().or(alerting.teams.first().map(|it| &it.id)) {
        put(&mut labels, "team", team.as_str());
    }
    // A part, or one that waits for what it depends on, is told but wakes nobody.
    let held = incident.held_until.is_some_and(|until| now < until);
    let quiet = held || incident.cause.is_some();
    let severity = if quiet { Severity::Info } else { incident.severity };
    put(&mut labels, "severity", severity.as_str());
    if let Some(cause) = &incident.cause {
        put(&mut labels, "cause", &cause.incident.0);
    }
    if incident.maintained {
        put(&mut labels, "maintenance", "true");
    }
    labels
}

fn annotations(
    incident: &Incident,
    index: &Index<'_>,
    alerting: &Alerting,
    words: Words<'_>,
    url: Option<&str>,
) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let system = index.system(&incident.thread);
    let name = system.map_or_else(|| subject(&incident.thread), |it| it.name.clone());
    put(&mut texts, "summary", &words.summary(incident, &name));
    put(&mut texts, "description", &words.description(incident, &index.checks));
    put(&mut texts, "since", &words.time(incident.since));
    put(&mut texts, "incident_url", url.unwrap_or_default());
    if let Some(system) = system {
        put(&mut texts, "system_name", &system.name);
        put(&mut texts, "owner_name", index.owners.get(&system.owner).copied().unwrap_or_default());
        put(&mut texts, "runbook", system.alert.runbook.as_deref().unwrap_or_default());
        let panel = alerting.grafana_url.as_deref().unwrap_or_default();
        put(&mut texts, "grafana_url", &panel.replace("{system}", system.id.as_str()));
    }
    texts
}

/// The roster by id.
struct Index<'a> {
    systems: BTreeMap<&'a SystemId, &'a System>,
    checks: Checks<'a>,
    owners: BTreeMap<&'a OwnerId, &'a str>,
}

impl<'a> Index<'a> {
    fn new(roster: &'a Roster) -> Self {
        Self {
            systems: roster.systems.iter().map(|it| (&it.id, it)).collect(),
            checks: roster.checks().map(|it| (&it.id, it.as_ref())).collect(),
            owners: roster.owners.iter().map(|it| (&it.id, it.name.as_str())).collect(),
        }
    }

    /// The system that a conversation is about.
    fn system(&self, thread: &Thread) -> Option<&'a System> {
        let id = match thread {
            Thread::Service(id) | Thread::Coverage(id) | Thread::Objective(id) => id,
            Thread::Certificate(check) => &self.checks.get(check)?.system,
            Thread::Monitor(..) | Thread::Drill(_) => return None,
        };
        self.systems.get(id).copied()
    }
}

/// What a conversation is about, where no system has a name.
fn subject(thread: &Thread) -> String {
    match thread {
        Thread::Service(id) | Thread::Coverage(id) | Thread::Objective(id) => id.to_string(),
        Thread::Certificate(check) => check.to_string(),
        Thread::Monitor(trouble, subject) if subject.is_empty() => word(trouble),
        Thread::Monitor(trouble, subject) => format!("{} ({subject})", word(trouble)),
        Thread::Drill(name) => name.clone(),
    }
}

/// Sets a value unless it is empty, without control characters but line breaks, and cut.
fn put(to: &mut BTreeMap<String, String>, name: &str, value: &str) {
    let plain = value.chars().filter(|c| *c == '\n' || !c.is_control());
    let value: String = plain.take(TEXT_CHARS_MAX).collect();
    if !value.trim().is_empty() {
        to.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests;
