//! All maintenance of one system: of the whole of it, and of its checks.
//!
//! Maintenance of a check, or of the platform under it, leaves that check out of its system for
//! the time: the others go on to be judged. If no critical check is left, nothing is judged.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::availability::calendar::CalendarError;
use crate::availability::span_set::SpanSet;
use crate::model::id::CheckId;
use crate::model::span::Span;
use crate::model::system::System;
use crate::model::terms::Recurring;
use crate::model::time::Millis;

use super::journal::Journal;
use super::{Window, excluded, recurring};

/// What leaves the figures of a system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Of the whole system.
    pub system: SpanSet,
    /// Of a check only.
    pub checks: BTreeMap<CheckId, SpanSet>,
}

/// What leaves the figures of `system` in `within`. `recorded` tells when a recurring window was
/// first in force.
///
/// # Errors
///
/// [`CalendarError`] beyond the years that can be reckoned with.
pub fn plan(
    system: &System,
    journal: &Journal,
    recorded: impl Fn(&Recurring) -> Millis,
    within: Span,
    zone: &TimeZone,
) -> Result<Plan, CalendarError> {
    let notice_ms = system.terms.notice_ms;
    let mut windows: Vec<Window> = Vec::new();
    for rule in &system.terms.maintenance {
        windows.extend(recurring::windows(rule, recorded(rule), within, zone)?);
    }
    let near = journal
        .all()
        .iter()
        .filter(|it| it.span.start() < within.end() && it.end() > within.start());
    let mut checks = BTreeMap::new();
    for announcement in near {
        if announcement.scope.is_all_of(system) {
            windows.extend(announcement.windows());
            continue;
        }
        for check in system.checks.iter().filter(|it| announcement.scope.has_check(it)) {
            let own: &mut SpanSet = checks.entry(check.id.clone()).or_default();
            *own = own.union(&announcement.excluded(notice_ms));
        }
    }
    Ok(Plan { system: excluded(&windows, notice_ms), checks })
}

/// Whether any maintenance of `system`, of a check of it or its platform is under way at `now`,
/// excluded or not.
#[must_use]
pub fn is_active(
    system: &System,
    journal: &Journal,
    recorded: impl Fn(&Recurring) -> Millis,
    now: Millis,
    zone: &TimeZone,
) -> bool {
    let announced = journal.all().iter().any(|it| it.is_active(now) && it.scope.touches(system));
    let instant = Span::new(now, now.plus_ms(1));
    let comes = |rule: &Recurring| {
        let windows = instant.map(|it| recurring::windows(rule, recorded(rule), it, zone));
        windows.is_some_and(|it| it.is_ok_and(|it| !it.is_empty()))
    };
    announced || system.terms.maintenance.iter().any(comes)
}
