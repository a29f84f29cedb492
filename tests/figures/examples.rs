//! Cases small enough to be checked by hand.

use thongsuot::model::id::CheckId;
use thongsuot::model::reason::Reason;
use thongsuot::model::result::RunResult;
use thongsuot::model::span::Span;
use thongsuot::model::state::State;

use crate::reference::{
    Ask, Down, Heard, Maintenance, Raw, Reach, Rules, Story, Verdict, check, end, figures, span,
    start, system, vantage_timeline,
};
use crate::simulate::result;

const H: i64 = 18_000;

/// Runs at (second, character): `u` good, `s` slow, `d` bad, `v` void, `w` back-off; each takes
/// one second.
fn runs(of: &[(i64, char)]) -> Vec<RunResult> {
    let id = CheckId::new("example").unwrap();
    let reason = |c: char| match c {
        'u' => Reason::None,
        's' => Reason::OverSlow,
        'd' => Reason::HttpStatus,
        'v' => Reason::SelfNet,
        _ => Reason::Backoff,
    };
    of.iter().map(|(t, c)| result(&id, 0, t * 1_000, 1_000, reason(*c))).collect()
}

fn story(vantages: &[&[(i64, char)]], quorum: usize, known: usize) -> Story {
    let hear = |it: &&[(i64, char)]| Heard::of(&runs(it), &Reach::constant(H));
    let rules = Rules { confirm: 3, quorum, known };
    check(&vantages.iter().map(hear).collect::<Vec<_>>(), rules)
}

/// Pieces in seconds, as text.
fn text(line: &[(Span, State)]) -> String {
    let each = line.iter().map(|(piece, state)| {
        format!("{} {}-{}", state.as_str(), seconds(start(*piece)), seconds(end(*piece)))
    });
    each.collect::<Vec<_>>().join(", ")
}

fn seconds(ms: i64) -> String {
    if ms % 1_000 == 0 { (ms / 1_000).to_string() } else { format!("{ms}ms") }
}

fn bracket(it: &Down) -> [i64; 6] {
    let ms = [start(it.span), end(it.span), it.start_lo, it.start_hi, it.end_lo, it.end_hi];
    ms.map(|it| it / 1_000)
}

#[test]
fn a_change_lies_in_the_middle_and_a_gap_is_unknown_beyond_the_reach() {
    let line = |of: &[(i64, char)]| {
        let line = vantage_timeline(&runs(of), &Reach::constant(H));
        line.into_iter().map(|(it, raw)| (start(it) / 1_000, end(it) / 1_000, raw)).collect()
    };
    let got: Vec<_> = line(&[(0, 'u'), (30, 'd'), (66, 's'), (103, 'u')]);
    let expected =
        [(-18, 15, Raw::Good), (15, 48, Raw::Bad), (48, 84, Raw::Slow), (85, 121, Raw::Good)];
    assert_eq!(got, expected);
    let worse: Vec<_> = line(&[(0, 'u'), (0, 'd'), (10, 'v')]);
    assert_eq!(worse, [(-18, 18, Raw::Bad)]);
}

#[test]
fn one_vantage_needs_three_bad_in_a_row_or_in_ten() {
    let blip = story(&[&[(0, 'u'), (30, 'd'), (60, 'd'), (90, 'u')]], 1, 1);
    assert_eq!(text(&blip.states), "up -18-108");
    assert_eq!(blip.blips, [span(15_000, 75_000).unwrap()]);

    let row = story(&[&[(0, 'u'), (30, 'd'), (36, 'd'), (42, 'd'), (60, 'u')]], 1, 1);
    assert_eq!(text(&row.states), "up -18-15, down 15-51, up 51-78");
    assert_eq!(bracket(&row.downs[0]), [15, 51, 0, 31, 42, 61]);

    let mixed = story(&[&[(0, 'd'), (30, 'u'), (60, 'd'), (90, 'u'), (120, 'd')]], 1, 1);
    assert_eq!(text(&mixed.states), "down -18-15, up 15-45, down 45-75, up 75-105, down 105-138");
    assert_eq!(bracket(&mixed.downs[0]), [-18, 15, -18, -18, 0, 31]);
}

#[test]
fn a_service_that_asks_for_peace_while_failing_stays_down() {
    let of = |last: i64| {
        let times = [(0, 'd'), (6, 'd'), (12, 'd'), (30, 'w'), (60, 'w'), (last, 'u')];
        vantage_timeline(&runs(&times), &Reach::constant(H))[0].0
    };
    // The next testimony keeps its own 18 s; without one, 36 s after the last back-off.
    assert_eq!(of(90), span(-18_000, 72_000).unwrap());
    assert_eq!(of(900), span(-18_000, 96_000).unwrap());
}

