//! Commits, and what happens when the disk refuses one.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{error, info, warn};

use super::{BATCH_RECORDS_MAX, Failing, Writer, add};
use crate::history::place::Place;
use crate::history::reserve::Reserve;
use crate::history::stats::Commit;
use crate::history::{HistoryError, verify, write};

/// After this many records the log is copied into the file. About 4 MiB of log.
const CHECKPOINT_RECORDS: u64 = 4_096;

/// First and longest wait between tries while the disk refuses.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MAX: Duration = Duration::from_secs(5);

impl Writer {
    /// Commits all that waits; on failure keeps it and sets the time of the next try.
    pub(super) fn commit_all(&mut self) -> Result<(), String> {
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

    pub(super) fn note_failure(&mut self, error: &HistoryError, why: String) {
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
        self.still_there()?;
        loop {
            let Some(connection) = &mut self.connection else { return Err(HistoryError::Closed) };
            let owed = self.backlog.owed();
            let records = self.backlog.front(BATCH_RECORDS_MAX);
            let count = records.len();
            let from = Instant::now();
            let all = owed.iter().chain(records);
            let tally = write::batch(connection, &mut self.names, all, self.now)?;
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
            self.file = self.place.identity();
            info!("history opened again and checked");
            self.connection = Some(connection);
        }
        Ok(())
    }

    /// Whether the file still has its name. What is written to one that was removed, or lies
    /// under another mount, is lost to everybody.
    fn still_there(&mut self) -> Result<(), HistoryError> {
        if self.place.identity() == self.file {
            return Ok(());
        }
        self.connection = None;
        let path = self.place.path().to_owned();
        let source =
            io::Error::new(io::ErrorKind::NotFound, "it was moved or removed while in use");
        Err(HistoryError::File { action: "go on with", path, source })
    }

    /// Copies the log into the file. We do it ourselves because SQLite's own way of doing it
    /// after a commit hides a failed sync.
    pub(super) fn checkpoint_if_due(&mut self) {
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
        }
    }
}
