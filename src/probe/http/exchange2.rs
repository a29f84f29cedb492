//! One HTTP/2 request and its answer, on one connection (RFC 9113).

use std::future::poll_fn;

use h2::client::{Builder, SendRequest};
use h2::{RecvStream, SendStream};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout_at;

use crate::model::expect::HttpVersion;
use crate::model::phases::Phase;
use crate::model::reason::Reason;
use crate::probe::beside::beside;
use crate::probe::stopwatch::{Fault, Stopwatch};

use super::body::{Cap, Gathered};
use super::exchange::fault;
use super::wire::Wire;
use super::{Got, HEAD_BYTES_MAX, HEADERS_MAX, Head, body};

/// Bytes that the server may send before we take any: as much as a body of the usual cap, so
/// that a distant server is not slowed by our window.
const WINDOW_BYTES: u32 = 1 << 20;

/// Most bytes before the head of the answer is complete. What of the body comes in the same
/// read is within the window.
const BEFORE_HEAD_BYTES_MAX: u64 = WINDOW_BYTES as u64 + 2 * HEAD_BYTES_MAX as u64;

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
    let (tap, wire) = Wire::watch(stream, true, BEFORE_HEAD_BYTES_MAX);
    let done = timeout_at(watch.deadline(), converse(tap, request, cap, seen, &wire)).await;
    wire.settle(watch);
    done.unwrap_or_else(|_elapsed| Err(watch.timed_out()))
}

async fn converse<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    cap: Cap,
    seen: &mut Option<Head>,
    wire: &Wire,
) -> Result<Got, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let (sender, connection) = Builder::new()
        .enable_push(false)
        .initial_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .handshake::<_, Bytes>(stream)
        .await
        .map_err(|error| fault(&error.to_string(), wire))?;
    beside(connection, ask(sender, request, cap, seen, wire)).await
}

async fn ask(
    sender: SendRequest<Bytes>,
    request: Request<Full<Bytes>>,
    cap: Cap,
    seen: &mut Option<Head>,
    wire: &Wire,
) -> Result<Got, Fault> {
    let broken = |error: h2::Error| fault(&error.to_string(), wire);
    let (head, full) = request.into_parts();
    // A body of one piece that is there already: collecting it can't fail or wait.
    let sent = full.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut sender = sender.ready().await.map_err(broken)?;
    let request = Request::from_parts(head, ());
    let (response, stream) = sender.send_request(request, sent.is_empty()).map_err(broken)?;
    let response = if sent.is_empty() {
        response.await
    } else {
        wire.set_blocked(true);
        let mut response = response;
        tokio::select! {
            biased;
            early = &mut response => early,
            () = upload(stream, sent, wire) => response.await,
        }
    };
    let (head, incoming) = response.map_err(broken)?.into_parts();
    let version = HttpVersion::Http2;
    *seen = Some(Head::of(version, head.status, &head.headers));
    wire.head_came(body::wire_bytes_max(cap.most));
    if head.headers.len() > HEADERS_MAX {
        let why = format!("more than {HEADERS_MAX} headers");
        return Err(Fault::new(Reason::HttpProtocol, why));
    }
    let body = read(incoming, Gathered::new(&head.headers, cap), wire).await?;
    Ok(Got { version, status: head.status.as_u16(), headers: head.headers, body })
}

/// Sends the body as the server's window allows. If the server wants no more of it, its answer
/// says why.
async fn upload(mut stream: SendStream<Bytes>, mut left: Bytes, wire: &Wire) {
    while !left.is_empty() {
        stream.reserve_capacity(left.len());
        let Some(Ok(granted)) = poll_fn(|cx| stream.poll_capacity(cx)).await else { break };
        if granted == 0 {
            continue;
        }
        let piece = left.split_to(granted.min(left.len()));
        if stream.send_data(piece, left.is_empty()).is_err() {
            break;
        }
    }
    wire.set_blocked(false);
}

async fn read(
    mut incoming: RecvStream,
    mut gathered: Gathered,
    wire: &Wire,
) -> Result<Gathered, Fault> {
    while let Some(data) = incoming.data().await {
        let data = data.map_err(|error| fault(&error.to_string(), wire))?;
        gathered.take(&data)?;
        // Fails only for more than was received.
        let _taken = incoming.flow_control().release_capacity(data.len());
    }
    Ok(gathered)
}
