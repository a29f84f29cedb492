//! Targets as Prometheus sends them: hosts, with or without a port.

use std::net::IpAddr;

use url::Host;

use crate::model::spec::Peer;

use super::Refusal;

/// The host and port of `target`; without a port it is `port`.
pub(super) fn peer(target: &str, port: Option<u16>) -> Result<Peer, Refusal> {
    // `::1` is an address, not the host `:` and the port 1.
    if let (Ok(ip), Some(port)) = (target.parse::<IpAddr>(), port) {
        return Ok(Peer { host: of_ip(ip), port });
    }
    let (name, written) = match target.rsplit_once(':') {
        Some((name, written)) if !written.contains(']') => (name, Some(written)),
        _ => (target, None),
    };
    let port = match written {
        Some(written) => written.parse().ok().filter(|port| *port > 0),
        None => port,
    };
    let port = port.ok_or_else(|| {
        Refusal::Target(format!("`{target}` has no port: write it as `host:443`"))
    })?;
    Ok(Peer { host: host(name)?, port })
}

/// The host of `target`, by name or address; an IPv6 address may stand in brackets.
pub(super) fn host(target: &str) -> Result<Host<String>, Refusal> {
    let bare = target.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(target);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(of_ip(ip));
    }
    Host::parse(target).map_err(|error| Refusal::Target(format!("`{target}`: {error}")))
}

/// A name to ask DNS for, international ones in their ASCII form (RFC 5891). What is no host
/// name, such as `_sip._tcp.a.vn` or `.`, stays as it is.
pub(super) fn ascii(name: &str) -> Result<String, Refusal> {
    if name.is_ascii() {
        return Ok(name.to_owned());
    }
    match Host::parse(name) {
        Ok(host) => Ok(host.to_string()),
        Err(error) => Err(Refusal::Target(format!("`{name}`: {error}"))),
    }
}

fn of_ip(ip: IpAddr) -> Host<String> {
    match ip {
        IpAddr::V4(v4) => Host::Ipv4(v4),
        IpAddr::V6(v6) => Host::Ipv6(v6),
    }
}
