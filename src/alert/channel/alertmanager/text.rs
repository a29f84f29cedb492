//! What an alert says to people.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alert::book::{Ending, Incident, Said};
use crate::alert::condition::Kind;
use crate::model::alerting::Language;
use crate::model::check::Check;
use crate::model::id::CheckId;
use crate::model::reason::Reason;
use crate::model::time::Millis;

/// Most checks that are named.
const CHECKS_NAMED_MAX: usize = 10;

/// Checks by id, for their names.
pub(super) type Checks<'a> = BTreeMap<&'a CheckId, &'a Check>;

/// How to say it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    pub(super) language: Language,
    pub(super) zone: &'a TimeZone,
}

impl Words<'_> {
    /// One line: `[GIÁN ĐOẠN] VNeID: từ 08:14 ngày 23/11 (SC-2026-0012)`.
    pub(super) fn summary(self, incident: &Incident, name: &str) -> String {
        let (head, from) = (self.head(incident), self.from(incident.since));
        let number = &incident.id.0;
        match incident.closed {
            None => format!("[{head}] {name}: {from} ({number})"),
            Some(at) => {
                let until = self.pick("đến", "until");
                format!("[{head}] {name}: {from} {until} {} ({number})", self.time(at))
            }
        }
    }

    /// Some lines: what is true now, and what it has to do with others.
    pub(super) fn description(self, incident: &Incident, checks: &Checks<'_>) -> String {
        let mut lines: Vec<String> =
            incident.now.iter().map(|said| self.said(said, checks)).collect();
        if let Some(cause) = &incident.cause {
            let by = self.pick("Ảnh hưởng bởi sự cố", "Part of incident");
            lines.push(format!("{by} {}.", cause.incident.0));
        }
        if incident.maintained && incident.is_open() {
            lines.push(self.pick("Đang bảo trì.", "In maintenance.").to_owned());
        }
        if !incident.parts.is_empty() && incident.is_open() {
            let parts: Vec<&str> = incident.parts.iter().map(|it| it.0.as_str()).collect();
            let named = parts.get(..CHECKS_NAMED_MAX).unwrap_or(&parts).join(", ");
            let text = self.pick("sự cố liên quan", "incidents that are part of it");
            lines.push(format!("{} {text}: {named}.", parts.len()));
        }
        match &incident.ack {
            Some(ack) => {
                let by = self.pick("Đã tiếp nhận", "Acknowledged by");
                lines.push(format!("{by}: {}, {}.", ack.by, self.time(ack.at)));
            }
            None if incident.is_open() && incident.paged => {
                let nobody = "Chưa có người tiếp nhận.";
                lines.push(self.pick(nobody, "Nobody has acknowledged it.").to_owned());
            }
            None => {}
        }
        lines.join("\n")
    }

    /// `08:14 ngày 23/11`.
    pub(super) fn time(self, at: Millis) -> String {
        let at = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
        let at = self.zone.to_datetime(at);
        let (hour, minute) = (at.hour(), at.minute());
        match self.language {
            Language::Vietnamese => {
                format!("{hour:02}:{minute:02} ngày {}/{}", at.day(), at.month())
            }
            Language::English => {
                format!("{hour:02}:{minute:02} on {}-{:02}-{:02}", at.year(), at.month(), at.day())
            }
        }
    }

    fn from(self, since: Millis) -> String {
        format!("{} {}", self.pick("từ", "since"), self.time(since))
    }

    /// What is most worth knowing about it now.
    fn head(self, incident: &Incident) -> &'static str {
        match incident.ending {
            Some(Ending::Recovered) => return self.pick("ĐÃ KHÔI PHỤC", "RESTORED"),
            Some(Ending::ByHand) => return self.pick("ĐÃ ĐÓNG", "CLOSED"),
            Some(Ending::Removed) => return self.pick("THÔI GIÁM SÁT", "NO LONGER WATCHED"),
            None if incident.closed.is_some() => return self.pick("ĐÃ KHÔI PHỤC", "RESTORED"),
            None => {}
        }
        if incident.maintained {
            self.pick("BẢO TRÌ", "MAINTENANCE")
        } else if incident.cause.is_some() {
            self.pick("BỊ ẢNH HƯỞNG", "AFFECTED")
        } else if incident.flapping {
            self.pick("CHẬP CHỜN", "FLAPPING")
        } else {
            self.kind(incident.kind)
        }
    }

    fn kind(self, kind: Kind) -> &'static str {
        match kind {
            Kind::Drill => self.pick("DIỄN TẬP", "DRILL"),
            Kind::Monitor => self.pick("HỆ THỐNG GIÁM SÁT CÓ LỖI", "MONITOR TROUBLE"),
            Kind::Certificate => self.pick("CHỨNG THƯ SẮP HẾT HẠN", "CERTIFICATE ENDS"),
            Kind::ObjectiveAtRisk => {
                self.pick("CHỈ TIÊU CÓ NGUY CƠ KHÔNG ĐẠT", "OBJECTIVE AT RISK")
            }
            Kind::ObjectiveBroken => self.pick("KHÔNG ĐẠT CHỈ TIÊU", "OBJECTIVE BROKEN"),
            Kind::Coverage => self.pick("MẤT GIÁM SÁT", "COVERAGE LOST"),
            Kind::Slow => self.pick("CHẬM", "SLOW"),
            Kind::BurnSlow => self.pick("HAY GIÁN ĐOẠN", "BUDGET BURNS"),
            Kind::Partial => self.pick("GIÁN ĐOẠN MỘT PHẦN", "PARTLY DOWN"),
            Kind::BurnFast => self.pick("GIÁN ĐOẠN NHIỀU", "BUDGET BURNS FAST"),
            Kind::Down => self.pick("GIÁN ĐOẠN", "DOWN"),
        }
    }

    /// One thing that is true now. Numbers are left out: they change all the time.
    fn said(self, said: &Said, checks: &Checks<'_>) -> String {
        let mut text = format!("{}, {}", self.kind(said.kind), self.from(said.since));
        if let Some(reason) = said.reason().filter(|it| *it != Reason::None) {
            let reason = match self.language {
                Language::Vietnamese => reason.vietnamese(),
                Language::English => reason.as_str(),
            };
            text.push_str(": ");
            text.push_str(reason);
        }
        if let Some(why) = &said.why {
            text.push_str(" – ");
            text.push_str(why);
        }
        let names = said.checks.iter();
        let names = names.map(|id| checks.get(id).map_or(id.as_str(), |it| it.name.as_str()));
        let names: Vec<&str> = names.collect();
        if !names.is_empty() {
            let named = names.get(..CHECKS_NAMED_MAX).unwrap_or(&names).join(", ");
            let more = if names.len() > CHECKS_NAMED_MAX { ", …" } else { "" };
            text = format!("{text} ({named}{more})");
        }
        text
    }

    const fn pick(self, vietnamese: &'static str, english: &'static str) -> &'static str {
        match self.language {
            Language::Vietnamese => vietnamese,
            Language::English => english,
        }
    }
}

/// What the watchdog says.
pub(super) const fn watchdog(language: Language) -> &'static str {
    match language {
        Language::Vietnamese => "Hệ thống giám sát đang hoạt động; mất tín hiệu này là có sự cố.",
        Language::English => "The monitor works; if this stops, it does not.",
    }
}
