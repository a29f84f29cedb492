//! Half-open spans of time.

use super::time::Millis;

/// `[start, end)` in milliseconds; never empty, never reversed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    start: Millis,
    end: Millis,
}

impl Span {
    /// `None` if `end` is not after `start`.
    #[must_use]
    pub fn new(start: Millis, end: Millis) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The first instant inside.
    #[must_use]
    pub const fn start(self) -> Millis {
        self.start
    }

    /// The first instant after.
    #[must_use]
    pub const fn end(self) -> Millis {
        self.end
    }

    /// Length in milliseconds, at least 1.
    #[must_use]
    pub const fn length_ms(self) -> i64 {
        self.end.since(self.start)
    }

    /// Whether `at` is inside; the end is not.
    #[must_use]
    pub fn contains(self, at: Millis) -> bool {
        self.start <= at && at < self.end
    }

    /// The common part, if there is one.
    #[must_use]
    pub fn within(self, other: Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_do_not_overlap_and_reversed_spans_do_not_exist() {
        let span = |a, b| Span::new(Millis(a), Millis(b));
        assert_eq!(span(5, 5), None);
        assert_eq!(span(6, 5), None);
        let (left, right) = (span(0, 5).unwrap(), span(5, 9).unwrap());
        assert_eq!(left.within(right), None);
        assert!(right.contains(Millis(5)) && !left.contains(Millis(5)));
        assert_eq!(span(0, 7).unwrap().within(span(3, 9).unwrap()), span(3, 7));
    }
}
