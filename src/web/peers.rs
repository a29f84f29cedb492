//! How many connections each peer address has, so that one can't keep all others out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::debug;

/// Connections that any peer may have, however few there are in all.
const LEAST: usize = 4;

/// Connections by peer.
#[derive(Clone, Debug)]
pub(super) struct Peers {
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
    connections: usize,
}

impl Peers {
    /// For so many connections in all.
    pub(super) fn new(connections: usize) -> Self {
        Self { counts: Arc::default(), connections }
    }

    /// Counts a connection of `peer` until the place is dropped; `None`: it has too many.
    pub(super) fn let_in(&self, peer: IpAddr) -> Option<Place> {
        let peer = network(peer);
        // Proxies and every job of this machine come from one loopback address.
        let share = if peer.is_loopback() { 2 } else { 4 };
        let most = (self.connections / share).max(LEAST);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(peer).or_default();
        if *count >= most {
            debug!(%peer, most, "a peer has too many connections");
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Place { counts: Arc::clone(&self.counts), peer })
    }
}

/// Who is counted as one: an IPv4 address, or the /64 of an IPv6 address, which one host can
/// have all of.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)))
        }
        other => other,
    }
}

/// One connection of a peer.
#[derive(Debug)]
pub(super) struct Place {
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
    peer: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_a_quarter_and_loopback_half() {
        for (peer, other, most) in [
            ("127.0.0.1", "127.0.0.2", 128),
            ("::1", "127.0.0.1", 128),
            ("::ffff:127.0.0.1", "::1", 128),
            ("192.0.2.1", "192.0.2.2", 64),
            ("2001:db8::1", "2001:db8:0:1::1", 64),
        ] {
            let peers = Peers::new(256);
            let (peer, other) = (peer.parse().unwrap(), other.parse().unwrap());
            let mut places: Vec<_> = (0..most).map(|_| peers.let_in(peer).unwrap()).collect();
            assert!(peers.let_in(peer).is_none(), "{peer}");
            assert!(peers.let_in(other).is_some(), "{other}");
            places.pop();
            assert!(peers.let_in(peer).is_some(), "{peer} again");
            drop(places);
            assert!(peers.counts.lock().unwrap().is_empty());
        }
    }

    #[test]
    fn all_of_a_64_is_one_peer() {
        let peers = Peers::new(16);
        let at = |n: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, n, n, n, n));
        let places: Vec<_> = (0..9).filter_map(|n| peers.let_in(at(n))).collect();
        assert_eq!(places.len(), LEAST);
    }
}
