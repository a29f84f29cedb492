//! What an `http` check does and expects.

use url::Url;

use super::checks::{Times, less_than_timeout};
use super::read;
use crate::config::element;
use crate::config::mistake::What;
use crate::config::note::NoteWhat;
use crate::config::outside::Desk;
use crate::config::raw::{Node, Value};
use crate::model::expect::{HeaderMust, HeaderRule, HttpExpect, HttpVersion, JsonMust, JsonRule};
use crate::model::spec::{
    Auth, HttpOffer, HttpSpec, OAuth2, Proxy, RedirectTo, Redirects, TlsClient, TlsVersion,
};
use crate::model::time::Micros;

/// Most redirects followed if nothing is written.
const HOPS: u8 = 5;

/// Most bytes of a body if nothing is written.
const BODY_CAP: u64 = 1 << 20;

/// The `http` check at `node`.
pub(super) fn http(desk: &mut Desk<'_>, node: &Node, times: Option<&Times>) -> Option<HttpSpec> {
    let url = node.text("url").and_then(|text| element::url::http(text).ok());
    let headers = read::headers(desk, node, "headers", element::header::settable_name);
    let body = match node.get("body") {
        Some(body) => match body.as_text() {
            Some(text) => Some(text.as_bytes().to_vec()),
            None => body.get("file").and_then(|file| desk.body(file)),
        },
        None => None,
    };
    let auth = auth(desk, node, url.as_ref());
    let tls = read::tls(desk, node, "tls");
    let proxy = proxy(desk, node);
    let body_bytes_cap = read::size(node, "body_cap").unwrap_or(BODY_CAP);
    let expect = expect(desk, node, times, body_bytes_cap);
    let redirects = redirects(node.get("redirects"));
    tls_may_hold(desk, node, url.as_ref(), &redirects);
    http3_may_go(desk, node, url.as_ref(), &tls);
    Some(HttpSpec {
        url: url?,
        method: node.text("method").unwrap_or("GET").to_owned(),
        headers,
        body,
        auth: auth?,
        tls,
        proxy,
        redirects,
        offer: match node.text("http_version").unwrap_or("auto") {
            "1.1" => HttpOffer::Http1,
            "2" => HttpOffer::Http2,
            "3" => HttpOffer::Http3,
            _ => HttpOffer::Auto,
        },
        compressed: node.bool("compressed").unwrap_or(true),
        body_bytes_cap,
        expect: expect?,
    })
}

/// How the request at `node` proves who we are; `url` is where it goes.
pub(super) fn auth(desk: &mut Desk<'_>, node: &Node, url: Option<&Url>) -> Option<Auth> {
    let Some(auth) = node.get("auth") else { return Some(Auth::None) };
    if let Some(url) = url.filter(|it| matches!(it.scheme(), "http" | "ws") && !is_here(it)) {
        let host = url.host_str().unwrap_or_default().to_owned();
        desk.note(auth.at, NoteWhat::CredentialsInClear { host });
    }
    if let Some(basic) = auth.get("basic") {
        let password = desk.secret(basic, "password");
        return Some(Auth::Basic { user: basic.text("user")?.to_owned(), password: password? });
    }
    if let Some(bearer) = auth.get("bearer") {
        return desk.header_secret(bearer).map(Auth::Bearer);
    }
    let oauth2 = auth.get("oauth2")?;
    let client_secret = desk.secret(oauth2, "client_secret");
    Some(Auth::OAuth2(Box::new(OAuth2 {
        token_url: element::url::http(oauth2.text("token_url")?).ok()?,
        client_id: oauth2.text("client_id")?.to_owned(),
        client_secret: client_secret?,
        scopes: read::texts(oauth2, "scopes"),
        params: Vec::new(),
        tls: None,
    })))
}

/// Whether `url` is on this machine.
pub(super) fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn proxy(desk: &mut Desk<'_>, node: &Node) -> Option<Proxy> {
    let proxy = node.get("proxy")?;
    if let Some(text) = proxy.as_text() {
        let peer = element::url::proxy(text).ok()?;
        return Some(Proxy { peer, auth: None, connect_headers: Vec::new() });
    }
    let password = proxy.get("password").map(|at| (at.at, desk.secret_at(at)));
    let auth = match (proxy.get("user"), password) {
        (Some(user), Some((_, Some(password)))) => {
            user.as_text().map(|user| (user.to_owned(), password))
        }
        (Some(user), None) => {
            desk.wrong(user.at, read::needs("user", "`password`"));
            None
        }
        (None, Some((at, _))) => {
            desk.wrong(at, read::needs("password", "`user`"));
            None
        }
        _ => None,
    };
    let connect_headers =
        read::headers(desk, proxy, "connect_headers", element::header::connect_name);
    Some(Proxy { peer: element::url::proxy(proxy.text("url")?).ok()?, auth, connect_headers })
}

fn redirects(node: Option<&Node>) -> Redirects {
    let hops = node.and_then(|it| it.integer("max")).and_then(|max| u8::try_from(max).ok());
    let to = match node.and_then(|it| it.get("to")).map(|to| &to.value) {
        Some(Value::Text(word)) if word == "anywhere" => RedirectTo::Anywhere,
        Some(Value::List(hosts)) => {
            let host =
                |node: &Node| Some(element::address::host(node.as_text()?).ok()?.to_string());
            RedirectTo::Hosts(hosts.iter().filter_map(host).collect())
        }
        _ => RedirectTo::SameHost,
    };
    Redirects { hops_max: hops.unwrap_or(HOPS), to, downgrade: false }
}

