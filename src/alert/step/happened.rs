//! What a step changed.

use std::fmt;

use crate::alert::book::{Cause, CauseBy, Ending, IncidentId};
use crate::alert::condition::Kind;
use crate::model::alerting::rules::Severity;
use crate::model::time::Millis;

/// One change of one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// When.
    pub at: Millis,
    /// Of which incident.
    pub incident: IncidentId,
    /// What.
    pub what: What,
}

/// What can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A new incident.
    Opened {
        /// The heaviest of it.
        kind: Kind,
        /// The loudest of it.
        severity: Severity,
    },
    /// It is heavier or louder than ever before; or something louder is a part of it.
    Worsened {
        /// The heaviest of it.
        kind: Kind,
        /// The loudest of it.
        severity: Severity,
    },
    /// A certificate has reached the next of the configured numbers of days.
    Renewed {
        /// Days left.
        days_left: i64,
    },
    /// Nothing is true of it any more; it is about to be closed.
    Calm,
    /// It came back after it had been calm.
    Returned,
    /// It came back after it had been closed: people were told that it is over.
    Reopened,
    /// It comes and goes: chập chờn.
    BecameFlapping,
    /// It waits for a dependency to speak.
    Held {
        /// At most until then.
        until: Millis,
    },
    /// It waits no longer.
    Released,
    /// It is part of another one.
    JoinedCause(Cause),
    /// It stands for itself again.
    LeftCause {
        /// Of what it was a part.
        cause: IncidentId,
    },
    /// Its system went into announced maintenance, or out of it.
    Maintained(bool),
    /// It is over.
    Closed(Ending),
}

impl What {
    /// One word, as in the log and the journal.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "opened",
            Self::Worsened { .. } => "worsened",
            Self::Renewed { .. } => "renewed",
            Self::Calm => "calm",
            Self::Returned => "returned",
            Self::Reopened => "reopened",
            Self::BecameFlapping => "flapping",
            Self::Held { .. } => "held",
            Self::Released => "released",
            Self::JoinedCause(_) => "cause.joined",
            Self::LeftCause { .. } => "cause.left",
            Self::Maintained(true) => "maintenance.began",
            Self::Maintained(false) => "maintenance.ended",
            Self::Closed(Ending::Recovered) => "closed",
            Self::Closed(Ending::ByHand) => "closed.by_hand",
            Self::Closed(Ending::Removed) => "removed",
        }
    }
}

/// The details, in ids and names that need no translation; often none.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened { kind, severity } | Self::Worsened { kind, severity } => {
                write!(f, "{} {}", kind.alert_name(), severity.as_str())
            }
            Self::Renewed { days_left } => write!(f, "{days_left}"),
            Self::JoinedCause(cause) => match &cause.by {
                CauseBy::Dependency => f.write_str(&cause.incident.0),
                CauseBy::Platform(name) => write!(f, "{} ({name})", cause.incident.0),
            },
            Self::LeftCause { cause } => f.write_str(&cause.0),
            Self::Calm
            | Self::Returned
            | Self::Reopened
            | Self::BecameFlapping
            | Self::Held { .. }
            | Self::Released
            | Self::Maintained(_)
            | Self::Closed(_) => Ok(()),
        }
    }
}
