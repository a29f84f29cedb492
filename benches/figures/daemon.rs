//! Our own daemon under load: the real binary, with a configuration written for it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use thongsuot::clock::Clock;
use thongsuot::history::{Filter, Reader};
use thongsuot::model::id::CheckId;
use thongsuot::model::outcome::Outcome;
use thongsuot::model::result::{RunKind, RunResult};
use thongsuot::model::span::Span;
use thongsuot::model::time::Millis;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::ground::{self, Ground};
use crate::process::Program;
use crate::stats::{least, median, percentile};
use crate::{Broken, Plan};

/// Checks of one system.
const CHECKS_A_SYSTEM: usize = 10;

/// Before the first slice, besides one interval, in which every check has its first result.
const WARM_UP: Duration = Duration::from_secs(3);

/// What the daemon has to do.
pub(crate) struct Load<'a> {
    /// A name for its folder.
    pub(crate) name: &'a str,
    /// How many checks.
    pub(crate) checks: usize,
    /// `interval` and `timeout` of each, in seconds.
    pub(crate) every: (u64, u64),
    /// Where check number `at` goes.
    pub(crate) url: &'a dyn Fn(usize) -> String,
}

/// What was measured.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Processor time a run, in microseconds: median and least of the slices.
    pub(crate) cpu_us: (f64, f64),
    /// Resident memory at the end, and at most (a scrape included), in MB.
    pub(crate) memory_mb: (f64, f64),
    /// Processor time of one scrape of `/metrics`, in milliseconds.
    pub(crate) scrape_ms: f64,
    /// The daemon's own count of starts at most 10 ms and 50 ms late, and of all.
    pub(crate) on_time: (f64, f64, f64),
    /// Every result that started in the slices.
    pub(crate) results: Vec<RunResult>,
    seconds: f64,
}

impl Measured {
    /// Runs that started each second.
    pub(crate) fn runs_a_second(&self) -> f64 {
        self.results.len() as f64 / self.seconds
    }

    /// Lateness of grid runs in milliseconds, by share, exact from the history.
    pub(crate) fn lateness_ms(&self, share: f64) -> f64 {
        let grid = self.results.iter().filter(|it| it.kind == RunKind::Grid);
        let started = grid.filter(|it| it.outcome() != Outcome::Void);
        let mut late: Vec<_> = started.map(|it| f64::from(it.lateness.0) / 1e3).collect();
        percentile(&mut late, share)
    }

    /// How many results have an outcome that `wanted` names.
    pub(crate) fn count(&self, wanted: impl Fn(Outcome) -> bool) -> usize {
        self.results.iter().filter(|it| wanted(it.outcome())).count()
    }

    /// How many results have which reason.
    fn reasons(&self) -> BTreeMap<&'static str, usize> {
        self.results.iter().fold(BTreeMap::new(), |mut all, it| {
            *all.entry(it.reason.as_str()).or_default() += 1;
            all
        })
    }

    fn must_be(self, what: &str, wanted: impl Fn(Outcome) -> bool) -> Result<Self, Broken> {
        let (good, all) = (self.count(wanted), self.results.len());
        println!("    {all} runs in {:.0} s, {good} {what}", self.seconds);
        if all < 100 || (good as f64) < 0.99 * all as f64 {
            return Err(format!("{good} of {all} runs {what}: {:?}", self.reasons()).into());
        }
        println!("    reasons: {:?}", self.reasons());
        Ok(self)
    }
}

/// 10,000 checks at 30 s against nginx in clear.
pub(crate) async fn plain(ground: &Ground, plan: &Plan) -> Result<Measured, Broken> {
    let url = |at| ground.url(at, false);
    let load = Load { name: "plain", checks: 10_000, every: (30, 10), url: &url };
    measure(ground, plan, &load).await?.must_be("good", |it| it == Outcome::Ok)
}

/// 3,000 checks at 10 s over TLS.
pub(crate) async fn tls(ground: &Ground, plan: &Plan) -> Result<Measured, Broken> {
    let url = |at| ground.url(at, true);
    let load = Load { name: "tls", checks: 3_000, every: (10, 10), url: &url };
    measure(ground, plan, &load).await?.must_be("good", |it| it == Outcome::Ok)
}

/// 10,000 checks at 30 s against a server that takes connections and says nothing.
pub(crate) async fn hanging(ground: &Ground, plan: &Plan) -> Result<Measured, Broken> {
    let mut servers = JoinSet::new();
    let mut ports = Vec::new();
    for at in 1..=32_u8 {
        let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 0, at), 0)).await?;
        ports.push(listener.local_addr()?);
        servers.spawn(hang(listener));
    }
    let url = |at: usize| format!("http://{}/", ports[at % ports.len()]);
    let load = Load { name: "hanging", checks: 10_000, every: (30, 5), url: &url };
    measure(ground, plan, &load)
        .await?
        .must_be("hanging or void", |it| matches!(it, Outcome::Hang | Outcome::Void))
}

