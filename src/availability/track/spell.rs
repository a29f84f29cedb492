//! Bad spells of one vantage: maximal runs of bad results whose time is known throughout, and
//! what stands beside them (`docs/measurement.md`, "State of a check at a vantage": bracket).

use crate::availability::sample::{Sample, cells};
use crate::model::reason::Reason;
use crate::model::span::Span;
use crate::model::time::Millis;

/// A bad spell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    /// Its time.
    pub span: Span,
    /// Start of the last good run before it; `None` if unknown time lies before.
    pub good_before: Option<Millis>,
    /// Start of its first bad run.
    pub first: Millis,
    /// Earliest end among its bad runs.
    pub first_ended: Millis,
    /// Start of its last bad run.
    pub last: Millis,
    /// Start of the first good run after it, and the earliest end among the good runs that
    /// follow up to the next bad one or the next unknown time; `None` if that comes at once.
    pub good_after: Option<(Millis, Millis)>,
    /// What its first bad run said.
    pub fault: Reason,
    /// Places of its first and last result.
    pub places: (usize, usize),
}

/// The bad spells in `samples`, in order.
#[must_use]
pub fn spells(samples: &[Sample]) -> Vec<Spell> {
    let cells = cells(samples, None);
    let joined = |later: usize| match (cells.get(later - 1), cells.get(later)) {
        (Some(Some(before)), Some(Some(after))) => before.end() == after.start(),
        _ => false,
    };
    let mut spells = Vec::new();
    let mut next = 0;
    while let Some(first) = (next..samples.len()).find(|it| samples[*it].is_bad()) {
        let last = (first + 1..samples.len())
            .take_while(|it| samples[*it].is_bad() && joined(*it))
            .last()
            .unwrap_or(first);
        next = last + 1;
        let good = (next..samples.len()).take_while(|it| !samples[*it].is_bad() && joined(*it));
        let good_ended = good.map(|it| samples[it].ended).min();
        let bad = &samples[first..=last];
        let bounds = cells[first].zip(cells[last]);
        spells.extend(bounds.and_then(|(begin, end)| {
            Some(Spell {
                span: Span::new(begin.start(), end.end())?,
                good_before: (first > 0 && joined(first)).then(|| samples[first - 1].at),
                first: samples[first].at,
                first_ended: bad.iter().map(|it| it.ended).min()?,
                last: samples[last].at,
                good_after: good_ended.map(|ended| (samples[next].at, ended)),
                fault: samples[first].reason,
                places: (first, last),
            })
        }));
    }
    spells
}
