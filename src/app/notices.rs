//! What is promised and announced: the contract in force and the maintenance that was recorded,
//! rebuilt from the journal at start and written to it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use jiff::tz::TimeZone;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tracing::warn;

use super::intervals::Intervals;
use super::pipeline::journal as line;
use crate::availability::calendar::CalendarError;
use crate::availability::judge::Reach;
use crate::availability::maintenance::journal::{
    Announcement, Cancelled, Extension, Journal, KIND_PREFIX,
};
use crate::availability::maintenance::plan::{self, Plan};
use crate::config::Config;
use crate::history::{Event, History, HistoryError, Reader, Record};
use crate::model::check::Check;
use crate::model::id::{SystemId, VantageId};
use crate::model::span::Span;
use crate::model::system::{Roster, System};
use crate::model::terms::Recurring;
use crate::model::time::Millis;
use crate::report::contract::{Contract, Recurs};
use crate::web::source::{Maintenance, MaintenanceChange, MaintenanceError, NewMaintenance};

use super::announce;

/// Events read at once at start: each may hold a contract, of some megabytes with ten thousand
/// checks.
const EVENTS_A_PAGE: usize = 4;

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
    journal: Journal,
    promised: Promised,
}

/// The digest of the contract last journalled, since when each recurring rule has been in one contract
/// after the other, and the intervals of all of them.
#[derive(Debug, Default)]
struct Promised {
    last: Option<[u8; 32]>,
    /// When the contract last changed.
    since: Option<Millis>,
    recorded: HashMap<(String, String), Millis>,
    intervals: Intervals,
}

impl Promised {
    fn take(&mut self, at: Millis, contract: &Value) {
        let mut recorded = HashMap::new();
        for system in contract["systems"].as_array().into_iter().flatten() {
            let id = system["id"].as_str().unwrap_or_default();
            let rules = ["maintenance", "monthly"].map(|key| system[key].as_array());
            for rule in rules.into_iter().flatten().flatten() {
                let key = (id.to_owned(), rule.to_string());
                let since = self.recorded.get(&key).copied().unwrap_or(at);
                recorded.insert(key, since);
            }
        }
        self.intervals.take(at, contract);
        (self.last, self.since) = (Some(digest(contract)), Some(at));
        self.recorded = recorded;
    }

    /// Since when a rule has been in force; as if it were now, if it is in no contract yet.
    fn recorded(&self, system: &SystemId, rule: &Recurring) -> Millis {
        let key = (system.to_string(), Recurs::of(rule).to_json().to_string());
        self.recorded.get(&key).copied().unwrap_or(Millis(i64::MAX))
    }
}

/// Equal for equal contracts, whose keys are in order.
fn digest(contract: &Value) -> [u8; 32] {
    Sha256::digest(contract.to_string()).into()
}

/// The contract of a configuration, as the journal has it.
pub(super) fn contract(config: &Config, vantage: &VantageId) -> Value {
    let vantages = [vantage.clone()];
    Contract::of(&config.roster, &config.monitor.timezone_name, &vantages).to_json()
}

