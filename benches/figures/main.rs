//! The table of `docs/performance.md`, measured anew: `cargo bench --bench figures`.
//!
//! Starts nginx, the real daemon, blackbox_exporter and Prometheus on loopback, puts the same
//! load on each, and prints what they cost side by side. What counts is processor time, not wall
//! time, so a busy machine disturbs the ratios little. Read on in [`daemon`] (ours), [`rival`]
//! (blackbox_exporter, alone and with Prometheus), [`delay`] (a server that knows how long it
//! took), [`disk`] (bytes a result), [`month`] (a month's report), [`alerts`] (the figures of
//! `docs/alerting.md`, which take 8 minutes of real time) and [`table`].
//!
//! `-- --full` measures four times as long; `-- --only NAME` runs the parts whose name contains
//! NAME: http, tls, hang, probe, delay, disk, month, alerts. Ends with an error only if a run is broken, not if a figure is missed.
#![expect(clippy::print_stdout, reason = "the figures are what this program is for")]

mod process;
mod ground;
mod daemon;
mod rival;
mod delay;
mod disk;
mod month;
mod alerts;
mod stats;
mod table;

// The simulation that the tests of alerting run, so that its figures stand beside the measured.
#[expect(clippy::unwrap_used, reason = "a simulation that is wrong is to stop")]
#[path = "../../tests/alerting/fixture.rs"]
mod fixture;
#[expect(clippy::unwrap_used, reason = "a simulation that is wrong is to stop")]
#[path = "../../tests/alerting/watch.rs"]
mod watch;
#[expect(dead_code, reason = "its tests use all of it")]
#[path = "../../tests/alerting/simulation.rs"]
mod simulation;

use std::path::PathBuf;
use std::time::Duration;

use ground::Ground;
use table::Table;

/// What went wrong with a run.
type Broken = Box<dyn std::error::Error + Send + Sync>;

/// How much is measured.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Length of one slice of a measurement; CPU time a run is the median over slices.
    pub(crate) slice: Duration,
    /// Slices of a measurement.
    pub(crate) slices: usize,
    /// Whether a month is that of all checks, not of a tenth.
    pub(crate) full: bool,
    only: Option<String>,
    /// The daemon to measure.
    pub(crate) program: PathBuf,
}

impl Plan {
    /// `None` if this is not a benchmark's run: `cargo test --all-targets` starts it too.
    fn read(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_thongsuot"));
        let slice = Duration::from_secs(5);
        let mut plan = Self { slice, slices: 5, full: false, only: None, program };
        let mut bench = false;
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bench" => bench = true,
                "--full" => (plan.slice, plan.full) = (plan.slice * 4, true),
                "--only" => plan.only = arguments.next(),
                "--program" => plan.program = arguments.next().map(PathBuf::from)?,
                _ => {}
            }
        }
        bench.then_some(plan)
    }

    fn wants(&self, part: &str) -> bool {
        self.only.as_ref().is_none_or(|only| part.contains(only.as_str()))
    }
}

fn main() -> Result<(), Broken> {
    let Some(plan) = Plan::read(std::env::args().skip(1)) else {
        println!("skipped: figures are measured by `cargo bench --bench figures`");
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let table = runtime.block_on(all(&plan))?;
    println!("\n{table}");
    Ok(())
}

async fn all(plan: &Plan) -> Result<Table, Broken> {
    let mut table = Table::default();
    let ground = Ground::start().await?;
    table.note(ground::machine());
    if plan.wants("http") {
        say("plain HTTP: 10,000 checks at 30 s");
        let ours = daemon::plain(&ground, plan).await?;
        say("plain HTTP: blackbox_exporter at the same rate");
        let theirs = rival::http(&ground, plan, ours.runs_a_second()).await?;
        say("plain HTTP: Prometheus and blackbox_exporter, 2,000 checks at 10 s");
        let both = rival::with_prometheus(&ground, plan).await?;
        table.plain(&ours, &theirs, &both);
    }
    if plan.wants("tls") {
        say("HTTPS: 3,000 checks at 10 s");
        let ours = daemon::tls(&ground, plan).await?;
        say("HTTPS: blackbox_exporter at the same rate");
        let theirs = rival::tls(&ground, plan, ours.runs_a_second()).await?;
        table.tls(&ours, &theirs);
    }
    if plan.wants("hang") {
        say("every target hangs: 10,000 checks at 30 s");
        table.hanging(&daemon::hanging(&ground, plan).await?);
    }
    if plan.wants("probe") {
        say("/probe: 330 probes a second in clear, ours and blackbox_exporter's");
        let plain = rival::probe(&ground, plan, false).await?;
        say("/probe: the same over TLS");
        table.probe(&plain, &rival::probe(&ground, plan, true).await?);
    }
    if plan.wants("delay") {
        say("known delay: 900 checks at 3 s");
        let ours = delay::ours(&ground, plan).await?;
        say("known delay: blackbox_exporter at the same rate");
        table.delay(&ours, &delay::theirs(&ground, plan).await?);
    }
    if plan.wants("disk") {
        say("history: 30 days of 20 checks at 30 s");
        table.disk(&disk::month(&ground).await?);
    }
    if plan.wants("alerts") {
        alerts::measure(&ground, plan, &mut table).await?;
    }
    if plan.wants("month") {
        say("a month's report: 3 vantages at 30 s");
        table.month(&month::measure(&ground, plan).await?);
    }
    Ok(table)
}

fn say(what: &str) {
    println!("... {what}");
}
