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
use tokio::time::{Duration, Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::alerting::FigureBoard;
use super::notices::Notices;
use super::watched::{self, Shared};
use crate::availability::burn::BAD_MS_MIN;
use crate::availability::calendar::{Calendar, span as period_span};
use crate::availability::figures::ledger::{
    Cell, HOUR_MS, Ledger, Run, cells, hour_of, hour_start,
};
use crate::clock::Clock;
use crate::history::{History, HistoryError, Reader};
use crate::metrics::{Figured, Metrics};
use crate::model::id::{SystemId, VantageId};
use crate::model::span::Span;
use crate::model::system::{Roster, System};
use crate::model::time::Millis;
use crate::report::judged::{Judged, budget_ms, judge};
use crate::report::{Held, Journal, Reading, ReportError};

use windows::{Known, LONGEST_MS, Recent, figure, figured};

/// Share of a core that the figures may take.
const DUTY_PERCENT: u32 = 3;

/// How often the newest figures are worked out, if the share of a core allows it.
const ROUND: Duration = Duration::from_mins(1);

/// An hour is judged for good once it ended so long ago: what comes later is no longer seen here,
/// only when they are asked for. At least [`MARGIN_STEPS`] and a timeout besides.
const SETTLED_MS: i64 = 2 * HOUR_MS;

/// Steps after an hour that can change what is said of it: ten results confirm each other, and one
/// more on either side bounds them.
const MARGIN_STEPS: i64 = 12;

/// Farthest that is read beside an hour: what is down or blocked for weeks is not read anew every
/// minute. A bad result is taken for a blip only if what would confirm it is farther away.
const BESIDE_MS_MAX: i64 = 24 * HOUR_MS;

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
    /// Since when this process measures.
    pub(super) since: Millis,
    /// What they say of each system, for alerts.
    pub(super) board: FigureBoard,
}

/// All past hours, by system.
type Book = HashMap<SystemId, Ledger>;

