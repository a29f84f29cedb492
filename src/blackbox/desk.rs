//! What the reader works with: typed readers of keys, files, and where mistakes are put down.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cel::Cel;
use super::hide::speakable;
use super::names;
use super::yaml::{Entry, Node, Slip, Span, Value};
use super::{pattern, units};
use crate::model::secret::Secret;
use crate::model::text::Pattern;

/// Largest secret: a private key of 16 kbit is about 13 kB.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// Most mistakes that are put down: of more, nobody reads.
pub(super) const SLIPS_MAX: usize = 1_000;

/// How environment variables are looked up.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The desk of the reader.
pub(super) struct Desk<'a> {
    /// How environment variables are looked up.
    pub(super) env: Env<'a>,
    /// What is wrong.
    pub(super) slips: Vec<Slip>,
    /// What is worth knowing.
    pub(super) notes: Vec<Slip>,
    /// Files read.
    pub(super) files: Vec<PathBuf>,
    folder: PathBuf,
    patterns: HashMap<String, Result<Pattern, String>>,
    rules: HashMap<String, Result<Cel, String>>,
}

/// A mapping whose keys are all known.
#[derive(Clone, Copy)]
pub(super) struct Table<'n> {
    /// Where it is.
    pub(super) at: Span,
    entries: &'n [Entry],
}

impl<'n> Table<'n> {
    /// What is under `key`, if it is more than nothing.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|entry| entry.node.as_ref())
    }

    /// Where `key` is written, if something is under it.
    pub(super) fn key_at(&self, key: &str) -> Option<Span> {
        self.entry(key).map(|entry| entry.key_at)
    }

    fn entry(&self, key: &str) -> Option<&'n Entry> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (!matches!(entry.node.value, Value::Null)).then_some(entry)
    }
}

impl<'a> Desk<'a> {
    /// One for a file that lies in `folder`.
    pub(super) fn new(folder: PathBuf, env: Env<'a>) -> Self {
        let (slips, notes, files) = (Vec::new(), Vec::new(), Vec::new());
        let (patterns, rules) = (HashMap::new(), HashMap::new());
        Self { env, slips, notes, files, folder, patterns, rules }
    }

    /// Puts down a mistake, if there are not too many.
    pub(super) fn wrong(&mut self, at: Span, what: impl Into<String>, mend: impl Into<String>) {
        if self.slips.len() < SLIPS_MAX {
            self.slips.push(Slip::new(at, what).mend(mend));
        }
    }

    /// Puts down a note.
    pub(super) fn note(&mut self, at: Span, what: impl Into<String>, mend: impl Into<String>) {
        self.notes.push(Slip::new(at, what).mend(mend));
    }

