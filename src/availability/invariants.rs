//! What must hold whatever the results (`docs/measurement.md`, "Invariants"): P1 to P11. P12
//! belongs to the schedule, and P13 stands beside the live state.

use proptest::prelude::*;

use super::combine;
use super::confirm::Confirm;
use super::figures::{Figures, Terms};
use super::incident::{incidents, summary};
use super::judge::{Reach, Rule, course, judge_system};
use super::live::LiveCheck;
use super::sample::Sample;
use super::segment::Segment;
use super::sketch::{Run, arrived, check, fleet_results, fleets, histories, vantage};
use super::span_set::SpanSet;
use super::timeline::samples;
use super::track::quorum::Quorum;
use super::track::sweep::merge;
use super::track::system::{self, Part};
use super::track::{Outage, STRAIN_WHOLE, Track, Vantage, alone};
use crate::model::check::{IpChoice, Lane};
use crate::model::outcome::Testimony;
use crate::model::reason::Reason;
use crate::model::result::RunResult;
use crate::model::span::Span;
use crate::model::state::State;
use crate::model::step::Step;
use crate::model::time::Millis;

const REACH_MS: i64 = 17_277;
const INTERVAL_MS: i64 = 30_000;

fn rule(vantages: usize, confirm: u8) -> Rule {
    Rule {
        confirm: Confirm::new(confirm),
        reach: Reach::constant(REACH_MS),
        lanes: vec![Lane::Any],
        vantages: (0..vantages).map(|it| (vantage(it), 1)).collect(),
        quorum: Quorum::of(vantages),
    }
}

/// The course of one vantage alone, and what it is made of.
fn alone_track(results: &[RunResult], confirm: u8) -> Track {
    let samples = samples(results, |_| REACH_MS);
    alone::track(&Vantage { id: vantage(0), samples, weight: 1 }, Confirm::new(confirm))
}

fn span(from: i64, to: i64) -> Span {
    Span::new(Millis(from), Millis(to)).unwrap()
}

fn whole() -> Span {
    span(-1_000_000_000_000, 1_000_000_000_000)
}

fn figures(track: &Track, period: Span, maintenance: &SpanSet) -> Figures {
    Figures::of(track, &Terms { period, service: None, maintenance, watched: None })
}

/// Any course: one to four vantages, with the results that made it.
fn courses() -> impl Strategy<Value = (Vec<Vec<Run>>, u8)> {
    let one = histories(8).prop_map(|it| vec![it]);
    (prop_oneof![2 => one.boxed(), 3 => (2..5_usize).prop_flat_map(fleets).boxed()], 1_u8..5)
}

fn results_of(fleet: &[Vec<Run>]) -> Vec<RunResult> {
    fleet_results(fleet)
}

fn spans(max: i64) -> impl Strategy<Value = SpanSet> {
    let one = (-100_000..max, 1..max / 4).prop_map(|(from, long)| span(from, from + long));
    prop::collection::vec(one, 0..4).prop_map(|it| it.into_iter().collect())
}

fn is_subset(small: &SpanSet, large: &SpanSet) -> bool {
    small.minus(large).is_empty()
}

