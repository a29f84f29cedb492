//! The words of pages, in Vietnamese and in English.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use url::form_urlencoded;

use crate::model::alerting::Language as Spoken;
use crate::model::outcome::Outcome;
use crate::model::reason::Reason;
use crate::model::state::State;
use crate::model::time::Millis;

/// A language of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Vietnamese,
    English,
}

/// The fixed words of a language.
pub(super) struct Words {
    pub(super) tag: &'static str,
    pub(super) title: &'static str,
    pub(super) updated: &'static str,
    pub(super) vantage: &'static str,
    pub(super) objective: &'static str,
    pub(super) maintenance: &'static str,
    pub(super) not_watched: &'static str,
    pub(super) disabled: &'static str,
    pub(super) not_critical: &'static str,
    pub(super) no_systems: &'static str,
    pub(super) last: &'static str,
    pub(super) legend: &'static str,
    /// The other language: where, its tag, its name.
    pub(super) other: (&'static str, &'static str, &'static str),
}

const VIETNAMESE: Words = Words {
    tag: "vi",
    title: "Toàn cảnh",
    updated: "Cập nhật lúc",
    vantage: "điểm đo",
    objective: "chỉ tiêu",
    maintenance: "đang bảo trì (đã thông báo)",
    not_watched: "không giám sát",
    disabled: "đang tắt",
    not_critical: "phép đo phụ",
    no_systems: "Chưa có hệ thống nào trong cấu hình.",
    last: "lần đo cuối",
    legend: "Trang tự tải lại sau mỗi 30 giây. “Không có dữ liệu” nghĩa là chưa đo được, không phải \
             là gián đoạn. Số liệu chính thức nằm trong báo cáo.",
    other: ("?lang=en", "en", "English"),
};

const ENGLISH: Words = Words {
    tag: "en",
    title: "Overview",
    updated: "Updated at",
    vantage: "vantage",
    objective: "objective",
    maintenance: "in maintenance (announced)",
    not_watched: "not watched",
    disabled: "disabled",
    not_critical: "not critical",
    no_systems: "There is no system in the configuration yet.",
    last: "last run",
    legend: "This page loads anew every 30 seconds. “No data” means that nothing could be \
             measured, not that the service is down. Official figures are in the reports.",
    other: ("?lang=vi", "vi", "Tiếng Việt"),
};

impl From<Spoken> for Language {
    fn from(spoken: Spoken) -> Self {
        match spoken {
            Spoken::Vietnamese => Self::Vietnamese,
            Spoken::English => Self::English,
        }
    }
}

impl From<Language> for Spoken {
    fn from(language: Language) -> Self {
        match language {
            Language::Vietnamese => Self::Vietnamese,
            Language::English => Self::English,
        }
    }
}

impl Language {
    /// The one that `?lang=` asks for, or else that of messages.
    pub(super) fn asked(query: Option<&str>, else_: Spoken) -> Self {
        let query = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let asked = query.filter(|it| it.0 == "lang").find_map(|it| match it.1.as_ref() {
            "vi" => Some(Self::Vietnamese),
            "en" => Some(Self::English),
            _ => None,
        });
        asked.unwrap_or_else(|| else_.into())
    }

