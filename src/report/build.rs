//! From a history to a report, one check after the other.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use super::figures;
use super::gather::{Reading, gather};
use super::journal::Journal;
use super::judged::{self, Frame};
use super::period::{Named, written};
use super::terms::{self, Ruled};
use super::{Report, ReportError, SystemFigures};
use crate::availability::figures::Verdict;
use crate::availability::figures::rollup::Rollup;
use crate::history::{Reader, Sealed};
use crate::model::bytes::hex;
use crate::model::id::{CheckId, OwnerId, SystemId};
use crate::model::span::Span;
use crate::model::time::Millis;

/// Most edits between an id and one that may be meant.
const EDITS_MAX: usize = 3;

/// Systems worked out at a time: each takes the memory of its largest check, and a report must
/// not take a machine away from its daemon.
const WORKERS_MAX: usize = 4;

/// Words of the workers that wait to be heard.
const TOLD_QUEUED_MAX: usize = 64;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The period.
    pub period: Named,
    /// The time: a period that is not over by then is judged until then, and nothing that
    /// started later is read.
    pub now: Millis,
    /// Only systems of this owner.
    pub owner: Option<OwnerId>,
    /// Only this system.
    pub system: Option<SystemId>,
    /// The version of the software, for the report.
    pub software: String,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Checks done.
    pub checks: usize,
    /// Checks there are.
    pub checks_total: usize,
}

/// Name and rules of the zone that periods are reckoned in: that of the newest contract.
///
/// # Errors
///
/// [`ReportError::NoContract`] without one, [`ReportError::Zone`].
pub fn zone_of(journal: &Journal) -> Result<(String, TimeZone), ReportError> {
    let term = journal.terms.last().ok_or(ReportError::NoContract { since: None })?;
    Ok((term.contract.zone.clone(), terms::zone(&term.contract)?))
}

