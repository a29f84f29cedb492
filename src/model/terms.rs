//! What is agreed of a system: when it must work, how maintenance is announced, how much must
//! be known (`docs/measurement.md`, "The official figures of a period").

use jiff::civil::{Date, Weekday};

/// Minutes of a day.
pub const DAY_MIN: u16 = 1_440;

/// Notice if nothing else is agreed: 24 hours.
pub const NOTICE_MS_DEFAULT: i64 = 86_400_000;

/// Least coverage if nothing else is agreed: 99 %, in parts per million.
pub const COVERAGE_PPM_DEFAULT: i64 = 990_000;

/// What is agreed of one system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// When it must work.
    pub hours: Hours,
    /// How long before its start maintenance must be recorded to be excluded, in milliseconds.
    pub notice_ms: i64,
    /// Least coverage for one number instead of a range, in parts per million.
    pub coverage_ppm: i64,
    /// Maintenance that comes again and again. It counts as recorded when a configuration with
    /// it was first loaded.
    pub maintenance: Vec<Recurring>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            hours: Hours::Always,
            notice_ms: NOTICE_MS_DEFAULT,
            coverage_ppm: COVERAGE_PPM_DEFAULT,
            maintenance: Vec::new(),
        }
    }
}

/// Agreed service hours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Hours {
    /// Around the clock, days off too.
    #[default]
    Always,
    /// By weekday, Monday to Sunday, but for days off; each in minutes from midnight by the
    /// clock on the wall, `[from, to)`, rising, `to` up to [`DAY_MIN`] for the end of the day.
    Weekly(Box<[Vec<(u16, u16)>; 7]>),
}

impl Hours {
    /// Office hours: Monday to Friday, 07:30 to 11:30 and 13:00 to 17:00.
    #[must_use]
    pub fn office() -> Self {
        let day = vec![(450, 690), (780, 1_020)];
        let (work, off) = (|| day.clone(), Vec::new);
        Self::Weekly(Box::new([work(), work(), work(), work(), work(), off(), off()]))
    }
}

/// A day that is not as its weekday.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holiday {
    /// The day.
    pub date: Date,
    /// What it is instead.
    pub kind: DayKind,
    /// What is celebrated or made up for.
    pub name: String,
    /// The document that says so, or "chưa công bố".
    pub source: String,
}

/// A day that is not as its weekday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DayKind {
    /// A day off: a holiday (nghỉ lễ) or one taken for it (nghỉ bù).
    Off,
    /// Worked in the hours of another weekday, for a day off given elsewhere (làm bù).
    WorkedLike(Weekday),
}

/// Maintenance that comes again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurring {
    /// On which days it begins.
    pub every: Every,
    /// Minutes from midnight by the clock on the wall.
    pub from_min: u16,
    /// The same, up to [`DAY_MIN`]; not after `from_min`: it ends on the next day.
    pub to_min: u16,
    /// Number of the document that announced it.
    pub notice: Option<String>,
    /// What is done.
    pub why: String,
}

/// On which days something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Every {
    /// Each day.
    Day,
    /// Each week, on this day.
    Week(Weekday),
    /// Each month, on this day, 1 to 31; months without it are left out.
    Month(i8),
}

/// Names of weekdays in files, Monday first.
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The weekday of a name such as `mon`.
#[must_use]
pub fn weekday(name: &str) -> Option<Weekday> {
    WEEKDAYS.iter().find(|(it, _)| *it == name).map(|(_, day)| *day)
}

/// The name of a weekday in files.
#[must_use]
pub fn weekday_name(day: Weekday) -> &'static str {
    WEEKDAYS.iter().find(|(_, it)| *it == day).map_or("mon", |(name, _)| name)
}

/// `07:30` as minutes from midnight; `24:00` is the end of the day.
#[must_use]
pub fn clock_minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let two = |part: &str| part.len() == 2 && part.bytes().all(|it| it.is_ascii_digit());
    if !two(hour) || !two(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= DAY_MIN).then_some(all)
}

/// Minutes from midnight as `07:30`.
#[must_use]
pub fn clock_text(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// `07:30-11:30`: not empty, within one day.
#[must_use]
pub fn clock_range(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-')?;
    let range = (clock_minute(from)?, clock_minute(to)?);
    (range.0 < range.1).then_some(range)
}

impl Every {
    /// Reads `daily`, `sun` or `monthly-15`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "daily" {
            return Some(Self::Day);
        }
        if let Some(day) = text.strip_prefix("monthly-") {
            let plain = day.len() <= 2 && day.bytes().all(|it| it.is_ascii_digit());
            let day: i8 = day.parse().ok().filter(|_| plain)?;
            return (1..=31).contains(&day).then_some(Self::Month(day));
        }
        weekday(text).map(Self::Week)
    }

    /// As [`Self::parse`] reads it.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Day => "daily".to_owned(),
            Self::Week(day) => weekday_name(day).to_owned(),
            Self::Month(day) => format!("monthly-{day}"),
        }
    }

    /// Whether it happens on this day.
    #[must_use]
    pub fn on(self, day: Date) -> bool {
        match self {
            Self::Day => true,
            Self::Week(weekday) => day.weekday() == weekday,
            Self::Month(number) => day.day() == number,
        }
    }
}

impl DayKind {
    /// Reads `off` or `worked-like-fri`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("worked-like-") {
            Some(day) => weekday(day).map(Self::WorkedLike),
            None => (text == "off").then_some(Self::Off),
        }
    }

    /// As [`Self::parse`] reads it.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Off => "off".to_owned(),
            Self::WorkedLike(day) => format!("worked-like-{}", weekday_name(day)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_and_days_are_read_as_they_are_written() {
        for (text, minute) in [("00:00", 0), ("07:30", 450), ("24:00", DAY_MIN)] {
            assert_eq!(clock_minute(text), Some(minute), "{text}");
            assert_eq!(clock_text(minute), text);
        }
        for bad in ["7:30", "24:01", "07:60", "0730", "", "07:3a", "+7:30"] {
            assert_eq!(clock_minute(bad), None, "{bad}");
        }
        assert_eq!(clock_range("07:30-11:30"), Some((450, 690)));
        assert_eq!(clock_range("11:30-07:30"), None);
        for text in ["daily", "sun", "monthly-15", "monthly-1"] {
            assert_eq!(Every::parse(text).unwrap().text(), text);
        }
        for bad in ["monthly-0", "monthly-32", "monthly-+1", "sunday", "Sun", ""] {
            assert_eq!(Every::parse(bad), None, "{bad}");
        }
        for text in ["off", "worked-like-fri"] {
            assert_eq!(DayKind::parse(text).unwrap().text(), text);
        }
        assert_eq!(DayKind::parse("worked-like-x"), None);
    }
}
