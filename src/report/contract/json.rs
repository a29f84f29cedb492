//! A contract as JSON: sorted keys, integers only; read strictly, so that nothing that was
//! promised is passed over.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::civil::Weekday;
use serde_json::{Map, Value, json};

use super::{Contract, Monthly, Party, Promise, Tested, Week};
use crate::availability::hours::DayKind;
use crate::model::check::Lane;
use crate::model::id::{CheckId, OwnerId, SystemId, VantageId};
use crate::model::system::Objective;

/// Why a JSON value is not a contract of this version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {fault}")]
pub struct NotAContract {
    /// Where in it, as keys and places with dots.
    pub at: String,
    /// What is wrong there.
    pub fault: String,
}

/// Weekdays as written, Monday first.
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// Minutes of a day.
const DAY_MIN: u16 = 1_440;

impl Contract {
    /// As JSON. Two contracts are equal if and only if these are.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let day = |(date, kind): (&Date, &DayKind)| {
            let as_on = match kind {
                DayKind::Off => "off",
                DayKind::WorkedLike(weekday) => {
                    WEEKDAYS.iter().find(|it| it.1 == *weekday).map_or("off", |it| it.0)
                }
            };
            json!({ "as_on": as_on, "date": date.to_string() })
        };
        let party = |it: &Party| json!({ "id": it.id.as_str(), "name": it.name });
        json!({
            "coverage_ppm": self.coverage_ppm,
            "holidays": self.holidays.iter().map(day).collect::<Vec<_>>(),
            "notice_ms": self.notice_ms,
            "owners": self.owners.iter().map(party).collect::<Vec<_>>(),
            "systems": self.systems.iter().map(|it| system(it)).collect::<Vec<_>>(),
            "vantages": self.vantages.iter().map(VantageId::as_str).collect::<Vec<_>>(),
            "version": 1,
            "zone": self.zone,
        })
    }

    /// Reads what [`Contract::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// [`NotAContract`] if a key is missing, unknown or of another kind, or says what can't be.
    pub fn from_json(value: &Value) -> Result<Self, NotAContract> {
        let mut top = Object::open("contract", value)?;
        let version = top.integer("version")?;
        if version != 1 {
            return Err(top.wrong("version", format!("{version}, this program reads version 1")));
        }
        let contract = Self {
            coverage_ppm: top.ranged("coverage_ppm", 0, 1_000_000)?,
            holidays: holidays(&mut top)?,
            notice_ms: top.ranged("notice_ms", 0, i64::MAX)?,
            owners: top.each("owners", |at, it| {
                let mut owner = Object::open(at, it)?;
                let id = owner.id("id", OwnerId::new)?;
                let name = owner.text("name")?;
                owner.close()?;
                Ok(Party { id, name })
            })?,
            systems: top.each("systems", |at, it| read_system(at, it).map(Arc::new))?,
            vantages: top.each("vantages", |at, it| {
                let text = it.as_str().ok_or_else(|| wrong(at, "not a text"))?;
                VantageId::new(text).map_err(|fault| wrong(at, fault))
            })?,
            zone: top.text("zone")?,
        };
        top.close()?;
        Ok(contract)
    }
}

fn system(promise: &Promise) -> Value {
    let mut value = json!({ "checks": promise.checks.iter().map(check).collect::<Vec<_>>() });
    if let Some(coverage_ppm) = promise.coverage_ppm {
        value["coverage_ppm"] = json!(coverage_ppm);
    }
    value["hours"] = promise.hours.as_ref().map_or(json!("always"), week);
    value["id"] = json!(promise.id.as_str());
    value["maintenance"] = promise.maintenance.iter().map(week).collect();
    if !promise.monthly.is_empty() {
        value["monthly"] = promise.monthly.iter().map(|it| it.to_json()).collect();
    }
    value["name"] = json!(promise.name);
    if let Some(notice_ms) = promise.notice_ms {
        value["notice_ms"] = json!(notice_ms);
    }
    if let Some(objective) = promise.objective {
        value["objective_ppm"] = json!(1_000_000 - objective.down_ppm());
    }
    value["owner"] = json!(promise.owner.as_str());
    value
}

