//! Whether and where a redirect is followed, decided anew at each hop. Pure.

use http::Method;
use http::header::LOCATION;
use hyper::body::Bytes;
use url::Url;

use crate::model::reason::Reason;
use crate::model::spec::{HttpSpec, RedirectTo};
use crate::probe::stopwatch::Fault;

use super::request::same_host;
use super::{Asked, Got, shown};

/// The next hop; `None` if `got` is not a redirect, or redirects are not followed at all.
/// `hops` have been made so far, the first request included.
///
/// # Errors
///
/// `redirect_limit` or `redirect_refused`.
pub(super) fn next(
    spec: &HttpSpec,
    asked: &Asked,
    got: &Got,
    hops: usize,
) -> Result<Option<Asked>, Fault> {
    if spec.redirects.hops_max == 0 || !matches!(got.status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
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
    // Both fail only for URLs that can't have them, and those have been refused.
    let _no_user = url.set_username("");
    let _no_password = url.set_password(None);
    if hops > usize::from(spec.redirects.hops_max) {
        let most = spec.redirects.hops_max;
        let why = format!("more than {most} redirects; the next is to {}", shown(&url));
        return Err(Fault::new(Reason::RedirectLimit, why));
    }
    let (method, body) = carried(asked, got.status);
    let home = asked.home && same_host(&url, &spec.url);
    Ok(Some(Asked { method, url, body, home }))
}

fn may_go(spec: &HttpSpec, from: &Url, to: &Url) -> Result<(), String> {
    if !matches!(to.scheme(), "http" | "https") {
        return Err(format!("a redirect to the scheme `{}`", to.scheme()));
    }
    if from.scheme() == "https" && to.scheme() == "http" {
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
