//! A small world for tests: systems, what is true of them, and a book.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::book::{Book, Incident, IncidentId};
use super::condition::{Condition, Thread};
use super::facts::{Budget, CheckFacts, Facts, SystemFacts, Trouble, TroubleKind};
use super::rules::conditions;
use super::step::{Happened, step};
use crate::availability::burn::{BurnState, RULES};
use crate::availability::live::Alarm;
use crate::availability::sketch;
use crate::model::alerting::Alerting;
use crate::model::check::{Check, IpChoice};
use crate::model::id::{CheckId, OwnerId, SystemId};
use crate::model::reason::Reason;
use crate::model::state::State;
use crate::model::system::{AlertTerms, Objective, Roster, System};
use crate::model::terms::Terms;
use crate::model::time::Millis;

/// 2026-11-24T00:00:00+07:00.
pub(crate) const DAY: i64 = 1_795_453_200_000;

/// Systems, what is true of them, and a book.
pub(crate) struct World {
    pub(crate) facts: Facts,
    pub(crate) alerting: Alerting,
    pub(crate) book: Book,
    /// Checks that are not measured any more.
    pub(crate) stale: Vec<CheckId>,
}

/// Seconds of the day of tests.
pub(crate) fn second(at: i64) -> Millis {
    Millis(DAY + at * 1_000)
}

pub(crate) fn id(text: &str) -> CheckId {
    CheckId::new(text).unwrap()
}

pub(crate) fn system_id(text: &str) -> SystemId {
    SystemId::new(text).unwrap()
}

/// `sso portal<sso tax<sso,portal`: systems with one critical check of the same name each, and
/// what they depend on. All is well since long.
pub(crate) fn world(text: &str) -> World {
    let mut world = World {
        facts: Facts {
            now: second(0),
            begun: Millis(0),
            roster: Arc::new(Roster::default()),
            systems: Vec::new(),
            troubles: Vec::new(),
        },
        alerting: Alerting::default(),
        book: Book::default(),
        stale: Vec::new(),
    };
    for word in text.split_whitespace() {
        let (name, deps) = word.split_once('<').unwrap_or((word, ""));
        let deps = deps.split(',').filter(|it| !it.is_empty());
        let system = System {
            id: system_id(name),
            owner: OwnerId::new("o").unwrap(),
            name: name.to_owned(),
            objective: Objective::parse("99.9%"),
            terms: Terms::default(),
            depends_on: deps.map(system_id).collect(),
            alert: AlertTerms::default(),
            checks: Vec::new(),
        };
        world.roster().systems.push(system);
        world.facts.systems.push(SystemFacts {
            standing: Some((State::Up, second(-86_400))),
            maintained: false,
            in_hours: true,
            checks: Vec::new(),
            burn: vec![BurnState::Calm; RULES.len()],
            budget: Some(Budget { whole_ms: 0, left_ms: 0 }),
            coverage_ppm: Some(1_000_000),
        });
        world.add(name, name, |_| {});
    }
    world
}

impl World {
    pub(crate) fn roster(&mut self) -> &mut Roster {
        Arc::make_mut(&mut self.facts.roster)
    }

    /// Adds a check to a system.
    pub(crate) fn add(&mut self, system: &str, check: &str, change: impl Fn(&mut Check)) {
        let mut new = sketch::check(30_000, 3, IpChoice::Any);
        (new.id, new.system) = (id(check), system_id(system));
        change(&mut new);
        let (check, at) = (Arc::new(new), self.place(system));
        self.roster().systems[at].checks.push(Arc::clone(&check));
        self.facts.systems[at].checks.push(CheckFacts {
            check,
            alarm: Alarm::Quiet,
            state: State::Up,
            since: Some(second(-86_400)),
            fault: None,
            why: None,
            last: Some(second(0)),
            not_after: None,
        });
    }

    /// Puts the check of a system, which bears its name, on a platform.
    pub(crate) fn put(&mut self, check: &str, platform: &str) {
        let of = &mut self.check(check).check;
        Arc::make_mut(of).platform = Some(platform.to_owned());
    }

    pub(crate) fn place(&self, system: &str) -> usize {
        let systems = &self.facts.roster.systems;
        systems.iter().position(|it| it.id.as_str() == system).unwrap()
    }

    pub(crate) fn system(&mut self, system: &str) -> &mut SystemFacts {
        let at = self.place(system);
        &mut self.facts.systems[at]
    }

    pub(crate) fn rules(&mut self, system: &str) -> &mut crate::model::alerting::rules::AlertRules {
        let at = self.place(system);
        &mut self.roster().systems[at].alert.rules
    }

