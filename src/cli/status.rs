//! `thongsuot status`: the country at a glance, in a terminal.

mod table;

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Failure;
use super::call::Daemon;
use super::output::{say, sayln};

/// Show the country at a glance, from a running daemon.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// Where the daemon serves.
    #[arg(long, default_value = "http://127.0.0.1:9247")]
    url: String,
    /// A file with the bearer token, if the daemon asks for one.
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// The language of the words.
    #[arg(long, value_enum, default_value_t = Language::Vi)]
    lang: Language,
    /// Show each check, not only systems.
    #[arg(long, short)]
    checks: bool,
    /// Print the daemon's JSON as it is.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    /// Tiếng Việt.
    Vi,
    /// English.
    En,
}

impl Status {
    pub(super) fn run(self) -> Result<(), Failure> {
        let daemon = Daemon::new(&self.url, self.token_file.as_deref())?;
        let text = daemon.get("/api/v1/systems")?;
        if self.json {
            sayln!("{text}");
            return Ok(());
        }
        let mut country: table::Country = serde_json::from_str(&text)
            .map_err(|why| Failure::Ours(format!("{} answers something else: {why}", self.url)))?;
        country.tame();
        let looks = table::Looks {
            colour: std::io::stdout().is_terminal(),
            vietnamese: self.lang == Language::Vi,
            checks: self.checks,
        };
        say!("{}", table::text(&country, looks));
        Ok(())
    }
}
