//! A system's figures: too little is known, or the objective of the period is in danger.

use super::{bare, by};
use crate::alert::condition::{Condition, Kind, Thread};
use crate::alert::facts::{CheckFacts, SystemFacts};
use crate::model::alerting::rules::Severity;
use crate::model::state::State;
use crate::model::system::System;
use crate::model::time::Millis;

/// Too little is known of the last minutes ("mất giám sát"), or nothing for as long as the window
/// is: right after a start there is no share yet.
pub(super) fn coverage(system: &System, of: &SystemFacts, now: Millis) -> Option<Condition> {
    let rules = &system.alert.rules;
    let (severity, (state, since)) = (rules.coverage?, of.standing?);
    let little = of.coverage_ppm.is_some_and(|it| it < rules.coverage_ppm_min);
    let nothing = state == State::Unknown && now.since(since) >= rules.coverage_window_ms;
    if !little && !nothing {
        return None;
    }
    let blind: Vec<&CheckFacts> =
        of.checks.iter().filter(|it| it.state == State::Unknown).collect();
    let since = if state == State::Unknown { since.min(now) } else { now };
    let thread = Thread::Coverage(system.id.clone());
    let condition = by(bare(thread, Kind::Coverage, severity, since), &blind);
    let number = if little { of.coverage_ppm } else { Some(0) };
    Some(Condition { number, maintained: of.maintained, ..condition })
}

/// The budget of the period is nearly or all used up. Outside of service hours it is a ticket at
/// most: it can wait until somebody may use the service again.
pub(super) fn objective(system: &System, of: &SystemFacts, now: Millis) -> Option<Condition> {
    let rules = &system.alert.rules;
    let (severity, budget) = (rules.objective?, of.budget?);
    let (left, whole) = (i128::from(budget.left_ms), i128::from(budget.whole_ms));
    let kind = if left < 0 {
        Kind::ObjectiveBroken
    } else if left * 1_000_000 < i128::from(rules.budget_left_ppm) * whole {
        Kind::ObjectiveAtRisk
    } else {
        return None;
    };
    let severity = if of.in_hours { severity } else { severity.min(Severity::Ticket) };
    let ppm = (left * 1_000_000).checked_div(whole).and_then(|it| i64::try_from(it).ok());
    let condition = bare(Thread::Objective(system.id.clone()), kind, severity, now);
    Some(Condition { number: ppm, maintained: of.maintained, ..condition })
}
