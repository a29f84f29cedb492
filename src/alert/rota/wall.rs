//! The clock on the wall as a number, so that turns and windows are plain arithmetic.
//!
//! It counts milliseconds as if every day had 24 hours. Where the zone turns its clock forward
//! the number jumps; where it turns it back the number stands still until the clock shows
//! something new. So it never falls, each time of day comes exactly once, and a handover that
//! the zone leaves out takes place when its clock goes on.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::model::time::Millis;

/// A minute on the wall.
pub(super) const MINUTE: i64 = 60_000;

/// A day on the wall.
pub(super) const DAY: i64 = 1_440 * MINUTE;

/// What the clock on the wall shows at an instant; `None` beyond the years that can be reckoned
/// with.
pub(super) fn shown(at: Millis, zone: &TimeZone) -> Option<i64> {
    let instant = Timestamp::from_millisecond(at.0).ok()?;
    let offset = zone.to_offset(instant);
    let wall = at.0.checked_add(ms(offset))?;
    let civil = offset.to_datetime(instant);
    match zone.to_ambiguous_timestamp(civil).offset() {
        // It shows for the second time what it has shown before.
        AmbiguousOffset::Fold { before, after } if offset == after => {
            let turned = zone.preceding(Timestamp::from_millisecond(at.0 + 1).ok()?).next()?;
            Some(turned.timestamp().as_millisecond() + ms(before) - 1)
        }
        _ => Some(wall),
    }
}

/// The first instant at which the clock shows `wall` or later; `None` beyond the years that can
/// be reckoned with.
pub(super) fn first_at(wall: i64, zone: &TimeZone) -> Option<Millis> {
    let civil = Offset::UTC.to_datetime(Timestamp::from_millisecond(wall).ok()?);
    match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => wall.checked_sub(ms(offset)).map(Millis),
        AmbiguousOffset::Fold { before, .. } => wall.checked_sub(ms(before)).map(Millis),
        AmbiguousOffset::Gap { after, .. } => {
            let before = Timestamp::from_millisecond(wall.checked_sub(ms(after))?).ok()?;
            let turned = zone.following(before).next()?;
            Some(Millis(turned.timestamp().as_millisecond()))
        }
    }
}

/// The day that holds `wall`.
pub(super) fn date(wall: i64) -> Option<Date> {
    Some(Offset::UTC.to_datetime(Timestamp::from_millisecond(wall).ok()?).date())
}

/// Midnight at the beginning of a day.
pub(super) fn midnight(day: Date) -> Option<i64> {
    let start = Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()?;
    Some(start.as_millisecond())
}

fn ms(offset: Offset) -> i64 {
    i64::from(offset.seconds()) * 1_000
}
