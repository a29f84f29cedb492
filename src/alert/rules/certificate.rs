//! A check's certificate ends soon, or has ended.

use super::{bare, by};
use crate::alert::condition::{Condition, Kind, Thread};
use crate::alert::facts::SystemFacts;
use crate::model::alerting::rules::{AlertRules, Severity};
use crate::model::system::System;
use crate::model::time::Millis;

const DAY_MS: i64 = 86_400_000;

/// What is worth telling of each certificate of a system. That of a check that is not critical
/// makes a ticket even on its last day, as the failure of such a check would.
pub(super) fn say(system: &System, of: &SystemFacts, now: Millis, all: &mut Vec<Condition>) {
    let rules = &system.alert.rules;
    let Some(first) = thresholds(rules).max() else { return };
    for check in &of.checks {
        let Some(not_after) = check.not_after else { continue };
        let left = days_left(not_after, now);
        if left > i64::from(first) {
            continue;
        }
        let pages = left <= i64::from(rules.certificate_page_days) && check.check.critical;
        let severity = if pages { Severity::Page } else { Severity::Ticket };
        let since = not_after.plus_ms(-i64::from(first) * DAY_MS).min(now);
        let thread = Thread::Certificate(check.check.id.clone());
        let condition = by(bare(thread, Kind::Certificate, severity, since), &[check]);
        // What the check itself says is wrong is its own matter.
        let (reason, why, number) = (None, None, Some(left));
        all.push(Condition { reason, why, number, maintained: of.maintained, ..condition });
    }
}

/// Days left, a begun one counted as whole: 0 or less when it has ended.
#[must_use]
pub fn days_left(not_after: Millis, now: Millis) -> i64 {
    let left = not_after.since(now);
    left.div_euclid(DAY_MS) + i64::from(left.rem_euclid(DAY_MS) > 0)
}

/// The last of the configured numbers of days that was reached with so many days left: when it
/// changes, it is told again. 0: it has ended.
#[must_use]
pub fn threshold(rules: &AlertRules, days_left: i64) -> Option<u32> {
    if days_left <= 0 {
        return Some(0);
    }
    thresholds(rules).filter(|it| i64::from(*it) >= days_left).min()
}

/// None if no days are configured: then nothing is told of certificates.
fn thresholds(rules: &AlertRules) -> impl Iterator<Item = u32> {
    let page = rules.certificate_days.first().map(|_| rules.certificate_page_days);
    rules.certificate_days.iter().copied().chain(page)
}
