//! Escalation: whom an incident is told to, and what need not be told any more. Pure.
//!
//! A ticket is told once. A page goes step by step until somebody takes it on (tiếp nhận), and
//! begins anew if it is still open long after; the last step is followed by as many more turns as
//! the team has, and those by its fallback list. If not one message of all that could be delivered
//! it begins anew after a while. Pages know no quiet hours.
//!
//! All that is needed is in the incident and in the deliveries decided before, so it makes no
//! difference when or how often [`escalate`] is called, nor what was restarted in between: each
//! decision has one key and is made once.
//!
//! Nothing is decided while an incident is a part of another, is held, or is in maintenance; no
//! step is taken while nothing is true of it.

mod recipients;
mod sent;
mod steps;
mod again;
mod ack;
mod what;

use jiff::tz::TimeZone;

use super::book::{Incident, LogLine, Told};
use super::delivery::{Delivery, Purpose, Status};
use crate::model::alerting::people::Team;
use crate::model::alerting::rules::Severity;
use crate::model::alerting::{Alerting, Pager};
use crate::model::terms::Holiday;
use crate::model::time::Millis;

use recipients::Recipient;
use sent::{Sent, is_out, is_page_of, key};
use steps::{after, again_ms, delay_ms, longest_ms};

pub use ack::{NotTaken, acknowledge};
pub use again::try_at_once;
pub use steps::{AGAIN_MS_MAX, PAUSE_MS_MIN, Place, timetable};
pub use what::{Drop, What, Why};

/// A step that is taken up to so late counts as taken in time, and the next one is reckoned from
/// when it was due: ticks are seconds apart, and so is a restart. After a longer standstill
/// people get the whole of their time.
pub const LATE_MS: i64 = 60_000;

/// By what is decided, besides the incident.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// People, teams, and how long an acknowledgement holds.
    pub alerting: &'a Alerting,
    /// Days that are not as their weekday, by date, each once.
    pub holidays: &'a [Holiday],
    /// The zone of handovers.
    pub zone: &'a TimeZone,
    /// Alertmanager is the pager and accepts nothing: this monitor pages itself.
    pub take_over: bool,
    /// Alertmanager is the pager, may have told that the incident fires, and can't be counted on
    /// to tell that it is over.
    pub tell_the_end: bool,
}

/// What was decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// To be sent, besides what was decided before.
    pub new: Vec<Delivery>,
    /// Not to be sent any more.
    pub drop: Vec<Drop>,
    /// What happened, for the journal; it stands in the incident's log already.
    pub happened: Vec<What>,
}

/// Decides what is to be told of `incident` at `now`, to whom, and what is not. `deliveries`:
/// all that was decided of it before, whatever became of it; others are left alone. The incident
/// and what was decided are to be kept together or not at all.
///
/// Call it for an incident that was closed, too, until it decides nothing more. A message says
/// what is true when it is sent, so what waits need not be decided anew when that changes.
pub fn escalate(
    incident: &mut Incident,
    desk: &Desk<'_>,
    deliveries: &[Delivery],
    now: Millis,
) -> Decided {
    let sent = Sent::of(incident, deliveries);
    let mut run = Run { desk, sent, now, decided: Decided::default() };
    run.drop_waiting(Why::Gone, |it| !desk.knows(it.person.as_ref(), &it.channel, &it.to));
    if incident.is_open() {
        run.open(incident);
    } else {
        run.closed(incident);
    }
    run.decided
}

struct Run<'a> {
    desk: &'a Desk<'a>,
    sent: Sent<'a>,
    now: Millis,
    decided: Decided,
}

impl<'a> Run<'a> {
    fn open(&mut self, incident: &mut Incident) {
        let held = incident.held_until.is_some_and(|it| self.now < it);
        if incident.cause.is_some() || incident.maintained || held {
            self.stop(incident);
            return;
        }
        if let Some(ack) = &mut incident.ack {
            // The clock may have been set back.
            ack.at = ack.at.min(self.now);
            if !self.has_run_out(incident) {
                self.acknowledged(incident);
                self.update(incident);
                return;
            }
            self.page_anew(incident);
        }
        if incident.now.is_empty() || incident.severity == Severity::Info || !self.is_pager() {
            return;
        }
        let Some(team) = self.team(incident) else {
            self.nobody(incident);
            return;
        };
        self.update(incident);
        match incident.severity {
            Severity::Page => self.page(incident, team),
            Severity::Ticket => self.ticket(incident, team),
            Severity::Info => {}
        }
    }

