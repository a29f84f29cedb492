//! The settings of the monitor itself, as plain data for the parts.

use std::{collections::BTreeSet, net::IpAddr, net::SocketAddr, path::PathBuf, time::Duration};

use jiff::tz::TimeZone;

use crate::model::id::VantageId;
use crate::model::secret::Secret;
use crate::model::spec::Peer;
use crate::model::time::Micros;

/// Bounds of the latency histograms if none are written, in milliseconds.
pub(super) const BUCKETS_MS: [u32; 6] = [100, 250, 500, 1_000, 3_000, 10_000];

/// `[monitor]`: see `docs/configuration.md` for each key.
#[derive(Clone, Debug, PartialEq)]
pub struct Monitor {
    /// Where the web part listens; port 0: any free one.
    pub listen: SocketAddr,
    /// Bearer token for reading; always there if `listen` is not loopback.
    pub token: Option<Secret>,
    /// Directory of the history; relative paths are relative to the current directory.
    pub data: PathBuf,
    /// This place of measurement.
    pub vantage: VantageId,
    /// Carrier of its line, as dashboards compare carriers by it.
    pub carrier: Option<String>,
    /// Time zone of days and months.
    pub timezone: TimeZone,
    /// The name of `timezone` in the IANA database.
    pub timezone_name: String,
    /// What HTTP requests call themselves: one visible ASCII line.
    pub user_agent: String,
    /// Mailbox that owners of systems can write to.
    pub contact: Option<String>,
    /// Address that probes come from; `None`: the kernel chooses.
    pub source: Option<IpAddr>,
    /// Name servers, in order; empty: the system's.
    pub resolvers: Vec<SocketAddr>,
    /// Whether the system's trusted roots count.
    pub system_roots: bool,
    /// More trusted roots, as PEM, one file each.
    pub extra_roots_pem: Vec<Vec<u8>>,
    /// Hosts never to probe, as [`crate::model::spec::Spec::host`] writes them.
    pub kill: BTreeSet<String>,
    /// Most runs a minute against one host, at least 1.
    pub per_host_per_minute: u32,
    /// Bounds of the latency histograms, rising, at least one.
    pub latency_buckets: Vec<Micros>,
    /// How long a shutdown waits for runs in flight.
    pub grace: Duration,
    /// Places that tell whether we are connected at all: none, or at least three.
    pub anchors: Vec<Peer>,
    /// How results are kept.
    pub history: HistoryKeys,
    /// More pages of firewalls, besides the built-in ones.
    pub block_signatures: Vec<BlockSignature>,
}

/// `[monitor.history]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryKeys {
    /// Longest that a result waits to be committed, 10 ms to 10 s.
    pub commit_within: Duration,
    /// Whole days that results stay as plain rows, at least 1.
    pub raw_days: u32,
    /// Whole days that results are kept at all; more than `raw_days`.
    pub results_days: u32,
}

impl Default for HistoryKeys {
    fn default() -> Self {
        Self { commit_within: Duration::from_millis(200), raw_days: 3, results_days: 400 }
    }
}

/// `[[monitor.block_signatures]]`: every part given must hold; a header or a text is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockSignature {
    /// Whose page it is.
    pub name: String,
    /// Status codes that it comes with; empty: any.
    pub statuses: Vec<u16>,
    /// A header's name, lower case, and a text in one of its values.
    pub header: Option<(String, String)>,
    /// Texts that are all in its body.
    pub body: Vec<String>,
}
