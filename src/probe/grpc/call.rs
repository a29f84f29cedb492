//! One unary call over a connection of its own.

use std::future::{Future, poll_fn};
use std::io::Cursor;
use std::task::Poll;

use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use super::health::{ANSWER_BYTES_MAX, HealthCheckRequest, frame};
use super::metered::{Metered, SPEAKS_TLS};
use crate::model::phases::Phase;
use crate::model::reason::Reason;
use crate::model::spec::GrpcSpec;
use crate::probe::beside::beside;
use crate::probe::stopwatch::{Fault, Stopwatch};

/// Where the health service is called.
const PATH: &str = "/grpc.health.v1.Health/Check";

/// Most bytes of headers, and of trailers.
const HEADER_BYTES_MAX: u32 = 64 << 10;

/// Most interim responses (1xx) before the real one: nobody has a use for more.
const INTERIM_MAX: usize = 16;

/// Most bytes read on a connection: the greatest head, message and trailers, twice.
const HEARD_BYTES_MAX: usize = 2 * (2 * HEADER_BYTES_MAX as usize + ANSWER_BYTES_MAX);

/// Names that are no metadata: set by us, or of HTTP/1's connections (RFC 9113, section
/// 8.2.2), which HTTP/2 would break off for.
const NOT_METADATA: [&str; 9] = [
    "te",
    "content-type",
    "user-agent",
    "host",
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// What is sent: a cursor, so that h2 need not copy it.
type Body = Cursor<Vec<u8>>;

/// What came back, whatever it is.
#[derive(Debug, Default)]
pub(super) struct CallAnswer {
    /// HTTP status.
    pub(super) status: u16,
    /// HTTP headers.
    pub(super) headers: HeaderMap,
    /// The body as it came, at most [`ANSWER_BYTES_MAX`].
    pub(super) body: Vec<u8>,
    /// HTTP trailers, if there were any.
    pub(super) trailers: Option<HeaderMap>,
}

/// The head of the call.
///
/// # Errors
///
/// `internal` if the host or the metadata can't be written into HTTP.
pub(super) fn request(spec: &GrpcSpec, user_agent: &str) -> Result<Request<()>, Fault> {
    let broken = |what: &str, error: &dyn std::fmt::Display| {
        Fault::new(Reason::Internal, format!("can't send {what}: {error}"))
    };
    let uri = Uri::builder()
        .scheme(if spec.tls.is_some() { "https" } else { "http" })
        .authority(format!("{}:{}", spec.peer.host, spec.peer.port))
        .path_and_query(PATH)
        .build()
        .map_err(|error| broken("the host", &error))?;
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert("te", HeaderValue::from_static("trailers"));
    headers.insert("content-type", HeaderValue::from_static("application/grpc"));
    let agent = HeaderValue::try_from(user_agent).map_err(|e| broken("our user agent", &e))?;
    headers.insert("user-agent", agent);
    for (name, value) in &spec.metadata {
        let what = format!("the metadata `{name}`");
        let name = HeaderName::try_from(name).map_err(|error| broken(&what, &error))?;
        if NOT_METADATA.contains(&name.as_str()) || name.as_str().starts_with("grpc-") {
            return Err(broken(&what, &"the protocol keeps this name for itself"));
        }
        let mut value =
            HeaderValue::try_from(value.reveal()).map_err(|error| broken(&what, &error))?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(request)
}

/// Speaks HTTP/2 on `stream` for one call with the question for `service`. What is left of the
/// run's time goes along, so that the server can stop when nobody waits any more.
///
/// # Errors
///
/// A timeout by phase; `tls_unexpected` if the peer speaks TLS and `stream` does not;
/// `http_protocol` if what comes is not HTTP/2, is too much, or ends early.
pub(super) async fn call<S>(
    stream: S,
    mut request: Request<()>,
    service: &str,
    watch: &mut Stopwatch,
) -> Result<CallAnswer, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    request.headers_mut().insert("grpc-timeout", timeout_of(watch));
    let body = frame(&HealthCheckRequest { service: service.to_owned() });
    let shaking = Builder::new()
        .enable_push(false)
        .max_header_list_size(HEADER_BYTES_MAX)
        .handshake::<_, Body>(Metered::new(stream, HEARD_BYTES_MAX));
    let (sender, connection) =
        watch.run(Phase::Send, async { shaking.await.map_err(|e| protocol(&e)) }).await?;
    let deadline = watch.deadline();
    let work = beside(connection, exchange(sender, request, body, watch));
    // The deadline of each step is not enough: a peer that never stops talking uses up the
    // task's budget in the connection, and then the timers of the work are not looked at.
    match timeout_at(deadline, work).await {
        Ok(answered) => answered,
        Err(_elapsed) => Err(watch.timed_out()),
    }
}

/// The time left, in milliseconds: at least one, and at most eight digits ("Timeout" in gRPC
/// over HTTP/2), which a run never needs.
fn timeout_of(watch: &Stopwatch) -> HeaderValue {
    let left = watch.deadline().saturating_duration_since(Instant::now());
    let text = format!("{}m", left.as_millis().clamp(1, 99_999_999));
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("1S"))
}

