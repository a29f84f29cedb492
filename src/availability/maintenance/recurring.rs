//! Maintenance that comes again and again, as single windows.

use jiff::tz::TimeZone;

use crate::availability::calendar::{CalendarError, days};
use crate::availability::hours::wall;
use crate::model::span::Span;
use crate::model::terms::Recurring;
use crate::model::time::Millis;

/// Longest that one occurrence can last by the clock, with a change of it: looked back for those
/// that began before a span.
const BACK_MS: i64 = 50 * 3_600_000;

/// The occurrences that have a part in `within`, in order, each as announced whole.
///
/// # Errors
///
/// [`CalendarError`] beyond the years that can be reckoned with.
pub fn occurrences(
    rule: &Recurring,
    within: Span,
    zone: &TimeZone,
) -> Result<Vec<Span>, CalendarError> {
    let from = within.start().plus_ms(-BACK_MS);
    let Some(around) = Span::new(from, within.end()) else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for (day, _) in days(around, zone)? {
        if !rule.every.on(day) {
            continue;
        }
        let last = if rule.to_min > rule.from_min { Ok(day) } else { day.tomorrow() };
        let last = last.map_err(|_| CalendarError::OutOfRange(day.to_string()))?;
        let span = Span::new(wall(day, rule.from_min, zone)?, wall(last, rule.to_min, zone)?);
        all.extend(span.filter(|it| it.within(within).is_some()));
    }
    Ok(all)
}

/// Whether an occurrence is under way at `now`.
#[must_use]
pub fn is_active(rule: &Recurring, now: Millis, zone: &TimeZone) -> bool {
    let instant = Span::new(now, now.plus_ms(1));
    let all = instant.map(|it| occurrences(rule, it, zone));
    all.is_some_and(|it| it.is_ok_and(|it| !it.is_empty()))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZoneDatabase;

    use super::*;
    use crate::model::terms::Every;

    const HOUR: i64 = 3_600_000;

    /// 2026-11-24T00:00+07:00, a Tuesday.
    const TUESDAY: i64 = 1_795_453_200_000;

    /// Hours from that midnight.
    #[track_caller]
    fn check(every: &str, from_min: u16, to_min: u16, days: i64, expected: &[(i64, i64)]) {
        let zone = TimeZoneDatabase::bundled().get("Asia/Ho_Chi_Minh").unwrap();
        let every = Every::parse(every).unwrap();
        let rule = Recurring { every, from_min, to_min, notice: None, why: String::new() };
        let within = Span::new(Millis(TUESDAY), Millis(TUESDAY + days * 24 * HOUR)).unwrap();
        let got = occurrences(&rule, within, &zone).unwrap();
        let hours = |at: Millis| (at.0 - TUESDAY) / HOUR;
        let got: Vec<_> = got.iter().map(|it| (hours(it.start()), hours(it.end()))).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn windows_come_on_their_days_and_may_run_over_midnight() {
        check("daily", 60, 120, 2, &[(1, 2), (25, 26)]);
        check("sun", 0, 240, 14, &[(120, 124), (288, 292)]);
        check("monthly-25", 0, 1_440, 3, &[(24, 48)]);
        check("daily", 1_320, 120, 1, &[(-2, 2), (22, 26)]);
        check("monthly-31", 0, 60, 10, &[]);
    }

    #[test]
    fn an_occurrence_is_under_way_from_its_start_until_before_its_end() {
        let (every, notice, why) = (Every::Day, None, String::new());
        let rule = Recurring { every, from_min: 60, to_min: 120, notice, why };
        let at = |ms: i64| is_active(&rule, Millis(24 * HOUR + ms), &TimeZone::UTC);
        let edges = [HOUR - 1, HOUR, 2 * HOUR - 1, 2 * HOUR].map(at);
        assert_eq!(edges, [false, true, true, false]);
    }
}
