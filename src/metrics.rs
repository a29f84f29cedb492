//! Metrics about the targets and about the monitor itself (`docs/metrics.md`).
//!
//! Series of checks are counted in compact cells of our own: ten thousand checks would cost a
//! general registry more memory than the whole daemon may use. Families of the daemon as a whole
//! live in a registry of the `prometheus` crate. One writer prints both.
//!
//! Every label is an id of the configuration or a word of a closed list, so the number of series
//! is bounded: at most [`SERIES_PER_CHECK_MAX`] a check.

pub mod family;
pub mod write;
pub mod series;
pub mod alerts;
pub mod own;
pub mod probes;
pub mod page;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use page::Page;
pub use write::Format;

use alerts::AlertMetrics;
use own::Own;
use probes::ProbeMetrics;
use series::Table;

pub use series::{Figured, Share};
use write::{Writer, bound};

use crate::model::id::{CheckId, SystemId, VantageId};
use crate::model::outcome::Outcome;
use crate::model::reason::Reason;
use crate::model::result::{RunKind, RunResult};
use crate::model::span::Span;
use crate::model::state::State;
use crate::model::system::Roster;
use crate::model::time::{Micros, Millis};

/// Most series of one check: 15 of results, 13 of the histogram, 6 phases, 5 states, 1 of TLS.
pub const SERIES_PER_CHECK_MAX: usize = 40;

/// Most bounds of the histogram of a check; more would break [`SERIES_PER_CHECK_MAX`].
pub const BUCKETS_MAX: usize = 10;

/// Why metrics can't be set up.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The bounds are not a good set.
    #[error("{count} buckets are not 1 to {BUCKETS_MAX} lengths in rising order, each above zero")]
    Buckets {
        /// How many were given.
        count: usize,
    },
    /// The registry refused a family: a bug of ours.
    #[error("the metrics registry refused a family: {0}")]
    Registry(#[from] prometheus::Error),
}

/// What an operator can set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    buckets: Vec<Micros>,
    carrier: Option<String>,
}

impl Settings {
    /// With these upper bounds of `thongsuot_result_duration_seconds`.
    ///
    /// # Errors
    ///
    /// [`MetricsError::Buckets`] unless there are 1 to [`BUCKETS_MAX`], rising, above zero.
    pub fn new(buckets: Vec<Micros>) -> Result<Self, MetricsError> {
        let rising = buckets.is_sorted_by(|a, b| a < b);
        let positive = buckets.first().is_some_and(|first| first.0 > 0);
        if rising && positive && buckets.len() <= BUCKETS_MAX {
            Ok(Self { buckets, carrier: None })
        } else {
            Err(MetricsError::Buckets { count: buckets.len() })
        }
    }

    /// With this carrier of the vantage's line in `thongsuot_vantage_info`.
    #[must_use]
    pub fn with_carrier(self, carrier: Option<String>) -> Self {
        Self { carrier, ..self }
    }
}

impl Default for Settings {
    /// From what a good page takes inside the country to the usual timeout. Six are enough to
    /// watch with, and keep a scrape of ten thousand checks below 25 MB; exact latencies are in
    /// the history.
    fn default() -> Self {
        let ms = [100, 250, 500, 1_000, 3_000, 10_000];
        Self { buckets: ms.map(|ms| Micros(ms * 1_000)).to_vec(), carrier: None }
    }
}

/// What is running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Version of the crate.
    pub version: String,
    /// Commit it was built from; empty if unknown.
    pub revision: String,
}

/// All metrics of the process. Cheap to update; shared by reference.
#[derive(Debug)]
pub struct Metrics {
    bounds: Vec<Micros>,
    bounds_written: Arc<[String]>,
    table: Mutex<Arc<Table>>,
    own: Own,
}

impl Metrics {
    /// Metrics of no checks yet.
    ///
    /// # Errors
    ///
    /// [`MetricsError::Registry`], which only a bug can cause.
    pub fn new(settings: Settings, build: &Build) -> Result<Self, MetricsError> {
        let bounds = settings.buckets;
        Ok(Self {
            bounds_written: bounds.iter().map(|it| bound(u64::from(it.0))).collect(),
            bounds,
            table: Mutex::new(Arc::new(Table::empty(settings.carrier.unwrap_or_default()))),
            own: Own::new(build)?,
        })
    }

