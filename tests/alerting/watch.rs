//! A check as the schedule runs it, event by event: slots, confirm and fast runs.

use std::sync::Arc;

use thongsuot::alert::facts::CheckFacts;
use thongsuot::availability::live::{Follow, LiveCheck};
use thongsuot::model::check::{Check, Lane};
use thongsuot::model::id::VantageId;
use thongsuot::model::phases::Phases;
use thongsuot::model::reason::Reason;
use thongsuot::model::result::{RunKind, RunResult};
use thongsuot::model::step::Step;
use thongsuot::model::time::{Micros, Millis};

/// What a run meets, by its start and its number: what comes of it, and how long it takes.
pub(crate) type Meets<'a> = &'a mut dyn FnMut(i64, usize) -> (Reason, i64);

/// A good run.
pub(crate) const GOOD: (Reason, i64) = (Reason::None, 50);

/// One check, its schedule and its present state.
pub(crate) struct Watch {
    pub(crate) check: Arc<Check>,
    pub(crate) live: LiveCheck,
    step: Step,
    next: i64,
    follow: Option<(i64, RunKind)>,
    flying: Vec<RunResult>,
    /// Runs that were started.
    pub(crate) runs: usize,
    vantage: VantageId,
}

impl Watch {
    /// Begins with the first slot from `from` on.
    pub(crate) fn new(check: Arc<Check>, from: i64) -> Self {
        let step = Step::of(&check.id, check.interval_ms);
        let next = (from * 1_000 - step.phase_us).div_euclid(step.step_us) + 1;
        let live = LiveCheck::new(&check);
        let vantage = VantageId::new("v").unwrap();
        Self { check, live, step, next, follow: None, flying: Vec::new(), runs: 0, vantage }
    }

    fn due(&self) -> i64 {
        (self.step.phase_us + self.next * self.step.step_us).div_euclid(1_000)
    }

    fn ends(&self) -> i64 {
        self.flying.iter().map(|it| it.ended().0).min().unwrap_or(i64::MAX)
    }

    /// When something is next to happen.
    pub(crate) fn at(&self) -> i64 {
        let follow = self.follow.map_or(i64::MAX, |(at, _)| at);
        self.due().min(follow).min(self.ends())
    }

    /// Makes it happen. Whether a result came in.
    pub(crate) fn advance(&mut self, meets: Meets<'_>) -> bool {
        let at = self.at();
        if self.ends() == at {
            let place = self.flying.iter().position(|it| it.ended().0 == at).unwrap();
            let result = self.flying.remove(place);
            let change = self.live.note(&result);
            let ended = result.ended().0;
            self.follow = match change.follow {
                Follow::None => None,
                Follow::Confirm { wait_ms } => Some((ended + wait_ms, RunKind::Confirm)),
                Follow::Fast { wait_ms } => Some((ended + wait_ms, RunKind::Fast)),
            };
            return true;
        }
        let kind = match self.follow {
            Some((follow, kind)) if follow == at && self.due() != at => {
                self.follow = None;
                kind
            }
            _ => {
                self.next += 1;
                RunKind::Grid
            }
        };
        // At most two in flight: a third waits for the next slot.
        if self.flying.len() < 2 {
            let (reason, length) = meets(at, self.runs);
            self.runs += 1;
            self.flying.push(self.result(at, kind, reason, length));
        }
        false
    }

    fn result(&self, at: i64, kind: RunKind, reason: Reason, length_ms: i64) -> RunResult {
        let mut lengths = [Micros(0); 6];
        lengths[4] = Micros(u32::try_from(length_ms * 1_000).unwrap());
        RunResult {
            check: self.check.id.clone(),
            lane: Lane::Any,
            vantage: self.vantage.clone(),
            due: Millis(at),
            started: Millis(at),
            lateness: Micros(0),
            kind,
            run: 0,
            reason,
            phases: Phases::from_array(lengths),
            status: None,
            bytes: 0,
            reused: false,
        }
    }

    /// What is true of it at `now`.
    pub(crate) fn facts(&self, now: i64) -> CheckFacts {
        CheckFacts::of(&self.check, &self.live, Millis(now))
    }
}
