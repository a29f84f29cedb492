//! Monitors of Uptime Kuma that are not HTTP.

use serde_json::Value as Json;
use url::Url;

use super::super::draft::Draft;
use super::super::kinds::{address, websocket};
use super::super::note::{Place, Told, Weight};
use super::super::secrets::Variables;
use super::super::value::Value;
use super::super::why::{self, Why};
use super::super::{pattern, request, span};
use super::Fields;

/// Kinds that log in or speak a protocol of their own over TCP, with their usual port.
const OVER_TCP: &[(&str, u16)] = &[
    ("mqtt", 1883),
    ("sqlserver", 1433),
    ("postgres", 5432),
    ("mysql", 3306),
    ("mongodb", 27017),
    ("redis", 6379),
    ("oracledb", 1521),
    ("kafka-producer", 9092),
    ("rabbitmq", 15672),
];

/// Bytes of a ping if nothing is written.
const PAYLOAD: i64 = 56;

/// The draft of a monitor of `kind`; the reason if there is no such check.
pub(super) fn draft(
    base: &Draft,
    variables: &mut Variables,
    monitor: &Fields,
    kind: &str,
) -> Result<Draft, Why> {
    let place = monitor.place();
    let host = monitor.text("hostname").unwrap_or_default();
    let peer = peer(&host, monitor.integer("port"));
    Ok(match kind {
        "port" => address(base, "tcp", &peer, None),
        "ping" => ping(base, monitor, &host),
        "tailscale-ping" => {
            let mut draft = ping(base, monitor, &host);
            draft.tell(Told::new(Weight::Changed, &place, kind, why::SETTING));
            draft
        }
        "dns" => dns(base, monitor),
        "push" => push(base, variables, monitor),
        "grpc-keyword" => grpc(base, variables, monitor),
        "websocket-upgrade" => {
            let url = monitor.text("url").unwrap_or_default();
            let mut draft = websocket(base, variables, &url, &place);
            if monitor.is("ignoretls") && url.starts_with("wss") {
                draft.needed(&["tls", "verify"], Value::Bool(false), &place, "ignore TLS errors");
            }
            if let Some(subprotocol) = monitor.text("wssubprotocol") {
                draft.needed(&["subprotocol"], subprotocol, &place, "subprotocol");
            }
            if monitor.is("wsignoresecwebsocketacceptheader") {
                draft.tell(Told::new(Weight::Off, &place, "ignored header", why::ACCEPT_HEADER));
            }
            draft
        }

        "smtp" => smtp(base, monitor, &peer),
        "radius" | "snmp" | "steam" | "gamedig" | "sip-options" => return Err(why::UDP),
        _ => {
            let (_, port) = OVER_TCP.iter().find(|(name, _)| *name == kind).ok_or(why::NO_KIND)?;
            let peer = known_peer(monitor, &host).ok_or(why::NO_ADDRESS)?;
            let mut draft = address(base, "tcp", &peer, Some(*port));
            draft.tell(Told::new(Weight::Weaker, &place, kind, why::NO_LOGIN));
            draft
        }
    })
}

