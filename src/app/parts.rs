//! Long-lived tasks: each has a name, a death is seen at once, and an end is bounded.

use std::collections::HashMap;
use std::future::Future;

use tokio::task::{Id, JoinSet};
use tokio::time::{Duration, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// The running parts of the daemon.
#[derive(Debug, Default)]
pub(super) struct Parts {
    tasks: JoinSet<Result<(), String>>,
    names: HashMap<Id, &'static str>,
    stop: CancellationToken,
}

/// A part that ended before it was asked to.
#[derive(Debug)]
pub(super) struct Death {
    /// Its name.
    pub(super) part: &'static str,
    /// What it said.
    pub(super) why: String,
}

impl Parts {
    /// A token that is cancelled when the parts are to stop.
    pub(super) fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Runs `task` as the part `name`.
    pub(super) fn spawn(
        &mut self,
        name: &'static str,
        task: impl Future<Output = Result<(), String>> + Send + 'static,
    ) {
        let handle = self.tasks.spawn(task);
        self.names.insert(handle.id(), name);
    }

    /// Waits for the first part that ends, which none should before it is asked to.
    pub(super) async fn death(&mut self) -> Death {
        let Some(ended) = self.tasks.join_next_with_id().await else {
            return Death { part: "all", why: "no part is left".to_owned() };
        };
        let (id, why) = match ended {
            Ok((id, Ok(()))) => (id, "ended by itself".to_owned()),
            Ok((id, Err(why))) => (id, why),
            Err(error) => (error.id(), error.to_string()),
        };
        Death { part: self.names.get(&id).copied().unwrap_or("unnamed"), why }
    }

    /// Asks every part to stop and waits for them, at most `grace`.
    pub(super) async fn stop(&mut self, grace: Duration) {
        self.stop.cancel();
        let rest = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(grace, rest).await.is_err() {
            warn!(?grace, busy = self.tasks.len(), "parts still busy, leaving anyway");
        }
    }
}
