//! What the journal says of alerts: when people were first told of an outage, and who took it on.
//! For MTTA (`docs/measurement.md`): acknowledged minus first alert.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::SystemFigures;
use crate::availability::track::Edge;
use crate::model::id::SystemId;
use crate::model::time::Millis;

/// All alerts about services, as they were told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alerts {
    all: Vec<Spell>,
    /// The newest spell of each number.
    newest: BTreeMap<String, usize>,
}

/// An alert incident from when it opened, or opened again, until it was closed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spell {
    number: String,
    system: SystemId,
    opened: Millis,
    closed: Option<Millis>,
    /// When people were first called.
    first: Option<Millis>,
    /// Who was the first to take it on, and when.
    taken: Option<(Millis, String)>,
    /// Loud enough to call people.
    is_loud: bool,
    /// What keeps it from calling them all the same: a cause, a dependency, maintenance.
    silenced: BTreeSet<Silence>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Silence {
    Cause,
    Held,
    Maintenance,
}

/// What people were told of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The alert's number, such as `SC-2026-0012`.
    pub number: String,
    /// When somebody was first called; `None`: nobody was.
    pub first: Option<Millis>,
    /// When somebody first took it on, and who.
    pub acknowledged: Option<(Millis, String)>,
}

impl Alerts {
    /// Takes one event in. What is not understood tells of nothing: no figure but MTTA asks.
    pub fn take(&mut self, at: Millis, kind: &str, body: &Value) {
        let Some(number) = body["incident"].as_str() else { return };
        let what = kind.strip_prefix("alert.").unwrap_or_default();
        if matches!(what, "opened" | "reopened") {
            self.open(at, number, what, body);
        }
        let Some(spell) = self.newest.get(number).and_then(|it| self.all.get_mut(*it)) else {
            return;
        };
        if let Some(severity) = body["severity"].as_str() {
            spell.is_loud |= severity == "page";
        }
        match what {
            "paged" => _ = spell.first.get_or_insert(at),
            "acknowledged" if spell.taken.is_none() => {
                spell.taken = Some((at, body["who"].as_str().unwrap_or_default().to_owned()));
            }
            "closed" | "closed.by_hand" | "closed_by_hand" | "removed" => spell.closed = Some(at),
            "cause.joined" => spell.silence(Silence::Cause, at),
            "held" => spell.silence(Silence::Held, at),
            "maintenance.began" => spell.silence(Silence::Maintenance, at),
            "cause.left" => _ = spell.silenced.remove(&Silence::Cause),
            "released" => _ = spell.silenced.remove(&Silence::Held),
            "maintenance.ended" => _ = spell.silenced.remove(&Silence::Maintenance),
            _ => {}
        }
        spell.call(at);
    }

    /// What was told of each incident of `system` until `until`, and the mean of what followed.
    pub(super) fn tell(&self, system: &mut SystemFigures, until: Millis) {
        let own: Vec<&Spell> = self.all.iter().filter(|it| it.system == system.id).collect();
        if own.is_empty() {
            return;
        }
        let mut taken = BTreeMap::new();
        for episode in &mut system.episodes {
            let near = own.iter().filter(|it| it.meets(episode.start, episode.end, until));
            let told = near.filter_map(|it| it.told(until));
            episode.told = told.min_by_key(|it| (it.first.is_none(), it.first));
            if let Some(Told { number, first: Some(first), acknowledged: Some((at, _)) }) =
                episode.told.as_ref().filter(|_| episode.judged_ms > 0)
            {
                // One alert about several outages was taken on once.
                taken.insert((number.clone(), *first), at.since(*first).max(0));
            }
        }
        let count = i64::try_from(taken.len()).unwrap_or(i64::MAX);
        if let Some(measured) = system.measured.as_mut().filter(|_| count > 0) {
            measured.mean_to_acknowledge_ms = Some(taken.values().sum::<i64>() / count);
        }
    }

    fn open(&mut self, at: Millis, number: &str, what: &str, body: &Value) {
        let thread = &body["thread"];
        let system = thread["id"].as_str().and_then(|it| SystemId::new(it).ok());
        let Some(system) = system.filter(|_| thread["of"] == "service") else { return };
        let before = self.newest.get(number).and_then(|it| self.all.get(*it));
        // Maintenance goes on whatever is closed meanwhile.
        let silenced = before.filter(|_| what == "reopened").map(|it| it.silenced.clone());
        let mut silenced = silenced.unwrap_or_default();
        silenced.retain(|it| *it == Silence::Maintenance);
        self.newest.insert(number.to_owned(), self.all.len());
        self.all.push(Spell {
            number: number.to_owned(),
            system,
            opened: at,
            closed: None,
            first: None,
            taken: None,
            is_loud: false,
            silenced,
        });
    }
}

