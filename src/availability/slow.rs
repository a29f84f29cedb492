//! A slow and obvious second truth: the definitions walked millisecond by millisecond, without
//! spans, compared with the fast one on small timelines.

use proptest::prelude::*;

use super::burn::Burn;
use super::confirm::Confirm;
use super::figures::{Figures, Terms};
use super::judge::{Reach, Rule, course};
use super::sketch::{Run, arrived, vantage};
use super::span_set::SpanSet;
use super::track::STRAIN_WHOLE;
use super::track::quorum::Quorum;
use crate::model::check::Lane;
use crate::model::outcome::{Outcome, Testimony};
use crate::model::result::RunResult;
use crate::model::span::Span;
use crate::model::state::State;
use crate::model::time::Millis;

const REACH: i64 = 9;
/// The walk covers everything that small timelines can reach.
const FROM: i64 = -50;
const TO: i64 = 700;

/// A result as the definitions speak of it: start, end, outcome.
type Seen = (i64, i64, Outcome);

fn is_bad(it: &Seen) -> bool {
    it.2.testimony() == Some(Testimony::Bad)
}

/// What testifies, one an instant: the worse, with the earliest end of those that say the same.
fn testimony(results: &[RunResult]) -> Vec<Seen> {
    let all: Vec<Seen> = results
        .iter()
        .filter(|it| it.testimony().is_some())
        .map(|it| (it.started.0, it.ended().0, it.outcome()))
        .collect();
    let mut starts: Vec<i64> = all.iter().map(|it| it.0).collect();
    starts.sort_unstable();
    starts.dedup();
    let one = |start: i64| {
        let here = || all.iter().filter(|it| it.0 == start);
        let worst = here().map(|it| it.2).max().unwrap();
        let alike = here().filter(|it| it.2.testimony() == worst.testimony());
        (start, alike.map(|it| it.1).min().unwrap(), worst)
    };
    starts.into_iter().map(one).collect()
}

/// Whose time `at` is: the place of the nearest result, if it is near enough.
fn owner(seen: &[Seen], at: i64) -> Option<usize> {
    let before = seen.iter().rposition(|it| it.0 <= at);
    let after = seen.iter().position(|it| it.0 > at);
    let near = match (before, after) {
        (Some(left), Some(right)) => {
            let middle = (seen[left].0 + seen[right].0).div_euclid(2);
            if at < middle { left } else { right }
        }
        (one, other) => one.or(other)?,
    };
    let (from, to) = (seen[near].0 - REACH, seen[near].0 + REACH);
    (from <= at && at < to).then_some(near)
}

fn raw(seen: &[Seen], at: i64) -> State {
    match owner(seen, at).map(|it| seen[it].2) {
        None => State::Unknown,
        Some(Outcome::Ok) => State::Up,
        Some(Outcome::Slow) => State::Slow,
        Some(_) => State::Down,
    }
}

/// Earliest, measured and latest start or end of an outage, or of a vantage's part in it.
type Bounds = (i64, i64, i64);

/// The spell of bad results that holds `at`: the last good start, first bad start and earliest
/// bad end; then the last bad start, first good start and earliest good end. All three are the
/// edge itself beside unknown time.
fn spell(seen: &[Seen], at: i64) -> (Bounds, Bounds, i64) {
    let mut from = at;
    while raw(seen, from - 1) == State::Down {
        from -= 1;
    }
    let mut to = at;
    while raw(seen, to) == State::Down {
        to += 1;
    }
    let (first, last) = (owner(seen, from).unwrap(), owner(seen, to - 1).unwrap());
    let ended = seen[first..=last].iter().map(|it| it.1).min().unwrap();
    let before = owner(seen, from - 1).map(|it| (seen[it].0, seen[first].0, ended));
    let after = owner(seen, to).map(|first_good| {
        let mut good = vec![seen[first_good].1];
        let mut walk = to;
        while matches!(raw(seen, walk), State::Up | State::Slow) {
            good.push(seen[owner(seen, walk).unwrap()].1);
            walk += 1;
        }
        (seen[last].0, seen[first_good].0, good.into_iter().min().unwrap())
    });
    (before.unwrap_or((from, from, from)), after.unwrap_or((to, to, to)), ended)
}

/// What the walk says: the state of each millisecond, and whether it may be and must be down.
struct Walk {
    states: Vec<State>,
    shortest: Vec<bool>,
    longest: Vec<bool>,
}

impl Walk {
    fn new(states: Vec<State>) -> Self {
        let nothing = vec![false; states.len()];
        Self { states, shortest: nothing.clone(), longest: nothing }
    }

    /// Marks the shortest and the longest outage within the known time around `from`.
    fn bracket(&mut self, from: i64, start: Bounds, end: Bounds) {
        let (since, until) = self.around(from);
        for at in since..until {
            let place = usize::try_from(at - FROM).unwrap();
            self.shortest[place] |= start.2 <= at && at < end.0;
            self.longest[place] |= start.0 <= at && at < end.2;
        }
    }

