//! A storm: a thousand checks fall at once because of one system that the others depend on.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde_json::Value;
use thongsuot::clock::Clock;
use thongsuot::history::{Filter, Reader};
use thongsuot::model::id::CheckId;
use thongsuot::model::outcome::Testimony;
use thongsuot::model::result::RunResult;
use thongsuot::model::span::Span;
use thongsuot::model::step::Step;
use thongsuot::model::time::Millis;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::servers::Shared;
use super::{PAGE_S, judged};
use crate::ground::{self, Ground, free_port};
use crate::process::Program;
use crate::table::Table;
use crate::{Broken, Plan};

/// Checks in all: one of the shared system, the others by [`CHECKS_A_SYSTEM`].
const CHECKS: usize = 1_000;
const CHECKS_A_SYSTEM: usize = 3;

/// Addresses that they are spread over: the cap of runs a minute is by host.
const ADDRESSES: u8 = 16;

/// The shared system and its only check.
const ROOT: &str = "nen-tang";

/// Milliseconds between the slots of a check, as written.
const INTERVAL_MS: i64 = 30_000;

/// A run is over so many microseconds after its slot.
const MEASURED_US: i64 = 300_000;

/// Bad results in a row that confirm an outage.
const CONFIRM: usize = 3;

/// Every check has had good results by then.
const WARM_UP: Duration = Duration::from_secs(65);

/// How long all are down.
const DOWN: Duration = Duration::from_mins(2);

/// All incidents are closed so long after the end: three good results, two minutes of calm.
const CALM_WITHIN: Duration = Duration::from_mins(6);

/// After the last incident: a message too many would come by then.
const REST: Duration = Duration::from_secs(15);

/// A message of the daemon: when it came, and what it says.
type Heard = Arc<Mutex<Vec<(Millis, Value)>>>;

/// What was measured.
#[derive(Debug)]
pub(crate) struct Measured {
    pages: usize,
    all_clears: usize,
    others: usize,
    incidents: usize,
    parts: usize,
    held: usize,
    /// From the fault to what confirms that the shared system is down, in seconds.
    confirmed_s: f64,
    /// From there to the page, in seconds; `None`: there was none.
    page_s: Option<f64>,
}

/// Lets all fall, and come back.
pub(crate) async fn measure(ground: &Ground, plan: &Plan) -> Result<Measured, Broken> {
    let heard = Heard::default();
    let (servers, mut serving) = (Shared::start(ADDRESSES).await?, JoinSet::new());
    let hook = listen(&heard, &mut serving).await?;
    let (folder, port) = (ground.folder("alerts-storm")?, free_port().await?);
    let config = folder.join("targets.toml");
    std::fs::write(&config, targets(port, hook, &servers.addresses)?)?;
    let mut command = Command::new(&plan.program);
    command.arg("run").arg("--config").arg(&config);
    let daemon = Program::start(&command, &folder.join("log"))?;
    ground::ready(port, "/-/ready").await?;
    sleep(WARM_UP).await;
    let early = messages(&heard).len();
    if early > 0 {
        return Err(format!("all is well, but {early} messages came").into());
    }
    sleep(until_missed(&CheckId::new(ROOT)?)).await;
    let fell = Clock::System.now();
    servers.set(false);
    sleep(DOWN).await;
    servers.set(true);
    let (incidents, parts, held) = calm(port).await?;
    sleep(REST).await;
    daemon.end().await?;
    let confirmed = confirmed(&folder.join("data"), fell)?;
    let messages = messages(&heard);
    let count = |purpose: &str| messages.iter().filter(|it| it.1["purpose"] == purpose).count();
    let (pages, all_clears) = (count("page"), count("resolved"));
    let page = messages.iter().find(|it| it.1["purpose"] == "page");
    Ok(Measured {
        pages,
        all_clears,
        others: messages.len() - pages - all_clears,
        incidents,
        parts,
        held,
        confirmed_s: confirmed.since(fell) as f64 / 1e3,
        page_s: page.map(|it| it.0.since(confirmed) as f64 / 1e3),
    })
}

/// How long until the shared system has just been measured: the others are confirmed first then,
/// which is the worst that can happen.
fn until_missed(check: &CheckId) -> Duration {
    let step = Step::of(check, INTERVAL_MS);
    let now_us = Clock::System.now().0 * 1_000;
    let past_us = (now_us - step.phase_us - MEASURED_US).rem_euclid(step.step_us);
    Duration::from_micros(u64::try_from(step.step_us - past_us).unwrap_or_default())
}

/// A webhook that writes down what it is told.
async fn listen(heard: &Heard, serving: &mut JoinSet<()>) -> Result<SocketAddr, Broken> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = Router::new().route("/", post(hear)).with_state(Arc::clone(heard));
    serving.spawn(async move {
        // Ends with the bench.
        let _ended = axum::serve(listener, app).await;
    });
    Ok(address)
}

async fn hear(State(heard): State<Heard>, body: String) {
    let message = serde_json::from_str(&body).unwrap_or(Value::Null);
    let at = Clock::System.now();
    heard.lock().unwrap_or_else(PoisonError::into_inner).push((at, message));
}

