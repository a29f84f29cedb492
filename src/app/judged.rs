//! A system judged in batch from the history, as a report would under the terms in force now; only
//! how far a result speaks is as it was then.

use jiff::tz::TimeZone;

use super::notices::Notices;
use crate::availability::calendar::CalendarError;
use crate::availability::figures::{Figures, Terms};
use crate::availability::hours::ServiceHours;
use crate::availability::judge::{Rule, course};
use crate::availability::maintenance::plan::Plan;
use crate::availability::span_set::SpanSet;
use crate::availability::track::Track;
use crate::availability::track::system::{self, Part};
use crate::history::{Filter, HistoryError, Reader};
use crate::model::check::Check;
use crate::model::id::VantageId;
use crate::model::span::Span;
use crate::model::system::{Roster, System};
use crate::model::time::Millis;

/// Steps beside a span that can change what is said of it: ten results confirm each other, and
/// one more on either side bounds them.
const MARGIN_STEPS: i64 = 12;

/// Results of a check between two questions whether to go on.
const RESULTS_BETWEEN_LOOKS: usize = 4_096;

/// Why a system can't be judged now.
#[derive(Debug, thiserror::Error)]
pub(super) enum JudgeError {
    /// The history can't be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Beyond the years that can be reckoned with.
    #[error(transparent)]
    Calendar(#[from] CalendarError),
    /// Nobody waits for the answer any more.
    #[error("it took too long")]
    TooLong,
}

/// By what a system is judged.
#[derive(Clone, Copy)]
pub(super) struct Court<'a> {
    pub(super) reader: &'a Reader,
    pub(super) roster: &'a Roster,
    pub(super) vantage: &'a VantageId,
    pub(super) notices: &'a Notices,
    pub(super) zone: &'a TimeZone,
    /// Results that started later do not count.
    pub(super) now: Millis,
    /// Whether to go on.
    pub(super) wanted: &'a (dyn Fn() -> bool + Sync),
}

/// The course of a system around a span, and what is judged of the span.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) span: Span,
    pub(super) track: Track,
    pub(super) plan: Plan,
    service: Option<SpanSet>,
    watched: SpanSet,
    /// Its enabled checks, in the places that the outages name.
    pub(super) checks: Vec<std::sync::Arc<Check>>,
}

impl Judged {
    /// What is judged: agreed hours, without excluded maintenance, while watched.
    pub(super) fn terms(&self) -> Terms<'_> {
        Terms {
            period: self.span,
            service: self.service.as_ref(),
            maintenance: &self.plan.system,
            watched: Some(&self.watched),
        }
    }

    /// The official figures of the span.
    pub(super) fn figures(&self) -> Figures {
        Figures::of(&self.track, &self.terms())
    }
}

/// How far from `span` results of a check matter.
pub(super) fn margin_ms(check: &Check, notices: &Notices, span: Span) -> i64 {
    let interval_ms = notices.longest_interval_ms(check, span, MARGIN_STEPS);
    MARGIN_STEPS * interval_ms + check.timeout.whole_ms()
}

/// Judges `system` in `span`; `None` without an enabled critical check.
pub(super) fn judge(
    court: Court<'_>,
    system: &System,
    span: Span,
) -> Result<Option<Judged>, JudgeError> {
    let mut plan = court.notices.plan(system, span, court.zone)?;
    let hours = ServiceHours::of(&system.terms.hours, &court.roster.holidays);
    let enabled = system.checks.iter().filter(|it| it.disabled.is_none());
    let checks: Vec<_> = enabled.cloned().collect();
    let mut parts = Vec::new();
    for check in &checks {
        parts.push(part(court, check, span)?);
    }
    maintain(&mut parts, &checks, &mut plan, span);
    let Some(track) = system::track(&parts) else { return Ok(None) };
    let service = hours.within(span, court.zone)?;
    Ok(Some(Judged { span, track, plan, service, watched: system::watched(&parts), checks }))
}

/// Leaves checks out of the system while they are in maintenance of their own. Where that would
/// be every critical one, the system is in maintenance.
fn maintain(parts: &mut [Part], checks: &[std::sync::Arc<Check>], plan: &mut Plan, span: Span) {
    if plan.checks.is_empty() {
        return;
    }
    let out = |check: &Check| plan.checks.get(&check.id).cloned().unwrap_or_default();
    let before = system::watched(parts);
    let left = parts.iter().zip(checks).filter(|(part, _)| part.critical);
    let left =
        left.fold(SpanSet::EMPTY, |all, (part, check)| all.union(&part.watched.minus(&out(check))));
    let all_out = before.minus(&left).within(span);
    for (part, check) in parts.iter_mut().zip(checks) {
        part.watched = part.watched.minus(&out(check).minus(&all_out));
    }
    plan.system = plan.system.union(&all_out);
}

fn part(court: Court<'_>, check: &Check, span: Span) -> Result<Part, JudgeError> {
    let margin = margin_ms(check, court.notices, span);
    let (from, to) = (span.start().plus_ms(-margin), span.end().plus_ms(margin));
    let filter = Filter { lane: None, vantage: Some(court.vantage.clone()) };
    let mut results = Vec::new();
    if let Some(read) = Span::new(from, to.min(court.now.plus_ms(1))) {
        let mut given_up = false;
        court.reader.scan(&check.id, read, &filter, |result| {
            let look = results.len() % RESULTS_BETWEEN_LOOKS == 0;
            given_up = given_up || (look && !(court.wanted)());
            if !given_up {
                results.push(result);
            }
        })?;
        if given_up {
            return Err(JudgeError::TooLong);
        }
    }
    // A check is there from its first result on; one that is read says that it was there.
    let first = match results.first() {
        Some(first) if first.started < span.start() => Some(first.started),
        _ => court.reader.first_started(&check.id)?,
    };
    let watched = first.and_then(|it| Span::new(it, Millis(i64::MAX)));
    let rule = Rule {
        reach: court.notices.reach(check),
        ..Rule::of(check, std::slice::from_ref(court.vantage))
    };
    Ok(Part {
        track: course(&results, &rule),
        critical: check.critical,
        watched: watched.map_or(SpanSet::EMPTY, SpanSet::from),
    })
}

#[cfg(test)]
mod tests;
