//! Judged time by UTC hour, for figures that are kept up as time goes on: hours add up (P1), so
//! any window that begins with one is a sum.

use crate::availability::span_set::SpanSet;
use crate::availability::track::Track;
use crate::model::span::Span;
use crate::model::state::State;
use crate::model::system::Objective;
use crate::model::time::Millis;

/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 3_600_000;

/// The judged time of a span: what is neither here nor there is not judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cell {
    /// Up, slow or partial.
    pub good_ms: i64,
    /// Down.
    pub down_ms: i64,
    /// Unknown.
    pub unknown_ms: i64,
    /// Of the known time what was held to an objective.
    pub held_ms: i64,
    /// Of that time what was down.
    pub held_down_ms: i64,
    /// Of that time what was bad, blips included, for burn rates, in milliseconds times
    /// [`STRAIN_WHOLE`](crate::availability::track::STRAIN_WHOLE).
    pub bad_strain: i64,
    /// What the objectives allow of that time, in millionths of a millisecond.
    pub allowed: i64,
}

/// Hours of the same kind in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first hour, counted from 1970-01-01T00:00:00Z.
    pub first: i64,
    /// How many, at least 1.
    pub count: i64,
    /// What they were judged by: equal for equal promises in force.
    pub contract: u64,
    /// Each of them.
    pub cell: Cell,
}

/// The hours of one system, without overlap, in order. Hours in which nothing happens are one
/// run, so a quiet month takes little room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    runs: Vec<Run>,
}

impl Cell {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        self.plus_times(other, 1)
    }

    const fn plus_times(self, other: Self, times: i64) -> Self {
        Self {
            good_ms: self.good_ms + other.good_ms * times,
            down_ms: self.down_ms + other.down_ms * times,
            unknown_ms: self.unknown_ms + other.unknown_ms * times,
            held_ms: self.held_ms + other.held_ms * times,
            held_down_ms: self.held_down_ms + other.held_down_ms * times,
            bad_strain: self.bad_strain + other.bad_strain * times,
            allowed: self.allowed + other.allowed * times,
        }
    }

    /// Known judged time.
    #[must_use]
    pub const fn known_ms(self) -> i64 {
        self.good_ms + self.down_ms
    }

    /// Judged time.
    #[must_use]
    pub const fn judged_ms(self) -> i64 {
        self.known_ms() + self.unknown_ms
    }
}

/// The judged time of each of `spans`, which are in order and apart; `held` says when it was held
/// to which objective.
#[must_use]
pub fn cells(
    track: &Track,
    judged: &SpanSet,
    held: &[(Span, Objective)],
    spans: &[Span],
) -> Vec<Cell> {
    let known = track.known().intersect(judged);
    let down = track.when(State::Down).intersect(judged);
    let cell = |span: &Span| {
        let known_ms = known.length_within_ms(*span);
        let down_ms = down.length_within_ms(*span);
        let mut cell = Cell {
            good_ms: known_ms - down_ms,
            down_ms,
            unknown_ms: judged.length_within_ms(*span) - known_ms,
            ..Cell::default()
        };
        let pieces = held.iter().filter_map(|it| Some((it.0.within(*span)?, it.1)));
        for (piece, objective) in pieces {
            let known_ms = known.length_within_ms(piece);
            cell.held_ms += known_ms;
            cell.held_down_ms += down.length_within_ms(piece);
            cell.allowed += known_ms.saturating_mul(i64::from(objective.down_ppm()));
            let first = track.strain.partition_point(|it| it.span.end() <= piece.start());
            let inside =
                track.strain[first..].iter().take_while(|it| it.span.start() < piece.end());
            let bad = inside.filter_map(|it| {
                Some(known.length_within_ms(it.span.within(piece)?).saturating_mul(it.share))
            });
            cell.bad_strain = bad.fold(cell.bad_strain, i64::saturating_add);
        }
        cell
    };
    spans.iter().map(cell).collect()
}

/// The hour that holds an instant.
#[must_use]
pub const fn hour_of(at: Millis) -> i64 {
    at.0.div_euclid(HOUR_MS)
}

/// The instant at which an hour begins.
#[must_use]
pub const fn hour_start(hour: i64) -> Millis {
    Millis(hour.saturating_mul(HOUR_MS))
}

impl Ledger {
    /// The runs, in order.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Puts down a run; hours that were there are replaced.
    pub fn put(&mut self, run: Run) {
        if run.count < 1 {
            return;
        }
        let end = run.first + run.count;
        let at = self.cut_out(run.first, end);
        self.runs.insert(at, run);
        if self.runs.get(at + 1).is_some_and(|next| joins(&run, next)) {
            self.runs[at].count += self.runs.remove(at + 1).count;
        }
        if at > 0 && joins(&self.runs[at - 1], &self.runs[at]) {
            self.runs[at - 1].count += self.runs.remove(at).count;
        }
    }

