//! What is worth telling: from what is true now to conditions.
//!
//! Stateless, so that nothing is forgotten over a restart: what was told before, and to whom, is
//! known to [`super::step`] alone. Nothing here depends on delivery.

mod service;
mod certificate;
mod figures;
mod monitor;

use super::condition::{Condition, Kind, Thread};
use super::facts::{CheckFacts, Facts};
use super::index;
use crate::model::alerting::rules::Severity;
use crate::model::time::Millis;

pub use certificate::{days_left, threshold};
pub use monitor::severity as trouble_severity;

/// All that is worth telling now, system by system in the order of the roster, of one thread the
/// heaviest first. At most one condition of each thread and kind.
///
/// While the vantage is blind nothing is said of any system's coverage: that is told once, as
/// the monitor's own trouble.
#[must_use]
pub fn conditions(facts: &Facts) -> Vec<Condition> {
    let mut all = Vec::new();
    let blind = index::is_blind(facts);
    for (system, of) in facts.each() {
        service::say(system, of, facts.now, &mut all);
        certificate::say(system, of, facts.now, &mut all);
        if !blind {
            all.extend(figures::coverage(system, of, facts.now));
        }
        all.extend(figures::objective(system, of, facts.now));
    }
    all.extend(facts.troubles.iter().map(monitor::condition));
    all
}

/// A condition of which nothing more is known.
fn bare(thread: Thread, kind: Kind, severity: Severity, since: Millis) -> Condition {
    Condition {
        thread,
        kind,
        severity,
        since,
        checks: Vec::new(),
        reason: None,
        why: None,
        number: None,
        maintained: false,
    }
}

/// Names the checks that say so, with what the first that knows says is wrong.
fn by(condition: Condition, checks: &[&CheckFacts]) -> Condition {
    let first = checks.iter().find(|it| it.fault.is_some());
    Condition {
        checks: checks.iter().map(|it| it.check.id.clone()).collect(),
        reason: first.and_then(|it| it.fault),
        why: first.and_then(|it| it.why.clone()),
        ..condition
    }
}

#[cfg(test)]
mod tests;