    /// Takes a new roster into force. Checks that keep their owner, system and kind keep what
    /// was counted; series of checks that are gone or disabled disappear.
    pub fn set_roster(&self, roster: &Roster, vantage: &VantageId) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        *table = Arc::new(Table::new(roster, vantage, self.bounds.len(), &table));
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.own.checks.with_label_values(&["enabled"]).set(number(table.checks.len()));
        self.own.checks.with_label_values(&["disabled"]).set(number(table.disabled));
    }

    /// Counts one result. One of a check that is not in the roster counts only for the daemon.
    pub fn result(&self, result: &RunResult) {
        let void = result.outcome() == Outcome::Void;
        if result.kind == RunKind::Grid {
            if void {
                self.void_slots(result.reason, 1);
            } else {
                self.own.lateness.observe(result.lateness.duration().as_secs_f64());
            }
        }
        if let Some(cell) = self.table().check(&result.check) {
            cell.counts().result(result.reason, result.phases, &self.bounds);
        }
    }

    /// Counts `slots` of a void span, which have no results of their own.
    pub fn void_slots(&self, reason: Reason, slots: u64) {
        self.own.slots_void.with_label_values(&[reason.as_str()]).inc_by(slots);
    }

    /// Sets where a check stands.
    pub fn check_state(&self, check: &CheckId, state: State) {
        if let Some(cell) = self.table().check(check) {
            cell.counts().state = state;
        }
    }

    /// Sets where a system stands. One without an enabled critical check has no state.
    pub fn system_state(&self, system: &SystemId, state: State) {
        if let Some(cell) = self.table().system(system) {
            *cell.state() = state;
        }
    }

    /// Sets since when a system is in its state.
    pub fn system_since(&self, system: &SystemId, since: Millis) {
        if let Some(cell) = self.table().system(system) {
            cell.facts().since = Some(since);
        }
    }

    /// Sets whether maintenance of a system, or of a part of it, is under way.
    pub fn maintenance(&self, system: &SystemId, active: bool) {
        if let Some(cell) = self.table().system(system) {
            cell.facts().maintenance = active;
        }
    }

    /// Sets whether an incident of a system is open, and counts `new` ones.
    pub fn incident(&self, system: &SystemId, open: bool, new: u64) {
        if let Some(cell) = self.table().system(system) {
            let mut facts = cell.facts();
            facts.incident_open = open;
            facts.incidents += new;
        }
    }

    /// Sets the period that figures with `window="period"` are of.
    pub fn period(&self, period: Span) {
        for (edge, at) in [("start", period.start()), ("end", period.end())] {
            self.own.period.with_label_values(&[edge]).set(at.0 as f64 / 1_000.0);
        }
    }

    /// Sets the figures of a system.
    pub fn figures(&self, system: &SystemId, figures: Figured) {
        if let Some(cell) = self.table().system(system) {
            cell.facts().figures = figures;
        }
    }

    /// Sets when the certificate that a check last saw ends.
    pub fn tls_not_after(&self, check: &CheckId, not_after: Millis) {
        if let Some(cell) = self.table().check(check) {
            cell.counts().tls_not_after = Some(not_after);
        }
    }

    /// Counts one group commit of the history.
    pub fn commit(&self, took: Duration) {
        self.own.commit.observe(Duration::from_micros(took.as_micros() as u64).as_secs_f64());
    }

    /// Says whether the configuration read at `at` is in force.
    pub fn reload(&self, in_force: bool, at: Millis) {
        self.own.reload_ok.set(i64::from(in_force));
        self.own.probes.reload(in_force, at);
        if in_force {
            self.own.reload_at.set(at.0 as f64 / 1_000.0);
        }
    }

    /// Sets how many things wait in a queue. Names are fixed in the code.
    pub fn queue_length(&self, queue: &'static str, length: usize) {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        self.own.queue.with_label_values(&[queue]).set(length);
    }

    /// Sets how many runs have started and not ended.
    pub fn runs_in_flight(&self, runs: usize) {
        self.own.in_flight.set(i64::try_from(runs).unwrap_or(i64::MAX));
    }

    /// Shows the families of `/probe` from now on.
    ///
    /// # Errors
    ///
    /// [`MetricsError::Registry`] if they are shown already.
    pub fn show_probes(&self) -> Result<(), MetricsError> {
        self.own.show_probes()
    }

    /// The families of `/probe`.
    pub const fn probes(&self) -> &ProbeMetrics {
        &self.own.probes
    }

    /// The families of alerting.
    pub const fn alerts(&self) -> &AlertMetrics {
        &self.own.alerts
    }

    /// A page, to be sent piece by piece. Results counted meanwhile may be in a later family
    /// and not in an earlier one.
    #[must_use]
    pub fn page(&self, format: Format) -> Page {
        let mut head = Vec::new();
        self.own.write(&mut Writer { format, out: &mut head });
        Page::new(format, self.table(), Arc::clone(&self.bounds_written), head)
    }

    /// Writes a whole page.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn render(&self, format: Format, out: &mut impl io::Write) -> io::Result<()> {
        let (mut page, mut piece) = (self.page(format), Vec::new());
        while page.fill(&mut piece) {
            out.write_all(&piece)?;
            piece.clear();
        }
        Ok(())
    }

    fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests;
