//! What is true now, for the rules: from the live state, the figures and the monitor itself.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::alert::facts::{Budget, CheckFacts, Facts, SystemFacts, Trouble, in_hours};
use crate::app::watched::{Watch, Watched};
use crate::availability::burn::BurnState;
use crate::model::id::SystemId;
use crate::model::system::System;
use crate::model::time::Millis;

/// What the figures say of a system that alerts look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::app) struct Figure {
    /// What each of [`crate::availability::burn::RULES`] says.
    pub(in crate::app) burn: Vec<BurnState>,
    /// The budget of the current period; `None`: not worked out yet.
    pub(in crate::app) budget: Option<Budget>,
    /// Share of the coverage window that is known, in parts per million; `None`: not worked out
    /// yet.
    pub(in crate::app) coverage_ppm: Option<i64>,
}

/// Gathers the facts at `now`, of a process that looks since `begun`.
pub(super) fn facts(
    watch: &Watch,
    figures: &HashMap<SystemId, Figure>,
    troubles: Vec<Trouble>,
    zone: &TimeZone,
    (begun, now): (Millis, Millis),
) -> Facts {
    let roster = Arc::clone(&watch.roster);
    let system = |it: &System| {
        let figure = figures.get(&it.id).cloned().unwrap_or_default();
        SystemFacts {
            standing: watch.systems.get(&it.id).map(|it| (it.state, it.since)),
            maintained: watch.maintained.contains(&it.id),
            in_hours: in_hours(it, &roster.holidays, zone, now),
            checks: it
                .checks
                .iter()
                .filter_map(|check| watch.checks.get(&check.id))
                .map(|it| check(it, now))
                .collect(),
            burn: figure.burn,
            budget: figure.budget,
            coverage_ppm: figure.coverage_ppm,
        }
    };
    let systems = roster.systems.iter().map(system).collect();
    Facts { now, begun, roster, systems, troubles }
}

fn check(watched: &Watched, now: Millis) -> CheckFacts {
    CheckFacts {
        why: watched.why.clone(),
        not_after: watched.tls_not_after,
        ..CheckFacts::of(&watched.check, &watched.live, now)
    }
}
