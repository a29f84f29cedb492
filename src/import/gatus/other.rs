//! Endpoints of Gatus that are not HTTP.

use std::time::Duration;

use super::super::draft::Draft;
use super::super::kinds::{address, websocket};
use super::super::note::{Place, Told, Weight};
use super::super::secrets::{Variables, logs_in};
use super::super::value::Value;
use super::super::why::{self, Why};
use super::super::yaml::Node;
use super::super::{pattern, request};
use super::Written;
use super::condition::{Condition, Op, Subject, Want};

/// Response codes that Gatus knows (RFC 6895, section 2.3).
const RCODES: &[&str] = &[
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
    "NXRRSET", "NOTAUTH", "NOTZONE", "BADVERS",
];

/// The draft for an address, with what it can't do without; the reason if there is no such check.
pub(super) fn kind(
    base: &Draft,
    node: &Node,
    url: &str,
    place: &Place,
    variables: &mut Variables,
) -> Result<Draft, Why> {
    if let Some(dns) = node.get("dns") {
        return Ok(dns_check(base, dns, url));
    }
    let (scheme, rest) = url.split_once("://").ok_or(why::SCHEME)?;
    let peer = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let peer = peer.rsplit('@').next().unwrap_or_default();
    let mut draft = base.clone();
    match scheme {
        "http" | "https" => request::url(&mut draft, variables, url, place),
        "tcp" => {
            draft = address(base, "tcp", peer, None);
            dialogue(&mut draft, node);
        }
        "tls" => draft = address(base, "tls", peer, None),
        "starttls" => {
            draft = address(base, "tls", peer, None);
            draft.key("starttls", "smtp");
        }
        "icmp" => {
            draft = base.as_kind("icmp");
            draft.key("host", rest.trim_end_matches('/').trim_matches(['[', ']']));
        }
        "ssh" => {
            draft = address(base, "tcp", peer, Some(22));
            draft.key("dialogue", Value::List(vec![Value::one("expect", "^SSH-")]));
            draft.tell(Told::new(Weight::Changed, place, "ssh", why::NO_LOGIN));
        }
        "ws" | "wss" => {
            draft = websocket(base, variables, url, place);
            dialogue(&mut draft, node);
        }
        "grpc" | "grpcs" => {
            draft = address(base, "grpc", peer, None);
            if scheme == "grpcs" {
                draft.key("tls", Value::Bool(true));
            }
        }
        "mqtt" | "redis" | "sftp" | "ftp" => {
            let port = match scheme {
                "mqtt" => 1883,
                "redis" => 6379,
                "sftp" => 22,
                _ => 21,
            };
            draft = address(base, "tcp", peer, Some(port));
            draft.tell(Told::new(Weight::Changed, place, scheme, why::NO_LOGIN));
        }
        "udp" => return Err(why::UDP),
        "sctp" => return Err(why::SCTP),
        _ => return Err(why::SCHEME),
    }
    Ok(draft)
}

/// What is sent over a connection, and the one text that may be waited for.
fn dialogue(draft: &mut Draft, node: &Node) {
    let Some(body) = node.get("body") else { return };
    let text = body.as_text().unwrap_or_default();
    if text.is_empty() {
        return;
    }
    if logs_in(&text) {
        draft.tell(Told::new(Weight::Off, &body.place(), "body", why::SEND_SECRET));
        return;
    }
    let mut steps = vec![Value::one("send", text)];
    let answer = node.list("conditions").iter().filter_map(Node::as_text).find_map(|it| {
        let condition = Condition::parse(&it)?;
        match (&condition.subject, condition.op, &condition.want) {
            (Subject::Body, Op::Is, Want::Glob(glob)) => {
                pattern::contained(glob).map(pattern::literal)
            }
            _ => None,
        }
    });
    steps.extend(answer.map(|it| Value::one("expect", it)));
    draft.needed(&["dialogue"], Value::List(steps), &body.place(), "body");
}

