//! What a month's report takes: time, processor, memory; and what a result costs the live state.
//!
//! A history is made day by day through the history's own way in and sealed; making it takes most
//! of the time, so it is bounded ([`MAKE_WITHIN`]): with fewer days the figures say so.

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use thongsuot::availability::live::LiveCheck;
use thongsuot::config::parse_str;
use thongsuot::history::{Event, History, Reader, Record, Settings};
use thongsuot::model::check::{Check, Lane};
use thongsuot::model::id::VantageId;
use thongsuot::model::phases::Phases;
use thongsuot::model::reason::Reason;
use thongsuot::model::result::{RunKind, RunResult};
use thongsuot::model::span::Span;
use thongsuot::model::step::Step;
use thongsuot::model::system::Roster;
use thongsuot::model::time::{Micros, Millis};
use thongsuot::report::contract::Contract;
use thongsuot::report::period::Named;
use thongsuot::report::{Journal, Request, build, month_of};
use tokio::time::Instant;

use crate::ground::Ground;
use crate::process::cpu_us_in;
use crate::{Broken, Plan};

const DAY_MS: i64 = 86_400_000;
const DAYS_MAX: i64 = 30;
const FIRST_DAY: i64 = 20_000;

/// Checks, and with `--full`; each is run from every vantage.
const CHECKS: (usize, usize) = (100, 1_000);
const CHECKS_A_SYSTEM: usize = 2;
const VANTAGES: [&str; 3] = ["hn-1", "dn-1", "hcm-1"];

/// Checks of the smaller report, for whether cost grows with their number alone.
const CHECKS_FEW: usize = 10;

/// No further day is begun after so long, but with `--full`.
const MAKE_WITHIN: Duration = Duration::from_mins(3);

/// One in so many slots begins a time in which everything fails, so many slots long.
const DOWN_ONCE_IN: u32 = 20_000;
const DOWN_SLOTS: i64 = 40;

/// Results that the live state is told of.
const LIVE_RESULTS: usize = 500_000;

/// One report.
#[derive(Debug)]
pub(crate) struct Cost {
    /// Results read.
    pub(crate) results: i64,
    /// Wall time in seconds.
    pub(crate) wall_s: f64,
    /// Processor time, user and system, in seconds.
    pub(crate) cpu_s: f64,
    /// Most resident memory meanwhile, in MB (10^6 bytes).
    pub(crate) memory_mb: f64,
}

impl Cost {
    /// Processor time a result, in microseconds.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.cpu_s * 1e6 / self.results as f64
    }
}

/// What was measured.
#[derive(Debug)]
pub(crate) struct Reported {
    /// Checks in the history.
    pub(crate) checks: usize,
    /// Days in it.
    pub(crate) days: i64,
    /// Wall time to make and seal a result, in microseconds.
    pub(crate) made_us: f64,
    /// The report of everything.
    pub(crate) all: Cost,
    /// Of [`CHECKS_FEW`] checks.
    pub(crate) few: Cost,
    /// Of one system.
    pub(crate) one: Cost,
    /// To tell the live state of one result, in microseconds of wall time.
    pub(crate) live_us: f64,
}

