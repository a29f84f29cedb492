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

/// Against the objectives in force in the pieces of a period: their times and budgets add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promised {
    /// What may be down, of the known time under an objective.
    pub budget_ms: i64,
    /// What was, of that time.
    pub down_ms: i64,
    /// Share of the budget used up, in thousandths; `None` if nothing may be down.
    pub used_thousandths: Option<i64>,
    /// The verdict.
    pub verdict: Verdict,
}

impl Promised {
    /// Of pieces, each with its objective, its least coverage in parts per million, and its
    /// figures; `None`: held to nothing.
    pub fn of<'a>(
        pieces: impl IntoIterator<Item = (Option<Objective>, i64, &'a Figures)>,
    ) -> Option<Self> {
        let (mut budget_ms, mut down_ms, mut shortest, mut longest) = (0, 0, 0, 0);
        let (mut any, mut coverage) = (false, Covered::default());
        for (objective, least_ppm, figures) in pieces {
            let Some(objective) = objective else { continue };
            let times = &figures.times;
            any = true;
            budget_ms += figures.budget_ms(objective);
            down_ms += times.down_ms;
            shortest += times.down_shortest_ms;
            longest += times.down_longest_ms;
            coverage.add(least_ppm, figures);
        }
        let verdict = if !coverage.is_enough() {
            Verdict::NotEnoughData
        } else if longest <= budget_ms {
            Verdict::Met
        } else if shortest > budget_ms {
            Verdict::Missed
        } else {
            Verdict::WithinError
        };
        let used = (i128::from(down_ms) * 1_000).checked_div(i128::from(budget_ms));
        let used_thousandths = used.and_then(|it| i64::try_from(it).ok());
        any.then_some(Self { budget_ms, down_ms, used_thousandths, verdict })
    }
}

/// Whether enough is known for one number, by the coverage agreed in each piece of a period, in
/// parts per million.
pub fn are_enough<'a>(pieces: impl IntoIterator<Item = (i64, &'a Figures)>) -> bool {
    let mut covered = Covered::default();
    pieces.into_iter().for_each(|(least_ppm, figures)| covered.add(least_ppm, figures));
    covered.is_enough()
}

/// Known time and what is asked for, in millionths of a millisecond.
#[derive(Default)]
struct Covered {
    known: i128,
    needed: i128,
}

impl Covered {
    fn add(&mut self, least_ppm: i64, figures: &Figures) {
        self.known += i128::from(figures.times.known_ms()) * 1_000_000;
        self.needed += i128::from(figures.times.judged_ms()) * i128::from(least_ppm);
    }

    const fn is_enough(&self) -> bool {
        self.known > 0 && self.known >= self.needed
    }
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
        are_enough([(least_ppm, self)])
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
        Promised::of([(Some(objective), 0, self)])?.used_thousandths
    }

    /// The verdict, in integer milliseconds: `D <= budget`, at both ends of the bracket.
    #[must_use]
    pub fn verdict(&self, objective: Objective, least_ppm: i64) -> Verdict {
        Promised::of([(Some(objective), least_ppm, self)])
            .map_or(Verdict::NotEnoughData, |it| it.verdict)
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
