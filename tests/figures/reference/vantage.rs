//! §4: raw state at one vantage, confirmation, brackets.

use thongsuot::model::outcome::{Outcome, Testimony};
use thongsuot::model::reason::Reason;
use thongsuot::model::result::RunResult;
use thongsuot::model::span::Span;
use thongsuot::model::state::State;

use super::{Down, Line, Raw, Reach, Rules, Story, edges, end, paint, start, union};

/// A result that testifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) raw: Raw,
    pub(crate) reach: i64,
}

impl Sample {
    pub(crate) fn is_bad(&self) -> bool {
        self.raw == Raw::Bad
    }
}

/// All that one vantage said of one lane of one check: results in order of their starts, and
/// the back-offs, each with the reach in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) samples: Vec<Sample>,
    pub(crate) backoffs: Vec<(i64, i64)>,
}

impl Heard {
    /// From results in any order, doubles and late ones included.
    pub(crate) fn of(results: &[RunResult], reach: &Reach) -> Self {
        let mut starts: Vec<i64> = Vec::new();
        let mut backoffs: Vec<i64> = Vec::new();
        for result in results {
            if result.testimony().is_some() {
                starts.push(result.started.0);
            } else if result.reason == Reason::Backoff {
                backoffs.push(result.started.0);
            }
        }
        for instants in [&mut starts, &mut backoffs] {
            instants.sort_unstable();
            instants.dedup();
        }
        let mut sorted: Vec<&RunResult> =
            results.iter().filter(|it| it.testimony().is_some()).collect();
        sorted.sort_by_key(|it| it.started);
        let same = |t: i64| {
            let from = sorted.partition_point(|it| it.started.0 < t);
            let to = sorted.partition_point(|it| it.started.0 <= t);
            &sorted[from..to]
        };
        let samples = starts.into_iter().map(|t| merged(same(t), reach.at(t))).collect();
        let backoffs = backoffs.into_iter().map(|t| (t, reach.at(t))).collect();
        Self { samples, backoffs }
    }

    /// Which result speaks for the instant `t`.
    pub(crate) fn speaker(&self, t: i64) -> Option<usize> {
        let next = self.samples.partition_point(|it| it.start <= t);
        let before = next.checked_sub(1).map(|i| (i, self.samples[i]));
        let after = self.samples.get(next).map(|it| (next, *it));
        if let Some((i, first)) = before
            && self.held_until(i).is_some_and(|until| t < until)
        {
            let begins = |(_, it): (usize, Sample)| {
                (it.start - it.reach).max((first.start + it.start).div_euclid(2))
            };
            if after.is_none_or(|it| t < begins(it)) {
                return Some(i);
            }
        }
        let nearest = match (before, after) {
            (Some((i, first)), Some((j, second))) => {
                let mid = (first.start + second.start).div_euclid(2);
                if t < mid { (i, first) } else { (j, second) }
            }
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => return None,
        };
        let (i, it) = nearest;
        let near = it.start - it.reach <= t && t < it.start + it.reach;
        // Where the reach is nothing at all a result still speaks for no time.
        near.then_some(i)
    }

    /// Up to when a back-off keeps bad result `i` bad.
    fn held_until(&self, i: usize) -> Option<i64> {
        let bad = self.samples[i];
        let next = self.samples.get(i + 1).map(|it| it.start);
        if !bad.is_bad() {
            return None;
        }
        let follows = |at: i64| bad.start <= at && next.is_none_or(|next| at < next);
        let mut held = bad.start + bad.reach;
        for (at, reach) in self.backoffs.iter().filter(|(at, _)| follows(*at)) {
            if at - 4 * reach <= held {
                held = held.max(at + 2 * reach);
            }
        }
        (held > bad.start + bad.reach).then_some(held)
    }

    /// Every instant at which the speaker can change.
    fn bounds(&self) -> Vec<i64> {
        let mut bounds = Vec::new();
        for (i, it) in self.samples.iter().enumerate() {
            bounds.extend([it.start, it.start - it.reach, it.start + it.reach]);
            bounds.extend(self.held_until(i));
            if let Some(next) = self.samples.get(i + 1) {
                bounds.push((it.start + next.start).div_euclid(2));
            }
        }
        bounds
    }

    /// Who speaks when.
    pub(crate) fn speakers(&self) -> Line<usize> {
        paint(self.bounds(), |t| self.speaker(t))
    }

    /// The raw state.
    pub(crate) fn timeline(&self) -> Line<Raw> {
        paint(self.bounds(), |t| self.speaker(t).map(|i| self.samples[i].raw))
    }

    /// Whether each result is bad.
    pub(crate) fn bads(&self) -> Vec<bool> {
        self.samples.iter().map(Sample::is_bad).collect()
    }

