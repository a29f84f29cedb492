//! Alerts and who is on call: what the app shows of them, and what it is asked to do.

use std::future::Future;

use serde::Serialize;

use crate::model::alerting::Language;

/// The part of a source that knows alerts.
pub trait Duty: Send + Sync {
    /// Every incident that is open or was lately, the newest first.
    fn alerts(&self) -> Vec<AlertSeen>;

    /// One of them.
    fn alert(&self, id: &str) -> Option<AlertSeen> {
        self.alerts().into_iter().find(|it| it.id == id)
    }

    /// Who is on call, by team.
    fn on_call(&self) -> Vec<TeamSeen>;

    /// The language of messages, and so of pages if nobody asks for another.
    fn language(&self) -> Language;

    /// The name of a person by their id; of anybody else, what they call themselves.
    fn name_of(&self, who: &str) -> String;

    /// What a link is for. Reading it changes nothing: mail programs open links by themselves.
    ///
    /// # Errors
    ///
    /// [`ActError::Forged`], [`ActError::Unknown`].
    fn link(&self, token: &str) -> Result<LinkSeen, ActError>;

    /// Acknowledges or closes, durably.
    fn act(&self, by: By, act: Act) -> impl Future<Output = Result<AlertSeen, ActError>> + Send;

    /// Sends a test page along the real path.
    fn drill(
        &self,
        team: Option<String>,
        who: String,
    ) -> impl Future<Output = Result<AlertSeen, ActError>> + Send;
}

/// What is done with an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Somebody takes it on: nobody else is called.
    Acknowledge,
    /// It is over.
    Close,
}

/// Who does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// Who calls themselves so, over the API.
    Named {
        /// The incident's number.
        id: String,
        /// A name.
        who: String,
        /// `api` or `cli`.
        via: String,
    },
    /// The person that this link was sent to.
    Link(String),
}

/// Why it was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// There is no such incident, or not any more.
    #[error("there is no incident {0}")]
    Unknown(String),
    /// The link was not made here.
    #[error("this link was not made here, or was cut on its way")]
    Forged,
    /// The link was used, or a later message has replaced it.
    #[error("this link has been used, or a later message has replaced it")]
    Used,
    /// Somebody has it.
    #[error("{by} has it already")]
    Taken {
        /// Who.
        by: String,
    },
    /// It was closed before.
    #[error("it is closed already")]
    Closed,
    /// What it is about still goes on.
    #[error("what it is about still goes on, so it can't be closed")]
    StillTrue,
    /// What was asked for is wrong; the second says what to do.
    #[error("{0}")]
    Wrong(String, String),
}

/// An incident as people talk about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AlertSeen {
    /// Its number, such as `SC-2026-0012`.
    pub id: String,
    /// One line that says it.
    pub title: String,
    /// `service`, `certificate`, `coverage`, `objective`, `monitor` or `drill`.
    pub about: &'static str,
    /// The system, check, or part of the monitor.
    pub subject: String,
    /// The heaviest that was said: `down`, `partial`, `slow`, …
    pub kind: String,
    /// `page`, `ticket` or `info`.
    pub severity: &'static str,
    /// `open`, `acknowledged`, `calm` (about to be closed) or `closed`.
    pub state: &'static str,
    /// Who answers for it.
    pub team: Option<String>,
    /// Since when, RFC 3339.
    pub since: String,
    /// When it was first told.
    pub opened: String,
    /// When it was closed.
    pub closed: Option<String>,
    /// Who has it, and since when.
    pub acknowledged: Option<Acknowledged>,
    /// The incident that is its cause.
    pub cause: Option<String>,
    /// Its parts.
    pub parts: Vec<String>,
    /// It comes and goes.
    pub flapping: bool,
    /// It is in announced maintenance: nobody is called.
    pub maintenance: bool,
    /// Checks that say so now.
    pub checks: Vec<String>,
    /// What is wrong.
    pub reason: Option<String>,
    /// Seconds since it was first told during which nobody has taken it on; 0 once somebody has.
    pub unacknowledged_s: i64,
    /// Messages about it.
    pub messages: Vec<MessageSeen>,
    /// What happened, oldest first.
    pub log: Vec<LogSeen>,
}

/// Who has an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Acknowledged {
    /// When.
    pub at: String,
    /// Who.
    pub by: String,
    /// How.
    pub via: String,
}

/// A message about an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MessageSeen {
    /// `page`, `ticket`, `acknowledged`, `update` or `resolved`.
    pub purpose: String,
    /// To whom; nobody: an address that is nobody's own.
    pub person: Option<String>,
    /// Over which channel.
    pub channel: String,
    /// `pending`, `sent`, `failed` or `dropped`.
    pub status: &'static str,
    /// When it was decided.
    pub decided: String,
    /// When it was sent, given up or dropped.
    pub ended: Option<String>,
    /// Attempts.
    pub attempts: u32,
    /// What the last attempt said.
    pub why: Option<String>,
}

/// A line of what happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogSeen {
    /// When.
    pub at: String,
    /// What.
    pub what: String,
    /// Details.
    pub text: String,
}

/// Who is on call in a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TeamSeen {
    /// The team.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who is on call; empty: nobody, the fallback is called.
    pub on_call: Vec<PersonSeen>,
    /// What says so: `layer 1`, `override 2`, `fallback`.
    pub via: String,
    /// Until when.
    pub until: String,
    /// Who is next.
    pub next: Vec<PersonSeen>,
}

/// Somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonSeen {
    /// Their id.
    pub id: String,
    /// Their name.
    pub name: String,
}

/// What a link is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkSeen {
    /// The incident.
    pub alert: AlertSeen,
    /// The name of who got it.
    pub who: String,
    /// Whether it can still be used.
    pub good: bool,
}