fn check(check: &Tested) -> Value {
    let mut value = json!({
        "confirm": check.confirm,
        "critical": check.critical,
        "enabled": check.enabled,
        "id": check.id.as_str(),
        "interval_ms": check.interval_ms,
        "lanes": check.lanes.iter().map(|it| it.as_str()).collect::<Vec<_>>(),
        "name": check.name,
    });
    if let Some(platform) = &check.platform {
        value["platform"] = json!(platform);
    }
    value
}

pub(super) fn week(week: &Week) -> Value {
    let days = week.iter().map(|day| day.iter().map(|it| json!([it.0, it.1])).collect());
    Value::Array(days.map(Value::Array).collect())
}

fn read_system(at: &str, value: &Value) -> Result<Promise, NotAContract> {
    let mut top = Object::open(at, value)?;
    let objective = match top.optional("objective_ppm") {
        None => None,
        Some(it) => {
            let ppm = it.as_u64().and_then(|it| u32::try_from(it).ok());
            let objective =
                ppm.and_then(|it| Objective::from_down_ppm(1_000_000_u32.checked_sub(it)?));
            Some(objective.ok_or_else(|| top.wrong("objective_ppm", "not from 1 to 1000000"))?)
        }
    };
    let promise = Promise {
        objective,
        coverage_ppm: top.optional_ranged("coverage_ppm", 0, 1_000_000)?,
        notice_ms: top.optional_ranged("notice_ms", 0, i64::MAX)?,
        monthly: match top.optional("monthly") {
            None => Vec::new(),
            Some(_) => top.each("monthly", read_monthly)?,
        },
        checks: top.each("checks", read_check)?,
        hours: match top.take("hours")? {
            Value::String(text) if text == "always" => None,
            hours => Some(read_week(&top.at("hours"), hours)?),
        },
        id: top.id("id", SystemId::new)?,
        maintenance: top.each("maintenance", read_week)?,
        name: top.text("name")?,
        owner: top.id("owner", OwnerId::new)?,
    };
    top.close()?;
    Ok(promise)
}

fn read_check(at: &str, value: &Value) -> Result<Tested, NotAContract> {
    let mut top = Object::open(at, value)?;
    let lane = |at: &str, it: &Value| {
        let known = Lane::ALL.iter().find(|lane| it.as_str() == Some(lane.as_str()));
        known.copied().ok_or_else(|| wrong(at, "not one of any, v4, v6"))
    };
    let platform = match top.optional("platform") {
        None => None,
        Some(it) => {
            Some(it.as_str().ok_or_else(|| top.wrong("platform", "not a text"))?.to_owned())
        }
    };
    let confirm = top.ranged("confirm", 1, i64::from(u8::MAX))?;
    let check = Tested {
        confirm: u8::try_from(confirm).unwrap_or(u8::MAX),
        critical: top.flag("critical")?,
        enabled: top.flag("enabled")?,
        id: top.id("id", CheckId::new)?,
        interval_ms: top.ranged("interval_ms", 1, i64::MAX)?,
        lanes: top.each("lanes", lane)?,
        name: top.text("name")?,
        platform,
    };
    top.close()?;
    Ok(check)
}

fn read_week(at: &str, value: &Value) -> Result<Week, NotAContract> {
    let fault = || wrong(at, "not seven lists of [from, to) in minutes of a day, Monday first");
    let days = value.as_array().filter(|it| it.len() == 7).ok_or_else(fault)?;
    let mut week = Week::default();
    for (read, day) in week.iter_mut().zip(days) {
        for hours in day.as_array().ok_or_else(fault)? {
            let minute = |place: usize| {
                let minute = hours.get(place)?.as_u64()?;
                u16::try_from(minute).ok().filter(|it| *it <= DAY_MIN)
            };
            let pair = minute(0).zip(minute(1)).filter(|(from, to)| from < to);
            let whole = hours.as_array().is_some_and(|it| it.len() == 2);
            read.push(pair.filter(|_| whole).ok_or_else(fault)?);
        }
    }
    Ok(week)
}

fn read_monthly(at: &str, value: &Value) -> Result<Monthly, NotAContract> {
    let mut top = Object::open(at, value)?;
    let minute = |it: i64| u16::try_from(it).unwrap_or(DAY_MIN);
    let day = top.ranged("day", 1, 31)?;
    let from_min = minute(top.ranged("from", 0, i64::from(DAY_MIN) - 1)?);
    let to_min = minute(top.ranged("to", 0, i64::from(DAY_MIN))?);
    top.close()?;
    Ok(Monthly { day: i8::try_from(day).unwrap_or(31), from_min, to_min })
}