    fn around(&self, from: i64) -> (i64, i64) {
        let known = |at: i64| {
            let place = usize::try_from(at - FROM).ok();
            place.and_then(|it| self.states.get(it)).is_some_and(|it| *it != State::Unknown)
        };
        let (mut since, mut until) = (from, from);
        while known(since - 1) {
            since -= 1;
        }
        while known(until) {
            until += 1;
        }
        (since, until)
    }

    /// Maximal runs of down.
    fn downs(&self) -> Vec<(i64, i64)> {
        let state =
            |at: i64| usize::try_from(at - FROM).ok().and_then(|it| self.states.get(it)).copied();
        let starts = (FROM..TO)
            .filter(|it| state(*it) == Some(State::Down) && state(it - 1) != Some(State::Down));
        let end = |from: i64| (from..=TO).find(|it| state(*it) != Some(State::Down)).unwrap();
        starts.map(|it| (it, end(it))).collect()
    }
}

fn alone(seen: &[Seen], needed: usize) -> Walk {
    let confirmed = |place: usize| {
        let size = needed.max(10);
        is_bad(&seen[place])
            && (place.saturating_sub(size - 1)..=place).any(|first| {
                seen[first..].iter().take(size).filter(|it| is_bad(it)).count() >= needed
            })
    };
    let state = |at: i64| match owner(seen, at) {
        Some(place) if is_bad(&seen[place]) && !confirmed(place) => State::Up,
        _ => raw(seen, at),
    };
    let mut walk = Walk::new((FROM..TO).map(state).collect());
    for (from, _) in walk.downs() {
        let (start, end, ended) = spell(seen, from);
        // The bracket is the last good start and the earliest bad end; then the last bad start
        // and the earliest good end.
        let start = if start.0 == start.1 { start } else { (start.0, start.1, ended) };
        walk.bracket(from, start, end);
    }
    walk
}

fn several(vantages: &[Vec<Seen>], quorum: Quorum) -> Walk {
    let state = |at: i64| {
        let raw: Vec<State> = vantages.iter().map(|it| raw(it, at)).collect();
        let count = |state: State| raw.iter().filter(|it| **it == state).count();
        match count(State::Down) {
            _ if raw.len() - count(State::Unknown) < quorum.known => State::Unknown,
            bad if bad >= quorum.bad => State::Down,
            0 if count(State::Slow) >= quorum.bad => State::Slow,
            0 => State::Up,
            _ => State::Partial,
        }
    };
    let counted = Walk::new((FROM..TO).map(state).collect());
    let mut walk = Walk::new(counted.states.clone());
    let mut moved = Vec::new();
    for (from, to) in counted.downs() {
        let (mut starts, mut ends) = (Vec::new(), Vec::new());
        for seen in vantages {
            let bad: Vec<i64> = (from..to).filter(|it| raw(seen, *it) == State::Down).collect();
            if let (Some(first), Some(last)) = (bad.first(), bad.last()) {
                let mut begins = spell(seen, *first).0;
                if begins.0 != begins.1 {
                    let parts =
                        bad.iter().filter(|it| **it == from || raw(seen, **it - 1) != State::Down);
                    begins.2 = parts.map(|it| spell(seen, *it).2).min().unwrap();
                }
                starts.push(begins);
                ends.push(spell(seen, *last).1);
            }
        }
        let column = |rows: &[Bounds], pick: fn(&Bounds) -> i64| {
            let mut column: Vec<i64> = rows.iter().map(pick).collect();
            column.sort_unstable();
            column
        };
        let rule = |rows: &[Bounds], place: usize| -> Bounds {
            let [left, right, ended] =
                [column(rows, |it| it.0), column(rows, |it| it.1), column(rows, |it| it.2)];
            let (last_left, first_right) = (left[left.len() - 1], right[0]);
            let pair = if last_left <= first_right {
                (last_left, first_right)
            } else {
                (left[place], right[place])
            };
            (left[place], (pair.0 + pair.1).div_euclid(2), ended[place])
        };
        let mut start = (from, from, from);
        let mut end = (to, to, to);
        if state(from - 1) != State::Unknown {
            start = rule(&starts, quorum.bad - 1);
        }
        if state(to) != State::Unknown {
            end = rule(&ends, ends.len() - quorum.bad);
        }
        // Never into or across unknown time.
        let (since, until) = counted.around(from);
        let counted_edges = ((start.0, from, start.2), (end.0, to, end.2));
        if start.1 <= since {
            start = (since, since, since);
        }
        if end.1 >= until {
            end = (until, until, until);
        }
        if start.1 >= end.1 {
            (start, end) = counted_edges;
        }
        walk.bracket(from, start, end);
        // What it gives away is as what stands beside it.
        for at in from..to {
            let beside = if at < start.1 { state(from - 1) } else { state(to) };
            if !(start.1..end.1).contains(&at) {
                walk.states[usize::try_from(at - FROM).unwrap()] = beside;
            }
        }
        moved.push((start.1, end.1));
    }
    for (from, to) in moved {
        for at in from..to {
            walk.states[usize::try_from(at - FROM).unwrap()] = State::Down;
        }
    }
    walk
}

