//! Everything that happens, in one order: one task that files, accounts, counts and tells.
//!
//! It never waits for the network. It waits for the history only when sixteen thousand records
//! are in its queue, and then the runs wait for it: late data is better than lost data.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Duration, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::availability::live::{self, LiveCheck};
use crate::clock::Clock;
use crate::history::{self, History, Record};
use crate::metrics::Metrics;
use crate::model::check::Check;
use crate::model::id::{CheckId, VantageId};
use crate::model::phases::Phases;
use crate::model::reason::Reason;
use crate::model::result::{RunKind, RunResult, VoidSpan};
use crate::model::span::Span;
use crate::model::state::State;
use crate::model::system::{Roster, System};
use crate::model::time::{Micros, Millis};
use crate::schedule::core::{Follow, Job};
use crate::schedule::{Command, Ended};

use super::runs::Finished;
use super::settings;
use super::watched::{self, Again, SPELL_MS, Shared, Turn, Watch};

/// Events that wait for the pipeline. When full the runs wait; `thongsuot_queue_length` shows it.
pub(super) const EVENTS_QUEUED_MAX: usize = 4_096;

/// Events taken at once; their records go to the history together.
const EVENTS_AT_ONCE: usize = 256;

/// Rest after a batch that was not full. What ends meanwhile is taken together: the schedule, the
/// history and this task are woken once for all of it, and nobody misses 20 ms.
const REST: Duration = Duration::from_millis(20);

/// How often it looks around: queues, and that time goes on.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often every state is looked at again: without a result a state ends by itself. Metrics and
/// log may be as late as this; the page and the API work it out when they are asked.
const STATES_EVERY: Duration = Duration::from_secs(5);

/// A run that starts later than this after its instant is late: ten times what a busy machine
/// needs.
const LATE: Micros = Micros(1_000_000);

/// A result that started later than this after now comes from a clock that was ahead.
pub(super) const AHEAD_MS: i64 = 1_000;

/// What happens.
#[derive(Debug)]
pub(super) enum Event {
    /// A run has ended.
    Finished(Box<Finished>),
    /// A slot could not be run.
    Void(Job, Reason),
    /// Nothing could be run for a while.
    Absent(Span, Reason),
    /// The wall clock was set.
    ClockStepped {
        /// How far, in milliseconds.
        by_ms: i64,
        /// The time after it.
        at: Millis,
    },
    /// Something for the journal.
    Journal(history::Event),
    /// Watch this from `at` on.
    Adopt {
        /// What.
        roster: Arc<Roster>,
        /// Where checks stand that are not watched yet.
        restored: HashMap<CheckId, LiveCheck>,
        /// When it comes into force.
        at: Millis,
        /// Told when it is done.
        done: oneshot::Sender<()>,
    },
    /// The past of a check was read again.
    Past {
        /// The check as it was then.
        check: Arc<Check>,
        /// How often it had been asked for.
        asked: u64,
        /// Where it stands.
        live: Box<LiveCheck>,
    },
}

/// The one task.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) clock: Clock,
    pub(super) vantage: VantageId,
    pub(super) history: History,
    pub(super) metrics: Arc<Metrics>,
    pub(super) schedule: mpsc::Sender<Command>,
    /// Shared with those who show it; never locked across an await.
    pub(super) watch: Shared,
    /// Told when the past of a check must be read again.
    pub(super) again: Arc<Notify>,
    /// When it last looked around, in milliseconds since the machine started.
    pub(super) looked: Arc<AtomicI64>,
    /// Told when an alert opens or is over.
    pub(super) alarmed: Arc<Notify>,
}

/// What one batch of events leaves to be done.
#[derive(Debug, Default)]
struct Todo {
    records: Vec<Record>,
    ended: Vec<Ended>,
    /// Checks whose past must be read again, once the records are on their way.
    again: Vec<CheckId>,
}

