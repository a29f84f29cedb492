//! From a server's fault to the alert standing in Alertmanager, in real time.

use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::rival::{ALERT, Rival};
use super::servers::{Fault, SERVERS, Server, Servers, WINDOW};
use super::watcher::Alertmanager;
use super::{HANGING_WORST_S, REFUSING_P50_S, REFUSING_WORST_S, judged};
use crate::ground::{self, Ground, free_port};
use crate::process::Program;
use crate::stats::percentile;
use crate::table::Table;
use crate::{Broken, Plan};

/// Every check, and every scrape, has had good results by then.
const WARM_UP: Duration = Duration::from_secs(65);

/// No alert of either is later than this after the last fault.
const PATIENCE: Duration = Duration::from_mins(3);

/// Seconds from each fault to its alert.
#[derive(Debug, Default)]
struct Delays {
    refusing: Vec<f64>,
    hanging: Vec<f64>,
}

/// What was measured.
#[derive(Debug)]
pub(crate) struct Measured {
    ours: Delays,
    theirs: Delays,
}

/// Lets servers fail one by one, watched by this daemon and by Prometheus.
pub(crate) async fn measure(ground: &Ground, plan: &Plan) -> Result<Measured, Broken> {
    let servers = Servers::start().await?;
    let looked_for = ("ThongsuotServiceDown", "system");
    let ours = Alertmanager::start(ground, "alerts-am", looked_for).await?;
    let theirs = Alertmanager::start(ground, "alerts-am-bb", (ALERT, "instance")).await?;
    let _daemon = daemon(ground, plan, &servers.all, ours.port).await?;
    let _rival = Rival::start(ground, &servers.all, theirs.port).await?;
    sleep(WARM_UP).await;
    for alertmanager in [&ours, &theirs] {
        let standing = alertmanager.standing().await?;
        if !standing.is_empty() {
            return Err(format!("all is well, but these alerts stand: {standing:?}").into());
        }
    }
    let (begun, most) = (servers.begin(), WINDOW + PATIENCE);
    let (ours, theirs) = tokio::try_join!(ours.watch(SERVERS, most), theirs.watch(SERVERS, most))?;
    let delays = |who: &str, seen: &std::collections::HashMap<String, Instant>| {
        let mut delays = Delays::default();
        for server in &servers.all {
            let seen = seen.get(&server.id).ok_or_else(|| format!("{who}: no {}", server.id))?;
            // Sooner than the fault: it alerted of something else.
            let after = seen.checked_duration_since(begun + server.after);
            let after = after.ok_or_else(|| format!("{who}: {} before its fault", server.id))?;
            match server.fault {
                Fault::Refuses => delays.refusing.push(after.as_secs_f64()),
                Fault::Hangs => delays.hanging.push(after.as_secs_f64()),
            }
        }
        Ok::<_, Broken>(delays)
    };
    Ok(Measured { ours: delays("ours", &ours)?, theirs: delays("Prometheus", &theirs)? })
}

async fn daemon(
    ground: &Ground,
    plan: &Plan,
    servers: &[Server],
    alertmanager: u16,
) -> Result<Program, Broken> {
    let (folder, port) = (ground.folder("alerts-ours")?, free_port().await?);
    let config = folder.join("targets.toml");
    let mut text = format!(
        "[monitor]\nlisten = \"127.0.0.1:{port}\"\ndata = \"data\"\nvantage = \"bench\"\n\
         per_host_per_minute = 6000\nresolvers = [\"127.0.0.1:53\"]\n\n\
         [[owner]]\nid = \"bo\"\nname = \"Bộ\"\n\n\
         [[alertmanager]]\nurl = \"http://127.0.0.1:{alertmanager}/\"\n"
    );
    for server in servers {
        let id = &server.id;
        write!(
            text,
            "\n[[system]]\nid = \"{id}\"\nowner = \"bo\"\nname = \"Cổng {id}\"\n\
             [[system.check]]\nid = \"{id}\"\nkind = \"http\"\nurl = \"http://{}/\"\n\
             interval = \"30s\"\ntimeout = \"10s\"\n",
            server.address
        )?;
    }
    std::fs::write(&config, text)?;
    let mut command = Command::new(&plan.program);
    command.arg("run").arg("--config").arg(&config);
    let daemon = Program::start(&command, &folder.join("log"))?;
    ground::ready(port, "/-/ready").await?;
    Ok(daemon)
}

impl Measured {
    /// The rows of it.
    pub(crate) fn tell(self, table: &mut Table) {
        let Self { mut ours, mut theirs } = self;
        let rows = [
            ("refusing", 0.5, Some(REFUSING_P50_S)),
            ("refusing", 0.9, None),
            ("refusing", 1.0, Some(REFUSING_WORST_S)),
            ("hanging", 0.5, None),
            ("hanging", 0.9, None),
            ("hanging", 1.0, Some(HANGING_WORST_S)),
        ];
        for (what, share, most) in rows {
            let of = |all: &mut Delays| {
                let delays = if what == "refusing" { &mut all.refusing } else { &mut all.hanging };
                percentile(delays, share)
            };
            let (ours, theirs) = (of(&mut ours), of(&mut theirs));
            let share = if share < 1.0 { format!("p{:.0}", share * 100.0) } else { "worst".into() };
            table.row(
                &format!("a {what} server, fault to alert in Alertmanager, {share}"),
                &most.map_or_else(|| format!("{ours:.1} s"), |most| judged(ours, most)),
                &most.map_or_else(|| "-".into(), |most| format!("{most:.0} s")),
                &format!("{theirs:.1} s, Prometheus, scrape 15 s, for 1m"),
                Some(theirs / ours),
            );
        }
        table.note(format!(
            "Fault to alert: {SERVERS} servers, half refusing, half hanging, each at an instant of \
             its own within 60 s; every 30 s, timeout 10 s, K = 3, one vantage; the alert is looked \
             for every 0.1 s in two Alertmanagers of one kind.",
        ));
    }
}
