//! What the writer tells about itself.

use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::model::time::{Micros, Millis};

/// One commit, for the observer given at open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Records in it, duplicates too.
    pub records: u64,
    /// Results in it that were there already.
    pub duplicates: u64,
    /// How long the transaction took, sync included.
    pub took: Duration,
}

/// The state of the writer at one moment; the numbers need not be of the same instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Records appended and not yet durable.
    pub waiting: u64,
    /// Records made durable since open, duplicates not counted.
    pub committed: u64,
    /// Results that were there already.
    pub duplicates: u64,
    /// The daemon's own time at the newest commit, as told by [`History::beat`] or by the
    /// newest result.
    ///
    /// [`History::beat`]: super::History::beat
    pub last_commit_at: Option<Millis>,
    /// How long the newest commit took.
    pub last_commit: Micros,
    /// Commits that failed since open.
    pub errors: u64,
    /// Commits that failed since the last one that worked; 0: all is well.
    pub failing: u64,
    /// Records dropped because the disk did not take them for too long; each is void
    /// `disk_full` once it does again.
    pub dropped: u64,
    /// Results packed into day blocks since open.
    pub sealed: u64,
}

/// The same as atomics.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) waiting: AtomicU64,
    pub(super) committed: AtomicU64,
    pub(super) duplicates: AtomicU64,
    pub(super) last_commit_at: AtomicI64,
    pub(super) last_commit_us: AtomicUsize,
    pub(super) errors: AtomicU64,
    pub(super) failing: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) sealed: AtomicU64,
}

impl Shared {
    pub(super) fn read(&self) -> Stats {
        let at = self.last_commit_at.load(Ordering::Relaxed);
        let took = self.last_commit_us.load(Ordering::Relaxed);
        Stats {
            waiting: self.waiting.load(Ordering::Relaxed),
            committed: self.committed.load(Ordering::Relaxed),
            duplicates: self.duplicates.load(Ordering::Relaxed),
            last_commit_at: (at != 0).then_some(Millis(at)),
            last_commit: Micros(u32::try_from(took).unwrap_or(u32::MAX)),
            errors: self.errors.load(Ordering::Relaxed),
            failing: self.failing.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            sealed: self.sealed.load(Ordering::Relaxed),
        }
    }
}
