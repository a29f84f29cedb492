//! Who is on call, for a terminal: 80 columns, in Vietnamese or English, without colour.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::{DateTime, Weekday};
use unicode_width::UnicodeWidthStr;

use super::Question;
use crate::alert::escalation::timetable;
use crate::alert::rota::{self, LOOK_AHEAD_MS, OnCallPerson, Shift, Via};
use crate::availability::number;
use crate::cli::tame::{cut, tame_line};
use crate::model::alerting::people::{Target, Team};
use crate::model::alerting::rules::Severity;
use crate::model::id::PersonId;
use crate::model::span::Span;
use crate::model::time::Millis;

/// Columns of a line.
const COLUMNS: usize = 80;

/// Columns of what a line is about.
const LABEL: usize = 14;

/// Columns of the day and the hours of a shift.
const WHEN: usize = 39;

/// The whole text.
pub(super) fn text(question: &Question<'_>) -> String {
    let mut page = Page { question, out: String::new() };
    page.head();
    for team in &question.alerting.teams {
        page.team(team);
    }
    page.out
}

struct Page<'a> {
    question: &'a Question<'a>,
    out: String,
}

impl Page<'_> {
    fn head(&mut self) {
        let at = self.civil(self.question.at);
        let title = self.pick("AI ĐANG TRỰC", "WHO IS ON CALL");
        let (day, zone) = (self.weekday(at), self.question.zone_name);
        let year = at.strftime(self.pick("/%Y %H:%M", " %Y %H:%M"));
        let _ = writeln!(self.out, "{title} · {day}{year} ({zone})");
        if self.question.alerting.teams.is_empty() {
            let none = self.pick(
                "Chưa có tổ trực nào trong cấu hình ([[team]]): không ai được gọi.",
                "No team is configured ([[team]]): nobody is called.",
            );
            let _ = writeln!(self.out, "\n{none}");
        }
    }

    fn team(&mut self, team: &Team) {
        let name = cut(&tame_line(&team.name), COLUMNS - 2 - team.id.as_str().width() - 3);
        let _ = writeln!(self.out, "\n{} ({})", name.to_uppercase(), team.id);
        let Question { holidays, zone, at, .. } = *self.question;
        let now = rota::who(team, holidays, zone, at);
        let until = (now.until < at.plus_ms(LOOK_AHEAD_MS)).then_some(now.until);
        self.now(&now.people, now.via, until);
        if let Some(from) = until {
            let next = rota::who(team, holidays, zone, from);
            let label = self.pick("tiếp theo", "next");
            let from = self.moment(from);
            let begins = self.pick("từ", "from");
            let text = format!("{}, {begins} {from}", self.who(&next.people, next.via));
            self.line(label, &text);
        }
        self.steps(team);
        self.ahead(team);
    }

    fn now(&mut self, people: &[PersonId], via: Via, until: Option<Millis>) {
        let label = self.pick("đang trực", "on call");
        let until = match until {
            Some(it) => format!(", {} {}", self.pick("đến", "until"), self.moment(it)),
            None => format!(", {}", self.pick("không đổi", "for good")),
        };
        let reason = self.reason(via);
        self.line(label, &format!("{}{until}{reason}", self.who(people, via)));
        for person in people {
            let person = OnCallPerson::new(self.question.alerting, person);
            let several = people.len() > 1;
            for (place, it) in person.contacts.iter().enumerate() {
                let whose = if several && place == 0 { &person.id } else { "" };
                let kind = if it.kind.is_empty() { "?" } else { it.kind };
                let mut text = format!("{} ({kind}) {}", it.channel, tame_line(&it.to));
                if it.after_ms > 0 {
                    let _ = write!(text, ", {}", self.later(it.after_ms));
                }
                if it.from != Severity::Page.as_str() {
                    text.push_str(self.pick(", cả phiếu", ", tickets too"));
                }
                if !whose.is_empty() {
                    text = format!("{whose}: {text}");
                }
                self.line("", &text);
            }
        }
    }

    fn steps(&mut self, team: &Team) {
        let mut said: Vec<String> = Vec::new();
        for (place, at) in timetable(team) {
            if place.turn > 0 && place.step < team.steps.len() {
                continue;
            }
            let when =
                if at == 0 { self.pick("ngay", "at once").to_owned() } else { self.later(at) };
            if let Some(step) = team.steps.get(place.step) {
                let to: Vec<String> = step.targets.iter().map(|it| self.target(it)).collect();
                said.push(format!("{when}: {}", to.join(", ")));
                continue;
            }
            if team.repeat > 0 {
                let again = self.pick("gọi lại từ đầu", "again from the beginning");
                said.push(format!("{again} ×{}", team.repeat));
            }
            let list = self.pick("danh sách dự phòng", "the fallback list");
            said.push(format!("{when}: {list} ({})", self.names(&team.fallback)));
        }
        let label = self.pick("các bước", "steps");
        self.line(label, &said.join("; "));
    }

    fn ahead(&mut self, team: &Team) {
        let Question { holidays, zone, at, days, .. } = *self.question;
        let shifts = rota::planned(team, holidays, zone, at, days);
        if shifts.is_empty() {
            return;
        }
        let title = match self.question.vietnamese {
            true => format!("{days} ngày tới"),
            false if days == 1 => "the next day".to_owned(),
            false => format!("the next {days} days"),
        };
        let _ = writeln!(self.out, "\n  {title}");
        let mut last = None;
        for shift in &shifts {
            let start = self.civil(shift.span.start());
            let day = (last != Some(start.date())).then(|| self.weekday(start));
            last = Some(start.date());
            let row = self.row(shift, &day.unwrap_or_default());
            let _ = writeln!(self.out, "{}", row.trim_end());
        }
        let holes: Vec<Span> =
            shifts.iter().filter(|it| it.via == Via::Fallback).map(|it| it.span).collect();
        if holes.is_empty() {
            return;
        }
        let hours: i64 = holes.iter().map(|it| it.length_ms()).sum();
        let text = match self.question.vietnamese {
            true => format!("! {} khoảng không có ai trực, {}", holes.len(), self.length(hours)),
            false if holes.len() == 1 => format!("! nobody on call once, {}", self.length(hours)),
            false => format!("! nobody on call {} times, {}", holes.len(), self.length(hours)),
        };
        let _ = writeln!(self.out, "  {text}");
    }

    fn row(&self, shift: &Shift, day: &str) -> String {
        let (start, end) = (self.civil(shift.span.start()), self.civil(shift.span.end()));
        let until = if start.date() == end.date() {
            end.strftime("%H:%M").to_string()
        } else {
            end.strftime(self.pick("%H:%M %d/%m", "%H:%M %d %b")).to_string()
        };
        let when = format!("  {}{} – {until}", pad(day, 15), start.strftime("%H:%M"));
        let who = match shift.via {
            Via::Fallback => {
                let nobody = self.pick("KHÔNG CÓ AI → ", "NOBODY → ");
                format!("{nobody}{}", self.names(&shift.people))
            }
            _ => format!("{}{}", self.names(&shift.people), self.reason(shift.via)),
        };
        format!("{}{}", pad(&when, WHEN), cut(&who, COLUMNS - WHEN))
    }

    /// Names and ids, or that nobody is on call.
    fn who(&self, people: &[PersonId], via: Via) -> String {
        let name = |id: &PersonId| format!("{} ({id})", self.name(id));
        let names: Vec<String> = people.iter().map(name).collect();
        match (via, people.is_empty()) {
            (Via::Fallback, true) => self.pick("KHÔNG CÓ AI", "NOBODY").to_owned(),
            (Via::Fallback, false) => {
                let nobody =
                    self.pick("KHÔNG CÓ AI; gọi dự phòng:", "NOBODY; the fallback is called:");
                format!("{nobody} {}", names.join(", "))
            }
            _ => names.join(", "),
        }
    }

    fn names(&self, people: &[PersonId]) -> String {
        if people.is_empty() {
            return self.pick("không có ai", "nobody").to_owned();
        }
        people.iter().map(|it| self.name(it)).collect::<Vec<_>>().join(", ")
    }

    fn name(&self, id: &PersonId) -> String {
        tame_line(&OnCallPerson::new(self.question.alerting, id).name)
    }

    fn target(&self, target: &Target) -> String {
        match target {
            Target::OnCall => self.pick("người đang trực", "who is on call").to_owned(),
            Target::Everyone => self.pick("cả tổ", "the whole team").to_owned(),
            Target::Person(id) => self.name(id),
            Target::Address(channel, to) => {
                format!("{channel} {}", tame_line(&rota::masked(to)))
            }
        }
    }

    /// Why it is this person, where that is worth saying.
    fn reason(&self, via: Via) -> String {
        match via {
            Via::Override(_) => self.pick(" (trực thay)", " (standing in)").to_owned(),
            Via::Layer(place) if place > 0 => {
                format!(" ({} {})", self.pick("lớp", "layer"), place + 1)
            }
            Via::Layer(_) | Via::Fallback => String::new(),
        }
    }

    /// A label and a text, broken at spaces.
    fn line(&mut self, label: &str, text: &str) {
        let mut line = format!("  {}", pad(label, LABEL));
        let mut is_first = true;
        for word in text.split(' ') {
            if !is_first && line.width() + 1 + word.width() > COLUMNS {
                let _ = writeln!(self.out, "{}", line.trim_end());
                line = " ".repeat(LABEL + 2);
                is_first = true;
            }
            if !is_first {
                line.push(' ');
            }
            line.push_str(&cut(word, COLUMNS - LABEL - 2));
            is_first = false;
        }
        let _ = writeln!(self.out, "{}", line.trim_end());
    }

    const fn pick<'t>(&self, vietnamese: &'t str, english: &'t str) -> &'t str {
        if self.question.vietnamese { vietnamese } else { english }
    }

    fn later(&self, length_ms: i64) -> String {
        let length = self.length(length_ms);
        if self.question.vietnamese { format!("sau {length}") } else { format!("after {length}") }
    }

    fn length(&self, length_ms: i64) -> String {
        let text = number::duration(length_ms);
        if self.question.vietnamese {
            return text;
        }
        let turned = [("ngày", "d"), ("giờ", "h"), ("phút", "min"), ("giây", "s")];
        turned.iter().fold(text, |text, (from, to)| text.replace(from, to))
    }

    fn civil(&self, at: Millis) -> DateTime {
        let instant = Timestamp::from_millisecond(at.0).unwrap_or_default();
        self.question.zone.to_datetime(instant)
    }

    /// `22:00 thứ Ba 24/11`.
    fn moment(&self, at: Millis) -> String {
        let civil = self.civil(at);
        format!("{} {}", civil.strftime("%H:%M"), self.weekday(civil))
    }

    /// `thứ Ba 24/11`.
    fn weekday(&self, civil: DateTime) -> String {
        let (vietnamese, english) = match civil.weekday() {
            Weekday::Monday => ("thứ Hai", "Mon"),
            Weekday::Tuesday => ("thứ Ba", "Tue"),
            Weekday::Wednesday => ("thứ Tư", "Wed"),
            Weekday::Thursday => ("thứ Năm", "Thu"),
            Weekday::Friday => ("thứ Sáu", "Fri"),
            Weekday::Saturday => ("thứ Bảy", "Sat"),
            Weekday::Sunday => ("Chủ nhật", "Sun"),
        };
        let day = civil.strftime(self.pick("%d/%m", "%d %b"));
        format!("{} {day}", self.pick(vietnamese, english))
    }
}

/// `text`, and spaces up to `columns`, at least one after any text.
fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(text.width()).max(usize::from(!text.is_empty()));
    format!("{text}{}", " ".repeat(missing))
}
