//! The web over real connections on the loopback, before a small source in memory.

mod api;
mod duty;
mod fake;
mod limits;
mod link;
mod pages;
mod probe;

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{HeaderMap, HeaderName};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::tz::TimeZone;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use thongsuot::metrics::{Build, Metrics, Settings as MetricsSettings};
use thongsuot::model::reason::Reason;
use thongsuot::model::secret::Secret;
use thongsuot::model::time::Millis;
use thongsuot::web::{self, Limits, Settings};

use crate::sample::result_of;
use fake::Fake;

/// A web that is being served.
struct Served {
    at: SocketAddr,
    fake: Arc<Fake>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinSet<()>,
}

/// An answer, whole.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|it| panic!("{it}: {}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn header(&self, name: impl TryInto<HeaderName>) -> &str {
        let name = name.try_into().ok().unwrap();
        self.headers.get(name).map_or("", |it| it.to_str().unwrap())
    }
}

fn metrics_of(fake: &Fake) -> Arc<Metrics> {
    let build = Build { version: "0.1.0".into(), revision: "test".into() };
    let metrics = Metrics::new(MetricsSettings::default(), &build).unwrap();
    metrics.set_roster(&fake.snapshot.roster, &fake.snapshot.vantage);
    for (at, check) in fake.snapshot.roster.checks().enumerate() {
        for reason in [Reason::None, Reason::OverSlow, Reason::HttpStatus] {
            metrics.result(&result_of(&check.id, reason, 12_345 + 7 * at as u32));
        }
        metrics.tls_not_after(&check.id, Millis(1_800_000_000_000));
    }
    Arc::new(metrics)
}

async fn serve_with(fake: Fake, token: Option<&str>, limits: Limits) -> Served {
    let fake = Arc::new(fake);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let settings = Settings {
        token: token.map(|it| Secret::new(it.to_owned())),
        zone: TimeZone::get("Asia/Ho_Chi_Minh").unwrap(),
    };
    let router = web::router(settings, metrics_of(&fake), fake::Shared(Arc::clone(&fake)));
    let (stop, stopped) = oneshot::channel();
    let mut task = JoinSet::new();
    task.spawn(web::serve(listener, router, limits, async { drop(stopped.await) }));
    Served { at, fake, stop: Some(stop), task }
}

async fn serve(fake: Fake) -> Served {
    serve_with(fake, None, Limits::default()).await
}

impl Served {
    async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        send(self.at, request).await
    }

    async fn get(&self, target: &str) -> Answer {
        self.send(request("GET", target, &[], "")).await
    }

    async fn post(&self, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send(request("POST", target, headers, body)).await
    }

    fn stop(&mut self) {
        drop(self.stop.take());
    }
}

fn request(
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Request<Full<Bytes>> {
    let mut builder = Request::builder().method(method).uri(target).header("host", "localhost");
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Full::from(body.to_owned())).unwrap()
}

async fn send(at: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    let stream = TcpStream::connect(at).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender.send_request(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, body }
}
