//! Alerts as the fake knows them: one, that anybody may acknowledge once.

use std::sync::atomic::Ordering;

use thongsuot::web::duty::{
    Acknowledged, Act, ActError, AlertSeen, By, Duty, LinkSeen, LogSeen, MessageSeen, PersonSeen,
    TeamSeen,
};

use super::fake::Shared;

/// The one link that is good.
pub(super) const LINK: &str = "SC-2026-0001_1_an_00";

fn text(text: &str) -> String {
    text.to_owned()
}

impl Shared {
    fn one(&self) -> AlertSeen {
        let taken = self.0.taken.load(Ordering::SeqCst);
        let person = |by: &str| Acknowledged {
            at: text("2026-11-24T07:58:00.000Z"),
            by: text(by),
            via: text("link"),
        };
        AlertSeen {
            id: text("SC-2026-0001"),
            title: text("[GIÁN ĐOẠN] Hệ thống <b>0001</b>"),
            about: "service",
            subject: text("system-0001"),
            kind: text("down"),
            severity: "page",
            state: if taken { "acknowledged" } else { "open" },
            team: Some(text("noc")),
            since: text("2026-11-24T07:48:00.000Z"),
            opened: text("2026-11-24T07:48:30.000Z"),
            closed: None,
            acknowledged: taken.then(|| person("Nguyễn Văn An")),
            cause: None,
            parts: vec![text("SC-2026-0002")],
            flapping: false,
            maintenance: false,
            checks: vec![text("check-0001")],
            reason: Some(text("connect_refused")),
            unacknowledged_s: if taken { 0 } else { 690 },
            messages: vec![MessageSeen {
                purpose: text("page"),
                person: Some(text("an")),
                channel: text("zalo"),
                status: "sent",
                decided: text("2026-11-24T07:48:30.000Z"),
                ended: Some(text("2026-11-24T07:48:31.000Z")),
                attempts: 1,
                why: None,
            }],
            log: vec![LogSeen {
                at: text("2026-11-24T07:48:30.000Z"),
                what: text("opened"),
                text: text("ThongsuotServiceDown page"),
            }],
        }
    }
}

impl Duty for Shared {
    fn alerts(&self) -> Vec<AlertSeen> {
        vec![self.one()]
    }

    fn on_call(&self) -> Vec<TeamSeen> {
        let an = || PersonSeen { id: text("an"), name: text("Nguyễn Văn An") };
        vec![TeamSeen {
            id: text("noc"),
            name: text("Trực ban"),
            on_call: vec![an()],
            via: text("layer 1"),
            until: text("2026-11-25T01:00:00.000Z"),
            next: vec![an()],
        }]
    }

    fn link(&self, token: &str) -> Result<LinkSeen, ActError> {
        if token != LINK {
            return Err(ActError::Forged);
        }
        let alert = self.one();
        Ok(LinkSeen { good: alert.acknowledged.is_none(), alert, who: text("Nguyễn Văn An") })
    }

    async fn act(&self, by: By, act: Act) -> Result<AlertSeen, ActError> {
        match by {
            By::Named { id, .. } if id != "SC-2026-0001" => return Err(ActError::Unknown(id)),
            By::Link(token) if token != LINK => return Err(ActError::Forged),
            By::Named { .. } | By::Link(_) => {}
        }
        if act == Act::Close {
            return Err(ActError::StillTrue);
        }
        if self.0.taken.swap(true, Ordering::SeqCst) {
            return Err(ActError::Taken { by: text("Nguyễn Văn An") });
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
