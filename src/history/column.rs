//! One column of a day block: numbers to bytes and back (pure).
//!
//! A column that rarely changes is told in runs of one value; any other is a pco file of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pco::ChunkConfig;
use pco::data_types::Number;
use pco::standalone::{DecompressorItem, FileDecompressor, simple_compress};

use super::cut::{Cut, push_signed_varint, push_varint};

/// How a column is coded, as stored.
pub(super) mod coding {
    /// Runs of one value: how often (varint, at least 1), and the value (signed varint).
    pub(in crate::history) const RUNS: u8 = 0;
    /// A pco file of `i64`.
    pub(in crate::history) const PCO_I64: u8 = 1;
    /// A pco file of `u32`.
    pub(in crate::history) const PCO_U32: u8 = 2;
    /// A pco file of `u16`.
    pub(in crate::history) const PCO_U16: u8 = 3;
}

/// Least bytes of one run.
const RUN_BYTES_MIN: usize = 2;

/// Codes `values`, which must not be empty, in the fewest bytes.
pub(super) fn encode(values: &[i64]) -> Result<(u8, Vec<u8>), String> {
    let runs = values.chunk_by(|a, b| a == b).count();
    if runs == 1 {
        return Ok((coding::RUNS, in_runs(values)));
    }
    let (code, bytes) = in_pco(values)?;
    if runs * RUN_BYTES_MIN < bytes.len() {
        let in_runs = in_runs(values);
        if in_runs.len() < bytes.len() {
            return Ok((coding::RUNS, in_runs));
        }
    }
    Ok((code, bytes))
}

/// In the narrowest type that holds all: the bounds in its tables are then the shortest.
fn in_pco(values: &[i64]) -> Result<(u8, Vec<u8>), String> {
    if let Some(narrow) = all::<u16>(values) {
        return Ok((coding::PCO_U16, compress(&narrow)?));
    }
    if let Some(narrow) = all::<u32>(values) {
        return Ok((coding::PCO_U32, compress(&narrow)?));
    }
    Ok((coding::PCO_I64, compress(values)?))
}

fn all<T: TryFrom<i64>>(values: &[i64]) -> Option<Vec<T>> {
    values.iter().map(|it| T::try_from(*it).ok()).collect()
}

fn compress<T: Number>(values: &[T]) -> Result<Vec<u8>, String> {
    simple_compress(values, &ChunkConfig::default()).map_err(|fault| fault.to_string())
}

fn in_runs(values: &[i64]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for run in values.chunk_by(|a, b| a == b) {
        push_varint(&mut bytes, run.len() as u64);
        push_signed_varint(&mut bytes, run[0]);
    }
    bytes
}

/// The `count` values that `bytes` stand for. Never panics, whatever the bytes: pco is kept
/// from taking the thread with it.
pub(super) fn decode(code: u8, bytes: &[u8], count: usize) -> Result<Vec<i64>, String> {
    match code {
        coding::RUNS => of_runs(bytes, count),
        coding::PCO_I64 => guarded::<i64>(bytes, count),
        coding::PCO_U32 => guarded::<u32>(bytes, count),
        coding::PCO_U16 => guarded::<u16>(bytes, count),
        other => Err(format!("unknown coding {other}")),
    }
}

fn of_runs(bytes: &[u8], count: usize) -> Result<Vec<i64>, String> {
    let (mut cut, mut values) = (Cut(bytes), Vec::with_capacity(count));
    while !cut.is_empty() {
        let (length, value) = (cut.length()?, cut.signed_varint()?);
        if !(1..=count - values.len()).contains(&length) {
            return Err("runs of another length".to_owned());
        }
        values.resize(values.len() + length, value);
    }
    if values.len() != count {
        return Err("runs of another length".to_owned());
    }
    Ok(values)
}

fn guarded<T>(bytes: &[u8], count: usize) -> Result<Vec<i64>, String>
where
    T: Number + Default + Into<i64>,
{
    catch_unwind(AssertUnwindSafe(|| unpack::<T>(bytes, count)))
        .unwrap_or_else(|_| Err("pco stopped".to_owned()))
        .map(|it| it.into_iter().map(Into::into).collect())
}

/// Exactly one chunk of exactly `count` numbers, and nothing after it.
fn unpack<T: Number + Default>(bytes: &[u8], count: usize) -> Result<Vec<T>, String> {
    let text = |fault: pco::errors::PcoError| fault.to_string();
    let (file, rest) = FileDecompressor::new(bytes).map_err(text)?;
    let DecompressorItem::Chunk(mut chunk) = file.chunk_decompressor::<T, _>(rest).map_err(text)?
    else {
        return Err("a column without values".to_owned());
    };
    if chunk.n() != count {
        return Err(format!("a column of {} values instead of {count}", chunk.n()));
    }
    let mut values = vec![T::default(); count];
    let progress = chunk.read(&mut values).map_err(text)?;
    if progress.n_processed != count || !progress.finished {
        return Err("a column that ends early".to_owned());
    }
    match file.chunk_decompressor::<T, _>(chunk.into_src()).map_err(text)? {
        DecompressorItem::EndOfData([]) => Ok(values),
        _ => Err("bytes after a column".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[i64], expected: u8) {
        let (code, bytes) = encode(values).unwrap();
        assert_eq!(code, expected);
        assert_eq!(decode(code, &bytes, values.len()).unwrap(), values);
        assert!(decode(code, &bytes[..bytes.len() - 1], values.len()).is_err());
        assert!(decode(code, &bytes, values.len() + 1).is_err());
    }

    #[test]
    fn values_come_back() {
        check(&[7; 300], coding::RUNS);
        check(&[i64::MIN], coding::RUNS);
        check(&[i64::MIN, i64::MIN, 0, i64::MAX], coding::RUNS);
        check(&[[200; 900], [503; 900]].concat(), coding::RUNS);
        check(&[0, 65_535].repeat(20), coding::PCO_U16);
        check(&[0, 65_536].repeat(20), coding::PCO_U32);
        check(&[0, 4_294_967_295].repeat(20), coding::PCO_U32);
        check(&[0, 4_294_967_296].repeat(20), coding::PCO_I64);
        check(&[i64::MIN, i64::MAX, -1, 0].repeat(20), coding::PCO_I64);
        check(&(0..5_000).map(|it| it * it % 977).collect::<Vec<_>>(), coding::PCO_U16);
    }

    #[test]
    fn runs_that_are_not_as_long_as_the_column_are_refused() {
        let decoded = |runs: &[(u64, i64)]| {
            let mut bytes = Vec::new();
            for (length, value) in runs {
                push_varint(&mut bytes, *length);
                push_signed_varint(&mut bytes, *value);
            }
            decode(coding::RUNS, &bytes, 3)
        };
        assert_eq!(decoded(&[(1, -7), (2, 9)]), Ok(vec![-7, 9, 9]));
        for runs in [
            &[][..],
            &[(2, 0)],
            &[(4, 0)],
            &[(3, 0), (0, 0)],
            &[(0, 0), (3, 0)],
            &[(2, 0), (u64::MAX, 0)],
        ] {
            assert!(decoded(runs).is_err(), "{runs:?}");
        }
        assert!(decode(coding::RUNS, &[3], 3).is_err());
    }

    #[test]
    fn no_byte_changed_makes_it_panic() {
        let values: Vec<i64> = (0..700).map(|it| it * it % 977).collect();
        let (code, bytes) = encode(&values).unwrap();
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xFF] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                let _ = decode(code, &changed, values.len());
            }
        }
    }
}
