//! Ground truth: servers follow a script, their switches are noted by the test's own clock, and
//! what the daemon makes of them must hold what is promised (`docs/measurement.md`).

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tokio::time::Instant;

use crate::harness::{Daemon, Folder, PATIENCE, check, config, millis, within};
use crate::server::{Manner, Server};

mod compare;
mod script;

use script::{Absence, Outage, Stage, Switch, now_ms};

/// Interval, timeout and confirmation of every check, in milliseconds and results.
const INTERVAL_MS: i64 = 1_000;
const TIMEOUT_MS: i64 = 900;

const KEYS: &str = "interval = \"1s\"\ntimeout = \"900ms\"\nconfirm = 3\nslow = \"150ms\"";

/// The check that is changed while the rest goes on, and what to.
const CHANGED: &str = "other";
const KEYS_CHANGED: &str = "interval = \"2s\"\ntimeout = \"1s\"";

/// The least step of a check, and the most that a result speaks for on each side
/// (`docs/measurement.md`: `u_c` is at least 1 % and at most 5 %).
const STEP_MS_MIN: i64 = INTERVAL_MS * 95 / 100;
const REACH_MS: i64 = INTERVAL_MS * 6 / 10;

/// Outages nearer than this are one incident.
const APART_MS: i64 = 60_000;

/// A run of a check, as the API tells it.
struct Run {
    started: i64,
    late_ms: i64,
    total_ms: i64,
    /// Whether it was good; `None`: it speaks for nothing.
    good: Option<bool>,
}

fn runs(daemon: &Daemon, id: &str) -> Vec<Run> {
    let (results, _) = daemon.results(id);
    let ceil_ms = |it: &Value| (it.as_i64().unwrap() + 999) / 1_000;
    let run = |it: &Value| Run {
        started: millis(&it["started"]),
        late_ms: ceil_ms(&it["lateness_us"]),
        total_ms: ceil_ms(&it["total_us"]),
        good: match it["outcome"].as_str().unwrap() {
            "ok" | "slow" => Some(true),
            "void" | "blocked" => None,
            _ => Some(false),
        },
    };
    let mut runs: Vec<Run> = results.iter().map(run).collect();
    runs.sort_by_key(|it| it.started);
    runs
}

/// How far the testimonies before and after a switch are apart.
fn gap_at(runs: &[Run], switch: Switch) -> i64 {
    let mut starts = runs.iter().filter(|it| it.good.is_some()).map(|it| it.started);
    let before = starts.clone().filter(|it| *it <= switch.before).max().unwrap();
    starts.find(|it| *it > switch.before).unwrap() - before
}

/// Checks that a bracket of the report holds a true switch. Where the runs beside it were so far
/// apart that there is unknown time between, that has been counted as unknown already.
#[track_caller]
fn holds(id: &str, edge: &Value, switch: Switch, gap: i64) {
    let unknown = if gap > 2 * REACH_MS * 95 / 100 { gap } else { 0 };
    let ms = |key: &str| edge[key].as_i64().unwrap();
    let (earliest, latest) = (ms("earliest_ms") - unknown, ms("latest_ms") + unknown);
    assert!(
        earliest <= switch.after && switch.before <= latest,
        "{id}: {switch:?} is not in {edge}; {gap} ms between the runs"
    );
}

/// Outages that are one incident each.
fn grouped(outages: &[Outage]) -> Vec<&[Outage]> {
    outages.chunk_by(|a, b| b.start.after - a.end.before < APART_MS).collect()
}

/// Checks one incident of the report against the outages that it is made of.
#[track_caller]
fn judge(id: &str, incident: &Value, outages: &[Outage], runs: &[Run]) {
    let number = |it: &Value| it.as_i64().unwrap();
    let (first, last) = (outages.first().unwrap(), outages.last().unwrap());
    let edges = outages.iter().flat_map(|it| [it.start, it.end]);
    let gap = edges.map(|it| gap_at(runs, it)).max().unwrap();
    holds(id, &incident["start"], first.start, gap_at(runs, first.start));
    holds(id, &incident["end"], last.end, gap_at(runs, last.end));

    let late = runs.iter().map(|it| it.late_ms).max().unwrap();
    let epsilon = late.max(gap - INTERVAL_MS);
    let good = runs.iter().filter(|it| it.good == Some(true)).map(|it| it.total_ms).max().unwrap();
    let confirm = INTERVAL_MS + TIMEOUT_MS;
    let bound = i64::midpoint(INTERVAL_MS, confirm) + TIMEOUT_MS + good + epsilon;
    let whole = number(&incident["end"]["ms"]) - number(&incident["start"]["ms"]);
    let measured = if outages.len() == 1 { whole } else { number(&incident["down_ms"]) };
    let least: i64 = outages.iter().map(Outage::least_ms).sum();
    let most: i64 = outages.iter().map(Outage::most_ms).sum();
    let detected = number(&incident["confirmed_ms"]) - first.start.before;
    println!(
        "{id}: true {least}..{most} ms in {} outages, measured {measured} ms ({:+} ms), \
         bound {bound} ms each (w {good}, epsilon {epsilon}), known down {} ms in {} spans, \
         confirmed after {detected} ms",
        outages.len(),
        measured - least,
        incident["down_ms"],
        incident["spans"],
    );
    let bound = bound * i64::try_from(outages.len()).unwrap();
    assert!((least - bound..=most + bound).contains(&measured), "{id}: {measured} ms: {incident}");
    assert!(detected >= 0, "{id}: confirmed before it began: {incident}");
    assert!(number(&incident["spans"]) >= i64::try_from(outages.len()).unwrap(), "{incident}");
}

