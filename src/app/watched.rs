//! What the pipeline remembers of each check and system.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::availability::combine;
use crate::availability::live::LiveCheck;
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
        }
    }
}

impl Watch {
    /// Takes a new roster into force at `now`: checks that stay keep what is known of them, those that
    /// `restored` knows begin with that, the others begin with nothing.
    pub(super) fn adopt(
        &mut self,
        roster: Arc<Roster>,
        mut restored: HashMap<CheckId, LiveCheck>,
        now: Millis,
    ) {
        let mut old = std::mem::take(&mut self.checks);
        for check in roster.checks().filter(|check| check.disabled.is_none()) {
            let kept = old.remove(&check.id).filter(|it| it.check.spec.kind() == check.spec.kind());
            let new = || {
                let live = restored.remove(&check.id);
                Watched::new(check, live.unwrap_or_else(|| LiveCheck::new(check)))
            };
            let mut watched = kept.unwrap_or_else(new);
            watched.live.adopt(check, now);
            watched.check = Arc::clone(check);
            self.checks.insert(check.id.clone(), watched);
        }
        self.systems.retain(|id, _| roster.systems.iter().any(|system| system.id == *id));
        self.roster = roster;
    }

    /// After the wall clock was set back: what was noted lies ahead of the time now, and new
    /// results would be too old to count beside it. The history keeps both.
    pub(super) fn forget_the_future(&mut self) {
        for watched in self.checks.values_mut() {
            watched.live = LiveCheck::new(&watched.check);
        }
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
