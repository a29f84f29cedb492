//! A check on its way from another monitor to `targets.toml`.

use std::time::Duration;

use super::note::{Place, Told, Weight};
use super::value::{self, Value};
use super::{span, why};

/// Time between runs that `targets.toml` takes, and what it means if nothing is written.
const INTERVAL_MIN: Duration = Duration::from_secs(1);
const INTERVAL_MAX: Duration = Duration::from_hours(24);
const INTERVAL: Duration = Duration::from_mins(1);

/// Longest run that it takes.
const TIMEOUT_MAX: Duration = Duration::from_mins(10);

/// Most failures in a row that it takes.
const CONFIRM_MAX: i64 = 10;

/// Keys in the order in which people read them; others come after these.
const ORDER: &[&str] = &[
    "id", "name", "kind", "enabled", "reason", "url", "address", "host", "path", "query", "record",
    "server", "token", "max_age", "method", "interval", "timeout", "confirm", "ip",
];

/// A check: what it can't do without, and parts that it can.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) place: Place,
    kind: &'static str,
    keys: Vec<(String, Value)>,
    parts: Vec<Part>,
    /// Why it does not run, in Vietnamese.
    off: Option<String>,
    pub(super) told: Vec<Told>,
    /// What to write if this one is refused, such as a plain connection.
    pub(super) instead: Option<Box<Self>>,
}

/// Something that a check can do without.
#[derive(Clone, Debug)]
struct Part {
    path: Vec<String>,
    value: Value,
    place: Place,
    what: String,
    /// What becomes of the check without it.
    loss: Weight,
}

impl Draft {
    pub(super) fn new(id: &str, name: &str, place: &Place, kind: &'static str) -> Self {
        Self {
            id: id.to_owned(),
            name: if name.trim().is_empty() { id.to_owned() } else { name.to_owned() },
            place: place.clone(),
            kind,
            keys: Vec::new(),
            parts: Vec::new(),
            off: None,
            told: Vec::new(),
            instead: None,
        }
    }

    /// The same check as another kind, with nothing but its name.
    pub(super) fn as_kind(&self, kind: &'static str) -> Self {
        Self { off: self.off.clone(), ..Self::new(&self.id, &self.name, &self.place, kind) }
    }

    /// Sets a key that the check can't do without.
    pub(super) fn key(&mut self, key: &str, value: impl Into<Value>) {
        self.keys.push((key.to_owned(), value.into()));
    }

    /// Adds a part; without it the check is less strict.
    pub(super) fn part(
        &mut self,
        path: &[&str],
        value: impl Into<Value>,
        place: &Place,
        what: &str,
    ) {
        self.push(path, value.into(), place, what, Weight::Weaker);
    }

    /// Adds a part; without it the check is switched off.
    pub(super) fn needed(
        &mut self,
        path: &[&str],
        value: impl Into<Value>,
        place: &Place,
        what: &str,
    ) {
        self.push(path, value.into(), place, what, Weight::Off);
    }

    fn push(&mut self, path: &[&str], value: Value, place: &Place, what: &str, loss: Weight) {
        let path: Vec<String> = path.iter().map(|it| (*it).to_owned()).collect();
        let other = self.parts.iter().find(|it| path == ["auth"] && it.path == path);
        if let Some(other) =
            other.map(|it| Told::new(Weight::Changed, &it.place, it.what.as_str(), why::TWO_LOGINS))
        {
            self.told.push(other);
            self.parts.retain(|it| it.path != path);
        }
        self.parts.push(Part { path, value, place: place.clone(), what: what.to_owned(), loss });
    }

    /// Tells what is not carried; [`Weight::Off`] switches the check off.
    pub(super) fn tell(&mut self, told: Told) {
        if told.weight == Weight::Off {
            self.switch_off(&format!("{}: {}", told.what, told.why.vi));
        }
        self.told.push(told);
    }

    /// Switches it off, for the first reason given.
    pub(super) fn switch_off(&mut self, reason: &str) {
        self.off.get_or_insert_with(|| reason.to_owned());
    }

    pub(super) const fn is_off(&self) -> bool {
        self.off.is_some()
    }

