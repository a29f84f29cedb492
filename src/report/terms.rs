//! What is judged of a system, second by second: the contracts in force and the maintenance
//! announced, put together for one period.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::ReportError;
use super::contract::{Contract, Tested};
use super::journal::{Held, Journal, Term, reach, steps};
use super::windows::{self, Named, Windows, recurring_windows};
use crate::availability::confirm::Confirm;
use crate::availability::judge::{Reach, Rule};
use crate::availability::maintenance::journal::{Announcement, Scope};
use crate::availability::span_set::SpanSet;
use crate::availability::track::quorum::Quorum;
use crate::model::id::{CheckId, OwnerId, SystemId};
use crate::model::span::Span;
use crate::model::step::Step;
use crate::model::system::Objective;
use crate::model::time::Millis;

/// A system with all that its figures are judged by.
#[derive(Clone, Debug)]
pub(super) struct Ruled {
    pub(super) id: SystemId,
    pub(super) name: String,
    pub(super) owner: OwnerId,
    pub(super) owner_name: String,
    /// The period in pieces of equal promises, as far as it is over.
    pub(super) pieces: Vec<Piece>,
    /// Agreed hours in the period.
    pub(super) service: SpanSet,
    /// Maintenance of the system as a whole.
    pub(super) windows: Windows,
    /// Its checks, those in force at the end first.
    pub(super) checks: Vec<RuledCheck>,
}

/// A piece of the period in which nothing of the promise changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// When.
    pub span: Span,
    /// What it was held to.
    pub objective: Option<Objective>,
    /// Least coverage for one number, in parts per million.
    pub coverage_ppm: i64,
    /// Notice that maintenance had to be given.
    pub notice_ms: i64,
    /// Whether no hours were agreed.
    pub around_the_clock: bool,
}

/// A check with all that it is judged by.
#[derive(Clone, Debug)]
pub(super) struct RuledCheck {
    pub(super) id: CheckId,
    pub(super) name: String,
    pub(super) critical: bool,
    pub(super) interval_ms: i64,
    /// Its schedule: from when, the interval as written, and what follows from it.
    pub(super) steps: Vec<(Millis, i64, Step)>,
    /// How it was judged when; a change of its interval is in the reach.
    pub(super) rules: Vec<InForce>,
    /// Maintenance of the check, or of its platform.
    pub(super) windows: Windows,
}

/// One way of judging a check, and when it was in force.
#[derive(Clone, Debug)]
pub(super) struct InForce {
    pub(super) rule: Rule,
    pub(super) critical: bool,
    pub(super) watched: SpanSet,
}

/// The systems that had a promise within `period`, those of the newest contract first.
pub(super) fn systems(journal: &Journal, period: Span) -> Vec<SystemId> {
    let mut ids: Vec<SystemId> = Vec::new();
    for term in journal.terms.iter().rev().filter(|it| it.span.within(period).is_some()) {
        for promise in &term.contract.systems {
            if !ids.contains(&promise.id) {
                ids.push(promise.id.clone());
            }
        }
    }
    ids
}

/// Puts together what `id` is judged by in `period`, of which the time before `until` is over.
/// `first` gives the first result of a check, for contracts that are assumed.
pub(super) fn ruled(
    journal: &Journal,
    id: &SystemId,
    period: Span,
    until: Millis,
    first: &mut dyn FnMut(&CheckId) -> Result<Option<Millis>, ReportError>,
) -> Result<Option<Ruled>, ReportError> {
    let held = journal.of(id);
    let Some(newest) = held.iter().rev().find(|it| it.span.within(period).is_some()) else {
        return Ok(None);
    };
    let notices: Vec<(Span, i64)> = held.iter().map(|it| (it.span, it.notice_ms())).collect();
    let near = |it: &&Announcement| it.span.start() < period.end() && it.end() > period.start();
    let near: Vec<&Announcement> = journal.maintenance.all().iter().filter(near).collect();
    let announced = |scope: &dyn Fn(&Scope) -> bool| -> Vec<Named> {
        let matching = near.iter().filter(|it| scope(&it.scope));
        matching.flat_map(|it| windows::announced(it)).collect()
    };
    let mut windows = recurring_windows(&held, period)?;
    windows.extend(announced(&|it| *it == Scope::System(id.clone())));
    let mut checks = Vec::new();
    for check in check_ids(&held, period) {
        let Some(mut ruled) = ruled_check(&check, &held, first)? else { continue };
        let platforms: Vec<&String> =
            held.iter().filter_map(|it| it.promise.check(&check)?.platform.as_ref()).collect();
        let own = announced(&|scope| match scope {
            Scope::Check(id) => *id == check,
            Scope::Platform(name) => platforms.contains(&name),
            Scope::System(_) => false,
        });
        ruled.windows = Windows::new(own, &notices, period);
        checks.push(ruled);
    }
    let (pieces, service) = pieces(&held, period, until)?;
    let Held { contract, promise, .. } = newest;
    Ok(Some(Ruled {
        id: id.clone(),
        name: promise.name.clone(),
        owner: promise.owner.clone(),
        owner_name: contract.owner_name(&promise.owner).to_owned(),
        pieces,
        service,
        windows: Windows::new(windows, &notices, period),
        checks,
    }))
}

/// The zone of a contract.
pub(super) fn zone(contract: &Contract) -> Result<TimeZone, ReportError> {
    TimeZone::get(&contract.zone).map_err(|_| ReportError::Zone(contract.zone.clone()))
}

