//! What holds for every request: who may ask, and what a browser may do with the answer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::answer::ApiError;
use super::source::Source;
use super::{Web, auth};

/// Headers of every answer. The page sets its own policy, which allows its one style.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];

/// Longest wait for room: less than what Prometheus and people have patience for.
const ROOM_TIME_MAX: Duration = Duration::from_secs(8);

/// Lets a request pass that carries the token, if one is set.
pub(super) async fn token<S: Source>(
    State(web): State<Arc<Web<S>>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(token) = &web.settings.token else { return next.run(request).await };
    match auth::bearer(request.headers()) {
        Some(given) if auth::same(token, given) => next.run(request).await,
        given => {
            let error = match given {
                Some(_) => "the bearer token is not the one in the configuration",
                None => "this needs a bearer token",
            };
            let hint = "send the header `Authorization: Bearer <token>`";
            ApiError::unauthorized(error, hint).into_response()
        }
    }
}

/// Lets a request pass once there is room for its answer, and holds the place until the answer
/// is sent, or given up.
pub(super) async fn room(
    State(room): State<Arc<Semaphore>>,
    request: Request,
    next: Next,
) -> Response {
    match timeout(ROOM_TIME_MAX, room.acquire_owned()).await {
        Ok(Ok(place)) => {
            next.run(request).await.map(|body| Body::new(Held { body, _place: place }))
        }
        _ => ApiError::unavailable("too many large answers are under way").into_response(),
    }
}

/// A body that holds a place.
struct Held {
    body: Body,
    _place: OwnedSemaphorePermit,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Adds [`HEADERS`], and refuses to change anything for a page of another site: a browser says
/// so in `Sec-Fetch-Site`.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let site = request.headers().get("sec-fetch-site").map(HeaderValue::as_bytes);
    let ours = matches!(site, None | Some(b"same-origin" | b"none"));
    let mut response = if reads || ours {
        next.run(request).await
    } else {
        let error = "a page of another site may not do this";
        ApiError::new(StatusCode::FORBIDDEN, error, "send it from a script or a terminal")
            .into_response()
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
