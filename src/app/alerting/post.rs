//! Sending: one loop a channel, so that a slow one delays no other, and a few messages at once on
//! each, so that a slow address delays no other.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Duration, Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use super::desk::{Desk, State};
use super::words::Words;
use crate::alert::channel::{Sender, Sent};
use crate::alert::delivery::{Delivery, Purpose, Status};
use crate::alert::outbox::Batch;
use crate::app::pipeline::journal;
use crate::clock::Clock;
use crate::history::History;
use crate::metrics::Metrics;
use crate::model::alerting::channel::{Channel, ChannelKind};
use crate::model::time::Millis;

/// Messages under way on one channel at once: gateways ban whom they find pushy.
const AT_ONCE: usize = 4;

/// An attempt that outlives its own deadline by so much is given up from outside.
const BEYOND: Duration = Duration::from_secs(5);

/// Longest sleep between looks: the wall clock may be set while we sleep.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What sending needs, whatever the channel.
#[derive(Debug)]
pub(super) struct Office {
    pub(super) desk: Arc<Desk>,
    pub(super) history: History,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
    pub(super) words: Words,
}

/// One channel at work.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) channel: Arc<Channel>,
    pub(super) sender: Arc<Sender>,
    pub(super) office: Arc<Office>,
}

impl Post {
    /// Sends what is due until `stop`; then what is under way ends, and nothing new begins.
    pub(super) async fn run(self, stop: CancellationToken) {
        let post = Arc::new(self);
        let mut news = post.office.desk.post.subscribe();
        let mut under_way = JoinSet::new();
        let mut batches: HashMap<Id, Batch> = HashMap::new();
        loop {
            while under_way.len() < AT_ONCE && !stop.is_cancelled() {
                let Some(batch) = post.take() else { break };
                let (sender, sent) = (Arc::clone(&post), batch.clone());
                let task = under_way.spawn(async move { sender.send(sent).await });
                batches.insert(task.id(), batch);
            }
            let idle = under_way.is_empty();
            tokio::select! {
                () = stop.cancelled(), if idle => return,
                ended = under_way.join_next_with_id(), if !idle => match ended {
                    Some(Ok((id, ()))) => drop(batches.remove(&id)),
                    Some(Err(why)) => {
                        if let Some(batch) = batches.remove(&why.id()) {
                            post.died(&batch, &why);
                        }
                    }
                    None => {}
                },
                _ = news.changed(), if !stop.is_cancelled() => {}
                () = sleep_until(post.next_look()), if !stop.is_cancelled() => {}
            }
        }
    }

    fn take(&self) -> Option<Batch> {
        let now = self.office.clock.now();
        self.office.desk.with(|state| {
            let batch = state.outbox.next(&self.channel.id, self.channel.min_gap, now)?;
            state.outbox.begin(&batch);
            Some(batch)
        })
    }

    fn next_look(&self) -> Instant {
        let now = self.office.clock.now();
        let next = self
            .office
            .desk
            .with(|state| state.outbox.next_at(&self.channel.id, self.channel.min_gap));
        let wait = next.map_or(LOOK_EVERY, |at| millis(at.since(now)).min(LOOK_EVERY));
        // Something that is due and can't be taken waits for what is under way.
        Instant::now() + wait.max(Duration::from_millis(20))
    }

    /// One message: kept, put into words, sent, and what came of it kept.
    async fn send(&self, batch: Batch) {
        let office = &self.office;
        office.desk.keep(&office.history).await;
        let Some(batch) = self.still_needed(batch) else { return };
        let message = office.words.message(&office.desk, &batch, office.clock.now());
        let limit = self.longest();
        let sent = match &message {
            None => Sent::Refused { why: "there is nothing to be told any more".to_owned() },
            Some(message) => {
                match timeout(limit, self.sender.send(&batch.to, message, office.clock.now())).await
                {
                    Ok(sent) => sent,
                    Err(_) => Sent::Later { why: format!("no end within {limit:?}"), after: None },
                }
            }
        };
        let now = office.clock.now();
        self.count(&batch, &sent, now);
        office.desk.with(|state| {
            state.outbox.done(&batch, &sent, now);
            let keys: BTreeSet<&str> = batch.deliveries.iter().map(|it| &*it.key).collect();
            let ended: Vec<Delivery> = state
                .outbox
                .all()
                .filter(|it| keys.contains(&*it.key) && !it.is_waiting())
                .cloned()
                .collect();
            for delivery in ended {
                state.journal.push(line(&delivery, now));
            }
        });
        office.desk.keep(&office.history).await;
        office.desk.wake.notify_one();
    }

