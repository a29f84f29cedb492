//! Monitors of Uptime Kuma that are an HTTP request.

use serde_json::Value as Json;

use super::super::draft::Draft;
use super::super::note::{Told, Weight};
use super::super::pattern;
use super::super::plan::Plan;
use super::super::request;
use super::super::value::Value;
use super::super::why;
use super::{Fields, Kuma};

/// Headers that Uptime Kuma sends with a body, by how it is called there.
const ENCODINGS: &[(&str, &str)] = &[
    ("json", "application/json"),
    ("form", "application/x-www-form-urlencoded"),
    ("xml", "text/xml; charset=utf-8"),
];

/// The draft of a monitor of `kind`.
pub(super) fn draft(
    base: &Draft,
    plan: &mut Plan<'_>,
    kuma: &Kuma,
    monitor: &Fields,
    kind: &str,
) -> Draft {
    let mut draft = base.clone();
    let place = monitor.place();
    let url = monitor.text("url").unwrap_or_default();
    request::url(&mut draft, &mut plan.variables, &url, &place);
    request::redirects(&mut draft, monitor.integer("maxredirects").unwrap_or(10));
    status(&mut draft, monitor);
    if monitor.is("ignoretls") {
        draft.needed(&["tls", "verify"], Value::Bool(false), &place, "ignore TLS errors");
    } else if monitor.is("expirynotification") && url.starts_with("https") {
        draft.tell(Told::new(Weight::Elsewhere, &place, "certificate expiry", why::CERTIFICATE));
    }
    if kind == "real-browser" {
        draft.tell(Told::new(Weight::Changed, &place, "real-browser", why::BROWSER));
        return draft;
    }
    request::method(&mut draft, monitor.text("method").as_deref(), &place);
    headers(&mut draft, plan, monitor);
    login(&mut draft, plan, monitor);
    proxy(&mut draft, plan, kuma, monitor);
    if let Some(keyword) = monitor.text("keyword").filter(|_| kind == "keyword") {
        let key = if monitor.is("invertkeyword") { "body_absent" } else { "body_contains" };
        draft.part(&["expect", key], Value::texts([keyword]), &place, "keyword");
    }
    if kind == "json-query" {
        json(&mut draft, monitor);
    }
    draft
}

fn status(draft: &mut Draft, monitor: &Fields) {
    let mut written = monitor.texts("acceptedstatuscodes");
    if written.is_empty() {
        written = monitor.texts("acceptedstatuscodesjson");
    }
    let ranges: Vec<(u16, u16)> = written
        .iter()
        .filter_map(|it| {
            let (first, last) = it.split_once('-').unwrap_or((it, it));
            Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
        })
        .collect();
    if ranges.is_empty() {
        return;
    }
    let allowed = |code: u16| ranges.iter().any(|(first, last)| (*first..=*last).contains(&code));
    let place = monitor.place();
    match request::status(allowed) {
        Some(codes) => {
            draft.part(&["expect", "status"], codes, &place, "accepted status codes");
            if allowed(429) {
                draft.key("blocked", Value::Bool(false));
            }
        }
        None => draft.tell(Told::new(Weight::Weaker, &place, "accepted status codes", why::NEVER)),
    }
}

/// Headers, and the body with the header that goes with it.
fn headers(draft: &mut Draft, plan: &mut Plan<'_>, monitor: &Fields) {
    let place = monitor.place();
    let mut has_type = false;
    if let Some(text) = monitor.text("headers").filter(|it| !it.trim().is_empty()) {
        match serde_json::from_str::<serde_json::Map<String, Json>>(&text) {
            Ok(headers) => {
                for (name, value) in &headers {
                    has_type |= name.eq_ignore_ascii_case("content-type");
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    request::header(draft, &mut plan.variables, (name, &value), &place);
                }
            }
            Err(_) => draft.tell(Told::new(Weight::Off, &place, "headers", why::HEADERS)),
        }
    }
    let Some(body) = monitor.text("body") else { return };
    request::body(draft, &body, &place);
    let encoding = monitor.text("httpbodyencoding").unwrap_or_else(|| "json".to_owned());
    let kind = ENCODINGS.iter().find(|(name, _)| *name == encoding).filter(|_| !has_type);
    if let Some((_, kind)) = kind {
        draft.needed(&["headers", "content-type"], *kind, &place, "body encoding");
    }
}

