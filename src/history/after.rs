//! How long after they are due the runs of a stream start (pure).

use crate::model::time::Millis;

/// Bounds of `started - due` in milliseconds, kept with a stream: they turn a range of starts
/// into a range of due instants, by which rows are in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct After {
    /// At least so long; 0 or less.
    pub(super) min: i64,
    /// At most so long; 0 or more.
    pub(super) max: i64,
}

impl After {
    /// Bounds that hold for this run too. They are widened to the next power of two, so that
    /// they rarely change.
    pub(super) fn widened(self, due: Millis, started: Millis) -> Self {
        let after = started.since(due);
        let power =
            |length: u64| length.checked_next_power_of_two().and_then(|it| i64::try_from(it).ok());
        if after > self.max {
            let max = power(after.unsigned_abs()).unwrap_or(i64::MAX);
            Self { max, ..self }
        } else if after < self.min {
            let min = power(after.unsigned_abs()).map_or(i64::MIN, |it| -it);
            Self { min, ..self }
        } else {
            self
        }
    }

    /// A run that starts at or after `start` is due at or after this.
    pub(super) const fn due_from(self, start: Millis) -> i64 {
        // At its end the bound is none: a difference may have been cut off there.
        if self.max == i64::MAX { i64::MIN } else { start.0.saturating_sub(self.max) }
    }

    /// A run that starts at or before `last` is due at or before this.
    pub(super) const fn due_to(self, last: Millis) -> i64 {
        if self.min == i64::MIN { i64::MAX } else { last.0.saturating_sub(self.min) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_run_is_outside_the_bounds_it_widened(
            runs in prop::collection::vec((any::<i64>(), any::<i64>(), -9_000..900_000i64), 1..20)
        ) {
            let runs: Vec<_> = runs
                .into_iter()
                .map(|(due, started, near)| {
                    // Half of them as they are, half of them absurd.
                    let near = Millis(due.saturating_add(near));
                    (Millis(due), if started % 2 == 0 { near } else { Millis(started) })
                })
                .collect();
            let after = runs.iter().fold(After::default(), |it, run| it.widened(run.0, run.1));
            for (due, started) in runs {
                prop_assert!(after.due_from(started) <= due.0 && due.0 <= after.due_to(started));
                prop_assert_eq!(after.widened(due, started), after);
            }
        }
    }
}
