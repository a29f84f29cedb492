//! The bytes of one exchange, watched: when the last of the request left, when the first of the
//! answer came, and how many came at all.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::model::phases::Phase;
use crate::probe::stopwatch::Stopwatch;
use crate::probe::tls;

/// Written at once, so few bytes are acknowledgements of HTTP/2, not part of a request.
const CONTROL_BYTES_MAX: usize = 26;

/// What was seen so far.
#[derive(Debug, Default)]
struct Seen {
    written: u64,
    last_write: Option<Instant>,
    blocked: bool,
    read: u64,
    /// The first bytes that came, at most as many as tell TLS.
    first: Vec<u8>,
    read_max: u64,
    first_read: Option<Instant>,
    flooded: bool,
}

/// A record of one connection's bytes, shared by the stream and whoever asks afterwards.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    seen: Arc<Mutex<Seen>>,
    two: bool,
}

impl Wire {
    /// Watches `stream`. Reading fails once more than `head_max` bytes have come before
    /// [`Wire::head_came`]. With `two`, the answer begins when its head came, because HTTP/2
    /// sends frames of its own before.
    pub(super) fn watch<S>(stream: S, two: bool, head_max: u64) -> (Tap<S>, Self) {
        let seen = Seen { read_max: head_max, ..Seen::default() };
        let wire = Self { seen: Arc::new(Mutex::new(seen)), two };
        (Tap { stream, wire: wire.clone() }, wire)
    }

    /// The head of the answer is complete; `more` bytes may follow.
    pub(super) fn head_came(&self, more: u64) {
        let mut seen = self.lock();
        seen.read_max = seen.read.saturating_add(more);
        if seen.first_read.is_none() {
            seen.first_read = Some(Instant::now());
        }
    }

    /// What came so far was an informational answer (1xx): the answer is still waited for.
    pub(super) fn informed(&self) {
        self.lock().first_read = None;
    }

    /// Says whether a part of the request still waits to be sent.
    pub(super) fn set_blocked(&self, blocked: bool) {
        self.lock().blocked = blocked;
    }

    /// Whether any byte was sent.
    pub(super) fn sent_anything(&self) -> bool {
        self.lock().written > 0
    }

    /// Whether what came begins as TLS does.
    pub(super) fn came_tls(&self) -> bool {
        tls::is_record(&self.lock().first)
    }

    /// Whether reading was stopped because too much came.
    pub(super) fn was_flooded(&self) -> bool {
        self.lock().flooded
    }

    /// Charges what was seen to `send`, `wait` and `receive`.
    pub(super) fn settle(&self, watch: &mut Stopwatch) {
        let seen = self.lock();
        if let (false, Some(at)) = (seen.blocked, seen.last_write) {
            watch.enter_at(Phase::Wait, at);
        }
        if let Some(at) = seen.first_read {
            watch.enter_at(Phase::Receive, at);
        }
    }

    fn wrote(&self, length: usize) {
        let mut seen = self.lock();
        seen.written = seen.written.saturating_add(length as u64);
        if seen.first_read.is_none() && !(self.two && length <= CONTROL_BYTES_MAX) {
            seen.last_write = Some(Instant::now());
        }
        if !self.two {
            seen.blocked = false;
        }
    }

    fn waits(&self) {
        if !self.two {
            self.lock().blocked = true;
        }
    }

    fn may_read(&self) -> io::Result<()> {
        let mut seen = self.lock();
        if seen.read <= seen.read_max {
            return Ok(());
        }
        seen.flooded = true;
        Err(io::Error::other("too many bytes came"))
    }

    fn came(&self, bytes: &[u8]) {
        let mut seen = self.lock();
        seen.read = seen.read.saturating_add(bytes.len() as u64);
        let missing = tls::RECORD_MARK_BYTES.saturating_sub(seen.first.len());
        seen.first.extend(bytes.iter().take(missing));
        if !self.two && !bytes.is_empty() && seen.first_read.is_none() {
            seen.first_read = Some(Instant::now());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that tells its [`Wire`] what passes.
#[derive(Debug)]
pub(in crate::probe) struct Tap<S> {
    stream: S,
    wire: Wire,
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.wire.may_read()?;
        let before = buf.filled().len();
        let done = Pin::new(&mut this.stream).poll_read(cx, buf);
        match done {
            Poll::Ready(Ok(())) => {
                this.wire.came(buf.filled().get(before..).unwrap_or_default());
                Poll::Ready(Ok(()))
            }
            // A close without TLS's goodbye is a close: whether something is missing, HTTP's own
            // framing says.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Poll::Ready(Ok(()))
            }
            other => other,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let done = Pin::new(&mut this.stream).poll_write(cx, bytes);
        note_write(&this.wire, &done);
        done
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let done = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        note_write(&this.wire, &done);
        done
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let done = Pin::new(&mut this.stream).poll_flush(cx);
        match done {
            Poll::Pending => this.wire.waits(),
            // Nothing new left with this flush, but what waited in a TLS record may have.
            Poll::Ready(_) if this.wire.lock().blocked => this.wire.wrote(0),
            Poll::Ready(_) => {}
        }
        done
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

fn note_write(wire: &Wire, done: &Poll<io::Result<usize>>) {
    match done {
        Poll::Pending => wire.waits(),
        Poll::Ready(Ok(length)) => wire.wrote(*length),
        Poll::Ready(Err(_)) => {}
    }
}
