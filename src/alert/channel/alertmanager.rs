//! Alertmanager: what is true now is made to stand in every instance of a cluster.
//!
//! The client works by state, not by queue. It is given the whole set of alerts that should stand
//! ([`Alerts`], the newest one counts) and keeps one instance in step with it: changes at once,
//! everything again every [`RESEND_MS`], with an end [`FIRING_MS`] ahead so that our own restart is
//! no false all-clear. A slow instance skips states in between, never the last one. Each instance
//! has a loop of its own ([`Client::run`]), so that one that hangs delays no other.
//!
//! Pure: [`alerts`] (incidents to alerts), [`ledger`] (what is due when), [`bisect`] (which alert
//! of a batch is refused), [`wire`] (JSON), [`backoff`], [`status`]. Only [`caller`] and
//! [`run`](self::run) talk.
//!
//! An answer of 200 means "accepted", not "delivered": a person is told by Alertmanager's own
//! receivers, and a closure that a restarted Alertmanager forgot is never told by it at all. Who
//! must be certain uses the direct channels (`docs/alertmanager.md`).

pub mod alerts;
pub mod status;
mod backoff;
mod bisect;
mod caller;
mod ledger;
mod run;
mod text;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::alert::book::IncidentId;
use crate::model::alerting::channel::Alertmanager;
use crate::model::time::Millis;
use caller::Caller;
use status::Status;

/// How often everything is posted again. Alertmanager keeps alerts in memory only.
pub const RESEND_MS: i64 = 30_000;

/// How far ahead the end of a firing alert is set: so long may this monitor be away before
/// Alertmanager takes its silence for an all-clear.
pub const FIRING_MS: i64 = 15 * 60_000;

/// How far ahead the end of the watchdog is set. Its end is no all-clear but the news that we are
/// gone, and must not wait as long as that of the others.
pub const WATCHDOG_MS: i64 = 3 * 60_000;

/// How long a resolved alert is posted again, at least: as Prometheus does, and as long as a firing
/// one stands by itself.
pub const RESOLVED_MS: i64 = 15 * 60_000;

/// The beginning of every alert's name: by it our alerts are found again.
pub const NAMES: &str = "Thongsuot";

/// Names and values; what an alert is identified by. No value is empty (Alertmanager would drop
/// the label, and with it the identity), names are ASCII (before 0.27 others are refused).
pub type Labels = BTreeMap<String, String>;

/// Everything that should stand in Alertmanager now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alerts {
    /// Each label set at most once.
    pub all: Vec<Arc<AmAlert>>,
}

/// One alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AmAlert {
    /// Its identity.
    pub labels: Labels,
    /// What people read. A change of these alone waits for the next time all is sent.
    pub annotations: BTreeMap<String, String>,
    /// Since when it fires; `None`: since Alertmanager first saw it.
    pub starts_at: Option<Millis>,
    /// When it was over; `None`: it fires.
    pub ends_at: Option<Millis>,
    /// Where it comes from, as an absolute URL. Anything else makes Alertmanager refuse the whole
    /// batch (422).
    pub generator_url: Option<String>,
    /// The incident it tells of; `None`: the watchdog.
    pub incident: Option<IncidentId>,
}

impl AmAlert {
    /// Whether it fires.
    #[must_use]
    pub const fn is_firing(&self) -> bool {
        self.ends_at.is_none()
    }

    /// Its name and incident, for logs and metrics of the monitor.
    #[must_use]
    pub fn name(&self) -> String {
        let name = self.labels.get("alertname").map_or("", String::as_str);
        match &self.incident {
            Some(incident) => format!("{name} {}", incident.0),
            None => name.to_owned(),
        }
    }
}

/// Why an Alertmanager can't be talked to at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The address can't be added to.
    #[error("alertmanager {0}: this address can't have a path; write it as `http://am-1:9093/`")]
    Url(String),
    /// Extra roots can't be read.
    #[error("alertmanager {0}: its extra roots can't be used: {1}")]
    Roots(String, String),
    /// Our certificate or key can't be used. Nothing of the key is told.
    #[error("alertmanager {0}: our own certificate can't be used: {1}")]
    Identity(String, String),
    /// No client can be made.
    #[error("alertmanager {0}: no HTTP client can be made: {1}")]
    Client(String, String),
}

/// The client of one instance.
#[derive(Debug)]
pub struct Client {
    caller: Caller,
}

impl Client {
    /// For the instance that `settings` name. Reads the system's roots, once.
    ///
    /// # Errors
    ///
    /// [`ClientError`] if a root, certificate or key can't be used.
    pub fn new(settings: &Alertmanager) -> Result<Self, ClientError> {
        Ok(Self { caller: Caller::new(settings)? })
    }

    /// How it is doing before its loop has begun, as [`Status::new`].
    #[must_use]
    pub fn status(&self, now: Millis) -> Status {
        Status { name: self.name().to_owned(), begun: now, ..Status::default() }
    }

    /// What it is called in logs and metrics: host and port, and the path if there is one.
    #[must_use]
    pub fn name(&self) -> &str {
        self.caller.name()
    }
}
