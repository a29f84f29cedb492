//! Maintenance as windows of time: announced ones and those that recur.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::ReportError;
use super::contract::{Monthly, Recurs};
use super::journal::Held;
use super::terms::zone;
use crate::availability::calendar::CalendarError;
use crate::availability::hours::{ServiceHours, Weekly};
use crate::availability::maintenance::journal::Announcement;
use crate::availability::maintenance::{Window, excluded, not_excluded, recurring};
use crate::availability::span_set::SpanSet;
use crate::model::span::Span;
use crate::model::terms::{Every, Recurring};

/// Looked at on both sides of a period, so that a window that recurs is met whole.
const MARGIN_MS: i64 = 8 * 86_400_000;

/// A window with what it was announced as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The window.
    pub window: Window,
    /// The announcement that it is a piece of; `None`: it recurs by the configuration.
    pub announced: Option<Announcement>,
}

/// The maintenance of something in a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Windows {
    /// Those with a part in the period, in order of their start.
    pub(super) all: Vec<Shown>,
    /// Time announced as it was agreed.
    pub(super) excluded: SpanSet,
}

/// A window and what comes of it in the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What was announced.
    pub named: Named,
    /// Its time that leaves the figures.
    pub excluded: SpanSet,
    /// Its time that stays in them: announced too late, or after the announced end.
    pub kept: SpanSet,
}

impl Windows {
    /// Under the notices in force at each time.
    pub(super) fn new(all: Vec<Named>, notices: &[(Span, i64)], period: Span) -> Self {
        let mut shown = Vec::new();
        for named in all {
            let windows = [named.window];
            let mut sets = [Vec::new(), Vec::new()];
            for (span, notice_ms) in notices {
                let Some(span) = span.within(period) else { continue };
                sets[0].extend_from_slice(excluded(&windows, *notice_ms).within(span).spans());
                sets[1].extend_from_slice(not_excluded(&windows, *notice_ms).within(span).spans());
            }
            let [excluded, kept] = sets.map(|it| it.into_iter().collect::<SpanSet>());
            if named.window.announced.within(period).is_some() {
                shown.push(Shown { named, excluded, kept });
            }
        }
        shown.sort_by_key(|it| (it.named.window.announced, it.named.window.recorded));
        let spans = shown.iter().flat_map(|it| it.excluded.spans().to_vec());
        Self { excluded: spans.collect(), all: shown }
    }
}

/// The pieces of an announcement, each with a record of its own.
pub(super) fn announced(it: &Announcement) -> Vec<Named> {
    let named = |window| Named { window, announced: Some(it.clone()) };
    it.windows().into_iter().map(named).collect()
}

/// The windows that recur around `period`. Each rule counts as recorded with the first of the
/// contracts in a row that hold it, and as taken back with the first that does not.
pub(super) fn recurring_windows(held: &[Held], period: Span) -> Result<Vec<Named>, ReportError> {
    let around = Span::new(period.start().plus_ms(-MARGIN_MS), period.end().plus_ms(MARGIN_MS));
    let mut runs: Vec<(Recurs, &Held, Span)> = Vec::new();
    for term in held {
        let promise = &term.promise;
        let weekly = promise.maintenance.iter().cloned().map(Recurs::Weekly);
        let monthly = promise.monthly.iter().copied().map(Recurs::Monthly);
        for rule in weekly.chain(monthly) {
            let same = runs.iter_mut().find(|it| {
                it.0 == rule
                    && it.1.contract.zone == term.contract.zone
                    && it.2.end() == term.span.start()
            });
            match same {
                Some((_, _, run)) => *run = Span::new(run.start(), term.span.end()).unwrap_or(*run),
                None => runs.push((rule, term, term.span)),
            }
        }
    }
    let mut windows = Vec::new();
    for (rule, term, run) in runs {
        let Some(near) = around.and_then(|it| it.within(run)) else { continue };
        let spans = occurrences(&rule, near, &zone(&term.contract)?);
        let withdrawn = Some(run.end()).filter(|it| it.0 < i64::MAX);
        let spans = spans.map_err(ReportError::Calendar)?;
        let touching = spans.into_iter().filter(|it| it.within(run).is_some());
        windows.extend(touching.map(|announced| Named {
            window: Window { recorded: run.start(), announced, done: None, withdrawn },
            announced: None,
        }));
    }
    Ok(windows)
}

/// The windows of a rule that have a part in `near`, whole.
fn occurrences(rule: &Recurs, near: Span, zone: &TimeZone) -> Result<Vec<Span>, CalendarError> {
    match rule {
        Recurs::Weekly(week) => {
            let around = Span::new(near.start().plus_ms(-MARGIN_MS), near.end().plus_ms(MARGIN_MS));
            let hours = Weekly { hours: week.clone(), exceptions: BTreeMap::new() };
            let hours = ServiceHours::Weekly(Box::new(hours));
            let set = hours.within(around.unwrap_or(near), zone)?.unwrap_or_default();
            Ok(set.spans().iter().copied().filter(|it| it.within(near).is_some()).collect())
        }
        Recurs::Monthly(Monthly { day, from_min, to_min }) => {
            let rule = Recurring {
                every: Every::Month(*day),
                from_min: *from_min,
                to_min: *to_min,
                notice: None,
                why: String::new(),
            };
            recurring::occurrences(&rule, near, zone)
        }
    }
}
