//! A source in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;

use thongsuot::availability::figures::{Figures, Promised, Times};
use thongsuot::availability::incident::Incident;
use thongsuot::availability::maintenance::journal::{Announcement, Cancelled, Extension, Scope};
use thongsuot::availability::track::{Edge, Outage};
use thongsuot::model::alerting::Language;
use thongsuot::model::check::Lane;
use thongsuot::model::id::{CheckId, OwnerId, SystemId};
use thongsuot::model::reason::Reason;
use thongsuot::model::result::{RunKind, RunResult, VoidSpan};
use thongsuot::model::secret::Secret;
use thongsuot::model::span::Span;
use thongsuot::model::state::State;
use thongsuot::model::system::{Objective, Owner, Roster};
use thongsuot::model::time::Millis;
use thongsuot::web::auth;
use thongsuot::web::source::{
    Announcer, Beat, BeatError, CheckNow, IncidentSeen, JudgeFailure, Maintenance,
    MaintenanceChange, MaintenanceError, NewMaintenance, Reloaded, ResultsError, ResultsPage,
    ResultsQuery, Snapshot, Source, Standing, SystemFigures,
};

use crate::sample::{result_of, roster_of, vantage};

/// 2026-11-24T08:00:00Z.
pub(super) const NOW: Millis = Millis(1_795_507_200_000);

/// The token of every heartbeat check.
pub(super) const TOKEN: &str = "nhip-bao";

/// What the web sees, kept in memory.
pub(super) struct Fake {
    pub(super) snapshot: Arc<Snapshot>,
    /// How often it was asked for.
    pub(super) snapshots: AtomicUsize,
    pub(super) results: Vec<RunResult>,
    /// Void spans of every check.
    pub(super) voids: usize,
    pub(super) ready: AtomicBool,
    pub(super) mistakes: Vec<String>,
    pub(super) beats: Mutex<Vec<(CheckId, Beat)>>,
    /// A reload waits for a permit.
    pub(super) gate: Semaphore,
    /// Reloads that have begun.
    pub(super) begun: Semaphore,
    /// Whether somebody has taken the alert on.
    pub(super) taken: AtomicBool,
    /// How often something was to be done with it.
    pub(super) acts: AtomicUsize,
    /// Whether whoever got the link has it; else somebody else.
    pub(super) by_link: AtomicBool,
    /// Of messages.
    pub(super) language: Language,
}

/// A fake that the test keeps a hand on.
pub(super) struct Shared(pub(super) Arc<Fake>);

impl Fake {
    /// Systems in every state, and 100 results of each check of the first, one every 30 s.
    pub(super) fn new() -> Self {
        Self::of(roster())
    }

    pub(super) fn of(roster: Roster) -> Self {
        let roster = Arc::new(roster);
        let states = [State::Up, State::Down, State::Slow, State::Partial, State::Unknown];
        let standing = |at: usize| {
            let state = states[at % states.len()];
            let reason = match state {
                State::Up | State::Unknown => None,
                State::Slow => Some(Reason::OverSlow),
                State::Partial | State::Down => Some(Reason::TlsExpired),
            };
            Standing { state, since: Some(NOW.plus_ms(-720_000)), reason }
        };
        let systems = roster.systems.iter().enumerate();
        let systems = systems.map(|(at, it)| (it.id.clone(), standing(at))).collect();
        let mut checks = HashMap::new();
        let mut results = Vec::new();
        for (at, check) in roster
            .systems
            .iter()
            .enumerate()
            .flat_map(|(at, system)| system.checks.iter().map(move |check| (at, check)))
        {
            let reasons = [Reason::None, Reason::OverSlow, Reason::HttpStatus, Reason::SelfNet];
            let run = |slot: i64| RunResult {
                due: NOW.plus_ms(-slot * 30_000 - 5),
                started: NOW.plus_ms(-slot * 30_000 - 3),
                status: Some(200),
                lane: if slot % 2 == 0 { Lane::V4 } else { Lane::V6 },
                kind: if slot % 9 == 0 { RunKind::Confirm } else { RunKind::Grid },
                ..result_of(&check.id, reasons[slot as usize % 4], 12_345)
            };
            if at == 0 {
                results.extend((1..=100).rev().map(run));
            }
            let now = CheckNow {
                standing: standing(at),
                last: Some(run(1)),
                why: (at == 1).then(|| "chứng thư <hết hạn> & \"cũ\"".to_owned()),
                step_us: 29_400_000,
                phase_us: 17,
                next_due: Some(NOW.plus_ms(29_000)),
            };
            checks.insert(check.id.clone(), now);
        }
        let maintained = Arc::new([SystemId::new("system-0000").unwrap()].into());
        let snapshot =
            Snapshot { at: NOW, vantage: vantage(), roster, systems, checks, maintained };
        Self {
            snapshot: Arc::new(snapshot),
            snapshots: AtomicUsize::new(0),
            results,
            voids: 1,
            ready: AtomicBool::new(true),
            mistakes: Vec::new(),
            beats: Mutex::default(),
            gate: Semaphore::new(1_000),
            begun: Semaphore::new(0),
            taken: AtomicBool::new(false),
            acts: AtomicUsize::new(0),
            by_link: AtomicBool::new(false),
            language: Language::Vietnamese,
        }
    }
}

