//! Conditions: what the rules find worth telling, before anybody asks whom.

use serde::{Deserialize, Serialize};

use super::facts::TroubleKind;
use crate::model::alerting::rules::Severity;
use crate::model::id::{CheckId, SystemId};
use crate::model::reason::Reason;
use crate::model::time::Millis;

/// What goes on in one conversation: all that one thing says of itself, whatever its kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "of", content = "id", rename_all = "snake_case")]
pub enum Thread {
    /// A system's service: down, partial, slow, burning its budget.
    Service(SystemId),
    /// A check's certificate.
    Certificate(CheckId),
    /// A system of which too little is known.
    Coverage(SystemId),
    /// A system's objective for the period.
    Objective(SystemId),
    /// The monitor itself: what, and which channel, Alertmanager or peer.
    Monitor(TroubleKind, String),
    /// A test page of this name.
    Drill(String),
}

/// What is said. The order is that of weight within a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A test.
    Drill,
    /// The monitor itself has a fault.
    Monitor,
    /// A certificate ends soon.
    Certificate,
    /// The objective of the period is at risk.
    ObjectiveAtRisk,
    /// The objective of the period is broken.
    ObjectiveBroken,
    /// Too little is known.
    Coverage,
    /// Slow for long.
    Slow,
    /// A budget is being used up slowly.
    BurnSlow,
    /// Down in a part.
    Partial,
    /// A budget is being used up fast.
    BurnFast,
    /// Down.
    Down,
}

/// One thing worth telling that is true now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The conversation that it belongs to.
    pub thread: Thread,
    /// What.
    pub kind: Kind,
    /// How loud.
    pub severity: Severity,
    /// Since when it is true, back-dated as the figures have it.
    pub since: Millis,
    /// The checks that say so.
    pub checks: Vec<CheckId>,
    /// What the first of them says is wrong.
    pub reason: Option<Reason>,
    /// The same in words, if there is more to say.
    pub why: Option<String>,
    /// A number that belongs to it: days left of a certificate (a begun one counts; 0 or less: it
    /// has ended), share of the budget left or of coverage in parts per million.
    pub number: Option<i64>,
    /// Announced maintenance: told, but nobody is paged.
    pub maintained: bool,
}

impl Kind {
    /// The `alertname` in Alertmanager, and the label in metrics.
    #[must_use]
    pub const fn alert_name(self) -> &'static str {
        match self {
            Self::Drill => "ThongsuotDrill",
            Self::Monitor => "ThongsuotMonitorTrouble",
            Self::Certificate => "ThongsuotCertificateEnds",
            Self::ObjectiveAtRisk => "ThongsuotObjectiveAtRisk",
            Self::ObjectiveBroken => "ThongsuotObjectiveBroken",
            Self::Coverage => "ThongsuotCoverageLost",
            Self::Slow => "ThongsuotServiceSlow",
            Self::BurnSlow => "ThongsuotBudgetBurnSlow",
            Self::Partial => "ThongsuotServicePartial",
            Self::BurnFast => "ThongsuotBudgetBurnFast",
            Self::Down => "ThongsuotServiceDown",
        }
    }
}
