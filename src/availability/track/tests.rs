//! Courses drawn by hand: brackets, the intersection rule, lanes and systems.
//!
//! One line a vantage, one character a result every 10 s, each vantage 2 s after the one before.
//! A result speaks for 6 s around; a run takes 100 ms.

use std::fmt::Write;

use super::*;
use crate::availability::combine;
use crate::availability::confirm::Confirm;
use crate::availability::judge::{Reach, Rule, course};
use crate::availability::sketch::{result, results, vantage};
use crate::model::check::Lane;
use crate::model::result::RunResult;

fn drawn(lines: &[&str]) -> (Vec<RunResult>, Rule) {
    let mut all = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        let late = 2_000 * i64::try_from(place).unwrap();
        all.extend(results(line, 10_000).into_iter().map(|it| RunResult {
            vantage: vantage(place),
            started: it.started.plus_ms(late),
            ..it
        }));
    }
    let rule = Rule {
        confirm: Confirm::new(3),
        reach: Reach::constant(6_000),
        lanes: vec![Lane::Any],
        vantages: (0..lines.len()).map(|it| (vantage(it), 1)).collect(),
        quorum: quorum::Quorum::of(lines.len()),
    };
    (all, rule)
}

fn draw(lines: &[&str]) -> Track {
    let (results, rule) = drawn(lines);
    course(&results, &rule)
}

/// A timeline as text, edges in seconds: `up -6 to 15, down to 35`.
fn told(timeline: &[Segment]) -> String {
    let seconds = |it: Millis| {
        format!("{}", it.0.div_euclid(1_000))
            + match it.0.rem_euclid(1_000) {
                0 => "",
                500 => ".5",
                _ => ".x",
            }
    };
    let mut text = String::new();
    let mut end = None;
    for it in timeline {
        let from = seconds(it.span.start());
        let from = if end == Some(it.span.start()) { String::new() } else { format!(" {from}") };
        let comma = if text.is_empty() { "" } else { ", " };
        let to = seconds(it.span.end());
        write!(text, "{comma}{}{from} to {to}", it.state.as_str()).unwrap();
        end = Some(it.span.end());
    }
    text
}

#[track_caller]
fn check(lines: &[&str], expected: &str) -> Track {
    let track = draw(lines);
    assert_eq!(told(&track.timeline), expected, "{lines:?}");
    track
}

/// Start and end of the outage at `place` with their brackets, in milliseconds.
fn edges(track: &Track, place: usize) -> [[i64; 3]; 2] {
    let outage = &track.outages[place];
    [outage.start, outage.end].map(|it| [it.earliest.0, it.at.0, it.latest.0])
}

#[test]
fn alone_an_outage_lies_between_its_last_good_and_first_good_runs() {
    let track = check(&["ooxxxoo"], "up -6 to 15, down to 45, up to 66");
    assert_eq!(edges(&track, 0), [[10_000, 15_000, 20_100], [40_000, 45_000, 50_100]]);
    assert_eq!(track.outages[0].confirmed, Millis(40_100));
    assert_eq!(track.shortest.length_ms(), 19_900);
    assert_eq!(track.longest.length_ms(), 40_100);
}

#[test]
fn alone_two_bad_results_are_a_blip() {
    let track = check(&["ooxxoo"], "up -6 to 56");
    assert_eq!(track.blips, [Span::new(Millis(15_000), Millis(35_000)).unwrap()]);
}

#[test]
fn edges_beside_unknown_have_no_width() {
    let track = check(&["o..xxx..o"], "up -6 to 6, down 24 to 56, up 74 to 86");
    assert_eq!(edges(&track, 0), [[24_000; 3], [56_000; 3]]);
}

/// Runs of each vantage: start in milliseconds, what it shows, length in milliseconds.
fn timed(vantages: &[&[(i64, char, u32)]]) -> Track {
    let (_, rule) = drawn(&vec![""; vantages.len()]);
    let mut all = Vec::new();
    for (place, runs) in vantages.iter().enumerate() {
        let run = |(at, shows, long): &(i64, char, u32)| result(*at, *shows, *long);
        let named = |it| RunResult { vantage: vantage(place), ..it };
        all.extend(runs.iter().filter_map(run).map(named));
    }
    course(&all, &rule)
}

