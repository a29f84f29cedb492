//! Which systems are in maintenance now: for metrics, pages and the API.

use std::sync::Arc;

use tokio::time::{Duration, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::notices::Notices;
use super::watched::{self, Shared};
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::model::system::Roster;
use crate::model::time::Millis;

/// How often it is asked whether anything begins or ends.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Recurring windows begin and end with a minute, and a reload may bring new ones.
const MINUTE_MS: i64 = 60_000;

/// What is needed to know it.
#[derive(Debug)]
pub(super) struct Maintained {
    pub(super) clock: Clock,
    pub(super) zone: jiff::tz::TimeZone,
    pub(super) notices: Arc<Notices>,
    pub(super) watch: Shared,
    pub(super) metrics: Arc<Metrics>,
}

impl Maintained {
    /// Looks every second.
    pub(super) async fn run(self, stop: CancellationToken) -> Result<(), String> {
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let (mut looked, mut known) = (None::<Millis>, Arc::<Roster>::default());
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = tick.tick() => {}
            }
            let now = self.clock.now();
            let roster = Arc::clone(&watched::lock(&self.watch).roster);
            let minute = |at: Millis| at.0.div_euclid(MINUTE_MS);
            let due = !Arc::ptr_eq(&known, &roster)
                || looked.is_none_or(|it| {
                    minute(it) != minute(now) || it > now || self.notices.changed_since(it, now)
                });
            if due {
                self.look(&roster, now);
                (looked, known) = (Some(now), roster);
            }
        }
    }

    /// Before anybody asks for it.
    pub(super) fn begin(&self) {
        let roster = Arc::clone(&watched::lock(&self.watch).roster);
        self.look(&roster, self.clock.now());
    }

    fn look(&self, roster: &Roster, now: Millis) {
        let active = self.notices.active(roster, now, &self.zone);
        let before = {
            let mut watch = watched::lock(&self.watch);
            std::mem::replace(&mut watch.maintained, Arc::new(active.clone()))
        };
        for system in active.difference(&before) {
            info!(%system, "in maintenance");
        }
        for system in before.difference(&active) {
            info!(%system, "maintenance is over");
        }
        for system in &roster.systems {
            self.metrics.maintenance(&system.id, active.contains(&system.id));
        }
    }
}
