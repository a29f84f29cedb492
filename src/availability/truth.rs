//! Ground truth: a simulated server whose outages are known, watched on the real schedule with
//! the real follow-up runs (`docs/measurement.md`, "Ground truth"): B1 to B8.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::confirm::Confirm;
use super::judge::{Reach, Rule, course};
use super::live::{Alarm, Follow, LiveCheck};
use super::sketch::{check, result, vantage};
use super::track::Track;
use super::track::quorum::Quorum;
use crate::model::check::{Check, IpChoice, Lane};
use crate::model::id::CheckId;
use crate::model::result::RunResult;
use crate::model::step::Step;
use crate::model::time::Millis;

const INTERVAL_MS: i64 = 30_000;
const TIMEOUT_MS: i64 = 10_000;
/// Latency of a good run, and of a refused one.
const GOOD_MS: i64 = 50;
const REFUSED_MS: i64 = 5;
/// Largest lateness of a run.
const LATE_MS: i64 = 20;
const CONFIRM_MS: i64 = 5_000;
const FAST_MS: i64 = 10_000;

/// Numbers that look random and are the same each time.
struct Lot(u64);

impl Lot {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        i64::try_from((self.0 >> 33) % limit.unsigned_abs()).unwrap()
    }
}

/// How the server fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fails {
    Refusing,
    Hanging,
}

