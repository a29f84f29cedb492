//! The way in: from the results of a check, in any order, to its course and its figures.
//!
//! ```text
//! results -> timeline::samples -> track::{alone, quorum} -> track::lanes -> track::system
//!                                                      `-> figures, incidents, burn
//! ```

use crate::model::check::{Check, Lane};
use crate::model::id::VantageId;
use crate::model::result::RunResult;
use crate::model::step::Step;
use crate::model::time::Millis;

use super::confirm::Confirm;
use super::figures::{Figures, Terms};
use super::timeline::samples;
use super::track::quorum::Quorum;
use super::track::system::{self, Part};
use super::track::{Track, Vantage, alone, lanes, quorum};

/// What must be known of a check to judge its results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// When bad results are an outage, with one vantage.
    pub confirm: Confirm,
    /// How far results speak.
    pub reach: Reach,
    /// Its lanes, each judged apart.
    pub lanes: Vec<Lane>,
    /// The vantages it is run from, each with its weight in the reachability. Results of others
    /// are left out.
    pub vantages: Vec<(VantageId, u32)>,
    /// How many vantages must agree; with one vantage it is not asked.
    pub quorum: Quorum,
}

/// How far a result speaks, by when it started: the interval of a check can be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    first_ms: i64,
    changes: Vec<(Millis, i64)>,
}

impl Reach {
    /// The same for ever, in milliseconds.
    #[must_use]
    pub const fn constant(reach_ms: i64) -> Self {
        Self { first_ms: reach_ms, changes: Vec::new() }
    }

    /// From `at` on it is `reach_ms`; changes are told in order of time.
    #[must_use]
    pub fn then(mut self, at: Millis, reach_ms: i64) -> Self {
        self.changes.push((at, reach_ms));
        self.changes.sort_by_key(|it| it.0);
        self
    }

    /// With the newest `count` changes; older ones are forgotten, as if what they led to had
    /// been in force for ever.
    #[must_use]
    pub fn newest(mut self, count: usize) -> Self {
        let more = self.changes.len().saturating_sub(count);
        if let Some((_, reach_ms)) = self.changes.drain(..more).next_back() {
            self.first_ms = reach_ms;
        }
        self
    }

    /// What is in force at `at`, in milliseconds.
    #[must_use]
    pub fn at(&self, at: Millis) -> i64 {
        let after = self.changes.partition_point(|it| it.0 <= at);
        after.checked_sub(1).map_or(self.first_ms, |it| self.changes[it].1)
    }
}

impl Rule {
    /// The rule of a check as it is configured now, run from `vantages` with equal weights.
    #[must_use]
    pub fn of(check: &Check, vantages: &[VantageId]) -> Self {
        Self {
            confirm: Confirm::new(check.confirm),
            reach: Reach::constant(Step::of(&check.id, check.interval_ms).reach_ms()),
            lanes: check.lanes().to_vec(),
            vantages: vantages.iter().map(|it| (it.clone(), 1)).collect(),
            quorum: Quorum::of(vantages.len()),
        }
    }
}

/// The course of a check: of each lane over its vantages, then over its lanes.
#[must_use]
pub fn course(results: &[RunResult], rule: &Rule) -> Track {
    let of = |lane: Lane| {
        let vantage = |(id, weight): &(VantageId, u32)| {
            let own = results.iter().filter(|it| it.lane == lane && it.vantage == *id);
            let samples = samples(own, |at| rule.reach.at(at));
            Vantage { id: id.clone(), samples, weight: *weight }
        };
        let vantages: Vec<Vantage> = rule.vantages.iter().map(vantage).collect();
        match vantages.as_slice() {
            [only] => alone::track(only, rule.confirm),
            several => quorum::track(several, rule.quorum),
        }
    };
    lanes::track(rule.lanes.iter().map(|it| of(*it)).collect())
}

/// The figures of a check from its results.
#[must_use]
pub fn judge(results: &[RunResult], rule: &Rule, terms: &Terms<'_>) -> Figures {
    Figures::of(&course(results, rule), terms)
}

/// The figures of a system from the courses of its enabled checks; `None` without a critical
/// one. `terms.watched` is not asked: it is when a critical check was watched.
#[must_use]
pub fn judge_system(parts: &[Part], terms: &Terms<'_>) -> Option<Figures> {
    let watched = system::watched(parts);
    let terms = Terms { watched: Some(&watched), ..*terms };
    Some(Figures::of(&system::track(parts)?, &terms))
}