/// Checks what the report says of one system against what its server did.
#[track_caller]
fn judge_system(system: &Value, stage: &Stage, runs: &[Run]) {
    let id = stage.id;
    let incidents = system["incidents"].as_array().unwrap();
    let late = runs.iter().map(|it| it.late_ms).max().unwrap();
    // What is shorter than a step has one bad run, if any.
    let (brief, long): (Vec<_>, Vec<_>) =
        stage.outages.iter().copied().partition(|it| it.most_ms() < 2 * INTERVAL_MS);
    let truly_brief = brief.iter().all(|it| it.most_ms() + late < STEP_MS_MIN);
    let groups = grouped(&long);
    if brief.is_empty() || truly_brief {
        assert_eq!(incidents.len(), groups.len(), "{id}: {incidents:?}");
    } else {
        println!("{id}: this machine is too slow for a brief outage: {brief:?}, {late} ms late");
    }
    for (incident, outages) in incidents.iter().zip(groups) {
        judge(id, incident, outages, runs);
    }
    let figures = &system["figures"];
    let bad = runs.iter().filter(|it| it.good == Some(false)).count();
    println!(
        "{id}: {} runs, {bad} bad, {} blips, at most {late} ms late, {}",
        runs.len(),
        figures["blips"],
        figures["times_ms"]
    );
    if brief.is_empty() && long.is_empty() {
        assert_eq!(figures["times_ms"]["down"], 0, "{id}");
    }
}

/// A time when nothing was measured must be unknown, whatever was before and after.
#[track_caller]
fn unknown_while_away(daemon: &Daemon, id: &str, absence: &Absence) {
    let (from, to) = (absence.from + REACH_MS, absence.to - REACH_MS);
    assert!(from < to, "{absence:?} is long enough");
    let figures = compare::web_figures(daemon, id, from, to);
    let times = &figures["times_ms"];
    assert_eq!(times["unknown"], to - from, "{id}: {absence:?}: {figures}");
    assert_eq!((&times["down"], &figures["availability"]), (&0.into(), &Value::Null), "{figures}");
    println!("{id}: {} of {} ms: all unknown", absence.why, to - from);
}

#[test]
fn the_real_daemon_holds_its_bounds_against_servers_that_follow_a_script() {
    let mut stages: Vec<Stage> = script::SYSTEMS.iter().map(|id| Stage::new(id)).collect();
    let written = |other: &str| {
        let text = |it: &Stage| {
            let keys = if it.id == CHANGED { other } else { KEYS };
            let text = check(it.id, it.server.address(), keys);
            text.replacen("\n\n", "\nobjective = \"99.5%\"\n\n", 1)
        };
        config("", &stages.iter().map(text).collect::<Vec<_>>())
    };
    let (before, changed) = (written(KEYS), written(KEYS_CHANGED));
    let folder = Folder::with(&before);
    let daemon = folder.start();
    for stage in &stages {
        daemon.until_state(stage.id, "up");
    }
    let from = now_ms();
    let (daemon, absences) = script::play(&folder, daemon, &mut stages, &changed);
    let to = now_ms();
    for stage in &stages {
        within(2 * PATIENCE, "good results after the script", || {
            let after = |it: &&Run| it.started > to + INTERVAL_MS && it.good == Some(true);
            (runs(&daemon, stage.id).iter().filter(after).count() >= 2).then_some(())
        });
    }

    let report = compare::report(&folder, from, to);
    for stage in &stages {
        let runs = runs(&daemon, stage.id);
        let system = compare::system(&report, stage.id);
        judge_system(system, stage, &runs);
        for absence in &absences {
            unknown_while_away(&daemon, stage.id, absence);
        }
    }
    slow_is_slow(compare::system(&report, "slow"), &stages);
    one_incident_over_the_kill(&report, &absences);
    let kill = &absences[1];
    for (from, to) in [(from, to), (kill.from - 3_000, kill.to + 20_000)] {
        let report = compare::report(&folder, from, to);
        for stage in &stages {
            compare::web_equals_report(&daemon, &report, stage.id, from, to);
        }
    }
    let (code, out, _) = folder.run(&["verify", "--data", "var"]);
    assert_eq!(code, 0, "{out}");
}

/// What answers late is slow for as long as it does, and never down.
#[track_caller]
fn slow_is_slow(system: &Value, stages: &[Stage]) {
    let truth = stages.iter().find(|it| it.id == "slow").unwrap().slow.unwrap();
    let time = |key: &str| system["figures"]["times_ms"][key].as_i64().unwrap();
    let slow = time("slow");
    println!("slow: true {}..{} ms, measured {slow} ms", truth.least_ms(), truth.most_ms());
    assert_eq!(time("down"), 0);
    let bound = 3 * INTERVAL_MS;
    let lost = time("unknown") + time("blips");
    assert!(slow <= truth.most_ms() + bound && slow + lost >= truth.least_ms() - bound, "{system}");
}

/// Killed within an outage: one incident, with the time away apart.
#[track_caller]
fn one_incident_over_the_kill(report: &Value, absences: &[Absence]) {
    let incident = &compare::system(report, "killed")["incidents"][0];
    let number = |it: &Value| it.as_i64().unwrap();
    let kill = absences.iter().find(|it| it.why == "stopped").unwrap();
    let (start, end) = (number(&incident["start"]["ms"]), number(&incident["end"]["ms"]));
    assert!(start < kill.from && kill.to < end, "{incident}, killed {kill:?}");
    let apart = end - start - number(&incident["down_ms"]);
    let away = kill.to - kill.from;
    println!("killed: away {away} ms, {apart} ms of the incident are not counted as down");
    assert!(apart >= away - INTERVAL_MS * 12 / 10, "{incident}");
    assert!(number(&incident["spans"]) >= 2, "{incident}");
}
