//! What is kept of a run: small, flat, and the same for every kind.

use super::check::Lane;
use super::id::{CheckId, VantageId};
use super::outcome::{Outcome, Testimony};
use super::phases::Phases;
use super::reason::Reason;
use super::time::{Micros, Millis};

/// The result of one run. Its identity is (check, lane, vantage, due, kind, run).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunResult {
    /// The check.
    pub check: CheckId,
    /// The address family it speaks for.
    pub lane: Lane,
    /// Where it was run from.
    pub vantage: VantageId,
    /// When the slot was due; of a confirm or fast run, the due instant of the grid slot
    /// that it follows.
    pub due: Millis,
    /// When it really started: the instant that the result speaks for.
    pub started: Millis,
    /// How much later than planned it started.
    pub lateness: Micros,
    /// Why it was run.
    pub kind: RunKind,
    /// Number of the run among those of one kind that follow the same slot, from 0.
    pub run: u16,
    /// What came of it; its outcome follows.
    pub reason: Reason,
    /// Where the time went; the sum is the length of the run.
    pub phases: Phases,
    /// HTTP status, DNS response code or gRPC status; `None` if there was no answer.
    pub status: Option<u16>,
    /// Bytes of the answer's body after decoding.
    pub bytes: u32,
    /// Whether a connection of an earlier run was used.
    pub reused: bool,
}

impl RunResult {
    /// Good, bad, slow, or nothing.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.reason.outcome()
    }

    /// Good, bad, or nothing at all.
    #[must_use]
    pub const fn testimony(&self) -> Option<Testimony> {
        self.outcome().testimony()
    }

    /// When it ended, in whole milliseconds, cut down.
    #[must_use]
    pub fn ended(&self) -> Millis {
        self.started.plus_ms(self.phases.total().whole_ms())
    }
}

/// Why a run was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunKind {
    /// A slot of the schedule.
    Grid,
    /// Asked for by a first bad result, to confirm it.
    Confirm,
    /// Between slots, while down.
    Fast,
}

impl RunKind {
    /// Every kind, by code.
    pub const ALL: [Self; 3] = [Self::Grid, Self::Confirm, Self::Fast];

    /// The name in files and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Confirm => "confirm",
            Self::Fast => "fast",
        }
    }
}

/// Slots that could not be run, as one span: the monitor was stopped, suspended, or the check
/// was paused. Every slot with `from <= due < to` is void for this reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoidSpan {
    /// The check.
    pub check: CheckId,
    /// Where it was not run from.
    pub vantage: VantageId,
    /// First instant of the absence.
    pub from: Millis,
    /// First instant after it.
    pub to: Millis,
    /// Why; its outcome is `void`.
    pub reason: Reason,
}
