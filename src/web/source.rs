//! What the web shows and whom it asks: the app implements [`Source`].

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;

use super::duty::Duty;
use super::probe::Prober;
use crate::availability::figures::{Figures, Promised};
use crate::availability::incident::Incident;
use crate::availability::maintenance::journal::{Announcement, Scope};
use crate::model::check::Lane;
use crate::model::id::{CheckId, SystemId, VantageId};
use crate::model::reason::Reason;
use crate::model::result::{RunResult, VoidSpan};
use crate::model::span::Span;
use crate::model::state::State;
use crate::model::system::{Objective, Roster};
use crate::model::time::Millis;

/// Where everything that is shown comes from.
pub trait Source: Announcer + Duty + Prober + 'static {
    /// How everything stands. Asked for with every page: keep one ready.
    fn snapshot(&self) -> Arc<Snapshot>;

    /// All that is watched. It must be cheap.
    fn roster(&self) -> Arc<Roster>;

    /// When the newest result of any check started; `None`: nothing was measured yet. Asked for
    /// without a token: it must be cheap.
    fn newest_result(&self) -> Option<Millis>;

    /// Whether the history is open and the first slots are scheduled.
    ///
    /// # Errors
    ///
    /// What is still waited for, in a few words.
    fn ready(&self) -> Result<(), String>;

    /// A page of results. Must not block the thread.
    fn results(
        &self,
        query: ResultsQuery,
    ) -> impl Future<Output = Result<ResultsPage, ResultsError>> + Send;

    /// The first void spans of a check that touch `span`, at most `limit` (1 to 10,000). Must
    /// not block the thread.
    fn void_spans(
        &self,
        check: CheckId,
        span: Span,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<VoidSpan>, ResultsError>> + Send;

    /// The figures of a system in `span`, which may reach into the future; `None`: it is not
    /// judged. Must not block the thread.
    fn figures(
        &self,
        system: SystemId,
        span: Span,
    ) -> impl Future<Output = Result<Option<SystemFigures>, JudgeFailure>> + Send;

    /// The incidents with a part in `span`, of one system or of all, by their start. Must not
    /// block the thread.
    fn incidents(
        &self,
        system: Option<SystemId>,
        span: Span,
    ) -> impl Future<Output = Result<Vec<IncidentSeen>, JudgeFailure>> + Send;

    /// Reads the configuration anew and takes it into force, or leaves everything as it is.
    ///
    /// # Errors
    ///
    /// Every mistake, each in a sentence that says where.
    fn reload(&self) -> impl Future<Output = Result<Reloaded, Vec<String>>> + Send;

    /// Takes a beat that came at `at`, once it is safe. Compare the token with
    /// [`auth::same`](super::auth::same).
    fn beat(
        &self,
        check: &CheckId,
        token: &str,
        at: Millis,
        beat: Beat,
    ) -> impl Future<Output = Result<(), BeatError>> + Send;
}

/// The part of a [`Source`] that records maintenance.
pub trait Announcer: Send + Sync {
    /// The wall time.
    fn now(&self) -> Millis;

    /// Every announced maintenance, in the order recorded.
    fn maintenance(&self) -> Vec<Maintenance>;

    /// Records maintenance, durably, as from now.
    fn announce(
        &self,
        new: NewMaintenance,
    ) -> impl Future<Output = Result<Maintenance, MaintenanceError>> + Send;

    /// Records that announced maintenance changes, durably, as from now.
    fn change_maintenance(
        &self,
        id: String,
        change: MaintenanceChange,
    ) -> impl Future<Output = Result<Maintenance, MaintenanceError>> + Send;
}

/// How everything stands at an instant. A system or check that is missing in the maps is
/// unknown, and has never had a result.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When it was made.
    pub at: Millis,
    /// Where it was seen from.
    pub vantage: VantageId,
    /// All that is watched.
    pub roster: Arc<Roster>,
    /// Where systems stand.
    pub systems: HashMap<SystemId, Standing>,
    /// Where checks stand.
    pub checks: HashMap<CheckId, CheckNow>,
    /// Systems of which all or a part is in maintenance, announced in time or not.
    pub maintained: Arc<HashSet<SystemId>>,
}

/// Where a check or system stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Its state.
    pub state: State,
    /// Since when; `None`: since before we looked.
    pub since: Option<Millis>,
    /// The reason of the result that decided it, if it is not `up`.
    pub reason: Option<Reason>,
}

