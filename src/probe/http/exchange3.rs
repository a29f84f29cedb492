//! One HTTP/3 request and its answer, on one QUIC connection (RFC 9114).

use std::future::Future;
use std::sync::{Arc, OnceLock};

use h3::client::RequestStream;
use h3_quinn::{RecvStream, SendStream};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Buf, Bytes};
use quinn::Connection;
use tokio::time::{Instant, timeout_at};
use url::Host;

use crate::model::expect::HttpVersion;
use crate::model::observation::Detail;
use crate::model::phases::Phase;
use crate::model::reason::Reason;
use crate::model::spec::{TlsClient, TlsVersion};
use crate::probe::beside::beside;
use crate::probe::quic::{self, Quic, Socket};
use crate::probe::resolve;
use crate::probe::stopwatch::{Fault, Stopwatch};
use crate::probe::tls::{self, Terms};

use super::body::{Cap, Gathered};
use super::cookies::Jar;
use super::frames3::{Watched, Watching};
use super::{Asked, Got, HEAD_BYTES_MAX, HEADERS_MAX, Head, Trip, body, client_for, request};

/// Most bytes between the handshake and the head of the answer: the head, informational answers,
/// and what of the body comes in the same read.
const BEFORE_HEAD_BYTES_MAX: u64 = quic::WINDOW_BYTES as u64 + 2 * HEAD_BYTES_MAX as u64;

/// Most informational answers (1xx) before the answer: an honest server sends one or two.
const INFORMED_MAX: usize = 100;

type Sending = RequestStream<SendStream<Bytes>, Bytes>;
type Receiving = RequestStream<Watched<RecvStream>, Bytes>;

/// One hop to `host` and `port` over HTTP/3, from the name to the end of the answer.
pub(super) async fn hop(
    trip: &Trip<'_>,
    asked: &Asked,
    (host, port): (&Host<String>, u16),
    jar: &Jar,
    head: &mut Option<Head>,
    watch: &mut Stopwatch,
    detail: &mut Detail,
) -> Result<Got, Fault> {
    if trip.spec.proxy.is_some() || !super::is_secure(&asked.url) {
        let why = "HTTP/3 is only for `https`, and goes through no proxy";
        return Err(Fault::new(Reason::Internal, why));
    }
    let addresses = resolve::resolve(host, trip.how, trip.net, watch, detail).await?;
    // QUIC has no older one (RFC 9001, section 4.2).
    let client = client_for(trip.spec, asked).into_owned();
    let client = TlsClient { version_min: TlsVersion::Tls13, ..client };
    let terms = Terms {
        host,
        client: &client,
        alpn: tls::ALPN_3,
        expect: trip.spec.expect.cert,
        now: trip.now,
    };
    let quic = quic::connect(&addresses, port, terms, trip.how, trip.net, watch, detail).await?;
    let request = request::build(trip, asked, jar, true)?;
    // Large, and of no use to the other versions: not a part of every run.
    Box::pin(exchange(quic, request, trip.cap(), head, watch)).await
}

/// When what happened, noted while it is waited for.
#[derive(Debug, Default)]
struct Marks {
    /// The whole request was handed over.
    sent: OnceLock<Instant>,
    /// The head of the answer came.
    head: OnceLock<Instant>,
}

async fn exchange(
    quic: Quic,
    request: Request<Full<Bytes>>,
    cap: Cap,
    seen: &mut Option<Head>,
    watch: &mut Stopwatch,
) -> Result<Got, Fault> {
    watch.enter(Phase::Send);
    let Quic { connection, mut link } = quic;
    let socket = Arc::clone(link.socket());
    socket.allow(BEFORE_HEAD_BYTES_MAX);
    let marks = Marks::default();
    // Held to the end: when the last handle is gone, quinn closes with a code of its own.
    let open = connection.clone();
    let work = Box::pin(converse(connection, request, cap, seen, &marks, &socket));
    let done = timeout_at(watch.deadline(), link.drive(work)).await;
    if let Some(at) = marks.sent.get() {
        watch.enter_at(Phase::Wait, *at);
    }
    if let Some(at) = marks.head.get() {
        watch.enter_at(Phase::Receive, *at);
    }
    link.close();
    drop(open);
    let done = done.unwrap_or_else(|_elapsed| Err(watch.timed_out()));
    // The connection was there: that it broke is not that it can't be made.
    done.map_err(|fault| match fault.reason {
        Reason::ConnectReset => Fault { reason: Reason::HttpProtocol, ..fault },
        _ => fault,
    })
}

