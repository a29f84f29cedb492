//! What was measured, kept: one SQLite file that an auditor can open.
//!
//! One thread writes. Results come through a bounded queue and are committed together, at the
//! latest [`Settings::commit_within`] after the first; days gone by are packed into blocks.
//! Readers have connections of their own and see what is durable. Nothing here asks the time.
//! The format is explained byte by byte in `docs/history.md`.

mod error;
mod record;
mod row;
mod after;
mod cut;
mod column;
mod due;
mod block;
mod stats;
mod lock;
mod reserve;
mod place;
mod chain;
mod backlog;
mod late;
mod write;
mod seal;
mod upkeep;
mod writer;
mod cursor;
mod stored;
mod scan;
mod reader;
mod verify;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::model::time::Millis;

pub use cursor::{Cursor, NotACursor};
pub use error::HistoryError;
pub use reader::{Counts, Filter, PAGE_RESULTS_MAX, Page, Reader, Sealed};
pub use record::{Document, Event, Record, StoredEvent};
pub use stats::{Commit, Stats};
pub use upkeep::Upkept;
pub use verify::{Progress, Report, verify};

use lock::FolderLock;
use place::Place;
use reserve::Reserve;
use stats::Shared;
use writer::{Command, Writer};

/// Messages in the queue. With [`RECORDS_A_MESSAGE_MAX`] records each, at most 16,384 records
/// or about 3 MB wait there; when it is full, [`History::append`] waits.
const QUEUE_MESSAGES_MAX: usize = 64;

/// Records in one message; a longer append is cut into several.
const RECORDS_A_MESSAGE_MAX: usize = 256;

/// Called by the writer's thread after each commit with records in it. Must not block.
pub type Observer = Arc<dyn Fn(&Commit) + Send + Sync>;

/// How the history is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The data folder, which must exist; `None`: in memory, gone with the process.
    pub folder: Option<PathBuf>,
    /// Longest time from a record's arrival to its commit.
    pub commit_within: Duration,
    /// A UTC day is sealed once it ended this many whole days ago or more; 1: the day before
    /// yesterday and older. Later results of a sealed day are sealed with the next upkeep.
    pub seal_after_days: u32,
    /// Results due longer ago than this are deleted, by whole UTC days; `None`: never.
    pub keep_days: Option<u32>,
    /// Room kept in reserve for a full disk, in bytes; 0: none.
    pub reserve_bytes: u64,
    /// Records kept in memory while the disk refuses; when there are more, the oldest become
    /// void `disk_full`. The default is about 20 MB, or five minutes of 300 results a second.
    pub backlog_records_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            folder: None,
            commit_within: Duration::from_millis(200),
            seal_after_days: 1,
            keep_days: Some(400),
            reserve_bytes: 64 << 20,
            backlog_records_max: 100_000,
        }
    }
}

/// A handle to the writer; clones speak to the same one. When the last is dropped the writer
/// stores what it has and ends.
#[derive(Clone, Debug)]
pub struct History {
    queue: mpsc::Sender<Command>,
    shared: Arc<Shared>,
    place: Place,
}

impl History {
    /// Takes the folder, opens or makes the file, brings its format up to date, and starts the
    /// writer. Blocks: with a new reserve, for as long as writing it takes.
    ///
    /// # Errors
    ///
    /// [`HistoryError::InUse`], [`HistoryError::Newer`], [`HistoryError::NotOurs`], or what
    /// the system says. Then nothing was changed.
    pub fn open(settings: Settings, observer: Option<Observer>) -> Result<Self, HistoryError> {
        let folder = settings.folder.as_deref();
        let lock = folder.map(FolderLock::take).transpose()?;
        let place = Place::new(folder);
        let reserve = folder.map(|it| Reserve::new(it, settings.reserve_bytes));
        let connection = match place.writer() {
            Err(full) if full.is_disk_full() && reserve.as_ref().is_some_and(Reserve::release) => {
                place.writer()?
            }
            opened => opened?,
        };
        // A run before this one may have ended on a failed sync.
        if let Err(error) = Place::settle(&connection) {
            tracing::warn!(%error, "what the last run left in the log stays there for now");
        }
        if let Err(error) = verify::quick(&connection) {
            // Measuring goes on: what is read will be refused where it is damaged.
            tracing::error!(%error, "the history is damaged");
        }
        if let Some(Err(error)) = reserve.as_ref().map(Reserve::make) {
            tracing::warn!(%error, "no room for the reserve; going on without");
        }
        let shared = Arc::new(Shared::default());
        let writer = Writer::new(
            place.clone(),
            settings,
            connection,
            lock,
            reserve,
            observer,
            Arc::clone(&shared),
        );
        let (queue, commands) = mpsc::channel(QUEUE_MESSAGES_MAX);
        start(writer, commands).map_err(|source| HistoryError::File {
            action: "start the writer of",
            path: place.path().to_owned(),
            source,
        })?;
        Ok(Self { queue, shared, place })
    }

