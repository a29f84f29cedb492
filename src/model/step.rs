//! The step and phase of a check's schedule, from its id alone.
//!
//! An incommensurate fixed grid defeats aliasing with periodic faults (`docs/measurement.md`,
//! "The schedule"). Both numbers are published with the check, and anybody can recompute them:
//!
//! ```text
//! x      = bytes 0 to 7 of SHA-256(check id), as a big-endian unsigned number
//! y      = bytes 8 to 15, likewise
//! I      = interval in microseconds
//! step   = I - floor(I * (2^64 + 4 * x) / (100 * 2^64))    so u = 1 % + 4 % * x / 2^64
//! phase  = floor(step * y / 2^64)                          so 0 <= phase < step
//! reach  = floor(0.6 * step) in milliseconds               h of the nearest-sample rule
//! ```

use sha2::{Digest, Sha256};

use super::id::CheckId;

/// Longest interval that the arithmetic is exact for: ten years. A longer one is cut to it.
const INTERVAL_MS_MAX: i64 = 10 * 366 * 86_400_000;

/// When the slots of a check are due: `phase_us + k * step_us` since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Step {
    /// Time between slots in microseconds, 95 % to 99 % of the interval (`I_c`).
    pub step_us: i64,
    /// Where the grid lies, in microseconds, from 0 and less than `step_us`.
    pub phase_us: i64,
}

impl Step {
    /// The step of a check with an interval of `interval_ms` as written (at least 1 is taken).
    #[must_use]
    pub fn of(check: &CheckId, interval_ms: i64) -> Self {
        let hash: [u8; 32] = Sha256::digest(check.as_str().as_bytes()).into();
        let number = |from: usize| {
            hash[from..from + 8].iter().fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte))
        };
        let interval_us = interval_ms.clamp(1, INTERVAL_MS_MAX).unsigned_abs() * 1_000;
        let interval_us = u128::from(interval_us);
        // At most 2^49 * 5 * 2^64: fits.
        let shorter = ((interval_us * ((1 << 64) + 4 * number(0))) >> 64) / 100;
        let step = interval_us - shorter;
        let phase = (step * number(8)) >> 64;
        Self { step_us: to_i64(step), phase_us: to_i64(phase) }
    }

    /// How far a result speaks for the time around its start, in milliseconds:
    /// `h = floor(0.6 * step)`.
    #[must_use]
    pub const fn reach_ms(self) -> i64 {
        self.step_us * 3 / 5_000
    }
}

fn to_i64(value: u128) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, interval_ms: i64) -> Step {
        Step::of(&CheckId::new(id).unwrap(), interval_ms)
    }

    /// SHA-256("vneid-home") and the formulas above, computed outside of this program.
    const GOLDEN: Step = Step { step_us: 28_795_040, phase_us: 11_069_091 };

    #[test]
    fn a_step_can_be_recomputed_from_the_id_by_hand() {
        assert_eq!(step("vneid-home", 30_000), GOLDEN);
        assert_eq!(step("vneid-home", 30_000).reach_ms(), GOLDEN.step_us * 6 / 10 / 1_000);
    }

    #[test]
    fn a_step_is_one_to_five_percent_short_and_the_phase_lies_in_it() {
        for number in 0..2_000 {
            for interval_ms in [1, 1_000, 30_000, 86_400_000, i64::MAX] {
                let Step { step_us, phase_us } = step(&format!("c{number}"), interval_ms);
                let interval_us = interval_ms.min(INTERVAL_MS_MAX) * 1_000;
                assert!(
                    step_us * 100 >= interval_us * 95 && step_us * 100 <= interval_us * 99 + 99
                );
                assert!((0..step_us).contains(&phase_us));
            }
        }
    }

    #[test]
    fn steps_and_phases_of_many_checks_are_spread_evenly() {
        let all: Vec<Step> = (0..4_000).map(|n| step(&format!("check-{n}"), 100_000)).collect();
        let quarter = |count: usize| (850..1_150).contains(&count);
        for part in 0..4 {
            let low = 95_000_000 + part * 1_000_000;
            let steps = all.iter().filter(|it| (low..low + 1_000_000).contains(&it.step_us));
            assert!(quarter(steps.count()));
            let phases = all.iter().filter(|it| it.phase_us * 4 / it.step_us == part);
            assert!(quarter(phases.count()));
        }
    }
}
