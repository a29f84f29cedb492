//! The book: every incident that is open or was a short while ago, as people talk about it.
//!
//! An incident here is a conversation (one thread, one number), not the outage of a report: it
//! also goes on while a service flaps. Kept in the history as one document an incident.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::condition::{Condition, Kind, Thread};
use crate::model::alerting::rules::Severity;
use crate::model::id::{CheckId, TeamId};
use crate::model::reason::Reason;
use crate::model::time::Millis;

/// Lines of a log: of a longer one the first is kept, which says how it began, and the newest.
pub const LOG_LINES_MAX: usize = 200;

/// The number of an incident, for people: `SC-2026-0012`. By the civil year in which it opened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(pub String);

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// Year and number of the last incident.
    pub last: (i16, u32),
    /// By number.
    pub incidents: BTreeMap<IncidentId, Incident>,
}

/// One conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its number.
    pub id: IncidentId,
    /// What it is about.
    pub thread: Thread,
    /// Who answers for it.
    pub team: Option<TeamId>,
    /// The heaviest that was said in it.
    pub kind: Kind,
    /// The loudest that was said in it.
    pub severity: Severity,
    /// Since when, back-dated as the figures have it.
    pub since: Millis,
    /// When it was first told: the alert.
    pub opened: Millis,
    /// What is true of it now, heaviest first; empty: nothing, it is about to be closed.
    pub now: Vec<Said>,
    /// Since when nothing is true of it.
    pub calm_since: Option<Millis>,
    /// When it was closed.
    pub closed: Option<Millis>,
    /// Why it was closed.
    pub ending: Option<Ending>,
    /// Of what it is a part; nobody is paged for it while it is.
    pub cause: Option<Cause>,
    /// When it came back after it had been calm, within the time that flapping looks at.
    pub returns: Vec<Millis>,
    /// It is "chập chờn".
    pub flapping: bool,
    /// In announced maintenance: nobody is paged.
    pub maintained: bool,
    /// Whether anybody was to be paged for it at all; if not nobody gets an all-clear either.
    pub paged: bool,
    /// Held back until a dependency has spoken, or this instant.
    pub held_until: Option<Millis>,
    /// Who has it.
    pub ack: Option<Ack>,
    /// How far its escalation has come.
    pub escalation: Escalation,
    /// Parts of it: incidents whose cause it is, or was.
    pub parts: Vec<IncidentId>,
    /// What happened, for people, oldest first; bounded by [`LOG_LINES_MAX`].
    pub log: Vec<LogLine>,
}

/// Something that is true now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// What.
    pub kind: Kind,
    /// How loud.
    pub severity: Severity,
    /// Since when.
    pub since: Millis,
    /// Which checks.
    pub checks: Vec<CheckId>,
    /// What is wrong, by [`Reason::as_str`].
    pub reason: Option<String>,
    /// In words.
    pub why: Option<String>,
    /// See [`super::condition::Condition::number`].
    pub number: Option<i64>,
}

/// Why an incident was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All is well again.
    Recovered,
    /// A person said so.
    ByHand,
    /// What it was about is not watched any more.
    Removed,
}

/// Of what an incident is a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The incident that people are told of instead.
    pub incident: IncidentId,
    /// Why that one.
    pub by: CauseBy,
    /// The cause is over: from this instant what is still wrong here stands for itself. `None`:
    /// the cause goes on.
    #[serde(default)]
    pub until: Option<Millis>,
}

/// Why one incident is the cause of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseBy {
    /// `depends_on`, directly or through others.
    Dependency,
    /// All that fails of it runs on this platform.
    Platform(String),
}

/// Somebody has taken an incident on (tiếp nhận).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// When.
    pub at: Millis,
    /// Who: a person's id, or what they called themselves.
    pub by: String,
    /// How: `link`, `api`, `cli`.
    pub via: String,
}

impl Ack {
    /// Whether a link that was sent to them says who it was, and not they themselves.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.via == "link"
    }
}

/// How far an escalation has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// When it began: the page, or the page anew after an acknowledgement ran out.
    pub begun: Option<Millis>,
    /// How often it began.
    pub round: u32,
    /// Which time through the steps, from 0.
    pub turn: u32,
    /// The next step, from 0; all of them done: the number of steps.
    pub step: usize,
    /// When the next step is due; `None`: nothing more is.
    pub next: Option<Millis>,
    /// The fallback list was called.
    pub fell_back: bool,
    /// As what it began: a ticket is told once, a page step by step.
    #[serde(default)]
    pub severity: Option<Severity>,
    /// How often all of it was gone through since it began, and nobody could be reached.
    #[serde(default)]
    pub fruitless: u32,
    /// What those who know of it have been told.
    #[serde(default)]
    pub told: Option<Told>,
}

/// What people have been told of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When: the first page, or the newest ticket.
    pub at: Millis,
    /// The heaviest.
    pub kind: Kind,
    /// That it is "chập chờn".
    pub flapping: bool,
}

/// A line of what happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When.
    pub at: Millis,
    /// What, in one word with dots, as in the journal: `opened`, `paged`, `acked`, …
    pub what: String,
    /// Details for people.
    pub text: String,
}

impl IncidentId {
    /// The number of the `n`-th incident of a year.
    #[must_use]
    pub fn new(year: i16, n: u32) -> Self {
        Self(format!("SC-{year:04}-{n:04}"))
    }

    /// Year and number, which order incidents as they opened; of a text that is not one of ours
    /// zeros.
    #[must_use]
    pub fn number(&self) -> (i16, u32) {
        let mut parts = self.0.rsplitn(3, '-');
        let n = parts.next().and_then(|it| it.parse().ok());
        let year = parts.next().and_then(|it| it.parse().ok());
        year.zip(n).unwrap_or_default()
    }
}

impl Incident {
    /// Whether people should still care.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// Adds a line to the log. Of too many the second oldest goes.
    pub fn note(&mut self, at: Millis, what: &str, text: String) {
        self.log.push(LogLine { at, what: what.to_owned(), text });
        while self.log.len() > LOG_LINES_MAX {
            self.log.remove(1);
        }
    }
}

impl Said {
    /// The same as a condition has it.
    #[must_use]
    pub fn of(condition: &Condition) -> Self {
        Self {
            kind: condition.kind,
            severity: condition.severity,
            since: condition.since,
            checks: condition.checks.clone(),
            reason: condition.reason.map(|it| it.as_str().to_owned()),
            why: condition.why.clone(),
            number: condition.number,
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        self.reason.as_deref().and_then(Reason::parse)
    }
}
