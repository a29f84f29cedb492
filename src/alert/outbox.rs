//! The outbox: which message goes out when, and what an attempt leaves behind (pure).
//!
//! At least once: a delivery leaves the box only when its channel took it, refused it for good,
//! nobody needs it any more, or a day has passed. Every decision is kept in the history before it
//! is acted on, so a restart goes on where it was; the key is the same then, and a receiver that
//! knows keys sees no duplicate.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use super::book::IncidentId;
use super::channel::Sent;
use super::delivery::{Delivery, Purpose, Status};
use crate::model::id::ChannelId;
use crate::model::time::Millis;

/// Waits between attempts: doubled from the first to the last, and up to a fifth longer, so that
/// many messages do not come back together.
const RETRY_FIRST_MS: i64 = 1_000;
const RETRY_MAX_MS: i64 = 60_000;

/// Longest that another side may make us wait: what it wants after an hour is wrong by then.
const AFTER_MAX_MS: i64 = 600_000;

/// A delivery is given up after so long: what was urgent a day ago is in the log.
pub const GIVE_UP_MS: i64 = 86_400_000;

/// More pages than this that wait for one address go out as one message.
pub const BUNDLE_FROM: usize = 4;

/// A clock that goes back by less was read twice at nearly the same time.
const STEP_MS_MIN: i64 = 1_000;

/// Deliveries that wait at most; beyond it the oldest that is no page is given up. Ten thousand
/// incidents at once are one cause that was not told to us.
pub const WAITING_MAX: usize = 20_000;

/// What waits, and what was sent lately.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    deliveries: BTreeMap<String, Delivery>,
    /// Being sent now.
    busy: BTreeSet<String>,
    /// When something last went to an address.
    last: HashMap<(ChannelId, String), Millis>,
    /// Channels that asked for a pause.
    paused: HashMap<ChannelId, Millis>,
    /// Channels that fail, since when, and why.
    failing: BTreeMap<ChannelId, (Millis, String)>,
    /// Changed since it was last kept.
    dirty: BTreeSet<String>,
    /// The time at the last look.
    seen: Option<Millis>,
}

/// One message to be sent: several deliveries to one address if it is a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The channel.
    pub channel: ChannelId,
    /// The address.
    pub to: String,
    /// What it stands for, at least one.
    pub deliveries: Vec<Delivery>,
}

impl Outbox {
    /// Goes on with what was kept. What was being sent is sent again.
    #[must_use]
    pub fn restore(kept: impl IntoIterator<Item = Delivery>) -> Self {
        let mut outbox = Self::default();
        for delivery in kept {
            if let Status::Sent { at } = delivery.status {
                outbox.went(&delivery, at);
            }
            outbox.deliveries.insert(delivery.key.clone(), delivery);
        }
        outbox
    }

    /// Takes a delivery in; one whose key is known changes nothing.
    pub fn add(&mut self, delivery: Delivery) {
        if self.deliveries.contains_key(&delivery.key) {
            return;
        }
        self.dirty.insert(delivery.key.clone());
        self.deliveries.insert(delivery.key.clone(), delivery);
        self.bound();
    }

    /// Nobody needs these any more; gives them. What is under way is not called back.
    pub fn drop_where(
        &mut self,
        now: Millis,
        unneeded: impl Fn(&Delivery) -> bool,
    ) -> Vec<Delivery> {
        let mut dropped = Vec::new();
        for (key, delivery) in &mut self.deliveries {
            if delivery.is_waiting() && !self.busy.contains(key) && unneeded(delivery) {
                delivery.status = Status::Dropped { at: now };
                self.dirty.insert(key.clone());
                dropped.push(delivery.clone());
            }
        }
        dropped
    }

    /// Nobody needs this one any more; gives it if it still waited.
    pub fn discard(&mut self, key: &str, now: Millis) -> Option<Delivery> {
        let delivery = self.deliveries.get_mut(key)?;
        if !delivery.is_waiting() || self.busy.contains(key) {
            return None;
        }
        delivery.status = Status::Dropped { at: now };
        self.dirty.insert(key.to_owned());
        Some(delivery.clone())
    }

    /// Takes what nobody needs any more out of a batch that is about to be sent; what is left.
    pub fn withdraw(
        &mut self,
        batch: Batch,
        now: Millis,
        unneeded: impl Fn(&Delivery) -> bool,
    ) -> Batch {
        let (gone, left): (Vec<_>, _) = batch.deliveries.into_iter().partition(|it| unneeded(it));
        for delivery in gone {
            self.busy.remove(&delivery.key);
            self.discard(&delivery.key, now);
        }
        Batch { deliveries: left, ..batch }
    }

    /// Whether a page that was decided before `then` waits on a channel that fails.
    #[must_use]
    pub fn is_stuck(&self, then: Millis) -> bool {
        let stuck = |it: &Delivery| {
            it.purpose == Purpose::Page
                && it.is_waiting()
                && it.decided < then
                && it.attempts > 0
                && self.failing.contains_key(&it.channel)
        };
        self.deliveries.values().any(stuck)
    }

