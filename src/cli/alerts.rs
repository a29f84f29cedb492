//! `thongsuot alerts`: incidents in a terminal, and taking them on.

pub(super) mod told;

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Failure;
use super::call::{Daemon, in_path};
use super::output::{say, sayln};
use super::status::Language;
use super::tame::tame_line;

const PATH: &str = "/api/v1/alerts";

/// Show incidents, take one on (tiếp nhận), or close it.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples:
  thongsuot alerts                          what goes on, and who has it
  thongsuot alerts SC-2026-0012             one of them: what happened
  thongsuot alerts ack SC-2026-0012 --who 'Nguyễn Văn An'
  thongsuot alerts close SC-2026-0012 --who 'Nguyễn Văn An'
Once somebody has it nobody else is called.
It closes by itself when all is well again.")]
pub(super) struct Alerts {
    #[command(subcommand)]
    act: Option<Act>,
    /// Only this incident, whole: its number.
    id: Option<String>,
    /// Those that are closed, too: of the last seven days.
    #[arg(long, short, conflicts_with = "id")]
    all: bool,
    #[command(flatten)]
    place: Where,
}

/// Which daemon, and how its answer is shown.
#[derive(Debug, Args)]
pub(super) struct Where {
    /// Where the daemon serves.
    #[arg(long, default_value = "http://127.0.0.1:9247")]
    url: String,
    /// A file with the bearer token, if the daemon asks for one.
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// The language of the words.
    #[arg(long, value_enum, default_value_t = Language::Vi)]
    pub(super) lang: Language,
    /// Print the answer as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Take an incident on: nobody else is called.
    Ack(ByHand),
    /// Say that an incident is over.
    Close(ByHand),
}

#[derive(Debug, Args)]
struct ByHand {
    /// Its number.
    id: String,
    /// Who does it.
    #[arg(long)]
    who: String,
    #[command(flatten)]
    place: Where,
}

impl Alerts {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (text, place) = match self.act {
            Some(Act::Ack(it)) => it.done("acknowledge")?,
            Some(Act::Close(it)) => it.done("close")?,
            None => {
                let daemon = self.place.daemon()?;
                let text = match &self.id {
                    Some(id) => daemon.get(&format!("{PATH}/{}", in_path(id)))?,
                    None => daemon.get(PATH)?,
                };
                if self.place.json {
                    say!("{}", if self.all || self.id.is_some() { text } else { open(&text)? });
                    sayln!();
                    return Ok(());
                }
                let looks = self.place.looks();
                let told = match self.id {
                    Some(_) => told::one(&read(&text)?, looks),
                    None => told::list(&read(&text)?, self.all, looks),
                };
                (told, self.place)
            }
        };
        if place.json {
            sayln!("{text}");
        } else {
            say!("{text}");
        }
        Ok(())
    }
}

impl ByHand {
    /// Does it; the words, or the JSON if that is asked for.
    fn done(self, act: &str) -> Result<(String, Where), Failure> {
        let body = json!({ "who": self.who, "via": "cli" });
        let path = format!("{PATH}/{}/{act}", in_path(&self.id));
        let text = self.place.daemon()?.post(&path, body.to_string().into_bytes())?;
        if self.place.json {
            return Ok((text, self.place));
        }
        let told = told::brief(&read(&text)?, self.place.looks());
        Ok((told, self.place))
    }
}

impl Where {
    pub(super) fn daemon(&self) -> Result<Daemon, Failure> {
        Daemon::new(&self.url, self.token_file.as_deref())
    }

    pub(super) fn looks(&self) -> told::Looks {
        let colour = std::io::stdout().is_terminal();
        told::Looks { colour, vietnamese: self.lang == Language::Vi }
    }
}

/// What the daemon answers, without what would steer the terminal: it may not be ours.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    let strange =
        |why: serde_json::Error| Failure::Ours(format!("the daemon answers something else: {why}"));
    let mut value: Value = serde_json::from_str(text).map_err(strange)?;
    tame(&mut value);
    serde_json::from_value(value).map_err(strange)
}

fn tame(value: &mut Value) {
    match value {
        Value::String(text) => *text = tame_line(text),
        Value::Array(list) => list.iter_mut().for_each(tame),
        Value::Object(map) => map.values_mut().for_each(tame),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The list without those that are closed.
fn open(text: &str) -> Result<String, Failure> {
    let strange = |why| Failure::Ours(format!("the daemon answers something else: {why}"));
    let mut list: Value = serde_json::from_str(text).map_err(strange)?;
    if let Some(alerts) = list["alerts"].as_array_mut() {
        alerts.retain(|it| it["state"] != "closed");
    }
    Ok(list.to_string())
}
