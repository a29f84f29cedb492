//! Points and lengths of time, as integers.
//!
//! Records are in UTC milliseconds, measurements in microseconds of the monotonic clock
//! (`docs/measurement.md`, "One result"). A float appears only when a figure is printed.

use std::{fmt, time::Duration};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// This point moved by `length` (negative: earlier), saturating at the ends of `i64`.
    #[must_use]
    pub const fn plus_ms(self, length: i64) -> Self {
        Self(self.0.saturating_add(length))
    }

    /// Milliseconds from `earlier` to here; negative if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

/// A length of time in whole microseconds, at most about 71 minutes (`u32::MAX`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub u32);

impl Micros {
    /// `length` in whole microseconds, cut down; saturates at `u32::MAX`.
    #[must_use]
    pub fn of(length: Duration) -> Self {
        Self(u32::try_from(length.as_micros()).unwrap_or(u32::MAX))
    }

    /// The same length for APIs of the standard library.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_micros(self.0 as u64)
    }

    /// Whole milliseconds, cut down.
    #[must_use]
    pub const fn whole_ms(self) -> i64 {
        (self.0 / 1_000) as i64
    }
}
