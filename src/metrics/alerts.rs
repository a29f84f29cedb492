//! Families of alerting: messages, Alertmanagers, who is on call.

use std::time::Duration;

use prometheus::{
    Gauge, GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Registry,
};

use super::MetricsError;
use super::family::{self, Family};
use super::own::opts;
use crate::model::alerting::rules::Severity;
use crate::model::time::Millis;

/// Bounds of a delivery's delay, in seconds: from a chat service that works to a mail server that
/// was greylisting.
const DELAY_BOUNDS: [f64; 8] = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0];

/// Families of alerting.
#[derive(Debug)]
pub struct AlertMetrics {
    messages: IntCounterVec,
    attempts: IntCounterVec,
    delay: HistogramVec,
    waiting: IntGaugeVec,
    firing: IntGaugeVec,
    unacknowledged: Gauge,
    on_call: IntGaugeVec,
    posted: GaugeVec,
    accepting: IntGaugeVec,
    troubles: IntGaugeVec,
    drill: Gauge,
    heartbeats: IntCounterVec,
}

impl AlertMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, MetricsError> {
        let counter = |it: &Family| IntCounterVec::new(opts(it), it.labels);
        let gauge = |it: &Family| IntGaugeVec::new(opts(it), it.labels);
        let delay =
            HistogramOpts::new(family::NOTIFICATION_DELAY.name, family::NOTIFICATION_DELAY.help);
        let posted = &family::ALERTMANAGER_ALERTS;
        let all = Self {
            messages: counter(&family::NOTIFICATIONS)?,
            attempts: counter(&family::NOTIFICATION_ATTEMPTS)?,
            delay: HistogramVec::new(
                delay.buckets(DELAY_BOUNDS.to_vec()),
                family::NOTIFICATION_DELAY.labels,
            )?,
            waiting: gauge(&family::NOTIFICATIONS_WAITING)?,
            firing: gauge(&family::ALERTS_FIRING)?,
            unacknowledged: Gauge::with_opts(opts(&family::UNACKNOWLEDGED))?,
            on_call: gauge(&family::ON_CALL)?,
            posted: GaugeVec::new(opts(posted), posted.labels)?,
            accepting: gauge(&family::ALERTMANAGER_ACCEPTING)?,
            troubles: gauge(&family::TROUBLES)?,
            drill: Gauge::with_opts(opts(&family::DRILL))?,
            heartbeats: counter(&family::HEARTBEATS)?,
        };
        registry.register(Box::new(all.messages.clone()))?;
        registry.register(Box::new(all.attempts.clone()))?;
        registry.register(Box::new(all.delay.clone()))?;
        registry.register(Box::new(all.waiting.clone()))?;
        registry.register(Box::new(all.firing.clone()))?;
        registry.register(Box::new(all.unacknowledged.clone()))?;
        registry.register(Box::new(all.on_call.clone()))?;
        registry.register(Box::new(all.posted.clone()))?;
        registry.register(Box::new(all.accepting.clone()))?;
        registry.register(Box::new(all.troubles.clone()))?;
        registry.register(Box::new(all.drill.clone()))?;
        registry.register(Box::new(all.heartbeats.clone()))?;
        Ok(all)
    }

    /// A message has reached its end: `sent`, `failed` or `dropped`.
    pub fn message(&self, channel: &str, result: &str) {
        self.messages.with_label_values(&[channel, result]).inc();
    }

    /// An attempt ended: `accepted`, `later` or `refused`.
    pub fn attempt(&self, channel: &str, result: &str) {
        self.attempts.with_label_values(&[channel, result]).inc();
    }

    /// A message was taken so long after it was decided.
    pub fn delay(&self, channel: &str, delay: Duration) {
        self.delay.with_label_values(&[channel]).observe(delay.as_secs_f64());
    }

    /// Sets how many messages wait on a channel.
    pub fn waiting(&self, channel: &str, count: usize) {
        self.waiting.with_label_values(&[channel]).set(number(count));
    }

    /// Sets how many incidents are open, by severity.
    pub fn firing(&self, severity: Severity, count: usize) {
        self.firing.with_label_values(&[severity.as_str()]).set(number(count));
    }

    /// Sets for how long the oldest page has had no answer; zero: there is none.
    pub fn unacknowledged(&self, length_ms: i64) {
        self.unacknowledged.set(length_ms.max(0) as f64 / 1_000.0);
    }

    /// Sets how many people are on call in a team.
    pub fn on_call(&self, team: &str, people: usize) {
        self.on_call.with_label_values(&[team]).set(number(people));
    }

    /// Sets what came of the alerts posted to an Alertmanager so far, and whether it accepts.
    pub fn alertmanager(&self, name: &str, counts: [(&str, u64); 3], accepting: bool) {
        for (result, count) in counts {
            self.posted.with_label_values(&[name, result]).set(count as f64);
        }
        self.accepting.with_label_values(&[name]).set(i64::from(accepting));
    }

    /// Sets how many troubles of a kind the monitor has.
    pub fn troubles(&self, kind: &str, count: usize) {
        self.troubles.with_label_values(&[kind]).set(number(count));
    }

    /// Sets when a test page was last acknowledged.
    pub fn drill(&self, at: Millis) {
        self.drill.set(at.0 as f64 / 1_000.0);
    }

    /// A call of the dead man's switch ended: `sent`, `failed` or `withheld`.
    pub fn heartbeat(&self, result: &str) {
        self.heartbeats.with_label_values(&[result]).inc();
    }

    /// After a reload: series of channels and Alertmanagers that are gone disappear.
    pub fn forget(&self) {
        self.waiting.reset();
        self.on_call.reset();
        self.posted.reset();
        self.accepting.reset();
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