    pub(crate) fn check(&mut self, check: &str) -> &mut CheckFacts {
        let mut all = self.facts.systems.iter_mut().flat_map(|it| &mut it.checks);
        all.find(|it| it.check.id.as_str() == check).unwrap()
    }

    /// Takes a system and its checks out of the roster.
    pub(crate) fn remove(&mut self, system: &str) {
        let at = self.place(system);
        self.roster().systems.remove(at);
        self.facts.systems.remove(at);
    }

    /// Takes a check out.
    pub(crate) fn remove_check(&mut self, system: &str, check: &str) {
        let at = self.place(system);
        self.roster().systems[at].checks.retain(|it| it.id.as_str() != check);
        self.facts.systems[at].checks.retain(|it| it.check.id.as_str() != check);
    }

    /// The alarm of a check and, back-dated by 20 s, its state.
    pub(crate) fn set(&mut self, check: &str, alarm: Alarm) {
        let now = self.facts.now;
        let it = self.check(check);
        it.alarm = alarm;
        (it.state, it.fault) = match alarm {
            Alarm::Quiet => (State::Up, None),
            Alarm::Partial => (State::Partial, Some(Reason::HttpStatus)),
            Alarm::Down => (State::Down, Some(Reason::ConnectRefused)),
        };
        it.since = Some(now.plus_ms(-20_000));
    }

    /// Down.
    pub(crate) fn fail(&mut self, check: &str) {
        self.set(check, Alarm::Down);
    }

    /// Well again.
    pub(crate) fn heal(&mut self, check: &str) {
        self.set(check, Alarm::Quiet);
    }

    /// Bad, not confirmed.
    pub(crate) fn doubt(&mut self, check: &str) {
        self.check(check).fault = Some(Reason::ConnectRefused);
    }

    /// A trouble of the monitor.
    pub(crate) fn trouble(&mut self, kind: TroubleKind) {
        let (since, why) = (self.facts.now, "why".to_owned());
        self.facts.troubles.push(Trouble { kind, subject: String::new(), since, why });
    }

    /// The clock says `at`; everything is measured.
    pub(crate) fn at(&mut self, at: i64) -> &mut Self {
        self.facts.now = second(at);
        let stale = &self.stale;
        for check in self.facts.systems.iter_mut().flat_map(|it| &mut it.checks) {
            if !stale.contains(&check.check.id) {
                check.last = Some(second(at));
            }
        }
        self
    }

    pub(crate) fn conditions(&self) -> Vec<Condition> {
        conditions(&self.facts)
    }

    /// One step, and the same once more, which must change nothing.
    #[track_caller]
    pub(crate) fn happens(&mut self) -> Vec<Happened> {
        let said = self.conditions();
        let zone = TimeZone::fixed(jiff::tz::offset(7));
        let happened = step(&mut self.book, &said, &self.facts, &self.alerting, &zone);
        let text = serde_json::to_string(&self.book).unwrap();
        let mut again: Book = serde_json::from_str(&text).unwrap();
        assert_eq!(again, self.book, "a book is the same after it was written and read");
        let more = step(&mut again, &said, &self.facts, &self.alerting, &zone);
        assert_eq!((&more, &again), (&Vec::new(), &self.book), "the same step again");
        happened
    }

    /// A step at `at`: `1 opened; 1 held`, by the last figures of numbers.
    #[track_caller]
    pub(crate) fn go(&mut self, at: i64) -> String {
        self.at(at);
        let happened = self.happens();
        let words = happened.iter().map(|it| {
            format!("{} {} {}", it.incident.number().1, it.what.as_str(), it.what).trim().to_owned()
        });
        words.collect::<Vec<_>>().join("; ")
    }

    /// Steps each second from now up to `at`, and what happened in all of them.
    #[track_caller]
    pub(crate) fn until(&mut self, at: i64) -> String {
        let from = (self.facts.now.0 - DAY) / 1_000;
        let all = (from..=at).map(|it| (it, self.go(it)));
        let all = all.filter(|(_, what)| !what.is_empty());
        all.map(|(at, what)| format!("{at}: {what}")).collect::<Vec<_>>().join("; ")
    }

    pub(crate) fn incident(&self, n: u32) -> &Incident {
        &self.book.incidents[&IncidentId::new(2026, n)]
    }

    /// The newest incident of a system's service.
    pub(crate) fn of(&self, system: &str) -> &Incident {
        let thread = Thread::Service(system_id(system));
        let those = self.book.incidents.values().filter(|it| it.thread == thread);
        those.max_by_key(|it| it.id.number()).unwrap()
    }
}
