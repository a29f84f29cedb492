//! What was recorded, in words: above all whether it leaves the figures.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;

/// What the daemon answers to a list.
#[derive(Debug, Deserialize)]
pub(super) struct List {
    maintenance: Vec<One>,
}

/// One announcement.
#[derive(Debug, Deserialize)]
pub(super) struct One {
    id: String,
    scope: Scope,
    from: String,
    to: String,
    notice: Option<String>,
    who: String,
    why: String,
    recorded: String,
    state: String,
    notice_ms: i64,
    back_dated: bool,
    excluded: Vec<Excluded>,
    overlaps: Vec<String>,
    zone: String,
}

#[derive(Debug, Deserialize)]
struct Scope {
    kind: String,
    id: String,
}

#[derive(Debug, Deserialize)]
struct Excluded {
    from: String,
    to: String,
}

/// Every announcement that still matters, or all of them.
pub(super) fn list(list: &List, all: bool, vietnamese: bool) -> String {
    let shown = list.maintenance.iter();
    let shown: Vec<_> =
        shown.filter(|it| all || matches!(it.state.as_str(), "planned" | "active")).collect();
    if shown.is_empty() {
        let none = if vietnamese {
            "Không có bảo trì nào đang diễn ra hoặc sắp tới.\n"
        } else {
            "No maintenance is under way or to come.\n"
        };
        return none.to_owned();
    }
    shown.into_iter().map(|it| one(it, vietnamese)).collect::<Vec<_>>().join("\n")
}

/// One announcement.
pub(super) fn one(it: &One, vi: bool) -> String {
    let zone = it.zone.as_str();
    let say =
        |vietnamese: &'static str, english: &'static str| if vi { vietnamese } else { english };
    let kind = match it.scope.kind.as_str() {
        "system" => say("hệ thống", "system"),
        "check" => say("phép đo", "check"),
        _ => say("nền tảng", "platform"),
    };
    let state = match it.state.as_str() {
        "planned" => say("sắp tới", "planned"),
        "active" => say("đang diễn ra", "under way"),
        "over" => say("đã xong", "over"),
        _ => say("đã hủy", "cancelled"),
    };
    let mut out = format!("{}  {state}  {kind} {}\n", it.id, it.scope.id);
    let mut line = |name: &str, text: &str| {
        let _ = writeln!(out, "  {name:<11} {text}");
    };
    line(say("thời gian", "time"), &format!("{} – {}", local(&it.from, zone), local(&it.to, zone)));
    line(say("lý do", "why"), &it.why);
    if let Some(notice) = &it.notice {
        line(say("thông báo", "notice"), notice);
    }
    let by = format!("{} · {}", it.who, local(&it.recorded, zone));
    line(say("ghi nhận", "recorded"), &by);
    line(say("số liệu", "figures"), &effect(it, vi));
    if !it.overlaps.is_empty() {
        line(say("trùng với", "overlaps"), &it.overlaps.join(", "));
    }
    out
}

/// Whether it leaves the figures.
fn effect(it: &One, vi: bool) -> String {
    let zone = it.zone.as_str();
    let hours = it.notice_ms / 3_600_000;
    let spans: Vec<_> = it
        .excluded
        .iter()
        .map(|it| format!("{} – {}", local(&it.from, zone), local(&it.to, zone)))
        .collect();
    match (spans.as_slice(), vi) {
        ([], true) if it.back_dated => {
            "KHÔNG được trừ: ghi nhận sau khi đã bắt đầu; chỉ được nêu trong báo cáo".to_owned()
        }
        ([], false) if it.back_dated => {
            "NOT left out: recorded after it began; only shown in reports".to_owned()
        }
        ([], true) => format!(
            "KHÔNG được trừ: không đủ {hours} giờ báo trước hoặc đã hủy; chỉ được nêu trong báo cáo"
        ),
        ([], false) => {
            format!("NOT left out: less than {hours} h notice, or cancelled; only shown in reports")
        }
        ([whole], true)
            if *whole == format!("{} – {}", local(&it.from, zone), local(&it.to, zone)) =>
        {
            format!("được trừ khỏi số liệu (đã báo trước ít nhất {hours} giờ)")
        }
        ([whole], false)
            if *whole == format!("{} – {}", local(&it.from, zone), local(&it.to, zone)) =>
        {
            format!("left out of the figures (at least {hours} h notice)")
        }
        (spans, true) => format!("chỉ trừ {}; phần còn lại báo muộn", spans.join(", ")),
        (spans, false) => format!("left out: {}; the rest came late", spans.join(", ")),
    }
}

/// An instant of the API by the clock of the monitor's zone, and how far that is from UTC.
fn local(text: &str, zone: &str) -> String {
    text.parse::<Timestamp>().map_or_else(
        |_| text.to_owned(),
        |at| {
            at.to_zoned_datetime(TimeZone::get(zone).unwrap_or(TimeZone::UTC))
                .strftime("%d/%m/%Y %H:%M %:z")
                .to_string()
        },
    )
}
