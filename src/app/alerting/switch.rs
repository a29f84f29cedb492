//! The dead man's switch: an outside service is called while everything works, and only then.
//! When it hears nothing it calls people, also when this machine is gone.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::{Duration, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{Alerting, peers};
use crate::model::alerting::DeadMan;
use crate::model::time::Millis;

/// Deadline of a call.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The pipeline looks around every second; the newest commit is at most this old.
const PIPELINE_MS_MAX: i64 = 10_000;
const COMMIT_MS_MAX: i64 = 30_000;

/// Alerting looks every second; keeping a decision on a bad disk takes some of them.
const DECIDED_MS_MAX: i64 = 15_000;

/// A page may wait for so long while its channel fails.
const STUCK_MS: i64 = 120_000;

/// An Alertmanager, if any is configured, accepted something this long ago at most.
const ACCEPTED_MS_MAX: i64 = 120_000;

/// Calls it until `stop`.
pub(super) async fn run(alerting: Arc<Alerting>, dead_man: DeadMan, stop: CancellationToken) {
    let mut tick = interval(dead_man.every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let metrics = Arc::clone(&alerting.metrics);
    let client = peers::client(TIMEOUT);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Err(why) = alerting.works() {
            warn!(why, "the dead man's switch is not called");
            metrics.alerts().heartbeat("withheld");
            continue;
        }
        let called = tokio::select! {
            () = stop.cancelled() => return,
            called = call(&client, dead_man.url.reveal()) => called,
        };
        match called {
            Ok(()) => {
                debug!("the dead man's switch was called");
                metrics.alerts().heartbeat("sent");
            }
            Err(why) => {
                warn!(why, "the dead man's switch does not answer");
                metrics.alerts().heartbeat("failed");
            }
        }
    }
}

async fn call(client: &Result<reqwest::Client, String>, url: &str) -> Result<(), String> {
    let client = client.as_ref().map_err(Clone::clone)?;
    let answer = client.post(url).send().await.map_err(|it| it.without_url().to_string())?;
    let status = answer.status();
    status.is_success().then_some(()).ok_or_else(|| format!("it answers {}", status.as_u16()))
}

impl Alerting {
    /// Whether probing, history and alerting truly work.
    fn works(&self) -> Result<(), String> {
        let now = self.clock.now();
        let looked = self.looked.load(Ordering::Relaxed);
        let silent = self.clock.since_boot_us() / 1_000 - looked;
        if silent > PIPELINE_MS_MAX {
            return Err(format!("the pipeline has been silent for {silent} ms"));
        }
        let history = self.history.stats();
        if history.failing > 0 {
            return Err("results can't be stored".to_owned());
        }
        let age = |at: Option<Millis>| at.map_or(i64::MAX, |at| now.since(at));
        if age(history.last_commit_at) > COMMIT_MS_MAX {
            return Err("nothing has been stored for half a minute".to_owned());
        }
        if super::watched::lock(&self.watch).late.lasts(now, 0).is_some() {
            return Err("runs start late".to_owned());
        }
        let decided = self.clock.since_boot_us() / 1_000 - self.decided.load(Ordering::Relaxed);
        if decided > DECIDED_MS_MAX {
            return Err(format!("nothing has been decided for {decided} ms"));
        }
        if self.desk.with(|it| it.outbox.is_stuck(now.plus_ms(-STUCK_MS))) {
            return Err("pages wait, and their channels fail".to_owned());
        }
        let statuses = self.statuses();
        let accepts = statuses.iter().any(|it| age(it.last_accepted) <= ACCEPTED_MS_MAX);
        if !statuses.is_empty() && !accepts {
            return Err("no Alertmanager accepts anything".to_owned());
        }
        Ok(())
    }
}
