//! The live figures of every system, kept up in the background (`docs/metrics.md`, "Live
//! figures"): hours that are over are judged once and kept; the newest ones anew with each round.
//!
//! One system at a time, where blocking is allowed, and never more than [`DUTY_PERCENT`] of a
//! core: with many checks a round takes longer than a minute.

mod cache;
mod windows;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};
use tokio::time::{Duration, Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::judged::{Court, JudgeError, judge, margin_ms};
use super::notices::Notices;
use super::watched::{self, Shared};
use crate::availability::calendar::{Calendar, span as period_span};
use crate::availability::figures::ledger::{
    Cell, HOUR_MS, Ledger, Run, cells, hour_of, hour_start,
};
use crate::availability::hours::ServiceHours;
use crate::availability::span_set::SpanSet;
use crate::clock::Clock;
use crate::history::{History, HistoryError, Reader};
use crate::metrics::{Figured, Metrics};
use crate::model::check::Check;
use crate::model::id::{SystemId, VantageId};
use crate::model::span::Span;
use crate::model::system::{Roster, System};
use crate::model::time::Millis;

use windows::{LONGEST_MS, Recent, figured};

/// Share of a core that the figures may take.
const DUTY_PERCENT: u32 = 3;

/// How often the newest figures are worked out, if the share of a core allows it.
const ROUND: Duration = Duration::from_mins(1);

/// An hour is judged for good once it ended so long ago: what comes later is no longer seen here,
/// only in reports. At least [`margin_ms`] besides.
const SETTLED_MS: i64 = 2 * HOUR_MS;

/// Hours judged at once when the past is caught up: one day is one look at a day's block.
const HOURS_AT_ONCE: i64 = 24;

/// How often what is known of past hours is written down.
const SAVE_EVERY: Duration = Duration::from_mins(10);

/// The part.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) clock: Clock,
    pub(super) zone: TimeZone,
    pub(super) vantage: VantageId,
    pub(super) history: History,
    pub(super) notices: Arc<Notices>,
    pub(super) watch: Shared,
    pub(super) metrics: Arc<Metrics>,
    /// Where past hours are kept over a restart.
    pub(super) cache: PathBuf,
}

/// All past hours, by system.
type Book = HashMap<SystemId, Ledger>;

/// What one look at a system gives.
struct Looked {
    reader: Reader,
    ledger: Ledger,
    figured: Result<Figured, JudgeError>,
    /// Whether past hours are still missing.
    more: bool,
    took: Duration,
}