/// Works out the report. Calls `progress` after each check.
///
/// # Errors
///
/// [`ReportError`]: a future period, an unknown name, no contract, a damaged block. There is no
/// report then, never a smaller one.
pub fn build(
    reader: &Reader,
    journal: &Journal,
    request: &Request,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, ReportError> {
    let zone = zone_of(journal)?;
    let period = request.period.span;
    if period.start() >= request.now {
        return Err(ReportError::Future { from: written(period.start(), &zone.1) });
    }
    let frame = Frame { period, until: request.now };
    let ruled = chosen(reader, journal, request)?;
    let mut systems = all(reader, &ruled, frame, progress)?;
    for system in &mut systems {
        journal.alerts.tell(system, request.now);
    }
    let in_force = terms::in_force(journal, period);
    let contracts =
        in_force.into_iter().map(|(span, it)| (span.start(), it.fingerprint.clone(), it.event));
    let blocks = systems.iter().flat_map(|it| &it.checks);
    let blocks =
        blocks.flat_map(|check| check.blocks.iter().map(move |it| (check.id.as_str(), it)));
    Ok(Report {
        until: (request.now < period.end()).then_some(request.now),
        period: request.period.clone(),
        zone,
        software: request.software.clone(),
        head: journal.head,
        contracts: contracts.collect(),
        manifest: manifest(blocks),
        rollup: rollup(&systems),
        systems,
    })
}

/// What a worker tells.
enum Told {
    /// A check is done.
    Check,
    /// The system at this place is done.
    System(usize, Box<Result<SystemFigures, ReportError>>),
}

/// Reads and works out all systems, several at a time; the order and the figures are the same
/// with any number of workers.
fn all(
    reader: &Reader,
    ruled: &[Ruled],
    frame: Frame,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<SystemFigures>, ReportError> {
    let checks_total = ruled.iter().map(|it| it.checks.len()).sum();
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    let workers = workers.min(WORKERS_MAX).min(ruled.len());
    let next = AtomicUsize::new(0);
    let (tell, told) = mpsc::sync_channel(TOLD_QUEUED_MAX);
    thread::scope(|scope| {
        for _ in 0..workers {
            let reader = reader.another()?;
            let (tell, next) = (tell.clone(), &next);
            scope.spawn(move || {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(it) = ruled.get(place) else { break };
                    // A send fails only after an error, when nobody waits for more.
                    let built = one(&reader, it, frame, &mut || drop(tell.send(Told::Check)));
                    if tell.send(Told::System(place, Box::new(built))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(tell);
        let mut done = 0;
        let mut systems: Vec<Option<SystemFigures>> = ruled.iter().map(|_| None).collect();
        for it in told {
            match it {
                Told::Check => {
                    done += 1;
                    progress(Progress { checks: done, checks_total });
                }
                Told::System(place, built) => match *built {
                    Ok(built) => systems[place] = Some(built),
                    Err(error) => {
                        next.store(ruled.len(), Ordering::Relaxed);
                        return Err(error);
                    }
                },
            }
        }
        // A worker that panicked is a bug; the scope passes the panic on.
        Ok(systems.into_iter().flatten().collect())
    })
}

/// Reads and works out one system.
fn one(
    reader: &Reader,
    ruled: &Ruled,
    frame: Frame,
    tell: &mut dyn FnMut(),
) -> Result<SystemFigures, ReportError> {
    let mut checks = Vec::new();
    for check in &ruled.checks {
        let gathered = gather(Reading::whole(reader, frame.until), check, frame.period)?;
        let (service, out) = (&ruled.service, &ruled.windows.excluded);
        checks.push(figures::check(check, gathered, service, out, frame));
        tell();
    }
    Ok(figures::system(ruled, checks, frame))
}

fn no_contract(journal: &Journal) -> ReportError {
    let first = journal.terms.first();
    let since =
        first.and_then(|it| Some(written(it.span.start(), &terms::zone(&it.contract).ok()?)));
    ReportError::NoContract { since }
}

/// The one check asked for, with its system.
pub(super) fn chosen_check(
    reader: &Reader,
    journal: &Journal,
    id: &CheckId,
    period: Span,
    now: Millis,
) -> Result<Ruled, ReportError> {
    let mut first = |check: &_| Ok(reader.first_started(check)?);
    let mut all = Vec::new();
    for system in terms::systems(journal, period) {
        let Some(mut ruled) = terms::ruled(journal, &system, period, now, &mut first)? else {
            continue;
        };
        all.extend(ruled.checks.iter().map(|it| it.id.to_string()));
        ruled.checks.retain(|it| it.id == *id);
        if !ruled.checks.is_empty() {
            return Ok(ruled);
        }
    }
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    if all.is_empty() {
        return Err(no_contract(journal));
    }
    Err(known("check", id.as_str(), &all).err().unwrap_or_else(|| no_contract(journal)))
}

/// The systems asked for, with all that they are judged by.
pub(super) fn chosen(
    reader: &Reader,
    journal: &Journal,
    request: &Request,
) -> Result<Vec<Ruled>, ReportError> {
    let period = request.period.span;
    let ids = terms::systems(journal, period);
    if ids.is_empty() {
        return Err(no_contract(journal));
    }
    let mut all = Vec::new();
    let mut first = |check: &_| Ok(reader.first_started(check)?);
    for id in &ids {
        all.extend(terms::ruled(journal, id, period, request.now, &mut first)?);
    }
    if let Some(owner) = &request.owner {
        let owners: Vec<&str> = all.iter().map(|it| it.owner.as_str()).collect();
        known("owner", owner.as_str(), &owners)?;
        all.retain(|it| it.owner == *owner);
    }
    if let Some(system) = &request.system {
        let systems: Vec<&str> = all.iter().map(|it| it.id.as_str()).collect();
        known("system", system.as_str(), &systems)?;
        all.retain(|it| it.id == *system);
    }
    Ok(all)
}

/// Whether `id` is one of `all`; else names the nearest.
pub(super) fn known(what: &'static str, id: &str, all: &[&str]) -> Result<(), ReportError> {
    if all.contains(&id) {
        return Ok(());
    }
    let near = all.iter().map(|it| (strsim::damerau_levenshtein(it, id), *it));
    let near = near.filter(|it| it.0 <= EDITS_MAX || it.1.contains(id)).min();
    let nearest = near.map(|it| it.1.to_owned());
    Err(ReportError::Unknown { what, id: id.to_owned(), nearest })
}

/// SHA-256 over one line a block, in order of check, lane, vantage, day and number:
/// `check lane vantage day seq count sha256`, each ended by a line feed.
fn manifest<'a>(blocks: impl Iterator<Item = (&'a str, &'a Sealed)>) -> [u8; 32] {
    let mut lines: Vec<_> = blocks.collect();
    lines.sort_by_key(|(check, it)| (*check, it.lane, it.vantage.clone(), it.day, it.seq));
    let mut hasher = Sha256::new();
    for (check, Sealed { lane, vantage, day, seq, count, sha256 }) in lines {
        let lane = lane.as_str();
        let sha256 = hex(sha256);
        hasher.update(format!("{check} {lane} {vantage} {day} {seq} {count} {sha256}\n"));
    }
    hasher.finalize().into()
}

/// Counts, the middle and the worst; percentages are never averaged.
fn rollup(systems: &[SystemFigures]) -> Rollup {
    let mut rollup = Rollup::default();
    let mut shares = Vec::new();
    for system in systems {
        let Some(measured) = &system.measured else { continue };
        let count = match system.promised.map(|it| it.verdict) {
            None => &mut rollup.measured_only,
            Some(Verdict::Met) => &mut rollup.met,
            Some(Verdict::Missed) => &mut rollup.missed,
            Some(Verdict::WithinError) => &mut rollup.within_error,
            Some(Verdict::NotEnoughData) => &mut rollup.not_enough_data,
        };
        *count += 1;
        let enough = system.has_enough_data();
        shares.extend(measured.figures.availability().filter(|_| enough));
    }
    shares.sort_unstable();
    rollup.median = shares.len().checked_sub(1).map(|it| shares[it / 2]);
    rollup.worst = shares.first().copied();
    rollup
}

impl SystemFigures {
    /// Whether enough is known for one number, by the coverage agreed in each piece.
    #[must_use]
    pub fn has_enough_data(&self) -> bool {
        judged::has_enough_data(&self.pieces)
    }
}

/// The figures of one system in one period: the way in for measuring how fast this is.
///
/// # Errors
///
/// As [`build`].
pub fn month_of(
    reader: &Reader,
    journal: &Journal,
    system: &SystemId,
    period: Span,
    now: Millis,
) -> Result<Option<SystemFigures>, ReportError> {
    let mut first = |check: &_| Ok(reader.first_started(check)?);
    let Some(ruled) = terms::ruled(journal, system, period, now, &mut first)? else {
        return Ok(None);
    };
    one(reader, &ruled, Frame { period, until: now }, &mut || ()).map(Some)
}