fn messages(heard: &Heard) -> Vec<(Millis, Value)> {
    heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Waits until every incident is closed; how many there were, how many had a cause, and how many
/// waited for it to be confirmed.
async fn calm(port: u16) -> Result<(usize, usize, usize), Broken> {
    let begun = Instant::now();
    while begun.elapsed() < CALM_WITHIN {
        sleep(Duration::from_secs(2)).await;
        let told: Value = serde_json::from_str(&ground::get(port, "/api/v1/alerts").await?)?;
        let all = told["alerts"].as_array().cloned().unwrap_or_default();
        if all.iter().all(|it| it["state"] == "closed") {
            let count = |what: &str| {
                let says = |it: &&Value| {
                    let log = it["log"].as_array().map_or(&[][..], Vec::as_slice);
                    log.iter().any(|line| line["what"] == what)
                };
                all.iter().filter(says).count()
            };
            return Ok((all.len(), count("cause.joined"), count("held")));
        }
    }
    Err(format!("incidents are still open after {CALM_WITHIN:?}").into())
}

/// The end of the result that confirmed that the shared system is down.
fn confirmed(data: &std::path::Path, fell: Millis) -> Result<Millis, Broken> {
    let (reader, check) = (Reader::open(data)?, CheckId::new(ROOT)?);
    let span = Span::new(fell, Clock::System.now()).ok_or("no time has passed")?;
    let mut results = Vec::new();
    reader.scan(&check, span, &Filter::default(), |it| results.push(it))?;
    results.sort_by_key(|it| it.started);
    let bad: Vec<Millis> = results
        .iter()
        .filter(|it| it.testimony() == Some(Testimony::Bad))
        .map(RunResult::ended)
        .collect();
    bad.get(CONFIRM - 1).copied().ok_or_else(|| "the shared system was never down".into())
}

fn targets(port: u16, hook: SocketAddr, servers: &[SocketAddr]) -> Result<String, Broken> {
    let mut text = format!(
        "[monitor]\nlisten = \"127.0.0.1:{port}\"\ndata = \"data\"\nvantage = \"bench\"\n\
         per_host_per_minute = 6000\nresolvers = [\"127.0.0.1:53\"]\n\n\
         [[owner]]\nid = \"bo\"\nname = \"Bộ\"\n\n\
         [[channel]]\nid = \"hook\"\nkind = \"webhook\"\nurl = \"http://{hook}/\"\n\n\
         [[person]]\nid = \"an\"\nname = \"Đ/c An\"\n\
         contacts = [{{ channel = \"hook\", to = \"an\", from = \"ticket\" }}]\n\n\
         [[team]]\nid = \"truc\"\nname = \"Tổ trực\"\n\n\
         [[team.layer]]\npeople = [\"an\"]\nstart = \"2026-01-05\"\n\n\
         [[system]]\nid = \"{ROOT}\"\nowner = \"bo\"\nname = \"Nền tảng dùng chung\"\n"
    );
    let check = |text: &mut String, id: &str, at: usize| {
        write!(
            text,
            "[[system.check]]\nid = \"{id}\"\nkind = \"http\"\nurl = \"http://{}/{id}\"\n\
             interval = \"{}s\"\ntimeout = \"10s\"\n",
            servers[at % servers.len()],
            INTERVAL_MS / 1_000,
        )
    };
    check(&mut text, ROOT, 0)?;
    for at in 1..CHECKS {
        if (at - 1) % CHECKS_A_SYSTEM == 0 {
            let system = (at - 1) / CHECKS_A_SYSTEM;
            write!(
                text,
                "\n[[system]]\nid = \"cong-{system:03}\"\nowner = \"bo\"\n\
                 name = \"Cổng {system}\"\ndepends_on = [\"{ROOT}\"]\n"
            )?;
        }
        check(&mut text, &format!("kiem-tra-{at:03}"), at)?;
    }
    Ok(text)
}

impl Measured {
    /// The rows of it.
    pub(crate) fn tell(&self, table: &mut Table) {
        let one = |count: usize| format!("{count}, {}", if count == 1 { "pass" } else { "FAIL" });
        table.row("storm of 1,000 checks, pages", &one(self.pages), "1", "-", None);
        table.row("storm, all-clears", &one(self.all_clears), "1", "-", None);
        let page = self.page_s.map_or_else(|| "never, FAIL".into(), |it| judged(it, PAGE_S));
        table.row(
            "storm, page after its confirmation",
            &page,
            &format!("{PAGE_S:.0} s"),
            "-",
            None,
        );
        table.note(format!(
            "Storm: 1,000 checks of 334 systems, of which 333 depend on one, answer 503 from the \
             instant on at which the one has just been measured, and are well again after 2 minutes; one \
             person, one webhook. {} incidents, \
             {} of them parts; the shared system was confirmed down {:.1} s after the fault, {} portals \
             before it, which waited; {} other messages.",
            self.incidents, self.parts, self.confirmed_s, self.held, self.others,
        ));
    }
}
