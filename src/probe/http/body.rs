//! Bodies within limits: how much may come, and how much it may become (RFC 9110, section 8.4).

use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use crate::model::kept::{Lease, Store};
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

/// Bytes of a kept body that ask no store: as much as thousands of runs at once may take.
const STORE_FREE_BYTES: u64 = 64 * 1024;

/// Most bytes that the bodies of all kept answers take together beyond that. Buffers grow by
/// doubling, so they may take up to twice as much memory.
static STORE: Store = Store::new(256 << 20);

/// How large a body may get.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cap {
    /// Most bytes, decoded.
    pub(super) most: u64,
    /// Where the room for it comes from; `None`: it needs none, as it is small and soon gone.
    store: Option<&'static Store>,
}

impl Cap {
    /// Of `most` bytes; one that is kept asks for room.
    pub(super) fn new(most: u64, keep: bool) -> Self {
        Self { most, store: keep.then_some(&STORE) }
    }
}

/// A body as it comes, still encoded.
#[derive(Debug)]
pub(super) struct Gathered {
    bytes: Vec<u8>,
    most: u64,
    lease: Option<Lease>,
}

impl Gathered {
    /// Nothing yet of the body that `headers` announce: as it comes, it may be larger than
    /// `cap` by what its encoding costs.
    pub(super) fn new(headers: &HeaderMap, cap: Cap) -> Self {
        let encoded = headers.contains_key(CONTENT_ENCODING);
        let most = cap.most.saturating_add(if encoded { ENCODING_OVERHEAD_BYTES } else { 0 });
        Self { bytes: Vec::new(), most, lease: cap.store.map(Store::lease) }
    }

    /// Appends `data`, if there is room for the whole.
    pub(super) fn take(&mut self, data: &[u8]) -> Result<(), Fault> {
        let length = (self.bytes.len() as u64).saturating_add(data.len() as u64);
        if length > self.most {
            return Err(too_large(self.most));
        }
        if length > STORE_FREE_BYTES
            && let Some(lease) = &mut self.lease
            && !lease.grow(data.len() as u64)
        {
            return Err(no_room());
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    /// What came so far.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, and the room that they take.
    pub(super) fn into_parts(self) -> (Vec<u8>, Option<Lease>) {
        (self.bytes, self.lease)
    }
}

/// Most bytes on the wire for such a body, its framing included: chunks may be of one byte, and
/// HTTP/2 mixes in frames of its own.
pub(super) const fn wire_bytes_max(cap: u64) -> u64 {
    cap.saturating_mul(8).saturating_add(1 << 20)
}

/// `body` as it was before it was encoded, at most `cap` bytes; `lease` grows by what it takes.
pub(super) fn decode(
    headers: &HeaderMap,
    body: Vec<u8>,
    cap: u64,
    mut lease: Option<&mut Lease>,
) -> Result<Vec<u8>, Fault> {
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
    names
        .iter()
        .rev()
        .try_fold(body, |body, name| decode_one(name, &body, cap, lease.as_deref_mut()))
}

fn decode_one(
    name: &str,
    body: &[u8],
    cap: u64,
    lease: Option<&mut Lease>,
) -> Result<Vec<u8>, Fault> {
    let read = |name: &str, encoded: usize, decoder: &mut dyn Read, cap: u64| {
        read(name, encoded, decoder, cap, lease)
    };
    match name {
        "gzip" | "x-gzip" => read(name, body.len(), &mut MultiGzDecoder::new(body), cap),
        // Called deflate, meant as zlib (RFC 9110, section 8.4.1.2); some send it bare.
        "deflate" if is_zlib(body) => read(name, body.len(), &mut ZlibDecoder::new(body), cap),
        "deflate" => read(name, body.len(), &mut DeflateDecoder::new(body), cap),
        "br" => {
            let mut decoder = brotli::Decompressor::new(body, BROTLI_BUFFER_BYTES);
            read(name, body.len(), &mut decoder, cap)
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

fn read(
    name: &str,
    encoded: usize,
    decoder: &mut dyn Read,
    cap: u64,
    lease: Option<&mut Lease>,
) -> Result<Vec<u8>, Fault> {
    let ratio_cap = RATIO_FREE_BYTES.max((encoded as u64).saturating_mul(RATIO_MAX));
    let most = cap.min(ratio_cap);
    let mut decoded = Vec::new();
    let decoder = Leased { decoder, lease, came: 0 };
    decoder.take(most.saturating_add(1)).read_to_end(&mut decoded).map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::QuotaExceeded => return no_room(),
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

/// A decoder whose output takes room.
struct Leased<'a> {
    decoder: &'a mut dyn Read,
    lease: Option<&'a mut Lease>,
    came: u64,
}

impl Read for Leased<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.decoder.read(buffer)?;
        self.came += length as u64;
        if self.came > STORE_FREE_BYTES
            && let Some(lease) = &mut self.lease
            && !lease.grow(length as u64)
        {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        Ok(length)
    }
}

fn no_room() -> Fault {
    let why = "the answers of all probes under way take too much memory: ask for fewer at once";
    Fault::new(Reason::Fd, why)
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
        let got = decode(&headers, body, CAP, None).map_err(|fault| fault.reason);
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
    fn bodies_that_are_kept_take_room_and_give_it_back() {
        static SMALL: Store = Store::new(1 << 20);
        let cap = Cap { most: 1 << 30, store: Some(&SMALL) };
        let gather = |headers: &HeaderMap, bytes: usize| -> Result<_, Fault> {
            let mut body = Gathered::new(headers, cap);
            for _ in 0..bytes / 1_024 {
                body.take(&[1; 1_024])?;
            }
            Ok(body.into_parts())
        };
        let mut headers = HeaderMap::new();
        let fault = gather(&headers, 2 << 20).map_err(|fault| fault.reason);
        assert_eq!(fault.map(|_| ()), Err(Reason::Fd));
        assert_eq!(SMALL.taken(), 0);
        let (bytes, lease) = gather(&headers, 1 << 20).expect("there is room");
        assert_eq!(SMALL.taken(), (1 << 20) - STORE_FREE_BYTES);
        assert!(gather(&headers, 1 << 20).is_err());
        assert!(gather(&headers, STORE_FREE_BYTES as usize).is_ok(), "small ones always may");
        drop((bytes, lease));
        assert_eq!(SMALL.taken(), 0);

        headers.insert(CONTENT_ENCODING, "gzip".parse().expect("plain"));
        let noise: Vec<u8> = (0..3_u32 << 18).flat_map(|n| (n / 16).to_be_bytes()).collect();
        let mut lease = SMALL.lease();
        let fault = decode(&headers, gzip(&noise), 1 << 30, Some(&mut lease));
        assert_eq!(fault.map_err(|fault| fault.reason), Err(Reason::Fd));
        drop(lease);
        assert_eq!(SMALL.taken(), 0);
    }

    #[test]
    fn the_cap_is_inclusive() {
        check("identity", vec![1; CAP as usize], Ok(&vec![1; CAP as usize]));
        check("identity", vec![1; CAP as usize + 1], Err(Reason::BodyTooLarge));
    }
}
