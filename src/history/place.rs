//! Where the file is, how it is opened, and how its format is brought up to date.

use std::fs::OpenOptions;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::HistoryError;

/// Name of the file in the data folder.
const FILE: &str = "history.sqlite";

/// `thsu`: in the file's header (byte 68), so that `file` and we can tell it from others.
const APPLICATION_ID: i64 = 0x7468_7375;

/// How long a connection waits for another's lock. In the memory mode a reader holds up the
/// writer for one query; on disk (write-ahead log) nobody waits but for a checkpoint.
const BUSY: Duration = Duration::from_secs(5);

/// What brings a file from format `i` to format `i + 1`; its length is the newest format.
const MIGRATIONS: &[&str] = &[include_str!("v1.sql"), include_str!("v2.sql")];

/// Where a history lives.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A file.
    Disk(PathBuf),
    /// Memory that the connections of this process share by this name.
    Memory(String),
}

impl Place {
    /// In `folder`, or in memory.
    pub(super) fn new(folder: Option<&Path>) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        if let Some(folder) = folder {
            return Self::Disk(folder.join(FILE));
        }
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self::Memory(format!("file:/thongsuot-{number}?vfs=memdb"))
    }

    /// For messages.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Disk(path) => path,
            Self::Memory(_) => Path::new("the history in memory"),
        }
    }

    /// Which file has this name now: device and number; `None` if none has, or in memory.
    pub(super) fn identity(&self) -> Option<(u64, u64)> {
        let Self::Disk(path) = self else { return None };
        std::fs::metadata(path).ok().map(|it| (it.dev(), it.ino()))
    }

    fn connect(&self, flags: OpenFlags) -> Result<Connection, HistoryError> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match self {
            Self::Disk(path) => Connection::open_with_flags(path, flags),
            Self::Memory(uri) => {
                Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)
            }
        };
        let connection = connection.map_err(|source| match (self, source.sqlite_error_code()) {
            (Self::Disk(path), Some(rusqlite::ErrorCode::CannotOpen)) => HistoryError::File {
                action: "open",
                path: path.clone(),
                source: std::io::Error::other(source),
            },
            _ => HistoryError::Sqlite { action: "open", source },
        })?;
        connection.busy_timeout(BUSY).map_err(HistoryError::sqlite("open"))?;
        Ok(connection)
    }

    /// A connection that only reads, to a file of the newest format.
    pub(super) fn reader(&self) -> Result<Connection, HistoryError> {
        let flags = match self {
            Self::Disk(_) => OpenFlags::SQLITE_OPEN_READ_ONLY,
            Self::Memory(_) => OpenFlags::SQLITE_OPEN_READ_WRITE,
        };
        if let Self::Disk(path) = self
            && matches!(path.try_exists(), Ok(false))
        {
            return Err(HistoryError::Missing { path: path.clone() });
        }
        let connection = self.connect(flags)?;
        pragma(&connection, "query_only", &1)?;
        pragma(&connection, "mmap_size", &0)?;
        let format = self.format(&connection)?;
        let known = MIGRATIONS.len() as i64;
        if format != known {
            let path = self.path().to_owned();
            return Err(HistoryError::Older { path, found: format, known });
        }
        Ok(connection)
    }

    /// The connection that writes; makes the file or brings it up to date.
    pub(super) fn writer(&self) -> Result<Connection, HistoryError> {
        if let Self::Disk(path) = self {
            make_private(path);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut connection = self.connect(flags)?;
        let format = self.format(&connection)?;
        if format == 0 {
            // Both are fixed once the first table is made. 4 KiB: one block of most disks.
            pragma(&connection, "page_size", &4_096)?;
            pragma(&connection, "auto_vacuum", &0)?;
        }
        let mode: String = connection
            .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
            .map_err(HistoryError::sqlite("switch to the write-ahead log"))?;
        if matches!(self, Self::Disk(_)) && mode != "wal" {
            let source = std::io::Error::other(format!(
                "the file system gives `{mode}` instead of a write-ahead log"
            ));
            let path = self.path().to_owned();
            return Err(HistoryError::File { action: "keep a write-ahead log for", path, source });
        }
        pragma(&connection, "synchronous", &"full")?;
        pragma(&connection, "foreign_keys", &1)?;
        pragma(&connection, "mmap_size", &0)?;
        pragma(&connection, "journal_size_limit", &WAL_BYTES_KEPT)?;
        // The writer does it itself, so that it sees whether it worked.
        pragma(&connection, "wal_autocheckpoint", &0)?;
        migrate(&mut connection, format, MIGRATIONS)?;
        Ok(connection)
    }

    /// Copies the whole log into the file and syncs both.
    ///
    /// After a failed sync the kernel may call pages clean that never reached the disk; what
    /// was in them is still read, and a later sync of them succeeds without writing. Only
    /// writing it all again, to another place, makes it durable.
    ///
    /// # Errors
    ///
    /// What SQLite says, or that a reader is in the way; then it must be tried again.
    pub(super) fn settle(connection: &Connection) -> Result<(), HistoryError> {
        let action = "copy the log into the file";
        let (busy, log, copied) = connection
            .query_row("PRAGMA wal_checkpoint(FULL)", [], |row| {
                Ok((row.get::<_, bool>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
            })
            .map_err(HistoryError::sqlite(action))?;
        if busy || log != copied {
            let why = format!("{action}: a reader is in the way");
            return Err(HistoryError::NotDurable { why });
        }
        Ok(())
    }

    /// The file's format, 0 if it is empty.
    fn format(&self, connection: &Connection) -> Result<i64, HistoryError> {
        let path = || self.path().to_owned();
        let read = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let refused = |source: rusqlite::Error| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => HistoryError::NotOurs { path: path() },
            _ => HistoryError::Sqlite { action: "read its header", source },
        };
        let application = read("application_id").map_err(refused)?;
        let format = read("user_version").map_err(refused)?;
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(refused)?;
        let known = MIGRATIONS.len() as i64;
        match (application, format) {
            (0, 0) if tables == 0 => Ok(0),
            (APPLICATION_ID, 1..) if format <= known => Ok(format),
            (APPLICATION_ID, 1..) => {
                Err(HistoryError::Newer { path: path(), found: format, known })
            }
            _ => Err(HistoryError::NotOurs { path: path() }),
        }
    }
}

/// The log is cut back to this after a checkpoint: a long reader makes it grow, and the space
/// should come back.
const WAL_BYTES_KEPT: i64 = 16 << 20;

fn pragma(
    connection: &Connection,
    name: &'static str,
    value: &dyn rusqlite::ToSql,
) -> Result<(), HistoryError> {
    // Some answer with a row and some do not; either is fine.
    connection
        .pragma_update(None, name, value)
        .map_err(|source| HistoryError::Sqlite { action: name, source })
}

/// Takes every step that is missing, in one transaction: a crash leaves the old format.
fn migrate(connection: &mut Connection, format: i64, steps: &[&str]) -> Result<(), HistoryError> {
    let missing = steps.get(usize::try_from(format).unwrap_or(0)..).unwrap_or_default();
    if missing.is_empty() {
        return Ok(());
    }
    let fault = HistoryError::sqlite("bring the format up to date");
    let mut run = || {
        let step = connection.transaction()?;
        for sql in missing {
            step.execute_batch(sql)?;
        }
        step.pragma_update(None, "application_id", APPLICATION_ID)?;
        step.pragma_update(None, "user_version", steps.len() as i64)?;
        step.commit()
    };
    run().map_err(fault)
}

/// Makes the file, if there is none, for its user only: it holds secrets. SQLite gives the files beside
/// it the same rights. Whatever is wrong SQLite says better.
fn make_private(path: &Path) {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_format_is_brought_up_to_date_or_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, 0, &["CREATE TABLE a(x)"]).unwrap();
        let broken = ["CREATE TABLE a(x)", "ALTER TABLE a ADD y; CREATE TABLE b(x); nonsense"];
        migrate(&mut connection, 1, &broken).unwrap_err();
        let version = |it: &Connection| {
            it.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap()
        };
        assert_eq!(version(&connection), 1);
        migrate(&mut connection, 1, &["CREATE TABLE a(x)", "ALTER TABLE a ADD y"]).unwrap();
        assert_eq!(version(&connection), 2);
        connection.execute("INSERT INTO a(x, y) VALUES (1, 2)", []).unwrap();
    }

    #[test]
    fn foreign_and_newer_files_are_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(Some(folder.path()));
        let text =
            "not a database, but long enough to have a header of one hundred bytes ".repeat(9);
        std::fs::write(place.path(), &text).unwrap();
        assert!(matches!(place.writer().unwrap_err(), HistoryError::NotOurs { .. }));
        assert_eq!(std::fs::read_to_string(place.path()).unwrap(), text);

        std::fs::remove_file(place.path()).unwrap();
        Connection::open(place.path()).unwrap().execute_batch("CREATE TABLE theirs(x)").unwrap();
        assert!(matches!(place.writer().unwrap_err(), HistoryError::NotOurs { .. }));

        std::fs::remove_file(place.path()).unwrap();
        drop(place.writer().unwrap());
        place.reader().unwrap();
        let connection = Connection::open(place.path()).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        drop(connection);
        for error in [place.writer().unwrap_err(), place.reader().unwrap_err()] {
            let text = error.to_string();
            assert!(text.contains("its format is 99, this one reads up to 2"), "{text}");
        }
    }

    #[test]
    fn the_files_are_ours_alone_unless_the_operator_made_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let place = Place::new(Some(folder.path()));
        let _writer = place.writer().unwrap();
        let log = format!("{}-wal", place.path().display());
        assert_eq!((mode(place.path()), mode(Path::new(&log))), (0o600, 0o600));
        std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o640)).unwrap();
        let _again = place.writer().unwrap();
        assert_eq!(mode(place.path()), 0o640);
    }
}
