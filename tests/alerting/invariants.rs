//! What holds after every step, whatever happens: outages, reloads, maintenance, clocks, people.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use thongsuot::alert::book::{Ack, Book, CauseBy, Ending, Incident, LOG_LINES_MAX};
use thongsuot::alert::condition::{Condition, Kind, Thread};
use thongsuot::alert::facts::{CheckFacts, Facts, Trouble, TroubleKind};
use thongsuot::alert::root::LEAVE_MS_MAX;
use thongsuot::alert::rules::conditions;
use thongsuot::alert::step::{Happened, What, close, prune, step};
use thongsuot::availability::burn::BurnState;
use thongsuot::availability::live::Alarm;
use thongsuot::model::alerting::Alerting;
use thongsuot::model::alerting::rules::Severity;
use thongsuot::model::id::SystemId;
use thongsuot::model::reason::Reason;
use thongsuot::model::state::State;
use thongsuot::model::system::{Objective, System};
use thongsuot::model::time::Millis;

use crate::fixture::{DAY, check, facts, pages, system, well, zone};

const SYSTEMS: usize = 7;

/// Something that happens before a step.
#[derive(Clone, Debug)]
enum Event {
    Pass(i64),
    Clock(i64),
    Check(usize, Alarm),
    All(Alarm),
    Doubt(usize),
    Stale(usize),
    Slow(usize),
    Burn(usize, [bool; 4]),
    Coverage(usize, i64),
    Maintain(usize, bool),
    Blind(bool),
    Remove(usize),
    Add(usize),
    ByHand(usize),
    Prune,
}

fn alarm() -> impl Strategy<Value = Alarm> {
    prop_oneof![3 => Just(Alarm::Down), 3 => Just(Alarm::Quiet), 1 => Just(Alarm::Partial)]
}

fn event() -> impl Strategy<Value = Event> {
    let n = 0..SYSTEMS * 2;
    prop_oneof![
        8 => prop_oneof![Just(1_i64), 1..40_i64, 100..200_i64, 1_000..4_000_i64].prop_map(Event::Pass),
        1 => (-100_000..100_000_i64).prop_map(Event::Clock),
        10 => (n.clone(), alarm()).prop_map(|(at, it)| Event::Check(at, it)),
        1 => alarm().prop_map(Event::All),
        2 => n.clone().prop_map(Event::Doubt),
        1 => n.clone().prop_map(Event::Stale),
        1 => n.clone().prop_map(Event::Slow),
        2 => (0..SYSTEMS, any::<[bool; 4]>()).prop_map(|(at, it)| Event::Burn(at, it)),
        1 => (0..SYSTEMS, 0..1_000_001_i64).prop_map(|(at, it)| Event::Coverage(at, it)),
        2 => (0..SYSTEMS, any::<bool>()).prop_map(|(at, it)| Event::Maintain(at, it)),
        1 => any::<bool>().prop_map(Event::Blind),
        1 => (0..SYSTEMS).prop_map(Event::Remove),
        2 => (0..SYSTEMS).prop_map(Event::Add),
        1 => (0..20_usize).prop_map(Event::ByHand),
        1 => Just(Event::Prune),
    ]
}

/// Who depends on whom, circles included, and who runs on which platform.
type Shape = (Vec<(usize, usize)>, Vec<Option<bool>>, Vec<usize>);

fn shape() -> impl Strategy<Value = Shape> {
    let edges = prop::collection::vec((0..SYSTEMS, 0..SYSTEMS), 0..9);
    let platforms = prop::collection::vec(prop::option::of(any::<bool>()), SYSTEMS * 2);
    (edges, platforms, prop::collection::vec(0..4_usize, SYSTEMS))
}

fn name(at: usize) -> String {
    format!("s{at}")
}

/// Two critical checks a system.
fn systems((edges, platforms, severities): &Shape) -> Vec<System> {
    let one = |at: usize| {
        let checks = [0, 1].map(|number| {
            let mut it = check(&name(at), &format!("s{at}-{number}"));
            let platform = platforms[at * 2 + number];
            it.platform = platform.map(|it| if it { "igate" } else { "eform" }.to_owned());
            Arc::new(it)
        });
        let deps: Vec<String> =
            edges.iter().filter(|(from, _)| *from == at).map(|(_, to)| name(*to)).collect();
        let deps: Vec<&str> = deps.iter().map(String::as_str).collect();
        let mut system = system(&name(at), &deps, checks.to_vec());
        system.objective = Objective::parse("99.9%");
        if severities[at] == 3 {
            system.alert.rules.down = Some(Severity::Ticket);
        }
        system
    };
    (0..SYSTEMS).map(one).collect()
}

