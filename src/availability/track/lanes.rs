//! A check from its lanes (address families): down where all of them are.

use crate::availability::combine;
use crate::availability::segment::Segment;
use crate::availability::span_set::SpanSet;
use crate::model::span::Span;
use crate::model::state::State;

use super::sweep::merge;
use super::{Outage, STRAIN_WHOLE, Strain, Track};

/// The course of a check from those of its lanes. Of the ends of an outage those count that
/// make it shorter: it begins when the last lane fails and ends when the first works.
///
/// In burn rates a check is bad where every lane is, and partly where some are.
#[must_use]
pub fn track(lanes: Vec<Track>) -> Track {
    let mut lanes = lanes;
    if lanes.len() == 1 {
        return lanes.remove(0);
    }
    let timelines: Vec<&[Segment]> = lanes.iter().map(|it| it.timeline.as_slice()).collect();
    let timeline = merge(&timelines, combine::lanes);
    let all = |pick: fn(&Track) -> &SpanSet| {
        let mut sets = lanes.iter().map(pick);
        let first = sets.next().cloned().unwrap_or_default();
        sets.fold(first, |both, it| both.intersect(it))
    };
    let down = timeline.iter().filter(|it| it.state == State::Down);
    Track {
        outages: down.filter_map(|it| outage(it.span, &lanes)).collect(),
        shortest: all(|it| &it.shortest),
        longest: all(|it| &it.longest),
        blips: lanes.iter().flat_map(|it| it.blips.clone()).collect(),
        strain: strain(&lanes),
        views: lanes.iter().flat_map(|it| it.views.clone()).collect(),
        timeline,
    }
}

/// The common part `span` of outages of every lane.
fn outage(span: Span, lanes: &[Track]) -> Option<Outage> {
    let covering = |lane: &'_ Track| {
        let after = lane.outages.partition_point(|it| it.start.at <= span.start());
        after.checked_sub(1)
    };
    let parts: Vec<&Outage> =
        lanes.iter().filter_map(|lane| lane.outages.get(covering(lane)?)).collect();
    let starts = parts.iter().max_by_key(|it| (it.start.at, it.start.latest))?;
    let ends = parts.iter().min_by_key(|it| (it.end.at, it.end.earliest))?;
    Some(Outage {
        start: starts.start,
        end: ends.end,
        confirmed: parts.iter().map(|it| it.confirmed).max()?,
        fault: starts.fault,
        parts: vec![0],
    })
}

fn strain(lanes: &[Track]) -> Vec<Strain> {
    let count = i64::try_from(lanes.len().max(1)).unwrap_or(i64::MAX);
    super::system::add_strain(lanes.iter().map(|it| it.strain.as_slice()), |shares| {
        (shares.iter().sum::<i64>() / count).min(STRAIN_WHOLE)
    })
}
