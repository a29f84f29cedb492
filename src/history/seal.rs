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

#[cfg(test)]
mod tests {
    use super::super::row::DAY_MS;
    use super::*;

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
