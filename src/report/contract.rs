//! What was promised, as data: the part of a configuration that figures depend on.
//!
//! The daemon writes it into the journal whenever it changes, so that a report judges every
//! second by what was in force then, and an auditor needs no file of the operator's.

mod json;
mod recurs;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use crate::availability::figures::verdict::COVERAGE_PPM_DEFAULT;
use crate::availability::hours::{DayKind, ServiceHours, Weekly};
use crate::availability::maintenance::NOTICE_MS_DEFAULT;
use crate::model::check::{Check, Lane};
use crate::model::id::{CheckId, OwnerId, SystemId, VantageId};
use crate::model::system::{Objective, Roster, System};
use crate::model::terms::Hours;

pub use json::NotAContract;
pub use recurs::{Monthly, Recurs};

/// Hours of each weekday, Monday to Sunday, in minutes from midnight by the clock on the wall:
/// `[from, to)`, up to 1,440 for the end of the day.
pub type Week = [Vec<(u16, u16)>; 7];

/// What was promised of everything that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Name of the time zone that days and hours are reckoned in.
    pub zone: String,
    /// Where checks are run from, each with equal weight.
    pub vantages: Vec<VantageId>,
    /// Notice that maintenance must be given where a promise says nothing else, in milliseconds.
    pub notice_ms: i64,
    /// Least coverage for one number and a verdict where a promise says nothing else, in parts
    /// per million.
    pub coverage_ppm: i64,
    /// Days that are not as their weekday, for systems with hours.
    pub holidays: BTreeMap<Date, DayKind>,
    /// Who answers, in the order written.
    pub owners: Vec<Party>,
    /// What is watched, in the order written.
    pub systems: Vec<Arc<Promise>>,
}

/// An owner by its id and official name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its id.
    pub id: OwnerId,
    /// Its name.
    pub name: String,
}

/// What was promised of a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The system.
    pub id: SystemId,
    /// Who answers for it.
    pub owner: OwnerId,
    /// Its official name.
    pub name: String,
    /// The availability it is held to; `None`: only measured.
    pub objective: Option<Objective>,
    /// Agreed hours; `None`: around the clock.
    pub hours: Option<Week>,
    /// Maintenance that recurs every week, one entry a rule. What reaches over midnight is two
    /// pieces that touch.
    pub maintenance: Vec<Week>,
    /// Maintenance that recurs every month, one entry a rule.
    pub monthly: Vec<Monthly>,
    /// Notice that maintenance must be given; `None`: that of the contract.
    pub notice_ms: Option<i64>,
    /// Least coverage for one number and a verdict; `None`: that of the contract.
    pub coverage_ppm: Option<i64>,
    /// Its checks, in the order written, disabled ones too.
    pub checks: Vec<Tested>,
}

/// What figures need to know of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// The check.
    pub id: CheckId,
    /// Its name for people.
    pub name: String,
    /// Time between runs as written, in milliseconds.
    pub interval_ms: i64,
    /// Consecutive bad results that confirm an outage with one vantage (`K`).
    pub confirm: u8,
    /// Whether its failure is the system's failure.
    pub critical: bool,
    /// The lanes each slot runs in.
    pub lanes: Vec<Lane>,
    /// Whether it runs.
    pub enabled: bool,
    /// The shared platform it runs on.
    pub platform: Option<String>,
}

impl Contract {
    /// What a roster promises, with the defaults of the method for all it does not say.
    #[must_use]
    pub fn of(roster: &Roster, zone: &str, vantages: &[VantageId]) -> Self {
        let party =
            |it: &crate::model::system::Owner| Party { id: it.id.clone(), name: it.name.clone() };
        Self {
            zone: zone.to_owned(),
            vantages: vantages.to_vec(),
            notice_ms: NOTICE_MS_DEFAULT,
            coverage_ppm: COVERAGE_PPM_DEFAULT,
            holidays: roster.holidays.iter().map(|it| (it.date, it.kind)).collect(),
            owners: roster.owners.iter().map(party).collect(),
            systems: roster.systems.iter().map(|it| Arc::new(Promise::of(it))).collect(),
        }
    }