    /// What is still to be sent: somebody may have answered while it was being kept.
    fn still_needed(&self, batch: Batch) -> Option<Batch> {
        let office = &self.office;
        let now = office.clock.now();
        let before = batch.deliveries.len();
        let left = office.desk.with(|state| {
            let State { book, outbox, .. } = state;
            outbox.withdraw(batch, now, |it| {
                let loud = matches!(it.purpose, Purpose::Page | Purpose::Ticket);
                let incident = book.incidents.get(&it.incident);
                loud && incident.is_none_or(|it| it.ack.is_some() || !it.is_open())
            })
        });
        for _ in left.deliveries.len()..before {
            office.metrics.alerts().message(self.channel.id.as_str(), "dropped");
        }
        (!left.deliveries.is_empty()).then_some(left)
    }

    /// How long an attempt may take, seen from outside. The exchange of a token that works once
    /// may take as long again, twice, and must not be cut.
    fn longest(&self) -> Duration {
        let exchanges = match &self.channel.kind {
            ChannelKind::Http(http) if http.token.is_some() => 2,
            ChannelKind::Http(_) | ChannelKind::Email(_) => 0,
        };
        self.channel.timeout * (1 + exchanges) + BEYOND
    }

    /// A bug of ours in an attempt: it counts as failed, and is tried again.
    fn died(&self, batch: &Batch, why: &JoinError) {
        error!(channel = %self.channel.id, %why, "an attempt died");
        let sent = Sent::Later { why: "a fault of the monitor itself".to_owned(), after: None };
        let now = self.office.clock.now();
        self.office.desk.with(|state| state.outbox.done(batch, &sent, now));
    }

    fn count(&self, batch: &Batch, sent: &Sent, now: Millis) {
        let alerts = self.office.metrics.alerts();
        let channel = self.channel.id.as_str();
        let (result, end) = match sent {
            Sent::Accepted { .. } => ("accepted", Some("sent")),
            Sent::Later { .. } => ("later", None),
            Sent::Refused { .. } => ("refused", Some("failed")),
        };
        alerts.attempt(channel, result);
        for delivery in &batch.deliveries {
            let (incident, purpose) = (&delivery.incident.0, delivery.purpose.as_str());
            match sent {
                Sent::Accepted { id } => {
                    alerts.delay(channel, millis(now.since(delivery.decided)));
                    info!(incident, purpose, channel, id, "told");
                }
                Sent::Later { why, .. } => warn!(incident, purpose, channel, why, "not told yet"),
                Sent::Refused { why } => warn!(incident, purpose, channel, why, "refused"),
            }
            if let Some(end) = end {
                alerts.message(channel, end);
            }
        }
        debug!(channel, result, messages = batch.deliveries.len(), "attempt");
    }
}

/// The journal's line of a delivery that has ended.
fn line(delivery: &Delivery, now: Millis) -> crate::history::Event {
    let kind = match delivery.status {
        Status::Sent { .. } => "alert.sent",
        Status::Failed { .. } => "alert.failed",
        Status::Dropped { .. } | Status::Pending => "alert.dropped",
    };
    let body = serde_json::json!({
        "incident": delivery.incident.0, "purpose": delivery.purpose.as_str(),
        "person": delivery.person, "channel": delivery.channel,
        "decided_ms": delivery.decided.0, "attempts": delivery.attempts, "why": delivery.why,
    });
    journal(now, kind, body)
}

/// A length of time; none if it is negative.
fn millis(length_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(length_ms).unwrap_or(0))
}
