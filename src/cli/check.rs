//! `thongsuot check` and `thongsuot schema`.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;

use super::output::{say, sayln};
use super::{Failure, default_config, environment, oncall};
use crate::app;
use crate::blackbox;
use crate::clock::Clock;
use crate::config::{self, Looks};

/// Say what a configuration means, or everything that is wrong with it.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// The configuration.
    #[arg(default_value_os_t = default_config())]
    file: PathBuf,
    /// The modules of `/probe` as well: a blackbox.yml, as for `thongsuot run`.
    #[arg(long, value_name = "FILE")]
    blackbox_config: Option<PathBuf>,
}

impl Check {
    pub(super) fn run(self) -> Result<(), Failure> {
        let config = config::load(&self.file, &environment).map_err(|mistakes| {
            Failure::Config(mistakes.render(looks(std::io::stderr().is_terminal())))
        })?;
        let unusable = app::unusable(&config.alerting);
        if !unusable.is_empty() {
            return Err(Failure::Config(unusable.join("\n")));
        }
        let modules = self.blackbox_config.map(|file| blackbox::read(&file, &environment));
        let modules = modules.transpose().map_err(|faults| Failure::Config(faults.to_string()))?;
        say!("{}", config::summary(&config));
        if let Some(modules) = modules {
            let names: Vec<_> = modules.names().collect();
            sayln!("/probe: modules: {}", names.join(", "));
            modules.notes.iter().for_each(|note| sayln!("  {note}"));
        }
        let (holidays, zone) = (&config.roster.holidays, &config.monitor.timezone);
        let now = Clock::System.now();
        say!("{}", oncall::holes(&config.alerting, holidays, zone, now));
        Ok(())
    }
}

/// Print the JSON Schema of the configuration.
pub(super) fn schema() -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(&config::schema());
    sayln!("{}", text.map_err(|why| Failure::Ours(why.to_string()))?);
    Ok(())
}

fn looks(colour: bool) -> Looks {
    Looks { colour, ..Looks::PLAIN }
}
