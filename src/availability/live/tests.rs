//! Live equals batch, restoring equals never having stopped, and what to run next.

use proptest::prelude::*;

use super::*;
use crate::availability::confirm::Confirm;
use crate::availability::sketch::{arrived, check, histories, result, results};
use crate::availability::timeline::{alone, samples};
use crate::model::check::IpChoice;
use crate::model::span::Span;

const INTERVAL_MS: i64 = 30_000;

fn live_of(results: &[RunResult], confirm: u8, ip: IpChoice) -> (LiveCheck, Option<Change>) {
    let mut live = LiveCheck::new(&check(INTERVAL_MS, confirm, ip));
    let last = results.iter().map(|it| live.note(it)).last();
    (live, last)
}

/// Follows a sketch of results every `step_s` seconds; checks the state, the alarm (`.` none, `!` open) and
/// what to run next (`.` none, `c` confirm, `f` fast) after each.
#[track_caller]
fn follow(step_s: i64, sketch: &str, states: &str, alarms: &str, follows: &str) {
    let mut live = LiveCheck::new(&check(INTERVAL_MS, 3, IpChoice::Any));
    let mut got = [String::new(), String::new(), String::new()];
    for result in results(sketch, step_s * 1_000) {
        let change = live.note(&result);
        got[0].push(match change.after {
            State::Up => 'u',
            State::Slow => 's',
            State::Partial => 'p',
            State::Down => 'd',
            State::Unknown => '?',
        });
        got[1].push(if change.alarm_after == Alarm::Quiet { '.' } else { '!' });
        got[2].push(match change.follow {
            Follow::None => '.',
            Follow::Confirm { .. } => 'c',
            Follow::Fast { .. } => 'f',
        });
    }
    assert_eq!(got, [states, alarms, follows], "{sketch}");
}

#[test]
fn an_outage_is_confirmed_by_the_third_bad_result_and_over_at_the_first_good_one() {
    follow(29, "oxxxxoooo", "uuudduuuu", "...!!!!..", ".ccff....");
}

#[test]
fn a_blip_is_up_and_asks_to_be_confirmed() {
    follow(29, "oxoxxo", "uuuudu", "......", ".c.cf.");
    follow(29, "oxoxxox", "uuuudud", "......!", ".c.cf.f");
}

#[test]
fn two_blips_among_ten_results_are_up() {
    follow(29, "oxoxo", "uuuuu", ".....", ".c.c.");
}

#[test]
fn a_flapping_service_alerts_again_while_its_window_is_full() {
    follow(29, "xxxoooox", "??duuuud", "..!!!..!", "ccf....f");
}

#[test]
fn after_ten_minutes_of_down_the_schedule_is_enough() {
    let sketch = "x".repeat(23);
    let (states, alarms) = (format!("??{}", "d".repeat(21)), format!("..{}", "!".repeat(21)));
    follow(29, &sketch, &states, &alarms, &format!("cc{}..", "f".repeat(19)));
}

#[test]
fn our_own_trouble_confirms_nothing_and_is_tried_again() {
    follow(5, "oxvvvv", "uuuuuu", "......", ".cccc.");
    follow(5, "xxxv", "??dd", "..!!", "ccff");
}

#[test]
fn a_service_that_asks_to_be_left_alone_is_left_alone_and_stays_bad() {
    follow(29, "oxxxBBBBBo", "uuuddddddu", "...!!!!!!!", ".ccf......");
}

#[test]
fn a_blocked_run_is_not_followed() {
    follow(5, "oxk", "uuu", "...", ".c.");
}

#[test]
fn unknown_begins_where_the_last_result_stops_speaking() {
    let (live, _) = live_of(&results("oxxx", 29_000), 3, IpChoice::Any);
    let reach = lane::LaneRule::of(&check(INTERVAL_MS, 3, IpChoice::Any)).reach_ms;
    let end = Millis(87_000 + reach);
    assert_eq!(live.state(end.plus_ms(-1)), State::Down);
    assert_eq!(live.since(end.plus_ms(-1)), Some(Millis(14_500)));
    assert_eq!((live.state(end), live.since(end)), (State::Unknown, Some(end)));
}

