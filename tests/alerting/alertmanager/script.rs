//! An Alertmanager that follows a script.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// What it does with a post: the alerts, and which post it is, from 0.
type Script = Box<dyn FnMut(&[Value], usize) -> Reply + Send>;

/// How it answers.
pub(super) enum Reply {
    /// 200, and the alerts stand there.
    Keep,
    /// 200, and they do not.
    Drop,
    /// This code.
    Code(u16),
    /// 200, after this long.
    Slow(Duration),
}

/// What it knows.
struct Mind {
    script: Script,
    posts: Vec<Vec<Value>>,
    bytes: Vec<usize>,
    headers: Vec<HeaderMap>,
    standing: Vec<Value>,
    uptime: String,
}

/// A running one. Gone with this value.
pub(super) struct Fake {
    pub(super) address: SocketAddr,
    mind: Arc<Mutex<Mind>>,
    _serving: JoinSet<()>,
}

impl Fake {
    pub(super) async fn start(
        script: impl FnMut(&[Value], usize) -> Reply + Send + 'static,
    ) -> Self {
        let mind = Mind {
            script: Box::new(script),
            posts: Vec::new(),
            bytes: Vec::new(),
            headers: Vec::new(),
            standing: Vec::new(),
            uptime: "2026-11-24T00:00:00Z".into(),
        };
        let mind = Arc::new(Mutex::new(mind));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new()
            .route("/am/api/v2/alerts", get(standing).post(take))
            .route("/am/api/v2/status", get(status))
            .with_state(Arc::clone(&mind));
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, mind, _serving: serving }
    }

    /// Its settings: it stands behind a path.
    pub(super) fn settings(&self) -> thongsuot::model::alerting::channel::Alertmanager {
        let url = format!("http://{}/am", self.address).parse().unwrap();
        thongsuot::model::alerting::channel::Alertmanager {
            url,
            ..super::desk::settings(self.address)
        }
    }

    /// Every post so far.
    pub(super) fn posts(&self) -> Vec<Vec<Value>> {
        self.mind.lock().unwrap().posts.clone()
    }

    /// The largest body so far.
    pub(super) fn bytes_max(&self) -> usize {
        self.mind.lock().unwrap().bytes.iter().copied().max().unwrap_or(0)
    }

    /// The headers of every post so far.
    pub(super) fn headers(&self) -> Vec<HeaderMap> {
        self.mind.lock().unwrap().headers.clone()
    }

    /// Forgets everything, as after a new start.
    pub(super) fn restart(&self) {
        let mut mind = self.mind.lock().unwrap();
        mind.standing.clear();
        mind.uptime = "2026-11-24T00:10:00Z".into();
    }
}

/// Incident numbers of a post, sorted.
pub(super) fn incidents(post: &[Value]) -> Vec<String> {
    let all = post.iter().filter_map(|it| it["labels"]["incident"].as_str());
    let mut all: Vec<String> = all.map(str::to_owned).collect();
    all.sort();
    all
}

async fn take(State(mind): State<Arc<Mutex<Mind>>>, headers: HeaderMap, body: Bytes) -> Response {
    let alerts: Vec<Value> = serde_json::from_slice(&body).unwrap();
    let reply = {
        let mut mind = mind.lock().unwrap();
        let number = mind.posts.len();
        mind.posts.push(alerts.clone());
        mind.bytes.push(body.len());
        mind.headers.push(headers);
        (mind.script)(&alerts, number)
    };
    match reply {
        Reply::Keep => mind.lock().unwrap().standing.extend(alerts),
        Reply::Drop => {}
        Reply::Slow(length) => {
            sleep(length).await;
            mind.lock().unwrap().standing.extend(alerts);
        }
        Reply::Code(code) => {
            let code = StatusCode::from_u16(code).unwrap();
            return (code, [("location", "/am/api/v2/alerts")], "\"no\"").into_response();
        }
    }
    StatusCode::OK.into_response()
}

async fn standing(State(mind): State<Arc<Mutex<Mind>>>) -> Response {
    axum::Json(mind.lock().unwrap().standing.clone()).into_response()
}

async fn status(State(mind): State<Arc<Mutex<Mind>>>) -> Response {
    let uptime = mind.lock().unwrap().uptime.clone();
    axum::Json(json!({ "uptime": uptime, "versionInfo": { "version": "0.99.0" } })).into_response()
}
