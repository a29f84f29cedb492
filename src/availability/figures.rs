//! The official figures of a period (`docs/measurement.md`, "The official figures of a period").
//!
//! Everything is in integer milliseconds; a share is a [`Fraction`] until it is printed.

pub mod fraction;
pub mod ledger;
pub mod rollup;
pub mod verdict;
pub mod worst;

use crate::model::span::Span;
use crate::model::state::State;

use super::span_set::SpanSet;
use super::track::Track;
pub use fraction::Fraction;
pub use verdict::{Promised, Verdict};
use worst::{WINDOWS_MS, worst_windows};

/// What is judged: the period, the agreed service hours and what is taken out of them.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The period (`P`).
    pub period: Span,
    /// Agreed service hours (`S`); `None`: around the clock.
    pub service: Option<&'a SpanSet>,
    /// Excluded maintenance (`X`).
    pub maintenance: &'a SpanSet,
    /// When it was watched at all; `None`: always. A check added within the period is judged
    /// from its first slot.
    pub watched: Option<&'a SpanSet>,
}

/// Times that add up: those of two periods are the sums of those of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Times {
    /// Up (`U`), blips included.
    pub up_ms: i64,
    /// Slow (`L`).
    pub slow_ms: i64,
    /// Partial (`G`).
    pub partial_ms: i64,
    /// Down (`D`).
    pub down_ms: i64,
    /// Unknown (`N`).
    pub unknown_ms: i64,
    /// Of the period, but outside the agreed hours, in excluded maintenance or not watched.
    pub excluded_ms: i64,
    /// The least time that was down, by the hard brackets (`D_lo`).
    pub down_shortest_ms: i64,
    /// The most known time that was down, by the hard brackets (`D_hi`).
    pub down_longest_ms: i64,
    /// Down within excluded maintenance: shown apart, in no other figure.
    pub maintenance_down_ms: i64,
    /// Time of blips: part of up.
    pub blip_ms: i64,
    /// Vantage-milliseconds that testified good, each times its weight.
    pub view_good_ms: i64,
    /// Vantage-milliseconds that testified at all, each times its weight.
    pub view_known_ms: i64,
}

/// The figures of one lane, check or system over one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// The period.
    pub period: Span,
    /// Its parts.
    pub times: Times,
    /// Blips that have a part in judged time.
    pub blips: usize,
    /// Sum of the squares of the widths of all edges of outages, in square milliseconds.
    pub edges_ms2: i128,
    /// The worst availability over any window of known judged time of each size of
    /// [`WINDOWS_MS`] (MCR); `None` if there is less than that.
    pub worst: [Option<Fraction>; WINDOWS_MS.len()],
}

impl Terms<'_> {
    /// What is judged: `P` and `S` without `X`, while watched.
    #[must_use]
    pub fn judged(&self) -> SpanSet {
        self.offered().minus(self.maintenance)
    }

    fn offered(&self) -> SpanSet {
        let whole = SpanSet::from(self.period);
        let served = self.service.map_or(whole.clone(), |it| it.intersect(&whole));
        self.watched.map_or(served.clone(), |it| it.intersect(&served))
    }
}

impl Figures {
    /// The figures of `track` under `terms`.
    #[must_use]
    pub fn of(track: &Track, terms: &Terms<'_>) -> Self {
        let judged = terms.judged();
        let known = track.known().intersect(&judged);
        let blips = track.blips.iter().map(|it| judged.length_within_ms(*it));
        let brackets = track.outages.iter().flat_map(|it| [it.start.bracket(), it.end.bracket()]);
        let widths = brackets.flatten().map(|it| i128::from(known.length_within_ms(it)));
        let down = track.when(State::Down).intersect(&judged);
        Self {
            period: terms.period,
            times: Times::of(track, terms, &judged, &known),
            blips: blips.filter(|it| *it > 0).count(),
            edges_ms2: widths.map(|it| it * it).sum(),
            worst: worst_windows(&known, &down),
        }
    }

    /// Share of the known time in which it worked, wholly or partly (`A`); `None` if nothing
    /// is known.
    #[must_use]
    pub fn availability(&self) -> Option<Fraction> {
        let known = self.times.known_ms();
        Fraction::new(known - self.times.down_ms, known)
    }

