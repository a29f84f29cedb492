//! The API judges each second by what was in force, as the report does: objective, service hours,
//! `K`, the interval and what is critical change in the middle of a period, in the journal of an
//! earlier daemon and by a reload of this one.

use serde_json::{Value, json};
use thongsuot::clock::Clock;
use thongsuot::history::{History, Reader, Record, Settings};
use thongsuot::report::period::Named;
use thongsuot::report::{Journal, Request, build, json as report_json, zone_of};

use crate::harness::{Daemon, Folder, config, millis};
use crate::past::{promise, result};
use crate::server::Server;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// A configuration of one system with two checks.
fn written(server: &Server, system: &str, first: &str, second: &str) -> String {
    let check = |id: &str, keys: &str| {
        format!(
            "[[system.check]]\nid = \"{id}\"\nkind = \"http\"\nurl = \"http://{}/\"\n\
             timeout = \"5s\"\n{keys}\n\n",
            server.address()
        )
    };
    let system = format!(
        "[[system]]\nid = \"s\"\nowner = \"bca\"\nname = \"Hệ thống\"\n{system}\n\n{}{}",
        check("a", first),
        check("b", second)
    );
    config("", &[system])
}

/// Three days that end an hour before `now`: a result a minute (later every two), outages over
/// each change, and a single bad result every five hours.
async fn seed(folder: &Folder, (from, to): (i64, i64), promises: Vec<Record>, changes: &[i64]) {
    let data = folder.path().join("var");
    std::fs::create_dir_all(&data).unwrap();
    let settings = Settings { folder: Some(data), reserve_bytes: 0, ..Settings::default() };
    let history = History::open(settings, None).unwrap();
    let mut records = promises;
    for at in (from..to).step_by(58_000) {
        let near = changes.iter().any(|it| (it - 25 * MINUTE..it + 35 * MINUTE).contains(&at));
        let blip = (at - from) % (5 * HOUR) < 58_000;
        records.push(result("a", at, near || blip));
        records.push(result("b", at + 7, (at - from) / HOUR % 9 == 4));
    }
    history.append(records).await.unwrap();
    history.close().await.unwrap();
}

/// The report of a span, of the one system.
fn report(folder: &Folder, (from, to): (i64, i64)) -> Value {
    let reader = Reader::open(&folder.path().join("var")).unwrap();
    let journal = Journal::read(&reader).unwrap();
    let (_, zone) = zone_of(&journal).unwrap();
    let period = Named::between(&rfc(from), &rfc(to), &zone).unwrap();
    let (now, software) = (Clock::System.now(), "test".to_owned());
    let request = Request { period, now, owner: None, system: None, software };
    let report = build(&reader, &journal, &request, &mut |_| ()).unwrap();
    report_json::value(&report)["systems"][0].clone()
}

fn rfc(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).unwrap().to_string()
}