impl Spell {
    /// People are called as soon as it is loud and nothing silences it.
    fn call(&mut self, at: Millis) {
        if self.is_loud && self.silenced.is_empty() && self.closed.is_none() {
            self.first.get_or_insert(at);
        }
    }

    /// Said in the same look in which it opened, nobody was called.
    fn silence(&mut self, by: Silence, at: Millis) {
        self.silenced.insert(by);
        if self.first == Some(at) {
            self.first = None;
        }
    }

    /// Whether it was open in the time in which an outage surely or maybe was.
    fn meets(&self, start: Edge, end: Edge, until: Millis) -> bool {
        let closed = self.closed.unwrap_or(Millis(i64::MAX));
        self.opened <= until && self.opened <= end.latest && closed >= start.earliest
    }

    fn told(&self, until: Millis) -> Option<Told> {
        let first = self.first.filter(|it| *it <= until);
        let acknowledged = self.taken.clone().filter(|it| it.0 <= until);
        let number = self.number.clone();
        (first.is_some() || acknowledged.is_some()).then_some(Told { number, first, acknowledged })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What a story of events `(at, kind)` tells of an outage from 100 to 900, as it stood at
    /// `until`: when it was first told, and when it was taken on.
    #[track_caller]
    fn check(story: &[(i64, &str)], until: i64, expected: (Option<i64>, Option<i64>)) {
        let mut alerts = Alerts::default();
        for (at, kind) in story {
            let (kind, severity) = kind.split_once(' ').unwrap_or((kind, "page"));
            let body = json!({
                "incident": "SC-2026-0001", "thread": { "of": "service", "id": "s" },
                "severity": severity, "who": "an",
            });
            alerts.take(Millis(*at), &format!("alert.{kind}"), &body);
        }
        let (start, end) = (Edge::fixed(Millis(100)), Edge::fixed(Millis(900)));
        let near = alerts.all.iter().filter(|it| it.meets(start, end, Millis(until)));
        let told = near.filter_map(|it| it.told(Millis(until)));
        let told = told.min_by_key(|it| (it.first.is_none(), it.first));
        let times = told
            .map_or((None, None), |it| (it.first.map(|it| it.0), it.acknowledged.map(|it| it.0.0)));
        assert_eq!(times, expected, "{story:?} until {until}");
    }

    #[test]
    fn the_first_alert_is_the_first_call_and_the_first_to_take_it_on_counts() {
        let plain = [(130, "opened"), (130, "paged"), (200, "acknowledged"), (990, "closed")];
        check(&plain, 5_000, (Some(130), Some(200)));
        check(&plain, 150, (Some(130), None));
        check(&plain, 120, (None, None));
        let anew = [(130, "opened"), (200, "acknowledged"), (400, "paged"), (500, "acknowledged")];
        check(&anew, 5_000, (Some(130), Some(200)));
        check(&[(130, "opened ticket"), (990, "closed ticket")], 5_000, (None, None));
        let worse = [(130, "opened ticket"), (300, "worsened"), (990, "closed")];
        check(&worse, 5_000, (Some(300), None));
    }

    #[test]
    fn what_is_held_caused_or_maintained_calls_nobody_until_it_is_free() {
        for (begins, ends) in [
            ("held", "released"),
            ("cause.joined", "cause.left"),
            ("maintenance.began", "maintenance.ended"),
        ] {
            let never = [(130, "opened"), (130, begins), (990, "closed")];
            check(&never, 5_000, (None, None));
            let later = [(130, "opened"), (130, begins), (160, ends), (990, "closed")];
            check(&later, 5_000, (Some(160), None));
            // Called before: it was told.
            check(&[(130, "opened"), (150, begins)], 5_000, (Some(130), None));
        }
        let reopened = [(10, "opened"), (50, "closed"), (130, "reopened"), (170, "acknowledged")];
        check(&reopened, 5_000, (Some(130), Some(170)));
        check(&[(10, "opened"), (50, "closed")], 5_000, (None, None));
        check(&[(910, "opened")], 5_000, (None, None));
    }

    #[test]
    fn other_threads_and_broken_events_tell_nothing() {
        let mut alerts = Alerts::default();
        for body in [
            json!({ "incident": "SC-1", "thread": { "of": "drill", "id": "noc" } }),
            json!({ "incident": "SC-2", "thread": { "of": "service", "id": "NO ID" } }),
            json!({ "incident": 3 }),
            json!(null),
        ] {
            alerts.take(Millis(1), "alert.opened", &body);
            alerts.take(Millis(2), "alert.acknowledged", &body);
        }
        assert_eq!(alerts, Alerts::default());
    }
}
