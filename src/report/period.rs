//! Periods as people write them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, ISOWeekDate, Weekday};
use jiff::tz::TimeZone;

use super::ReportError;
use crate::availability::calendar::{Calendar, Period, span};
use crate::model::span::Span;
use crate::model::time::Millis;

/// What can be written for a period, in every error about one.
pub const EXAMPLES: &str = "2026 (year), 2026-H2 (half), 2026-Q4 (quarter), 2026-10 (month), \
     2026-W41 (week), 2026-10-05 (day)";

/// A period with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// As it was written, for titles; empty for two instants.
    pub name: String,
    /// Which months are meant; `None` for days, weeks and two instants.
    pub calendar: Option<Calendar>,
    /// The period.
    pub span: Span,
}

impl Named {
    /// The period that `text` names.
    ///
    /// # Errors
    ///
    /// [`ReportError::Period`] if it names none.
    pub fn parse(text: &str, calendar: Calendar, zone: &TimeZone) -> Result<Self, ReportError> {
        let period = parse(text).ok_or_else(|| ReportError::Period {
            text: text.to_owned(),
            fault: format!("write one of {EXAMPLES}"),
        })?;
        let span = span(calendar, period, zone).map_err(|fault| ReportError::Period {
            text: text.to_owned(),
            fault: fault.to_string(),
        })?;
        let same = matches!(period, Period::Day(_) | Period::Week(_));
        Ok(Self { name: text.to_owned(), calendar: (!same).then_some(calendar), span })
    }

    /// From one instant to another, each as [`instant`] reads it.
    ///
    /// # Errors
    ///
    /// [`ReportError::Period`] if the end is not after the start.
    pub fn between(from: &str, to: &str, zone: &TimeZone) -> Result<Self, ReportError> {
        let span = Span::new(instant(from, zone)?, instant(to, zone)?);
        let span = span.ok_or_else(|| ReportError::Period {
            text: format!("{from} .. {to}"),
            fault: "the end is not after the start".to_owned(),
        })?;
        Ok(Self { name: String::new(), calendar: None, span })
    }
}

/// An instant: RFC 3339 with an offset, or local time of `zone` such as `2026-10-05T07:30`, or a
/// day, which is its beginning.
///
/// # Errors
///
/// [`ReportError::Period`] for anything else.
pub fn instant(text: &str, zone: &TimeZone) -> Result<Millis, ReportError> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Millis(at.as_millisecond()));
    }
    let local = text.parse::<DateTime>().ok();
    let local = local.and_then(|it| it.to_zoned_datetime(zone.clone()).ok());
    local.map(|it| Millis(it.timestamp().as_millisecond())).ok_or_else(|| ReportError::Period {
        text: text.to_owned(),
        fault: "write an instant such as 2026-10-05T07:30:00+07:00, 2026-10-05T07:30 (local time) \
                or 2026-10-05"
            .to_owned(),
    })
}

/// An instant as RFC 3339 in `zone`, to the millisecond if it has some.
#[must_use]
pub fn written(at: Millis, zone: &TimeZone) -> String {
    let format = if at.0.rem_euclid(1_000) == 0 {
        "%Y-%m-%dT%H:%M:%S%:z"
    } else {
        "%Y-%m-%dT%H:%M:%S%.3f%:z"
    };
    Timestamp::from_millisecond(at.0).map_or_else(
        |_| at.to_string(),
        |it| it.to_zoned_datetime(zone.clone()).strftime(format).to_string(),
    )
}

fn parse(text: &str) -> Option<Period> {
    let (year, rest) = match text.split_once('-') {
        Some((year, rest)) => (year, Some(rest)),
        None => (text, None),
    };
    let digits = |text: &str, count: usize| {
        text.len() == count && text.bytes().all(|it| it.is_ascii_digit())
    };
    let year: i16 = year.parse().ok().filter(|_| digits(year, 4))?;
    let Some(rest) = rest else { return Some(Period::Year(year)) };
    let number = |text: &str, count: usize| text.parse::<i8>().ok().filter(|_| digits(text, count));
    let upper = rest.to_ascii_uppercase();
    if let Some(quarter) = upper.strip_prefix('Q') {
        return Some(Period::Quarter { year, quarter: number(quarter, 1)? });
    }
    if let Some(half) = upper.strip_prefix('H') {
        return Some(Period::Half { year, half: number(half, 1)? });
    }
    if let Some(week) = upper.strip_prefix('W') {
        let week = ISOWeekDate::new(year, number(week, 2)?, Weekday::Monday).ok()?;
        return Some(Period::Week(week.date()));
    }
    match rest.split_once('-') {
        None => Some(Period::Month { year, month: number(rest, 2)? }),
        Some((month, day)) => {
            Date::new(year, number(month, 2)?, number(day, 2)?).ok().map(Period::Day)
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZoneDatabase;

    use super::*;

    fn zone() -> TimeZone {
        TimeZoneDatabase::bundled().get("Asia/Ho_Chi_Minh").unwrap()
    }

    #[track_caller]
    fn check(text: &str, calendar: Calendar, from: &str, to: &str) {
        let span = Named::parse(text, calendar, &zone()).unwrap().span;
        let day = |at| written(at, &zone());
        let whole = |date: &str| format!("{date}T00:00:00+07:00");
        assert_eq!((day(span.start()), day(span.end())), (whole(from), whole(to)), "{text}");
    }

    #[test]
    fn periods_are_read_as_people_write_them() {
        check("2026-10", Calendar::Nd09, "2026-09-15", "2026-10-15");
        check("2026-10", Calendar::Civil, "2026-10-01", "2026-11-01");
        check("2026-Q4", Calendar::Nd09, "2026-09-15", "2026-12-15");
        check("2026-h2", Calendar::Civil, "2026-07-01", "2027-01-01");
        check("2026", Calendar::Nd09, "2025-12-15", "2026-12-15");
        check("2026-W41", Calendar::Nd09, "2026-10-05", "2026-10-12");
        check("2026-10-05", Calendar::Nd09, "2026-10-05", "2026-10-06");
    }

    #[test]
    fn what_names_no_period_is_refused_with_examples() {
        for text in [
            "",
            "10/2026",
            "2026-1",
            "2026-13",
            "2026-Q5",
            "2026-W54",
            "2026-02-30",
            "26",
            "2026-10-5",
            "-2026",
        ] {
            let error = Named::parse(text, Calendar::Nd09, &zone()).unwrap_err().to_string();
            assert!(
                error.contains("2026-Q4") || error.contains("months are 1 to 12"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn instants_have_an_offset_or_are_local() {
        let between = |from, to| Named::between(from, to, &zone());
        let utc = between("2026-10-04T17:00:00Z", "2026-10-05T00:30:00.250+00:00").unwrap();
        assert_eq!(utc, between("2026-10-05", "2026-10-05T07:30:00.250").unwrap());
        assert_eq!(written(utc.span.end(), &zone()), "2026-10-05T07:30:00.250+07:00");
        let backwards = between("2026-10-05", "2026-10-05").unwrap_err().to_string();
        assert!(backwards.contains("the end is not after the start"), "{backwards}");
        assert!(
            between("yesterday", "2026-10-05")
                .unwrap_err()
                .to_string()
                .contains("2026-10-05T07:30")
        );
    }
}
