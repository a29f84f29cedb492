//! First pass: does what is written have the shape that the table of keys describes?
//!
//! Never stops at the first mistake. It also finds the bytes that must not be shown: whatever
//! stands where a secret is meant.

use std::collections::HashMap;

use super::element;
use super::keys::roster::FILE;
use super::keys::shared::SECRET;
use super::keys::{Choice, Form, Key, Need, Shape, Table};
use super::mistake::{Mistake, What};
use super::raw::{Entry, Node, Value};
use super::source::Place;
use crate::model::text::Pattern;

/// Parts of names of keys behind which a secret may stand by mistake.
const SECRET_WORDS: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "bearer",
    "apikey",
    "authorization",
    "cookie",
    "link_key",
    "linkkey",
    "identity",
];

/// Parts of addresses that hold a secret: the webhooks of chats.
const SECRET_ADDRESSES: &[&str] = &["/hooks/", "hooks.slack", "sig="];

/// What the first pass found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What is wrong.
    pub(super) mistakes: Vec<Mistake>,
    /// What must not be shown.
    pub(super) masks: Vec<Place>,
    /// Patterns compiled so far, by their text in NFC: thousands of checks share a few.
    pub(super) patterns: HashMap<String, Pattern>,
}

impl Found {
    /// Compares `node` with `table`.
    pub(super) fn table(&mut self, node: &Node, table: &'static Table) {
        let kind = node.text("kind").filter(|word| table.kinds.iter().any(|it| it.name == *word));
        for entry in node.entries() {
            match table.key(&entry.key, kind) {
                Some(key) => self.value(&entry.node, &entry.key, &key.shape, key.example),
                None => self.stranger(entry, table, kind),
            }
        }
        for key in table.keys_of(kind) {
            if matches!(key.need, Need::Required) && node.get(key.name).is_none() {
                let Key { name, example, .. } = key;
                let what = What::Missing { key: name, table: table.title, example };
                self.mistakes.push(Mistake::new(node.at, what));
            }
        }
        self.choice(node, table);
    }

    fn choice(&mut self, node: &Node, table: &'static Table) {
        let (keys, at_most) = match table.choice {
            Choice::Free => return,
            Choice::One(keys) => (keys, false),
            Choice::AtMostOne(keys) => (keys, true),
        };
        let found = keys.iter().filter(|key| node.get(key).is_some()).count();
        if found > 1 || (found == 0 && !at_most) {
            let what = What::Choose { table: table.title, keys, at_most, found };
            self.mistakes.push(Mistake::new(node.at, what));
        }
    }

    /// A key that the table does not have.
    fn stranger(&mut self, entry: &Entry, table: &'static Table, kind: Option<&str>) {
        let key = entry.key.clone();
        let known: Vec<_> = table.keys_of(kind).map(|key| key.name).collect();
        let nearest = element::nearest(&key, &known);
        let meant = nearest.and_then(|name| table.key(name, kind));
        let secret = |key: &Key| matches!(key.shape, Shape::Secret);
        let of_some_kind =
            || table.kinds.iter().flat_map(|it| it.keys).any(|it| it.name == key && secret(it));
        if meant.is_some_and(secret) || of_some_kind() {
            self.hide(&entry.node);
        }
        self.hide_named(&key, &entry.node);
        let kinds = table.kinds_with(&key);
        let what = if kinds.is_empty() {
            let only_main = table.title == "an included file" && FILE.key(&key, None).is_some();
            if only_main {
                What::OnlyInMain { key }
            } else {
                let all = FILE.with_all_below();
                let elsewhere = all.iter().filter(|it| it.has(&key)).map(|it| it.title).collect();
                What::UnknownKey { key, table: table.title, nearest, elsewhere, known }
            }
        } else if let Some(kind) = kind {
            let of = if table.title == "[[channel]]" { "channels" } else { "checks" };
            What::OtherKind { of, key, kind: kind.to_owned(), kinds, nearest }
        } else {
            return; // The mistake is in `kind`, and is reported there.
        };
        self.mistakes.push(Mistake::new(entry.key_at, what));
    }

