//! One run's time: a single absolute deadline, and phases that sum to the total.

use std::future::Future;

use tokio::time::{Instant, timeout_at};

use crate::model::phases::{Phase, Phases};
use crate::model::reason::Reason;
use crate::model::time::Micros;

/// Why a run stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The reason recorded.
    pub reason: Reason,
    /// In a sentence, for people.
    pub why: String,
}

impl Fault {
    /// A fault with its explanation.
    pub fn new(reason: Reason, why: impl Into<String>) -> Self {
        Self { reason, why: why.into() }
    }
}

/// Charges the time of a run to its phases. Whole microseconds since the start are cut down
/// once and then only subtracted, so the phases sum exactly to the total.
#[derive(Debug)]
pub struct Stopwatch {
    start: Instant,
    deadline: Instant,
    phase: Phase,
    charged_us: u32,
    phases: Phases,
}

impl Stopwatch {
    /// Starts now, in the first phase; `timeout` from now is the deadline of the whole run.
    pub fn start(timeout: Micros) -> Self {
        let start = Instant::now();
        Self {
            start,
            deadline: start + timeout.duration(),
            phase: Phase::Dns,
            charged_us: 0,
            phases: Phases::default(),
        }
    }

    /// The deadline of the whole run.
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// When the run started.
    pub const fn started(&self) -> Instant {
        self.start
    }

    /// The phase that time is being charged to.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Ends the phase under way now, and begins `phase`.
    pub fn enter(&mut self, phase: Phase) {
        self.enter_at(phase, Instant::now());
    }

    /// Ends the phase under way at `at` (an instant noted by somebody who saw it happen), and
    /// begins `phase`. An instant before the last change counts as that change.
    pub fn enter_at(&mut self, phase: Phase, at: Instant) {
        let since_start = Micros::of(at.saturating_duration_since(self.start)).0;
        let length = since_start.saturating_sub(self.charged_us);
        self.phases.charge(self.phase, Micros(length));
        self.charged_us += length;
        self.phase = phase;
    }

    /// Time charged so far, the phase under way included up to now. The watch goes on.
    pub fn read(&mut self) -> Phases {
        self.enter(self.phase);
        self.phases
    }

    /// Begins `phase` and waits for `work` until the deadline.
    ///
    /// # Errors
    ///
    /// The fault of `work`, or the timeout reason of whatever phase is under way by then.
    pub async fn run<T>(
        &mut self,
        phase: Phase,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        self.enter(phase);
        match timeout_at(self.deadline, work).await {
            Ok(done) => done,
            Err(_elapsed) => Err(self.timed_out()),
        }
    }

    /// The fault of a deadline that passed in the phase under way.
    pub fn timed_out(&self) -> Fault {
        let timeout = self.deadline - self.start;
        let why = format!("no end of `{}` within the timeout of {timeout:?}", self.phase.as_str());
        Fault::new(Reason::timeout(self.phase), why)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn phases_sum_to_the_total_and_time_goes_where_it_was_spent() {
        let mut watch = Stopwatch::start(Micros(10_000_000));
        tokio::time::advance(Duration::from_nanos(1_500)).await;
        watch.enter(Phase::Connect);
        tokio::time::advance(Duration::from_nanos(2_700)).await;
        watch.enter(Phase::Wait);
        tokio::time::advance(Duration::from_nanos(900)).await;
        let phases = watch.read();
        assert_eq!(phases.total(), Micros(5));
        assert_eq!(phases.get(Phase::Dns), Micros(1));
        assert_eq!(phases.get(Phase::Connect), Micros(3));
        assert_eq!(phases.get(Phase::Wait), Micros(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_is_charged_to_the_phase_it_passed_in() {
        let mut watch = Stopwatch::start(Micros(2_000_000));
        let fault =
            watch.run::<()>(Phase::Connect, std::future::pending()).await.expect_err("hangs");
        assert_eq!(fault.reason, Reason::TimeoutConnect);
        let phases = watch.read();
        assert!(phases.get(Phase::Connect) >= Micros(2_000_000));
        assert_eq!(phases.get(Phase::Connect), phases.total());
    }
}
