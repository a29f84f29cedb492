//! One endpoint of Gatus.

use super::super::draft::Draft;
use super::super::note::{Told, Weight};
use super::super::plan::Plan;
use super::super::secrets::without_variables;
use super::super::yaml::Node;
use super::super::{request, span, why};
use super::condition::Condition;
use super::{Written, client, http, other};

/// Failures in a row after which Gatus calls somebody, if nothing is written.
const FAILURES: i64 = 3;

/// Keys of an endpoint that are read, or that need no counterpart.
const KNOWN: &[&str] = &[
    "enabled",
    "name",
    "group",
    "url",
    "method",
    "conditions",
    "interval",
    "graphql",
    "body",
    "headers",
    "dns",
    "ssh",
    "alerts",
    "maintenance-windows",
    "client",
    "ui",
    "extra-labels",
    "token",
    "heartbeat",
];

/// Words that Gatus replaces in a body anew each time.
const PLACEHOLDERS: &[&str] = &["[RANDOM_STRING_", "[LOCAL_ADDRESS]"];

/// Adds an endpoint; `root` has the defaults of its alerts.
pub(super) fn endpoint(plan: &mut Plan<'_>, root: &Node, node: &Node) {
    let (name, group) =
        (node.text("name").unwrap_or_default(), node.text("group").unwrap_or_default());
    let place = node.get("url").map_or(node.place(), Node::place);
    let written = node.text("url").unwrap_or_default();
    let Some(url) = without_variables(&written) else {
        plan.lose(&group, &name, &Told::new(Weight::Lost, &place, "url", why::VARIABLE));
        return;
    };
    let id = plan.id(&name, &group);
    let base = Draft::new(&id, &name, &node.place(), "http");
    let mut draft = match other::kind(&base, node, &url, &place, &mut plan.variables) {
        Ok(draft) => draft,
        Err(why) => {
            let scheme = url.split_once("://").map_or("url", |(scheme, _)| scheme);
            plan.lose(&group, &name, &Told::new(Weight::Lost, &place, scheme, why));
            return;
        }
    };
    common(&mut draft, root, node);
    let client = node.get("client");
    let mut timeout = client::timeout(client);
    let conditions = conditions(&mut draft, node);
    if draft.kind() == "http" {
        send(&mut draft, plan, node, &name, &group, &url);
        http::expect(&mut draft, &conditions, timeout);
    } else {
        if draft.kind() == "websocket" {
            headers(&mut draft, plan, node);
        }
        timeout = other::expect(&mut draft, &conditions, timeout);
    }
    client::client(&mut draft, &mut plan.variables, client);
    draft.times(Some(interval(node)), Some(timeout));
    if let Some(mut instead) = draft.instead.take() {
        common(&mut instead, root, node);
        instead.times(Some(interval(node)), Some(timeout));
        draft.instead = Some(instead);
    }
    plan.add(&group, draft);
}

fn interval(node: &Node) -> std::time::Duration {
    let written = node.text("interval").and_then(|it| span::go(&it)).filter(|it| !it.is_zero());
    written.unwrap_or(std::time::Duration::from_mins(1))
}

/// What all kinds share.
fn common(draft: &mut Draft, root: &Node, node: &Node) {
    if node.bool("enabled") == Some(false) {
        draft.switch_off("đã tắt trong Gatus");
    }
    let alerts = node.list("alerts");
    let failures = |alert: &Node| {
        let kind = alert.text("type").unwrap_or_default();
        let default = root.get("alerting").and_then(|it| it.get(&kind)?.get("default-alert"));
        let default = default.and_then(|it| it.integer("failure-threshold"));
        alert.integer("failure-threshold").or(default).filter(|it| *it > 0).unwrap_or(FAILURES)
    };
    let on = alerts.iter().filter(|it| it.bool("enabled") != Some(false));
    if let Some(first) = on.map(failures).min() {
        let place = node.get("alerts").map_or(node.place(), Node::place);
        draft.confirm(first, &place);
    }
    if let Some(alerts) = node.get("alerts") {
        draft.tell(Told::new(Weight::Elsewhere, &alerts.place(), "alerts", why::ALERTING));
    }
    for window in node.list("maintenance-windows") {
        let told =
            Told::new(Weight::Elsewhere, &window.place(), "maintenance-windows", why::MAINTENANCE);
        draft.tell(told);
    }
    for (key, value) in node.others(KNOWN) {
        draft.tell(Told::new(Weight::Weaker, &value.place(), key.as_str(), why::UNKNOWN));
    }
}

