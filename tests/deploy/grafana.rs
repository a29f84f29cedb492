//! The dashboards, held against Grafana's own libraries of each major (`tests/grafana`), and what
//! Grafana is to read them by.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::harness::{Folder, is_installed};
use crate::{lint, project, run, said, skip};

/// What `tests/grafana/check.mjs` says of the dashboards in a folder.
fn check(test: &str, folder: &Path) -> Option<Output> {
    if !is_installed("node") {
        skip::skip(test, "no node");
        return None;
    }
    if !project("tests/grafana/node_modules/typescript").is_dir() {
        skip::skip(test, "npm ci was not run in tests/grafana");
        return None;
    }
    Some(run("node", &["tests/grafana/check.mjs", folder.to_str().unwrap()]))
}

#[test]
fn each_grafana_from_10_to_13_knows_all_that_the_dashboards_say() {
    let Some(output) = check("dashboards by Grafana's types", &project("grafana/dashboards"))
    else {
        return;
    };
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("4 majors, 10 dashboards, "), "{}", said(&output));
}

/// A mistake: where it is put, what stands there then, and what is said of it.
type Planted = (&'static str, Value, &'static str);

/// In the page of a system, whose panel 8 is a time series, 13 a bar gauge.
fn mistakes_of_system() -> Vec<Planted> {
    vec![
        ("/panels/8/options/legend/displayMode", json!("grid"), "'\"grid\"' is not assignable"),
        ("/panels/8/options/legend/calcs/1", json!("highest"), "no reducer: highest"),
        ("/panels/8/options/tooltip/sort", json!("down"), "'\"down\"' is not assignable"),
        ("/panels/8/fieldConfig/defaults/custom/drawStyle", json!("dots"), "'\"dots\"' is not"),
        ("/panels/8/fieldConfig/defaults/color/mode", json!("thresholds"), "series of one colour"),
        ("/panels/8/fieldConfig/defaults/custom/fill", json!(1), "'\"fill\"' does not exist"),
        ("/panels/13/options/displayMode", json!("bars"), "'\"bars\"' is not assignable"),
        ("/panels/13/options/minHeight", json!(8), "'\"minHeight\"' does not exist in type"),
        ("/panels/13/fieldConfig/defaults/custom", json!({"width": 1}), "'never'"),
    ]
}

/// In the overview, whose panels 0 and 6 are stats, 11 the table of systems, 12 a timeline.
fn mistakes_of_wall() -> Vec<Planted> {
    vec![
        ("/panels/0/type", json!("singlestat"), "'singlestat' does not exist on type 'Panels'"),
        ("/panels/0/options/graphMode", json!("sparkline"), "'\"sparkline\"' is not assignable"),
        ("/panels/0/options/graphStyle", json!("area"), "'\"graphStyle\"' does not exist in type"),
        ("/panels/6/options/text/valueSize", json!("40"), "'string' is not assignable to"),
        ("/panels/0/gridPos/h", json!("4"), "'string' is not assignable to type 'number'"),
        ("/panels/0/options/reduceOptions/calcs/0", json!("latest"), "no reducer: latest"),
        ("/panels/0/fieldConfig/defaults/unit", json!("minutes"), "no unit: minutes"),
        ("/panels/0/fieldConfig/defaults/color/mode", json!("by-value"), "is not assignable"),
        ("/panels/0/fieldConfig/defaults/thresholds/steps/0/color", json!("gray1"), "no colour"),
        ("/panels/0/targets/0/format", json!("timeseries"), "is not assignable"),
        ("/panels/11/options/cellHeight", json!("tiny"), "is not assignable"),
        ("/panels/11/fieldConfig/defaults/custom/width2", json!(9), "does not exist in type"),
        ("/panels/11/fieldConfig/overrides/0/matcher/options", json!("Nome"), "of no column: Nome"),
        (
            "/panels/11/fieldConfig/overrides/1/properties/1/id",
            json!("custom.cellMode"),
            "custom.cell",
        ),
        (
            "/panels/11/fieldConfig/overrides/1/properties/1/value/type",
            json!("colour"),
            "is not ass",
        ),
        ("/panels/11/transformations/2/id", json!("arrange"), "'\"arrange\"' is not assignable"),
        ("/panels/11/transformations/0/id", json!("organize"), "not one"),
        ("/panels/11/transformations/2/options/renameByName", json!({}), "columns are "),
        ("/panels/12/options/showValue", json!("maybe"), "'\"maybe\"' is not assignable"),
        ("/annotations/list/0/expr", json!("up"), "'\"expr\"' does not exist in type"),
        ("/templating/list/1/refresh", json!(3), "'3' is not assignable"),
        ("/templating/list/1/regex", json!("/(.*)/"), "no text and value"),
        ("/links/0/type", json!("url"), "'\"url\"' is not assignable"),
        ("/time/from", json!("since-yesterday"), "no time: since-yesterday"),
        ("/refresh", json!(30), "'number' is not assignable to type 'string'"),
        ("/hideControls", json!(true), "'\"hideControls\"' does not exist in type"),
    ]
}