impl Pipeline {
    /// Runs until `stop`, then takes what is still in the queue.
    pub(super) async fn run(
        self,
        mut events: mpsc::Receiver<Event>,
        stop: CancellationToken,
    ) -> Result<(), String> {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut states = interval(STATES_EVERY);
        states.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut batch = Vec::with_capacity(EVENTS_AT_ONCE);
        loop {
            tokio::select! {
                taken = events.recv_many(&mut batch, EVENTS_AT_ONCE) => {
                    if taken == 0 {
                        return Ok(());
                    }
                    self.take(&mut batch).await?;
                    if taken < EVENTS_AT_ONCE {
                        sleep(REST).await;
                    }
                }
                _ = look.tick() => {
                    self.metrics.queue_length("events", events.len());
                    self.look();
                }
                _ = states.tick() => self.look_at_states(),
                () = stop.cancelled() => {
                    events.close();
                    while events.recv_many(&mut batch, EVENTS_AT_ONCE).await > 0 {
                        self.take(&mut batch).await?;
                    }
                    self.history.beat(self.clock.now());
                    return Ok(());
                }
            }
        }
    }

    async fn take(&self, batch: &mut Vec<Event>) -> Result<(), String> {
        let mut todo = Todo::default();
        let shared = Arc::clone(&self.watch);
        {
            let mut watch = watched::lock(&shared);
            for event in batch.drain(..) {
                self.one(event, &mut watch, &mut todo);
            }
        }
        if !todo.ended.is_empty() {
            // The schedule is gone only when the daemon is ending.
            let _ = self.schedule.send(Command::Done(todo.ended)).await;
        }
        if !todo.records.is_empty() {
            self.history.append(todo.records).await.map_err(|error| error.to_string())?;
        }
        // Only now, so that what is read holds all that was noted before it was asked for.
        if !todo.again.is_empty() {
            let mut watch = watched::lock(&shared);
            todo.again.iter().for_each(|it| watch.ask_again(it));
            drop(watch);
            self.again.notify_one();
        }
        Ok(())
    }

    fn one(&self, event: Event, watch: &mut Watch, todo: &mut Todo) {
        match event {
            Event::Finished(finished) => self.finished(*finished, watch, todo),
            Event::Void(job, reason) => self.void(&job, reason, watch, todo),
            Event::Absent(gap, reason) => self.absent(gap, reason, watch, todo),
            Event::ClockStepped { by_ms, at } => {
                warn!(by_ms, "the wall clock was set");
                if by_ms < 0 {
                    watch.set_back(by_ms, at);
                }
                let body = serde_json::json!({ "by_ms": by_ms });
                todo.records.push(Record::Event(journal(at, "clock.step", body)));
            }
            Event::Journal(event) => todo.records.push(Record::Event(event)),
            Event::Adopt { roster, restored, at, done } => {
                self.metrics.set_roster(&roster, &self.vantage);
                todo.again.extend(watch.adopt(roster, restored, at));
                self.tell_all(watch);
                // Nobody waits any more if the reload was given up; the roster stands.
                let _ = done.send(());
            }
            Event::Past { check, asked, live } => {
                let came = watch.checks.get_mut(&check.id);
                match came.map(|it| it.begin_again(&check, *live, asked)) {
                    None | Some(Again::NotAsked) => {}
                    Some(Again::Done) => self.tell_past(&check.id, watch),
                    Some(Again::MustBeAsked) => todo.again.push(check.id.clone()),
                }
            }
        }
    }

    fn finished(&self, finished: Finished, watch: &mut Watch, todo: &mut Todo) {
        let Finished { job, started, lateness, observation } = finished;
        let result = RunResult {
            check: job.check.id.clone(),
            lane: job.lane,
            vantage: self.vantage.clone(),
            due: job.due,
            started,
            lateness,
            kind: job.kind,
            run: job.run,
            reason: observation.reason,
            phases: observation.phases,
            status: observation.status,
            bytes: observation.bytes,
            reused: observation.reused,
        };
        let follow = self.account(&result, observation.detail.why, watch, todo);
        if let Some(watched) = watch.checks.get_mut(&result.check)
            && let Some(not_after) = observation.tls_not_after
        {
            watched.tls_not_after = Some(not_after);
            self.metrics.tls_not_after(&result.check, not_after);
        }
        let wait = observation.retry_after.unwrap_or_default();
        todo.ended.push(Ended {
            check: result.check.clone(),
            lane: result.lane,
            follow: planned(&result, follow),
            wait_us: i64::try_from(wait.as_micros()).unwrap_or(i64::MAX),
        });
        todo.records.push(Record::Result(result));
    }

