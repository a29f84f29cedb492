//! A webhook that writes down what Alertmanager tells it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::until;

type Heard = Arc<Mutex<Vec<(String, Value)>>>;

/// A running webhook. Gone with this value.
pub(super) struct Hook {
    pub(super) address: SocketAddr,
    heard: Heard,
    _serving: JoinSet<()>,
}

/// One alert of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) name: String,
    pub(super) incident: String,
    pub(super) firing: bool,
    pub(super) summary: String,
}

impl Hook {
    pub(super) async fn start() -> Self {
        let heard = Heard::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/{receiver}", post(hear)).with_state(Arc::clone(&heard));
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, heard, _serving: serving }
    }

    /// Every notification of a receiver, in order, each with its alerts.
    pub(super) fn all(&self, receiver: &str) -> Vec<Vec<Told>> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|it| it.0 == receiver).map(|it| told(&it.1)).collect()
    }

    /// Every alert that a receiver was told of, in order.
    pub(super) fn alerts(&self, receiver: &str) -> Vec<Told> {
        self.all(receiver).concat()
    }

    /// How often a receiver was told that an incident fires, or is over.
    pub(super) fn count(&self, receiver: &str, number: u32, firing: bool) -> usize {
        let incident = super::desk::id(number).0;
        let told = self.alerts(receiver);
        told.iter().filter(|it| it.incident == incident && it.firing == firing).count()
    }

    /// Waits until a receiver was told at least `count` times that an incident fires, or is over.
    pub(super) async fn told(&self, receiver: &str, number: u32, firing: bool, count: usize) {
        let what = format!("{receiver} is told {count} times of {number}, firing: {firing}");
        until(&what, async || (self.count(receiver, number, firing) >= count).then_some(())).await;
    }
}

async fn hear(State(heard): State<Heard>, Path(receiver): Path<String>, body: String) {
    let body = serde_json::from_str(&body).unwrap();
    heard.lock().unwrap().push((receiver, body));
}

fn told(body: &Value) -> Vec<Told> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let alerts = body["alerts"].as_array().unwrap().iter();
    let alerts = alerts.map(|it| Told {
        name: text(&it["labels"]["alertname"]),
        incident: text(&it["labels"]["incident"]),
        firing: it["status"] == "firing",
        summary: text(&it["annotations"]["summary"]),
    });
    alerts.collect()
}
