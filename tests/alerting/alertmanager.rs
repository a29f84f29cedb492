//! The Alertmanager client: against Debian's Alertmanager with the shipped configuration, and
//! against one that follows a script.

mod desk;
mod hook;
mod instance;
mod real;
mod faults;
mod script;
mod scripted;
mod secure;

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long anything may take that takes some seconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Between two looks at a condition.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Waits until `look` sees something, at most [`PATIENCE`].
async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let from = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(from.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        sleep(LOOK_EVERY).await;
    }
}

/// Whether `program` can be started.
fn is_installed(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let more = [PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")];
    std::env::split_paths(&folders).chain(more).any(|it| it.join(program).is_file())
}