    /// Share of the judged time that is known (`C`); `None` if nothing is judged.
    #[must_use]
    pub fn coverage(&self) -> Option<Fraction> {
        Fraction::new(self.times.known_ms(), self.times.judged_ms())
    }

    /// The availability can't be outside of this, whatever the truth: the least counts all
    /// unknown time as down, the most as up. `None` if nothing is judged.
    #[must_use]
    pub fn hard_range(&self) -> Option<(Fraction, Fraction)> {
        let (known, judged) = (self.times.known_ms(), self.times.judged_ms());
        let least = Fraction::new(known - self.times.down_longest_ms, judged)?;
        Some((least, Fraction::new(judged - self.times.down_shortest_ms, judged)?))
    }

    /// Uncertainty of the down time (95 %), in milliseconds, cut up:
    /// `1.96 * sqrt(sum(g^2) / 12)` over the widths of all edges.
    #[must_use]
    pub fn uncertainty_ms(&self) -> i64 {
        // 1.96^2 / 12 = 38,416 / 120,000.
        let square = self.edges_ms2.max(0).unsigned_abs().saturating_mul(38_416).div_ceil(120_000);
        let root = square.isqrt();
        i64::try_from(root + u128::from(root * root < square)).unwrap_or(i64::MAX)
    }

    /// Share of the known vantage-seconds whose raw state was good, blips counted as bad: the
    /// figure of partial outages. `None` if no vantage knew anything.
    #[must_use]
    pub fn reachability(&self) -> Option<Fraction> {
        Fraction::new(self.times.view_good_ms, self.times.view_known_ms)
    }
}

impl Times {
    fn of(track: &Track, terms: &Terms<'_>, judged: &SpanSet, known: &SpanSet) -> Self {
        let length = |set: SpanSet| set.intersect(judged).length_ms();
        let judged_ms = judged.length_ms();
        let excluded = terms.offered().intersect(terms.maintenance);
        let mut times = Self {
            up_ms: length(track.when(State::Up)),
            slow_ms: length(track.when(State::Slow)),
            partial_ms: length(track.when(State::Partial)),
            down_ms: length(track.when(State::Down)),
            unknown_ms: judged_ms - known.length_ms(),
            excluded_ms: terms.period.length_ms() - judged_ms,
            down_shortest_ms: track.shortest.intersect(known).length_ms(),
            down_longest_ms: track.longest.intersect(known).length_ms(),
            maintenance_down_ms: track.when(State::Down).intersect(&excluded).length_ms(),
            blip_ms: track.blips.iter().map(|it| judged.length_within_ms(*it)).sum(),
            ..Self::default()
        };
        for view in &track.views {
            let weight = i64::from(view.weight);
            let (good, bad) = (length(view.good()), length(view.bad()));
            times.view_good_ms += weight * good;
            times.view_known_ms += weight * (good + bad);
        }
        times
    }

    /// Known judged time (`B`).
    #[must_use]
    pub const fn known_ms(&self) -> i64 {
        self.up_ms + self.slow_ms + self.partial_ms + self.down_ms
    }

    /// Judged time.
    #[must_use]
    pub const fn judged_ms(&self) -> i64 {
        self.known_ms() + self.unknown_ms
    }

    /// The times of two periods that do not overlap.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            up_ms: self.up_ms + other.up_ms,
            slow_ms: self.slow_ms + other.slow_ms,
            partial_ms: self.partial_ms + other.partial_ms,
            down_ms: self.down_ms + other.down_ms,
            unknown_ms: self.unknown_ms + other.unknown_ms,
            excluded_ms: self.excluded_ms + other.excluded_ms,
            down_shortest_ms: self.down_shortest_ms + other.down_shortest_ms,
            down_longest_ms: self.down_longest_ms + other.down_longest_ms,
            maintenance_down_ms: self.maintenance_down_ms + other.maintenance_down_ms,
            blip_ms: self.blip_ms + other.blip_ms,
            view_good_ms: self.view_good_ms + other.view_good_ms,
            view_known_ms: self.view_known_ms + other.view_known_ms,
        }
    }
}

#[cfg(test)]
mod tests;
