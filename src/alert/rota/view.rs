//! Who is on call, as the API and `thongsuot oncall --json` show it: instants in UTC, addresses
//! masked.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{LOOK_AHEAD_MS, OnCall, Shift, Via, changes, wall, who};
use crate::model::alerting::Alerting;
use crate::model::alerting::channel::{Channel, ChannelKind};
use crate::model::alerting::people::{Contact, Person, Team};
use crate::model::id::PersonId;
use crate::model::span::Span;
use crate::model::terms::Holiday;
use crate::model::time::Millis;

/// Stars in place of what a mask hides; always as many, so that the length is hidden too.
const STARS: &str = "*****";

/// A team, and who of it is on call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TeamOnCall {
    /// The team's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Now.
    pub now: OnCallShift,
    /// After that; `null` if nothing changes for the next 400 days.
    pub next: Option<OnCallShift>,
    /// The shifts of the next days, the present one from now.
    pub shifts: Vec<PlannedShift>,
    /// The parts of the next days in which nobody is on call.
    pub holes: Vec<Hole>,
}

/// A shift of the next days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedShift {
    /// From when.
    pub from: String,
    /// Until when.
    pub until: String,
    /// As [`OnCallShift::via`].
    pub via: &'static str,
    /// As [`OnCallShift::place`].
    pub place: Option<usize>,
    /// Ids of the people.
    pub people: Vec<String>,
}

/// A time in which nobody is on call, and the fallback list is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hole {
    /// From when.
    pub from: String,
    /// Until when.
    pub until: String,
}

/// Who is on call from when to when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OnCallShift {
    /// From when; of the present shift: the instant that was asked of.
    pub from: String,
    /// Until when; `null`: nothing changes for 400 days.
    pub until: Option<String>,
    /// `layer`, `override`, or `fallback`: nobody is on call, and the fallback list is called.
    pub via: &'static str,
    /// Which layer or override, from 1.
    pub place: Option<usize>,
    /// Whom to call.
    pub people: Vec<OnCallPerson>,
}

/// Somebody who is on call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OnCallPerson {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// How they are reached.
    pub contacts: Vec<OnCallContact>,
}

/// A way to reach somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OnCallContact {
    /// The channel's id.
    pub channel: String,
    /// How it sends: `email`, or the preset such as `zalo-bot`; empty: there is no such channel.
    pub kind: &'static str,
    /// The address, masked.
    pub to: String,
    /// How long after a step it is used, in milliseconds.
    pub after_ms: i64,
    /// The quietest severity that uses it.
    pub from: &'static str,
}

/// Every team as of `at`, with its shifts of the next `days` days by the clock of `zone`.
#[must_use]
pub fn view(
    alerting: &Alerting,
    holidays: &[Holiday],
    zone: &TimeZone,
    at: Millis,
    days: u16,
) -> Vec<TeamOnCall> {
    let team = |team: &Team| {
        let now = who(team, holidays, zone, at);
        let next = is_known(&now, at).then(|| {
            let then = who(team, holidays, zone, now.until);
            OnCallShift::new(alerting, &then, now.until)
        });
        let planned = planned(team, holidays, zone, at, days);
        let is_hole = |it: &&Shift| it.via == Via::Fallback;
        TeamOnCall {
            id: team.id.as_str().to_owned(),
            name: team.name.clone(),
            now: OnCallShift::new(alerting, &now, at),
            next,
            shifts: planned.iter().map(PlannedShift::new).collect(),
            holes: planned.iter().filter(is_hole).map(|it| Hole::new(it.span)).collect(),
        }
    };
    alerting.teams.iter().map(team).collect()
}

/// The shifts of the next `days` days from `at` on. The last is whole, if its end is known.
#[must_use]
pub fn planned(
    team: &Team,
    holidays: &[Holiday],
    zone: &TimeZone,
    at: Millis,
    days: u16,
) -> Vec<Shift> {
    let ahead = ahead(zone, at, days);
    let mut shifts = ahead.map(|it| changes(team, holidays, zone, it)).unwrap_or_default();
    if let Some(last) = shifts.last_mut() {
        let start = last.span.start();
        let then = who(team, holidays, zone, start);
        let whole = Span::new(start, then.until).filter(|_| is_known(&then, start));
        last.span = whole.unwrap_or(last.span);
    }
    shifts
}

