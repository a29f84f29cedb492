//! The one thread that writes: collects a batch, commits it, and does upkeep between batches.

mod commit;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tracing::{error, warn};

use crate::model::time::Millis;

use super::backlog::Backlog;
use super::lock::FolderLock;
use super::place::Place;
use super::reserve::Reserve;
use super::stats::Shared;
use super::upkeep::{self, Step, Upkeep, Upkept};
use super::write::Names;
use super::{HistoryError, Observer, Record, Settings};

/// Commands taken from the queue at once.
const COMMANDS_AT_ONCE: usize = 256;

/// Most records of one transaction: about 40 ms of work, so that a barrier behind a long
/// backlog is not held up.
const BATCH_RECORDS_MAX: usize = 4_096;

/// The daemon's time is stored at least this often, also when nothing is measured.
const ALIVE_EVERY_MS: i64 = 5_000;

/// How long the thread sleeps when there is nothing to do.
const IDLE: Duration = Duration::from_hours(1);

/// Where an answer goes.
pub(super) type Answer<T> = oneshot::Sender<Result<T, HistoryError>>;

/// What the thread is asked to do.
#[derive(Debug)]
pub(super) enum Command {
    /// Keep these.
    Append(Vec<Record>),
    /// It is this late.
    Beat(Millis),
    /// Answer when all that came before is durable.
    Flush(Answer<()>),
    /// Seal and delete what is due by then.
    Maintain(Millis, Answer<Upkept>),
    /// Make all durable, close the file, answer.
    Close(Answer<()>),
}

/// The thread's own state.
pub(super) struct Writer {
    place: Place,
    settings: Settings,
    connection: Option<Connection>,
    /// Which file the connection has open.
    file: Option<(u64, u64)>,
    names: Names,
    shared: Arc<Shared>,
    observer: Option<Observer>,
    backlog: Backlog,
    reserve: Option<Reserve>,
    batch_due: Option<Instant>,
    flushes: Vec<Answer<()>>,
    upkeep: Option<(Upkeep, Vec<Answer<Upkept>>)>,
    failing: Option<Failing>,
    now: Option<Millis>,
    alive: Option<Millis>,
    since_checkpoint: u64,
    _lock: Option<FolderLock>,
}

/// A disk that refuses.
struct Failing {
    why: String,
    next_try: Instant,
    wait: Duration,
}

