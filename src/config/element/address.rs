//! Hosts, ports and addresses.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use url::Host;

use super::NotAn;
use crate::model::spec::Peer;

/// A name or an address; IPv6 with or without brackets.
pub(crate) fn host(text: &str) -> Result<Host<String>, NotAn> {
    let not = || NotAn::Host { written: text.to_owned() };
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return Ok(Host::Ipv6(address));
    }
    let host = Host::parse(text).map_err(|_| not())?;
    match &host {
        Host::Domain(name) if !is_name(name) => Err(not()),
        // `1.2` or `0x7f` would quietly become an address.
        Host::Ipv4(address) if address.to_string() != text => Err(not()),
        _ => Ok(host),
    }
}

/// A host and a port; `default` is the port if none is written.
pub(crate) fn peer(text: &str, default: Option<u16>) -> Result<Peer, NotAn> {
    if text.contains("://") {
        return Err(NotAn::Peer { written: text.to_owned() });
    }
    let bare_v6 = text.parse::<Ipv6Addr>().is_ok();
    let after_brackets = text.rfind(']').map_or(0, |at| at + 1);
    let colon = text[after_brackets..].rfind(':').filter(|_| !bare_v6);
    let (name, written_port) = match colon {
        Some(at) => (&text[..after_brackets + at], Some(&text[after_brackets + at + 1..])),
        None => (text, None),
    };
    let port = match (written_port, default) {
        (Some(written), _) => port(written)?,
        (None, Some(port)) => port,
        (None, None) => return Err(NotAn::Peer { written: text.to_owned() }),
    };
    Ok(Peer { host: host(name)?, port })
}

/// `tcp://host:port`.
pub(crate) fn anchor(text: &str) -> Result<Peer, NotAn> {
    let not = || NotAn::Anchor { written: text.to_owned() };
    peer(text.strip_prefix("tcp://").ok_or_else(not)?, None).map_err(|_| not())
}

/// An address and a port to listen on.
pub(crate) fn listen(text: &str) -> Result<SocketAddr, NotAn> {
    text.parse().map_err(|_| NotAn::Listen { written: text.to_owned() })
}

/// An address.
pub(crate) fn ip(text: &str) -> Result<IpAddr, NotAn> {
    text.parse().map_err(|_| NotAn::Ip { written: text.to_owned() })
}

/// A name server: an address, and a port if it is not 53.
pub(crate) fn resolver(text: &str) -> Result<SocketAddr, NotAn> {
    let whole = text.parse::<SocketAddr>();
    match whole {
        Ok(address) if address.port() == 0 => Err(NotAn::Port { written: "0".to_owned() }),
        Ok(address) => Ok(address),
        Err(_) => ip(text).map(|address| SocketAddr::new(address, 53)),
    }
}

fn port(text: &str) -> Result<u16, NotAn> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let port = text.parse::<u16>().ok().filter(|port| digits && *port > 0);
    port.ok_or_else(|| NotAn::Port { written: text.to_owned() })
}

/// Whether `name` fits in DNS: labels of 1 to 63 bytes, at most 253 in all.
pub(super) fn is_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= 253 && name.split('.').all(|label| (1..=63).contains(&label.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_hosts_with_ports() {
        let check = |text: &str, default: Option<u16>, expected: &str| {
            let got = peer(text, default)
                .map_or_else(|not| not.to_string(), |it| format!("{} {}", it.host, it.port));
            assert_eq!(got, expected, "{text}");
        };
        check("a.vn:25", None, "a.vn 25");
        check("a.vn", Some(443), "a.vn 443");
        check("[::1]:25", None, "[::1] 25");
        check("::1", Some(443), "[::1] 443");
        check("[::1]", Some(443), "[::1] 443");
        check("192.0.2.1:1", None, "192.0.2.1 1");
        check("a.vn", None, "`a.vn` is not a host and a port");
        check("a.vn:0", None, "port `0` is not within 1 to 65535");
        check("a.vn:70000", None, "port `70000` is not within 1 to 65535");
        check("a.vn:+25", None, "port `+25` is not within 1 to 65535");
        check("https://a.vn", Some(443), "`https://a.vn` is not a host and a port");
        check(":25", None, "`` is not a host: a name or an IP address");
        check("a b:25", None, "`a b` is not a host: a name or an IP address");
        check("1.2:25", None, "`1.2` is not a host: a name or an IP address");
    }

    #[test]
    fn a_resolver_is_an_address() {
        assert_eq!(resolver("8.8.8.8").unwrap().to_string(), "8.8.8.8:53");
        assert_eq!(resolver("[2001:db8::1]:5353").unwrap().port(), 5353);
        assert_eq!(resolver("2001:db8::1").unwrap().port(), 53);
        assert!(resolver("dns.google").is_err() && resolver("8.8.8.8:0").is_err());
    }

    #[test]
    fn an_anchor_is_tcp() {
        assert_eq!(anchor("tcp://192.0.2.1:443").unwrap().port, 443);
        assert!(anchor("192.0.2.1:443").is_err() && anchor("tcp://192.0.2.1").is_err());
    }
}
