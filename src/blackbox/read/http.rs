//! Prober `http`.

use super::{client, family, tls};
use crate::blackbox::desk::{Desk, Table};
use crate::blackbox::module::{Compression, Family, HeaderMatch, Http, Version};
use crate::blackbox::yaml::Entry;
use crate::blackbox::yaml::Node;
use crate::model::spec::{Auth, TlsClient};

/// Largest body to send, as for our own checks.
const BODY_BYTES_MAX: u64 = 1 << 20;

const KEYS: &[&str] = &[
    "valid_status_codes",
    "valid_http_versions",
    "preferred_ip_protocol",
    "ip_protocol_fallback",
    "skip_resolve_phase_with_proxy",
    "no_follow_redirects",
    "follow_redirects",
    "fail_if_ssl",
    "fail_if_not_ssl",
    "method",
    "headers",
    "http_headers",
    "fail_if_body_matches_regexp",
    "fail_if_body_not_matches_regexp",
    "fail_if_body_json_matches_cel",
    "fail_if_body_json_not_matches_cel",
    "fail_if_header_matches",
    "fail_if_header_not_matches",
    "body",
    "body_file",
    "body_size_limit",
    "compression",
    "basic_auth",
    "authorization",
    "oauth2",
    "bearer_token",
    "bearer_token_file",
    "tls_config",
    "proxy_url",
    "no_proxy",
    "proxy_from_environment",
    "proxy_connect_header",
    "enable_http2",
    "enable_http3",
];

/// What a module without the section does.
fn plain() -> Http {
    Http {
        family: Family::default(),
        valid_status: Vec::new(),
        valid_versions: Vec::new(),
        method: "GET".to_owned(),
        headers: Vec::new(),
        body: None,
        body_limit: None,
        compression: None,
        follow_redirects: true,
        fail_if_ssl: false,
        fail_if_not_ssl: false,
        fail_if_body_matches: Vec::new(),
        fail_if_body_not_matches: Vec::new(),
        fail_if_json_matches: None,
        fail_if_json_not_matches: None,
        fail_if_header_matches: Vec::new(),
        fail_if_header_not_matches: Vec::new(),
        tls: TlsClient::default(),
        auth: Auth::None,
        proxies: None,
        skip_resolve_with_proxy: false,
        http2: true,
        http3: false,
    }
}

/// The section `http` of a module.
pub(super) fn http(desk: &mut Desk<'_>, module: Table<'_>) -> Http {
    let Some(table) = desk.sub(module, "http", KEYS) else { return plain() };
    let (auth, proof) = client::auth(desk, table);
    let mut headers = client::headers(desk, table, "headers");
    headers.extend(client::http_headers(desk, table));
    headers.extend(proof);
    let codes = desk.list(table, "valid_status_codes");
    let codes =
        codes.into_iter().filter_map(|node| desk.number(node, "valid_status_codes", 100, 999));
    let valid_status = codes.filter_map(|code| u16::try_from(code).ok()).collect();
    let versions = desk.list(table, "valid_http_versions");
    let valid_versions: Vec<Version> =
        versions.into_iter().filter_map(|node| version(desk, node)).collect();
    let (http2, http3) = newer(desk, table, &valid_versions);
    Http {
        family: family(desk, table),
        valid_status,
        valid_versions,
        method: method(desk, table),
        headers,
        body: body(desk, table),
        body_limit: desk.bytes(table, "body_size_limit").filter(|limit| *limit > 0),
        compression: compression(desk, table),
        follow_redirects: redirects(desk, table),
        fail_if_ssl: desk.bool(table, "fail_if_ssl", false),
        fail_if_not_ssl: desk.bool(table, "fail_if_not_ssl", false),
        fail_if_body_matches: desk.patterns(table, "fail_if_body_matches_regexp"),
        fail_if_body_not_matches: desk.patterns(table, "fail_if_body_not_matches_regexp"),
        fail_if_json_matches: desk.rule(table, "fail_if_body_json_matches_cel"),
        fail_if_json_not_matches: desk.rule(table, "fail_if_body_json_not_matches_cel"),
        fail_if_header_matches: matches(desk, table, "fail_if_header_matches"),
        fail_if_header_not_matches: matches(desk, table, "fail_if_header_not_matches"),
        tls: tls::tls(desk, table),
        auth,
        proxies: client::proxies(desk, table),
        skip_resolve_with_proxy: desk.bool(table, "skip_resolve_phase_with_proxy", false),
        http2,
        http3,
    }
}

fn method(desk: &mut Desk<'_>, table: Table<'_>) -> String {
    let written = desk.text(table, "method").filter(|text| !text.is_empty()).unwrap_or("GET");
    let method = written.to_ascii_uppercase();
    if ::http::Method::from_bytes(method.as_bytes()).is_err() {
        let at = table.get("method").map_or(table.at, |node| node.at);
        desk.wrong(at, "`method` is one word", "write a method such as `GET` or `POST`");
    }
    method
}

fn body(desk: &mut Desk<'_>, table: Table<'_>) -> Option<Vec<u8>> {
    desk.one_of(table, &["body", "body_file"]);
    if let Some(text) = desk.text(table, "body").filter(|text| !text.is_empty()) {
        return Some(text.as_bytes().to_vec());
    }
    let path = desk.text(table, "body_file").filter(|path| !path.is_empty())?;
    desk.file(path, table.get("body_file")?.at, BODY_BYTES_MAX)
}

