//! Days, months and years as spans of time
//! (`docs/measurement.md`, "The official figures of a period": periods).
//!
//! Every edge is asked of the time zone; nothing is found by adding hours, since a day need not
//! have 24 of them nor begin at 00:00.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::model::span::Span;
use crate::model::time::Millis;

/// Which months are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Calendar {
    /// Of NĐ 09/2019/NĐ-CP, Điều 12: month M is from the 15th of the month before, 00:00, to
    /// the 15th of M, 00:00; quarters, halves and years are made of such months.
    Nd09,
    /// Of the calendar.
    Civil,
}

/// A period by its name. Days and weeks are the same in both calendars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// A day.
    Day(Date),
    /// The week, Monday to Sunday, that holds a day.
    Week(Date),
    /// A month, 1 to 12.
    Month {
        /// Its year.
        year: i16,
        /// Its number.
        month: i8,
    },
    /// A quarter, 1 to 4.
    Quarter {
        /// Its year.
        year: i16,
        /// Its number.
        quarter: i8,
    },
    /// A half-year, 1 or 2.
    Half {
        /// Its year.
        year: i16,
        /// Its number.
        half: i8,
    },
    /// A year.
    Year(i16),
}

/// Why a period has no span.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// A number out of its range.
    #[error("there is no period {0:?}: months are 1 to 12, quarters 1 to 4, halves 1 and 2")]
    NoSuchPeriod(Period),
    /// Beyond the years that can be reckoned with.
    #[error("{0} lies outside of the years that can be reckoned with")]
    OutOfRange(String),
}

/// The span of `period`, `[start, end)`.
///
/// # Errors
///
/// [`CalendarError`] if its number is out of range, or the year is beyond ±9999.
pub fn span(calendar: Calendar, period: Period, zone: &TimeZone) -> Result<Span, CalendarError> {
    let months = |year: i16, first: i8, count: i8| {
        let start = calendar.month_start(year, first)?;
        Ok((start, later(start, count)?))
    };
    let (first, end) = match period {
        Period::Day(day) => (day, tomorrow(day)?),
        Period::Week(day) => {
            let back = day.weekday().since(Weekday::Monday);
            let monday = day.checked_sub(i64::from(back).days());
            let monday = monday.map_err(|_| CalendarError::OutOfRange(day.to_string()))?;
            let next = monday.checked_add(7.days());
            (monday, next.map_err(|_| CalendarError::OutOfRange(day.to_string()))?)
        }
        Period::Month { year, month } if (1..=12).contains(&month) => months(year, month, 1)?,
        Period::Quarter { year, quarter } if (1..=4).contains(&quarter) => {
            months(year, 3 * quarter - 2, 3)?
        }
        Period::Half { year, half } if (1..=2).contains(&half) => months(year, 6 * half - 5, 6)?,
        Period::Year(year) => months(year, 1, 12)?,
        _ => return Err(CalendarError::NoSuchPeriod(period)),
    };
    let edges = (midnight(first, zone)?, midnight(end, zone)?);
    Span::new(edges.0, edges.1).ok_or(CalendarError::NoSuchPeriod(period))
}

impl Calendar {
    /// The month that holds an instant.
    ///
    /// # Errors
    ///
    /// [`CalendarError::OutOfRange`] beyond the years that can be reckoned with.
    pub fn month_at(self, at: Millis, zone: &TimeZone) -> Result<Period, CalendarError> {
        let day = date_at(at, zone)?;
        let next = self == Self::Nd09 && day.day() >= ND09_FIRST_DAY;
        let day = if next { later(day.first_of_month(), 1)? } else { day };
        Ok(Period::Month { year: day.year(), month: day.month() })
    }

    /// First day of a month, 1 to 12.
    fn month_start(self, year: i16, month: i8) -> Result<Date, CalendarError> {
        let first = Date::new(year, month, 1);
        let first = first.map_err(|_| CalendarError::OutOfRange(format!("year {year}")))?;
        match self {
            Self::Civil => Ok(first),
            Self::Nd09 => later(first, -1)?
                .with()
                .day(ND09_FIRST_DAY)
                .build()
                .map_err(|_| CalendarError::OutOfRange(first.to_string())),
        }
    }
}