#[test]
fn edges_of_several_vantages_meet_where_all_agree() {
    // One cause: after 10 (the last good of all) and before 14 (the first bad of all).
    let all: [&[(i64, char)]; 3] = [
        &[(0, 'u'), (30, 'd'), (60, 'u'), (90, 'u')],
        &[(10, 'u'), (40, 'd'), (70, 'u'), (100, 'u')],
        &[(-6, 'u'), (14, 'd'), (50, 'd'), (80, 'u')],
    ];
    let one = story(&all, 2, 2);
    // Two are known from -18. Counted: bad are v0 15-45, v1 25-55, v2 4-65, so down 15-55. Ends: last bad 30, 40, 50 and
    // first good 60, 70, 80, so 50 to 60.
    assert_eq!(text(&one.states), "up -18-4, partial 4-12, down 12-55, partial 55-65, up 65-108");
    // Second least of 0, 10, -6 and of 31, 41, 15; second most of 30, 40, 50 and 61, 71, 81.
    assert_eq!(bracket(&one.downs[0]), [12, 55, 0, 31, 40, 71]);
}

#[test]
fn edges_of_several_causes_are_those_of_the_vantage_that_made_the_quorum() {
    // v1 was still good (25) when v0 was bad (20): no common cause at the start.
    let all: [&[(i64, char)]; 2] = [
        &[(0, 'u'), (20, 'd'), (30, 'd'), (50, 'd'), (70, 'u')],
        &[(5, 'u'), (25, 'u'), (45, 'd'), (65, 'u')],
    ];
    let two = story(&all, 2, 2);
    // v0 bad 10-60, v1 bad 35-55: start in the middle of 25 and 45; end shared, of 50 and 65.
    assert_eq!(
        text(&two.states),
        "up -13-10, partial 10-35, down 35-57500ms, partial 57500ms-60, up 60-83"
    );
    // Second least of 0 and 25, of 21 and 46; second most of 50 and 45, of 71 and 66.
    assert_eq!(bracket(&two.downs[0]), [35, 57, 25, 46, 45, 66]);
}

#[test]
fn an_edge_beside_unknown_time_does_not_move() {
    let all: [&[(i64, char)]; 2] =
        [&[(0, 'u'), (200, 'd'), (220, 'u')], &[(10, 'u'), (204, 'd'), (225, 'u')]];
    let two = story(&all, 2, 2);
    // Known by both: to 18, and from 186; the end moves from 210 to the middle of 204 and 220.
    assert_eq!(text(&two.states), "up -8-18, down 186-212, partial 212-214500ms, up 214500ms-238");
    assert_eq!(bracket(&two.downs[0]), [186, 212, 186, 186, 200, 221]);
}

#[test]
fn a_system_is_as_good_as_its_worst_critical_check() {
    let good = story(&[&[(0, 'u'), (30, 'u'), (60, 'u')]], 1, 1);
    let bad = story(&[&[(0, 'u'), (30, 'd'), (36, 'd'), (42, 'd')]], 1, 1);
    let both = |first: bool, second: bool| {
        system(&[(first, good.clone()), (second, bad.clone())]).map(|it| text(&it.states))
    };
    assert_eq!(both(false, false), None);
    assert_eq!(both(true, true).unwrap(), "up -18-15, down 15-60");
    assert_eq!(both(true, false).unwrap(), "up -18-15, partial 15-60, up 60-78");
    assert_eq!(both(false, true).unwrap(), "up -18-15, down 15-60");
}

#[test]
fn down_spans_less_than_a_minute_or_only_unknown_apart_are_one_incident() {
    let bad = |from: i64| [(from, 'd'), (from + 5, 'd'), (from + 10, 'd')];
    let of = |between: &[(i64, char)], second: i64| {
        let mut times = vec![(0, 'u')];
        times.extend(bad(20));
        times.extend(between);
        times.extend(bad(second));
        let story = story(&[&times], 1, 1);
        let found = figures(&story, &Ask::plain(span(-100_000, 1_000_000).unwrap()));
        (found.incidents.len(), found.mttr.unwrap())
    };
    // Down 10-32.5 and 62.5-93, then 10-32.5 and 97.5-128: 30 and 65 seconds apart.
    assert_eq!(of(&[(35, 'u'), (55, 'u')], 70).0, 1);
    assert_eq!(of(&[(35, 'u'), (60, 'u'), (90, 'u')], 105).0, 2);
    // Second start 92 and 92.5: 59.5 and exactly 60 seconds apart.
    assert_eq!(of(&[(35, 'u'), (60, 'u'), (84, 'u')], 100).0, 1);
    assert_eq!(of(&[(35, 'u'), (60, 'u'), (85, 'u')], 100).0, 2);
    // Down 10-48, then unknown, then 482-528.
    assert_eq!(of(&[], 500), (1, (84_000, 1)));
}

#[test]
fn the_worst_minute_and_the_verdict_know_the_bracket() {
    let times: Vec<(i64, char)> =
        (0..40).map(|i| (i * 30, if (10..12).contains(&i) { 'd' } else { 'u' })).collect();
    let mut times = times;
    times.push((315, 'd'));
    let story = story(&[&times], 1, 1);
    let mut ask = Ask::plain(span(0, 1_180_000).unwrap());
    let found = figures(&story, &ask);
    assert_eq!((found.down, found.down_lo, found.down_hi), (60_000, 29_000, 91_000));
    assert_eq!(found.mcr[..2], [Some((0, 60_000)), Some((240_000, 300_000))]);
    assert_eq!(found.edge_squares, 31_000 * 31_000 * 2);
    for (budget, verdict) in [
        (28_999, Verdict::Missed),
        (29_000, Verdict::WithinError),
        (90_999, Verdict::WithinError),
        (91_000, Verdict::Met),
    ] {
        ask.budget_ms = budget;
        assert_eq!(figures(&story, &ask).verdict, verdict);
    }
    ask.period = span(0, 1_300_000).unwrap();
    assert_eq!(figures(&story, &ask).verdict, Verdict::NotEnoughData);
}

