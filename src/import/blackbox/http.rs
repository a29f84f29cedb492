//! The `http` prober of blackbox_exporter.

use super::super::draft::Draft;
use super::super::note::{Place, Told, Weight};
use super::super::request;
use super::super::secrets::Variables;
use super::super::value::Value;
use super::super::why;
use super::super::yaml::Node;
use super::module::{tls, unknown};

/// Largest body that `targets.toml` reads.
const BODY_CAP_MAX: i64 = 64 << 20;

const KNOWN: &[&str] = &[
    "valid_status_codes",
    "valid_http_versions",
    "method",
    "headers",
    "compression",
    "follow_redirects",
    "no_follow_redirects",
    "fail_if_ssl",
    "fail_if_not_ssl",
    "fail_if_body_matches_regexp",
    "fail_if_body_not_matches_regexp",
    "fail_if_header_matches",
    "fail_if_header_not_matches",
    "body",
    "body_file",
    "body_size_limit",
    "tls_config",
    "basic_auth",
    "authorization",
    "bearer_token",
    "bearer_token_file",
    "oauth2",
    "proxy_url",
    "enable_http2",
    "enable_http3",
    "http_headers",
    "proxy_from_environment",
    "skip_resolve_phase_with_proxy",
    "fail_if_body_json_matches_cel",
    "fail_if_body_json_not_matches_cel",
];

/// The draft for a target, which may have no scheme.
pub(super) fn draft(
    base: &Draft,
    variables: &mut Variables,
    settings: Option<&Node>,
    target: &str,
) -> Draft {
    let mut draft = base.clone();
    let url = if target.contains("://") { target.to_owned() } else { format!("http://{target}") };
    let place = draft.place.clone();
    request::url(&mut draft, variables, &url, &place);
    let follows = settings.is_none_or(|it| {
        it.bool("follow_redirects") != Some(false) && it.bool("no_follow_redirects") != Some(true)
    });
    request::redirects(&mut draft, if follows { 10 } else { 0 });
    let Some(settings) = settings else { return draft };
    request::method(&mut draft, settings.text("method").as_deref(), &settings.place());
    headers(&mut draft, variables, settings);
    body(&mut draft, settings);
    login(&mut draft, variables, settings);
    if let Some(node) = settings.get("proxy_url") {
        request::proxy(&mut draft, variables, &node.as_text().unwrap_or_default(), &node.place());
    }
    tls(&mut draft, settings.get("tls_config"), "tls");
    if let Some(node) =
        settings.get("enable_http3").filter(|_| settings.bool("enable_http3") == Some(true))
    {
        draft.needed(&["http_version"], "3", &node.place(), "enable_http3");
    } else if settings.bool("enable_http2") == Some(false) {
        draft.key("http_version", "1.1");
    }
    if let Some(node) = settings.get("proxy_from_environment")
        && settings.bool("proxy_from_environment") == Some(true)
    {
        draft.tell(Told::new(Weight::Off, &node.place(), "proxy_from_environment", why::PROXY));
    }
    expect(&mut draft, settings);
    unknown(&mut draft, settings, KNOWN);
    draft
}

/// Headers to send, in both ways of writing them.
pub(super) fn headers(draft: &mut Draft, variables: &mut Variables, settings: &Node) {
    for (name, value) in settings.get("headers").map_or(&[][..], Node::entries) {
        if let Some(text) = value.as_text() {
            request::header(draft, variables, (name, &text), &value.place());
        }
    }
    for (name, node) in settings.get("http_headers").map_or(&[][..], Node::entries) {
        let place = node.place();
        let lower = name.to_ascii_lowercase();
        let what = format!("header {name}");
        if let Some(value) = node.texts("values").into_iter().next() {
            request::header(draft, variables, (name, &value), &place);
        } else if let Some(secret) = node.texts("secrets").into_iter().next() {
            let value = variables.refer(&draft.id, &what, &place, &secret);
            draft.needed(&["headers", &lower], value, &place, &what);
        } else if let Some(file) = node.texts("files").into_iter().next() {
            by_file(draft, &["headers", &lower], &file, |file| file, &place, &what);
        }
    }
}

/// A secret in a file. One whose path is relative is somewhere else, seen from `targets.toml`.
fn by_file(
    draft: &mut Draft,
    path: &[&str],
    file: &str,
    value: impl FnOnce(Value) -> Value,
    place: &Place,
    what: &str,
) {
    if file.starts_with('/') {
        draft.needed(path, value(Value::one("file", file)), place, what);
    } else {
        draft.tell(Told::new(Weight::Off, place, what, why::SECRET_FILE));
    }
}

fn body(draft: &mut Draft, settings: &Node) {
    if let Some(node) = settings.get("body") {
        request::body(draft, &node.as_text().unwrap_or_default(), &node.place());
    }
    if let Some(node) = settings.get("body_file") {
        draft.tell(Told::new(Weight::Off, &node.place(), "body_file", why::BODY_FILE));
    }
    if let Some(node) = settings.get("body_size_limit") {
        let bytes = node.as_text().and_then(|it| size(&it)).filter(|it| *it > 0);
        if let Some(bytes) = bytes {
            let bytes = Value::Integer(bytes.min(BODY_CAP_MAX));
            draft.part(&["body_cap"], bytes, &node.place(), "body_size_limit");
        }
    }
}

/// `10MB` in bytes, by powers of two as there.
fn size(text: &str) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: i64 = text[..digits].parse().ok()?;
    let power = match text[digits..].trim() {
        "" | "B" => 0,
        "KB" | "KiB" => 10,
        "MB" | "MiB" => 20,
        "GB" | "GiB" => 30,
        _ => return None,
    };
    number.checked_mul(1 << power)
}