/// First day of a month of NĐ 09/2019/NĐ-CP.
const ND09_FIRST_DAY: i8 = 15;

/// The day that holds an instant.
///
/// # Errors
///
/// [`CalendarError::OutOfRange`] beyond the years that can be reckoned with.
pub fn date_at(at: Millis, zone: &TimeZone) -> Result<Date, CalendarError> {
    let instant = Timestamp::from_millisecond(at.0);
    let instant = instant.map_err(|_| CalendarError::OutOfRange(at.to_string()))?;
    Ok(zone.to_datetime(instant).date())
}

/// Every day that has a part in `span`, in order, with its whole span.
///
/// # Errors
///
/// [`CalendarError::OutOfRange`] beyond the years that can be reckoned with.
pub fn days(span: Span, zone: &TimeZone) -> Result<Vec<(Date, Span)>, CalendarError> {
    let mut all = Vec::new();
    let mut day = date_at(span.start(), zone)?;
    loop {
        let next = tomorrow(day)?;
        let (from, to) = (midnight(day, zone)?, midnight(next, zone)?);
        if from >= span.end() {
            return Ok(all);
        }
        // A day that the zone leaves out has no span.
        all.extend(Span::new(from, to).filter(|_| to > span.start()).map(|it| (day, it)));
        day = next;
    }
}

/// The first instant of a day, or where the zone's clock goes on if it leaves midnight out.
pub(super) fn midnight(day: Date, zone: &TimeZone) -> Result<Millis, CalendarError> {
    let start = day.to_zoned_datetime(zone.clone());
    let start = start.map_err(|_| CalendarError::OutOfRange(day.to_string()))?;
    Ok(Millis(start.timestamp().as_millisecond()))
}

fn tomorrow(day: Date) -> Result<Date, CalendarError> {
    day.tomorrow().map_err(|_| CalendarError::OutOfRange(day.to_string()))
}

