//! A system from its checks (`docs/measurement.md`, "State of a check over its vantages, and of
//! a system").

use crate::availability::combine;
use crate::availability::segment::{Segment, append};
use crate::availability::span_set::SpanSet;
use crate::model::span::Span;
use crate::model::state::State;
use crate::model::time::Millis;

use super::quorum::unite;
use super::sweep::state_at;
use super::{Outage, Strain, Track};

/// One check in a system.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its course.
    pub track: Track,
    /// Whether its failure is the system's failure.
    pub critical: bool,
    /// When it belonged to the system: from its first slot until it was taken out. Outside it
    /// is not unknown, but not there.
    pub watched: SpanSet,
}

/// The course of a system. `None`: it never had a critical check, so it has no state and no
/// figures ("không giám sát").
///
/// Its outages are the unions of those of its critical checks, and so are the shortest and
/// longest time they may have lasted. One began between the earliest and the latest instant at
/// which the first of them can have begun, and ended likewise with the last.
#[must_use]
pub fn track(parts: &[Part]) -> Option<Track> {
    if !parts.iter().any(|it| it.critical) {
        return None;
    }
    let timeline = timeline(parts);
    let critical = || parts.iter().filter(|it| it.critical);
    let union = |pick: fn(&Track) -> &SpanSet| -> SpanSet {
        let sets = critical().map(|it| pick(&it.track).intersect(&it.watched));
        sets.fold(SpanSet::EMPTY, |all, it| all.union(&it))
    };
    let outages = parts.iter().enumerate().filter(|(_, part)| part.critical);
    let outages = outages.flat_map(|(place, part)| watched_outages(part, place));
    let mut outages = unite(outages.collect());
    let known: SpanSet = timeline.iter().map(|it| it.span).collect();
    for outage in &mut outages {
        if let Some(around) = known.around(outage.start.at) {
            (outage.start, outage.end) = (outage.start.within(around), outage.end.within(around));
        }
    }
    let strains = critical().map(|it| it.track.strain.as_slice());
    Some(Track {
        timeline,
        outages,
        shortest: union(|it| &it.shortest),
        longest: union(|it| &it.longest),
        blips: critical().flat_map(|it| it.track.blips.clone()).collect(),
        strain: add_strain(strains, |shares| shares.iter().copied().max().unwrap_or(0)),
        views: critical().flat_map(|it| it.track.views.clone()).collect(),
    })
}

/// When the system had a critical check: what can be judged at all.
#[must_use]
pub fn watched(parts: &[Part]) -> SpanSet {
    let critical = parts.iter().filter(|it| it.critical);
    critical.fold(SpanSet::EMPTY, |all, it| all.union(&it.watched))
}

fn watched_outages(part: &Part, place: usize) -> Vec<Outage> {
    let inside = |outage: &Outage| -> Vec<Outage> {
        let span = outage.span();
        let pieces = span.map(|it| part.watched.within(it)).unwrap_or_default();
        let cut = pieces.spans().iter().map(|piece| {
            let mut cut = Outage { parts: vec![place], ..outage.clone() };
            if piece.start() > outage.start.at {
                cut.start = super::Edge::fixed(piece.start());
            }
            if piece.end() < outage.end.at {
                cut.end = super::Edge::fixed(piece.end());
            }
            cut
        });
        cut.collect()
    };
    part.track.outages.iter().flat_map(inside).collect()
}

fn timeline(parts: &[Part]) -> Vec<Segment> {
    let mut edges: Vec<Millis> = Vec::new();
    for part in parts {
        let spans = part.track.timeline.iter().map(|it| it.span);
        let spans = spans.chain(part.watched.spans().iter().copied());
        edges.extend(spans.flat_map(|it| [it.start(), it.end()]));
    }
    edges.sort_unstable();
    edges.dedup();
    let mut timeline = Vec::new();
    for pair in edges.windows(2) {
        let Some(span) = Span::new(pair[0], pair[1]) else { continue };
        let there = parts.iter().filter(|it| it.watched.contains(span.start()));
        let states = there.map(|it| (it.critical, state_at(&it.track.timeline, span.start())));
        match combine::system(states) {
            None | Some(State::Unknown) => {}
            Some(state) => append(&mut timeline, span, state),
        }
    }
    timeline
}

/// Several strains side by side, made one by `rule`; where one has none its share is 0.
pub(super) fn add_strain<'a>(
    strains: impl Iterator<Item = &'a [Strain]>,
    rule: impl Fn(&[i64]) -> i64,
) -> Vec<Strain> {
    let strains: Vec<&[Strain]> = strains.collect();
    let spans = strains.iter().flat_map(|it| it.iter()).map(|it| it.span);
    let mut edges: Vec<Millis> = spans.flat_map(|it| [it.start(), it.end()]).collect();
    edges.sort_unstable();
    edges.dedup();
    let mut added = Vec::new();
    for pair in edges.windows(2) {
        let Some(span) = Span::new(pair[0], pair[1]) else { continue };
        let share = |strain: &&[Strain]| {
            let after = strain.partition_point(|it| it.span.start() <= span.start());
            let here = after.checked_sub(1).map(|it| strain[it]);
            here.filter(|it| it.span.contains(span.start())).map_or(0, |it| it.share)
        };
        let share = rule(&strains.iter().map(share).collect::<Vec<_>>());
        if share > 0 {
            added.push(Strain { span, share });
        }
    }
    added
}
