//! What an HTTP client is told: headers, how it proves who it is, and proxies.

use ::http::{HeaderName, HeaderValue};
use url::Url;

use super::tls;
use crate::blackbox::desk::{Desk, Table};
use crate::blackbox::hide::speakable;
use crate::blackbox::module::Proxies;
use crate::blackbox::no_proxy::NoProxy;
use crate::blackbox::yaml::{Entry, Span, Value};
use crate::model::bytes;
use crate::model::secret::Secret;
use crate::model::spec::{Auth, OAuth2, Peer, Proxy};

const BASIC: &[&str] = &["username", "username_file", "password", "password_file"];

const SCHEME: &[&str] = &["type", "credentials", "credentials_file"];

/// Headers with their values.
pub(super) type Headers = Vec<(String, Secret)>;

/// Whether `name: value` can be sent as a header; says so if not.
fn header(desk: &mut Desk<'_>, name: (&str, Span), value: (&str, Span)) -> bool {
    if HeaderName::from_bytes(name.0.as_bytes()).is_err() {
        let what = if speakable(name.0) {
            format!("`{}` is no name of a header", name.0)
        } else {
            "this is no name of a header".to_owned()
        };
        desk.wrong(name.1, what, "write letters, digits and `-`");
        return false;
    }
    if HeaderValue::from_bytes(value.0.as_bytes()).is_err() {
        let what = format!("the value of `{}` can't be sent in a header", name.0);
        desk.wrong(value.1, what, "write one line without control characters");
        return false;
    }
    true
}

/// What is under `section` of a table: names, and a value each or a list of values.
pub(super) fn headers(desk: &mut Desk<'_>, table: Table<'_>, section: &str) -> Headers {
    let Some(node) = table.get(section) else { return Vec::new() };
    let mut found = Vec::new();
    for Entry { key, key_at, node } in desk.entries(node, section) {
        let items = match &node.value {
            Value::List(_) => desk.items(node, section),
            _ => vec![node.as_ref()],
        };
        for item in items {
            let Some(text) = desk.scalar(item, section) else { continue };
            if header(desk, (key, *key_at), (text, item.at)) {
                found.push((key.clone(), Secret::new(text.to_owned())));
            }
        }
    }
    found
}

/// `http_headers` of a section: values, secret values, and files with values.
pub(super) fn http_headers(desk: &mut Desk<'_>, table: Table<'_>) -> Headers {
    let Some(node) = table.get("http_headers") else { return Vec::new() };
    let mut found = Vec::new();
    for Entry { key, key_at, node } in desk.entries(node, "http_headers") {
        let one = desk.table(node, "http_headers", &["values", "secrets", "files"]);
        let mut values: Vec<(Secret, Span)> = Vec::new();
        for list in ["values", "secrets"] {
            let texts = desk.texts(one, list).into_iter();
            values.extend(texts.map(|(text, at)| (Secret::new(text.to_owned()), at)));
        }
        for (path, at) in desk.texts(one, "files") {
            values.extend(desk.secret_file(path, at).map(|secret| (secret, at)));
        }
        for (secret, at) in values {
            if header(desk, (key, *key_at), (secret.reveal(), at)) {
                found.push((key.clone(), secret));
            }
        }
    }
    found
}

/// `basic_auth` or `bearer_token` of a WebSocket.
pub(super) fn simple_auth(desk: &mut Desk<'_>, table: Table<'_>) -> Auth {
    desk.one_of(table, &["basic_auth", "bearer_token"]);
    if let Some(basic) = desk.sub(table, "basic_auth", &["username", "password"]) {
        let user = desk.text(basic, "username").unwrap_or_default().to_owned();
        let password = desk.text(basic, "password").unwrap_or_default().to_owned();
        if user.is_empty() || password.is_empty() {
            desk.wrong(basic.at, "`basic_auth` takes a `username` and a `password`", "write both");
        }
        return Auth::Basic { user, password: Secret::new(password) };
    }
    bearer(desk, table)
}

fn bearer(desk: &mut Desk<'_>, table: Table<'_>) -> Auth {
    let Some(token) = desk.secret(table, "bearer_token", "bearer_token_file") else {
        return Auth::None;
    };
    let keys = ["bearer_token", "bearer_token_file"];
    let at = keys.iter().find_map(|key| table.get(key)).map_or(table.at, |node| node.at);
    if token.reveal().trim().is_empty() {
        desk.wrong(at, "`bearer_token` is empty", "write the token, or leave it out");
    }
    sendable(desk, &token, at);
    Auth::Bearer(token)
}

