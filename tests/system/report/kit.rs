//! A history with a script: what was promised, what happened, what was announced.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use thongsuot::availability::calendar::Calendar;
use thongsuot::history::{Event, History, Reader, Record, Settings};
use thongsuot::model::check::Lane;
use thongsuot::model::id::{CheckId, VantageId};
use thongsuot::model::phases::Phases;
use thongsuot::model::reason::Reason;
use thongsuot::model::result::{RunKind, RunResult, VoidSpan};
use thongsuot::model::step::Step;
use thongsuot::model::time::{Micros, Millis};
use thongsuot::report::period::Named;
use thongsuot::report::{Journal, Report, ReportError, Request, SystemFigures, build, zone_of};

pub(super) const MINUTE: i64 = 60_000;
pub(super) const HOUR: i64 = 3_600_000;
pub(super) const DAY: i64 = 24 * HOUR;

/// 2024-09-15T00:00+07:00, where October 2024 of the decree begins.
pub(super) const OCTOBER: i64 = 1_726_333_200_000;

/// And where it ends, 30 days later.
pub(super) const NOVEMBER: i64 = OCTOBER + 30 * DAY;

/// Long after.
pub(super) const NOW: i64 = NOVEMBER + 40 * DAY;

/// Everything that goes into a history.
pub(super) struct Story {
    pub(super) folder: TempDir,
    records: Vec<Record>,
    pub(super) results: Vec<RunResult>,
}

impl Story {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, records: Vec::new(), results: Vec::new() }
    }

    /// An event of the journal.
    pub(super) fn event(&mut self, at: i64, kind: &str, body: Value) {
        let event = Event { at: Millis(at), kind: kind.to_owned(), body };
        self.records.push(Record::Event(event));
    }

    /// A contract comes into force.
    pub(super) fn promise(&mut self, at: i64, contract: impl Into<Value>) {
        let body = json!({ "config": format!("fingerprint-{at}"), "contract": contract.into() });
        self.event(at, "config.loaded", body);
    }

    /// Maintenance of the system `vneid` is announced.
    pub(super) fn announce(&mut self, at: i64, id: &str, from: i64, to: i64) {
        let body = json!({
            "id": id, "scope": { "system": "vneid" }, "from_ms": from, "to_ms": to,
            "notice": "TB 12", "who": "Trần Thị B", "why": "thay thiết bị",
        });
        self.event(at, "maintenance.added", body);
    }

    /// A run every step from `from` to `to`, with what `what` says of its start; a run takes
    /// 120 ms, one that hangs 10 s. After a bad one it is run again twice, 5 s after each end.
    pub(super) fn watch(
        &mut self,
        check: &str,
        interval_ms: i64,
        vantage: &str,
        (from, to): (i64, i64),
        what: impl Fn(i64) -> Option<Reason>,
    ) {
        let id = CheckId::new(check).unwrap();
        for due in slots(&id, interval_ms, from, to) {
            let mut started = due + 2;
            for run in 0..3_u16 {
                let Some(reason) = what(started) else { break };
                let kind = if run == 0 { RunKind::Grid } else { RunKind::Confirm };
                let result =
                    result(&id, vantage, due, started, kind, run.saturating_sub(1), reason);
                let ended = result.ended().0;
                let bad = result.testimony() == Some(thongsuot::model::outcome::Testimony::Bad);
                self.results.push(result);
                if !bad {
                    break;
                }
                started = ended + 5_000;
            }
        }
    }

    /// Nothing ran.
    pub(super) fn void(&mut self, check: &str, vantage: &str, (from, to): (i64, i64)) {
        self.records.push(Record::Void(VoidSpan {
            check: CheckId::new(check).unwrap(),
            vantage: VantageId::new(vantage).unwrap(),
            from: Millis(from),
            to: Millis(to),
            reason: Reason::Stopped,
        }));
    }

    /// Writes it all down and seals the days that are over by [`NOW`].
    pub(super) async fn tell(&mut self) {
        let settings = Settings { keep_days: None, ..settings(self.folder.path()) };
        let history = History::open(settings, None).unwrap();
        let mut records = std::mem::take(&mut self.records);
        records.extend(self.results.iter().cloned().map(Record::Result));
        history.append(records).await.unwrap();
        history.maintain(Millis(NOW)).await.unwrap();
        history.close().await.unwrap();
    }

    pub(super) fn reader(&self) -> Reader {
        Reader::open(self.folder.path()).unwrap()
    }

    /// The report of a month of the decree, or of two instants with `..` between.
    pub(super) fn report(&self, period: &str) -> Result<Report, ReportError> {
        let reader = self.reader();
        let journal = Journal::read(&reader)?;
        let (_, zone) = zone_of(&journal)?;
        let period = match period.split_once("..") {
            Some((from, to)) => Named::between(from, to, &zone)?,
            None => Named::parse(period, Calendar::Nd09, &zone)?,
        };
        let request = Request {
            period,
            now: Millis(NOW),
            owner: None,
            system: None,
            software: "test".to_owned(),
        };
        build(&reader, &journal, &request, &mut |_| ())
    }

    /// The one system of October.
    pub(super) fn october(&self) -> SystemFigures {
        self.report("2024-10").unwrap().systems.remove(0)
    }
}