    /// Whether it is an address of `wss`, or speaks TLS by a switch.
    pub(super) fn is_secure(&self) -> bool {
        self.keys.iter().any(|(key, value)| match value {
            Value::Text(text) => key == "url" && text.starts_with("wss"),
            Value::Bool(yes) => key == "tls" && *yes,
            _ => false,
        })
    }

    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    /// Sets how often it runs and how long a run may take, as far as there is such a thing here.
    pub(super) fn times(&mut self, interval: Option<Duration>, timeout: Option<Duration>) {
        let place = self.place.clone();
        let mut interval = interval;
        if let Some(written) = interval {
            let held = written.clamp(INTERVAL_MIN, INTERVAL_MAX);
            if held != written {
                self.told.push(Told::new(
                    Weight::Changed,
                    &place,
                    span::show(written),
                    why::INTERVAL,
                ));
            }
            interval = Some(held);
            self.key("interval", span::show(held));
        }
        let Some(timeout) = timeout else { return };
        let most = interval.unwrap_or(INTERVAL).min(TIMEOUT_MAX);
        if timeout > most {
            self.told.push(Told::new(Weight::Changed, &place, span::show(timeout), why::TIMEOUT));
        }
        self.key("timeout", span::show(timeout.clamp(Duration::from_millis(1), most)));
    }

    /// Sets how many failures in a row are an outage.
    pub(super) fn confirm(&mut self, failures: i64, place: &Place) {
        if failures > CONFIRM_MAX {
            self.told.push(Told::new(Weight::Changed, place, failures.to_string(), why::CONFIRM));
        }
        self.key("confirm", Value::Integer(failures.clamp(1, CONFIRM_MAX)));
    }

    /// Leaves out what `judge` refuses, and tells it. `Err`: it refuses the check as such.
    pub(super) fn settle(
        &mut self,
        judge: &dyn Fn(&str) -> Result<(), String>,
    ) -> Result<(), String> {
        if judge(&self.text()).is_ok() {
            return Ok(());
        }
        let parts = std::mem::take(&mut self.parts);
        judge(&self.text())?;
        for part in parts {
            self.parts.push(part);
            let Err(problem) = judge(&self.text()) else { continue };
            // A check that does not run may name a secret that is not there yet.
            let asleep = Self { off: Some(String::from("-")), ..self.clone() };
            let last = self.parts.last().filter(|it| it.loss == Weight::Off && self.off.is_none());
            if let Some(part) = last.filter(|_| judge(&asleep.text()).is_ok()) {
                let told =
                    Told::new(Weight::Off, &part.place, part.what.as_str(), why::SECRET_FILE);
                self.tell(told.with(&problem));
                continue;
            }
            if let Some(part) = self.parts.pop() {
                let told = Told::new(part.loss, &part.place, part.what, why::NOT_TAKEN);
                self.tell(told.with(&problem));
            }
        }
        Ok(())
    }

    /// The table as text, without comments.
    pub(super) fn text(&self) -> String {
        let mut table = Value::Table(vec![
            ("id".to_owned(), self.id.as_str().into()),
            ("name".to_owned(), tame(&self.name).into()),
            ("kind".to_owned(), self.kind.into()),
        ]);
        let mut put = |path: &[String], value: &Value| table.put(path, value.clone());
        if let Some(reason) = &self.off {
            put(&["enabled".to_owned()], &Value::Bool(false));
            put(&["reason".to_owned()], &tame(reason).into());
        }
        for (key, value) in &self.keys {
            put(std::slice::from_ref(key), value);
        }
        for part in &self.parts {
            put(&part.path, &part.value);
        }
        let mut out = String::from("[[system.check]]\n");
        if let Value::Table(mut entries) = table {
            let rank = |key: &str| ORDER.iter().position(|it| *it == key).unwrap_or(ORDER.len());
            entries.sort_by_key(|(key, _)| rank(key));
            value::entries(&mut out, "system.check", &entries);
        }
        out
    }
}

/// One line without control characters.
pub(super) fn tame(text: &str) -> String {
    let plain = text.split(|c: char| c.is_control() || c.is_whitespace());
    plain.filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ")
}
