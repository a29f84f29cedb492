//! `kind = grpc` against a health service on hyper's HTTP/2 server, and against what is none.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use thongsuot::model::check::Check;
use thongsuot::model::expect::CertExpect;
use thongsuot::model::observation::Observation;
use thongsuot::model::outcome::Outcome;
use thongsuot::model::phases::Phase;
use thongsuot::model::reason::Reason;
use thongsuot::model::secret::Secret;
use thongsuot::model::spec::{GrpcSpec, Spec, TlsClient};
use thongsuot::model::time::Micros;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::probe_kit::{Authority, LONG, SHORT, check, ends, net, observe, peer};

#[derive(Clone, PartialEq, Eq, Message)]
struct HealthCheckRequest {
    #[prost(string, tag = "1")]
    service: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
struct HealthCheckResponse {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// What a service says of `service`: its serving status, or a gRPC status and message.
type Health = Result<i32, (u16, &'static str)>;

/// A server that treats every connection as `script` says, until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Server {
    async fn start<F, W>(script: F) -> Self
    where
        F: Fn(TcpStream) -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            loop {
                let (stream, _from) = listener.accept().await.unwrap();
                script(stream).await;
            }
        });
        Self { address, _tasks: tasks }
    }

    /// The health service: over TLS with an acceptor, else in clear.
    pub(crate) async fn health<F>(tls: Option<TlsAcceptor>, health: F) -> Self
    where
        F: Fn(&HeaderMap, String) -> Health + Send + Sync + 'static,
    {
        let health = Arc::new(health);
        Self::start(move |stream| {
            let (tls, health) = (tls.clone(), Arc::clone(&health));
            async move {
                match tls {
                    None => serve(stream, health).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            serve(stream, health).await;
                        }
                    }
                }
            }
        })
        .await
    }
}

async fn serve<S, F>(stream: S, health: Arc<F>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(&HeaderMap, String) -> Health + Send + Sync + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let health = Arc::clone(&health);
        async move {
            assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
            let headers = request.headers().clone();
            let body = request.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body[0], 0);
            let asked = HealthCheckRequest::decode(&body[5..]).unwrap();
            Ok::<_, Infallible>(answer(health(&headers, asked.service)))
        }
    });
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    // The peer leaves as soon as it knows enough.
    _ = server.serve_connection(TokioIo::new(stream), service).await;
}

type Body = http_body_util::combinators::BoxBody<Bytes, Infallible>;

fn answer(health: Health) -> Response<Body> {
    let (frame, status, message) = match health {
        Ok(status) => {
            let message = HealthCheckResponse { status }.encode_to_vec();
            let mut frame = vec![0, 0, 0, 0, u8::try_from(message.len()).unwrap()];
            frame.extend(message);
            (frame, 0, "")
        }
        Err((status, message)) => (Vec::new(), status, message),
    };
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(status));
    trailers.insert("grpc-message", HeaderValue::from_static(message));
    let response = Response::builder().header("content-type", "application/grpc");
    let body = Full::new(Bytes::from(frame));
    response.body(body.with_trailers(async { Some(Ok(trailers)) }).boxed()).unwrap()
}

fn spec(address: SocketAddr, tls: Option<TlsClient>) -> GrpcSpec {
    let cert = CertExpect::default();
    let service = "dvc.HoSo".to_owned();
    GrpcSpec { peer: peer(address), tls, service, metadata: Vec::new(), cert }
}

fn grpc(spec: GrpcSpec, timeout: Duration) -> Check {
    check(Spec::Grpc(Box::new(spec)), timeout)
}

async fn call(server: &Server, timeout: Duration) -> Observation {
    observe(&grpc(spec(server.address, None), timeout), &net(None)).await
}

#[tokio::test]
async fn a_service_that_serves_is_good_in_clear() {
    let server = Server::health(
        None,
        |_headers, service| {
            if service == "dvc.HoSo" { Ok(1) } else { Err((5, "")) }
        },
    )
    .await;
    let seen = call(&server, LONG).await;
    ends(&seen, Reason::None);
    assert_eq!((seen.status, seen.bytes), (Some(0), 7));
    assert_eq!(seen.detail.answer, ["SERVING"]);
    assert_eq!(seen.detail.http_version, Some("2"));
    assert!(seen.phases.get(Phase::Wait) > Micros(0));
    let mut slow = grpc(spec(server.address, None), LONG);
    slow.slow = Some(Micros(1));
    ends(&observe(&slow, &net(None)).await, Reason::OverSlow);
}

