//! The loop of one instance.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::backoff::Backoff;
use super::bisect::{Bisect, Verdict};
use super::caller::{Answer, Caller};
use super::ledger::{Ledger, Reading};
use super::status::Status;
use super::wire::{self, Clocks};
use super::{Alerts, Client};
use crate::model::time::Millis;

/// How often it is asked since when it runs: a new start is noticed within it.
const STATUS_MS: i64 = 10_000;

/// How often it is looked whether what was accepted stands there.
const VERIFY_MS: i64 = 5 * 60_000;

/// How soon it is looked the first time, and again after a new start.
const VERIFY_FIRST_MS: i64 = 20_000;

/// How long the last changes may take when we are asked to stop.
const FAREWELL: Duration = Duration::from_secs(3);

impl Client {
    /// Keeps the instance in step with `wanted` until `stop`, and says in `tell` how that goes,
    /// from how it is said to be there already: [`Status::new`], or by a loop before this one.
    /// Ends earlier only if `wanted` has nobody left to change it.
    ///
    /// The first value of `wanted` must be complete: what is missing in it is not resolved, but
    /// not kept up either. `wanted` must be sent anew at least every half minute, changed or not:
    /// after two minutes of silence the watchdog ends, since nobody judges any more. The last
    /// value is posted when we are asked to stop: an empty one would be an all-clear for all.
    ///
    /// # Errors
    ///
    /// None: an instance that fails is data. The type is that of every long-lived part.
    pub async fn run(
        self,
        mut wanted: watch::Receiver<Arc<Alerts>>,
        now: impl Fn() -> Millis + Send,
        tell: watch::Sender<Status>,
        stop: CancellationToken,
    ) -> Result<(), String> {
        let mut work = Work::new(self, now, tell);
        wanted.mark_changed();
        while !stop.is_cancelled() {
            if wanted.has_changed().is_err() {
                break;
            }
            if wanted.has_changed().unwrap_or(false) {
                let alerts = Arc::clone(&wanted.borrow_and_update());
                work.ledger.want(&alerts, work.reading());
                // That something waits is known before an attempt, which may take long.
                work.tell();
            }
            let until = tokio::select! {
                () = stop.cancelled() => break,
                until = work.turn() => until,
            };
            work.tell();
            tokio::select! {
                () = stop.cancelled() => break,
                _ = wanted.changed() => wanted.mark_changed(),
                () = sleep_until(until) => {}
            }
        }
        let alerts = Arc::clone(&wanted.borrow());
        work.ledger.want(&alerts, work.reading());
        work.farewell().await;
        Ok(())
    }
}

/// What the loop knows.
struct Work<N> {
    caller: Caller,
    now: N,
    tell: watch::Sender<Status>,
    status: Status,
    ledger: Ledger,
    backoff: Backoff,
    begun: Instant,
    /// Nothing is tried before.
    not_before: Instant,
    /// When it started, as it writes it.
    uptime: Option<String>,
    status_ms: i64,
    verify_ms: i64,
}

impl<N: Fn() -> Millis> Work<N> {
    fn new(client: Client, now: N, tell: watch::Sender<Status>) -> Self {
        let begun = Instant::now();
        let caller = client.caller;
        let mut status = tell.borrow().clone();
        caller.name().clone_into(&mut status.name);
        Self {
            caller,
            now,
            tell,
            ledger: Ledger::after(status.unaccepted.clone()),
            status,
            backoff: Backoff::default(),
            begun,
            not_before: begun,
            uptime: None,
            status_ms: 0,
            verify_ms: VERIFY_FIRST_MS,
        }
    }

    fn reading(&self) -> Reading {
        let at_ms = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        Reading { now: (self.now)(), at_ms }
    }

    /// Does what is most needed now, at most one batch, and says when to come again.
    async fn turn(&mut self) -> Instant {
        if Instant::now() < self.not_before {
            return self.not_before;
        }
        match self.attempt().await {
            Ok(next_ms) => {
                let next = self.begun + Duration::from_millis(u64::try_from(next_ms).unwrap_or(0));
                self.not_before = self.begun;
                next
            }
            Err(why) => {
                let failing = self.status.failing_since.is_some();
                if !failing {
                    warn!(alertmanager = %self.status.name, %why, "alertmanager fails");
                }
                self.status.failing_since.get_or_insert_with(&self.now);
                self.status.why = Some(why);
                // Whether it was started anew is asked before anything else is believed.
                self.status_ms = 0;
                self.not_before = Instant::now() + self.backoff.next(rand::random());
                self.not_before
            }
        }
    }

    /// When to come again, by the ledger's clock; why nothing could be done.
    async fn attempt(&mut self) -> Result<i64, String> {
        let at = self.reading();
        if at.at_ms >= self.status_ms {
            self.ask_status().await?;
        }
        let due = self.ledger.due(self.reading());
        if !due.is_empty() {
            self.post(due).await?;
        }
        if self.reading().at_ms >= self.verify_ms && self.ledger.has_standing() {
            self.verify().await;
        }
        let next = self.ledger.next_ms().unwrap_or(i64::MAX);
        Ok(next.min(self.status_ms).min(self.verify_ms.max(self.reading().at_ms + 1_000)))
    }