    /// The place of a system, if it was watched at all; it is looked for at `near` first.
    pub(super) fn place(&self, id: &SystemId, near: usize) -> Option<usize> {
        let is_there = self.systems.get(near).is_some_and(|it| it.id == *id);
        if is_there { Some(near) } else { self.systems.iter().position(|it| it.id == *id) }
    }

    /// Takes promises that are the same in `other` from there: a contract that changes in one
    /// system takes little more memory than that system.
    pub(super) fn share(&mut self, other: &Self) {
        for (place, promise) in self.systems.iter_mut().enumerate() {
            let same = other.place(&promise.id, place).map(|it| &other.systems[it]);
            if let Some(same) = same.filter(|it| *it == promise) {
                *promise = Arc::clone(same);
            }
        }
    }

    /// Whether a promise that stands in both means the same in both.
    pub(super) fn means_the_same(&self, other: &Self, promise: &Promise) -> bool {
        self.zone == other.zone
            && self.vantages == other.vantages
            && self.notice_ms == other.notice_ms
            && self.coverage_ppm == other.coverage_ppm
            && (promise.hours.is_none() || self.holidays == other.holidays)
    }

    /// Names what a promise of it means: equal where all that figures depend on is.
    pub(super) fn digest(&self, promise: &Promise) -> u64 {
        let hours = promise.hours.as_ref();
        let alone = Self {
            holidays: hours.map_or_else(BTreeMap::new, |_| self.holidays.clone()),
            owners: Vec::new(),
            systems: vec![Arc::new(promise.clone())],
            zone: self.zone.clone(),
            vantages: self.vantages.clone(),
            ..*self
        };
        let digest = Sha256::digest(alone.to_json().to_string());
        digest.iter().take(8).fold(0, |all, byte| all << 8 | u64::from(*byte))
    }

    /// An owner's name; its id if it has none.
    #[must_use]
    pub fn owner_name<'a>(&'a self, id: &'a OwnerId) -> &'a str {
        self.owners.iter().find(|it| it.id == *id).map_or(id.as_str(), |it| &it.name)
    }

    /// The agreed hours of a system, holidays included.
    #[must_use]
    pub fn service(&self, promise: &Promise) -> ServiceHours {
        promise.hours.as_ref().map_or(ServiceHours::Always, |hours| {
            let exceptions = self.holidays.clone();
            ServiceHours::Weekly(Box::new(Weekly { hours: hours.clone(), exceptions }))
        })
    }
}

impl Promise {
    fn of(system: &System) -> Self {
        let terms = &system.terms;
        let (mut maintenance, mut monthly) = (Vec::new(), Vec::new());
        for rule in &terms.maintenance {
            match Recurs::of(rule) {
                Recurs::Weekly(week) => maintenance.push(week),
                Recurs::Monthly(rule) => monthly.push(rule),
            }
        }
        Self {
            id: system.id.clone(),
            owner: system.owner.clone(),
            name: system.name.clone(),
            objective: system.objective,
            hours: match &terms.hours {
                Hours::Always => None,
                Hours::Weekly(week) => Some(week.as_ref().clone()),
            },
            maintenance,
            monthly,
            notice_ms: Some(terms.notice_ms).filter(|it| *it != NOTICE_MS_DEFAULT),
            coverage_ppm: Some(terms.coverage_ppm).filter(|it| *it != COVERAGE_PPM_DEFAULT),
            checks: system.checks.iter().map(|it| Tested::of(it)).collect(),
        }
    }

    /// A check of it.
    #[must_use]
    pub fn check(&self, id: &CheckId) -> Option<&Tested> {
        self.checks.iter().find(|it| it.id == *id)
    }
}

impl Tested {
    fn of(check: &Check) -> Self {
        Self {
            id: check.id.clone(),
            name: check.name.clone(),
            interval_ms: check.interval_ms,
            confirm: check.confirm,
            critical: check.critical,
            lanes: check.lanes().to_vec(),
            enabled: check.disabled.is_none(),
            platform: check.platform.clone(),
        }
    }
}
