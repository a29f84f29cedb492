//! One column of a day block: numbers to bytes and back (pure).
//!
//! A column of one value only is that value; any other is a pco file of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pco::ChunkConfig;
use pco::data_types::Number;
use pco::standalone::{DecompressorItem, FileDecompressor, simple_compress};

/// How a column is coded, as stored.
pub(super) mod coding {
    /// One `i64`, little endian, for every row.
    pub(in crate::history) const CONSTANT: u8 = 0;
    /// A pco file of `i64`.
    pub(in crate::history) const PCO_I64: u8 = 1;
    /// A pco file of `u32`: smaller numbers, less to say about them.
    pub(in crate::history) const PCO_U32: u8 = 2;
}

/// Codes `values`, which must not be empty.
pub(super) fn encode(values: &[i64]) -> Result<(u8, Vec<u8>), String> {
    if let Some(first) = values.first()
        && values.iter().all(|it| it == first)
    {
        return Ok((coding::CONSTANT, first.to_le_bytes().to_vec()));
    }
    let narrow: Result<Vec<u32>, _> = values.iter().map(|it| u32::try_from(*it)).collect();
    let (code, bytes) = match narrow {
        Ok(narrow) => (coding::PCO_U32, simple_compress(&narrow, &ChunkConfig::default())),
        Err(_) => (coding::PCO_I64, simple_compress(values, &ChunkConfig::default())),
    };
    Ok((code, bytes.map_err(|fault| fault.to_string())?))
}

/// The `count` values that `bytes` stand for. Never panics, whatever the bytes: pco is kept
/// from taking the thread with it.
pub(super) fn decode(code: u8, bytes: &[u8], count: usize) -> Result<Vec<i64>, String> {
    match code {
        coding::CONSTANT => {
            let value = bytes.try_into().map_err(|_| "a constant that is not 8 bytes")?;
            Ok(vec![i64::from_le_bytes(value); count])
        }
        coding::PCO_I64 => guarded::<i64>(bytes, count),
        coding::PCO_U32 => {
            guarded::<u32>(bytes, count).map(|it| it.into_iter().map(i64::from).collect())
        }
        other => Err(format!("unknown coding {other}")),
    }
}

fn guarded<T: Number + Default>(bytes: &[u8], count: usize) -> Result<Vec<T>, String> {
    catch_unwind(AssertUnwindSafe(|| unpack(bytes, count)))
        .unwrap_or_else(|_| Err("pco stopped".to_owned()))
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
        assert!(code == coding::CONSTANT || decode(code, &bytes, values.len() + 1).is_err());
    }

    #[test]
    fn values_come_back() {
        check(&[7; 300], coding::CONSTANT);
        check(&[i64::MIN], coding::CONSTANT);
        check(&[0, 4_294_967_295], coding::PCO_U32);
        check(&[0, 4_294_967_296], coding::PCO_I64);
        check(&[i64::MIN, i64::MAX, -1, 0], coding::PCO_I64);
        check(&(0..5_000).map(|it| it * it % 977).collect::<Vec<_>>(), coding::PCO_U32);
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
