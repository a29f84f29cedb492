//! Alerts as the fake knows them: one, that anybody may acknowledge once, and close after that.

use std::sync::atomic::Ordering;

use thongsuot::model::alerting::Language;
use thongsuot::web::duty::{
    Acknowledged, Act, ActError, AlertSeen, By, Duty, LinkSeen, LogSeen, MessageSeen, PersonSeen,
    TeamSeen,
};
use thongsuot::web::probe::{ProbeAsk, ProbeRefusal, Prober};

use super::fake::Shared;

/// The one link that is good, until somebody has the alert.
pub(super) const LINK: &str = "SC-2026-0001_1_an_00";

/// A link of an earlier round.
pub(super) const OLD_LINK: &str = "SC-2026-0001_0_an_00";

const HOLDER_OF_LINK: &str = "Nguyễn Văn <An>";

/// The one incident.
pub(super) const ALERT: &str = "SC-2026-0001";

fn text(text: &str) -> String {
    text.to_owned()
}

/// Minutes and seconds after 07:00Z of the day.
fn at(minute: u32, second: u32) -> String {
    format!("2026-11-24T07:{minute:02}:{second:02}.000Z")
}

fn message(person: Option<&str>, status: &'static str, second: u32, why: &str) -> MessageSeen {
    MessageSeen {
        purpose: text("page"),
        person: person.map(text),
        channel: text("zalo"),
        status,
        decided: at(48, 30),
        ended: (status != "pending").then(|| at(48, second)),
        attempts: if status == "failed" { 5 } else { 1 },
        why: Some(text(why)).filter(|it| !it.is_empty()),
    }
}

impl Shared {
    /// Who has it.
    fn holder(&self) -> String {
        let by_link = self.0.by_link.load(Ordering::SeqCst);
        text(if by_link { HOLDER_OF_LINK } else { "Nguyễn Văn An" })
    }

    fn one(&self) -> AlertSeen {
        let taken = self.0.taken.load(Ordering::SeqCst);
        let person = |by: &str| Acknowledged { at: at(58, 0), by: text(by), via: text("link") };
        let line = |at, what, details| LogSeen { at, what: text(what), text: text(details) };
        let mut log = vec![
            line(at(48, 30), "opened", "ThongsuotServiceDown page"),
            line(at(48, 30), "paged", "1.1.1: an"),
            line(at(53, 30), "paged", "1.1.2: binh, 0912***456"),
        ];
        log.extend(taken.then(|| line(at(58, 0), "acked", "an (link)")));
        AlertSeen {
            id: text(ALERT),
            title: text("[GIÁN ĐOẠN] Hệ thống <b>0001</b> – \"Đăng nhập\" & 'ký số'"),
            about: "service",
            subject: text("system-0001"),
            kind: text("down"),
            severity: "page",
            state: if taken { "acknowledged" } else { "open" },
            team: Some(text("noc")),
            since: at(48, 0),
            opened: at(48, 30),
            closed: None,
            acknowledged: taken.then(|| person(&self.holder())),
            cause: Some(text("SC-2026-0000")),
            parts: vec![text("SC-2026-0002")],
            flapping: false,
            maintenance: false,
            checks: vec![text("system-0001-check-0"), text("nobody-<knows>")],
            reason: Some(text("connect_refused")),
            unacknowledged_s: if taken { 0 } else { 690 },
            messages: vec![
                message(Some("an"), "sent", 31, ""),
                message(Some("binh"), "failed", 59, "gateway says <no>"),
                message(None, "pending", 0, ""),
            ],
            log,
        }
    }
}

impl Prober for Shared {
    async fn probe(&self, ask: ProbeAsk) -> Result<String, ProbeRefusal> {
        match ask.module.as_str() {
            "http_2xx" => Ok(format!("# {}\nprobe_success 1\n", ask.target)),
            "none" => Err(ProbeRefusal::NoModules),
            "killed" => Err(ProbeRefusal::Forbidden("killed".to_owned())),
            "full" => Err(ProbeRefusal::Full("raise `ulimit -n`".to_owned())),
            _ => Err(ProbeRefusal::Wrong("Unknown module".to_owned())),
        }
    }
}

impl Duty for Shared {
    fn alerts(&self) -> Vec<AlertSeen> {
        let open = AlertSeen { cause: None, ..self.one() };
        let of = |id: &str, cause: Option<&str>| AlertSeen {
            id: text(id),
            cause: cause.map(text),
            parts: Vec::new(),
            ..self.one()
        };
        let closed = AlertSeen {
            state: "closed",
            closed: Some(at(40, 0)),
            since: at(20, 0),
            ..of("SC-2026-0000", None)
        };
        vec![of("SC-2026-0002", Some(ALERT)), open, closed]
    }

    fn on_call(&self) -> Vec<TeamSeen> {
        let an = || PersonSeen { id: text("an"), name: text("Nguyễn Văn An") };
        let team = |id: &str, name: &str, on_call: Vec<_>, via: &str| TeamSeen {
            id: text(id),
            name: text(name),
            on_call,
            via: text(via),
            until: text("2026-11-25T01:00:00.000Z"),
            next: vec![an()],
        };
        vec![
            team("noc", "Trực ban", vec![an()], "layer 1"),
            team("ky-so", "Tổ <ký số>", Vec::new(), "fallback"),
        ]
    }

    fn language(&self) -> Language {
        self.0.language
    }

    fn name_of(&self, who: &str) -> String {
        text(match who {
            "an" => "Nguyễn Văn An",
            "binh" => "Trần Thị Bình",
            other => other,
        })
    }

    fn link(&self, token: &str) -> Result<LinkSeen, ActError> {
        if ![LINK, OLD_LINK].contains(&token) {
            return Err(ActError::Forged);
        }
        let alert = AlertSeen { cause: None, ..self.one() };
        let good = token == LINK && alert.acknowledged.is_none();
        let holds = alert.acknowledged.as_ref().is_some_and(|it| it.by == HOLDER_OF_LINK);
        Ok(LinkSeen { good, holds, alert, who: text(HOLDER_OF_LINK) })
    }

    async fn act(&self, by: By, act: Act) -> Result<AlertSeen, ActError> {
        self.0.acts.fetch_add(1, Ordering::SeqCst);
        match by {
            By::Named { id, .. } if id != ALERT => return Err(ActError::Unknown(id)),
            By::Link(token) if token == OLD_LINK => return Err(ActError::Used),
            By::Link(token) if token != LINK => return Err(ActError::Forged),
            By::Named { .. } | By::Link(_) => {}
        }
        let taken = self.0.taken.load(Ordering::SeqCst);
        match act {
            Act::Close if !taken => return Err(ActError::StillTrue),
            Act::Acknowledge if self.0.taken.swap(true, Ordering::SeqCst) => {
                return Err(ActError::Taken { by: self.holder() });
            }
            Act::Close | Act::Acknowledge => {}
        }
        Ok(self.one())
    }

    async fn drill(&self, team: Option<String>, _: String) -> Result<AlertSeen, ActError> {
        match team.as_deref() {
            None | Some("noc") => Ok(AlertSeen { about: "drill", ..self.one() }),
            Some(other) => {
                let hint = text("teams are: noc");
                Err(ActError::Wrong(format!("there is no team `{other}`"), hint))
            }
        }
    }
}