/// The next `days` days from `at` on, by the clock of `zone`; `None` for no days, or beyond the
/// years that can be reckoned with.
#[must_use]
pub fn ahead(zone: &TimeZone, at: Millis, days: u16) -> Option<Span> {
    let end = wall::shown(at, zone)?.checked_add(i64::from(days) * wall::DAY)?;
    Span::new(at, wall::first_at(end, zone)?)
}

/// An address of which nobody learns more than whose it is: `84*****678`,
/// `an*****@example.gov.vn`.
#[must_use]
pub fn masked(address: &str) -> String {
    let part = |text: &str, first: usize, last: usize| {
        let all: Vec<char> = text.chars().collect();
        let head = all.iter().take(first);
        let tail = all.iter().skip(all.len().saturating_sub(last));
        format!("{}{STARS}{}", head.collect::<String>(), tail.collect::<String>())
    };
    if let Some((name, domain)) = address.rsplit_once('@') {
        let shown = if name.chars().count() > 3 { 2 } else { 1 };
        return format!("{}@{domain}", part(name, shown, 0));
    }
    match address.chars().count() {
        0..=5 => STARS.to_owned(),
        6..=8 => part(address, 1, 2),
        _ => part(address, 2, 3),
    }
}

/// How a channel sends, in one word.
#[must_use]
pub fn kind(channel: &Channel) -> &'static str {
    match &channel.kind {
        ChannelKind::Email(_) => "email",
        ChannelKind::Http(it) => it.preset,
    }
}

/// Whether the end of a shift that was asked of at `at` is known.
fn is_known(on_call: &OnCall, at: Millis) -> bool {
    on_call.until < at.plus_ms(LOOK_AHEAD_MS)
}

/// The word of a reason, and the number of its layer or override, from 1.
const fn named(via: Via) -> (&'static str, Option<usize>) {
    match via {
        Via::Layer(it) => ("layer", Some(it + 1)),
        Via::Override(it) => ("override", Some(it + 1)),
        Via::Fallback => ("fallback", None),
    }
}

impl PlannedShift {
    fn new(it: &Shift) -> Self {
        let (via, place) = named(it.via);
        Self {
            from: time(it.span.start()),
            until: time(it.span.end()),
            via,
            place,
            people: it.people.iter().map(|it| it.as_str().to_owned()).collect(),
        }
    }
}

impl Hole {
    fn new(span: Span) -> Self {
        Self { from: time(span.start()), until: time(span.end()) }
    }
}

impl OnCallShift {
    fn new(alerting: &Alerting, on_call: &OnCall, from: Millis) -> Self {
        let (via, place) = named(on_call.via);
        Self {
            from: time(from),
            until: is_known(on_call, from).then(|| time(on_call.until)),
            via,
            place,
            people: on_call.people.iter().map(|it| OnCallPerson::new(alerting, it)).collect(),
        }
    }
}

impl OnCallPerson {
    /// Of somebody who is not in the configuration only the id is known.
    #[must_use]
    pub fn new(alerting: &Alerting, id: &PersonId) -> Self {
        let person = alerting.people.iter().find(|it| it.id == *id);
        let contact = |it: &Contact| OnCallContact {
            channel: it.channel.as_str().to_owned(),
            kind: alerting
                .channels
                .iter()
                .find(|one| one.id == it.channel)
                .map_or("", |it| kind(it)),
            to: masked(&it.to),
            after_ms: it.after_ms,
            from: it.from_severity.as_str(),
        };
        let contacts = |it: &Person| it.contacts.iter().map(contact).collect();
        Self {
            id: id.as_str().to_owned(),
            name: person.map_or_else(|| id.as_str().to_owned(), |it| it.name.clone()),
            contacts: person.map(contacts).unwrap_or_default(),
        }
    }
}

/// `at` in UTC: `2026-11-24T08:00:00.000Z`.
fn time(at: Millis) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
    Timestamp::from_millisecond(at.0)
        .map_or_else(|_| at.0.to_string(), |it| PRINTER.timestamp_to_string(&it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_hides_the_middle_and_the_length() {
        for (address, expected) in [
            ("84912345678", "84*****678"),
            ("8491234567", "84*****567"),
            ("an.nguyen@example.gov.vn", "an*****@example.gov.vn"),
            ("an@example.gov.vn", "a*****@example.gov.vn"),
            ("-100123", "-*****23"),
            ("12345", "*****"),
            ("", "*****"),
            ("trực-ban-01", "tr*****-01"),
        ] {
            assert_eq!(masked(address), expected, "{address}");
        }
    }
}
