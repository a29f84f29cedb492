//! Agreed service hours (`docs/measurement.md`, "The official figures of a period": `S`).

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::model::span::Span;
use crate::model::terms::{DAY_MIN, Holiday, Hours};
use crate::model::time::Millis;

pub use crate::model::terms::DayKind;

use super::calendar::{CalendarError, days, midnight};
use super::span_set::SpanSet;

/// When a system must work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ServiceHours {
    /// Around the clock.
    #[default]
    Always,
    /// In the hours of each weekday, days off as the table says.
    Weekly(Box<Weekly>),
}

/// Hours of each weekday.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weekly {
    /// Monday to Sunday; each in minutes from midnight by the clock on the wall, `[from, to)`,
    /// up to 1,440 for the end of the day.
    pub hours: [Vec<(u16, u16)>; 7],
    /// Days that are not as their weekday. Holidays can't be computed, so they are data.
    pub exceptions: BTreeMap<Date, DayKind>,
}

impl ServiceHours {
    /// From what is agreed and the table of days off.
    #[must_use]
    pub fn of(hours: &Hours, holidays: &[Holiday]) -> Self {
        match hours {
            Hours::Always => Self::Always,
            Hours::Weekly(hours) => Self::Weekly(Box::new(Weekly {
                hours: hours.as_ref().clone(),
                exceptions: holidays.iter().map(|it| (it.date, it.kind)).collect(),
            })),
        }
    }

    /// The service hours that have a part in `period`; `None`: all of it.
    ///
    /// # Errors
    ///
    /// [`CalendarError`] beyond the years that can be reckoned with.
    pub fn within(&self, period: Span, zone: &TimeZone) -> Result<Option<SpanSet>, CalendarError> {
        let Self::Weekly(weekly) = self else { return Ok(None) };
        let mut spans = Vec::new();
        for (day, _) in days(period, zone)? {
            for (from, to) in weekly.of(day) {
                let (from, to) = (wall(day, *from, zone)?, wall(day, *to, zone)?);
                spans.extend(Span::new(from, to).and_then(|it| it.within(period)));
            }
        }
        Ok(Some(spans.into_iter().collect()))
    }
}

impl Weekly {
    fn of(&self, day: Date) -> &[(u16, u16)] {
        let weekday = match self.exceptions.get(&day) {
            Some(DayKind::Off) => return &[],
            Some(DayKind::WorkedLike(weekday)) => *weekday,
            None => day.weekday(),
        };
        let place = usize::from(weekday.to_monday_zero_offset().unsigned_abs());
        self.hours.get(place).map_or(&[], Vec::as_slice)
    }
}

/// The instant at which the wall clock of `day` shows `minute`.
pub(super) fn wall(day: Date, minute: u16, zone: &TimeZone) -> Result<Millis, CalendarError> {
    let out = || CalendarError::OutOfRange(day.to_string());
    if minute >= DAY_MIN {
        return midnight(day.tomorrow().map_err(|_| out())?, zone);
    }
    let number = |it: u16| i8::try_from(it).map_err(|_| out());
    let time = Time::new(number(minute / 60)?, number(minute % 60)?, 0, 0).map_err(|_| out())?;
    let at = DateTime::from_parts(day, time).to_zoned_datetime(zone.clone()).map_err(|_| out())?;
    Ok(Millis(at.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Weekday, date};
    use jiff::tz::TimeZoneDatabase;

    use super::*;
    use crate::availability::calendar::{Calendar, Period, span};

    fn office() -> Weekly {
        let day = vec![(450, 690), (780, 1_020)];
        let mut hours: [Vec<(u16, u16)>; 7] = std::array::from_fn(|_| day.clone());
        (hours[5], hours[6]) = (vec![(450, 690)], vec![]);
        Weekly { hours, exceptions: BTreeMap::new() }
    }

    fn minutes(weekly: Weekly, first: Date, name: &str) -> i64 {
        let zone = TimeZoneDatabase::bundled().get(name).unwrap();
        let week = span(Calendar::Civil, Period::Week(first), &zone).unwrap();
        let hours = ServiceHours::Weekly(Box::new(weekly)).within(week, &zone).unwrap();
        hours.unwrap().length_ms() / 60_000
    }

    const VN: &str = "Asia/Ho_Chi_Minh";

    #[test]
    fn a_week_of_office_hours_has_44_hours() {
        assert_eq!(minutes(office(), date(2026, 11, 24), VN), 44 * 60);
    }

    #[test]
    fn a_holiday_is_off_and_a_day_made_up_for_is_worked() {
        // 24/11/2026 is a holiday, and the Sunday after is worked like a Tuesday.
        let mut weekly = office();
        weekly.exceptions.insert(date(2026, 11, 24), DayKind::Off);
        assert_eq!(minutes(weekly.clone(), date(2026, 11, 24), VN), 36 * 60);
        weekly.exceptions.insert(date(2026, 11, 29), DayKind::WorkedLike(Weekday::Tuesday));
        assert_eq!(minutes(weekly, date(2026, 11, 24), VN), 44 * 60);
    }

    #[test]
    fn hours_across_a_change_of_the_clock_are_as_long_as_they_are() {
        let hours = std::array::from_fn(|_| vec![(0, DAY_MIN)]);
        let weekly = Weekly { hours, exceptions: BTreeMap::new() };
        assert_eq!(minutes(weekly, date(2026, 3, 29), "Europe/Berlin"), 7 * 1_440 - 60);
    }

    #[test]
    fn around_the_clock_is_all_of_the_period() {
        let zone = TimeZone::UTC;
        let day = span(Calendar::Civil, Period::Day(date(2026, 1, 1)), &zone).unwrap();
        assert_eq!(ServiceHours::Always.within(day, &zone), Ok(None));
    }
}