    /// Gives `records` to the writer; waits while its queue is full. Returning does not mean
    /// that they are durable: see [`History::flush`].
    ///
    /// Cancelling may leave the last part of `records` out, never a part in the middle.
    ///
    /// # Errors
    ///
    /// [`HistoryError::Closed`].
    pub async fn append(&self, mut records: Vec<Record>) -> Result<(), HistoryError> {
        while !records.is_empty() {
            let rest = records.split_off(records.len().min(RECORDS_A_MESSAGE_MAX));
            let slot = self.queue.reserve().await.map_err(|_| HistoryError::Closed)?;
            self.shared.waiting.fetch_add(records.len() as u64, Ordering::Relaxed);
            slot.send(Command::Append(records));
            records = rest;
        }
        Ok(())
    }

    /// Tells the writer the time, so that after a restart it is known how long the daemon was
    /// away. Call it every second or so; it never waits.
    pub fn beat(&self, now: Millis) {
        // A full queue means that records are on their way, which say as much.
        let _ = self.queue.try_send(Command::Beat(now));
    }

    /// Waits until everything appended before is durable.
    ///
    /// # Errors
    ///
    /// [`HistoryError::NotDurable`] at once if the disk refuses: the records are kept and
    /// tried again. [`HistoryError::Closed`].
    pub async fn flush(&self) -> Result<(), HistoryError> {
        self.ask(Command::Flush).await
    }

    /// Seals the days that are over and deletes those older than is kept, by `now`. Takes as
    /// long as there is work, in short steps between commits; once an hour is plenty.
    ///
    /// # Errors
    ///
    /// What SQLite says, or [`HistoryError::Damaged`]. What was done before is done; the next
    /// call goes on.
    pub async fn maintain(&self, now: Millis) -> Result<Upkept, HistoryError> {
        self.ask(|answer| Command::Maintain(now, answer)).await
    }

    /// Stores everything and closes the file. The folder is free afterwards.
    ///
    /// # Errors
    ///
    /// [`HistoryError::NotDurable`] if the disk refuses: what waited is lost.
    pub async fn close(self) -> Result<(), HistoryError> {
        self.ask(Command::Close).await
    }

    /// A new reader. Blocking, but short.
    pub fn reader(&self) -> Result<Reader, HistoryError> {
        Reader::of(&self.place)
    }

    /// The writer's state now.
    pub fn stats(&self) -> Stats {
        self.shared.read()
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, HistoryError>>) -> Command,
    ) -> Result<T, HistoryError> {
        let (answer, answered) = oneshot::channel();
        self.queue.send(command(answer)).await.map_err(|_| HistoryError::Closed)?;
        answered.await.map_err(|_| HistoryError::Closed)?
    }
}

/// Starts the thread. It has a small runtime of its own, for the one thing a plain thread
/// can't do: wait for the queue with a deadline. Its time is real even where tests pause ours.
fn start(writer: Writer, commands: mpsc::Receiver<Command>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    std::thread::Builder::new()
        .name("history-writer".to_owned())
        .spawn(move || runtime.block_on(writer.run(commands)))?;
    Ok(())
}
