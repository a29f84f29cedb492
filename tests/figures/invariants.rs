//! Section 8 of `docs/measurement.md`, asked of the reference itself over wild scenarios.

use thongsuot::model::reason::Reason;
use thongsuot::model::result::{RunKind, RunResult};
use thongsuot::model::span::Span;
use thongsuot::model::state::State;
use thongsuot::model::time::Millis;

use crate::reference::{
    Ask, Figures, Maintenance, Reference, Story, Verdict, at, clip, end, figures, measure, span,
    start, system, union,
};
use crate::simulate::{Dice, Scenario, simulate};

const SEEDS: u64 = 120;

struct Case {
    seed: u64,
    scenario: Scenario,
    results: Vec<Vec<RunResult>>,
    ask: Ask,
    dice: Dice,
}

impl Case {
    fn of(seed: u64) -> Self {
        let scenario = Scenario::wild(seed);
        let results = simulate(&scenario).results;
        let mut dice = Dice::new(seed ^ 0xA5C);
        let ask = ask(&scenario, &mut dice);
        Self { seed, scenario, results, ask, dice }
    }

    fn measure(&self) -> Reference {
        self.of_results(&self.results)
    }

    fn of_results(&self, results: &[Vec<RunResult>]) -> Reference {
        measure(results, &self.scenario.reach(), self.scenario.rules(), &self.ask)
    }

    fn asked(&self, ask: &Ask) -> Figures {
        measure(&self.results, &self.scenario.reach(), self.scenario.rules(), ask).figures
    }
}

fn ask(scenario: &Scenario, dice: &mut Dice) -> Ask {
    let (from, to) = (start(scenario.span), end(scenario.span));
    let long = to - from;
    let mut ask = Ask::plain(span(from - dice.within(0, long / 4), to).unwrap());
    let mut somewhen = || {
        let at = from + dice.within(0, long);
        span(at, at + dice.within(1, long / 4)).unwrap()
    };
    let (window, hours) = (somewhen(), vec![somewhen(), somewhen(), somewhen()]);
    let notice = dice.within(0, 2) * 86_400_000;
    ask.maintenance = vec![Maintenance { recorded: start(window) - notice, announced: window }];
    ask.hours = dice.chance(300).then_some(hours);
    ask.begin = dice.chance(300).then_some(from);
    ask.budget_ms = dice.within(0, long / 20);
    ask
}

fn parts(it: &Figures) -> [i64; 6] {
    [it.up, it.slow, it.partial, it.down, it.unknown, it.excluded]
}

fn at_most(a: (i64, i64), b: (i64, i64)) -> bool {
    i128::from(a.0) * i128::from(b.1) <= i128::from(b.0) * i128::from(a.1)
}

/// The scenarios are wild enough to mean something.
#[test]
fn every_state_and_every_kind_of_trouble_occurs() {
    let (mut downs, mut blips, mut incidents, mut backoffs) = (0, 0, 0, 0);
    let mut lengths = [0; 6];
    for case in (0..SEEDS).map(Case::of) {
        let Reference { figures, story } = case.measure();
        downs += story.downs.len();
        blips += story.blips.len();
        incidents += figures.incidents.len();
        backoffs += case.results.iter().flatten().filter(|it| it.reason == Reason::Backoff).count();
        lengths.iter_mut().zip(parts(&figures)).for_each(|(sum, it)| *sum += it / 60_000);
    }
    println!("{downs} down, {blips} blips, {incidents} incidents, {backoffs} back-offs");
    println!("minutes up, slow, partial, down, unknown, excluded: {lengths:?}");
    assert!(downs > 100 && blips > 10 && incidents > 80 && backoffs > 50);
    assert!(lengths.iter().all(|it| *it > 20), "{lengths:?}");
}

