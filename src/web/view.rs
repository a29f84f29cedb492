//! What the API shows, in types of its own. `web/openapi.json` describes each.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::Serialize;

use super::source::{self, CheckNow, Snapshot, Standing};
use crate::model::check::{Check, Lane};
use crate::model::phases::Phase;
use crate::model::reason::Reason;
use crate::model::result::{RunKind, RunResult, VoidSpan};
use crate::model::system::{Owner, System as Watched};
use crate::model::time::Millis;

/// `at` in UTC with milliseconds: `2026-11-24T08:00:00.000Z`.
#[must_use]
pub fn time(at: Millis) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
    Timestamp::from_millisecond(at.0)
        .map_or_else(|_| at.0.to_string(), |it| PRINTER.timestamp_to_string(&it))
}

#[derive(Serialize)]
pub(super) struct Status {
    pub(super) status: &'static str,
}

/// Whether the process answers, and whether it measures: what another monitor asks.
#[derive(Serialize)]
pub(super) struct Health {
    pub(super) status: &'static str,
    pub(super) newest_result: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Taken {
    pub(super) taken: String,
}

#[derive(Serialize)]
pub(super) struct Reloaded {
    status: &'static str,
    added: usize,
    removed: usize,
    changed: usize,
    kept: usize,
}

impl Reloaded {
    pub(super) fn new(it: source::Reloaded) -> Self {
        let source::Reloaded { added, removed, changed, kept } = it;
        Self { status: "reloaded", added, removed, changed, kept }
    }
}

#[derive(Serialize)]
pub(super) struct SystemList<'a> {
    at: String,
    vantage: &'a str,
    systems: Vec<System<'a>>,
}

impl<'a> SystemList<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        let systems = snapshot.roster.systems.iter();
        Self {
            at: time(snapshot.at),
            vantage: snapshot.vantage.as_str(),
            systems: systems.map(|system| System::new(snapshot, system)).collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct System<'a> {
    id: &'a str,
    name: &'a str,
    owner: Agency<'a>,
    /// `null`: nothing that is critical is watched.
    state: Option<&'static str>,
    since: Option<String>,
    reason: Option<&'static str>,
    objective: Option<String>,
    /// Whether maintenance of it, or of a part of it, is under way.
    maintenance: bool,
    checks: Vec<Brief<'a>>,
}

#[derive(Serialize)]
struct Agency<'a> {
    id: &'a str,
    name: &'a str,
}

/// Of a check what its system is judged by.
#[derive(Serialize)]
struct Brief<'a> {
    id: &'a str,
    name: &'a str,
    kind: &'static str,
    critical: bool,
    disabled: Option<&'a str>,
    state: Option<&'static str>,
    since: Option<String>,
    reason: Option<&'static str>,
    why: Option<&'a str>,
    last_started: Option<String>,
    last_outcome: Option<&'static str>,
    last_total_us: Option<u32>,
}

impl<'a> System<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, system: &'a Watched) -> Self {
        let standing = snapshot.standing(system);
        Self {
            id: system.id.as_str(),
            name: &system.name,
            owner: Agency {
                id: system.owner.as_str(),
                name: snapshot.owner(system).map_or(system.owner.as_str(), |it| &it.name),
            },
            state: standing.map(|it| it.state.as_str()),
            since: standing.and_then(|it| it.since).map(time),
            reason: standing.and_then(|it| it.reason).map(Reason::as_str),
            objective: system.objective.map(|it| it.to_string()),
            maintenance: snapshot.maintained.contains(&system.id),
            checks: system.checks.iter().map(|check| Brief::new(snapshot, check)).collect(),
        }
    }
}

impl<'a> Brief<'a> {
    fn new(snapshot: &'a Snapshot, check: &'a Check) -> Self {
        let now = snapshot.check(check);
        let standing = standing_of(check, now);
        let last = now.and_then(|it| it.last.as_ref());
        Self {
            id: check.id.as_str(),
            name: &check.name,
            kind: check.spec.kind(),
            critical: check.critical,
            disabled: check.disabled.as_deref(),
            state: standing.map(|it| it.state.as_str()),
            since: standing.and_then(|it| it.since).map(time),
            reason: standing.and_then(|it| it.reason).map(Reason::as_str),
            why: now.and_then(|it| it.why.as_deref()),
            last_started: last.map(|it| time(it.started)),
            last_outcome: last.map(|it| it.outcome().as_str()),
            last_total_us: last.map(|it| it.phases.total().0),
        }
    }
}

#[derive(Serialize)]
pub(super) struct CheckList<'a> {
    at: String,
    vantage: &'a str,
    checks: Vec<CheckView<'a>>,
}

