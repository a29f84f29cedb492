//! Rosters, facts and a book to test with.

use std::sync::Arc;

use jiff::tz::TimeZone;
use thongsuot::alert::book::{Book, Incident};
use thongsuot::alert::facts::{Budget, CheckFacts, Facts, SystemFacts};
use thongsuot::alert::rules::conditions;
use thongsuot::alert::step::{Happened, step};
use thongsuot::availability::burn::{BurnState, RULES};
use thongsuot::availability::live::Alarm;
use thongsuot::model::alerting::Alerting;
use thongsuot::model::alerting::rules::Severity;
use thongsuot::model::check::{Check, IpChoice};
use thongsuot::model::id::{CheckId, OwnerId, SystemId};
use thongsuot::model::secret::Secret;
use thongsuot::model::spec::{HeartbeatSpec, Spec};
use thongsuot::model::state::State;
use thongsuot::model::system::{AlertTerms, Roster, System};
use thongsuot::model::terms::Terms;
use thongsuot::model::time::{Micros, Millis};

/// 2026-11-24T00:00:00+07:00.
pub(crate) const DAY: i64 = 1_795_453_200_000;

/// A random number generator of a few lines (SplitMix64): the same figures on every machine.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From `low`, and less than `high`.
    pub(crate) fn within(&mut self, low: i64, high: i64) -> i64 {
        low + (self.next() % (high - low).max(1) as u64) as i64
    }

    /// How many trials until the first of probability `p` comes true, at least 1.
    pub(crate) fn trials(&mut self, p: f64) -> i64 {
        let unit = ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        (unit.ln() / (1.0 - p).ln()).ceil().max(1.0) as i64
    }
}

/// A check with the defaults: every 30 s, at most 10 s, three bad results.
pub(crate) fn check(system: &str, id: &str) -> Check {
    Check {
        id: CheckId::new(id).unwrap(),
        system: SystemId::new(system).unwrap(),
        owner: OwnerId::new("o").unwrap(),
        name: String::new(),
        disabled: None,
        critical: true,
        interval_ms: 30_000,
        timeout: Micros(10_000_000),
        slow: None,
        confirm: 3,
        ip: IpChoice::Any,
        platform: None,
        spec: Spec::Heartbeat(HeartbeatSpec {
            token: Secret::new(String::new()),
            age_max: std::time::Duration::from_mins(1),
        }),
    }
}

pub(crate) fn system(id: &str, depends_on: &[&str], checks: Vec<Arc<Check>>) -> System {
    System {
        id: SystemId::new(id).unwrap(),
        owner: OwnerId::new("o").unwrap(),
        name: id.to_owned(),
        objective: None,
        terms: Terms::default(),
        depends_on: depends_on.iter().map(|it| SystemId::new(it).unwrap()).collect(),
        alert: AlertTerms::default(),
        checks,
    }
}

/// A check of which all is well since a day.
pub(crate) fn well(check: &Arc<Check>) -> CheckFacts {
    CheckFacts {
        check: Arc::clone(check),
        alarm: Alarm::Quiet,
        state: State::Up,
        since: Some(Millis(DAY - 86_400_000)),
        fault: None,
        why: None,
        last: Some(Millis(DAY)),
        not_after: None,
    }
}

/// Facts of a roster in which all is well.
pub(crate) fn facts(systems: Vec<System>) -> Facts {
    let of = |system: &System| SystemFacts {
        standing: Some((State::Up, Millis(DAY - 86_400_000))),
        maintained: false,
        in_hours: true,
        checks: system.checks.iter().map(well).collect(),
        burn: vec![BurnState::Calm; RULES.len()],
        budget: Some(Budget { whole_ms: 0, left_ms: 0 }),
        coverage_ppm: Some(1_000_000),
    };
    Facts {
        now: Millis(DAY),
        begun: Millis(0),
        systems: systems.iter().map(of).collect(),
        roster: Arc::new(Roster { systems, ..Roster::default() }),
        troubles: Vec::new(),
    }
}

pub(crate) fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(7))
}

/// One step by the default settings.
pub(crate) fn go(book: &mut Book, facts: &Facts) -> Vec<Happened> {
    step(book, &conditions(facts), facts, &Alerting::default(), &zone())
}

/// Whether somebody is to be woken for it now, if nobody was yet.
pub(crate) fn pages(it: &Incident) -> bool {
    it.is_open()
        && !it.now.is_empty()
        && it.severity == Severity::Page
        && it.cause.is_none()
        && it.held_until.is_none()
        && !it.maintained
}
