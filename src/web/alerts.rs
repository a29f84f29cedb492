//! The API of alerts: what there is, acknowledging, closing, drills, and who is on call.

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::answer::{ApiError, Id, json};
use super::duty::{Act, ActError, AlertSeen, By, Duty, TeamSeen};
use super::maintenance::{parse, text};
use super::source::Source;
use super::view::time;
use super::{Shared, control};

#[derive(Serialize)]
struct ListView {
    at: String,
    alerts: Vec<AlertSeen>,
}

#[derive(Serialize)]
struct OnCallView {
    at: String,
    teams: Vec<TeamSeen>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActBody {
    who: String,
    #[serde(default)]
    via: Via,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Via {
    #[default]
    Api,
    Cli,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DrillBody {
    who: String,
    team: Option<String>,
}

pub(super) async fn list<S: Source>(State(web): Shared<S>) -> Response {
    let list = ListView { at: time(web.source.now()), alerts: web.source.alerts() };
    json(StatusCode::OK, &list)
}

pub(super) async fn one<S: Source>(
    State(web): Shared<S>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let alert = web.source.alert(&id).ok_or_else(|| refused(ActError::Unknown(id)))?;
    Ok(json(StatusCode::OK, &alert))
}

pub(super) async fn acknowledge<S: Source>(
    State(web): Shared<S>,
    Id(id): Id,
    body: Body,
) -> Result<Response, ApiError> {
    act(&web.source, id, Act::Acknowledge, body).await
}

pub(super) async fn close<S: Source>(
    State(web): Shared<S>,
    Id(id): Id,
    body: Body,
) -> Result<Response, ApiError> {
    act(&web.source, id, Act::Close, body).await
}

pub(super) async fn drill<S: Source>(
    State(web): Shared<S>,
    body: Body,
) -> Result<Response, ApiError> {
    let body = control::read(body).await?;
    let body: DrillBody = parse(&body, r#"send {"who": "…", "team": "…"}"#)?;
    let who = text("who", &body.who)?;
    let begun = web.source.drill(body.team, who).await.map_err(refused)?;
    Ok(json(StatusCode::OK, &begun))
}

pub(super) async fn on_call<S: Source>(State(web): Shared<S>) -> Response {
    let view = OnCallView { at: time(web.source.now()), teams: web.source.on_call() };
    json(StatusCode::OK, &view)
}

async fn act(source: &impl Duty, id: String, act: Act, body: Body) -> Result<Response, ApiError> {
    let body = control::read(body).await?;
    let body: ActBody = parse(&body, r#"send {"who": "…"}"#)?;
    let who = text("who", &body.who)?;
    let via = match body.via {
        Via::Api => "api",
        Via::Cli => "cli",
    };
    let by = By::Named { id, who, via: via.to_owned() };
    let done = source.act(by, act).await.map_err(refused)?;
    Ok(json(StatusCode::OK, &done))
}

fn refused(error: ActError) -> ApiError {
    let message = error.to_string();
    match error {
        ActError::Unknown(_) => {
            ApiError::new(StatusCode::NOT_FOUND, message, "/api/v1/alerts lists them")
        }
        ActError::Wrong(_, hint) => ApiError::bad(message, hint),
        ActError::Forged => {
            ApiError::new(StatusCode::FORBIDDEN, message, "use the newest message's link")
        }
        ActError::Used | ActError::Taken { .. } | ActError::Closed => {
            ApiError::new(StatusCode::CONFLICT, message, "nothing is left to be done")
        }
        ActError::StillTrue => ApiError::new(
            StatusCode::CONFLICT,
            message,
            "acknowledge it, or announce maintenance; it closes by itself when all is well",
        ),
    }
}