    /// Whether each result is bad and confirmed.
    pub(crate) fn confirmed(&self, k: usize) -> Vec<bool> {
        let bad = self.bads();
        let mut confirmed = vec![false; bad.len()];
        let mut confirm = |from: usize, to: usize| {
            for i in from..to {
                confirmed[i] |= bad[i];
            }
        };
        for from in 0..bad.len() {
            if from + k <= bad.len() && bad[from..from + k].iter().all(|it| *it) {
                confirm(from, from + k);
            }
            let to = from + 10;
            let whole = to <= bad.len() || from == 0;
            let to = to.min(bad.len());
            if whole && bad[from..to].iter().filter(|it| **it).count() >= k {
                confirm(from, to);
            }
        }
        confirmed
    }

    /// The last good result before result `i`.
    pub(crate) fn last_good(&self, i: usize) -> Option<Sample> {
        self.samples[..i].iter().rev().find(|it| !it.is_bad()).copied()
    }

    /// The row of good results after result `i`, up to the next bad one or unknown time.
    pub(crate) fn good_row(&self, i: usize) -> Vec<Sample> {
        let mut row = Vec::new();
        for (j, it) in self.samples.iter().enumerate().skip(i + 1) {
            if it.is_bad() || !self.is_joined(j) {
                break;
            }
            row.push(*it);
        }
        row
    }

    /// Whether all time between result `j` and the one before it is known.
    fn is_joined(&self, j: usize) -> bool {
        let (first, second) = (self.samples[j - 1], self.samples[j]);
        let mut bounds = vec![first.start, first.start + first.reach, second.start - second.reach];
        bounds.extend(self.held_until(j - 1));
        bounds.retain(|t| (first.start..second.start).contains(t));
        bounds.into_iter().all(|t| self.speaker(t).is_some())
    }
}

/// The results of one millisecond as one (note 2).
fn merged(same: &[&RunResult], reach: i64) -> Sample {
    let worst = same.iter().map(|it| it.outcome()).max().unwrap();
    let of_its_kind = same.iter().filter(|it| it.testimony() == worst.testimony());
    Sample {
        start: same[0].started.0,
        end: of_its_kind.map(|it| it.ended().0).min().unwrap(),
        raw: match (worst, worst.testimony()) {
            (_, Some(Testimony::Bad)) => Raw::Bad,
            (Outcome::Slow, _) => Raw::Slow,
            _ => Raw::Good,
        },
        reach,
    }
}

/// The raw state of one lane of a check at one vantage.
pub(crate) fn vantage_timeline(results: &[RunResult], reach: &Reach) -> Line<Raw> {
    Heard::of(results, reach).timeline()
}

/// The state of a check with one vantage.
pub(super) fn alone(heard: &Heard, rules: Rules) -> Story {
    let confirmed = heard.confirmed(rules.confirm);
    let speakers = heard.speakers();
    let state = |t: i64| {
        heard.speaker(t).map(|i| match heard.samples[i].raw {
            Raw::Slow => State::Slow,
            Raw::Bad if confirmed[i] => State::Down,
            Raw::Good | Raw::Bad => State::Up,
        })
    };
    let states = paint(edges(&speakers), state);
    let blips = speakers.iter().filter(|(_, i)| heard.samples[*i].is_bad() && !confirmed[*i]);
    let blips: Vec<Span> = blips.map(|(piece, _)| *piece).collect();
    let down = states.iter().filter(|(_, state)| *state == State::Down);
    let downs: Vec<Down> = down.map(|(piece, _)| bracket(heard, &states, *piece)).collect();
    Story {
        inner: union(&downs.iter().filter_map(Down::inner).collect::<Vec<_>>()),
        outer: union(&downs.iter().filter_map(Down::outer).collect::<Vec<_>>()),
        blips: union(&blips),
        raws: vec![heard.timeline()],
        states,
        downs,
    }
}

fn bracket(heard: &Heard, states: &Line<State>, piece: Span) -> Down {
    let (from, to) = (start(piece), end(piece));
    let first = heard.speaker(from).unwrap();
    let last = heard.speaker(to - 1).unwrap();
    let mut down = Down { span: piece, start_lo: from, start_hi: from, end_lo: to, end_hi: to };
    if heard.speaker(from - 1).is_some() {
        down.start_lo = heard.last_good(first).map_or(from, |it| it.start);
        down.start_hi = heard.samples[first..=last].iter().map(|it| it.end).min().unwrap();
    }
    if heard.speaker(to).is_some() {
        down.end_lo = heard.samples[last].start;
        down.end_hi = heard.good_row(last).iter().map(|it| it.end).min().unwrap_or(to);
    }
    down.within(states)
}
