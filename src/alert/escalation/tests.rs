use std::collections::{BTreeMap, HashSet};

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::alert::book::{Ack, Book, Cause, CauseBy, Ending, Escalation, IncidentId, Said};
use crate::alert::condition::{Kind, Thread};
use crate::alert::step;
use crate::model::alerting::people::{Contact, Layer, Override, Person, Step, Target, Turn};
use crate::model::id::{ChannelId, PersonId, SystemId, TeamId};

/// 2026-11-24T08:00+07:00.
const START: i64 = 1_795_482_000_000;
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;

fn person(id: &str) -> PersonId {
    PersonId::new(id).unwrap()
}

fn contact(channel: &str, to: &str, after_ms: i64, from_severity: Severity) -> Contact {
    Contact {
        channel: ChannelId::new(channel).unwrap(),
        to: to.to_owned(),
        after_ms,
        from_severity,
    }
}

/// Everybody has Zalo, a text message two minutes later, and e-mail for tickets.
fn somebody(id: &str) -> Person {
    let contacts = vec![
        contact("zalo", &format!("z-{id}"), 0, Severity::Page),
        contact("sms", &format!("s-{id}"), 2 * MINUTE, Severity::Page),
        contact("mail", &format!("{id}@example.gov.vn"), 4 * MINUTE, Severity::Ticket),
    ];
    Person { id: person(id), name: id.to_uppercase(), contacts }
}

fn step(after_ms: i64, targets: &[Target]) -> Step {
    Step { after_ms, targets: targets.to_vec() }
}

/// An is on call; after five minutes Bình too; a second turn; then Chi.
fn alerting() -> Alerting {
    let layer = Layer {
        people: vec![person("an")],
        start: date(2026, 1, 1),
        handover_min: 0,
        turn: Turn::Weeks(1),
        only: None,
    };
    let team = Team {
        id: TeamId::new("truc").unwrap(),
        name: "Tổ trực".to_owned(),
        layers: vec![layer],
        overrides: Vec::new(),
        steps: vec![
            step(0, &[Target::OnCall]),
            step(5 * MINUTE, &[Target::OnCall, Target::Person(person("binh"))]),
        ],
        repeat: 1,
        fallback: vec![person("chi")],
    };
    Alerting {
        people: ["an", "binh", "chi", "dung"].map(somebody).to_vec(),
        teams: vec![team],
        ..Alerting::default()
    }
}

fn said(kind: Kind, severity: Severity) -> Said {
    Said {
        kind,
        severity,
        since: Millis(START),
        checks: Vec::new(),
        reason: None,
        why: None,
        number: None,
    }
}

fn incident(kind: Kind, severity: Severity) -> Incident {
    Incident {
        id: IncidentId("SC-2026-0012".to_owned()),
        thread: Thread::Service(SystemId::new("vneid").unwrap()),
        team: None,
        kind,
        severity,
        since: Millis(START - MINUTE),
        opened: Millis(START),
        now: vec![said(kind, severity)],
        calm_since: None,
        closed: None,
        ending: None,
        cause: None,
        returns: Vec::new(),
        flapping: false,
        maintained: false,
        paged: false,
        held_until: None,
        ack: None,
        escalation: Escalation::default(),
        parts: Vec::new(),
        log: Vec::new(),
    }
}

/// A monitor that is restarted between any two ticks, and sends at once what is due.
struct World {
    alerting: Alerting,
    incident: Incident,
    deliveries: Vec<Delivery>,
    now: Millis,
    take_over: bool,
    tell_the_end: bool,
    /// Whether channels work.
    works: bool,
}

impl World {
    fn new(incident: Incident) -> Self {
        let (alerting, now) = (alerting(), Millis(START));
        Self {
            alerting,
            incident,
            deliveries: Vec::new(),
            now,
            take_over: false,
            tell_the_end: false,
            works: true,
        }
    }

    fn page() -> Self {
        Self::new(incident(Kind::Down, Severity::Page))
    }