/// How the request proves who it is.
pub(super) fn login(draft: &mut Draft, variables: &mut Variables, settings: &Node) {
    if let Some(basic) = settings.get("basic_auth") {
        let place = basic.place();
        let user = basic.text("username").unwrap_or_default();
        if let Some(file) = basic.text("password_file") {
            let login = |file| {
                let user = ("user".to_owned(), Value::from(user));
                Value::one("basic", Value::Table(vec![user, ("password".to_owned(), file)]))
            };
            by_file(draft, &["auth"], &file, login, &place, "basic_auth");
        } else {
            let password = basic.text("password").unwrap_or_default();
            request::basic(draft, variables, &user, &password, &place, "basic_auth");
        }
    }
    let mut bearer = |node: &Node, file: bool| {
        let text = node.as_text().unwrap_or_default();
        let place = node.place();
        let what = "bearer token";
        if file {
            by_file(draft, &["auth"], &text, |it| Value::one("bearer", it), &place, what);
        } else {
            let token = variables.refer(&draft.id, what, &place, &text);
            draft.needed(&["auth"], Value::one("bearer", token), &place, what);
        }
    };
    if let Some(node) = settings.get("bearer_token") {
        bearer(node, false);
    }
    if let Some(node) = settings.get("bearer_token_file") {
        bearer(node, true);
    }
    if let Some(node) = settings.get("authorization") {
        let is_bearer = node.text("type").is_none_or(|it| it.eq_ignore_ascii_case("bearer"));
        match (is_bearer, node.get("credentials"), node.get("credentials_file")) {
            (true, Some(token), _) => bearer(token, false),
            (true, None, Some(file)) => bearer(file, true),
            _ => draft.tell(Told::new(Weight::Off, &node.place(), "authorization", why::LOGIN)),
        }
    }
    if let Some(node) = settings.get("oauth2") {
        let text = |key: &str| node.text(key).unwrap_or_default();
        if node.get("client_secret_file").is_some() {
            draft.tell(Told::new(Weight::Off, &node.place(), "oauth2", why::SECRET_FILE));
            return;
        }
        let all = (text("token_url"), text("client_id"), text("client_secret"));
        request::oauth2(
            draft,
            variables,
            (&all.0, &all.1, &all.2),
            &node.texts("scopes"),
            &node.place(),
        );
    }
}

fn expect(draft: &mut Draft, settings: &Node) {
    if let Some(node) = settings.get("valid_status_codes").filter(|it| !it.items().is_empty()) {
        let codes: Vec<u16> =
            settings.texts("valid_status_codes").iter().filter_map(|it| it.parse().ok()).collect();
        if let Some(value) = request::status(|code| codes.contains(&code)) {
            draft.part(&["expect", "status"], value, &node.place(), "valid_status_codes");
        }
        if codes.contains(&429) {
            draft.key("blocked", Value::Bool(false));
        }
    }
    if let Some(node) = settings.get("valid_http_versions").filter(|it| !it.items().is_empty()) {
        let version =
            |it: &String| it.trim_start_matches("HTTP/").trim_end_matches(".0").to_owned();
        let all = settings.texts("valid_http_versions");
        // `HTTP/1.0` loses nothing but its zero.
        let all =
            all.iter().map(|it| if it.ends_with("1.0") { "1.0".to_owned() } else { version(it) });
        draft.part(
            &["expect", "versions"],
            Value::texts(all),
            &node.place(),
            "valid_http_versions",
        );
    }
    for (key, wanted) in [("fail_if_ssl", false), ("fail_if_not_ssl", true)] {
        if let Some(node) = settings.get(key).filter(|_| settings.bool(key) == Some(true)) {
            draft.part(&["expect", "tls"], Value::Bool(wanted), &node.place(), key);
        }
    }
    let bodies = [
        ("fail_if_body_matches_regexp", "body_not_matches"),
        ("fail_if_body_not_matches_regexp", "body_matches"),
    ];
    for (key, to) in bodies {
        let Some(node) = settings.get(key) else { continue };
        for pattern in settings.texts(key) {
            draft.part(&["expect", to], Value::texts([pattern]), &node.place(), key);
        }
    }
    header_rules(draft, settings);
    for key in ["fail_if_body_json_matches_cel", "fail_if_body_json_not_matches_cel"] {
        if let Some(node) = settings.get(key) {
            draft.tell(Told::new(Weight::Weaker, &node.place(), key, why::CEL));
        }
    }
}

fn header_rules(draft: &mut Draft, settings: &Node) {
    for (key, rule) in
        [("fail_if_header_matches", "not_matches"), ("fail_if_header_not_matches", "matches")]
    {
        for node in settings.list(key) {
            let name = Value::from(node.text("header").unwrap_or_default());
            let pattern = Value::from(node.text("regexp").unwrap_or_default());
            let missing = node.bool("allow_missing") == Some(true);
            let mut table = vec![("name".to_owned(), name.clone()), (rule.to_owned(), pattern)];
            if rule == "matches" && missing {
                table.push(("optional".to_owned(), Value::Bool(true)));
            }
            let mut rules = vec![Value::Table(table)];
            // Here a header that must not match may be missing; there only with `allow_missing`.
            if rule == "not_matches" && !missing {
                rules.push(name);
            }
            draft.part(&["expect", "headers"], Value::List(rules), &node.place(), key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_by_powers_of_two() {
        for (text, expected) in
            [("10MB", Some(10 << 20)), ("5", Some(5)), ("1KB", Some(1024)), ("x", None)]
        {
            assert_eq!(size(text), expected, "{text}");
        }
    }
}
