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
    /// The sealed blocks that were read.
    pub(super) blocks: Vec<Sealed>,
    /// Results read, margins included.
    pub(super) results: i64,
}

/// Reads `check` for `period`, and nothing that started at `until` or later.
///
/// # Errors
///
/// [`ReportError::History`] for a damaged block: never a smaller answer.
pub(super) fn gather(
    reader: &Reader,
    check: &RuledCheck,
    period: Span,
    until: Millis,
) -> Result<Gathered, ReportError> {
    let (lanes, vantages) = streams(check);
    let mut gathered = Gathered::default();
    let Some(range) = range(reader, check, &lanes, &vantages, period, until)? else {
        gathered.seen = vantages.into_iter().map(|it| (it, Seen::default())).collect();
        return Ok(gathered);
    };
    gathered.blocks = reader.sealed(&check.id, range)?;
    gathered.blocks.retain(|it| lanes.contains(&it.lane) && vantages.contains(&it.vantage));
    let counted = Span::new(period.start(), period.end().min(until));
    for vantage in vantages {
        let mut seen = Seen::default();
        for lane in &lanes {
            let filter = Filter { lane: Some(*lane), vantage: Some(vantage.clone()) };
            let mut results: Vec<RunResult> = Vec::new();
            reader.scan(&check.id, range, &filter, |it| results.push(it))?;
            gathered.results += i64::try_from(results.len()).unwrap_or(0);
            let inside = |it: &&RunResult| counted.is_some_and(|span| span.contains(it.started));
            results.iter().filter(inside).for_each(|it| seen.count(it));
            let reach = check.rules.first().map(|it| &it.rule.reach);
            let testimony = samples(&results, |at| reach.map_or(1, |it| it.at(at)));
            seen.lanes.push((*lane, testimony));
        }
        gathered.seen.push((vantage, seen));
    }
    if let Some(counted) = counted {
        voids(reader, &check.id, counted, &mut gathered.seen)?;
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
    reader: &Reader,
    check: &RuledCheck,
    lanes: &[Lane],
    vantages: &[VantageId],
    period: Span,
    until: Millis,
) -> Result<Option<Span>, ReportError> {
    let Some(first) = reader.first_started(&check.id)? else { return Ok(None) };
    let needed = check.rules.iter().map(|it| it.rule.confirm.window());
    let needed = needed.max().unwrap_or(SETTLED_MIN).max(SETTLED_MIN);
    let chunk_ms = check.interval_ms.saturating_mul(MARGIN_STEPS).max(7_200_000);
    let (mut from, mut to) = (period.start(), period.end());
    for (lane, vantage) in lanes.iter().flat_map(|lane| vantages.iter().map(move |it| (lane, it))) {
        let filter = Filter { lane: Some(*lane), vantage: Some(vantage.clone()) };
        let walk = Walk { reader, check: &check.id, filter, needed, chunk_ms };
        from = from.min(walk.back(period.start(), first)?);
        to = to.max(walk.on(period.end(), until)?);
    }
    Ok(Span::new(from, to.min(until)))
}

/// A walk away from a period until nothing farther matters.
struct Walk<'a> {
    reader: &'a Reader,
    check: &'a CheckId,
    filter: Filter,
    needed: usize,
    chunk_ms: i64,
}

impl Walk<'_> {
    /// Back to `needed` good results in a row, but not beyond `first`.
    fn back(&self, at: Millis, first: Millis) -> Result<Millis, ReportError> {
        let (mut to, mut length, mut good) = (at, self.chunk_ms, 0);
        while to > first {
            let from = to.plus_ms(-length).max(first);
            for (started, is_good) in self.testimony(from, to)?.into_iter().rev() {
                good = if is_good { good + 1 } else { 0 };
                if good == self.needed {
                    return Ok(started);
                }
            }
            (to, length) = (from, length.saturating_mul(2));
        }
        Ok(to.min(at))
    }

    /// On to `needed` good results in a row, but not beyond `until`.
    fn on(&self, at: Millis, until: Millis) -> Result<Millis, ReportError> {
        let (mut from, mut length, mut good) = (at, self.chunk_ms, 0);
        while from < until {
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
            self.reader.scan(self.check, span, &self.filter, |it| {
                all.extend(it.testimony().map(|is| (it.started, is == Testimony::Good)));
            })?;
        }
        Ok(all)
    }
}
