//! A day block: the results of one stream that were due on one UTC day, as bytes (pure).
//!
//! `docs/history.md`, "A day block", is the definition, byte by byte. A block names its
//! stream and day itself, so that it means the same outside its table.

use flate2::Crc;
use sha2::{Digest, Sha256};

use super::column;
use super::cut::{Cut, push_varint};
use super::due::{self, Due};
use super::row::{Row, day_of};

/// The first bytes of a block.
const MAGIC: [u8; 4] = *b"TSDB";

/// The version that is written.
const VERSION: u8 = 1;

/// Where the SHA-256 begins.
pub(super) const SHA256_OFFSET: u8 = 32;

/// Most rows of one block, so that sealing or reading one takes milliseconds. A check that
/// runs more often than every 5 seconds gets several blocks a day.
pub(super) const BLOCK_ROWS_MAX: usize = 16_384;

/// Columns: when they were due, then those of [`columns`].
const COLUMN_COUNT: usize = 15;

/// What a block is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BlockKey {
    /// The check's id.
    pub(super) check: String,
    /// The lane's code.
    pub(super) lane: u8,
    /// The vantage's id.
    pub(super) vantage: String,
    /// The UTC day, counted from 1970-01-01.
    pub(super) day: i32,
    /// Its number among the blocks of that stream and day, from 0.
    pub(super) seq: u16,
}

/// A block that was read and found whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) key: BlockKey,
    /// By due instant, kind and run; none twice.
    pub(super) rows: Vec<Row>,
    /// The SHA-256 of what it says, whatever the compression.
    pub(super) sha256: [u8; 32],
}

/// The earliest and latest start; `None` without rows.
pub(super) fn started_range(rows: &[Row]) -> Option<(i64, i64)> {
    let starts = || rows.iter().map(|it| it.started);
    starts().min().zip(starts().max())
}

/// Packs `rows`, which must be in order of identity, none twice, and due on the key's day.
pub(super) fn pack(key: &BlockKey, rows: &[Row]) -> Result<Vec<u8>, String> {
    check_rows(key, rows)?;
    let (first, last) = started_range(rows).ok_or("no rows")?;
    let mut bytes = Vec::with_capacity(128 + rows.len() * 10);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&[VERSION, key.lane]);
    bytes.extend_from_slice(&key.seq.to_le_bytes());
    bytes.extend_from_slice(&key.day.to_le_bytes());
    bytes.extend_from_slice(&(rows.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&first.to_le_bytes());
    bytes.extend_from_slice(&last.to_le_bytes());
    bytes.extend_from_slice(&sha256(key, rows));
    for name in [&key.check, &key.vantage] {
        bytes.push(u8::try_from(name.len()).map_err(|_| "a name of more than 255 bytes")?);
        bytes.extend_from_slice(name.as_bytes());
    }
    bytes.push(COLUMN_COUNT as u8);
    let mut push = |code: u8, data: &[u8]| {
        bytes.push(code);
        push_varint(&mut bytes, data.len() as u64);
        bytes.extend_from_slice(data);
    };
    let (code, data, dues) = due::encode(rows)?;
    push(code, &data);
    for values in columns(rows, &dues) {
        let (code, data) = column::encode(&values)?;
        push(code, &data);
    }
    bytes.extend_from_slice(&crc32(&bytes).to_le_bytes());
    Ok(bytes)
}

/// Reads a block and checks all that can be checked. Never panics, whatever the bytes.
pub(super) fn unpack(bytes: &[u8]) -> Result<Block, String> {
    let (body, crc) = bytes.split_last_chunk::<4>().ok_or("cut short")?;
    let mut cut = Cut(body);
    if cut.take::<4>()? != MAGIC {
        return Err("not a day block".to_owned());
    }
    let [version, lane] = cut.take()?;
    if version != VERSION {
        return Err(format!("block version {version}, this program reads version {VERSION}"));
    }
    if crc32(body) != u32::from_le_bytes(*crc) {
        return Err("CRC-32 does not match".to_owned());
    }
    let seq = u16::from_le_bytes(cut.take()?);
    let day = i32::from_le_bytes(cut.take()?);
    let count = u32::from_le_bytes(cut.take()?) as usize;
    let range = (i64::from_le_bytes(cut.take()?), i64::from_le_bytes(cut.take()?));
    let sha = cut.take::<32>()?;
    let (check, vantage) = (name(&mut cut)?, name(&mut cut)?);
    let [column_count] = cut.take()?;
    if usize::from(column_count) != COLUMN_COUNT || !(1..=BLOCK_ROWS_MAX).contains(&count) {
        return Err(format!("{column_count} columns of {count} rows"));
    }
    let (code, data) = column(&mut cut)?;
    let dues = due::decode(code, data, count)?;
    let mut values = Vec::with_capacity(COLUMN_COUNT - 1);
    for _ in 1..COLUMN_COUNT {
        let (code, data) = column(&mut cut)?;
        values.push(column::decode(code, data, count)?);
    }
    if !cut.is_empty() {
        return Err("bytes after the last column".to_owned());
    }
    let key = BlockKey { check, lane, vantage, day, seq };
    let rows = rows(&dues, &values)?;
    check_rows(&key, &rows)?;
    if started_range(&rows) != Some(range) {
        return Err("its range is not that of its rows".to_owned());
    }
    if sha256(&key, &rows) != sha {
        return Err("SHA-256 does not match".to_owned());
    }
    Ok(Block { key, rows, sha256: sha })
}

