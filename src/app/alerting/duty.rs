//! What the web asks of alerts, and what people do to them.

use std::sync::Arc;

use super::desk::State;
use super::{Alerting, watched};
use crate::alert::book::{Incident, IncidentId};
use crate::alert::condition::Thread;
use crate::alert::delivery::{Delivery, Status};
use crate::alert::escalation;
use crate::alert::link::Link;
use crate::alert::rota::{self, Via};
use crate::alert::step;
use crate::alert::word;
use crate::app::pipeline::journal;
use crate::config::Config;
use crate::model::alerting::Language;
use crate::model::alerting::people::Team;
use crate::model::id::PersonId;
use crate::model::system::Roster;
use crate::model::time::Millis;
use crate::web::duty::{
    Acknowledged, Act, ActError, AlertSeen, By, Duty, LinkSeen, LogSeen, MessageSeen, PersonSeen,
    TeamSeen,
};
use crate::web::time;

impl Duty for Alerting {
    fn alerts(&self) -> Vec<AlertSeen> {
        let (roster, now) = (self.roster(), self.clock.now());
        let mut all: Vec<_> = self.desk.with(|state| {
            state.book.incidents.values().map(|it| self.seen(state, &roster, it, now)).collect()
        });
        all.sort_by(|a, b| (&b.opened, &b.id).cmp(&(&a.opened, &a.id)));
        all
    }

    fn alert(&self, id: &str) -> Option<AlertSeen> {
        let (roster, now) = (self.roster(), self.clock.now());
        self.desk.with(|state| {
            let incident = state.book.incidents.get(&IncidentId(id.to_owned()))?;
            Some(self.seen(state, &roster, incident, now))
        })
    }

    fn on_call(&self) -> Vec<TeamSeen> {
        let (config, now) = (self.reloader.current(), self.clock.now());
        config.alerting.teams.iter().map(|it| team(it, &config, now)).collect()
    }

    fn language(&self) -> Language {
        self.reloader.current().alerting.language
    }

    fn name_of(&self, who: &str) -> String {
        self.name(who)
    }

    fn link(&self, token: &str) -> Result<LinkSeen, ActError> {
        let link = self.office().words.links.read(token).map_err(|_| ActError::Forged)?;
        let (roster, now) = (self.roster(), self.clock.now());
        self.desk.with(|state| {
            let incident = state.book.incidents.get(&link.incident);
            let incident = incident.ok_or_else(|| ActError::Unknown(link.incident.0.clone()))?;
            Ok(LinkSeen {
                alert: self.seen(state, &roster, incident, now),
                who: self.name(&link.who),
                good: link.is_good(incident).is_ok(),
                holds: incident.is_open()
                    && incident.ack.as_ref().is_some_and(|it| it.by == link.who),
            })
        })
    }

    async fn act(&self, by: By, act: Act) -> Result<AlertSeen, ActError> {
        let now = self.clock.now();
        let (id, who, via, link) = match by {
            By::Named { id, who, via } => (IncidentId(id), who, via, None),
            By::Link(token) => {
                let link = self.office().words.links.read(&token).map_err(|_| ActError::Forged)?;
                (link.incident.clone(), link.who.clone(), "link".to_owned(), Some(link))
            }
        };
        self.desk.with(|state| {
            let known = state.book.incidents.get_mut(&id);
            let incident = known.ok_or_else(|| ActError::Unknown(id.0.clone()))?;
            may(incident, act, link.as_ref()).map_err(|error| match error {
                ActError::Taken { by } => ActError::Taken { by: self.name(&by) },
                error => error,
            })?;
            let kind = match act {
                Act::Acknowledge => {
                    escalation::acknowledge(incident, &who, &via, now)
                        .map_err(|_| ActError::Closed)?;
                    "alert.acknowledged"
                }
                Act::Close => {
                    let ack =
                        crate::alert::book::Ack { at: now, by: who.clone(), via: via.clone() };
                    step::close(&mut state.book, &id, &ack);
                    "alert.closed_by_hand"
                }
            };
            let body = serde_json::json!({ "incident": id.0, "who": who, "via": via });
            state.journal.push(journal(now, kind, body));
            Ok(())
        })?;
        // Whoever pressed the button reads "taken on" only once it is.
        self.desk.keep(&self.history).await;
        self.desk.wake.notify_one();
        self.alert(&id.0).ok_or(ActError::Unknown(id.0))
    }

    async fn drill(&self, team: Option<String>, who: String) -> Result<AlertSeen, ActError> {
        let config = self.reloader.current();
        let teams = &config.alerting.teams;
        let Some(first) = teams.first() else {
            let hint = "write a `[[team]]` and its people into the configuration".to_owned();
            return Err(ActError::Wrong("nobody is configured to be paged".to_owned(), hint));
        };
        let team = match team {
            None => &first.id,
            Some(id) => {
                let known = teams.iter().find(|it| it.id.as_str() == id);
                let ids = || teams.iter().map(|it| it.id.as_str()).collect::<Vec<_>>().join(", ");
                let wrong = || format!("there is no team `{id}`");
                let wrong = || ActError::Wrong(wrong(), format!("teams are: {}", ids()));
                &known.ok_or_else(wrong)?.id
            }
        };
        let id = self.begin_drill(team, &who).await;
        self.alert(&id.0).ok_or(ActError::Unknown(id.0))
    }
}

