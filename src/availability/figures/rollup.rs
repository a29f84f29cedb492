//! Several systems together (`docs/measurement.md`, "The official figures of a period"): their
//! percentages are never averaged.

use crate::model::system::Objective;

use super::{Figures, Fraction, Verdict};

/// How many systems met their objective, and the availability of the middle and worst one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rollup {
    /// Systems with an objective, by verdict: met.
    pub met: usize,
    /// Missed.
    pub missed: usize,
    /// The budget lies inside the bracket.
    pub within_error: usize,
    /// Too little is known.
    pub not_enough_data: usize,
    /// Systems without an objective.
    pub measured_only: usize,
    /// The availability in the middle, of those of which enough is known; of an even number
    /// the worse of the two in the middle.
    pub median: Option<Fraction>,
    /// The worst, likewise.
    pub worst: Option<Fraction>,
}

impl Rollup {
    /// Of the figures of some systems, each with its objective.
    #[must_use]
    pub fn of<'a>(
        systems: impl IntoIterator<Item = (&'a Figures, Option<Objective>)>,
        least_ppm: i64,
    ) -> Self {
        let mut rollup = Self::default();
        let mut shares = Vec::new();
        for (figures, objective) in systems {
            let count = match objective.map(|it| figures.verdict(it, least_ppm)) {
                None => &mut rollup.measured_only,
                Some(Verdict::Met) => &mut rollup.met,
                Some(Verdict::Missed) => &mut rollup.missed,
                Some(Verdict::WithinError) => &mut rollup.within_error,
                Some(Verdict::NotEnoughData) => &mut rollup.not_enough_data,
            };
            *count += 1;
            shares.extend(figures.availability().filter(|_| figures.has_enough_data(least_ppm)));
        }
        shares.sort_unstable();
        rollup.median = shares.len().checked_sub(1).map(|it| shares[it / 2]);
        rollup.worst = shares.first().copied();
        rollup
    }
}