    fn void(&self, job: &Job, reason: Reason, watch: &mut Watch, todo: &mut Todo) {
        let now_us = self.clock.now_us();
        let result = RunResult {
            check: job.check.id.clone(),
            lane: job.lane,
            vantage: self.vantage.clone(),
            due: job.due,
            started: Millis(now_us.div_euclid(1_000)),
            lateness: job.lateness(now_us),
            kind: job.kind,
            run: job.run,
            reason,
            phases: Phases::default(),
            status: None,
            bytes: 0,
            reused: false,
        };
        self.account(&result, None, watch, todo);
        todo.records.push(Record::Result(result));
    }

    /// Takes one result into account: metrics, live state, log. Gives what to run next.
    fn account(
        &self,
        result: &RunResult,
        why: Option<String>,
        watch: &mut Watch,
        todo: &mut Todo,
    ) -> live::Follow {
        self.metrics.result(result);
        self.note_ourselves(result, watch);
        // A run of a check that a reload has just removed is filed, and that is all.
        let Some(watched) = watch.checks.get_mut(&result.check) else {
            return live::Follow::None;
        };
        // By a clock that has been set back since: the history keeps it, the state can't use it.
        if result.started > self.clock.now().plus_ms(AHEAD_MS) {
            return live::Follow::None;
        }
        let change = watched.note(result);
        if change.opens() || change.resolves() {
            self.alarmed.notify_one();
        }
        if change.late {
            todo.again.push(result.check.clone());
        }
        debug!(
            check = %result.check, lane = result.lane.as_str(), kind = result.kind.as_str(),
            outcome = result.outcome().as_str(), reason = result.reason.as_str(),
            us = result.phases.total().0, why = why.as_deref(), "result"
        );
        watched.last = Some(result.clone());
        watched.why = why;
        let present = watched.live.present(self.clock.now());
        if present != watched.told {
            self.tell(&result.check, present, watch);
        }
        change.follow
    }

    /// The past of a check was read again.
    fn tell_past(&self, check: &CheckId, watch: &mut Watch) {
        let Some(watched) = watch.checks.get(check) else { return };
        let present = watched.live.present(self.clock.now());
        info!(%check, state = present.as_str(), "its past was read again");
        if present != watched.told {
            self.tell(check, present, watch);
        }
        self.alarmed.notify_one();
    }

    /// What a result says of the monitor itself.
    fn note_ourselves(&self, result: &RunResult, watch: &mut Watch) {
        let now = self.clock.now();
        if result.lateness > LATE {
            watch.late.note(now, SPELL_MS);
        }
        // A good result of another check does not end it: some ways may be open while the anchors'
        // are not.
        if result.reason == Reason::SelfNet {
            let interval_ms = watch.checks.get(&result.check).map_or(0, |it| it.check.interval_ms);
            watch.blind.note(now, 2 * interval_ms);
        }
    }

    /// Says that time goes on, and how long the history's queue is.
    fn look(&self) {
        let now = self.clock.now();
        self.history.beat(now);
        self.looked.store(self.clock.since_boot_us() / 1_000, Ordering::Relaxed);
        let waiting = self.history.stats().waiting;
        self.metrics.queue_length("history", usize::try_from(waiting).unwrap_or(usize::MAX));
    }

    /// Tells of states that have ended without a result.
    fn look_at_states(&self) {
        let now = self.clock.now();
        let watch = &mut *watched::lock(&self.watch);
        let changed: Vec<(CheckId, State)> = watch
            .checks
            .iter()
            .map(|(id, watched)| (id, watched.told, watched.live.present(now)))
            .filter(|(_, told, state)| told != state)
            .map(|(id, _, state)| (id.clone(), state))
            .collect();
        for (check, state) in changed {
            self.tell(&check, state, watch);
        }
    }

