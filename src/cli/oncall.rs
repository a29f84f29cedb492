//! `thongsuot oncall`: who is on call (ai đang trực).

mod table;

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use jiff::tz::TimeZone;
use serde_json::json;

use super::output::{say, sayln};
use super::report::id;
use super::status::Language;
use super::{Failure, default_config, environment};
use crate::alert::rota::{self, TeamOnCall};
use crate::clock::Clock;
use crate::config;
use crate::model::alerting::Alerting;
use crate::model::id::TeamId;
use crate::model::terms::Holiday;
use crate::model::time::Millis;
use crate::report::period::{instant, written};

/// Most days ahead: two years, of which a table is still read.
const DAYS_MAX: u16 = 731;

/// Say who is on call, until when, how they are reached, and who is next.
#[derive(Debug, Args)]
#[command(after_help = "\
It reads the configuration, and needs no running daemon. Nobody on call, in any of the \
teams shown, is exit code 1: then the fallback list is called.

Examples:
  thongsuot oncall
  thongsuot oncall --at '2027-02-06 03:00' --team truc-dvc
  thongsuot oncall --days 31 --json")]
pub(super) struct OnCall {
    /// As of this instant: RFC 3339, or local such as '2027-02-06 03:00'; now if not given.
    #[arg(long)]
    at: Option<String>,
    /// Only this team.
    #[arg(long)]
    team: Option<String>,
    /// How many days ahead are shown.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(0..=i64::from(DAYS_MAX)))]
    days: u16,
    /// The configuration.
    #[arg(long, short, default_value_os_t = default_config())]
    config: PathBuf,
    /// The language of the words.
    #[arg(long, value_enum, default_value_t = Language::Vi)]
    lang: Language,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How far `check` looks for holes in the rota.
const CHECK_DAYS: u16 = 60;

/// What is asked, of what.
struct Question<'a> {
    alerting: &'a Alerting,
    holidays: &'a [Holiday],
    zone: &'a TimeZone,
    zone_name: &'a str,
    at: Millis,
    days: u16,
    vietnamese: bool,
}

impl OnCall {
    pub(super) fn run(self) -> Result<(), Failure> {
        let config = config::load(&self.config, &environment)
            .map_err(|it| Failure::Config(it.to_string()))?;
        let monitor = &config.monitor;
        let at = match &self.at {
            Some(text) => instant(text, &monitor.timezone)?,
            None => Clock::System.now(),
        };
        let mut alerting = config.alerting.as_ref().clone();
        if let Some(team) = &self.team {
            only(&mut alerting, &id(team, TeamId::new)?)?;
        }
        let question = Question {
            alerting: &alerting,
            holidays: &config.roster.holidays,
            zone: &monitor.timezone,
            zone_name: &monitor.timezone_name,
            at,
            days: self.days,
            vietnamese: self.lang == Language::Vi,
        };
        let teams = question.teams();
        if self.json {
            let text = serde_json::to_string_pretty(&question.json(&teams));
            sayln!("{}", text.map_err(|why| Failure::Ours(why.to_string()))?);
        } else {
            say!("{}", table::text(&question));
        }
        let is_manned = |it: &TeamOnCall| it.now.via != "fallback";
        if !teams.is_empty() && teams.iter().all(is_manned) { Ok(()) } else { Err(Failure::No) }
    }
}

impl Question<'_> {
    fn teams(&self) -> Vec<TeamOnCall> {
        rota::view(self.alerting, self.holidays, self.zone, self.at, self.days)
    }

    fn json(&self, teams: &[TeamOnCall]) -> serde_json::Value {
        json!({
            "at": written(self.at, self.zone),
            "zone": self.zone_name,
            "days": self.days,
            "teams": teams,
        })
    }
}

/// The teams that have holes in the days ahead, for `thongsuot check`; empty if none has.
pub(super) fn holes(
    alerting: &Alerting,
    holidays: &[Holiday],
    zone: &TimeZone,
    at: Millis,
) -> String {
    let mut text = String::new();
    for team in &alerting.teams {
        let span = rota::ahead(zone, at, CHECK_DAYS);
        let holes = span.map(|it| rota::holes(team, holidays, zone, it)).unwrap_or_default();
        let Some(first) = holes.first() else { continue };
        if text.is_empty() {
            text.push_str("\nRota\n");
        }
        let times =
            if holes.len() == 1 { "once".to_owned() } else { format!("{} times", holes.len()) };
        let (from, to) = (written(first.start(), zone), written(first.end(), zone));
        let called = if team.fallback.is_empty() { "nobody" } else { "the fallback list" };
        let _ = write!(
            text,
            "  {}\n    nobody is on call {times} in {CHECK_DAYS} days; then {called} is called\n    \
             first from {from}\n    until      {to}\n",
            team.id
        );
    }
    text
}

/// Leaves only this team.
fn only(alerting: &mut Alerting, team: &TeamId) -> Result<(), Failure> {
    let known: Vec<String> = alerting.teams.iter().map(|it| format!("`{}`", it.id)).collect();
    alerting.teams.retain(|it| it.id == *team);
    if !alerting.teams.is_empty() {
        return Ok(());
    }
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(Failure::Usage(format!("no team `{team}` is configured: there are {known}")))
}

#[cfg(test)]
mod tests;
