//! A report as JSON: `docs/report.schema.json` describes it. Integers, texts, flags and nulls
//! only, and in one form, so that equal reports are equal bytes.

use serde_json::{Map, Value, json};

use super::canonical;
use super::period::written;
use super::{CheckFigures, Episode, METHOD, Measured, Piece, Report, Shown, SystemFigures};
use crate::availability::calendar::Calendar;
use crate::availability::figures::rollup::Rollup;
use crate::availability::figures::{Figures, Fraction};
use crate::availability::latency::Quantiles;
use crate::availability::track::Edge;
use crate::model::bytes::hex;
use crate::model::time::Millis;

/// Version of the form; `docs/report.md` says what each added.
pub const VERSION: i64 = 2;

/// Names of the windows of [`crate::availability::figures::worst::WINDOWS_MS`].
pub(super) const WINDOWS: [&str; 4] = ["1m", "5m", "1h", "1d"];

/// The whole report.
#[must_use]
pub fn text(report: &Report) -> String {
    canonical::text(&value(report))
}

/// The whole report, before it is put in order.
#[must_use]
pub fn value(report: &Report) -> Value {
    let at = |at: Millis| json!({ "at": written(at, &report.zone.1), "ms": at.0 });
    let contract = |(from, fingerprint, event): &(Millis, String, Option<i64>)| json!({ "from": at(*from), "fingerprint": fingerprint, "event": event });
    let period = &report.period;
    json!({
        "report": VERSION,
        "method": METHOD,
        "software": report.software,
        "period": {
            "name": period.name,
            "calendar": period.calendar.map(calendar),
            "from": at(period.span.start()),
            "to": at(period.span.end()),
            "length_ms": period.span.length_ms(),
            "zone": report.zone.0,
            "judged_until": report.until.map(at),
            "finished": report.until.is_none(),
        },
        "evidence": {
            "contracts": report.contracts.iter().map(contract).collect::<Vec<_>>(),
            "journal_head": report.head.map(|(seq, hash)| json!({ "event": seq, "sha256": hex(&hash) })),
            "blocks": report.systems.iter().flat_map(|it| &it.checks).map(|it| it.blocks.len()).sum::<usize>(),
            "blocks_sha256": hex(&report.manifest),
            "results": report.systems.iter().flat_map(|it| &it.checks).map(|it| it.results).sum::<i64>(),
        },
        "together": together(&report.rollup),
        "systems": report.systems.iter().map(|it| system(it, report)).collect::<Vec<_>>(),
    })
}

/// The name of a calendar in files and on the command line.
pub(super) const fn calendar(calendar: Calendar) -> &'static str {
    match calendar {
        Calendar::Nd09 => "nd09",
        Calendar::Civil => "civil",
    }
}

fn together(rollup: &Rollup) -> Value {
    json!({
        "met": rollup.met,
        "missed": rollup.missed,
        "within_error": rollup.within_error,
        "not_enough_data": rollup.not_enough_data,
        "measured_only": rollup.measured_only,
        "median": rollup.median.map(share),
        "worst": rollup.worst.map(share),
    })
}

fn system(system: &SystemFigures, report: &Report) -> Value {
    let promised = system.promised.map(|it| {
        json!({
            "budget_ms": it.budget_ms,
            "down_ms": it.down_ms,
            "used_thousandths": it.used_thousandths,
            "verdict": it.verdict.as_str(),
        })
    });
    let window = |(window, down_ms): &(Shown, i64)| {
        let mut value = shown(window, report);
        value["down_ms"] = json!(down_ms);
        value
    };
    json!({
        "id": system.id.as_str(),
        "name": system.name,
        "owner": { "id": system.owner.as_str(), "name": system.owner_name },
        "watched": system.measured.is_some(),
        "enough_data": system.has_enough_data(),
        "figures": system.measured.as_ref().map(measured),
        "objective": promised,
        "pieces": system.pieces.iter().map(|it| piece(it, report)).collect::<Vec<_>>(),
        "incidents": system.episodes.iter().map(|it| episode(it, report)).collect::<Vec<_>>(),
        "maintenance": system.maintenance.iter().map(window).collect::<Vec<_>>(),
        "checks": system.checks.iter().map(|it| check(it, report)).collect::<Vec<_>>(),
    })
}

fn check(check: &CheckFigures, report: &Report) -> Value {
    let vantage = |it: &super::VantageFigures| json!({ "id": it.id.as_str(), "figures": measured(&it.measured) });
    json!({
        "id": check.id.as_str(),
        "name": check.name,
        "critical": check.critical,
        "interval_ms": check.interval_ms,
        "figures": measured(&check.measured),
        "incidents": check.episodes.iter().map(|it| episode(it, report)).collect::<Vec<_>>(),
        "maintenance": check.maintenance.iter().map(|it| shown(it, report)).collect::<Vec<_>>(),
        "vantages": check.vantages.iter().map(vantage).collect::<Vec<_>>(),
        "blocks": check.blocks.len(),
        "results": check.results,
    })
}

fn piece((piece, figures): &(Piece, Figures), report: &Report) -> Value {
    let at = |at: Millis| json!({ "at": written(at, &report.zone.1), "ms": at.0 });
    json!({
        "from": at(piece.span.start()),
        "to": at(piece.span.end()),
        "objective_ppm": piece.objective.map(|it| 1_000_000 - it.down_ppm()),
        "budget_ms": piece.objective.map(|it| figures.budget_ms(it)),
        "coverage_ppm": piece.coverage_ppm,
        "notice_ms": piece.notice_ms,
        "around_the_clock": piece.around_the_clock,
        "times_ms": times(figures),
    })
}

