//! When the steps of an escalation are reached.

use crate::model::alerting::people::Team;

/// Least time that people have after the last step, before the steps are gone through again or
/// the fallback list is called. It is longer if the team waits longer before any of its steps.
pub const PAUSE_MS_MIN: i64 = 300_000;

/// Longest pause before an escalation that reached nobody is tried again.
pub const AGAIN_MS_MAX: i64 = 1_800_000;

/// A place in an escalation: which time through the steps, and which step, both from 0. The step
/// after the last is the fallback list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Which time through the steps.
    pub turn: u32,
    /// Which step; the number of steps: the fallback list.
    pub step: usize,
}

/// Every place of the team's escalation, and how long after its beginning it is reached if
/// nobody answers, in milliseconds. The last is the fallback list.
pub fn timetable(team: &Team) -> impl Iterator<Item = (Place, i64)> {
    let start = Place { turn: 0, step: 0 };
    let first = (start, delay_ms(team, start));
    std::iter::successors(Some(first), |(place, at)| {
        let next = after(team, *place)?;
        Some((next, at.saturating_add(delay_ms(team, next))))
    })
}

/// The place after `place`; `None` after the fallback list.
pub(super) fn after(team: &Team, place: Place) -> Option<Place> {
    let Place { turn, step } = place;
    let steps = team.steps.len();
    match step + 1 {
        _ if step >= steps => None,
        next if next < steps => Some(Place { turn, step: next }),
        _ if turn < team.repeat => Some(Place { turn: turn + 1, step: 0 }),
        next => Some(Place { turn, step: next }),
    }
}

/// How long to wait after all was gone through `fruitless` times and nobody could be reached, in
/// milliseconds: twice as long each time, up to [`AGAIN_MS_MAX`].
pub(super) fn again_ms(fruitless: u32) -> i64 {
    let doublings = fruitless.saturating_sub(1).min(8);
    (PAUSE_MS_MIN << doublings).min(AGAIN_MS_MAX)
}

/// How long before `place` is reached from the place before it, in milliseconds.
pub(super) fn delay_ms(team: &Team, place: Place) -> i64 {
    match team.steps.get(place.step) {
        Some(step) if place.turn == 0 || place.step > 0 => step.after_ms.max(0),
        // A team without steps has only its fallback list.
        None if team.steps.is_empty() => 0,
        _ => longest_ms(team).max(PAUSE_MS_MIN),
    }
}

/// The longest that the team waits before any step.
pub(super) fn longest_ms(team: &Team) -> i64 {
    team.steps.iter().map(|it| it.after_ms).max().unwrap_or(0)
}
