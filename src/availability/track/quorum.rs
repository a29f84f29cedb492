//! One lane over several vantages (`docs/measurement.md`, "State of a check over its vantages,
//! and of a system"). The quorum is the confirmation; the edges follow the intersection rule.

use crate::availability::sample::middle;
use crate::availability::segment::{Segment, append};
use crate::availability::span_set::SpanSet;
use crate::model::span::Span;
use crate::model::state::State;
use crate::model::time::Millis;

use super::spell::{Spell, spells};
use super::sweep::{merge, sweep};
use super::{Edge, Outage, STRAIN_WHOLE, Strain, Track, Vantage, View};

/// How many vantages must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quorum {
    /// `Q`: bad at so many is down. At least 1.
    pub bad: usize,
    /// `M`: fewer that know anything is unknown. At least 1.
    pub known: usize,
}

impl Quorum {
    /// The defaults: 1 of 1, 2 of 2, 2 of 3, then more than half.
    #[must_use]
    pub const fn of(vantages: usize) -> Self {
        let more_than_half = vantages / 2 + 1;
        Self { bad: more_than_half, known: more_than_half }
    }

    /// The state from the raw states of the vantages, `Down` for bad. It is the same for any
    /// order of them.
    #[must_use]
    pub fn state(self, raw: &[State]) -> State {
        let count = |state| raw.iter().filter(|it| **it == state).count();
        let (bad, known) = (count(State::Down), raw.len() - count(State::Unknown));
        if known < self.known.max(1) {
            State::Unknown
        } else if bad >= self.bad.max(1) {
            State::Down
        } else if bad > 0 {
            State::Partial
        } else if count(State::Slow) >= self.bad.max(1) {
            State::Slow
        } else {
            State::Up
        }
    }

    fn share(self, raw: &[State]) -> i64 {
        let bad = raw.iter().filter(|it| **it == State::Down).count();
        let known = raw.iter().filter(|it| **it != State::Unknown).count();
        match self.state(raw) {
            State::Down => STRAIN_WHOLE,
            State::Partial => STRAIN_WHOLE * to_i64(bad) / to_i64(known.max(1)),
            _ => 0,
        }
    }
}

/// The course of a lane that several vantages watch.
#[must_use]
pub fn track(vantages: &[Vantage], quorum: Quorum) -> Track {
    let views: Vec<View> = vantages.iter().map(Vantage::view).collect();
    let raws: Vec<&[Segment]> = views.iter().map(|it| it.raw.as_slice()).collect();
    let counted = merge(&raws, |states| quorum.state(states));
    let mut strain = Vec::new();
    sweep(&raws, |span, states| {
        let share = quorum.share(states);
        if share > 0 {
            strain.push(Strain { span, share });
        }
    });
    let spells: Vec<Vec<Spell>> = vantages.iter().map(|it| spells(&it.samples)).collect();
    let mut track = Track { strain, ..settle(&counted, &spells, quorum) };
    track.views = views;
    track
}

/// Moves the edges of every counted down span to where the intersection rule has them.
fn settle(counted: &[Segment], spells: &[Vec<Spell>], quorum: Quorum) -> Track {
    let known: SpanSet = counted.iter().map(|it| it.span).collect();
    let mut outages = Vec::new();
    let mut calm = Vec::new();
    for (place, segment) in counted.iter().enumerate() {
        if segment.state != State::Down {
            calm.push(*segment);
            continue;
        }
        let span = segment.span;
        let before = place.checked_sub(1).map(|it| counted[it]);
        let before = before.filter(|it| it.span.end() == span.start()).map(|it| it.state);
        let after = counted.get(place + 1).filter(|it| it.span.start() == span.end());
        let after = after.map(|it| it.state);
        let outage = settle_one(span, spells, quorum, &known, before.is_some(), after.is_some());
        // Seconds that the span gives away go to the state that stands beside it.
        let kept = outage.span().unwrap_or(span);
        let left = Span::new(span.start(), span.end().min(kept.start()));
        let right = Span::new(span.start().max(kept.end()), span.end());
        let pieces = [left.zip(before), right.zip(after)];
        calm.extend(pieces.into_iter().flatten().map(|(span, state)| Segment { span, state }));
        outages.push(outage);
    }
    let shortest = outages.iter().filter_map(|it| Span::new(it.start.latest, it.end.earliest));
    let longest = outages.iter().filter_map(|it| Span::new(it.start.earliest, it.end.latest));
    let (shortest, longest) = (shortest.collect(), longest.collect());
    let outages = unite(outages);
    let timeline = overlay(&calm, &outages);
    Track { timeline, outages, shortest, longest, ..Track::default() }
}

fn settle_one(
    span: Span,
    spells: &[Vec<Spell>],
    quorum: Quorum,
    known: &SpanSet,
    known_before: bool,
    known_after: bool,
) -> Outage {
    // A vantage belongs to the outage if a spell of its own has a part in it.
    let touching = |own: &Vec<Spell>| -> Option<(Spell, Spell)> {
        let from = own.partition_point(|it| it.span.end() <= span.start());
        let until = own.partition_point(|it| it.span.start() < span.end());
        let own = own.get(from..until)?;
        // The bracket asks for all of its bad runs in the outage, not only for the first spell's.
        let first_ended = own.iter().map(|it| it.first_ended).min()?;
        Some((Spell { first_ended, ..*own.first()? }, *own.last()?))
    };
    let (firsts, lasts): (Vec<Spell>, Vec<Spell>) = spells.iter().filter_map(touching).unzip();
    let mut start = Edge::fixed(span.start());
    let mut end = Edge::fixed(span.end());
    if known_before {
        start = start_edge(&firsts, quorum.bad).unwrap_or(start);
    }
    if known_after {
        end = end_edge(&lasts, quorum.bad).unwrap_or(end);
    }
    let around = known.around(span.start()).unwrap_or(span);
    let (start, end) = bounded(start, end, span, around);
    let mut ended: Vec<Millis> = firsts.iter().map(|it| it.first_ended).collect();
    ended.sort_unstable();
    let first = firsts.iter().min_by_key(|it| (it.first, it.fault.code()));
    Outage {
        start,
        end,
        confirmed: nth(&ended, quorum.bad).unwrap_or(span.start()),
        fault: first.map_or(crate::model::reason::Reason::Internal, |it| it.fault),
        parts: vec![0],
    }
}

