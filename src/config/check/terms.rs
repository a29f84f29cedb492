//! What is agreed of systems, and days off.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use crate::availability::burn::{RULES, Severity};
use crate::config::element::{self, clock, duration};
use crate::config::mistake::{Mistake, What};
use crate::config::note::NoteWhat;
use crate::config::outside::Desk;
use crate::config::raw::{Node, Value};
use crate::model::system::Objective;
use crate::model::terms::{DayKind, Holiday, Hours, Recurring, Terms, weekday_name};

/// Most days of one `[[holiday]]`.
const HOLIDAY_DAYS_MAX: i32 = 31;

/// Burn rates are recomputed for the period in use; the longest month is the strictest.
const PERIOD_MS_MAX: i64 = 31 * 86_400_000;

/// What `[terms]` of the main file says.
pub(super) fn defaults(desk: &mut Desk<'_>, root: Option<&Node>) -> Terms {
    match root.and_then(|root| root.get("terms")) {
        Some(node) => with(desk, node, Terms::default()),
        None => Terms::default(),
    }
}

/// What is agreed of the system at `node`.
pub(super) fn system(desk: &mut Desk<'_>, node: &Node, defaults: &Terms) -> Terms {
    let mut terms = with(desk, node, defaults.clone());
    terms.maintenance =
        node.list("maintenance").iter().filter_map(|it| recurring(desk, it)).collect();
    terms
}

fn with(desk: &mut Desk<'_>, node: &Node, mut terms: Terms) -> Terms {
    if let Some(hours) = node.get("hours").and_then(|it| hours(desk, it)) {
        terms.hours = hours;
    }
    let notice = node.text("notice").and_then(|text| duration::parse(text).ok());
    if let Some(notice) = notice.and_then(|it| i64::try_from(it.as_millis()).ok()) {
        terms.notice_ms = notice;
    }
    let coverage = node.text("coverage").and_then(|text| element::objective(text).ok());
    if let Some(coverage) = coverage {
        terms.coverage_ppm = 1_000_000 - i64::from(coverage.down_ppm());
    }
    terms
}

fn hours(desk: &mut Desk<'_>, node: &Node) -> Option<Hours> {
    match &node.value {
        Value::Text(word) if word == "24/7" => Some(Hours::Always),
        Value::Text(word) if word == "office" => Some(Hours::office()),
        Value::Table(_) => {
            let day = |offset: i8| {
                let day = Weekday::from_monday_zero_offset(offset).unwrap_or(Weekday::Monday);
                ranges(desk, node.list(weekday_name(day)))
            };
            let days: Vec<_> = (0..7).map(day).collect();
            Some(Hours::Weekly(Box::new(days.try_into().ok()?)))
        }
        _ => None,
    }
}

/// The hours of a day: rising and apart.
fn ranges(desk: &mut Desk<'_>, nodes: &[Node]) -> Vec<(u16, u16)> {
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    let mut earlier = "";
    for node in nodes {
        let Some(text) = node.as_text() else { continue };
        let Ok(range) = clock::range(text) else { continue };
        if ranges.last().is_some_and(|before| range.0 < before.1) {
            let (earlier, later) = (earlier.to_owned(), text.to_owned());
            desk.wrong(node.at, What::NotRising { key: "hours", earlier, later });
        }
        earlier = text;
        ranges.push(range);
    }
    ranges
}

fn recurring(desk: &mut Desk<'_>, node: &Node) -> Option<Recurring> {
    let (from_min, to_min) =
        (clock::minute(node.text("from")?).ok()?, clock::minute(node.text("to")?).ok()?);
    if from_min >= 1_440 || to_min == from_min {
        let at = node.get("from").map_or(node.at, |it| it.at);
        desk.wrong(at, What::EmptyWindow);
        return None;
    }
    Some(Recurring {
        every: clock::every(node.text("every")?).ok()?,
        from_min,
        to_min,
        notice: node.text("notice").map(element::nfc),
        why: element::nfc(node.text("why")?),
    })
}

/// Days off and days made up for, by date, each once.
pub(super) fn holidays<'a>(
    desk: &mut Desk<'_>,
    nodes: impl Iterator<Item = &'a Node>,
) -> Vec<Holiday> {
    let mut all: BTreeMap<Date, (Holiday, &Node)> = BTreeMap::new();
    for node in nodes {
        let Some(date) = node.get("date") else { continue };
        for holiday in days(desk, node).unwrap_or_default() {
            if let Some((_, first)) = all.get(&holiday.date) {
                let what = What::Duplicate { of: "holiday", id: holiday.date.to_string() };
                let first = first.get("date").map_or(first.at, |it| it.at);
                desk.mistakes.push(Mistake::new(date.at, what).and(first, "first described here"));
            } else {
                all.insert(holiday.date, (holiday, node));
            }
        }
    }
    all.into_values().map(|(holiday, _)| holiday).collect()
}

fn days(desk: &mut Desk<'_>, node: &Node) -> Option<Vec<Holiday>> {
    let first = clock::date(node.text("date")?).ok()?;
    let last = match node.get("until") {
        Some(until) => clock::date(until.as_text()?).ok()?,
        None => first,
    };
    let holiday = |date| {
        Some(Holiday {
            date,
            kind: DayKind::parse(node.text("kind").unwrap_or("off"))?,
            name: element::nfc(node.text("name")?),
            source: element::nfc(node.text("source")?),
        })
    };
    let length = first.until(last).map_or(-1, |it| it.get_days());
    if !(0..HOLIDAY_DAYS_MAX).contains(&length) {
        let at = node.get("until").map_or(node.at, |it| it.at);
        desk.wrong(at, What::HolidaySpan { days: HOLIDAY_DAYS_MAX });
        return None;
    }
    (0..=length).map(|day| first.checked_add(day.days()).ok().and_then(holiday)).collect()
}

/// An objective that no burn rule can ever alert on is refused; one that can't page is noted
/// (`docs/measurement.md`, "SLO and burn rate").
pub(super) fn objective(desk: &mut Desk<'_>, node: &Node) -> Option<Objective> {
    let written = node.get("objective")?;
    let objective = element::objective(written.as_text()?).ok()?;
    let can = |severity| {
        let mut rules = RULES.iter().filter(|it| severity == it.severity);
        rules.any(|it| it.can_fire(objective, PERIOD_MS_MAX))
    };
    let (page, ticket) = (can(Severity::Page), can(Severity::Ticket));
    let text = objective.to_string();
    if !page && !ticket {
        desk.wrong(written.at, What::NoRuleCanFire { objective: text });
    } else if !page {
        desk.note(written.at, NoteWhat::NoPage { objective: text });
    }
    Some(objective)
}
