//! Probers that talk: `tcp`, `unix` and `websocket`.

use std::collections::HashSet;

use super::{client, family, source, tls};
use crate::blackbox::desk::{Desk, Table};
use crate::blackbox::module::{Dialogue, Exchange, Expect, Family, Label, Websocket};
use crate::blackbox::yaml::Node;
use crate::model::spec::{Auth, TlsClient};

const HTTP_CONFIG: &[&str] = &["basic_auth", "bearer_token", "headers", "tls_config"];

/// The section `name` of a module, which is `tcp` or `unix`.
pub(super) fn dialogue(desk: &mut Desk<'_>, module: Table<'_>, name: &str) -> Dialogue {
    const UNIX: &[&str] = &["query_response", "tls", "tls_config"];
    const TCP: &[&str] = &[
        "query_response",
        "tls",
        "tls_config",
        "preferred_ip_protocol",
        "ip_protocol_fallback",
        "source_ip_address",
    ];
    let mut dialogue = Dialogue::default();
    let keys = if name == "tcp" { TCP } else { UNIX };
    let Some(table) = desk.sub(module, name, keys) else { return dialogue };
    dialogue.family = family(desk, table);
    dialogue.source = source(desk, table);
    dialogue.exchanges = exchanges(desk, table);
    dialogue.tls = desk.bool(table, "tls", false);
    dialogue.tls_config = tls::tls(desk, table);
    dialogue
}

/// The section `websocket` of a module.
pub(super) fn websocket(desk: &mut Desk<'_>, module: Table<'_>) -> Websocket {
    let (family, tls) = (Family::default(), TlsClient::default());
    let (headers, exchanges) = (Vec::new(), Vec::new());
    let mut websocket = Websocket { family, headers, auth: Auth::None, tls, exchanges };
    let Some(table) = desk.sub(module, "websocket", &["http_config", "query_response"]) else {
        return websocket;
    };
    websocket.exchanges = self::exchanges(desk, table);
    for (index, exchange) in websocket.exchanges.iter().enumerate() {
        let item = desk.list(table, "query_response").get(index).copied();
        if exchange.starttls {
            let at = item.map_or(table.at, |node| node.at);
            desk.wrong(
                at,
                "a WebSocket can't start TLS on the way",
                "leave it out; probe a `wss://` target",
            );
        }
    }
    let Some(http) = desk.sub(table, "http_config", HTTP_CONFIG) else { return websocket };
    websocket.auth = client::simple_auth(desk, http);
    websocket.headers = client::headers(desk, http, "headers");
    websocket.tls = tls::tls(desk, http);
    websocket
}

/// `query_response` of a section.
fn exchanges(desk: &mut Desk<'_>, table: Table<'_>) -> Vec<Exchange> {
    let items = desk.list(table, "query_response");
    let mut names = HashSet::new();
    items.into_iter().map(|node| exchange(desk, node, &mut names)).collect()
}

/// `names` are those of the labels before: all of them come to one metric, which can have each
/// label once.
fn exchange(desk: &mut Desk<'_>, node: &Node, names: &mut HashSet<String>) -> Exchange {
    const KEYS: &[&str] = &["expect", "expect_bytes", "labels", "send", "starttls"];
    let table = desk.table(node, "query_response", KEYS);
    desk.one_of(table, &["expect", "expect_bytes"]);
    let bytes = desk.text(table, "expect_bytes").filter(|text| !text.is_empty());
    // One that is empty matches any line.
    let line = desk.text(table, "expect");
    let expect = match (bytes, line) {
        (Some(bytes), _) => Some(Expect::Bytes(bytes.as_bytes().to_vec())),
        (None, Some(line)) => {
            let at = table.get("expect").map_or(table.at, |node| node.at);
            desk.pattern(line, at).map(Expect::Line)
        }
        (None, None) => None,
    };
    let labels = desk
        .list(table, "labels")
        .into_iter()
        .filter_map(|node| label(desk, node, names))
        .collect();
    let send = desk.text(table, "send").unwrap_or_default().to_owned();
    Exchange { expect, labels, send, starttls: desk.bool(table, "starttls", false) }
}

fn label(desk: &mut Desk<'_>, node: &Node, names: &mut HashSet<String>) -> Option<Label> {
    let table = desk.table(node, "labels", &["name", "value"]);
    let name = desk.text(table, "name").unwrap_or_default();
    let sound = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with("__");
    if !sound {
        let at = table.get("name").map_or(node.at, |node| node.at);
        desk.wrong(at, "a label has a name of letters, digits and `_`", "write such a `name:`");
    }
    if sound && !names.insert(name.to_owned()) {
        let at = table.get("name").map_or(node.at, |node| node.at);
        let advice = "give each label of a module a name of its own";
        desk.wrong(at, format!("there is a label `{name}` already"), advice);
    }
    let value = desk.text(table, "value").unwrap_or_default().to_owned();
    sound.then(|| Label { name: name.to_owned(), value })
}