struct Run {
    all: Vec<System>,
    facts: Facts,
    book: Book,
    alerting: Alerting,
    /// Numbers given, in order; also of incidents that are forgotten.
    numbers: Vec<(i16, u32)>,
    stale: BTreeSet<String>,
}

impl Run {
    fn new(shape: &Shape) -> Self {
        let all = systems(shape);
        Self {
            facts: facts(all.clone()),
            all,
            book: Book::default(),
            alerting: Alerting::default(),
            numbers: Vec::new(),
            stale: BTreeSet::new(),
        }
    }

    fn check(&mut self, at: usize) -> Option<&mut CheckFacts> {
        let id = format!("s{}-{}", at / 2, at % 2);
        let mut all = self.facts.systems.iter_mut().flat_map(|it| &mut it.checks);
        all.find(|it| it.check.id.as_str() == id)
    }

    fn place(&self, at: usize) -> Option<usize> {
        self.facts.roster.systems.iter().position(|it| it.id.as_str() == name(at))
    }

    fn set(&mut self, at: usize, alarm: Alarm) {
        let now = self.facts.now;
        let Some(it) = self.check(at) else { return };
        if it.alarm == alarm && it.state != State::Slow {
            return;
        }
        it.alarm = alarm;
        (it.state, it.fault) = match alarm {
            Alarm::Quiet => (State::Up, None),
            Alarm::Partial => (State::Partial, Some(Reason::HttpStatus)),
            Alarm::Down => (State::Down, Some(Reason::ConnectRefused)),
        };
        it.since = Some(now.plus_ms(-20_000));
    }

    fn happen(&mut self, event: &Event) {
        let now = self.facts.now;
        match event {
            Event::Pass(s) | Event::Clock(s) => self.facts.now = now.plus_ms(s * 1_000),
            Event::Check(at, alarm) => self.set(*at, *alarm),
            Event::All(alarm) => (0..SYSTEMS * 2).for_each(|at| self.set(at, *alarm)),
            Event::Doubt(at) => {
                if let Some(it) = self.check(*at) {
                    it.fault = Some(Reason::TimeoutWait);
                }
            }
            Event::Stale(at) => {
                self.stale.insert(format!("s{}-{}", at / 2, at % 2));
            }
            Event::Slow(at) => {
                if let Some(it) = self.check(*at).filter(|it| it.alarm == Alarm::Quiet) {
                    it.state = State::Slow;
                }
            }
            Event::Burn(at, over) => {
                let states = over.map(|it| if it { BurnState::Over } else { BurnState::Calm });
                if let Some(at) = self.place(*at) {
                    self.facts.systems[at].burn = states.to_vec();
                }
            }
            Event::Coverage(at, ppm) => {
                if let Some(at) = self.place(*at) {
                    self.facts.systems[at].coverage_ppm = Some(*ppm);
                }
            }
            Event::Maintain(at, on) => {
                if let Some(at) = self.place(*at) {
                    self.facts.systems[at].maintained = *on;
                }
            }
            Event::Blind(on) => {
                let trouble = Trouble {
                    kind: TroubleKind::Blind,
                    subject: String::new(),
                    since: now,
                    why: String::new(),
                };
                self.facts.troubles = if *on { vec![trouble] } else { Vec::new() };
            }
            Event::Remove(at) => {
                if let Some(at) = self.place(*at) {
                    Arc::make_mut(&mut self.facts.roster).systems.remove(at);
                    self.facts.systems.remove(at);
                }
            }
            Event::Add(at) => self.add(*at),
            Event::ByHand(n) => self.by_hand(*n),
            Event::Prune => prune(&mut self.book, now, &self.alerting, |_| false),
        }
    }

    fn add(&mut self, at: usize) {
        if self.place(at).is_none() {
            let system = self.all[at].clone();
            let checks = system.checks.iter().map(well).collect();
            let mut new = facts(vec![system.clone()]).systems.remove(0);
            new.checks = checks;
            Arc::make_mut(&mut self.facts.roster).systems.push(system);
            self.facts.systems.push(new);
        }
    }