/// The conditions, in the order written.
fn conditions(draft: &mut Draft, node: &Node) -> Vec<Written> {
    let mut all = Vec::new();
    for item in node.list("conditions") {
        let text = item.as_text().unwrap_or_default();
        let place = item.place();
        let plain = without_variables(&text);
        match plain.as_deref().map(Condition::parse) {
            Some(Some(condition)) => all.push(Written { condition, text, place }),
            Some(None) => draft.tell(Told::new(Weight::Weaker, &place, text, why::NOT_A_CONDITION)),
            None => draft.tell(Told::new(Weight::Weaker, &place, text, why::VARIABLE)),
        }
    }
    all
}

/// The headers of a request, or of the one that opens a WebSocket.
fn headers<'a>(draft: &mut Draft, plan: &mut Plan<'_>, node: &'a Node) -> Option<&'a Node> {
    let headers = node.get("headers");
    for (name, value) in headers.map_or(&[][..], Node::entries) {
        if let Some(text) = value.as_text() {
            request::header(draft, &mut plan.variables, (name, &text), &value.place());
        }
    }
    headers
}

/// What an HTTP request sends.
fn send(draft: &mut Draft, plan: &mut Plan<'_>, node: &Node, name: &str, group: &str, url: &str) {
    let place = node.place();
    let method = node.text("method");
    request::method(draft, method.as_deref(), &place);
    let headers = headers(draft, plan, node);
    let Some(body) = node.get("body") else { return };
    let place = body.place();
    let written = body.as_text().unwrap_or_default();
    if PLACEHOLDERS.iter().any(|it| written.contains(it)) {
        draft.tell(Told::new(Weight::Off, &place, "body", why::PLACEHOLDER));
        return;
    }
    let Some(text) = without_variables(&written) else {
        draft.tell(Told::new(Weight::Off, &place, "body", why::VARIABLE));
        return;
    };
    let text = text.replace("[ENDPOINT_NAME]", name).replace("[ENDPOINT_GROUP]", group);
    let mut text = text.replace("[ENDPOINT_URL]", url);
    if node.bool("graphql") == Some(true) {
        text = serde_json::json!({ "query": text }).to_string();
        let has_type = headers.is_some_and(|it| {
            it.entries().iter().any(|(key, _)| key.eq_ignore_ascii_case("content-type"))
        });
        if !has_type {
            draft.needed(&["headers", "content-type"], "application/json", &place, "graphql");
        }
    }
    request::body(draft, &text, &place);
}

/// Adds an external endpoint: a beat that somebody sends.
pub(super) fn external(plan: &mut Plan<'_>, root: &Node, node: &Node) {
    let (name, group) =
        (node.text("name").unwrap_or_default(), node.text("group").unwrap_or_default());
    let id = plan.id(&name, &group);
    let place = node.place();
    let mut draft = Draft::new(&id, &name, &place, "heartbeat");
    let token = node.text("token").unwrap_or_default();
    let token_at = node.get("token").map_or(place.clone(), Node::place);
    draft.key("token", plan.variables.refer(&id, "token", &token_at, &token));
    let silence = node.get("heartbeat").and_then(|it| span::go(&it.text("interval")?));
    let silence = silence.filter(|it| !it.is_zero());
    draft.key("max_age", silence.map_or_else(|| "1d".to_owned(), span::show));
    if silence.is_none() {
        draft.tell(Told::new(Weight::Off, &place, "heartbeat.interval", why::NO_SILENCE));
    }
    common(&mut draft, root, node);
    draft.tell(Told::new(Weight::Changed, &place, "external-endpoints", why::BEATS));
    plan.add(&group, draft);
}
