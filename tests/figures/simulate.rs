//! A service with a known script, and the vantages that watch it: seeds in, results and truth
//! out. No clock, no sockets; the same seed gives the same results everywhere.

mod run;
mod scripts;

use thongsuot::model::check::Lane;
use thongsuot::model::id::{CheckId, VantageId};
use thongsuot::model::phases::{Phase, Phases};
use thongsuot::model::reason::Reason;
use thongsuot::model::result::{RunKind, RunResult, VoidSpan};
use thongsuot::model::span::Span;
use thongsuot::model::step::Step;
use thongsuot::model::time::{Micros, Millis};

use crate::reference::{Reach, Rules};

pub(crate) use self::run::simulate;

/// splitmix64 (Steele, Lea, Flood 2014): small, and good enough for dice.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From `low` to `high`, both included.
    pub(crate) fn within(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low + 1).unwrap();
        low + i64::try_from(self.next() % width).unwrap()
    }

    /// True in `permille` of 1,000 cases.
    pub(crate) fn chance(&mut self, permille: i64) -> bool {
        self.within(0, 999) < permille
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.within(0, of.len() as i64 - 1)).unwrap()]
    }
}

/// How a service fails, or is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The port is closed: bad at once.
    Refused,
    /// A page says that it is broken: bad after the latency.
    Error,
    /// It never answers: bad after the timeout.
    Hung,
    /// Good, but slower than the threshold.
    Slow,
}

/// A part of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) span: Span,
    pub(crate) mode: Mode,
    /// Only this vantage sees it; `None`: all do.
    pub(crate) only: Option<usize>,
}

/// Everything that decides a simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) check: String,
    pub(crate) vantages: usize,
    /// K, Q, M.
    pub(crate) confirm: usize,
    pub(crate) quorum: usize,
    pub(crate) known: usize,
    /// I, T, and the most that a grid run starts late (ε).
    pub(crate) interval_ms: i64,
    pub(crate) timeout_ms: i64,
    pub(crate) late_ms: i64,
    /// Least and most time of a good probe (w is the most), and what being slow adds.
    pub(crate) latency_ms: (i64, i64),
    pub(crate) slow_ms: i64,
    /// Of 1,000 runs, those lost to our own trouble.
    pub(crate) lost_permille: i64,
    /// A broken answer asks us to stay away so long; 0: it does not.
    pub(crate) retry_after_ms: i64,
    /// Times when a vantage (`None`: all) did not run.
    pub(crate) absences: Vec<(Option<usize>, Span)>,
    /// Whether the others are asked at once on a first bad result.
    pub(crate) fan_out: bool,
    /// Whether results arrive late, out of order and sometimes twice.
    pub(crate) disorder: bool,
    pub(crate) faults: Vec<Fault>,
    pub(crate) span: Span,
}

/// What the simulation gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Simulated {
    /// By vantage, in order of arrival.
    pub(crate) results: Vec<Vec<RunResult>>,
    /// Slots not run, as the monitor records them.
    pub(crate) absences: Vec<VoidSpan>,
    /// When the service was down for all.
    pub(crate) truth: Vec<Span>,
}

impl Scenario {
    pub(crate) fn check_id(&self) -> CheckId {
        CheckId::new(&self.check).unwrap()
    }

    pub(crate) fn step(&self) -> Step {
        Step::of(&self.check_id(), self.interval_ms)
    }

    pub(crate) fn reach(&self) -> Reach {
        Reach::constant(self.step().reach_ms())
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules { confirm: self.confirm, quorum: self.quorum, known: self.known }
    }

    /// r: from the end of a bad run to the start of the one that confirms it.
    pub(crate) fn confirm_after_ms(&self) -> i64 {
        self.interval_ms.min(5_000)
    }

    /// Time between runs while down.
    pub(crate) fn fast_ms(&self) -> i64 {
        self.interval_ms.min(10_000)
    }

    fn is_absent(&self, vantage: usize, t: i64) -> bool {
        let of = |who: &Option<usize>| who.is_none_or(|it| it == vantage);
        self.absences.iter().any(|(who, span)| of(who) && span.contains(Millis(t)))
    }

    /// Whether an absence cuts a run short; its result is lost without a trace.
    fn is_killed(&self, vantage: usize, started: i64, ended: i64) -> bool {
        let of = |who: &Option<usize>| who.is_none_or(|it| it == vantage);
        let cuts = |span: &Span| span.start().0 <= ended && started < span.end().0;
        self.absences.iter().any(|(who, span)| of(who) && cuts(span))
    }

    fn fault(&self, vantage: usize, t: i64) -> Option<Mode> {
        let mut seen = self.faults.iter().filter(|it| it.only.is_none_or(|v| v == vantage));
        seen.find(|it| it.span.contains(Millis(t))).map(|it| it.mode)
    }
}

pub(crate) fn vantage_id(vantage: usize) -> VantageId {
    VantageId::new(&format!("v{vantage}")).unwrap()
}

/// A plain result: grid run of `vantage` at `started` that took `length_ms`.
pub(crate) fn result(
    check: &CheckId,
    vantage: usize,
    started: i64,
    length_ms: i64,
    reason: Reason,
) -> RunResult {
    let mut phases = Phases::default();
    phases.charge(Phase::Wait, Micros(u32::try_from(length_ms * 1_000).unwrap()));
    RunResult {
        check: check.clone(),
        lane: Lane::Any,
        vantage: vantage_id(vantage),
        due: Millis(started),
        started: Millis(started),
        lateness: Micros(0),
        kind: RunKind::Grid,
        run: 0,
        reason,
        phases,
        status: None,
        bytes: 0,
        reused: false,
    }
}
