//! The frames of an HTTP/3 answer (RFC 9114, section 7.1), watched on their way to `h3`.
//!
//! That library takes an empty DATA frame for the end of the body, and the end of the stream
//! within a frame for its end too: one would make a good answer short, the other a short answer
//! good. So the first are left out and the second is an error.

use std::task::{Context, Poll, ready};

use h3::error::Code;
use h3::quic::{
    BidiStream, Connection, ConnectionErrorIncoming, OpenStreams, RecvStream, SendStream,
    StreamErrorIncoming, StreamId, WriteBuf,
};
use hyper::body::Bytes;

/// The type of a DATA frame.
const DATA: u64 = 0;

/// Where in a sequence of frames a stream is. Pure.
#[derive(Debug, Default)]
struct Frames {
    /// What came of a frame's type and length.
    head: Vec<u8>,
    /// What is missing of its payload.
    left: u64,
}

impl Frames {
    /// What of `bytes` is to be passed on: all but empty DATA frames. The head of a frame is held
    /// back until it is whole.
    fn pass(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut passed = Vec::with_capacity(self.head.len() + bytes.len());
        while let Some((first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                let (payload, rest) = bytes.split_at(length);
                passed.extend(payload);
                self.left -= length as u64;
                bytes = rest;
                continue;
            }
            self.head.push(*first);
            bytes = rest;
            if let Some((kind, length)) = frame_head(&self.head) {
                if (kind, length) != (DATA, 0) {
                    passed.extend(&self.head);
                }
                self.head.clear();
                self.left = length;
            }
        }
        passed
    }

    /// Whether a frame has ended and none has begun.
    const fn is_between(&self) -> bool {
        self.head.is_empty() && self.left == 0
    }
}

/// The type and length of a frame, once both are whole.
fn frame_head(bytes: &[u8]) -> Option<(u64, u64)> {
    let (kind, rest) = integer(bytes)?;
    Some((kind, integer(rest)?.0))
}

/// An integer of variable length (RFC 9000, section 16) and what follows it.
fn integer(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let first = *bytes.first()?;
    let (whole, rest) = bytes.split_at_checked(1 << (first >> 6))?;
    let value = whole
        .iter()
        .skip(1)
        .fold(u64::from(first & 0x3f), |value, byte| (value << 8) | u64::from(*byte));
    Some((value, rest))
}

/// A stream of requests and answers whose answer is watched.
pub(super) struct Watched<S> {
    inner: S,
    frames: Frames,
}

impl<S> Watched<S> {
    fn new(inner: S) -> Self {
        Self { inner, frames: Frames::default() }
    }
}

impl<S: RecvStream<Buf = Bytes>> RecvStream for Watched<S> {
    type Buf = Bytes;

    fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, StreamErrorIncoming>> {
        loop {
            let Some(bytes) = ready!(self.inner.poll_data(cx))? else {
                let whole = self.frames.is_between();
                let cut = || StreamErrorIncoming::Unknown("the answer ends within a frame".into());
                return Poll::Ready(if whole { Ok(None) } else { Err(cut()) });
            };
            let passed = self.frames.pass(&bytes);
            if !passed.is_empty() {
                return Poll::Ready(Ok(Some(passed.into())));
            }
        }
    }

    fn stop_sending(&mut self, error_code: u64) {
        self.inner.stop_sending(error_code);
    }

    fn recv_id(&self) -> StreamId {
        self.inner.recv_id()
    }
}

impl<S: SendStream<Bytes>> SendStream<Bytes> for Watched<S> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.inner.poll_ready(cx)
    }

    fn send_data<T: Into<WriteBuf<Bytes>>>(&mut self, data: T) -> Result<(), StreamErrorIncoming> {
        self.inner.send_data(data)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.inner.poll_finish(cx)
    }

    fn reset(&mut self, reset_code: u64) {
        self.inner.reset(reset_code);
    }

    fn send_id(&self) -> StreamId {
        self.inner.send_id()
    }
}

impl<S> BidiStream<Bytes> for Watched<S>
where
    S: BidiStream<Bytes> + RecvStream<Buf = Bytes>,
    S::RecvStream: RecvStream<Buf = Bytes>,
{
    type SendStream = S::SendStream;
    type RecvStream = Watched<S::RecvStream>;

    fn split(self) -> (Self::SendStream, Self::RecvStream) {
        let (sending, receiving) = self.inner.split();
        (sending, Watched { inner: receiving, frames: self.frames })
    }
}

/// A connection, or what opens streams on one, whose answers are watched.
pub(super) struct Watching<C>(pub(super) C);

impl<C: OpenStreams<Bytes>> OpenStreams<Bytes> for Watching<C>
where
    C::BidiStream: RecvStream<Buf = Bytes>,
{
    type BidiStream = Watched<C::BidiStream>;
    type SendStream = C::SendStream;

    fn poll_open_bidi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::BidiStream, StreamErrorIncoming>> {
        self.0.poll_open_bidi(cx).map_ok(Watched::new)
    }

    fn poll_open_send(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::SendStream, StreamErrorIncoming>> {
        self.0.poll_open_send(cx)
    }

    fn close(&mut self, code: Code, reason: &[u8]) {
        self.0.close(code, reason);
    }
}

impl<C: Connection<Bytes>> Connection<Bytes> for Watching<C>
where
    C::BidiStream: RecvStream<Buf = Bytes>,
{
    type RecvStream = C::RecvStream;
    type OpenStreams = Watching<C::OpenStreams>;

    fn poll_accept_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::RecvStream, ConnectionErrorIncoming>> {
        self.0.poll_accept_recv(cx)
    }

    fn poll_accept_bidi(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::BidiStream, ConnectionErrorIncoming>> {
        self.0.poll_accept_bidi(cx).map_ok(Watched::new)
    }

    fn opener(&self) -> Self::OpenStreams {
        Watching(self.0.opener())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEAD: &[u8] = b"\x01\x03abc";

    #[track_caller]
    fn check(pieces: &[&[u8]], expected: &[u8], whole: bool) {
        let mut frames = Frames::default();
        let passed: Vec<u8> = pieces.iter().flat_map(|piece| frames.pass(piece)).collect();
        assert_eq!((passed.as_slice(), frames.is_between()), (expected, whole));
    }

    #[test]
    fn empty_data_frames_are_left_out_and_ends_are_known() {
        check(&[HEAD, b"\x00\x02xy"], b"\x01\x03abc\x00\x02xy", true);
        check(&[HEAD, b"\x00\x00", b"\x00\x01x"], b"\x01\x03abc\x00\x01x", true);
        check(&[b"\x00", b"\x00\x40", b"\x00\x80\x00\x00\x00"], b"", true);
        check(&[b"\x00", b"\x40\x01", b"x"], b"\x00\x40\x01x", true);
        check(&[b"\x21\x00"], b"\x21\x00", true);
        check(&[b"\x00\x03ab"], b"\x00\x03ab", false);
        check(&[b"\x00"], b"", false);
        check(&[b"\x00\xff"], b"", false);
        check(&[], b"", true);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_the_bytes_are_cut(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            cut in 0usize..200,
        ) {
            let (left, right) = bytes.split_at(cut.min(bytes.len()));
            let (mut at_once, mut in_two) = (Frames::default(), Frames::default());
            let whole = at_once.pass(&bytes);
            let parts = [in_two.pass(left), in_two.pass(right)].concat();
            prop_assert_eq!(whole, parts);
            prop_assert_eq!(at_once.is_between(), in_two.is_between());
        }
    }
}
