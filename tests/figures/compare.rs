//! The fast code (`thongsuot::availability`) against the reference: the same integers, figure by
//! figure, for any scenario and any question. The seed of a difference is printed.
//!
//! `THONGSUOT_SEEDS=20 cargo test --release --test figures` tries twenty times as many.

mod asks;
mod fast;
mod live;

use std::fmt::Debug;

use thongsuot::availability::figures::{Figures as Fast, Fraction, Verdict as FastVerdict};
use thongsuot::availability::incident::{Incident as FastIncident, incidents, summary};
use thongsuot::availability::track::{Edge, Outage, Track};
use thongsuot::model::span::Span;
use thongsuot::model::state::State;

use self::asks::Question;
use crate::reference::{
    Down, Figures, Incident, Line, Raw, Reference, Story, Verdict, figures, measure, system,
};
use crate::simulate::{Dice, Scenario, simulate};
use crate::truth::judge;

/// `count`, times the environment's `THONGSUOT_SEEDS`.
#[expect(clippy::disallowed_methods, reason = "the operator of a test asks for more seeds")]
fn seeds(count: u64) -> std::ops::Range<u64> {
    let times = std::env::var("THONGSUOT_SEEDS").ok().map_or(1, |it| it.parse().unwrap());
    0..count * times
}

/// Where two measurements are not the same.
struct Differences(Vec<String>);

impl Differences {
    fn see<T: PartialEq + Debug>(&mut self, what: &str, fast: &T, slow: &T) {
        if fast != slow {
            self.0.push(format!("{what}:\n   fast {fast:?}\n   slow {slow:?}"));
        }
    }
}

/// A down span and its bracket, in milliseconds.
type Ends = [i64; 6];

fn fast_ends(start: Edge, end: Edge) -> Ends {
    [start.at, end.at, start.earliest, start.latest, end.earliest, end.latest].map(|it| it.0)
}

fn slow_ends(it: &Down) -> Ends {
    [it.span.start().0, it.span.end().0, it.start_lo, it.start_hi, it.end_lo, it.end_hi]
}

fn down_of(it: &Outage) -> Down {
    Down {
        span: it.span().unwrap(),
        start_lo: it.start.earliest.0,
        start_hi: it.start.latest.0,
        end_lo: it.end.earliest.0,
        end_hi: it.end.latest.0,
    }
}

fn fraction(it: Option<(i64, i64)>) -> Option<Fraction> {
    it.and_then(|(part, whole)| Fraction::new(part, whole))
}

fn raw_line(line: &Line<Raw>) -> Line<State> {
    let state = |raw: &Raw| match raw {
        Raw::Good => State::Up,
        Raw::Slow => State::Slow,
        Raw::Bad => State::Down,
    };
    line.iter().map(|(piece, raw)| (*piece, state(raw))).collect()
}

fn same_story(found: &mut Differences, track: &Track, story: &Story) {
    let line = |of: &[thongsuot::availability::segment::Segment]| -> Line<State> {
        of.iter().map(|it| (it.span, it.state)).collect()
    };
    found.see("states", &line(&track.timeline), &story.states);
    let fast: Vec<Ends> = track.outages.iter().map(|it| fast_ends(it.start, it.end)).collect();
    found.see("down spans", &fast, &story.downs.iter().map(slow_ends).collect());
    found.see("shortest", &track.shortest.spans(), &story.inner.as_slice());
    let raws: Vec<Line<State>> = track.views.iter().map(|it| line(&it.raw)).collect();
    found.see("raw states", &raws, &story.raws.iter().map(raw_line).collect());
}

fn same_figures(found: &mut Differences, fast: &Fast, slow: &Figures) {
    let times = &fast.times;
    found.see(
        "U, L, G, D, N, excluded",
        &[
            times.up_ms,
            times.slow_ms,
            times.partial_ms,
            times.down_ms,
            times.unknown_ms,
            times.excluded_ms,
        ],
        &[slow.up, slow.slow, slow.partial, slow.down, slow.unknown, slow.excluded],
    );
    found.see(
        "D_lo, D_hi, D in maintenance",
        &[times.down_shortest_ms, times.down_longest_ms, times.maintenance_down_ms],
        &[slow.down_lo, slow.down_hi, slow.down_in_maintenance],
    );
    found.see("availability", &fast.availability(), &fraction(slow.availability));
    found.see("coverage", &fast.coverage(), &fraction(slow.coverage));
    let range = fraction(slow.least).zip(fraction(slow.most));
    found.see("hard range", &fast.hard_range(), &range);
    found.see("edge squares", &fast.edges_ms2, &slow.edge_squares);
    found.see("MCR", &fast.worst, &slow.mcr.map(fraction));
    found.see(
        "reachability",
        &fast.reachability().map(|it| (it.part(), it.whole())),
        &slow.reachability,
    );
}

