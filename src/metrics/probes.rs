//! The families of `/probe`, shown only where it is used. Three have the names that
//! blackbox_exporter gives them, so that alerts on them keep working.

use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge, Registry};

use super::MetricsError;
use super::family;
use super::own::opts;
use crate::model::time::Millis;

/// Families of `/probe`.
#[derive(Debug)]
pub struct ProbeMetrics {
    answers: IntCounterVec,
    unknown: IntCounter,
    reload_ok: IntGauge,
    reload_at: Gauge,
}

impl ProbeMetrics {
    /// Not shown yet.
    pub(super) fn new() -> Result<Self, MetricsError> {
        Ok(Self {
            answers: IntCounterVec::new(opts(&family::PROBES), family::PROBES.labels)?,
            unknown: IntCounter::with_opts(opts(&family::MODULE_UNKNOWN))?,
            reload_ok: IntGauge::with_opts(opts(&family::MODULES_OK))?,
            reload_at: Gauge::with_opts(opts(&family::MODULES_AT))?,
        })
    }

    pub(super) fn register(&self, registry: &Registry) -> Result<(), MetricsError> {
        registry.register(Box::new(self.answers.clone()))?;
        registry.register(Box::new(self.unknown.clone()))?;
        registry.register(Box::new(self.reload_ok.clone()))?;
        registry.register(Box::new(self.reload_at.clone()))?;
        Ok(())
    }

    pub(super) fn reload(&self, in_force: bool, at: Millis) {
        self.reload_ok.set(i64::from(in_force));
        if in_force {
            self.reload_at.set(at.0 as f64 / 1_000.0);
        }
    }

    /// Counts an answer with a module of the configuration.
    pub fn answered(&self, module: &str, success: bool) {
        let result = if success { "success" } else { "failure" };
        self.answers.with_label_values(&[module, result]).inc();
    }

    /// Counts a request for a module that there is not.
    pub fn unknown(&self) {
        self.unknown.inc();
    }
}
