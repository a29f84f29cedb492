//! `thongsuot report`: the figures of a period.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;

use super::output::Output;
use super::progress::Bar;
use super::status::Language;
use super::{Failure, environment};
use crate::availability::calendar::Calendar;
use crate::clock::Clock;
use crate::config;
use crate::history::Reader;
use crate::model::id::{OwnerId, SystemId};
use crate::model::time::Millis;
use crate::report::contract::Contract;
use crate::report::period::{Named, instant};
use crate::report::{self, Journal, ReportError, Request, csv, json, table};

/// Figures, incidents and maintenance of a period.
#[derive(Debug, Args)]
#[command(after_help = "\
Periods: 2026 (year), 2026-H2 (half), 2026-Q4 (quarter), 2026-10 (month), 2026-W41 (week), \
2026-10-05 (day). With `--calendar nd09` month M is from the 15th of the month before to the \
15th of M, as Nghị định 09/2019/NĐ-CP has it.

Examples:
  thongsuot report --period 2026-10
  thongsuot report --period 2026-Q4 --owner bca --format json -o quy-4.json
  thongsuot report --from 2026-10-05T07:30 --to 2026-10-05T09:00 --system vneid
It works beside a running daemon, and on a copy of its data folder.")]
pub(super) struct Report {
    #[command(flatten)]
    when: When,
    /// Only systems of this owner.
    #[arg(long)]
    owner: Option<String>,
    /// Only this system.
    #[arg(long)]
    system: Option<String>,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The language of the table.
    #[arg(long, value_enum, default_value_t = Language::Vi)]
    lang: Language,
    #[command(flatten)]
    past: Past,
    /// Write to this file, which is whole or not there.
    #[arg(long, short)]
    output: Option<PathBuf>,
}

/// Which period.
#[derive(Debug, Args)]
pub(super) struct When {
    /// The period by its name.
    #[arg(long, required_unless_present = "from", conflicts_with_all = ["from", "to"])]
    period: Option<String>,
    /// Which months are meant.
    #[arg(long, value_enum, default_value_t = CalendarName::Nd09)]
    calendar: CalendarName,
    /// Begin here instead: RFC 3339, or local time of the contract's zone.
    #[arg(long, requires = "to")]
    from: Option<String>,
    /// End here, not included.
    #[arg(long, requires = "from")]
    to: Option<String>,
}

/// Where the past is read from.
#[derive(Debug, Args)]
pub(super) struct Past {
    /// The data folder, or a copy of it.
    #[arg(long, default_value = "var")]
    pub(super) data: PathBuf,
    /// What was promised at times of which the journal tells no contract.
    #[arg(long, short)]
    pub(super) config: Option<PathBuf>,
    /// Judge a period that is not over as it stood then, instead of now.
    #[arg(long)]
    pub(super) as_of: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CalendarName {
    /// Months from the 15th to the 14th (Nghị định 09/2019/NĐ-CP, Điều 12).
    Nd09,
    /// Months of the calendar.
    Civil,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// Everything, in one form: equal reports are equal bytes.
    Json,
    /// For spreadsheets: one row a system, check and vantage.
    Csv,
}

impl Report {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (reader, journal) = self.past.open()?;
        let (_, zone) = report::zone_of(&journal)?;
        let period = self.when.named(&zone)?;
        let request = Request {
            period,
            now: self.past.now(&zone)?,
            owner: self.owner.as_deref().map(|it| id(it, OwnerId::new)).transpose()?,
            system: self.system.as_deref().map(|it| id(it, SystemId::new)).transpose()?,
            software: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let mut bar = Bar::new("report");
        let built = report::build(&reader, &journal, &request, &mut |it| {
            bar.tell(it.checks as u64, it.checks_total as u64);
        })?;
        drop(bar);
        let text = match self.format {
            Format::Table => table::text(&built, self.lang.into()),
            Format::Json => json::text(&built),
            Format::Csv => csv::text(&built),
        };
        write(self.output.as_deref(), &text)
    }
}

impl When {
    /// The period meant.
    pub(super) fn named(&self, zone: &TimeZone) -> Result<Named, ReportError> {
        let calendar = match self.calendar {
            CalendarName::Nd09 => Calendar::Nd09,
            CalendarName::Civil => Calendar::Civil,
        };
        match (&self.period, &self.from, &self.to) {
            (Some(name), ..) => Named::parse(name, calendar, zone),
            (None, from, to) => {
                let text = |it: &Option<String>| it.clone().unwrap_or_default();
                Named::between(&text(from), &text(to), zone)
            }
        }
    }
}

impl Past {
    /// The history, and what its journal says.
    pub(super) fn open(&self) -> Result<(Reader, Journal), Failure> {
        let reader = Reader::open(&self.data).map_err(|it| Failure::Ours(it.to_string()))?;
        let journal = Journal::read(&reader)?;
        let Some(path) = &self.config else { return Ok((reader, journal)) };
        let config =
            config::load(path, &environment).map_err(|it| Failure::Config(it.to_string()))?;
        let monitor = &config.monitor;
        let contract = Contract::of(
            &config.roster,
            &monitor.timezone_name,
            std::slice::from_ref(&monitor.vantage),
        );
        Ok((reader, journal.assuming(contract, config.fingerprint)))
    }

    /// The time that is taken for now.
    pub(super) fn now(&self, zone: &TimeZone) -> Result<Millis, Failure> {
        let now = Clock::System.now();
        match &self.as_of {
            None => Ok(now),
            Some(text) => match instant(text, zone)? {
                at if at <= now => Ok(at),
                _ => Err(Failure::Usage(format!("--as-of {text} is still to come"))),
            },
        }
    }
}

/// An id from the command line.
pub(super) fn id<T>(
    text: &str,
    new: impl Fn(&str) -> Result<T, crate::model::id::NotAnId>,
) -> Result<T, Failure> {
    new(text).map_err(|it| Failure::Usage(it.to_string()))
}

fn write(path: Option<&Path>, text: &str) -> Result<(), Failure> {
    let mut output = Output::open(path)?;
    match output.write_all(text.as_bytes()) {
        Err(why) if path.is_some() || why.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Ours(format!("can't write: {why}")))
        }
        _ => output.finish(),
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Period { .. }
            | ReportError::Future { .. }
            | ReportError::Unknown { .. }
            | ReportError::NoContract { .. } => Self::Usage(error.to_string()),
            other => Self::Ours(other.to_string()),
        }
    }
}

impl From<Language> for table::Language {
    fn from(language: Language) -> Self {
        match language {
            Language::Vi => Self::Vietnamese,
            Language::En => Self::English,
        }
    }
}
