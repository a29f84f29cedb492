//! The words of messages, in both languages side by side: what is told, and when.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alert::book::Ending;
use crate::alert::condition::Kind;
use crate::alert::facts::TroubleKind;
use crate::model::alerting::Language;
use crate::model::alerting::rules::Severity;
use crate::model::reason::Reason;
use crate::model::time::Millis;

/// A minute, an hour and a day in seconds.
const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 60 * MINUTE_S;
const DAY_S: i64 = 24 * HOUR_S;

/// The Vietnamese or the English one.
pub(super) const fn pick<'a>(language: Language, vietnamese: &'a str, english: &'a str) -> &'a str {
    match language {
        Language::Vietnamese => vietnamese,
        Language::English => english,
    }
}

/// What an incident is called in its subject: `gián đoạn`. Upper case is its label.
pub(super) const fn kind(language: Language, it: Kind) -> &'static str {
    let (vietnamese, english) = match it {
        Kind::Drill => ("diễn tập", "drill"),
        Kind::Monitor => ("lỗi giám sát", "monitor fault"),
        Kind::Certificate => ("chứng thư sắp hết hạn", "certificate ends"),
        Kind::ObjectiveAtRisk => ("nguy cơ không đạt chỉ tiêu", "objective at risk"),
        Kind::ObjectiveBroken => ("không đạt chỉ tiêu", "objective missed"),
        Kind::Coverage => ("mất giám sát", "coverage lost"),
        Kind::Slow => ("chậm", "slow"),
        Kind::BurnSlow => ("không ổn định", "unstable"),
        Kind::Partial => ("gián đoạn một phần", "partly down"),
        Kind::BurnFast => ("lỗi nhiều", "failing often"),
        Kind::Down => ("gián đoạn", "down"),
    };
    pick(language, vietnamese, english)
}

/// What an incident means, in a sentence; empty where its name says it all.
pub(super) const fn meaning(language: Language, it: Kind) -> &'static str {
    let (vietnamese, english) = match it {
        Kind::Drill => (
            "Đây là tin thử đường báo động. Không có sự cố nào. Hãy bấm tiếp nhận để xác nhận đã \
             nhận được tin.",
            "This is a test of the alerting path. Nothing is wrong. Acknowledge it to confirm \
             that it reached you.",
        ),
        Kind::Monitor => (
            "Hệ thống giám sát có lỗi: có thể bỏ sót sự cố cho tới khi được khắc phục.",
            "The monitor itself has a fault: outages may go unseen until it is mended.",
        ),
        Kind::Certificate => (
            "Khi chứng thư hết hạn, người dân sẽ không truy cập được.",
            "Once it has ended people can't reach the service.",
        ),
        Kind::ObjectiveAtRisk => (
            "Quỹ thời gian gián đoạn cho phép của kỳ này sắp hết.",
            "The budget for outages of this period is nearly used up.",
        ),
        Kind::ObjectiveBroken => (
            "Quỹ thời gian gián đoạn cho phép của kỳ này đã hết.",
            "The budget for outages of this period is used up.",
        ),
        Kind::Coverage => (
            "Không có số đo: không biết hệ thống hoạt động hay gián đoạn.",
            "Nothing is measured: whether the service works is not known.",
        ),
        Kind::BurnSlow => (
            "Lỗi rải rác đang dùng dần quỹ thời gian gián đoạn cho phép.",
            "Scattered faults use up the budget for outages slowly.",
        ),
        Kind::BurnFast => (
            "Lỗi đang dùng rất nhanh quỹ thời gian gián đoạn cho phép.",
            "Faults use up the budget for outages fast.",
        ),
        Kind::Partial => (
            "Một phần dịch vụ hoặc một số đường truy cập không hoạt động.",
            "A part of the service, or some ways to reach it, does not work.",
        ),
        Kind::Slow | Kind::Down => ("", ""),
    };
    pick(language, vietnamese, english)
}