fn expect(
    desk: &mut Desk<'_>,
    node: &Node,
    times: Option<&Times>,
    body_bytes_cap: u64,
) -> Option<HttpExpect> {
    let empty = Node { at: node.at, value: Value::Table(Vec::new()) };
    let expect = node.get("expect").unwrap_or(&empty);
    let body_bytes_min = read::size(expect, "body_min");
    let body_bytes_max = read::size(expect, "body_max");
    bounds(desk, expect, ("body_min", body_bytes_min), ("body_max", body_bytes_max));
    bounds(desk, expect, ("body_max", body_bytes_max), ("body_cap", Some(body_bytes_cap)));
    bounds(desk, expect, ("body_min", body_bytes_min), ("body_cap", Some(body_bytes_cap)));
    let response_time = read::length(expect, "response_time", None);
    if let (Some(length), Some(times)) = (response_time, times) {
        less_than_timeout(desk, node, expect, "response_time", length, times.timeout);
    }
    Some(HttpExpect {
        status: read::status(Some(expect), "status")?,
        versions: expect.list("versions").iter().filter_map(version).collect(),
        headers: expect.list("headers").iter().filter_map(|it| header_rule(desk, it)).collect(),
        body_contains: read::needles(desk, expect, "body_contains"),
        body_absent: read::needles(desk, expect, "body_absent"),
        body_matches: read::patterns(desk, expect, "body_matches"),
        body_not_matches: read::patterns(desk, expect, "body_not_matches"),
        body_bytes_min,
        body_bytes_max,
        json: expect.list("json").iter().filter_map(|it| json_rule(desk, it)).collect(),
        response_time: response_time.map(Micros::of),
        tls: expect.bool("tls"),
        cert: read::cert(Some(expect)),
        blocked: node.bool("blocked").unwrap_or(true),
    })
}

/// Reports an expectation on the last hop's TLS that can never hold.
fn tls_may_hold(desk: &mut Desk<'_>, node: &Node, url: Option<&Url>, redirects: &Redirects) {
    let Some((written, url)) = node.get("expect").and_then(|it| it.get("tls")).zip(url) else {
        return;
    };
    match (node.get("expect").and_then(|it| it.bool("tls")), url.scheme()) {
        (Some(false), "https") => desk.wrong(written.at, What::TlsNever { expected: false }),
        (Some(true), "http") if redirects.hops_max == 0 => {
            desk.wrong(written.at, What::TlsNever { expected: true });
        }
        _ => {}
    }
}

/// Reports what HTTP/3 can't go with: it is over QUIC, with TLS 1.3 in it.
fn http3_may_go(desk: &mut Desk<'_>, node: &Node, url: Option<&Url>, tls: &TlsClient) {
    let Some(version) = node.get("http_version").filter(|it| it.as_text() == Some("3")) else {
        return;
    };
    let three = "http_version = \"3\"";
    if url.is_some_and(|url| url.scheme() == "http") {
        desk.wrong(version.at, read::needs(three, "an `https` URL"));
    }
    if tls.version_max == Some(TlsVersion::Tls12) {
        desk.wrong(version.at, read::needs(three, "TLS 1.3: take `version_max` out"));
    }
    if let Some(proxy) = node.get("proxy") {
        let needs = "an older HTTP version: take it out, or `http_version = \"3\"`";
        desk.wrong(proxy.at, read::needs("proxy", needs));
    }
}

/// Reports a least that is above its most.
fn bounds(
    desk: &mut Desk<'_>,
    expect: &Node,
    (min_key, min): (&'static str, Option<u64>),
    (max_key, max): (&'static str, Option<u64>),
) {
    if let (Some(min), Some(max), Some(at)) = (min, max, expect.get(min_key))
        && min > max
    {
        let (min, max) = (min.to_string(), max.to_string());
        desk.wrong(at.at, What::Reversed { min_key, min, max_key, max });
    }
}

fn version(node: &Node) -> Option<HttpVersion> {
    let all = [HttpVersion::Http10, HttpVersion::Http11, HttpVersion::Http2, HttpVersion::Http3];
    all.into_iter().find(|version| Some(version.as_str()) == node.as_text())
}

fn header_rule(desk: &mut Desk<'_>, node: &Node) -> Option<HeaderRule> {
    if let Some(name) = node.as_text() {
        let name = element::header::name(name).ok()?;
        return Some(HeaderRule { name, must: HeaderMust::BePresent });
    }
    let allow_missing = node.bool("optional").unwrap_or(false);
    if let Some(at) = node.get("optional").filter(|_| node.get("matches").is_none()) {
        desk.wrong(at.at, read::needs("optional", "`matches`"));
    }
    let must = if node.get("matches").is_some() {
        HeaderMust::Match { pattern: read::pattern(desk, node, "matches")?, allow_missing }
    } else if node.get("not_matches").is_some() {
        HeaderMust::NotMatch(read::pattern(desk, node, "not_matches")?)
    } else if node.bool("absent") == Some(true) {
        HeaderMust::BeAbsent
    } else {
        HeaderMust::BePresent
    };
    Some(HeaderRule { name: element::header::name(node.text("name")?).ok()?, must })
}

fn json_rule(desk: &mut Desk<'_>, node: &Node) -> Option<JsonRule> {
    let written = node.as_text().or_else(|| node.text("path"))?.to_owned();
    let must = if let Some(value) = node.get("equals") {
        JsonMust::Equal(value.to_json())
    } else if node.get("matches").is_some() {
        JsonMust::Match(read::pattern(desk, node, "matches")?)
    } else if node.bool("absent") == Some(true) {
        JsonMust::SelectNothing
    } else {
        JsonMust::Select
    };
    Some(JsonRule { path: element::json_path(&written).ok()?, written, must })
}
