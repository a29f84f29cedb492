//! Each second is judged by what was in force: contracts that change, maintenance that is
//! announced in time and late.

use serde_json::json;
use thongsuot::availability::figures::Verdict;
use thongsuot::model::reason::Reason;

use super::kit::{DAY, HOUR, MINUTE, NOVEMBER, OCTOBER, Story, contract, edge, within};

const HOME: &str = "vneid-home";
const INTERVAL: i64 = 10 * MINUTE;

/// A month in which the system was down in these spans.
fn story(downs: &[(i64, i64)]) -> Story {
    let mut story = Story::new();
    story.promise(OCTOBER - 5 * DAY, contract(999_000, &[(HOME, INTERVAL, true)]));
    story.watch(HOME, INTERVAL, "hn-1", (OCTOBER - 3 * DAY, NOVEMBER + 3 * DAY), |at| {
        Some(if within(at, downs) { Reason::ConnectRefused } else { Reason::None })
    });
    story
}

#[tokio::test]
async fn a_promise_that_changes_splits_the_period_and_budgets_add_up() {
    let change = OCTOBER + 12 * DAY + 30 * MINUTE;
    // The outage lies over the change.
    let down = (OCTOBER + 12 * DAY, OCTOBER + 12 * DAY + 2 * HOUR);
    let mut story = story(&[down]);
    story.promise(change, contract(990_000, &[(HOME, INTERVAL, true)]));
    story.tell().await;
    let october = story.october();
    let [before, after] = october.pieces.as_slice() else { panic!("{:?}", october.pieces) };
    assert_eq!((before.0.span.end().0, after.0.span.start().0), (change, change));
    let whole = october.measured.as_ref().unwrap().figures.times;
    assert_eq!(before.1.times.plus(after.1.times), whole);
    let (start, end) = (edge(&story.results, HOME, down.0), edge(&story.results, HOME, down.1));
    assert_eq!((before.1.times.down_ms, after.1.times.down_ms), (change - start, end - change));
    let promised = october.promised.unwrap();
    assert_eq!(promised.budget_ms, (change - OCTOBER) / 1_000 + (NOVEMBER - change) / 100);
    assert_eq!(promised.down_ms, whole.down_ms);
    assert_eq!(october.episodes.len(), 1, "an incident comes from the whole");
    assert_eq!(promised.verdict, Verdict::Met);
}

#[tokio::test]
async fn the_same_promise_told_again_splits_nothing() {
    let mut story = story(&[]);
    story.promise(OCTOBER + DAY, contract(999_000, &[(HOME, INTERVAL, true)]));
    story.tell().await;
    assert_eq!(story.october().pieces.len(), 1);
}

#[tokio::test]
async fn a_check_that_becomes_critical_counts_from_then_on() {
    let (early, late) = (
        (OCTOBER + 5 * DAY, OCTOBER + 5 * DAY + HOUR),
        (OCTOBER + 20 * DAY, OCTOBER + 20 * DAY + HOUR),
    );
    let mut story = Story::new();
    let checks =
        |critical| contract(999_000, &[(HOME, INTERVAL, true), ("vneid-api", INTERVAL, critical)]);
    story.promise(OCTOBER - DAY, checks(false));
    story.promise(OCTOBER + 10 * DAY, checks(true));
    let all = (OCTOBER - DAY, NOVEMBER + DAY);
    story.watch(HOME, INTERVAL, "hn-1", all, |_| Some(Reason::None));
    story.watch("vneid-api", INTERVAL, "hn-1", all, |at| {
        Some(if within(at, &[early, late]) { Reason::HttpStatus } else { Reason::None })
    });
    story.tell().await;
    let october = story.october();
    let times = october.measured.as_ref().unwrap().figures.times;
    let length = |it: (i64, i64)| {
        edge(&story.results, "vneid-api", it.1) - edge(&story.results, "vneid-api", it.0)
    };
    assert_eq!((times.partial_ms, times.down_ms), (length(early), length(late)));
    let api = &october.checks[1].measured;
    assert_eq!(api.figures.times.down_ms, length(early) + length(late));
    assert_eq!(api.summary.count, 2);
}

