//! The fast code (`thongsuot::availability`) against the reference: the same integers, figure by
//! figure, for any scenario and any question. The seed of a difference is printed.
//!
//! `THONGSUOT_SEEDS=20 cargo test --release --test figures` tries twenty times as many.

mod asks;
mod fast;
mod live;
mod same;

use thongsuot::availability::figures::Figures as Fast;
use thongsuot::availability::judge::{course, judge as judge_fast};
use thongsuot::availability::track::{lanes, system as systems};
use thongsuot::model::result::RunResult;
use thongsuot::model::state::State;
use thongsuot::model::time::Millis;

use self::asks::Question;
use self::same::{differences, down_of};
use crate::reference::{
    Ask, Down, Figures, Line, Reach, Reference, Story, at, edges, measure, paint, system,
};
use crate::simulate::{Dice, Scenario, simulate};
use crate::truth::judge;

/// `count`, times the environment's `THONGSUOT_SEEDS`.
#[expect(clippy::disallowed_methods, reason = "the operator of a test asks for more seeds")]
fn seeds(count: u64) -> std::ops::Range<u64> {
    let times = std::env::var("THONGSUOT_SEEDS").ok().map_or(1, |it| it.parse().unwrap());
    0..count * times
}

#[track_caller]
fn agree(scenario: &Scenario, name: &str, counts: &mut Counts) {
    let results = simulate(scenario).results;
    let mut dice = Dice::new(scenario.seed ^ 0xC0_FFEE);
    let mut question = Question::of(scenario, &mut dice);
    let all: Vec<_> = results.iter().flatten().cloned().collect();
    let mut rule = fast::rule(scenario, &question.ask.weights);
    let mut reach = scenario.reach();
    if dice.chance(300) {
        // The interval was changed in the middle.
        let from = dice.within(scenario.span.start().0, scenario.span.end().0);
        let other = dice.pick(&[reach.at(0) / 2, reach.at(0) * 2, reach.at(0) * 10]);
        rule.reach = rule.reach.then(Millis(from), other);
        reach = Reach(vec![(i64::MIN, reach.at(0)), (from, other)]);
    }
    let track = course(&all, &rule);
    let given = question.given();
    let fast = judge_fast(&all, &rule, &given.terms());
    question.ask.budget_ms = question.objective.budget_ms(fast.times.known_ms());
    let Reference { story, figures } = measure(&results, &reach, scenario.rules(), &question.ask);
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
    for seed in seeds(1_000) {
        agree(&Scenario::wild(seed), "wild", &mut counts);
    }
    println!("{counts:?}");
    assert!(counts.downs > 1_500 && counts.blips > 80 && counts.incidents > 500, "{counts:?}");
    assert!(counts.verdicts.iter().chain(&counts.vantages[1..]).all(|it| *it > 3), "{counts:?}");
}

#[test]
fn quiet_isolated_and_varied_scenarios_give_the_same_integers() {
    let mut counts = Counts::default();
    for seed in seeds(60) {
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
    for seed in seeds(3) {
        agree(&asks::month(seed), "month", &mut counts);
    }
    println!("{counts:?}");
    assert!(counts.results > 600_000, "{counts:?}");
}

#[test]
fn systems_give_the_same_integers() {
    for seed in seeds(200) {
        let mut dice = Dice::new(seed ^ 0x5757);
        let scenario = Scenario::wild(seed);
        let mut checks: Vec<(bool, Story)> = Vec::new();
        let mut parts = Vec::new();
        for number in 0..dice.within(1, 3) as u64 {
            let other = Scenario::wild(seed + number * 100_000);
            let by = scenario.span.start().0 - other.span.start().0;
            let mut results = simulate(&other).results;
            results.iter_mut().flatten().for_each(|it| it.started = it.started.plus_ms(by));
            let ask = Ask::plain(scenario.span);
            let critical = dice.chance(700);
            checks.push((critical, measure(&results, &other.reach(), other.rules(), &ask).story));
            let all: Vec<_> = results.into_iter().flatten().collect();
            let track = course(&all, &fast::rule(&other, &[]));
            parts.push(fast::part(track, critical));
        }
        let mut question = Question::of(&scenario, &mut dice);
        question.ask.weights = Vec::new();
        let track = systems::track(&parts);
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

/// Two lanes of one check: each judged alone, then the worse of the two as the text has it.
#[test]
fn two_lanes_give_the_same_states() {
    for seed in seeds(100) {
        let mut stories: Vec<Line<State>> = Vec::new();
        let mut tracks = Vec::new();
        let from = Scenario::wild(seed).span.start();
        for number in [0, 50_000] {
            let scenario = Scenario::wild(seed + number);
            let mut results = simulate(&scenario).results;
            let by = from.since(scenario.span.start());
            results.iter_mut().flatten().for_each(|it| it.started = it.started.plus_ms(by));
            let ask = Ask::plain(scenario.span);
            let slow = measure(&results, &scenario.reach(), scenario.rules(), &ask).story;
            stories.push(slow.states);
            let all: Vec<RunResult> = results.into_iter().flatten().collect();
            tracks.push(course(&all, &fast::rule(&scenario, &[])));
        }
        let both = |t: i64| {
            let now = [0, 1].map(|it: usize| at(&stories[it], t));
            let any = |state: State| now.contains(&Some(state));
            match now {
                [Some(State::Down), Some(State::Down)] => Some(State::Down),
                _ if any(State::Down) || any(State::Partial) => Some(State::Partial),
                _ if now.contains(&None) => None,
                _ if any(State::Slow) => Some(State::Slow),
                _ => Some(State::Up),
            }
        };
        let slow = paint(stories.iter().flat_map(|it| edges(it)).collect(), both);
        let track = lanes::track(tracks);
        let states: Line<State> = track.timeline.iter().map(|it| (it.span, it.state)).collect();
        assert_eq!(states, slow, "lanes seed {seed}");
        for outage in track.outages.iter().map(down_of) {
            assert!(outage.start_lo <= outage.span.start().0, "lanes seed {seed}: {outage:?}");
            assert!(outage.span.start().0 <= outage.start_hi, "lanes seed {seed}: {outage:?}");
            assert!(outage.end_lo <= outage.span.end().0, "lanes seed {seed}: {outage:?}");
            assert!(outage.span.end().0 <= outage.end_hi, "lanes seed {seed}: {outage:?}");
        }
    }
}

/// B1 to B6 and B8 of the fast code's own down spans.
#[test]
fn the_fast_code_keeps_every_bound_of_the_truth() {
    let bound = |scenario: &Scenario| {
        let simulated = simulate(scenario);
        let all: Vec<_> = simulated.results.iter().flatten().cloned().collect();
        let track = course(&all, &fast::rule(scenario, &[]));
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
