//! What is judged of a system, second by second: the contracts in force and the maintenance
//! announced, put together for one period.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::ReportError;
use super::contract::{Contract, Promise, Tested};
use super::journal::{Journal, Term};
use super::windows::{self, Named, Windows, recurring_windows};
use crate::availability::confirm::Confirm;
use crate::availability::judge::{Reach, Rule};
use crate::availability::maintenance::journal::Scope;
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
    let terms: Vec<(&Term, &Promise)> =
        journal.terms.iter().filter_map(|it| Some((it, it.contract.system(id)?))).collect();
    let newest = terms.iter().rev().find(|it| it.0.span.within(period).is_some());
    let Some((term, promise)) = newest.copied() else { return Ok(None) };
    let notices: Vec<(Span, i64)> =
        terms.iter().map(|it| (it.0.span, notice_ms(it.0, it.1))).collect();
    let announced = |scope: &dyn Fn(&Scope) -> bool| -> Vec<Named> {
        let matching = journal.maintenance.all().iter().filter(|it| scope(&it.scope));
        matching.flat_map(windows::announced).collect()
    };
    let mut windows = recurring_windows(&terms, period)?;
    windows.extend(announced(&|it| *it == Scope::System(id.clone())));
    let mut checks = Vec::new();
    for check in check_ids(&terms, period) {
        let Some(mut ruled) = ruled_check(&check, &journal.terms, id, first)? else { continue };
        let platforms: Vec<&String> =
            terms.iter().filter_map(|it| it.1.check(&check)?.platform.as_ref()).collect();
        let own = announced(&|scope| match scope {
            Scope::Check(id) => *id == check,
            Scope::Platform(name) => platforms.contains(&name),
            Scope::System(_) => false,
        });
        ruled.windows = Windows::new(own, &notices, period);
        checks.push(ruled);
    }
    let (pieces, service) = pieces(&terms, period, until)?;
    Ok(Some(Ruled {
        id: id.clone(),
        name: promise.name.clone(),
        owner: promise.owner.clone(),
        owner_name: term.contract.owner_name(&promise.owner).to_owned(),
        pieces,
        service,
        windows: Windows::new(windows, &notices, period),
        checks,
    }))
}

/// The notice that maintenance of a system must be given.
fn notice_ms(term: &Term, promise: &Promise) -> i64 {
    promise.notice_ms.unwrap_or(term.contract.notice_ms)
}

/// The zone of a contract.
pub(super) fn zone(contract: &Contract) -> Result<TimeZone, ReportError> {
    TimeZone::get(&contract.zone).map_err(|_| ReportError::Zone(contract.zone.clone()))
}

/// The checks that were promised to be run within the period, newest contract first.
fn check_ids(terms: &[(&Term, &Promise)], period: Span) -> Vec<CheckId> {
    let mut ids: Vec<CheckId> = Vec::new();
    for (_, promise) in terms.iter().rev().filter(|it| it.0.span.within(period).is_some()) {
        for check in promise.checks.iter().filter(|it| it.enabled) {
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
    terms: &[Term],
    system: &SystemId,
    first: &mut dyn FnMut(&CheckId) -> Result<Option<Millis>, ReportError>,
) -> Result<Option<RuledCheck>, ReportError> {
    let mut steps: Vec<(Millis, i64, Step)> = Vec::new();
    let mut newest: Option<&Tested> = None;
    let mut found: Vec<(InForce, Vec<Span>)> = Vec::new();
    let mut ran_before = false;
    for term in terms {
        let tested = term.contract.system(system).and_then(|it| it.check(id));
        let Some(tested) = tested.filter(|it| it.enabled) else {
            ran_before = false;
            continue;
        };
        let step = Step::of(id, tested.interval_ms);
        if steps.last().is_none_or(|it| it.2 != step) {
            steps.push((term.span.start(), tested.interval_ms, step));
        }
        let from = match (ran_before, term.event) {
            (true, _) => Some(term.span.start()),
            (false, Some(_)) => Some(first_slot(step, term.span.start())),
            (false, None) => first(id)?,
        };
        (ran_before, newest) = (true, Some(tested));
        let Some(watched) = from.and_then(|it| Span::new(it, term.span.end())) else { continue };
        let rule = rule(tested, &term.contract);
        if let Some((_, spans)) =
            found.iter_mut().find(|it| it.0.rule == rule && it.0.critical == tested.critical)
        {
            spans.push(watched);
        } else {
            let critical = tested.critical;
            found.push((InForce { rule, critical, watched: SpanSet::EMPTY }, vec![watched]));
        }
    }
    let Some((newest, first)) = newest.zip(steps.first()) else { return Ok(None) };
    let constant = Reach::constant(first.2.reach_ms());
    let reach =
        steps.iter().skip(1).fold(constant, |it, (at, _, step)| it.then(*at, step.reach_ms()));
    let rules = found.into_iter().map(|(mut it, spans)| {
        it.rule.reach = reach.clone();
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
fn rule(tested: &Tested, contract: &Contract) -> Rule {
    Rule {
        confirm: Confirm::new(tested.confirm),
        reach: Reach::constant(0),
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
    terms: &[(&Term, &Promise)],
    period: Span,
    until: Millis,
) -> Result<(Vec<Piece>, SpanSet), ReportError> {
    let mut pieces: Vec<(Piece, &Term, &Promise)> = Vec::new();
    let mut hours = Vec::new();
    let over = Span::new(period.start(), period.end().min(until));
    for (term, promise) in terms {
        let Some(span) = over.and_then(|it| term.span.within(it)) else { continue };
        let service = term.contract.service(promise);
        match service.within(span, &zone(&term.contract)?).map_err(ReportError::Calendar)? {
            None => hours.push(span),
            Some(set) => hours.extend(set.spans()),
        }
        let piece = Piece {
            span,
            objective: promise.objective,
            coverage_ppm: promise.coverage_ppm.unwrap_or(term.contract.coverage_ppm),
            notice_ms: notice_ms(term, promise),
            around_the_clock: promise.hours.is_none(),
        };
        match pieces.last_mut() {
            Some((last, before, promised))
                if last.span.end() == span.start()
                    && Piece { span, ..last.clone() } == piece
                    && promised.hours == promise.hours
                    && promised.maintenance == promise.maintenance
                    && promised.monthly == promise.monthly
                    && before.contract.holidays == term.contract.holidays
                    && before.contract.zone == term.contract.zone =>
            {
                last.span = Span::new(last.span.start(), span.end()).unwrap_or(last.span);
            }
            _ => pieces.push((piece, term, promise)),
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