    /// `node` as the mapping `name`, which knows `keys` and no others; of nothing, an empty one.
    pub(super) fn table<'n>(&mut self, node: &'n Node, name: &str, keys: &[&str]) -> Table<'n> {
        let entries = self.entries(node, name);
        for entry in entries.iter().filter(|entry| !keys.contains(&entry.key.as_str())) {
            self.unknown(entry, name, keys);
        }
        Table { at: node.at, entries }
    }

    /// The table under `key`, if there is one.
    pub(super) fn sub<'n>(
        &mut self,
        table: Table<'n>,
        key: &str,
        keys: &[&str],
    ) -> Option<Table<'n>> {
        table.get(key).map(|node| self.table(node, key, keys))
    }

    /// `node` as the mapping `name` with keys of the user's own.
    pub(super) fn entries<'n>(&mut self, node: &'n Node, name: &str) -> &'n [Entry] {
        match &node.value {
            Value::Map(entries) => entries,
            Value::Null => &[],
            _ => {
                let what = format!("{} takes a mapping, not {}", ticked(name), node.kind());
                self.wrong(
                    node.at,
                    what,
                    "write its keys below it, indented, each as `key: value`",
                );
                &[]
            }
        }
    }

    fn unknown(&mut self, entry: &Entry, name: &str, keys: &[&str]) {
        let mut known: Vec<&str> = keys.to_vec();
        known.sort_unstable();
        let list = format!("known here: {}", known.join(", "));
        if !speakable(&entry.key) {
            let what = format!("{} has a key that is not known there", ticked(name));
            return self.wrong(entry.key_at, what, format!("write `key: value`; {list}"));
        }
        let what = format!("{} has no key `{}`", ticked(name), entry.key);
        let mend = nearest(&entry.key, keys).map_or(list, |it| format!("did you mean `{it}`?"));
        self.wrong(entry.key_at, what, mend);
    }

    /// A text, number or boolean as written.
    pub(super) fn text<'n>(&mut self, table: Table<'n>, key: &str) -> Option<&'n str> {
        table.get(key).and_then(|node| self.scalar(node, key))
    }

    /// `node`, which is under `key`, as a text.
    pub(super) fn scalar<'n>(&mut self, node: &'n Node, key: &str) -> Option<&'n str> {
        match &node.value {
            Value::Scalar { text, .. } => Some(text),
            Value::Null => Some(""),
            _ => {
                let what = format!("`{key}` takes a text, not {}", node.kind());
                self.wrong(node.at, what, "write one value");
                None
            }
        }
    }

    /// True or false; `default` if nothing is written.
    pub(super) fn bool(&mut self, table: Table<'_>, key: &str, default: bool) -> bool {
        let Some(node) = table.get(key) else { return default };
        if let Value::Scalar { text, plain: true } = &node.value {
            match text.as_str() {
                "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On"
                | "ON" => {
                    return true;
                }
                "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off"
                | "OFF" => return false,
                _ => {}
            }
        }
        self.wrong(
            node.at,
            format!("`{key}` is true or false"),
            "write `true` or `false`, without quotes",
        );
        default
    }

    /// A whole number from `min` to `max`.
    pub(super) fn integer(
        &mut self,
        table: Table<'_>,
        key: &str,
        min: i64,
        max: i64,
    ) -> Option<i64> {
        table.get(key).and_then(|node| self.number(node, key, min, max))
    }

    /// `node`, which is under `key`, as a whole number from `min` to `max`.
    pub(super) fn number(&mut self, node: &Node, key: &str, min: i64, max: i64) -> Option<i64> {
        let number = match &node.value {
            Value::Scalar { text, plain: true } => whole(text),
            _ => None,
        };
        let number = number.filter(|number| (min..=max).contains(number));
        if number.is_none() {
            let what = format!("`{key}` is a whole number from {min} to {max}");
            self.wrong(node.at, what, "write one in that range, without quotes");
        }
        number
    }

    /// A length of time.
    pub(super) fn duration(&mut self, table: Table<'_>, key: &str) -> Option<Duration> {
        let text = self.text(table, key)?;
        let read = units::duration(text);
        if read.is_none() {
            let what = format!("`{key}` is a length of time");
            self.wrong(
                table.get(key)?.at,
                what,
                "write a number and its unit, such as `5s` or `1m30s`",
            );
        }
        read
    }

    /// A number of bytes.
    pub(super) fn bytes(&mut self, table: Table<'_>, key: &str) -> Option<u64> {
        let text = self.text(table, key)?;
        let read = units::bytes(text);
        if read.is_none() {
            let what = format!("`{key}` is a number of bytes");
            self.wrong(
                table.get(key)?.at,
                what,
                "write a number and its unit, such as `10MB` or `512B`",
            );
        }
        read
    }

    /// One of the words of `list`.
    pub(super) fn choice<T: Copy>(
        &mut self,
        table: Table<'_>,
        key: &str,
        list: &[(&str, T)],
    ) -> Option<T> {
        table.get(key).and_then(|node| self.word(node, key, list))
    }

    /// `node`, which is under `key`, as one of the words of `list`.
    pub(super) fn word<T: Copy>(
        &mut self,
        node: &Node,
        key: &str,
        list: &[(&str, T)],
    ) -> Option<T> {
        let text = self.scalar(node, key)?;
        let read = names::of(list, text);
        if read.is_none() {
            let words: Vec<&str> = list.iter().map(|(word, _)| *word).collect();
            let what = if speakable(text) {
                format!("`{text}` is no `{key}`")
            } else {
                format!("this is no `{key}`")
            };
            let mend = match nearest(text, &words) {
                Some(word) if words.len() > 8 => format!("did you mean `{word}`?"),
                _ => format!("write one of {}", words.join(", ")),
            };
            self.wrong(node.at, what, mend);
        }
        read
    }

    /// The items of a list.
    pub(super) fn list<'n>(&mut self, table: Table<'n>, key: &str) -> Vec<&'n Node> {
        table.get(key).map_or(Vec::new(), |node| self.items(node, key))
    }

    /// `node`, which is under `key`, as the items of a list.
    pub(super) fn items<'n>(&mut self, node: &'n Node, key: &str) -> Vec<&'n Node> {
        if let Value::List(items) = &node.value {
            return items.iter().map(AsRef::as_ref).collect();
        }
        let what = format!("`{key}` takes a list, not {}", node.kind());
        self.wrong(node.at, what, "write each item on a line of its own, after `- `");
        Vec::new()
    }

    /// The texts of a list, with their places.
    pub(super) fn texts<'n>(&mut self, table: Table<'n>, key: &str) -> Vec<(&'n str, Span)> {
        let items = self.list(table, key);
        items.into_iter().filter_map(|node| Some((self.scalar(node, key)?, node.at))).collect()
    }

    /// A list of regular expressions.
    pub(super) fn patterns(&mut self, table: Table<'_>, key: &str) -> Vec<Pattern> {
        let texts = self.texts(table, key);
        texts.into_iter().filter_map(|(text, at)| self.pattern(text, at)).collect()
    }

    /// `text` as a regular expression.
    pub(super) fn pattern(&mut self, text: &str, at: Span) -> Option<Pattern> {
        if !self.patterns.contains_key(text) {
            self.patterns.insert(text.to_owned(), pattern::go(text));
        }
        match self.patterns.get(text)?.clone() {
            Ok(pattern) => Some(pattern),
            Err(why) => {
                let what = format!("this is no regular expression: {why}");
                self.wrong(at, what, "write it as for Go's `regexp` (RE2), in single quotes");
                None
            }
        }
    }

    /// A rule in CEL.
    pub(super) fn rule(&mut self, table: Table<'_>, key: &str) -> Option<Cel> {
        let text = self.text(table, key)?;
        let rule = self.rules.entry(text.to_owned()).or_insert_with(|| Cel::new(text)).clone();
        rule.map_err(|why| {
            let at = table.get(key).map_or(table.at, |node| node.at);
            let what = format!("this is no rule: {why}");
            self.wrong(
                at,
                what,
                "write a CEL expression over `body`, such as `body.status == 'ok'`",
            );
        })
        .ok()
    }

    /// The secret under `key`, or in the file under `file_key`; nothing if neither is there.
    pub(super) fn secret(&mut self, table: Table<'_>, key: &str, file_key: &str) -> Option<Secret> {
        self.one_of(table, &[key, file_key]);
        if table.get(file_key).is_none() {
            return self.text(table, key).map(|text| Secret::new(text.to_owned()));
        }
        let path = self.text(table, file_key)?;
        self.secret_file(path, table.get(file_key)?.at)
    }

    /// The secret in the file `path`, without white space around it.
    pub(super) fn secret_file(&mut self, path: &str, at: Span) -> Option<Secret> {
        let bytes = self.file(path, at, SECRET_BYTES_MAX)?;
        let text = String::from_utf8(bytes).ok();
        if text.is_none() {
            self.wrong(at, format!("`{path}` is not text in UTF-8"), "name a file of text");
        }
        text.map(|text| Secret::new(text.trim().to_owned()))
    }

    /// The bytes of the file `path`, relative to the folder of the configuration.
    pub(super) fn file(&mut self, path: &str, at: Span, bytes_max: u64) -> Option<Vec<u8>> {
        let full = self.folder.join(path);
        let read = read_file(&full, bytes_max);
        if !self.files.contains(&full) {
            self.files.push(full);
        }
        read.map_err(|why| {
            let what = format!("`{path}` can't be read: {why}");
            self.wrong(at, what, "paths are relative to this file's folder");
        })
        .ok()
    }

    /// Says so if more than one of `keys` is there.
    pub(super) fn one_of(&mut self, table: Table<'_>, keys: &[&str]) {
        let mut there = keys.iter().filter(|key| table.get(key).is_some());
        let (Some(first), Some(second)) = (there.next(), there.next()) else { return };
        let at = table.key_at(second).unwrap_or(table.at);
        self.wrong(at, format!("`{first}` and `{second}` exclude each other"), "keep one of them");
    }
}

