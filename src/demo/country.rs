//! A small country of e-services on loopback: real HTTP, TLS and TCP servers of ours, each with
//! a character of its own.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Days that the certificate near its end still has.
const CERT_DAYS_LEFT: i64 = 9;

/// How long the slow service takes.
const SLOW: Duration = Duration::from_millis(700);

/// The flaky service fails once in this many requests: often enough to be seen, too seldom to
/// be an outage (three among ten).
const FAILS_EVERY: u32 = 7;

/// Connections that one demo server keeps at once; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 64;

/// The running servers, and what is needed to write a configuration for them.
#[derive(Debug)]
pub(super) struct Country {
    /// One address a service.
    pub(super) addresses: Addresses,
    /// The demo's own certificate authority.
    pub(super) root_pem: String,
    servers: JoinSet<()>,
}

/// Where each service listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    /// Answers at once.
    pub(super) healthy: SocketAddr,
    /// Answers well, and late.
    pub(super) slow: SocketAddr,
    /// Takes the connection and says nothing.
    pub(super) hanging: SocketAddr,
    /// Fails now and then.
    pub(super) flaky: SocketAddr,
    /// HTTPS with a certificate that soon ends.
    pub(super) expiring: SocketAddr,
    /// Nobody listens here.
    pub(super) refused: SocketAddr,
    /// A firewall answers instead of the service.
    pub(super) walled: SocketAddr,
    /// A mail server's greeting over TCP.
    pub(super) mail: SocketAddr,
}

/// The character of an HTTP service.
#[derive(Debug)]
enum Manner {
    Healthy,
    Slow,
    Flaky(AtomicU32),
    Walled,
}

impl Country {
    /// Starts every server, on ports that the system chooses.
    ///
    /// # Errors
    ///
    /// If a port or a certificate can't be had. `now_s`, in seconds since 1970, is what the end
    /// of the certificate counts from.
    pub(super) async fn start(now_s: i64) -> io::Result<Self> {
        let mut servers = JoinSet::new();
        let (acceptor, root_pem) = certificate(now_s).map_err(io::Error::other)?;
        let addresses = Addresses {
            healthy: web(&mut servers, Manner::Healthy, None).await?,
            slow: web(&mut servers, Manner::Slow, None).await?,
            flaky: web(&mut servers, Manner::Flaky(AtomicU32::new(0)), None).await?,
            walled: web(&mut servers, Manner::Walled, None).await?,
            expiring: web(&mut servers, Manner::Healthy, Some(acceptor)).await?,
            hanging: serve(&mut servers, hang).await?,
            mail: serve(&mut servers, greet).await?,
            refused: closed_port().await?,
        };
        Ok(Self { addresses, root_pem, servers })
    }

    /// Ends every server.
    pub(super) async fn stop(mut self) {
        self.servers.shutdown().await;
    }
}

async fn bind() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// A port that was free a moment ago. Nobody listens on it unless the system gives it away.
async fn closed_port() -> io::Result<SocketAddr> {
    bind().await.map(|(_, address)| address)
}

/// Accepts connections for ever, each in a task of its own.
async fn serve<F>(
    servers: &mut JoinSet<()>,
    answer: impl Fn(TcpStream) -> F + Send + 'static,
) -> io::Result<SocketAddr>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (listener, address) = bind().await?;
    servers.spawn(async move {
        let mut open = JoinSet::new();
        loop {
            while open.len() >= CONNECTIONS_MAX {
                open.join_next().await;
            }
            match listener.accept().await {
                Ok((stream, _)) => drop(open.spawn(answer(stream))),
                Err(_out_of_descriptors) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
            while open.try_join_next().is_some() {}
        }
    });
    Ok(address)
}