impl Notices {
    /// Reads the whole journal. Blocks.
    pub(super) fn read(reader: &Reader) -> Result<Self, HistoryError> {
        let mut state = State::default();
        let mut after = 0;
        loop {
            let page = reader.told(after, EVENTS_A_PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            for stored in &page {
                state.take(&stored.event);
            }
        }
        Ok(Self { state: Mutex::new(state), turn: tokio::sync::Mutex::default() })
    }

    /// Adds `contract` to the body of an event if it is not the one last journalled.
    pub(super) fn with_contract(&self, contract: Value, mut event: Event) -> Event {
        let mut state = self.lock();
        if state.promised.last != Some(digest(&contract)) {
            state.promised.take(event.at, &contract);
            event.body["contract"] = contract;
        }
        event
    }

    /// When the contract last changed.
    pub(super) fn contract_since(&self) -> Option<Millis> {
        self.lock().promised.since
    }

    /// How far results of a check speak, by when they started.
    pub(super) fn reach(&self, check: &Check) -> Reach {
        self.lock().promised.intervals.reach(check)
    }

    /// The longest interval of a check in force in `span`, or at most `steps` of its own beside it.
    pub(super) fn longest_interval_ms(&self, check: &Check, span: Span, steps: i64) -> i64 {
        self.lock().promised.intervals.longest_ms(check, span, steps)
    }

    /// What leaves the figures of a system.
    pub(super) fn plan(
        &self,
        system: &System,
        within: Span,
        zone: &TimeZone,
    ) -> Result<Plan, CalendarError> {
        let state = self.lock();
        let recorded = |rule: &Recurring| state.promised.recorded(&system.id, rule);
        plan::plan(system, &state.journal, recorded, within, zone)
    }

    /// The systems that are in maintenance now, of all or a part of them.
    pub(super) fn active(
        &self,
        roster: &Roster,
        now: Millis,
        zone: &TimeZone,
    ) -> HashSet<SystemId> {
        let state = self.lock();
        let is_active = |system: &&System| {
            let recorded = |rule: &Recurring| state.promised.recorded(&system.id, rule);
            plan::is_active(system, &state.journal, recorded, now, zone)
        };
        let quiet = state.journal.all().iter().all(|it| !it.is_active(now));
        let systems = roster.systems.iter();
        let maybe = systems.filter(|it| !quiet || !it.terms.maintenance.is_empty());
        maybe.filter(is_active).map(|it| it.id.clone()).collect()
    }

    /// Whether an announcement was recorded, began, ended or was taken back after `then`, up to
    /// `now`.
    pub(super) fn changed_since(&self, then: Millis, now: Millis) -> bool {
        let between = |at: Millis| then < at && at <= now;
        self.lock().journal.all().iter().any(|it| {
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
        state
            .journal
            .all()
            .iter()
            .map(|it| announce::seen(it, &state.journal, roster, now))
            .collect()
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
            if state.journal.all().len() >= ANNOUNCEMENTS_MAX {
                let why = format!("there are {ANNOUNCEMENTS_MAX} announcements already");
                return Err(MaintenanceError::Conflict(why));
            }
            state.journal.next_id()
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
            let found = state.journal.get(id);
            let found = found.ok_or_else(|| announce::unknown_id(id, &state.journal))?;
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
        let found = state.journal.get(id);
        let found = found.ok_or_else(|| announce::unknown_id(id, &state.journal))?;
        Ok(announce::seen(found, &state.journal, roster, now))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, event: &Event) {
        if event.kind.starts_with(KIND_PREFIX) {
            if self.journal.take(event.at, &event.kind, &event.body).is_none() {
                warn!(kind = event.kind, at = %event.at, "a line of the journal says nothing known");
            }
        } else if let Some(contract) = event.body.get("contract") {
            self.promised.take(event.at, contract);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::Weekday;
    use serde_json::json;

    use super::*;
    use crate::config::parse_str;
    use crate::model::terms::Every;

    fn contract_with(maintenance: &str) -> Value {
        let text = format!(
            "[monitor]\nvantage = \"hn-1\"\n[[owner]]\nid = \"bca\"\nname = \"B\"\n[[system]]\n\
             id = \"a\"\nowner = \"bca\"\nname = \"A\"\n{maintenance}\n"
        );
        let config = parse_str("t.toml", &text).unwrap_or_else(|it| panic!("{it}"));
        contract(&config, &config.monitor.vantage.clone())
    }

    #[test]
    fn a_recurring_window_counts_from_the_first_of_the_contracts_in_a_row_that_have_it() {
        let weekly = |why: &str, to: &str| {
            let rule = format!("every = \"sun\", from = \"00:00\", to = \"{to}\", why = \"{why}\"");
            contract_with(&format!("maintenance = [{{ {rule} }}]"))
        };
        let rule = Recurring {
            every: Every::Week(Weekday::Sunday),
            from_min: 0,
            to_min: 240,
            notice: None,
            why: String::new(),
        };
        let system = SystemId::new("a").unwrap();
        let mut promised = Promised::default();
        assert_eq!(promised.recorded(&system, &rule), Millis(i64::MAX), "nowhere yet");
        for (at, contract, since) in [
            (10, weekly("sao lưu", "04:00"), 10),
            (20, weekly("sao lưu hằng tuần", "04:00"), 10),
            (30, weekly("sao lưu", "05:00"), i64::MAX),
            (40, weekly("sao lưu", "04:00"), 40),
            (50, contract_with(""), i64::MAX),
        ] {
            promised.take(Millis(at), &contract);
            assert_eq!(promised.recorded(&system, &rule), Millis(since), "{at}");
        }
    }

    #[test]
    fn the_contract_is_journalled_only_when_it_changes_and_read_back_as_the_same() {
        let notices = Notices { state: Mutex::default(), turn: tokio::sync::Mutex::default() };
        let event = |at| line(Millis(at), "config.loaded", json!({}));
        let (one, other) = (contract_with(""), contract_with("notice = \"1h\""));
        let first = notices.with_contract(one.clone(), event(1));
        assert_eq!(first.body["contract"], one);
        assert_eq!(notices.with_contract(one.clone(), event(2)).body, json!({}));
        assert_eq!(notices.contract_since(), Some(Millis(1)));
        assert_eq!(notices.with_contract(other.clone(), event(3)).body["contract"], other);

        let mut state = State::default();
        let stored: Value = serde_json::from_str(&first.body.to_string()).unwrap();
        state.take(&Event { body: stored, ..first });
        assert_eq!(state.promised.last, Some(digest(&one)));
    }
}
