//! What one look of the engine costs in processor time: facts, rules, step, and what follows.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use jiff::tz::TimeZone;
use rustix::time::{ClockId, clock_gettime};
use thongsuot::alert::book::Book;
use thongsuot::alert::channel::alertmanager::alerts::alerts;
use thongsuot::alert::escalation::{Desk, escalate};
use thongsuot::alert::facts::{CheckFacts, Facts, SystemFacts, in_hours};
use thongsuot::alert::rules::conditions;
use thongsuot::alert::step::step;
use thongsuot::availability::live::{Alarm, LiveCheck};
use thongsuot::config::{Config, parse_str};
use thongsuot::model::check::{Check, Lane};
use thongsuot::model::id::VantageId;
use thongsuot::model::phases::Phases;
use thongsuot::model::reason::Reason;
use thongsuot::model::result::{RunKind, RunResult};
use thongsuot::model::state::State;
use thongsuot::model::system::Roster;
use thongsuot::model::time::{Micros, Millis};

use crate::Broken;
use crate::stats::median;
use crate::table::Table;

const SYSTEMS: usize = 1_000;
const CHECKS_A_SYSTEM: usize = 10;

/// Looks that are timed; the figure is their median.
const LOOKS: usize = 21;

/// 2026-11-24T00:00:00Z.
const NOW: i64 = 1_795_478_400_000;

/// The time of one look, in milliseconds.
#[derive(Debug, Default)]
struct Cost {
    /// Facts, conditions and the step: what happens every 5 s, and when an alert opens or ends.
    engine: Vec<f64>,
    /// Escalations: every second.
    escalation: Vec<f64>,
    /// All alerts for Alertmanager, with the engine.
    alertmanager: Vec<f64>,
    /// Every incident compared with what was kept, to see what must be written: every second.
    kept: Vec<f64>,
}

/// Measures it, and tells the rows of it.
pub(crate) fn tell(table: &mut Table) -> Result<(), Broken> {
    for (what, failing, depends) in [
        ("all well", false, false),
        ("storm, all down by one cause", true, true),
        ("storm, each down by itself", true, false),
    ] {
        let world = World::new(failing, depends)?;
        let (first, cost, roots) = world.looks();
        table.row(
            &format!("CPU, a look at 10,000 checks, {what}"),
            &format!("{:.1} ms", median(&cost.engine)),
            "-",
            "-",
            None,
        );
        table.note(format!(
            "A look, {what}: facts, rules and step {:.1} ms (the first, which opens the incidents, \
             {first:.1} ms); besides escalation {:.1} ms, incidents compared with what was kept {:.1} ms, alerts for \
             Alertmanager {:.1} ms; {roots} incidents without a cause.",
            median(&cost.engine),
            median(&cost.escalation),
            median(&cost.kept),
            median(&cost.alertmanager),
        ));
    }
    Ok(())
}

/// What is watched, and its live state.
struct World {
    config: Config,
    roster: Arc<Roster>,
    live: Vec<Vec<(Arc<Check>, LiveCheck)>>,
    failing: bool,
    zone: TimeZone,
}

impl World {
    fn new(failing: bool, depends: bool) -> Result<Self, Broken> {
        let config = parse_str("bench.toml", &text(depends)?).map_err(|it| it.to_string())?;
        let vantage = VantageId::new("bench")?;
        let live = |check: &Arc<Check>| {
            let mut live = LiveCheck::new(check);
            for back in (1..=6).rev() {
                live.note(&result(check, &vantage, NOW - back * 30_000, failing && back <= 4));
            }
            (Arc::clone(check), live)
        };
        let live = config.roster.systems.iter().map(|it| it.checks.iter().map(live).collect());
        let live = live.collect();
        let zone = config.monitor.timezone.clone();
        Ok(Self { roster: Arc::new(config.roster.clone()), live, failing, zone, config })
    }

    fn facts(&self, now: Millis) -> Facts {
        let roster = Arc::clone(&self.roster);
        let state = if self.failing { State::Down } else { State::Up };
        let systems = roster.systems.iter().zip(&self.live).map(|(system, live)| SystemFacts {
            standing: Some((state, Millis(NOW - 120_000))),
            maintained: false,
            in_hours: in_hours(system, &roster.holidays, &self.zone, now),
            checks: live.iter().map(|(check, live)| CheckFacts::of(check, live, now)).collect(),
            burn: Vec::new(),
            budget: None,
            coverage_ppm: Some(1_000_000),
        });
        let systems = systems.collect();
        Facts { now, begun: now.plus_ms(-86_400_000), roster, systems, troubles: Vec::new() }
    }

