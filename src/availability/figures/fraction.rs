//! A share, exact until it is printed.

use std::cmp::Ordering;

/// `part` of `whole` milliseconds, from 0 to 1; compared by value.
#[derive(Clone, Copy, Debug)]
pub struct Fraction {
    part: i64,
    whole: i64,
}

impl Fraction {
    /// `None` if `whole` is not positive: no share of nothing. `part` is cut to `0..=whole`.
    #[must_use]
    pub fn new(part: i64, whole: i64) -> Option<Self> {
        (whole > 0).then(|| Self { part: part.clamp(0, whole), whole })
    }

    /// The upper number, as it was counted.
    #[must_use]
    pub const fn part(self) -> i64 {
        self.part
    }

    /// The lower number, as it was counted, at least 1.
    #[must_use]
    pub const fn whole(self) -> i64 {
        self.whole
    }

    /// Hundred-thousandths, cut down: `99953` for 99.953 %. It is 100,000 for 1 only.
    #[must_use]
    pub fn thousandths_of_percent(self) -> i64 {
        let cut = i128::from(self.part) * 100_000 / i128::from(self.whole);
        i64::try_from(cut).unwrap_or(0)
    }

    /// Parts per million, cut down.
    #[must_use]
    pub fn ppm(self) -> i64 {
        let cut = i128::from(self.part) * 1_000_000 / i128::from(self.whole);
        i64::try_from(cut).unwrap_or(0)
    }
}

impl PartialEq for Fraction {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Fraction {}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        let left = i128::from(self.part) * i128::from(other.whole);
        left.cmp(&(i128::from(other.part) * i128::from(self.whole)))
    }
}
