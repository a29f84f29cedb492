//! From past hours and the newest time to figures over windows.

use crate::alert::facts::Budget;
use crate::app::alerting::Figure;
use crate::availability::burn::{BurnRule, BurnState, RULES};
use crate::availability::figures::ledger::{Cell, HOUR_MS, Ledger, cells, hour_of, hour_start};
use crate::availability::span_set::SpanSet;
use crate::availability::track::{STRAIN_WHOLE, Track};
use crate::metrics::{Figured, Share};
use crate::model::span::Span;
use crate::model::system::Objective;
use crate::model::time::Millis;

/// The longest window.
pub(super) const LONGEST_MS: i64 = 30 * 24 * HOUR_MS;

/// Windows of availability and coverage; `period` besides.
const WINDOWS: [(&str, i64); 4] =
    [("1h", HOUR_MS), ("24h", 24 * HOUR_MS), ("7d", 7 * 24 * HOUR_MS), ("30d", LONGEST_MS)];

/// Windows of burn rates: those of the rules.
const BURN_WINDOWS: [(&str, i64); 7] = [
    ("5m", HOUR_MS / 12),
    ("30m", HOUR_MS / 2),
    ("1h", HOUR_MS),
    ("2h", 2 * HOUR_MS),
    ("6h", 6 * HOUR_MS),
    ("1d", 24 * HOUR_MS),
    ("3d", 72 * HOUR_MS),
];

/// Windows up to this length begin to the minute; longer ones with a full UTC hour.
const EXACT_MS: i64 = 2 * HOUR_MS;

/// The time since the last hour that is judged for good.
#[derive(Debug)]
pub(super) struct Recent {
    pub(super) track: Track,
    pub(super) judged: SpanSet,
    /// When it was held to which objective.
    pub(super) held: Vec<(Span, Objective)>,
    /// Where every window ends.
    pub(super) end: Millis,
}

impl Recent {
    /// Of which nothing is judged.
    pub(super) fn nothing(end: Millis) -> Self {
        Self { track: Track::default(), judged: SpanSet::EMPTY, held: Vec::new(), end }
    }

    fn cell(&self, from: Millis) -> Cell {
        let span = Span::new(from, self.end);
        let cells = span.map(|it| cells(&self.track, &self.judged, &self.held, &[it]));
        cells.and_then(|it| it.first().copied()).unwrap_or_default()
    }
}

/// All that is known of a system's judged time. Past hours before `recent_hour` come from the
/// ledger.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) recent: &'a Recent,
    pub(super) recent_hour: i64,
    /// The period of the objective.
    pub(super) period: Span,
    /// What may be down in it.
    pub(super) budget_ms: i64,
}

impl Known<'_> {
    fn since(&self, from: Millis) -> Option<Cell> {
        let past = self.ledger.sum(hour_of(from), self.recent_hour)?;
        let recent = hour_start(self.recent_hour.max(hour_of(from)));
        Some(past.plus(self.recent.cell(recent)))
    }

    fn window(&self, length_ms: i64) -> Option<Cell> {
        let from = self.recent.end.plus_ms(-length_ms);
        if length_ms <= EXACT_MS { Some(self.recent.cell(from)) } else { self.since(from) }
    }
}