impl Writer {
    pub(super) fn new(
        place: Place,
        settings: Settings,
        connection: Connection,
        lock: Option<FolderLock>,
        reserve: Option<Reserve>,
        observer: Option<Observer>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            file: place.identity(),
            place,
            connection: Some(connection),
            names: Names::default(),
            shared,
            observer,
            backlog: Backlog::new(settings.backlog_records_max),
            reserve,
            batch_due: None,
            flushes: Vec::new(),
            upkeep: None,
            failing: None,
            now: None,
            alive: None,
            since_checkpoint: 0,
            _lock: lock,
            settings,
        }
    }

    /// Works until the queue is closed or [`Command::Close`] comes.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        let mut commands = Vec::with_capacity(COMMANDS_AT_ONCE);
        let answer = loop {
            let wake = self.wake_at();
            let got = timeout_at(wake, queue.recv_many(&mut commands, COMMANDS_AT_ONCE)).await;
            if matches!(got, Ok(0)) {
                break None;
            }
            let mut close = None;
            for command in commands.drain(..) {
                self.take(command, &mut close);
            }
            if close.is_some() {
                break close;
            }
            self.commit_if_due();
            self.upkeep_step();
        };
        let result = self.finish();
        drop(self);
        if let Some(answer) = answer {
            let _ = answer.send(result);
        } else if let Err(error) = result {
            error!(%error, "history closed with records that are not durable");
        }
    }

    /// When to wake although nothing was asked.
    fn wake_at(&self) -> Instant {
        match (&self.failing, self.batch_due) {
            (Some(failing), _) => failing.next_try,
            (None, _) if self.upkeep.is_some() => Instant::now(),
            (None, Some(due)) => due,
            (None, None) => Instant::now() + IDLE,
        }
    }

    fn take(&mut self, command: Command, close: &mut Option<Answer<()>>) {
        match command {
            Command::Append(records) => {
                for record in records {
                    if let Record::Result(result) = &record {
                        self.now = self.now.max(Some(result.ended()));
                    }
                    let dropped = self.backlog.push(record);
                    self.shared.waiting.fetch_sub(dropped, Ordering::Relaxed);
                    self.shared.dropped.fetch_add(dropped, Ordering::Relaxed);
                }
                self.start_batch();
            }
            Command::Beat(now) => {
                self.now = Some(now);
                if self.alive.is_none_or(|at| now.since(at).abs() >= ALIVE_EVERY_MS) {
                    self.start_batch();
                }
            }
            Command::Flush(answer) => self.flushes.push(answer),
            Command::Maintain(now, answer) => {
                // Room given back for a full disk is taken again once there is some.
                if self.failing.is_none()
                    && let Some(Err(error)) = self.reserve.as_ref().map(Reserve::make)
                {
                    warn!(%error, "no room for the reserve");
                }
                // What waits belongs to it too.
                self.batch_due = Some(Instant::now());
                match &mut self.upkeep {
                    Some((_, answers)) => answers.push(answer),
                    None => {
                        self.upkeep = Some((Upkeep::new(now, &self.settings), vec![answer]));
                    }
                }
            }
            Command::Close(answer) => *close = Some(answer),
        }
    }

    fn start_batch(&mut self) {
        self.batch_due.get_or_insert_with(|| Instant::now() + self.settings.commit_within);
    }

    fn commit_if_due(&mut self) {
        let now = Instant::now();
        if let Some(failing) = &self.failing
            && now < failing.next_try
        {
            let why = failing.why.clone();
            self.answer(&Err(why));
            return;
        }
        // After a failure there is always something to try again, be it only the sync.
        let due = self.failing.is_some() || self.batch_due.is_some_and(|due| due <= now);
        if due || !self.flushes.is_empty() || self.backlog.len() >= BATCH_RECORDS_MAX {
            let result = self.commit_all();
            self.answer(&result);
        }
    }

    fn answer(&mut self, result: &Result<(), String>) {
        for flush in self.flushes.drain(..) {
            let answer = result.clone().map_err(|why| HistoryError::NotDurable { why });
            let _ = flush.send(answer);
        }
    }

    /// One step of the upkeep, if one is under way. Tells those who wait when it is done.
    fn upkeep_step(&mut self) {
        let Some((mut upkeep, answers)) = self.upkeep.take() else { return };
        let before = upkeep.done;
        let step = match (&mut self.connection, &self.failing) {
            (Some(connection), None) => upkeep.step(connection),
            (_, failing) => {
                let why = failing.as_ref().map(|it| it.why.clone()).unwrap_or_default();
                Err(HistoryError::NotDurable { why })
            }
        };
        if upkeep.done != before {
            self.names.forget_sealed();
            let sealed = upkeep.done.sealed_results - before.sealed_results;
            add(&self.shared.sealed, sealed);
            self.since_checkpoint += sealed;
            self.checkpoint_if_due();
        }
        let result = match step {
            Ok(Step::More) => {
                self.upkeep = Some((upkeep, answers));
                return;
            }
            Ok(Step::Finished) => Ok(upkeep.done),
            Err(error) => {
                warn!(%error, "upkeep of the history stopped; the next one goes on");
                if error.is_fatal_for_connection() {
                    self.note_failure(&error, error.to_string());
                }
                Err(error)
            }
        };
        upkeep::answer_all(answers, result);
    }

    /// Makes all durable and leaves the log empty.
    fn finish(&mut self) -> Result<(), HistoryError> {
        let result = self.commit_all();
        self.answer(&result);
        result.map_err(|why| HistoryError::NotDurable { why })?;
        if let Some(connection) = self.connection.take() {
            // Closing the last connection copies the log and removes it.
            connection
                .close()
                .map_err(|(_, source)| HistoryError::Sqlite { action: "close", source })?;
        }
        Ok(())
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