/// Whether it may be done, by link or by name.
fn may(incident: &Incident, act: Act, link: Option<&Link>) -> Result<(), ActError> {
    if !incident.is_open() {
        return Err(ActError::Closed);
    }
    match (act, &incident.ack) {
        (Act::Acknowledge, Some(ack)) => Err(ActError::Taken { by: ack.by.clone() }),
        (Act::Acknowledge, None) => match link.map(|it| it.is_good(incident)) {
            None | Some(Ok(())) => Ok(()),
            Some(Err(_)) => Err(ActError::Used),
        },
        (Act::Close, _) if !incident.now.is_empty() => Err(ActError::StillTrue),
        // Over a link only who has it closes it, and only in the same round.
        (Act::Close, ack) => match link {
            None => Ok(()),
            Some(link) if ack.as_ref().is_some_and(|it| it.by == link.who) => Ok(()),
            Some(_) => Err(ActError::Used),
        },
    }
}

impl Alerting {
    /// The name of somebody, or what they called themselves.
    fn name(&self, who: &str) -> String {
        let config = self.reloader.current();
        let person = config.alerting.people.iter().find(|it| it.id.as_str() == who);
        person.map_or_else(|| who.to_owned(), |it| it.name.clone())
    }

    /// What is watched. Asked for before the desk is: the two are never held together.
    fn roster(&self) -> Arc<Roster> {
        Arc::clone(&watched::lock(&self.watch).roster)
    }

    fn seen(&self, on: &State, roster: &Roster, incident: &Incident, now: Millis) -> AlertSeen {
        let (about, subject) = subject(&incident.thread);
        let first = incident.now.first();
        let mut checks: Vec<String> =
            incident.now.iter().flat_map(|it| &it.checks).map(ToString::to_string).collect();
        checks.sort();
        checks.dedup();
        let state = match () {
            () if !incident.is_open() => "closed",
            () if incident.now.is_empty() => "calm",
            () if incident.ack.is_some() => "acknowledged",
            () => "open",
        };
        let waits = incident.paged && incident.is_open() && incident.ack.is_none();
        AlertSeen {
            id: incident.id.0.clone(),
            title: self.office().words.title(roster, &on.book, incident, now),
            about,
            subject,
            kind: word(&incident.kind),
            severity: incident.severity.as_str(),
            state,
            team: incident.team.as_ref().map(ToString::to_string),
            since: time(incident.since),
            opened: time(incident.opened),
            closed: incident.closed.map(time),
            acknowledged: incident.ack.as_ref().map(|it| Acknowledged {
                at: time(it.at),
                by: self.name(&it.by),
                via: it.via.clone(),
            }),
            cause: incident.cause.as_ref().map(|it| it.incident.0.clone()),
            parts: incident.parts.iter().map(|it| it.0.clone()).collect(),
            flapping: incident.flapping,
            maintenance: incident.maintained,
            checks,
            reason: first.and_then(|it| it.reason.clone()),
            unacknowledged_s: if waits { now.since(incident.opened).max(0) / 1_000 } else { 0 },
            messages: on.outbox.of(&incident.id).iter().map(message).collect(),
            log: incident
                .log
                .iter()
                .map(|it| LogSeen { at: time(it.at), what: it.what.clone(), text: it.text.clone() })
                .collect(),
        }
    }
}

fn message(delivery: &Delivery) -> MessageSeen {
    let (status, ended) = match delivery.status {
        Status::Pending => ("pending", None),
        Status::Sent { at } => ("sent", Some(at)),
        Status::Failed { at } => ("failed", Some(at)),
        Status::Dropped { at } => ("dropped", Some(at)),
    };
    MessageSeen {
        purpose: delivery.purpose.as_str().to_owned(),
        person: delivery.person.as_ref().map(ToString::to_string),
        channel: delivery.channel.to_string(),
        status,
        decided: time(delivery.decided),
        ended: ended.map(time),
        attempts: delivery.attempts,
        why: delivery.why.clone(),
    }
}

fn subject(thread: &Thread) -> (&'static str, String) {
    match thread {
        Thread::Service(id) => ("service", id.to_string()),
        Thread::Certificate(id) => ("certificate", id.to_string()),
        Thread::Coverage(id) => ("coverage", id.to_string()),
        Thread::Objective(id) => ("objective", id.to_string()),
        Thread::Monitor(kind, of) => {
            let kind = word(kind);
            ("monitor", if of.is_empty() { kind } else { format!("{kind} {of}") })
        }
        Thread::Drill(name) => ("drill", name.clone()),
    }
}

fn team(team: &Team, config: &Config, now: Millis) -> TeamSeen {
    let (holidays, zone) = (&config.roster.holidays, &config.monitor.timezone);
    let person = |id: &PersonId| {
        let known = config.alerting.people.iter().find(|it| it.id == *id);
        PersonSeen {
            id: id.to_string(),
            name: known.map_or_else(|| id.to_string(), |it| it.name.clone()),
        }
    };
    let turn = rota::who(team, holidays, zone, now);
    let next = rota::on_duty(team, holidays, zone, turn.until);
    TeamSeen {
        id: team.id.to_string(),
        name: team.name.clone(),
        on_call: rota::on_duty(team, holidays, zone, now).iter().map(person).collect(),
        via: match turn.via {
            Via::Layer(at) => format!("layer {}", at + 1),
            Via::Override(at) => format!("override {}", at + 1),
            Via::Fallback => "fallback".to_owned(),
        },
        until: time(turn.until),
        next: next.iter().map(person).collect(),
    }
}
