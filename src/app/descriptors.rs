//! Descriptors (files and sockets) are few on some machines: what the daemon itself needs is kept
//! apart from what its runs may take, so that targets that hang can't make it deaf.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::{debug, warn};

/// The history, its readers, signals, timers, the log, and what a reload opens.
const OWN: u64 = 24;

/// Most connections to the daemon's own pages; a person and a few machines need a tenth.
const CONNECTIONS_MAX: u64 = 256;

/// Most connections where others have `/probe` run for them: Prometheus keeps one open for each
/// target that hangs.
const CONNECTIONS_PROBING_MAX: u64 = 8_192;

/// What a run has open at most: two sockets while a name is asked for, then one.
const A_RUN: u64 = 2;

/// Below this many runs at once, a large roster of targets that hang is not measured in full.
const RUNS_FEW: usize = 200;

/// Who may have how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    /// Connections to the daemon.
    pub(super) connections: usize,
    /// Runs at once. A run above them is void (`fd`).
    pub(super) runs: usize,
    /// How many of those others may ask for (`/probe`): never more than half, so that they can't
    /// make our own void.
    pub(super) asked: usize,
}

impl Budget {
    /// Raises the limit as far as the system lets us, and divides it.
    /// With `probing`, others ask for runs.
    pub(super) fn take(probing: bool) -> Self {
        let connections_max = if probing { CONNECTIONS_PROBING_MAX } else { CONNECTIONS_MAX };
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        let limit = match setrlimit(Resource::Nofile, raised) {
            Ok(()) => raised.current,
            Err(error) => {
                debug!(%error, "the limit of open files stays as it is");
                limit.current
            }
        };
        let budget = Self::of(limit.unwrap_or(u64::MAX), connections_max);
        if budget.runs < RUNS_FEW {
            let (limit, runs) = (limit.unwrap_or(u64::MAX), budget.runs);
            warn!(limit, runs, "few files may be open, so few runs at once; raise `ulimit -n`");
        }
        budget
    }

    /// Of `limit` descriptors: at most half for the daemon, the rest for runs.
    fn of(limit: u64, connections_max: u64) -> Self {
        let reserve = (limit / 2).min(OWN + connections_max);
        let connections = reserve.saturating_sub(OWN).clamp(4, connections_max);
        let runs = ((limit - reserve) / A_RUN).clamp(1, tokio::sync::Semaphore::MAX_PERMITS as u64);
        let asked = (runs / 2).clamp(1, connections_max);
        let (connections, runs) = (connections as usize, runs as usize);
        Self { connections, runs, asked: asked as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daemon_keeps_what_it_needs_and_the_runs_get_the_rest() {
        let of = |limit| {
            let Budget { connections, runs, .. } = Budget::of(limit, CONNECTIONS_MAX);
            (connections, runs)
        };
        assert_eq!(of(64), (8, 16));
        assert_eq!(of(1_024), (256, 372));
        assert_eq!(of(524_288), (256, 262_004));
        assert_eq!(of(0), (4, 1));
        let asked = |limit| Budget::of(limit, CONNECTIONS_PROBING_MAX).asked;
        assert_eq!((asked(1_024), asked(524_288), asked(0)), (128, 8_192, 1));
        assert!(of(u64::MAX).1 <= tokio::sync::Semaphore::MAX_PERMITS);
    }
}