fn later(day: Date, months: i8) -> Result<Date, CalendarError> {
    let moved = day.checked_add(i64::from(months).months());
    moved.map_err(|_| CalendarError::OutOfRange(day.to_string()))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZoneDatabase;
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZoneDatabase::bundled().get(name).unwrap()
    }

    /// Both edges as civil time in the zone.
    #[track_caller]
    fn check(calendar: Calendar, period: Period, name: &str, expected: &str) {
        let zone = zone(name);
        let span = span(calendar, period, &zone).unwrap();
        let civil = |at: Millis| {
            let civil = zone.to_datetime(Timestamp::from_millisecond(at.0).unwrap());
            civil.to_string().strip_suffix(":00").unwrap().to_owned()
        };
        assert_eq!(format!("{} {}", civil(span.start()), civil(span.end())), expected);
    }

    const VN: &str = "Asia/Ho_Chi_Minh";

    #[test]
    fn months_of_the_decree_run_from_the_15th_to_the_14th() {
        let month = |year, month| Period::Month { year, month };
        let nd09 = |period, expected| check(Calendar::Nd09, period, VN, expected);
        nd09(month(2026, 11), "2026-10-15T00:00 2026-11-15T00:00");
        nd09(month(2026, 1), "2025-12-15T00:00 2026-01-15T00:00");
        nd09(Period::Quarter { year: 2026, quarter: 4 }, "2026-09-15T00:00 2026-12-15T00:00");
        nd09(Period::Half { year: 2026, half: 1 }, "2025-12-15T00:00 2026-06-15T00:00");
        nd09(Period::Half { year: 2026, half: 2 }, "2026-06-15T00:00 2026-12-15T00:00");
        nd09(Period::Year(2026), "2025-12-15T00:00 2026-12-15T00:00");
    }

    #[test]
    fn a_march_of_the_decree_has_29_days_in_a_leap_year() {
        let days = |year| {
            let span = span(Calendar::Nd09, Period::Month { year, month: 3 }, &zone(VN)).unwrap();
            span.length_ms() / 86_400_000
        };
        assert_eq!((days(2027), days(2028)), (28, 29));
    }

    #[test]
    fn civil_periods_ask_the_zone() {
        let civil = |period, zone, expected| check(Calendar::Civil, period, zone, expected);
        let day = jiff::civil::date(2026, 11, 24);
        civil(Period::Day(day), VN, "2026-11-24T00:00 2026-11-25T00:00");
        civil(Period::Week(day), VN, "2026-11-23T00:00 2026-11-30T00:00");
        civil(Period::Month { year: 2026, month: 12 }, VN, "2026-12-01T00:00 2027-01-01T00:00");
        // Months that begin at 01:00, because the zone leaves midnight out.
        for year in [2017, 2023] {
            let expected = format!("{year}-10-01T01:00 {year}-11-01T00:00");
            check(
                Calendar::Civil,
                Period::Month { year, month: 10 },
                "America/Asuncion",
                &expected,
            );
        }
    }

    #[test]
    fn a_month_with_a_change_of_the_clock_is_an_hour_off() {
        let period = Period::Month { year: 2026, month: 3 };
        let march = span(Calendar::Civil, period, &zone("Europe/Berlin")).unwrap();
        assert_eq!(march.length_ms(), 31 * 86_400_000 - 3_600_000);
    }

    #[test]
    fn there_is_no_thirteenth_month() {
        for period in [
            Period::Month { year: 2026, month: 13 },
            Period::Month { year: 2026, month: 0 },
            Period::Quarter { year: 2026, quarter: 5 },
            Period::Half { year: 2026, half: 3 },
        ] {
            let got = span(Calendar::Nd09, period, &zone(VN));
            assert_eq!(got, Err(CalendarError::NoSuchPeriod(period)));
        }
        assert!(span(Calendar::Civil, Period::Year(9_999), &zone(VN)).is_err());
    }

    proptest! {
        /// P9: months sum to quarters, halves and the year, without gap or overlap, everywhere.
        #[test]
        fn months_make_the_year(
            year in 1990_i16..2100,
            calendar in prop::sample::select(vec![Calendar::Nd09, Calendar::Civil]),
            name in prop::sample::select(vec![VN, "America/Asuncion", "Europe/Berlin", "Pacific/Apia", "Asia/Kathmandu"]),
        ) {
            let zone = zone(name);
            let of = |period| span(calendar, period, &zone).unwrap();
            let chain = |periods: Vec<Period>| {
                let spans: Vec<Span> = periods.into_iter().map(of).collect();
                prop_assert!(spans.windows(2).all(|it| it[0].end() == it[1].start()));
                prop_assert_eq!(spans[0].start(), of(Period::Year(year)).start());
                prop_assert_eq!(spans[spans.len() - 1].end(), of(Period::Year(year)).end());
                Ok(())
            };
            chain((1..=12).map(|month| Period::Month { year, month }).collect())?;
            chain((1..=4).map(|quarter| Period::Quarter { year, quarter }).collect())?;
            chain((1..=2).map(|half| Period::Half { year, half }).collect())?;
        }

        /// Days tile any span, and an instant lies in the month that it is said to lie in.
        #[test]
        fn days_tile_and_months_hold(
            start in 600_000_000_000_i64..4_000_000_000_000,
            length in 1_i64..10_000_000_000,
            name in prop::sample::select(vec![VN, "America/Asuncion", "Pacific/Apia"]),
            calendar in prop::sample::select(vec![Calendar::Nd09, Calendar::Civil]),
        ) {
            let zone = zone(name);
            let whole = Span::new(Millis(start), Millis(start + length)).unwrap();
            let days = days(whole, &zone).unwrap();
            prop_assert!(days.windows(2).all(|it| it[0].1.end() == it[1].1.start()));
            prop_assert!(days[0].1.contains(whole.start()));
            let last = days[days.len() - 1].1;
            prop_assert!(last.contains(whole.end().plus_ms(-1)));
            let month = calendar.month_at(whole.start(), &zone).unwrap();
            prop_assert!(span(calendar, month, &zone).unwrap().contains(whole.start()));
        }
    }
}
