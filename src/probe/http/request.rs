//! What is sent: the request line and the headers of one hop.

use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST,
    PROXY_AUTHORIZATION, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use hyper::body::Bytes;
use url::{Position, Url};

use crate::model::bytes::base64;
use crate::model::reason::Reason;
use crate::model::secret::Secret;
use crate::model::spec::Auth;
use crate::probe::stopwatch::Fault;

use super::cookies::Jar;
use super::{Asked, Trip};

/// Headers of the check that may follow a redirect to another host: none that can hold a secret.
pub(super) const HARMLESS: &[&str] =
    &["accept", "accept-encoding", "accept-language", "cache-control", "pragma", "user-agent"];

/// Headers of a connection, which HTTP/2 and 3 forbid (RFC 9113, section 8.2.2; RFC 9114, section
/// 4.2).
pub(super) const ONLY_HTTP1: [HeaderName; 5] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The method, as written.
pub(super) fn method(text: &str) -> Result<Method, Fault> {
    Method::from_bytes(text.as_bytes())
        .map_err(|_| Fault::new(Reason::Internal, format!("`{text}` is not a method")))
}

/// The request of one hop, for HTTP/1 or HTTP/2.
pub(super) fn build(
    trip: &Trip<'_>,
    asked: &Asked,
    jar: &Jar,
    two: bool,
) -> Result<Request<Full<Bytes>>, Fault> {
    let mut headers = own_headers(trip, asked, jar)?;
    for (name, value) in &trip.spec.headers {
        if asked.home || HARMLESS.contains(&name.to_ascii_lowercase().as_str()) {
            let key = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Fault::new(Reason::Internal, format!("`{name}` is not a header")))?;
            set(&mut headers, &key, trip, value.reveal())?;
        }
    }
    let dropped = asked.body.is_empty() && trip.spec.body.as_ref().is_some_and(|it| !it.is_empty());
    if dropped {
        headers.remove(CONTENT_TYPE);
    }
    if two {
        for name in ONLY_HTTP1 {
            headers.remove(name);
        }
        if !asked.body.is_empty() {
            headers.insert(CONTENT_LENGTH, asked.body.len().into());
        }
    }
    let uri = target(trip, asked, &mut headers, two)?;
    let mut request = Request::new(Full::new(asked.body.clone()));
    *request.method_mut() = asked.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(request)
}

/// Our own headers, which the check's may replace.
fn own_headers(trip: &Trip<'_>, asked: &Asked, jar: &Jar) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::with_capacity(8 + trip.spec.headers.len());
    headers.insert(HOST, secret(&asked.url[Position::BeforeHost..Position::AfterPort])?);
    headers.insert(USER_AGENT, secret(&trip.net.settings.user_agent)?);
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    if trip.spec.compressed {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate, br"));
    }
    if asked.home
        && let Some(value) = authorization(&trip.spec.auth, trip.token)
    {
        headers.insert(AUTHORIZATION, secret(&value)?);
    }
    if let Some(cookies) = jar.header(&asked.url) {
        headers.insert(COOKIE, secret(&cookies)?);
    }
    if let (Some(proxy), "http") = (&trip.spec.proxy, asked.url.scheme())
        && let Some((user, password)) = &proxy.auth
    {
        headers.insert(PROXY_AUTHORIZATION, secret(&basic(user, password.reveal()))?);
    }
    Ok(headers)
}

fn set(
    headers: &mut HeaderMap,
    name: &HeaderName,
    trip: &Trip<'_>,
    value: &str,
) -> Result<(), Fault> {
    if name == COOKIE
        && let Some(ours) = headers.get(COOKIE).and_then(|it| it.to_str().ok())
    {
        let both = secret(&format!("{value}; {ours}"))?;
        headers.insert(COOKIE, both);
        return Ok(());
    }
    let value = secret(value)?;
    let written = |it: &&(String, _)| it.0.eq_ignore_ascii_case(name.as_str());
    // A header written twice is sent twice; one of ours is replaced.
    if trip.spec.headers.iter().filter(written).count() > 1 && headers.contains_key(name) {
        let ours = [HOST, USER_AGENT, ACCEPT, ACCEPT_ENCODING, AUTHORIZATION];
        if !ours.contains(name) {
            headers.append(name, value);
            return Ok(());
        }
    }
    headers.insert(name, value);
    Ok(())
}

/// A header value, whose text never reaches a message.
fn secret(text: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
        Fault::new(Reason::SelfSecret, "a header to send holds a line break or another control")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The target in the form that the way asks for (RFC 9112, section 3.2; RFC 9113, section 8.3.1).
fn target(
    trip: &Trip<'_>,
    asked: &Asked,
    headers: &mut HeaderMap,
    two: bool,
) -> Result<Uri, Fault> {
    let bad = |()| Fault::new(Reason::Internal, "the URL can't be written into a request");
    let path = &asked.url[Position::BeforePath..Position::AfterQuery];
    let by_proxy = trip.spec.proxy.is_some() && asked.url.scheme() == "http";
    let mut parts = http::uri::Parts::default();
    parts.path_and_query = Some(path.parse().map_err(|_| bad(()))?);
    if two || by_proxy {
        let written = if two { headers.remove(HOST) } else { None };
        // A proxy goes where the target says: to the host that was checked, never to one that
        // only a `host` header names.
        let authority = match &written {
            Some(host) if !by_proxy => host.as_bytes(),
            _ => asked.url[Position::BeforeHost..Position::AfterPort].as_bytes(),
        };
        parts.authority = Some(Authority::try_from(authority).map_err(|_| bad(()))?);
        let secure = asked.url.scheme() == "https";
        parts.scheme = Some(if secure { Scheme::HTTPS } else { Scheme::HTTP });
    }
    Uri::from_parts(parts).map_err(|_| bad(()))
}

fn authorization(auth: &Auth, token: Option<&Secret>) -> Option<String> {
    match auth {
        Auth::None => None,
        Auth::Basic { user, password } => Some(basic(user, password.reveal())),
        Auth::Bearer(token) => Some(format!("Bearer {}", token.reveal())),
        Auth::OAuth2(_) => token.map(|token| format!("Bearer {}", token.reveal())),
    }
}

/// The value of a Basic authorization (RFC 7617).
pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
}

/// Whether two URLs are of the same host.
pub(super) fn same_host(left: &Url, right: &Url) -> bool {
    left.host() == right.host()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, encoded) in vectors {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(basic("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }
}