impl Fails {
    /// Longest bad run.
    fn run_ms(self) -> i64 {
        if self == Self::Refusing { REFUSED_MS } else { TIMEOUT_MS }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    End { shows: char, started: i64 },
    Slot(i64),
    Follow { asked: u64 },
}

/// Everything a simulation says.
struct Told {
    results: Vec<RunResult>,
    /// When an alert opened, by the first vantage.
    opened: Vec<i64>,
    rule: Rule,
}

impl Told {
    fn track(&self) -> Track {
        course(&self.results, &self.rule)
    }
}

/// Watches until ten minutes after the last outage. Several vantages are staggered, and the first
/// bad result at one makes the others look at once.
fn watch(name: &str, outages: &[(i64, i64)], fails: Fails, vantages: usize, lot: &mut Lot) -> Told {
    let check = Check { id: CheckId::new(name).unwrap(), ..check(INTERVAL_MS, 3, IpChoice::Any) };
    let step = Step::of(&check.id, INTERVAL_MS);
    let until = outages.last().map_or(0, |it| it.1) + 600_000;
    let count = i64::try_from(vantages).unwrap();
    let due = |slot: i64, place: usize| {
        let rank = i64::try_from(place).unwrap();
        (step.phase_us + slot * step.step_us + rank * step.step_us / count) / 1_000
    };
    let down = |at: i64| outages.iter().any(|(from, to)| (*from..*to).contains(&at));
    let mut lives: Vec<LiveCheck> = (0..vantages).map(|_| LiveCheck::new(&check)).collect();
    let mut asked = vec![0_u64; vantages];
    let mut waiting = BinaryHeap::new();
    for place in 0..vantages {
        waiting.push(Reverse((due(0, place), place, Event::Slot(0))));
    }
    let mut told = Told { results: Vec::new(), opened: Vec::new(), rule: rule(&check, vantages) };
    while let Some(Reverse((at, place, event))) = waiting.pop() {
        if at > until {
            break;
        }
        match event {
            Event::End { shows, started } => {
                let length = u32::try_from(at - started).unwrap();
                let seen = result(started, shows, length).unwrap();
                let seen = RunResult { vantage: vantage(place), check: check.id.clone(), ..seen };
                let change = lives[place].note(&seen);
                told.results.push(seen);
                if place == 0 && change.alarm_before == Alarm::Quiet && change.opens() {
                    told.opened.push(at);
                }
                asked[place] += 1;
                if let Follow::Confirm { wait_ms } | Follow::Fast { wait_ms } = change.follow {
                    let event = Event::Follow { asked: asked[place] };
                    waiting.push(Reverse((at + wait_ms, place, event)));
                }
                if matches!(change.follow, Follow::Confirm { .. }) && vantages > 1 {
                    for other in (0..vantages).filter(|it| *it != place) {
                        let calm = lives[other].fault().is_none();
                        let event = Event::Follow { asked: asked[other] };
                        waiting.extend(calm.then_some(Reverse((at, other, event))));
                    }
                }
                continue;
            }
            Event::Slot(slot) => {
                waiting.push(Reverse((due(slot + 1, place), place, Event::Slot(slot + 1))));
            }
            Event::Follow { asked: it } if it != asked[place] => continue,
            Event::Follow { .. } => {}
        }
        let started = at + lot.below(LATE_MS);
        let (shows, length) = match (down(started), fails) {
            (false, _) => ('o', GOOD_MS),
            (true, Fails::Refusing) => ('x', REFUSED_MS),
            (true, Fails::Hanging) => ('h', TIMEOUT_MS),
        };
        waiting.push(Reverse((started + length, place, Event::End { shows, started })));
    }
    told
}

fn rule(check: &Check, vantages: usize) -> Rule {
    Rule {
        confirm: Confirm::new(check.confirm),
        reach: Reach::constant(Step::of(&check.id, INTERVAL_MS).reach_ms()),
        lanes: vec![Lane::Any],
        vantages: (0..vantages).map(|it| (vantage(it), 1)).collect(),
        quorum: Quorum::of(vantages),
    }
}

/// Outages of at least `shortest` and less than `longest`, twenty minutes or more apart.
fn script(count: usize, shortest: i64, longest: i64, lot: &mut Lot) -> Vec<(i64, i64)> {
    let mut at = 0;
    let mut one = || {
        at += 1_200_000 + lot.below(600_000);
        let from = at;
        at += shortest + lot.below(longest - shortest);
        (from, at)
    };
    (0..count).map(|_| one()).collect()
}

/// Mean and mean square of the errors in milliseconds.
fn errors(track: &Track, outages: &[(i64, i64)]) -> (f64, f64) {
    assert_eq!(track.outages.len(), outages.len());
    let pairs = track.outages.iter().zip(outages);
    let errors: Vec<f64> = pairs
        .map(|(seen, (from, to))| (seen.span().unwrap().length_ms() - (to - from)) as f64)
        .collect();
    let count = errors.len() as f64;
    (errors.iter().sum::<f64>() / count, errors.iter().map(|it| it * it).sum::<f64>() / count)
}

#[track_caller]
fn bounds_hold(name: &str, fails: Fails, count: usize, shortest: i64, longest: i64) {
    let lot = &mut Lot(7);
    let outages = script(count, shortest, longest, lot);
    let told = watch(name, &outages, fails, 1, lot);
    let track = told.track();
    let run = fails.run_ms();
    assert_eq!(told.opened.len(), outages.len());
    for ((seen, (from, to)), opened) in track.outages.iter().zip(&outages).zip(&told.opened) {
        // B2 and B4.
        assert!(seen.start.earliest.0 <= *from && *from <= seen.start.latest.0, "{seen:?} {from}");
        assert!(seen.end.earliest.0 <= *to && *to <= seen.end.latest.0, "{seen:?} {to}");
        assert!(seen.start.latest.0 - run - from <= INTERVAL_MS + LATE_MS);
        // B3, and the bound that is promised to those on call.
        let found = INTERVAL_MS + LATE_MS + 2 * (CONFIRM_MS + LATE_MS + run) + run;
        assert!(opened - from <= found, "{} > {found}", opened - from);
        assert!(opened - from <= if fails == Fails::Refusing { 41_000 } else { 71_000 });
        assert_eq!(seen.confirmed.0, *opened);
        // B6.
        let long = to - from >= 600_000;
        let slowest = if long { INTERVAL_MS } else { FAST_MS.max(CONFIRM_MS + run) };
        let off = (seen.span().unwrap().length_ms() - (to - from)).abs();
        assert!(off <= i64::midpoint(INTERVAL_MS, slowest) + run + GOOD_MS + LATE_MS, "{off}");
    }
    // B7, for one outage.
    let slowest = if longest > 600_000 { INTERVAL_MS } else { FAST_MS };
    let square = (INTERVAL_MS * INTERVAL_MS + slowest * slowest) as f64 / 12.0;
    let (mean, _) = errors(&track, &outages);
    let count = outages.len() as f64;
    assert!(mean.abs() <= 3.0 * (square / count).sqrt(), "{mean} ms off in the mean");
}

#[test]
fn outages_of_minutes_are_measured_within_the_bounds() {
    bounds_hold("refusing", Fails::Refusing, 60, 75_000, 500_000);
    bounds_hold("hanging", Fails::Hanging, 60, 110_000, 500_000);
}

#[test]
fn outages_of_hours_are_measured_within_the_bounds() {
    bounds_hold("refusing-long", Fails::Refusing, 20, 700_000, 9_000_000);
    bounds_hold("hanging-long", Fails::Hanging, 20, 700_000, 9_000_000);
}

/// B1, and what is said of short outages: never more than a blip, never nothing if as long as a
/// step.
#[test]
fn short_outages_become_blips_or_are_missed() {
    let lot = &mut Lot(11);
    let outages = script(100, 30_100, 31_000, lot);
    let track = watch("short", &outages, Fails::Refusing, 1, lot).track();
    assert_eq!(track.outages.len() + track.blips.len(), outages.len());
    let outages = script(100, 4_000, 5_000, lot);
    let track = watch("shorter", &outages, Fails::Refusing, 1, lot).track();
    assert_eq!(track.outages.len(), 0);
    assert!((3..40).contains(&track.blips.len()));
}

/// B8: three vantages see sooner, and the intersection rule keeps the lengths unbiased.
#[test]
fn three_vantages_measure_without_bias() {
    for (name, fails, page) in
        [("three", Fails::Refusing, 12_000), ("three-hang", Fails::Hanging, 31_000)]
    {
        let lot = &mut Lot(13);
        let outages = script(100, 60_000, 500_000, lot);
        let told = watch(name, &outages, fails, 3, lot);
        let track = told.track();
        let (mean, square) = errors(&track, &outages);
        // With 400 outages the mean was off by 9 ms and 30 ms; fewer run here, to be quick.
        let bound = 3.0 * (square / outages.len() as f64).sqrt();
        assert!(mean.abs() <= bound, "{name}: {mean} ms off in the mean");
        // A month of 20 outages: near 16 s.
        assert!((20.0 * square).sqrt() < 20_000.0, "{name}: {} ms a month", (20.0 * square).sqrt());
        for (seen, (from, to)) in track.outages.iter().zip(&outages) {
            assert!(seen.confirmed.0 - from <= page, "{name}: {}", seen.confirmed.0 - from);
            assert!(seen.start.earliest.0 <= *from && *from <= seen.start.latest.0);
            assert!(seen.end.earliest.0 <= *to && *to <= seen.end.latest.0);
        }
    }
}

/// A service that fails for 5 s of each minute is not taken for a healthy or a dead one, though
/// the schedule is nearly in step with it. A run that confirms takes half of the time from the
/// bad result before it, so faults shorter than the interval are understated: here at 4.9 %
/// instead of 8.3 %.
#[test]
fn a_fault_in_step_with_the_schedule_is_seen_in_the_reachability() {
    let outages: Vec<(i64, i64)> = (0..720).map(|it| (it * 60_000, it * 60_000 + 5_000)).collect();
    let track = watch("in-step", &outages, Fails::Refusing, 1, &mut Lot(17)).track();
    let share = track.views[0].bad().length_ms() as f64 / (720.0 * 60_000.0);
    assert!((0.045..0.053).contains(&share), "{share}");
}

/// After a start, what is known begins with the first result.
#[test]
fn before_the_first_result_nothing_is_known() {
    let told = watch("start", &[], Fails::Refusing, 1, &mut Lot(1));
    let first = told.results.iter().map(|it| it.started).min().unwrap();
    let known = told.track().known();
    assert_eq!(known.spans()[0].start(), first.plus_ms(-told.rule.reach.at(Millis(0))));
    assert_eq!(known.spans().len(), 1);
}