    fn by_hand(&mut self, n: usize) {
        let open: Vec<_> = self.book.incidents.values().filter(|it| it.is_open()).collect();
        let Some(id) = open.get(n).map(|it| it.id.clone()) else { return };
        let ack = Ack { at: self.facts.now, by: "an".to_owned(), via: "cli".to_owned() };
        close(&mut self.book, &id, &ack);
    }

    /// One step, after which the same facts change nothing, also with a book that was read back.
    fn go(&mut self) -> Result<Vec<Happened>, TestCaseError> {
        let now = self.facts.now;
        for it in self.facts.systems.iter_mut().flat_map(|it| &mut it.checks) {
            if !self.stale.contains(it.check.id.as_str()) {
                it.last = Some(now);
            }
        }
        let said = conditions(&self.facts);
        let written = serde_json::to_string(&self.book).unwrap();
        let mut read: Book = serde_json::from_str(&written).unwrap();
        let happened = step(&mut self.book, &said, &self.facts, &self.alerting, &zone());
        let other = step(&mut read, &said, &self.facts, &self.alerting, &zone());
        prop_assert_eq!(&happened, &other, "after a restart");
        prop_assert_eq!(&self.book, &read, "after a restart");
        let again = step(&mut read, &said, &self.facts, &self.alerting, &zone());
        prop_assert_eq!(again, Vec::new(), "the same step again");
        prop_assert_eq!(&self.book, &read, "the same step again");
        Ok(happened)
    }

    fn open(&self) -> impl Iterator<Item = &Incident> {
        self.book.incidents.values().filter(|it| it.is_open())
    }

    /// Whether `from` depends on `to`, directly or through others.
    fn depends(&self, from: &SystemId, to: &SystemId) -> bool {
        let (mut seen, mut todo) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(next) = todo.pop() {
            let of = self.facts.roster.systems.iter().find(|it| it.id == next);
            for dep in of.map_or(&[][..], |it| &it.depends_on) {
                if dep == to {
                    return true;
                }
                if seen.insert(dep.clone()) {
                    todo.push(dep.clone());
                }
            }
        }
        false
    }
}

fn service(incident: &Incident) -> &SystemId {
    let Thread::Service(id) = &incident.thread else { panic!("a cause or part is a service") };
    id
}

fn says_down(incident: &Incident) -> bool {
    incident.now.iter().any(|it| it.kind == Kind::Down)
}

/// One open incident of each thread, and numbers that only rise.
fn threads_and_numbers(run: &mut Run, happened: &[Happened]) -> Result<(), TestCaseError> {
    let mut threads = BTreeSet::new();
    for it in run.open() {
        prop_assert!(threads.insert(it.thread.clone()), "two of {:?}", it.thread);
        prop_assert!(it.log.len() <= LOG_LINES_MAX && it.returns.len() <= 64);
        prop_assert_eq!(it.now.is_empty(), it.calm_since.is_some());
        let held = run.facts.now.plus_ms(run.alerting.dependency_wait_ms);
        prop_assert!(it.held_until.is_none_or(|it| it <= held), "held for too long");
    }
    for it in happened.iter().filter(|it| matches!(it.what, What::Opened { .. })) {
        let number = it.incident.number();
        prop_assert!(run.numbers.last().is_none_or(|last| *last < number), "numbers rise");
        run.numbers.push(number);
    }
    Ok(())
}

/// No outage is without an open incident that says so, unless a person closed it a while ago.
fn nothing_is_lost(run: &Run, said: &[Condition]) -> Result<(), TestCaseError> {
    for it in said.iter().filter(|it| it.kind == Kind::Down) {
        let open = run.open().any(|incident| incident.thread == it.thread && says_down(incident));
        let by_hand = run.book.incidents.values().any(|incident| {
            let recent = |closed: Millis| run.facts.now.since(closed) < run.alerting.ack_timeout_ms;
            incident.thread == it.thread
                && incident.ending == Some(Ending::ByHand)
                && incident.closed.is_some_and(recent)
        });
        prop_assert!(open || by_hand, "{:?} is lost", it.thread);
    }
    Ok(())
}

