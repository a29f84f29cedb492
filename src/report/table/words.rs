//! Words and numbers in the language asked for.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::availability::figures::{Fraction, Verdict};
use crate::availability::number;
use crate::model::outcome::Outcome;
use crate::model::reason::Reason;
use crate::model::system::Objective;
use crate::model::time::{Micros, Millis};

/// The language of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Tiếng Việt.
    Vietnamese,
    /// English.
    English,
}

/// A language, and the zone of its dates.
#[derive(Clone, Debug)]
pub(super) struct Words {
    pub(super) language: Language,
    pub(super) zone: TimeZone,
}

impl Words {
    pub(super) const fn pick<'a>(&self, vietnamese: &'a str, english: &'a str) -> &'a str {
        match self.language {
            Language::Vietnamese => vietnamese,
            Language::English => english,
        }
    }

    /// A number as the language writes it, from the Vietnamese form.
    fn turned(&self, text: String) -> String {
        match self.language {
            Language::Vietnamese => text,
            Language::English => {
                let turn = |c| match c {
                    ',' => '.',
                    '.' => ',',
                    other => other,
                };
                text.chars().map(turn).collect()
            }
        }
    }

    /// So many: English says one in another way.
    pub(super) fn count(&self, count: i64, vietnamese: &str, one: &str, many: &str) -> String {
        let english = if count == 1 { one } else { many };
        format!("{} {}", self.number(count), self.pick(vietnamese, english))
    }

    pub(super) fn percent(&self, share: Fraction) -> String {
        self.turned(number::percent(share))
    }

    pub(super) fn number(&self, count: i64) -> String {
        self.turned(number::thousands(count))
    }

    /// Thousandths as a percentage: `46,3%`.
    pub(super) fn thousandths(&self, it: i64) -> String {
        self.turned(format!("{}%", number::decimal(it.saturating_mul(100))))
    }

    pub(super) fn objective(&self, it: Objective) -> String {
        let text = it.to_string();
        match self.language {
            Language::Vietnamese => format!("mục tiêu {}", text.replace('.', ",")),
            Language::English => format!("objective {text}"),
        }
    }

    /// A length of time in words that stay on one line.
    pub(super) fn duration(&self, length_ms: i64) -> String {
        let text = number::duration(length_ms).replace(' ', "\u{a0}");
        match self.language {
            Language::Vietnamese => text,
            Language::English => {
                let turned = [
                    ("ngày", "d"),
                    ("giờ", "h"),
                    ("phút", "min"),
                    ("giây", "s"),
                    ("dưới", "under"),
                ];
                turned.iter().fold(text, |text, (from, to)| text.replace(from, to))
            }
        }
    }

    /// Microseconds as milliseconds, cut down: `84 ms`.
    pub(super) fn millis(&self, it: Micros) -> String {
        match it.0 {
            us @ 0..10_000 => {
                self.turned(format!("{}\u{a0}ms", number::decimal(i64::from(us / 100) * 100)))
            }
            us => format!("{}\u{a0}ms", self.number(i64::from(us / 1_000))),
        }
    }

    pub(super) fn instant(&self, at: Millis) -> String {
        self.shown(at, "%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M")
    }

    pub(super) fn second(&self, at: Millis) -> String {
        self.shown(at, "%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S")
    }

    fn shown(&self, at: Millis, vietnamese: &str, english: &str) -> String {
        let format = self.pick(vietnamese, english);
        Timestamp::from_millisecond(at.0).map_or_else(
            |_| at.to_string(),
            |it| it.to_zoned_datetime(self.zone.clone()).strftime(format).to_string(),
        )
    }

    pub(super) fn verdict(&self, it: Verdict) -> String {
        let english = match it {
            Verdict::Met => "MET",
            Verdict::Missed => "MISSED",
            Verdict::WithinError => "WITHIN THE ERROR OF MEASUREMENT",
            Verdict::NotEnoughData => "NOT ENOUGH DATA",
        };
        self.pick(&it.vietnamese().to_uppercase(), english).to_owned()
    }

    pub(super) const fn outcome(&self, it: Outcome) -> &'static str {
        match self.language {
            Language::Vietnamese => it.vietnamese(),
            Language::English => it.as_str(),
        }
    }

    pub(super) const fn reason(&self, it: Reason) -> &'static str {
        match self.language {
            Language::Vietnamese => it.vietnamese(),
            Language::English => it.as_str(),
        }
    }

    pub(super) const fn windows(&self) -> [&'static str; 4] {
        match self.language {
            Language::Vietnamese => ["1 phút", "5 phút", "1 giờ", "1 ngày"],
            Language::English => ["1 min", "5 min", "1 h", "1 d"],
        }
    }
}
