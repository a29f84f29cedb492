//! What is counted for each check and system: a few hundred bytes a check.
//!
//! A table belongs to one roster. Cells of checks that a reload keeps are shared by the old
//! table and the new one, so nothing is lost in between, and a page that is being written
//! keeps the table it began with.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::check::Check;
use crate::model::id::{CheckId, OwnerId, SystemId, VantageId};
use crate::model::outcome::Outcome;
use crate::model::phases::Phases;
use crate::model::reason::Reason;
use crate::model::state::State;
use crate::model::system::{Objective, Roster, System};
use crate::model::time::{Micros, Millis};

/// Most reasons besides `none` and `over_slow` that a check has series of its own for. Further
/// ones are counted as `other`, one a bad outcome, so that a check has at most 15 series of
/// results and 40 in all.
pub const REASONS_MAX: usize = 7;

/// Everything counted for the checks and systems of one roster.
#[derive(Debug)]
pub struct Table {
    /// Where the checks are run from; `None` before the first roster.
    pub vantage: Option<VantageId>,
    /// Whose line that place has; empty if nobody says.
    pub carrier: String,
    /// Enabled checks, in the order of the roster.
    pub checks: Vec<Arc<CheckCell>>,
    /// Systems with a state, in the order of the roster.
    pub systems: Vec<Arc<SystemCell>>,
    /// What the roster says of every system, those without a state too.
    pub told: Vec<SystemTold>,
    /// Checks that do not run.
    pub disabled: usize,
    check_at: HashMap<CheckId, usize>,
    system_at: HashMap<SystemId, usize>,
}

/// One check: its labels, and what was counted.
#[derive(Debug)]
pub struct CheckCell {
    /// The agency.
    pub owner: OwnerId,
    /// The system.
    pub system: SystemId,
    /// The check.
    pub check: CheckId,
    /// The kind of check.
    pub kind: &'static str,
    counts: Mutex<Counts>,
}

/// One system.
#[derive(Debug)]
pub struct SystemCell {
    /// The system.
    pub system: SystemId,
    state: Mutex<State>,
    facts: Mutex<Facts>,
}

/// What the roster says of a system.
#[derive(Debug)]
pub struct SystemTold {
    /// The system.
    pub system: SystemId,
    /// The agency.
    pub owner: OwnerId,
    /// The official name of the system.
    pub name: String,
    /// That of the agency; its id if it has none.
    pub owner_name: String,
    /// What it is held to.
    pub objective: Option<Objective>,
    /// What it can't work without.
    pub depends_on: Vec<SystemId>,
}

/// What else is told of a system.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Since when it is in its state; `None`: it was not told yet.
    pub since: Option<Millis>,
    /// Whether maintenance is under way.
    pub maintenance: bool,
    /// Incidents that opened since the process started.
    pub incidents: u64,
    /// Whether one is open.
    pub incident_open: bool,
    /// Its figures.
    pub figures: Figured,
}

/// The live figures of a system; what is not known is not there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figured {
    /// Availability by window.
    pub availability: Vec<Share>,
    /// Coverage by window.
    pub coverage: Vec<Share>,
    /// Share of the period's budget that is left; below 0 once it is overdrawn.
    pub budget_remaining: Option<f64>,
    /// Burn rate by window.
    pub burn_rate: Vec<Share>,
}

/// A figure over a window, by its name in labels.
pub type Share = (&'static str, f64);

/// What was counted for one check.
#[derive(Debug)]
pub struct Counts {
    /// Results by what they are called.
    pub results: Vec<(Told, u64)>,
    /// Runs by length: one number a bound, and one for longer ones.
    pub buckets: Box<[u64]>,
    /// Length of all those runs, in microseconds.
    pub sum_us: u64,
    /// The same by phase.
    pub phases_us: [u64; 6],
    /// Where it stands.
    pub state: State,
    /// When the last certificate seen ends.
    pub tls_not_after: Option<Millis>,
}

/// How a result is told in labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// By its own reason.
    Reason(Reason),
    /// As one of too many.
    Other(Outcome),
}

impl Told {
    /// The labels `outcome` and `reason`.
    #[must_use]
    pub const fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::Reason(reason) => (reason.outcome().as_str(), reason.as_str()),
            Self::Other(outcome) => (outcome.as_str(), "other"),
        }
    }
}

