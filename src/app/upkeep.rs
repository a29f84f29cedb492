//! What is done now and then: sealing days, and telling the supervisor that all is well.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::time::{Duration, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info};

use crate::clock::Clock;
use crate::history::History;

/// How often days that are over are sealed and very old ones deleted.
const SEAL_EVERY: Duration = Duration::from_hours(1);

/// How long the pipeline may be silent before the supervisor is no longer told that all is well.
const SILENCE_MS_MAX: i64 = 10_000;

/// Seals and deletes, once an hour.
pub(super) async fn history(
    history: History,
    clock: Clock,
    stop: CancellationToken,
) -> Result<(), String> {
    let mut tick = interval(SEAL_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = tick.tick() => match history.maintain(clock.now()).await {
                Ok(done) => debug!(?done, "history kept up"),
                Err(error) => error!(%error, "the history can't be kept up"),
            },
        }
    }
}

/// Pets systemd's watchdog, if there is one, as long as the pipeline looks around.
pub(super) async fn watchdog(
    looked: Arc<AtomicI64>,
    clock: Clock,
    stop: CancellationToken,
) -> Result<(), String> {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        stop.cancelled().await;
        return Ok(());
    };
    info!(?limit, "the supervisor's watchdog is on");
    let mut tick = interval(limit / 3);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = tick.tick() => {
                if clock.since_boot_us() / 1_000 - looked.load(Ordering::Relaxed) < SILENCE_MS_MAX {
                    tell_supervisor(&[sd_notify::NotifyState::Watchdog]);
                }
            }
        }
    }
}

/// Tells systemd something, where there is one.
pub(super) fn tell_supervisor(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        debug!(%error, "the supervisor was not told");
    }
}