#[test]
fn a_bracket_ends_where_unknown_begins_and_does_not_go_on_behind_it() {
    // The good run of 20 s speaks for 6 s; the time from 44 s on is known again.
    let track = timed(&[&[
        (0, 'o', 100),
        (10_000, 'x', 100),
        (15_000, 'x', 100),
        (20_000, 'x', 100),
        (30_000, 'o', 20_000),
        (50_000, 'o', 20_000),
    ]]);
    assert_eq!(told(&track.timeline), "up -6 to 5, down to 25, up to 36, up 44 to 56");
    assert_eq!(edges(&track, 0), [[0, 5_000, 10_100], [20_000, 25_000, 36_000]]);
    assert_eq!(track.longest.length_ms(), 36_000);
}

#[test]
fn the_bracket_of_a_quorum_asks_for_every_bad_run_of_its_outage() {
    // The first vantage has two spells in it; the run of the second one ended first.
    let track = timed(&[
        &[
            (0, 'o', 100),
            (10_000, 'h', 10_000),
            (14_000, 'o', 100),
            (18_000, 'x', 100),
            (28_000, 'x', 100),
            (38_000, 'o', 100),
        ],
        &[(2_000, 'o', 100), (12_000, 'h', 10_000), (22_000, 'x', 100), (32_000, 'o', 100)],
        &[(3_000, 'o', 100), (13_000, 'x', 100), (23_000, 'x', 100), (33_000, 'o', 100)],
    ]);
    assert_eq!(edges(&track, 0), [[2_000, 6_500, 18_100], [23_000, 30_000, 33_100]]);
}

#[test]
fn a_service_that_asks_to_be_left_alone_stays_down_until_it_testifies() {
    check(&["oxxxBBBBo"], "up -6 to 5, down to 74, up to 86");
    // Told to wait by an answer that says nothing itself, such as 429.
    check(&["oxxxkBBBo"], "up -6 to 5, down to 74, up to 86");
    // Good before it: unknown as ever.
    check(&["oBBBBo"], "up -6 to 6, up 44 to 56");
    // The monitor stood still meanwhile: what it did not see is unknown.
    check(&["xxxB......B....o"], "down -6 to 42, up 144 to 156");
    check(&["xxxB....o"], "down -6 to 42, up 74 to 86");
}

#[test]
fn one_vantage_of_three_is_partial_and_two_are_down() {
    check(&["ooooo", "ooxoo", "ooooo"], "up -4 to 17, partial to 27, up to 48");
    // All three fail between 14 s and 20 s: one cause.
    let lines = ["ooxxoo", "ooxxoo", "ooxxoo"];
    let track = check(&lines, "up -4 to 15, partial to 17, down to 37, partial to 39, up to 58");
    assert_eq!(edges(&track, 0), [[12_000, 17_000, 22_100], [32_000, 37_000, 42_100]]);
    assert_eq!(track.outages[0].confirmed, Millis(22_100));
}

#[test]
fn vantages_that_fail_at_different_times_are_counted() {
    // The second fails 20 s after the first: the start is half-way of its own two runs.
    let track = check(
        &["oxxxxxo", "oooxxxo", "ooooooo"],
        "up -4 to 5, partial to 27, down to 56, partial to 57, up to 68",
    );
    // Both end between 52 s and 60 s: one cause.
    assert_eq!(edges(&track, 0), [[22_000, 27_000, 32_100], [50_000, 56_000, 60_100]]);
}

#[test]
fn fewer_than_two_that_know_are_unknown() {
    check(&["oo....", "oooooo", "vvvvvv"], "up -4 to 16");
    // The edge at 16 s, where the first falls silent, has no width.
    let track = check(&["xx....", "xxxxxx", "vvvvvv"], "down -4 to 16");
    assert_eq!(edges(&track, 0), [[-4_000; 3], [16_000; 3]]);
}

#[test]
fn slow_needs_a_quorum_too() {
    check(&["osso", "osso", "oooo"], "up -4 to 7, slow to 25, up to 38");
}

