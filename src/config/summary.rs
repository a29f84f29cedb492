//! What a configuration amounts to: who is watched, how often, and what is not.

use std::{collections::BTreeMap, fmt};

use super::Config;
use super::load::runs_a_minute;
use super::note::NoteWhat;
use super::render::tame;
use super::source::Position;
use crate::model::alerting::channel::ChannelKind;
use crate::model::alerting::{Alerting, Pager};

/// Hosts listed; of the others only the sum is told.
const HOSTS_SHOWN_MAX: usize = 20;

/// Notes of one kind that are told one by one; more become one line.
const NOTES_ALIKE_MAX: usize = 5;

/// Columns of the text.
const COLUMNS: usize = 80;

/// What a configuration amounts to. Displayed as text of 80 columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Number of owners.
    pub owners: usize,
    /// Number of systems.
    pub systems: usize,
    /// Number of directive tasks.
    pub directives: usize,
    /// Enabled checks by kind.
    pub enabled: BTreeMap<&'static str, usize>,
    /// Checks that do not run, by id, with the reason.
    pub disabled: Vec<(String, String)>,
    /// Runs a minute of all enabled checks, as written; the true figure is 1 % to 5 % higher.
    pub runs_a_minute: f64,
    /// Hosts by load, the heaviest first.
    pub hosts: Vec<HostLoad>,
    /// Most runs a minute that a host gets.
    pub cap: u32,
    /// Number of teams.
    pub teams: usize,
    /// Number of people.
    pub people: usize,
    /// Channels by kind.
    pub channels: BTreeMap<&'static str, usize>,
    /// Number of Alertmanagers.
    pub alertmanagers: usize,
    /// Who wakes people, in words.
    pub pages: String,
    /// Notes: where, what, and what can be done.
    pub notes: Vec<(Position, String, Option<String>)>,
    /// Names the configuration.
    pub fingerprint: String,
}

/// What one host gets.
#[derive(Clone, Debug, PartialEq)]
pub struct HostLoad {
    /// The host.
    pub host: String,
    /// Enabled checks against it.
    pub checks: usize,
    /// Their runs a minute.
    pub runs_a_minute: f64,
    /// Whether it is in the kill switch.
    pub killed: bool,
}

/// What `config` amounts to.
#[must_use]
pub fn summary(config: &Config) -> Summary {
    let roster = &config.roster;
    let mut enabled = BTreeMap::new();
    let mut hosts: BTreeMap<String, HostLoad> = BTreeMap::new();
    let mut all = 0.0;
    for check in roster.checks().filter(|check| check.disabled.is_none()) {
        *enabled.entry(check.spec.kind()).or_default() += 1;
        let runs = runs_a_minute(check);
        all += runs;
        let Some(host) = check.spec.host() else { continue };
        let load = hosts.entry(host.clone()).or_insert_with(|| HostLoad {
            killed: config.monitor.kill.contains(&host),
            host,
            checks: 0,
            runs_a_minute: 0.0,
        });
        load.checks += 1;
        load.runs_a_minute += runs;
    }
    let mut hosts: Vec<_> = hosts.into_values().collect();
    hosts.sort_by(|a, b| b.runs_a_minute.total_cmp(&a.runs_a_minute));
    let disabled = roster.checks().filter_map(|it| Some((it.id.to_string(), it.disabled.clone()?)));
    Summary {
        owners: roster.owners.len(),
        systems: roster.systems.len(),
        directives: roster.directives.len(),
        enabled,
        disabled: disabled.collect(),
        runs_a_minute: all,
        hosts,
        cap: config.monitor.per_host_per_minute,
        teams: config.alerting.teams.len(),
        people: config.alerting.people.len(),
        channels: channels(&config.alerting),
        alertmanagers: config.alerting.alertmanagers.len(),
        pages: pages(&config.alerting),
        notes: notes(config),
        fingerprint: config.fingerprint.clone(),
    }
}

fn channels(alerting: &Alerting) -> BTreeMap<&'static str, usize> {
    let mut channels = BTreeMap::new();
    for channel in &alerting.channels {
        let kind = match &channel.kind {
            ChannelKind::Email(_) => "email",
            ChannelKind::Http(http) => http.preset,
        };
        *channels.entry(kind).or_default() += 1;
    }
    channels
}

/// Who wakes people.
fn pages(alerting: &Alerting) -> String {
    match (alerting.pager, alerting.teams.first()) {
        (Pager::Alertmanager, None) => "by Alertmanager alone".to_owned(),
        (Pager::Alertmanager, Some(team)) => {
            format!("by Alertmanager; if it is gone, by this monitor: {} first", team.id)
        }
        (Pager::Direct, Some(team)) => {
            format!("by this monitor: {}, unless a system names another team", team.id)
        }
        (Pager::Direct, None) if alerting.alertmanagers.is_empty() => {
            "nobody: no team and no Alertmanager".to_owned()
        }
        (Pager::Direct, None) => "nobody but Alertmanager's receivers: no team".to_owned(),
    }
}

