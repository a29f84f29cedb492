//! What the pipeline remembers of each check and system.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::availability::combine;
use crate::availability::incident::APART_MS;
use crate::availability::live::{Change, LiveCheck};
use crate::model::check::Check;
use crate::model::id::{CheckId, SystemId};
use crate::model::result::RunResult;
use crate::model::state::State;
use crate::model::system::{Roster, System};
use crate::model::time::Millis;

/// A check that runs.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) check: Arc<Check>,
    pub(super) live: LiveCheck,
    /// The state last told to metrics and log.
    pub(super) told: State,
    pub(super) last: Option<RunResult>,
    /// What was wrong with the last result, for people.
    pub(super) why: Option<String>,
    pub(super) tls_not_after: Option<Millis>,
    /// How often its past was asked for: what was read for an earlier time is of no use.
    asked: u64,
    /// What came since its past was last asked for, at most one more than [`SINCE_MAX`].
    since: Option<Vec<RunResult>>,
}

/// Results kept of a check while its past is read again: half an hour of the fastest runs. With
/// more it is read once more.
const SINCE_MAX: usize = 2_048;

/// What came of a past that was read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// Nobody waits for it any more.
    NotAsked,
    /// It holds.
    Done,
    /// It must be read once more.
    MustBeAsked,
}

/// Where a system stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) state: State,
    /// Since when, as far as it was seen.
    pub(super) since: Millis,
}

/// What the pipeline writes and others read. Never held across an await.
pub(super) type Shared = Arc<Mutex<Watch>>;

/// Locks it. A panic in a holder is a bug that ends its part; what it left is still consistent,
/// since every change is one insertion.
pub(super) fn lock(shared: &Mutex<Watch>) -> MutexGuard<'_, Watch> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Every check that runs, and every system.
#[derive(Debug, Default)]
pub(super) struct Watch {
    pub(super) roster: Arc<Roster>,
    pub(super) checks: HashMap<CheckId, Watched>,
    pub(super) systems: HashMap<SystemId, Standing>,
    /// Whether an incident is open, and when the last one ended.
    pub(super) incidents: HashMap<SystemId, Tally>,
    /// Checks whose past must be read again; nobody reads it yet.
    again: BTreeSet<CheckId>,
    /// Systems in maintenance.
    pub(super) maintained: Arc<HashSet<SystemId>>,
    /// Runs that started late.
    pub(super) late: Spell,
    /// Results that are void because the control anchors do not answer.
    pub(super) blind: Spell,
}

/// Something that is seen again and again while it lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spell {
    /// When it was seen first and last, and until when it is taken to go on.
    seen: Option<(Millis, Millis, Millis)>,
}

/// What is seen with every run is over when it was not seen for so long.
pub(super) const SPELL_MS: i64 = 60_000;

impl Spell {
    /// It is seen at `now`, and would be seen again within `again_ms` if it went on.
    pub(super) fn note(&mut self, now: Millis, again_ms: i64) {
        let until = now.plus_ms(again_ms.max(SPELL_MS));
        self.seen = Some(match self.seen {
            Some((since, last, old)) if self.goes_on(now) => (since, last.max(now), old.max(until)),
            _ => (now, now, until),
        });
    }

    /// Since when it goes on, if it was seen at two instants at least `least_ms` apart.
    pub(super) fn lasts(self, now: Millis, least_ms: i64) -> Option<Millis> {
        let (since, last, _) = self.seen?;
        (self.goes_on(now) && last.since(since) >= least_ms).then_some(since)
    }

    /// A clock that was set back by more than it was seen for ends it.
    fn goes_on(self, now: Millis) -> bool {
        self.seen.is_some_and(|(since, _, until)| since <= now && now <= until)
    }
}

/// The present incident of a system, for counting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) open: bool,
    /// When the last one ended.
    ended: Option<Millis>,
}

/// What a new state does to the incidents of a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// A new one opens.
    Opens,
    /// The last one goes on.
    GoesOn,
    /// It is over.
    Closes,
}

impl Tally {
    /// Takes into account that the system is in `state` since `since`. Unknown time neither
    /// opens nor closes; down spans less than a minute apart are one incident.
    pub(super) fn turn(&mut self, state: State, since: Millis) -> Option<Turn> {
        match (self.open, state) {
            (false, State::Down) => {
                self.open = true;
                let same = self.ended.is_some_and(|it| since.since(it) < APART_MS);
                Some(if same { Turn::GoesOn } else { Turn::Opens })
            }
            (true, State::Up | State::Slow | State::Partial) => {
                *self = Self { open: false, ended: Some(since) };
                Some(Turn::Closes)
            }
            _ => None,
        }
    }
}

impl Watched {
    pub(super) fn new(check: &Arc<Check>, live: LiveCheck) -> Self {
        Self {
            check: Arc::clone(check),
            live,
            told: State::Unknown,
            last: None,
            why: None,
            tls_not_after: None,
            asked: 0,
            since: None,
        }
    }

    /// Takes a result into account.
    pub(super) fn note(&mut self, result: &RunResult) -> Change {
        if let Some(since) = self.since.as_mut().filter(|it| it.len() <= SINCE_MAX) {
            since.push(result.clone());
        }
        self.live.note(result)
    }

    /// Goes on from a past that was read when it had been asked for `asked` times, with what came
    /// since.
    pub(super) fn begin_again(&mut self, check: &Check, live: LiveCheck, asked: u64) -> Again {
        if asked != self.asked {
            return Again::NotAsked;
        }
        let Some(since) = self.since.take() else { return Again::NotAsked };
        let mut whole = *self.check == *check && since.len() <= SINCE_MAX;
        if whole {
            self.live = live;
            for result in &since {
                whole &= !self.live.note(result).late;
            }
        }
        if whole { Again::Done } else { Again::MustBeAsked }
    }
}

