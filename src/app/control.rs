//! Are we blind? Anchors that should always answer tell our own trouble from a target's.
//!
//! Asked only after a bad result, and once for all that fail together: a healthy monitor sends
//! its anchors almost nothing.

use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant, timeout};

/// Anchors that must answer; with fewer the vantage is blind (`docs/measurement.md`).
const REACHED_MIN: usize = 2;

/// Longest that an anchor is waited for. All are asked at once.
const ANCHOR_TIMEOUT: Duration = Duration::from_secs(2);

/// Age up to which an answer that all is well is still believed: many targets may hang at once,
/// and the anchors are others' servers.
pub(super) const BELIEVED: Duration = Duration::from_secs(1);

/// The vantage's check of itself.
#[derive(Debug)]
pub(super) struct Control {
    /// `host:port` of each anchor.
    anchors: Vec<String>,
    newest: Mutex<Option<Verdict>>,
}

#[derive(Clone, Copy, Debug)]
struct Verdict {
    asked: Instant,
    blind: bool,
}

impl Control {
    /// With these anchors; without any, never blind.
    pub(super) fn new(anchors: Vec<String>) -> Self {
        Self { anchors, newest: Mutex::new(None) }
    }

    /// Whether the vantage is blind, by an answer asked for at `since` or later.
    pub(super) async fn blind(&self, since: Instant) -> bool {
        if self.anchors.is_empty() {
            return false;
        }
        // Those that wait here for the lock share the answer of the one that asks.
        let mut newest = self.newest.lock().await;
        if let Some(verdict) = newest.filter(|verdict| verdict.asked >= since) {
            return verdict.blind;
        }
        let asked = Instant::now();
        let blind = self.reached().await < REACHED_MIN;
        *newest = Some(Verdict { asked, blind });
        blind
    }

    /// How many anchors take a connection; stops counting when that is enough.
    async fn reached(&self) -> usize {
        let mut asked = JoinSet::new();
        for anchor in &self.anchors {
            let anchor = anchor.clone();
            asked.spawn(async move {
                let connect = TcpStream::connect(anchor);
                timeout(ANCHOR_TIMEOUT, connect).await.is_ok_and(|it| it.is_ok())
            });
        }
        let mut reached = 0;
        while let Some(answer) = asked.join_next().await {
            reached += usize::from(answer.unwrap_or(false));
            if reached >= REACHED_MIN {
                break;
            }
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn listener() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        (listener, address)
    }

    #[tokio::test]
    async fn two_of_three_anchors_are_enough_and_one_is_not() {
        let (one, a) = listener().await;
        let (_two, b) = listener().await;
        let (gone, c) = listener().await;
        drop(gone);
        let control = Control::new(vec![a, b, c]);
        assert!(!control.blind(Instant::now()).await);

        drop(one);
        let earlier = Instant::now();
        assert!(control.blind(Instant::now()).await);
        assert!(control.blind(earlier).await, "a newer answer serves an older question");
        assert!(!Control::new(Vec::new()).blind(Instant::now()).await);
    }
}
