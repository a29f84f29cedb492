//! What to run between the slots of the schedule (`docs/measurement.md`, "The schedule" and
//! "Settled points").

use crate::model::outcome::Outcome;
use crate::model::reason::Reason;
use crate::model::result::RunResult;

/// Longest wait between a bad result and the run that confirms it (`r`).
const CONFIRM_WAIT_MS: i64 = 5_000;

/// Longest time between the starts of runs while down (`R`).
const FAST_STEP_MS: i64 = 10_000;

/// How long after the start of an outage the fast runs stop: the end of a long one need not be
/// known to ten seconds, and whoever repairs it needs no extra load.
const FAST_FOR_MS: i64 = 600_000;

/// A run asked for beyond the schedule, in one lane of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Follow {
    /// None: the next slot is soon enough.
    #[default]
    None,
    /// Confirm a bad result.
    Confirm {
        /// Milliseconds from the end of the run just noted to the start of this one.
        wait_ms: i64,
    },
    /// See the end of an outage.
    Fast {
        /// Milliseconds from the end of the run just noted to the start of this one.
        wait_ms: i64,
    },
}

/// Where the newest testimony of a lane stands after `result`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// Good, or too old to say anything.
    Calm,
    /// Bad, not confirmed.
    Doubt,
    /// Down, for so many milliseconds when the run started.
    Down {
        /// Length of the outage so far.
        lasting_ms: i64,
    },
}

/// What to run after `result` of a check with this interval.
///
/// Confirm runs go on until the outage is confirmed or a good result comes; a run in which
/// our own side failed is made again. Nothing is added where the service or the operator asked
/// us to stay away (`blocked`, `void/backoff`, `void/paused`), nor where the schedule is as fast.
pub(super) fn after(stand: Stand, result: &RunResult, interval_ms: i64) -> Follow {
    let away = result.outcome() == Outcome::Blocked
        || matches!(result.reason, Reason::Backoff | Reason::Paused);
    match stand {
        _ if away => Follow::None,
        Stand::Calm => Follow::None,
        Stand::Doubt => Follow::Confirm { wait_ms: CONFIRM_WAIT_MS.min(interval_ms) },
        Stand::Down { lasting_ms } if lasting_ms >= FAST_FOR_MS => Follow::None,
        Stand::Down { .. } if interval_ms <= FAST_STEP_MS => Follow::None,
        Stand::Down { .. } => {
            let length_ms = result.ended().since(result.started);
            Follow::Fast { wait_ms: (FAST_STEP_MS - length_ms).max(0) }
        }
    }
}
