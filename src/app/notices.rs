//! What is promised and announced: the contract in force and the maintenance that was recorded,
//! rebuilt from the journal at start and written to it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::tz::TimeZone;
use serde_json::Value;
use tracing::warn;

use super::pipeline::journal as line;
use crate::availability::judge::Reach;
use crate::availability::maintenance::journal::{Announcement, Cancelled, Extension};
use crate::availability::maintenance::recurring;
use crate::config::Config;
use crate::history::{Event, History, HistoryError, Reader, Record};
use crate::model::check::Check;
use crate::model::id::{SystemId, VantageId};
use crate::model::system::{Roster, System};
use crate::model::time::Millis;
use crate::report::Journal;
use crate::report::contract::Contract;
use crate::web::source::{Maintenance, MaintenanceChange, MaintenanceError, NewMaintenance};

use super::announce;

/// Most announcements: a page of them and their memory stay small for decades of them.
const ANNOUNCEMENTS_MAX: usize = 20_000;

/// What is promised and announced.
#[derive(Debug)]
pub(super) struct Notices {
    state: Mutex<State>,
    /// One announcement at a time: an id is given once.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Shared with those who judge by it while it goes on here.
    journal: Arc<Journal>,
    /// What of the journal is not understood.
    fault: Option<String>,
}

/// The contract of a configuration.
pub(super) fn contract(config: &Config, vantage: &VantageId) -> Contract {
    Contract::of(&config.roster, &config.monitor.timezone_name, std::slice::from_ref(vantage))
}

impl Notices {
    /// Reads the whole journal. Blocks.
    pub(super) fn read(reader: &Reader) -> Result<Self, HistoryError> {
        let (journal, fault) = Journal::heard(reader)?;
        let fault = fault.map(|it| it.to_string());
        if let Some(fault) = &fault {
            warn!(fault, "nothing can be judged");
        }
        let state = State { journal: Arc::new(journal), fault };
        Ok(Self { state: Mutex::new(state), turn: tokio::sync::Mutex::default() })
    }

    /// Adds `contract` to the body of an event if it is not the one last journalled.
    pub(super) fn with_contract(&self, contract: &Contract, mut event: Event) -> Event {
        let mut state = self.lock();
        if state.journal.terms.last().is_none_or(|it| *it.contract != *contract) {
            event.body["contract"] = contract.to_json();
            state.take(&event);
        }
        event
    }

    /// All that was promised and announced.
    ///
    /// # Errors
    ///
    /// What is not understood of it: no figure must be worked out without it.
    pub(super) fn journal(&self) -> Result<Arc<Journal>, String> {
        let state = self.lock();
        state.fault.clone().map_or_else(|| Ok(Arc::clone(&state.journal)), Err)
    }

    /// How far results of a check speak, by when they started; from `now` on as it is configured.
    pub(super) fn reach(&self, check: &Check, now: Millis) -> Reach {
        let journal = Arc::clone(&self.lock().journal);
        journal.reach(check, now)
    }

    /// The systems that are in maintenance now, of all or a part of them.
    pub(super) fn active(
        &self,
        roster: &Roster,
        now: Millis,
        zone: &TimeZone,
    ) -> HashSet<SystemId> {
        let state = self.lock();
        let all = state.journal.maintenance.all();
        let announced: Vec<_> = all.iter().filter(|it| it.is_active(now)).collect();
        let is_active = |system: &&System| {
            let rules = &system.terms.maintenance;
            announced.iter().any(|it| it.scope.touches(system))
                || rules.iter().any(|it| recurring::is_active(it, now, zone))
        };
        roster.systems.iter().filter(is_active).map(|it| it.id.clone()).collect()
    }

    /// Whether an announcement was recorded, began, ended or was taken back after `then`, up to
    /// `now`.
    pub(super) fn changed_since(&self, then: Millis, now: Millis) -> bool {
        let between = |at: Millis| then < at && at <= now;
        self.lock().journal.maintenance.all().iter().any(|it| {
            let cancelled = it.cancelled.as_ref().map(|it| it.recorded);
            // What was recorded in the millisecond of the last look may have come after it.
            let recorded = it.extensions.iter().map(|it| it.recorded).chain(cancelled);
            let mut recorded = recorded.chain([it.recorded]);
            between(it.span.start())
                || between(it.end())
                || recorded.any(|at| then <= at && at <= now)
        })
    }

    /// Every announcement, in the order recorded.
    pub(super) fn all(&self, roster: &Roster, now: Millis) -> Vec<Maintenance> {
        let state = self.lock();
        let journal = &state.journal.maintenance;
        journal.all().iter().map(|it| announce::seen(it, journal, roster, now)).collect()
    }

    /// Records an announcement at `now`, durably.
    pub(super) async fn add(
        &self,
        new: NewMaintenance,
        roster: &Roster,
        history: &History,
        now: Millis,
    ) -> Result<Maintenance, MaintenanceError> {
        announce::check(&new, roster)?;
        let _turn = self.turn.lock().await;
        let id = {
            let state = self.lock();
            if state.journal.maintenance.all().len() >= ANNOUNCEMENTS_MAX {
                let why = format!("there are {ANNOUNCEMENTS_MAX} announcements already");
                return Err(MaintenanceError::Conflict(why));
            }
            state.journal.maintenance.next_id()
        };
        let NewMaintenance { scope, span, notice, who, why } = new;
        let announcement = Announcement {
            id: id.clone(),
            scope,
            recorded: now,
            span,
            notice,
            who,
            why,
            extensions: Vec::new(),
            cancelled: None,
        };
        self.record(announcement.added(), history, now).await?;
        self.seen(&id, roster, now)
    }