fn same_incidents(found: &mut Differences, fast: &[FastIncident], slow: &[Incident]) {
    let one = |it: &FastIncident| {
        let parts: Vec<Span> = it.parts.iter().filter_map(Outage::span).collect();
        (fast_ends(it.start(), it.end()), parts)
    };
    let other = |it: &Incident| (slow_ends(&it.whole), it.parts.clone());
    found.see(
        "incidents",
        &fast.iter().map(one).collect::<Vec<_>>(),
        &slow.iter().map(other).collect(),
    );
}

fn verdict(it: FastVerdict) -> Verdict {
    match it {
        FastVerdict::Met => Verdict::Met,
        FastVerdict::Missed => Verdict::Missed,
        FastVerdict::WithinError => Verdict::WithinError,
        FastVerdict::NotEnoughData => Verdict::NotEnoughData,
    }
}

/// What the fast code and the reference say of one story and one question.
fn differences(track: &Track, fast: &Fast, story: &Story, question: &Question) -> Vec<String> {
    let mut found = Differences(Vec::new());
    let slow = figures(story, &question.ask);
    same_story(&mut found, track, story);
    same_figures(&mut found, fast, &slow);
    let judged = question.judged();
    let all = incidents(track);
    let hit: Vec<FastIncident> =
        all.iter().filter(|it| !it.down().intersect(&judged).is_empty()).cloned().collect();
    same_incidents(&mut found, &hit, &slow.incidents);
    let good_ms = fast.times.known_ms() - fast.times.down_ms;
    let sums = summary(&all, &judged, good_ms);
    let cut = |it: Option<(i64, i64)>| it.map(|(top, bottom)| top / bottom);
    found.see(
        "incidents, MTTR, MTBF",
        &(sums.count, sums.mean_down_ms, sums.good_between_ms),
        &(slow.incidents.len() as i64, cut(slow.mttr), cut(slow.mtbf)),
    );
    let told = fast.verdict(question.objective, question.ask.coverage_bp * 100);
    found.see("verdict", &verdict(told), &slow.verdict);
    found.0
}

#[track_caller]
fn agree(scenario: &Scenario, name: &str, counts: &mut Counts) {
    let results = simulate(scenario).results;
    let mut dice = Dice::new(scenario.seed ^ 0xC0_FFEE);
    let mut question = Question::of(scenario, &mut dice);
    let all: Vec<_> = results.iter().flatten().cloned().collect();
    let rule = fast::rule(scenario, &question.ask.weights);
    let track = thongsuot::availability::judge::course(&all, &rule);
    let given = question.given();
    let fast = thongsuot::availability::judge::judge(&all, &rule, &given.terms());
    question.ask.budget_ms = question.objective.budget_ms(fast.times.known_ms());
    let Reference { story, figures } =
        measure(&results, &scenario.reach(), scenario.rules(), &question.ask);
    let mut found = differences(&track, &fast, &story, &question);
    if scenario.vantages == 1 && track.blips != story.blips {
        found.push(format!("blips: fast {:?}, slow {:?}", track.blips, story.blips));
    }
    counts.add(scenario, &story, &figures, all.len());
    assert!(
        found.is_empty(),
        "{name} seed {}, V = {}:\n{}\n{scenario:?}\n{question:?}",
        scenario.seed,
        scenario.vantages,
        found.join("\n")
    );
}

/// What was compared, so that a tame simulator is seen.
#[derive(Debug, Default)]
struct Counts {
    scenarios: u64,
    results: usize,
    downs: usize,
    blips: usize,
    incidents: usize,
    verdicts: [u64; 4],
    vantages: [u64; 5],
}

impl Counts {
    fn add(&mut self, scenario: &Scenario, story: &Story, figures: &Figures, results: usize) {
        self.scenarios += 1;
        self.results += results;
        self.downs += story.downs.len();
        self.blips += story.blips.len();
        self.incidents += figures.incidents.len();
        self.verdicts[figures.verdict as usize] += 1;
        self.vantages[scenario.vantages] += 1;
    }
}

#[test]
fn wild_scenarios_give_the_same_integers() {
    let mut counts = Counts::default();
    for seed in seeds(400) {
        agree(&Scenario::wild(seed), "wild", &mut counts);
    }
    println!("{counts:?}");
    assert!(counts.downs > 300 && counts.blips > 30 && counts.incidents > 150, "{counts:?}");
    assert!(counts.verdicts.iter().chain(&counts.vantages[1..]).all(|it| *it > 3), "{counts:?}");
}