/// The notes in their order, those about systems that are not judged in one if they are many.
fn notes(config: &Config) -> Vec<(Position, String, Option<String>)> {
    let unjudged: Vec<&str> = config
        .notes
        .iter()
        .filter_map(|it| match &it.what {
            NoteWhat::NotJudged { system } => Some(system.as_str()),
            _ => None,
        })
        .collect();
    let fold = unjudged.len() > NOTES_ALIKE_MAX;
    let mut told = false;
    let mut notes = Vec::new();
    for note in &config.notes {
        let mut text = note.what.to_string();
        if fold && matches!(note.what, NoteWhat::NotJudged { .. }) {
            if std::mem::replace(&mut told, true) {
                continue;
            }
            text = format!(
                "{} systems are not judged (không giám sát), as they have no enabled critical \
                 check: {}",
                unjudged.len(),
                unjudged.join(", ")
            );
        }
        notes.push((config.position(note.at), text, note.what.help()));
    }
    notes
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let enabled: usize = self.enabled.values().sum();
        let kinds: Vec<_> = self.enabled.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
        let kinds =
            if kinds.is_empty() { String::new() } else { format!(": {}", kinds.join(", ")) };
        writeln!(f, "owners      {:>6}", self.owners)?;
        writeln!(f, "systems     {:>6}", self.systems)?;
        writeln!(f, "directives  {:>6}", self.directives)?;
        wrapped(f, &format!("checks      {enabled:>6}{kinds}"), 18)?;
        writeln!(f, "disabled    {:>6}", self.disabled.len())?;
        writeln!(f, "runs        {:>6} a minute", figure(self.runs_a_minute))?;
        self.write_alerting(f)?;
        writeln!(f, "fingerprint {:.16}…", self.fingerprint)?;
        self.write_hosts(f)?;
        if !self.disabled.is_empty() {
            writeln!(f, "\nDisabled checks")?;
            for (id, reason) in &self.disabled {
                wrapped(f, &format!("  {id}: {reason}"), 4)?;
            }
        }
        if !self.notes.is_empty() {
            writeln!(f, "\nNotes")?;
        }
        for (place, note, help) in &self.notes {
            let help = help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
            wrapped(f, &format!("  {place}: {note}{help}"), 4)?;
        }
        Ok(())
    }
}

impl Summary {
    fn write_alerting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [("teams", self.teams), ("people", self.people)];
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            writeln!(f, "{name:<12}{count:>6}")?;
        }
        let all: usize = self.channels.values().sum();
        if all > 0 {
            let kinds: Vec<_> =
                self.channels.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
            wrapped(f, &format!("channels    {all:>6}: {}", kinds.join(", ")), 18)?;
        }
        if self.alertmanagers > 0 {
            // One column wider than the others: the name is.
            writeln!(f, "Alertmanagers{:>5}", self.alertmanagers)?;
        }
        wrapped(f, &format!("pages       {}", self.pages), 12)
    }

    fn write_hosts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.hosts.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n{:<46} {:>6} {:>10}", "Hosts", "checks", "a minute")?;
        for load in self.hosts.iter().take(HOSTS_SHOWN_MAX) {
            // A host that is too long for its column gets a line of its own.
            if load.host.chars().count() > 44 {
                write!(f, "  {}\n{:46}", load.host, "")?;
            } else {
                write!(f, "  {:<44}", load.host)?;
            }
            let remark = match (load.killed, load.runs_a_minute > f64::from(self.cap)) {
                (true, _) => "  killed",
                (false, true) => "  over cap",
                (false, false) => "",
            };
            writeln!(f, " {:>6} {:>10}{remark}", load.checks, figure(load.runs_a_minute))?;
        }
        let rest = self.hosts.get(HOSTS_SHOWN_MAX..).unwrap_or_default();
        if !rest.is_empty() {
            let checks: usize = rest.iter().map(|load| load.checks).sum();
            let runs: f64 = rest.iter().map(|load| load.runs_a_minute).sum();
            let more = format!("… and {} more", rest.len());
            writeln!(f, "  {more:<44} {checks:>6} {:>10}", figure(runs))?;
        }
        Ok(())
    }
}

/// Runs a minute with as many decimals as they need.
fn figure(runs: f64) -> String {
    if runs >= 100.0 { format!("{runs:.0}") } else { format!("{runs:.1}") }
}

/// `text` in lines of at most 80 columns, later ones moved in by `indent`, without what would
/// steer a terminal.
fn wrapped(f: &mut fmt::Formatter<'_>, text: &str, indent: usize) -> fmt::Result {
    let text = &tame(text).replace('\n', " ");
    let start = text.len() - text.trim_start().len();
    let mut line = text[..start].to_owned();
    for word in text.trim().split(' ') {
        let width = line.chars().count();
        if width > indent && width + 1 + word.chars().count() > COLUMNS {
            writeln!(f, "{}", line.trim_end())?;
            line = " ".repeat(indent);
        } else if width > start {
            line.push(' ');
        }
        line += word;
    }
    writeln!(f, "{}", line.trim_end())
}
