//! `thongsuot probe`: run one probe now, and explain it.

mod explain;
mod json;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::output::{say, sayln};
use super::run::runtime;
use super::{Failure, default_config, environment};
use crate::app::net;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::model::check::{Check, Lane};
use crate::model::observation::Observation;
use crate::model::outcome::Testimony;
use crate::model::time::Millis;

/// Run one probe now, and explain it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  thongsuot probe vneid-home                   a check of targets.toml
  thongsuot probe https://dichvucong.gov.vn/   a URL with default settings
  thongsuot probe tls://thuedientu.gdt.gov.vn:443
  thongsuot probe tcp://127.0.0.1:25
  thongsuot probe unix:///run/hotich/app.sock
  thongsuot probe wss://dichvucong.gov.vn/ws
  thongsuot probe icmp://127.0.0.1
  thongsuot probe dns://dichvucong.gov.vn      its addresses
  thongsuot probe grpc://127.0.0.1:50051
The exit code is 0 for ok and slow, 1 for everything else.")]
pub(super) struct Probe {
    /// A check's id, or a URL.
    what: String,
    /// The configuration; with a URL, where the monitor's own settings come from if it is given.
    #[arg(long, short)]
    config: Option<PathBuf>,
    /// Timeout of a URL's probe.
    #[arg(long, default_value = "10s")]
    timeout: String,
    /// Print one JSON object instead, with everything that was seen.
    #[arg(long)]
    json: bool,
}

/// One lane's end.
struct Seen {
    lane: Lane,
    started: Millis,
    observation: Observation,
}

impl Probe {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (config, check) = self.find()?;
        let net = net(&config).map_err(Failure::from)?;
        // Its owner asked for it: that holds for people too.
        if let Some(host) = check.spec.host().filter(|host| net.is_killed(host)) {
            return Err(Failure::Config(format!(
                "`{host}` is in `[monitor] kill`: nothing is sent to it\n\
                 help: take it out there, if its owner agrees"
            )));
        }
        let seen = runtime()?.block_on(async {
            let mut seen = Vec::new();
            for lane in check.lanes() {
                let started = Clock::System.now();
                let observation = crate::probe::run(&check, *lane, &net, started).await;
                seen.push(Seen { lane: *lane, started, observation });
            }
            seen
        });
        if self.json {
            sayln!("{}", json::text(&check, &seen).map_err(|it| Failure::Ours(it.to_string()))?);
        } else {
            for it in &seen {
                say!("{}", explain::text(&check, it));
            }
        }
        let good = |it: &Seen| it.observation.reason.outcome().testimony() == Some(Testimony::Good);
        if seen.iter().all(good) { Ok(()) } else { Err(Failure::No) }
    }

    fn find(&self) -> Result<(Config, Arc<Check>), Failure> {
        if self.what.contains("://") {
            return self.ad_hoc();
        }
        let path = self.config.clone().unwrap_or_else(default_config);
        let config = load(&path)?;
        let check = config.roster.checks().find(|check| check.id.as_str() == self.what).cloned();
        let check = check.ok_or_else(|| {
            let near = config.roster.checks().map(|check| check.id.as_str());
            let near = near.max_by(|a, b| {
                let like = |id: &str| strsim::jaro_winkler(id, &self.what);
                like(a).total_cmp(&like(b))
            });
            let near = near.map(|id| format!("; the nearest is `{id}`")).unwrap_or_default();
            let what = &self.what;
            Failure::Config(format!(
                "no check `{what}` in {}{near}\nhelp: for a URL write its scheme: https://{what}",
                path.display()
            ))
        })?;
        Ok((config, check))
    }

    /// A check for a URL, under the monitor's settings of the configuration if one is named.
    fn ad_hoc(&self) -> Result<(Config, Arc<Check>), Failure> {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let keys = keys(&self.what, quoted).map_err(Failure::Usage)?;
        let timeout = quoted(&self.timeout);
        let text = format!(
            "[monitor]\nlisten = \"127.0.0.1:0\"\nvantage = \"cli\"\n[[owner]]\nid = \"cli\"\nname = \"cli\"\n\
             [[system]]\nid = \"cli\"\nowner = \"cli\"\nname = \"cli\"\n\
             [[system.check]]\nid = \"cli\"\ninterval = \"1h\"\ntimeout = {timeout}\n{keys}\n"
        );
        let mut made = config::parse_str("command line", &text)
            .map_err(|mistakes| Failure::Config(mistakes.to_string()))?;
        if let Some(path) = &self.config {
            made.monitor = load(path)?.monitor;
        }
        let check = made.roster.checks().next().cloned();
        check
            .map(|check| (made, check))
            .ok_or_else(|| Failure::Ours("no check was made".to_owned()))
    }
}

fn load(path: &std::path::Path) -> Result<Config, Failure> {
    config::load(path, &environment).map_err(|mistakes| Failure::Config(mistakes.to_string()))
}

/// The keys of a check for this URL.
fn keys(url: &str, quoted: impl Fn(&str) -> String) -> Result<String, String> {
    let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
    let rest = rest.trim_end_matches('/');
    Ok(match scheme {
        "http" | "https" => format!("kind = \"http\"\nurl = {}", quoted(url)),
        "tcp" | "tls" | "grpc" => {
            format!("kind = \"{scheme}\"\naddress = {}", quoted(rest))
        }
        "ws" | "wss" => format!("kind = \"websocket\"\nurl = {}", quoted(url)),
        "unix" => format!("kind = \"unix\"\npath = {}", quoted(rest)),
        "icmp" => format!("kind = \"icmp\"\nhost = {}", quoted(rest)),
        "dns" => format!("kind = \"dns\"\nquery = {}", quoted(rest)),
        other => {
            return Err(format!(
                "`{other}` is no scheme that can be probed: write http, https, ws, wss, tcp, unix, tls, icmp, dns or grpc"
            ));
        }
    })
}
