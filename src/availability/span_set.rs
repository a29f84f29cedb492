//! Sets of time: the workhorse of every figure.

use crate::model::span::Span;
use crate::model::time::Millis;

/// Instants as half-open spans: in order, apart from each other, none empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SpanSet(Vec<Span>);

impl SpanSet {
    /// Nothing.
    pub const EMPTY: Self = Self(Vec::new());

    /// The spans, in order. Neighbours do not touch.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.0
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Milliseconds in it.
    #[must_use]
    pub fn length_ms(&self) -> i64 {
        self.0.iter().map(|it| it.length_ms()).fold(0, i64::saturating_add)
    }

    /// Whether `at` is in it.
    #[must_use]
    pub fn contains(&self, at: Millis) -> bool {
        self.around(at).is_some()
    }

    /// The span that holds `at`.
    #[must_use]
    pub fn around(&self, at: Millis) -> Option<Span> {
        let after = self.0.partition_point(|it| it.start() <= at);
        after.checked_sub(1).map(|it| self.0[it]).filter(|it| it.contains(at))
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.0.iter().chain(&other.0).copied().collect()
    }

    /// What is in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut both = Vec::new();
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            both.extend(a.within(**b));
            if a.end() <= b.end() {
                left.next()
            } else {
                right.next()
            };
        }
        // Pieces of sets whose spans are apart are apart, too.
        Self(both)
    }

    /// What is in `self` and not in `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let mut rest = Vec::new();
        let mut holes = other.0.as_slice();
        for span in &self.0 {
            let mut from = span.start();
            while let Some(hole) = holes.first() {
                if hole.start() >= span.end() {
                    break;
                }
                rest.extend(Span::new(from, hole.start()));
                from = from.max(hole.end());
                if hole.end() > span.end() {
                    break;
                }
                holes = &holes[1..];
            }
            rest.extend(Span::new(from, span.end()));
        }
        Self(rest)
    }

    /// The part inside `span`.
    #[must_use]
    pub fn within(&self, span: Span) -> Self {
        let first = self.0.partition_point(|it| it.end() <= span.start());
        let inside = self.0[first..].iter().take_while(|it| it.start() < span.end());
        Self(inside.filter_map(|it| it.within(span)).collect())
    }

    /// Milliseconds of it inside `span`.
    #[must_use]
    pub fn length_within_ms(&self, span: Span) -> i64 {
        let first = self.0.partition_point(|it| it.end() <= span.start());
        let inside = self.0[first..].iter().take_while(|it| it.start() < span.end());
        inside.filter_map(|it| it.within(span)).map(Span::length_ms).sum()
    }
}

impl From<Span> for SpanSet {
    fn from(span: Span) -> Self {
        Self(vec![span])
    }
}

impl FromIterator<Span> for SpanSet {
    /// Of spans in any order, overlapping or touching as they may.
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Self {
        let mut all: Vec<Span> = spans.into_iter().collect();
        all.sort_unstable();
        let mut united: Vec<Span> = Vec::with_capacity(all.len());
        for span in all {
            match united.last_mut() {
                Some(last) if span.start() <= last.end() => {
                    let end = last.end().max(span.end());
                    *last = Span::new(last.start(), end).unwrap_or(*last);
                }
                _ => united.push(span),
            }
        }
        Self(united)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `#` is in the set; one character a millisecond.
    fn read(sketch: &str) -> SpanSet {
        let spans = sketch.char_indices().filter(|(_, it)| *it == '#').map(|(at, _)| {
            let at = Millis(i64::try_from(at).unwrap());
            Span::new(at, at.plus_ms(1)).unwrap()
        });
        spans.collect()
    }

    fn write(set: &SpanSet, length: usize) -> String {
        let at = |it: usize| set.contains(Millis(i64::try_from(it).unwrap()));
        (0..length).map(|it| if at(it) { '#' } else { '.' }).collect()
    }

    proptest! {
        /// Set arithmetic must agree with walking millisecond by millisecond.
        #[test]
        fn sets_agree_with_counting(a in "[#.]{40}", b in "[#.]{40}", from in 0_i64..39, more in 1_i64..40) {
            let (left, right) = (read(&a), read(&b));
            let both = |rule: fn(bool, bool) -> bool| -> String {
                a.chars().zip(b.chars()).map(|(a, b)| if rule(a == '#', b == '#') { '#' } else { '.' }).collect()
            };
            for (set, written) in [
                (left.union(&right), both(|a, b| a || b)),
                (left.intersect(&right), both(|a, b| a && b)),
                (left.minus(&right), both(|a, b| a && !b)),
            ] {
                prop_assert_eq!(write(&set, 40), written.clone());
                prop_assert_eq!(set.length_ms(), i64::try_from(written.matches('#').count()).unwrap());
                prop_assert_eq!(set.clone(), read(&written), "not in normal form");
            }
            let span = Span::new(Millis(from), Millis(from + more)).unwrap();
            prop_assert_eq!(left.within(span), left.intersect(&span.into()));
            prop_assert_eq!(left.length_within_ms(span), left.within(span).length_ms());
        }
    }
}
