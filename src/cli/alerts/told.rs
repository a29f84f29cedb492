//! Incidents in words: 80 columns, and never by colour alone.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use unicode_width::UnicodeWidthStr;

use crate::model::alerting::Language;
use crate::web::story;

/// Columns of a line.
const COLUMNS: usize = 80;

/// What the daemon answers to a list.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct List {
    at: String,
    alerts: Vec<Alert>,
}

/// An incident.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Alert {
    pub(in crate::cli) id: String,
    title: String,
    severity: String,
    pub(in crate::cli) state: String,
    pub(in crate::cli) team: Option<String>,
    since: String,
    opened: String,
    closed: Option<String>,
    pub(in crate::cli) acknowledged: Option<Acknowledged>,
    cause: Option<String>,
    parts: Vec<String>,
    flapping: bool,
    maintenance: bool,
    checks: Vec<String>,
    reason: Option<String>,
    unacknowledged_s: i64,
    pub(in crate::cli) messages: Vec<Message>,
    log: Vec<Line>,
}

/// Who has it.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Acknowledged {
    pub(in crate::cli) at: String,
    pub(in crate::cli) by: String,
}

/// A message about it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(in crate::cli) struct Message {
    purpose: String,
    person: Option<String>,
    channel: String,
    pub(in crate::cli) status: String,
    decided: String,
    ended: Option<String>,
    attempts: u32,
    why: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Line {
    at: String,
    what: String,
    text: String,
}

/// How it is shown.
#[derive(Clone, Copy, Debug)]
pub(in crate::cli) struct Looks {
    pub(in crate::cli) colour: bool,
    pub(in crate::cli) vietnamese: bool,
}

impl Looks {
    pub(in crate::cli) const fn pick<'a>(self, vietnamese: &'a str, english: &'a str) -> &'a str {
        if self.vietnamese { vietnamese } else { english }
    }

    const fn language(self) -> Language {
        if self.vietnamese { Language::Vietnamese } else { Language::English }
    }