/// How the client of a section proves who it is, and headers that do so.
pub(super) fn auth(desk: &mut Desk<'_>, table: Table<'_>) -> (Auth, Headers) {
    let bearer_key =
        if table.get("bearer_token").is_some() { "bearer_token" } else { "bearer_token_file" };
    desk.one_of(table, &["basic_auth", "authorization", "oauth2", bearer_key]);
    if let Some(basic) = desk.sub(table, "basic_auth", BASIC) {
        let user = desk.secret(basic, "username", "username_file");
        let user = user.map_or(String::new(), |user| user.reveal().to_owned());
        let password = desk.secret(basic, "password", "password_file");
        let password = password.unwrap_or_else(|| Secret::new(String::new()));
        return (Auth::Basic { user, password }, Vec::new());
    }
    if let Some(scheme) = desk.sub(table, "authorization", SCHEME) {
        return authorization(desk, scheme);
    }
    if table.get("oauth2").is_some() {
        return (oauth2(desk, table), Vec::new());
    }
    (bearer(desk, table), Vec::new())
}

fn authorization(desk: &mut Desk<'_>, table: Table<'_>) -> (Auth, Headers) {
    let at = |key: &str| table.get(key).map_or(table.at, |node| node.at);
    let scheme = desk.text(table, "type").map_or("Bearer", str::trim);
    if scheme.eq_ignore_ascii_case("basic") {
        desk.wrong(
            at("type"),
            "`authorization` is not for basic authentication",
            "write `basic_auth` instead",
        );
    }
    let Some(secret) = desk.secret(table, "credentials", "credentials_file") else {
        desk.wrong(
            table.at,
            "`authorization` has no `credentials`",
            "write `credentials` or `credentials_file`",
        );
        return (Auth::None, Vec::new());
    };
    let place =
        if table.get("credentials").is_some() { at("credentials") } else { at("credentials_file") };
    sendable(desk, &secret, place);
    if scheme.eq_ignore_ascii_case("bearer") || scheme.is_empty() {
        return (Auth::Bearer(secret), Vec::new());
    }
    let whole = Secret::new(format!("{scheme} {}", secret.reveal()));
    if HeaderValue::from_str(scheme).is_err() || scheme.contains(' ') {
        desk.wrong(at("type"), "`type` is one word", "write a scheme such as `Bearer`");
    }
    (Auth::None, vec![("Authorization".to_owned(), whole)])
}

fn sendable(desk: &mut Desk<'_>, secret: &Secret, at: Span) {
    if HeaderValue::from_str(secret.reveal()).is_err() {
        desk.wrong(at, "this secret can't be sent in a header", "write one line of visible ASCII");
    }
}

fn oauth2(desk: &mut Desk<'_>, section: Table<'_>) -> Auth {
    const KEYS: &[&str] = &[
        "client_id",
        "client_secret",
        "client_secret_file",
        "scopes",
        "token_url",
        "endpoint_params",
        "tls_config",
    ];
    let Some(table) = desk.sub(section, "oauth2", KEYS) else { return Auth::None };
    let client_id = desk.text(table, "client_id").unwrap_or_default().to_owned();
    if client_id.is_empty() {
        desk.wrong(table.at, "`oauth2` has no `client_id`", "write the client's id");
    }
    let client_secret = desk.secret(table, "client_secret", "client_secret_file");
    let client_secret = client_secret.unwrap_or_else(|| Secret::new(String::new()));
    let scopes = desk.texts(table, "scopes").into_iter().map(|(text, _)| text.to_owned()).collect();
    let mut params = Vec::new();
    if let Some(node) = table.get("endpoint_params") {
        for Entry { key, node, .. } in desk.entries(node, "endpoint_params") {
            let text = desk.scalar(node, "endpoint_params");
            params.extend(text.map(|text| (key.clone(), Secret::new(text.to_owned()))));
        }
    }
    let tls = Some(tls::tls(desk, table));
    let written = desk.text(table, "token_url").unwrap_or_default();
    let url = Url::parse(written)
        .ok()
        .filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"));
    let Some(token_url) = url else {
        let at = table.get("token_url").map_or(table.at, |node| node.at);
        desk.wrong(
            at,
            "`token_url` is an `http` or `https` URL",
            "write the address of the token endpoint",
        );
        return Auth::None;
    };
    Auth::OAuth2(Box::new(OAuth2 { token_url, client_id, client_secret, scopes, params, tls }))
}