/// Takes connections and says nothing.
pub(crate) async fn hang(listener: TcpListener) {
    let mut held = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        held.spawn(async move {
            // Until the other side gives up.
            let mut rest = [0; 1_024];
            loop {
                let gone = stream.readable().await.is_err();
                if gone || matches!(stream.try_read(&mut rest), Ok(0)) {
                    return;
                }
            }
        });
        while held.try_join_next().is_some() {}
    }
}

/// Starts the daemon, lets it work, ends it, and reads what it kept.
pub(crate) async fn measure(
    ground: &Ground,
    plan: &Plan,
    load: &Load<'_>,
) -> Result<Measured, Broken> {
    let folder = ground.folder(load.name)?;
    let port = ground::free_port().await?;
    let config = folder.join("targets.toml");
    std::fs::write(&config, targets(load, port, &ground.root()))?;
    let mut command = Command::new(&plan.program);
    command.arg("run").arg("--config").arg(&config);
    let daemon = Program::start(&command, &folder.join("log"))?;
    ground::ready(port, "/-/ready").await?;
    sleep(Duration::from_secs(load.every.0) + WARM_UP).await;

    let mut marks = vec![(Clock::System.now(), daemon.cpu_us()?)];
    for _ in 0..plan.slices {
        sleep(plan.slice).await;
        marks.push((Clock::System.now(), daemon.cpu_us()?));
    }
    let (resident, _) = daemon.memory_mb()?;
    let page = ground::get(port, "/metrics").await?;
    // What the daemon does besides in a second.
    let after = daemon.cpu_us()?;
    let (_, most) = daemon.memory_mb()?;
    let scraped = after - marks.last().map_or(after, |it| it.1);
    daemon.end().await?;
    let results = results(&folder.join("data"), load.checks, (marks[0].0, Clock::System.now()))?;
    Ok(worked_out(&marks, results, (resident, most), scraped, &page))
}

fn worked_out(
    marks: &[(Millis, f64)],
    mut results: Vec<RunResult>,
    memory_mb: (f64, f64),
    scraped_us: f64,
    page: &str,
) -> Measured {
    let slice = |pair: &[(Millis, f64)]| {
        let started = |it: &&RunResult| (pair[0].0..pair[1].0).contains(&it.started);
        (pair[1].1 - pair[0].1) / results.iter().filter(started).count().max(1) as f64
    };
    let slices: Vec<f64> = marks.windows(2).map(slice).collect();
    let (from, to) = (marks[0].0, marks[marks.len() - 1].0);
    results.retain(|it| (from..to).contains(&it.started));
    let bucket = |le: &str| {
        let key = format!("thongsuot_slot_lateness_seconds{le} ");
        let line = page.lines().find_map(|line| line.strip_prefix(key.as_str()));
        line.and_then(|it| it.parse().ok()).unwrap_or_default()
    };
    println!("    cpu a run by slice, in us: {slices:.1?}");
    Measured {
        cpu_us: (median(&slices), least(&slices)),
        memory_mb,
        scrape_ms: scraped_us / 1e3,
        on_time: (bucket("_bucket{le=\"0.01\"}"), bucket("_bucket{le=\"0.05\"}"), bucket("_count")),
        results,
        seconds: to.since(from) as f64 / 1e3,
    }
}

/// Everything that the history in `data` holds of a time, in no order.
fn results(
    data: &Path,
    checks: usize,
    (from, to): (Millis, Millis),
) -> Result<Vec<RunResult>, Broken> {
    let reader = Reader::open(data)?;
    let span = Span::new(from, to).ok_or("no time has passed")?;
    let mut results = Vec::new();
    for at in 0..checks {
        let check = CheckId::new(&check_id(at))?;
        reader.scan(&check, span, &Filter::default(), |it| results.push(it))?;
    }
    Ok(results)
}

/// The id of check number `at`.
pub(crate) fn check_id(at: usize) -> String {
    format!("check-{at:05}")
}

fn targets(load: &Load<'_>, port: u16, root: &Path) -> String {
    let mut text = format!(
        "[monitor]\nlisten = \"127.0.0.1:{port}\"\ndata = \"data\"\nvantage = \"bench\"\n\
         per_host_per_minute = 6000\nroots = \"extra-only\"\nextra_roots = [\"{}\"]\n\
         resolvers = [\"127.0.0.1:53\"]\n\n[[owner]]\nid = \"bo\"\nname = \"Bộ\"\n",
        root.display()
    );
    let (interval, timeout) = load.every;
    for at in 0..load.checks {
        if at % CHECKS_A_SYSTEM == 0 {
            let system = at / CHECKS_A_SYSTEM;
            // Writing to a String can't fail.
            let _always_ok = write!(
                text,
                "\n[[system]]\nid = \"system-{system:04}\"\nowner = \"bo\"\nname = \"Cổng số {system}\"\n"
            );
        }
        let (id, url) = (check_id(at), (load.url)(at));
        let _always_ok = write!(
            text,
            "[[system.check]]\nid = \"{id}\"\nkind = \"http\"\nurl = \"{url}\"\n\
             interval = \"{interval}s\"\ntimeout = \"{timeout}s\"\n"
        );
    }
    text
}
