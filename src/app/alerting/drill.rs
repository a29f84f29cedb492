//! Test pages along the real path, and whether somebody answered.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::Alerting;
use crate::alert::book::{Ack, Book, Incident, IncidentId};
use crate::alert::condition::{Condition, Kind, Thread};
use crate::alert::step;
use crate::app::lock;
use crate::app::pipeline::journal;
use crate::history::Event;
use crate::model::alerting::WeeklyDrill;
use crate::model::alerting::rules::Severity;
use crate::model::id::TeamId;
use crate::model::time::Millis;

/// A drill that nobody answered is over after so long: it has shown what it was to show.
const LASTS_MS: i64 = 900_000;

const MINUTE_MS: i64 = 60_000;

/// Drills under way, by team: since when.
#[derive(Debug, Default)]
pub(super) struct Drills {
    active: BTreeMap<TeamId, Millis>,
    /// The minute in which the weekly one was last looked at.
    looked: Option<i64>,
}

/// A drill that is over.
#[derive(Debug)]
pub(super) struct Ended {
    team: TeamId,
    begun: Millis,
    /// When somebody took it on, and who.
    pub(super) acknowledged: Option<(Millis, String)>,
}

impl Drills {
    /// Those that an earlier daemon began.
    pub(super) fn restore(book: &Book) -> Self {
        // One that is calm is over: only its incident is still to be closed.
        let goes_on = |it: &&Incident| it.is_open() && !it.now.is_empty();
        let open = book.incidents.values().filter(goes_on);
        let active = open.filter_map(|it| Some((team_of(it)?, it.opened))).collect();
        Self { active, looked: None }
    }

    /// Begins one for a team; one that is under way goes on.
    pub(super) fn begin(&mut self, team: &TeamId, now: Millis) {
        self.active.entry(team.clone()).or_insert(now);
    }

    /// What is true because of drills, and which of them are over now.
    pub(super) fn conditions(&mut self, book: &Book, now: Millis) -> (Vec<Condition>, Vec<Ended>) {
        let mut ended = Vec::new();
        self.active.retain(|team, begun| {
            let incident = open_of(book, team);
            // An answer to an earlier one does not count.
            let ack = incident.and_then(|it| it.ack.as_ref()).filter(|it| it.at >= *begun);
            let acknowledged = ack.map(|it| (it.at, it.by.clone()));
            let over = acknowledged.is_some() || now.since(*begun) >= LASTS_MS;
            if over {
                ended.push(Ended { team: team.clone(), begun: *begun, acknowledged });
            }
            !over
        });
        let said = self.active.iter().map(|(team, begun)| condition(team, *begun));
        (said.collect(), ended)
    }

    /// Whether the weekly one begins now.
    pub(super) fn is_due(&mut self, weekly: WeeklyDrill, zone: &TimeZone, now: Millis) -> bool {
        let minute = now.0.div_euclid(MINUTE_MS);
        if self.looked.replace(minute) == Some(minute) {
            return false;
        }
        let at = jiff::Timestamp::from_millisecond(now.0).map(|it| zone.to_datetime(it));
        at.is_ok_and(|at| {
            let minute_of_day = i32::from(at.hour()) * 60 + i32::from(at.minute());
            at.date().weekday() == weekly.day && minute_of_day == i32::from(weekly.at_min)
        })
    }
}

impl Ended {
    /// The journal's line of it.
    pub(super) fn line(&self, now: Millis) -> Event {
        let answer = self.acknowledged.as_ref();
        let body = serde_json::json!({
            "team": self.team, "begun_ms": self.begun.0,
            "acknowledged": answer.is_some(), "by": answer.map(|it| &it.1),
            "after_ms": answer.map(|it| it.0.since(self.begun)),
        });
        journal(now, "drill.ended", body)
    }
}

impl Alerting {
    /// Begins a drill and looks at once, so that its incident has a number.
    pub(super) async fn begin_drill(&self, team: &TeamId, who: &str) -> IncidentId {
        // One that was just answered is over.
        self.look(true).await;
        let now = self.clock.now();
        lock(&self.drills).begin(team, now);
        let body = serde_json::json!({ "team": team, "who": who });
        self.desk.with(|state| {
            // One that is over and about to be closed is closed now: each has its own number.
            let calm = open_of(&state.book, team).filter(|it| it.now.is_empty());
            if let Some(id) = calm.map(|it| it.id.clone()) {
                let by = Ack { at: now, by: who.to_owned(), via: "drill".to_owned() };
                step::close(&mut state.book, &id, &by);
            }
            state.journal.push(journal(now, "drill.begun", body));
        });
        self.look(true).await;
        let open = self.desk.with(|state| open_of(&state.book, team).map(|it| it.id.clone()));
        open.unwrap_or_else(|| IncidentId(String::new()))
    }

    /// Begins the weekly drill of every team, in its minute.
    pub(super) async fn drill_if_due(&self) {
        let config = self.reloader.current();
        let Some(weekly) = config.alerting.drill else { return };
        let due = lock(&self.drills).is_due(weekly, &self.zone, self.clock.now());
        if due {
            for team in &config.alerting.teams {
                self.begin_drill(&team.id, "weekly").await;
            }
        }
    }
}

fn condition(team: &TeamId, since: Millis) -> Condition {
    Condition {
        thread: Thread::Drill(team.to_string()),
        kind: Kind::Drill,
        severity: Severity::Page,
        since,
        checks: Vec::new(),
        reason: None,
        why: None,
        number: None,
        maintained: false,
    }
}

/// The drill that is open for a team.
fn open_of<'a>(book: &'a Book, team: &TeamId) -> Option<&'a Incident> {
    book.incidents.values().find(|it| it.is_open() && team_of(it).as_ref() == Some(team))
}

fn team_of(incident: &Incident) -> Option<TeamId> {
    let Thread::Drill(name) = &incident.thread else { return None };
    TeamId::new(name).ok()
}
