//! A check: what to do, how often, and what it stands for.

use super::id::{CheckId, OwnerId, SystemId};
use super::spec::Spec;
use super::time::Micros;

/// One check of a system.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Its id, unique in the whole configuration.
    pub id: CheckId,
    /// The system it belongs to.
    pub system: SystemId,
    /// The agency that answers for the system.
    pub owner: OwnerId,
    /// A name for people; the id if none is given.
    pub name: String,
    /// Why it does not run; `None`: it runs.
    pub disabled: Option<String>,
    /// Whether its failure is the system's failure.
    pub critical: bool,
    /// Time between runs as written, in milliseconds, at least 1,000. The effective step is
    /// 1 % to 5 % shorter (`docs/measurement.md`, "The schedule").
    pub interval_ms: i64,
    /// The one deadline of a run; at most the interval.
    pub timeout: Micros,
    /// A good run that takes longer is `slow`; less than the timeout.
    pub slow: Option<Micros>,
    /// Consecutive bad results that confirm an outage with one vantage (`K`), at least 1.
    pub confirm: u8,
    /// Which address families are measured.
    pub ip: IpChoice,
    /// The shared platform it runs on: groups faults of one cause, and caps the load.
    pub platform: Option<String>,
    /// What is done.
    pub spec: Spec,
}

impl Check {
    /// The lanes that a slot of this check runs in: one result each.
    #[must_use]
    pub const fn lanes(&self) -> &'static [Lane] {
        match self.ip {
            IpChoice::Any => &[Lane::Any],
            IpChoice::V4 => &[Lane::V4],
            IpChoice::V6 => &[Lane::V6],
            IpChoice::Both => &[Lane::V4, Lane::V6],
        }
    }
}

/// Which address families a check measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IpChoice {
    /// One address: IPv4 if there is one, else IPv6.
    Any,
    /// Only IPv4.
    V4,
    /// Only IPv6.
    V6,
    /// Each, with a result of its own.
    Both,
}

/// The address family that one result speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Whichever there is.
    Any,
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Lane {
    /// Every lane, by code.
    pub const ALL: [Self; 3] = [Self::Any, Self::V4, Self::V6];

    /// The name in files and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::V4 => "v4",
            Self::V6 => "v6",
        }
    }
}
