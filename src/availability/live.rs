//! The present state, kept up one result at a time: for alerts, metrics and the schedule.
//!
//! It says what the batch side would say of the results so far (`docs/measurement.md`,
//! "Invariants", P13), in a bounded memory: each lane keeps its last few results and the state
//! before them, which is all that a new result can still change.

pub mod lane;
pub mod follow;

use std::cmp::Ordering;

use crate::model::check::{Check, Lane};
use crate::model::reason::Reason;
use crate::model::result::RunResult;
use crate::model::state::State;
use crate::model::time::Millis;

pub use follow::Follow;
use lane::{LaneRule, LiveLane};

use super::combine;
use super::judge::Reach;
use super::segment::Segment;
use super::track::sweep::state_at;

/// The present state of one check, seen from one vantage.
#[derive(Clone, Debug)]
pub struct LiveCheck {
    lanes: Vec<(Lane, LiveLane)>,
    /// Start and reason of the newest result of any kind.
    last: Option<(Millis, Reason)>,
    /// The state after the newest result, and since when: a change farther back than the lanes
    /// remember is known only from here. As the figures have it, and as it is shown.
    standing: Option<(State, Millis)>,
    shown: Option<(State, Millis)>,
}

/// What one result changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The end of the run: the instant that the states are told for.
    pub at: Millis,
    /// The present state just before this result was known.
    pub before: State,
    /// The present state now.
    pub after: State,
    /// Since when it is so, back-dated to the first result that said it.
    pub since: Option<Millis>,
    /// What an alert says, before.
    pub alarm_before: Alarm,
    /// What an alert says, now.
    pub alarm_after: Alarm,
    /// What to run next for the lane of this result. It replaces what was asked before and has
    /// not started.
    pub follow: Follow,
    /// The result was too old to be placed and changed nothing here: read the check's history
    /// again ([`LiveCheck::reaching`]).
    pub late: bool,
}

impl Change {
    /// An alert opens, becomes graver, or becomes whole from partial.
    #[must_use]
    pub fn opens(&self) -> bool {
        self.alarm_after > self.alarm_before
    }

    /// The alert is over.
    #[must_use]
    pub fn resolves(&self) -> bool {
        self.alarm_before > Alarm::Quiet && self.alarm_after == Alarm::Quiet
    }
}

/// What an alert says of a check. It opens at the `K`-th consecutive bad result (or the one after
/// the `K`-th among ten) and is over after three consecutive good ones: that decides messages, not seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alarm {
    /// No alert.
    #[default]
    Quiet,
    /// An alert on some of the lanes.
    Partial,
    /// An alert on every lane.
    Down,
}

impl LiveCheck {
    /// A check of which nothing is known yet. Its past is told with [`Self::note`]: all results
    /// that started since some instant, in the order of their starts or as they came. If
    /// [`Self::is_settled`] then says so, older ones would change nothing; else begin anew with
    /// an earlier instant.
    #[must_use]
    pub fn new(check: &Check) -> Self {
        let mut live = Self { lanes: Vec::new(), last: None, standing: None, shown: None };
        live.adopt(check, Millis(i64::MIN));
        live
    }

    /// The same where the interval has changed: `reach` says how far results speak.
    #[must_use]
    pub fn reaching(check: &Check, reach: &Reach) -> Self {
        let mut live = Self::new(check);
        live.lanes.iter_mut().for_each(|(_, lane)| lane.reaching(reach));
        live
    }

    /// Goes on under a configuration that is in force from `at` on. Results that started before
    /// keep the reach that was in force, whenever they are noted; lanes that are not measured any
    /// more are dropped.
    ///
    /// With another `K` (up to ten) the present state is right at once, and since when it is
    /// down. What came before stays as the old `K` had it, and so does an alert that is open, until
    /// three good results: only the history knows better, so read it again ([`Self::reaching`]).
    pub fn adopt(&mut self, check: &Check, at: Millis) {
        let rule = LaneRule::of(check);
        let mut old = std::mem::take(&mut self.lanes);
        for lane in check.lanes() {
            let kept = old.iter().position(|(it, _)| it == lane).map(|at| old.swap_remove(at).1);
            let mut live = kept.unwrap_or_else(|| LiveLane::new(rule));
            live.adopt(rule, at);
            self.lanes.push((*lane, live));
        }
    }

    /// Takes one result into account. One of a lane that the check does not have changes nothing.
    pub fn note(&mut self, result: &RunResult) -> Change {
        let at = result.ended();
        let (before, alarm_before) = (self.present(at), self.alarm());
        let mut change = Change {
            at,
            before,
            after: before,
            since: None,
            alarm_before,
            alarm_after: alarm_before,
            follow: Follow::None,
            late: false,
        };
        if let Some((_, lane)) = self.lanes.iter_mut().find(|(it, _)| *it == result.lane) {
            change.late = !lane.note(result);
            change.follow = lane.follow(result);
            self.remember(result);
            self.standing = self.since(at).map(|since| (self.state(at), since));
            change.after = self.present(at);
            self.shown = self.present_since(at).map(|since| (change.after, since));
            change.alarm_after = self.alarm();
        }
        change.since = self.present_since(at);
        change
    }