proptest! {
    /// P1 and P2: the figures of two periods side by side are the sums, and the parts of a
    /// period make the period.
    #[test]
    fn periods_add_up_and_are_divided_exactly(
        (fleet, confirm) in courses(),
        cuts in prop::array::uniform3(-100_000..4_000_000_i64),
        maintenance in spans(4_000_000),
        service in spans(4_000_000),
    ) {
        let track = course(&results_of(&fleet), &rule(fleet.len(), confirm));
        let [a, b, c] = { let mut cuts = cuts; cuts.sort_unstable(); cuts };
        prop_assume!(a < b && b < c);
        let of = |period| Figures::of(&track, &Terms {
            period, service: Some(&service), maintenance: &maintenance, watched: None,
        }).times;
        prop_assert_eq!(of(span(a, c)), of(span(a, b)).plus(of(span(b, c))));
        let times = of(span(a, c));
        prop_assert_eq!(times.judged_ms() + times.excluded_ms, c - a);
        let parts = [times.up_ms, times.slow_ms, times.partial_ms, times.down_ms, times.unknown_ms,
            times.excluded_ms, times.view_good_ms, times.view_known_ms];
        prop_assert!(parts.iter().all(|it| *it >= 0), "{:?}", times);
    }

    /// P3 and P5: order and repetition of results make no difference, so neither does lateness.
    #[test]
    fn order_and_repetition_make_no_difference(
        (fleet, confirm) in courses(), seed in any::<u64>(), again in 0..40_usize,
    ) {
        let results = results_of(&fleet);
        let rule = rule(fleet.len(), confirm);
        let mut mixed: Vec<RunResult> = results.clone();
        mixed.extend(results.iter().take(again).cloned());
        // A shuffle that the seed decides.
        let key = |place: usize| (place as u64 + 1).wrapping_mul(seed | 1).rotate_left(17) ^ seed;
        let mut places: Vec<usize> = (0..mixed.len()).collect();
        places.sort_by_key(|it| key(*it));
        let mixed: Vec<RunResult> = places.into_iter().map(|it| mixed[it].clone()).collect();
        prop_assert_eq!(course(&mixed, &rule), course(&results, &rule));
    }

    /// P4 and P6: the measured down time lies in its hard bracket, and the availability in its
    /// hard range.
    #[test]
    fn figures_lie_in_their_brackets(
        (fleet, confirm) in courses(), period in (-100_000..3_000_000_i64, 1..3_000_000_i64),
        maintenance in spans(4_000_000),
    ) {
        let track = course(&results_of(&fleet), &rule(fleet.len(), confirm));
        let down = track.when(State::Down);
        prop_assert!(is_subset(&track.shortest.intersect(&track.known()), &down));
        prop_assert!(is_subset(&down, &track.longest));
        for outage in &track.outages {
            for edge in [outage.start, outage.end] {
                prop_assert!(edge.earliest <= edge.at && edge.at <= edge.latest, "{:?}", outage);
            }
        }
        let united: SpanSet = track.outages.iter().filter_map(Outage::span).collect();
        prop_assert_eq!(united.spans().len(), track.outages.len());
        prop_assert_eq!(united, down);
        let figures = figures(&track, span(period.0, period.0 + period.1), &maintenance);
        let times = figures.times;
        prop_assert!(times.down_shortest_ms <= times.down_ms, "{:?}", times);
        prop_assert!(times.down_ms <= times.down_longest_ms, "{:?}", times);
        prop_assert!(times.down_longest_ms <= times.known_ms(), "{:?}", times);
        if let (Some(exact), Some((least, most))) = (figures.availability(), figures.hard_range()) {
            prop_assert!(least <= exact && exact <= most);
        }
        for pair in figures.worst.windows(2) {
            if let [Some(small), Some(large)] = pair {
                prop_assert!(small <= large, "a larger window can't be worse");
            }
        }
        let judged = Terms { period: figures.period, service: None, maintenance: &maintenance, watched: None }.judged();
        let incidents = incidents(&track);
        let summary = summary(&incidents, &judged, times.known_ms() - times.down_ms);
        let total: i64 = incidents.iter().map(|it| it.down().intersect(&judged).length_ms()).sum();
        prop_assert_eq!(total, times.down_ms);
        prop_assert_eq!(summary.mean_down_ms, (summary.count > 0).then(|| total / summary.count.max(1)));
    }

    /// P4: with one vantage a result that turns bad never lowers the down time, and one that
    /// says nothing changes nothing.
    #[test]
    fn a_worse_result_never_looks_better(runs in histories(8), confirm in 1_u8..5, place in 0..80_usize) {
        let results: Vec<RunResult> = arrived(&runs);
        if results.is_empty() {
            return Ok(());
        }
        let place = place % results.len();
        let down = |results: &[RunResult]| alone_track(results, confirm);
        let before = down(&results);
        let mut worse = results.clone();
        if worse[place].testimony() == Some(Testimony::Good) {
            worse[place].reason = Reason::HttpStatus;
        }
        let after = down(&worse);
        prop_assert!(is_subset(&before.when(State::Down), &after.when(State::Down)));
        let mut silent = results.clone();
        let mut void = results[place].clone();
        void.reason = Reason::SelfNet;
        void.started = void.started.plus_ms(777);
        silent.push(void);
        prop_assert_eq!(down(&silent), before);
    }

    /// P7.
    #[test]
    fn extremes_are_extreme(fleet in (1..5_usize).prop_flat_map(fleets), confirm in 1_u8..5) {
        let results = results_of(&fleet);
        let rule = rule(fleet.len(), confirm);
        let all = |reason: Reason| {
            let results: Vec<RunResult> =
                results.iter().map(|it| RunResult { reason, ..it.clone() }).collect();
            figures(&course(&results, &rule), whole(), &SpanSet::EMPTY).times
        };
        let good = all(Reason::None);
        prop_assert_eq!((good.down_ms, good.partial_ms, good.down_longest_ms), (0, 0, 0));
        let bad = all(Reason::HttpStatus);
        if fleet.len() > 1 || results.len() >= usize::from(confirm) {
            prop_assert_eq!((bad.up_ms, bad.slow_ms), (0, 0));
        }
        let none = all(Reason::SelfNet);
        prop_assert_eq!(none.unknown_ms, whole().length_ms());
    }

    /// P8: a gap between results is not filled with more than what both reach.
    #[test]
    fn gaps_are_unknown(runs in histories(8)) {
        let results: Vec<RunResult> =
            arrived(&runs).into_iter().filter(|it| it.reason != Reason::Backoff).collect();
        let samples = samples(&results, |_| REACH_MS);
        let track = alone_track(&results, 3);
        for pair in samples.windows(2) {
            let gap = span(pair[0].at.0, pair[1].at.0);
            let unknown = gap.length_ms() - track.known().length_within_ms(gap);
            prop_assert!(unknown >= gap.length_ms() - INTERVAL_MS * 12 / 10);
            prop_assert_eq!(unknown, (gap.length_ms() - 2 * REACH_MS).max(0));
        }
    }

    /// P9: shifting time shifts everything.
    #[test]
    fn shifting_time_shifts_everything((fleet, confirm) in courses(), shift in -1_000_000_000..1_000_000_000_i64) {
        let results = results_of(&fleet);
        let rule = rule(fleet.len(), confirm);
        let later: Vec<RunResult> = results.iter().map(|it| RunResult {
            started: it.started.plus_ms(shift), ..it.clone()
        }).collect();
        let (track, moved) = (course(&results, &rule), course(&later, &rule));
        let shifted = |it: Span| span(it.start().0 + shift, it.end().0 + shift);
        prop_assert_eq!(track.timeline.len(), moved.timeline.len());
        for (before, after) in track.timeline.iter().zip(&moved.timeline) {
            prop_assert_eq!((shifted(before.span), before.state), (after.span, after.state));
        }
        for (before, after) in track.outages.iter().zip(&moved.outages) {
            for (b, a) in [(before.start, after.start), (before.end, after.end)] {
                let all = [b.at, b.earliest, b.latest].map(|it| it.plus_ms(shift));
                prop_assert_eq!(all, [a.at, a.earliest, a.latest]);
            }
        }
    }

    /// P10.
    #[test]
    fn maintenance_never_raises_what_is_down_or_unknown(
        (fleet, confirm) in courses(), some in spans(4_000_000), more in spans(4_000_000),
    ) {
        let track = course(&results_of(&fleet), &rule(fleet.len(), confirm));
        let of = |maintenance: &SpanSet| figures(&track, span(0, 3_000_000), maintenance).times;
        let (before, after) = (of(&some), of(&some.union(&more)));
        prop_assert!(after.down_ms <= before.down_ms && after.unknown_ms <= before.unknown_ms);
        prop_assert!(after.excluded_ms >= before.excluded_ms);
    }

    /// P11: what is counted as down is monotone in the quorum, and the order of vantages makes no
    /// difference.
    #[test]
    fn more_needed_is_less_down(fleet in (2..5_usize).prop_flat_map(fleets), turn in 0..4_usize) {
        let results = results_of(&fleet);
        let mut rule = rule(fleet.len(), 3);
        let track = course(&results, &rule);
        let turns = turn % fleet.len();
        rule.vantages.rotate_left(turns);
        let turned = course(&results, &rule);
        prop_assert_eq!(&turned.timeline, &track.timeline);
        prop_assert_eq!(&turned.outages, &track.outages);
        let known = rule.quorum.known;
        let raws: Vec<&[Segment]> = track.views.iter().map(|it| it.raw.as_slice()).collect();
        let mut before: Option<(SpanSet, SpanSet)> = None;
        for bad in 1..=fleet.len() {
            rule.quorum = Quorum { bad, known };
            let counted = merge(&raws, |states| rule.quorum.state(states));
            let counted: SpanSet = counted.iter()
                .filter(|it| it.state == State::Down).map(|it| it.span).collect();
            let track = course(&results, &rule);
            if let Some((counted_before, longest_before)) = before {
                prop_assert!(is_subset(&counted, &counted_before), "Q = {}", bad);
                // The shared-cause edge can move a start or an end a little, as with P4, but
                // not out of its bracket.
                let down = track.when(State::Down);
                prop_assert!(is_subset(&down, &longest_before), "Q = {}", bad);
            }
            before = Some((counted, track.longest));
        }
    }

    /// The raw state is the nearest result's, by the definition, at any instant.
    #[test]
    fn the_nearest_result_decides(
        runs in histories(6), place in 0..60_usize, near in -2..3_i64, edge in 0..4_usize,
    ) {
        let results: Vec<RunResult> =
            arrived(&runs).into_iter().filter(|it| it.reason != Reason::Backoff).collect();
        let samples = samples(&results, |_| REACH_MS);
        let raw = alone::raw(&samples);
        if samples.is_empty() {
            return Ok(());
        }
        // Instants around every place where something can change.
        let here = samples[place % samples.len()].at.0;
        let next = samples[(place + 1) % samples.len()].at.0;
        let edges = [here, here - REACH_MS, here + REACH_MS, i64::midpoint(here, next)];
        let at = edges[edge] + near;
        // The change is half-way, cut down: of two as near, or nearly, the later one.
        let far = |it: &Sample| (it.at.0 - at).abs() - i64::from(it.at.0 > at);
        let nearest = samples.iter().rev().min_by_key(|it| far(it));
        let spoken = |it: &&Sample| {
            it.at.0 - REACH_MS <= at && at < it.at.0 + REACH_MS
        };
        let expected = match nearest.filter(spoken) {
            None => State::Unknown,
            Some(it) if it.is_bad() => State::Down,
            Some(it) if it.reason == Reason::OverSlow => State::Slow,
            Some(_) => State::Up,
        };
        prop_assert_eq!(super::track::sweep::state_at(&raw, Millis(at)), expected);
    }
}

