//! After a start: the live state as if the daemon had never stopped.

use std::collections::HashMap;
use std::sync::Arc;

use tracing::warn;

use super::notices::Notices;
use super::pipeline::{AHEAD_MS, journal};
use super::{AppError, settings};
use crate::availability::judge::Reach;
use crate::availability::live::LiveCheck;
use crate::config::Config;
use crate::history::{History, HistoryError, Reader, Record};
use crate::metrics::Metrics;
use crate::model::check::Check;
use crate::model::id::{CheckId, VantageId};
use crate::model::reason::Reason;
use crate::model::result::{RunKind, VoidSpan};
use crate::model::span::Span;
use crate::model::time::Millis;

/// Steps of the schedule that are read back at first; four times as many until the state is
/// settled.
const STEPS_AT_FIRST: i64 = 12;

/// Farthest that is read back: a check that has been down for longer says so since then.
const BACK_MS_MAX: i64 = 7 * 86_400_000;

/// Longest that a run's end may need to be filed beyond its deadline: anchors, queues, a commit.
const FILING_MS: i64 = 5_000;

/// What an earlier daemon left.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// The time of this start: what lies before it is accounted for.
    pub(super) at: Millis,
    /// When a daemon was last at work.
    pub(super) last: Option<Millis>,
    /// The live state of each check.
    pub(super) lives: HashMap<CheckId, LiveCheck>,
    /// Until when slots may have been run before, by a clock that was ahead, and the number
    /// that they are run under now.
    pub(super) again: Option<(Millis, u16)>,
}

/// What was promised and announced, from the journal.
pub(super) async fn notices(history: &History) -> Result<Notices, AppError> {
    let history = history.clone();
    blocking(move || Notices::read(&history.reader()?)).await
}

/// What an earlier daemon left, read before this one writes anything.
pub(super) async fn past(
    history: &History,
    config: &Config,
    notices: &Arc<Notices>,
    now: Millis,
) -> Result<Past, AppError> {
    let checks: Vec<_> =
        config.roster.checks().filter(|check| check.disabled.is_none()).cloned().collect();
    let vantage = config.monitor.vantage.clone();
    let (history, notices) = (history.clone(), Arc::clone(notices));
    blocking(move || {
        let reader = history.reader()?;
        let last = reader.last_activity()?;
        let mut past = Past { at: now, last, ..Past::default() };
        // By a clock that was ahead, whether it was set back while we were away or before.
        let mut again = last.filter(|it| *it > now).map(|it| (it, 0));
        for check in &checks {
            let reach = notices.reach(check, now);
            let (live, ahead) = of_check(&reader, check, &reach, &vantage, now)?;
            past.lives.insert(check.id.clone(), live);
            again = match (again, ahead) {
                (Some((a, run)), Some((b, other))) => Some((a.max(b), run.max(other))),
                (one, other) => one.or(other),
            };
        }
        past.again = again.map(|(until, run)| (until, run.saturating_add(1)));
        Ok(past)
    })
    .await
}

/// Records the time away of every check, before anything else is recorded.
pub(super) async fn account(
    history: &History,
    config: &Config,
    past: &Past,
    metrics: &Metrics,
) -> Result<(), AppError> {
    let Some(last) = past.last else { return Ok(()) };
    if last > past.at {
        let by_ms = past.at.since(last);
        warn!(by_ms, "the wall clock was set back while the daemon was away");
        let event = journal(past.at, "clock.step", serde_json::json!({ "by_ms": by_ms }));
        history.append(vec![Record::Event(event)]).await?;
    }
    let commit_ms = i64::try_from(config.monitor.history.commit_within.as_millis()).unwrap_or(0);
    let enabled = || config.roster.checks().filter(|check| check.disabled.is_none());
    let away = enabled().filter_map(|check| {
        // From the due instant of the last run that may not have been filed; slots that have a
        // result of their own keep it.
        let filing_ms = check.interval_ms / 2 + 2 * check.timeout.whole_ms() + FILING_MS;
        let from = last.plus_ms(-filing_ms - commit_ms);
        (from < past.at).then(|| VoidSpan {
            check: check.id.clone(),
            vantage: config.monitor.vantage.clone(),
            from,
            to: past.at,
            reason: Reason::Stopped,
        })
    });
    history.append(away.map(Record::Void).collect()).await?;
    if let Some(gap) = Span::new(last, past.at) {
        metrics.void_slots(Reason::Stopped, enabled().map(|it| settings::slots(it, gap)).sum());
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, HistoryError> + Send + 'static,
) -> Result<T, AppError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|panic| AppError::PartDied { part: "restore", why: panic.to_string() })??)
}

/// The live state of a check; of its slots that lie ahead of now and have been run, the last
/// instant and the greatest number.
pub(super) fn of_check(
    reader: &Reader,
    check: &Check,
    reach: &Reach,
    vantage: &VantageId,
    now: Millis,
) -> Result<(LiveCheck, Option<(Millis, u16)>), HistoryError> {
    let mut back_ms = check.interval_ms * STEPS_AT_FIRST;
    loop {
        let back = back_ms.min(BACK_MS_MAX);
        let mut results = Vec::new();
        for lane in check.lanes() {
            results.extend(reader.tail(&check.id, *lane, vantage, now.plus_ms(-back))?);
        }
        let again = || results.iter().filter(|it| it.due >= now && it.kind == RunKind::Grid);
        let until = again().map(|it| it.due).max();
        let ahead = until.zip(again().map(|it| it.run).max());
        results.retain(|it| it.started <= now.plus_ms(AHEAD_MS));
        results.sort_by_key(|result| result.started);
        let mut live = LiveCheck::reaching(check, reach);
        for result in &results {
            live.note(result);
        }
        if live.is_settled() || back == BACK_MS_MAX {
            return Ok((live, ahead));
        }
        back_ms = back * 4;
    }
}