fn redirects(desk: &mut Desk<'_>, table: Table<'_>) -> bool {
    let follow = desk.bool(table, "follow_redirects", true);
    let Some(at) = table.key_at("no_follow_redirects") else { return follow };
    let mend = "write `follow_redirects` and the opposite";
    desk.note(at, "`no_follow_redirects` is deprecated", mend);
    !desk.bool(table, "no_follow_redirects", false)
}

/// One of `valid_http_versions`. `HTTP/2` stands in blackbox_exporter's own example, though no
/// answer there is ever called so: what is meant is clear.
fn version(desk: &mut Desk<'_>, node: &Node) -> Option<Version> {
    const KEY: &str = "valid_http_versions";
    let meant = [("HTTP/2", Version::Http2), ("HTTP/3", Version::Http3)];
    let text = desk.scalar(node, KEY)?;
    let Some((_, version)) = meant.into_iter().find(|(name, _)| *name == text) else {
        return desk.word(node, KEY, Version::NAMES);
    };
    let what = format!("`{text}` is taken as `{text}.0`; blackbox_exporter would never match it");
    desk.note(node.at, what, format!("write `{text}.0`"));
    Some(version)
}

/// Whether HTTP/2 and HTTP/3 are spoken.
fn newer(desk: &mut Desk<'_>, table: Table<'_>, versions: &[Version]) -> (bool, bool) {
    let http2 = desk.bool(table, "enable_http2", true);
    let http3 = desk.bool(table, "enable_http3", false);
    let at = table.key_at("enable_http3").unwrap_or(table.at);
    if http3 && versions.iter().any(|version| *version != Version::Http3) {
        let what = "with `enable_http3` nothing but HTTP/3 is spoken";
        desk.wrong(at, what, "write `valid_http_versions: [HTTP/3.0]`, or leave that out");
    }
    if http3 && http2 {
        let what =
            "`enable_http3` and `enable_http2` exclude each other, and that is on by default";
        desk.wrong(at, what, "write `enable_http2: false` beside it");
    }
    (http2, http3)
}

fn matches(desk: &mut Desk<'_>, table: Table<'_>, key: &str) -> Vec<HeaderMatch> {
    let mut found = Vec::new();
    for node in desk.list(table, key) {
        let rule = desk.table(node, key, &["header", "regexp", "allow_missing"]);
        let allow_missing = desk.bool(rule, "allow_missing", false);
        let header = desk.text(rule, "header").unwrap_or_default();
        let regexp = desk.text(rule, "regexp").unwrap_or_default();
        for (name, text) in [("header", header), ("regexp", regexp)] {
            if text.is_empty() {
                let mend = "write `header:` with its name and `regexp:` with a pattern";
                desk.wrong(node.at, format!("this rule has no `{name}`"), mend);
            }
        }
        let at = rule.get("regexp").map_or(node.at, |node| node.at);
        if let Some(pattern) = desk.pattern(regexp, at) {
            found.push(HeaderMatch { header: header.to_lowercase(), pattern, allow_missing });
        }
    }
    found
}

fn compression(desk: &mut Desk<'_>, table: Table<'_>) -> Option<Compression> {
    let written = desk.text(table, "compression").filter(|text| !text.is_empty())?;
    let compression = desk.choice(table, "compression", Compression::NAMES)?;
    let headers =
        table.get("headers").map(|node| desk.entries(node, "headers")).unwrap_or_default();
    for Entry { key, node, .. } in headers {
        if key.eq_ignore_ascii_case("accept-encoding") {
            let accepted = desk.scalar(node, "headers").unwrap_or_default();
            if !acceptable(written, accepted) {
                let what = format!("this header does not accept `compression: {written}`");
                desk.wrong(node.at, what, format!("add `{written}` to it"));
            }
        }
    }
    Some(compression)
}

/// Whether an `Accept-Encoding` of `accepted` allows `encoding`: the one that names it decides,
/// else `*` (RFC 9110, section 12.5.3); what is not named is not allowed.
fn acceptable(encoding: &str, accepted: &str) -> bool {
    let mut any = false;
    for word in accepted.split(',').map(str::trim) {
        let mut parts = word.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map(str::trim);
        let allowed = weight.is_none_or(|weight| weight.parse::<f64>().is_ok_and(|it| it > 0.0));
        if name == encoding {
            return allowed;
        }
        if name == "*" {
            any = allowed;
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_accepts_an_encoding_by_name_or_by_star() {
        for (encoding, accepted, expected) in [
            ("gzip", "gzip", true),
            ("gzip", "gzip;q=1.0", true),
            ("gzip", "compress, gzip", true),
            ("br", "gzip, compress", false),
            ("br", "gzip, *", true),
            ("br", "gzip, *;q=0.1", true),
            ("br", "gzip, br;q=0.0", false),
            ("br", "gzip, *;q=0.0", false),
            ("br", "*;q=0.0, br;q=0.1", true),
            ("br", " gzip;q=1.0, br; q=0.1, *; q=0.0 ", true),
        ] {
            assert_eq!(acceptable(encoding, accepted), expected, "{encoding} in {accepted}");
        }
    }
}
