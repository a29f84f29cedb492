//! Configurations with people in them, and what tests ask of a daemon about alerts.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::hook::Hook;
use crate::harness::{Daemon, config, until};

/// Keys of a check that is measured each second.
pub(super) const QUICK: &str = "interval = \"1s\"\ntimeout = \"900ms\"";

/// A layer that always names this person.
pub(super) fn layer(person: &str) -> String {
    format!("[[team.layer]]\npeople = [\"{person}\"]\nstart = \"2026-11-02\"\n")
}

/// A team with these steps: length after the one before, and targets.
pub(super) fn team(id: &str, person: &str, more: &str, steps: &[(&str, &str)]) -> String {
    let step = |(after, targets): &(&str, &str)| {
        format!("[[team.step]]\nafter = \"{after}\"\ntargets = [{targets}]\n")
    };
    let steps: String = steps.iter().map(step).collect();
    format!("[[team]]\nid = \"{id}\"\nname = \"Tổ {id}\"\n{more}\n{}{steps}", layer(person))
}

/// A person with these contacts, as TOML.
pub(super) fn person(id: &str, contacts: &str) -> String {
    format!("[[person]]\nid = \"{id}\"\nname = \"Đ/c {id}\"\ncontacts = [{contacts}]\n")
}

/// A contact on the channel `hook` that also takes tickets.
pub(super) fn on_hook(to: &str) -> String {
    format!("{{ channel = \"hook\", to = \"{to}\", after = \"0s\", from = \"ticket\" }}")
}

/// The channel `hook`.
pub(super) fn channel(hook: &Hook) -> String {
    webhook("hook", hook, "timeout = \"5s\"")
}

/// A webhook channel; it posts to a path of its own name.
pub(super) fn webhook(id: &str, hook: &Hook, more: &str) -> String {
    let address = hook.address;
    format!(
        "[[channel]]\nid = \"{id}\"\nkind = \"webhook\"\nurl = \"http://{address}/{id}\"\n{more}\n"
    )
}

/// A whole configuration: keys of `[alerting]`, systems, and people.
pub(super) fn alerting(keys: &str, systems: &[String], people: &[String]) -> String {
    format!(
        "{}\n[alerting]\npublic_url = \"https://giamsat.example.gov.vn/\"\n{keys}\n\n{}",
        config("", systems),
        people.join("\n")
    )
}

/// One person, `an`, on `hook`, and a team that calls him.
pub(super) fn an(hook: &Hook) -> Vec<String> {
    vec![
        channel(hook),
        person("an", &on_hook("an")),
        team("truc", "an", "", &[("0s", "\"oncall\"")]),
    ]
}

/// One request with a body, in a connection of its own: status and body.
#[track_caller]
pub(super) fn post(address: SocketAddr, path: &str, body: &str) -> (u16, String) {
    try_post(address, path, body).unwrap_or_else(|why| panic!("{path}: {why}"))
}

pub(super) fn try_post(
    address: SocketAddr,
    path: &str,
    body: &str,
) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let broken = || std::io::Error::other(format!("not an answer: {answer}"));
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(broken)?;
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).ok_or_else(broken)?;
    Ok((status, body.to_owned()))
}

/// Every incident, oldest first.
#[track_caller]
pub(super) fn incidents(daemon: &Daemon) -> Vec<Value> {
    let Value::Array(mut all) = daemon.json("/api/v1/alerts")["alerts"].take() else {
        panic!("no list")
    };
    all.sort_by(|a, b| a["id"].as_str().cmp(&b["id"].as_str()));
    all
}

/// Those about a subject.
#[track_caller]
pub(super) fn about(daemon: &Daemon, subject: &str) -> Vec<Value> {
    let mut all = incidents(daemon);
    all.retain(|it| it["subject"] == subject);
    all
}

/// Waits until the newest incident about a subject is so.
#[track_caller]
pub(super) fn until_is(daemon: &Daemon, subject: &str, key: &str, value: &str) -> Value {
    until(&format!("the incident of `{subject}` has {key} = {value}"), || {
        about(daemon, subject).pop().filter(|it| it[key] == value)
    })
}

/// Messages of an incident to a person over a channel.
pub(super) fn messages(incident: &Value, person: &str, channel: &str) -> Vec<Value> {
    let all = incident["messages"].as_array().unwrap().iter();
    all.filter(|it| it["person"] == person && it["channel"] == channel).cloned().collect()
}

/// Waits until nothing waits to be sent.
#[track_caller]
pub(super) fn until_all_sent(daemon: &Daemon) {
    until("nothing waits to be sent", || {
        let waits = |it: &Value| it["status"] == "pending";
        let all = incidents(daemon);
        let waiting = all.iter().any(|it| it["messages"].as_array().unwrap().iter().any(waits));
        (!waiting).then_some(())
    });
}

/// Takes an incident on over the API.
#[track_caller]
pub(super) fn acknowledge(daemon: &Daemon, id: &str, who: &str) -> u16 {
    let body = format!("{{\"who\":\"{who}\"}}");
    post(daemon.address, &format!("/api/v1/alerts/{id}/acknowledge"), &body).0
}
