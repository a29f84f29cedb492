//! One HTTP/1 request and its answer, on one connection (RFC 9112).

use std::error::Error as _;

use http::{Request, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout_at;

use crate::model::expect::HttpVersion;
use crate::model::phases::Phase;
use crate::model::reason::Reason;
use crate::probe::beside::beside;
use crate::probe::stopwatch::{Fault, Stopwatch};

use super::body::{Cap, Gathered};
use super::wire::Wire;
use super::{Got, HEAD_BYTES_MAX, HEADERS_MAX, Head, body};

/// Most bytes before the head of the answer is complete: the head itself, any 1xx answers
/// before it, and what of the body comes in the same read.
pub(super) const BEFORE_HEAD_BYTES_MAX: u64 = 2 * HEAD_BYTES_MAX as u64;

/// Sends `request` and reads its answer, the body up to `cap` bytes.
pub(super) async fn exchange<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    cap: Cap,
    seen: &mut Option<Head>,
    watch: &mut Stopwatch,
) -> Result<Got, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    watch.enter(Phase::Send);
    let (tap, wire) = Wire::watch(stream, false, BEFORE_HEAD_BYTES_MAX);
    let deadline = watch.deadline();
    let done = timeout_at(deadline, converse(TokioIo::new(tap), request, cap, seen, &wire)).await;
    wire.settle(watch);
    done.unwrap_or_else(|_elapsed| Err(watch.timed_out()))
}

async fn converse<I>(
    io: I,
    mut request: Request<Full<Bytes>>,
    cap: Cap,
    seen: &mut Option<Head>,
    wire: &Wire,
) -> Result<Got, Fault>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send,
{
    let fault = |error: hyper::Error| broken(&error, wire);
    let (mut sender, connection) = open(io, &mut request, wire).await?;
    let work = async {
        let (head, incoming) = sender.send_request(request).await.map_err(fault)?.into_parts();
        let version = if head.version == Version::HTTP_10 {
            HttpVersion::Http10
        } else {
            HttpVersion::Http11
        };
        *seen = Some(Head::of(version, head.status, &head.headers));
        wire.head_came(body::wire_bytes_max(cap.most));
        let body = read(incoming, Gathered::new(&head.headers, cap), wire).await?;
        Ok(Got { version, status: head.status.as_u16(), headers: head.headers, body })
    };
    beside(connection, work).await
}

/// Begins HTTP/1 on `io` with an answer's head within its limits, and lets `wire` know of 1xx
/// answers to `request`.
pub(super) async fn open<I>(
    io: I,
    request: &mut Request<Full<Bytes>>,
    wire: &Wire,
) -> Result<(SendRequest<Full<Bytes>>, Connection<I, Full<Bytes>>), Fault>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
{
    let informed = wire.clone();
    hyper::ext::on_informational(request, move |_| informed.informed());
    http1::Builder::new()
        .max_headers(HEADERS_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .handshake(io)
        .await
        .map_err(|error| broken(&error, wire))
}

async fn read(
    mut incoming: Incoming,
    mut gathered: Gathered,
    wire: &Wire,
) -> Result<Gathered, Fault> {
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| broken(&error, wire))?;
        let Ok(data) = frame.into_data() else { continue };
        gathered.take(&data)?;
    }
    Ok(gathered)
}

/// What an error of the library is to us.
pub(super) fn broken(error: &hyper::Error, wire: &Wire) -> Fault {
    let mut why = error.to_string();
    if let Some(source) = error.source() {
        why = format!("{why}: {source}");
    }
    fault(&why, wire)
}

/// What a broken exchange is to us.
pub(super) fn fault(why: &str, wire: &Wire) -> Fault {
    if wire.was_flooded() {
        return Fault::new(Reason::HttpProtocol, "more bytes came than any honest answer needs");
    }
    if wire.came_tls() {
        let why = "expected HTTP in clear, the server speaks TLS: should the URL be `https`?";
        return Fault::new(Reason::TlsUnexpected, why);
    }
    if !wire.sent_anything() {
        return Fault::new(Reason::ConnectReset, format!("closed before anything was sent: {why}"));
    }
    Fault::new(Reason::HttpProtocol, format!("HTTP: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Micros;

    #[tokio::test]
    async fn a_close_before_anything_was_sent_is_a_reset() {
        let (ours, theirs) = tokio::io::duplex(64);
        drop(theirs);
        let mut watch = Stopwatch::start(Micros(1_000_000));
        let request = Request::new(Full::default());
        let fault = exchange(ours, request, Cap::new(10, false), &mut None, &mut watch)
            .await
            .expect_err("closed");
        assert_eq!(fault.reason, Reason::ConnectReset, "{}", fault.why);
    }
}