#[test]
fn the_partition_is_exact_and_every_range_holds_its_figure() {
    for case in (0..SEEDS).map(Case::of) {
        let seed = case.seed;
        let Reference { figures, story } = case.measure();
        assert_eq!(parts(&figures).iter().sum::<i64>(), case.ask.period.length_ms(), "{seed}");
        let range = figures.down_lo..=figures.down_hi;
        assert!(range.contains(&figures.down), "seed {seed}: {} in {range:?}", figures.down);
        if let (Some(least), Some(is), Some(most)) =
            (figures.least, figures.availability, figures.most)
        {
            assert!(at_most(least, is) && at_most(is, most), "seed {seed}: {figures:?}");
        }
        for down in &story.downs {
            assert!(down.start_lo <= start(down.span) && start(down.span) <= down.start_hi);
            assert!(down.end_lo <= end(down.span) && end(down.span) <= down.end_hi);
            for t in [start(down.span), end(down.span) - 1] {
                assert_eq!(at(&story.states, t), Some(State::Down), "seed {seed}");
            }
        }
        assert_eq!(figures.mttr.map_or(0, |it| it.0), figures.down, "seed {seed}");
        for (of_window, is) in figures.mcr.iter().zip([figures.availability; 4]) {
            let worst = of_window.zip(is).is_none_or(|(worst, _)| at_most(worst, (1, 1)));
            assert!(worst, "seed {seed}");
        }
        if figures.verdict == Verdict::Met {
            assert!(figures.down <= case.ask.budget_ms, "seed {seed}");
        }
    }
}

#[test]
fn order_and_doubles_and_void_results_change_nothing() {
    for mut case in (0..SEEDS).map(Case::of) {
        let whole = case.measure();
        let mut results = case.results.clone();
        for of_one in &mut results {
            of_one.reverse();
            let again = of_one.iter().step_by(3).cloned().collect::<Vec<_>>();
            of_one.extend(again);
            let mut void = of_one.iter().step_by(4).cloned().collect::<Vec<_>>();
            for it in &mut void {
                it.started = it.started.plus_ms(case.dice.within(-9_000, 9_000));
                it.reason =
                    case.dice.pick(&[Reason::SelfNet, Reason::RateLimited, Reason::Overrun]);
            }
            of_one.extend(void);
        }
        assert_eq!(case.of_results(&results), whole, "seed {}", case.seed);
        results.reverse();
        let turned = case.of_results(&results);
        assert_eq!(turned.story.states, whole.story.states, "seed {}", case.seed);
        assert_eq!(turned.figures, whole.figures, "seed {}", case.seed);
    }
}

#[test]
fn periods_add_up_and_time_can_be_shifted() {
    for mut case in (0..SEEDS).map(Case::of) {
        let whole = case.measure();
        let (from, to) = (start(case.ask.period), end(case.ask.period));
        let middle = case.dice.within(from + 1, to - 1);
        let of = |period: Option<Span>| {
            parts(&case.asked(&Ask { period: period.unwrap(), ..case.ask.clone() }))
        };
        let (first, second) = (of(span(from, middle)), of(span(middle, to)));
        let sums: Vec<i64> = first.iter().zip(second).map(|(a, b)| a + b).collect();
        assert_eq!(sums, parts(&whole.figures), "seed {}", case.seed);

        let by = case.dice.within(-999_999, 999_999);
        let moved = |it: Span| span(start(it) + by, end(it) + by).unwrap();
        let mut results = case.results.clone();
        results.iter_mut().flatten().for_each(|it| it.started = it.started.plus_ms(by));
        let ask = Ask {
            period: moved(case.ask.period),
            hours: case.ask.hours.clone().map(|it| it.into_iter().map(moved).collect()),
            maintenance: case
                .ask
                .maintenance
                .iter()
                .map(|it| Maintenance {
                    recorded: it.recorded + by,
                    announced: moved(it.announced),
                })
                .collect(),
            begin: case.ask.begin.map(|it| it + by),
            ..case.ask.clone()
        };
        let later = measure(&results, &case.scenario.reach(), case.scenario.rules(), &ask);
        assert_eq!(parts(&later.figures), parts(&whole.figures), "seed {}", case.seed);
        assert_eq!(later.figures.mcr, whole.figures.mcr, "seed {}", case.seed);
        assert_eq!(later.figures.reachability, whole.figures.reachability);
        assert_eq!(later.figures.edge_squares, whole.figures.edge_squares);
    }
}