async fn web(
    servers: &mut JoinSet<()>,
    manner: Manner,
    tls: Option<TlsAcceptor>,
) -> io::Result<SocketAddr> {
    let manner = Arc::new(manner);
    serve(servers, move |stream| {
        let (manner, tls) = (Arc::clone(&manner), tls.clone());
        async move {
            match tls {
                None => speak_http(stream, manner).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        speak_http(stream, manner).await;
                    }
                }
            }
        }
    })
    .await
}

async fn speak_http(stream: impl AsyncRead + AsyncWrite + Unpin, manner: Arc<Manner>) {
    let service = service_fn(|_: Request<Incoming>| {
        let manner = Arc::clone(&manner);
        async move { Ok::<_, Infallible>(manner.answer().await) }
    });
    // A client that goes away in the middle is none of our business.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Manner {
    async fn answer(&self) -> Response<Full<Bytes>> {
        const PAGE: &str = "<!doctype html><html lang=\"vi\"><title>Cổng dịch vụ công</title>\
            <p>Xin chào. Hệ thống đang phục vụ.</p>";
        const WALL: &str = "<html><head><title>Request Rejected</title></head><body>The requested \
            URL was rejected. Please consult with your administrator.<br><br>Your support ID is: \
            1234567890123456789</body></html>";
        match self {
            Self::Healthy => page(StatusCode::OK, PAGE),
            Self::Slow => {
                tokio::time::sleep(SLOW).await;
                page(StatusCode::OK, PAGE)
            }
            Self::Flaky(count) => {
                if count.fetch_add(1, Ordering::Relaxed) % FAILS_EVERY == FAILS_EVERY - 1 {
                    page(StatusCode::INTERNAL_SERVER_ERROR, "<p>Lỗi hệ thống")
                } else {
                    page(StatusCode::OK, PAGE)
                }
            }
            Self::Walled => page(StatusCode::OK, WALL),
        }
    }
}

fn page(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    let html = hyper::header::HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, html);
    response
}

/// Takes the connection and reads what comes, without a word, until the client leaves.
async fn hang(mut stream: TcpStream) {
    let mut sink = [0; 1024];
    while stream.read(&mut sink).await.is_ok_and(|n| n > 0) {}
}

/// Greets as a mail server does (RFC 5321, section 4.2) and takes leave.
async fn greet(mut stream: TcpStream) {
    let mut sink = [0; 1024];
    if stream.write_all(b"220 thu.demo.vn ESMTP\r\n").await.is_ok() {
        let _ = stream.read(&mut sink).await;
        let _ = stream.write_all(b"221 2.0.0 tam biet\r\n").await;
    }
}

/// A certificate that soon ends, from an authority made for this demo alone.
fn certificate(
    now_s: i64,
) -> Result<(TlsAcceptor, String), Box<dyn std::error::Error + Send + Sync>> {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "thongsuot demo CA");
    let authority_key = KeyPair::generate()?;
    let root = authority.self_signed(&authority_key)?;
    let issuer = Issuer::from_params(&authority, &authority_key);
    let mut leaf = CertificateParams::new(vec!["localhost".to_owned()])?;
    leaf.subject_alt_names.push(rcgen::SanType::IpAddress(Ipv4Addr::LOCALHOST.into()));
    let last_day = jiff::Timestamp::from_second(now_s + CERT_DAYS_LEFT * 86_400)?
        .to_zoned_datetime(jiff::tz::TimeZone::UTC)
        .date();
    let (month, day) = (last_day.month().unsigned_abs(), last_day.day().unsigned_abs());
    leaf.not_after = rcgen::date_time_ymd(last_day.year().into(), month, day);
    let leaf_key = KeyPair::generate()?;
    let leaf = leaf.signed_by(&leaf_key, &issuer)?;
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()?
    .with_no_client_auth()
    .with_single_cert(
        vec![CertificateDer::from(leaf.der().to_vec())],
        PrivateKeyDer::try_from(leaf_key.serialize_der())?,
    )?;
    Ok((TlsAcceptor::from(Arc::new(config)), root.pem()))
}