/// The known exception to P4: with several vantages a bad result more can move the start of a
/// shared cause to a later instant, which is nearer to the truth.
#[test]
fn a_worse_result_can_show_a_shared_cause_to_be_shorter() {
    let down = |lines: &[&str]| draw(lines).when(State::Down).length_ms();
    let before = down(&["oxxxo", "oxxxo", "ooooo"]);
    let after = down(&["oxxxo", "oxxxo", "oxooo"]);
    assert_eq!((before, after), (30_000, 28_000));
}

#[test]
fn two_lanes_are_down_where_both_are() {
    let (both, mut rule) = drawn(&["ooxxxxoo"]);
    let more = results("oooxxxxo", 10_000);
    let lane = |lane| move |it: RunResult| RunResult { lane, vantage: vantage(0), ..it };
    let mut all: Vec<RunResult> = both.into_iter().map(lane(Lane::V4)).collect();
    all.extend(more.into_iter().map(lane(Lane::V6)));
    rule.lanes = vec![Lane::V4, Lane::V6];
    let track = course(&all, &rule);
    assert_eq!(
        told(&track.timeline),
        "up -6 to 15, partial to 25, down to 55, partial to 65, up to 76"
    );
    assert_eq!(edges(&track, 0), [[20_000, 25_000, 30_100], [50_000, 55_000, 60_100]]);
    assert_eq!(track.strain[0].share, STRAIN_WHOLE / 2);
}

/// A part of a system, watched from an instant.
fn part(line: &str, critical: bool, from_s: i64) -> system::Part {
    let watched = Span::new(Millis(from_s * 1_000), Millis(1_000_000)).unwrap();
    system::Part { track: draw(&[line]), critical, watched: watched.into() }
}

#[test]
fn a_system_is_down_when_a_critical_check_is() {
    let parts =
        [part("ooxxxoooo", true, -6), part("oooxxxooo", true, -6), part("xxxxxxxxx", false, -6)];
    let track = system::track(&parts).unwrap();
    assert_eq!(told(&track.timeline), "partial -6 to 15, down to 55, partial to 86");
    assert_eq!(edges(&track, 0), [[10_000, 15_000, 20_100], [50_000, 55_000, 60_100]]);
    assert_eq!(track.outages[0].parts, [0, 1]);
    assert_eq!(track.shortest.length_ms(), 29_900);
    assert_eq!(system::track(&parts[2..]), None);
}

/// The first check fell first, but the second one may have.
#[test]
fn a_system_began_to_fail_no_later_than_any_of_its_checks_may_have() {
    let later = timed(&[&[
        (-600, 'o', 100),
        (9_400, 'o', 100),
        (21_200, 'x', 100),
        (31_200, 'x', 100),
        (36_200, 'x', 100),
        (46_000, 'o', 100),
    ]]);
    assert_eq!(edges(&later, 0)[0], [9_400, 15_300, 21_300]);
    let first = part("ooxxxoooo", true, -6);
    let parts = [first.clone(), system::Part { track: later, ..first }];
    let track = system::track(&parts).unwrap();
    assert_eq!(edges(&track, 0), [[9_400, 15_000, 20_100], [40_000, 45_000, 50_100]]);
}

#[test]
fn a_check_added_later_is_not_unknown_before() {
    let parts = [part("ooooooooo", true, -6), part(".....oooo", true, 50)];
    let track = system::track(&parts).unwrap();
    assert_eq!(told(&track.timeline), "up -6 to 86");
    let parts = [part("ooooooooo", true, -6), part(".....oooo", true, 30)];
    let track = system::track(&parts).unwrap();
    assert_eq!(told(&track.timeline), "up -6 to 30, up 44 to 86");
}

#[test]
fn a_sweep_agrees_with_asking_every_second() {
    let tracks = [draw(&["osxxxo.oxo"]), draw(&["ooo..xxxsso"])];
    let lines: Vec<&[Segment]> = tracks.iter().map(|it| it.timeline.as_slice()).collect();
    let merged = sweep::merge(&lines, combine::lanes);
    for second in -10..130 {
        let at = Millis(second * 1_000);
        let states = tracks.each_ref().map(|it| it.state(at));
        assert_eq!(sweep::state_at(&merged, at), combine::lanes(&states), "{second}");
    }
}
