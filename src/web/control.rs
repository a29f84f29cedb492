//! Health, readiness, reload, and the beats that owners push.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use http_body_util::{BodyExt, Limited};
use serde::Deserialize;
use tokio::time::timeout;

use super::answer::{ApiError, Id, json};
use super::source::{Beat, BeatError, MESSAGE_CHARS_MAX, Source};
use super::{Shared, auth, view};
use crate::model::id::CheckId;

/// Largest body of a request; the only ones that mean anything are beats.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024;

/// Longest time to send a body of that size: a job on a bad line needs a second.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// What a beat may say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BeatBody {
    #[serde(default)]
    status: Status,
    message: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    #[default]
    Ok,
    Fail,
}

/// The process runs and answers, and this is how new its newest result is.
pub(super) async fn healthy<S: Source>(State(web): Shared<S>) -> Response {
    let newest_result = web.source.newest_result().map(view::time);
    json(StatusCode::OK, &view::Health { status: "healthy", newest_result })
}

pub(super) async fn ready<S: Source>(State(web): Shared<S>) -> Result<Response, ApiError> {
    match web.source.ready() {
        Ok(()) => Ok(json(StatusCode::OK, &view::Status { status: "ready" })),
        Err(waiting) => Err(ApiError::unavailable(format!("not ready: {waiting}"))),
    }
}

pub(super) async fn reload<S: Source>(State(web): Shared<S>) -> Result<Response, ApiError> {
    let mistakes = match web.source.reload().await {
        Ok(reloaded) => return Ok(json(StatusCode::OK, &view::Reloaded::new(reloaded))),
        Err(mistakes) => mistakes,
    };
    let s = if mistakes.len() == 1 { "" } else { "s" };
    let error = format!(
        "the configuration has {} mistake{s}; the one before stays in force",
        mistakes.len()
    );
    let hint = "mend what `mistakes` says and reload again";
    Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, error, hint).with_mistakes(mistakes))
}

pub(super) async fn heartbeat<S: Source>(
    State(web): Shared<S>,
    Id(check): Id,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let at = web.source.now();
    let Some(token) = auth::bearer(&headers) else {
        let hint = "send the header `Authorization: Bearer <token of the check>`";
        return Err(ApiError::unauthorized("a beat needs the token of its check", hint));
    };
    let beat = beat_of(&read(body).await?)?;
    let outcome = match CheckId::new(&check) {
        Ok(check) => web.source.beat(&check, token, at, beat).await,
        Err(_) => Err(BeatError::Denied),
    };
    match outcome {
        Ok(()) => Ok(json(StatusCode::OK, &view::Taken { taken: view::time(at) })),
        Err(error @ BeatError::Denied) => Err(ApiError::unauthorized(
            error.to_string(),
            "compare the id in the path and the token with the configuration",
        )),
        Err(error @ BeatError::Busy) => Err(ApiError::unavailable(error.to_string())),
    }
}

/// The whole of a small body.
pub(super) async fn read(body: Body) -> Result<Vec<u8>, ApiError> {
    let whole = Limited::new(body, BODY_BYTES_MAX).collect();
    match timeout(BODY_TIME_MAX, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes().to_vec()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            let hint = format!("send at most {BODY_BYTES_MAX} bytes");
            Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large", hint))
        }
        Ok(Err(_)) => Err(ApiError::bad("the body broke off", "send it whole")),
        Err(_) => {
            let hint = format!("send it within {} seconds", BODY_TIME_MAX.as_secs());
            Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "the body took too long", hint))
        }
    }
}

fn beat_of(body: &[u8]) -> Result<Beat, ApiError> {
    if body.trim_ascii().is_empty() {
        return Ok(Beat { good: true, message: None });
    }
    let BeatBody { status, message } = serde_json::from_slice(body).map_err(|error| {
        let hint = r#"send nothing, or {"status": "ok" or "fail", "message": "…"}"#;
        ApiError::bad(format!("the body is not a beat: {error}"), hint)
    })?;
    let good = matches!(status, Status::Ok);
    let message = message.map(|text| text.chars().take(MESSAGE_CHARS_MAX).collect());
    Ok(Beat { good, message })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::body::Bytes;
    use axum::response::IntoResponse;
    use http_body::Frame;

    use super::*;

    /// A body that never comes.
    struct Never;

    impl http_body::Body for Never {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_is_not_waited_for() {
        let error = read(Body::new(Never)).await.unwrap_err();
        assert_eq!(error.into_response().status(), StatusCode::REQUEST_TIMEOUT);
    }

    #[tokio::test]
    async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
        for (bytes, fits) in [(BODY_BYTES_MAX, true), (BODY_BYTES_MAX + 1, false)] {
            assert_eq!(read(Body::from(vec![b' '; bytes])).await.is_ok(), fits, "{bytes}");
        }
    }
}
