//! Days and times by the clock on the wall.

use jiff::civil::Date;

use super::NotAn;
use crate::model::terms::{Every, clock_minute, clock_range};

/// `2026-02-16`.
pub(crate) fn date(text: &str) -> Result<Date, NotAn> {
    let plain = text.len() == 10 && text.bytes().all(|it| it.is_ascii_digit() || it == b'-');
    let date = text.parse().ok().filter(|_| plain);
    date.ok_or_else(|| NotAn::Date { written: text.to_owned() })
}

/// `07:30`, in minutes from midnight.
pub(crate) fn minute(text: &str) -> Result<u16, NotAn> {
    clock_minute(text).ok_or_else(|| NotAn::ClockMinute { written: text.to_owned() })
}

/// `07:30-11:30`.
pub(crate) fn range(text: &str) -> Result<(u16, u16), NotAn> {
    clock_range(text).ok_or_else(|| NotAn::ClockRange { written: text.to_owned() })
}

/// `daily`, `sun` or `monthly-15`.
pub(crate) fn every(text: &str) -> Result<Every, NotAn> {
    Every::parse(text).ok_or_else(|| NotAn::Every { written: text.to_owned() })
}