#[test]
fn quiet_isolated_and_varied_scenarios_give_the_same_integers() {
    let mut counts = Counts::default();
    for seed in seeds(30) {
        for vantages in 1..=3 {
            agree(&Scenario::quiet(seed, vantages), "quiet", &mut counts);
            agree(&Scenario::isolated(seed, vantages, 4, (1, 400_000)), "isolated", &mut counts);
            let varied = Scenario::varied(seed, vantages);
            let most = varied.interval_ms * 8;
            agree(&varied.with_isolated(4, (1, most)), "varied", &mut counts);
        }
    }
    println!("{counts:?}");
}

#[test]
fn full_months_give_the_same_integers() {
    let mut counts = Counts::default();
    for seed in seeds(2) {
        agree(&asks::month(seed), "month", &mut counts);
    }
    println!("{counts:?}");
    assert!(counts.results > 400_000, "{counts:?}");
}

#[test]
fn systems_give_the_same_integers() {
    for seed in seeds(80) {
        let mut dice = Dice::new(seed ^ 0x5757);
        let scenario = Scenario::wild(seed);
        let mut checks: Vec<(bool, Story)> = Vec::new();
        let mut parts = Vec::new();
        for number in 0..dice.within(1, 3) as u64 {
            let other = Scenario::wild(seed + number * 100_000);
            let by = scenario.span.start().0 - other.span.start().0;
            let mut results = simulate(&other).results;
            results.iter_mut().flatten().for_each(|it| it.started = it.started.plus_ms(by));
            let ask = crate::reference::Ask::plain(scenario.span);
            let critical = dice.chance(700);
            checks.push((critical, measure(&results, &other.reach(), other.rules(), &ask).story));
            let all: Vec<_> = results.into_iter().flatten().collect();
            let track = thongsuot::availability::judge::course(&all, &fast::rule(&other, &[]));
            parts.push(fast::part(track, critical));
        }
        let mut question = Question::of(&scenario, &mut dice);
        question.ask.weights = Vec::new();
        let track = thongsuot::availability::track::system::track(&parts);
        let (Some(track), Some(story)) = (track, system(&checks)) else {
            assert!(checks.iter().all(|it| !it.0), "system seed {seed}");
            continue;
        };
        let given = question.given();
        let fast = Fast::of(&track, &given.terms());
        question.ask.budget_ms = question.objective.budget_ms(fast.times.known_ms());
        let found = differences(&track, &fast, &story, &question);
        assert!(found.is_empty(), "system seed {seed}:\n{}\n{question:?}", found.join("\n"));
    }
}

/// B1 to B6 and B8 of the fast code's own down spans.
#[test]
fn the_fast_code_keeps_every_bound_of_the_truth() {
    let bound = |scenario: &Scenario| {
        let simulated = simulate(scenario);
        let all: Vec<_> = simulated.results.iter().flatten().cloned().collect();
        let track = thongsuot::availability::judge::course(&all, &fast::rule(scenario, &[]));
        let downs: Vec<Down> = track.outages.iter().map(down_of).collect();
        if let Err(why) = judge(scenario, &simulated, &downs) {
            panic!("{why}\n{scenario:?}");
        }
        let measured: i64 = downs.iter().map(|it| it.span.length_ms()).sum();
        measured - simulated.truth.iter().map(|it| it.length_ms()).sum::<i64>()
    };
    for seed in seeds(150) {
        for vantages in 1..=3 {
            bound(&Scenario::isolated(seed ^ 0xB0, vantages, 6, (1, 400_000)));
            let varied = Scenario::varied(seed ^ 0xB0, vantages);
            let most = varied.interval_ms * 8;
            bound(&varied.with_isolated(4, (1, most)));
        }
    }
    // B7: no bias over months of 20 outages, and the spread that B8 gives.
    for (vantages, least, most) in [(1, 20_000, 55_000), (3, 8_000, 24_000)] {
        let months = 60_i64;
        let errors: Vec<i64> = (0..months)
            .map(|it| Scenario::isolated(9_000 + it as u64, vantages, 20, (120_000, 500_000)))
            .map(|scenario| bound(&scenario))
            .collect();
        let rmse = (errors.iter().map(|it| it * it).sum::<i64>() / months).isqrt();
        let mean = errors.iter().sum::<i64>() / months;
        println!("V = {vantages}: mean {mean} ms, RMSE {rmse} ms");
        assert!(mean.abs() * mean.abs() * months <= 9 * rmse * rmse, "{vantages}: {mean}, {rmse}");
        assert!((least..=most).contains(&rmse), "{vantages}: {rmse}");
    }
}