    /// Tells everybody who knows of it that it is over, once.
    fn closed(&mut self, incident: &mut Incident) {
        let now = self.now;
        // What should have left already is told together with the end of it.
        let late = |it: &Delivery| it.is_waiting() && (it.attempts > 0 || it.due <= now);
        let told = self.sent.told(|it| is_out(it) || late(it));
        self.drop_waiting(Why::Over, |it| it.purpose != Purpose::Resolved);
        incident.escalation.next = None;
        self.tell(incident, Purpose::Resolved, "0", &told);
        self.tell_the_end(incident);
    }

    /// Tells the end of a page that was Alertmanager's to those whom it concerns first.
    fn tell_the_end(&mut self, incident: &Incident) {
        let paged =
            incident.severity == Severity::Page && incident.cause.is_none() && !incident.maintained;
        if !self.desk.tell_the_end || !paged || self.sent.is_over() || !self.decided.new.is_empty()
        {
            return;
        }
        let Some(team) = self.team(incident) else { return };
        let steps = team.steps.iter().map(|it| it.targets.as_slice());
        let steps = steps.map(|it| self.desk.recipients(team, it, Severity::Page, self.now));
        let mut steps = steps.chain([self.desk.fallback(team, Severity::Page)]);
        for to in steps.find(|it| !it.is_empty()).unwrap_or_default() {
            self.decide(incident, Purpose::Resolved, (0, "end"), Recipient { after_ms: 0, ..to });
        }
    }

    /// Nobody is to be paged for now: what was to come does not, and if it is to be told later
    /// it begins anew.
    fn stop(&mut self, incident: &mut Incident) {
        let loud = |it: &Delivery| matches!(it.purpose, Purpose::Page | Purpose::Ticket);
        self.drop_waiting(Why::Stopped, loud);
        let escalation = &mut incident.escalation;
        let is_ticket = escalation.severity == Some(Severity::Ticket);
        if is_ticket && !self.sent.told(is_out).is_empty() {
            return; // Told, and a ticket is told once.
        }
        (escalation.begun, escalation.next, escalation.severity) = (None, None, None);
    }

    /// Somebody has it: nothing more is paged, and those who were paged hear of it.
    fn acknowledged(&mut self, incident: &mut Incident) {
        let loud = |it: &Delivery| matches!(it.purpose, Purpose::Page | Purpose::Ticket);
        self.drop_waiting(Why::Acknowledged, loud);
        incident.escalation.next = None;
        // Over the API anybody can give anybody's name: whose it is must hear of it.
        let proven = incident.ack.as_ref().filter(|it| it.is_proven());
        let by = proven.map(|it| it.by.clone()).unwrap_or_default();
        let round = incident.escalation.round;
        let mut told = self.sent.told(|it| is_page_of(it, round));
        told.retain(|it| it.0.is_none_or(|person| person.as_str() != by));
        self.tell(incident, Purpose::Acknowledged, "0", &told);
    }

    fn has_run_out(&self, incident: &Incident) -> bool {
        let timeout = self.desk.alerting.ack_timeout_ms;
        let long = incident.ack.as_ref().is_some_and(|it| self.now.since(it.at) >= timeout);
        let is_loud = incident.severity == Severity::Page && !incident.now.is_empty();
        timeout > 0 && long && is_loud && self.is_pager()
    }

    /// Whoever took it on has not mended it: it begins anew, and is nobody's again.
    fn page_anew(&mut self, incident: &mut Incident) {
        self.drop_waiting(Why::RanOut, |it| it.purpose == Purpose::Acknowledged);
        let by = incident.ack.take().map(|it| it.by).unwrap_or_default();
        incident.escalation.begun = None;
        self.happen(incident, What::AckRanOut { by });
    }

    /// Tells those who know of it that it got worse, or is chập chờn.
    fn update(&mut self, incident: &mut Incident) {
        let (kind, flapping) = (incident.kind, incident.flapping);
        let loud = incident.escalation.severity;
        let Some(told) = &mut incident.escalation.told else { return };
        let worse = kind > told.kind || flapping && !told.flapping;
        if !worse {
            return;
        }
        (told.kind, told.flapping) = (kind.max(told.kind), flapping || told.flapping);
        // Who is about to be paged anew reads it there.
        if incident.ack.is_none() && loud != Some(incident.severity) {
            return;
        }
        let what = format!("{}{}", kind.alert_name(), if flapping { "-flapping" } else { "" });
        let told = self.sent.told(is_out);
        self.tell(incident, Purpose::Update, &what, &told);
    }

