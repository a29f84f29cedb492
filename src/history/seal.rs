//! What is sealed and what is deleted, when (pure).

use crate::model::time::Millis;

use super::Settings;
use super::row::day_of;

/// The first UTC day that is not yet sealed: it ended less than `seal_after_days` whole days
/// before `now`.
pub(super) fn seal_before(now: Millis, settings: &Settings) -> i64 {
    day_of(now.0) - i64::from(settings.seal_after_days)
}

/// The first UTC day that is kept; `None`: all are.
pub(super) fn keep_from(now: Millis, settings: &Settings) -> Option<i64> {
    settings.keep_days.map(|days| day_of(now.0) - i64::from(days))
}

/// `keep_from`, but no later than what the newest sealed day allows: a wall clock that is years
/// ahead, as after a start without its battery, must not delete what was kept.
pub(super) fn not_beyond(keep_from: i64, newest: Option<i64>, settings: &Settings) -> i64 {
    let (Some(newest), Some(days)) = (newest, settings.keep_days) else { return keep_from };
    let today = newest + i64::from(settings.seal_after_days) + CLOCK_TRUST_DAYS;
    keep_from.min(today - i64::from(days))
}

/// Days that the clock may be ahead of what was sealed last: the day under way, and one in
/// which no upkeep ran.
const CLOCK_TRUST_DAYS: i64 = 2;

#[cfg(test)]
mod tests {
    use super::super::row::DAY_MS;
    use super::*;

    #[test]
    fn a_clock_that_is_years_ahead_deletes_nothing() {
        let settings = Settings::default();
        let ahead = keep_from(Millis(30_000 * DAY_MS), &settings).unwrap();
        assert_eq!(not_beyond(ahead, Some(20_000), &settings), 20_000 + 1 + 2 - 400);
        let right = keep_from(Millis(20_002 * DAY_MS), &settings).unwrap();
        assert_eq!(not_beyond(right, Some(20_000), &settings), right);
        assert_eq!(not_beyond(right, None, &settings), right);
    }

    #[test]
    fn the_day_before_yesterday_is_sealed_and_yesterday_is_not() {
        let settings = Settings::default();
        for (time_of_day, today) in [(0, 20_000), (DAY_MS - 1, 20_000), (DAY_MS, 20_001)] {
            let now = Millis(20_000 * DAY_MS + time_of_day);
            assert_eq!(seal_before(now, &settings), today - 1);
            assert_eq!(keep_from(now, &settings), Some(today - 400));
        }
        let forever = Settings { keep_days: None, ..settings };
        assert_eq!(keep_from(Millis(0), &forever), None);
    }
}