    /// Asks since when it runs. Something in between that knows no such question is no failure.
    async fn ask_status(&mut self) -> Result<(), String> {
        let answer = self.caller.status().await?;
        let at = self.reading();
        self.status_ms = at.at_ms + STATUS_MS;
        self.learn_skew(&answer, at.now);
        let (uptime, version) = wire::status(&answer.body.unwrap_or_default());
        self.status.version = version.or(self.status.version.take());
        let Some(uptime) = uptime else { return Ok(()) };
        let before = self.uptime.replace(uptime);
        if before.is_some() && before != self.uptime {
            self.status.restarts += 1;
            info!(alertmanager = %self.status.name, "alertmanager started anew: all is posted again");
            self.ledger.restarted(at);
            self.verify_ms = at.at_ms + VERIFY_FIRST_MS;
        }
        Ok(())
    }

    fn learn_skew(&mut self, answer: &Answer, now: Millis) {
        let Some(skew) = answer.date.as_deref().and_then(|it| wire::skew_ms(it, now)) else {
            return;
        };
        match (self.status.skew_ms, skew) {
            (0, 0) => {}
            (0, _) => warn!(alertmanager = %self.status.name, skew_ms = skew, "the clocks differ"),
            (_, 0) => info!(alertmanager = %self.status.name, "the clocks agree again"),
            _ => {}
        }
        self.status.skew_ms = skew;
    }

    /// Posts the first of `due`; what is refused alone is left out from now on.
    async fn post(&mut self, due: Vec<Arc<super::AmAlert>>) -> Result<(), String> {
        let clocks = Clocks { now: (self.now)(), skew_ms: self.status.skew_ms };
        let count = wire::first_batch(&due, clocks).0;
        let mut search = Bisect::new(due.into_iter().take(count).collect());
        while let Some(part) = search.next() {
            let verdict = self.caller.post(wire::first_batch(part, clocks).1).await;
            if matches!(verdict, Verdict::Failed(_)) {
                self.status.counts.failed += part.len() as u64;
            }
            search.hear(verdict);
        }
        // If it refuses even an empty list, the fault is not with the alerts.
        if search.accepted.is_empty()
            && !search.offenders.is_empty()
            && let Verdict::Refused(why) | Verdict::Failed(why) =
                self.caller.post("[]".to_owned()).await
        {
            self.status.counts.failed += search.offenders.len() as u64;
            return Err(why);
        }
        self.record(search)
    }

    fn record(&mut self, search: Bisect) -> Result<(), String> {
        let at = self.reading();
        for (alert, why) in search.offenders {
            warn!(alertmanager = %self.status.name, alert = alert.name(), %why, "alert refused");
            self.status.counts.refused += 1;
            self.ledger.refused(&alert, why, at);
        }
        self.status.counts.accepted += search.accepted.len() as u64;
        if !search.accepted.is_empty() {
            self.ledger.accepted(&search.accepted, at.at_ms);
            self.status.last_accepted = Some(at.now);
        }
        if let Some(why) = search.failed {
            return Err(why);
        }
        self.backoff.reset();
        if self.status.failing_since.take().is_some() {
            info!(alertmanager = %self.status.name, "alertmanager accepts again");
        }
        self.status.why = None;
        Ok(())
    }

    /// Looks whether what was accepted stands there.
    /// That it can't be looked is no failure: what counts is what is accepted.
    async fn verify(&mut self) {
        self.verify_ms = self.reading().at_ms + VERIFY_MS;
        match self.caller.alerts().await {
            Ok(answer) => {
                if let Some(present) = answer.body.as_deref().and_then(wire::present) {
                    self.ledger.verify(&present, self.reading());
                }
            }
            Err(why) => debug!(alertmanager = %self.status.name, %why, "not verified"),
        }
    }

    /// Publishes the status if it changed.
    fn tell(&mut self) {
        let now = (self.now)();
        self.ledger.settle(now);
        self.ledger.tell(&mut self.status);
        self.status.settle(now);
        let since = self.status.dropped_since.unwrap_or(now);
        self.status.dropped_since = (self.status.dropped > 0).then_some(since);
        self.tell.send_if_modified(|told| {
            let changed = *told != self.status;
            if changed {
                told.clone_from(&self.status);
            }
            changed
        });
    }

    /// The last changes, if it takes them quickly.
    async fn farewell(&mut self) {
        let last = async {
            while self.ledger.next_ms() == Some(i64::MIN) {
                let due = self.ledger.due(self.reading());
                if self.post(due).await.is_err() {
                    break;
                }
            }
        };
        if timeout(FAREWELL, last).await.is_err() {
            warn!("alertmanager did not take the last changes in time");
        }
        self.tell();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::channel::alertmanager::status::must_take_over;
    use crate::model::alerting::channel::Alertmanager;
    use crate::model::spec::Auth;

    #[tokio::test]
    async fn a_new_loop_gives_a_dead_instance_no_new_time() {
        let settings = Alertmanager {
            url: "http://127.0.0.1:1/".parse().unwrap(),
            auth: Auth::None,
            extra_roots_pem: Vec::new(),
            identity_pem: None,
            timeout: Duration::from_secs(1),
        };
        let old = Status { last_accepted: Some(Millis(5)), ..Status::new(&settings, Millis(1)) };
        let (tell, told) = watch::channel(old.clone());
        let client = Client::new(&settings).unwrap();
        let mut work = Work::new(client, || Millis(70_000), tell);
        work.tell();
        assert_eq!(*told.borrow(), old);
        let incident = crate::alert::book::IncidentId::new(2026, 1);
        assert!(must_take_over([&*told.borrow()], &incident, Millis(70_000)));
    }
}