    /// Decides, and then decides again, which must give nothing.
    fn tick(&mut self) -> Decided {
        let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(7));
        let written = serde_json::to_string(&(&self.incident, &self.deliveries)).unwrap();
        let (mut incident, deliveries): (Incident, Vec<Delivery>) =
            serde_json::from_str(&written).unwrap();
        let desk = Desk {
            alerting: &self.alerting,
            holidays: &[],
            zone: &zone,
            take_over: self.take_over,
            tell_the_end: self.tell_the_end,
        };
        let acked = incident.ack.is_some();
        let decided = escalate(&mut incident, &desk, &deliveries, self.now);
        if acked && incident.ack.is_some() {
            assert!(decided.new.iter().all(|it| it.purpose != Purpose::Page), "{decided:?}");
        }
        (self.incident, self.deliveries) = (incident, deliveries);
        for drop in &decided.drop {
            let it = self.deliveries.iter_mut().find(|it| it.key == drop.key).unwrap();
            assert!(it.is_waiting());
            it.status = Status::Dropped { at: self.now };
        }
        self.deliveries.extend(decided.new.iter().cloned());
        let keys: HashSet<&str> = self.deliveries.iter().map(|it| it.key.as_str()).collect();
        assert_eq!(keys.len(), self.deliveries.len(), "each key once");
        let mut same = self.incident.clone();
        let again = escalate(&mut same, &desk, &self.deliveries, self.now);
        assert_eq!((again, &same), (Decided::default(), &self.incident), "decided twice");
        decided
    }

    fn send(&mut self) {
        let due = self.deliveries.iter_mut().filter(|it| it.is_waiting() && it.due <= self.now);
        for it in due {
            it.attempts += 1;
            if self.works {
                it.status = Status::Sent { at: self.now };
            }
        }
    }

    /// Goes on until `minute` after the start, second by ten.
    fn until(&mut self, minute: i64) -> &mut Self {
        while self.now < Millis(START + minute * MINUTE) {
            self.tick();
            self.send();
            self.now = self.now.plus_ms(10 * SECOND);
        }
        self.tick();
        self.send();
        self
    }

    /// What was sent, one line a message: minute, purpose, person, channel.
    fn log(&self) -> Vec<String> {
        let mut sent: Vec<_> = self
            .deliveries
            .iter()
            .filter_map(|it| match it.status {
                Status::Sent { at } => Some((at, it)),
                _ => None,
            })
            .collect();
        sent.sort_by_key(|it| it.0);
        let line = |(at, it): (Millis, &Delivery)| {
            let minute = at.since(Millis(START)) / MINUTE;
            let who = it.person.as_ref().map_or("-", PersonId::as_str);
            format!("{minute} {} {who} {}", it.purpose.as_str(), it.channel)
        };
        sent.into_iter().map(line).collect()
    }

    #[track_caller]
    fn check(&self, expected: &[&str]) {
        assert_eq!(self.log(), expected);
    }
}

#[test]
fn a_page_that_nobody_answers_goes_through_every_step_to_the_fallback() {
    let mut world = World::page();
    world.until(60).check(&[
        "0 page an zalo",
        "2 page an sms",
        "4 page an mail",
        "5 page an zalo",
        "5 page binh zalo",
        "7 page an sms",
        "7 page binh sms",
        "9 page an mail",
        "9 page binh mail",
        "10 page an zalo",
        "12 page an sms",
        "14 page an mail",
        "15 page an zalo",
        "15 page binh zalo",
        "17 page an sms",
        "17 page binh sms",
        "19 page an mail",
        "19 page binh mail",
        "20 page chi zalo",
        "22 page chi sms",
        "24 page chi mail",
    ]);
    assert!(world.incident.escalation.fell_back && world.incident.paged);
    assert_eq!(world.incident.escalation.next, None);
    let log: Vec<_> = world.incident.log.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(log, ["1.1.1: an", "1.1.2: an, binh", "1.2.1: an", "1.2.2: an, binh", "1.2.3: chi"]);
}

#[test]
fn an_acknowledgement_stops_all_and_is_told_to_the_others() {
    let mut world = World::page();
    world.until(6);
    acknowledge(&mut world.incident, "an", "link", world.now).unwrap();
    world.until(30).check(&[
        "0 page an zalo",
        "2 page an sms",
        "4 page an mail",
        "5 page an zalo",
        "5 page binh zalo",
        "6 acknowledged binh zalo",
    ]);
    let again = acknowledge(&mut world.incident, "binh", "api", world.now);
    assert!(matches!(again, Err(NotTaken::AlreadyAcked(ack)) if ack.by == "an"));
    assert_eq!(acknowledge(&mut world.incident, "an", "link", world.now), Ok(()));
}