    pub(super) fn value(
        &mut self,
        node: &Node,
        key: &str,
        shape: &'static Shape,
        example: &'static str,
    ) {
        if node.as_text().is_some_and(is_secret_address) {
            self.masks.push(node.at);
        }
        match (shape, &node.value) {
            (Shape::Text(form), Value::Text(text)) => self.form(node.at, *form, text),
            (Shape::Any, _) | (Shape::Bool, Value::Bool(_)) => {}
            (Shape::Integer { min, max, .. }, Value::Integer(written)) => {
                if !(min..=max).contains(&written) {
                    let (written, min, max) = (*written, *min, *max);
                    let what = What::OutOfRange { key: key.to_owned(), written, min, max };
                    self.mistakes.push(Mistake::new(node.at, what));
                }
            }
            (Shape::Word(words), Value::Text(written)) => {
                if !words.contains(&written.as_str()) {
                    let written = written.clone();
                    let what = What::NotAWord { key: key.to_owned(), written, words };
                    self.mistakes.push(Mistake::new(node.at, what));
                }
            }
            (Shape::List { of, min }, Value::List(items)) => {
                if items.len() < *min {
                    let what = What::TooFew { key: key.to_owned(), min: *min, found: items.len() };
                    self.mistakes.push(Mistake::new(node.at, what));
                }
                for item in items {
                    self.value(item, key, of, "");
                }
            }
            (Shape::Table(table), Value::Table(_)) => self.table(node, table),
            (Shape::Tables(table), Value::List(items)) => {
                for item in items {
                    if matches!(item.value, Value::Table(_)) {
                        self.table(item, table);
                    } else {
                        self.wrong_type(item, key, shape, "");
                    }
                }
            }
            (Shape::Map { of_keys, of }, Value::Table(entries)) => {
                for entry in entries {
                    self.form(entry.key_at, *of_keys, &entry.key);
                    if element::header::is_credential(&entry.key) {
                        self.value(&entry.node, &entry.key, &Shape::Secret, "");
                    } else {
                        self.value(&entry.node, &entry.key, of, "");
                    }
                }
            }
            (Shape::Secret, Value::Table(_)) => self.table(node, &SECRET),
            (Shape::Secret, _) => {
                self.hide(node);
                let what = What::PlainSecret { key: key.to_owned() };
                self.mistakes.push(Mistake::new(node.at, what));
            }
            (Shape::Either(shapes), _) => match shapes.iter().find(|it| takes(it, &node.value)) {
                Some(shape) => self.value(node, key, shape, example),
                None => self.wrong_type(node, key, shape, example),
            },
            _ => self.wrong_type(node, key, shape, example),
        }
    }

    fn wrong_type(&mut self, node: &Node, key: &str, shape: &Shape, example: &'static str) {
        self.hide_named(key, node);
        let what = What::WrongType {
            key: key.to_owned(),
            wanted: wanted(shape),
            found: node.type_name(),
            example,
        };
        self.mistakes.push(Mistake::new(node.at, what));
    }

    fn form(&mut self, at: Place, form: Form, text: &str) {
        if form == Form::Pattern && self.patterns.contains_key(&element::nfc(text)) {
            return;
        }
        let not = match element::check(form, text) {
            Ok(pattern) => {
                self.patterns.extend(pattern.map(|it| (it.as_str().to_owned(), it)));
                return;
            }
            Err(not) => not,
        };
        if matches!(form, Form::Url | Form::ProxyUrl) && text.contains('@') {
            self.masks.push(at); // Even if it is too malformed to tell where its host ends.
        }
        self.mistakes.push(Mistake::new(at, What::Element(not)));
    }