/// Two to four checks of a system, each with lanes or vantages of its own.
fn systems() -> impl Strategy<Value = Vec<(Vec<Vec<Run>>, bool, bool, i64)>> {
    let fleet = (1..4_usize).prop_flat_map(fleets);
    let check = (fleet, any::<bool>(), any::<bool>(), -200_000..1_000_000_i64);
    prop::collection::vec(check, 2..5)
}

/// The course of a fleet, or of two lanes that alternate in it.
fn lane_course(fleet: &[Vec<Run>], two_lanes: bool) -> Track {
    let mut rule = rule(fleet.len(), 3);
    let mut results = results_of(fleet);
    if two_lanes {
        rule.lanes = vec![Lane::V4, Lane::V6];
        for (place, result) in results.iter_mut().enumerate() {
            result.lane = if place % 3 == 0 { Lane::V4 } else { Lane::V6 };
        }
    }
    course(&results, &rule)
}

proptest! {
    /// What holds of a check holds of its lanes and of a system, and a system's state at any
    /// instant is made of those of its checks by the table.
    #[test]
    fn systems_lie_in_their_brackets(checks in systems(), at in -100_000..3_000_000_i64, cut in 1..3_000_000_i64) {
        let parts: Vec<Part> = checks.iter().map(|(fleet, lanes, critical, from)| Part {
            track: lane_course(fleet, *lanes),
            critical: *critical,
            watched: span(*from, 2_500_000).into(),
        }).collect();
        let Some(track) = system::track(&parts) else {
            prop_assert!(parts.iter().all(|it| !it.critical));
            return Ok(());
        };
        let there = parts.iter().filter(|it| it.watched.contains(Millis(at)));
        let states = there.map(|it| (it.critical, it.track.state(Millis(at))));
        prop_assert_eq!(track.state(Millis(at)), combine::system(states).unwrap_or(State::Unknown));
        let maintenance = SpanSet::EMPTY;
        let terms = |period| Terms {
            period, service: None, maintenance: &maintenance, watched: None,
        };
        let of = |period| judge_system(&parts, &terms(period)).unwrap();
        for tracks in [std::slice::from_ref(&track), &parts.iter().map(|it| it.track.clone()).collect::<Vec<_>>()] {
            for track in tracks {
                let down = track.when(State::Down);
                let united: SpanSet = track.outages.iter().filter_map(Outage::span).collect();
                prop_assert_eq!(united.spans().len(), track.outages.len());
                prop_assert_eq!(&united, &down);
                prop_assert!(is_subset(&track.shortest.intersect(&track.known()), &down));
                prop_assert!(is_subset(&down, &track.longest));
                for outage in &track.outages {
                    for edge in [outage.start, outage.end] {
                        prop_assert!(edge.earliest <= edge.at && edge.at <= edge.latest);
                    }
                }
                prop_assert!(track.strain.windows(2).all(|it| it[0].span.end() <= it[1].span.start()));
                prop_assert!(track.strain.iter().all(|it| (1..=STRAIN_WHOLE).contains(&it.share)));
            }
        }
        let figures = of(span(-300_000, 3_000_000));
        let (left, right) = (of(span(-300_000, cut)), of(span(cut, 3_000_000)));
        prop_assert_eq!(figures.times, left.times.plus(right.times));
        let times = figures.times;
        prop_assert_eq!(times.judged_ms(), system::watched(&parts).length_ms());
        prop_assert!(times.down_shortest_ms <= times.down_ms && times.down_ms <= times.down_longest_ms);
        prop_assert!(times.down_longest_ms <= times.known_ms());
    }

    /// Live and batch agree on a check of two lanes.
    #[test]
    fn two_lanes_live_say_what_batch_says(runs in histories(6), turn in 2..5_usize) {
        let mut rule = rule(1, 3);
        let check = check(INTERVAL_MS, 3, IpChoice::Both);
        rule.reach = Reach::constant(Step::of(&check.id, INTERVAL_MS).reach_ms());
        rule.lanes = vec![Lane::V4, Lane::V6];
        let mut live = LiveCheck::new(&check);
        let mut told: Vec<RunResult> = Vec::new();
        let all = arrived(&runs);
        for (place, result) in all.iter().enumerate() {
            let lane = if place % turn == 0 { Lane::V4 } else { Lane::V6 };
            let result = RunResult { lane, vantage: vantage(0), ..result.clone() };
            let change = live.note(&result);
            told.push(result);
            prop_assert!(!change.late);
            let now = told.iter().map(|it| it.started).max().unwrap();
            let track = course(&told, &rule);
            prop_assert_eq!(live.state(now), track.state(now));
            let here = track.timeline.iter().find(|it| it.span.contains(now));
            if let Some(here) = here {
                prop_assert_eq!(live.since(now), Some(here.span.start()));
            }
        }
    }
}