    fn coloured(self, colour: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Those that are open, or all of them.
pub(in crate::cli) fn list(list: &List, all: bool, looks: Looks) -> String {
    let shown: Vec<_> = list.alerts.iter().filter(|it| all || it.state != "closed").collect();
    let mut out: String = shown.iter().map(|it| brief(it, looks)).collect();
    if shown.is_empty() {
        out.push_str(looks.pick("Không có sự cố nào đang mở.\n", "No incident is open.\n"));
    }
    let waiting = shown.iter().filter(|it| it.waits()).count();
    let words = looks.pick("sự cố, chưa có người tiếp nhận:", "incidents, nobody has yet:");
    let _ = writeln!(out, "{} {words} {waiting} · {}", shown.len(), second(&list.at));
    out
}

/// One in a few lines.
pub(in crate::cli) fn brief(it: &Alert, looks: Looks) -> String {
    let (symbol, colour) = match (it.state.as_str(), it.severity.as_str()) {
        ("closed" | "calm", _) => ("●", "32"),
        (_, "page") => ("✖", "1;31"),
        (_, "ticket") => ("◑", "33"),
        _ => ("·", "2"),
    };
    let mut out = String::new();
    let symbol = looks.coloured(colour, symbol);
    let state = story::stands(looks.language(), &it.state);
    let (id, since) = (&it.id, second(&it.since));
    let _ = writeln!(out, "{symbol} {id}  {state}  {} {since}", looks.pick("từ", "since"));
    wrapped(&mut out, 2, 2, &it.title);
    wrapped(&mut out, 2, 2, &it.holder(looks));
    out
}

/// One, whole.
pub(in crate::cli) fn one(it: &Alert, looks: Looks) -> String {
    let mut out = brief(it, looks);
    let mut row = |name: &str, text: &str| {
        let pad = " ".repeat(13_usize.saturating_sub(name.width()));
        let _ = write!(out, "  {name}{pad}");
        wrapped(&mut out, 0, 15, text);
    };
    if let Some(reason) = &it.reason {
        row(looks.pick("lý do", "reason"), &story::reason(looks.language(), reason));
    }
    if !it.checks.is_empty() {
        row(looks.pick("phép đo", "checks"), &it.checks.join(", "));
    }
    if let Some(team) = &it.team {
        row(looks.pick("đội", "team"), team);
    }
    row(looks.pick("báo lúc", "first told"), &second(&it.opened));
    if let Some(closed) = &it.closed {
        row(looks.pick("đóng lúc", "closed"), &second(closed));
    }
    if it.flapping {
        row(looks.pick("chập chờn", "flapping"), looks.pick("có", "yes"));
    }
    if let Some(cause) = &it.cause {
        row(looks.pick("nguyên nhân", "cause"), cause);
    }
    if !it.parts.is_empty() {
        row(looks.pick("kéo theo", "with it"), &it.parts.join(", "));
    }
    if !it.log.is_empty() {
        let _ = writeln!(out, "\n{}", looks.pick("Diễn biến", "What happened"));
    }
    for line in &it.log {
        let text = story::happened(looks.language(), &line.what, &line.text);
        wrapped(&mut out, 2, 23, &format!("{}  {text}", second(&line.at)));
    }
    if !it.messages.is_empty() {
        let _ = writeln!(out, "\n{}", looks.pick("Tin đã gửi", "Messages"));
    }
    for message in &it.messages {
        let at = second(message.ended.as_ref().unwrap_or(&message.decided));
        wrapped(&mut out, 2, 23, &format!("{at}  {}", message.told(looks)));
    }
    out
}

impl Alert {
    /// Whether somebody should take it on, be it that nobody could be called.
    fn waits(&self) -> bool {
        let free = self.acknowledged.is_none() && self.closed.is_none();
        free && self.severity == "page" && self.cause.is_none() && !self.maintenance
    }

    fn holder(&self, looks: Looks) -> String {
        match &self.acknowledged {
            Some(Acknowledged { at, by }) => {
                let has = looks.pick("đã tiếp nhận lúc", "has it since");
                format!("{by} {has} {}", second(at))
            }
            None if self.closed.is_some() => {
                looks.pick("không ai tiếp nhận", "nobody acknowledged it").to_owned()
            }
            None if self.maintenance => looks
                .pick("đang bảo trì: không gọi ai", "in maintenance: nobody is called")
                .to_owned(),
            None if self.cause.is_some() => {
                looks.pick("gọi theo sự cố gốc", "called for its cause").to_owned()
            }
            None if self.severity == "page" => {
                let nobody = looks.pick("CHƯA CÓ NGƯỜI TIẾP NHẬN", "NOBODY HAS IT YET");
                let nobody = looks.coloured("1;31", nobody);
                match self.unacknowledged_s {
                    // Nobody was called, so nothing is measured.
                    0 => nobody,
                    s => format!("{nobody} ({} {})", s / 60, looks.pick("phút", "min")),
                }
            }
            None => looks.pick("xử lý trong giờ làm việc", "for working hours").to_owned(),
        }
    }
}

impl Message {
    /// `báo động · an · zalo · đã gửi`.
    pub(in crate::cli) fn told(&self, looks: Looks) -> String {
        let purpose = story::purpose(looks.language(), &self.purpose);
        let became = story::became(looks.language(), &self.status);
        let to = self.person.as_deref().map_or(String::new(), |it| format!("{it} · "));
        let why = self.why.as_deref().filter(|_| self.status != "sent");
        let why = why.map_or(String::new(), |it| format!(" – {it}"));
        let times =
            if self.attempts > 1 { format!(" (×{})", self.attempts) } else { String::new() };
        format!("{purpose} · {to}{} · {became}{times}{why}", self.channel)
    }
}

/// An instant in the zone of this terminal: `24/11/2026 14:48:30`.
pub(in crate::cli) fn second(written: &str) -> String {
    written.parse::<Timestamp>().map_or_else(
        |_| written.to_owned(),
        |at| at.to_zoned_datetime(TimeZone::system()).strftime("%d/%m/%Y %H:%M:%S").to_string(),
    )
}

/// Writes `text` from where `out` is, `indent` columns in, lines after the first `hang` columns in.
fn wrapped(out: &mut String, indent: usize, hang: usize, text: &str) {
    out.push_str(&" ".repeat(indent));
    let mut column = indent.max(if indent == 0 { hang } else { 0 });
    for (place, word) in text.split(' ').enumerate() {
        let width = word.width();
        if place > 0 && column + 1 + width > COLUMNS {
            let _ = write!(out, "\n{}", " ".repeat(hang));
            column = hang;
        } else if place > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::alerts::read;

    const EVIL: &str = "x\u{1b}[2J\u{7}\u{9b}\u{202e}\n\u{2066}y";

    fn alert(text: &str, state: &str) -> serde_json::Value {
        json!({
            "id": "SC-2026-0012", "title": text, "about": "service", "subject": "vneid",
            "kind": "down", "severity": "page", "state": state, "team": text,
            "since": "2026-11-24T07:48:00.000Z", "opened": text, "closed": null,
            "acknowledged": null, "cause": null, "parts": [text], "flapping": true,
            "maintenance": false, "checks": [text], "reason": "connect_refused",
            "unacknowledged_s": 690,
            "messages": [{
                "purpose": "page", "person": text, "channel": text, "status": "failed",
                "decided": text, "ended": null, "attempts": 5, "why": text,
            }],
            "log": [{ "at": text, "what": "paged", "text": text }],
        })
    }

    #[test]
    fn nothing_of_the_daemon_steers_the_terminal_and_lines_fit() {
        let long = "Hệ thống thông tin giải quyết thủ tục hành chính của thành phố ".repeat(3);
        for text in [EVIL, &long] {
            let list_text = json!({ "at": text, "alerts": [alert(text, "open")] }).to_string();
            for vietnamese in [true, false] {
                let looks = Looks { colour: false, vietnamese };
                let told = list(&read(&list_text).unwrap(), false, looks)
                    + &one(&read(&alert(text, "open").to_string()).unwrap(), looks);
                assert!(!told.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\u{2066}']));
                assert!(!told.contains("\ny"), "{told:?}");
                if text == EVIL {
                    assert!(told.lines().all(|it| it.width() <= COLUMNS), "{told}");
                }
            }
        }
    }

    #[test]
    fn what_nobody_was_called_for_waits_too() {
        let mut told_to_nobody = alert("A", "open");
        told_to_nobody["unacknowledged_s"] = json!(0);
        let text = json!({ "at": "x", "alerts": [told_to_nobody] }).to_string();
        let looks = Looks { colour: false, vietnamese: true };
        let told = list(&read(&text).unwrap(), false, looks);
        assert!(told.contains("  CHƯA CÓ NGƯỜI TIẾP NHẬN\n"), "{told}");
        assert!(told.contains("1 sự cố, chưa có người tiếp nhận: 1"), "{told}");
    }

    #[test]
    fn closed_ones_are_shown_only_if_asked_for() {
        let text = json!({ "at": "x", "alerts": [alert("A", "closed")] }).to_string();
        let looks = Looks { colour: false, vietnamese: true };
        let told = list(&read(&text).unwrap(), false, looks);
        assert!(told.starts_with("Không có sự cố nào đang mở.\n0 sự cố"), "{told}");
        assert!(list(&read(&text).unwrap(), true, looks).contains("● SC-2026-0012  đã đóng"));
    }
}
