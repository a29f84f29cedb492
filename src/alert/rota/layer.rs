//! One layer at one time of the clock on the wall.

use jiff::civil::{Date, Weekday};

use super::wall::{DAY, MINUTE, date, midnight};
use crate::model::alerting::people::{DaysOff, Layer, Turn, Window};
use crate::model::id::PersonId;
use crate::model::terms::{DAY_MIN, DayKind, Holiday};

/// Whom the layer names at `wall`, and until when nothing of that changes (perhaps longer, never
/// shorter; `i64::MAX`: for ever). Before its first day a layer names nobody.
pub(super) fn named<'a>(
    layer: &'a Layer,
    holidays: &[Holiday],
    wall: i64,
) -> (Option<&'a PersonId>, i64) {
    let Some(start) = midnight(layer.start) else { return (None, i64::MAX) };
    let start = start + i64::from(layer.handover_min) * MINUTE;
    if wall < start {
        return (None, start);
    }
    let (inside, until) = match &layer.only {
        None => (true, i64::MAX),
        Some(window) => within(window, holidays, wall),
    };
    if !inside {
        return (None, until);
    }
    let length = length(layer.turn);
    let turn = (wall - start) / length;
    let count = layer.people.len().max(1);
    let place = usize::try_from(turn).unwrap_or(0) % count;
    let next = if count == 1 { i64::MAX } else { start + (turn + 1) * length };
    (layer.people.get(place), until.min(next))
}

/// The length of a turn on the wall, where every day has 24 hours.
const fn length(turn: Turn) -> i64 {
    let (count, unit) = match turn {
        Turn::Hours(count) => (count, 60 * MINUTE),
        Turn::Days(count) => (count, DAY),
        Turn::Weeks(count) => (count, 7 * DAY),
    };
    // At least one, so that nothing is divided by zero.
    (if count == 0 { 1 } else { count as i64 }) * unit
}

/// Whether `wall` is in the window, and until when that holds.
fn within(window: &Window, holidays: &[Holiday], wall: i64) -> (bool, i64) {
    let today = wall.div_euclid(DAY);
    let (from, to) = window.hours.unwrap_or((0, DAY_MIN));
    let over = if to > from { 0 } else { DAY };
    let mut inside = false;
    // What begins after tomorrow is looked at when its time has come.
    let mut until = (today + 2) * DAY;
    // Hours that began yesterday may last until today.
    for day in today - 1..=today + 1 {
        let begin = day * DAY;
        if !date(begin).is_some_and(|it| on(window, holidays, it)) {
            continue;
        }
        let (start, end) =
            (begin + i64::from(from) * MINUTE, begin + over + i64::from(to) * MINUTE);
        inside |= (start..end).contains(&wall);
        until = [start, end].into_iter().filter(|it| *it > wall).fold(until, i64::min);
    }
    (inside, until)
}

/// Whether hours of the window begin on `day`.
fn on(window: &Window, holidays: &[Holiday], day: Date) -> bool {
    let (weekday, off) = kind(holidays, day);
    let of_week = window.days.is_empty() || window.days.contains(&weekday);
    of_week
        && match window.which {
            DaysOff::Any => true,
            DaysOff::Working => !off,
            DaysOff::Off => off,
        }
}

/// As which weekday a day counts, and whether it is a day off. A day that is made up for
/// (làm bù) counts as the weekday whose hours are worked, as for service hours.
fn kind(holidays: &[Holiday], day: Date) -> (Weekday, bool) {
    let row = holidays.binary_search_by_key(&day, |it| it.date).ok();
    match row.and_then(|it| holidays.get(it)).map(|it| it.kind) {
        Some(DayKind::Off) => (day.weekday(), true),
        Some(DayKind::WorkedLike(weekday)) => (weekday, false),
        None => {
            let weekday = day.weekday();
            (weekday, matches!(weekday, Weekday::Saturday | Weekday::Sunday))
        }
    }
}