fn measured(it: &Measured) -> Value {
    let figures = &it.figures;
    let windows = WINDOWS.iter().zip(figures.worst);
    let worst: Map<String, Value> =
        windows.map(|(name, it)| ((*name).to_owned(), json!(it.map(share)))).collect();
    let range = figures.hard_range();
    let runs: Map<String, Value> =
        it.runs.iter().map(|(reason, count)| (reason.as_str().to_owned(), json!(count))).collect();
    let void: Map<String, Value> =
        it.void_ms.iter().map(|(reason, ms)| (reason.as_str().to_owned(), json!(ms))).collect();
    json!({
        "times_ms": times(figures),
        "availability": figures.availability().map(share),
        "coverage": figures.coverage().map(share),
        "range": range.map(|(least, most)| json!({ "least": share(least), "most": share(most) })),
        "uncertainty_ms": figures.uncertainty_ms(),
        "reachability": figures.reachability().map(share),
        "worst": worst,
        "blips": figures.blips,
        "incidents": summary(it),
        "latency_us": {
            "from_started": it.latency.from_started.map(quantiles),
            "from_scheduled": it.latency.from_scheduled.map(quantiles),
        },
        "outcomes": outcomes(it),
        "reasons": runs,
        "void_ms": void,
    })
}

fn outcomes(it: &Measured) -> Value {
    let mut counts = Map::new();
    for (reason, count) in &it.runs {
        let before = counts.get(reason.outcome().as_str()).and_then(Value::as_i64);
        counts.insert(reason.outcome().as_str().to_owned(), json!(before.unwrap_or(0) + count));
    }
    Value::Object(counts)
}

fn times(figures: &Figures) -> Value {
    let it = &figures.times;
    json!({
        "up": it.up_ms,
        "slow": it.slow_ms,
        "partial": it.partial_ms,
        "down": it.down_ms,
        "unknown": it.unknown_ms,
        "excluded": it.excluded_ms,
        "down_shortest": it.down_shortest_ms,
        "down_longest": it.down_longest_ms,
        "down_in_maintenance": it.maintenance_down_ms,
        "blips": it.blip_ms,
        "vantage_good": it.view_good_ms,
        "vantage_known": it.view_known_ms,
    })
}

fn summary(measured: &Measured) -> Value {
    let it = &measured.summary;
    json!({
        "count": it.count,
        "longest_ms": it.longest_ms,
        "mean_down_ms": it.mean_down_ms,
        "mean_to_detect_ms": it.mean_to_detect_ms,
        "mean_to_acknowledge_ms": measured.mean_to_acknowledge_ms,
        "good_between_ms": it.good_between_ms,
    })
}

fn quantiles(it: Quantiles) -> Value {
    json!({ "count": it.count, "p50": it.p50.0, "p95": it.p95.0, "p99": it.p99.0, "max": it.max.0 })
}

/// A share as its two integers, and cut down to three decimals.
fn share(it: Fraction) -> Value {
    json!({ "part": it.part(), "whole": it.whole(), "percent": percent(it) })
}

/// `99.953`, cut down, with a dot: for machines.
pub(super) fn percent(it: Fraction) -> String {
    let cut = it.thousandths_of_percent();
    format!("{}.{:03}", cut / 1_000, cut % 1_000)
}

fn episode(it: &Episode, report: &Report) -> Value {
    let edge = |it: Edge| {
        json!({
            "at": written(it.at, &report.zone.1),
            "ms": it.at.0,
            "earliest_ms": it.earliest.0,
            "latest_ms": it.latest.0,
        })
    };
    let at = |at: Millis| json!({ "at": written(at, &report.zone.1), "ms": at.0 });
    let told = it.told.as_ref();
    let taken = told.and_then(|it| it.acknowledged.as_ref());
    json!({
        "start": edge(it.start),
        "end": edge(it.end),
        "confirmed_ms": it.confirmed.0,
        "alert": told.map(|it| it.number.as_str()),
        "first_alert": told.and_then(|it| it.first).map(at),
        "acknowledged": taken.map(|it| at(it.0)),
        "acknowledged_by": taken.map(|it| it.1.as_str()),
        "spans": it.spans,
        "down_ms": it.down_ms,
        "judged_ms": it.judged_ms,
        "maintenance_ms": it.maintenance_ms,
        "begins_before": it.begins_before,
        "goes_on": it.goes_on,
        "outcome": it.fault.map(|it| it.outcome().as_str()),
        "reason": it.fault.map(crate::model::reason::Reason::as_str),
        "vantages": it.vantages.iter().map(crate::model::id::VantageId::as_str).collect::<Vec<_>>(),
        "checks": it.checks.iter().map(crate::model::id::CheckId::as_str).collect::<Vec<_>>(),
    })
}

fn shown(it: &Shown, report: &Report) -> Value {
    let at = |at: Millis| json!({ "at": written(at, &report.zone.1), "ms": at.0 });
    let window = &it.named.window;
    let announced = it.named.announced.as_ref();
    json!({
        "id": announced.map(|it| it.id.as_str()),
        "recurring": announced.is_none(),
        "from": at(window.announced.start()),
        "to": at(window.announced.end()),
        "recorded_ms": window.recorded.0,
        "withdrawn_ms": window.withdrawn.map(|it| it.0),
        "excluded_ms": it.excluded.length_ms(),
        "not_excluded_ms": it.kept.length_ms(),
        "notice": announced.and_then(|it| it.notice.as_deref()),
        "who": announced.map(|it| it.who.as_str()),
        "why": announced.map(|it| it.why.as_str()),
    })
}