    /// Tells a ticket, once for each time that it is told anew.
    fn ticket(&mut self, incident: &mut Incident, team: &Team) {
        if incident.escalation.begun.is_some() {
            let told = incident.escalation.told.as_ref().map(|it| it.at);
            // A certificate has come nearer to its end.
            let renewed = |it: &LogLine| it.what == "renewed" && Some(it.at) > told;
            if told.is_none() || !incident.log.iter().rev().any(renewed) {
                return;
            }
        }
        let targets = team.steps.iter().map(|it| it.targets.as_slice());
        let steps = targets.map(|it| self.desk.recipients(team, it, Severity::Ticket, self.now));
        let all = steps.chain([self.desk.fallback(team, Severity::Ticket)]);
        let Some((step, to)) = all.enumerate().find(|(_, it)| !it.is_empty()) else {
            self.nobody(incident);
            return;
        };
        self.begin(incident, Severity::Ticket);
        self.send(incident, Purpose::Ticket, Place { turn: 0, step }, to);
    }

    /// Takes every step that is due.
    fn page(&mut self, incident: &mut Incident, team: &Team) {
        let begun = incident.escalation.begun.is_some();
        if !begun || incident.escalation.severity != Some(Severity::Page) {
            self.begin(incident, Severity::Page);
            let first = Place { turn: 0, step: 0 };
            incident.escalation.next = Some(self.now.plus_ms(delay_ms(team, first)));
        }
        self.begin_again(incident);
        // The clock may have been set back: the next step is no farther off than it is written.
        let escalation = &mut incident.escalation;
        let place = Place { turn: escalation.turn, step: escalation.step };
        let longest = match place {
            Place { turn: 0, step: 0 } => longest_ms(team).max(again_ms(escalation.fruitless)),
            place => delay_ms(team, place),
        };
        escalation.next = escalation.next.map(|it| it.min(self.now.plus_ms(longest)));
        if escalation.next.is_some() && self.reached_nobody(incident) {
            incident.escalation.next = Some(self.now);
        }
        let mut empty = 0;
        while let Some(due) = incident.escalation.next.filter(|it| *it <= self.now) {
            empty = if self.take_step(incident, team, due) { 0 } else { empty + 1 };
            // A whole turn found nobody, so the others would not either.
            if empty == team.steps.len() && empty > 0 {
                incident.escalation.step = team.steps.len();
            }
        }
    }

    /// Takes the step that was due at `due` and finds the next; whether it reached anybody.
    fn take_step(&mut self, incident: &mut Incident, team: &Team, due: Millis) -> bool {
        let escalation = &incident.escalation;
        let place = Place { turn: escalation.turn, step: escalation.step.min(team.steps.len()) };
        let to = match team.steps.get(place.step) {
            Some(step) => self.desk.recipients(team, &step.targets, Severity::Page, self.now),
            None => self.desk.fallback(team, Severity::Page),
        };
        let reached = !to.is_empty();
        if reached {
            self.send(incident, Purpose::Page, place, to);
        }
        let is_last = place.step == team.steps.len();
        let escalation = &mut incident.escalation;
        escalation.fell_back |= is_last && reached;
        let next = after(team, place);
        escalation.next = next.map(|next| {
            (escalation.turn, escalation.step) = (next.turn, next.step);
            let late = self.now.since(due) > LATE_MS;
            let from = if late { self.now } else { due };
            if reached { from.plus_ms(delay_ms(team, next)) } else { due }
        });
        if is_last {
            escalation.step = place.step;
            let none = self.sent.last_place(escalation.round).is_none();
            if !reached && none && self.decided.new.is_empty() {
                // There may be somebody after the next change of the configuration.
                (escalation.turn, escalation.step) = (0, 0);
                escalation.next = Some(self.now.plus_ms(PAUSE_MS_MIN));
                escalation.fruitless = escalation.fruitless.max(1);
                self.nobody(incident);
            }
        }
        reached
    }

    /// Whether nothing of the last step can reach anybody any more: refused for good, or gone
    /// with a change of the configuration.
    fn reached_nobody(&self, incident: &Incident) -> bool {
        let escalation = &incident.escalation;
        // A turn that found nobody is not gone through again at once.
        let before = |it: Place| it.turn == escalation.turn && it.step < escalation.step;
        self.sent
            .last_place(escalation.round)
            .is_some_and(|(place, pages)| before(place) && pages.iter().all(|it| self.is_dead(it)))
    }

