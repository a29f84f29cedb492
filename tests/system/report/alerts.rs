//! Who was called for an outage, and who took it on how soon (MTTA).

use serde_json::{Value, json};
use thongsuot::model::reason::Reason;

use super::command::printed;
use super::kit::{DAY, HOUR, MINUTE, NOVEMBER, OCTOBER, Story, contract, within};

const HOME: &str = "vneid-home";
const INTERVAL: i64 = 10 * MINUTE;

const FIRST: i64 = OCTOBER + 3 * DAY;
const SECOND: i64 = OCTOBER + 6 * DAY;
const THIRD: i64 = OCTOBER + 9 * DAY;
const FOURTH: i64 = OCTOBER + 12 * DAY;
const FIFTH: i64 = FOURTH + 3 * HOUR;

/// An event of an alert about `vneid`.
fn alert(story: &mut Story, at: i64, number: u32, what: &str) {
    let body = json!({
        "incident": format!("SC-2024-{number:04}"), "who": "an", "severity": "page",
        "thread": { "of": "service", "id": "vneid" }, "kind": "down", "text": "",
    });
    story.event(at, &format!("alert.{what}"), body);
}

/// Outages: one taken on after 90 s, one that nobody took on, one that nobody was told of, and two
/// in one conversation, taken on after 30 s.
async fn told() -> Story {
    let mut story = Story::new();
    story.promise(OCTOBER - 5 * DAY, contract(999_000, &[(HOME, INTERVAL, true)]));
    for (number, from) in [(1, FIRST), (2, SECOND)] {
        alert(&mut story, from + 20 * MINUTE, number, "opened");
        alert(&mut story, from + 20 * MINUTE, number, "paged");
        if number == 1 {
            alert(&mut story, from + 20 * MINUTE + 90_000, number, "acknowledged");
        }
        alert(&mut story, from + 2 * HOUR, number, "closed");
    }
    for (after, what) in
        [(20 * MINUTE, "opened"), (20 * MINUTE + 30_000, "acknowledged"), (5 * HOUR, "closed")]
    {
        alert(&mut story, FOURTH + after, 3, what);
    }
    let bad = [FIRST, SECOND, THIRD, FOURTH, FIFTH].map(|it| (it, it + HOUR));
    story.watch(HOME, INTERVAL, "hn-1", (OCTOBER - 2 * DAY, NOVEMBER + 2 * DAY), |at| {
        Some(if within(at, &bad) { Reason::ConnectRefused } else { Reason::None })
    });
    story.tell().await;
    story
}

#[tokio::test]
async fn a_report_tells_who_was_called_and_who_took_it_on_how_soon() {
    let story = told().await;
    let json = printed(&story, &["report", "--period", "2024-10", "--format", "json"]);
    let report: Value = serde_json::from_str(&json).unwrap();
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/report.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<_> = schema.iter_errors(&report).map(|it| it.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(report["report"], 2);
    let system = &report["systems"][0];
    let incidents = system["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), 5);
    let of = |at: usize, key: &str| incidents[at][key].clone();
    assert_eq!(of(0, "alert"), "SC-2024-0001");
    assert_eq!(of(0, "first_alert")["ms"], FIRST + 20 * MINUTE);
    assert_eq!(of(0, "acknowledged")["ms"], FIRST + 20 * MINUTE + 90_000);
    assert_eq!(of(0, "acknowledged_by"), "an");
    assert_eq!(of(1, "alert"), "SC-2024-0002");
    assert_eq!((of(1, "acknowledged"), of(1, "acknowledged_by")), (Value::Null, Value::Null));
    assert_eq!((of(2, "alert"), of(2, "first_alert")), (Value::Null, Value::Null));
    assert_eq!((of(3, "alert"), of(4, "alert")), ("SC-2024-0003".into(), "SC-2024-0003".into()));
    assert_eq!(of(3, "acknowledged"), of(4, "acknowledged"));
    let mean = |of: &Value| of["figures"]["incidents"]["mean_to_acknowledge_ms"].clone();
    assert_eq!(mean(system), 60_000, "an alert over two incidents counts once");
    assert_eq!(mean(&system["checks"][0]), Value::Null, "alerts are about systems");

    let csv = printed(&story, &["report", "--period", "2024-10", "--format", "csv"]);
    let rows: Vec<Vec<&str>> = csv.lines().map(|it| it.split(',').collect()).collect();
    let place = rows[0].iter().position(|it| *it == "mean_to_acknowledge_ms").unwrap();
    assert_eq!([rows[1][place], rows[2][place]], ["60000", ""]);

    let table = printed(&story, &["report", "--period", "2024-10"]);
    let table = table.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "; MTTA 1 phút",
        "SC-2024-0001 · báo động 18/09/2024 00:20:00 · an tiếp nhận sau 1 phút 30 giây",
        "SC-2024-0002 · báo động 21/09/2024 00:20:00 · không ai tiếp nhận",
    ] {
        assert!(table.contains(part), "{part}\n{table}");
    }
}

#[tokio::test]
async fn a_report_as_of_an_instant_knows_of_no_later_answer() {
    let story = told().await;
    let as_of = "2024-09-18T00:21:00+07:00";
    let arguments = ["report", "--period", "2024-10", "--format", "json", "--as-of", as_of];
    let report: Value = serde_json::from_str(&printed(&story, &arguments)).unwrap();
    let system = &report["systems"][0];
    let incident = &system["incidents"][0];
    assert_eq!(incident["first_alert"]["ms"], FIRST + 20 * MINUTE);
    assert_eq!(incident["acknowledged"], Value::Null);
    assert_eq!(system["figures"]["incidents"]["mean_to_acknowledge_ms"], Value::Null);
}
