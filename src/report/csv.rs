//! A report as CSV (RFC 4180): one row a system, a check and a vantage of a check, for
//! spreadsheets. UTF-8 without a byte order mark, lines ended by CR LF, names of columns in English.

use super::json::{WINDOWS, percent};
use super::{Measured, Report};

/// The columns before the windows.
const COLUMNS: [&str; 43] = [
    "level",
    "owner",
    "owner_name",
    "system",
    "system_name",
    "check",
    "vantage",
    "critical",
    "from_ms",
    "to_ms",
    "finished",
    "up_ms",
    "slow_ms",
    "partial_ms",
    "down_ms",
    "unknown_ms",
    "excluded_ms",
    "down_shortest_ms",
    "down_longest_ms",
    "down_in_maintenance_ms",
    "blip_ms",
    "blips",
    "availability_percent",
    "coverage_percent",
    "least_percent",
    "most_percent",
    "uncertainty_ms",
    "reachability_percent",
    "incidents",
    "longest_ms",
    "mean_down_ms",
    "mean_to_detect_ms",
    "mean_to_acknowledge_ms",
    "good_between_ms",
    "runs",
    "latency_p50_us",
    "latency_p95_us",
    "latency_p99_us",
    "latency_max_us",
    "scheduled_p95_us",
    "budget_ms",
    "budget_used_thousandths",
    "verdict",
];

/// The whole report.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let windows = WINDOWS.iter().map(|it| format!("worst_{it}_percent"));
    row(&mut out, COLUMNS.iter().map(|it| (*it).to_owned()).chain(windows));
    for system in &report.systems {
        let names = |level: &str, check: &str, vantage: &str, critical: &str| {
            let finished = report.until.is_none().to_string();
            [
                level,
                system.owner.as_str(),
                &system.owner_name,
                system.id.as_str(),
                &system.name,
                check,
                vantage,
                critical,
                &report.period.span.start().0.to_string(),
                &report.period.span.end().0.to_string(),
                &finished,
            ]
            .map(str::to_owned)
        };
        let promised = system.promised.map(|it| {
            let used = it.used_thousandths.map_or(String::new(), |it| it.to_string());
            [it.budget_ms.to_string(), used, it.verdict.as_str().to_owned()]
        });
        let promised = promised.unwrap_or_default();
        let name = names("system", "", "", "");
        line(&mut out, name, system.measured.as_ref(), promised);
        for check in &system.checks {
            let critical = check.critical.to_string();
            let name = names("check", check.id.as_str(), "", &critical);
            line(&mut out, name, Some(&check.measured), Default::default());
            for vantage in &check.vantages {
                let name = names("vantage", check.id.as_str(), vantage.id.as_str(), &critical);
                line(&mut out, name, Some(&vantage.measured), Default::default());
            }
        }
    }
    out
}

fn line(out: &mut String, names: [String; 11], it: Option<&Measured>, promised: [String; 3]) {
    let (figures, worst) = it.map_or_else(Default::default, cells);
    row(out, names.into_iter().chain(figures).chain(promised).chain(worst));
}

/// The figures, and the worst windows. What is unknown is an empty cell.
fn cells(it: &Measured) -> ([String; 29], [String; 4]) {
    let figures = &it.figures;
    let times = &figures.times;
    let share = |it: Option<_>| it.map_or(String::new(), percent);
    let number = |it: Option<i64>| it.map_or(String::new(), |it| it.to_string());
    let range = figures.hard_range();
    let started = it.latency.from_started;
    let us = |it: Option<u32>| it.map_or(String::new(), |it| it.to_string());
    let cells = [
        times.up_ms.to_string(),
        times.slow_ms.to_string(),
        times.partial_ms.to_string(),
        times.down_ms.to_string(),
        times.unknown_ms.to_string(),
        times.excluded_ms.to_string(),
        times.down_shortest_ms.to_string(),
        times.down_longest_ms.to_string(),
        times.maintenance_down_ms.to_string(),
        times.blip_ms.to_string(),
        figures.blips.to_string(),
        share(figures.availability()),
        share(figures.coverage()),
        share(range.map(|it| it.0)),
        share(range.map(|it| it.1)),
        figures.uncertainty_ms().to_string(),
        share(figures.reachability()),
        it.summary.count.to_string(),
        it.summary.longest_ms.to_string(),
        number(it.summary.mean_down_ms),
        number(it.summary.mean_to_detect_ms),
        number(it.mean_to_acknowledge_ms),
        number(it.summary.good_between_ms),
        it.runs.values().sum::<i64>().to_string(),
        us(started.map(|it| it.p50.0)),
        us(started.map(|it| it.p95.0)),
        us(started.map(|it| it.p99.0)),
        us(started.map(|it| it.max.0)),
        us(it.latency.from_scheduled.map(|it| it.p95.0)),
    ];
    (cells, figures.worst.map(share))
}

fn row(out: &mut String, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.map(|it| quoted(&it)).collect();
    out.push_str(&cells.join(","));
    out.push_str("\r\n");
}

/// A cell; in quotes if it holds a comma, a quote or a line end. A text that a spreadsheet would
/// take for a formula gets an apostrophe before it.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '@'])
        || (cell.starts_with('-') && cell.parse::<i64>().is_err());
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}
