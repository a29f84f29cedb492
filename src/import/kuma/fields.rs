//! A row or an object: backups and databases spell the same names differently.

use serde_json::Value as Json;

use super::super::note::Place;

/// Values by name, in small letters without `_`.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    entries: Vec<(String, Json)>,
    pub(super) tags: Vec<String>,
}

impl Fields {
    pub(super) fn push(&mut self, name: &str, value: Json) {
        self.entries.push((name.to_ascii_lowercase().replace('_', ""), value));
    }

    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        let found = self.entries.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value).filter(|it| !it.is_null())
    }

    /// A scalar as text; `None` if it is missing or empty.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let text = match self.get(name)? {
            Json::String(text) => text.clone(),
            Json::Number(number) => number.to_string(),
            Json::Bool(yes) => yes.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok().filter(|it: &f64| it.is_finite())
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.number(name).map(|it| it as i64)
    }

    /// Databases have 0 and 1.
    pub(super) fn bool(&self, name: &str) -> Option<bool> {
        match self.text(name)?.as_str() {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => None,
        }
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.bool(name) == Some(true)
    }

    /// A list; databases have it as text.
    pub(super) fn list(&self, name: &str) -> Vec<Json> {
        match self.get(name) {
            Some(Json::Array(items)) => items.clone(),
            Some(Json::String(text)) => serde_json::from_str(text).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        self.list(name).iter().filter_map(|it| it.as_str().map(str::to_owned)).collect()
    }

    pub(super) fn id(&self) -> i64 {
        self.integer("id").unwrap_or_default()
    }

    pub(super) fn place(&self) -> Place {
        Place::Monitor(self.id())
    }
}