#[test]
fn each_result_reaches_as_far_as_the_interval_of_its_time() {
    let reach = Reach(vec![(0, H), (20_000, 6_000)]);
    let of = |second: i64| {
        let line = vantage_timeline(&runs(&[(0, 'u'), (second, 'd')]), &reach);
        line.iter().map(|(it, _)| (start(*it) / 1_000, end(*it) / 1_000)).collect::<Vec<_>>()
    };
    // The middle is within the reach of both; of the first only; of neither.
    assert_eq!(of(10), [(-18, 5), (5, 28)]);
    assert_eq!(of(30), [(-18, 15), (24, 36)]);
    assert_eq!(of(90), [(-18, 18), (84, 96)]);
}

#[test]
fn maintenance_counts_only_if_it_was_announced_in_time() {
    let times: Vec<(i64, char)> =
        (0..40).map(|i| (i * 30, if (10..20).contains(&i) { 'd' } else { 'u' })).collect();
    let story = story(&[&times], 1, 1);
    let notice = 86_400_000;
    let of = |late: i64| {
        let mut ask = Ask::plain(span(0, 1_200_000).unwrap());
        let announced = span(300_000, 450_000).unwrap();
        ask.maintenance = vec![Maintenance { recorded: 300_000 - notice + late, announced }];
        let it = figures(&story, &ask);
        [it.down, it.excluded, it.down_in_maintenance, it.up, it.unknown].map(|ms| ms / 1_000)
    };
    // Down 285-585. What runs past the announced end is not excluded.
    assert_eq!(of(0), [150, 150, 150, 888, 12]);
    assert_eq!(of(1), [300, 0, 0, 888, 12]);
}

#[test]
fn reachability_weighs_vantages_and_counts_blips() {
    let all: [&[(i64, char)]; 2] =
        [&[(0, 'u'), (30, 'd'), (60, 's')], &[(0, 'u'), (30, 'u'), (60, 'u')]];
    let two = story(&all, 2, 2);
    let mut ask = Ask::plain(span(0, 60_000).unwrap());
    assert_eq!(text(&two.states), "up -18-15, partial 15-45, up 45-78");
    assert_eq!(figures(&two, &ask).reachability, Some((90_000, 120_000)));
    ask.weights = vec![3, 1];
    assert_eq!(figures(&two, &ask).reachability, Some((150_000, 240_000)));
    let one = story(&all[..1], 1, 1);
    let found = figures(&one, &ask);
    assert_eq!((found.down, found.reachability), (0, Some((90_000, 180_000))));
    assert_eq!(found.availability, Some((60_000, 60_000)));
}

#[test]
fn slow_over_vantages_takes_a_quorum() {
    let slow: &[(i64, char)] = &[(0, 's'), (30, 's')];
    let up: &[(i64, char)] = &[(0, 'u'), (30, 'u')];
    assert_eq!(text(&story(&[slow, slow, up], 2, 2).states), "slow -18-48");
    assert_eq!(text(&story(&[slow, up, up], 2, 2).states), "up -18-48");
    assert_eq!(text(&story(&[slow, &[], &[]], 2, 2).states), "");
}

#[test]
fn a_bracket_ends_where_the_unknown_begins() {
    let all: [&[(i64, char)]; 2] =
        [&[(10, 'u'), (46, 'd'), (76, 'u')], &[(40, 'u'), (50, 'd'), (80, 'u')]];
    let two = story(&all, 1, 2);
    // Both are known from 22 on; the least last good is 10.
    assert_eq!(text(&two.states), "up 22-43, down 43-63, up 63-94");
    assert_eq!(bracket(&two.downs[0]), [43, 63, 22, 47, 50, 81]);
}

#[test]
fn a_system_went_down_with_its_first_check_and_came_back_with_its_last() {
    let a = story(&[&[(0, 'u'), (30, 'd'), (36, 'd'), (42, 'd'), (60, 'u')]], 1, 1);
    let b = story(&[&[(10, 'u'), (34, 'd'), (40, 'd'), (46, 'd'), (70, 'u')]], 1, 1);
    let both = system(&[(true, a), (true, b)]).unwrap();
    // 15-51 within 0-31 and 42-61; 22-58 within 10-35 and 46-71.
    assert_eq!(bracket(&both.downs[0]), [15, 58, 0, 31, 46, 71]);
    let found = figures(&both, &Ask::plain(span(-8_000, 70_000).unwrap()));
    // Inner 31-42 and 35-46, outer 0-61 and 10-71; known are both from -8 to 78.
    assert_eq!((found.down_lo, found.down, found.down_hi), (15_000, 43_000, 70_000));
}
