//! `no_proxy`: which targets are reached without a proxy.

use std::net::IpAddr;

use url::Host;

/// Which targets are reached without a proxy, read as Go's `httpproxy` reads it: hosts and
/// domains, addresses, ranges of addresses, each perhaps with a port, or `*`. The machine itself
/// is always among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoProxy {
    all: bool,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    what: What,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// A domain in lower case, without a dot before it.
    Domain { name: String, itself: bool },
    /// A range of addresses; the length in bits.
    Range(IpAddr, u8),
}

impl NoProxy {
    /// Reads `a.vn, .b.vn, 10.0.0.0/8, [::1]:8080`; what makes no sense is passed over, as Go
    /// does.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut read = Self::default();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            if word == "*" {
                read.all = true;
            } else if let Some(rule) = rule(&word.to_lowercase()) {
                read.rules.push(rule);
            }
        }
        read
    }

    /// Whether `host` is reached without a proxy.
    #[must_use]
    pub fn holds(&self, host: &Host<String>, port: u16) -> bool {
        let address = match host {
            Host::Ipv4(address) => Some(IpAddr::V4(*address)),
            Host::Ipv6(address) => Some(IpAddr::V6(*address)),
            Host::Domain(_) => None,
        };
        let name = host.to_string().trim_end_matches('.').to_lowercase();
        let ours = name == "localhost" || address.is_some_and(|address| address.is_loopback());
        let fits = |rule: &Rule| {
            rule.port.is_none_or(|it| it == port)
                && match (&rule.what, address) {
                    (What::Range(start, bits), Some(address)) => within(address, *start, *bits),
                    (What::Domain { name: domain, itself }, None) => {
                        (*itself && name == *domain)
                            || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
                    }
                    _ => false,
                }
        };
        ours || self.all || self.rules.iter().any(fits)
    }
}

fn rule(word: &str) -> Option<Rule> {
    if let Some((start, bits)) = word.split_once('/') {
        let start: IpAddr = start.parse().ok()?;
        let bits: u8 = bits.parse().ok()?;
        let most = if start.is_ipv4() { 32 } else { 128 };
        return (bits <= most).then_some(Rule { what: What::Range(start, bits), port: None });
    }
    let (host, port) = match word.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host, Some(port.parse().ok()?))
        }
        _ => (word, None),
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        return Some(Rule { what: What::Range(address, bits), port });
    }
    let host = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
    let itself = !host.starts_with('.');
    let name = host.trim_matches('.').to_owned();
    (!name.is_empty()).then_some(Rule { what: What::Domain { name, itself }, port })
}

fn within(address: IpAddr, start: IpAddr, bits: u8) -> bool {
    match (address, start) {
        (IpAddr::V4(address), IpAddr::V4(start)) => {
            let differ = u32::from(address) ^ u32::from(start);
            differ.checked_shr(32 - u32::from(bits)).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(start)) => {
            let differ = u128::from(address) ^ u128::from(start);
            differ.checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_without_a_proxy_are_told_as_go_tells_them() {
        let check = |text: &str, host: &str, port: u16, expected: bool| {
            let host = Host::parse(host).unwrap();
            assert_eq!(NoProxy::parse(text).holds(&host, port), expected, "{text} {host} {port}");
        };
        check("", "localhost", 80, true);
        check("", "127.0.0.9", 80, true);
        check("", "[::1]", 80, true);
        check("", "a.vn", 80, false);
        check("*", "a.vn", 80, true);
        check("a.vn", "A.vn", 80, true);
        check("a.vn", "x.a.vn", 80, true);
        check("a.vn", "xa.vn", 80, false);
        check(".a.vn", "a.vn", 80, false);
        check(".a.vn", "x.a.vn", 80, true);
        check("*.a.vn", "x.a.vn", 80, true);
        check("a.vn:443", "a.vn", 80, false);
        check("a.vn:443", "a.vn", 443, true);
        check("b.vn, 10.0.0.0/8", "10.255.0.1", 80, true);
        check("10.0.0.0/8", "11.0.0.1", 80, false);
        check("0.0.0.0/0", "11.0.0.1", 80, true);
        check("192.0.2.1", "192.0.2.1", 80, true);
        check("192.0.2.1:81", "192.0.2.1", 80, false);
        check("2001:db8::/32", "[2001:db8::5]", 80, true);
        check("[2001:db8::5]:81", "[2001:db8::5]", 81, true);
        check("2001:db8::5", "[2001:db8::5]", 81, true);
        check("10.0.0.0/99, nonsense/x, a.vn:x, .", "a.vn", 80, false);
    }
}