#[test]
fn waits_are_counted_from_the_end_of_the_run() {
    let mut live = LiveCheck::new(&check(INTERVAL_MS, 2, IpChoice::Any));
    let mut note = |at, length| live.note(&result(at, 'h', length).unwrap()).follow;
    assert_eq!(note(0, 10_000), Follow::Confirm { wait_ms: 5_000 });
    assert_eq!(note(15_000, 3_000), Follow::Fast { wait_ms: 7_000 });
    assert_eq!(note(25_000, 10_000), Follow::Fast { wait_ms: 0 });
}

#[test]
fn a_dozen_results_settle_a_calm_check_and_an_outage_needs_its_start() {
    let settled = |sketch: &str| live_of(&results(sketch, 29_000), 3, IpChoice::Any).0.is_settled();
    assert!(!settled(""));
    assert!(!settled("oooooooo"));
    assert!(settled("ooooooooo"));
    assert!(settled("ooooooooox"));
    assert!(!settled("ooooooox"));
    assert!(settled("oooooxxxx"));
    // A third bad result among ten confirms the two that came long before.
    assert!(!settled("xxooo"));
    assert!(!settled(&"x".repeat(100)));
    assert!(settled(&format!("o{}", "x".repeat(100))));
    assert!(settled(&format!("x..{}", "x".repeat(100))));
}

#[test]
fn with_two_lanes_one_that_fails_is_partial() {
    let mut live = LiveCheck::new(&check(INTERVAL_MS, 2, IpChoice::Both));
    let mut note = |at: i64, lane: Lane, shows: char| {
        let change = live.note(&RunResult { lane, ..result(at * 1_000, shows, 0).unwrap() });
        (change.after, change.since.map(|it| it.0), change.alarm_after)
    };
    note(0, Lane::V4, 'o');
    assert_eq!(note(0, Lane::V6, 'o').0, State::Up);
    note(10, Lane::V6, 'x');
    assert_eq!(note(20, Lane::V6, 'x'), (State::Partial, Some(5_000), Alarm::Partial));
    note(20, Lane::V4, 'x');
    assert_eq!(note(22, Lane::V4, 'h'), (State::Down, Some(10_000), Alarm::Down));
    assert_eq!(note(30, Lane::V4, 'o'), (State::Partial, Some(26_000), Alarm::Down));
}

#[test]
fn a_result_from_long_ago_is_told_to_be_late() {
    let (mut live, last) = live_of(&results(&"o".repeat(100), 29_000), 3, IpChoice::Any);
    assert!(!last.unwrap().late);
    let before = (live.since(Millis(99 * 29_000)), live.alarm());
    let change = live.note(&result(1_000, 'x', 0).unwrap());
    assert!(change.late && !change.opens());
    assert_eq!((live.since(Millis(99 * 29_000)), live.alarm()), before);
    // One that was only overtaken is not.
    assert!(!live.note(&result(96 * 29_000 - 1, 'x', 0).unwrap()).late);
}

#[test]
fn another_number_needed_takes_force_at_once() {
    let mut live = LiveCheck::new(&check(INTERVAL_MS, 3, IpChoice::Any));
    let all = results(&format!("{}{}", "o".repeat(100), "x".repeat(45)), 29_000);
    let states = all.iter().enumerate().map(|(place, result)| {
        if place == 100 {
            live.adopt(&check(INTERVAL_MS, 40, IpChoice::Any), result.started);
        }
        live.note(result).after
    });
    let states: Vec<State> = states.collect();
    assert!(states[..139].iter().all(|it| *it == State::Up));
    assert!(states[139..].iter().all(|it| *it == State::Down));
    assert_eq!(live.since(Millis(144 * 29_000)), Some(Millis(100 * 29_000 - 14_500)));
    live.adopt(&check(INTERVAL_MS, 1, IpChoice::Any), Millis(145 * 29_000));
    let mut next = |at: i64, shows| live.note(&result(at * 29_000, shows, 0).unwrap()).after;
    assert_eq!(
        (next(145, 'o'), next(146, 'x'), next(147, 'o')),
        (State::Up, State::Down, State::Up)
    );
}

#[test]
fn another_number_needed_says_at_once_since_when_it_is_down() {
    let all = results(&format!("{}xx", "o".repeat(40)), 29_000);
    let (mut live, _) = live_of(&all, 3, IpChoice::Any);
    let now = Millis(41 * 29_000);
    assert_eq!(live.state(now), State::Up);
    live.adopt(&check(INTERVAL_MS, 2, IpChoice::Any), now);
    let since = Some(Millis(40 * 29_000 - 14_500));
    assert_eq!((live.state(now), live.since(now)), (State::Down, since));
}

