//! The hash chain over events (pure). `docs/history.md`, "Events", is its definition.

use sha2::{Digest, Sha256};

use super::record::Event;

/// What comes before the first event.
pub(super) const GENESIS: [u8; 32] = [0; 32];

/// The hash of event `seq`, which covers `before`, the hash of the event before it.
pub(super) fn hash(before: &[u8; 32], seq: i64, event: &Event, body: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"thongsuot event 1\n");
    hasher.update(before);
    hasher.update(seq.to_le_bytes());
    hasher.update(event.at.0.to_le_bytes());
    for text in [event.kind.as_str(), body] {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().into()
}