/// Makes a history and reports on it.
pub(crate) async fn measure(ground: &Ground, plan: &Plan) -> Result<Reported, Broken> {
    let checks = if plan.full { CHECKS.1 } else { CHECKS.0 };
    let within = if plan.full { Duration::MAX } else { MAKE_WITHIN };
    let folder = ground.folder("report")?;
    let whole = promised(checks)?;
    let begun = Instant::now();
    let (days, made) = make(&folder, &whole, within).await?;
    let made_us = begun.elapsed().as_secs_f64() * 1e6 / made as f64;
    let span = Span::new(Millis(FIRST_DAY * DAY_MS), Millis((FIRST_DAY + days) * DAY_MS));
    let span = span.ok_or("no day was made")?;
    let few = promised(CHECKS_FEW)?;
    let reader = Reader::open(&folder)?;
    // The small ones first: memory that a large one leaves behind would count for them.
    let one = cost(|| {
        let journal = Journal::read(&reader)?;
        let id = &whole.systems[0].id;
        let found = month_of(&reader, &journal, id, span, Millis(i64::MAX))?;
        let found = found.ok_or("the system is not there")?;
        Ok(found.checks.iter().map(|it| it.results).sum())
    })?;
    let report = |journal: &Journal| {
        let text = |at: Millis| jiff::Timestamp::from_millisecond(at.0).map(|it| it.to_string());
        let period = Named::between(&text(span.start())?, &text(span.end())?, &TimeZone::UTC)?;
        let (now, software) = (Millis(span.end().0 + DAY_MS), "bench".to_owned());
        let request = Request { period, now, owner: None, system: None, software };
        let report = build(&reader, journal, &request, &mut |_| ())?;
        let checks = report.systems.iter().flat_map(|it| &it.checks);
        Ok(checks.map(|it| it.results).sum())
    };
    let few = cost(|| report(&Journal::default().assuming(contract(&few)?, String::new())))?;
    let all = cost(|| report(&Journal::read(&reader)?))?;
    if all.results < made {
        return Err(format!("{} of {made} results were read", all.results).into());
    }
    let live_us = live(&whole.systems[0].checks[0])?;
    Ok(Reported { checks, days, made_us, all, few, one, live_us })
}

/// So many checks.
fn promised(checks: usize) -> Result<Roster, Broken> {
    let mut text =
        String::from("[monitor]\nvantage = \"hn-1\"\n[[owner]]\nid = \"bo\"\nname = \"Bộ\"\n");
    for at in 0..checks {
        if at % CHECKS_A_SYSTEM == 0 {
            write!(
                text,
                "[[system]]\nid = \"system-{at:04}\"\nowner = \"bo\"\nname = \"Cổng {at}\"\n\
                 objective = \"99.9%\"\n"
            )?;
        }
        write!(
            text,
            "[[system.check]]\nid = \"check-{at:04}\"\nkind = \"http\"\n\
             url = \"http://h{at}.example/\"\ninterval = \"30s\"\n"
        )?;
    }
    Ok(parse_str("bench.toml", &text).map_err(|it| it.to_string())?.roster)
}

fn vantages() -> Result<Vec<VantageId>, Broken> {
    Ok(VANTAGES.iter().map(|it| VantageId::new(it)).collect::<Result<_, _>>()?)
}

fn contract(roster: &Roster) -> Result<Contract, Broken> {
    Ok(Contract::of(roster, "Asia/Ho_Chi_Minh", &vantages()?))
}

/// Makes and seals whole days for at most `within`; how many days and results.
async fn make(folder: &Path, roster: &Roster, within: Duration) -> Result<(i64, i64), Broken> {
    let settings = Settings {
        folder: Some(folder.to_owned()),
        reserve_bytes: 0,
        keep_days: None,
        ..Settings::default()
    };
    let history = History::open(settings, None)?;
    let promise = serde_json::json!({ "config": "bench", "contract": contract(roster)?.to_json() });
    let at = Millis((FIRST_DAY - 1) * DAY_MS);
    let event = Event { at, kind: "config.loaded".to_owned(), body: promise };
    history.append(vec![Record::Event(event)]).await?;
    let (begun, vantages) = (Instant::now(), vantages()?);
    let mut noise = Noise::new();
    let (mut days, mut made) = (0, 0);
    while days < DAYS_MAX && (days == 0 || begun.elapsed() < within) {
        let day = FIRST_DAY + days;
        for check in roster.systems.iter().flat_map(|it| &it.checks) {
            for (rank, vantage) in vantages.iter().enumerate() {
                let results = noise.day(check, vantage, rank, day);
                made += results.len() as i64;
                history.append(results.into_iter().map(Record::Result).collect()).await?;
            }
        }
        history.flush().await?;
        history.maintain(Millis((day + 2) * DAY_MS)).await?;
        days += 1;
    }
    let counts = history.reader()?.counts()?;
    history.close().await?;
    if counts.raw > 0 {
        return Err(format!("not everything was sealed: {counts:?}").into());
    }
    Ok((days, made))
}