fn timelines() -> impl Strategy<Value = Vec<Vec<Run>>> {
    let gap = prop_oneof![4 => 0..6_i64, 12 => 8..17_i64, 3 => 17..45_i64];
    let shows = prop_oneof![
        5 => Just('o'), 1 => Just('s'), 5 => Just('x'), 1 => Just('h'), 1 => Just('v'), 1 => Just('k')
    ];
    let runs = prop::collection::vec((gap, shows, 0..12_u32), 0..14);
    prop::collection::vec(runs, 1..5)
}

/// Like [`timelines`], but all see the same outage.
fn shared() -> impl Strategy<Value = Vec<Vec<Run>>> {
    let one = prop::collection::vec((8..15_i64, 0..12_u32, prop::bool::weighted(0.9)), 4..14);
    (prop::collection::vec(one, 2..5), 20..60_i64, 20..90_i64).prop_map(|(all, from, long)| {
        let see = |runs: Vec<(i64, u32, bool)>| {
            let mut at = 0;
            let run = |(gap, length, honest): (i64, u32, bool)| {
                at += gap;
                let down = (from..from + long).contains(&at);
                (gap, if down == honest { 'x' } else { 'o' }, length)
            };
            runs.into_iter().map(run).collect()
        };
        all.into_iter().map(see).collect()
    })
}

fn agree(fleet: &[Vec<Run>], needed: u8, from: i64, long: i64) -> Result<(), TestCaseError> {
    let results: Vec<RunResult> = super::sketch::fleet_results(fleet);
    let quorum = Quorum::of(fleet.len());
    let rule = Rule {
        confirm: Confirm::new(needed),
        reach: Reach::constant(REACH),
        lanes: vec![Lane::Any],
        vantages: (0..fleet.len()).map(|it| (vantage(it), 1)).collect(),
        quorum,
    };
    let seen: Vec<Vec<Seen>> = fleet.iter().map(|it| testimony(&arrived(it))).collect();
    let walk = match seen.as_slice() {
        [only] => alone(only, usize::from(needed)),
        several_ => several(several_, quorum),
    };
    let track = course(&results, &rule);
    let fast: Vec<State> = (FROM..TO).map(|at| track.state(Millis(at))).collect();
    let show = |states: &[State]| -> String {
        states.iter().map(|it| it.as_str().chars().next().unwrap()).collect()
    };
    prop_assert_eq!(show(&fast), show(&walk.states));
    let period = Span::new(Millis(from), Millis(from + long)).unwrap();
    let terms = Terms { period, service: None, maintenance: &SpanSet::EMPTY, watched: None };
    let times = Figures::of(&track, &terms).times;
    let inside =
        usize::try_from(from - FROM).unwrap()..usize::try_from(from - FROM + long).unwrap();
    let count = |state: State| {
        i64::try_from(walk.states[inside.clone()].iter().filter(|it| **it == state).count())
            .unwrap()
    };
    let marked = |marks: &[bool]| {
        i64::try_from(marks[inside.clone()].iter().filter(|it| **it).count()).unwrap()
    };
    prop_assert_eq!(
        [times.up_ms, times.slow_ms, times.partial_ms, times.down_ms, times.unknown_ms],
        [State::Up, State::Slow, State::Partial, State::Down, State::Unknown].map(count)
    );
    prop_assert_eq!(
        (times.down_shortest_ms, times.down_longest_ms),
        (marked(&walk.shortest), marked(&walk.longest))
    );
    let good = |it: &Vec<Seen>| {
        let good = |at: &i64| matches!(raw(it, *at), State::Up | State::Slow);
        (from..from + long).filter(good).count()
    };
    let good: usize = seen.iter().map(good).sum();
    prop_assert_eq!(times.view_good_ms, i64::try_from(good).unwrap());
    let strain = |at: i64| {
        let raw: Vec<State> = seen.iter().map(|it| raw(it, at)).collect();
        let bad = raw.iter().filter(|it| **it == State::Down).count();
        let known = raw.iter().filter(|it| **it != State::Unknown).count();
        match known {
            known if known < quorum.known => 0,
            _ if bad >= quorum.bad => STRAIN_WHOLE,
            known => STRAIN_WHOLE * i64::try_from(bad).unwrap() / i64::try_from(known).unwrap(),
        }
    };
    let burn = Burn::of(&track, &period.into(), period);
    prop_assert_eq!(burn.known_ms, times.known_ms());
    prop_assert_eq!(burn.bad_strain, (from..from + long).map(|it| i128::from(strain(it))).sum());
    Ok(())
}

proptest! {
    /// Any timelines at all.
    #[test]
    fn spans_agree_with_walking(fleet in timelines(), needed in 1_u8..5, from in -20..300_i64, long in 1..300_i64) {
        agree(&fleet, needed, from, long)?;
    }

    /// Outages that several vantages see.
    #[test]
    fn shared_outages_agree_with_walking(fleet in shared(), from in -20..100_i64, long in 1..300_i64) {
        agree(&fleet, 3, from, long)?;
    }
}
