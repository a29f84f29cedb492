//! `thongsuot drill`: a test page along the real path, and whether somebody answered.

use clap::Args;
use jiff::SignedDuration;
use serde_json::json;
use tokio::time::{Duration, Instant, sleep};

use super::Failure;
use super::alerts::told::{Alert, Message, second};
use super::alerts::{Where, read};
use super::call::{Daemon, in_path};
use super::output::sayln;
use super::run::runtime;

/// Between two looks at whether somebody answered.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Longest wait: a drill that nobody answers is over after 15 minutes.
const WAIT_MAX: SignedDuration = SignedDuration::from_hours(1);

/// Send a test page along the real path, and wait until somebody acknowledges it.
#[derive(Debug, Args)]
#[command(after_help = "\
It goes to whoever is on call, with the steps and the second channels of a real page; nothing else \
is touched. Exit code 0: somebody acknowledged it; 1: nobody did in time.

Examples:
  thongsuot drill --who 'Nguyễn Văn An'
  thongsuot drill --team truc-dvc --who 'Nguyễn Văn An' --wait 5m")]
pub(super) struct Drill {
    /// Whose page; the first team if not given.
    #[arg(long)]
    team: Option<String>,
    /// Who asks for it.
    #[arg(long)]
    who: String,
    /// How long an answer is waited for, such as 90s or 15m; at most 1h.
    #[arg(long, default_value = "15m", value_parser = length)]
    wait: Duration,
    #[command(flatten)]
    place: Where,
}

fn length(text: &str) -> Result<Duration, String> {
    let length: SignedDuration =
        text.parse().map_err(|_| "write a number with its unit, such as 90s or 15m".to_owned())?;
    if length > WAIT_MAX {
        return Err("it is more than an hour: a drill is over after 15 minutes".to_owned());
    }
    Duration::try_from(length).map_err(|_| "it is less than nothing".to_owned())
}

impl Drill {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (daemon, looks) = (self.place.daemon()?, self.place.looks());
        let body = json!({ "who": self.who, "team": self.team }).to_string();
        let begun: Alert = read(&daemon.post("/api/v1/drill", body.into_bytes())?)?;
        let team = begun.team.as_deref().unwrap_or("-");
        let (sent, to) = (
            looks.pick("tin thử đã được gửi", "a test page goes out"),
            looks.pick("tới đội", "to"),
        );
        self.progress(&format!("{}: {sent} {to} {team}", begun.id));
        if begun.acknowledged.is_some() {
            let words = looks.pick(
                "lần thử trước vừa được tiếp nhận và chưa đóng: hãy thử lại sau vài phút",
                "the drill before it was just acknowledged and is not closed: try again in minutes",
            );
            return Err(Failure::Ours(words.to_owned()));
        }
        let ended = self.watch(&daemon, &begun.id)?;
        self.tell(ended)
    }

    /// Looks until somebody has it, it is over, or the wait is. What the last look saw.
    fn watch(&self, daemon: &Daemon, id: &str) -> Result<(String, Alert), Failure> {
        let (runtime, until) = (runtime()?, Instant::now() + self.wait);
        let path = format!("/api/v1/alerts/{}", in_path(id));
        let mut told: Vec<Message> = Vec::new();
        loop {
            let over = Instant::now() >= until;
            // A daemon that is being restarted goes on with the drill.
            let seen = match daemon.get(&path) {
                Err(why) if over => return Err(why),
                Err(_) => None,
                Ok(text) => Some((read::<Alert>(&text)?, text)),
            };
            if let Some((alert, text)) = seen {
                let looks = self.place.looks();
                for it in alert.messages.iter().filter(|it| it.status != "pending") {
                    if !told.contains(it) {
                        self.progress(&it.told(looks));
                        told.push(it.clone());
                    }
                }
                if over || alert.acknowledged.is_some() || alert.state == "closed" {
                    return Ok((text, alert));
                }
            }
            let rest = LOOK_EVERY.min(until.saturating_duration_since(Instant::now()));
            runtime.block_on(async { sleep(rest).await });
        }
    }

    fn tell(&self, (text, alert): (String, Alert)) -> Result<(), Failure> {
        let looks = self.place.looks();
        if self.place.json {
            sayln!("{text}");
        }
        let Some(ack) = &alert.acknowledged else {
            if !self.place.json {
                let words = looks.pick("KHÔNG AI tiếp nhận trong", "NOBODY acknowledged it in");
                let wait = SignedDuration::try_from(self.wait).unwrap_or(WAIT_MAX);
                sayln!("✖ {}: {words} {wait:#}", alert.id);
            }
            return Err(Failure::No);
        };
        if !self.place.json {
            let words = looks.pick("đã tiếp nhận lúc", "acknowledged it at");
            sayln!("✔ {}: {} {words} {}", alert.id, ack.by, second(&ack.at));
        }
        Ok(())
    }

    #[expect(clippy::print_stderr, reason = "the progress of a command")]
    fn progress(&self, text: &str) {
        if !self.place.json {
            eprintln!("{text}");
        }
    }
}
