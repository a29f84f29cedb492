//! Dialogues of blackbox_exporter: over TCP, a socket in the file system, or a WebSocket.

use super::super::draft::Draft;
use super::super::note::{Told, Weight};
use super::super::secrets::{Variables, logs_in};
use super::super::value::Value;
use super::super::why;
use super::super::yaml::Node;
use super::http::{headers, login};
use super::module::{tls, unknown};

/// Carries the settings of a prober with a dialogue into `draft`.
pub(super) fn settings(draft: &mut Draft, settings: Option<&Node>) {
    let Some(settings) = settings else { return };
    let config = settings.get("tls_config");
    let from_start = settings.bool("tls") == Some(true);
    if from_start {
        draft.key("tls", Value::Table(vec![("verify".to_owned(), Value::Bool(true))]));
        tls(draft, config, "tls");
    }
    if let Some(dialogue) = settings.get("query_response") {
        let mut steps = Vec::new();
        for item in dialogue.items() {
            step(draft, &mut steps, item, config);
        }
        if !steps.is_empty() {
            draft.needed(&["dialogue"], Value::List(steps), &dialogue.place(), "query_response");
        }
    }
    unknown(draft, settings, &["tls", "tls_config", "query_response"]);
}

/// Carries the settings of the `websocket` prober into `draft`.
pub(super) fn websocket(draft: &mut Draft, variables: &mut Variables, settings: Option<&Node>) {
    let Some(settings) = settings else { return };
    if let Some(config) = settings.get("http_config") {
        headers(draft, variables, config);
        login(draft, variables, config);
        tls(draft, config.get("tls_config"), "tls");
        unknown(draft, config, &["headers", "basic_auth", "bearer_token", "tls_config"]);
    }
    if let Some(dialogue) = settings.get("query_response") {
        let mut steps = Vec::new();
        for item in dialogue.items() {
            step(draft, &mut steps, item, None);
        }
        if !steps.is_empty() {
            draft.needed(&["dialogue"], Value::List(steps), &dialogue.place(), "query_response");
        }
    }
    unknown(draft, settings, &["http_config", "query_response"]);
}

/// One item may wait for something, answer it, and start TLS, in this order.
fn step(draft: &mut Draft, steps: &mut Vec<Value>, item: &Node, config: Option<&Node>) {
    if let Some(pattern) = item.text("expect").filter(|it| !it.is_empty()) {
        steps.push(Value::one("expect", pattern));
    }
    if let Some(send) = item.text("send").filter(|it| !it.is_empty()) {
        // A message of a WebSocket is sent as it is, a line gets its end.
        let end = if draft.kind() == "websocket" { "" } else { "\n" };
        if logs_in(&send) {
            draft.tell(Told::new(Weight::Off, &item.place(), "send", why::SEND_SECRET));
        } else {
            steps.push(Value::one("send", format!("{}{end}", groups(&send))));
        }
    }
    if item.bool("starttls") == Some(true) {
        let verify = config.and_then(|it| it.bool("insecure_skip_verify")) != Some(true);
        let value =
            if verify { Value::Bool(true) } else { Value::one("verify", Value::Bool(false)) };
        steps.push(Value::one("starttls", value));
        if let Some(node) = config.and_then(|it| it.get("ca_file").or_else(|| it.get("ca"))) {
            draft.tell(Told::new(Weight::Off, &node.place(), "tls_config", why::ROOTS));
        }
    }
    for (key, node) in item.others(&["expect", "send", "starttls"]) {
        let weight = if key == "expect_bytes" { Weight::Off } else { Weight::Weaker };
        draft.tell(Told::new(weight, &node.place(), key.as_str(), why::SETTING));
    }
}

/// `${1}` as `$1`.
fn groups(text: &str) -> String {
    let mut out = text.to_owned();
    for group in '1'..='9' {
        out = out.replace(&format!("${{{group}}}"), &format!("${group}"));
    }
    out
}