/// Six systems with names as they are, one of them not watched at all.
fn roster() -> Roster {
    let names = [
        "Cổng Dịch vụ công quốc gia",
        "Hệ thống định danh và xác thực điện tử (VNeID)",
        "Cơ sở dữ liệu quốc gia về dân cư",
        "Hệ thống thông tin giải quyết thủ tục hành chính <b>Hà Nội</b> & \"vùng phụ cận\"",
        "Dịch vụ công liên thông: khai sinh, thường trú, thẻ BHYT cho trẻ dưới 6 tuổi",
        "Hệ thống thử nghiệm",
    ];
    let mut roster = roster_of(names.len());
    roster
        .owners
        .push(Owner { id: OwnerId::new("bo-cong-an").unwrap(), name: "Bộ Công an".to_owned() });
    let last = names.len() - 1;
    for (at, system) in roster.systems.iter_mut().enumerate() {
        names[at].clone_into(&mut system.name);
        system.objective = Objective::parse("99.9%").filter(|_| at != 2);
        system.checks.truncate(3);
        for (nth, check) in system.checks.iter_mut().enumerate() {
            let check = Arc::make_mut(check);
            check.critical = nth < 2;
            check.disabled = (at == last || nth == 2 && at == 0)
                .then(|| "chờ văn bản đồng ý của <chủ quản>".to_owned());
        }
    }
    roster
}

/// One announcement, 30 hours ahead.
fn announced() -> Announcement {
    Announcement {
        id: "bt-1".to_owned(),
        scope: Scope::System(SystemId::new("system-0000").unwrap()),
        recorded: NOW,
        span: Span::new(NOW.plus_ms(30 * 3_600_000), NOW.plus_ms(34 * 3_600_000)).unwrap(),
        notice: Some("TB 123/TB-C06".to_owned()),
        who: "trực ca".to_owned(),
        why: "nâng cấp".to_owned(),
        extensions: Vec::new(),
        cancelled: None,
    }
}

fn seen(announcement: Announcement) -> Maintenance {
    let notice_ms = 86_400_000;
    Maintenance { announcement, notice_ms, active: false, over: false, overlaps: Vec::new() }
}

impl Announcer for Shared {
    fn now(&self) -> Millis {
        NOW
    }

    fn maintenance(&self) -> Vec<Maintenance> {
        vec![seen(announced())]
    }

    async fn announce(&self, new: NewMaintenance) -> Result<Maintenance, MaintenanceError> {
        let NewMaintenance { scope, span, notice, who, why } = new;
        if scope.parts().1 != "system-0000" {
            let hint = "did you mean `system-0000`?".to_owned();
            return Err(MaintenanceError::Wrong { error: "there is none".to_owned(), hint });
        }
        Ok(seen(Announcement { scope, span, notice, who, why, ..announced() }))
    }

    async fn change_maintenance(
        &self,
        id: String,
        change: MaintenanceChange,
    ) -> Result<Maintenance, MaintenanceError> {
        let mut announcement = announced();
        if id != announcement.id {
            return Err(MaintenanceError::Unknown { id, last: None });
        }
        match change {
            MaintenanceChange::Extend { to, who, why } => {
                announcement.extensions.push(Extension { recorded: NOW, to, who, why });
            }
            MaintenanceChange::Cancel { who, why } => {
                announcement.cancelled = Some(Cancelled { recorded: NOW, who, why });
            }
        }
        Ok(seen(announcement))
    }
}

