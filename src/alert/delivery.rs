//! One message to one address, from decision to delivery.

use serde::{Deserialize, Serialize};

use super::book::IncidentId;
use crate::model::alerting::rules::Severity;
use crate::model::id::{ChannelId, PersonId};
use crate::model::time::Millis;

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Something is wrong and somebody must act.
    Page,
    /// Something is wrong and can wait until morning.
    Ticket,
    /// Somebody has taken it on; for those who were paged too.
    Acknowledged,
    /// It got worse, or is chập chờn; to those who know of it already.
    Update,
    /// It is over.
    Resolved,
}

/// A message to be delivered at least once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Idempotency key: incident, purpose, round, turn, step, recipient and address. The same
    /// decision made twice has the same key.
    pub key: String,
    /// The incident it is about.
    pub incident: IncidentId,
    /// What it says.
    pub purpose: Purpose,
    /// How loud the incident was when it was decided.
    pub severity: Severity,
    /// To whom; `None`: an address that is nobody's own.
    pub person: Option<PersonId>,
    /// Over which channel.
    pub channel: ChannelId,
    /// To which address.
    pub to: String,
    /// When it was decided: delays are counted from here.
    pub decided: Millis,
    /// Not before this instant.
    pub due: Millis,
    /// Attempts so far.
    pub attempts: u32,
    /// Where it stands.
    pub status: Status,
    /// What the last attempt said, without secrets.
    pub why: Option<String>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// To be sent, or being sent: after a restart it is sent again, with the same key.
    Pending,
    /// The channel took it.
    Sent {
        /// When.
        at: Millis,
    },
    /// The channel refused it for good, or time ran out.
    Failed {
        /// When.
        at: Millis,
    },
    /// No longer needed: acknowledged, resolved, or replaced by a later message.
    Dropped {
        /// When.
        at: Millis,
    },
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 5] =
        [Self::Page, Self::Ticket, Self::Acknowledged, Self::Update, Self::Resolved];

    /// The name in messages, templates and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Ticket => "ticket",
            Self::Acknowledged => "acknowledged",
            Self::Update => "update",
            Self::Resolved => "resolved",
        }
    }
}

impl Delivery {
    /// Whether there is still something to do.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        matches!(self.status, Status::Pending)
    }
}
