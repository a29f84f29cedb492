//! `thongsuot rules`: Prometheus rules made from what a configuration promises and asks to be told.

mod alerts;
mod classes;
mod monitor;
mod recording;
mod yaml;

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::output::Output;
use super::status::Language;
use super::{Failure, default_config, environment};
use crate::config::{self, Config};

/// The name of the file in `--out`.
const FILE: &str = "rules.yml";

/// Print recording and alert rules for Prometheus, made from a configuration.
#[derive(Debug, Args)]
#[command(after_help = "\
For shops where Prometheus evaluates alerts. It says what `[system.alert]` asks for: the same names, \
severities and teams as the alerts that thongsuot posts to an Alertmanager itself. Use one of the \
two, or people are told twice. The same configuration gives the same file, byte for byte.

Examples:
  thongsuot rules --config targets.toml --out /etc/prometheus/rules
  thongsuot rules | promtool check rules /dev/stdin")]
pub(super) struct Rules {
    /// The configuration.
    #[arg(long, short, default_value_os_t = default_config())]
    config: PathBuf,
    /// Write `rules.yml` in this folder, whole or not at all, instead of printing it.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The name of the scrape job in `prometheus.yml`.
    #[arg(long, default_value = "thongsuot", value_parser = job)]
    job: String,
    /// The language of summaries and descriptions.
    #[arg(long, value_enum, default_value_t = Language::Vi)]
    lang: Language,
}

impl Rules {
    pub(super) fn run(self) -> Result<(), Failure> {
        let config = config::load(&self.config, &environment)
            .map_err(|it| Failure::Config(it.to_string()))?;
        let path = self.out.as_ref().map(|it| it.join(FILE));
        let mut out = Output::open(path.as_deref())?;
        out.write_all(text(&config, &self.job, self.lang).as_bytes())
            .map_err(|why| Failure::Ours(format!("can't write: {why}")))?;
        out.finish()
    }
}

/// The whole file.
fn text(config: &Config, job: &str, language: Language) -> String {
    let words = Words { vietnamese: language == Language::Vi };
    let groups = [
        ("thongsuot-recording", recording::rules()),
        ("thongsuot-service", alerts::rules(config, words)),
        ("thongsuot-monitor", monitor::rules(job, words)),
    ];
    yaml::file(&groups)
}

/// One of the two languages.
#[derive(Clone, Copy, Debug)]
struct Words {
    vietnamese: bool,
}

impl Words {
    const fn pick(self, vietnamese: &'static str, english: &'static str) -> &'static str {
        if self.vietnamese { vietnamese } else { english }
    }
}

/// One rule.
#[derive(Clone, Debug, Default)]
struct Rule {
    /// The name of the series or of the alert.
    name: String,
    /// What is evaluated; perhaps several lines.
    expr: String,
    /// How long it must hold, in seconds; 0: at once. Alerts only.
    hold_s: i64,
    /// Labels of an alert; a rule without any records.
    labels: Vec<(&'static str, String)>,
    /// What people read. `{{ … }}` in it is Prometheus's own.
    annotations: Vec<(&'static str, String)>,
}

/// A job's name goes into selectors as it is.
fn job(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("a job's name is of letters, digits, `-`, `_`, `.` and `/` here".to_owned())
    }
}

#[cfg(test)]
mod tests;