impl Source for Shared {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.0.snapshots.fetch_add(1, Ordering::SeqCst);
        Arc::clone(&self.0.snapshot)
    }

    fn roster(&self) -> Arc<Roster> {
        Arc::clone(&self.0.snapshot.roster)
    }

    fn newest_result(&self) -> Option<Millis> {
        self.0.results.iter().map(|it| it.started).max()
    }

    fn ready(&self) -> Result<(), String> {
        let ready = self.0.ready.load(Ordering::SeqCst);
        ready.then_some(()).ok_or_else(|| "the history is being opened".to_owned())
    }

    /// The cursor is the number of results before the page.
    async fn results(&self, query: ResultsQuery) -> Result<ResultsPage, ResultsError> {
        let skip = query.cursor.as_deref().map_or(Ok(0), str::parse);
        let skip: usize = skip.map_err(|_| ResultsError::Cursor)?;
        let fits = |it: &&RunResult| {
            it.check == query.check
                && query.span.contains(it.started)
                && query.lane.is_none_or(|lane| lane == it.lane)
                && query.vantage.as_ref().is_none_or(|vantage| *vantage == it.vantage)
        };
        let mut found = self.0.results.iter().filter(fits).skip(skip);
        let results: Vec<_> = found.by_ref().take(query.limit).cloned().collect();
        let next = found.next().map(|_| (skip + results.len()).to_string());
        Ok(ResultsPage { results, next })
    }

    async fn void_spans(
        &self,
        check: CheckId,
        span: Span,
        limit: usize,
    ) -> Result<Vec<VoidSpan>, ResultsError> {
        let (from, to) = (span.start(), span.start().plus_ms(60_000));
        let void = VoidSpan { check, vantage: vantage(), from, to, reason: Reason::Stopped };
        Ok(vec![void; self.0.voids.min(limit)])
    }

    async fn figures(
        &self,
        system: SystemId,
        span: Span,
    ) -> Result<Option<SystemFigures>, JudgeFailure> {
        let times = Times {
            up_ms: span.length_ms() - 60_000,
            down_ms: 60_000,
            down_longest_ms: 61_000,
            ..Times::default()
        };
        let figures =
            Figures { period: span, times, blips: 0, edges_ms2: 1_000_000, worst: [None; 4] };
        let objective = Objective::parse("99.9%");
        let judged = system.as_str() != "system-0005";
        Ok(judged.then(|| SystemFigures {
            system,
            objective,
            promised: Promised::of([(objective, 990_000, &figures)]),
            enough_data: figures.has_enough_data(990_000),
            figures,
            incidents: 1,
        }))
    }

    async fn incidents(
        &self,
        system: Option<SystemId>,
        span: Span,
    ) -> Result<Vec<IncidentSeen>, JudgeFailure> {
        let outage = Outage {
            start: Edge {
                at: span.start(),
                earliest: span.start().plus_ms(-5),
                latest: span.start(),
            },
            end: Edge::fixed(span.start().plus_ms(60_000)),
            confirmed: span.start().plus_ms(10_000),
            fault: Reason::TlsExpired,
            parts: vec![0],
        };
        let system = system.unwrap_or_else(|| SystemId::new("system-0001").unwrap());
        let checks = vec![CheckId::new("system-0001-check-0").unwrap()];
        let of = |open| IncidentSeen {
            system: system.clone(),
            incident: Incident { parts: vec![outage.clone()] },
            checks: checks.clone(),
            open,
            excluded_down_ms: 0,
        };
        Ok(vec![of(false), of(true)])
    }

    async fn reload(&self) -> Result<Reloaded, Vec<String>> {
        self.0.begun.add_permits(1);
        self.0.gate.acquire().await.unwrap().forget();
        if self.0.mistakes.is_empty() {
            Ok(Reloaded { added: 1, removed: 2, changed: 3, kept: 4 })
        } else {
            Err(self.0.mistakes.clone())
        }
    }

    async fn beat(
        &self,
        check: &CheckId,
        token: &str,
        _at: Millis,
        beat: Beat,
    ) -> Result<(), BeatError> {
        let known = self.0.snapshot.checks.contains_key(check);
        if !known || !auth::same(&Secret::new(TOKEN.to_owned()), token) {
            return Err(BeatError::Denied);
        }
        self.0.beats.lock().unwrap().push((check.clone(), beat));
        Ok(())
    }
}
