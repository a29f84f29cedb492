//! The Grafana dashboards: what is committed is what the source makes, each is well formed, and a real
//! Prometheus that scrapes a real daemon has something to show in every panel.

mod country;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::Duration;

use regex::Regex;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::harness::{Folder, Process, is_installed, within};
use crate::prometheus::{query, start};
use crate::rules::project;
use crate::skip::skip;

const DASHBOARDS: [&str; 5] = ["wall", "system", "vantage", "slo", "monitor"];
const LANGUAGES: [&str; 2] = ["vi", "en"];

/// Kinds of panels that Grafana 10 to 13 all have.
const KINDS: [&str; 7] =
    ["stat", "table", "timeseries", "state-timeline", "status-history", "bargauge", "row"];

/// Longest that every panel may take to have something to show.
const PATIENCE: Duration = Duration::from_mins(1);

fn dashboard(language: &str, name: &str) -> Value {
    let path = project(&format!("grafana/dashboards/{language}/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Panels but rows, which have no queries.
fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    dashboard["panels"].as_array().unwrap().iter().filter(|it| it["type"] != "row")
}

#[test]
fn the_committed_dashboards_are_what_the_source_makes() {
    let right = "import sys, tomllib";
    if !Command::new("python3").args(["-c", right]).status().is_ok_and(|it| it.success()) {
        return skip("dashboards are as their source", "no Python 3.11");
    }
    let build = project("grafana/build.py");
    let output = Command::new("python3").arg(build).arg("--check").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// Every string of a JSON value.
fn strings<'a>(value: &'a Value, all: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => all.push(text),
        Value::Array(list) => list.iter().for_each(|it| strings(it, all)),
        Value::Object(map) => map.values().for_each(|it| strings(it, all)),
        _ => {}
    }
}

#[test]
fn both_languages_ask_the_same_and_the_english_one_has_no_vietnamese() {
    let vietnamese =
        Regex::new("(?i)[àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ]")
            .unwrap();
    for name in DASHBOARDS {
        let both = LANGUAGES.map(|language| dashboard(language, name));
        let shape = |it: &Value| -> Vec<(Value, Value, usize)> {
            let of = |it: &Value| {
                (it["id"].clone(), it["type"].clone(), it["targets"].as_array().unwrap().len())
            };
            panels(it).map(of).collect()
        };
        assert_eq!(shape(&both[0]), shape(&both[1]), "{name}");
        let mut english = Vec::new();
        strings(&both[1], &mut english);
        let left: Vec<_> = english.iter().filter(|it| vietnamese.is_match(it)).collect();
        assert!(left.is_empty(), "{name}: {left:?}");
        assert!(vietnamese.is_match(both[0]["title"].as_str().unwrap()) || name == "slo");
    }
}

#[test]
fn every_dashboard_is_well_formed() {
    let mut uids = BTreeSet::new();
    let links = Regex::new(r"^/d/(thongsuot-[a-z-]+)").unwrap();
    for (language, name) in LANGUAGES.iter().flat_map(|it| DASHBOARDS.map(|name| (it, name))) {
        let dashboard = dashboard(language, name);
        let uid = dashboard["uid"].as_str().unwrap().to_owned();
        assert!(uid.len() <= 40 && uids.insert(uid.clone()), "{uid} twice");
        let mut ids = BTreeSet::new();
        for panel in dashboard["panels"].as_array().unwrap() {
            let place = format!("{uid}/{}", panel["title"]);
            assert!(ids.insert(panel["id"].as_i64().unwrap()), "{place}: an id twice");
            assert!(KINDS.contains(&panel["type"].as_str().unwrap()), "{place}: {}", panel["type"]);
        }
        overlaps(&uid, &dashboard);
        for panel in panels(&dashboard) {
            well_formed(&format!("{uid}/{}", panel["title"]), panel);
        }
        let mut all = Vec::new();
        strings(&dashboard, &mut all);
        for link in all.iter().filter_map(|it| links.captures(it)) {
            let known = DASHBOARDS.iter().any(|it| {
                link[1] == *format!("thongsuot-{it}{}", if *language == "vi" { "" } else { "-en" })
            });
            assert!(known, "{uid}: a link to {}", &link[1]);
        }
    }
}

/// Datasource by variable, unit, description, words for no data, nothing hard-coded.
fn well_formed(place: &str, panel: &Value) {
    let datasource = json!({"type": "prometheus", "uid": "${datasource}"});
    let defaults = &panel["fieldConfig"]["defaults"];
    assert_eq!(panel["datasource"], datasource, "{place}");
    assert!(defaults["unit"].is_string(), "{place}: no unit");
    assert!(panel["description"].as_str().unwrap().ends_with('.'), "{place}: no description");
    assert!(!defaults["noValue"].as_str().unwrap().is_empty(), "{place}: no words for no data");
    let hard = Regex::new(r#"(system|owner|check|vantage|instance|job)=~?"[^$"(]"#).unwrap();
    let targets = panel["targets"].as_array().unwrap();
    assert!(!targets.is_empty(), "{place}: no query");
    let mut refs = BTreeSet::new();
    for target in targets {
        assert_eq!(target["datasource"], datasource, "{place}");
        assert!(refs.insert(target["refId"].as_str().unwrap()), "{place}: a refId twice");
        let expr = target["expr"].as_str().unwrap();
        assert!(!hard.is_match(expr), "{place}: a name is hard-coded: {expr}");
        assert!(!expr.contains("[5m]"), "{place}: use $__rate_interval");
    }
    // What has no value takes the first colour, which must not look like all is well.
    let first = &defaults["thresholds"]["steps"][0];
    if ["stat", "bargauge", "table"].contains(&panel["type"].as_str().unwrap()) {
        assert_eq!(first, &json!({"color": "#8E8E8E", "value": null}), "{place}");
    }
    let states = &defaults["mappings"][0]["options"];
    if states["5"].is_object() {
        let texts: BTreeSet<_> =
            states.as_object().unwrap().values().map(|it| it["text"].as_str().unwrap()).collect();
        assert_eq!(texts.len(), 6, "{place}: each state in its own words");
    }
}

/// No two panels lie on each other, and none sticks out.
fn overlaps(uid: &str, dashboard: &Value) {
    let mut taken = BTreeMap::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let of = |key: &str| panel["gridPos"][key].as_i64().unwrap();
        assert!(of("x") + of("w") <= 24, "{uid}: {} sticks out", panel["title"]);
        for cell in (of("x")..of("x") + of("w"))
            .flat_map(|x| (of("y")..of("y") + of("h")).map(move |y| (x, y)))
        {
            let other = taken.insert(cell, panel["title"].clone());
            assert_eq!(other, None, "{uid}: under {}", panel["title"]);
        }
    }
}

/// One query of a panel, with why it may be empty.
#[derive(Debug)]
struct Asked {
    place: String,
    expr: String,
    empty: Option<String>,
}

/// Every query of every panel, its variables filled with everything (`.*`).
fn asked() -> Vec<Asked> {
    let empty: Value =
        serde_json::from_str(&std::fs::read_to_string(project("grafana/empty.json")).unwrap())
            .unwrap();
    let mut all = Vec::new();
    for name in DASHBOARDS {
        for panel in panels(&dashboard("vi", name)) {
            for target in panel["targets"].as_array().unwrap() {
                let reference = target["refId"].as_str().unwrap();
                let reason = &empty[name][panel["id"].to_string()][reference];
                all.push(Asked {
                    place: format!("{name}/{}/{reference}", panel["title"]),
                    expr: target["expr"].as_str().unwrap().to_owned(),
                    empty: reason.as_str().map(str::to_owned),
                });
            }
        }
    }
    all
}

/// An expression with its variables filled. `all`: everything is chosen, else one of each.
fn filled(expr: &str, all: bool) -> String {
    let chosen = |one: &str| if all { ".*".to_owned() } else { one.to_owned() };
    let filled = expr
        .replace("$__rate_interval", "30s")
        .replace("$__range", "1h")
        .replace("$window", "30s")
        .replace("$owner", &chosen("(bca|vp)"))
        .replace("$system", &chosen("dvc"))
        .replace("$vantage", &chosen("hn-1"))
        .replace("$check", &chosen("(dvc|dvc-cert)"));
    // Groups of `label_replace` are none.
    let left = filled.replace("$1", "").replace("$2", "");
    assert!(!left.contains('$'), "a variable is left: {filled}");
    filled
}

/// Waits until each of `asked` has series; what has none in the end is named.
#[track_caller]
fn all_show(prometheus: SocketAddr, asked: &[(String, String)]) {
    let from = Instant::now();
    let mut left: Vec<_> = asked.iter().collect();
    loop {
        left.retain(|(_, expr)| query(prometheus, expr).is_empty());
        if left.is_empty() {
            return;
        }
        if from.elapsed() > PATIENCE {
            let left: Vec<_> =
                left.iter().map(|(place, expr)| format!("{place}:\n{expr}")).collect();
            panic!("nothing to show after {PATIENCE:?}:\n{}", left.join("\n\n"));
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Prometheus with the shipped rules, scraping `target` each second.
fn prometheus(folder: &Folder, target: SocketAddr) -> (SocketAddr, Process) {
    let rules = std::fs::read_to_string(project("deploy/prometheus/rules.yml")).unwrap();
    std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
    let scrape = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [rules.yml]\n\
         scrape_configs:\n- job_name: thongsuot\n  static_configs: [{{targets: ['{target}']}}]\n"
    );
    start(folder, &scrape)
}

/// VictoriaMetrics with the same scrape configuration, but rules, which are vmalert's matter.
fn victoria(folder: &Folder, target: SocketAddr) -> (SocketAddr, Process) {
    let scrape = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: thongsuot\n  \
         static_configs: [{{targets: ['{target}']}}]\n"
    );
    std::fs::write(folder.path().join("victoria.yml"), scrape).unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = Command::new("victoria-metrics");
    command.current_dir(folder.path()).args([
        "-promscrape.config=victoria.yml",
        "-storageDataPath=victoria-data",
        // By default it shows nothing that is younger than half a minute.
        "-search.latencyOffset=1s",
        "-memory.allowedBytes=64MiB",
        &format!("-httpListenAddr={address}"),
    ]);
    (address, Process::start(command, folder.path()))
}

#[test]
fn every_panel_of_every_dashboard_has_something_to_show() {
    if !is_installed("prometheus") {
        return skip("every panel has something to show", "prometheus is not installed");
    }
    let asked = asked();
    let mut country = country::Country::start();
    let daemon = country.healthy();
    let (address, _prometheus) = prometheus(&country.folder, daemon.address);
    let other = is_installed("victoria-metrics").then(|| victoria(&country.folder, daemon.address));

    let unmarked = asked.iter().filter(|it| it.empty.is_none());
    let healthy: Vec<_> = unmarked.map(|it| (it.place.clone(), filled(&it.expr, true))).collect();
    all_show(address, &healthy);
    match other {
        Some((address, _victoria)) => all_show(address, &healthy),
        None => skip("VictoriaMetrics takes the same scrape", "victoria-metrics is not installed"),
    }
    variables_have_values(address);
    // Marked queries are empty while all is well; a certificate can't be mended that fast, and the time
    // before the start is an absence.
    let marked = asked.iter().filter(|it| it.empty.is_some());
    let loud: Vec<_> = marked
        .filter(|it| {
            !["certificates", "void slots"]
                .iter()
                .any(|word| it.empty.as_ref().unwrap().contains(word))
        })
        .filter(|it| !query(address, &filled(&it.expr, true)).is_empty())
        .collect();
    assert!(loud.is_empty(), "marked as empty, yet: {loud:#?}");

    let daemon = country.broken(daemon);
    let one = |it: &Asked| {
        // What is asked of one system alone is asked of the one that is broken.
        (it.place.clone(), filled(&it.expr, !it.place.starts_with("system/")))
    };
    let marked: Vec<_> = asked.iter().filter(|it| it.empty.is_some()).map(one).collect();
    all_show(address, &marked);
    let every: Vec<_> = asked.iter().map(one).collect();
    all_show(address, &every);
    annotations_show(address);
    let alert =
        "ALERTS{alertname=\"ThongsuotServiceDown\",alertstate=\"firing\",severity=\"page\"}";
    within(PATIENCE, alert, || (!query(address, alert).is_empty()).then_some(()));
    drop(daemon);
}

/// What the variables of each dashboard offer, as Grafana asks for it.
fn variables_have_values(prometheus: SocketAddr) {
    let label_values = Regex::new(r"^label_values\((.+), (\w+)\)$").unwrap();
    let result = Regex::new(r"^query_result\((.+)\)$").unwrap();
    for name in DASHBOARDS {
        let dashboard = dashboard("vi", name);
        let list = dashboard["templating"]["list"].as_array().unwrap();
        assert_eq!(list[0]["type"], "datasource");
        for variable in list[1..].iter().filter(|it| it["type"] == "query") {
            let text = filled(variable["query"]["query"].as_str().unwrap(), true);
            if let Some(of) = label_values.captures(&text) {
                let series = query(prometheus, &of[1]);
                assert!(series.iter().any(|it| it[&of[2]].is_string()), "{name}: {text}");
                continue;
            }
            let series = query(prometheus, &result.captures(&text).unwrap()[1]);
            let pattern = variable["regex"].as_str().unwrap().trim_matches('/').to_owned();
            let pattern = Regex::new(&pattern).unwrap();
            assert!(!series.is_empty(), "{name}: {text}");
            for one in series {
                let labels = one.as_object().unwrap().iter();
                let labels: Vec<_> = labels.map(|(key, value)| format!("{key}={value}")).collect();
                let shown = format!("{{{}}} 1 1764000000000", labels.join(","));
                let found = pattern.captures(&shown).unwrap_or_else(|| panic!("{shown}"));
                let id = variable["name"].as_str().unwrap();
                assert_eq!(one[id], found["value"], "{shown}");
                assert!(found["text"].contains(' '), "a name: {shown}");
            }
        }
    }
}

fn annotations_show(prometheus: SocketAddr) {
    let dashboard = dashboard("vi", "system");
    let list = dashboard["annotations"]["list"].as_array().unwrap();
    let exprs: Vec<_> = list
        .iter()
        .map(|it| (it["name"].to_string(), filled(it["target"]["expr"].as_str().unwrap(), true)))
        .collect();
    assert_eq!(exprs.len(), 2);
    all_show(prometheus, &exprs);
}

#[test]
fn provisioning_names_folders_and_files_that_are_there() {
    for (file, folder) in [("vi", "vi"), ("en", "en")] {
        let text =
            std::fs::read_to_string(project("grafana/provisioning/dashboards/thongsuot.yml"))
                .unwrap();
        assert!(text.contains(&format!("/dashboards/{file}")), "{text}");
        assert!(project(&format!("grafana/dashboards/{folder}")).is_dir());
    }
    let source = project("grafana/provisioning/datasources/prometheus.yml");
    assert!(std::fs::read_to_string(source).unwrap().contains("type: prometheus"));
}
