//! How fast the budget of an objective is used up (`docs/measurement.md`, "SLO and burn rate").
//!
//! From bad time over known time, blips and partial states included, never from counted results.

use crate::model::outcome::Testimony;
use crate::model::result::{RunKind, RunResult};
use crate::model::span::Span;
use crate::model::system::Objective;
use crate::model::time::Millis;

use super::figures::ledger::Cell;
use super::span_set::SpanSet;
use super::track::{STRAIN_WHOLE, Track};

/// Bad results of the schedule that the long window must hold: one failed run of few is no rate.
pub const BAD_RESULTS_MIN: usize = 3;

/// Bad time that the long window must hold.
pub const BAD_MS_MIN: i64 = 60_000;

const HOUR_MS: i64 = 3_600_000;

/// One rule: a share of the period's budget used up within a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BurnRule {
    /// Who is told.
    pub severity: Severity,
    /// Share of the budget, in parts per million, used up in the long window.
    pub budget_ppm: u32,
    /// The long window, in milliseconds.
    pub long_ms: i64,
    /// The short window, which shows that it still goes on.
    pub short_ms: i64,
}

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Somebody in working hours.
    Ticket,
    /// Somebody at once.
    Page,
}

/// The four rules of the SRE Workbook, chapter 5: over 30 days they are 14.4, 6, 3 and 1.
pub const RULES: [BurnRule; 4] = [
    rule(Severity::Page, 20_000, HOUR_MS, HOUR_MS / 12),
    rule(Severity::Page, 50_000, 6 * HOUR_MS, HOUR_MS / 2),
    rule(Severity::Ticket, 100_000, 24 * HOUR_MS, 2 * HOUR_MS),
    rule(Severity::Ticket, 100_000, 72 * HOUR_MS, 6 * HOUR_MS),
];

const fn rule(severity: Severity, budget_ppm: u32, long_ms: i64, short_ms: i64) -> BurnRule {
    BurnRule { severity, budget_ppm, long_ms, short_ms }
}

/// The time of one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Burn {
    /// Bad time in it, in milliseconds times [`STRAIN_WHOLE`].
    pub bad_strain: i128,
    /// Known judged time in it, in milliseconds.
    pub known_ms: i64,
}

/// What a rule says now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BurnState {
    /// Both windows are over the factor.
    Over,
    /// Not so.
    Calm,
    /// Less than a quarter of a window is known.
    TooLittleKnown,
}

impl Burn {
    /// The time of the window `[from, to)`, as far as it is judged. Maintenance is not.
    #[must_use]
    pub fn of(track: &Track, judged: &SpanSet, window: Span) -> Self {
        let judged = judged.within(window);
        let known = track.known().intersect(&judged);
        let first = track.strain.partition_point(|it| it.span.end() <= window.start());
        let inside = track.strain[first..].iter().take_while(|it| it.span.start() < window.end());
        let bad =
            inside.map(|it| i128::from(known.length_within_ms(it.span)) * i128::from(it.share));
        Self { bad_strain: bad.sum(), known_ms: known.length_ms() }
    }

    /// Bad time, in milliseconds, cut down.
    #[must_use]
    pub fn bad_ms(self) -> i64 {
        i64::try_from(self.bad_strain / i128::from(STRAIN_WHOLE)).unwrap_or(i64::MAX)
    }

    /// The burn rate in thousandths, cut down: 1,000 uses up the budget exactly in its period.
    /// `None` if nothing is known or the objective allows nothing.
    #[must_use]
    pub fn rate_thousandths(self, objective: Objective) -> Option<i64> {
        let allowed =
            i128::from(objective.down_ppm()) * i128::from(self.known_ms) * i128::from(STRAIN_WHOLE);
        let rate = (self.bad_strain * 1_000_000_000).checked_div(allowed)?;
        i64::try_from(rate).ok()
    }
}

impl BurnRule {
    /// The factor over a period, in thousandths, cut down: 14,400 for the first of [`RULES`] over
    /// 30 days.
    #[must_use]
    pub fn factor_thousandths(&self, period_ms: i64) -> i64 {
        let budget = i128::from(self.budget_ppm) * i128::from(period_ms) / 1_000;
        i64::try_from(budget / i128::from(self.long_ms.max(1))).unwrap_or(i64::MAX)
    }

