//! Figures and incidents of any time, worked out from the history when they are asked for.

use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use tokio::time::timeout;

use super::answer::{ApiError, Id, json};
use super::source::{IncidentSeen, JudgeFailure, Source, SystemFigures};
use super::view::time;
use super::{Shared, query};
use crate::availability::figures::Fraction;
use crate::availability::number::percent;
use crate::availability::track::Edge;
use crate::model::id::SystemId;
use crate::model::reason::Reason;

/// Longest that an answer is worked out.
pub const JUDGE_TIME_MAX: Duration = Duration::from_secs(30);

/// Longest span of one answer for one system: a month of any calendar.
const SPAN_MS_MAX: i64 = 31 * 86_400_000;

/// Longest span of one answer for all systems.
const SPAN_ALL_MS_MAX: i64 = 7 * 86_400_000;

#[derive(Serialize)]
struct FiguresView {
    system: String,
    from: String,
    to: String,
    objective: Option<String>,
    verdict: Option<&'static str>,
    enough_data: bool,
    availability: Option<ShareView>,
    coverage: Option<ShareView>,
    availability_min: Option<ShareView>,
    availability_max: Option<ShareView>,
    reachability: Option<ShareView>,
    budget_ms: Option<i64>,
    uncertainty_ms: i64,
    times_ms: TimesView,
    blips: usize,
    incidents: usize,
}

/// A share as it is printed, and the whole numbers it is made of.
#[derive(Serialize)]
struct ShareView {
    text: String,
    part_ms: i64,
    whole_ms: i64,
}

#[derive(Serialize)]
struct TimesView {
    up: i64,
    slow: i64,
    partial: i64,
    down: i64,
    unknown: i64,
    excluded: i64,
    down_shortest: i64,
    down_longest: i64,
    maintenance_down: i64,
    blips: i64,
}

#[derive(Serialize)]
struct IncidentList {
    from: String,
    to: String,
    incidents: Vec<IncidentView>,
}

#[derive(Serialize)]
struct IncidentView {
    system: String,
    start: EdgeView,
    /// `null`: it was still open at the end of the span.
    end: Option<EdgeView>,
    confirmed: String,
    down_ms: i64,
    excluded_down_ms: i64,
    to_detect_ms: i64,
    reason: Option<&'static str>,
    checks: Vec<String>,
    parts: Vec<PartView>,
}

#[derive(Serialize)]
struct EdgeView {
    at: String,
    earliest: String,
    latest: String,
}

#[derive(Serialize)]
struct PartView {
    from: String,
    to: String,
}

impl ShareView {
    fn new(share: Fraction) -> Self {
        Self { text: percent(share), part_ms: share.part(), whole_ms: share.whole() }
    }
}

impl EdgeView {
    fn new(edge: Edge) -> Self {
        Self { at: time(edge.at), earliest: time(edge.earliest), latest: time(edge.latest) }
    }
}

impl FiguresView {
    fn new(it: &SystemFigures) -> Self {
        let (figures, times) = (&it.figures, it.figures.times);
        let range = figures.hard_range();
        Self {
            system: it.system.to_string(),
            from: time(figures.period.start()),
            to: time(figures.period.end()),
            objective: it.objective.map(|it| it.to_string()),
            verdict: it.promised.map(|it| it.verdict.as_str()),
            enough_data: it.enough_data,
            availability: figures.availability().map(ShareView::new),
            coverage: figures.coverage().map(ShareView::new),
            availability_min: range.map(|it| ShareView::new(it.0)),
            availability_max: range.map(|it| ShareView::new(it.1)),
            reachability: figures.reachability().map(ShareView::new),
            budget_ms: it.promised.map(|it| it.budget_ms),
            uncertainty_ms: figures.uncertainty_ms(),
            times_ms: TimesView {
                up: times.up_ms,
                slow: times.slow_ms,
                partial: times.partial_ms,
                down: times.down_ms,
                unknown: times.unknown_ms,
                excluded: times.excluded_ms,
                down_shortest: times.down_shortest_ms,
                down_longest: times.down_longest_ms,
                maintenance_down: times.maintenance_down_ms,
                blips: times.blip_ms,
            },
            blips: figures.blips,
            incidents: it.incidents,
        }
    }
}

impl IncidentView {
    fn new(it: &IncidentSeen) -> Self {
        let IncidentSeen { system, incident, checks, open, excluded_down_ms } = it;
        let down = incident.down();
        Self {
            system: system.to_string(),
            start: EdgeView::new(incident.start()),
            end: (!open).then(|| EdgeView::new(incident.end())),
            confirmed: time(incident.confirmed()),
            down_ms: down.length_ms(),
            excluded_down_ms: *excluded_down_ms,
            to_detect_ms: incident.to_detect_ms(),
            reason: incident.fault().map(Reason::as_str),
            checks: checks.iter().map(ToString::to_string).collect(),
            parts: down
                .spans()
                .iter()
                .map(|it| PartView { from: time(it.start()), to: time(it.end()) })
                .collect(),
        }
    }
}

pub(super) async fn figures<S: Source>(
    State(web): Shared<S>,
    Id(id): Id,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let id = known(&web.source, &id)?;
    let (span, _) = query::span(&query.unwrap_or_default(), &["from", "to"], web.source.now())?;
    within(span.length_ms(), SPAN_MS_MAX)?;
    let figures = judged(web.source.figures(id.clone(), span)).await?;
    let figures = figures.ok_or_else(|| {
        let hint =
            "it is judged while it has a check that is enabled and critical (không giám sát)";
        ApiError::new(StatusCode::NOT_FOUND, format!("system `{id}` is not judged then"), hint)
    })?;
    Ok(json(StatusCode::OK, &FiguresView::new(&figures)))
}

pub(super) async fn incidents<S: Source>(
    State(web): Shared<S>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = query.unwrap_or_default();
    let (span, system) = query::span(&query, &["from", "to", "system"], web.source.now())?;
    let system = system.map(|it| known(&web.source, &it)).transpose()?;
    within(span.length_ms(), if system.is_some() { SPAN_MS_MAX } else { SPAN_ALL_MS_MAX })?;
    let incidents = judged(web.source.incidents(system, span)).await?;
    let body = IncidentList {
        from: time(span.start()),
        to: time(span.end()),
        incidents: incidents.iter().map(IncidentView::new).collect(),
    };
    Ok(json(StatusCode::OK, &body))
}

fn known(source: &impl Source, id: &str) -> Result<SystemId, ApiError> {
    let snapshot = source.snapshot();
    let system = snapshot.roster.systems.iter().find(|it| it.id.as_str() == id);
    system.map(|it| it.id.clone()).ok_or_else(|| {
        let hint = "/api/v1/systems lists them";
        ApiError::new(StatusCode::NOT_FOUND, format!("there is no system `{id}`"), hint)
    })
}

fn within(length_ms: i64, most_ms: i64) -> Result<(), ApiError> {
    if length_ms <= most_ms {
        return Ok(());
    }
    let days = most_ms / 86_400_000;
    let hint = format!("ask for at most {days} days; `thongsuot report` takes any period");
    Err(ApiError::bad("the span is too long for one answer", hint))
}

async fn judged<T>(answer: impl Future<Output = Result<T, JudgeFailure>>) -> Result<T, ApiError> {
    let answer = timeout(JUDGE_TIME_MAX, answer).await;
    let answer = answer.map_err(|_| ApiError::unavailable("it took too long to work out"))?;
    answer.map_err(|error| ApiError::unavailable(error.to_string()))
}