#[test]
fn whoever_is_named_over_the_api_is_told_what_was_done_in_their_name() {
    for (via, told) in [("link", 0), ("api", 1), ("cli", 1)] {
        let mut world = World::page();
        world.until(1);
        acknowledge(&mut world.incident, "an", via, world.now).unwrap();
        world.until(3);
        let hears = |it: &&Delivery| {
            let an = it.person.as_ref().is_some_and(|it| it.as_str() == "an");
            an && it.purpose == Purpose::Acknowledged
        };
        assert_eq!(world.deliveries.iter().filter(hears).count(), told, "{via}");
    }
}

#[test]
fn long_after_an_acknowledgement_it_is_paged_anew() {
    let mut world = World::page();
    world.until(1);
    acknowledge(&mut world.incident, "an", "link", world.now).unwrap();
    world.until(31);
    assert_eq!((world.incident.ack.clone(), world.incident.escalation.round), (None, 2));
    world.check(&["0 page an zalo", "31 page an zalo"]);
    assert!(world.incident.log.iter().any(|it| it.what == "ack.ran_out" && it.text == "an"));
}

#[test]
fn its_end_is_told_once_to_each_address_that_was_paged() {
    let mut world = World::page();
    world.until(3);
    close(&mut world);
    world.until(40).check(&[
        "0 page an zalo",
        "2 page an sms",
        "3 resolved an sms",
        "3 resolved an zalo",
    ]);
}

#[test]
fn a_page_that_could_not_leave_is_told_with_its_end() {
    let mut world = World::page();
    world.works = false;
    world.until(3);
    close(&mut world);
    world.works = true;
    world.until(10).check(&["3 resolved an sms", "3 resolved an zalo"]);
}

#[test]
fn what_comes_back_after_its_end_is_paged_and_ended_anew() {
    let mut world = World::page();
    world.until(1);
    close(&mut world);
    world.until(2);
    reopen(&mut world);
    world.until(3);
    close(&mut world);
    world.until(9).check(&[
        "0 page an zalo",
        "1 resolved an zalo",
        "2 page an zalo",
        "3 resolved an zalo",
    ]);
}

fn close(world: &mut World) {
    (world.incident.closed, world.incident.ending) = (Some(world.now), Some(Ending::Recovered));
    world.incident.now.clear();
}

fn reopen(world: &mut World) {
    let incident = &mut world.incident;
    (incident.closed, incident.ending, incident.ack, incident.cause) = (None, None, None, None);
    incident.escalation = Escalation { round: incident.escalation.round, ..Escalation::default() };
    incident.now = vec![said(incident.kind, incident.severity)];
}

#[test]
fn a_ticket_is_told_once_by_mail_and_needs_no_answer() {
    let mut world = World::new(incident(Kind::Slow, Severity::Ticket));
    world.until(90).check(&["0 ticket an mail"]);
    close(&mut world);
    world.until(91).check(&["0 ticket an mail", "90 resolved an mail"]);
}

#[test]
fn a_certificate_that_comes_nearer_to_its_end_is_told_anew() {
    let mut world = World::new(incident(Kind::Certificate, Severity::Ticket));
    world.until(5);
    let at = world.now;
    world.incident.log.push(LogLine { at, what: "renewed".to_owned(), text: "14".to_owned() });
    world.until(10).check(&["0 ticket an mail", "5 ticket an mail"]);
}

#[test]
fn a_ticket_that_becomes_a_page_is_paged() {
    let mut world = World::new(incident(Kind::Partial, Severity::Ticket));
    world.until(3);
    (world.incident.kind, world.incident.severity) = (Kind::Down, Severity::Page);
    world.until(4);
    close(&mut world);
    world.until(5).check(&[
        "0 ticket an mail",
        "3 page an zalo",
        "4 resolved an mail",
        "4 resolved an zalo",
    ]);
}

#[test]
fn who_was_paged_hears_that_it_is_worse_or_flaps() {
    let mut world = World::new(incident(Kind::BurnFast, Severity::Page));
    world.until(1);
    world.incident.kind = Kind::Down;
    world.until(2);
    world.incident.flapping = true;
    world.incident.kind = Kind::Partial;
    world.until(3).check(&[
        "0 page an zalo",
        "1 update an zalo",
        "2 page an sms",
        "2 update an sms",
        "2 update an zalo",
    ]);
}