async fn converse(
    connection: Connection,
    request: Request<Full<Bytes>>,
    cap: Cap,
    seen: &mut Option<Head>,
    marks: &Marks,
    socket: &Socket,
) -> Result<Got, Fault> {
    let broken = |error: &dyn std::error::Error| fault(error, &connection);
    let (mut driver, mut sender) = h3::client::builder()
        .max_field_section_size(HEAD_BYTES_MAX as u64)
        .send_grease(false)
        .build::<_, _, Bytes>(Watching(h3_quinn::Connection::new(connection.clone())))
        .await
        .map_err(|error| broken(&error))?;
    let (head, full) = request.into_parts();
    let is_head = head.method == Method::HEAD;
    // A body of one piece that is there already: collecting it can't fail or wait.
    let sent = full.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let work = async {
        let stream = sender.send_request(Request::from_parts(head, ())).await;
        let (sending, mut receiving) = stream.map_err(|error| broken(&error))?.split();
        let response = answer(upload(sending, sent, marks), &mut receiving, &connection).await?;
        let (head, ()) = response.into_parts();
        let _first = marks.head.set(Instant::now());
        *seen = Some(Head::of(HttpVersion::Http3, head.status, &head.headers));
        socket.allow(body::wire_bytes_max(cap.most));
        is_sound(&head.headers)?;
        let body = read(&mut receiving, Gathered::new(&head.headers, cap), &connection).await?;
        if !is_head && head.status != StatusCode::NOT_MODIFIED {
            is_whole(head.headers.get(CONTENT_LENGTH), body.bytes())?;
        }
        let (version, status) = (HttpVersion::Http3, head.status.as_u16());
        Ok(Got { version, status, headers: head.headers, body })
    };
    beside(driver.wait_idle(), work).await
}

/// Whether a head is one of HTTP/3, as the library for HTTP/2 asks of that.
fn is_sound(headers: &HeaderMap) -> Result<(), Fault> {
    let wrong = |why: String| Err(Fault::new(Reason::HttpProtocol, why));
    if headers.len() > HEADERS_MAX {
        return wrong(format!("more than {HEADERS_MAX} headers"));
    }
    match request::ONLY_HTTP1.iter().find(|name| headers.contains_key(*name)) {
        Some(name) => wrong(format!("HTTP: a header `{name}`, which HTTP/3 forbids")),
        None => Ok(()),
    }
}

/// The answer's head, for which `upload` is not waited.
async fn answer(
    upload: impl Future<Output = ()>,
    receiving: &mut Receiving,
    connection: &Connection,
) -> Result<Response<()>, Fault> {
    tokio::select! {
        biased;
        early = head(receiving, connection) => return early,
        () = upload => {}
    }
    head(receiving, connection).await
}

/// The first head that is not an informational one (1xx).
async fn head(receiving: &mut Receiving, connection: &Connection) -> Result<Response<()>, Fault> {
    for _ in 0..INFORMED_MAX {
        let response = receiving.recv_response().await;
        let response = response.map_err(|error| fault(&error, connection))?;
        if !response.status().is_informational() {
            return Ok(response);
        }
    }
    let why = format!("HTTP: more than {INFORMED_MAX} informational answers");
    Err(Fault::new(Reason::HttpProtocol, why))
}

/// Sends the body as the server's window allows. If the server wants no more of it, its answer
/// says why.
async fn upload(mut sending: Sending, body: Bytes, marks: &Marks) {
    let taken = body.is_empty() || sending.send_data(body).await.is_ok();
    if taken && sending.finish().await.is_ok() {
        let _first = marks.sent.set(Instant::now());
    }
}

async fn read(
    receiving: &mut Receiving,
    mut gathered: Gathered,
    connection: &Connection,
) -> Result<Gathered, Fault> {
    loop {
        // Frames may be of a byte each, and many: the deadline must get its turn.
        tokio::task::coop::consume_budget().await;
        let data = receiving.recv_data().await.map_err(|error| fault(&error, connection))?;
        let Some(mut data) = data else { return Ok(gathered) };
        while data.has_remaining() {
            let piece = data.chunk();
            gathered.take(piece)?;
            let length = piece.len();
            data.advance(length);
        }
    }
}

/// Whether `body` is as long as its header says (RFC 9114, section 4.1.2).
fn is_whole(length: Option<&http::HeaderValue>, body: &[u8]) -> Result<(), Fault> {
    let Some(length) = length else { return Ok(()) };
    let said = length.to_str().ok().and_then(|text| text.trim().parse::<usize>().ok());
    if said == Some(body.len()) {
        return Ok(());
    }
    let why = format!("HTTP: the body is of {} bytes, and `content-length` says else", body.len());
    Err(Fault::new(Reason::HttpProtocol, why))
}

/// What a broken exchange is to us: the connection knows more of its end than a stream does.
fn fault(error: &dyn std::error::Error, connection: &Connection) -> Fault {
    match quic::end_of(connection) {
        Some(end) if quic::is_of_tls(&end) => {
            Fault::new(Reason::TlsHandshake, format!("QUIC handshake: {end}"))
        }
        Some(end) => Fault::new(Reason::HttpProtocol, format!("HTTP: QUIC: {end}")),
        None => Fault::new(Reason::HttpProtocol, format!("HTTP: {error}")),
    }
}
