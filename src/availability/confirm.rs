//! Which bad results make an outage, with one vantage
//! (`docs/measurement.md`, "State of a check at a vantage": confirmed).

/// Consecutive results among which bad ones are counted.
const WINDOW: usize = 10;

/// When bad results are confirmed: `K` in a row, or `K` among any ten consecutive ones.
///
/// Both are one rule: at least `K` among `max(K, 10)` consecutive results. With fewer results
/// than that in all, those there are count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Confirm {
    needed: usize,
}

impl Confirm {
    /// From `K`; 0 is taken as 1.
    #[must_use]
    pub fn new(needed: u8) -> Self {
        Self { needed: usize::from(needed).max(1) }
    }

    /// `K`.
    #[must_use]
    pub const fn needed(self) -> usize {
        self.needed
    }

    /// How many consecutive results are looked at together.
    #[must_use]
    pub fn window(self) -> usize {
        self.needed.max(WINDOW)
    }

    /// Whether the results up to and with the last one confirm an outage now: the last is bad
    /// and enough of those in its window are.
    #[must_use]
    pub fn at_end(self, bad: &[bool]) -> bool {
        let recent = &bad[bad.len().saturating_sub(self.window())..];
        bad.last() == Some(&true) && recent.iter().filter(|it| **it).count() >= self.needed
    }

    /// Whether the results up to and with the last one open an alert: the last is bad, and either
    /// `K` are in a row or one more than `K` is among those in its window.
    ///
    /// With runs that are lost one by one, without a cause, `K` among ten come together some forty
    /// times as often as `K` in a row (`K = 3`): for the figures that costs seconds, but it must
    /// wake nobody. What really fails two times in three has one more bad result at once.
    #[must_use]
    pub fn alerts_at_end(self, bad: &[bool]) -> bool {
        let in_a_row = bad.iter().rev().take_while(|it| **it).count();
        let recent = &bad[bad.len().saturating_sub(self.window())..];
        let among = recent.iter().filter(|it| **it).count();
        in_a_row >= self.needed || (in_a_row > 0 && among > self.needed)
    }

    /// For each result whether it is a confirmed bad one.
    #[must_use]
    pub fn mark(self, bad: &[bool]) -> Vec<bool> {
        let mut marks = vec![false; bad.len()];
        let (mut count, mut marked) = (0, 0);
        for (last, is_bad) in bad.iter().enumerate() {
            count += usize::from(*is_bad);
            let first = (last + 1).saturating_sub(self.window());
            if first > 0 {
                count -= usize::from(bad[first - 1]);
            }
            if *is_bad && count >= self.needed {
                let fresh = first.max(marked)..last + 1;
                marks[fresh.clone()].copy_from_slice(&bad[fresh]);
                marked = last + 1;
            }
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bad(sketch: &str) -> Vec<bool> {
        sketch.chars().map(|it| it == 'b').collect()
    }

    /// `g` good, `b` bad; expected `D` confirmed.
    #[track_caller]
    fn check(needed: u8, sketch: &str, expected: &str) {
        let marks = Confirm::new(needed).mark(&bad(sketch));
        let got: String = marks
            .iter()
            .zip(sketch.chars())
            .map(|(mark, seen)| if *mark { 'D' } else { seen })
            .collect();
        assert_eq!(got, expected, "K = {needed}, {sketch}");
    }

    #[test]
    fn an_outage_is_back_dated_to_its_first_bad_result() {
        check(3, "ggbbbgg", "ggDDDgg");
        check(3, "ggbbgg", "ggbbgg");
        check(1, "gbg", "gDg");
        check(0, "gbg", "gDg");
    }

    #[test]
    fn a_service_that_fails_two_times_in_three_is_down() {
        check(3, "gbbgbbgbbg", "gDDgDDgDDg");
        check(3, "bggggggggbb", "bggggggggbb");
        check(3, "bgggggggbb", "DgggggggDD");
    }

    #[test]
    fn more_than_ten_needed_must_be_in_a_row() {
        check(12, "bbbbbbbbbbbgb", "bbbbbbbbbbbgb");
        check(12, "bbbbbbbbbbbb", "DDDDDDDDDDDD");
    }

    #[test]
    fn an_alert_needs_one_more_bad_result_when_they_are_not_in_a_row() {
        let alerts = |needed, sketch| Confirm::new(needed).alerts_at_end(&bad(sketch));
        for (sketch, expected) in [
            ("bbb", true),
            ("bb", false),
            ("gbgbgb", false),
            ("gbgbgbgb", true),
            ("bgbgbgbg", false),
            ("bggggggggbb", false),
            ("bgggggggbbb", true),
            ("bbggggggggbb", false),
            ("", false),
        ] {
            assert_eq!(alerts(3, sketch), expected, "{sketch}");
        }
        assert!(alerts(1, "gb") && !alerts(12, "bbbbbbbbbbbgb") && alerts(12, &"b".repeat(12)));
    }

    proptest! {
        /// The rule as written: K in a row, or K among any ten consecutive results.
        #[test]
        fn marks_agree_with_the_rule_as_written(sketch in "[gb]{0,40}", needed in 1_u8..13) {
            let bad = bad(&sketch);
            let needed_of = usize::from(needed);
            let written: Vec<bool> = (0..bad.len()).map(|index| bad[index] && (0..=index).any(|from| {
                let among = |size: usize| bad[from..].iter().take(size).filter(|it| **it).count();
                (from + needed_of > index && among(needed_of) == needed_of)
                    || (from + 10 > index && among(10) >= needed_of)
            })).collect();
            let confirm = Confirm::new(needed);
            prop_assert_eq!(confirm.mark(&bad), written);
            let end = confirm.mark(&bad).last().copied().unwrap_or(false);
            prop_assert_eq!(confirm.at_end(&bad), end);
        }
    }
}