/// What alerts look at; what it lacks is not known yet. `bad_ms_min`: less bad time in the long window of a burn rule is no rate.
/// `seen_since`: since when this process measures; a window that begins before says nothing of
/// coverage.
pub(super) fn figure(
    known: &Known<'_>,
    bad_ms_min: i64,
    coverage_window_ms: i64,
    seen_since: Millis,
) -> Figure {
    let period_ms = known.period.length_ms();
    let state = |rule: &BurnRule| match (known.window(rule.long_ms), known.window(rule.short_ms)) {
        (Some(long), Some(short)) => rule.state_of(long, short, period_ms, bad_ms_min),
        _ => BurnState::TooLittleKnown,
    };
    let period = known.since(known.period.start());
    let budget = |it: Cell| {
        let is_held = it.held_ms > 0 && known.budget_ms > 0;
        let (whole_ms, down_ms) = if is_held { (known.budget_ms, it.held_down_ms) } else { (0, 0) };
        Budget { whole_ms, left_ms: whole_ms - down_ms }
    };
    // Of time of which nothing is promised nothing is missing.
    let share = |it: Cell| match it.judged_ms() {
        0 => 1_000_000,
        judged_ms => it.known_ms() * 1_000_000 / judged_ms,
    };
    let whole = known.recent.end.since(seen_since) >= coverage_window_ms;
    let covered = known.window(coverage_window_ms).filter(|_| whole);
    Figure {
        burn: RULES.iter().map(state).collect(),
        budget: period.map(budget),
        coverage_ppm: covered.map(share),
    }
}

/// Every figure that is known.
pub(super) fn figured(known: &Known<'_>) -> Figured {
    let budget_ms = known.budget_ms;
    let window = |length_ms: i64| known.window(length_ms);
    let mut figured = Figured::default();
    let period = known.since(known.period.start());
    let windows = WINDOWS.into_iter().map(|(name, length_ms)| (name, window(length_ms)));
    for (name, cell) in windows.chain([("period", period)]) {
        let Some(cell) = cell else { continue };
        let share = |part: i64, whole: i64| Some(ratio(part, whole)).filter(|_| whole > 0);
        let availability = share(cell.good_ms, cell.known_ms());
        figured.availability.extend(availability.map(|it| (name, it)));
        figured.coverage.extend(share(cell.known_ms(), cell.judged_ms()).map(|it| (name, it)));
    }
    if let Some(cell) = period.filter(|it| it.held_ms > 0 && budget_ms > 0) {
        figured.budget_remaining = Some(ratio(budget_ms - cell.held_down_ms, budget_ms));
    }
    let burn = |(name, length_ms): (&'static str, i64)| -> Option<Share> {
        let cell = window(length_ms).filter(|it| it.held_ms * 4 >= length_ms)?;
        let bad_ms = cell.bad_strain as f64 / STRAIN_WHOLE as f64;
        let allowed_ms = cell.allowed as f64 / 1e6;
        (cell.allowed > 0).then(|| (name, bad_ms / allowed_ms))
    };
    figured.burn_rate = BURN_WINDOWS.into_iter().filter_map(burn).collect();
    figured
}