    /// Hides what in `node`, which stands where nobody knows it, is named like a secret.
    fn hide_named(&mut self, key: &str, node: &Node) {
        if sounds_secret(key) || node.as_text().is_some_and(is_secret_address) {
            return self.hide(node);
        }
        node.entries().iter().for_each(|entry| self.hide_named(&entry.key, &entry.node));
        node.items().iter().for_each(|item| self.hide_named(key, item));
    }

    /// Hides every text and number in `node`.
    fn hide(&mut self, node: &Node) {
        match &node.value {
            Value::Table(entries) => {
                for entry in entries.iter().filter(|it| it.key != "file" && it.key != "env") {
                    self.hide(&entry.node);
                }
            }
            Value::List(items) => items.iter().for_each(|item| self.hide(item)),
            _ => self.masks.push(node.at),
        }
    }
}

/// Whether a secret may be meant by `key`.
fn sounds_secret(key: &str) -> bool {
    let plain = key.to_lowercase().replace(['-', '_'], "");
    SECRET_WORDS.iter().any(|word| plain.contains(word)) && !plain.ends_with("url")
}

/// Whether `text` is an address of a kind that is itself a secret, or has one in it.
fn is_secret_address(text: &str) -> bool {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    host.contains('@') || SECRET_ADDRESSES.iter().any(|part| text.contains(part))
}

/// Where in `line`, which need not be TOML, a secret may begin: after the sign that follows the
/// first word for one, or an address that is one.
pub(super) fn secret_in_line(line: &str) -> Option<usize> {
    let plain = line.to_ascii_lowercase();
    let word = SECRET_WORDS.iter().filter_map(|word| Some(plain.find(word)? + word.len())).min();
    let named =
        word.map(|word| plain[word..].find(['=', ':']).map_or(word, |sign| word + sign + 1));
    let address = SECRET_ADDRESSES.iter().filter_map(|part| plain.find(part)).min();
    named.into_iter().chain(address).min()
}

/// Whether `shape` is for values of this type.
fn takes(shape: &Shape, value: &Value) -> bool {
    match shape {
        Shape::Text(_) | Shape::Word(_) => matches!(value, Value::Text(_)),
        Shape::Bool => matches!(value, Value::Bool(_)),
        Shape::Integer { .. } => matches!(value, Value::Integer(_)),
        Shape::List { .. } | Shape::Tables(_) => matches!(value, Value::List(_)),
        Shape::Table(_) | Shape::Map { .. } | Shape::Secret => matches!(value, Value::Table(_)),
        Shape::Any => true,
        Shape::Either(shapes) => shapes.iter().any(|it| takes(it, value)),
    }
}

/// What a value must be, in words that fit after "must be".
pub(super) fn wanted(shape: &Shape) -> String {
    match shape {
        Shape::Text(Form::Duration { .. }) => "a length of time such as \"30s\"".to_owned(),
        Shape::Text(Form::Size) => "a size such as \"64 KiB\"".to_owned(),
        Shape::Text(_) => "a text".to_owned(),
        Shape::Bool => "true or false".to_owned(),
        Shape::Integer { .. } => "a whole number".to_owned(),
        Shape::Word(words) if words.len() == 1 => format!("\"{}\"", words.concat()),
        Shape::Word(_) => "a word".to_owned(),
        Shape::Any => "a value".to_owned(),
        Shape::List { of, .. } => format!("a list, each of it {}", wanted(of)),
        Shape::Table(_) | Shape::Map { .. } => "a table".to_owned(),
        Shape::Tables(table) if table.title.starts_with("[[") => format!("`{}`", table.title),
        Shape::Tables(_) => "a list of tables".to_owned(),
        Shape::Secret => "`{ file = \"…\" }` or `{ env = \"NAME\" }`".to_owned(),
        Shape::Either(shapes) => shapes.iter().map(wanted).collect::<Vec<_>>().join(" or "),
    }
}