    /// Whether it was refused for good, or is not to be sent any more.
    fn is_dead(&self, it: &Delivery) -> bool {
        matches!(it.status, Status::Failed { .. } | Status::Dropped { .. })
            || self.decided.drop.iter().any(|drop| drop.key == it.key)
    }

    fn begin(&mut self, incident: &mut Incident, severity: Severity) {
        let escalation = &mut incident.escalation;
        escalation.begun = Some(self.now);
        escalation.severity = Some(severity);
        escalation.round = escalation.round.saturating_add(1);
        (escalation.turn, escalation.step, escalation.fell_back) = (0, 0, false);
        (escalation.next, escalation.fruitless) = (None, 0);
    }

    /// Decides the messages of a step.
    fn send(
        &mut self,
        incident: &mut Incident,
        purpose: Purpose,
        place: Place,
        to: Vec<Recipient>,
    ) {
        incident.paged = true;
        let told = Told { at: self.now, kind: incident.kind, flapping: incident.flapping };
        let again = purpose == Purpose::Ticket;
        if again || incident.escalation.told.is_none() {
            incident.escalation.told = Some(told);
        }
        let names = to.iter().map(|it| match &it.person {
            Some(person) => person.as_str().to_owned(),
            None => format!("{}:{}", it.channel, super::rota::masked(&it.to)),
        });
        let mut who: Vec<String> = names.collect();
        who.dedup();
        let step = place.step.to_string();
        for it in to {
            self.decide(incident, purpose, (place.turn, &step), it);
        }
        let what = match purpose {
            Purpose::Ticket => What::Ticketed { who },
            _ => What::Paged { round: incident.escalation.round, place, who },
        };
        self.happen(incident, what);
    }

    /// Decides messages that belong to no step.
    fn tell(
        &mut self,
        incident: &Incident,
        purpose: Purpose,
        what: &str,
        addresses: &[sent::Address<'_>],
    ) {
        for (person, channel, to) in addresses {
            if self.desk.knows(*person, channel, to) {
                let (channel, to) = ((*channel).clone(), (*to).to_owned());
                let it = Recipient { person: person.cloned(), channel, to, after_ms: 0 };
                self.decide(incident, purpose, (0, what), it);
            }
        }
    }

    fn decide(
        &mut self,
        incident: &Incident,
        purpose: Purpose,
        (turn, step): (u32, &str),
        to: Recipient,
    ) {
        let key = key(&incident.id, purpose, incident.escalation.round, turn, step, &to);
        if self.sent.has(&key) {
            return;
        }
        let Recipient { person, channel, to, after_ms } = to;
        self.decided.new.push(Delivery {
            key,
            incident: incident.id.clone(),
            purpose,
            severity: incident.severity,
            person,
            channel,
            to,
            decided: self.now,
            due: self.now.plus_ms(after_ms),
            attempts: 0,
            status: Status::Pending,
            why: None,
        });
    }

    fn drop_waiting(&mut self, why: Why, which: impl Fn(&Delivery) -> bool) {
        let waiting = self.sent.waiting().filter(|it| which(it));
        for it in waiting {
            if !self.decided.drop.iter().any(|drop| drop.key == it.key) {
                self.decided.drop.push(Drop { key: it.key.clone(), why });
            }
        }
    }

    /// Nobody can be told; that is noted once.
    fn nobody(&mut self, incident: &mut Incident) {
        let word = What::Nobody.as_str();
        if !incident.log.iter().any(|it| it.what == word) {
            self.happen(incident, What::Nobody);
        }
    }

    fn happen(&mut self, incident: &mut Incident, what: What) {
        incident.note(self.now, what.as_str(), what.to_string());
        self.decided.happened.push(what);
    }

    fn is_pager(&self) -> bool {
        self.desk.alerting.pager == Pager::Direct || self.desk.take_over
    }

    /// Who answers for it; a team that is gone hands over to the first.
    fn team(&self, incident: &Incident) -> Option<&'a Team> {
        let teams = &self.desk.alerting.teams;
        let named = incident.team.as_ref().and_then(|id| teams.iter().find(|it| it.id == *id));
        named.or(teams.first())
    }
}

#[cfg(test)]
mod tests;