fn ratio(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::availability::figures::ledger::Run;
    use crate::availability::segment::Segment;
    use crate::availability::track::Strain;
    use crate::model::state::State;

    /// Hours 0 to 99 are good but one, which is half down; then two hours and a half, of which
    /// the last ten minutes are down.
    fn scene() -> (Ledger, Recent) {
        let mut ledger = Ledger::default();
        let held = Cell { held_ms: HOUR_MS, allowed: HOUR_MS * 10_000, ..Cell::default() };
        let good = Cell { good_ms: HOUR_MS, ..held };
        ledger.put(Run { first: 0, count: 100, contract: 1, cell: good });
        let half = Cell {
            good_ms: HOUR_MS / 2,
            down_ms: HOUR_MS / 2,
            held_down_ms: HOUR_MS / 2,
            bad_strain: HOUR_MS / 2 * STRAIN_WHOLE,
            ..held
        };
        ledger.put(Run { first: 90, count: 1, contract: 1, cell: half });
        let end = Millis(102 * HOUR_MS + HOUR_MS / 2);
        let segment = |from: i64, to: Millis, state| Segment {
            span: Span::new(Millis(from), to).unwrap(),
            state,
        };
        let fell = end.plus_ms(-600_000);
        let track = Track {
            timeline: vec![
                segment(99 * HOUR_MS, fell, State::Up),
                segment(fell.0, end, State::Down),
            ],
            strain: vec![Strain { span: Span::new(fell, end).unwrap(), share: STRAIN_WHOLE }],
            ..Track::default()
        };
        let recent = Span::new(Millis(100 * HOUR_MS), end).unwrap();
        let held = vec![(recent, Objective::parse("99%").unwrap())];
        (ledger, Recent { track, judged: recent.into(), held, end })
    }

    fn of(shares: &[Share], name: &str) -> Option<f64> {
        shares.iter().find(|it| it.0 == name).map(|it| (it.1 * 1e9).round() / 1e9)
    }

    #[test]
    fn windows_are_sums_of_hours_and_the_newest_time() {
        let (ledger, recent) = scene();
        let known = Known {
            ledger: &ledger,
            recent: &recent,
            recent_hour: 100,
            period: Span::new(Millis(80 * HOUR_MS), Millis(200 * HOUR_MS)).unwrap(),
            budget_ms: 40 * 60_000,
        };
        let figured = figured(&known);
        let all = figured.availability.as_slice();
        assert_eq!(of(all, "1h"), Some((5.0_f64 / 6.0 * 1e9).round() / 1e9));
        // From the full hour 78: 24 h 30 min, 40 minutes of it down.
        assert_eq!(of(all, "24h"), Some(((1_470.0_f64 - 40.0) / 1_470.0 * 1e9).round() / 1e9));
        assert_eq!(of(all, "period"), Some(((1_350.0_f64 - 40.0) / 1_350.0 * 1e9).round() / 1e9));
        assert_eq!(of(all, "7d"), None, "the ledger does not reach so far");
        assert_eq!(of(&figured.coverage, "24h"), Some(1.0));
        assert_eq!(figured.budget_remaining, Some(0.0));
        assert_eq!(of(&figured.burn_rate, "5m"), Some(100.0));
        assert_eq!(of(&figured.burn_rate, "30m"), Some((100.0_f64 / 3.0 * 1e9).round() / 1e9));
        assert_eq!(of(&figured.burn_rate, "3d").map(|it| it > 0.9), Some(true));
    }

    #[test]
    fn what_is_not_known_is_not_there() {
        let (_, recent) = scene();
        let unknown = Recent { track: Track::default(), ..recent };
        let known = Known {
            ledger: &Ledger::default(),
            recent: &unknown,
            recent_hour: 100,
            period: Span::new(Millis(0), Millis(200 * HOUR_MS)).unwrap(),
            budget_ms: 0,
        };
        let figured = figured(&known);
        assert_eq!((figured.availability, figured.burn_rate), (vec![], vec![]));
        assert_eq!(figured.coverage, [("1h", 0.0)]);
        assert_eq!(figured.budget_remaining, None);
    }

    #[test]
    fn alerts_tell_what_is_not_known_yet_from_what_is_nothing() {
        let (ledger, recent) = scene();
        let of = |ledger: &Ledger, recent: &Recent, budget_ms, period: i64, since| {
            let period = Span::new(Millis(period * HOUR_MS), Millis(200 * HOUR_MS)).unwrap();
            let known = Known { ledger, recent, recent_hour: 100, period, budget_ms };
            let figure = figure(&known, 0, HOUR_MS / 2, Millis(since));
            (figure.budget.map(|it| (it.whole_ms, it.left_ms)), figure.coverage_ppm)
        };
        let nothing = Recent::nothing(recent.end);
        let (long, end) = (99 * HOUR_MS, recent.end.0);
        let budget = Some((40 * 60_000, 10 * 60_000 - 10 * 60_000));
        assert_eq!(of(&ledger, &recent, 40 * 60_000, 80, long), (budget, Some(1_000_000)));
        // The process is younger than the window; past hours are not judged yet.
        assert_eq!(of(&Ledger::default(), &recent, 40 * 60_000, 80, end), (None, None));
        // Nothing was promised so far.
        assert_eq!(of(&ledger, &nothing, 40 * 60_000, 101, long), (Some((0, 0)), Some(1_000_000)));
    }
}