#[test]
fn maintenance_never_raises_down_or_unknown() {
    for mut case in (0..SEEDS).map(Case::of) {
        let before = case.measure().figures;
        let (from, to) = (start(case.ask.period), end(case.ask.period));
        let at = case.dice.within(from, to - 1);
        let announced = span(at, at + case.dice.within(1, to - from)).unwrap();
        case.ask.maintenance.push(Maintenance { recorded: at - 86_400_000, announced });
        let after = case.measure().figures;
        assert!(after.down <= before.down && after.unknown <= before.unknown);
    }
}

#[test]
fn a_good_result_that_turns_bad_never_shortens_down_with_one_vantage() {
    for mut case in (0..4 * SEEDS).map(Case::of).filter(|it| it.scenario.vantages == 1) {
        let before = case.measure().figures.down;
        let n = case.results[0].len() as i64;
        if n == 0 {
            continue;
        }
        let it = &mut case.results[0][usize::try_from(case.dice.within(0, n - 1)).unwrap()];
        if matches!(it.reason, Reason::None | Reason::OverSlow) {
            it.reason = Reason::HttpStatus;
        }
        assert!(case.measure().figures.down >= before, "seed {}", case.seed);
    }
}

#[test]
fn all_good_is_never_down_all_bad_is_never_up_and_nothing_is_unknown() {
    for mut case in (0..SEEDS).map(Case::of) {
        case.scenario.retry_after_ms = 0;
        let turned = |reason: Reason| {
            let mut results = simulate(&case.scenario).results;
            let testify = results.iter_mut().flatten().filter(|it| it.testimony().is_some());
            testify.for_each(|it| it.reason = reason);
            case.of_results(&results).figures
        };
        let good = turned(Reason::None);
        assert_eq!((good.down, good.partial, good.down_hi), (0, 0, 0), "seed {}", case.seed);
        let bad = turned(Reason::HttpStatus);
        assert_eq!(bad.slow, 0, "seed {}", case.seed);
        if case.scenario.vantages == 1 || case.scenario.known >= case.scenario.quorum {
            let confirmed = case.results.iter().all(|it| it.len() > 10 * case.scenario.confirm);
            assert!(!confirmed || bad.up == 0, "seed {}", case.seed);
        }
        let none = case.of_results(&vec![Vec::new(); case.scenario.vantages]).figures;
        assert_eq!(none.unknown + none.excluded, case.ask.period.length_ms());
        assert_eq!((none.availability, none.verdict), (None, Verdict::NotEnoughData));
    }
}

/// P8, for gaps without back-off.
#[test]
fn a_gap_is_unknown_but_for_its_two_edges() {
    for mut case in (0..3 * SEEDS).map(Case::of).filter(|it| it.scenario.vantages == 1) {
        case.results[0].retain(|it| it.reason != Reason::Backoff);
        let story = case.measure().story;
        let mut starts: Vec<i64> = case.results[0]
            .iter()
            .filter(|it| it.testimony().is_some())
            .map(|it| it.started.0)
            .collect();
        starts.sort_unstable();
        for gap in starts.windows(2).filter_map(|it| span(it[0], it[1])) {
            let line = clip(&story.states, gap);
            let unknown = line.iter().filter(|it| it.1 == State::Unknown);
            let unknown: i64 = unknown.map(|it| it.0.length_ms()).sum();
            let least = gap.length_ms() - case.scenario.interval_ms * 6 / 5;
            assert!(unknown >= least, "seed {}: {gap:?}", case.seed);
        }
    }
}