impl<'a> CheckList<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        let checks = snapshot.roster.checks();
        Self {
            at: time(snapshot.at),
            vantage: snapshot.vantage.as_str(),
            checks: checks.map(|check| CheckView::new(snapshot, check)).collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct CheckView<'a> {
    id: &'a str,
    name: &'a str,
    system: &'a str,
    owner: &'a str,
    kind: &'static str,
    host: Option<String>,
    critical: bool,
    disabled: Option<&'a str>,
    lanes: Vec<&'static str>,
    interval_ms: i64,
    timeout_us: u32,
    slow_us: Option<u32>,
    confirm: u8,
    step_us: Option<i64>,
    phase_us: Option<i64>,
    next_due: Option<String>,
    state: Option<&'static str>,
    since: Option<String>,
    reason: Option<&'static str>,
    why: Option<&'a str>,
    last: Option<ResultView<'a>>,
}

impl<'a> CheckView<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, check: &'a Check) -> Self {
        let now = snapshot.check(check);
        let standing = standing_of(check, now);
        Self {
            id: check.id.as_str(),
            name: &check.name,
            system: check.system.as_str(),
            owner: check.owner.as_str(),
            kind: check.spec.kind(),
            host: check.spec.host(),
            critical: check.critical,
            disabled: check.disabled.as_deref(),
            lanes: check.lanes().iter().copied().map(Lane::as_str).collect(),
            interval_ms: check.interval_ms,
            timeout_us: check.timeout.0,
            slow_us: check.slow.map(|it| it.0),
            confirm: check.confirm,
            step_us: now.map(|it| it.step_us),
            phase_us: now.map(|it| it.phase_us),
            next_due: now.and_then(|it| it.next_due).map(time),
            state: standing.map(|it| it.state.as_str()),
            since: standing.and_then(|it| it.since).map(time),
            reason: standing.and_then(|it| it.reason).map(Reason::as_str),
            why: now.and_then(|it| it.why.as_deref()),
            last: now.and_then(|it| it.last.as_ref()).map(ResultView::new),
        }
    }
}

#[derive(Serialize)]
pub(super) struct ResultList<'a> {
    pub(super) check: &'a str,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) results: Vec<ResultView<'a>>,
    pub(super) void_spans: Vec<VoidView<'a>>,
    pub(super) next: Option<String>,
}

#[derive(Serialize)]
pub(super) struct ResultView<'a> {
    lane: &'static str,
    vantage: &'a str,
    kind: &'static str,
    run: u16,
    due: String,
    /// When it was planned to start: of a grid run the due instant.
    scheduled: String,
    started: String,
    ended: String,
    lateness_us: u32,
    outcome: &'static str,
    reason: &'static str,
    phases_us: PhasesView,
    total_us: u32,
    status: Option<u16>,
    bytes: u32,
    reused: bool,
}

#[derive(Serialize)]
struct PhasesView {
    dns: u32,
    connect: u32,
    tls: u32,
    send: u32,
    wait: u32,
    receive: u32,
}

impl<'a> ResultView<'a> {
    pub(super) fn new(result: &'a RunResult) -> Self {
        let us = |phase| result.phases.get(phase).0;
        let late = result.lateness.whole_ms();
        let planned = result.started.plus_ms(-late);
        let scheduled = if result.kind == RunKind::Grid { result.due } else { planned };
        Self {
            lane: result.lane.as_str(),
            vantage: result.vantage.as_str(),
            kind: result.kind.as_str(),
            run: result.run,
            due: time(result.due),
            scheduled: time(scheduled),
            started: time(result.started),
            ended: time(result.ended()),
            lateness_us: result.lateness.0,
            outcome: result.outcome().as_str(),
            reason: result.reason.as_str(),
            phases_us: PhasesView {
                dns: us(Phase::Dns),
                connect: us(Phase::Connect),
                tls: us(Phase::Tls),
                send: us(Phase::Send),
                wait: us(Phase::Wait),
                receive: us(Phase::Receive),
            },
            total_us: result.phases.total().0,
            status: result.status,
            bytes: result.bytes,
            reused: result.reused,
        }
    }
}

/// Slots that could not be run, as one span.
#[derive(Serialize)]
pub(super) struct VoidView<'a> {
    vantage: &'a str,
    from: String,
    to: String,
    reason: &'static str,
}

impl<'a> VoidView<'a> {
    pub(super) fn new(void: &'a VoidSpan) -> Self {
        Self {
            vantage: void.vantage.as_str(),
            from: time(void.from),
            to: time(void.to),
            reason: void.reason.as_str(),
        }
    }
}

/// Where a check stands; `None` if it does not run.
pub(super) fn standing_of(check: &Check, now: Option<&CheckNow>) -> Option<Standing> {
    check.disabled.is_none().then(|| now.map(|it| it.standing).unwrap_or_default())
}

impl Snapshot {
    /// What is known of a check, if anything.
    pub(super) fn check(&self, check: &Check) -> Option<&CheckNow> {
        self.checks.get(&check.id)
    }

    /// Who answers for a system.
    pub(super) fn owner(&self, system: &Watched) -> Option<&Owner> {
        self.roster.owners.iter().find(|owner| owner.id == system.owner)
    }

    /// Where a system stands; `None` if nothing in it that is critical runs.
    pub(super) fn standing(&self, system: &Watched) -> Option<Standing> {
        let judged = system.checks.iter().any(|it| it.critical && it.disabled.is_none());
        judged.then(|| self.systems.get(&system.id).copied().unwrap_or_default())
    }
}
