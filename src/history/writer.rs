//! The one thread that writes: collects a batch, commits it, and does upkeep between batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tracing::{error, info, warn};

use crate::model::time::Millis;

use super::backlog::Backlog;
use super::lock::FolderLock;
use super::place::Place;
use super::reserve::Reserve;
use super::stats::{Commit, Shared};
use super::upkeep::{self, Step, Upkeep, Upkept};
use super::write::{self, Names};
use super::{HistoryError, Observer, Record, Settings, verify};

/// Commands taken from the queue at once.
const COMMANDS_AT_ONCE: usize = 256;

/// Most records of one transaction: about 40 ms of work, so that a barrier behind a long
/// backlog is not held up.
const BATCH_RECORDS_MAX: usize = 4_096;

/// After this many records the log is copied into the file. About 4 MiB of log.
const CHECKPOINT_RECORDS: u64 = 4_096;

/// First and longest wait between tries while the disk refuses.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(5);

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
    pub(super) place: Place,
    pub(super) settings: Settings,
    pub(super) connection: Option<Connection>,
    pub(super) names: Names,
    pub(super) shared: Arc<Shared>,
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
        let due = self.batch_due.is_some_and(|due| due <= now);
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

    /// Commits all that waits; on failure keeps it and sets the time of the next try.
    fn commit_all(&mut self) -> Result<(), String> {
        let mut result = self.commit_batches();
        if result.as_ref().is_err_and(HistoryError::is_disk_full)
            && self.reserve.as_ref().is_some_and(Reserve::release)
        {
            warn!("disk full: the reserve is given back so that results can be stored");
            result = self.commit_batches();
        }
        match result {
            Ok(()) => {
                self.batch_due = None;
                if self.failing.take().is_some() {
                    info!("results are stored again");
                }
                self.shared.failing.store(0, Ordering::Relaxed);
                self.checkpoint_if_due();
                Ok(())
            }
            Err(error) => {
                let why = error.to_string();
                self.note_failure(&error, why.clone());
                Err(why)
            }
        }
    }

    fn note_failure(&mut self, error: &HistoryError, why: String) {
        add(&self.shared.errors, 1);
        add(&self.shared.failing, 1);
        let wait = self.failing.as_ref().map_or(RETRY_FIRST, |it| (it.wait * 2).min(RETRY_MAX));
        if self.failing.is_none() {
            error!(%error, "results can't be stored; kept in memory and tried again");
        }
        self.failing = Some(Failing { why, next_try: Instant::now() + wait, wait });
        if error.is_fatal_for_connection() && matches!(self.place, Place::Disk(_)) {
            // Closed here, opened and checked again by the next try.
            self.connection = None;
        }
    }

    fn commit_batches(&mut self) -> Result<(), HistoryError> {
        self.reopen_if_needed()?;
        add(&self.shared.waiting, self.backlog.own_up());
        loop {
            let Some(connection) = &mut self.connection else { return Err(HistoryError::Closed) };
            let records = self.backlog.front(BATCH_RECORDS_MAX);
            let count = records.len();
            let from = Instant::now();
            let tally = write::batch(connection, &mut self.names, records, self.now)?;
            let took = from.elapsed();
            self.backlog.done(count);
            self.alive = self.now;
            self.since_checkpoint += count as u64;
            let shared = &self.shared;
            shared.waiting.fetch_sub(count as u64, Ordering::Relaxed);
            add(&shared.committed, tally.stored);
            add(&shared.duplicates, tally.duplicates);
            shared.last_commit_at.store(self.now.unwrap_or_default().0, Ordering::Relaxed);
            shared.last_commit_us.store(took.as_micros() as usize, Ordering::Relaxed);
            if count > 0
                && let Some(observer) = &self.observer
            {
                let (records, duplicates) = (count as u64, tally.duplicates);
                observer(&Commit { records, duplicates, took });
            }
            if self.backlog.len() == 0 {
                return Ok(());
            }
        }
    }

    fn reopen_if_needed(&mut self) -> Result<(), HistoryError> {
        if self.connection.is_none() {
            let connection = self.place.writer()?;
            Place::settle(&connection)?;
            verify::quick(&connection)?;
            self.names.forget();
            info!("history opened again and checked");
            self.connection = Some(connection);
        }
        Ok(())
    }

    /// Copies the log into the file. We do it ourselves because SQLite's own way of doing it
    /// after a commit hides a failed sync.
    fn checkpoint_if_due(&mut self) {
        if self.since_checkpoint < CHECKPOINT_RECORDS {
            return;
        }
        self.since_checkpoint = 0;
        let Some(connection) = &self.connection else { return };
        let done = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        if let Err(error) = done.map_err(HistoryError::sqlite("copy the log into the file")) {
            // Nothing is lost: the log still has it all.
            let why = error.to_string();
            self.note_failure(&error, why);
            self.start_batch();
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
                    self.start_batch();
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
