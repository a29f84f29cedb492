//! `thongsuot maintenance`: announcing it in a terminal.

mod offline;
mod told;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::call::{Daemon, in_path};
use super::output::{say, sayln};
use super::status::Language;
use super::{Failure, default_config};
use crate::web::maintenance::Act as Asked;

/// Announce maintenance, list it, prolong it or take it back.
#[derive(Debug, Args)]
#[command(after_help = "\
Recorded at least the agreed notice (24 hours) before it begins, maintenance is left out of the \
figures; what is recorded later, or lasts longer than announced, is shown and not left out.

  thongsuot maintenance add --system vneid \\
      --from '2026-11-28 22:00' --to '2026-11-29 02:00' \\
      --notice 'TB 123/TB-C06' --who 'Nguyễn Văn A' --why 'nâng cấp'")]
pub(super) struct Maintenance {
    #[command(subcommand)]
    act: Act,
    #[command(flatten)]
    place: Where,
}

/// Which daemon, or whose data.
#[derive(Debug, Args)]
struct Where {
    /// Where the daemon serves.
    #[arg(long, global = true, default_value = "http://127.0.0.1:9247")]
    url: String,
    /// A file with the bearer token, if the daemon asks for one.
    #[arg(long, global = true)]
    token_file: Option<PathBuf>,
    /// The data folder of a daemon that is stopped, instead of a running daemon.
    #[arg(long, global = true, conflicts_with_all = ["url", "token_file"])]
    data: Option<PathBuf>,
    /// With --data: the configuration, which says what there is to maintain.
    #[arg(long, short, global = true, default_value_os_t = default_config())]
    config: PathBuf,
    /// The language of the words.
    #[arg(long, global = true, value_enum, default_value_t = Language::Vi)]
    lang: Language,
    /// Print the answer as JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Announce maintenance.
    Add {
        /// What is maintained.
        #[command(flatten)]
        scope: Scope,
        /// When it begins: RFC 3339, or local such as '2026-11-28 22:00'.
        #[arg(long)]
        from: String,
        /// When it ends.
        #[arg(long)]
        to: String,
        /// Number of the document that announces it.
        #[arg(long)]
        notice: Option<String>,
        #[command(flatten)]
        said: Said,
    },
    /// Show every announcement.
    List {
        /// Those that are over or cancelled, too.
        #[arg(long, short)]
        all: bool,
    },
    /// Let announced maintenance end later.
    Extend {
        /// Its id.
        id: String,
        /// The new end.
        #[arg(long)]
        to: String,
        #[command(flatten)]
        said: Said,
    },
    /// Take announced maintenance back, or end it now.
    Cancel {
        /// Its id.
        id: String,
        #[command(flatten)]
        said: Said,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Scope {
    /// A whole system.
    #[arg(long)]
    system: Option<String>,
    /// One check.
    #[arg(long)]
    check: Option<String>,
    /// Every check on a platform.
    #[arg(long)]
    platform: Option<String>,
}

#[derive(Debug, Args)]
struct Said {
    /// Who records it.
    #[arg(long)]
    who: String,
    /// What is done, or why.
    #[arg(long)]
    why: String,
}

impl Maintenance {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Self { act, place } = self;
        let vietnamese = place.lang == Language::Vi;
        let all = matches!(act, Act::List { all: true });
        let is_list = matches!(act, Act::List { .. });
        let act = act.asked();
        let text = match &place.data {
            Some(data) => offline::ask(data, &place.config, act)?,
            None => ask(&Daemon::new(&place.url, place.token_file.as_deref())?, act)?,
        };
        if place.json {
            sayln!("{text}");
            return Ok(());
        }
        let strange = |why| Failure::Ours(format!("the daemon answers something else: {why}"));
        let told = if is_list {
            let list: told::List = serde_json::from_str(&text).map_err(strange)?;
            told::list(&list, all, vietnamese)
        } else {
            told::one(&serde_json::from_str(&text).map_err(strange)?, vietnamese)
        };
        say!("{told}");
        Ok(())
    }
}

impl Act {
    /// The same as the API takes it.
    fn asked(self) -> Asked {
        let bytes = |body: Value| body.to_string().into_bytes();
        match self {
            Self::Add { scope, from, to, notice, said: Said { who, why } } => {
                let scopes = [
                    ("system", scope.system),
                    ("check", scope.check),
                    ("platform", scope.platform),
                ];
                let mut body = json!({ "from": from, "to": to, "who": who, "why": why });
                for (key, id) in scopes {
                    if let Some(id) = id {
                        body[key] = id.into();
                    }
                }
                if let Some(notice) = notice {
                    body["notice"] = notice.into();
                }
                Asked::Add(bytes(body))
            }
            Self::List { .. } => Asked::List,
            Self::Extend { id, to, said: Said { who, why } } => {
                Asked::Extend(id, bytes(json!({ "to": to, "who": who, "why": why })))
            }
            Self::Cancel { id, said: Said { who, why } } => {
                Asked::Cancel(id, bytes(json!({ "who": who, "why": why })))
            }
        }
    }
}

/// Asks a running daemon.
fn ask(daemon: &Daemon, act: Asked) -> Result<String, Failure> {
    const PATH: &str = "/api/v1/maintenance";
    match act {
        Asked::List => daemon.get(PATH),
        Asked::Add(body) => daemon.post(PATH, body),
        Asked::Extend(id, body) => daemon.post(&format!("{PATH}/{}/extend", in_path(&id)), body),
        Asked::Cancel(id, body) => daemon.post(&format!("{PATH}/{}/cancel", in_path(&id)), body),
    }
}
