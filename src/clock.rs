//! The only file that asks the time.

use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

use crate::model::time::Millis;

/// Where the wall time comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// `epoch` at `origin`, and from there with tokio's clock, which a test can pause.
    Simulated {
        /// Wall time at `origin`.
        epoch: Millis,
        /// The instant it was so.
        origin: Instant,
    },
}

impl Clock {
    /// A clock for simulations, which says `epoch` now.
    pub fn simulated(epoch: Millis) -> Self {
        Self::Simulated { epoch, origin: Instant::now() }
    }

    /// The wall time.
    pub fn now(&self) -> Millis {
        Millis(self.now_us().div_euclid(1_000))
    }

    /// The wall time in microseconds since 1970-01-01T00:00:00Z.
    pub fn now_us(&self) -> i64 {
        match self {
            Self::System => system_us(),
            Self::Simulated { epoch, origin } => {
                let passed = i64::try_from(origin.elapsed().as_micros()).unwrap_or(i64::MAX);
                epoch.0.saturating_mul(1_000).saturating_add(passed)
            }
        }
    }

    /// Microseconds since the machine started, time asleep included. The monotonic clock that
    /// timers use stands still in a suspend; the difference of the two shows one.
    pub fn since_boot_us(&self) -> i64 {
        match self {
            Self::System => {
                let now = clock_gettime(ClockId::Boottime);
                now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1_000)
            }
            Self::Simulated { .. } => self.now_us(),
        }
    }
}

/// The machine's wall clock, in microseconds since 1970. Through the C library and not past it,
/// so that a tool which shifts the clock of a process, as a test does, shifts ours.
#[expect(clippy::disallowed_methods, reason = "the one place that asks the wall time")]
fn system_us() -> i64 {
    let micros = |length: Duration| i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => micros(since),
        Err(before) => -micros(before.duration()),
    }
}
