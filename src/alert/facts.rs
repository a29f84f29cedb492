//! What is true now of everything watched: what the rules look at. Made anew for every step.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::availability::burn::BurnState;
use crate::availability::hours::ServiceHours;
use crate::availability::live::{Alarm, LiveCheck};
use crate::model::check::Check;
use crate::model::reason::Reason;
use crate::model::span::Span;
use crate::model::state::State;
use crate::model::system::{Roster, System};
use crate::model::terms::Holiday;
use crate::model::time::Millis;

/// So long after a start it may take until a trouble of the monitor that goes on is seen again:
/// the patience with each (60 s), the first look, and the first sign of it.
pub const TROUBLES_MS: i64 = 90_000;

/// Everything, at one instant.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The instant.
    pub now: Millis,
    /// Since when this process looks. Right after a start much is not known yet: that something
    /// is not said then does not mean that it is over.
    pub begun: Millis,
    /// What is watched.
    pub roster: Arc<Roster>,
    /// Every system of the roster, in its order.
    pub systems: Vec<SystemFacts>,
    /// What is wrong with the monitor itself.
    pub troubles: Vec<Trouble>,
}

/// A system.
#[derive(Clone, Debug)]
pub struct SystemFacts {
    /// Its state, and since when; `None`: without an enabled critical check.
    pub standing: Option<(State, Millis)>,
    /// In announced maintenance now.
    pub maintained: bool,
    /// Within its service hours now: outside of them nobody is paged for burn or objective.
    pub in_hours: bool,
    /// Its enabled checks.
    pub checks: Vec<CheckFacts>,
    /// What each of [`crate::availability::burn::RULES`] says, in that order; empty: not worked
    /// out yet.
    pub burn: Vec<BurnState>,
    /// The budget of the present period, and how much of it is left, in milliseconds (negative:
    /// overdrawn); both 0 while nothing of the period was held to the objective. `None` without
    /// an objective or before it is worked out.
    pub budget: Option<Budget>,
    /// Share of the last minutes (`coverage_window_ms`) that is known, in parts per million; all
    /// of it if nothing is promised for them. `None` while the window is longer than we run, or
    /// before it is worked out.
    pub coverage_ppm: Option<i64>,
}

/// The budget of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// All of it, in milliseconds.
    pub whole_ms: i64,
    /// What is left of it, in milliseconds; negative: overdrawn.
    pub left_ms: i64,
}

/// A check.
#[derive(Clone, Debug)]
pub struct CheckFacts {
    /// As configured.
    pub check: Arc<Check>,
    /// What the live engine says: opens at the K-th consecutive bad result, is over after three
    /// good ones.
    pub alarm: Alarm,
    /// Present state, and since when (back-dated to the first result that said it).
    pub state: State,
    /// Since when; `None`: nothing was ever known.
    pub since: Option<Millis>,
    /// What the newest testimony says is wrong; `None`: it is good, or there is none. Bad with a
    /// quiet alarm: suspect, not yet confirmed.
    pub fault: Option<Reason>,
    /// What was wrong, for people, tamed.
    pub why: Option<String>,
    /// When its newest result started.
    pub last: Option<Millis>,
    /// When its certificate ends.
    pub not_after: Option<Millis>,
}

/// Something wrong with the monitor itself. At most one of each kind and subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What.
    pub kind: TroubleKind,
    /// Which channel, Alertmanager or peer; empty where there is one.
    pub subject: String,
    /// Since when.
    pub since: Millis,
    /// In a few words, for people; without secrets.
    pub why: String,
}

/// What can be wrong with the monitor itself.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum TroubleKind {
    /// Results can't be made durable.
    HistoryNotCommitting,
    /// Slots start late.
    ScheduleLate,
    /// The vantage can't reach its control anchors: it is blind.
    Blind,
    /// A direct channel can't deliver.
    ChannelFailing,
    /// An Alertmanager does not accept alerts.
    AlertmanagerFailing,
    /// Alertmanager refused one alert, which is left out.
    AlertRefused,
    /// The newest configuration was refused; the one before is in force.
    ConfigurationRefused,
    /// Nobody is on call in a team.
    RotaHole,
    /// Another monitor does not answer, or measures nothing.
    PeerFailing,
}

impl TroubleKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::HistoryNotCommitting,
        Self::ScheduleLate,
        Self::Blind,
        Self::ChannelFailing,
        Self::AlertmanagerFailing,
        Self::AlertRefused,
        Self::ConfigurationRefused,
        Self::RotaHole,
        Self::PeerFailing,
    ];
}

impl CheckFacts {
    /// What the live state says of a check at `now`; what people read, and its certificate, are
    /// left out.
    #[must_use]
    pub fn of(check: &Arc<Check>, live: &LiveCheck, now: Millis) -> Self {
        Self {
            check: Arc::clone(check),
            alarm: live.alarm(),
            state: live.present(now),
            since: live.present_since(now),
            fault: live.fault(),
            why: None,
            last: live.last().map(|it| it.0),
            not_after: None,
        }
    }
}

/// Whether a system must work at `now`. Beyond the years of the calendar it must.
#[must_use]
pub fn in_hours(system: &System, holidays: &[Holiday], zone: &TimeZone, now: Millis) -> bool {
    let hours = ServiceHours::of(&system.terms.hours, holidays);
    let instant = Span::new(now, now.plus_ms(1));
    let within = instant.map(|it| hours.within(it, zone));
    within.is_none_or(|it| it.ok().flatten().is_none_or(|set| set.contains(now)))
}

impl Facts {
    /// Each system with what is true of it.
    pub fn each(&self) -> impl Iterator<Item = (&System, &SystemFacts)> {
        self.roster.systems.iter().zip(&self.systems)
    }
}