#[tokio::test]
async fn a_service_that_serves_is_good_over_tls() {
    let authority = Authority::new();
    let server = Server::health(Some(authority.acceptor(&["h2"])), |_, _| Ok(1)).await;
    let seen =
        observe(&grpc(spec(server.address, Some(authority.client())), LONG), &net(None)).await;
    ends(&seen, Reason::None);
    assert_eq!(seen.detail.tls.unwrap().alpn.as_deref(), Some("h2"));
    assert!(seen.tls_not_after.is_some());
    let untrusted = grpc(spec(server.address, Some(TlsClient::default())), LONG);
    let seen = observe(&untrusted, &net(None)).await;
    assert_eq!(seen.reason.outcome(), Outcome::Error, "nobody vouches for it: {seen:?}");
}

#[tokio::test]
async fn a_server_that_does_not_agree_on_http2_is_not_called() {
    let authority = Authority::new();
    let server = Server::health(Some(authority.acceptor(&[])), |_, _| Ok(1)).await;
    let check = grpc(spec(server.address, Some(authority.client())), LONG);
    ends(&observe(&check, &net(None)).await, Reason::HttpProtocol);
}

#[tokio::test]
async fn what_the_service_says_is_told_apart() {
    for (health, reason, status, word) in [
        (Ok(2), Reason::GrpcNotServing, 0, "NOT_SERVING"),
        (Ok(3), Reason::GrpcNotServing, 0, "SERVICE_UNKNOWN"),
        (Ok(0), Reason::GrpcNotServing, 0, "UNKNOWN"),
        (Err((5, "kh%C3%B4ng c%C3%B3")), Reason::GrpcStatus, 5, "NOT_FOUND không có"),
        (Err((14, "")), Reason::GrpcStatus, 14, "UNAVAILABLE"),
    ] {
        let server = Server::health(None, move |_, _| health).await;
        let seen = call(&server, LONG).await;
        ends(&seen, reason);
        assert_eq!(seen.status, Some(status));
        assert_eq!(seen.detail.answer, [word]);
    }
}

#[tokio::test]
async fn metadata_and_the_time_left_go_along() {
    let heard = Arc::new(Mutex::new(HeaderMap::new()));
    let into = Arc::clone(&heard);
    let server = Server::health(None, move |headers, _service| {
        into.lock().unwrap().clone_from(headers);
        Ok(1)
    })
    .await;
    let mut spec = spec(server.address, None);
    spec.metadata = vec![("authorization".to_owned(), Secret::new("Bearer x".to_owned()))];
    ends(&observe(&grpc(spec.clone(), LONG), &net(None)).await, Reason::None);
    let headers = heard.lock().unwrap().clone();
    assert_eq!(headers["authorization"], "Bearer x");
    assert_eq!(headers["user-agent"], "thongsuot-test");
    assert_eq!(headers["te"], "trailers");
    let left = headers["grpc-timeout"].to_str().unwrap().strip_suffix('m').unwrap();
    assert!((1..=10_000).contains(&left.parse::<u32>().unwrap()), "{left}");

    spec.metadata[0].0 = "not a name".to_owned();
    ends(&observe(&grpc(spec, LONG), &net(None)).await, Reason::Internal);
}

#[tokio::test]
async fn tls_where_none_was_expected_and_the_reverse_are_unexpected() {
    let authority = Authority::new();
    let server = Server::health(Some(authority.acceptor(&["h2"])), |_, _| Ok(1)).await;
    ends(&call(&server, LONG).await, Reason::TlsUnexpected);
    let server = Server::start(|mut stream| async move {
        _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        _ = stream.shutdown().await;
        let mut sink = Vec::new();
        _ = stream.read_to_end(&mut sink).await;
    })
    .await;
    let check = grpc(spec(server.address, Some(authority.client())), LONG);
    ends(&observe(&check, &net(None)).await, Reason::TlsUnexpected);
}

