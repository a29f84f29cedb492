//! Who is on call, as the API and `thongsuot oncall --json` show it. Addresses are masked.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{LOOK_AHEAD_MS, OnCall, Via, who};
use crate::model::alerting::Alerting;
use crate::model::alerting::channel::{Channel, ChannelKind};
use crate::model::alerting::people::{Contact, Person, Team};
use crate::model::id::PersonId;
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
}

/// Who is on call from when to when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OnCallShift {
    /// From when, in UTC; of the present shift: the instant that was asked of.
    pub from: String,
    /// Until when, in UTC; `null`: nothing changes for 400 days.
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

/// Every team, or the one asked for, as of `at`.
#[must_use]
pub fn view(
    alerting: &Alerting,
    holidays: &[Holiday],
    zone: &TimeZone,
    at: Millis,
) -> Vec<TeamOnCall> {
    let team = |team: &Team| {
        let now = who(team, holidays, zone, at);
        let next = is_known(&now, at).then(|| {
            let then = who(team, holidays, zone, now.until);
            OnCallShift::new(alerting, &then, now.until)
        });
        TeamOnCall {
            id: team.id.as_str().to_owned(),
            name: team.name.clone(),
            now: OnCallShift::new(alerting, &now, at),
            next,
        }
    };
    alerting.teams.iter().map(team).collect()
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

impl OnCallShift {
    fn new(alerting: &Alerting, on_call: &OnCall, from: Millis) -> Self {
        let (via, place) = match on_call.via {
            Via::Layer(it) => ("layer", Some(it + 1)),
            Via::Override(it) => ("override", Some(it + 1)),
            Via::Fallback => ("fallback", None),
        };
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
pub(super) fn time(at: Millis) -> String {
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