#[test]
fn a_run_in_flight_while_the_interval_changed_speaks_as_far_as_it_was_planned_for() {
    let reach = |interval_ms| lane::LaneRule::of(&check(interval_ms, 3, IpChoice::Any)).reach_ms;
    let mut live = LiveCheck::new(&check(INTERVAL_MS, 3, IpChoice::Any));
    live.adopt(&check(10 * INTERVAL_MS, 3, IpChoice::Any), Millis(5_000));
    live.note(&result(0, 'o', 6_000).unwrap());
    let old = reach(INTERVAL_MS);
    let states = [old - 1, old].map(|it| live.state(Millis(it)));
    assert_eq!(states, [State::Up, State::Unknown]);
    live.note(&result(5_000, 'o', 100).unwrap());
    let new = 5_000 + reach(10 * INTERVAL_MS);
    let states = [new - 1, new].map(|it| live.state(Millis(it)));
    assert_eq!(states, [State::Up, State::Unknown]);
}

#[test]
fn what_is_shown_of_two_lanes_waits_for_no_result() {
    let mut live = LiveCheck::new(&check(INTERVAL_MS, 2, IpChoice::Both));
    for slot in 0..200 {
        for (lane, late) in [(Lane::V4, 0), (Lane::V6, 200)] {
            // IPv6 is bad from the 20th slot on, IPv4 slow at every other one.
            let shows = match lane {
                Lane::V6 if slot >= 20 => 'x',
                Lane::V4 if slot % 2 == 1 => 's',
                _ => 'o',
            };
            let at = slot * 29_000 + late;
            let change = live.note(&RunResult { lane, ..result(at, shows, 100).unwrap() });
            if slot > 0 {
                assert!(![change.before, change.after].contains(&State::Unknown), "{slot}");
            }
            if slot > 21 {
                assert_eq!(change.after, State::Partial);
                assert_eq!(change.since, Some(Millis(20 * 29_000 + 200 - 14_500)));
            }
        }
        let now = Millis(slot * 29_000 + 28_000);
        assert_eq!(live.present(now) == State::Partial, slot > 20, "{slot}");
    }
    let late = Millis(199 * 29_000 + 100_000);
    assert_eq!(live.present(late), State::Unknown);
    assert!(live.present_since(late) < Some(late));
}

/// What batch says of the same results, from where live still knows everything.
fn batch_tail(results: &[RunResult], confirm: u8, from: Option<Millis>) -> Vec<Segment> {
    let reach = lane::LaneRule::of(&check(INTERVAL_MS, confirm, IpChoice::Any)).reach_ms;
    let whole = alone(&samples(results, |_| reach), Confirm::new(confirm));
    whole.into_iter().filter(|it| from.is_none_or(|from| it.span.start() >= from)).collect()
}

proptest! {
    /// P13.
    #[test]
    fn after_any_prefix_live_says_what_batch_says(runs in histories(8), confirm in 1_u8..5) {
            let all = arrived(&runs);
        let mut live = LiveCheck::new(&check(INTERVAL_MS, confirm, IpChoice::Any));
        for (index, result) in all.iter().enumerate() {
            let change = live.note(result);
            prop_assert!(!change.late);
            let (_, lane) = live.lanes().next().unwrap();
            let batch = batch_tail(&all[..=index], confirm, lane.remembers_from());
            prop_assert_eq!(lane.segments(Millis(i64::MAX)), batch.clone());
            let now = all[..=index].iter().map(|it| it.started).max().unwrap();
            let span = Span::new(now, now.plus_ms(1)).unwrap();
            let found = batch.iter().find(|it| it.span.within(span).is_some());
            prop_assert_eq!(live.state(now), found.map_or(State::Unknown, |it| it.state));
            if let Some(found) = found {
                prop_assert_eq!(live.since(now), Some(found.span.start()));
            }
        }
    }

    /// A restart is not seen, if enough of the past is read: all that started since an instant.
    #[test]
    fn a_settled_tail_restores_all_that_matters(runs in histories(8), confirm in 1_u8..5, cut in 0..80_usize) {
            let all = arrived(&runs);
        let from = all.get(cut).map_or(Millis(i64::MAX), |it| it.started);
        let tail: Vec<RunResult> = all.iter().filter(|it| it.started >= from).cloned().collect();
        let (whole, last) = live_of(&all, confirm, IpChoice::Any);
        let (restored, tail_last) = live_of(&tail, confirm, IpChoice::Any);
        if restored.is_settled() && tail_last.as_ref().is_some_and(|it| !it.late) {
            let now = all.iter().map(RunResult::ended).max().unwrap();
            for now in [now, now.plus_ms(10_000), now.plus_ms(40_000)] {
                prop_assert_eq!(restored.state(now), whole.state(now));
                if whole.state(now) == State::Down {
                    prop_assert_eq!(restored.since(now), whole.since(now));
                }
            }
            prop_assert_eq!(restored.alarm(), whole.alarm());
            prop_assert_eq!(restored.fault(), whole.fault());
            prop_assert_eq!(tail_last.unwrap().follow, last.unwrap().follow);
        }
    }

    /// A result that is told twice, or one that says nothing, changes nothing.
    #[test]
    fn repetition_and_silence_change_nothing(runs in histories(4), again in 0..60_usize) {
            let all = arrived(&runs);
        let (mut live, _) = live_of(&all, 3, IpChoice::Any);
        if !all.is_empty() {
            let now = all.iter().map(|it| it.started).max().unwrap();
            let before = (live.state(now), live.since(now), live.alarm());
            let recent = all.len().saturating_sub(1 + again % 4);
            live.note(&all[recent]);
            live.note(&result(now.0 + 1, 'v', 0).unwrap());
            prop_assert_eq!((live.state(now), live.since(now), live.alarm()), before);
        }
    }
}

