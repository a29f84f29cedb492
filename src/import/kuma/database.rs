//! The SQLite database of Uptime Kuma. It is never written to.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::Value as Json;
use tempfile::TempDir;

use super::super::ImportError;
use super::{Fields, Kuma, backup};

/// A connection, and the copy it reads if there is one.
struct Opened {
    connection: Connection,
    copy: Option<TempDir>,
}

/// Reads the database at `path`.
pub(super) fn read(path: &Path) -> Result<Kuma, ImportError> {
    let failed = |problem: String| ImportError::Database { path: path.to_path_buf(), problem };
    let opened = open(path).map_err(&failed)?;
    let database = &opened.connection;
    let monitors = rows(database, "SELECT * FROM monitor ORDER BY id");
    let monitors = match monitors {
        Err(rusqlite::Error::SqliteFailure(_, Some(said))) if said.starts_with("no such table") => {
            return Err(ImportError::NotThis {
                wanted: "a database of Uptime Kuma",
                seen: "it has no table `monitor`".to_owned(),
                mend: "name data/kuma.db of Uptime Kuma",
            });
        }
        other => other.map_err(|error| failed(error.to_string()))?,
    };
    let mut kuma = Kuma { monitors, in_use: opened.copy.is_some(), ..Kuma::default() };
    // Tables that older or newer versions may not have are empty then.
    let table = |sql: &str| rows(database, sql).unwrap_or_default();
    kuma.proxies = table("SELECT * FROM proxy ORDER BY id");
    let mut tags: HashMap<i64, Vec<String>> = HashMap::new();
    let sql = "SELECT monitor_tag.monitor_id AS id, tag.name AS name FROM monitor_tag \
               JOIN tag ON tag.id = monitor_tag.tag_id ORDER BY monitor_tag.id";
    for row in table(sql) {
        tags.entry(row.id()).or_default().extend(row.text("name"));
    }
    for monitor in &mut kuma.monitors {
        monitor.tags = tags.remove(&monitor.id()).unwrap_or_default();
    }
    for row in table("SELECT name, config FROM notification ORDER BY id") {
        let kind = backup::kind_of(&row.text("config").unwrap_or_default());
        kuma.notifications.push((row.text("name").unwrap_or_default(), kind));
    }
    let titles = |sql: &str| table(sql).iter().filter_map(|it| it.text("title")).collect();
    kuma.maintenance = titles("SELECT title FROM maintenance WHERE active = 1 ORDER BY id");
    kuma.pages = titles("SELECT title FROM status_page ORDER BY id");
    Ok(kuma)
}

/// Opens the file in place if nobody writes it, else a copy with what was not yet put into it.
fn open(path: &Path) -> Result<Opened, String> {
    let log = beside(path, "-wal");
    let busy = fs::metadata(&log).is_ok_and(|it| it.len() > 0);
    let said = |error: &dyn std::fmt::Display| error.to_string();
    if !busy {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        // `immutable`: no lock and no file beside it is made.
        let address = format!("file:{}?immutable=1", escaped(path));
        let connection = Connection::open_with_flags(address, flags).map_err(|it| said(&it))?;
        return Ok(Opened { connection, copy: None });
    }
    let folder = TempDir::new().map_err(|it| said(&it))?;
    let copied = folder.path().join("kuma.db");
    fs::copy(path, &copied).map_err(|it| said(&it))?;
    fs::copy(&log, beside(&copied, "-wal")).map_err(|it| said(&it))?;
    let connection = Connection::open(&copied).map_err(|it| said(&it))?;
    Ok(Opened { connection, copy: Some(folder) })
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// A path as it stands in a `file:` address.
fn escaped(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b);
    let bytes = path.as_os_str().as_bytes().iter();
    bytes
        .map(|b| if plain(*b) { char::from(*b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

fn rows(database: &Connection, sql: &str) -> Result<Vec<Fields>, rusqlite::Error> {
    let mut statement = database.prepare(sql)?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let rows = statement.query_map([], |row| fields(row, &names))?;
    rows.collect()
}

fn fields(row: &Row<'_>, names: &[String]) -> Result<Fields, rusqlite::Error> {
    let mut fields = Fields::default();
    for (at, name) in names.iter().enumerate() {
        fields.push(
            name,
            match row.get_ref(at)? {
                ValueRef::Null | ValueRef::Blob(_) => Json::Null,
                ValueRef::Integer(number) => Json::from(number),
                ValueRef::Real(number) => Json::from(number),
                ValueRef::Text(text) => Json::from(String::from_utf8_lossy(text)),
            },
        );
    }
    Ok(fields)
}