    /// Forgets the hours of `[from, to)`. Gives the place of the first run after them.
    fn cut_out(&mut self, from: i64, to: i64) -> usize {
        let mut kept = Vec::with_capacity(self.runs.len() + 2);
        let mut at = 0;
        for run in &self.runs {
            let end = run.first + run.count;
            if run.first < from {
                kept.push(Run { count: end.min(from) - run.first, ..*run });
                at = kept.len();
            }
            if end > to {
                let first = run.first.max(to);
                kept.push(Run { first, count: end - first, ..*run });
            }
        }
        self.runs = kept;
        at
    }

    /// Forgets what is of no more use: hours before `oldest`, and those that were judged by
    /// anything else than `contracts` say, each from its hour on until the next.
    pub fn keep(&mut self, oldest: i64, contracts: &[(i64, u64)]) {
        self.cut_out(i64::MIN, oldest);
        let mut stale = Vec::new();
        for run in &self.runs {
            for (place, (from, contract)) in contracts.iter().enumerate() {
                let next = contracts.get(place + 1).map_or(i64::MAX, |it| it.0);
                let (from, to) = (run.first.max(*from), next.min(run.first + run.count));
                if from < to && run.contract != *contract {
                    stale.push((from, to));
                }
            }
        }
        for (from, to) in stale {
            self.cut_out(from, to);
        }
    }

    /// The sum over `[from, to)`; `None` if an hour is missing.
    #[must_use]
    pub fn sum(&self, from: i64, to: i64) -> Option<Cell> {
        let (mut next, mut sum) = (from, Cell::default());
        for run in &self.runs {
            let end = run.first + run.count;
            if end <= next || next >= to {
                continue;
            }
            if run.first > next {
                return None;
            }
            let until = end.min(to);
            sum = sum.plus_times(run.cell, until - next);
            next = until;
        }
        (next >= to).then_some(sum)
    }

    /// The newest hours of `[from, to)` that are missing, at most `most` of them in a row.
    #[must_use]
    pub fn missing(&self, from: i64, to: i64, most: i64) -> Option<(i64, i64)> {
        let mut end = to;
        let mut start = from;
        for run in self.runs.iter().rev() {
            let run_end = run.first + run.count;
            if run.first >= end {
                continue;
            }
            if run_end >= end {
                end = run.first;
                continue;
            }
            start = start.max(run_end);
            break;
        }
        (start < end).then(|| (start.max(end - most), end))
    }
}

