//! What a period comes to: figures by system, check and vantage, incidents and maintenance.
//!
//! ```text
//! journal (what was promised when)  -> terms, windows -.
//! history (what was seen)           -> gather          -> judged -> figures -> json, csv, table
//! journal (who was told, who took it on) -> alerts -> figures
//!                                                            `-> the API and live figures (app)
//! ```
//!
//! [`build()`] reads one check after the other, so memory does not grow with their number. The
//! arithmetic is all in `availability`; here it is decided what is judged by what. `docs/report.md`
//! says what is in a report, `docs/export.md` how to recompute it.

pub mod contract;
pub mod period;
pub mod journal;
pub mod alerts;
mod windows;
mod terms;
mod gather;
pub mod judged;
mod figures;
mod build;
mod canonical;
pub mod json;
pub mod csv;
pub mod table;
pub mod export;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::availability::calendar::CalendarError;
use crate::availability::figures::rollup::Rollup;
use crate::availability::figures::{Figures, Promised};
use crate::availability::incident::Summary;
use crate::availability::latency::Latency;
use crate::availability::track::Edge;
use crate::history::{HistoryError, Sealed};
use crate::model::id::{CheckId, OwnerId, SystemId, VantageId};
use crate::model::reason::Reason;
use crate::model::time::Millis;

pub use build::{Progress, Request, build, month_of, zone_of};
pub use gather::Reading;
pub use journal::{Held, Journal};
pub use terms::Piece;
pub use windows::{Named, Shown};

/// Version of the method (`docs/measurement.md`) that figures are worked out by.
pub const METHOD: &str = "thongsuot-measurement-1";

/// A whole report.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The period.
    pub period: period::Named,
    /// Until when it is over, if not to its end; what comes after is not judged.
    pub until: Option<Millis>,
    /// The zone that days are reckoned in, and its name.
    pub zone: (String, TimeZone),
    /// The software's version.
    pub software: String,
    /// Number and hash of the newest event of the journal.
    pub head: Option<(i64, [u8; 32])>,
    /// The contracts in force: from when, fingerprint of the configuration, number of the event
    /// (`None`: assumed from a file).
    pub contracts: Vec<(Millis, String, Option<i64>)>,
    /// SHA-256 over the list of all sealed blocks that were read (`docs/report.md`).
    pub manifest: [u8; 32],
    /// The systems together.
    pub rollup: Rollup,
    /// The systems, in the order of the newest contract.
    pub systems: Vec<SystemFigures>,
}

/// A system.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemFigures {
    /// Its id.
    pub id: SystemId,
    /// Its official name.
    pub name: String,
    /// Who answers for it.
    pub owner: OwnerId,
    /// That one's official name.
    pub owner_name: String,
    /// Its figures; `None`: no critical check, so none ("không giám sát").
    pub measured: Option<Measured>,
    /// Against its objective; `None`: held to nothing, or not watched.
    pub promised: Option<Promised>,
    /// The pieces of the period under unchanged promises, whose times add up to the whole.
    pub pieces: Vec<(Piece, Figures)>,
    /// Its incidents.
    pub episodes: Vec<Episode>,
    /// Its maintenance, each with the time it was down meanwhile.
    pub maintenance: Vec<(Shown, i64)>,
    /// Its checks.
    pub checks: Vec<CheckFigures>,
}

/// A check.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckFigures {
    /// Its id.
    pub id: CheckId,
    /// Its name.
    pub name: String,
    /// Whether its failure is the system's failure.
    pub critical: bool,
    /// Time between runs as written.
    pub interval_ms: i64,
    /// Its figures.
    pub measured: Measured,
    /// Its incidents.
    pub episodes: Vec<Episode>,
    /// Maintenance of its own or of its platform.
    pub maintenance: Vec<Shown>,
    /// What each vantage alone says.
    pub vantages: Vec<VantageFigures>,
    /// The sealed blocks that were read for it.
    pub blocks: Vec<Sealed>,
    /// Results that were read for it, margins of the period included.
    pub results: i64,
}

/// A check as one vantage alone sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct VantageFigures {
    /// The vantage.
    pub id: VantageId,
    /// The figures.
    pub measured: Measured,
}

/// Figures and what stands beside them.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Times, availability and what follows from them.
    pub figures: Figures,
    /// Incidents in numbers.
    pub summary: Summary,
    /// Quantiles of good runs in judged time.
    pub latency: Latency,
    /// Runs that started in the period, by reason.
    pub runs: BTreeMap<Reason, i64>,
    /// Void spans of the period, in milliseconds over all checks and vantages, by reason.
    pub void_ms: BTreeMap<Reason, i64>,
    /// Mean time from the first alert until somebody took it on (MTTA), over the alerts about
    /// incidents that count, cut down; `None`: nobody did, or it is not a system.
    pub mean_to_acknowledge_ms: Option<i64>,
}

/// An incident with a part in the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    /// Where it begins, maybe before the period.
    pub start: Edge,
    /// Where it ends, maybe after it.
    pub end: Edge,
    /// When it was confirmed.
    pub confirmed: Millis,
    /// Down spans that it is made of.
    pub spans: usize,
    /// Its down time, all of it.
    pub down_ms: i64,
    /// Its down time in judged time of the period.
    pub judged_ms: i64,
    /// Its down time in excluded maintenance.
    pub maintenance_ms: i64,
    /// Whether it began before the period.
    pub begins_before: bool,
    /// Whether it goes on after the period, or still.
    pub goes_on: bool,
    /// What the first bad run said.
    pub fault: Option<Reason>,
    /// The vantages that saw it.
    pub vantages: Vec<VantageId>,
    /// The checks of a system that it hit.
    pub checks: Vec<CheckId>,
    /// What people were told of it; `None`: nobody was called, or it is not of a system.
    pub told: Option<alerts::Told>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The period is not one.
    #[error("`{text}` is not a period: {fault}")]
    Period {
        /// As written.
        text: String,
        /// What is wrong, and what can be written.
        fault: String,
    },
    /// The period has not begun.
    #[error("the period begins on {from}, which is still to come: ask for one that has begun")]
    Future {
        /// Its beginning.
        from: String,
    },
    /// Nobody of that name.
    #[error("no {what} `{id}` in the period{}", .nearest.as_ref().map(|it| format!("; did you mean `{it}`?")).unwrap_or_default())]
    Unknown {
        /// `system`, `owner` or `check`.
        what: &'static str,
        /// As asked for.
        id: String,
        /// What may be meant.
        nearest: Option<String>,
    },
    /// The journal tells of no contract in the period.
    #[error(
        "the history does not say what was promised in this period{}: name the configuration \
         that was in force with `--config targets.toml`",
        .since.as_ref().map(|it| format!(" (its first contract is of {it})")).unwrap_or_default()
    )]
    NoContract {
        /// When the first one begins that it tells of.
        since: Option<String>,
    },
    /// The journal holds what can't be understood.
    #[error("event {seq} of the journal: {fault}; run `thongsuot verify`, or use a newer version")]
    Journal {
        /// Its number.
        seq: i64,
        /// What is wrong with it.
        fault: String,
    },
    /// A contract names an unknown time zone.
    #[error("unknown time zone `{0}` in the contract")]
    Zone(String),
    /// Beyond the calendar.
    #[error(transparent)]
    Calendar(CalendarError),
    /// The history can't be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Nobody waits for the answer any more.
    #[error("it took too long")]
    TooLong,
    /// The output can't be written.
    #[error("can't write: {0}")]
    Output(#[from] std::io::Error),
}
