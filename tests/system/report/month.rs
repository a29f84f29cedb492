//! A month of the decree, against numbers worked out from the script alone.

use thongsuot::availability::figures::Verdict;
use thongsuot::model::reason::Reason;
use thongsuot::model::time::Millis;

use super::kit::{DAY, HOUR, MINUTE, NOVEMBER, OCTOBER, Story, contract, edge, within};

const HOME: &str = "vneid-home";
const API: &str = "vneid-api";

/// Ten minutes.
const INTERVAL: i64 = 10 * MINUTE;

#[tokio::test]
async fn a_month_has_the_figures_that_its_script_says() {
    let outage = (OCTOBER + 3 * DAY, OCTOBER + 3 * DAY + 2 * HOUR);
    let refusal = (OCTOBER + 9 * DAY, OCTOBER + 9 * DAY + 40 * MINUTE);
    let slow = (OCTOBER + 12 * DAY, OCTOBER + 12 * DAY + 5 * HOUR);
    let absent = (OCTOBER + 20 * DAY, OCTOBER + 20 * DAY + 3 * HOUR);
    let other = (OCTOBER + 25 * DAY, OCTOBER + 25 * DAY + HOUR);
    let mut story = Story::new();
    story.promise(
        OCTOBER - 5 * DAY,
        contract(995_000, &[(HOME, INTERVAL, true), (API, INTERVAL, false)]),
    );
    let all = (OCTOBER - 3 * DAY, NOVEMBER + 3 * DAY);
    story.watch(HOME, INTERVAL, "hn-1", all, |at| match at {
        _ if within(at, &[outage]) => Some(Reason::TimeoutWait),
        _ if within(at, &[refusal]) => Some(Reason::ConnectRefused),
        _ if within(at, &[slow]) => Some(Reason::OverSlow),
        _ if within(at, &[absent]) => None,
        _ => Some(Reason::None),
    });
    story.watch(API, INTERVAL, "hn-1", all, |at| {
        Some(if within(at, &[other]) { Reason::HttpStatus } else { Reason::None })
    });
    story.void(HOME, "hn-1", absent);
    story.tell().await;

    let october = story.october();
    let measured = october.measured.as_ref().unwrap();
    let times = &measured.figures.times;
    let between = |check: &str, span: (i64, i64)| {
        edge(&story.results, check, span.1) - edge(&story.results, check, span.0)
    };
    let down = between(HOME, outage) + between(HOME, refusal);
    let partial = between(API, other);
    // The last run before the gap and the first after it speak for 0.6 of a step each.
    let reach = thongsuot::model::step::Step::of(&HOME.try_into_id(), INTERVAL).reach_ms();
    let starts =
        || story.results.iter().filter(|it| it.check.as_str() == HOME).map(|it| it.started.0);
    let before = starts().filter(|it| *it < absent.0).max().unwrap();
    let after = starts().filter(|it| *it >= absent.1).min().unwrap();
    let unknown = after - before - 2 * reach;
    assert_eq!(times.down_ms, down);
    assert_eq!(times.partial_ms, partial);
    assert_eq!(times.unknown_ms, unknown);
    assert_eq!(times.slow_ms, between(HOME, slow));
    assert_eq!(times.up_ms, NOVEMBER - OCTOBER - down - partial - unknown - times.slow_ms);
    assert_eq!((times.excluded_ms, times.maintenance_down_ms, measured.figures.blips), (0, 0, 0));
    assert_eq!(measured.summary.count, 2);
    assert_eq!(measured.summary.mean_down_ms, Some(down / 2));

    // 0.5 % of what is known, down about 160 of 215 minutes.
    let promised = october.promised.unwrap();
    let known = NOVEMBER - OCTOBER - unknown;
    assert_eq!((promised.budget_ms, promised.down_ms), (known * 5_000 / 1_000_000, down));
    assert_eq!(promised.verdict, Verdict::Met);

    let first = &october.episodes[0];
    assert_eq!(first.start.at, Millis(edge(&story.results, HOME, outage.0)));
    assert!(first.start.earliest.0 <= outage.0 && outage.0 <= first.start.latest.0);
    assert!(first.end.earliest.0 <= outage.1 && outage.1 <= first.end.latest.0);
    assert_eq!(first.fault, Some(Reason::TimeoutWait));
    assert_eq!(
        first.checks.iter().map(thongsuot::model::id::CheckId::as_str).collect::<Vec<_>>(),
        [HOME]
    );
    assert_eq!(october.episodes.len(), 2);
    assert_eq!(october.checks.len(), 2);
    let api = &october.checks[1];
    assert_eq!((api.id.as_str(), api.measured.figures.times.down_ms), (API, partial));
    assert_eq!(api.vantages[0].measured.figures.times, api.measured.figures.times);

    let home = &october.checks[0];
    let counted = |reason: Reason| {
        let in_it = |at: i64| (OCTOBER..NOVEMBER).contains(&at);
        let same =
            story.results.iter().filter(|it| it.check.as_str() == HOME && it.reason == reason);
        i64::try_from(same.filter(|it| in_it(it.started.0)).count()).unwrap()
    };
    for reason in [Reason::None, Reason::OverSlow, Reason::TimeoutWait, Reason::ConnectRefused] {
        assert_eq!(home.measured.runs[&reason], counted(reason), "{reason:?}");
    }
    assert_eq!(home.measured.void_ms[&Reason::Stopped], 3 * HOUR);
    let latency = home.measured.latency.from_started.unwrap();
    assert_eq!((latency.p50.0, latency.max.0), (120_000, 120_000));
    assert_eq!(home.measured.latency.from_scheduled.unwrap().p99.0, 122_000);
}

trait TryIntoId {
    fn try_into_id(&self) -> thongsuot::model::id::CheckId;
}

impl TryIntoId for str {
    fn try_into_id(&self) -> thongsuot::model::id::CheckId {
        thongsuot::model::id::CheckId::new(self).unwrap()
    }
}

#[tokio::test]
async fn without_any_data_nothing_is_said_to_have_been_available() {
    let mut story = Story::new();
    story.promise(OCTOBER - DAY, contract(999_000, &[(HOME, INTERVAL, true)]));
    story.tell().await;
    let october = story.october();
    let measured = october.measured.as_ref().unwrap();
    assert_eq!(measured.figures.availability(), None);
    assert_eq!(measured.figures.times.unknown_ms, NOVEMBER - OCTOBER);
    assert_eq!(october.promised.unwrap().verdict, Verdict::NotEnoughData);
    let report = story.report("2024-10").unwrap();
    let json = thongsuot::report::json::value(&report);
    assert!(json["systems"][0]["figures"]["availability"].is_null());
    let table =
        thongsuot::report::table::text(&report, thongsuot::report::table::Language::Vietnamese);
    assert!(table.contains("không có dữ liệu") && !table.contains("100%"), "{table}");
}

#[tokio::test]
async fn a_check_added_in_the_middle_is_judged_from_its_first_slot() {
    let mut story = Story::new();
    let from = OCTOBER + 10 * DAY;
    story.promise(from, contract(999_000, &[(HOME, INTERVAL, true)]));
    story.watch(HOME, INTERVAL, "hn-1", (from, NOVEMBER + DAY), |_| Some(Reason::None));
    story.tell().await;
    let times = story.october().measured.unwrap().figures.times;
    let first = super::kit::slots(&HOME.try_into_id(), INTERVAL, from, NOVEMBER)[0];
    assert_eq!((times.excluded_ms, times.unknown_ms), (first - OCTOBER, 0));
    assert_eq!(times.up_ms, NOVEMBER - first);
}
