//! The worst window of a size (`docs/measurement.md`, "The official figures of a period":
//! MCR). It tells one outage of six hours from 360 outages of a minute.

use crate::availability::span_set::SpanSet;

use super::fraction::Fraction;

/// Sizes of the windows: a minute, five minutes, an hour, a day.
pub const WINDOWS_MS: [i64; 4] = [60_000, 300_000, 3_600_000, 86_400_000];

/// The worst availability over any window of each of [`WINDOWS_MS`].
///
/// A window holds that much *known judged* time: unknown and excluded time is cut out and what
/// is left is put together, so that a sliver of known time beside a gap can't pass for a window.
/// `None`: there is less known time than the window is long.
#[must_use]
pub fn worst_windows(known: &SpanSet, down: &SpanSet) -> [Option<Fraction>; WINDOWS_MS.len()] {
    let axis = Axis::of(known, down);
    WINDOWS_MS.map(|window_ms| {
        let worst = axis.worst_ms(window_ms)?;
        Fraction::new(window_ms - worst, window_ms)
    })
}

/// Down time on an axis of known time, from 0.
struct Axis {
    length: i64,
    /// Start and end of each down span, and down time before it.
    down: Vec<(i64, i64, i64)>,
}

impl Axis {
    fn of(known: &SpanSet, down: &SpanSet) -> Self {
        let mut axis = Self { length: 0, down: Vec::new() };
        let mut before = 0;
        for span in known.spans() {
            for hit in down.within(*span).spans() {
                let from = axis.length + hit.start().since(span.start());
                axis.down.push((from, from + hit.length_ms(), before));
                before += hit.length_ms();
            }
            axis.length += span.length_ms();
        }
        axis
    }

    /// Down time before `place`.
    fn until(&self, place: i64) -> i64 {
        let after = self.down.partition_point(|it| it.0 < place);
        let last = after.checked_sub(1).map(|it| self.down[it]);
        last.map_or(0, |(from, to, before)| before + place.min(to) - from)
    }

    /// Most down time in any window; it begins or ends with a down span, or at an end.
    fn worst_ms(&self, window_ms: i64) -> Option<i64> {
        let room = self.length - window_ms;
        let edges = self.down.iter().flat_map(|it| [it.0, it.1 - window_ms]);
        let starts = edges.chain([0]).map(|it| it.clamp(0, room.max(0)));
        let worst = starts.map(|it| self.until(it + window_ms) - self.until(it)).max();
        worst.filter(|_| room >= 0 && window_ms > 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::span::Span;
    use crate::model::time::Millis;

    fn set(spans: &[(i64, i64)]) -> SpanSet {
        spans.iter().filter_map(|(from, to)| Span::new(Millis(*from), Millis(*to))).collect()
    }

    fn worst(known: &[(i64, i64)], down: &[(i64, i64)], window_ms: i64) -> Option<i64> {
        Axis::of(&set(known), &set(down)).worst_ms(window_ms)
    }

    #[test]
    fn one_long_outage_is_told_from_many_short_ones() {
        let (day, hour, minute) = (86_400_000, 3_600_000, 60_000);
        let long = set(&[(day, day + 6 * hour)]);
        let short: Vec<_> = (0..360).map(|it| (it * hour, it * hour + minute)).collect();
        let known = set(&[(0, 30 * day)]);
        let percent = |down: &SpanSet| {
            worst_windows(&known, down).map(|it| it.unwrap().thousandths_of_percent())
        };
        assert_eq!(percent(&long), [0, 0, 0, 75_000]);
        assert_eq!(percent(&set(&short)), [0, 80_000, 98_333, 98_333]);
    }

    #[test]
    fn unknown_time_is_cut_out_of_windows() {
        assert_eq!(worst(&[(0, 10), (1_000, 1_010)], &[(5, 10), (1_000, 1_005)], 10), Some(10));
        assert_eq!(worst(&[(0, 10)], &[(0, 10)], 11), None);
        assert_eq!(worst(&[(0, 10)], &[], 10), Some(0));
    }

    proptest! {
        /// Sliding a window over the known milliseconds one by one.
        #[test]
        fn the_worst_window_agrees_with_sliding_it(sketch in "[ud.]{0,60}", window in 1_usize..12) {
            let at = |it: usize| i64::try_from(it).unwrap();
            let of = |wanted: &[char]| -> SpanSet {
                let hit = sketch.char_indices().filter(|(_, it)| wanted.contains(it));
                hit.filter_map(|(it, _)| Span::new(Millis(at(it)), Millis(at(it + 1)))).collect()
            };
            let known: Vec<bool> = sketch.chars().filter(|it| *it != '.').map(|it| it == 'd').collect();
            let slid = known.windows(window).map(|it| it.iter().filter(|it| **it).count()).max();
            let axis = Axis::of(&of(&['u', 'd']), &of(&['d']));
            prop_assert_eq!(axis.worst_ms(at(window)), slid.map(at));
        }
    }
}
