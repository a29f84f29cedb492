//! The file as written: a tree of values, each with its place.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Mistake, What};
use super::source::Place;

/// Syntax mistakes reported of one file; after so many the rest is noise.
const SYNTAX_MISTAKES_MAX: usize = 20;

/// A value and where it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// Its place; of a table under a header, the header.
    pub at: Place,
    /// The value.
    pub value: Value,
}

/// A value of TOML.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A string.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A number with a fraction or an exponent, or an integer beyond 64 bits.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A date or time, as written.
    Date(String),
    /// An array.
    List(Vec<Node>),
    /// A table of any form, in the order written.
    Table(Vec<Entry>),
}

/// A key of a table with its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// The key.
    pub key: String,
    /// Where the key is written.
    pub key_at: Place,
    /// The value.
    pub node: Node,
}

impl Node {
    /// The value of `key`, if this is a table that has it.
    #[must_use]
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// The entries of a table; none of anything else.
    #[must_use]
    pub(super) fn entries(&self) -> &[Entry] {
        if let Value::Table(entries) = &self.value { entries } else { &[] }
    }

    /// The items of a list; none of anything else.
    #[must_use]
    pub(super) fn items(&self) -> &[Node] {
        if let Value::List(items) = &self.value { items } else { &[] }
    }

    /// The items of the list at `key`; none if it is missing or no list.
    #[must_use]
    pub(super) fn list(&self, key: &str) -> &[Node] {
        self.get(key).map_or(&[], Node::items)
    }

    /// This text.
    #[must_use]
    pub(super) fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The text at `key`.
    #[must_use]
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_text()
    }

    /// The integer at `key`.
    #[must_use]
    pub(super) fn integer(&self, key: &str) -> Option<i64> {
        if let Value::Integer(number) = self.get(key)?.value { Some(number) } else { None }
    }

    /// The boolean at `key`.
    #[must_use]
    pub(super) fn bool(&self, key: &str) -> Option<bool> {
        if let Value::Bool(yes) = self.get(key)?.value { Some(yes) } else { None }
    }

    /// What it is, for messages.
    #[must_use]
    pub(super) const fn type_name(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a text",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number with a fraction or beyond 64 bits",
            Value::Bool(_) => "true or false",
            Value::Date(_) => "a date or time",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// The same value as JSON; dates as text, numbers JSON has no words for as null.
    #[must_use]
    pub(super) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Text(text) | Value::Date(text) => Json::from(text.as_str()),
            Value::Integer(number) => Json::from(*number),
            Value::Float(number) => Json::from(*number),
            Value::Bool(yes) => Json::from(*yes),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Table(entries) => {
                entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect()
            }
        }
    }
}

/// Reads `text` as TOML. With syntax mistakes the tree is only what could be made out.
#[must_use]
pub(super) fn parse(file: usize, text: &str) -> (Node, Vec<Mistake>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let whole = Place { file, start: 0, end: 0 };
    let mistakes = errors.into_iter().take(SYNTAX_MISTAKES_MAX).map(|error| {
        let span = error.span().unwrap_or(text.len()..text.len());
        let at = Place { file, start: span.start, end: span.end };
        Mistake::new(at, What::Syntax { problem: error.message().to_owned() })
    });
    let node = Node { at: whole, value: convert_table(file, table.get_ref()) };
    (node, mistakes.collect())
}

fn convert(file: usize, value: &Spanned<DeValue<'_>>) -> Node {
    let span = value.span();
    let at = Place { file, start: span.start, end: span.end };
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(
                |_| Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
                Value::Integer,
            ),
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(yes) => Value::Bool(*yes),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| convert(file, item)).collect())
        }
        DeValue::Table(table) => convert_table(file, table),
    };
    Node { at, value }
}

fn convert_table(file: usize, table: &DeTable<'_>) -> Value {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| {
            let span = key.span();
            let key_at = Place { file, start: span.start, end: span.end };
            let mut node = convert(file, value);
            if node.at.start == node.at.end {
                node.at = key_at;
            }
            Entry { key: key.get_ref().to_string(), key_at, node }
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_at);
    Value::Table(entries)
}
