//! Reads what was seen of one check: the results of a period, and as many around it as its
//! figures depend on.

use super::ReportError;
use super::terms::{Counts, RuledCheck};
use crate::availability::sample::Sample;
use crate::availability::span_set::SpanSet;
use crate::availability::timeline::samples;
use crate::history::{Filter, Reader, Sealed};
use crate::model::check::Lane;
use crate::model::id::{CheckId, VantageId};
use crate::model::outcome::Testimony;
use crate::model::reason::Reason;
use crate::model::result::RunResult;
use crate::model::span::Span;
use crate::model::time::Millis;

/// Good results in a row after which nothing before them matters: the window of confirmation.
const SETTLED_MIN: usize = 10;

/// Steps looked at first beside a period; then twice as many, until it is settled.
const MARGIN_STEPS: i64 = 24;

/// Results of a check between two questions whether to go on.
const RESULTS_BETWEEN_LOOKS: usize = 4_096;

/// How a history is read.
#[derive(Clone, Copy)]
pub struct Reading<'a> {
    /// The history.
    pub reader: &'a Reader,
    /// Nothing that started at this instant or later is read, and what comes after is not judged.
    pub until: Millis,
    /// How far beside a period is read at most, in milliseconds; `None`: as far as anything
    /// matters. Where that is farther, a bad result may be judged without others that confirm it,
    /// and an outage may begin later or end earlier than it did.
    pub beside_ms: Option<i64>,
    /// Whether somebody still waits for the answer.
    pub wanted: &'a (dyn Fn() -> bool + Sync),
}

impl<'a> Reading<'a> {
    /// As far as anything matters, however long it takes.
    #[must_use]
    pub fn whole(reader: &'a Reader, until: Millis) -> Self {
        Self { reader, until, beside_ms: None, wanted: &|| true }
    }

    fn go_on(&self) -> Result<(), ReportError> {
        if (self.wanted)() { Ok(()) } else { Err(ReportError::TooLong) }
    }
}

/// What one vantage saw of one check.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// Its testimony over each lane.
    pub(super) lanes: Vec<(Lane, Vec<Sample>)>,
    /// Runs that started in the period, by reason, void ones too.
    pub(super) runs: Counts<Reason>,
    /// Length of void spans in the period, in milliseconds, by reason.
    pub(super) void_ms: Counts<Reason>,
    /// Each good run that started in the period: when, how long it took and how long from when
    /// it was planned, in microseconds.
    pub(super) good: Vec<(Millis, u32, u32)>,
}

/// What was seen of a check.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    /// By vantage, in order.
    pub(super) seen: Vec<(VantageId, Seen)>,
    /// What was read; `None`: there is nothing.
    pub(super) range: Option<Span>,
    /// The sealed blocks that were read.
    pub(super) blocks: Vec<Sealed>,
    /// Results read, margins included.
    pub(super) results: i64,
}

/// Reads `check` for `period`, with all that a report tells of it.
///
/// # Errors
///
/// [`ReportError::History`] for a damaged block: never a smaller answer.
pub(super) fn gather(
    reading: Reading<'_>,
    check: &RuledCheck,
    period: Span,
) -> Result<Gathered, ReportError> {
    let mut gathered = read(reading, check, period)?;
    let Some(range) = gathered.range else { return Ok(gathered) };
    let (lanes, vantages) = streams(check);
    gathered.blocks = reading.reader.sealed(&check.id, range)?;
    gathered.blocks.retain(|it| lanes.contains(&it.lane) && vantages.contains(&it.vantage));
    if let Some(counted) = Span::new(period.start(), period.end().min(reading.until)) {
        voids(reading.reader, &check.id, counted, &mut gathered.seen)?;
    }
    Ok(gathered)
}

/// Reads the results of `check` for `period`.
///
/// # Errors
///
/// As [`gather`]; [`ReportError::TooLong`] if nobody waits any more.
pub(super) fn read(
    reading: Reading<'_>,
    check: &RuledCheck,
    period: Span,
) -> Result<Gathered, ReportError> {
    let (lanes, vantages) = streams(check);
    let mut gathered = Gathered { range: range(reading, check, period)?, ..Gathered::default() };
    let Some(range) = gathered.range else {
        gathered.seen = vantages.into_iter().map(|it| (it, Seen::default())).collect();
        return Ok(gathered);
    };
    let counted = Span::new(period.start(), period.end().min(reading.until));
    for vantage in vantages {
        let mut seen = Seen::default();
        for lane in &lanes {
            let filter = Filter { lane: Some(*lane), vantage: Some(vantage.clone()) };
            let (mut results, mut wanted): (Vec<RunResult>, bool) = (Vec::new(), true);
            reading.reader.scan(&check.id, range, &filter, |it| {
                wanted = wanted
                    && (!results.len().is_multiple_of(RESULTS_BETWEEN_LOOKS) || (reading.wanted)());
                if wanted {
                    results.push(it);
                }
            })?;
            reading.go_on()?;
            gathered.results += i64::try_from(results.len()).unwrap_or(0);
            let inside = |it: &&RunResult| counted.is_some_and(|span| span.contains(it.started));
            results.iter().filter(inside).for_each(|it| seen.count(it));
            let reach = check.rules.first().map(|it| &it.rule.reach);
            let testimony = samples(&results, |at| reach.map_or(1, |it| it.at(at)));
            seen.lanes.push((*lane, testimony));
        }
        gathered.seen.push((vantage, seen));
    }
    Ok(gathered)
}