    /// Every delivery that is kept.
    pub fn all(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.values()
    }

    /// Those of one incident. Their keys begin with its number.
    #[must_use]
    pub fn of(&self, incident: &IncidentId) -> Vec<Delivery> {
        let from = format!("{}/", incident.0);
        let all =
            self.deliveries.range(from.clone()..).take_while(|(key, _)| key.starts_with(&from));
        all.map(|(_, it)| it.clone()).collect()
    }

    /// Messages that wait on a channel: due, or put off by an attempt that failed.
    #[must_use]
    pub fn waiting(&self, channel: &ChannelId, now: Millis) -> usize {
        let late = |it: &Delivery| it.due <= now || it.attempts > 0;
        let waits = |it: &&Delivery| it.is_waiting() && it.channel == *channel && late(it);
        self.deliveries.values().filter(waits).count()
    }

    /// Takes note of the time. If the clock was set back everything that waits for an instant
    /// waits no longer than it was meant to; whether it was.
    pub fn settle(&mut self, now: Millis) -> bool {
        let step = |ahead: i64| if ahead < STEP_MS_MIN { 0 } else { ahead };
        let back_ms = self.seen.replace(now).map_or(0, |seen| step(seen.since(now)));
        let mut moved = false;
        for (key, delivery) in &mut self.deliveries {
            let ahead_ms = back_ms.max(step(delivery.decided.since(now)));
            if !delivery.is_waiting() || ahead_ms == 0 {
                continue;
            }
            delivery.due = delivery.due.plus_ms(-ahead_ms);
            delivery.decided = delivery.decided.min(now);
            self.dirty.insert(key.clone());
            moved = true;
        }
        for at in self.last.values_mut().chain(self.failing.values_mut().map(|it| &mut it.0)) {
            *at = (*at).min(now);
        }
        for until in self.paused.values_mut() {
            *until = until.plus_ms(-back_ms).min(now.plus_ms(AFTER_MAX_MS));
        }
        moved
    }

    /// What is due on a channel now, for one address that nothing is under way to.
    #[must_use]
    pub fn next(&self, channel: &ChannelId, min_gap: Duration, now: Millis) -> Option<Batch> {
        if self.paused.get(channel).is_some_and(|until| *until > now) {
            return None;
        }
        let gap_ms = i64::try_from(min_gap.as_millis()).unwrap_or(i64::MAX);
        let busy = self.busy.iter().filter_map(|it| self.deliveries.get(it));
        let taken: BTreeSet<&str> =
            busy.filter(|it| it.channel == *channel).map(|it| &*it.to).collect();
        let free = |it: &&Delivery| {
            let last = self.last.get(&(it.channel.clone(), it.to.clone()));
            !taken.contains(&*it.to) && last.is_none_or(|at| now.since(*at) >= gap_ms)
        };
        let ready = |it: &&Delivery| it.is_waiting() && it.channel == *channel && it.due <= now;
        let first =
            self.deliveries.values().filter(ready).filter(free).min_by_key(|it| rank(it))?;
        let same = |it: &&Delivery| it.to == first.to && it.purpose == first.purpose;
        let mut all: Vec<_> =
            self.deliveries.values().filter(ready).filter(same).cloned().collect();
        all.sort_by_key(rank);
        if all.len() < BUNDLE_FROM {
            all.truncate(1);
        }
        Some(Batch { channel: channel.clone(), to: first.to.clone(), deliveries: all })
    }

    /// When something next becomes due on a channel, if nothing else happens.
    #[must_use]
    pub fn next_at(&self, channel: &ChannelId, min_gap: Duration) -> Option<Millis> {
        let gap_ms = i64::try_from(min_gap.as_millis()).unwrap_or(i64::MAX);
        let waiting = self.deliveries.iter().filter(|(key, it)| {
            it.channel == *channel && it.is_waiting() && !self.busy.contains(*key)
        });
        let at = waiting.map(|(_, it)| {
            let last = self.last.get(&(it.channel.clone(), it.to.clone()));
            last.map_or(it.due, |at| it.due.max(at.plus_ms(gap_ms)))
        });
        let paused = self.paused.get(channel).copied().unwrap_or(Millis(i64::MIN));
        at.min().map(|it| it.max(paused))
    }

    /// The batch is being sent.
    pub fn begin(&mut self, batch: &Batch) {
        self.busy.extend(batch.deliveries.iter().map(|it| it.key.clone()));
    }