/// The checks that were promised to be run within the period, newest contract first.
fn check_ids(held: &[Held], period: Span) -> Vec<CheckId> {
    let mut ids: Vec<CheckId> = Vec::new();
    for it in held.iter().rev().filter(|it| it.span.within(period).is_some()) {
        for check in it.promise.checks.iter().filter(|it| it.enabled) {
            if !ids.contains(&check.id) {
                ids.push(check.id.clone());
            }
        }
    }
    ids
}

/// A check of a system through all contracts.
fn ruled_check(
    id: &CheckId,
    held: &[Held],
    first: &mut dyn FnMut(&CheckId) -> Result<Option<Millis>, ReportError>,
) -> Result<Option<RuledCheck>, ReportError> {
    let steps = steps(held, id);
    let reach = reach(&steps);
    let mut newest: Option<&Tested> = None;
    let mut found: Vec<(InForce, Vec<Span>)> = Vec::new();
    let mut ran_until = None;
    for it in held {
        let Some(tested) = it.check(id) else { continue };
        let start = it.span.start();
        let from = if ran_until == Some(start) {
            Some(start)
        } else if it.assumed {
            first(id)?
        } else {
            Some(first_slot(Step::of(id, tested.interval_ms), start))
        };
        (ran_until, newest) = (Some(it.span.end()), Some(tested));
        let Some(watched) = from.and_then(|from| Span::new(from, it.span.end())) else { continue };
        let rule = rule(tested, &it.contract, &reach);
        if let Some((_, spans)) =
            found.iter_mut().find(|it| it.0.rule == rule && it.0.critical == tested.critical)
        {
            spans.push(watched);
        } else {
            let critical = tested.critical;
            found.push((InForce { rule, critical, watched: SpanSet::EMPTY }, vec![watched]));
        }
    }
    let Some(newest) = newest else { return Ok(None) };
    let rules = found.into_iter().map(|(mut it, spans)| {
        it.watched = spans.into_iter().collect();
        it
    });
    Ok(Some(RuledCheck {
        id: id.clone(),
        name: newest.name.clone(),
        critical: newest.critical,
        interval_ms: newest.interval_ms,
        steps,
        rules: rules.collect(),
        windows: Windows::default(),
    }))
}

/// How a check is judged under one contract. The reach is of all contracts together.
fn rule(tested: &Tested, contract: &Contract, reach: &Reach) -> Rule {
    Rule {
        confirm: Confirm::new(tested.confirm),
        reach: reach.clone(),
        lanes: tested.lanes.clone(),
        vantages: contract.vantages.iter().map(|it| (it.clone(), 1)).collect(),
        quorum: Quorum::of(contract.vantages.len()),
    }
}

/// The first slot of the first vantage that is due at `from` or later.
fn first_slot(step: Step, from: Millis) -> Millis {
    let past_us = i128::from(from.0) * 1_000 - i128::from(step.phase_us);
    let step_us = i128::from(step.step_us.max(1));
    let slot = past_us.div_euclid(step_us) + i128::from(past_us.rem_euclid(step_us) > 0);
    let due_us = slot * step_us + i128::from(step.phase_us);
    Millis(i64::try_from(due_us.div_euclid(1_000)).unwrap_or(from.0)).max(from)
}

/// The period in pieces of equal promises, and the agreed hours in it.
fn pieces(
    held: &[Held],
    period: Span,
    until: Millis,
) -> Result<(Vec<Piece>, SpanSet), ReportError> {
    let mut pieces: Vec<(Piece, &Held)> = Vec::new();
    let mut hours = Vec::new();
    let over = Span::new(period.start(), period.end().min(until));
    for it in held {
        let Some(span) = over.and_then(|over| it.span.within(over)) else { continue };
        let (contract, promise) = (&it.contract, &it.promise);
        let service = contract.service(promise);
        match service.within(span, &zone(contract)?).map_err(ReportError::Calendar)? {
            None => hours.push(span),
            Some(set) => hours.extend(set.spans()),
        }
        let piece = Piece {
            span,
            objective: promise.objective,
            coverage_ppm: promise.coverage_ppm.unwrap_or(contract.coverage_ppm),
            notice_ms: it.notice_ms(),
            around_the_clock: promise.hours.is_none(),
        };
        match pieces.last_mut() {
            Some((last, before))
                if last.span.end() == span.start()
                    && Piece { span, ..last.clone() } == piece
                    && before.promise.hours == promise.hours
                    && before.promise.maintenance == promise.maintenance
                    && before.promise.monthly == promise.monthly
                    && before.contract.holidays == contract.holidays
                    && before.contract.zone == contract.zone =>
            {
                last.span = Span::new(last.span.start(), span.end()).unwrap_or(last.span);
            }
            _ => pieces.push((piece, it)),
        }
    }
    Ok((pieces.into_iter().map(|it| it.0).collect(), hours.into_iter().collect()))
}

/// The contracts that were in force in a period by their fingerprints, in order.
pub(super) fn in_force(journal: &Journal, period: Span) -> Vec<(Span, &Term)> {
    let inside = journal.terms.iter().filter_map(|it| Some((it.span.within(period)?, it)));
    inside.collect()
}

/// Counts of anything by name.
pub(super) type Counts<K> = BTreeMap<K, i64>;