fn holidays(top: &mut Object<'_>) -> Result<BTreeMap<Date, DayKind>, NotAContract> {
    let days = top.each("holidays", |at, it| {
        let mut day = Object::open(at, it)?;
        let date = day.text("date")?;
        let date: Date = date.parse().map_err(|_| day.wrong("date", "not a date"))?;
        let as_on = day.text("as_on")?;
        let kind = match WEEKDAYS.iter().find(|it| it.0 == as_on) {
            Some((_, weekday)) => DayKind::WorkedLike(*weekday),
            None if as_on == "off" => DayKind::Off,
            None => return Err(day.wrong("as_on", "neither off nor a weekday")),
        };
        day.close()?;
        Ok((date, kind))
    })?;
    Ok(days.into_iter().collect())
}

fn wrong(at: &str, fault: impl std::fmt::Display) -> NotAContract {
    NotAContract { at: at.to_owned(), fault: fault.to_string() }
}

/// An object whose every key must be taken.
struct Object<'a> {
    at: String,
    rest: Map<String, Value>,
    whole: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    fn open(at: &str, value: &'a Value) -> Result<Self, NotAContract> {
        let whole = value.as_object().ok_or_else(|| wrong(at, "not an object"))?;
        Ok(Self { at: at.to_owned(), rest: whole.clone(), whole })
    }

    fn at(&self, key: &str) -> String {
        format!("{}.{key}", self.at)
    }

    fn wrong(&self, key: &str, fault: impl std::fmt::Display) -> NotAContract {
        wrong(&self.at(key), fault)
    }

    fn optional(&mut self, key: &str) -> Option<&'a Value> {
        self.rest.remove(key);
        self.whole.get(key)
    }

    fn take(&mut self, key: &str) -> Result<&'a Value, NotAContract> {
        self.optional(key).ok_or_else(|| self.wrong(key, "missing"))
    }

    fn integer(&mut self, key: &str) -> Result<i64, NotAContract> {
        self.take(key)?.as_i64().ok_or_else(|| self.wrong(key, "not a whole number"))
    }

    fn optional_ranged(
        &mut self,
        key: &str,
        from: i64,
        to: i64,
    ) -> Result<Option<i64>, NotAContract> {
        if !self.whole.contains_key(key) {
            return Ok(None);
        }
        self.ranged(key, from, to).map(Some)
    }

    fn ranged(&mut self, key: &str, from: i64, to: i64) -> Result<i64, NotAContract> {
        let number = self.integer(key)?;
        let fits = (from..=to).contains(&number);
        fits.then_some(number)
            .ok_or_else(|| self.wrong(key, format!("{number} is not from {from} to {to}")))
    }

    fn text(&mut self, key: &str) -> Result<String, NotAContract> {
        let text = self.take(key)?.as_str().map(str::to_owned);
        text.ok_or_else(|| self.wrong(key, "not a text"))
    }

    fn flag(&mut self, key: &str) -> Result<bool, NotAContract> {
        self.take(key)?.as_bool().ok_or_else(|| self.wrong(key, "neither true nor false"))
    }

    fn id<T, E: std::fmt::Display>(
        &mut self,
        key: &str,
        new: impl Fn(&str) -> Result<T, E>,
    ) -> Result<T, NotAContract> {
        let text = self.text(key)?;
        new(&text).map_err(|fault| self.wrong(key, fault))
    }

    fn each<T>(
        &mut self,
        key: &str,
        read: impl Fn(&str, &Value) -> Result<T, NotAContract>,
    ) -> Result<Vec<T>, NotAContract> {
        let list = self.take(key)?.as_array().ok_or_else(|| self.wrong(key, "not a list"))?;
        let at = self.at(key);
        list.iter().enumerate().map(|(place, it)| read(&format!("{at}.{place}"), it)).collect()
    }

    fn close(self) -> Result<(), NotAContract> {
        match self.rest.keys().next() {
            Some(key) => Err(self.wrong(key, "this version does not know it")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
