//! The API: how everything stands, and the results behind it.

use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::answer::{ApiError, Id, json};
use super::source::{ResultsError, ResultsPage, ResultsQuery, Source};
use super::{Shared, query, view};
use crate::model::outcome::Outcome;

/// Longest time to gather an answer from the history.
const READ_TIME_MAX: Duration = Duration::from_secs(30);

/// Most pages of the history that are read to find results of one outcome. A rare outcome then
/// gives short pages, with a cursor to go on.
const FETCHES_MAX: usize = 50;

/// The description of the API, served as it is.
pub(super) const OPENAPI: &str = include_str!("openapi.json");

pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], OPENAPI).into_response()
}

pub(super) async fn systems<S: Source>(State(web): Shared<S>) -> Response {
    json(StatusCode::OK, &view::SystemList::new(&web.source.snapshot()))
}

pub(super) async fn system<S: Source>(
    State(web): Shared<S>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let snapshot = web.source.snapshot();
    let system = snapshot.roster.systems.iter().find(|system| system.id.as_str() == id);
    let system = system.ok_or_else(|| unknown("system", &id, "/api/v1/systems"))?;
    Ok(json(StatusCode::OK, &view::System::new(&snapshot, system)))
}

pub(super) async fn checks<S: Source>(State(web): Shared<S>) -> Response {
    json(StatusCode::OK, &view::CheckList::new(&web.source.snapshot()))
}

pub(super) async fn check<S: Source>(
    State(web): Shared<S>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let snapshot = web.source.snapshot();
    let check = snapshot.roster.checks().find(|check| check.id.as_str() == id);
    let check = check.ok_or_else(|| unknown("check", &id, "/api/v1/checks"))?;
    Ok(json(StatusCode::OK, &view::CheckView::new(&snapshot, check)))
}

pub(super) async fn results<S: Source>(
    State(web): Shared<S>,
    Id(id): Id,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let snapshot = web.source.snapshot();
    let check = snapshot.roster.checks().find(|check| check.id.as_str() == id);
    let check = check.ok_or_else(|| unknown("check", &id, "/api/v1/checks"))?.id.clone();
    let query = query.unwrap_or_default();
    let (query, outcome) = query::results(check.clone(), &query, web.source.now())?;
    let (span, first, limit) = (query.span, query.cursor.is_none(), query.limit);
    let gather = async {
        let page = gather(&web.source, query, outcome).await?;
        let voids = if first {
            web.source.void_spans(check.clone(), span, limit).await?
        } else {
            Vec::new()
        };
        Ok((page, voids))
    };
    let gathered = timeout(READ_TIME_MAX, gather).await;
    let (page, voids) = gathered
        .map_err(|_| ApiError::unavailable("the history took too long to answer"))?
        .map_err(|error| refused(&error))?;
    let body = view::ResultList {
        check: check.as_str(),
        from: view::time(span.start()),
        to: view::time(span.end()),
        results: page.results.iter().map(view::ResultView::new).collect(),
        void_spans: voids.iter().map(view::VoidView::new).collect(),
        next: page.next,
    };
    Ok(json(StatusCode::OK, &body))
}

/// A page of results of `outcome`, if one is asked for: pages of the history are read until
/// enough are found, never more than there is room for.
async fn gather<S: Source>(
    source: &S,
    mut query: ResultsQuery,
    outcome: Option<Outcome>,
) -> Result<ResultsPage, ResultsError> {
    let mut found = ResultsPage::default();
    for _ in 0..FETCHES_MAX {
        let ResultsPage { results, next } = source.results(query.clone()).await?;
        let wanted = results.into_iter().filter(|it| outcome.is_none_or(|o| it.outcome() == o));
        let before = found.results.len();
        found.results.extend(wanted);
        query.limit -= (found.results.len() - before).min(query.limit);
        found.next.clone_from(&next);
        if next.is_none() || query.limit == 0 || outcome.is_none() {
            break;
        }
        query.cursor = next;
    }
    Ok(found)
}

fn unknown(what: &str, id: &str, list: &str) -> ApiError {
    let error = format!("there is no {what} `{id}`");
    ApiError::new(StatusCode::NOT_FOUND, error, format!("{list} lists them"))
}

fn refused(error: &ResultsError) -> ApiError {
    let message = error.to_string();
    match error {
        ResultsError::Cursor => {
            ApiError::bad(message, "give back `next` of the page before, with the same parameters")
        }
        ResultsError::Unavailable(_) => ApiError::unavailable(message),
    }
}
