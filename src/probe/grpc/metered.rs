//! A stream that may say only so much, and nothing in TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::probe::tls;

/// What the error of a stream says whose peer speaks TLS.
pub(super) const SPEAKS_TLS: &str = "expected HTTP/2 in clear, the server speaks TLS";

/// A stream that reads at most so many bytes, and then fails; at once if they begin as TLS does.
///
/// HTTP/2 has many frames that cost the sender nothing and carry no answer (PING, SETTINGS,
/// WINDOW_UPDATE, unknown types). Without a bound on all of them together, a peer could keep
/// us busy until the deadline.
#[derive(Debug)]
pub(super) struct Metered<S> {
    inner: S,
    left: usize,
    fresh: bool,
}

impl<S> Metered<S> {
    /// Lets `bytes` be read of `inner`.
    pub(super) const fn new(inner: S, bytes: usize) -> Self {
        Self { inner, left: bytes, fresh: true }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        let came = buffer.filled().len() - before;
        if std::mem::take(&mut self.fresh) && tls::is_record(&buffer.filled()[before..]) {
            return Poll::Ready(Err(io::Error::other(SPEAKS_TLS)));
        }
        let left = self.left.checked_sub(came);
        self.left = left.ok_or_else(|| io::Error::other("more came than any answer needs"))?;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
