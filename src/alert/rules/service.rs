//! A system's service: down, partial, slow for long, burning its budget.

use super::{bare, by};
use crate::alert::condition::{Condition, Kind, Thread};
use crate::alert::facts::{CheckFacts, SystemFacts};
use crate::availability::burn::{self, BurnState, RULES};
use crate::availability::live::Alarm;
use crate::model::alerting::rules::Severity;
use crate::model::state::State;
use crate::model::system::System;
use crate::model::time::Millis;

/// What is worth telling of a service, heaviest first.
pub(super) fn say(system: &System, of: &SystemFacts, now: Millis, all: &mut Vec<Condition>) {
    let rules = &system.alert.rules;
    let mut tell = |kind, severity: Option<Severity>, since, checks: &[&CheckFacts]| {
        if let Some(severity) = severity {
            let thread = Thread::Service(system.id.clone());
            let condition = by(bare(thread, kind, severity, since), checks);
            all.push(Condition { maintained: of.maintained, ..condition });
        }
    };
    let down = select(of, |it| it.check.critical && it.alarm == Alarm::Down);
    if !down.is_empty() {
        tell(Kind::Down, rules.down, earliest(&down, State::Down, now), &down);
    }
    let burns = rules.burn && system.objective.is_some() && of.in_hours && !of.maintained;
    let burning = |severity| burns && is_over(&of.burn, severity);
    let suspects = select(of, |it| it.fault.is_some() || it.alarm > Alarm::Quiet);
    if burning(burn::Severity::Page) {
        tell(Kind::BurnFast, Some(Severity::Page), now, &suspects);
    }
    let partial = select(of, |it| {
        let says = if it.check.critical { Alarm::Partial } else { Alarm::Down };
        it.alarm == says
    });
    if !partial.is_empty() {
        let since = partial.iter().map(|it| match it.state {
            State::Partial | State::Down => began(it, it.state, now),
            State::Up | State::Slow | State::Unknown => began(it, State::Down, now),
        });
        tell(Kind::Partial, rules.partial, since.min().unwrap_or(now), &partial);
    }
    if burning(burn::Severity::Ticket) {
        tell(Kind::BurnSlow, Some(Severity::Ticket), now, &suspects);
    }
    let slow = select(of, |it| {
        let long = it.since.is_some_and(|since| now.since(since) >= rules.slow_after_ms);
        it.check.critical && it.state == State::Slow && long
    });
    if !slow.is_empty() {
        tell(Kind::Slow, rules.slow, earliest(&slow, State::Slow, now), &slow);
    }
}

/// Whether a rule of this severity is over. Where nothing was worked out none is.
fn is_over(states: &[BurnState], severity: burn::Severity) -> bool {
    let of = RULES.iter().zip(states).filter(|(rule, _)| rule.severity == severity);
    of.into_iter().any(|(_, state)| *state == BurnState::Over)
}

fn select(of: &SystemFacts, wanted: impl Fn(&CheckFacts) -> bool) -> Vec<&CheckFacts> {
    of.checks.iter().filter(|it| wanted(it)).collect()
}

/// Since when the first of them is in `state`.
fn earliest(checks: &[&CheckFacts], state: State, now: Millis) -> Millis {
    checks.iter().map(|it| began(it, state, now)).min().unwrap_or(now)
}

/// Since when a check is in `state`. An alert outlasts its state by three good results: of such
/// a check only the newest result is known, and the book remembers better.
fn began(check: &CheckFacts, state: State, now: Millis) -> Millis {
    let since = if check.state == state { check.since } else { check.last };
    since.map_or(now, |it| it.min(now))
}
