//! The figures of a drawn day, worked out by hand.

use super::*;
use crate::availability::confirm::Confirm;
use crate::availability::figures::rollup::Rollup;
use crate::availability::figures::verdict::COVERAGE_PPM_DEFAULT;
use crate::availability::incident::{incidents, summary};
use crate::availability::sketch::{results, vantage};
use crate::availability::timeline::samples;
use crate::availability::track::{Vantage, alone};
use crate::model::system::Objective;
use crate::model::time::Millis;

/// A result every 10 s, which speaks for 6 s around it.
fn track(sketch: &str) -> Track {
    let samples = samples(&results(sketch, 10_000), |_| 6_000);
    alone::track(&Vantage { id: vantage(0), samples, weight: 1 }, Confirm::new(3))
}

fn seconds(from: i64, to: i64) -> Span {
    Span::new(Millis(from * 1_000), Millis(to * 1_000)).unwrap()
}

fn figures(sketch: &str, to: i64, maintenance: &[(i64, i64)]) -> Figures {
    let maintenance = maintenance.iter().map(|it| seconds(it.0, it.1)).collect();
    let period = seconds(0, to);
    Figures::of(
        &track(sketch),
        &Terms { period, service: None, maintenance: &maintenance, watched: None },
    )
}

#[test]
fn a_period_is_divided_to_the_millisecond() {
    // A blip from 5 s to 15 s, slow from 135 s, down from 145 s to 175 s, silence from 186 s to
    // 204 s.
    let got = figures("oxoooooooooooosxxxo..ooooooooo", 290, &[]);
    let times = got.times;
    assert_eq!((times.up_ms, times.slow_ms, times.down_ms), (232_000, 10_000, 30_000));
    assert_eq!((times.unknown_ms, times.excluded_ms, times.blip_ms), (18_000, 0, 10_000));
    assert_eq!(got.blips, 1);
    // From 150.1 s to 170 s at least, from 140 s to 180.1 s at most.
    assert_eq!((times.down_shortest_ms, times.down_longest_ms), (19_900, 40_100));
    assert_eq!(got.availability(), Fraction::new(242, 272));
    assert_eq!(got.coverage(), Fraction::new(272, 290));
    assert_eq!(got.hard_range(), Fraction::new(2_319, 2_900).zip(Fraction::new(2_701, 2_900)));
    assert_eq!(got.reachability(), Fraction::new(232, 272));
    // Two edges of 10.1 s: 1.96 * sqrt(2 * 10.1^2 / 12) s.
    assert_eq!(got.uncertainty_ms(), 8_082);
    assert_eq!(got.worst.map(|it| it.map(Fraction::ppm)), [Some(500_000), None, None, None]);
}

#[test]
fn maintenance_leaves_every_figure_and_its_outages_are_told_apart() {
    let got = figures("ooooxxxoooooooooooooo", 200, &[(50, 100)]).times;
    assert_eq!((got.down_ms, got.maintenance_down_ms, got.excluded_ms), (15_000, 15_000, 50_000));
    assert_eq!(got.judged_ms(), 150_000);
}

#[test]
fn nothing_known_has_no_availability() {
    let got = figures("", 100, &[]);
    assert_eq!((got.availability(), got.coverage()), (None, Fraction::new(0, 100)));
    assert_eq!(got.hard_range(), Fraction::new(0, 1).zip(Fraction::new(1, 1)));
    let got = figures("ooo", 100, &[(0, 100)]);
    assert_eq!((got.availability(), got.coverage(), got.hard_range()), (None, None, None));
}

/// Incidents of a sketch as start and end of their parts, in seconds.
#[track_caller]
fn check_incidents(sketch: &str, expected: &[&[(i64, i64)]]) {
    let track = track(sketch);
    let incidents = incidents(&track);
    let part =
        |it: &crate::availability::track::Outage| (it.start.at.0 / 1_000, it.end.at.0 / 1_000);
    let got: Vec<Vec<(i64, i64)>> =
        incidents.iter().map(|it| it.parts.iter().map(part).collect()).collect();
    assert_eq!(got, expected, "{sketch}");
    let judged = SpanSet::from(seconds(-100, 10_000));
    let down = track.when(State::Down).length_ms();
    let summary = summary(&incidents, &judged, 600_000);
    let count = i64::try_from(expected.len()).unwrap();
    assert_eq!(summary.count, count);
    assert_eq!(summary.mean_down_ms, down.checked_div(count));
    assert_eq!(summary.good_between_ms, 600_000_i64.checked_div(count));
}

#[test]
fn incidents_less_than_a_minute_apart_are_one() {
    check_incidents("ooo", &[]);
    check_incidents("oxxxoooooxxxo", &[&[(5, 35), (85, 115)]]);
    check_incidents("oxxxooooooxxxo", &[&[(5, 35)], &[(95, 125)]]);
}

#[test]
fn incidents_with_only_unknown_between_are_one() {
    check_incidents("oxxx..............xxxo", &[&[(5, 36), (174, 205)]]);
    check_incidents("oxxx......o.......xxxo", &[&[(5, 36)], &[(174, 205)]]);
}

#[test]
fn an_incident_is_detected_when_its_third_bad_run_ends() {
    let incidents = incidents(&track("oxxxxo"));
    assert_eq!(incidents[0].to_detect_ms(), 30_100 - 5_000);
}

#[test]
fn several_systems_are_counted_and_never_averaged() {
    let all = [
        figures(&"o".repeat(20), 100, &[]),
        figures("ooxxxooooooooooo", 150, &[]),
        figures("ooxxxxxooooooooo", 150, &[]),
        figures("ooo", 200, &[]),
    ];
    let objective = |text| Objective::parse(text);
    let objectives = [objective("99%"), objective("75%"), None, objective("99%")];
    let rollup = Rollup::of(all.iter().zip(objectives), COVERAGE_PPM_DEFAULT);
    assert_eq!((rollup.met, rollup.missed, rollup.within_error), (1, 0, 1));
    assert_eq!((rollup.not_enough_data, rollup.measured_only), (1, 1));
    assert_eq!(rollup.median, Fraction::new(120, 150));
    assert_eq!(rollup.worst, Fraction::new(100, 150));
}
