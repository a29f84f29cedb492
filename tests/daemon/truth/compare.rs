//! The report of a history and the API of the daemon that writes it: the same integers.

use super::*;

fn written(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().to_string()
}

/// The report from one instant to another.
#[track_caller]
pub(super) fn report(folder: &Folder, from: i64, to: i64) -> Value {
    let (from, to) = (written(from), written(to));
    let period = ["--from", &from, "--to", &to];
    let form = ["--format", "json", "--data", "var"];
    let (code, out, err) = folder.run(&[&["report"], &period[..], &form[..]].concat());
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

/// A system of a report.
#[track_caller]
pub(super) fn system<'a>(report: &'a Value, id: &str) -> &'a Value {
    report["systems"].as_array().unwrap().iter().find(|it| it["id"] == id).unwrap()
}

/// The figures of a system that the API gives.
#[track_caller]
pub(super) fn web_figures(daemon: &Daemon, id: &str, from: i64, to: i64) -> Value {
    let (from, to) = (written(from), written(to));
    daemon.json(&format!("/api/v1/systems/{id}/figures?from={from}&to={to}"))
}

/// Part and whole of a share, however they are called.
fn share(it: &Value) -> Option<(i64, i64)> {
    let of = |keys: [&str; 2]| keys.iter().find_map(|key| it[*key].as_i64());
    Some((of(["part", "part_ms"])?, of(["whole", "whole_ms"])?))
}

/// Checks that the API and the report say the same of a system.
#[track_caller]
pub(super) fn web_equals_report(daemon: &Daemon, report: &Value, id: &str, from: i64, to: i64) {
    let web = web_figures(daemon, id, from, to);
    let system = system(report, id);
    let figures = &system["figures"];
    assert_eq!((millis(&web["from"]), millis(&web["to"])), (from, to), "{id}");
    assert_eq!(report["period"]["finished"], true, "{id}");
    for (key, ms) in web["times_ms"].as_object().unwrap() {
        let key = if key == "maintenance_down" { "down_in_maintenance" } else { key };
        assert_eq!(*ms, figures["times_ms"][key], "{id}: `{key}`: {web} and {figures}");
    }
    let range = &figures["range"];
    let shares = [
        ("availability", &figures["availability"]),
        ("coverage", &figures["coverage"]),
        ("reachability", &figures["reachability"]),
        ("availability_min", &range["least"]),
        ("availability_max", &range["most"]),
    ];
    for (key, other) in shares {
        assert_eq!(share(&web[key]), share(other), "{id}: `{key}`: {web} and {figures}");
    }
    let others = [
        ("uncertainty_ms", &figures["uncertainty_ms"]),
        ("blips", &figures["blips"]),
        ("incidents", &figures["incidents"]["count"]),
        ("enough_data", &system["enough_data"]),
        ("budget_ms", &system["objective"]["budget_ms"]),
        ("verdict", &system["objective"]["verdict"]),
    ];
    for (key, other) in others {
        assert!(!other.is_null(), "{id}: `{key}` is in the report");
        assert_eq!(web[key], *other, "{id}: `{key}`: {web} and {system}");
    }
    same_incidents(daemon, system, id, from, to);
}

#[track_caller]
fn same_incidents(daemon: &Daemon, system: &Value, id: &str, from: i64, to: i64) {
    let (from, to) = (written(from), written(to));
    let path = format!("/api/v1/incidents?system={id}&from={from}&to={to}");
    let web = daemon.json(&path);
    let (web, report) = (web["incidents"].as_array().unwrap(), system["incidents"].as_array());
    let report = report.unwrap();
    assert_eq!(web.len(), report.len(), "{id}: {web:?} and {report:?}");
    for (web, report) in web.iter().zip(report) {
        for key in ["start", "end"] {
            let edge = ["at", "earliest", "latest"].map(|it| millis(&web[key][it]));
            let other = ["ms", "earliest_ms", "latest_ms"].map(|it| report[key][it].as_i64());
            assert_eq!(edge.map(Some), other, "{id}: {key}: {web} and {report}");
        }
        assert_eq!(millis(&web["confirmed"]), report["confirmed_ms"].as_i64().unwrap(), "{id}");
        for key in ["down_ms", "reason"] {
            assert_eq!(web[key], report[key], "{id}: `{key}`");
        }
    }
}
