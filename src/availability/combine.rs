//! One state out of several: the lanes of a check, the checks of a system
//! (`docs/measurement.md`, "State of a check over its vantages, and of a system").

use crate::model::state::State;

/// The state of a check from those of its lanes (address families), each with a timeline of
/// its own. Down if all are down, partial if some are; else unknown if any is; else the worst.
///
/// No lane at all is unknown.
#[must_use]
pub fn lanes(states: &[State]) -> State {
    let any = |state| states.contains(&state);
    if states.is_empty() {
        State::Unknown
    } else if states.iter().all(|it| *it == State::Down) {
        State::Down
    } else if any(State::Down) || any(State::Partial) {
        State::Partial
    } else if any(State::Unknown) {
        State::Unknown
    } else if any(State::Slow) {
        State::Slow
    } else {
        State::Up
    }
}

/// The state of a system from those of its enabled checks, each with whether it is critical.
///
/// `None`: no critical check, so no state ("không giám sát").
#[must_use]
pub fn system(checks: impl IntoIterator<Item = (bool, State)>) -> Option<State> {
    let (mut critical, mut others) = (Vec::new(), Vec::new());
    for (is_critical, state) in checks {
        if is_critical { critical.push(state) } else { others.push(state) }
    }
    let any = |state| critical.contains(&state);
    if critical.is_empty() {
        None
    } else if any(State::Down) {
        Some(State::Down)
    } else if any(State::Unknown) {
        Some(State::Unknown)
    } else if any(State::Partial) || others.contains(&State::Down) {
        Some(State::Partial)
    } else if any(State::Slow) {
        Some(State::Slow)
    } else {
        Some(State::Up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sketch: &str) -> Vec<State> {
        let one = |c| match c {
            'u' => State::Up,
            's' => State::Slow,
            'p' => State::Partial,
            'd' => State::Down,
            _ => State::Unknown,
        };
        sketch.chars().map(one).collect()
    }

    #[test]
    fn a_check_is_down_when_every_lane_is() {
        for (sketch, expected) in [
            ("uu", 'u'),
            ("us", 's'),
            ("dd", 'd'),
            ("du", 'p'),
            ("d?", 'p'),
            ("u?", '?'),
            ("", '?'),
        ] {
            assert_eq!(lanes(&read(sketch)), read(&expected.to_string())[0], "{sketch}");
        }
    }

    #[test]
    fn a_critical_check_decides_and_another_can_only_make_it_partial() {
        // Critical checks, others, and what comes of them.
        for (critical, others, expected) in [
            ("uu", "", "u"),
            ("d?", "", "d"),
            ("u?", "d", "?"),
            ("up", "", "p"),
            ("us", "d", "p"),
            ("us", "p?s", "s"),
            ("uu", "?", "u"),
            ("", "u", ""),
        ] {
            let all = read(critical).into_iter().map(|it| (true, it));
            let all = all.chain(read(others).into_iter().map(|it| (false, it)));
            assert_eq!(system(all), read(expected).first().copied(), "{critical} {others}");
        }
    }
}