async fn exchange(
    mut sender: SendRequest<Body>,
    request: Request<()>,
    body: Vec<u8>,
    watch: &mut Stopwatch,
) -> Result<CallAnswer, Fault> {
    let response = watch
        .run(Phase::Send, async {
            poll_fn(|cx| sender.poll_ready(cx)).await.map_err(|error| protocol(&error))?;
            let (response, stream) =
                sender.send_request(request, false).map_err(|error| protocol(&error))?;
            send(stream, body).await?;
            Ok(response)
        })
        .await?;
    let (head, stream) = watch.run(Phase::Wait, head(response)).await?.into_parts();
    let (body, trailers) = watch.run(Phase::Receive, rest(stream)).await?;
    Ok(CallAnswer { status: head.status.as_u16(), headers: head.headers, body, trailers })
}

/// Sends the one message once the peer has room for it. A peer that answers without reading
/// gives no room and ends the stream: then its answer is what counts.
async fn send(mut stream: SendStream<Body>, body: Vec<u8>) -> Result<(), Fault> {
    stream.reserve_capacity(body.len());
    while stream.capacity() < body.len() {
        match poll_fn(|cx| stream.poll_capacity(cx)).await {
            Some(Ok(_room)) => {}
            Some(Err(_)) | None => return Ok(()),
        }
    }
    // An error is one of the stream, which the response shows as well.
    _ = stream.send_data(Cursor::new(body), true);
    Ok(())
}

/// The response's head, interim ones left out.
async fn head(mut response: ResponseFuture) -> Result<http::Response<RecvStream>, Fault> {
    let mut interim = 0;
    poll_fn(|cx| {
        while let Poll::Ready(Some(Ok(_head))) = response.poll_informational(cx) {
            interim += 1;
            if interim > INTERIM_MAX {
                let why = format!("more than {INTERIM_MAX} interim responses came");
                return Poll::Ready(Err(Fault::new(Reason::HttpProtocol, why)));
            }
        }
        std::pin::Pin::new(&mut response).poll(cx).map_err(|error| protocol(&error))
    })
    .await
}

async fn rest(mut stream: RecvStream) -> Result<(Vec<u8>, Option<HeaderMap>), Fault> {
    let mut body = Vec::new();
    while let Some(part) = stream.data().await {
        let part = part.map_err(|error| protocol(&error))?;
        if body.len() + part.len() > ANSWER_BYTES_MAX {
            let why = format!("the answer is longer than {ANSWER_BYTES_MAX} bytes");
            return Err(Fault::new(Reason::HttpProtocol, why));
        }
        body.extend_from_slice(&part);
        stream.flow_control().release_capacity(part.len()).map_err(|error| protocol(&error))?;
    }
    let trailers = stream.trailers().await.map_err(|error| protocol(&error))?;
    Ok((body, trailers))
}

fn protocol(error: &h2::Error) -> Fault {
    // The library keeps no more than the text of a stream's error.
    if error.to_string().contains(SPEAKS_TLS) {
        return Fault::new(Reason::TlsUnexpected, SPEAKS_TLS);
    }
    Fault::new(Reason::HttpProtocol, format!("HTTP/2: {error}"))
}

#[cfg(test)]
mod tests {
    use url::Host;

    use super::*;
    use crate::model::expect::CertExpect;
    use crate::model::secret::Secret;
    use crate::model::spec::{Peer, TlsClient};

    fn spec(host: &str) -> GrpcSpec {
        GrpcSpec {
            peer: Peer { host: Host::parse(host).unwrap(), port: 50_051 },
            tls: Some(TlsClient::default()),
            service: String::new(),
            metadata: vec![("x-key".to_owned(), Secret::new("a".to_owned()))],
            cert: CertExpect::default(),
        }
    }

    #[test]
    fn the_host_stands_in_the_authority_as_url_writes_it() {
        for (host, authority) in
            [("a.vn", "a.vn:50051"), ("192.0.2.1", "192.0.2.1:50051"), ("[::1]", "[::1]:50051")]
        {
            let request = request(&spec(host), "agent").unwrap();
            assert_eq!(request.uri().authority().unwrap().as_str(), authority);
            assert_eq!(request.headers()["x-key"], "a");
            assert!(request.headers()["x-key"].is_sensitive());
        }
    }

    #[test]
    fn metadata_that_can_not_be_sent_is_our_own_fault() {
        for (name, value) in
            [("a b", "x"), ("connection", "x"), ("Grpc-Timeout", "1S"), ("te", "x"), ("a", "\n")]
        {
            let mut spec = spec("a.vn");
            spec.metadata = vec![(name.to_owned(), Secret::new(value.to_owned()))];
            let fault = request(&spec, "agent").unwrap_err();
            assert_eq!(fault.reason, Reason::Internal, "{name}");
            assert!(!fault.why.contains('\n'), "a secret is not shown");
        }
    }
}