/// P11. Counted states keep it; edges that move do not quite, as Q decides which good and bad
/// results an edge lies between. So: never more than an interval for each outage.
#[test]
fn a_larger_quorum_counts_no_more_as_down_but_for_the_edges() {
    for case in (0..SEEDS).map(Case::of).filter(|it| it.scenario.vantages > 1) {
        let down = |quorum: usize| {
            let mut rules = case.scenario.rules();
            (rules.quorum, rules.known) = (quorum, 1);
            let ask = Ask::plain(case.ask.period);
            let it = measure(&case.results, &case.scenario.reach(), rules, &ask);
            (it.figures.down, it.story.downs.len() as i64)
        };
        for quorum in 1..case.scenario.vantages {
            let ((more, _), (less, spans)) = (down(quorum), down(quorum + 1));
            let slack = spans * case.scenario.interval_ms;
            assert!(less <= more + slack, "seed {}: Q {quorum}: {more} < {less}", case.seed);
        }
    }
}

#[test]
fn a_system_is_down_when_a_critical_check_is_and_its_range_holds_its_figure() {
    let mut seen = [0; 5];
    for seed in 0..SEEDS {
        let mut dice = Dice::new(seed);
        let from = start(Scenario::wild(seed).span);
        let checks: Vec<(bool, Story)> = (0..dice.within(1, 3) as u64)
            .map(|i| {
                let scenario = Scenario::wild(seed + i * 5_000);
                let mut results = simulate(&scenario).results;
                let by = from - start(scenario.span);
                results.iter_mut().flatten().for_each(|it| it.started = it.started.plus_ms(by));
                let ask = Ask::plain(scenario.span);
                let it = measure(&results, &scenario.reach(), scenario.rules(), &ask);
                (dice.chance(700), it.story)
            })
            .collect();
        let critical = || checks.iter().filter(|it| it.0).map(|it| &it.1);
        let Some(story) = system(&checks) else {
            assert_eq!(critical().count(), 0, "seed {seed}");
            continue;
        };
        let downs: Vec<Span> = critical().flat_map(|it| &it.downs).map(|it| it.span).collect();
        let spans: Vec<Span> = story.downs.iter().map(|it| it.span).collect();
        assert_eq!(spans, union(&downs), "seed {seed}");
        let ask = Ask::plain(span(from - 60_000, from + dice.within(60_000, 4_000_000)).unwrap());
        let found = figures(&story, &ask);
        assert_eq!(parts(&found).iter().sum::<i64>(), ask.period.length_ms(), "seed {seed}");
        assert!((found.down_lo..=found.down_hi).contains(&found.down), "seed {seed}");
        for down in &story.downs {
            assert!(down.start_lo <= start(down.span) && start(down.span) <= down.start_hi);
            assert!(down.end_lo <= end(down.span) && end(down.span) <= down.end_hi);
        }
        for (_, state) in &story.states {
            seen[*state as usize] += 1;
        }
    }
    assert!(seen[..4].iter().all(|it| *it > 20), "{seen:?}");
}

/// P12 and identities of the simulator's own schedule.
#[test]
fn slots_are_at_most_a_step_apart_and_every_result_has_its_own_identity() {
    for seed in 0..SEEDS {
        let mut scenario = Scenario::wild(seed);
        scenario.disorder = false;
        let simulated = simulate(&scenario);
        for of_one in &simulated.results {
            let identity = |it: &RunResult| (it.due, it.kind, it.run);
            let mut identities: Vec<_> = of_one.iter().map(identity).collect();
            identities.sort_unstable();
            identities.dedup();
            assert_eq!(identities.len(), of_one.len(), "seed {seed}");
            let grid = of_one.iter().filter(|it| it.kind == RunKind::Grid);
            let dues: Vec<Millis> = grid.map(|it| it.due).collect();
            let none_missing = scenario.absences.is_empty();
            let longest = dues.windows(2).map(|it| it[1].since(it[0])).max().unwrap_or(0);
            assert!(!none_missing || longest <= scenario.interval_ms, "seed {seed}");
        }
        assert_eq!(simulate(&scenario), simulated);
    }
}