    /// The wall clock was set by `by_ms`, which is negative, and says `now`: what is known stays
    /// known, and what lies ahead of `now` is moved to when it was by the clock as it is now.
    pub fn set_back(&mut self, by_ms: i64, now: Millis) {
        self.lanes.iter_mut().for_each(|(_, lane)| lane.set_back(by_ms, now));
        let instants =
            [&mut self.standing, &mut self.shown].into_iter().flatten().map(|it| &mut it.1);
        for instant in instants.chain(self.last.as_mut().map(|it| &mut it.0)) {
            if *instant > now {
                *instant = instant.plus_ms(by_ms);
            }
        }
    }

    /// The state at `now`, which is not before the newest result.
    #[must_use]
    pub fn state(&self, now: Millis) -> State {
        let states: Vec<State> = self.lanes.iter().map(|(_, lane)| lane.state(now)).collect();
        combine::lanes(&states)
    }

    /// Since when the state at `now` is what it is; `None` if nothing was ever known. After a
    /// start from a cut-off past it may be too late, except as [`Self::is_settled`] says.
    #[must_use]
    pub fn since(&self, now: Millis) -> Option<Millis> {
        match self.lanes.as_slice() {
            [(_, lane)] => lane.since(now),
            lanes => {
                let lanes: Vec<_> = lanes.iter().map(|(_, lane)| lane.segments(now)).collect();
                self.last_change(now, self.state(now), &lanes, self.standing)
            }
        }
    }

    /// The state for those who look at `now`: what the newest testimony says, until the next is
    /// overdue. [`Self::state`] is what the figures will say of `now` if no more results come.
    #[must_use]
    pub fn present(&self, now: Millis) -> State {
        let states: Vec<State> = self.lanes.iter().map(|(_, lane)| lane.present(now)).collect();
        combine::lanes(&states)
    }

    /// Since when the present state is so; `None` if nothing was ever known.
    #[must_use]
    pub fn present_since(&self, now: Millis) -> Option<Millis> {
        match self.lanes.as_slice() {
            [(_, lane)] => lane.present_since(now),
            lanes => {
                let segments = |it: &(Lane, LiveLane)| it.1.present_segments(now);
                let lanes: Vec<_> = lanes.iter().map(segments).collect();
                self.last_change(now, self.present(now), &lanes, self.shown)
            }
        }
    }

    /// Whether results older than those noted could change neither the state, nor the alert, nor
    /// what to run next, nor since when it is down, now or with any later result.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.lanes.iter().all(|(_, lane)| lane.is_settled())
    }

    /// What an alert says now.
    #[must_use]
    pub fn alarm(&self) -> Alarm {
        let open = self.lanes.iter().filter(|(_, lane)| lane.is_open()).count();
        match open.cmp(&self.lanes.len()) {
            _ if open == 0 => Alarm::Quiet,
            Ordering::Less => Alarm::Partial,
            Ordering::Equal | Ordering::Greater => Alarm::Down,
        }
    }

    /// The newest result of any kind: when it started and what came of it.
    #[must_use]
    pub const fn last(&self) -> Option<(Millis, Reason)> {
        self.last
    }

    /// What the newest testimony says is wrong; `None` if it is good or there is none. Of
    /// several lanes the worst.
    #[must_use]
    pub fn fault(&self) -> Option<Reason> {
        let faults = self.lanes.iter().filter_map(|(_, lane)| lane.fault());
        faults.max_by_key(|it| (it.outcome(), it.code()))
    }

    /// Each lane, for those who show them apart.
    pub fn lanes(&self) -> impl Iterator<Item = (Lane, &LiveLane)> {
        self.lanes.iter().map(|(lane, live)| (*lane, live))
    }

    fn remember(&mut self, result: &RunResult) {
        let rank = |at: Millis, it: Reason| (at, it.outcome(), it.code());
        let new = (result.started, result.reason);
        if self.last.is_none_or(|old| rank(old.0, old.1) <= rank(new.0, new.1)) {
            self.last = Some(new);
        }
    }

    /// Since when the combined state of `lanes` is `state`, which it is at `now`. Where the lanes
    /// do not remember far enough, what was said before helps.
    fn last_change(
        &self,
        now: Millis,
        state: State,
        lanes: &[Vec<Segment>],
        before: Option<(State, Millis)>,
    ) -> Option<Millis> {
        let remembered = self.lanes.iter().filter_map(|(_, lane)| lane.remembers_from()).max();
        let edges = lanes.iter().flatten().flat_map(|it| [it.span.start(), it.span.end()]);
        let mut edges: Vec<Millis> =
            edges.filter(|it| *it <= now && remembered.is_none_or(|from| *it >= from)).collect();
        edges.sort_unstable();
        edges.dedup();
        let at = |instant: Millis| {
            let states: Vec<State> = lanes.iter().map(|it| state_at(it, instant)).collect();
            combine::lanes(&states)
        };
        let change = edges.iter().rev().find(|it| at(**it) == state && at(it.plus_ms(-1)) != state);
        match (change, before) {
            (Some(edge), _) if remembered.is_none_or(|from| *edge > from) => Some(*edge),
            (_, Some((old, since))) if old == state => Some(since),
            (change, _) => change.or(edges.first()).copied(),
        }
    }
}

#[cfg(test)]
mod tests;
