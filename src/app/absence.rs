//! Was the process or the machine standing still while a run was under way? Then its result
//! says nothing about the target.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::time::{Duration, Instant};

use crate::clock::Clock;

/// Gaps kept. A run is at most as long as its timeout, so only the newest matter.
const GAPS_MAX: usize = 16;

/// The schedule looks at the clocks at least once a second; a look older than this means that
/// the process has just been standing still and the schedule has not noticed yet.
const LOOK_AGE_MAX: Duration = Duration::from_secs(3);

/// A difference between the machine's clock and the monotonic one that means sleep.
const SLEEP_US: i64 = 1_000_000;

/// What is known of times in which nothing ran.
#[derive(Debug)]
pub(super) struct Absences {
    origin: Instant,
    last_look_us: AtomicU64,
    gaps: Mutex<VecDeque<(Instant, Instant)>>,
}

/// The clocks at the start of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start {
    pub(super) at: Instant,
    boot_us: i64,
}

impl Start {
    /// Now.
    pub(super) fn now(clock: &Clock) -> Self {
        Self { at: Instant::now(), boot_us: clock.since_boot_us() }
    }
}

impl Absences {
    pub(super) fn new() -> Self {
        let origin = Instant::now();
        Self { origin, last_look_us: AtomicU64::new(0), gaps: Mutex::default() }
    }

    /// The schedule has looked at the clocks.
    pub(super) fn looked(&self) {
        let since = self.origin.elapsed().as_micros();
        self.last_look_us.store(u64::try_from(since).unwrap_or(u64::MAX), Ordering::Release);
    }

    /// Looks at the clock when the schedule no longer does. Call it once a second.
    pub(super) fn look(&self) {
        if Instant::now().saturating_duration_since(self.last_look()) > LOOK_AGE_MAX {
            self.note();
        }
        self.looked();
    }

    /// The schedule has noticed an absence that ended now, and began after its last look.
    pub(super) fn note(&self) {
        let mut gaps = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        if gaps.len() == GAPS_MAX {
            gaps.pop_front();
        }
        gaps.push_back((self.last_look(), Instant::now()));
    }

    /// Whether an absence lies in the run that began at `start` and ends now.
    pub(super) fn touch(&self, start: Start, clock: &Clock) -> bool {
        let now = Instant::now();
        let unnoticed = now.saturating_duration_since(self.last_look()) > LOOK_AGE_MAX;
        let awake_us = i64::try_from((now - start.at).as_micros()).unwrap_or(i64::MAX);
        let slept = clock.since_boot_us() - start.boot_us - awake_us > SLEEP_US;
        let gaps = self.gaps.lock().unwrap_or_else(PoisonError::into_inner);
        unnoticed || slept || gaps.iter().any(|(from, to)| *from < now && start.at < *to)
    }

    fn last_look(&self) -> Instant {
        self.origin + Duration::from_micros(self.last_look_us.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Millis;

    #[tokio::test(start_paused = true)]
    async fn a_run_is_touched_by_a_gap_inside_it_and_by_one_nobody_noticed_yet() {
        let clock = Clock::simulated(Millis(0));
        let absences = Absences::new();
        let second = Duration::from_secs(1);
        let before = Start::now(&clock);
        tokio::time::advance(second).await;
        absences.looked();
        assert!(!absences.touch(before, &clock));

        tokio::time::advance(60 * second).await;
        assert!(absences.touch(before, &clock), "not noticed yet");
        absences.note();
        absences.looked();
        assert!(absences.touch(before, &clock), "noticed");
        tokio::time::advance(second).await;
        let after = Start::now(&clock);
        assert!(!absences.touch(after, &clock));
    }
}