#[test]
fn nobody_is_paged_for_a_part_in_maintenance_while_held_or_while_all_is_calm() {
    let mut world = World::page();
    world.incident.held_until = Some(Millis(START + MINUTE));
    world.until(1).check(&["1 page an zalo"]);
    world.incident.maintained = true;
    world.until(20).check(&["1 page an zalo"]);
    world.incident.maintained = false;
    let incident = IncidentId("SC-2026-0001".to_owned());
    world.incident.cause = Some(Cause { incident, by: CauseBy::Dependency, until: None });
    world.until(30).check(&["1 page an zalo"]);
    world.incident.cause = None;
    world.incident.now.clear();
    world.until(40).check(&["1 page an zalo"]);
    world.incident.now = vec![said(Kind::Down, Severity::Page)];
    world.until(41).check(&["1 page an zalo", "40 page an zalo"]);
    assert_eq!(world.incident.escalation.round, 2);
}

#[test]
fn with_alertmanager_as_the_pager_nobody_is_called_unless_it_is_gone() {
    let mut world = World::page();
    world.alerting.pager = Pager::Alertmanager;
    world.until(5).check(&[]);
    world.take_over = true;
    world.until(6);
    world.take_over = false;
    world.until(12);
    close(&mut world);
    world.until(13).check(&[
        "5 page an zalo",
        "7 page an sms",
        "9 page an mail",
        "12 resolved an mail",
        "12 resolved an sms",
        "12 resolved an zalo",
    ]);
}

#[test]
fn an_end_that_alertmanager_forgot_is_told_once_to_those_it_concerns_first() {
    let mut world = World::page();
    world.alerting.pager = Pager::Alertmanager;
    world.until(5);
    close(&mut world);
    world.until(6).check(&[]);
    world.tell_the_end = true;
    world.until(9).check(&["6 resolved an zalo", "6 resolved an sms", "6 resolved an mail"]);

    let mut told = World::page();
    told.alerting.pager = Pager::Alertmanager;
    (told.take_over, told.tell_the_end) = (true, true);
    told.until(1);
    close(&mut told);
    told.until(9).check(&["0 page an zalo", "1 resolved an zalo"]);
}

#[test]
fn without_a_team_nobody_is_told_and_that_is_noted_once() {
    let mut world = World::page();
    world.alerting.teams.clear();
    world.until(10).check(&[]);
    assert_eq!(world.incident.log.len(), 1);
    assert_eq!(world.incident.log[0].what, "nobody");
    world.alerting = alerting();
    world.until(11).check(&["10 page an zalo"]);
}

#[test]
fn a_hole_in_the_rota_pages_the_fallback() {
    let mut world = World::page();
    world.alerting.teams[0].layers.clear();
    world.until(0).check(&["0 page chi zalo"]);
}

#[test]
fn a_step_without_anybody_goes_on_at_once_and_so_does_a_whole_turn() {
    let mut world = World::page();
    let team = &mut world.alerting.teams[0];
    team.steps.insert(0, step(0, &[Target::Person(person("nobody"))]));
    world.until(0).check(&["0 page an zalo"]);
    let mut world = World::page();
    let team = &mut world.alerting.teams[0];
    team.repeat = u32::MAX;
    team.steps = vec![step(0, &[Target::Person(person("nobody"))]); 3];
    world.until(0).check(&["0 page chi zalo"]);
    let mut world = World::page();
    world.alerting.teams[0].steps.clear();
    world.until(0).check(&["0 page chi zalo"]);
}

#[test]
fn who_can_reach_nobody_tries_again_and_notes_it_once() {
    for severity in [Severity::Page, Severity::Ticket] {
        let mut world = World::new(incident(Kind::Slow, severity));
        world.alerting.people.clear();
        world.until(21).check(&[]);
        assert_eq!(world.incident.log.len(), 1);
        assert_eq!(world.incident.log[0].what, "nobody");
        world.alerting = alerting();
        world.until(25);
        assert_eq!(world.log().len(), 1, "{:?}", world.log());
        assert!(world.incident.escalation.round <= 1);
    }
}

