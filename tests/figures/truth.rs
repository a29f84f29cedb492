//! What must hold between a measurement and the truth (`docs/measurement.md`, section 9).
//!
//! For outages that are far apart, without losses or absences. Attribution: a bad result belongs
//! to the outage [s, e) if it started in [s − w, e).
//!
//! Two conditions that the section does not write down: T + ε must not exceed I_c (else a hung
//! grid run and a confirm run fill both places in flight, slots become overruns, and an outage
//! has unknown time in it), and runs of one vantage must not start closer together than w (else
//! they can see an edge in either order, and one outage is measured as two).

use thongsuot::model::result::RunResult;
use thongsuot::model::span::Span;

use crate::reference::{Down, Heard, check, end, span, start};
use crate::simulate::{Scenario, Simulated, simulate};

/// The lengths that the bounds are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lengths {
    /// I over the number of vantages.
    pub(crate) interval: i64,
    pub(crate) late: i64,
    pub(crate) timeout: i64,
    pub(crate) confirm_after: i64,
    /// Longest latency of a good probe (w).
    pub(crate) good: i64,
    pub(crate) k: i64,
    pub(crate) fast: i64,
    /// From the first bad result to the start of the runs elsewhere; 0 with one vantage.
    pub(crate) fan_out: i64,
}

impl Lengths {
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let several = scenario.vantages > 1;
        Self {
            interval: scenario.interval_ms / scenario.vantages as i64,
            late: scenario.late_ms,
            timeout: scenario.timeout_ms,
            confirm_after: scenario.confirm_after_ms(),
            good: scenario.latency_ms.1,
            k: scenario.confirm as i64,
            fast: scenario.fast_ms(),
            fan_out: if several { scenario.timeout_ms + 1 } else { 0 },
        }
    }

    /// B3: from the true start to the end of the K-th bad run.
    fn decided(self) -> i64 {
        let between = (self.k - 1) * (self.confirm_after + self.timeout);
        self.interval + self.late + between + self.timeout
    }

    /// B6: most that a measured length can be wrong. Past ten minutes of fast runs, the step
    /// while down is the interval again.
    fn error(self, truth: Span) -> i64 {
        let long = truth.length_ms() > 600_000;
        let step = if long { self.fast.max(self.interval) } else { self.fast };
        let down = step.max(self.confirm_after + self.timeout);
        i64::midpoint(self.interval, down) + self.timeout + self.good + self.late
    }
}

/// The results of one vantage around one outage.
struct Around {
    last_good: Option<i64>,
    first_bad: i64,
    last_bad: i64,
    /// Start and end of the first good one after it.
    first_good: Option<(i64, i64)>,
    /// Ends of its bad runs, in order of their starts.
    bad_ends: Vec<i64>,
}

fn around(results: &[RunResult], truth: Span, it: Lengths) -> Option<Around> {
    let mut sorted: Vec<&RunResult> = results.iter().collect();
    sorted.sort_by_key(|it| it.started);
    let bad = |r: &&&RunResult| r.testimony() == Some(thongsuot::model::outcome::Testimony::Bad);
    let good = |r: &&&RunResult| r.testimony() == Some(thongsuot::model::outcome::Testimony::Good);
    let near = start(truth) - it.good..end(truth);
    let bads: Vec<_> = sorted.iter().filter(bad).filter(|r| near.contains(&r.started.0)).collect();
    let (first_bad, last_bad) = (bads.first()?.started.0, bads.last()?.started.0);
    let mut before = sorted.iter().filter(good).filter(|r| r.started.0 < first_bad);
    let mut after = sorted.iter().filter(good).filter(|r| r.started.0 > last_bad);
    Some(Around {
        last_good: before.next_back().map(|r| r.started.0),
        first_bad,
        last_bad,
        first_good: after.next().map(|r| (r.started.0, r.ended().0)),
        bad_ends: bads.iter().map(|r| r.ended().0).collect(),
    })
}

/// B1 to B6 for one vantage; B1, B2, B6 with I/V and B4, B5 at each vantage for several (B8).
pub(crate) fn judge(
    scenario: &Scenario,
    simulated: &Simulated,
    measured: &[Down],
) -> Result<(), String> {
    for truth in &simulated.truth {
        let wrong = runs_are_wrong(scenario, simulated, *truth);
        if let Some(what) = wrong.or_else(|| measure_is_wrong(scenario, measured, *truth)) {
            return Err(format!("seed {}: {what}: {truth:?}", scenario.seed));
        }
    }
    let real = |down: &&Down| simulated.truth.iter().any(|it| meets(scenario, down, *it));
    match measured.iter().find(|down| !real(down)) {
        Some(down) => Err(format!("seed {}: never was: {down:?}", scenario.seed)),
        None => Ok(()),
    }
}

