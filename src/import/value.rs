//! Values of TOML in the order they are to be written.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

/// Widest value that stays on one line with its key.
const COLUMNS: usize = 96;

/// A value of TOML.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Bool(bool),
    List(Vec<Value>),
    Table(Vec<(String, Value)>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Value {
    /// A table of one entry.
    pub(super) fn one(key: &str, value: impl Into<Self>) -> Self {
        Self::Table(vec![(key.to_owned(), value.into())])
    }

    pub(super) fn texts<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(|it| Self::Text(it.into())).collect())
    }

    /// Puts `value` at `path` below this table. Lists grow; anything else is set anew.
    pub(super) fn put(&mut self, path: &[String], value: Self) {
        let (Self::Table(entries), Some((key, rest))) = (self, path.split_first()) else { return };
        let at = entries.iter().position(|(known, _)| known == key);
        let Some(at) = at else {
            let mut made = Self::Table(Vec::new());
            if rest.is_empty() {
                made = value;
            } else {
                made.put(rest, value);
            }
            entries.push((key.clone(), made));
            return;
        };
        if !rest.is_empty() {
            // `tls = true` with settings is a table of them.
            if !matches!(entries[at].1, Self::Table(_)) {
                entries[at].1 = Self::Table(Vec::new());
            }
            entries[at].1.put(rest, value);
        } else if let (Self::List(known), Self::List(more)) = (&mut entries[at].1, &value) {
            known.extend(more.iter().cloned());
        } else {
            entries[at].1 = value;
        }
    }

    /// On one line.
    pub(super) fn inline(&self) -> String {
        match self {
            Self::Text(text) => quoted(text),
            Self::Integer(number) => number.to_string(),
            Self::Bool(yes) => yes.to_string(),
            Self::List(items) => {
                format!("[{}]", items.iter().map(Self::inline).collect::<Vec<_>>().join(", "))
            }
            Self::Table(entries) if entries.is_empty() => "{}".to_owned(),
            Self::Table(entries) => {
                let entry =
                    |(key, value): &(String, Self)| format!("{} = {}", bare(key), value.inline());
                format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// Writes the entries of the table whose header is `title`: what fits on lines first, then tables
/// under headers of their own.
pub(super) fn entries(out: &mut String, title: &str, entries: &[(String, Value)]) {
    let (below, here): (Vec<_>, Vec<_>) = entries.iter().partition(|it| is_below(it));
    for entry @ (key, value) in here {
        match value {
            Value::List(items) if is_wide(entry) => {
                let _ = writeln!(out, "{} = [", bare(key));
                for item in items {
                    let _ = writeln!(out, "  {},", item.inline());
                }
                out.push_str("]\n");
            }
            _ => {
                let _ = writeln!(out, "{} = {}", bare(key), value.inline());
            }
        }
    }
    for (key, value) in below {
        if let Value::Table(inner) = value {
            let title = format!("{title}.{}", bare(key));
            // A header with nothing but tables below it says nothing.
            if !inner.iter().all(is_below) {
                let _ = write!(out, "\n[{title}]\n");
            }
            self::entries(out, &title, inner);
        }
    }
}

/// Whether an entry does not fit on a line.
fn is_wide((key, value): &(String, Value)) -> bool {
    key.len() + 3 + value.inline().width() > COLUMNS
}

/// Whether an entry is a table under a header of its own.
fn is_below(entry: &(String, Value)) -> bool {
    is_wide(entry) && matches!(&entry.1, Value::Table(inner) if !inner.is_empty())
}

/// A key: bare if it may be.
fn bare(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(plain) { key.to_owned() } else { quoted(key) }
}

/// A text in quotes: in single ones if it has backslashes or double ones, and may.
pub(super) fn quoted(text: &str) -> String {
    let has = |signs: &[char]| text.contains(signs);
    if has(&['\\', '"']) && !has(&['\'']) && !text.chars().any(char::is_control) {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_so_that_they_are_read_back() {
        for text in ["", "a", "a\"b", r"\d+", "it's \\", "x\ny\t\u{1}", "Đăng nhập", "'", "a'\"b\\"]
        {
            let line = format!("x = {}", quoted(text));
            let table: toml::Table = line.parse().unwrap();
            assert_eq!(table["x"].as_str(), Some(text), "{line}");
        }
        assert_eq!(quoted(r"\d+"), r"'\d+'");
    }

    #[test]
    fn values_grow_and_are_written_on_lines_or_under_headers() {
        let mut value = Value::Table(Vec::new());
        let path = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
        value.put(&path("url"), "https://a.vn/".into());
        value.put(&path("expect/body_contains"), Value::texts(["a"]));
        value.put(&path("expect/body_contains"), Value::texts(["b"]));
        value.put(&path("expect/body_min"), Value::Integer(1));
        value.put(&path("headers/x y"), "1".into());
        let Value::Table(table) = &value else { unreachable!() };
        let mut out = String::new();
        entries(&mut out, "system.check", table);
        assert_eq!(
            out,
            "url = \"https://a.vn/\"\nexpect = { body_contains = [\"a\", \"b\"], body_min = 1 }\nheaders = { \"x y\" = \"1\" }\n"
        );
        value.put(&path("expect/body_contains"), Value::texts(["c".repeat(100)]));
        let Value::Table(table) = &value else { unreachable!() };
        let mut out = String::new();
        entries(&mut out, "system.check", table);
        assert!(out.contains("\n[system.check.expect]\nbody_contains = [\n  \"a\",\n"), "{out}");
        let _: toml::Table = format!("[[system.check]]\n{out}").parse().unwrap();
    }
}
