//! A stream that keeps the first bytes of the peer, so that whoever waits for TLS and gets plain
//! text can say what came.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::probe::expect::excerpt;

/// Most bytes kept: about a line.
const KEPT_MAX: usize = 80;

/// Printable bytes at the start that make a text; a TLS record begins with one that is not.
const TEXT_BYTES_MIN: usize = 4;

/// A stream and the first bytes that came over it.
#[derive(Debug)]
pub(in crate::probe) struct Heard<S> {
    stream: S,
    first: Vec<u8>,
}

impl<S> Heard<S> {
    /// `stream`, over which nothing has been read yet.
    pub(super) const fn new(stream: S) -> Self {
        Self { stream, first: Vec::new() }
    }

    /// The first line, if the peer spoke in plain text.
    pub(super) fn text(&self) -> Option<String> {
        let start = self.first.get(..TEXT_BYTES_MIN)?;
        let printable = |byte: &u8| (b' '..=b'~').contains(byte);
        let line = self.first.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
        start.iter().all(printable).then(|| excerpt(line))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Heard<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let done = Pin::new(&mut this.stream).poll_read(cx, buf);
        let missing = KEPT_MAX.saturating_sub(this.first.len());
        this.first.extend(buf.filled().iter().skip(before).take(missing));
        done
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heard<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
