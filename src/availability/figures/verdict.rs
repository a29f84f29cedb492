//! Against the objective (`docs/measurement.md`, "The official figures of a period").

use crate::model::system::Objective;

use super::Figures;

pub use crate::model::terms::COVERAGE_PPM_DEFAULT;

/// Whether an objective was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Met, wherever in its bracket the down time really lies.
    Met,
    /// Missed, likewise.
    Missed,
    /// The budget lies inside the bracket of the down time.
    WithinError,
    /// Too little is known.
    NotEnoughData,
}

impl Verdict {
    /// The words that people read.
    #[must_use]
    pub const fn vietnamese(self) -> &'static str {
        match self {
            Self::Met => "đạt",
            Self::Missed => "không đạt",
            Self::WithinError => "trong sai số đo",
            Self::NotEnoughData => "không đủ dữ liệu",
        }
    }

    /// The name in files and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::WithinError => "within_error",
            Self::NotEnoughData => "not_enough_data",
        }
    }
}

impl Figures {
    /// Whether enough is known for one number: a coverage of at least `least_ppm`.
    #[must_use]
    pub fn has_enough_data(&self, least_ppm: i64) -> bool {
        let (known, judged) = (self.times.known_ms(), self.times.judged_ms());
        known > 0 && i128::from(known) * 1_000_000 >= i128::from(judged) * i128::from(least_ppm)
    }

    /// Milliseconds that may be down under `objective`: its share of the known time, so that
    /// the verdict agrees with the availability.
    #[must_use]
    pub fn budget_ms(&self, objective: Objective) -> i64 {
        objective.budget_ms(self.times.known_ms())
    }

    /// Share of the budget that is used up, in thousandths, cut down; more than 1,000 is too
    /// much. `None` if nothing may be down.
    #[must_use]
    pub fn budget_used_thousandths(&self, objective: Objective) -> Option<i64> {
        let used = i128::from(self.times.down_ms) * 1_000;
        let used = used.checked_div(i128::from(self.budget_ms(objective)))?;
        i64::try_from(used).ok()
    }

    /// The verdict, in integer milliseconds: `D <= budget`, at both ends of the bracket.
    #[must_use]
    pub fn verdict(&self, objective: Objective, least_ppm: i64) -> Verdict {
        let budget = self.budget_ms(objective);
        if !self.has_enough_data(least_ppm) {
            Verdict::NotEnoughData
        } else if self.times.down_longest_ms <= budget {
            Verdict::Met
        } else if self.times.down_shortest_ms > budget {
            Verdict::Missed
        } else {
            Verdict::WithinError
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::availability::figures::Times;
    use crate::model::span::Span;
    use crate::model::time::Millis;

    /// An objective of 99 % over 10,000 s known, so a budget of 100 s; all in seconds.
    #[track_caller]
    fn check(unknown: i64, [shortest, down, longest]: [i64; 3], expected: Verdict) {
        let times = Times {
            up_ms: (10_000 - down) * 1_000,
            down_ms: down * 1_000,
            unknown_ms: unknown * 1_000,
            down_shortest_ms: shortest * 1_000,
            down_longest_ms: longest * 1_000,
            ..Times::default()
        };
        let period = Span::new(Millis(0), Millis(1)).unwrap();
        let figures = Figures { period, times, blips: 0, edges_ms2: 0, worst: [None; 4] };
        let objective = Objective::parse("99%").unwrap();
        assert_eq!(figures.verdict(objective, COVERAGE_PPM_DEFAULT), expected);
        assert_eq!(figures.budget_used_thousandths(objective), Some(down * 10));
    }

    #[test]
    fn the_budget_is_inclusive_and_a_bracket_around_it_decides_nothing() {
        check(0, [0, 0, 0], Verdict::Met);
        check(0, [80, 90, 100], Verdict::Met);
        check(0, [80, 90, 101], Verdict::WithinError);
        check(0, [100, 110, 120], Verdict::WithinError);
        check(0, [101, 110, 120], Verdict::Missed);
    }

    #[test]
    fn too_little_data_decides_nothing_at_all() {
        check(101, [0, 0, 0], Verdict::Met);
        check(102, [0, 0, 0], Verdict::NotEnoughData);
        check(102, [500, 500, 500], Verdict::NotEnoughData);
    }
}