#[test]
fn somebody_who_is_gone_is_not_called_and_the_next_step_is_taken() {
    let mut world = World::page();
    world.works = false;
    world.until(1);
    world.alerting.people.retain(|it| it.id.as_str() != "an");
    world.works = true;
    let decided = world.tick();
    assert_eq!(decided.drop.len(), 3);
    assert!(decided.drop.iter().all(|it| it.why == Why::Gone));
    world.until(2).check(&["1 page binh zalo"]);
    world.until(3);
    close(&mut world);
    world.until(4).check(&[
        "1 page binh zalo",
        "3 page binh sms",
        "3 resolved binh sms",
        "3 resolved binh zalo",
    ]);
}

#[test]
fn a_step_that_was_refused_for_good_goes_on_at_once() {
    let mut world = World::page();
    world.tick();
    for it in &mut world.deliveries {
        it.status = Status::Failed { at: world.now };
    }
    world.tick();
    let to: HashSet<_> = world.deliveries.iter().map(|it| it.to.as_str()).collect();
    assert!(to.contains("z-binh"), "{to:?}");
}

#[test]
fn a_group_chat_is_nobodys_own() {
    let mut world = World::page();
    let group = Target::Address(ChannelId::new("zalo").unwrap(), "nhom/1".to_owned());
    world.alerting.teams[0].steps[0].targets.push(group);
    world.until(1);
    acknowledge(&mut world.incident, "an", "link", world.now).unwrap();
    world.until(2).check(&["0 page an zalo", "0 page - zalo", "1 acknowledged - zalo"]);
    let key = "SC-2026-0012/page/1/0/0/-/zalo/nhom/1";
    assert!(world.deliveries.iter().any(|it| it.key == key));
}

#[test]
fn after_a_standstill_people_get_the_whole_of_their_time() {
    let mut world = World::page();
    world.until(0);
    world.now = Millis(START + 62 * MINUTE);
    world.until(62);
    world.until(69).check(&[
        "0 page an zalo",
        "62 page an sms",
        "62 page an mail",
        "62 page an zalo",
        "62 page binh zalo",
        "64 page an sms",
        "64 page binh sms",
        "66 page an mail",
        "66 page binh mail",
        "67 page an zalo",
        "69 page an sms",
    ]);
}

#[test]
fn a_clock_that_is_set_back_delays_no_step_beyond_its_wait() {
    let mut world = World::page();
    world.until(1);
    let shift = 600 * MINUTE;
    world.now = world.now.plus_ms(-shift);
    world.tick();
    let next = world.incident.escalation.next.unwrap();
    assert!(next.since(world.now) <= 5 * MINUTE);
    acknowledge(&mut world.incident, "an", "cli", world.now.plus_ms(shift)).unwrap();
    world.tick();
    assert_eq!(world.incident.ack.as_ref().unwrap().at, world.now);
}

#[test]
fn what_is_closed_is_not_taken_on() {
    let mut world = World::page();
    let (mut book, id) = (Book::default(), world.incident.id.clone());
    book.incidents.insert(id.clone(), world.incident);
    let by = Ack { at: world.now, by: "an".to_owned(), via: "api".to_owned() };
    assert_eq!(step::close(&mut book, &id, &by).len(), 1);
    assert_eq!(book.incidents[&id].ending, Some(Ending::ByHand));
    let gone = Err(NotTaken::Closed);
    assert_eq!(step::close(&mut book, &id, &by), [], "it is closed already");
    world.incident = book.incidents.remove(&id).unwrap();
    assert_eq!(acknowledge(&mut world.incident, "an", "api", world.now), gone);
}

fn any_step() -> impl Strategy<Value = Step> {
    let target = prop_oneof![
        Just(Target::OnCall),
        Just(Target::Everyone),
        prop::sample::select(vec!["an", "binh", "chi", "dung", "nobody"])
            .prop_map(|it| Target::Person(person(it))),
        Just(Target::Address(ChannelId::new("zalo").unwrap(), "nhom".to_owned())),
    ];
    (0_i64..8, prop::collection::vec(target, 1..3))
        .prop_map(|(minutes, targets)| step(minutes * MINUTE, &targets))
}

