//! People, how they are reached, teams, and who of a team is on call when.

use super::rules::Severity;
use crate::model::id::{ChannelId, PersonId, TeamId};
use crate::model::time::Millis;
use jiff::civil::{Date, Weekday};

/// Somebody who can be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Stable id; the journal names people by it.
    pub id: PersonId,
    /// Name and rank as colleagues write it.
    pub name: String,
    /// How to reach them, in the order to try; at least one.
    pub contacts: Vec<Contact>,
}

/// One way to reach a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The channel.
    pub channel: ChannelId,
    /// The address on it: a mailbox, a chat id, a number.
    pub to: String,
    /// How long after a step of the escalation it is used, if nobody has answered.
    pub after_ms: i64,
    /// The quietest severity that uses it.
    pub from_severity: Severity,
}

/// Who answers for systems at any hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Stable id.
    pub id: TeamId,
    /// Name for people.
    pub name: String,
    /// Who is on call: of several layers, the last that names somebody at an instant.
    pub layers: Vec<Layer>,
    /// Exceptions from the layers; of several that overlap, the one written last.
    pub overrides: Vec<Override>,
    /// Who is called, one step after the other; never empty.
    pub steps: Vec<Step>,
    /// How often the steps are gone through again after the first time, if nobody answers.
    pub repeat: u32,
    /// Called when all else found nobody; with names in it unless the team has nobody at all.
    pub fallback: Vec<PersonId>,
}

/// A rotation: people take turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Who takes turns, in order; at least one.
    pub people: Vec<PersonId>,
    /// The first day of the first person's turn.
    pub start: Date,
    /// Minutes from midnight, by the clock on the wall, at which turns change hands.
    pub handover_min: u16,
    /// How long a turn is.
    pub turn: Turn,
    /// Only in these hours; `None`: around the clock.
    pub only: Option<Window>,
}

/// The length of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Turn {
    /// So many hours of the clock, at least 1: shifts.
    Hours(u16),
    /// So many days, at least 1.
    Days(u16),
    /// So many weeks, at least 1.
    Weeks(u16),
}

/// The hours of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// On which days; empty: all.
    pub days: Vec<Weekday>,
    /// On days off only, on working days only, or either (by the table of holidays).
    pub which: DaysOff,
    /// `[from, to)` in minutes from midnight; `to` not after `from`: it ends on the next day.
    pub hours: Option<(u16, u16)>,
}

/// Which days of the holiday table count. Weekends are days off unless they are made up for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DaysOff {
    /// Any day.
    #[default]
    Any,
    /// Working days.
    Working,
    /// Days off.
    Off,
}

/// Somebody stands in, or nobody of the layers is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Who is on call instead.
    pub person: PersonId,
    /// Only in place of this one; `None`: whoever it is.
    pub instead_of: Option<PersonId>,
    /// From when.
    pub from: Millis,
    /// Until when (not included); after `from`.
    pub to: Millis,
}

/// A step of the escalation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How long after the step before (the first: after the incident opens).
    pub after_ms: i64,
    /// Who is called; at least one.
    pub targets: Vec<Target>,
}

/// Who is called in a step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Whoever is on call in the team.
    OnCall,
    /// Everybody of the team's layers.
    Everyone,
    /// This person.
    Person(PersonId),
    /// An address that is nobody's own: a group chat, a shared mailbox.
    Address(ChannelId, String),
}
