//! From results to what one vantage says of one lane over all time
//! (`docs/measurement.md`, "State of a check at a vantage").

use crate::model::result::RunResult;
use crate::model::time::Millis;

use super::confirm::Confirm;
use super::live::lane::state_of;
use super::sample::{Backoff, Sample, cells};
use super::segment::{Segment, append};

/// The testimony in `results`, by start, one a millisecond. Their order, and how often each is
/// there, make no difference.
///
/// `reach_ms` gives the reach in force for a result that starts at an instant.
#[must_use]
pub fn samples<'a>(
    results: impl IntoIterator<Item = &'a RunResult>,
    reach_ms: impl Fn(Millis) -> i64,
) -> Vec<Sample> {
    let (mut all, mut backoffs) = (Vec::new(), Vec::new());
    for result in results {
        let reach = reach_ms(result.started);
        all.extend(Sample::of(result, reach));
        backoffs.extend(Backoff::of(result, reach));
    }
    all.sort_by_key(|it: &Sample| it.at);
    let mut merged: Vec<Sample> = Vec::with_capacity(all.len());
    for sample in all {
        match merged.last_mut() {
            Some(last) if last.at == sample.at => *last = last.merge(sample),
            _ => merged.push(sample),
        }
    }
    backoffs.sort_unstable();
    for backoff in backoffs {
        let after = merged.partition_point(|it| it.at <= backoff.at);
        if let Some(sample) = after.checked_sub(1).and_then(|it| merged.get_mut(it)) {
            sample.hold(backoff);
        }
    }
    merged
}

/// What one vantage alone says: confirmed bad time is down, unconfirmed is a blip and up.
#[must_use]
pub fn alone(samples: &[Sample], confirm: Confirm) -> Vec<Segment> {
    let bad: Vec<bool> = samples.iter().map(Sample::is_bad).collect();
    let mut timeline = Vec::new();
    let marked = samples.iter().zip(confirm.mark(&bad));
    for (cell, (sample, confirmed)) in cells(samples, None).into_iter().zip(marked) {
        if let Some(span) = cell {
            append(&mut timeline, span, state_of(sample, confirmed));
        }
    }
    timeline
}
