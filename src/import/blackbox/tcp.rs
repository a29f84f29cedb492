//! Dialogues of blackbox_exporter: over TCP, a socket in the file system, or a WebSocket.

use super::super::draft::Draft;
use super::super::note::{Told, Weight};
use super::super::value::Value;
use super::super::why;
use super::super::yaml::Node;
use super::module::{tls, unknown};

/// Carries the settings of a prober with a dialogue into `draft`.
pub(super) fn settings(draft: &mut Draft, settings: Option<&Node>) {
    let Some(settings) = settings else { return };
    let config = settings.get("tls_config");
    let from_start = settings.bool("tls") == Some(true);
    if from_start {
        draft.key("tls", Value::Table(vec![("verify".to_owned(), Value::Bool(true))]));
    }
    if from_start || draft.kind() == "websocket" {
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

/// One item may wait for something, answer it, and start TLS, in this order.
fn step(draft: &mut Draft, steps: &mut Vec<Value>, item: &Node, config: Option<&Node>) {
    if let Some(pattern) = item.text("expect").filter(|it| !it.is_empty()) {
        steps.push(Value::one("expect", pattern));
    }
    if let Some(send) = item.text("send").filter(|it| !it.is_empty()) {
        steps.push(Value::one("send", format!("{}\n", groups(&send))));
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