#[tokio::test]
async fn what_is_not_http2_is_told_so() {
    for said in ["HTTP/1.1 400 Bad Request\r\n\r\n", "\0\0\0", "220 mx chào bạn\r\n", ""] {
        let server = Server::start(move |mut stream| async move {
            _ = stream.write_all(said.as_bytes()).await;
            _ = stream.shutdown().await;
            let mut sink = Vec::new();
            _ = stream.read_to_end(&mut sink).await;
        })
        .await;
        ends(&call(&server, LONG).await, Reason::HttpProtocol);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_closes_is_not_waited_for() {
    // At once, within the preface, after it, after the call: what fails first is a read or a write.
    for bytes in [0, 10, 24, 1_024] {
        let server = Server::start(move |mut stream| async move {
            _ = stream.read(&mut vec![0; bytes]).await;
        })
        .await;
        for _again in 0..50 {
            ends(&call(&server, LONG).await, Reason::HttpProtocol);
        }
    }
}

#[tokio::test]
async fn web_pages_over_http2_are_not_grpc() {
    for status in [200, 404, 503] {
        let server = Server::start(move |stream| async move {
            let service = service_fn(move |_request: Request<Incoming>| async move {
                let response =
                    Response::builder().status(status).header("content-type", "text/html");
                Ok::<_, Infallible>(response.body(Full::new(Bytes::from("xin chào"))).unwrap())
            });
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            _ = server.serve_connection(TokioIo::new(stream), service).await;
        })
        .await;
        let seen = call(&server, LONG).await;
        ends(&seen, Reason::HttpProtocol);
        assert_eq!(seen.status, None);
    }
}

/// A server on h2 itself that treats the one call as `script` says.
async fn h2_server<F, W>(script: F) -> Server
where
    F: Fn(h2::server::SendResponse<Bytes>) -> W + Send + Sync + 'static,
    W: Future<Output = ()> + Send,
{
    let script = Arc::new(script);
    Server::start(move |stream| {
        let script = Arc::clone(&script);
        async move {
            let mut connection = h2::server::handshake(stream).await.unwrap();
            let (_request, respond) = connection.accept().await.unwrap().unwrap();
            tokio::join!(script(respond), async {
                while let Some(Ok(_another)) = connection.accept().await {}
            });
        }
    })
    .await
}

fn head() -> Response<()> {
    Response::builder().header("content-type", "application/grpc").body(()).unwrap()
}

#[tokio::test]
async fn a_server_that_stalls_hangs_in_the_phase_it_stalls_in() {
    let server = Server::start(|mut stream| async move {
        let mut sink = Vec::new();
        _ = stream.read_to_end(&mut sink).await;
    })
    .await;
    ends(&call(&server, SHORT).await, Reason::TimeoutWait);

    let server = h2_server(|respond| async move {
        tokio::time::sleep(SHORT * 2).await;
        drop(respond);
    })
    .await;
    ends(&call(&server, SHORT).await, Reason::TimeoutWait);

    let server = h2_server(|mut respond| async move {
        let mut stream = respond.send_response(head(), false).unwrap();
        stream.send_data(Bytes::from_static(&[0, 0, 0]), false).unwrap();
        tokio::time::sleep(SHORT * 2).await;
        drop(stream);
    })
    .await;
    ends(&call(&server, SHORT).await, Reason::TimeoutReceive);
}

#[tokio::test]
async fn a_call_that_is_broken_off_or_floods_is_a_breach_of_the_protocol() {
    let server = h2_server(|mut respond| async move {
        respond.send_reset(h2::Reason::INTERNAL_ERROR);
    })
    .await;
    ends(&call(&server, LONG).await, Reason::HttpProtocol);

    let server = h2_server(|mut respond| async move {
        let mut stream = respond.send_response(head(), false).unwrap();
        stream.send_data(Bytes::from(vec![0; 60_000]), false).unwrap();
    })
    .await;
    ends(&call(&server, LONG).await, Reason::HttpProtocol);

    let server = h2_server(|mut respond| async move {
        for _interim in 0..100 {
            let early = Response::builder().status(103).body(()).unwrap();
            if respond.send_informational(early).is_err() {
                return;
            }
        }
        _ = respond.send_response(head(), true);
    })
    .await;
    let seen = call(&server, LONG).await;
    ends(&seen, Reason::HttpProtocol);
    assert!(seen.detail.why.unwrap().contains("interim"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_frames_is_cut_off() {
    let server = Server::start(|stream| async move {
        let (mut from, mut to) = stream.into_split();
        to.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
        let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8].repeat(500);
        let mut sink = vec![0; 64 << 10];
        tokio::join!(async { while to.write_all(&ping).await.is_ok() {} }, async {
            while from.read(&mut sink).await.is_ok_and(|length| length > 0) {}
        },);
    })
    .await;
    // Two threads: on one, the flood itself would have to wait for us.
    let seen = call(&server, LONG).await;
    ends(&seen, Reason::HttpProtocol);
    assert!(seen.detail.why.unwrap().ends_with("more came than any answer needs"));
}