/// Coding and data of a column.
fn column<'a>(cut: &mut Cut<'a>) -> Result<(u8, &'a [u8]), String> {
    let [code] = cut.take()?;
    let length = cut.length()?;
    Ok((code, cut.bytes(length)?))
}

fn name(cut: &mut Cut<'_>) -> Result<String, String> {
    let [length] = cut.take()?;
    let name = cut.bytes(usize::from(length))?.to_vec();
    String::from_utf8(name).map_err(|_| "a name that is not UTF-8".to_owned())
}

fn check_rows(key: &BlockKey, rows: &[Row]) -> Result<(), String> {
    if rows.iter().any(|it| day_of(it.due) != i64::from(key.day)) {
        return Err("a row of another day".to_owned());
    }
    if !rows.is_sorted_by(|a, b| a.identity() < b.identity()) {
        return Err("rows out of order, or one twice".to_owned());
    }
    Ok(())
}

/// The columns after the first as they are compressed. The first of them is nearly always 0,
/// because a grid run starts when it is due plus its lateness; without a grid in the block it is
/// the rounding that remains.
fn columns(rows: &[Row], dues: &[Due]) -> [Vec<i64>; COLUMN_COUNT - 1] {
    let column = |value: &dyn Fn(&Row) -> i64| rows.iter().map(value).collect::<Vec<i64>>();
    let phase = |index: usize| column(&move |it| i64::from(it.phases[index]));
    [
        rows.iter()
            .zip(dues)
            .map(|(row, due)| row.started.wrapping_sub(planned(*due, row.lateness)))
            .collect(),
        column(&|it| i64::from(it.lateness)),
        column(&|it| i64::from(it.kind)),
        column(&|it| i64::from(it.run)),
        column(&|it| i64::from(it.reason)),
        phase(0),
        phase(1),
        phase(2),
        phase(3),
        phase(4),
        phase(5),
        column(&|it| it.status.map_or(0, |status| i64::from(status) + 1)),
        column(&|it| i64::from(it.bytes)),
        column(&|it| i64::from(it.reused)),
    ]
}

/// Due plus lateness in whole milliseconds; wraps, so that any two numbers come back.
const fn planned(due: Due, lateness: u32) -> i64 {
    due.ms.wrapping_add((due.beyond_us as i64 + lateness as i64) / 1_000)
}

/// The rows that `dues` and `columns` stand for.
fn rows(dues: &[Due], columns: &[Vec<i64>]) -> Result<Vec<Row>, String> {
    fn narrow<T: TryFrom<i64>>(value: i64) -> Result<T, String> {
        T::try_from(value).map_err(|_| format!("{value} is out of its column's range"))
    }
    let row = |index: usize, due: Due| -> Result<Row, String> {
        let value =
            |column: usize| columns.get(column).and_then(|it| it.get(index)).copied().unwrap_or(0);
        let mut phases = [0; 6];
        for (phase, length) in phases.iter_mut().enumerate() {
            *length = narrow(value(5 + phase))?;
        }
        let lateness = narrow(value(1))?;
        Ok(Row {
            due: due.ms,
            started: value(0).wrapping_add(planned(due, lateness)),
            lateness,
            kind: narrow(value(2))?,
            run: narrow(value(3))?,
            reason: narrow(value(4))?,
            phases,
            status: if value(11) == 0 { None } else { Some(narrow(value(11).wrapping_sub(1))?) },
            bytes: narrow(value(12))?,
            reused: narrow::<u8>(value(13))? != 0,
        })
    };
    // Collecting into a `Result` would not know the length and copy everything as it grows.
    let mut rows = Vec::with_capacity(dues.len());
    for (index, due) in dues.iter().enumerate() {
        rows.push(row(index, *due)?);
    }
    Ok(rows)
}

/// The hash of what the block says: names, day, and every row in 57 bytes.
fn sha256(key: &BlockKey, rows: &[Row]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"thongsuot day block 1\n");
    for name in [&key.check, &key.vantage] {
        hasher.update(name.as_bytes());
        hasher.update(b"\n");
    }
    hasher.update([key.lane]);
    hasher.update(key.seq.to_le_bytes());
    hasher.update(key.day.to_le_bytes());
    for row in rows {
        hasher.update(row.due.to_le_bytes());
        hasher.update([row.kind]);
        hasher.update(row.run.to_le_bytes());
        hasher.update(row.started.to_le_bytes());
        hasher.update(row.lateness.to_le_bytes());
        hasher.update([row.reason]);
        for phase in row.phases {
            hasher.update(phase.to_le_bytes());
        }
        hasher.update(row.status.map_or(-1, i32::from).to_le_bytes());
        hasher.update(row.bytes.to_le_bytes());
        hasher.update([u8::from(row.reused)]);
    }
    hasher.finalize().into()
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[cfg(test)]
mod tests;