    /// Whether it could ever be over: not if the factor times what the objective allows is all
    /// of the time or more. Such a rule is refused when the configuration is loaded.
    #[must_use]
    pub fn can_fire(&self, objective: Objective, period_ms: i64) -> bool {
        self.allowed(objective, period_ms) < i128::from(self.long_ms) * 1_000_000_000_000
    }

    /// What it says at `now`. `bad_grid` are the starts of the bad results of the schedule, in
    /// order.
    #[must_use]
    pub fn state(
        &self,
        track: &Track,
        judged: &SpanSet,
        bad_grid: &[Millis],
        objective: Objective,
        period_ms: i64,
        now: Millis,
    ) -> BurnState {
        let window = |length_ms: i64| Span::new(now.plus_ms(-length_ms), now);
        let (Some(long), Some(short)) = (window(self.long_ms), window(self.short_ms)) else {
            return BurnState::TooLittleKnown;
        };
        let burns = [long, short].map(|it| (it, Burn::of(track, judged, it)));
        if burns.iter().any(|(window, it)| it.known_ms * 4 < window.length_ms()) {
            return BurnState::TooLittleKnown;
        }
        let from = bad_grid.partition_point(|it| *it < long.start());
        let until = bad_grid.partition_point(|it| *it < long.end());
        let counted = bad_grid[from..until].iter().filter(|it| judged.contains(**it)).count();
        let enough = counted >= BAD_RESULTS_MIN && burns[0].1.bad_ms() >= BAD_MS_MIN;
        let over = burns.iter().all(|(_, it)| {
            let bad = it.bad_strain * i128::from(self.long_ms) * 1_000_000_000_000;
            let allowed = self.allowed(objective, period_ms);
            bad > allowed * i128::from(STRAIN_WHOLE) * i128::from(it.known_ms)
        });
        if enough && over { BurnState::Over } else { BurnState::Calm }
    }

    /// What it says of the judged time of its two windows, of which each second is held to the
    /// objective that was in force. The live figures count no results: `bad_ms_min` stands for
    /// [`BAD_RESULTS_MIN`] of them, and is at least [`BAD_MS_MIN`].
    #[must_use]
    pub fn state_of(&self, long: Cell, short: Cell, period_ms: i64, bad_ms_min: i64) -> BurnState {
        let windows = [(long, self.long_ms), (short, self.short_ms)];
        if windows.iter().any(|(cell, length_ms)| cell.held_ms * 4 < *length_ms) {
            return BurnState::TooLittleKnown;
        }
        let over = windows.iter().all(|(cell, _)| {
            let bad = i128::from(cell.bad_strain) * i128::from(self.long_ms) * 1_000_000_000_000;
            let factor = i128::from(self.budget_ppm) * i128::from(period_ms);
            bad > factor * i128::from(cell.allowed) * i128::from(STRAIN_WHOLE)
        });
        let enough = long.bad_strain / STRAIN_WHOLE >= bad_ms_min;
        if enough && over { BurnState::Over } else { BurnState::Calm }
    }

    /// Factor times what the objective allows, times the long window and 10^12.
    fn allowed(&self, objective: Objective, period_ms: i64) -> i128 {
        i128::from(self.budget_ppm) * i128::from(period_ms) * i128::from(objective.down_ppm())
    }
}

