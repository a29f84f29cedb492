//! The effective step and phase of a check: published, so that anybody can recompute every
//! due instant.

use sha2::{Digest, Sha256};

use super::id::CheckId;

/// How a check's slots lie on the time line, in whole microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Time between two slots.
    pub step_us: i64,
    /// The first slot at or after 1970-01-01T00:00:00Z; in `[0, step_us)`.
    pub phase_us: i64,
}

impl Step {
    /// From the check's id and its interval as written.
    pub fn of(check: &CheckId, interval_ms: i64) -> Self {
        let hash = Sha256::digest(check.as_str().as_bytes());
        let part = |at: usize| {
            let bytes: [u8; 8] = std::array::from_fn(|i| hash[at + i]);
            u128::from(u64::from_be_bytes(bytes))
        };
        let interval_us = interval_ms as u128 * 1_000;
        let cut = interval_us / 100 + (((interval_us * 4 / 100) * part(0)) >> 64);
        let step_us = interval_us - cut;
        let phase_us = (step_us * part(8)) >> 64;
        Self { step_us: step_us as i64, phase_us: phase_us as i64 }
    }
}