    /// Records that an announcement changes, durably.
    pub(super) async fn change(
        &self,
        id: &str,
        change: MaintenanceChange,
        roster: &Roster,
        history: &History,
        now: Millis,
    ) -> Result<Maintenance, MaintenanceError> {
        let _turn = self.turn.lock().await;
        let event = {
            let state = self.lock();
            let found = state.journal.maintenance.get(id);
            let found =
                found.ok_or_else(|| announce::unknown_id(id, &state.journal.maintenance))?;
            announce::check_change(found, &change, now)?;
            match change {
                MaintenanceChange::Extend { to, who, why } => {
                    Extension { recorded: now, to, who, why }.event(id)
                }
                MaintenanceChange::Cancel { who, why } => {
                    Cancelled { recorded: now, who, why }.event(id)
                }
            }
        };
        self.record(event, history, now).await?;
        self.seen(id, roster, now)
    }

    /// First the disk, then the memory: what is told is kept.
    async fn record(
        &self,
        (kind, body): (&'static str, Value),
        history: &History,
        now: Millis,
    ) -> Result<(), MaintenanceError> {
        let event = line(now, kind, body);
        let stored = async {
            history.append(vec![Record::Event(event.clone())]).await?;
            history.flush().await
        };
        let stored: Result<(), HistoryError> = stored.await;
        if let Err(HistoryError::Closed) = stored {
            return Err(MaintenanceError::Unavailable("the daemon is ending".to_owned()));
        }
        // What the disk refuses now is kept and tried again, so it is said and holds.
        self.lock().take(&event);
        stored.map_err(|error| {
            MaintenanceError::Unavailable(format!("recorded, but not yet on the disk: {error}"))
        })
    }

    fn seen(
        &self,
        id: &str,
        roster: &Roster,
        now: Millis,
    ) -> Result<Maintenance, MaintenanceError> {
        let state = self.lock();
        let found = state.journal.maintenance.get(id);
        let found = found.ok_or_else(|| announce::unknown_id(id, &state.journal.maintenance))?;
        Ok(announce::seen(found, &state.journal.maintenance, roster, now))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, event: &Event) {
        if let Err(error) = Arc::make_mut(&mut self.journal).hear(event, 0) {
            warn!(kind = event.kind, at = %event.at, %error, "it can't be understood");
            self.fault = Some(error.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::parse_str;

    fn contract_with(keys: &str) -> Contract {
        let text = format!(
            "[monitor]\nvantage = \"hn-1\"\n[[owner]]\nid = \"bca\"\nname = \"B\"\n[[system]]\n\
             id = \"a\"\nowner = \"bca\"\nname = \"A\"\n{keys}\n"
        );
        let config = parse_str("t.toml", &text).unwrap_or_else(|it| panic!("{it}"));
        contract(&config, &config.monitor.vantage.clone())
    }

    #[tokio::test]
    async fn the_contract_is_journalled_only_when_it_changes_and_read_back_as_the_same() {
        let history = History::open(crate::history::Settings::default(), None).unwrap();
        let notices = Notices::read(&history.reader().unwrap()).unwrap();
        let event = |at| line(Millis(at), "config.loaded", json!({}));
        let (one, other) = (contract_with(""), contract_with("notice = \"1h\""));
        let first = notices.with_contract(&one, event(1));
        assert_eq!(first.body["contract"], one.to_json());
        assert_eq!(notices.with_contract(&one, event(2)).body, json!({}));
        let second = notices.with_contract(&other, event(3));
        assert_eq!(second.body["contract"], other.to_json());

        history.append(vec![Record::Event(first), Record::Event(second)]).await.unwrap();
        history.flush().await.unwrap();
        let again = Notices::read(&history.reader().unwrap()).unwrap();
        let held = |notices: &Notices| {
            let held = notices.journal().unwrap().of(&SystemId::new("a").unwrap());
            held.iter().map(|it| (it.span, it.digest())).collect::<Vec<_>>()
        };
        assert_eq!(held(&again), held(&notices));
        assert_eq!(again.with_contract(&other, event(4)).body, json!({}));
    }

    #[tokio::test]
    async fn nothing_is_judged_by_a_journal_that_is_not_understood() {
        let history = History::open(crate::history::Settings::default(), None).unwrap();
        let mut body = json!({ "contract": contract_with("").to_json() });
        body["contract"]["version"] = json!(2);
        history.append(vec![Record::Event(line(Millis(1), "config.loaded", body))]).await.unwrap();
        history.flush().await.unwrap();
        let notices = Notices::read(&history.reader().unwrap()).unwrap();
        let fault = notices.journal().unwrap_err();
        assert!(fault.contains("event 1 of the journal: contract.version: 2"), "{fault}");
    }
}