/// B1 to B5: what the runs saw of one outage.
fn runs_are_wrong(scenario: &Scenario, simulated: &Simulated, truth: Span) -> Option<&'static str> {
    let it = Lengths::of(scenario);
    let all: Vec<RunResult> = simulated.results.iter().flatten().cloned().collect();
    let seen = around(&all, truth, it);
    let length = truth.length_ms();
    if length >= it.interval + it.late + it.fan_out && seen.is_none() {
        return Some("B1");
    }
    let latest = start(truth) + it.interval + it.late;
    if seen.as_ref().is_some_and(|seen| seen.first_bad > latest) {
        return Some("B2");
    }
    if scenario.vantages == 1 && length >= it.decided() {
        let ends = seen.map(|seen| seen.bad_ends).unwrap_or_default();
        let k_th = ends.get(scenario.confirm - 1);
        if k_th.is_none_or(|ended| *ended > start(truth) + it.decided()) {
            return Some("B3");
        }
    }
    let held = simulated.results.iter().all(|results| brackets(results, truth, it));
    (!held).then_some("B4 or B5")
}

/// B6, and that the hard bracket holds the truth.
fn measure_is_wrong(scenario: &Scenario, measured: &[Down], truth: Span) -> Option<&'static str> {
    let it = Lengths::of(scenario);
    let length = truth.length_ms();
    let found: Vec<_> = measured.iter().filter(|down| meets(scenario, down, truth)).collect();
    match found[..] {
        [] => (length >= it.decided()).then_some("not measured"),
        [down] if (down.span.length_ms() - length).abs() > it.error(truth) => Some("B6"),
        [down] => (!inside(down, truth)).then_some("outside of its bracket"),
        _ => Some("measured twice"),
    }
}

/// Whether a measured span is of this outage: isolated ones are many intervals apart.
fn meets(scenario: &Scenario, down: &Down, truth: Span) -> bool {
    start(down.span) < end(truth) + scenario.interval_ms
        && end(down.span) > start(truth) - scenario.interval_ms
}

fn brackets(results: &[RunResult], truth: Span, it: Lengths) -> bool {
    let Some(seen) = around(results, truth, it) else { return true };
    let (from, to) = (start(truth), end(truth));
    let (Some(good), Some((_, good_end))) = (seen.last_good, seen.first_good) else {
        return false;
    };
    let b4 = good <= from && from <= seen.first_bad + it.good;
    let b4 = b4 && seen.last_bad <= to && to <= good_end;
    let least = (seen.last_bad - seen.first_bad - it.good).max(0);
    b4 && least <= to - from && to - from <= good_end - good
}

/// The hard bracket holds the truth.
fn inside(down: &Down, truth: Span) -> bool {
    (down.start_lo..=down.start_hi).contains(&start(truth))
        && (down.end_lo..=down.end_hi).contains(&end(truth))
}

/// Plays, measures and judges a scenario; the sum of (measured − true) in milliseconds.
fn error_of(scenario: &Scenario) -> i64 {
    let simulated = simulate(scenario);
    let (reach, rules) = (scenario.reach(), scenario.rules());
    let heard: Vec<Heard> = simulated.results.iter().map(|it| Heard::of(it, &reach)).collect();
    let story = check(&heard, rules);
    if let Err(why) = judge(scenario, &simulated, &story.downs) {
        panic!("{why}\n{scenario:?}");
    }
    let measured: i64 = story.downs.iter().map(|it| it.span.length_ms()).sum();
    measured - simulated.truth.iter().map(|it| it.length_ms()).sum::<i64>()
}

