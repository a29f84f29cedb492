//! Other monitors, watched: whether they answer, and whether they measure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use tokio::time::{Duration, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::Alerting;
use crate::alert::channel::trust::system_tls;
use crate::app::lock;
use crate::model::alerting::PeerMonitor;
use crate::model::time::Millis;

/// How often another monitor is asked.
const EVERY: Duration = Duration::from_secs(15);

/// Deadline of a question.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Its newest result may be this old: a few of the longest usual intervals.
const AGE_MS_MAX: i64 = 300_000;

/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 4_096;

/// Peers that fail: since when, and why.
pub(super) type Failing = BTreeMap<String, (Millis, String)>;

/// What a monitor says of itself.
#[derive(Deserialize)]
struct Health {
    newest_result: Option<String>,
}

/// Asks it until `stop`.
pub(super) async fn run(alerting: Arc<Alerting>, peer: PeerMonitor, stop: CancellationToken) {
    let failing = Arc::clone(&lock(&alerting.health).peers);
    let client = client(TIMEOUT);
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = tick.tick() => {}
        }
        let asked = tokio::select! {
            () = stop.cancelled() => break,
            asked = ask(&client, &peer) => asked,
        };
        let now = alerting.clock.now();
        let health = asked.and_then(|newest| match newest {
            None => Err("it has measured nothing yet".to_owned()),
            Some(at) if now.0 - at > AGE_MS_MAX => {
                Err(format!("its newest result is {} s old", (now.0 - at) / 1_000))
            }
            Some(_) => Ok(()),
        });
        let mut failing = lock(&failing);
        // It may not be watched any more.
        if stop.is_cancelled() {
            break;
        }
        match health {
            Ok(()) => drop(failing.remove(&peer.id)),
            Err(why) => {
                warn!(peer = peer.id, why, "another monitor fails");
                failing.entry(peer.id.clone()).or_insert((now, String::new())).1 = why;
            }
        }
    }
}

/// Forgets the peers that are not in `watched` any more. What is known of the others stays: a
/// reload is no reason to take them for well again.
pub(super) fn keep(failing: &mut Failing, watched: &[PeerMonitor]) {
    failing.retain(|id, _| watched.iter().any(|it| it.id == *id));
}

/// When its newest result started, in Unix milliseconds.
async fn ask(
    client: &Result<reqwest::Client, String>,
    peer: &PeerMonitor,
) -> Result<Option<i64>, String> {
    let url = peer.url.join("-/healthy").map_err(|it| it.to_string())?;
    let mut request = client.as_ref().map_err(Clone::clone)?.get(url);
    if let Some(token) = &peer.token {
        request = request.bearer_auth(token.reveal());
    }
    let told = |it: reqwest::Error| it.without_url().to_string();
    let mut answer = request.send().await.map_err(told)?;
    if !answer.status().is_success() {
        return Err(format!("it answers {}", answer.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(told)? {
        body.extend_from_slice(&piece);
        if body.len() > ANSWER_BYTES_MAX {
            return Err("its answer is not that of a monitor".to_owned());
        }
    }
    let health: Health = serde_json::from_slice(&body)
        .map_err(|_| "its answer is not that of a monitor".to_owned())?;
    let newest = health.newest_result.and_then(|it| it.parse::<jiff::Timestamp>().ok());
    Ok(newest.map(jiff::Timestamp::as_millisecond))
}

/// A client that trusts what the system trusts, follows nothing, and keeps no connection. Reads the
/// system's roots: make it once.
pub(super) fn client(timeout: Duration) -> Result<reqwest::Client, String> {
    let tls = system_tls().map_err(|it| it.to_string())?;
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .timeout(timeout);
    client.build().map_err(|it| it.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reload_forgets_only_peers_that_are_gone() {
        let peer = |id: &str| PeerMonitor {
            id: id.to_owned(),
            url: "http://127.0.0.1:1/".parse().unwrap(),
            token: None,
        };
        let failing = |id: &str| (id.to_owned(), (Millis(7), "it answers 502".to_owned()));
        let mut known: Failing = ["a", "b"].map(failing).into();
        keep(&mut known, &[peer("b"), peer("c")]);
        assert_eq!(known, Failing::from([failing("b")]));
    }
}