fn settings(folder: &Path) -> Settings {
    Settings { folder: Some(folder.to_owned()), reserve_bytes: 0, ..Settings::default() }
}

/// The slots of a check that are due from `from` until before `to`, in milliseconds.
pub(super) fn slots(check: &CheckId, interval_ms: i64, from: i64, to: i64) -> Vec<i64> {
    let step = Step::of(check, interval_ms);
    let first = (from * 1_000 - step.phase_us).div_euclid(step.step_us);
    (first..)
        .map(|slot| (slot * step.step_us + step.phase_us) / 1_000)
        .skip_while(|due| *due < from)
        .take_while(|due| *due < to)
        .collect()
}

fn result(
    check: &CheckId,
    vantage: &str,
    due: i64,
    started: i64,
    kind: RunKind,
    run: u16,
    reason: Reason,
) -> RunResult {
    let wait = if reason == Reason::TimeoutWait { 9_900_000 } else { 20_000 };
    RunResult {
        check: check.clone(),
        lane: Lane::Any,
        vantage: VantageId::new(vantage).unwrap(),
        due: Millis(due),
        started: Millis(started),
        lateness: Micros(2_000),
        kind,
        run,
        reason,
        phases: Phases::from_array([10_000, 20_000, 60_000, 1_000, wait, 9_000].map(Micros)),
        status: (reason == Reason::None).then_some(200),
        bytes: 5_000,
        reused: false,
    }
}

/// A contract of one system with these checks: id, interval, critical.
pub(super) fn contract(objective_ppm: i64, checks: &[(&str, i64, bool)]) -> Value {
    let check = |(id, interval_ms, critical): &(&str, i64, bool)| {
        json!({
            "confirm": 3, "critical": critical, "enabled": true, "id": id,
            "interval_ms": interval_ms, "lanes": ["any"], "name": format!("Phép đo {id}"),
        })
    };
    json!({
        "coverage_ppm": 990_000, "holidays": [], "notice_ms": DAY,
        "owners": [{ "id": "bca", "name": "Bộ Công an" }],
        "systems": [{
            "checks": checks.iter().map(check).collect::<Vec<_>>(),
            "hours": "always", "id": "vneid", "maintenance": [],
            "name": "Định danh và xác thực điện tử", "objective_ppm": objective_ppm, "owner": "bca",
        }],
        "vantages": ["hn-1"], "version": 1, "zone": "Asia/Ho_Chi_Minh",
    })
}

/// Whether an instant lies in one of these spans.
pub(super) fn within(at: i64, spans: &[(i64, i64)]) -> bool {
    spans.iter().any(|(from, to)| (*from..*to).contains(&at))
}

/// Where the figures put the edge of an outage that begins or ends at `at`: half-way between
/// the last start before it and the first at or after it, over all runs of a check.
pub(super) fn edge(results: &[RunResult], check: &str, at: i64) -> i64 {
    let mut starts: Vec<i64> =
        results.iter().filter(|it| it.check.as_str() == check).map(|it| it.started.0).collect();
    starts.sort_unstable();
    let after = starts.partition_point(|it| *it < at);
    i64::midpoint(starts[after - 1], starts[after])
}
