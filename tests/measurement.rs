//! The worked example of `docs/measurement.md`, recomputed: what a reader checks by hand is what
//! the program says.
#![cfg(test)]

use thongsuot::availability::confirm::Confirm;
use thongsuot::availability::figures::Terms;
use thongsuot::availability::judge::{Reach, Rule, judge};
use thongsuot::availability::number::percent;
use thongsuot::availability::span_set::SpanSet;
use thongsuot::availability::track::quorum::Quorum;
use thongsuot::model::check::Lane;
use thongsuot::model::id::{CheckId, VantageId};
use thongsuot::model::phases::Phases;
use thongsuot::model::reason::Reason;
use thongsuot::model::result::{RunKind, RunResult};
use thongsuot::model::span::Span;
use thongsuot::model::time::{Micros, Millis};

/// The cells of the table whose header begins with `first`.
fn table(page: &str, first: &str) -> Vec<(String, String)> {
    let header = format!("| {first} |");
    let start = page.find(&header).unwrap_or_else(|| panic!("no table `{header}`"));
    let rows = page[start..].lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| {
        let mut cells = line.trim_matches('|').split('|').map(|it| it.trim().to_owned());
        (cells.next().unwrap(), cells.next().unwrap())
    };
    rows.map(cells).collect()
}

fn result(start: &str, reason: &str, run: usize) -> RunResult {
    let started = Millis(start.parse().unwrap());
    let known = |it: &&Reason| it.as_str() == reason || (reason == "ok" && **it == Reason::None);
    let took = Micros(100_000);
    let zero = Micros(0);
    RunResult {
        check: CheckId::new("example").unwrap(),
        lane: Lane::Any,
        vantage: VantageId::new("here").unwrap(),
        due: started,
        started,
        lateness: zero,
        kind: RunKind::Grid,
        run: u16::try_from(run).unwrap(),
        reason: *Reason::ALL.iter().find(known).unwrap_or_else(|| panic!("reason {reason}")),
        phases: Phases::from_array([zero, took, zero, zero, zero, zero]),
        status: None,
        bytes: 0,
        reused: false,
    }
}

#[test]
fn the_worked_example_of_the_method_is_what_the_program_computes() {
    let page = include_str!("../docs/measurement.md");
    let rows = table(page, "start (ms)");
    assert_eq!(rows.len(), 22);
    let results: Vec<RunResult> =
        rows.iter().enumerate().map(|(run, (start, what))| result(start, what, run)).collect();
    let rule = Rule {
        confirm: Confirm::new(3),
        reach: Reach::constant(36_000),
        lanes: vec![Lane::Any],
        vantages: vec![(VantageId::new("here").unwrap(), 1)],
        quorum: Quorum::of(1),
    };
    let nothing = SpanSet::default();
    let period = Span::new(Millis(0), Millis(1_200_000)).unwrap();
    let terms = Terms { period, service: None, maintenance: &nothing, watched: None };
    let figures = judge(&results, &rule, &terms);
    let told = [
        ("down `D`", figures.times.down_ms),
        ("unknown `N`", figures.times.unknown_ms),
        ("up `U`", figures.times.up_ms),
        ("of it blips", figures.times.blip_ms),
        ("excluded", figures.times.excluded_ms),
    ];
    let printed = table(page, "figure");
    let printed: Vec<(&str, i64)> =
        printed.iter().map(|(name, value)| (name.as_str(), value.parse().unwrap())).collect();
    assert_eq!(printed, told);
    let availability = figures.availability().unwrap();
    assert!(page.contains(&format!("printed `{}`", percent(availability))));
}
