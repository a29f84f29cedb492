//! Prober `http`: the request, with no expectation but that an answer comes.

use url::Url;

use crate::model::bytes;
use crate::model::expect::{CodeSet, HttpExpect};
use crate::model::secret::Secret;
use crate::model::spec::{Auth, HttpOffer, HttpSpec, RedirectTo, Redirects, Spec};

use super::super::module::Http;
use super::Refusal;

/// Most redirects, as in blackbox_exporter.
const REDIRECTS_MAX: u8 = 10;

/// Most bytes of a body if the module sets no limit. The original sets none and keeps all of it
/// in memory, so that one target can end the process.
const BODY_BYTES_MAX: u64 = 64 << 20;

/// The request to `target`; `hostname` becomes its `Host`.
pub(super) fn spec(module: &Http, target: &str, hostname: Option<&str>) -> Result<Spec, Refusal> {
    let mut url = url(target)?;
    let auth = auth(module, &mut url);
    let headers = headers(module, hostname)?;
    let named = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
    let named = named.map(|(_, value)| bare(value.reveal()).to_owned());
    let mut tls = module.tls.clone();
    tls.server_name = tls.server_name.or(named);
    let hops_max = if module.follow_redirects { REDIRECTS_MAX } else { 0 };
    Ok(Spec::Http(Box::new(HttpSpec {
        method: module.method.clone(),
        body: module.body.clone(),
        auth,
        tls,
        proxy: module.proxies.as_ref().and_then(|it| it.to(&url)).cloned(),
        redirects: Redirects { hops_max, to: RedirectTo::Anywhere, downgrade: true },
        offer: offer(module),
        compressed: false,
        body_bytes_cap: module.body_limit.unwrap_or(BODY_BYTES_MAX),
        expect: anything()?,
        headers,
        url,
    })))
}

/// Without a scheme it is `http`.
fn url(target: &str) -> Result<Url, Refusal> {
    let refused = |why: String| Refusal::Target(format!("`{target}` is no URL: {why}"));
    let whole = if target.starts_with("http://") || target.starts_with("https://") {
        target.to_owned()
    } else {
        format!("http://{target}")
    };
    let mut url = Url::parse(&whole).map_err(|error| refused(error.to_string()))?;
    if url.port() == Some(0) {
        return Err(refused("no server has the port 0".to_owned()));
    }
    url.set_fragment(None);
    Ok(url)
}

/// The module's own, else what the URL says; the URL is left without it.
fn auth(module: &Http, url: &mut Url) -> Auth {
    let user = unescaped(url.username());
    let password = Secret::new(unescaped(url.password().unwrap_or_default()));
    // Both fail only for URLs that can't have them.
    let _no_user = url.set_username("");
    let _no_password = url.set_password(None);
    match &module.auth {
        Auth::None if !user.is_empty() => Auth::Basic { user, password },
        own => own.clone(),
    }
}

/// A part of a URL with its escapes undone.
fn unescaped(text: &str) -> String {
    String::from_utf8_lossy(&bytes::unescaped(text.as_bytes())).into_owned()
}

fn headers(module: &Http, hostname: Option<&str>) -> Result<Vec<(String, Secret)>, Refusal> {
    let mut headers = module.headers.clone();
    let Some(hostname) = hostname.filter(|it| !it.is_empty()) else { return Ok(headers) };
    match headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host")) {
        Some((_, other)) if other.reveal() != hostname => Err(Refusal::Request(format!(
            "the module has a Host header of its own, other than the parameter `hostname` \
             ({hostname}): leave one of them out"
        ))),
        Some(_) => Ok(headers),
        None => {
            headers.push(("Host".to_owned(), Secret::new(hostname.to_owned())));
            Ok(headers)
        }
    }
}

/// A host without its port, and an IPv6 address without its brackets.
fn bare(host: &str) -> &str {
    if let Some((address, rest)) = host.strip_prefix('[').and_then(|it| it.split_once(']'))
        && (rest.is_empty() || rest.starts_with(':'))
    {
        return address;
    }
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') && port.bytes().all(|it| it.is_ascii_digit()) => {
            name
        }
        _ => host,
    }
}

const fn offer(module: &Http) -> HttpOffer {
    match (module.http3, module.http2) {
        (true, _) => HttpOffer::Http3,
        (false, true) => HttpOffer::Auto,
        (false, false) => HttpOffer::Http1,
    }
}

/// No expectation: the module judges.
fn anything() -> Result<HttpExpect, Refusal> {
    let none = || Refusal::Request("no status is expected".to_owned());
    let status = CodeSet::new(vec![(0, u16::MAX)]).ok_or_else(none)?;
    Ok(HttpExpect { status, blocked: false, ..HttpExpect::default() })
}
