//! Large answers: few at once, each given in pieces, each with a time to be read in.
//!
//! hyper lets go of a body as soon as the body says that it has ended, which is long before the
//! client has read it. A [`Held`] therefore never gives more than a piece at a time, and ends
//! only when it is asked for more after the last piece, which hyper does once less than its
//! buffer (16 KiB) is unsent.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, timeout, timeout_at};

use super::answer::ApiError;

/// Longest wait for room: less than what Prometheus and people have patience for.
const ROOM_TIME_MAX: Duration = Duration::from_secs(8);

/// Largest piece of an answer that the connection is given at once.
const PIECE_BYTES_MAX: usize = 64 * 1024;

/// Lets a request pass once there is room for its answer, and holds the place until the answer
/// is sent, or given up.
pub(super) async fn room(
    State(room): State<Arc<Semaphore>>,
    request: Request,
    next: Next,
) -> Response {
    let deadline = request.extensions().get::<Deadline>().cloned();
    match timeout(ROOM_TIME_MAX, room.acquire_owned()).await {
        Ok(Ok(place)) => next.run(request).await.map(|body| {
            let running = deadline.map(Deadline::begin);
            let rest = Bytes::new();
            Body::new(Held { body, rest, ended: false, _running: running, _place: place })
        }),
        _ => ApiError::unavailable("too many large answers are under way").into_response(),
    }
}

/// When the large answer under way on a connection has to be read. Each request of the
/// connection carries it.
#[derive(Clone, Debug)]
pub(super) struct Deadline {
    end: Arc<watch::Sender<Option<Instant>>>,
    time: Duration,
}

impl Deadline {
    /// For one connection. The second part ends once an answer took longer than `time`.
    pub(super) fn new(time: Duration) -> (Self, impl Future<Output = ()> + Send) {
        let (end, ends) = watch::channel(None);
        (Self { end: Arc::new(end), time }, overdue(ends))
    }

    fn begin(self) -> Running {
        self.end.send_replace(Some(Instant::now() + self.time));
        Running(self)
    }
}

/// An answer that has to be read in time.
struct Running(Deadline);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.end.send_replace(None);
    }
}

async fn overdue(mut ends: watch::Receiver<Option<Instant>>) {
    loop {
        let end = *ends.borrow_and_update();
        let changed = match end {
            None => ends.changed().await,
            Some(end) => match timeout_at(end, ends.changed()).await {
                Ok(changed) => changed,
                Err(_) => return,
            },
        };
        if changed.is_err() {
            // The connection is ending anyway.
            std::future::pending::<()>().await;
        }
    }
}

/// A body that holds a place, and gives what `body` gives in pieces.
struct Held {
    body: Body,
    rest: Bytes,
    ended: bool,
    _running: Option<Running>,
    _place: OwnedSemaphorePermit,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
            match frame.map(|frame| frame.map(Frame::into_data)) {
                None => {
                    self.ended = true;
                    return Poll::Ready(None);
                }
                Some(Ok(Ok(data))) => self.rest = data,
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            }
        }
        let length = self.rest.len().min(PIECE_BYTES_MAX);
        // A copy: a slice would keep the whole answer in memory until the last piece is sent.
        let piece = Bytes::copy_from_slice(&self.rest.split_to(length));
        if self.rest.is_empty() {
            self.rest = Bytes::new();
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    /// True only once the end has been given, see above.
    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + rest);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}
