//! Results that come after their day was sealed: are they in a block already?

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params};

use super::block;
use super::row::{Row, day_of};

/// Days of streams whose identities are kept at once. A full day of a check every 30 seconds
/// is about 100 kB; late results come in few days at a time.
const DAYS_KEPT_MAX: usize = 64;

/// Due instant, kind, run.
type Identity = (i64, u8, u16);

/// Identities of sealed results, read from the blocks when first needed.
#[derive(Debug, Default)]
pub(super) struct Sealed {
    /// The newest day of any block; `None`: not yet looked up.
    newest: Option<i64>,
    /// By stream and day.
    days: HashMap<(i64, i64), HashSet<Identity>>,
}

impl Sealed {
    /// Whether `row` of `stream` is in a block. Costs nothing for a day not yet sealed.
    pub(super) fn has(
        &mut self,
        tx: &Connection,
        stream: i64,
        row: &Row,
    ) -> rusqlite::Result<bool> {
        let newest = match self.newest {
            Some(newest) => newest,
            None => *self.newest.insert(newest_day(tx)?),
        };
        let day = day_of(row.due);
        if day > newest {
            return Ok(false);
        }
        if !self.days.contains_key(&(stream, day)) {
            if self.days.len() >= DAYS_KEPT_MAX {
                self.days.clear();
            }
            self.days.insert((stream, day), identities(tx, stream, day)?);
        }
        Ok(self.days.get(&(stream, day)).is_some_and(|it| it.contains(&row.identity())))
    }

    /// Blocks have changed, or a transaction was rolled back.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

fn newest_day(tx: &Connection) -> rusqlite::Result<i64> {
    let day = tx.query_row("SELECT max(day) FROM blocks", [], |row| row.get(0))?;
    Ok(Option::<i64>::unwrap_or(day, i64::MIN))
}

fn identities(tx: &Connection, stream: i64, day: i64) -> rusqlite::Result<HashSet<Identity>> {
    let mut found = HashSet::new();
    let mut query = tx.prepare("SELECT body FROM blocks WHERE stream = ?1 AND day = ?2")?;
    let mut rows = query.query(params![stream, day])?;
    while let Some(row) = rows.next()? {
        // A damaged block can't say. The result is kept: losing one is worse than having it
        // beside a block that every reader refuses anyway.
        if let Ok(block) = block::unpack(&row.get::<_, Vec<u8>>(0)?) {
            found.extend(block.rows.iter().map(Row::identity));
        }
    }
    Ok(found)
}