impl Table {
    /// A table for `roster`, which takes over the cells of `before` that say the same labels.
    #[must_use]
    pub fn new(roster: &Roster, vantage: &VantageId, buckets: usize, before: &Self) -> Self {
        let kept_all = before.vantage.as_ref() == Some(vantage);
        let (running, stopped): (Vec<_>, Vec<_>) =
            roster.checks().partition(|check| check.disabled.is_none());
        let cell = |check: &&Arc<Check>| {
            let kept = before.check(&check.id).filter(|cell| kept_all && cell.is_for(check));
            kept.map_or_else(|| Arc::new(CheckCell::new(check, buckets)), Arc::clone)
        };
        let checks: Vec<_> = running.iter().map(cell).collect();
        let judged = roster.systems.iter().filter(|system| {
            system.checks.iter().any(|check| check.critical && check.disabled.is_none())
        });
        let systems: Vec<_> = judged
            .map(|system| {
                let new = || Arc::new(SystemCell::new(system.id.clone()));
                before.system(&system.id).map_or_else(new, Arc::clone)
            })
            .collect();
        Self {
            vantage: Some(vantage.clone()),
            carrier: before.carrier.clone(),
            check_at: checks.iter().enumerate().map(|(at, it)| (it.check.clone(), at)).collect(),
            system_at: systems.iter().enumerate().map(|(at, it)| (it.system.clone(), at)).collect(),
            checks,
            systems,
            told: roster.systems.iter().map(|it| SystemTold::of(it, roster)).collect(),
            disabled: stopped.len(),
        }
    }

    /// A table of nothing, on a line of this carrier.
    #[must_use]
    pub fn empty(carrier: String) -> Self {
        Self {
            vantage: None,
            carrier,
            checks: Vec::new(),
            systems: Vec::new(),
            told: Vec::new(),
            disabled: 0,
            check_at: HashMap::new(),
            system_at: HashMap::new(),
        }
    }

    /// The cell of a check; `None` if the roster does not run it.
    #[must_use]
    pub fn check(&self, id: &CheckId) -> Option<&Arc<CheckCell>> {
        self.checks.get(*self.check_at.get(id)?)
    }

    /// The cell of a system; `None` if it has no state.
    #[must_use]
    pub fn system(&self, id: &SystemId) -> Option<&Arc<SystemCell>> {
        self.systems.get(*self.system_at.get(id)?)
    }
}

impl CheckCell {
    fn new(check: &Check, buckets: usize) -> Self {
        Self {
            owner: check.owner.clone(),
            system: check.system.clone(),
            check: check.id.clone(),
            kind: check.spec.kind(),
            counts: Mutex::new(Counts {
                results: Vec::new(),
                buckets: vec![0; buckets + 1].into_boxed_slice(),
                sum_us: 0,
                phases_us: [0; 6],
                state: State::Unknown,
                tls_not_after: None,
            }),
        }
    }

    fn is_for(&self, check: &Check) -> bool {
        self.owner == check.owner && self.system == check.system && self.kind == check.spec.kind()
    }

    /// What was counted, for reading or counting on. Held for microseconds only.
    pub fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SystemTold {
    fn of(system: &System, roster: &Roster) -> Self {
        let owner = roster.owners.iter().find(|it| it.id == system.owner);
        Self {
            system: system.id.clone(),
            owner: system.owner.clone(),
            name: system.name.clone(),
            owner_name: owner.map_or_else(|| system.owner.to_string(), |it| it.name.clone()),
            objective: system.objective,
            depends_on: system.depends_on.clone(),
        }
    }
}

impl SystemCell {
    fn new(system: SystemId) -> Self {
        Self { system, state: Mutex::new(State::Unknown), facts: Mutex::default() }
    }

    /// Where it stands.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What else is told of it.
    pub fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Counts one result. A void one has no length.
    pub fn result(&mut self, reason: Reason, phases: Phases, bounds: &[Micros]) {
        let told = self.told(reason);
        match self.results.iter_mut().find(|(it, _)| *it == told) {
            Some((_, count)) => *count += 1,
            None => self.results.push((told, 1)),
        }
        if reason.outcome() == Outcome::Void {
            return;
        }
        for (sum, phase) in self.phases_us.iter_mut().zip(phases.to_array()) {
            *sum += u64::from(phase.0);
            self.sum_us += u64::from(phase.0);
        }
        let bucket = bounds.partition_point(|bound| *bound < phases.total());
        if let Some(count) = self.buckets.get_mut(bucket) {
            *count += 1;
        }
    }

    fn told(&self, reason: Reason) -> Told {
        let own = Told::Reason(reason);
        let faults = self.results.iter().filter(|(told, _)| match told {
            Told::Reason(reason) => !matches!(reason, Reason::None | Reason::OverSlow),
            Told::Other(_) => false,
        });
        let known = self.results.iter().any(|(told, _)| *told == own);
        if known
            || matches!(reason, Reason::None | Reason::OverSlow)
            || faults.count() < REASONS_MAX
        {
            own
        } else {
            Told::Other(reason.outcome())
        }
    }
}
