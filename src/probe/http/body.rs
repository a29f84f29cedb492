//! Bodies within limits: how much may come, and how much it may become (RFC 9110, section 8.4).

use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use crate::model::reason::Reason;
use crate::probe::stopwatch::Fault;

/// Decoded bytes below which a body may be any number of times its encoded size.
const RATIO_FREE_BYTES: u64 = 256 * 1024;

/// Most decoded bytes for each encoded one.
const RATIO_MAX: u64 = 100;

/// An encoded body may be larger than the decoded one by the encoding's own overhead.
const ENCODING_OVERHEAD_BYTES: u64 = 64 * 1024;

/// Most encodings one over the other.
const ENCODINGS_MAX: usize = 2;

/// Bytes that brotli reads at a time.
const BROTLI_BUFFER_BYTES: usize = 4_096;

/// Most bytes of a body as it comes, so that it can still be at most `cap` when decoded.
pub(super) fn encoded_max(headers: &HeaderMap, cap: u64) -> u64 {
    if headers.contains_key(CONTENT_ENCODING) {
        cap.saturating_add(ENCODING_OVERHEAD_BYTES)
    } else {
        cap
    }
}

/// Most bytes on the wire for such a body, its framing included: chunks may be of one byte, and
/// HTTP/2 mixes in frames of its own.
pub(super) const fn wire_bytes_max(cap: u64) -> u64 {
    cap.saturating_mul(8).saturating_add(1 << 20)
}

/// Appends `data`, if the whole stays within `most` bytes.
pub(super) fn take(bytes: &mut Vec<u8>, data: &[u8], most: u64) -> Result<(), Fault> {
    if (bytes.len() as u64).saturating_add(data.len() as u64) > most {
        return Err(too_large(most));
    }
    bytes.extend_from_slice(data);
    Ok(())
}

/// `body` as it was before it was encoded, at most `cap` bytes.
pub(super) fn decode(headers: &HeaderMap, body: Vec<u8>, cap: u64) -> Result<Vec<u8>, Fault> {
    let mut names = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        names.extend(value.split(',').map(|it| it.trim().to_owned()));
    }
    names.retain(|name| !name.is_empty() && name != "identity");
    if names.is_empty() || body.is_empty() {
        return if body.len() as u64 > cap { Err(too_large(cap)) } else { Ok(body) };
    }
    if names.len() > ENCODINGS_MAX {
        let why = format!("encoded {} times over", names.len());
        return Err(Fault::new(Reason::BodyEncoding, why));
    }
    names.iter().rev().try_fold(body, |body, name| decode_one(name, &body, cap))
}

fn decode_one(name: &str, body: &[u8], cap: u64) -> Result<Vec<u8>, Fault> {
    match name {
        "gzip" | "x-gzip" => read(name, body.len(), MultiGzDecoder::new(body), cap),
        // Called deflate, meant as zlib (RFC 9110, section 8.4.1.2); some send it bare.
        "deflate" if is_zlib(body) => read(name, body.len(), ZlibDecoder::new(body), cap),
        "deflate" => read(name, body.len(), DeflateDecoder::new(body), cap),
        "br" => {
            let decoder = brotli::Decompressor::new(body, BROTLI_BUFFER_BYTES);
            read(name, body.len(), decoder, cap)
        }
        _ => {
            let why = format!("an encoding we don't know: `{}`", name.escape_default());
            Err(Fault::new(Reason::BodyEncoding, why.chars().take(100).collect::<String>()))
        }
    }
}

/// Whether `body` begins as zlib does (RFC 1950, section 2.2).
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [cmf, flg, ..]
        if cmf & 0x0f == 8 && (u16::from(*cmf) << 8 | u16::from(*flg)) % 31 == 0)
}

fn read(name: &str, encoded: usize, decoder: impl Read, cap: u64) -> Result<Vec<u8>, Fault> {
    let ratio_cap = RATIO_FREE_BYTES.max((encoded as u64).saturating_mul(RATIO_MAX));
    let most = cap.min(ratio_cap);
    let mut decoded = Vec::new();
    decoder.take(most.saturating_add(1)).read_to_end(&mut decoded).map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::UnexpectedEof => format!("the {name} body is cut short"),
            _ => format!("the body is not {name}: {error}"),
        };
        Fault::new(Reason::BodyEncoding, why)
    })?;
    match decoded.len() as u64 {
        length if length <= most => Ok(decoded),
        _ if most < cap => {
            let why = format!("the body expands more than {RATIO_MAX} times");
            Err(Fault::new(Reason::BodyTooLarge, why))
        }
        _ => Err(too_large(cap)),
    }
}

fn too_large(most: u64) -> Fault {
    Fault::new(Reason::BodyTooLarge, format!("the body is larger than the cap of {most} bytes"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const CAP: u64 = 1 << 20;

    #[track_caller]
    fn check(encoding: &str, body: Vec<u8>, expected: Result<&[u8], Reason>) {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, encoding.parse().expect("plain"));
        let got = decode(&headers, body, CAP).map_err(|fault| fault.reason);
        assert_eq!(got.as_deref().map_err(|reason| *reason), expected);
    }

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).expect("in memory");
        encoder.finish().expect("in memory")
    }

    #[test]
    fn every_encoding_is_undone() {
        let plain = "thông suốt ".repeat(100).into_bytes();
        check("gzip", gzip(&plain), Ok(&plain));
        check("GZIP, gzip", gzip(&gzip(&plain)), Ok(&plain));
        check("identity", plain.clone(), Ok(&plain));
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&plain).expect("in memory");
        check("deflate", zlib.finish().expect("in memory"), Ok(&plain));
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::default());
        bare.write_all(&plain).expect("in memory");
        check("deflate", bare.finish().expect("in memory"), Ok(&plain));
        let mut br = Vec::new();
        let settings = brotli::enc::BrotliEncoderParams::default();
        brotli::BrotliCompress(&mut plain.as_slice(), &mut br, &settings).expect("in memory");
        check("br", br, Ok(&plain));
    }

    #[test]
    fn bombs_and_garbage_are_told_apart() {
        check("gzip", gzip(&vec![0; CAP as usize]), Err(Reason::BodyTooLarge));
        check("gzip", gzip(&vec![0; RATIO_FREE_BYTES as usize]), Ok(&vec![0; 256 * 1024]));
        check("gzip", gzip(&vec![0; RATIO_FREE_BYTES as usize + 1]), Err(Reason::BodyTooLarge));
        check("gzip", b"not gzip".to_vec(), Err(Reason::BodyEncoding));
        check("gzip", gzip(b"cut short")[..20].to_vec(), Err(Reason::BodyEncoding));
        check("br", vec![0xff; 100], Err(Reason::BodyEncoding));
        check("zstd", b"whatever".to_vec(), Err(Reason::BodyEncoding));
        check("gzip, gzip, gzip", b"x".to_vec(), Err(Reason::BodyEncoding));
        check("gzip", Vec::new(), Ok(b""));
    }

    #[test]
    fn the_cap_is_inclusive() {
        check("identity", vec![1; CAP as usize], Ok(&vec![1; CAP as usize]));
        check("identity", vec![1; CAP as usize + 1], Err(Reason::BodyTooLarge));
    }
}