    /// Tells metrics and log that a check stands otherwise, and its system perhaps too.
    fn tell(&self, check: &CheckId, state: State, watch: &mut Watch) {
        let Some(watched) = watch.checks.get_mut(check) else { return };
        let before = std::mem::replace(&mut watched.told, state);
        self.metrics.check_state(check, state);
        let system = watched.check.system.clone();
        // What was wrong with the last result explains no state that is well.
        let why = watched.why.as_deref().filter(|_| !matches!(state, State::Up | State::Slow));
        match (before, state) {
            (_, State::Down) => warn!(%check, %system, why, "went down"),
            (State::Down, State::Up | State::Slow) => info!(%check, %system, "came back"),
            _ => {
                info!(%check, %system, from = before.as_str(), to = state.as_str(), why, "changed");
            }
        }
        let roster = Arc::clone(&watch.roster);
        if let Some(system) = roster.systems.iter().find(|it| it.id == system) {
            self.tell_system(system, watch);
        }
    }

    fn tell_system(&self, system: &System, watch: &mut Watch) {
        let now = self.clock.now();
        let (before, state) = watch.stand(system, now);
        let Some(state) = state else { return };
        self.metrics.system_state(&system.id, state);
        let since = watch.systems.get(&system.id).map_or(now, |it| it.since);
        self.metrics.system_since(&system.id, since);
        match watch.incidents.entry(system.id.clone()).or_default().turn(state, since) {
            None => {}
            Some(Turn::Opens) => self.metrics.incident(&system.id, true, 1),
            Some(Turn::GoesOn) => self.metrics.incident(&system.id, true, 0),
            Some(Turn::Closes) => self.metrics.incident(&system.id, false, 0),
        }
        let from = before.map_or("nothing", State::as_str);
        match state {
            _ if before == Some(state) => {}
            State::Down => warn!(system = %system.id, from, "system went down"),
            _ => info!(system = %system.id, from, to = state.as_str(), "system changed"),
        }
    }

    /// Records a time in which nothing could be run, for every check.
    fn absent(&self, gap: Span, reason: Reason, watch: &Watch, todo: &mut Todo) {
        if reason != Reason::Stopped {
            let (from, to) = (gap.start(), gap.end());
            warn!(%from, %to, reason = reason.as_str(), "nothing was measured");
        }
        for watched in watch.checks.values() {
            self.metrics.void_slots(reason, settings::slots(&watched.check, gap));
            todo.records.push(Record::Void(VoidSpan {
                check: watched.check.id.clone(),
                vantage: self.vantage.clone(),
                from: gap.start(),
                to: gap.end(),
                reason,
            }));
        }
    }

    /// After a change of roster every state is told anew.
    fn tell_all(&self, watch: &mut Watch) {
        let now = self.clock.now();
        for (id, watched) in &mut watch.checks {
            watched.told = watched.live.present(now);
            self.metrics.check_state(id, watched.told);
            if let Some(not_after) = watched.tls_not_after {
                self.metrics.tls_not_after(id, not_after);
            }
        }
        let roster = Arc::clone(&watch.roster);
        for system in &roster.systems {
            self.tell_system(system, watch);
        }
    }
}

/// A line for the journal.
pub(super) fn journal(at: Millis, kind: &str, body: serde_json::Value) -> history::Event {
    history::Event { at, kind: kind.to_owned(), body }
}

/// The follow-up run as the schedule wants it.
fn planned(result: &RunResult, follow: live::Follow) -> Option<Follow> {
    let (kind, wait_ms) = match follow {
        live::Follow::None => return None,
        live::Follow::Confirm { wait_ms } => (RunKind::Confirm, wait_ms),
        live::Follow::Fast { wait_ms } => (RunKind::Fast, wait_ms),
    };
    let ended_us = result.started.0 * 1_000 + i64::from(result.phases.total().0);
    Some(Follow { at_us: ended_us + wait_ms * 1_000, due: result.due, kind })
}
