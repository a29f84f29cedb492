//! One check: what all kinds share.

use std::time::Duration;

use super::read::length;
use super::{http, protocols, streams};
use crate::config::element::{self, duration::show};
use crate::config::keys::roster::{INTERVAL_MAX_MS, INTERVAL_MIN_MS, TIMEOUT_MAX_MS};
use crate::config::mistake::{Mistake, What};
use crate::config::outside::Desk;
use crate::config::raw::Node;
use crate::model::check::{Check, IpChoice};
use crate::model::id::{CheckId, OwnerId, SystemId};
use crate::model::spec::Spec;
use crate::model::time::Micros;

/// Time between runs if none is written: one request a minute is what owners accept.
const INTERVAL: Duration = Duration::from_mins(1);

/// Deadline of a run if none is written.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Consecutive bad results that confirm an outage, if none is written.
const CONFIRM: u8 = 3;

/// The check at `node` of the system at `system`; `None` if something is wrong with it.
pub(super) fn check(desk: &mut Desk<'_>, system: &Node, node: &Node) -> Option<Check> {
    let times = times(desk, node);
    desk.idle = node.bool("enabled") == Some(false);
    let spec = spec(desk, node, times.as_ref());
    desk.idle = false;
    let disabled = disabled(desk, node);
    let times = times?;
    let id = CheckId::new(node.text("id")?).ok()?;
    Some(Check {
        name: node.text("name").map_or_else(|| id.to_string(), element::nfc),
        id,
        system: SystemId::new(system.text("id")?).ok()?,
        owner: OwnerId::new(system.text("owner")?).ok()?,
        disabled,
        critical: node.bool("critical").unwrap_or(true),
        interval_ms: i64::try_from(times.interval.as_millis()).ok()?,
        timeout: Micros::of(times.timeout),
        slow: times.slow.map(Micros::of),
        confirm: node.integer("confirm").map_or(Some(CONFIRM), |it| u8::try_from(it).ok())?,
        ip: match node.text("ip").unwrap_or("any") {
            "v4" => IpChoice::V4,
            "v6" => IpChoice::V6,
            "both" => IpChoice::Both,
            _ => IpChoice::Any,
        },
        platform: node.text("platform").map(str::to_owned),
        spec: spec?,
    })
}

/// The lengths of time of a check.
pub(super) struct Times {
    interval: Duration,
    pub(super) timeout: Duration,
    slow: Option<Duration>,
}

fn times(desk: &mut Desk<'_>, node: &Node) -> Option<Times> {
    // One that is out of range says nothing about the others.
    let within = |length: &Duration, min: i64, max: i64| {
        (i128::from(min)..=i128::from(max)).contains(&(length.as_millis() as i128))
    };
    let interval = length(node, "interval", Some(INTERVAL))
        .filter(|it| within(it, INTERVAL_MIN_MS, INTERVAL_MAX_MS))?;
    let timeout = length(node, "timeout", Some(TIMEOUT.min(interval)))
        .filter(|it| within(it, 1, TIMEOUT_MAX_MS))?;
    let slow = length(node, "slow", None);
    if timeout > interval {
        let bound = (interval, "interval");
        too_long(desk, node, node, "timeout", timeout, bound, true);
    }
    if let Some(slow) = slow {
        less_than_timeout(desk, node, node, "slow", slow, timeout);
    }
    Some(Times { interval, timeout, slow })
}

/// Reports `key` of `table` if it is not less than the timeout of the check at `node`.
pub(super) fn less_than_timeout(
    desk: &mut Desk<'_>,
    node: &Node,
    table: &Node,
    key: &'static str,
    length: Duration,
    timeout: Duration,
) {
    if length >= timeout {
        too_long(desk, node, table, key, length, (timeout, "timeout"), false);
    }
}

fn too_long(
    desk: &mut Desk<'_>,
    node: &Node,
    table: &Node,
    key: &'static str,
    length: Duration,
    (bound, other): (Duration, &'static str),
    or_equal: bool,
) {
    let (length, bound) = (show(length), show(bound));
    let at = table.get(key).map_or(node.at, |it| it.at);
    let mistake = Mistake::new(at, What::TooLong { key, length, other, bound, or_equal });
    desk.mistakes.push(match node.get(other) {
        Some(it) => mistake.and(it.at, other),
        None => mistake,
    });
}

fn disabled(desk: &mut Desk<'_>, node: &Node) -> Option<String> {
    let reason = node.text("reason").map(element::nfc);
    match (node.bool("enabled").unwrap_or(true), &reason) {
        (false, None) if node.get("reason").is_none() => {
            let at = node.get("enabled").map_or(node.at, |it| it.at);
            desk.wrong(at, What::DisabledWithoutReason);
            None
        }
        (true, Some(_)) => {
            let at = node.get("reason").map_or(node.at, |it| it.at);
            desk.wrong(at, What::ReasonWithoutEffect);
            None
        }
        (false, _) => reason,
        (true, None) => None,
    }
}

fn spec(desk: &mut Desk<'_>, node: &Node, times: Option<&Times>) -> Option<Spec> {
    Some(match node.text("kind")? {
        "http" => Spec::Http(Box::new(http::http(desk, node, times)?)),
        "tcp" => Spec::Tcp(Box::new(streams::tcp(desk, node)?)),
        "unix" => Spec::Unix(Box::new(streams::unix(desk, node)?)),
        "websocket" => Spec::Websocket(Box::new(streams::websocket(desk, node)?)),
        "tls" => Spec::Tls(Box::new(protocols::tls(desk, node)?)),
        "dns" => Spec::Dns(Box::new(protocols::dns(desk, node)?)),
        "icmp" => Spec::Icmp(protocols::icmp(node)?),
        "grpc" => Spec::Grpc(Box::new(protocols::grpc(desk, node)?)),
        "heartbeat" => Spec::Heartbeat(protocols::heartbeat(desk, node)?),
        _ => return None,
    })
}
