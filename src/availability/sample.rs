//! Results as testimony: what each says, and how far it speaks
//! (`docs/measurement.md`, "State of a check at a vantage": raw state).

use std::cmp::Reverse;

use crate::model::outcome::Testimony;
use crate::model::reason::Reason;
use crate::model::result::{RunKind, RunResult};
use crate::model::span::Span;
use crate::model::time::Millis;

/// One instant at which a check, seen from one vantage over one lane, testified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sample {
    /// Start of the run: the instant it speaks for.
    pub at: Millis,
    /// Earliest end among the runs that start then and say the same.
    pub ended: Millis,
    /// What came of it; always one that testifies.
    pub reason: Reason,
    /// How far it speaks around `at`, in milliseconds: `h = floor(0.6 * I_c)`, at least 1.
    pub reach_ms: i64,
    /// How far it speaks forward; later than `at + reach_ms` only if it is bad and the service
    /// asked to be left alone after it.
    pub held_to: Millis,
    /// Whether a slot of the schedule is among the runs that start then.
    pub grid: bool,
}

impl Sample {
    /// The testimony of `result`; `None` if it gives none.
    #[must_use]
    pub fn of(result: &RunResult, reach_ms: i64) -> Option<Self> {
        result.testimony()?;
        let reach_ms = reach_ms.max(1);
        Some(Self {
            at: result.started,
            ended: result.ended(),
            reason: result.reason,
            reach_ms,
            held_to: result.started.plus_ms(reach_ms),
            grid: result.kind == RunKind::Grid,
        })
    }

    /// Whether the service did not do its work.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        self.reason.outcome().testimony() == Some(Testimony::Bad)
    }

    /// Of two that start in the same millisecond the worse counts. The order and number of
    /// merges make no difference.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let rank = |it: &Self| (it.reason.outcome(), Reverse(it.reason.code()));
        let (worse, better) =
            if rank(&self) >= rank(&other) { (self, other) } else { (other, self) };
        let same = worse.is_bad() == better.is_bad();
        Self {
            ended: if same { worse.ended.min(better.ended) } else { worse.ended },
            reach_ms: worse.reach_ms.max(better.reach_ms),
            held_to: worse.held_to.max(better.held_to),
            grid: worse.grid || better.grid,
            ..worse
        }
    }

    /// A bad state stays bad while the service is left alone at its own request: a slot left
    /// out at `at` (`void/backoff`) carries it on for two reaches, which is past the next slot.
    ///
    /// If it had become unknown more than four reaches before (three steps after the bad
    /// result), there is nothing to carry on: our own absence is never held against a service.
    pub fn hold(&mut self, backoff: Backoff) {
        let ahead = backoff.reach_ms.saturating_mul(2);
        let back = backoff.reach_ms.saturating_mul(4);
        if self.is_bad() && backoff.at.plus_ms(-back) <= self.held_to {
            self.held_to = self.held_to.max(backoff.at.plus_ms(ahead));
        }
    }
}

/// A slot left out because the service asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Backoff {
    /// When it would have run.
    pub at: Millis,
    /// The reach in force then.
    pub reach_ms: i64,
}

impl Backoff {
    /// `None` if `result` is anything else.
    #[must_use]
    pub fn of(result: &RunResult, reach_ms: i64) -> Option<Self> {
        (result.reason == Reason::Backoff)
            .then_some(Self { at: result.started, reach_ms: reach_ms.max(1) })
    }
}

/// Where the time of `earlier` ends and where that of `later` begins, `earlier.at < later.at`.
///
/// The change is half-way, cut down to a millisecond; beyond the reach of both it is unknown,
/// except that a held bad state lasts until the time of the next testimony.
#[must_use]
pub fn boundary(earlier: &Sample, later: &Sample) -> (Millis, Millis) {
    let middle = middle(earlier.at, later.at);
    let begins = middle.max(later.at.plus_ms(-later.reach_ms));
    let reach = earlier.at.plus_ms(earlier.reach_ms);
    let ends =
        if earlier.held_to > reach { earlier.held_to.min(begins) } else { reach.min(middle) };
    (ends, begins)
}

/// The time that each of `samples` (in order, no two at the same instant) speaks for; `None` if
/// two are so close that nothing is left. `begins` is where the first begins, if what came
/// before it is known; else its reach.
#[must_use]
pub fn cells(samples: &[Sample], begins: Option<Millis>) -> Vec<Option<Span>> {
    let mut begins = begins.or_else(|| samples.first().map(|it| it.at.plus_ms(-it.reach_ms)));
    let mut cells = Vec::with_capacity(samples.len());
    for (index, sample) in samples.iter().enumerate() {
        let (ends, next) = match samples.get(index + 1) {
            Some(later) => boundary(sample, later),
            None => (sample.held_to, sample.held_to),
        };
        cells.push(begins.and_then(|it| Span::new(it, ends)));
        begins = Some(next);
    }
    cells
}

/// Half-way between two instants, cut down to a millisecond.
#[must_use]
pub const fn middle(earlier: Millis, later: Millis) -> Millis {
    earlier.plus_ms(later.since(earlier).div_euclid(2))
}