    /// The Vietnamese or the English one.
    pub(super) const fn pick<'a>(self, vietnamese: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Vietnamese => vietnamese,
            Self::English => english,
        }
    }

    pub(super) const fn words(self) -> &'static Words {
        match self {
            Self::Vietnamese => &VIETNAMESE,
            Self::English => &ENGLISH,
        }
    }

    /// A state, to begin a line or stand alone.
    pub(super) const fn state(self, state: Option<State>) -> &'static str {
        match (self, state) {
            (_, None) => self.words().not_watched,
            (Self::Vietnamese, Some(state)) => state.vietnamese(),
            (Self::English, Some(State::Up)) => "up",
            (Self::English, Some(State::Slow)) => "slow",
            (Self::English, Some(State::Partial)) => "partly down",
            (Self::English, Some(State::Down)) => "down",
            (Self::English, Some(State::Unknown)) => "no data",
        }
    }

    /// What came of a run and why: `lỗi: chứng thư đã hết hạn`.
    pub(super) fn reason(self, reason: Reason) -> String {
        let outcome = reason.outcome();
        let alone = matches!(outcome, Outcome::Ok);
        match self {
            Self::Vietnamese if alone => outcome.vietnamese().to_owned(),
            Self::Vietnamese => format!("{}: {}", outcome.vietnamese(), reason.vietnamese()),
            Self::English if alone => outcome.as_str().to_owned(),
            Self::English => format!("{}: {}", outcome.as_str(), reason.as_str().replace('_', " ")),
        }
    }

    /// `từ 08:14 ngày 24/11/2026 (12 phút)`; a number stays with its unit.
    pub(super) fn since(self, since: Millis, now: Millis, zone: &TimeZone) -> String {
        let length = self.length(now.since(since));
        format!("{} {} ({length})", self.pick("từ", "since"), self.time(since, zone, false))
    }

    /// `2 ngày 2 giờ`: whole minutes, hours from a day on; a number stays with its unit.
    pub(super) fn length(self, length_ms: i64) -> String {
        let minutes = length_ms.max(0) / 60_000;
        let (days, hours, minutes) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
        let names = match self {
            Self::Vietnamese => ["ngày", "giờ", "phút"],
            Self::English => ["d", "h", "min"],
        };
        let parts = match (days, hours) {
            (0, 0) => vec![(minutes, names[2])],
            (0, _) => vec![(hours, names[1]), (minutes, names[2])],
            _ => vec![(days, names[0]), (hours, names[1])],
        };
        let length: Vec<_> =
            parts.iter().map(|(count, name)| format!("{count}\u{a0}{name}")).collect();
        length.join(" ")
    }

    /// `08:14 ngày 24/11/2026`, with seconds if `exact`.
    pub(super) fn time(self, at: Millis, zone: &TimeZone, exact: bool) -> String {
        let Ok(at) = Timestamp::from_millisecond(at.0) else { return String::new() };
        let format = match (self, exact) {
            (Self::Vietnamese, false) => "%H:%M ngày %d/%m/%Y",
            (Self::Vietnamese, true) => "%H:%M:%S ngày %d/%m/%Y",
            (Self::English, false) => "%H:%M on %Y-%m-%d",
            (Self::English, true) => "%H:%M:%S on %Y-%m-%d",
        };
        at.to_zoned_datetime(zone.clone()).strftime(format).to_string()
    }

    /// `0,42 giây`.
    pub(super) fn seconds(self, us: u32) -> String {
        let (whole, hundredths) = (us / 1_000_000, us / 10_000 % 100);
        match self {
            Self::Vietnamese => format!("{whole},{hundredths:02} giây"),
            Self::English => format!("{whole}.{hundredths:02} s"),
        }
    }

    /// `3 phép đo`.
    pub(super) fn checks(self, count: usize) -> String {
        match self {
            Self::Vietnamese => format!("{count} phép đo"),
            Self::English if count == 1 => "1 check".to_owned(),
            Self::English => format!("{count} checks"),
        }
    }

    /// Of a list that is cut.
    pub(super) fn more(self, count: usize) -> String {
        match self {
            Self::Vietnamese => format!("và {count} phép đo khác, xem /api/v1/checks"),
            Self::English => format!("and {count} more, see /api/v1/checks"),
        }
    }

    /// `99,9%`.
    pub(super) fn percent(self, percent: &str) -> String {
        match self {
            Self::Vietnamese => percent.replace('.', ","),
            Self::English => percent.to_owned(),
        }
    }
}

/// A sign that tells the state without colour.
pub(super) const fn mark(state: Option<State>) -> &'static str {
    match state {
        Some(State::Up) => "✓",
        Some(State::Slow) => "◷",
        Some(State::Partial) => "◐",
        Some(State::Down) => "✕",
        Some(State::Unknown) => "?",
        None => "–",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_tells_the_clock_and_the_length() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        let at = Millis(1_795_482_840_000);
        for (later_s, expected) in [
            (0, "từ 08:14 ngày 24/11/2026 (0 phút)"),
            (12 * 60 + 59, "từ 08:14 ngày 24/11/2026 (12 phút)"),
            (3 * 3_600 + 60, "từ 08:14 ngày 24/11/2026 (3 giờ 1 phút)"),
            (50 * 3_600, "từ 08:14 ngày 24/11/2026 (2 ngày 2 giờ)"),
            (-5, "từ 08:14 ngày 24/11/2026 (0 phút)"),
        ] {
            let now = at.plus_ms(later_s * 1_000);
            assert_eq!(Language::Vietnamese.since(at, now, &zone).replace('\u{a0}', " "), expected);
        }
        let english = Language::English.since(at, at.plus_ms(90_000_000), &zone);
        assert_eq!(english.replace('\u{a0}', " "), "since 08:14 on 2026-11-24 (1 d 1 h)");
    }
}
