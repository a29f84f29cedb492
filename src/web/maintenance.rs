//! Announced maintenance: what there is, and adding to it. Nothing is ever changed in place.

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::answer::{ApiError, Id, json};
use super::source::{
    Announcer, Maintenance, MaintenanceChange, MaintenanceError, NewMaintenance, Source,
};
use super::view::time;
use super::{Shared, control, query};
use crate::availability::maintenance::journal::Scope;
use crate::model::span::Span;
use crate::model::time::Millis;

/// Longest text of an announcement, in characters: a paragraph.
const TEXT_CHARS_MAX: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddBody {
    system: Option<String>,
    check: Option<String>,
    platform: Option<String>,
    from: String,
    to: String,
    notice: Option<String>,
    who: String,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExtendBody {
    to: String,
    who: String,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CancelBody {
    who: String,
    why: String,
}

#[derive(Serialize)]
struct ListView {
    at: String,
    maintenance: Vec<View>,
}

#[derive(Serialize)]
struct View {
    id: String,
    scope: ScopeView,
    from: String,
    to: String,
    notice: Option<String>,
    who: String,
    why: String,
    recorded: String,
    state: &'static str,
    notice_ms: i64,
    in_time: bool,
    back_dated: bool,
    excluded: Vec<SpanView>,
    excluded_ms: i64,
    extensions: Vec<ExtensionView>,
    cancelled: Option<CancelledView>,
    overlaps: Vec<String>,
    zone: String,
}

#[derive(Serialize)]
struct ScopeView {
    kind: &'static str,
    id: String,
}

#[derive(Serialize)]
struct SpanView {
    from: String,
    to: String,
}

#[derive(Serialize)]
struct ExtensionView {
    recorded: String,
    to: String,
    who: String,
    why: String,
}

#[derive(Serialize)]
struct CancelledView {
    recorded: String,
    who: String,
    why: String,
}

impl View {
    fn new(it: Maintenance, zone: &TimeZone) -> Self {
        let Maintenance { announcement, notice_ms, active, over, overlaps } = it;
        let excluded = announcement.excluded(notice_ms);
        let (kind, id) = announcement.scope.parts();
        Self {
            scope: ScopeView { kind, id: id.to_owned() },
            from: time(announcement.span.start()),
            to: time(announcement.end()),
            recorded: time(announcement.recorded),
            state: match () {
                () if announcement.cancelled.is_some() => "cancelled",
                () if active => "active",
                () if over => "over",
                () => "planned",
            },
            notice_ms,
            in_time: announcement.span.start().since(announcement.recorded) >= notice_ms,
            back_dated: announcement.span.start() < announcement.recorded,
            excluded_ms: excluded.length_ms(),
            excluded: excluded
                .spans()
                .iter()
                .map(|it| SpanView { from: time(it.start()), to: time(it.end()) })
                .collect(),
            extensions: announcement
                .extensions
                .into_iter()
                .map(|it| ExtensionView {
                    recorded: time(it.recorded),
                    to: time(it.to),
                    who: it.who,
                    why: it.why,
                })
                .collect(),
            cancelled: announcement.cancelled.map(|it| CancelledView {
                recorded: time(it.recorded),
                who: it.who,
                why: it.why,
            }),
            id: announcement.id,
            notice: announcement.notice,
            who: announcement.who,
            why: announcement.why,
            overlaps,
            zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        }
    }
}

/// What is asked for; bodies are JSON.
#[derive(Clone, Debug)]
pub enum Act {
    /// Every announcement.
    List,
    /// A new one.
    Add(Vec<u8>),
    /// A later end of this one.
    Extend(String, Vec<u8>),
    /// An end of this one.
    Cancel(String, Vec<u8>),
}

/// Why it was refused, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong.
    pub error: String,
    /// What to do.
    pub hint: String,
}

/// Does what is asked for, outside of a server. The answer is the same JSON.
///
/// # Errors
///
/// [`Refused`], with the same words.
pub async fn answer(source: &impl Announcer, zone: &TimeZone, act: Act) -> Result<String, Refused> {
    let refused = |error: ApiError| {
        let (error, hint) = error.words();
        Refused { error, hint }
    };
    let written = match act {
        Act::List => serde_json::to_string(&listed(source, zone)),
        act => serde_json::to_string(&done(source, zone, act).await.map_err(refused)?),
    };
    let unwritten = |error: serde_json::Error| Refused {
        error: error.to_string(),
        hint: "this is a mistake of the program".to_owned(),
    };
    written.map_err(unwritten)
}

pub(super) async fn list<S: Source>(State(web): Shared<S>) -> Response {
    json(StatusCode::OK, &listed(&web.source, &web.settings.zone))
}

pub(super) async fn add<S: Source>(
    State(web): Shared<S>,
    body: Body,
) -> Result<Response, ApiError> {
    let act = Act::Add(control::read(body).await?);
    Ok(json(StatusCode::OK, &done(&web.source, &web.settings.zone, act).await?))
}

pub(super) async fn extend<S: Source>(
    State(web): Shared<S>,
    Id(id): Id,
    body: Body,
) -> Result<Response, ApiError> {
    let act = Act::Extend(id, control::read(body).await?);
    Ok(json(StatusCode::OK, &done(&web.source, &web.settings.zone, act).await?))
}

pub(super) async fn cancel<S: Source>(
    State(web): Shared<S>,
    Id(id): Id,
    body: Body,
) -> Result<Response, ApiError> {
    let act = Act::Cancel(id, control::read(body).await?);
    Ok(json(StatusCode::OK, &done(&web.source, &web.settings.zone, act).await?))
}

fn listed(source: &impl Announcer, zone: &TimeZone) -> ListView {
    let all = source.maintenance();
    ListView {
        at: time(source.now()),
        maintenance: all.into_iter().map(|it| View::new(it, zone)).collect(),
    }
}

async fn done(source: &impl Announcer, zone: &TimeZone, act: Act) -> Result<View, ApiError> {
    let made = match act {
        Act::List => return Err(ApiError::bad("a list is no act", "ask for it with GET")),
        Act::Add(body) => source.announce(new(&body, zone)?).await,
        Act::Extend(id, body) => {
            let body: ExtendBody = parse(&body, r#"send {"to": "…", "who": "…", "why": "…"}"#)?;
            let to = when("to", &body.to, zone)?;
            let (who, why) = (text("who", &body.who)?, text("why", &body.why)?);
            source.change_maintenance(id, MaintenanceChange::Extend { to, who, why }).await
        }
        Act::Cancel(id, body) => {
            let body: CancelBody = parse(&body, r#"send {"who": "…", "why": "…"}"#)?;
            let (who, why) = (text("who", &body.who)?, text("why", &body.why)?);
            source.change_maintenance(id, MaintenanceChange::Cancel { who, why }).await
        }
    };
    made.map(|it| View::new(it, zone)).map_err(refused)
}

fn new(body: &[u8], zone: &TimeZone) -> Result<NewMaintenance, ApiError> {
    let hint = r#"send {"system": "…" (or "check", "platform"), "from": "…", "to": "…", "notice": "…", "who": "…", "why": "…"}"#;
    let body: AddBody = parse(body, hint)?;
    let scopes = [("system", body.system), ("check", body.check), ("platform", body.platform)];
    let mut written = scopes.into_iter().filter_map(|(key, id)| Some((key, id?)));
    let (Some((key, id)), None) = (written.next(), written.next()) else {
        return Err(ApiError::bad("one of `system`, `check` and `platform` is needed", hint));
    };
    let scope = Scope::of(key, &id).ok_or_else(|| {
        ApiError::bad(format!("`{id}` is not an id"), "write it as in the configuration")
    })?;
    let (from, to) = (when("from", &body.from, zone)?, when("to", &body.to, zone)?);
    let span = Span::new(from, to).ok_or_else(|| {
        ApiError::bad("`from` is not before `to`", "an end comes after its start")
    })?;
    let notice = body.notice.map(|it| text("notice", &it)).transpose()?;
    let (who, why) = (text("who", &body.who)?, text("why", &body.why)?);
    Ok(NewMaintenance { scope, span, notice, who, why })
}

pub(super) fn parse<T: DeserializeOwned>(body: &[u8], hint: &str) -> Result<T, ApiError> {
    serde_json::from_slice(body)
        .map_err(|error| ApiError::bad(format!("the body is not understood: {error}"), hint))
}

/// An instant: RFC 3339, or a time by the clock on the wall such as `2026-11-28 22:00`.
fn when(name: &str, text: &str, zone: &TimeZone) -> Result<Millis, ApiError> {
    // A day alone would be its midnight, which is seldom meant.
    let local = text.parse::<jiff::civil::DateTime>().ok().filter(|_| text.contains(':'));
    let has_offset = text.parse::<jiff::Timestamp>().is_ok();
    match local.filter(|_| !has_offset).and_then(|it| it.to_zoned_datetime(zone.clone()).ok()) {
        Some(at) => Ok(Millis(at.timestamp().as_millisecond())),
        None => query::time(name, text),
    }
}

/// One line of some length, for people.
pub(super) fn text(name: &str, text: &str) -> Result<String, ApiError> {
    let text = text.trim().to_owned();
    let fits = (1..=TEXT_CHARS_MAX).contains(&text.chars().count());
    if fits && !text.chars().any(char::is_control) {
        return Ok(text);
    }
    let hint = format!("write one line of 1 to {TEXT_CHARS_MAX} characters");
    Err(ApiError::bad(format!("`{name}` is empty, too long, or not one line"), hint))
}

fn refused(error: MaintenanceError) -> ApiError {
    let message = error.to_string();
    match error {
        MaintenanceError::Wrong { hint, .. } => ApiError::bad(message, hint),
        MaintenanceError::Unknown { last, .. } => {
            let newest = last.map_or_else(String::new, |it| format!("; the newest is `{it}`"));
            let hint = format!("/api/v1/maintenance lists them{newest}");
            ApiError::new(StatusCode::NOT_FOUND, message, hint)
        }
        MaintenanceError::Conflict(_) => ApiError::new(
            StatusCode::CONFLICT,
            message,
            "nothing is changed in place: announce a window of its own",
        ),
        MaintenanceError::Unavailable(_) => ApiError::unavailable(message),
    }
}