/// The proxies of a section.
pub(super) fn proxies(desk: &mut Desk<'_>, table: Table<'_>) -> Option<Proxies> {
    let from_environment = desk.bool(table, "proxy_from_environment", false);
    let url = desk.text(table, "proxy_url").filter(|url| !url.is_empty());
    let url_at = table.get("proxy_url").map_or(table.at, |node| node.at);
    let without = desk.text(table, "no_proxy").filter(|text| !text.is_empty());
    let at = |key: &str| table.key_at(key).unwrap_or(table.at);
    let connect_headers = headers(desk, table, "proxy_connect_header");
    if from_environment && (url.is_some() || without.is_some()) {
        let what = "`proxy_from_environment` excludes `proxy_url` and `no_proxy`";
        desk.wrong(at("proxy_from_environment"), what, "keep one way to name the proxy");
    }
    if from_environment {
        return environment(desk, at("proxy_from_environment"), &connect_headers);
    }
    let Some(url) = url else {
        for key in ["no_proxy", "proxy_connect_header"] {
            if table.get(key).is_some() && table.get("proxy_url").is_none() {
                desk.wrong(
                    at(key),
                    format!("`{key}` needs a proxy"),
                    "write `proxy_url`, or leave it out",
                );
            }
        }
        return None;
    };
    let proxy =
        proxy(url, &connect_headers).map_err(|(what, mend)| desk.wrong(url_at, what, mend)).ok()?;
    let none_for = without.map(NoProxy::parse);
    Some(Proxies { http: Some(proxy.clone()), https: Some(proxy), none_for })
}

/// The proxies that environment variables name, as Go reads them; upper case goes first.
fn environment(desk: &mut Desk<'_>, at: Span, connect_headers: &Headers) -> Option<Proxies> {
    let env = desk.env;
    let look = |upper: &'static str, lower: &'static str| {
        [upper, lower]
            .into_iter()
            .find_map(|name| Some((name, env(name).filter(|it| !it.is_empty())?)))
    };
    let mut named = |found: Option<(&'static str, String)>| {
        let (name, text) = found?;
        let whole = if text.contains("://") { text } else { format!("http://{text}") };
        proxy(&whole, connect_headers)
            .map_err(|(what, mend)| {
                desk.wrong(at, format!("of the environment variable `{name}`: {what}"), mend);
            })
            .ok()
    };
    let http = named(look("HTTP_PROXY", "http_proxy"));
    let https = named(look("HTTPS_PROXY", "https_proxy"));
    let without = look("NO_PROXY", "no_proxy").map_or(String::new(), |(_, text)| text);
    let any = http.is_some() || https.is_some();
    any.then(|| Proxies { http, https, none_for: Some(NoProxy::parse(&without)) })
}

/// `text` as a proxy; else what is wrong with it, without repeating it, and what to write.
fn proxy(text: &str, connect_headers: &Headers) -> Result<Proxy, (String, &'static str)> {
    let mend = "write it as `http://proxy.example.vn:3128`";
    let url = Url::parse(text).ok().filter(|_| text.contains("://"));
    let url = url.ok_or_else(|| ("a proxy is named by a URL".to_owned(), mend))?;
    if url.scheme() != "http" {
        let shown = if speakable(url.scheme()) { url.scheme() } else { "another scheme" };
        let what = format!("proxies are spoken to in clear HTTP here, not `{shown}`");
        return Err((
            what,
            "name an HTTP proxy: `http://proxy.example.vn:3128`; it may carry TLS to the target",
        ));
    }
    let host = url.host().ok_or_else(|| ("a proxy has a host".to_owned(), mend))?.to_owned();
    let port = url.port_or_known_default().filter(|port| *port != 0);
    let port = port.ok_or_else(|| ("a proxy has a port from 1 to 65535".to_owned(), mend))?;
    let auth = (!url.username().is_empty() || url.password().is_some()).then(|| {
        (decoded(url.username()), Secret::new(decoded(url.password().unwrap_or_default())))
    });
    Ok(Proxy { peer: Peer { host, port }, auth, connect_headers: connect_headers.clone() })
}

fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&bytes::unescaped(text.as_bytes())).into_owned()
}