#[tokio::test]
async fn maintenance_is_excluded_if_announced_in_time_and_only_as_long_as_announced() {
    let at = |day: i64, hour: i64| OCTOBER + day * DAY + hour * HOUR;
    let downs = [(at(4, 1), at(4, 4)), (at(8, 1), at(8, 4)), (at(15, 1), at(15, 4))];
    let mut story = story(&downs);
    // In time, and extended too late; too late; cancelled before it began.
    story.announce(at(2, 0), "bt-1", at(4, 0), at(4, 3));
    story.event(
        at(4, 2),
        "maintenance.extended",
        json!({ "id": "bt-1", "to_ms": at(4, 5), "who": "", "why": "" }),
    );
    story.announce(at(7, 12), "bt-2", at(8, 0), at(8, 6));
    story.announce(at(10, 0), "bt-3", at(15, 0), at(15, 6));
    story.event(at(14, 0), "maintenance.cancelled", json!({ "id": "bt-3", "who": "", "why": "" }));
    story.tell().await;
    let october = story.october();
    let figures = &october.measured.as_ref().unwrap().figures;
    let edge = |it| edge(&story.results, HOME, it);
    let inside = at(4, 3) - edge(downs[0].0);
    let all: i64 = downs.iter().map(|it| edge(it.1) - edge(it.0)).sum();
    assert_eq!(figures.times.excluded_ms, 3 * HOUR);
    assert_eq!(figures.times.maintenance_down_ms, inside);
    assert_eq!(figures.times.down_ms, all - inside);
    let told: Vec<_> = october
        .maintenance
        .iter()
        .map(|(it, down)| {
            let id = it.named.announced.as_ref().unwrap().id.as_str();
            (id, it.excluded.length_ms(), it.kept.length_ms(), *down)
        })
        .collect();
    let overrun = edge(downs[0].1) - at(4, 3);
    let late = edge(downs[1].1) - edge(downs[1].0);
    let expected = [
        ("bt-1", 3 * HOUR, 0, inside),
        ("bt-1", 0, 2 * HOUR, overrun),
        ("bt-2", 0, 6 * HOUR, late),
        ("bt-3", 0, 0, 0),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn maintenance_of_a_check_leaves_it_out_of_its_system() {
    let (from, to) = (OCTOBER + 4 * DAY, OCTOBER + 4 * DAY + 4 * HOUR);
    let down = (from + HOUR, to - HOUR);
    let mut story = Story::new();
    story.promise(
        OCTOBER - DAY,
        contract(999_000, &[(HOME, INTERVAL, true), ("vneid-api", INTERVAL, true)]),
    );
    let all = (OCTOBER - DAY, NOVEMBER + DAY);
    story.watch(HOME, INTERVAL, "hn-1", all, |_| Some(Reason::None));
    story.watch("vneid-api", INTERVAL, "hn-1", all, |at| {
        Some(if within(at, &[down]) { Reason::HttpStatus } else { Reason::None })
    });
    let body = json!({ "id": "bt-1", "scope": { "check": "vneid-api" }, "from_ms": from, "to_ms": to, "notice": null, "who": "a", "why": "b" });
    story.event(OCTOBER, "maintenance.added", body);
    story.tell().await;
    let october = story.october();
    let times = october.measured.as_ref().unwrap().figures.times;
    assert_eq!((times.down_ms, times.excluded_ms), (0, 0));
    let api = october.checks[1].measured.figures.times;
    assert_eq!((api.down_ms, api.excluded_ms), (0, 4 * HOUR));
    assert!(api.maintenance_down_ms > HOUR);
}

#[tokio::test]
async fn agreed_hours_and_windows_that_recur_are_left_out() {
    let mut story = Story::new();
    let mut promise = contract(999_000, &[(HOME, INTERVAL, true)]);
    let office = json!([[480, 1020]]);
    let system = &mut promise["systems"][0];
    // Monday to Friday, 8:00 to 17:00; maintenance on Wednesdays from 8:00 to 9:00.
    system["hours"] = json!([office[0], office[0], office[0], office[0], office[0], [], []]);
    for day in 0..5 {
        system["hours"][day] = office.clone();
    }
    system["maintenance"] = json!([[[], [], [[480, 540]], [], [], [], []]]);
    promise["holidays"] = json!([{ "date": "2024-10-10", "as_on": "off" }]);
    story.promise(OCTOBER - 9 * DAY, promise);
    story.watch(HOME, INTERVAL, "hn-1", (OCTOBER - DAY, NOVEMBER + DAY), |_| Some(Reason::None));
    story.tell().await;
    let october = story.october();
    let times = october.measured.as_ref().unwrap().figures.times;
    // 15/09/2024 is a Sunday: 21 working days until 14/10 (a Monday), one a holiday; four Wednesdays.
    assert_eq!(times.up_ms, (20 * 9 - 4) * HOUR);
    assert_eq!(times.excluded_ms, NOVEMBER - OCTOBER - times.up_ms);
    assert_eq!(october.maintenance.len(), 4);
}