impl Seen {
    fn count(&mut self, result: &RunResult) {
        *self.runs.entry(result.reason).or_default() += 1;
        if result.testimony() == Some(Testimony::Good) {
            let total = result.phases.total().0;
            let scheduled = total.saturating_add(result.lateness.0);
            self.good.push((result.started, total, scheduled));
        }
    }
}

/// Every lane and vantage that some contract names.
pub(super) fn streams(check: &RuledCheck) -> (Vec<Lane>, Vec<VantageId>) {
    let mut lanes: Vec<Lane> = check.rules.iter().flat_map(|it| it.rule.lanes.clone()).collect();
    let vantages = check.rules.iter().flat_map(|it| it.rule.vantages.iter());
    let mut vantages: Vec<VantageId> = vantages.map(|it| it.0.clone()).collect();
    lanes.sort_unstable();
    vantages.sort_unstable();
    lanes.dedup();
    vantages.dedup();
    (lanes, vantages)
}

/// Void time by vantage and reason; where spans of one reason overlap it counts once.
fn voids(
    reader: &Reader,
    check: &CheckId,
    counted: Span,
    seen: &mut [(VantageId, Seen)],
) -> Result<(), ReportError> {
    let spans = reader.void_spans(check, counted, usize::MAX)?;
    for (vantage, seen) in seen {
        let own = || spans.iter().filter(|it| it.vantage == *vantage);
        let mut reasons: Vec<Reason> = own().map(|it| it.reason).collect();
        reasons.sort_unstable();
        reasons.dedup();
        for reason in reasons {
            let same = own().filter(|it| it.reason == reason);
            let set: SpanSet = same.filter_map(|it| Span::new(it.from, it.to)).collect();
            seen.void_ms.insert(reason, set.length_within_ms(counted));
        }
    }
    Ok(())
}

/// What to read so that the figures of `period` are those of the whole timeline: back to ten
/// good results in a row of every stream, and forward as far. `None`: there is no result.
pub(super) fn range(
    reading: Reading<'_>,
    check: &RuledCheck,
    period: Span,
) -> Result<Option<Span>, ReportError> {
    let (lanes, vantages) = streams(check);
    let needed = check.rules.iter().map(|it| it.rule.confirm.window());
    let needed = needed.max().unwrap_or(SETTLED_MIN).max(SETTLED_MIN);
    let longest_ms = check.steps.iter().map(|it| it.1).max().unwrap_or(check.interval_ms);
    let chunk_ms = longest_ms.saturating_mul(MARGIN_STEPS);
    let (mut from, mut to) = (period.start(), period.end());
    for (lane, vantage) in lanes.iter().flat_map(|lane| vantages.iter().map(move |it| (lane, it))) {
        let filter = Filter { lane: Some(*lane), vantage: Some(vantage.clone()) };
        let walk = Walk { reading, check: &check.id, filter, needed, chunk_ms };
        from = from.min(walk.back(period.start())?);
        to = to.max(walk.on(period.end())?);
    }
    if from == period.start() && reading.reader.first_started(&check.id)?.is_none() {
        return Ok(None);
    }
    Ok(Span::new(from, to.min(reading.until)))
}

/// A walk away from a period until nothing farther matters.
struct Walk<'a> {
    reading: Reading<'a>,
    check: &'a CheckId,
    filter: Filter,
    needed: usize,
    chunk_ms: i64,
}

impl Walk<'_> {
    /// Back to `needed` good results in a row, but not beyond the first of the check.
    fn back(&self, at: Millis) -> Result<Millis, ReportError> {
        let (mut to, mut length, mut good) = (at, self.chunk_ms, 0);
        let mut first = self.reading.beside_ms.map(|it| at.plus_ms(-it));
        while first.is_none_or(|first| to > first) {
            self.reading.go_on()?;
            let from = to.plus_ms(-length).max(first.unwrap_or(Millis(i64::MIN)));
            for (started, is_good) in self.testimony(from, to)?.into_iter().rev() {
                good = if is_good { good + 1 } else { 0 };
                if good == self.needed {
                    return Ok(started);
                }
            }
            (to, length) = (from, length.saturating_mul(2));
            if first.is_none() {
                // Not asked before it matters: it may be far back.
                let started = self.reading.reader.first_started(self.check)?;
                first = Some(started.unwrap_or(at));
            }
        }
        Ok(first.map_or(to, |first| to.max(first)).min(at))
    }

    /// On to `needed` good results in a row, but not beyond what may be read.
    fn on(&self, at: Millis) -> Result<Millis, ReportError> {
        let (mut from, mut length, mut good) = (at, self.chunk_ms, 0);
        let until = self.reading.beside_ms.map_or(Millis(i64::MAX), |it| at.plus_ms(it));
        let until = self.reading.until.min(until);
        while from < until {
            self.reading.go_on()?;
            let to = from.plus_ms(length).min(until);
            for (started, is_good) in self.testimony(from, to)? {
                good = if is_good { good + 1 } else { 0 };
                if good == self.needed {
                    return Ok(started.plus_ms(1));
                }
            }
            (from, length) = (to, length.saturating_mul(2));
        }
        Ok(from.max(at))
    }

    fn testimony(&self, from: Millis, to: Millis) -> Result<Vec<(Millis, bool)>, ReportError> {
        let mut all = Vec::new();
        if let Some(span) = Span::new(from, to) {
            self.reading.reader.scan(self.check, span, &self.filter, |it| {
                all.extend(it.testimony().map(|is| (it.started, is == Testimony::Good)));
            })?;
        }
        Ok(all)
    }
}
