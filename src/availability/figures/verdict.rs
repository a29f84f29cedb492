//! Against the objective (`docs/measurement.md`, "The official figures of a period").

use crate::model::system::Objective;

use super::Figures;

/// Least coverage for a verdict and for one number instead of a range, in parts per million.
pub const COVERAGE_PPM_DEFAULT: i64 = 990_000;

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
