//! The monitor's own troubles.

use super::bare;
use crate::alert::condition::{Condition, Kind, Thread};
use crate::alert::facts::{Trouble, TroubleKind};
use crate::model::alerting::rules::Severity;

/// A trouble, worth telling by [`severity`].
pub(super) fn condition(trouble: &Trouble) -> Condition {
    let thread = Thread::Monitor(trouble.kind, trouble.subject.clone());
    let condition = bare(thread, Kind::Monitor, severity(trouble.kind), trouble.since);
    Condition { why: Some(trouble.why.clone()), ..condition }
}

/// How loud a trouble of the monitor is.
///
/// It is a page if meanwhile an outage could go unseen or unrecorded all night: results are
/// lost, this vantage is blind, or another monitor, which can't say so itself, is dead. The rest
/// has a second way (another channel, the fallback list, the configuration before) and can wait
/// until morning.
#[must_use]
pub const fn severity(kind: TroubleKind) -> Severity {
    match kind {
        TroubleKind::HistoryNotCommitting | TroubleKind::Blind | TroubleKind::PeerFailing => {
            Severity::Page
        }
        TroubleKind::ScheduleLate
        | TroubleKind::ChannelFailing
        | TroubleKind::AlertmanagerFailing
        | TroubleKind::AlertRefused
        | TroubleKind::ConfigurationRefused
        | TroubleKind::RotaHole => Severity::Ticket,
    }
}