/// Figures and incidents of the API are those of the report, to the integer.
fn same(daemon: &Daemon, folder: &Folder, span: (i64, i64)) -> Value {
    let (from, to) = (rfc(span.0), rfc(span.1));
    let web = daemon.json(&format!("/api/v1/systems/s/figures?from={from}&to={to}"));
    let report = report(folder, span);
    let figures = &report["figures"];
    let times = &figures["times_ms"];
    for (ours, theirs) in [("maintenance_down", "down_in_maintenance")]
        .into_iter()
        .chain(["up", "slow", "partial", "down", "unknown", "excluded", "blips"].map(|it| (it, it)))
    {
        assert_eq!(web["times_ms"][ours], times[theirs], "{ours}: {web} {report}");
    }
    for it in ["down_shortest", "down_longest"] {
        assert_eq!(web["times_ms"][it], times[it]);
    }
    for (ours, theirs) in [("availability", "availability"), ("reachability", "reachability")] {
        assert_eq!(web[ours]["part_ms"], figures[theirs]["part"], "{ours}");
        assert_eq!(web[ours]["whole_ms"], figures[theirs]["whole"], "{ours}");
    }
    assert_eq!(web["budget_ms"], report["objective"]["budget_ms"]);
    assert_eq!(web["verdict"], report["objective"]["verdict"]);
    assert_eq!(web["enough_data"], report["enough_data"]);
    assert_eq!(web["uncertainty_ms"], figures["uncertainty_ms"]);
    let incidents = daemon.json(&format!("/api/v1/incidents?system=s&from={from}&to={to}"));
    let (web_incidents, told) =
        (incidents["incidents"].as_array().unwrap(), report["incidents"].as_array().unwrap());
    assert_eq!((web_incidents.len(), &web["incidents"]), (told.len(), &json!(told.len())));
    for (ours, theirs) in web_incidents.iter().zip(told) {
        // An incident that is still open at the end of the span has no end.
        let edges = if ours["end"].is_null() { &["start"][..] } else { &["start", "end"] };
        assert_eq!(ours["end"].is_null(), theirs["goes_on"].as_bool().unwrap());
        for edge in edges {
            assert_eq!(millis(&ours[edge]["at"]), theirs[edge]["ms"].as_i64().unwrap());
            assert_eq!(
                millis(&ours[edge]["earliest"]),
                theirs[edge]["earliest_ms"].as_i64().unwrap()
            );
        }
        assert_eq!(millis(&ours["confirmed"]), theirs["confirmed_ms"].as_i64().unwrap());
        for (our, their) in [
            ("down_ms", "down_ms"),
            ("excluded_down_ms", "maintenance_ms"),
            ("reason", "reason"),
            ("checks", "checks"),
        ] {
            assert_eq!(ours[our], theirs[their], "{our}");
        }
    }
    web
}

#[test]
fn the_api_says_what_the_report_says_over_every_change_of_contract() {
    let server = Server::start();
    let now = Clock::System.now().0;
    let (from, to) = (now - 73 * HOUR, now - HOUR);
    let changes = [15, 30, 45, 60].map(|it| from + it * HOUR + 1_234);
    let minute = "interval = \"60s\"";
    let aside = "interval = \"60s\"\ncritical = false";
    let configs = [
        written(&server, "objective = \"99.9%\"", minute, aside),
        written(&server, "objective = \"90%\"\nhours = \"office\"", minute, aside),
        written(&server, "objective = \"90%\"", &format!("{minute}\nconfirm = 1"), aside),
        written(&server, "", minute, minute),
        written(&server, "objective = \"95%\"", "interval = \"2m\"", minute),
    ];
    let starts = std::iter::once(from).chain(changes);
    let promises = starts.zip(&configs).map(|(at, written)| promise(at, written)).collect();
    let folder = Folder::with(&configs[4]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(seed(&folder, (from, to), promises, &changes));
    let daemon = folder.start();

    let whole = (from + 2 * HOUR, to - HOUR);
    let spans = [
        whole,
        (changes[0] - HOUR, changes[0] + HOUR),
        (changes[1] - 5 * MINUTE, changes[2] + 5 * MINUTE),
        (changes[2] + 1, changes[3]),
        (from - 5 * HOUR, from + HOUR),
    ];
    let before = spans.map(|it| same(&daemon, &folder, it));
    let times = &before[0]["times_ms"];
    for it in ["up", "partial", "down", "blips", "excluded"] {
        assert!(times[it].as_i64().unwrap() > 0, "{it}: {times}");
    }
    assert_eq!(before[3]["objective"], Value::Null, "nothing was promised then");
    assert_eq!(before[3]["budget_ms"], Value::Null);

    // A reload changes all of it, from now on.
    let other = "objective = \"50%\"\nhours = \"office\"";
    let (first, second) = (format!("{aside}\nconfirm = 9"), "interval = \"3m\"\nconfirm = 1");
    folder.write(&written(&server, other, &first, second));
    assert_eq!(daemon.reload().0, 200);
    assert_eq!(spans.map(|it| same(&daemon, &folder, it)), before);
}