/// What one look at a system gives.
struct Looked {
    reader: Reader,
    ledger: Ledger,
    figured: Result<Figured, ReportError>,
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
        let journal = match self.notices.journal() {
            Ok(journal) => journal,
            Err(fault) => {
                warn!(fault, "no live figures");
                return false;
            }
        };
        let roster = Arc::clone(&watched::lock(&self.watch).roster);
        let known: std::collections::HashSet<_> = roster.systems.iter().map(|it| &it.id).collect();
        book.retain(|id, _| known.contains(id));
        super::lock(&self.board).retain(|id, _| known.contains(id));
        let (mut more, mut reader) = (false, None);
        let begun = Instant::now();
        let mut worked = Duration::ZERO;
        for place in 0..roster.systems.len() {
            if stop.is_cancelled() {
                return false;
            }
            let id = roster.systems[place].id.clone();
            let ledger = book.remove(&id).unwrap_or_default();
            let Some(looked) = self.look((&journal, &roster), place, ledger, reader.take()).await
            else {
                continue;
            };
            match looked.figured {
                Ok(figured) => self.metrics.figures(&id, figured),
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
        (journal, roster): (&Arc<Journal>, &Arc<Roster>),
        place: usize,
        ledger: Ledger,
        reader: Option<Reader>,
    ) -> Option<Looked> {
        let (figures, roster) = (Arc::clone(self), Arc::clone(roster));
        let journal = Arc::clone(journal);
        let looked = tokio::task::spawn_blocking(move || {
            let begun = Instant::now();
            let reader = reader.map_or_else(|| figures.history.reader(), Ok)?;
            let mut ledger = ledger;
            let system = roster.systems.get(place);
            let seen = system.map(|it| figures.system(&reader, &journal, it, &mut ledger));
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
        journal: &Journal,
        system: &System,
        ledger: &mut Ledger,
    ) -> Result<(Figured, bool), ReportError> {
        let now = self.clock.now();
        let reading =
            Reading { reader, until: now, beside_ms: Some(BESIDE_MS_MAX), wanted: &|| true };
        let enabled = || system.checks.iter().filter(|it| it.disabled.is_none());
        // The time after the last run of each check is known only when its next one has ended.
        let lag = enabled().map(|it| it.interval_ms + it.timeout.whole_ms()).max().unwrap_or(0);
        let end = Millis((now.0 - lag).div_euclid(60_000) * 60_000);
        let mut held = journal.of(&system.id);
        let settled = end.plus_ms(-SETTLED_MS);
        let timeout = enabled().map(|it| it.timeout.whole_ms()).max().unwrap_or(0);
        let margin = MARGIN_STEPS * longest_interval_ms(&held, settled) + timeout;
        let recent_hour = hour_of(settled.min(now.plus_ms(-margin)));
        let period = Calendar::Nd09.month_at(now, &self.zone);
        let period = period.and_then(|it| period_span(Calendar::Nd09, it, &self.zone));
        let period = period.map_err(ReportError::Calendar)?;
        self.metrics.period(period);
        let oldest = hour_of(end.plus_ms(-LONGEST_MS).min(period.start()));

        held.retain(|it| it.span.end() > hour_start(oldest));
        let contracts = contracts(&held);
        ledger.keep(oldest, &contracts);
        let past = (oldest, recent_hour);
        let judge = |span| judge(reading, journal, &system.id, span);
        catch_up(judge, ledger, &contracts, past)?;

        let span = Span::new(hour_start(recent_hour), end);
        let judged = span.map(judge).transpose()?.flatten();
        let recent = judged.map(|it| Recent {
            judged: it.terms().judged(),
            held: it.held(),
            track: it.track,
            end,
        });
        let recent = recent.unwrap_or_else(|| Recent::nothing(end));
        let budget_ms = budget_ms(reading, journal, &system.id, period)?;
        let known = Known { ledger, recent: &recent, recent_hour, period, budget_ms };
        let figured = figured(&known);
        // What three bad results of the slowest check stand for, blips at that.
        let slowest = enabled().map(|it| it.interval_ms).max().unwrap_or(0);
        let bad_ms_min = BAD_MS_MIN.max(slowest * 3 / 2);
        let window_ms = system.alert.rules.coverage_window_ms;
        let figure = figure(&known, bad_ms_min, window_ms, self.since);
        super::lock(&self.board).insert(system.id.clone(), figure);
        Ok((figured, ledger.missing(oldest, recent_hour, 1).is_some()))
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

/// The longest interval of which a result [`MARGIN_STEPS`] before or after it can still matter
/// at `at`.
fn longest_interval_ms(held: &[Held], at: Millis) -> i64 {
    let checks = held.iter().flat_map(|it| it.promise.checks.iter().map(move |check| (it, check)));
    let enabled = checks.filter(|(_, check)| check.enabled);
    let near = enabled.filter(|(it, check)| {
        it.span.end().plus_ms(check.interval_ms.saturating_mul(MARGIN_STEPS)) > at
    });
    near.map(|it| it.1.interval_ms).max().unwrap_or(0)
}

/// By what each hour is judged, from an hour on until the next; 0 where nothing is promised.
fn contracts(held: &[Held]) -> Vec<(i64, u64)> {
    let edges = held.iter().flat_map(|it| [it.span.start(), it.span.end()]);
    let mut hours: Vec<i64> = edges.map(hour_of).flat_map(|it| [it, it + 1]).collect();
    hours.push(i64::MIN);
    hours.sort_unstable();
    hours.dedup();
    let held: Vec<(Span, u64)> = held.iter().map(|it| (it.span, it.digest())).collect();
    let of = |hour: i64| {
        let span = Span::new(hour_start(hour), hour_start(hour.saturating_add(1)));
        let inside = held.iter().filter(|it| span.is_some_and(|span| it.0.within(span).is_some()));
        inside.fold(0, |all: u64, it| all.rotate_left(1) ^ it.1)
    };
    hours.into_iter().map(|hour| (hour, of(hour))).collect()
}

/// Judges the newest past hours that are missing, at most [`HOURS_AT_ONCE`].
fn catch_up(
    judge: impl Fn(Span) -> Result<Option<Judged>, ReportError>,
    ledger: &mut Ledger,
    contracts: &[(i64, u64)],
    (oldest, recent): (i64, i64),
) -> Result<(), ReportError> {
    let Some((first, end)) = ledger.missing(oldest, recent, HOURS_AT_ONCE) else { return Ok(()) };
    let contract = |hour: i64| {
        let after = contracts.partition_point(|it| it.0 <= hour);
        after.checked_sub(1).map_or(0, |it| contracts[it].1)
    };
    // Before the first contract nothing is judged.
    let promised = contracts.iter().find(|it| it.1 != 0).map_or(end, |it| it.0);
    let before = promised.min(end);
    if before > first {
        let first = if before == end { oldest } else { first };
        ledger.put(Run { first, count: before - first, contract: 0, cell: Cell::default() });
    }
    let first = first.max(before);
    let Some(span) = Span::new(hour_start(first), hour_start(end)) else { return Ok(()) };
    let hours: Vec<Span> =
        (first..end).filter_map(|it| Span::new(hour_start(it), hour_start(it + 1))).collect();
    let cells = judge(span)?.map_or_else(
        || vec![Cell::default(); hours.len()],
        |it| cells(&it.track, &it.terms().judged(), &it.held(), &hours),
    );
    for (hour, cell) in (first..end).zip(cells) {
        ledger.put(Run { first: hour, count: 1, contract: contract(hour), cell });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