fn dns_check(base: &Draft, dns: &Node, url: &str) -> Draft {
    let mut draft = base.as_kind("dns");
    draft.key("query", dns.text("query-name").unwrap_or_default());
    if let Some(record) = dns.text("query-type") {
        draft.key("record", record.to_ascii_uppercase());
    }
    let server = url.split_once("://").map_or(url, |(_, rest)| rest);
    draft.key("server", server.trim_end_matches('/'));
    draft
}

/// Puts the conditions into the draft, or tells them. The deadline of a run comes back: it is
/// the only limit on time that these kinds have.
pub(super) fn expect(draft: &mut Draft, conditions: &[Written], timeout: Duration) -> Duration {
    let mut timeout = timeout;
    rcodes(draft, conditions);
    for it in conditions {
        let kind = draft.kind();
        let done = match &it.condition.subject {
            Subject::Connected => super::connected(&it.condition),
            Subject::Certificate if kind == "tls" || (kind == "websocket" && draft.is_secure()) => {
                super::certificate(draft, it)
            }
            Subject::Rcode if kind == "dns" => Ok(()),
            Subject::Body if kind == "dns" => answer(draft, it),
            Subject::Body if matches!(kind, "tcp" | "websocket") && in_dialogue(&it.condition) => {
                Ok(())
            }
            Subject::ResponseTime => match super::limit(&it.condition) {
                Some(limit) if limit < timeout => {
                    timeout = limit;
                    Err((Weight::Changed, why::TIME_LIMIT))
                }
                Some(_) => Ok(()),
                None => Err((Weight::Weaker, why::COMPARE)),
            },
            Subject::Ip => Err((Weight::Weaker, why::IP)),
            Subject::Domain => Err((Weight::Weaker, why::DOMAIN)),
            Subject::Context => Err((Weight::Weaker, why::CONTEXT)),
            _ => Err((Weight::Weaker, why::CONDITION_KIND)),
        };
        if let Err((weight, why)) = done {
            draft.tell(Told::new(weight, &it.place, it.text.as_str(), why));
        }
    }
    timeout
}

fn in_dialogue(condition: &Condition) -> bool {
    let Want::Glob(glob) = &condition.want else { return false };
    condition.op == Op::Is && pattern::contained(glob).is_some()
}

/// The response codes that meet every condition on them.
fn rcodes(draft: &mut Draft, conditions: &[Written]) {
    let asked: Vec<_> =
        conditions.iter().filter(|it| it.condition.subject == Subject::Rcode).collect();
    if draft.kind() != "dns" {
        return;
    }
    let Some(first) = asked.first() else {
        // Without a condition any answer will do there.
        let place = draft.place.clone();
        draft.part(
            &["expect", "rcodes"],
            Value::texts(RCODES.iter().copied()),
            &place,
            "[DNS_RCODE]",
        );
        return;
    };
    let allowed = RCODES.iter().filter(|code| asked.iter().all(|it| it.condition.holds(code)));
    let allowed: Vec<_> = allowed.copied().collect();
    if allowed.is_empty() {
        draft.tell(Told::new(Weight::Weaker, &first.place, first.text.as_str(), why::NEVER));
    } else if allowed != ["NOERROR"] {
        draft.part(&["expect", "rcodes"], Value::texts(allowed), &first.place, &first.text);
    }
}

/// A condition on the answer: the data of a record.
fn answer(draft: &mut Draft, it: &Written) -> Result<(), (Weight, Why)> {
    let Written { condition, text, place } = it;
    let is = match condition.op {
        Op::Is => true,
        Op::IsNot => false,
        _ => return Err((Weight::Weaker, why::COMPARE)),
    };
    let inner = condition.expression(r"\S").ok_or((Weight::Weaker, why::GLOB))?;
    match &condition.want {
        Want::Text(wanted) if is && wanted.parse::<std::net::IpAddr>().is_ok() => {
            draft.part(
                &["expect", "answer", "contains"],
                Value::texts([wanted.as_str()]),
                place,
                text,
            );
        }
        _ => {
            let key = if is { "matches" } else { "none_matches" };
            let rule = format!(r"(?i)\s{inner}\.?$");
            draft.part(&["expect", "answer", key], Value::texts([rule]), place, text);
        }
    }
    Ok(())
}