fn joins(before: &Run, after: &Run) -> bool {
    before.first + before.count == after.first
        && before.cell == after.cell
        && before.contract == after.contract
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::availability::burn::Burn;
    use crate::availability::confirm::Confirm;
    use crate::availability::figures::{Figures, Terms};
    use crate::availability::sketch::{results, vantage};
    use crate::availability::timeline::samples;
    use crate::availability::track::{Vantage, alone};

    fn run(first: i64, count: i64, good_ms: i64, contract: u64) -> Run {
        Run { first, count, contract, cell: Cell { good_ms, ..Cell::default() } }
    }

    #[test]
    fn a_quiet_month_is_one_run_and_gaps_are_found_from_the_new_end() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.missing(0, 100, 24), Some((76, 100)));
        for hour in (10..20).rev() {
            ledger.put(run(hour, 1, 7, 1));
        }
        assert_eq!(ledger.runs(), [run(10, 10, 7, 1)]);
        assert_eq!(ledger.missing(0, 20, 24), Some((0, 10)));
        assert_eq!(ledger.missing(0, 25, 24), Some((20, 25)));
        assert_eq!(ledger.missing(12, 20, 24), None);
        assert_eq!(ledger.sum(10, 20), Some(Cell { good_ms: 70, ..Cell::default() }));
        assert_eq!(ledger.sum(9, 20), None);
        assert_eq!(ledger.sum(20, 20), Some(Cell::default()));
    }

    #[test]
    fn what_another_contract_judged_is_kept_only_from_before_it_changed() {
        let mut ledger = Ledger::default();
        ledger.put(run(0, 10, 7, 1));
        ledger.put(run(10, 5, 7, 3));
        ledger.keep(2, &[(i64::MIN, 1), (6, 2), (12, 3)]);
        assert_eq!(ledger.runs(), [run(2, 4, 7, 1), run(12, 3, 7, 3)]);
    }

    #[test]
    fn what_is_held_to_an_objective_is_counted_apart() {
        let results = results("oooooooooooooooooxxxxoooo", 600_000);
        let samples = samples(&results, |_| 360_000);
        let vantage = Vantage { id: vantage(0), samples, weight: 1 };
        let track = alone::track(&vantage, Confirm::new(3));
        // Down from 2:45 to 3:25; until 3:00 held to 99 %, from 3:10 on to 90 %.
        let span =
            |from: i64, to: i64| Span::new(Millis(from * 60_000), Millis(to * 60_000)).unwrap();
        let objective = |text| Objective::parse(text).unwrap();
        let held = [(span(0, 180), objective("99%")), (span(190, 240), objective("90%"))];
        let whole = span(60, 240);
        let cell = cells(&track, &whole.into(), &held, &[whole])[0];
        let minutes = |ms: i64| ms / 60_000;
        assert_eq!((minutes(cell.good_ms), minutes(cell.down_ms)), (140, 40));
        assert_eq!((minutes(cell.held_ms), minutes(cell.held_down_ms)), (170, 30));
        assert_eq!(minutes(cell.bad_strain / crate::availability::track::STRAIN_WHOLE), 30);
        assert_eq!(minutes(cell.allowed / 1_000), 120 * 10 + 50 * 100);
    }

    proptest! {
        /// Hours sum to the figures of the whole, and their bad time to its burn.
        #[test]
        fn hours_sum_to_the_official_figures(
            sketch in "[oosx.]{30,200}", step in 300_000_i64..900_000,
            hole in 0_i64..20, length in 1_i64..5,
        ) {
            let results = results(&sketch, step);
            let samples = samples(&results, |_| step * 6 / 10);
            let vantage = Vantage { id: vantage(0), samples, weight: 1 };
            let track = alone::track(&vantage, Confirm::new(3));
            let whole = Span::new(Millis(0), Millis(24 * HOUR_MS)).unwrap();
            let out = Span::new(Millis(hole * HOUR_MS - 7), Millis((hole + length) * HOUR_MS + 9));
            let maintenance = SpanSet::from(out.unwrap());
            let terms = Terms { period: whole, service: None, maintenance: &maintenance, watched: None };
            let (figures, judged) = (Figures::of(&track, &terms), terms.judged());
            let hours: Vec<Span> = (0..24)
                .filter_map(|it| Span::new(hour_start(it), hour_start(it + 1)))
                .collect();
            let held = [(whole, Objective::parse("99%").unwrap())];
            let sum = cells(&track, &judged, &held, &hours);
            let sum = sum.into_iter().fold(Cell::default(), Cell::plus);
            let times = figures.times;
            prop_assert_eq!(sum.down_ms, times.down_ms);
            prop_assert_eq!(sum.good_ms, times.up_ms + times.slow_ms + times.partial_ms);
            prop_assert_eq!(sum.unknown_ms, times.unknown_ms);
            let burn = Burn::of(&track, &judged, whole);
            prop_assert_eq!(i128::from(sum.bad_strain), burn.bad_strain);
            prop_assert_eq!((sum.held_ms, sum.held_down_ms), (sum.known_ms(), sum.down_ms));
        }

        /// Against a plain map of hours.
        #[test]
        fn a_ledger_is_a_map_of_hours(
            puts in prop::collection::vec((0_i64..30, 1_i64..8, 0_i64..3, 0_u64..2), 0..20),
            from in 0_i64..40, length in 0_i64..20,
        ) {
            let (mut ledger, mut map) = (Ledger::default(), BTreeMap::new());
            for (first, count, good, contract) in puts {
                ledger.put(run(first, count, good, contract));
                map.extend((first..first + count).map(|hour| (hour, (good, contract))));
            }
            let whole: Vec<_> = ledger.runs().iter().flat_map(|it| {
                (it.first..it.first + it.count).map(|hour| (hour, (it.cell.good_ms, it.contract)))
            }).collect();
            prop_assert_eq!(&whole, &map.clone().into_iter().collect::<Vec<_>>());
            let to = from + length;
            let sum: Option<i64> = (from..to).map(|it| Some(map.get(&it)?.0)).sum();
            prop_assert_eq!(ledger.sum(from, to).map(|it| it.good_ms), sum);
            let missing: Vec<i64> = (from..to).filter(|it| !map.contains_key(it)).collect();
            match ledger.missing(from, to, 3) {
                None => prop_assert!(missing.is_empty()),
                Some((start, end)) => {
                    prop_assert_eq!(missing.last(), Some(&(end - 1)));
                    prop_assert!((start..end).all(|it| missing.contains(&it)));
                    prop_assert!(end - start <= 3);
                }
            }
        }
    }
}
