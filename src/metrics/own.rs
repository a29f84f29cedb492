//! The families of the daemon as a whole, kept in a registry of the `prometheus` crate.

use prometheus::process_collector::ProcessCollector;
use prometheus::proto::{MetricFamily, MetricType};
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

use super::alerts::AlertMetrics;
use super::family::{self, Family};
use super::probes::ProbeMetrics;
use super::write::{Value, Writer, bound};
use super::{Build, MetricsError};

/// Bounds of lateness, in seconds: from what a timer costs to a slot that is nearly lost.
const LATENESS_BOUNDS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0];

/// Bounds of a commit, in seconds: a good disk takes 1 to 10 ms; the group waits 0.2 s at most.
const COMMIT_BOUNDS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0];

/// Families of the daemon.
#[derive(Debug)]
pub struct Own {
    registry: Registry,
    /// Seconds that slots start late.
    pub lateness: Histogram,
    /// Void slots by reason.
    pub slots_void: IntCounterVec,
    /// Seconds that commits take.
    pub commit: Histogram,
    /// 1 or 0.
    pub reload_ok: IntGauge,
    /// Unix time.
    pub reload_at: Gauge,
    /// Lengths by queue.
    pub queue: IntGaugeVec,
    /// Checks, enabled and disabled.
    pub checks: IntGaugeVec,
    /// Unix time of the start and end of the period.
    pub period: GaugeVec,
    /// Runs in flight.
    pub in_flight: IntGauge,
    /// Families of alerting.
    pub alerts: AlertMetrics,
    /// Families of `/probe`.
    pub probes: ProbeMetrics,
}

impl Own {
    /// Registers them all.
    pub fn new(build: &Build) -> Result<Self, MetricsError> {
        let histogram = |family: &Family, bounds: &[f64]| {
            let opts = HistogramOpts::new(family.name, family.help).buckets(bounds.to_vec());
            Histogram::with_opts(opts)
        };
        let registry = Registry::new();
        let own = Self {
            alerts: AlertMetrics::new(&registry)?,
            probes: ProbeMetrics::new()?,
            registry,
            lateness: histogram(&family::LATENESS, &LATENESS_BOUNDS)?,
            slots_void: IntCounterVec::new(opts(&family::SLOTS_VOID), family::SLOTS_VOID.labels)?,
            commit: histogram(&family::COMMIT, &COMMIT_BOUNDS)?,
            reload_ok: IntGauge::with_opts(opts(&family::RELOAD_OK))?,
            reload_at: Gauge::with_opts(opts(&family::RELOAD_AT))?,
            queue: IntGaugeVec::new(opts(&family::QUEUE), family::QUEUE.labels)?,
            checks: IntGaugeVec::new(opts(&family::CHECKS), family::CHECKS.labels)?,
            period: GaugeVec::new(opts(&family::PERIOD), family::PERIOD.labels)?,
            in_flight: IntGauge::with_opts(opts(&family::IN_FLIGHT))?,
        };
        let info = GaugeVec::new(opts(&family::BUILD), family::BUILD.labels)?;
        info.with_label_values(&[&build.version, &build.revision]).set(1.0);
        own.registry.register(Box::new(info))?;
        own.registry.register(Box::new(own.lateness.clone()))?;
        own.registry.register(Box::new(own.slots_void.clone()))?;
        own.registry.register(Box::new(own.commit.clone()))?;
        own.registry.register(Box::new(own.reload_ok.clone()))?;
        own.registry.register(Box::new(own.reload_at.clone()))?;
        own.registry.register(Box::new(own.queue.clone()))?;
        own.registry.register(Box::new(own.checks.clone()))?;
        own.registry.register(Box::new(own.period.clone()))?;
        own.registry.register(Box::new(own.in_flight.clone()))?;
        own.registry.register(Box::new(ProcessCollector::for_self()))?;
        Ok(own)
    }

    /// Shows the families of `/probe` from now on.
    pub fn show_probes(&self) -> Result<(), MetricsError> {
        self.probes.register(&self.registry)
    }

    /// Writes them all as they are now.
    pub fn write(&self, writer: &mut Writer<'_>) {
        for gathered in self.registry.gather() {
            if let Some(family) = family::by_name(gathered.name()) {
                write_family(writer, family, &gathered);
            }
        }
    }
}

pub(super) fn opts(family: &Family) -> Opts {
    Opts::new(family.name, family.help)
}

fn write_family(writer: &mut Writer<'_>, family: &Family, gathered: &MetricFamily) {
    writer.head(family);
    for metric in gathered.get_metric() {
        let pairs = metric.get_label();
        let label = |name: &&'static str| {
            let value = pairs.iter().find(|pair| pair.name() == *name);
            (*name, value.map_or("", |pair| pair.value()))
        };
        let labels: Vec<_> = family.labels.iter().map(label).collect();
        match gathered.get_field_type() {
            MetricType::HISTOGRAM => {
                let histogram = metric.get_histogram();
                write_histogram(writer, family, &labels, histogram);
            }
            MetricType::COUNTER => {
                writer.sample(family, &labels, Value::Float(metric.get_counter().get_value()));
            }
            _ => writer.sample(family, &labels, Value::Float(metric.get_gauge().get_value())),
        }
    }
}

fn write_histogram(
    writer: &mut Writer<'_>,
    family: &Family,
    labels: &[(&str, &str)],
    histogram: &prometheus::proto::Histogram,
) {
    let finite = histogram.get_bucket().iter().filter(|it| it.upper_bound().is_finite());
    let (mut bounds, mut counts, mut below) = (Vec::new(), Vec::new(), 0);
    for bucket in finite {
        bounds.push(bound(micros(bucket.upper_bound())));
        counts.push(bucket.cumulative_count() - below);
        below = bucket.cumulative_count();
    }
    counts.push(histogram.get_sample_count().saturating_sub(below));
    let sum = Value::Micros(micros(histogram.get_sample_sum()));
    writer.histogram(family, labels, &bounds, &counts, sum);
}

/// The crate keeps seconds as floats; what went in was whole microseconds.
fn micros(seconds: f64) -> u64 {
    (seconds * 1e6).round() as u64
}
