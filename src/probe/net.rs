//! What all runs share: resolvers, trusted roots, TLS settings ready for use.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use hickory_resolver::Hosts;
use hickory_resolver::system_conf::read_system_conf;

use super::block::BlockSignature;
use super::heartbeat::Board;
use super::http::Tokens;
use super::tls::{Judgements, Roots, TlsSetups};

/// Longest that one name server is waited for before the next is asked: a dead first resolver
/// must leave time for the second.
const DNS_ATTEMPT_MAX: Duration = Duration::from_secs(2);

/// Times that each name server is asked, if `/etc/resolv.conf` does not say.
const DNS_ROUNDS: usize = 2;

/// How the monitor reaches the network.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The `User-Agent` of requests that do not set their own.
    pub user_agent: String,
    /// Name servers to ask, in order; empty: the system's, and `/etc/hosts`.
    pub resolvers: Vec<SocketAddr>,
    /// The address that connections come from; `None`: the kernel chooses.
    pub source: Option<IpAddr>,
    /// Whether the system's trusted roots count (Mozilla's, if the system has none).
    pub system_roots: bool,
    /// More trusted roots, as PEM.
    pub extra_roots_pem: Vec<Vec<u8>>,
    /// Block pages to know besides the well-known ones.
    pub block_signatures: Vec<BlockSignature>,
    /// Hosts that nothing is sent to, neither by a redirect nor for a token; names in lower case
    /// and without a final dot, as [`crate::model::spec::Spec::host`] gives them.
    pub kill: BTreeSet<String>,
}

/// Why the network part could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// A PEM file of roots is broken.
    #[error("extra root certificates no. {number}: {why}; give certificates as PEM")]
    Roots {
        /// Which of the extra files, from 1.
        number: usize,
        /// What is wrong.
        why: String,
    },
    /// No name server is known.
    #[error(
        "no name server: {why}; write `nameserver` into /etc/resolv.conf or set `[monitor] resolvers`"
    )]
    Resolvers {
        /// What is wrong.
        why: String,
    },
}

/// What all runs share. Cheap to read, safe to use from many tasks; make a new one when the
/// settings change.
#[derive(Debug)]
pub struct Net {
    pub(super) settings: Settings,
    pub(super) resolvers: Vec<SocketAddr>,
    /// Index of the resolver to ask first: the one that answered last.
    pub(super) resolver_first: AtomicUsize,
    pub(super) dns_attempt: Duration,
    pub(super) dns_rounds: usize,
    pub(super) hosts: Hosts,
    pub(super) roots: Arc<Roots>,
    pub(super) tls_setups: TlsSetups,
    pub(super) judgements: Judgements,
    pub(super) tokens: Tokens,
    pub(super) board: Option<Arc<Board>>,
}

impl Net {
    /// Reads the system's roots and resolver settings, once.
    ///
    /// # Errors
    ///
    /// [`NetError`] if an extra root can't be read or no name server is known.
    pub fn new(settings: Settings) -> Result<Self, NetError> {
        let mut roots = Roots::default();
        if settings.system_roots {
            roots.add_system();
        }
        for (index, pem) in settings.extra_roots_pem.iter().enumerate() {
            roots.add_pem(pem).map_err(|why| NetError::Roots { number: index + 1, why })?;
        }
        let dns = Dns::new(&settings)?;
        Ok(Self {
            settings,
            resolvers: dns.resolvers,
            resolver_first: AtomicUsize::new(0),
            dns_attempt: dns.attempt,
            dns_rounds: dns.rounds,
            hosts: dns.hosts,
            roots: Arc::new(roots),
            tls_setups: TlsSetups::default(),
            judgements: Judgements::default(),
            tokens: Tokens::default(),
            board: None,
        })
    }

    /// Whether the kill switch keeps `host` from being sent anything.
    #[must_use]
    pub fn is_killed(&self, host: &str) -> bool {
        is_among(&self.settings.kill, host)
    }

    /// The same, with the board that heartbeat checks read. The board outlives this: beats
    /// must not be lost when the settings change.
    #[must_use]
    pub fn with_board(mut self, board: Arc<Board>) -> Self {
        self.board = Some(board);
        self
    }
}

/// Whether `host` is one of `hosts`. An IPv4 address may be written as one of IPv6 (RFC 4291,
/// section 2.5.5.2).
fn is_among(hosts: &BTreeSet<String>, host: &str) -> bool {
    let v6 = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let v4 = v6.and_then(|it| it.parse::<Ipv6Addr>().ok()).and_then(|it| it.to_ipv4_mapped());
    hosts.contains(host) || v4.is_some_and(|it| hosts.contains(&it.to_string()))
}

struct Dns {
    resolvers: Vec<SocketAddr>,
    attempt: Duration,
    rounds: usize,
    hosts: Hosts,
}

impl Dns {
    fn new(settings: &Settings) -> Result<Self, NetError> {
        if !settings.resolvers.is_empty() {
            return Ok(Self {
                resolvers: settings.resolvers.clone(),
                attempt: DNS_ATTEMPT_MAX,
                rounds: DNS_ROUNDS,
                hosts: Hosts::default(),
            });
        }
        let (config, options) =
            read_system_conf().map_err(|error| NetError::Resolvers { why: error.to_string() })?;
        let resolvers: Vec<_> = config
            .name_servers
            .iter()
            .map(|server| {
                let port = server.connections.first().map_or(53, |connection| connection.port);
                SocketAddr::new(server.ip, port)
            })
            .collect();
        if resolvers.is_empty() {
            return Err(NetError::Resolvers { why: "/etc/resolv.conf names none".to_owned() });
        }
        Ok(Self {
            resolvers,
            attempt: options.timeout.min(DNS_ATTEMPT_MAX),
            rounds: options.attempts.max(1),
            hosts: Hosts::from_system().unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_address_is_killed_however_it_is_written() {
        let kill = ["192.0.2.1", "a.vn", "[2001:db8::1]"].map(str::to_owned).into();
        for killed in
            ["192.0.2.1", "[::ffff:192.0.2.1]", "[::ffff:c000:201]", "a.vn", "[2001:db8::1]"]
        {
            assert!(is_among(&kill, killed), "{killed}");
        }
        for other in ["192.0.2.2", "[::ffff:192.0.2.2]", "b.vn", "[2001:db8::2]", "::1", ""] {
            assert!(!is_among(&kill, other), "{other}");
        }
    }
}
