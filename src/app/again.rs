//! Reads the recent past of a check again where the live state can't know it: after another `K`, and
//! after a result that came too late to be placed. Then the live state says again what the batch
//! side would (`docs/measurement.md`, "Invariants", P13).

use std::sync::Arc;

use tokio::sync::{Notify, mpsc};
use tokio::time::{Duration, sleep};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::notices::Notices;
use super::pipeline::Event;
use super::restore::of_check;
use super::watched::{self, Shared};
use crate::availability::live::LiveCheck;
use crate::clock::Clock;
use crate::history::History;
use crate::model::check::Check;
use crate::model::id::VantageId;

/// Rest after a check: each costs a few milliseconds, and many may be asked for at once.
const REST: Duration = Duration::from_millis(10);

/// Rest after the history could not be read.
const REST_FAILED: Duration = Duration::from_secs(5);

/// The part.
#[derive(Debug)]
pub(super) struct PastAgain {
    pub(super) clock: Clock,
    pub(super) vantage: VantageId,
    pub(super) history: History,
    pub(super) notices: Arc<Notices>,
    pub(super) watch: Shared,
    /// Told when there is something to read.
    pub(super) asked: Arc<Notify>,
    pub(super) events: mpsc::Sender<Event>,
}

impl PastAgain {
    /// Goes on until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) -> Result<(), String> {
        stop.run_until_cancelled(self.go_on()).await;
        Ok(())
    }

    async fn go_on(&self) {
        loop {
            self.asked.notified().await;
            while let Some((check, asked)) = self.next() {
                let live = self.insist(&check).await;
                // The pipeline is gone only when the daemon is ending.
                drop(self.events.send(Event::Past { check, asked, live: Box::new(live) }).await);
                sleep(REST).await;
            }
        }
    }

    fn next(&self) -> Option<(Arc<Check>, u64)> {
        watched::lock(&self.watch).next_again()
    }

    /// Reads until it can be read.
    async fn insist(&self, check: &Arc<Check>) -> LiveCheck {
        loop {
            match self.read(check).await {
                Ok(live) => return live,
                Err(why) => warn!(check = %check.id, why, "its past can't be read now"),
            }
            sleep(REST_FAILED).await;
        }
    }

    /// What was noted before it was asked for is on its way to the disk: first it must be there.
    async fn read(&self, check: &Arc<Check>) -> Result<LiveCheck, String> {
        self.history.flush().await.map_err(|error| error.to_string())?;
        let (history, vantage, check) =
            (self.history.clone(), self.vantage.clone(), Arc::clone(check));
        let now = self.clock.now();
        let reach = self.notices.reach(&check, now);
        let read = tokio::task::spawn_blocking(move || {
            of_check(&history.reader()?, &check, &reach, &vantage, now)
        });
        let (live, _) =
            read.await.map_err(|panic| panic.to_string())?.map_err(|error| error.to_string())?;
        Ok(live)
    }
}

#[cfg(test)]
mod tests;