    /// The engine's time of the first look, the others, and how many incidents have no cause.
    fn looks(&self) -> (f64, Cost, usize) {
        let (mut book, mut cost, mut first) = (Book::default(), Cost::default(), 0.0);
        let mut kept = Book::default();
        let alerting = &self.config.alerting;
        for look in 0..=LOOKS {
            let now = Millis(NOW + look as i64 * 5_000);
            let engine = timed(|| {
                let facts = self.facts(now);
                black_box(step(&mut book, &conditions(&facts), &facts, alerting, &self.zone));
            });
            let desk = Desk {
                alerting,
                holidays: &self.roster.holidays,
                zone: &self.zone,
                take_over: false,
                tell_the_end: false,
            };
            let escalation = timed(|| {
                for incident in book.incidents.values_mut() {
                    black_box(escalate(incident, &desk, &[], now));
                }
            });
            let compared = timed(|| {
                black_box(kept.incidents.iter().eq(&book.incidents));
            });
            kept.clone_from(&book);
            let alertmanager = timed(|| {
                black_box(alerts(&book, &self.roster, alerting, &self.zone, (Millis(NOW), now)));
            });
            if look == 0 {
                first = engine;
                continue;
            }
            cost.engine.push(engine);
            cost.escalation.push(escalation);
            cost.kept.push(compared);
            cost.alertmanager.push(alertmanager);
        }
        let roots = book.incidents.values().filter(|it| it.cause.is_none()).count();
        debug_assert!(
            self.live.iter().flatten().all(|it| (it.1.alarm() == Alarm::Down) == self.failing)
        );
        (first, cost, roots)
    }
}

/// Processor time of `work`, in milliseconds.
fn timed(work: impl FnOnce()) -> f64 {
    let now = || {
        let at = clock_gettime(ClockId::ThreadCPUTime);
        at.tv_sec as f64 * 1e3 + at.tv_nsec as f64 / 1e6
    };
    let begun = now();
    work();
    now() - begun
}

fn text(depends: bool) -> Result<String, Broken> {
    let mut text = String::from(
        "[monitor]\nvantage = \"bench\"\n[[owner]]\nid = \"bo\"\nname = \"Bộ\"\n\
         [[channel]]\nid = \"hook\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:1/\"\n\
         [[person]]\nid = \"an\"\nname = \"Đ/c An\"\ncontacts = [{ channel = \"hook\" }]\n\
         [[team]]\nid = \"truc\"\nname = \"Tổ trực\"\n[[team.layer]]\npeople = [\"an\"]\n\
         start = \"2026-01-05\"\n",
    );
    for system in 0..SYSTEMS {
        let on = if depends && system > 0 { "depends_on = [\"cong-0000\"]\n" } else { "" };
        // Half of them by office hours, which are asked of the calendar.
        let hours = if system % 2 == 0 { "office" } else { "24/7" };
        write!(
            text,
            "[[system]]\nid = \"cong-{system:04}\"\nowner = \"bo\"\nname = \"Cổng {system}\"\n\
             hours = \"{hours}\"\n{on}"
        )?;
        for check in 0..CHECKS_A_SYSTEM {
            write!(
                text,
                "[[system.check]]\nid = \"cong-{system:04}-{check}\"\nkind = \"http\"\n\
                 url = \"http://h{system}.example/{check}\"\ninterval = \"30s\"\n"
            )?;
        }
    }
    Ok(text)
}

fn result(check: &Check, vantage: &VantageId, at: i64, bad: bool) -> RunResult {
    RunResult {
        check: check.id.clone(),
        lane: Lane::Any,
        vantage: vantage.clone(),
        due: Millis(at),
        started: Millis(at),
        lateness: Micros(500),
        kind: RunKind::Grid,
        run: 0,
        reason: if bad { Reason::HttpStatus } else { Reason::None },
        phases: Phases::from_array([900, 5_000, 0, 45, 60_000, 400].map(Micros)),
        status: Some(if bad { 503 } else { 200 }),
        bytes: 15_000,
        reused: false,
    }
}