/// What happens to the incident from outside.
#[derive(Clone, Debug)]
enum Act {
    Ack,
    Close,
    Reopen,
    Worse,
    Flap,
    Calm(bool),
    Maintained(bool),
    Part(bool),
    Leaves(usize),
    Refuse,
    TakeOver(bool),
    StandIn(bool),
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => Just(Act::Ack),
        2 => Just(Act::Close),
        2 => Just(Act::Reopen),
        1 => Just(Act::Worse),
        1 => Just(Act::Flap),
        1 => any::<bool>().prop_map(Act::Calm),
        1 => any::<bool>().prop_map(Act::Maintained),
        1 => any::<bool>().prop_map(Act::Part),
        1 => (0_usize..4).prop_map(Act::Leaves),
        1 => Just(Act::Refuse),
        1 => any::<bool>().prop_map(Act::TakeOver),
        1 => any::<bool>().prop_map(Act::StandIn),
    ]
}

fn act(world: &mut World, act: &Act) {
    let now = world.now;
    let is_open = world.incident.is_open();
    match act {
        Act::Ack => drop(acknowledge(&mut world.incident, "an", "link", now)),
        Act::Close if is_open => close(world),
        Act::Reopen if !is_open => reopen(world),
        Act::Worse => (world.incident.kind, world.incident.severity) = (Kind::Down, Severity::Page),
        Act::Flap => world.incident.flapping = true,
        Act::Calm(true) => world.incident.now.clear(),
        Act::Calm(false) if is_open => {
            world.incident.now = vec![said(world.incident.kind, world.incident.severity)];
        }
        Act::Close | Act::Reopen | Act::Calm(false) => {}
        Act::Maintained(it) => world.incident.maintained = *it,
        Act::Part(it) => {
            let incident = IncidentId("SC-2026-0001".to_owned());
            let cause = Cause { incident, by: CauseBy::Dependency, until: None };
            world.incident.cause = it.then_some(cause);
        }
        Act::Leaves(place) => {
            world.alerting.people = alerting().people;
            if *place < 3 {
                world.alerting.people.remove(*place);
            }
        }
        Act::Refuse => {
            for it in world.deliveries.iter_mut().filter(|it| it.is_waiting()) {
                it.status = Status::Failed { at: now };
            }
        }
        Act::TakeOver(it) => {
            (world.alerting.pager, world.take_over) = (Pager::Alertmanager, *it);
        }
        Act::StandIn(it) => {
            let (from, to) = (now, now.plus_ms(3_600_000));
            let dung = Override { person: person("dung"), instead_of: None, from, to };
            world.alerting.teams[0].overrides = if *it { vec![dung] } else { Vec::new() };
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order, with a restart at every tick: each decision is made
    /// once (asserted in `tick`), nobody is paged after an acknowledgement (there too), for a
    /// part, in maintenance or after the end, and the end is told once to each address that was
    /// told of it.
    #[test]
    fn whatever_happens_each_decision_is_made_once(
        steps in prop::collection::vec(any_step(), 0..4),
        repeat in 0_u32..3,
        loud in any::<bool>(),
        acts in prop::collection::vec((any_act(), 1_i64..600), 1..25),
        works in any::<bool>(),
    ) {
        let severity = if loud { Severity::Page } else { Severity::Ticket };
        let mut world = World::new(incident(Kind::Slow, severity));
        (world.alerting.teams[0].steps, world.alerting.teams[0].repeat) = (steps, repeat);
        world.works = works;
        let mut ends = 1;
        for (what, seconds) in acts {
            ends += usize::from(world.incident.is_open() && matches!(what, Act::Close));
            act(&mut world, &what);
            let it = &world.incident;
            let quiet = it.maintained || it.cause.is_some() || !it.is_open();
            let decided = world.tick();
            if quiet {
                let loud = |it: &Delivery| matches!(it.purpose, Purpose::Page | Purpose::Ticket);
                prop_assert!(!decided.new.iter().any(loud), "{:?}", decided);
                prop_assert!(!world.deliveries.iter().any(|it| loud(it) && it.is_waiting()));
            }
            world.send();
            world.now = world.now.plus_ms(seconds * SECOND);
        }
        world.works = true;
        world.alerting.people = alerting().people;
        if world.incident.is_open() {
            close(&mut world);
        }
        world.tick();
        world.send();
        let mut told: BTreeMap<(Option<&PersonId>, &str), (usize, usize)> = BTreeMap::new();
        for it in &world.deliveries {
            let entry = told.entry((it.person.as_ref(), it.to.as_str())).or_default();
            match (it.purpose, it.status) {
                (Purpose::Page | Purpose::Ticket, Status::Sent { .. }) => entry.0 += 1,
                (Purpose::Resolved, Status::Sent { .. }) => entry.1 += 1,
                _ => {}
            }
        }
        for ((who, to), (loud, over)) in told {
            let is_address = who.is_none();
            let is_target = world.alerting.teams[0].steps.iter().flat_map(|it| &it.targets)
                .any(|it| matches!(it, Target::Address(_, address) if address == to));
            prop_assert!(over <= ends, "{who:?} {to}: {over} times told of {ends} ends");
            if loud > 0 && (!is_address || is_target) {
                prop_assert!(over > 0, "{who:?} {to} was told and not that it is over");
            }
        }
        prop_assert!(world.deliveries.iter().all(|it| !it.is_waiting()));
    }

    /// Undisturbed, each place is reached when the timetable says, at most a tick later, and the
    /// fallback last; each contact has its delivery, once.
    #[test]
    fn steps_are_reached_at_the_sum_of_the_delays(
        steps in prop::collection::vec(any_step(), 0..4),
        repeat in 0_u32..3,
        tick in 7_i64..50,
    ) {
        let mut world = World::page();
        let team = &mut world.alerting.teams[0];
        (team.steps, team.repeat) = (steps, repeat);
        // "nobody" is empty and goes on at once; that is another test.
        for step in &mut team.steps {
            step.targets.retain(|it| *it != Target::Person(person("nobody")));
            step.targets.push(Target::Person(person("chi")));
        }
        let team = team.clone();
        let plan: Vec<(Place, i64)> = timetable(&team).collect();
        let last = plan.last().copied().unwrap();
        prop_assert_eq!(last.0.step, team.steps.len());
        prop_assert_eq!(plan.len(), team.steps.len() * (repeat as usize + 1) * usize::from(!team.steps.is_empty()) + 1);
        let mut reached: BTreeMap<Place, i64> = BTreeMap::new();
        while world.now.since(Millis(START)) <= last.1 + 60 * SECOND {
            for it in world.tick().happened {
                if let What::Paged { round, place, .. } = it {
                    prop_assert_eq!(round, 1);
                    prop_assert!(reached.insert(place, world.now.since(Millis(START))).is_none());
                }
            }
            world.send();
            world.now = world.now.plus_ms(tick * SECOND);
        }
        prop_assert_eq!(reached.len(), plan.len());
        for (place, at) in plan {
            let late = reached[&place] - at;
            prop_assert!((0..=tick * SECOND).contains(&late), "{:?}: {} ms late", place, late);
            let here = format!("/page/1/{}/{}/chi/", place.turn, place.step);
            let chi = world.deliveries.iter().filter(|it| it.key.contains(&here)).count();
            prop_assert_eq!(chi, 3, "each contact once");
        }
        prop_assert!(world.incident.escalation.fell_back);
    }
}

#[test]
fn an_acknowledgement_that_is_read_again_is_the_same() {
    let ack = Ack { at: Millis(1), by: "an".to_owned(), via: "link".to_owned() };
    let mut it = incident(Kind::Down, Severity::Page);
    it.ack = Some(ack);
    let written = serde_json::to_string(&it).unwrap();
    assert_eq!(serde_json::from_str::<Incident>(&written).unwrap(), it);
}

#[test]
fn a_ticket_is_not_told_again_after_maintenance_and_a_reopened_one_is() {
    let mut world = World::new(incident(Kind::Slow, Severity::Ticket));
    world.until(1);
    world.incident.maintained = true;
    world.until(2);
    world.incident.maintained = false;
    world.until(3).check(&["0 ticket an mail"]);
    close(&mut world);
    world.until(4);
    reopen(&mut world);
    world.until(5).check(&["0 ticket an mail", "3 resolved an mail", "4 ticket an mail"]);
}

#[test]
fn an_acknowledgement_does_not_run_out_while_all_is_calm() {
    let mut world = World::page();
    world.until(1);
    acknowledge(&mut world.incident, "an", "link", world.now).unwrap();
    world.incident.now.clear();
    world.until(40).check(&["0 page an zalo"]);
    world.incident.now = vec![said(Kind::Down, Severity::Page)];
    world.until(41).check(&["0 page an zalo", "40 page an zalo"]);
}

#[test]
fn a_turn_that_was_refused_is_gone_through_again_after_the_pause_only() {
    let mut world = World::page();
    world.works = false;
    for _ in 0..30 {
        world.tick();
        for it in world.deliveries.iter_mut().filter(|it| it.is_waiting()) {
            it.status = Status::Failed { at: world.now };
        }
        world.now = world.now.plus_ms(SECOND);
    }
    let turns: HashSet<u32> = [0, 1]
        .into_iter()
        .filter(|turn| {
            let turn = format!("/page/1/{turn}/");
            world.deliveries.iter().any(|it| it.key.contains(&turn))
        })
        .collect();
    assert_eq!(turns, HashSet::from([0]));
    assert_eq!(world.incident.escalation.turn, 1);
}

#[test]
fn an_address_that_is_no_target_any_more_gets_nothing() {
    let mut world = World::page();
    let group = Target::Address(ChannelId::new("zalo").unwrap(), "nhom".to_owned());
    world.alerting.teams[0].steps[0].targets.push(group);
    world.works = false;
    world.until(1);
    world.alerting.teams[0].steps[0].targets.pop();
    world.works = true;
    world.until(1).check(&["1 page an zalo"]);
    close(&mut world);
    world.until(2).check(&["1 page an zalo", "1 resolved an zalo"]);
}

/// Everything that waits is refused for good, each second until `seconds` after the start.
fn refuse_all(world: &mut World, seconds: i64) {
    while world.now < Millis(START + seconds * SECOND) {
        world.tick();
        for it in world.deliveries.iter_mut().filter(|it| it.is_waiting()) {
            it.status = Status::Failed { at: world.now };
        }
        world.now = world.now.plus_ms(10 * SECOND);
    }
}

/// When the first page of each round was decided, in minutes.
fn rounds(world: &World) -> Vec<i64> {
    let mut rounds: BTreeMap<u32, i64> = BTreeMap::new();
    for it in world.deliveries.iter().filter(|it| it.purpose == Purpose::Page) {
        let round = it.key.split('/').nth(2).unwrap().parse().unwrap();
        let minute = it.decided.since(Millis(START)) / MINUTE;
        rounds.entry(round).and_modify(|it| *it = minute.min(*it)).or_insert(minute);
    }
    rounds.into_values().collect()
}

#[test]
fn an_escalation_whose_messages_are_all_refused_begins_anew_less_and_less_often() {
    let mut world = World::page();
    refuse_all(&mut world, 130 * 60);
    // Each round takes five minutes: the pause before its second turn.
    assert_eq!(rounds(&world), [0, 10, 26, 52, 87, 123]);
    let unreached = world.incident.log.iter().filter(|it| it.what == "unreached").count();
    assert_eq!(unreached, world.incident.escalation.fruitless as usize);
    // The gateway is itself again.
    world.until(190);
    let first = world.log().into_iter().next();
    assert!(first.is_some_and(|it| it.contains("page an zalo")), "{:?}", world.log());
    assert_eq!(world.incident.escalation.next, None);
    let round = world.incident.escalation.round;
    world.until(400);
    assert_eq!(world.incident.escalation.round, round, "somebody was reached: it does not go on");
}

#[test]
fn one_message_that_left_is_enough_for_an_escalation_to_end() {
    let mut world = World::page();
    world.tick();
    world.deliveries[0].status = Status::Sent { at: world.now };
    refuse_all(&mut world, 3_600 * 3);
    assert_eq!(rounds(&world), [0]);
    assert_eq!(world.incident.escalation.fruitless, 0);
}

#[test]
fn what_reached_nobody_is_tried_at_once_when_the_configuration_changes() {
    let mut world = World::page();
    refuse_all(&mut world, 60 * 60);
    let before = rounds(&world).len();
    try_at_once(&mut world.incident, world.now);
    world.until(61);
    assert_eq!(rounds(&world).len(), before + 1);
    assert_eq!(world.log()[0], "60 page an zalo");
    // Of an escalation that is under way it changes nothing.
    let mut world = World::page();
    world.until(6);
    let same = world.incident.clone();
    try_at_once(&mut world.incident, world.now);
    assert_eq!(world.incident, same);
}

#[test]
fn a_clock_that_is_set_back_does_not_put_a_new_try_off() {
    let mut world = World::page();
    refuse_all(&mut world, 60 * 60);
    world.now = Millis(START - 600 * MINUTE);
    world.tick();
    let next = world.incident.escalation.next.unwrap();
    assert!(next.since(world.now) <= AGAIN_MS_MAX, "{}", next.since(world.now));
}