/// A judge that lets everything pass is none.
#[test]
fn a_wrong_measurement_is_found() {
    let scenario = Scenario::isolated(1, 1, 3, (120_000, 200_000));
    let simulated = simulate(&scenario);
    let heard = Heard::of(&simulated.results[0], &scenario.reach());
    let right = check(&[heard], scenario.rules()).downs;
    assert_eq!(judge(&scenario, &simulated, &right), Ok(()));
    let wrong = |what: &str, change: fn(&mut Vec<Down>)| {
        let mut downs = right.clone();
        change(&mut downs);
        let told = judge(&scenario, &simulated, &downs).unwrap_err();
        assert!(told.contains(what), "{told}");
    };
    wrong("not measured", |it| {
        it.remove(1);
    });
    wrong("measured twice", |it| it.insert(1, it[1]));
    wrong("B6", |it| it[0].span = span(start(it[0].span) - 40_000, end(it[0].span)).unwrap());
    wrong("outside", |it| it[2].start_hi = it[2].start_lo);
    wrong("never was", |it| {
        let far = span(end(it[2].span) + 100_000, end(it[2].span) + 200_000).unwrap();
        it.push(Down { span: far, ..it[2] });
    });
    let mut blind = simulated.clone();
    let truth = simulated.truth[0];
    blind.results[0].retain(|it| !truth.contains(it.started));
    assert!(judge(&scenario, &blind, &right).unwrap_err().contains("B1"));
    let late = |it: &RunResult| it.started > truth.start().plus_ms(40_000);
    blind = simulated.clone();
    blind.results[0].retain(|it| !truth.contains(it.started) || late(it));
    assert!(judge(&scenario, &blind, &right).unwrap_err().contains("B2"));
}

#[test]
fn every_bound_holds_for_outages_of_any_length_and_kind() {
    for seed in 0..150 {
        for vantages in 1..=3 {
            error_of(&Scenario::isolated(seed, vantages, 6, (1, 400_000)));
        }
    }
}

#[test]
fn every_bound_holds_for_other_schedules() {
    for seed in 0..100 {
        for vantages in 1..=3 {
            let varied = Scenario::varied(seed, vantages);
            let most = varied.interval_ms * 8;
            error_of(&varied.with_isolated(4, (1, most)));
        }
    }
}

#[test]
fn every_bound_holds_for_outages_longer_than_the_fast_runs() {
    for seed in 0..20 {
        for vantages in 1..=3 {
            error_of(&Scenario::isolated(seed, vantages, 2, (600_000, 1_500_000)));
        }
    }
}

/// B7 and B8: no bias, and the spread of a month with 20 outages.
#[test]
fn errors_cancel_out_over_many_months() {
    const MONTHS: i64 = 100;
    const OUTAGES: usize = 20;
    for (vantages, least, most) in [(1, 20_000, 55_000), (3, 8_000, 24_000)] {
        let errors: Vec<i64> = (0..MONTHS)
            .map(|month| {
                let seed = 7_000 + month as u64;
                error_of(&Scenario::isolated(seed, vantages, OUTAGES, (120_000, 500_000)))
            })
            .collect();
        let sum: i64 = errors.iter().sum();
        let squares: i64 = errors.iter().map(|it| it * it).sum();
        let interval = 30_000 / vantages as i64;
        let variance = OUTAGES as i64 * (interval * interval + 10_000 * 10_000) / 12;
        // |sum / n| <= 3 SD / sqrt(n), squared, to stay in integers.
        println!("{vantages}: mean {} ms, RMSE {} ms", sum / MONTHS, (squares / MONTHS).isqrt());
        assert!(sum * sum <= 9 * variance * MONTHS, "{vantages}: biased by {} ms", sum / MONTHS);
        let rmse = (squares / MONTHS).isqrt();
        assert!((least..=most).contains(&rmse), "{vantages}: RMSE {rmse} ms");
    }
}

/// Section 9: one vantage pages within 41 s of a server that refuses and 71 s of one that hangs;
/// three with quorum within 12 s and 31 s.
#[test]
fn pages_come_within_the_promised_time() {
    use crate::simulate::Mode;
    for seed in 0..100 {
        for (vantages, mode, within) in [
            (1, Mode::Refused, 41_000),
            (1, Mode::Hung, 71_000),
            (3, Mode::Refused, 12_000),
            (3, Mode::Hung, 31_000),
        ] {
            let mut scenario = Scenario::isolated(seed, vantages, 3, (120_000, 200_000));
            scenario.faults.iter_mut().for_each(|it| it.mode = mode);
            let it = Lengths::of(&scenario);
            let simulated = simulate(&scenario);
            for truth in &simulated.truth {
                let of_one = |results: &Vec<RunResult>| {
                    around(results, *truth, it).map_or(Vec::new(), |seen| seen.bad_ends)
                };
                let ends: Vec<Vec<i64>> = simulated.results.iter().map(of_one).collect();
                let paged = if vantages == 1 {
                    ends[0][2]
                } else {
                    let mut firsts: Vec<i64> =
                        ends.iter().filter_map(|it| it.first().copied()).collect();
                    firsts.sort_unstable();
                    firsts[1]
                };
                let took = paged - start(*truth);
                assert!(took <= within, "seed {seed}, {vantages}, {mode:?}: {took} ms");
            }
        }
    }
}
