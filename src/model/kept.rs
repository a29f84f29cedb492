//! The whole answer of one run, for one who judges it by rules of his own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a run brought back, kept only where [`super::how::How::keep`] asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Of an HTTP run: the last answer.
    Http(HttpKept),
    /// Of a DNS question.
    Dns(DnsKept),
    /// Of an echo: the hop limit (TTL in IPv4) that the reply came with, if the kernel told. It
    /// does for IPv4 where it lets us open raw sockets (`CAP_NET_RAW`), and nowhere else.
    Icmp {
        /// 0 to 255.
        hop_limit: Option<u8>,
    },
    /// Of the gRPC health service: the serving status by its number in the protocol, if it
    /// came.
    Grpc {
        /// 0 unknown, 1 serving, 2 not serving, 3 service unknown.
        serving: Option<i32>,
    },
    /// Of a dialogue, whatever carries it.
    Dialogue(DialogueKept),
}

/// The last answer of an HTTP run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpKept {
    /// Its headers in order, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Whether its hop was over TLS.
    pub tls: bool,
    /// Its body, decoded; `None` if it did not come whole.
    pub body: Option<Vec<u8>>,
    /// The room that the body takes, as long as any copy of this is there.
    pub lease: Option<Arc<Lease>>,
}

/// Room for what is kept of all runs at once, so that many large answers can't take all memory.
#[derive(Debug)]
pub struct Store {
    most: u64,
    taken: AtomicU64,
}

impl Store {
    /// For `most` bytes.
    #[must_use]
    pub const fn new(most: u64) -> Self {
        Self { most, taken: AtomicU64::new(0) }
    }

    /// A lease on nothing yet.
    #[must_use]
    pub const fn lease(&'static self) -> Lease {
        Lease { store: self, bytes: 0 }
    }

    /// Bytes that are leased.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

/// A part of a [`Store`], given back when dropped.
#[derive(Debug)]
pub struct Lease {
    store: &'static Store,
    bytes: u64,
}

impl Lease {
    /// Takes so many bytes more; `false` if there are not as many left.
    #[must_use]
    pub fn grow(&mut self, bytes: u64) -> bool {
        let more = |taken: u64| taken.checked_add(bytes).filter(|it| *it <= self.store.most);
        let (order, taken) = (Ordering::Relaxed, &self.store.taken);
        let grown = taken.fetch_update(order, order, more).is_ok();
        self.bytes += if grown { bytes } else { 0 };
        grown
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.store.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Answers are compared by what came, not by what they take.
impl PartialEq for Lease {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Lease {}

/// A DNS answer. A record is its line in a zone file: name, TTL, class, type and data, with tabs
/// between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsKept {
    /// The answer section.
    pub answer: Vec<String>,
    /// The authority section.
    pub authority: Vec<String>,
    /// The additional section, without the OPT pseudo-record.
    pub additional: Vec<String>,
    /// The serial number of the last SOA record in the answer (RFC 1035, section 3.3.13).
    pub serial: Option<u32>,
}

/// What a dialogue left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialogueKept {
    /// What lines of the dialogue asked to be kept, in order: name and value.
    pub labels: Vec<(String, String)>,
    /// Of a WebSocket, whether the connection was switched to it.
    pub upgraded: bool,
    /// What the dialogue ended for, if the peer said something else or no more; `None` if it
    /// did not end for that, as at a deadline.
    pub unmet: Option<Unmet>,
}

/// What was expected in a dialogue and did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// [`super::spec::Line::Expect`].
    Pattern,
    /// [`super::spec::Line::ExpectBytes`].
    Bytes,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_gives_what_it_has_and_takes_it_back() {
        static STORE: Store = Store::new(10);
        let (mut one, mut two) = (STORE.lease(), STORE.lease());
        assert!(one.grow(6) && two.grow(4) && !one.grow(1) && !two.grow(u64::MAX));
        drop(one);
        assert_eq!(STORE.taken(), 4);
        assert!(two.grow(6) && !two.grow(1));
        drop(two);
        assert_eq!(STORE.taken(), 0);
    }
}