/// The starts of the bad results of the schedule, in order, one an instant.
#[must_use]
pub fn bad_grid<'a>(results: impl IntoIterator<Item = &'a RunResult>) -> Vec<Millis> {
    let bad = |it: &&RunResult| it.kind == RunKind::Grid && it.testimony() == Some(Testimony::Bad);
    let mut starts: Vec<Millis> = results.into_iter().filter(bad).map(|it| it.started).collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::availability::confirm::Confirm;
    use crate::availability::sketch::{results, vantage};
    use crate::availability::timeline::samples;
    use crate::availability::track::{Vantage, alone};

    const DAY_MS: i64 = 86_400_000;
    const MONTH_MS: i64 = 30 * DAY_MS;

    fn objective(text: &str) -> Objective {
        Objective::parse(text).unwrap()
    }

    #[test]
    fn over_thirty_days_the_factors_are_those_of_the_workbook() {
        let factors = RULES.map(|it| it.factor_thousandths(MONTH_MS));
        assert_eq!(factors, [14_400, 6_000, 3_000, 1_000]);
    }

    #[test]
    fn a_rule_that_can_never_fire_is_told() {
        let page = RULES[0];
        assert!(page.can_fire(objective("99%"), MONTH_MS));
        assert!(page.can_fire(objective("93.1%"), MONTH_MS));
        assert!(!page.can_fire(objective("93%"), MONTH_MS));
        assert!(page.can_fire(objective("100%"), MONTH_MS));
    }

    /// Results every 30 s up to now; what the first rule says of an objective.
    #[track_caller]
    fn check(sketch: &str, text: &str, expected: BurnState) {
        let results = results(sketch, 30_000);
        let samples = samples(&results, |_| 18_000);
        let vantage = Vantage { id: vantage(0), samples, weight: 1 };
        let track = alone::track(&vantage, Confirm::new(3));
        let now = results.last().unwrap().started.plus_ms(15_000);
        let judged = SpanSet::from(Span::new(Millis(-DAY_MS), now).unwrap());
        let bad = bad_grid(&results);
        let state = RULES[0].state(&track, &judged, &bad, objective(text), MONTH_MS, now);
        assert_eq!(state, expected, "{sketch}");
    }

    #[test]
    fn a_full_outage_is_over_after_minutes_and_blips_count() {
        let calm = "o".repeat(140);
        check(&calm, "99.9%", BurnState::Calm);
        // 14.4 * 0.1 % of an hour is 51.84 s: two results are bad for 60 s, but they are two.
        check(&format!("{calm}xx"), "99.9%", BurnState::Calm);
        check(&format!("{calm}xxx"), "99.9%", BurnState::Over);
        // 14.4 * 1 % of an hour is 518.4 s.
        check(&format!("{calm}{}", "x".repeat(17)), "99%", BurnState::Calm);
        check(&format!("{calm}{}", "x".repeat(18)), "99%", BurnState::Over);
        // Blips, one in five.
        check(&"oooox".repeat(30), "99%", BurnState::Over);
    }

    /// `bad_s` bad seconds in the long window and as many as fit in the short one, all of both
    /// known, held to 99 %.
    #[track_caller]
    fn check_cells(bad_s: i64, known_ms: i64, expected: BurnState) {
        let cell = |known_ms: i64, bad_ms: i64| Cell {
            good_ms: known_ms - bad_ms,
            down_ms: bad_ms,
            held_ms: known_ms,
            held_down_ms: bad_ms,
            bad_strain: bad_ms * STRAIN_WHOLE,
            allowed: known_ms * 10_000,
            ..Cell::default()
        };
        let page = RULES[0];
        let short = page.short_ms.min(known_ms);
        let cells = [cell(known_ms, bad_s * 1_000), cell(short, (bad_s * 1_000).min(short))];
        let state = page.state_of(cells[0], cells[1], MONTH_MS, 60_000);
        assert_eq!(state, expected, "{bad_s} s of {known_ms} ms");
    }

    #[test]
    fn judged_time_says_what_results_say() {
        // 14.4 * 1 % of an hour is 518.4 s.
        check_cells(518, HOUR_MS, BurnState::Calm);
        check_cells(519, HOUR_MS, BurnState::Over);
        check_cells(519, HOUR_MS / 5, BurnState::TooLittleKnown);
        check_cells(59, HOUR_MS / 4, BurnState::Calm);
        check_cells(0, HOUR_MS, BurnState::Calm);
    }

    #[test]
    fn an_outage_that_is_over_is_calm_again_by_the_short_window() {
        check(&format!("{}xxxxxx{}", "o".repeat(120), "o".repeat(12)), "99.9%", BurnState::Calm);
    }

    #[test]
    fn a_short_history_says_nothing() {
        check("ooooooxxx", "99.9%", BurnState::TooLittleKnown);
        check(&"x".repeat(31), "99.9%", BurnState::Over);
    }
}