    /// What came of it.
    pub fn done(&mut self, batch: &Batch, sent: &Sent, now: Millis) {
        for Delivery { key, .. } in &batch.deliveries {
            self.busy.remove(key);
            self.dirty.insert(key.clone());
            let Some(delivery) = self.deliveries.get_mut(key) else { continue };
            delivery.attempts = delivery.attempts.saturating_add(1);
            match sent {
                Sent::Accepted { .. } => delivery.status = Status::Sent { at: now },
                Sent::Later { why, after } => {
                    delivery.why = Some(why.clone());
                    delivery.due = now.plus_ms(wait_ms(delivery, *after));
                    if now.since(delivery.decided) > GIVE_UP_MS {
                        delivery.status = Status::Failed { at: now };
                    }
                }
                Sent::Refused { why } => {
                    delivery.why = Some(why.clone());
                    delivery.status = Status::Failed { at: now };
                }
            }
        }
        match sent {
            Sent::Accepted { .. } => {
                self.failing.remove(&batch.channel);
                self.paused.remove(&batch.channel);
                if let Some(first) = batch.deliveries.first() {
                    self.went(first, now);
                }
            }
            Sent::Later { why, after } => {
                if let Some(after) = after {
                    let until = now.plus_ms(millis(*after).min(AFTER_MAX_MS));
                    self.paused.insert(batch.channel.clone(), until);
                }
                self.fails(&batch.channel, now, why);
                self.hurry(batch, now);
            }
            Sent::Refused { why } => {
                self.fails(&batch.channel, now, why);
                self.hurry(batch, now);
            }
        }
    }

    /// Channels that fail: since when, and why.
    pub fn failing(&self) -> impl Iterator<Item = (&ChannelId, Millis, &str)> {
        self.failing.iter().map(|(id, (since, why))| (id, *since, &**why))
    }

    /// Forgets channels that are not configured any more: what waits for them has nowhere to go.
    pub fn keep_channels(&mut self, known: &BTreeSet<ChannelId>, now: Millis) {
        self.drop_where(now, |it| !known.contains(&it.channel));
        self.failing.retain(|id, _| known.contains(id));
        self.paused.retain(|id, _| known.contains(id));
    }

    /// Forgets deliveries that are over and that nobody asks for any more.
    pub fn prune(&mut self, keep: impl Fn(&Delivery) -> bool) {
        let gone = self.deliveries.values().filter(|it| !it.is_waiting() && !keep(it));
        let gone: Vec<String> = gone.map(|it| it.key.clone()).collect();
        for key in gone {
            self.deliveries.remove(&key);
            self.dirty.insert(key);
        }
    }

    /// What changed since the last call, by key; `None`: it is gone.
    pub fn take_changes(&mut self) -> Vec<(String, Option<Delivery>)> {
        let dirty = std::mem::take(&mut self.dirty);
        dirty.into_iter().map(|key| (key.clone(), self.deliveries.get(&key).cloned())).collect()
    }

    fn went(&mut self, delivery: &Delivery, at: Millis) {
        let last = self.last.entry((delivery.channel.clone(), delivery.to.clone())).or_insert(at);
        *last = (*last).max(at);
    }

    fn fails(&mut self, channel: &ChannelId, now: Millis, why: &str) {
        let failing = self.failing.entry(channel.clone()).or_insert((now, String::new()));
        why.clone_into(&mut failing.1);
    }

    /// A page that did not get through: the person's other contacts are used at once.
    fn hurry(&mut self, batch: &Batch, now: Millis) {
        for failed in batch.deliveries.iter().filter(|it| it.purpose == Purpose::Page) {
            let Some(person) = &failed.person else { continue };
            for (key, other) in &mut self.deliveries {
                let same = other.incident == failed.incident
                    && other.person.as_ref() == Some(person)
                    && other.purpose == Purpose::Page
                    && other.attempts == 0
                    && other.is_waiting()
                    && (&other.channel, &other.to) != (&failed.channel, &failed.to);
                if same && other.due > now {
                    other.due = now;
                    self.dirty.insert(key.clone());
                }
            }
        }
    }

    fn bound(&mut self) {
        if self.deliveries.len() <= WAITING_MAX {
            return;
        }
        let waiting = self.deliveries.values().filter(|it| it.is_waiting());
        if waiting.clone().count() <= WAITING_MAX {
            return;
        }
        let quiet = waiting.filter(|it| !self.busy.contains(&it.key));
        let least = quiet.max_by_key(|it| (it.purpose != Purpose::Page, -it.decided.0));
        if let Some(key) = least.map(|it| it.key.clone()) {
            self.deliveries.remove(&key);
            self.dirty.insert(key);
        }
    }
}

/// Pages before all else, then by when they were due.
fn rank(delivery: &Delivery) -> (bool, Millis, String) {
    (delivery.purpose != Purpose::Page, delivery.due, delivery.key.clone())
}

fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

/// How long to wait before the next attempt.
fn wait_ms(delivery: &Delivery, after: Option<Duration>) -> i64 {
    let doublings = delivery.attempts.saturating_sub(1).min(16);
    let wait = (RETRY_FIRST_MS << doublings).min(RETRY_MAX_MS);
    // The key spreads the waits, the same way each time.
    let spread = delivery
        .key
        .bytes()
        .fold(delivery.attempts, |sum, it| sum.wrapping_mul(31).wrapping_add(u32::from(it)));
    let wait = wait + wait / 5 * i64::from(spread % 100) / 100;
    wait.max(after.map_or(0, millis).min(AFTER_MAX_MS))
}

#[cfg(test)]
mod tests;
