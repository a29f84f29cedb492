//! What can go wrong with the history.

use std::{io, path::PathBuf};

/// Why the history can't be opened, written or read. Says where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// Another process holds the folder.
    #[error(
        "{path} is in use by process {pid}: stop that one first, or choose another data folder"
    )]
    InUse {
        /// The lock file.
        path: PathBuf,
        /// The process as it wrote itself down; `?` if it did not.
        pid: String,
    },
    /// The file was made by a newer version.
    #[error(
        "{path} was made by a newer version: its format is {found}, this one reads up to {known}; \
         run the newer version"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that this version knows.
        known: i64,
    },
    /// The file is of an older format; only the daemon changes it.
    #[error(
        "{path} is of format {found}, this version reads {known}: start the daemon once, which \
         brings it up to date"
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// Its format; 0: it is empty.
        found: i64,
        /// The format that this version reads.
        known: i64,
    },
    /// The file is something else.
    #[error("{path} is not a history of thongsuot; move it away or choose another data folder")]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// There is no such file.
    #[error(
        "there is no {path}: name with `--data` the folder of a daemon that has run, such as \
         /var/lib/thongsuot"
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file or folder could not be used.
    #[error("can't {action} {path}: {source}")]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// SQLite refused. After a failed write nothing of that transaction is stored.
    #[error("history, {action}: {source}")]
    Sqlite {
        /// What was tried.
        action: &'static str,
        /// SQLite's answer.
        source: rusqlite::Error,
    },
    /// Stored bytes are not what was stored. Nothing was left out silently: the whole answer
    /// is refused.
    #[error("damaged history: {at}: {fault}; run `thongsuot verify`, and restore from a backup")]
    Damaged {
        /// Check, lane, vantage, day and range, or the table and row.
        at: String,
        /// What is wrong with it.
        fault: String,
    },
    /// The records are kept in memory and the write will be tried again.
    #[error("not yet durable, kept in memory and tried again: {why}")]
    NotDurable {
        /// Why the last try failed.
        why: String,
    },
    /// The writer has ended.
    #[error("the history is closed")]
    Closed,
}

impl HistoryError {
    /// For `map_err`: SQLite refused `action`.
    pub(super) fn sqlite(action: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Self::Sqlite { action, source }
    }

    /// For `map_err`: what is stored at `at` could not be read. Broken pages and numbers out of
    /// range are damage, and named as such.
    pub(super) fn reading(at: &dyn std::fmt::Display) -> impl FnOnce(rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        move |source| match source.sqlite_error_code() {
            None | Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { at: at.to_string(), fault: source.to_string() }
            }
            Some(_) => Self::Sqlite { action: "read", source },
        }
    }

    /// Whether the disk has no room left.
    pub fn is_disk_full(&self) -> bool {
        matches!(
            self,
            Self::Sqlite { source, .. }
                if source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
        )
    }

    /// Whether the connection can't be trusted any more. What the kernel could not write or
    /// sync it may have dropped, so a second sync that works proves nothing: reopen and check.
    pub(super) fn is_fatal_for_connection(&self) -> bool {
        use rusqlite::ErrorCode;
        matches!(
            self,
            Self::Sqlite { source, .. } if source.sqlite_error_code().is_some_and(|code| {
                use ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull};
                !matches!(code, DiskFull | DatabaseBusy | DatabaseLocked)
            })
        )
    }

    /// Whether it is about what is stored, and not about storing.
    pub(super) fn is_about_content(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            Self::Sqlite { source, .. } => source.sqlite_error_code().is_none(),
            _ => false,
        }
    }
}