/// Parts have causes that hold: by the roster, and down now or a short while ago.
fn causes_hold(run: &Run) -> Result<(), TestCaseError> {
    for part in run.open() {
        let Some(cause) = &part.cause else { continue };
        let Some(parent) = run.book.incidents.get(&cause.incident) else {
            return Err(TestCaseError::fail("a cause was forgotten"));
        };
        prop_assert!(parent.parts.contains(&part.id));
        if let Some(until) = cause.until {
            let left = until.since(run.facts.now);
            prop_assert!(left <= LEAVE_MS_MAX);
            prop_assert!(left > 0 || part.now.is_empty(), "a part stays for too long");
            continue;
        }
        if part.now.is_empty() {
            continue;
        }
        prop_assert!(parent.is_open() && says_down(parent), "{:?} of {:?}", part.id, parent.id);
        match &cause.by {
            CauseBy::Dependency => prop_assert!(run.depends(service(part), service(parent))),
            CauseBy::Platform(name) => {
                let mut both = [part, parent].into_iter().filter(|it| says_down(it));
                prop_assert!(both.all(|it| is_all_on(run, it, name)), "off the platform");
            }
        }
    }
    Ok(())
}

fn is_all_on(run: &Run, incident: &Incident, platform: &str) -> bool {
    let of = run.facts.each().find(|(it, _)| it.id == *service(incident)).unwrap().1;
    let mut down = of.checks.iter().filter(|it| it.check.critical && it.alarm == Alarm::Down);
    down.all(|it| it.check.platform.as_deref() == Some(platform))
}

/// Every chain of causes ends, and at its end somebody is paged if anything in it is worth it;
/// nothing in maintenance pages.
fn somebody_is_paged(run: &Run) -> Result<(), TestCaseError> {
    let mut tops: BTreeMap<_, Vec<&Incident>> = BTreeMap::new();
    for it in run.open().filter(|it| !it.now.is_empty()) {
        let mut top = it;
        let mut over = false;
        for _ in 0..=run.book.incidents.len() {
            let Some(cause) = top.cause.as_ref().filter(|_| top.is_open()) else { break };
            over |= cause.until.is_some();
            top = &run.book.incidents[&cause.incident];
        }
        prop_assert!(top.cause.is_none() || !top.is_open(), "a circle of causes");
        if !over {
            tops.entry(&top.id).or_default().push(it);
        }
        if let Thread::Service(id) = &it.thread {
            let (_, of) = run.facts.each().find(|(system, _)| system.id == *id).unwrap();
            prop_assert_eq!(it.maintained, of.maintained);
            prop_assert!(!of.maintained || !pages(it), "maintenance pages");
        }
    }
    for (top, parts) in tops {
        let top = &run.book.incidents[top];
        let loud = |it: &&Incident| {
            !it.maintained && it.now.iter().any(|it| it.severity == Severity::Page)
        };
        if parts.iter().any(loud) {
            let muted = top.maintained || top.held_until.is_some();
            prop_assert!(pages(top) || muted, "nobody is paged for {:?}", top.thread);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn invariants_hold_after_every_step(
        shape in shape(),
        events in prop::collection::vec(prop::collection::vec(event(), 1..4), 1..60)
    ) {
        let mut run = Run::new(&shape);
        for events in events {
            for it in &events {
                run.happen(it);
            }
            let happened = run.go()?;
            let said = conditions(&run.facts);
            threads_and_numbers(&mut run, &happened)?;
            nothing_is_lost(&run, &said)?;
            causes_hold(&run)?;
            somebody_is_paged(&run)?;
        }
    }

    /// When all is well for long enough, everything is closed, whatever came before.
    #[test]
    fn all_ends_when_all_is_well(
        shape in shape(),
        events in prop::collection::vec(event(), 1..60)
    ) {
        let mut run = Run::new(&shape);
        for event in events {
            run.happen(&event);
            run.go()?;
        }
        run.facts.troubles.clear();
        let systems = run.facts.roster.systems.clone();
        let now = run.facts.now;
        run.facts = Facts { now, ..facts(systems) };
        for _ in 0..20 {
            run.facts.now = run.facts.now.plus_ms(60_000);
            run.go()?;
        }
        prop_assert_eq!(run.open().count(), 0);
        prop_assert!(run.facts.now.0 > DAY - 100_000_000_000);
    }
}