/// Where a check stands, and what it does next.
#[derive(Clone, Debug, Default)]
pub struct CheckNow {
    /// Where it stands.
    pub standing: Standing,
    /// Its last result, of any lane and kind.
    pub last: Option<RunResult>,
    /// Of the last result, in a sentence, what was wrong.
    pub why: Option<String>,
    /// The effective step of its schedule, in microseconds.
    pub step_us: i64,
    /// The phase of its schedule, in microseconds.
    pub phase_us: i64,
    /// When its next slot is due.
    pub next_due: Option<Millis>,
}

/// Which results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultsQuery {
    /// Of this check.
    pub check: CheckId,
    /// That started in this span.
    pub span: Span,
    /// Only of this lane.
    pub lane: Option<Lane>,
    /// Only from this vantage.
    pub vantage: Option<VantageId>,
    /// Go on after the page that gave this.
    pub cursor: Option<String>,
    /// At most so many, 1 to 10,000.
    pub limit: usize,
}

/// Some results, and where to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResultsPage {
    /// In order of start.
    pub results: Vec<RunResult>,
    /// Where the next page begins; `None`: this was the last.
    pub next: Option<String>,
}

/// Why there are no results.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResultsError {
    /// The cursor is not one that an earlier page gave.
    #[error("the cursor is not one of ours")]
    Cursor,
    /// The history can't be read now; why, in a few words.
    #[error("the history can't be read: {0}")]
    Unavailable(String),
}

/// Announced maintenance and what comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// As announced.
    pub announcement: Announcement,
    /// The notice that is asked for, in milliseconds.
    pub notice_ms: i64,
    /// Whether it is under way.
    pub active: bool,
    /// Whether its end has passed.
    pub over: bool,
    /// Ids of others that overlap it and have to do with the same systems.
    pub overlaps: Vec<String>,
}

/// Maintenance to announce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMaintenance {
    /// What is maintained.
    pub scope: Scope,
    /// When.
    pub span: Span,
    /// Number of the document.
    pub notice: Option<String>,
    /// Who records it.
    pub who: String,
    /// What is done.
    pub why: String,
}

/// How announced maintenance changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MaintenanceChange {
    /// It goes on for longer.
    Extend {
        /// The new end.
        to: Millis,
        /// Who records it.
        who: String,
        /// Why.
        why: String,
    },
    /// It is taken back, or ends now.
    Cancel {
        /// Who records it.
        who: String,
        /// Why.
        why: String,
    },
}

/// Why maintenance was not recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MaintenanceError {
    /// It can't be meant so.
    #[error("{error}")]
    Wrong {
        /// What is wrong.
        error: String,
        /// What to write.
        hint: String,
    },
    /// There is no announcement of this id.
    #[error("there is no maintenance `{id}`")]
    Unknown {
        /// The id.
        id: String,
        /// The newest id there is.
        last: Option<String>,
    },
    /// It contradicts what was recorded before.
    #[error("{0}")]
    Conflict(String),
    /// It can't be kept safe now; why, in a few words.
    #[error("it can't be kept safe now: {0}")]
    Unavailable(String),
}

/// The figures of one system and what it is held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemFigures {
    /// The system.
    pub system: SystemId,
    /// The objective that was in force last.
    pub objective: Option<Objective>,
    /// Against the objectives in force; `None`: held to nothing.
    pub promised: Option<Promised>,
    /// Whether enough is known for one number.
    pub enough_data: bool,
    /// Its figures.
    pub figures: Figures,
    /// Incidents with a part in the span.
    pub incidents: usize,
}

/// An incident of a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentSeen {
    /// The system.
    pub system: SystemId,
    /// The incident, whole.
    pub incident: Incident,
    /// The checks that it hit.
    pub checks: Vec<CheckId>,
    /// Whether it had not ended at the end of the span.
    pub open: bool,
    /// Down time of it within excluded maintenance of the span.
    pub excluded_down_ms: i64,
}

/// Why nothing was judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the figures can't be worked out: {why}")]
pub struct JudgeFailure {
    /// Why, in a few words.
    pub why: String,
}

/// What a reload changed, in checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// New ones.
    pub added: usize,
    /// Gone ones.
    pub removed: usize,
    /// Changed ones.
    pub changed: usize,
    /// Ones that go on as before.
    pub kept: usize,
}

/// What the owner of a job tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// Whether the job did its work.
    pub good: bool,
    /// A note for people, cut to [`MESSAGE_CHARS_MAX`].
    pub message: Option<String>,
}

/// Longest note of a beat, in characters: enough for the last line of a log.
pub const MESSAGE_CHARS_MAX: usize = 500;

/// Why a beat was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BeatError {
    /// No such heartbeat check, or another token. The two are not told apart, so that nobody
    /// can search for checks.
    #[error("no heartbeat check of this id has this token")]
    Denied,
    /// It can't be kept safe now.
    #[error("the beat can't be kept now")]
    Busy,
}