/// Puts a value where `place` leads; the last step may be new.
fn plant(dashboard: &mut Value, place: &str, value: Value) {
    let (parent, last) = place.rsplit_once('/').unwrap();
    let parent = dashboard.pointer_mut(parent).unwrap_or_else(|| panic!("there is no {place}"));
    match parent {
        Value::Array(list) => list[last.parse::<usize>().unwrap()] = value,
        _ => parent[last] = value,
    }
}

#[test]
fn a_mistake_in_a_dashboard_is_found_for_each_major() {
    let folder = Folder::new();
    let language = folder.path().join("dashboards/en");
    fs::create_dir_all(&language).unwrap();
    let mut planted = Vec::new();
    for (name, mistakes) in [("wall", mistakes_of_wall()), ("system", mistakes_of_system())] {
        let right = project(&format!("grafana/dashboards/en/{name}.json"));
        let right: Value = serde_json::from_str(&fs::read_to_string(right).unwrap()).unwrap();
        for (at, (place, value, meant)) in mistakes.into_iter().enumerate() {
            let mut wrong = right.clone();
            plant(&mut wrong, place, value);
            let file = format!("{name}-{at:02}.json");
            fs::write(language.join(&file), wrong.to_string()).unwrap();
            planted.push((file, place, meant));
        }
    }
    let Some(output) = check("planted mistakes", language.parent().unwrap()) else { return };
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let told = said(&output);
    for (file, place, meant) in planted {
        for major in 10..=13 {
            let start = format!("Grafana {major}: en/{file}");
            let lines: Vec<_> = told.lines().filter(|it| it.starts_with(&start)).collect();
            assert!(lines.iter().any(|it| it.contains(meant)), "{start}, {place}: {lines:#?}");
        }
    }
}

#[test]
fn every_figure_of_a_system_is_of_the_chosen_owner_and_known_lines_have_fixed_colours() {
    lint("dashboards", "grafana/dashboards");
}

/// In the page of vantages: what an owner's choice must not pass by, and a colour left to chance.
#[test]
fn a_query_that_passes_by_the_chosen_owner_is_refused() {
    if !run("python3", &["-c", "import yaml"]).status.success() {
        return skip::skip("planted queries", "no Python module yaml");
    }
    let rate = |join: &str| format!("sum(rate(thongsuot_result_duration_seconds_count[1m]){join})");
    let info = r#"thongsuot_system_info{owner=~"$owner",system=~"$system"}"#;
    let alone = r#"thongsuot_results_total{system=~"$system"}"#;
    let meant = "not of the chosen owner and system: thongsuot_";
    let wrong = [
        rate(""),
        rate(" and on (job, instance) thongsuot_vantage_info"),
        rate(&format!(" unless on (system) {info}")),
        rate(&format!(" and on (system) {alone}")),
        format!("{} or thongsuot_incident_open", rate(&format!(" and on (system) {info}"))),
        "thongsuot_tls_not_after_timestamp_seconds - time()".to_owned(),
        alone.to_owned(),
    ];
    let right = fs::read_to_string(project("grafana/dashboards/en/vantage.json")).unwrap();
    let right: Value = serde_json::from_str(&right).unwrap();
    for expr in wrong {
        let mut planted = right.clone();
        plant(&mut planted, "/panels/0/targets/0/expr", json!(expr));
        refused(&planted, meant, &expr);
    }
    let system = fs::read_to_string(project("grafana/dashboards/en/system.json")).unwrap();
    let mut planted: Value = serde_json::from_str(&system).unwrap();
    plant(&mut planted, "/panels/8/fieldConfig/overrides", json!([]));
    refused(&planted, "no colour: half are faster", "no override");
}

#[track_caller]
fn refused(dashboard: &Value, meant: &str, what: &str) {
    let folder = Folder::new();
    let language = folder.path().join("en");
    fs::create_dir_all(&language).unwrap();
    fs::write(language.join("planted.json"), dashboard.to_string()).unwrap();
    let place = folder.path().to_str().unwrap();
    let output = run("python3", &["tests/deploy/lint.py", "dashboards", place]);
    assert_eq!(output.status.code(), Some(1), "{what}");
    assert!(said(&output).contains(meant), "{what}: {}", said(&output));
}

#[test]
fn provisioning_says_only_what_grafana_reads() {
    lint("provisioning", "grafana/provisioning");
}
