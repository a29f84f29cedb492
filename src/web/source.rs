//! What the web shows and whom it asks: the app implements [`Source`].

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use crate::model::check::Lane;
use crate::model::id::{CheckId, SystemId, VantageId};
use crate::model::reason::Reason;
use crate::model::result::{RunResult, VoidSpan};
use crate::model::span::Span;
use crate::model::state::State;
use crate::model::system::Roster;
use crate::model::time::Millis;

/// Where everything that is shown comes from.
pub trait Source: Send + Sync + 'static {
    /// The wall time.
    fn now(&self) -> Millis;

    /// How everything stands. Asked for with every page: keep one ready.
    fn snapshot(&self) -> Arc<Snapshot>;

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

    /// The void spans of a check that touch `span`. Must not block the thread.
    fn void_spans(
        &self,
        check: CheckId,
        span: Span,
    ) -> impl Future<Output = Result<Vec<VoidSpan>, ResultsError>> + Send;

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
