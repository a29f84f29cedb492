//! After a start: the live state as if the daemon had never stopped.

use std::collections::HashMap;

use super::AppError;
use super::notices::Notices;
use crate::availability::live::LiveCheck;
use crate::config::Config;
use crate::history::{History, HistoryError};
use crate::model::check::Check;
use crate::model::id::{CheckId, VantageId};
use crate::model::time::Millis;

/// Steps of the schedule that are read back at first; four times as many until the state is
/// settled.
const STEPS_AT_FIRST: i64 = 12;

/// Farthest that is read back: a check that has been down for longer says so since then.
const BACK_MS_MAX: i64 = 7 * 86_400_000;

/// What was promised and announced, from the journal.
pub(super) async fn notices(history: &History) -> Result<Notices, AppError> {
    let history = history.clone();
    let read = tokio::task::spawn_blocking(move || Notices::read(&history.reader()?)).await;
    Ok(read.map_err(|panic| AppError::PartDied { part: "restore", why: panic.to_string() })??)
}

/// The live state of every check that runs, from its stored results.
pub(super) async fn live(
    history: &History,
    config: &Config,
    now: Millis,
) -> Result<HashMap<CheckId, LiveCheck>, AppError> {
    let checks: Vec<_> =
        config.roster.checks().filter(|check| check.disabled.is_none()).cloned().collect();
    let vantage = config.monitor.vantage.clone();
    let history = history.clone();
    let read = tokio::task::spawn_blocking(move || {
        let reader = history.reader()?;
        let one = |check: &std::sync::Arc<Check>| {
            Ok((check.id.clone(), of_check(&reader, check, &vantage, now)?))
        };
        checks.iter().map(one).collect::<Result<_, HistoryError>>()
    });
    let read = read
        .await
        .map_err(|panic| AppError::PartDied { part: "restore", why: panic.to_string() })?;
    Ok(read?)
}

fn of_check(
    reader: &crate::history::Reader,
    check: &Check,
    vantage: &VantageId,
    now: Millis,
) -> Result<LiveCheck, HistoryError> {
    let mut back_ms = check.interval_ms * STEPS_AT_FIRST;
    loop {
        let back = back_ms.min(BACK_MS_MAX);
        let mut results = Vec::new();
        for lane in check.lanes() {
            results.extend(reader.tail(&check.id, *lane, vantage, now.plus_ms(-back))?);
        }
        results.sort_by_key(|result| result.started);
        let mut live = LiveCheck::new(check);
        for result in &results {
            live.note(result);
        }
        if live.is_settled() || back == BACK_MS_MAX {
            return Ok(live);
        }
        back_ms = back * 4;
    }
}