/// A key between ticks, other words as they are.
fn ticked(name: &str) -> String {
    if name.contains(' ') { name.to_owned() } else { format!("`{name}`") }
}

/// A whole number as YAML 1.2 writes it; one with a zero before it would be read differently by
/// others, and is none.
fn whole(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.replace('_', "");
    let (digits, radix) = match digits.get(..2) {
        Some("0x") => (&digits[2..], 16),
        Some("0o") => (&digits[2..], 8),
        Some("0b") => (&digits[2..], 2),
        Some(two) if two.starts_with('0') => return None,
        _ => (digits.as_str(), 10),
    };
    if !digits.starts_with(|c: char| c.is_digit(radix)) {
        return None;
    }
    let number = i64::from_str_radix(digits, radix).ok()?;
    Some(if negative { -number } else { number })
}

/// The word of `list` that `word` is most like, if it is like one.
fn nearest<'w>(word: &str, list: &[&'w str]) -> Option<&'w str> {
    const ALIKE: f64 = 0.84;
    let word = word.to_lowercase();
    let like = |it: &&'w str| (strsim::jaro_winkler(&word, &it.to_lowercase()), *it);
    let best = list.iter().map(like).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= ALIKE).then_some(best.1)
}

/// The bytes of a file, if there are at most `bytes_max`; else why not, in words.
pub(super) fn read_file(path: &Path, bytes_max: u64) -> Result<Vec<u8>, String> {
    let words = |error: &io::Error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    // A pipe or a device would block or never end.
    let facts = fs::metadata(path).map_err(|error| words(&error))?;
    if !facts.is_file() {
        return Err("it is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| words(&error))?;
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| words(&error))?;
    if bytes.len() as u64 > bytes_max {
        return Err(format!("it is larger than {} KiB", bytes_max >> 10));
    }
    Ok(bytes)
}