impl Watch {
    /// Takes a new roster into force at `at`: checks that stay keep what is known of them, those that
    /// `restored` knows begin with that, the others begin with nothing. Gives the checks whose past
    /// must be read again, since it is confirmed otherwise.
    pub(super) fn adopt(
        &mut self,
        roster: Arc<Roster>,
        mut restored: HashMap<CheckId, LiveCheck>,
        at: Millis,
    ) -> Vec<CheckId> {
        let mut again = Vec::new();
        let mut old = std::mem::take(&mut self.checks);
        for check in roster.checks().filter(|check| check.disabled.is_none()) {
            let kept = old.remove(&check.id).filter(|it| it.check.spec.kind() == check.spec.kind());
            let new = || {
                let live = restored.remove(&check.id);
                Watched::new(check, live.unwrap_or_else(|| LiveCheck::new(check)))
            };
            let mut watched = kept.unwrap_or_else(new);
            watched.live.adopt(check, at);
            if watched.check.confirm != check.confirm {
                again.push(check.id.clone());
            }
            watched.check = Arc::clone(check);
            self.checks.insert(check.id.clone(), watched);
        }
        let known: HashSet<_> = roster.systems.iter().map(|it| &it.id).collect();
        self.systems.retain(|id, _| known.contains(id));
        self.incidents.retain(|id, _| known.contains(id));
        self.roster = roster;
        again
    }

    /// The past of a check is to be read again: all that was noted of it is on its way to the disk.
    pub(super) fn ask_again(&mut self, check: &CheckId) {
        if let Some(watched) = self.checks.get_mut(check) {
            watched.asked += 1;
            watched.since = Some(Vec::new());
            self.again.insert(check.clone());
        }
    }

    /// The next check whose past must be read again, and how often it was asked for.
    pub(super) fn next_again(&mut self) -> Option<(Arc<Check>, u64)> {
        while let Some(id) = self.again.pop_first() {
            if let Some(watched) = self.checks.get(&id) {
                return Some((Arc::clone(&watched.check), watched.asked));
            }
        }
        None
    }

    /// After the wall clock was set back by `by_ms`, which is negative: what was noted ahead of
    /// `now` is moved to when it was. The history keeps what it has.
    pub(super) fn set_back(&mut self, by_ms: i64, now: Millis) {
        let shift = |instant: &mut Millis| {
            if *instant > now {
                *instant = instant.plus_ms(by_ms);
            }
        };
        for it in self.checks.values_mut() {
            it.live.set_back(by_ms, now);
            // What is being read again has the instants of before.
            it.since = None;
        }
        self.systems.values_mut().for_each(|it| shift(&mut it.since));
        self.incidents.values_mut().filter_map(|it| it.ended.as_mut()).for_each(shift);
    }

    /// Works out where `system` stands at `now`, and keeps it. Gives its state before and now;
    /// `None` for one without an enabled critical check.
    pub(super) fn stand(&mut self, system: &System, now: Millis) -> (Option<State>, Option<State>) {
        let before = self.systems.get(&system.id).copied();
        let enabled = || system.checks.iter().filter_map(|check| self.checks.get(&check.id));
        let state = combine::system(enabled().map(|it| (it.check.critical, it.live.present(now))));
        match state {
            None => drop(self.systems.remove(&system.id)),
            Some(state) if before.is_none_or(|it| it.state != state) => {
                let alike = enabled().filter(|it| it.live.present(now) == state);
                let sinces = alike.filter_map(|it| it.live.present_since(now));
                // Down since the first check fell, up since the last one rose.
                let since = if state == State::Down { sinces.min() } else { sinces.max() };
                let standing = Standing { state, since: since.unwrap_or(now) };
                self.systems.insert(system.id.clone(), standing);
            }
            Some(_) => {}
        }
        (before.map(|it| it.state), state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spell_lasts_while_it_is_seen_again_in_time() {
        let mut spell = Spell::default();
        let lasts = |it: Spell, now: i64| it.lasts(Millis(now), 60_000);
        spell.note(Millis(1_000), 0);
        assert_eq!(lasts(spell, 61_000), None, "seen once");
        spell.note(Millis(50_000), 0);
        spell.note(Millis(110_000), 300_000);
        assert_eq!(lasts(spell, 410_000), Some(Millis(1_000)));
        assert_eq!(lasts(spell, 410_001), None);
        spell.note(Millis(500_000), 0);
        assert_eq!(lasts(spell, 500_000), None, "a new one");
        assert_eq!(lasts(spell, 100_000), None, "the clock was set back");
    }

    #[test]
    fn an_incident_opens_closes_and_goes_on_if_it_comes_back_at_once() {
        let mut tally = Tally::default();
        let mut turn = |state, second: i64| tally.turn(state, Millis(second * 1_000));
        assert_eq!(turn(State::Up, 0), None);
        assert_eq!(turn(State::Down, 10), Some(Turn::Opens));
        assert_eq!(turn(State::Down, 10), None);
        assert_eq!(turn(State::Unknown, 20), None, "unknown time lies within it");
        assert_eq!(turn(State::Down, 500), None);
        assert_eq!(turn(State::Slow, 600), Some(Turn::Closes));
        assert_eq!(turn(State::Down, 659), Some(Turn::GoesOn));
        assert_eq!(turn(State::Partial, 700), Some(Turn::Closes));
        assert_eq!(turn(State::Unknown, 710), None);
        assert_eq!(turn(State::Down, 760), Some(Turn::Opens));
    }
}
