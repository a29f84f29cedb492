//! An incident in words, for the pages: what, since when, where, who has it, what happened.

mod words;

pub use words::{became, happened, purpose, reason, stands};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::duty::{AlertSeen, Duty, LogSeen, MessageSeen};
use super::words::Language;
use crate::model::system::{Roster, System};
use crate::model::time::Millis;

/// What it takes to tell of incidents. Every text that it gives is plain, not yet HTML.
pub(super) struct Story<'a> {
    /// When it is told.
    pub(super) at: Millis,
    pub(super) roster: &'a Roster,
    pub(super) duty: &'a dyn Names,
    pub(super) language: Language,
    pub(super) zone: &'a TimeZone,
}

/// Who knows the names of people.
pub(super) trait Names {
    /// See [`Duty::name_of`].
    fn name_of(&self, who: &str) -> String;
}

impl<D: Duty> Names for D {
    fn name_of(&self, who: &str) -> String {
        Duty::name_of(self, who)
    }
}

impl Story<'_> {
    /// What is wrong: `gián đoạn`.
    pub(super) fn kind(&self, alert: &AlertSeen) -> String {
        let known = words::kind(self.language, &alert.kind);
        known.map_or_else(|| alert.kind.replace('_', " "), str::to_owned)
    }

    /// Its name, without the label that its colour and [`Self::kind`] say: `VNeID – Đăng nhập`.
    pub(super) fn title(alert: &AlertSeen) -> &str {
        let rest = alert.title.strip_prefix('[').and_then(|it| it.split_once("] "));
        rest.map_or(alert.title.as_str(), |it| it.1)
    }

    /// `Từ 08:14 ngày 24/11/2026 (12 phút)`; of one that is closed, from when to when.
    pub(super) fn since(&self, alert: &AlertSeen) -> String {
        let (since, until) = (millis(&alert.since), alert.closed.as_deref().map(millis));
        match until {
            None => self.language.since(since, self.at, self.zone),
            Some(until) => {
                let time = |at| self.language.time(at, self.zone, false);
                let length = self.language.length(until.since(since));
                let (from, to) =
                    (self.language.pick("từ", "from"), self.language.pick("đến", "to"));
                format!("{from} {} {to} {} ({length})", time(since), time(until))
            }
        }
    }

    /// An instant of an [`AlertSeen`] by the clock on the wall, with seconds.
    pub(super) fn time(&self, at: &str) -> String {
        self.language.time(millis(at), self.zone, true)
    }

    /// The system that it is about.
    pub(super) fn system(&self, alert: &AlertSeen) -> Option<&System> {
        let mut systems = self.roster.systems.iter();
        match alert.about {
            "certificate" => {
                systems.find(|it| it.checks.iter().any(|check| check.id.as_str() == alert.subject))
            }
            "service" | "coverage" | "objective" => {
                systems.find(|it| it.id.as_str() == alert.subject)
            }
            _ => None,
        }
    }

    /// The system and who answers for it: `VNeID · Bộ Công an`.
    pub(super) fn place(&self, alert: &AlertSeen) -> Option<String> {
        let system = self.system(alert)?;
        let owner = self.roster.owners.iter().find(|it| it.id == system.owner);
        let owner = owner.map_or(system.owner.as_str(), |it| &it.name);
        Some(format!("{} · {owner}", system.name))
    }

    /// What is wrong, as its first check says: `Lỗi: kết nối bị từ chối`.
    pub(super) fn reason(&self, alert: &AlertSeen) -> Option<String> {
        let reason = alert.reason.as_deref()?;
        Some(words::reason(self.language.into(), reason))
    }

    /// The checks that say so, by their names.
    pub(super) fn checks(&self, alert: &AlertSeen) -> Vec<String> {
        let known = |id: &String| {
            let check = self.roster.checks().find(|it| it.id.as_str() == id);
            check.map_or_else(|| id.clone(), |it| it.name.clone())
        };
        alert.checks.iter().map(known).collect()
    }

    /// Where it stands: `đang diễn ra`.
    pub(super) fn state(&self, alert: &AlertSeen) -> &'static str {
        words::stands(self.language.into(), alert.state)
    }

    /// Who has it: `Nguyễn Văn An đã tiếp nhận lúc …`, or that nobody has, or need have.
    pub(super) fn holder(&self, alert: &AlertSeen) -> String {
        let language = self.language;
        match &alert.acknowledged {
            Some(ack) => {
                let (has, at) =
                    (language.pick("đã tiếp nhận lúc", "has it since"), self.time(&ack.at));
                format!("{} {has} {at}", ack.by)
            }
            None if alert.closed.is_some() => {
                language.pick("không ai tiếp nhận", "nobody acknowledged it").to_owned()
            }
            None if alert.maintenance => {
                let words = "đang bảo trì: không gọi ai";
                language.pick(words, "in maintenance: nobody is called").to_owned()
            }
            None if alert.cause.is_some() => {
                let words = "gọi theo sự cố gốc";
                language.pick(words, "called for its cause").to_owned()
            }
            None if alert.severity == "page" => {
                language.pick("chưa có người tiếp nhận", "nobody has it yet").to_owned()
            }
            None => language.pick("xử lý trong giờ làm việc", "for working hours").to_owned(),
        }
    }

    /// Whether somebody should take it on.
    pub(super) fn waits(alert: &AlertSeen) -> bool {
        let called = alert.severity == "page" && !alert.maintenance && alert.cause.is_none();
        called && alert.acknowledged.is_none() && matches!(alert.state, "open" | "calm")
    }

    /// A line of what happened.
    pub(super) fn line(&self, line: &LogSeen) -> String {
        words::line(self.language, &line.what, &line.text, &|who| self.duty.name_of(who))
    }

    /// What became of a message: `báo động cho Nguyễn Văn An qua zalo: đã gửi`.
    pub(super) fn message(&self, it: &MessageSeen) -> String {
        let language = self.language;
        let purpose = words::purpose(language.into(), &it.purpose);
        let to = it.person.as_deref().map(|who| {
            let to = language.pick("cho", "to");
            format!(" {to} {}", self.duty.name_of(who))
        });
        let over = language.pick("qua", "over");
        let mut text = format!("{purpose}{} {over} {}: ", to.unwrap_or_default(), it.channel);
        text.push_str(words::became(language.into(), it.status));
        if it.attempts > 1 {
            let attempts = it.attempts.to_string();
            let words = language.pick(" sau {} lần thử", " after {} attempts");
            text.push_str(&words.replace("{}", &attempts));
        }
        if let Some(why) = it.why.as_deref().filter(|_| it.status != "sent") {
            text.push_str(" – ");
            text.push_str(why);
        }
        text
    }
}

/// An instant that the app wrote.
pub(super) fn millis(at: &str) -> Millis {
    Millis(at.parse::<Timestamp>().map_or(0, Timestamp::as_millisecond))
}
