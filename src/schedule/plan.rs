//! The grid of a check's slots: anchored at the Unix epoch, so it survives every restart,
//! reload and upgrade, and vantages need no coordination.

use crate::model::step::Step;

/// The slots of one check at one vantage: slot `k` is due at `offset + k * step`, in
/// microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    step_us: i64,
    offset_us: i64,
}

impl Grid {
    /// The grid of a check with this step and phase, at vantage number `rank` of `vantages`:
    /// they are staggered evenly over a step.
    pub fn new(step: Step, rank: u32, vantages: u32) -> Self {
        let vantages = i64::from(vantages.max(1));
        let stagger = step.step_us / vantages * i64::from(rank);
        Self { step_us: step.step_us.max(1), offset_us: step.phase_us + stagger }
    }

    /// Time between two slots, in microseconds.
    pub const fn step_us(self) -> i64 {
        self.step_us
    }

    /// When slot `k` is due.
    pub const fn due_us(self, k: i64) -> i64 {
        self.offset_us.saturating_add(k.saturating_mul(self.step_us))
    }

    /// The first slot that is due at `at_us` or later.
    pub const fn first_from(self, at_us: i64) -> i64 {
        let past = at_us.saturating_sub(self.offset_us);
        let k = past.div_euclid(self.step_us);
        if past.rem_euclid(self.step_us) == 0 { k } else { k + 1 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grid(step_us: i64, phase_us: i64, rank: u32, vantages: u32) -> Grid {
        Grid::new(Step { step_us, phase_us }, rank, vantages)
    }

    proptest! {
        /// P12: no gap between two slots is longer than the step, and asking again at any time
        /// (a restart) continues the same grid.
        #[test]
        fn a_restart_at_any_time_continues_the_same_grid(
            step_us in 950_000_i64..86_400_000_000,
            phase in 0.0_f64..1.0,
            at_us in 0_i64..4_000_000_000_000_000,
        ) {
            #[expect(clippy::cast_precision_loss, reason = "any phase will do")]
            let grid = grid(step_us, (phase * step_us as f64) as i64, 0, 1);
            let k = grid.first_from(at_us);
            prop_assert!(grid.due_us(k) >= at_us);
            prop_assert!(grid.due_us(k - 1) < at_us);
            prop_assert_eq!(grid.due_us(k + 1) - grid.due_us(k), step_us);
            prop_assert_eq!(grid.first_from(grid.due_us(k)), k);
            prop_assert_eq!(grid.first_from(grid.due_us(k) + 1), k + 1);
        }

        #[test]
        fn vantages_are_staggered_evenly(step_us in 950_000_i64..3_600_000_000, vantages in 1_u32..9) {
            let dues: Vec<i64> =
                (0..vantages).map(|rank| grid(step_us, 7, rank, vantages).due_us(0)).collect();
            for pair in dues.windows(2) {
                prop_assert_eq!(pair[1] - pair[0], step_us / i64::from(vantages));
            }
            prop_assert!(dues[dues.len() - 1] < 7 + step_us);
        }
    }
}