/// The same results by a clock that says `by_ms` more.
fn moved(results: &[RunResult], by_ms: i64) -> Vec<RunResult> {
    let at = |it: Millis| it.plus_ms(by_ms);
    let one = |it: &RunResult| RunResult { due: at(it.due), started: at(it.started), ..it.clone() };
    results.iter().map(one).collect()
}

#[test]
fn a_clock_set_back_beyond_all_results_moves_them_all() {
    let back_ms = -100 * 86_400_000;
    for sketch in ["", "o", "xxx", "oxxxxooo", &"ox".repeat(30), &"x".repeat(60), "oooo....xxxx"] {
        let before = results(sketch, 29_000);
        let (mut live, _) = live_of(&before, 3, IpChoice::Any);
        let (mut other, _) = live_of(&moved(&before, back_ms), 3, IpChoice::Any);
        let end = before.last().map_or(Millis(0), RunResult::ended).plus_ms(back_ms);
        live.set_back(back_ms, end);
        for next in moved(&results("xxoxxxooo", 29_000), end.0 + 29_000) {
            assert_eq!(live.present(next.started), other.present(next.started), "{sketch}");
            assert_eq!(live.alarm(), other.alarm(), "{sketch}");
            let (seen, expected) = (live.note(&next), other.note(&next));
            let told = |it: &Change| (it.before, it.after, it.alarm_after, it.follow, it.late);
            assert_eq!(told(&seen), told(&expected), "{sketch}");
        }
    }
}

#[test]
fn a_clock_set_back_costs_no_state_and_no_order() {
    // A minute of results by the clock as it is, then some by one that was an hour ahead.
    let right = results("oxxxxxxxxxxx", 5_000);
    let last = right.last().expect("some").started;
    let ahead = moved(&results("xxxxxxxx", 5_000), last.0 + 5_000 + 3_600_000);
    let all: Vec<_> = right.iter().chain(&ahead).cloned().collect();
    let (mut live, _) = live_of(&all, 3, IpChoice::Any);
    let since = Millis(right[1].started.0);
    let newest = ahead.last().expect("some").ended();
    let now = newest.plus_ms(100 - 3_600_000);
    assert_eq!(live.present(newest), State::Down);
    live.set_back(-3_600_000, now);
    assert_eq!(live.present(now), State::Down);
    assert!(live.present_since(now).is_some_and(|it| it <= now && it >= since.plus_ms(-30_000)));
    let change = live.note(&moved(&results("x", 5_000), now.0 + 5_000)[0]);
    assert_eq!((change.before, change.after, change.late), (State::Down, State::Down, false));
    // And by two seconds, in the middle of what was right.
    let (mut live, _) = live_of(&right, 3, IpChoice::Any);
    let now = last.plus_ms(-2_000);
    live.set_back(-2_000, now);
    assert_eq!(live.present(now), State::Down);
    let change = live.note(&moved(&results("o", 5_000), now.0 + 3_000)[0]);
    assert_eq!((change.before, change.after, change.late), (State::Down, State::Up, false));
}