/// A host and a port; IPv6 in brackets.
fn peer(host: &str, port: Option<i64>) -> String {
    let host = if host.parse::<std::net::Ipv6Addr>().is_ok() {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    port.filter(|it| *it > 0).map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
}

/// Where a monitor that logs in goes: from its host, its brokers, or its connection string, of
/// which nothing but host and port is taken.
fn known_peer(monitor: &Fields, host: &str) -> Option<String> {
    if !host.is_empty() {
        let host = host.split_once("://").map_or(host, |(_, rest)| rest);
        let host = host.rsplit('@').next().unwrap_or_default();
        return Some(peer(host.split('/').next().unwrap_or_default(), monitor.integer("port")));
    }
    let first = |name: &str| monitor.texts(name).into_iter().next();
    if let Some(broker) = first("kafkaproducerbrokers") {
        return Some(broker);
    }
    let written = first("rabbitmqnodes").or_else(|| monitor.text("databaseconnectionstring"))?;
    if let Some(url) = Url::parse(&written).ok().filter(Url::has_host) {
        return Some(peer(url.host_str()?, url.port().map(i64::from)));
    }
    // `Server=host,1433;Database=…` of SQL Server, `host:1521/…` of Oracle.
    let server = written.split(';').find_map(|it| {
        let (key, value) = it.split_once('=')?;
        let key = key.trim().to_ascii_lowercase();
        matches!(key.as_str(), "server" | "data source" | "host" | "addr")
            .then(|| value.trim().to_owned())
    });
    let server = server.or_else(|| (!written.contains(['=', '@'])).then(|| written.clone()))?;
    let server = server.trim_start_matches("tcp:").replace(',', ":");
    let server = server.split(['/', '\\']).next().unwrap_or_default().to_owned();
    (!server.is_empty()).then_some(server)
}

fn ping(base: &Draft, monitor: &Fields, host: &str) -> Draft {
    let mut draft = base.as_kind("icmp");
    draft.key("host", host.trim_matches(['[', ']']));
    let bytes = monitor.integer("packetsize").unwrap_or(PAYLOAD);
    if bytes != PAYLOAD {
        draft.part(&["payload"], Value::Integer(bytes), &monitor.place(), "packet size");
    }
    draft
}

fn dns(base: &Draft, monitor: &Fields) -> Draft {
    let place = monitor.place();
    let mut draft = base.as_kind("dns");
    draft.key("query", monitor.text("hostname").unwrap_or_default());
    let record = monitor.text("dnsresolvetype").unwrap_or_else(|| "A".to_owned());
    draft.key("record", record.to_ascii_uppercase());
    if let Some(servers) = monitor.text("dnsresolveserver") {
        let server = servers.split(',').next().unwrap_or_default().trim().to_owned();
        draft.key("server", peer(&server, monitor.integer("port").filter(|it| *it != 53)));
        if servers.contains(',') {
            draft.tell(Told::new(Weight::Changed, &place, "more than one server", why::SETTING));
        }
    }
    // An answer without a record is a fault there.
    draft.part(&["expect", "answer", "count_min"], Value::Integer(1), &place, "an answer");
    for condition in monitor.list("conditions") {
        if !record_rule(&mut draft, &condition, &place) {
            draft.tell(Told::new(Weight::Weaker, &place, "conditions", why::CONDITIONS));
        }
    }
    draft
}

/// A condition on a record; whether it could be carried.
fn record_rule(draft: &mut Draft, condition: &Json, place: &Place) -> bool {
    let text = |name: &str| condition.get(name).and_then(Json::as_str).unwrap_or_default();
    let and = matches!(text("andOr"), "" | "and");
    let rule = pattern::literal(text("value"));
    let (key, rule) = match text("operator") {
        "equals" => ("matches", format!(r"\s{rule}\.?$")),
        "contains" => ("matches", rule),
        "not_equals" => ("none_matches", format!(r"\s{rule}\.?$")),
        "not_contains" => ("none_matches", rule),
        _ => return false,
    };
    let known = and
        && text("type") == "expression"
        && text("variable") == "record"
        && !text("value").is_empty();
    if known {
        draft.part(&["expect", "answer", key], Value::texts([rule]), place, "conditions");
    }
    known
}

fn push(base: &Draft, variables: &mut Variables, monitor: &Fields) -> Draft {
    let place = monitor.place();
    let mut draft = base.as_kind("heartbeat");
    let token = monitor.text("pushtoken").unwrap_or_default();
    draft.key("token", variables.refer(&draft.id, "push token", &place, &token));
    let seconds = monitor.number("interval").unwrap_or(60.0).clamp(1.0, 35.0 * 86_400.0);
    draft.key("max_age", span::show(std::time::Duration::from_secs_f64(seconds)));
    draft.tell(Told::new(Weight::Changed, &place, "push", why::BEATS));
    draft
}

fn grpc(base: &Draft, variables: &mut Variables, monitor: &Fields) -> Draft {
    let place = monitor.place();
    let written = monitor.text("grpcurl").unwrap_or_default();
    let peer = written.split_once("://").map_or(written.as_str(), |(_, rest)| rest);
    let mut draft = address(base, "grpc", peer.split('/').next().unwrap_or_default(), None);
    if monitor.is("grpcenabletls") {
        draft.key("tls", Value::Bool(true));
    }
    let service = monitor.text("grpcservicename").unwrap_or_default();
    let protobuf = monitor.text("grpcprotobuf").unwrap_or_default();
    if service != "Health" || !protobuf.contains("grpc.health.v1") {
        draft.tell(Told::new(Weight::Off, &place, "gRPC method", why::HEALTH_ONLY));
    }
    let metadata = monitor.text("grpcmetadata").unwrap_or_default();
    let metadata: serde_json::Map<String, Json> =
        serde_json::from_str(&metadata).unwrap_or_default();
    for (name, value) in &metadata {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        request::metadata(&mut draft, variables, (name, &text), &place);
    }
    draft
}

fn smtp(base: &Draft, monitor: &Fields, peer: &str) -> Draft {
    let greeting = || Value::List(vec![Value::one("expect", "^220[ -]")]);
    match monitor.text("smtpsecurity").as_deref() {
        Some("secure") => {
            let mut draft = address(base, "tcp", peer, Some(465));
            draft.key("tls", Value::Bool(true));
            draft.key("dialogue", greeting());
            draft
        }
        Some("starttls") => {
            let mut draft = address(base, "tls", peer, Some(25));
            draft.key("starttls", "smtp");
            draft
        }
        _ => {
            let mut draft = address(base, "tcp", peer, Some(25));
            draft.key("dialogue", greeting());
            draft
        }
    }
}