/// Keeps the edges of `span` in the known time around it: one that would reach unknown time ends
/// there, without width. If they would cross, both stay where they were counted.
fn bounded(start: Edge, end: Edge, span: Span, around: Span) -> (Edge, Edge) {
    let (start, end) = (start.within(around), end.within(around));
    let reaches_back = start.at <= around.start();
    let reaches_on = end.at >= around.end();
    let from = if reaches_back { Edge::fixed(around.start()) } else { start };
    let to = if reaches_on { Edge::fixed(around.end()) } else { end };
    if from.at < to.at {
        return (from, to);
    }
    (Edge { at: span.start(), ..start }, Edge { at: span.end(), ..end })
}

/// The start of an outage over the vantages that are bad in it: with `g` the start of the last
/// good run of each before and `b` of its first bad one, half-way between the largest `g` and the
/// smallest `b` if they have one cause in common, else between the `Q`-th smallest of each.
///
/// A vantage that was unknown before knows the start of its own spell only, without width.
fn start_edge(spells: &[Spell], needed: usize) -> Option<Edge> {
    let known = |it: &Spell| it.good_before.map(|good| [good, it.first, it.first_ended]);
    let facts = spells.iter().map(|it| known(it).unwrap_or([it.span.start(); 3]));
    let [good, bad, ended] = sorted(facts);
    let (latest_good, earliest_bad) = (*good.last()?, *bad.first()?);
    let (good, bad, ended) = (nth(&good, needed)?, nth(&bad, needed)?, nth(&ended, needed)?);
    let at = if latest_good <= earliest_bad {
        middle(latest_good, earliest_bad)
    } else {
        middle(good, bad)
    };
    Some(Edge { at, earliest: good, latest: ended })
}

/// The end likewise, with the last bad run, the first good one, and the `Q`-th largest of each.
fn end_edge(spells: &[Spell], needed: usize) -> Option<Edge> {
    let known = |it: &Spell| it.good_after.map(|(good, ended)| [it.last, good, ended]);
    let facts = spells.iter().map(|it| known(it).unwrap_or([it.span.end(); 3]));
    let [mut bad, mut good, mut ended] = sorted(facts);
    let (latest_bad, earliest_good) = (*bad.last()?, *good.first()?);
    bad.reverse();
    good.reverse();
    ended.reverse();
    let (bad, good, ended) = (nth(&bad, needed)?, nth(&good, needed)?, nth(&ended, needed)?);
    let at = if latest_bad <= earliest_good {
        middle(latest_bad, earliest_good)
    } else {
        middle(bad, good)
    };
    Some(Edge { at, earliest: bad, latest: ended })
}

fn sorted(facts: impl Iterator<Item = [Millis; 3]>) -> [Vec<Millis>; 3] {
    let mut columns = [Vec::new(), Vec::new(), Vec::new()];
    for row in facts {
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    for column in &mut columns {
        column.sort_unstable();
    }
    columns
}

fn nth(values: &[Millis], needed: usize) -> Option<Millis> {
    values.get(needed.max(1) - 1).copied()
}

/// Outages that overlap or touch are one: it began no later than any of them can have begun, and
/// ended no earlier than any can have ended.
pub(super) fn unite(mut outages: Vec<Outage>) -> Vec<Outage> {
    outages.sort_by_key(|it| (it.start.at, it.start.latest, it.start.earliest, it.end.at));
    let mut united: Vec<Outage> = Vec::with_capacity(outages.len());
    for outage in outages {
        match united.last_mut() {
            Some(last) if outage.start.at <= last.end.at => {
                last.start.earliest = last.start.earliest.min(outage.start.earliest);
                last.start.latest = last.start.latest.min(outage.start.latest);
                last.end.at = last.end.at.max(outage.end.at);
                last.end.earliest = last.end.earliest.max(outage.end.earliest);
                last.end.latest = last.end.latest.max(outage.end.latest);
                last.confirmed = last.confirmed.min(outage.confirmed);
                last.parts.extend(outage.parts);
                last.parts.sort_unstable();
                last.parts.dedup();
            }
            _ => united.push(outage),
        }
    }
    united
}

/// The calm pieces with the outages laid over them.
fn overlay(calm: &[Segment], outages: &[Outage]) -> Vec<Segment> {
    let down: SpanSet = outages.iter().filter_map(Outage::span).collect();
    let mut pieces: Vec<Segment> =
        down.spans().iter().map(|span| Segment { span: *span, state: State::Down }).collect();
    for segment in calm {
        let rest = SpanSet::from(segment.span).minus(&down.within(segment.span));
        let state = segment.state;
        pieces.extend(rest.spans().iter().map(|span| Segment { span: *span, state }));
    }
    pieces.sort_by_key(|it| it.span);
    let mut timeline = Vec::with_capacity(pieces.len());
    for piece in pieces {
        append(&mut timeline, piece.span, piece.state);
    }
    timeline
}

fn to_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
