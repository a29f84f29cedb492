//! What holds for every request: who may ask, and what a browser may do with the answer.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

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

/// Lets a request pass that carries the token. If none is set, one that asks for an address or
/// `localhost`: a page of another site that has its own name point here (DNS rebinding) would
/// else read everything through a visitor's browser.
pub(super) async fn token<S: Source>(
    State(web): State<Arc<Web<S>>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(token) = &web.settings.token else {
        return match asks_here(&request) {
            Ok(()) => next.run(request).await,
            Err(error) => error.into_response(),
        };
    };
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

/// Whether a request names this place by an IP address or as `localhost`, with any port, in
/// `Host` and, if it has a host, in its target.
fn asks_here(request: &Request) -> Result<(), ApiError> {
    let hint = "ask for the IP address or `localhost`, or set `[monitor] token`";
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(ApiError::bad("this needs one `Host` header", hint));
    };
    let target = request.uri().authority();
    let host = host.to_str().ok().and_then(|it| it.parse::<Authority>().ok());
    let ours = host.is_some_and(|host| is_here(&host)) && target.is_none_or(is_here);
    ours.then_some(()).ok_or_else(|| {
        let error = "without a token, this is not answered for a name in `Host`";
        ApiError::new(StatusCode::FORBIDDEN, error, hint)
    })
}

fn is_here(authority: &Authority) -> bool {
    let host = authority.host();
    let v6 = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok()
        || v6.is_some_and(|it| it.parse::<Ipv6Addr>().is_ok())
}

/// Whether `Origin`, if there is one, has the host that is asked for (RFC 6454, section 7).
fn of_the_same_host(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let host = headers.get(header::HOST).and_then(|it| it.to_str().ok());
    let host = host.and_then(|it| it.parse::<Authority>().ok());
    let origin = origin.to_str().ok().and_then(|it| it.parse::<Uri>().ok());
    match (origin.as_ref().and_then(Uri::host), host) {
        (Some(origin), Some(host)) => origin.eq_ignore_ascii_case(host.host()),
        _ => false,
    }
}

/// Adds [`HEADERS`], and refuses to change anything for a page of another site: a browser says
/// so in `Sec-Fetch-Site`, or names it in `Origin`. Where a browser says "same-origin" that is
/// enough: a proxy may have put another name into `Host`.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let site = request.headers().get("sec-fetch-site").map(HeaderValue::as_bytes);
    let ours = match site {
        Some(b"same-origin") => true,
        None | Some(b"none") => of_the_same_host(request.headers()),
        Some(_) => false,
    };
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