/// What `work` takes, which says how many results it read.
fn cost(work: impl FnOnce() -> Result<i64, Broken>) -> Result<Cost, Broken> {
    // Forgets the most memory so far.
    std::fs::write("/proc/self/clear_refs", "5")?;
    let (begun, used) = (Instant::now(), own_cpu_us()?);
    let results = work()?;
    let (wall_s, cpu_s) = (begun.elapsed().as_secs_f64(), (own_cpu_us()? - used) / 1e6);
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|it| it.split_whitespace().next()?.parse::<f64>().ok());
    let memory_mb = peak.ok_or("no VmHWM in /proc/self/status")? * 1_024.0 / 1e6;
    Ok(Cost { results, wall_s, cpu_s, memory_mb })
}

fn own_cpu_us() -> Result<f64, Broken> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    cpu_us_in(&stat).ok_or_else(|| "/proc/self/stat can't be read".into())
}

/// Tells a live check of results of one vantage.
fn live(check: &Arc<Check>) -> Result<f64, Broken> {
    let (mut noise, vantage) = (Noise::new(), VantageId::new(VANTAGES[0])?);
    let mut results = Vec::new();
    for day in FIRST_DAY.. {
        results.extend(noise.day(check, &vantage, 0, day));
        if results.len() >= LIVE_RESULTS {
            break;
        }
    }
    let mut live = LiveCheck::new(check);
    let begun = Instant::now();
    for result in &results {
        black_box(live.note(result));
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6 / results.len() as f64)
}

/// Lengths scattered about their medians, from a table, so that making a result costs little.
struct Noise {
    rng: SmallRng,
    /// Numbers of a normal distribution.
    normal: Vec<f64>,
    /// Until which slot everything fails.
    down_to: i64,
}

impl Noise {
    fn new() -> Self {
        let mut rng = SmallRng::seed_from_u64(111);
        let mut one = || (0..12).map(|_| rng.random_range(0.0..1.0)).sum::<f64>() - 6.0;
        let normal = (0..1 << 16).map(|_| one()).collect();
        Self { rng, normal, down_to: i64::MIN }
    }

    /// The results of a day, in order.
    fn day(&mut self, check: &Check, vantage: &VantageId, rank: usize, day: i64) -> Vec<RunResult> {
        let step = Step::of(&check.id, check.interval_ms);
        let shift = step.phase_us + step.step_us * rank as i64 / VANTAGES.len() as i64;
        let slot = |at_ms: i64| (at_ms * 1_000 - shift).div_euclid(step.step_us) + 1;
        self.down_to = i64::MIN;
        let slots = slot(day * DAY_MS)..slot((day + 1) * DAY_MS);
        slots
            .map(|slot| {
                if self.rng.random_range(0..DOWN_ONCE_IN) == 0 {
                    self.down_to = slot + DOWN_SLOTS;
                }
                let bad = slot < self.down_to;
                self.result(check, vantage, slot * step.step_us + shift, bad)
            })
            .collect()
    }

    fn result(&mut self, check: &Check, vantage: &VantageId, due_us: i64, bad: bool) -> RunResult {
        let lateness = self.about(600.0, 0.3);
        let phases = [
            self.about(900.0, 0.2),
            self.about(5_000.0, 0.04),
            self.about(11_000.0, 0.05),
            self.about(45.0, 0.2),
            self.about(60_000.0, 0.08),
            self.about(400.0, 0.2),
        ];
        RunResult {
            check: check.id.clone(),
            lane: Lane::Any,
            vantage: vantage.clone(),
            due: Millis(due_us.div_euclid(1_000)),
            started: Millis((due_us + i64::from(lateness)).div_euclid(1_000)),
            lateness: Micros(lateness),
            kind: RunKind::Grid,
            run: 0,
            reason: if bad { Reason::HttpStatus } else { Reason::None },
            phases: Phases::from_array(phases.map(Micros)),
            status: Some(if bad { 503 } else { 200 }),
            bytes: if bad { 512 } else { 15_000 },
            reused: false,
        }
    }

    /// Normal about `middle`, `spread` of it wide.
    fn about(&mut self, middle: f64, spread: f64) -> u32 {
        let at = self.rng.random_range(0..self.normal.len());
        (middle * (1.0 + self.normal[at] * spread)).max(1.0) as u32
    }
}