impl Figures {
    /// Goes on until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) -> Result<(), String> {
        let figures = Arc::new(self);
        let mut book = cache::load(&figures.cache, &figures.vantage);
        let mut saved = Instant::now();
        while !stop.is_cancelled() {
            let begun = Instant::now();
            let more = figures.round(&mut book, &stop).await;
            if saved.elapsed() >= SAVE_EVERY || stop.is_cancelled() {
                book = figures.save(book).await;
                saved = Instant::now();
            }
            let next = if more { Instant::now() } else { begun + ROUND };
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep_until(next) => {}
            }
        }
        figures.save(book).await;
        Ok(())
    }

    /// One look at each system; whether past hours are still missing.
    async fn round(self: &Arc<Self>, book: &mut Book, stop: &CancellationToken) -> bool {
        let roster = Arc::clone(&watched::lock(&self.watch).roster);
        let known: std::collections::HashSet<_> = roster.systems.iter().map(|it| &it.id).collect();
        book.retain(|id, _| known.contains(id));
        let (mut more, mut reader) = (false, None);
        let begun = Instant::now();
        let mut worked = Duration::ZERO;
        for place in 0..roster.systems.len() {
            if stop.is_cancelled() {
                return false;
            }
            let id = roster.systems[place].id.clone();
            let ledger = book.remove(&id).unwrap_or_default();
            let Some(looked) = self.look(&roster, place, ledger, reader.take()).await else {
                continue;
            };
            match looked.figured {
                Ok(figured) => self.metrics.figures(&id, figured),
                Err(JudgeError::TooLong) => return false,
                Err(error) => {
                    warn!(system = %id, %error, "no live figures");
                    self.metrics.figures(&id, Figured::default());
                }
            }
            more |= looked.more;
            book.insert(id, looked.ledger);
            reader = Some(looked.reader);
            worked += looked.took;
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep_until(begun + worked * 100 / DUTY_PERCENT) => {}
            }
        }
        debug!(?worked, systems = roster.systems.len(), more, "figures");
        more
    }

    /// Looks at one system where blocking is allowed. `None`: nobody could look.
    async fn look(
        self: &Arc<Self>,
        roster: &Arc<Roster>,
        place: usize,
        ledger: Ledger,
        reader: Option<Reader>,
    ) -> Option<Looked> {
        let (figures, roster) = (Arc::clone(self), Arc::clone(roster));
        let looked = tokio::task::spawn_blocking(move || {
            let begun = Instant::now();
            let reader = reader.map_or_else(|| figures.history.reader(), Ok)?;
            let mut ledger = ledger;
            let system = roster.systems.get(place);
            let seen = system.map(|it| figures.system(&reader, &roster, it, &mut ledger));
            let (figured, more) = match seen {
                None => (Ok(Figured::default()), false),
                Some(Ok((figured, more))) => (Ok(figured), more),
                Some(Err(error)) => (Err(error), false),
            };
            Ok::<_, HistoryError>(Looked { reader, ledger, figured, more, took: begun.elapsed() })
        });
        match looked.await {
            Ok(Ok(looked)) => Some(looked),
            Ok(Err(error)) => {
                warn!(%error, "no live figures");
                None
            }
            Err(panic) => {
                warn!(%panic, "no live figures");
                None
            }
        }
    }

    /// The figures of a system, and whether past hours of it are still missing.
    fn system(
        &self,
        reader: &Reader,
        roster: &Roster,
        system: &System,
        ledger: &mut Ledger,
    ) -> Result<(Figured, bool), JudgeError> {
        let now = self.clock.now();
        let court = Court {
            reader,
            roster,
            vantage: &self.vantage,
            notices: &self.notices,
            zone: &self.zone,
            now,
            wanted: &|| true,
        };
        let enabled = || system.checks.iter().filter(|it| it.disabled.is_none());
        if !enabled().any(|it| it.critical) {
            return Ok((Figured::default(), false));
        }
        // The time after the last run of each check is known only when its next one has ended.
        let lag = enabled().map(|it| it.interval_ms + it.timeout.whole_ms()).max().unwrap_or(0);
        let end = Millis((now.0 - lag).div_euclid(60_000) * 60_000);
        let settled = end.plus_ms(-SETTLED_MS);
        let newest = Span::new(settled, now);
        let margin = |it: &Check| newest.map_or(0, |newest| margin_ms(it, &self.notices, newest));
        let margin = enabled().map(|it| margin(it)).max().unwrap_or(0);
        let settled = settled.min(now.plus_ms(-margin));
        let recent_hour = hour_of(settled);
        let period = Calendar::Nd09.month_at(now, &self.zone);
        let period = period.and_then(|it| period_span(Calendar::Nd09, it, &self.zone))?;
        let oldest = hour_of(end.plus_ms(-LONGEST_MS).min(period.start()));

        let contract = contract_of(system, roster);
        let since = self.notices.contract_since().map_or(0, hour_of);
        ledger.keep(oldest, since, contract);
        catch_up(court, system, ledger, contract, (oldest, recent_hour))?;

        let from = hour_start(recent_hour);
        let Some(span) = Span::new(from, end) else { return Ok((Figured::default(), false)) };
        let Some(judged) = judge(court, system, span)? else {
            return Ok((Figured::default(), false));
        };
        let recent = Recent { track: judged.track.clone(), judged: judged.terms().judged(), end };
        let budget_ms = match system.objective {
            None => None,
            Some(objective) => {
                let whole = self.promised(system, roster, period)?;
                Some(objective.budget_ms(whole.length_ms())).filter(|it| *it > 0)
            }
        };
        let figured =
            figured(ledger, &recent, recent_hour, period.start(), system.objective, budget_ms);
        Ok((figured, ledger.missing(oldest, recent_hour, 1).is_some()))
    }

    /// The time of a whole period that is held to the objective, as far as is known now.
    fn promised(
        &self,
        system: &System,
        roster: &Roster,
        period: Span,
    ) -> Result<SpanSet, JudgeError> {
        let hours = ServiceHours::of(&system.terms.hours, &roster.holidays);
        let service = hours.within(period, &self.zone)?.unwrap_or_else(|| period.into());
        Ok(service.minus(&self.notices.plan(system, period, &self.zone)?.system))
    }

    async fn save(self: &Arc<Self>, book: Book) -> Book {
        let figures = Arc::clone(self);
        let saved = tokio::task::spawn_blocking(move || {
            if let Err(error) = cache::save(&figures.cache, &figures.vantage, &book) {
                warn!(%error, file = %figures.cache.display(), "past hours can't be written down");
            }
            book
        });
        // Without it the hours are judged again.
        saved.await.unwrap_or_default()
    }
}

