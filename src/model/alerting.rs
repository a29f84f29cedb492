//! Who is told of what, and how: what the alerting part works by.
//!
//! Rules say what is worth telling ([`rules`]), people and teams who hears of it ([`people`]),
//! channels how it reaches them ([`channel`]), [`presets`] what the known ones send.

pub mod rules;
pub mod people;
pub mod channel;
pub mod presets;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::secret::Secret;
use channel::{Alertmanager, Channel};
use people::{Person, Team};
use rules::Flapping;

/// Everything that is configured of alerting.
#[derive(Clone, Debug, PartialEq)]
pub struct Alerting {
    /// The language of messages.
    pub language: Language,
    /// Where people reach this monitor: the base of acknowledge links and of links to incidents.
    /// `None`: messages have no links.
    pub public_url: Option<Url>,
    /// Whose users see what this vantage sees: a carrier, a place. Messages of a service say that
    /// they are hit. `None`: nobody is named.
    pub seen_from: Option<String>,
    /// A Grafana panel; `{system}` stands for the system's id.
    pub grafana_url: Option<String>,
    /// A folder with templates that replace the built-in ones of the same name.
    pub templates: Option<PathBuf>,
    /// Signs acknowledge links; `None`: a key is made once and kept with the history.
    pub link_key: Option<Secret>,
    /// Who wakes people.
    pub pager: Pager,
    /// How long all must be quiet after an alert is over before its incident is closed.
    pub resolve_after_ms: i64,
    /// How long a page of a system waits for a fresh result of what it depends on.
    pub dependency_wait_ms: i64,
    /// When an incident counts as flapping.
    pub flapping: Flapping,
    /// After an acknowledgement people are paged anew if the incident is still open so long.
    pub ack_timeout_ms: i64,
    /// Alertmanagers: every instance of a cluster.
    pub alertmanagers: Vec<Arc<Alertmanager>>,
    /// Direct channels, in the order written.
    pub channels: Vec<Arc<Channel>>,
    /// People, in the order written.
    pub people: Vec<Person>,
    /// Teams, in the order written. A system without a team belongs to the first.
    pub teams: Vec<Team>,
    /// A dead man's switch elsewhere, called only while all works.
    pub heartbeat: Option<DeadMan>,
    /// Other monitors that this one watches.
    pub peers: Vec<PeerMonitor>,
    /// A test page along the real path, each week.
    pub drill: Option<WeeklyDrill>,
}

impl Default for Alerting {
    fn default() -> Self {
        Self {
            language: Language::Vietnamese,
            public_url: None,
            seen_from: None,
            grafana_url: None,
            templates: None,
            link_key: None,
            pager: Pager::Direct,
            resolve_after_ms: 120_000,
            dependency_wait_ms: 30_000,
            flapping: Flapping::default(),
            ack_timeout_ms: 1_800_000,
            alertmanagers: Vec::new(),
            channels: Vec::new(),
            people: Vec::new(),
            teams: Vec::new(),
            heartbeat: None,
            peers: Vec::new(),
            drill: None,
        }
    }
}

/// The language that people read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// Tiếng Việt.
    #[default]
    Vietnamese,
    /// English.
    English,
}

/// Who wakes people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Pager {
    /// This monitor, over its direct channels; Alertmanager is told besides.
    #[default]
    Direct,
    /// Alertmanager. If none accepts anything for a minute, this monitor pages itself, and then
    /// also says when it is over.
    Alertmanager,
}

/// A dead man's switch: an outside service that calls people when this falls silent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadMan {
    /// Where a POST says that all works. It often holds a token.
    pub url: Secret,
    /// How often.
    pub every: Duration,
}

/// Another monitor, watched over its health page and the age of its newest result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerMonitor {
    /// A name for people, written like an id.
    pub id: String,
    /// Its base address.
    pub url: Url,
    /// Its bearer token.
    pub token: Option<Secret>,
}

/// When the weekly test page goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WeeklyDrill {
    /// The day.
    pub day: jiff::civil::Weekday,
    /// Minutes from midnight by the clock on the wall, less than a day.
    pub at_min: u16,
}
