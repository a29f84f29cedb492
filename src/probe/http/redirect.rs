//! Whether and where a redirect is followed, decided anew at each hop. Pure.

use http::Method;
use http::header::LOCATION;
use http::uri::{Authority, PathAndQuery};
use hyper::body::Bytes;
use url::{Position, Url};

use crate::model::reason::Reason;
use crate::model::spec::{HttpOffer, HttpSpec, RedirectTo};
use crate::probe::stopwatch::Fault;

use super::request::same_host;
use super::{Asked, Got, shown};

/// Longest URL of a redirect, in bytes: as much as servers take in a request line.
const URL_BYTES_MAX: usize = 8 * 1024;

/// Whether an answer with this status is a redirect to follow.
pub(super) const fn is_followed(spec: &HttpSpec, status: u16) -> bool {
    spec.redirects.hops_max > 0 && matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// The next hop after `got`, which is a redirect to follow. `hops` have been made so far, the first request included.
///
/// # Errors
///
/// `redirect_limit` or `redirect_refused`.
pub(super) fn next(spec: &HttpSpec, asked: &Asked, got: &Got, hops: usize) -> Result<Asked, Fault> {
    let refused = |why: String| Fault::new(Reason::RedirectRefused, why);
    let Some(location) = got.headers.get(LOCATION) else {
        return Err(refused(format!("status {} without a location", got.status)));
    };
    let location = String::from_utf8_lossy(location.as_bytes());
    let mut url = asked
        .url
        .join(&location)
        .map_err(|error| refused(format!("a redirect to nowhere: {error}")))?;
    url.set_fragment(None);
    may_go(spec, &asked.url, &url).map_err(refused)?;
    is_writable(&url).map_err(refused)?;
    // Both fail only for URLs that can't have them, and those have been refused.
    let _no_user = url.set_username("");
    let _no_password = url.set_password(None);
    if hops > usize::from(spec.redirects.hops_max) {
        let most = spec.redirects.hops_max;
        let why = format!("more than {most} redirects; the next is to {}", shown(&url));
        return Err(Fault::new(Reason::RedirectLimit, why));
    }
    let home = asked.home && is_home(&spec.url, &url);
    let (method, body) = carried(asked, got.status);
    if home || body.is_empty() {
        return Ok(Asked { method, url, body, home });
    }
    // The body may hold secrets of the first host.
    if matches!(method, Method::GET | Method::HEAD | Method::DELETE | Method::OPTIONS) {
        return Ok(Asked { method, url, body: Bytes::new(), home });
    }
    Err(refused(format!("a redirect that would carry the body of {method} to {}", shown(&url))))
}

/// Whether secrets for `first` may go to `to`: the same scheme, host and port, or the usual
/// upgrade of plain http to https.
fn is_home(first: &Url, to: &Url) -> bool {
    let ends = |url: &Url| url.port_or_known_default();
    let upgraded = first.scheme() == "http"
        && ends(first) == Some(80)
        && to.scheme() == "https"
        && ends(to) == Some(443);
    let same = first.scheme() == to.scheme() && ends(first) == ends(to);
    same_host(first, to) && (same || upgraded)
}

/// Whether a request can be written to `url`: what a server sends may be longer than any, or
/// hold what has no place in one. That is its fault, not ours.
fn is_writable(url: &Url) -> Result<(), String> {
    let length = url.as_str().len();
    if length > URL_BYTES_MAX {
        return Err(format!("a redirect to a URL of {length} bytes, more than {URL_BYTES_MAX}"));
    }
    let target = &url[Position::BeforePath..Position::AfterQuery];
    let authority = &url[Position::BeforeHost..Position::AfterPort];
    if target.parse::<PathAndQuery>().is_err() || authority.parse::<Authority>().is_err() {
        return Err(format!("a redirect to what no request can be written to: {}", shown(url)));
    }
    Ok(())
}

fn may_go(spec: &HttpSpec, from: &Url, to: &Url) -> Result<(), String> {
    if !matches!(to.scheme(), "http" | "https") {
        return Err(format!("a redirect to the scheme `{}`", to.scheme()));
    }
    // HTTP/3 goes only over QUIC, which is never in clear.
    let downgrade = spec.redirects.downgrade && spec.offer != HttpOffer::Http3;
    if from.scheme() == "https" && to.scheme() == "http" && !downgrade {
        return Err(format!("a redirect from https to {}", shown(to)));
    }
    let allowed = same_host(to, &spec.url)
        || match &spec.redirects.to {
            RedirectTo::SameHost => false,
            RedirectTo::Hosts(hosts) => {
                let host = to.host_str().unwrap_or_default();
                hosts.iter().any(|it| it.eq_ignore_ascii_case(host))
            }
            RedirectTo::Anywhere => true,
        };
    if allowed { Ok(()) } else { Err(format!("a redirect to another host: {}", shown(to))) }
}

/// The method and body of the next hop (RFC 9110, section 15.4): 303 turns all but HEAD into
/// GET; 301 and 302 turn POST into GET, as browsers do; 307 and 308 change nothing.
fn carried(asked: &Asked, status: u16) -> (Method, Bytes) {
    let to_get = match status {
        303 => asked.method != Method::HEAD,
        301 | 302 => asked.method == Method::POST,
        _ => false,
    };
    if to_get { (Method::GET, Bytes::new()) } else { (asked.method.clone(), asked.body.clone()) }
}
