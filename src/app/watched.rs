//! What the pipeline remembers of each check and system.

use std::collections::HashMap;
use std::sync::Arc;

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
    /// `None`: no enabled critical check, so no state.
    pub(super) state: Option<State>,
    /// When it was first seen to be so.
    pub(super) since: Millis,
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
    /// Takes a new roster into force: checks that stay keep what is known of them, those that
    /// `restored` knows begin with that, the others begin with nothing.
    pub(super) fn adopt(
        &mut self,
        roster: Arc<Roster>,
        mut restored: HashMap<CheckId, LiveCheck>,
    ) {
        let mut old = std::mem::take(&mut self.checks);
        for check in roster.checks().filter(|check| check.disabled.is_none()) {
            let kept = old.remove(&check.id).filter(|it| it.check.spec.kind() == check.spec.kind());
            let watched = match kept {
                Some(mut watched) => {
                    watched.live.adopt(check);
                    watched.check = Arc::clone(check);
                    watched
                }
                None => {
                    let live = restored.remove(&check.id);
                    Watched::new(check, live.unwrap_or_else(|| LiveCheck::new(check)))
                }
            };
            self.checks.insert(check.id.clone(), watched);
        }
        self.systems.retain(|id, _| roster.systems.iter().any(|system| system.id == *id));
        self.roster = roster;
    }

    /// The state of `system` at `now`; `None` if it has no enabled critical check.
    pub(super) fn system_state(&self, system: &System, now: Millis) -> Option<State> {
        let enabled = system.checks.iter().filter_map(|check| self.checks.get(&check.id));
        combine::system(enabled.map(|it| (it.check.critical, it.live.state(now))))
    }
}