fn login(draft: &mut Draft, plan: &mut Plan<'_>, monitor: &Fields) {
    let place = monitor.place();
    let text = |name: &str| monitor.text(name).unwrap_or_default();
    match text("authmethod").as_str() {
        "" | "basic" | "null" => {
            if let Some(user) = monitor.text("basicauthuser") {
                let password = text("basicauthpass");
                request::basic(draft, &mut plan.variables, &user, &password, &place, "basic auth");
            }
        }
        "oauth2-cc" => {
            let all = (text("oauthtokenurl"), text("oauthclientid"), text("oauthclientsecret"));
            let scopes: Vec<_> =
                text("oauthscopes").split_whitespace().map(str::to_owned).collect();
            request::oauth2(draft, &mut plan.variables, (&all.0, &all.1, &all.2), &scopes, &place);
        }
        "mtls" => draft.tell(Told::new(Weight::Off, &place, "mTLS", why::CLIENT_CERT)),
        other => {
            draft.tell(Told::new(Weight::Off, &place, format!("login by {other}"), why::LOGIN));
        }
    }
}

fn proxy(draft: &mut Draft, plan: &mut Plan<'_>, kuma: &Kuma, monitor: &Fields) {
    let Some(id) = monitor.integer("proxyid") else { return };
    let place = monitor.place();
    let proxy = kuma.proxies.iter().find(|it| it.id() == id);
    let Some(proxy) = proxy.filter(|it| it.bool("active") != Some(false)) else { return };
    let text = |name: &str| proxy.text(name).unwrap_or_default();
    let host = text("host");
    let host =
        if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
    let address = format!("{}://{host}:{}", text("protocol"), text("port"));
    let Ok(mut url) = url::Url::parse(&address) else {
        draft.tell(Told::new(Weight::Off, &place, "proxy", why::PROXY));
        return;
    };
    if proxy.is("auth") {
        let set = url.set_username(&text("username"));
        if set.and_then(|()| url.set_password(Some(&text("password")))).is_err() {
            draft.tell(Told::new(Weight::Off, &place, "proxy", why::PROXY));
            return;
        }
    }
    request::proxy(draft, &mut plan.variables, url.as_str(), &place);
}

/// A path of JSONata that is one of JSONPath too, and the value it leads to.
fn json(draft: &mut Draft, monitor: &Fields) {
    let place = monitor.place();
    let written = monitor.text("jsonpath").unwrap_or_else(|| "$".to_owned());
    let wanted = monitor.text("expectedvalue").unwrap_or_default();
    let operator = monitor.text("jsonpathoperator").unwrap_or_else(|| "==".to_owned());
    let mut tell = |weight, what: &str, why| draft.tell(Told::new(weight, &place, what, why));
    let Some(path) = path(&written) else {
        return tell(Weight::Weaker, &written, why::JSON_PATH);
    };
    let quoted = pattern::literal(&wanted);
    let rule = match operator.as_str() {
        "==" | "custom" => format!("^{quoted}$"),
        "contains" => quoted,
        "!=" => return tell(Weight::Weaker, &written, why::DIFFERS),
        _ => return tell(Weight::Weaker, &written, why::COMPARE),
    };
    if path.contains('.') {
        tell(Weight::Changed, &written, why::JSONATA);
    }
    let rule = vec![("path".to_owned(), path.into()), ("matches".to_owned(), rule.into())];
    draft.part(&["expect", "json"], Value::List(vec![Value::Table(rule)]), &place, &written);
}

/// `a.b[0].c` or `$.a` as JSONPath; `None` if it is more than a path.
fn path(written: &str) -> Option<String> {
    let written = written.trim();
    let rest = written.strip_prefix('$').unwrap_or(written);
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.[]-".contains(c) || !c.is_ascii();
    let index = |it: &str| it.chars().all(|c| c.is_ascii_digit() || c == '-');
    let indices =
        rest.split('[').skip(1).all(|it| it.split_once(']').is_some_and(|(it, _)| index(it)));
    if rest.is_empty() {
        return Some("$".to_owned());
    }
    // A hyphen outside of brackets is a minus.
    let bare = rest.split('[').map(|it| it.rsplit(']').next().unwrap_or_default());
    let minus = bare.clone().any(|it| it.contains('-'));
    let path = if rest.starts_with('[') { format!("${rest}") } else { format!("$.{rest}") };
    let sound = rest.chars().all(plain) && indices && !minus;
    (sound && serde_json_path::JsonPath::parse(&path).is_ok()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_jsonata_are_paths_or_told() {
        let check = |written: &str, expected: Option<&str>| {
            assert_eq!(path(written).as_deref(), expected, "{written}");
        };
        check("$", Some("$"));
        check("trang_thai", Some("$.trang_thai"));
        check("$.a.b[0].c", Some("$.a.b[0].c"));
        check("a[-1]", Some("$.a[-1]"));
        check("[0].id", Some("$[0].id"));
        for more in ["$count(a)", "a[b=1]", "a - b", "a-b", "a & b", "a ? b : c", "`a b`", "a.*"] {
            check(more, None);
        }
    }
}