/// Judges the newest past hours that are missing, at most [`HOURS_AT_ONCE`].
fn catch_up(
    court: Court<'_>,
    system: &System,
    ledger: &mut Ledger,
    contract: u64,
    (oldest, recent): (i64, i64),
) -> Result<(), JudgeError> {
    let Some((first, end)) = ledger.missing(oldest, recent, HOURS_AT_ONCE) else { return Ok(()) };
    let begun = begun(court.reader, system)?;
    // Before its first result nothing is judged.
    let before = begun.map_or(end, hour_of).min(end);
    if before > first {
        let first = if before == end { oldest } else { first };
        ledger.put(Run { first, count: before - first, contract, cell: Cell::default() });
    }
    let first = first.max(before);
    let Some(span) = Span::new(hour_start(first), hour_start(end)) else { return Ok(()) };
    let Some(judged) = judge(court, system, span)? else { return Ok(()) };
    let hours: Vec<Span> =
        (first..end).filter_map(|it| Span::new(hour_start(it), hour_start(it + 1))).collect();
    let cells = cells(&judged.track, &judged.terms().judged(), &hours);
    for (hour, cell) in (first..end).zip(cells) {
        ledger.put(Run { first: hour, count: 1, contract, cell });
    }
    Ok(())
}

/// When the first critical check of a system had its first result.
fn begun(reader: &Reader, system: &System) -> Result<Option<Millis>, JudgeError> {
    let mut first: Option<Millis> = None;
    for check in system.checks.iter().filter(|it| it.critical && it.disabled.is_none()) {
        let started = reader.first_started(&check.id)?;
        first = [first, started].into_iter().flatten().min();
    }
    Ok(first)
}

/// Names what a system is judged by: equal for equal terms.
fn contract_of(system: &System, roster: &Roster) -> u64 {
    let mut hasher = Sha256::new();
    let mut add = |text: String| hasher.update(text.as_bytes());
    add(format!("{:?}", system.terms));
    for check in system.checks.iter().filter(|it| it.disabled.is_none()) {
        let key = (&check.id, check.critical, check.interval_ms, check.confirm, check.ip);
        add(format!("{key:?}{:?}", check.platform));
    }
    if system.terms.hours != crate::model::terms::Hours::Always {
        add(format!(
            "{:?}",
            roster.holidays.iter().map(|it| (it.date, it.kind)).collect::<Vec<_>>()
        ));
    }
    hasher.finalize().iter().take(8).fold(0, |all, byte| all << 8 | u64::from(*byte))
}