/// How soon somebody must act.
pub(super) const fn urgency(language: Language, it: Severity) -> &'static str {
    let (vietnamese, english) = match it {
        Severity::Page => ("cần xử lý ngay", "act now"),
        Severity::Ticket => ("xử lý trong giờ làm việc", "act in working hours"),
        Severity::Info => ("để biết", "for information"),
    };
    pick(language, vietnamese, english)
}

/// What is wrong with the monitor.
pub(super) const fn trouble(language: Language, it: TroubleKind) -> &'static str {
    let (vietnamese, english) = match it {
        TroubleKind::HistoryNotCommitting => {
            ("không ghi được kết quả đo", "results can't be stored")
        }
        TroubleKind::ScheduleLate => ("phép đo chạy trễ", "checks start late"),
        TroubleKind::Blind => {
            ("điểm đo mất kết nối mạng", "the vantage point can't reach the network")
        }
        TroubleKind::ChannelFailing => ("kênh báo động không gửi được", "a channel can't deliver"),
        TroubleKind::AlertmanagerFailing => {
            ("Alertmanager không nhận cảnh báo", "Alertmanager does not accept alerts")
        }
        TroubleKind::AlertRefused => {
            ("Alertmanager từ chối một cảnh báo", "Alertmanager refused an alert")
        }
        TroubleKind::ConfigurationRefused => {
            ("cấu hình mới bị từ chối", "the new configuration was refused")
        }
        TroubleKind::RotaHole => ("không có người trực", "nobody is on call"),
        TroubleKind::PeerFailing => {
            ("hệ thống giám sát khác không trả lời", "another monitor does not answer")
        }
    };
    pick(language, vietnamese, english)
}

/// How an incident ended.
pub(super) const fn ending(language: Language, it: Ending) -> &'static str {
    let (vietnamese, english) = match it {
        Ending::Recovered => ("đã khôi phục", "recovered"),
        Ending::ByHand => ("đã đóng", "closed"),
        Ending::Removed => ("ngừng giám sát", "no longer watched"),
    };
    pick(language, vietnamese, english)
}

/// What a check found.
pub(super) fn reason(language: Language, it: Reason) -> String {
    match language {
        Language::Vietnamese => it.vietnamese().to_owned(),
        Language::English => it.as_str().replace('_', " "),
    }
}

/// The number of a condition in words; empty: none that says anything.
pub(super) fn number(language: Language, kind: Kind, number: Option<i64>) -> String {
    let Some(number) = number else { return String::new() };
    let vietnamese = matches!(language, Language::Vietnamese);
    match kind {
        Kind::Certificate => days_left(vietnamese, number),
        Kind::ObjectiveAtRisk if vietnamese => format!("quỹ còn lại {}", percent(true, number)),
        Kind::ObjectiveAtRisk => format!("{} of the budget is left", percent(false, number)),
        Kind::ObjectiveBroken if number >= 0 => String::new(),
        Kind::ObjectiveBroken if vietnamese => format!("vượt quỹ {}", percent(true, -number)),
        Kind::ObjectiveBroken => format!("over the budget by {}", percent(false, -number)),
        Kind::Coverage if vietnamese => format!("độ phủ đo {}", percent(true, number)),
        Kind::Coverage => format!("coverage {}", percent(false, number)),
        _ => String::new(),
    }
}

fn days_left(vietnamese: bool, days: i64) -> String {
    match (vietnamese, days) {
        (true, ..=-1) => format!("đã hết hạn {} ngày", -days),
        (true, 0) => "còn dưới 1 ngày".to_owned(),
        (true, _) => format!("còn {days} ngày"),
        (false, -1) => "ended 1 day ago".to_owned(),
        (false, ..=-1) => format!("ended {} days ago", -days),
        (false, 0) => "less than 1 day left".to_owned(),
        (false, 1) => "1 day left".to_owned(),
        (false, _) => format!("{days} days left"),
    }
}

