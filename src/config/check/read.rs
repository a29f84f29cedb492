//! Small readers that several kinds of check share.

use std::time::Duration;

use crate::config::element::{self, duration};
use crate::config::mistake::What;
use crate::config::note::NoteWhat;
use crate::config::outside::Desk;
use crate::config::raw::{Node, Value};
use crate::model::expect::{CertExpect, CodeSet};
use crate::model::secret::Secret;
use crate::model::spec::{TlsClient, TlsVersion};
use crate::model::text::Pattern;

/// The length of time at `key`, or `default` if it is missing; `None` if it is no such thing.
pub(super) fn length(table: &Node, key: &str, default: Option<Duration>) -> Option<Duration> {
    match table.get(key) {
        None => default,
        Some(node) => duration::parse(node.as_text()?).ok(),
    }
}

/// The texts of the list at `key`, as they are.
pub(super) fn texts(table: &Node, key: &str) -> Vec<String> {
    table.list(key).iter().filter_map(Node::as_text).map(str::to_owned).collect()
}

/// The texts of the list at `key`, to be looked for in what servers send: in NFC.
pub(super) fn needles(desk: &mut Desk<'_>, table: &Node, key: &str) -> Vec<String> {
    let items = table.list(key).iter();
    items.filter_map(|node| Some(needle(desk, node, node.as_text()?))).collect()
}

fn needle(desk: &mut Desk<'_>, node: &Node, text: &str) -> String {
    if !element::is_nfc(text) {
        desk.note(node.at, NoteWhat::NotNfc);
    }
    element::nfc(text)
}

/// The patterns of the list at `key`.
pub(super) fn patterns(desk: &mut Desk<'_>, table: &Node, key: &str) -> Vec<Pattern> {
    table.list(key).iter().filter_map(|node| pattern_at(desk, node)).collect()
}

/// The pattern at `key`.
pub(super) fn pattern(desk: &mut Desk<'_>, table: &Node, key: &str) -> Option<Pattern> {
    pattern_at(desk, table.get(key)?)
}

fn pattern_at(desk: &mut Desk<'_>, node: &Node) -> Option<Pattern> {
    let text = needle(desk, node, node.as_text()?);
    // All that compile are there since the first pass.
    desk.patterns.get(&text).cloned()
}

/// The size at `key`: a whole number of bytes, or a text with a unit.
pub(super) fn size(table: &Node, key: &str) -> Option<u64> {
    match &table.get(key)?.value {
        Value::Integer(bytes) => u64::try_from(*bytes).ok(),
        Value::Text(text) => element::size::bytes(text).ok(),
        _ => None,
    }
}

/// The ranges of status codes at `key`.
pub(super) fn status_ranges(table: &Node, key: &str) -> Vec<(u16, u16)> {
    let one = |node: &Node| match &node.value {
        Value::Integer(code) => u16::try_from(*code).ok().map(|code| (code, code)),
        Value::Text(text) => element::status::range(text).ok(),
        _ => None,
    };
    table.list(key).iter().filter_map(one).collect()
}

/// The status codes allowed at `key`; 200 to 299 if none are written.
pub(super) fn status(table: Option<&Node>, key: &str) -> Option<CodeSet> {
    let ranges = table.map_or(Vec::new(), |table| status_ranges(table, key));
    CodeSet::new(ranges).or_else(|| CodeSet::new(vec![(200, 299)]))
}

/// What a certificate must be, from a table of expectations.
pub(super) fn cert(expect: Option<&Node>) -> CertExpect {
    let days = |key| expect?.integer(key).and_then(|days| u32::try_from(days).ok());
    CertExpect { leaf_days_min: days("cert_days"), chain_days_min: days("chain_days") }
}

/// Reports expectations of a certificate where no TLS is spoken; `needed` is what would mend it.
pub(super) fn cert_needs_tls(desk: &mut Desk<'_>, node: &Node, spoken: bool, needed: &'static str) {
    if let Some(expect) = node.get("expect").filter(|it| !spoken && !it.entries().is_empty()) {
        desk.wrong(expect.at, needs("expect", needed));
    }
}

/// Whether a switch at `key` asks for TLS: `true` or a table.
pub(super) fn wants_tls(table: &Node, key: &str) -> bool {
    match table.get(key) {
        Some(node) => matches!(node.value, Value::Bool(true) | Value::Table(_)),
        None => false,
    }
}

/// The TLS settings at `key`, or the defaults.
pub(super) fn tls(desk: &mut Desk<'_>, table: &Node, key: &str) -> TlsClient {
    let mut client = TlsClient::default();
    let Some(node) = table.get(key) else { return client };
    if let Some(verify) = node.bool("verify") {
        client.verify = verify;
    }
    if let Some(at) = node.get("verify").filter(|_| !client.verify).map(|it| it.at) {
        desk.note(at, NoteWhat::NotVerified);
    }
    client.roots_pem = node.get("roots").and_then(|path| desk.certificates(path));
    let cert = node.get("cert").map(|path| (path.at, desk.certificates(path)));
    let key = node.get("key").map(|secret| (secret.at, desk.private_key(secret)));
    match (cert, key) {
        (Some((_, Some(cert))), Some((_, Some(key)))) => client.identity_pem = Some((cert, key)),
        (Some((at, _)), None) => desk.wrong(at, needs("cert", "`key`")),
        (None, Some((at, _))) => desk.wrong(at, needs("key", "`cert`")),
        _ => {}
    }
    client.server_name = node.text("server_name").map(str::to_owned);
    if let Some(lowest) = node.text("version_min").and_then(tls_version) {
        client.version_min = lowest;
    }
    client.version_max = node.text("version_max").and_then(tls_version);
    if let (Some(min), Some(max)) = (node.text("version_min"), node.get("version_max"))
        && client.version_max.is_some_and(|highest| highest < client.version_min)
    {
        let (min, max, at) = (min.to_owned(), max.as_text().unwrap_or_default().to_owned(), max.at);
        let (min_key, max_key) = ("version_min", "version_max");
        desk.wrong(at, What::Reversed { min_key, min, max_key, max });
    }
    client
}

fn tls_version(text: &str) -> Option<TlsVersion> {
    match text {
        "1.2" => Some(TlsVersion::Tls12),
        "1.3" => Some(TlsVersion::Tls13),
        _ => None,
    }
}

/// The headers or metadata at `key`: each value a text or a secret.
pub(super) fn headers(
    desk: &mut Desk<'_>,
    table: &Node,
    key: &str,
    name: impl Fn(&str) -> Result<String, element::NotAn>,
) -> Vec<(String, Secret)> {
    let mut headers: Vec<(String, Secret)> = Vec::new();
    for entry in table.get(key).map_or(&[][..], Node::entries) {
        let name = match name(&entry.key) {
            Ok(name) => name,
            Err(not) => {
                // Names that are none at all were reported by the first pass.
                if matches!(not, element::NotAn::OwnHeader { .. }) {
                    desk.wrong(entry.key_at, What::Element(not));
                }
                continue;
            }
        };
        if headers.iter().any(|(known, _)| *known == name) {
            desk.wrong(entry.key_at, What::Duplicate { of: "header", id: name });
            continue;
        }
        let value = match entry.node.as_text() {
            Some(_) if element::header::is_credential(&name) => None,
            Some(text) => Some(Secret::new(text.to_owned())),
            None => desk.header_secret(&entry.node),
        };
        headers.extend(value.map(|value| (name, value)));
    }
    headers
}

/// That `key` does nothing without something else.
pub(super) fn needs(key: &str, needs: &'static str) -> What {
    What::Needs { key: key.to_owned(), needs }
}