/// Parts per million as a percentage with one decimal, cut down.
fn percent(vietnamese: bool, ppm: i64) -> String {
    let tenths = ppm.max(0) / 1_000;
    format!("{}{}{}%", tenths / 10, if vietnamese { ',' } else { '.' }, tenths % 10)
}

/// A length of time in its two largest units: `2 giờ 15 phút`.
pub(super) fn duration(language: Language, length_ms: i64) -> String {
    let seconds = length_ms.max(0) / 1_000;
    let units: [(i64, &str, &str); 4] =
        [(DAY_S, "ngày", "d"), (HOUR_S, "giờ", "h"), (MINUTE_S, "phút", "min"), (1, "giây", "s")];
    let first = units.iter().position(|(unit, ..)| seconds >= *unit).unwrap_or(3);
    let mut left = seconds;
    let mut words = Vec::new();
    for (unit, vietnamese, english) in units.iter().skip(first).take(2) {
        let count = left / unit;
        left %= unit;
        if count > 0 || words.is_empty() {
            words.push(format!("{count} {}", pick(language, vietnamese, english)));
        }
    }
    words.join(" ")
}

/// An instant as people write it: `08:14 ngày 23/11`; with the year if it is not this year's.
pub(super) fn instant(language: Language, zone: &TimeZone, at: Millis, now: Millis) -> String {
    let local =
        |at: Millis| Timestamp::from_millisecond(at.0).map(|it| it.to_zoned_datetime(zone.clone()));
    let (Ok(at_local), Ok(now)) = (local(at), local(now)) else { return at.to_string() };
    let format = match (language, at_local.year() == now.year()) {
        (Language::Vietnamese, true) => "%H:%M ngày %d/%m",
        (Language::Vietnamese, false) => "%H:%M ngày %d/%m/%Y",
        (Language::English, true) => "%H:%M on %-d %b",
        (Language::English, false) => "%H:%M on %-d %b %Y",
    };
    at_local.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_told_in_two_units() {
        for (ms, vietnamese, english) in [
            (-5, "0 giây", "0 s"),
            (45_999, "45 giây", "45 s"),
            (720_000, "12 phút", "12 min"),
            (750_000, "12 phút 30 giây", "12 min 30 s"),
            (8_100_000, "2 giờ 15 phút", "2 h 15 min"),
            (86_400_000 + 59_000, "1 ngày", "1 d"),
            (90_000_000, "1 ngày 1 giờ", "1 d 1 h"),
        ] {
            assert_eq!(duration(Language::Vietnamese, ms), vietnamese);
            assert_eq!(duration(Language::English, ms), english);
        }
    }

    #[test]
    fn instants_are_local_and_name_another_year() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        let at = Millis(1_795_396_440_000);
        let now = at.plus_ms(60_000);
        assert_eq!(instant(Language::Vietnamese, &zone, at, now), "08:14 ngày 23/11");
        assert_eq!(instant(Language::English, &zone, at, now), "08:14 on 23 Nov");
        let later = at.plus_ms(60 * 86_400_000);
        assert_eq!(instant(Language::Vietnamese, &zone, at, later), "08:14 ngày 23/11/2026");
    }

    #[test]
    fn numbers_are_told_by_what_they_count() {
        for (kind, count, words) in [
            (Kind::Certificate, 7, "còn 7 ngày"),
            (Kind::Certificate, 0, "còn dưới 1 ngày"),
            (Kind::Certificate, -2, "đã hết hạn 2 ngày"),
            (Kind::ObjectiveAtRisk, 125_999, "quỹ còn lại 12,5%"),
            (Kind::ObjectiveBroken, -30_000, "vượt quỹ 3,0%"),
            (Kind::Coverage, 875_000, "độ phủ đo 87,5%"),
            (Kind::Down, 3, ""),
        ] {
            assert_eq!(number(Language::Vietnamese, kind, Some(count)), words);
        }
    }
}
