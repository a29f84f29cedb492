//! What of a file is secret: in the text that mistakes point into, and in a module as shown.

use std::fmt::Write as _;

use super::yaml::{Entry, Node, Span, Value};

/// What stands for a secret, as blackbox_exporter writes it.
const MARK: &str = "<secret>";

/// Keys under which everything is secret.
const SECRET_KEYS: &[&str] = &[
    "password",
    "credentials",
    "bearer_token",
    "client_secret",
    "client_certificate_key",
    "key",
    "secrets",
    "proxy_connect_header",
];

/// How much a key that is misspelled resembles the one that is meant.
const LIKE_A_SECRET: f64 = 0.88;

/// Parts of a name that make what is under it secret, wherever it is: names of headers, metadata
/// and parameters are anybody's.
const SECRET_WORDS: &[&str] = &[
    "auth",
    "cookie",
    "token",
    "secret",
    "password",
    "passwd",
    "api-key",
    "api_key",
    "apikey",
    "credential",
];

/// Keys with such a part whose values are no secrets.
const OPEN_KEYS: &[&str] = &[
    "basic_auth",
    "authorization",
    "oauth2",
    "validate_authority_rrs",
    "token_url",
    "password_file",
    "credentials_file",
    "bearer_token_file",
    "client_secret_file",
];

/// How far what is under a key may be shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sight {
    Open,
    Secret,
}

/// Whether what is under `key` is secret.
fn sight(key: &str, node: &Node) -> Sight {
    let name = key.to_lowercase();
    if SECRET_KEYS.contains(&name.as_str()) {
        return Sight::Secret;
    }
    // The section `authorization` is a mapping; a header of that name is not.
    if OPEN_KEYS.contains(&key)
        && (key.ends_with("_file") || key == "token_url" || is_section(node))
    {
        return Sight::Open;
    }
    // What is misspelled is secret still.
    let like = |secret: &&&str| strsim::jaro_winkler(&name, secret) > LIKE_A_SECRET;
    if key != "client_id" && SECRET_KEYS.iter().filter(|it| it.len() > 3).any(|it| like(&it)) {
        return Sight::Secret;
    }
    if SECRET_WORDS.iter().any(|word| name.contains(word)) { Sight::Secret } else { Sight::Open }
}

fn is_section(node: &Node) -> bool {
    let Value::Map(entries) = &node.value else { return false };
    !entries.iter().any(|entry| matches!(entry.key.as_str(), "values" | "files" | "secrets"))
}

/// Whether `key` may be named in a message: not if it looks like a key and its value in one.
pub(super) fn speakable(key: &str) -> bool {
    key.len() <= 100
        && !key.contains([':', '=', ' ', '\n', '\r', '\t'])
        && !key.chars().any(char::is_control)
}

/// The places of secrets in the text of `root`'s file. The name of a module says nothing of what
/// is in it.
pub(super) fn masks(root: &Node) -> Vec<Span> {
    let mut found = Vec::new();
    let Value::Map(entries) = &root.value else { return found };
    for entry in entries {
        match &entry.node.value {
            Value::Map(modules) if entry.key == "modules" => {
                for module in modules {
                    mask(&module.node, Sight::Open, &mut found);
                }
            }
            _ => mask(&entry.node, sight(&entry.key, &entry.node), &mut found),
        }
    }
    found
}

fn mask(node: &Node, how: Sight, found: &mut Vec<Span>) {
    match &node.value {
        Value::Null => {}
        Value::Scalar { text, .. } => {
            if how == Sight::Secret || open_url(text).is_some() {
                found.push(node.at);
            }
        }
        Value::List(items) => {
            for item in items {
                mask(item, how, found);
            }
        }
        Value::Map(entries) => {
            for Entry { key, key_at, node } in entries {
                if !speakable(key) {
                    found.push(*key_at);
                }
                let under = if how == Sight::Secret { how } else { sight(key, node) };
                mask(node, under, found);
            }
        }
    }
}

/// `text` as it may be shown: `masks` are `*`, and what would steer a terminal is `?` or `·`. Its
/// length and its lines stay.
pub(super) fn masked(text: &str, masks: &[Span]) -> String {
    let steers = |c: char| {
        c.is_control() && !"\n\r\t".contains(c)
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match (steers(c), c.len_utf8()) {
            (false, _) => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            (true, 2) => bytes.extend("·".bytes()),
            (true, length) => bytes.extend(std::iter::repeat_n(b'?', length)),
        }
    }
    for Span { start, end } in masks {
        let (start, end) = (text.floor_char_boundary(*start), text.ceil_char_boundary(*end));
        // A block ends where the next line's words begin.
        let end = text.get(start..end).map_or(end, |it| start + it.trim_end().len());
        for byte in bytes.get_mut(start..end).unwrap_or_default() {
            if *byte != b'\n' {
                *byte = b'*';
            }
        }
    }
    // Masks are whole characters, so this is UTF-8 still; nothing is better than a secret.
    String::from_utf8(bytes).unwrap_or_default()
}

/// `node` as YAML, with secrets hidden.
pub(super) fn shown(node: &Node) -> String {
    let mut text = String::new();
    emit(node, Sight::Open, 0, &mut text);
    text
}

fn emit(node: &Node, how: Sight, indent: usize, text: &mut String) {
    match &node.value {
        Value::Map(entries) => {
            for (index, Entry { key, node, .. }) in entries.iter().enumerate() {
                if index > 0 || !at_dash(text) {
                    pad(indent, text);
                }
                let speakable = speakable(key);
                text.push_str(&if speakable { scalar(key, true) } else { MARK.to_owned() });
                text.push(':');
                let under = if how == Sight::Secret { how } else { sight(key, node) };
                beneath(node, under, indent + 2, text);
            }
        }
        Value::List(items) => {
            for item in items {
                pad(indent, text);
                text.push('-');
                beneath_dash(item, how, indent + 2, text);
            }
        }
        Value::Null | Value::Scalar { .. } => {
            pad(indent, text);
            text.push_str(&leaf(node, how));
            text.push('\n');
        }
    }
}

/// Whether a list's dash was just written.
fn at_dash(text: &str) -> bool {
    text.ends_with("- ")
}

fn pad(indent: usize, text: &mut String) {
    text.extend(std::iter::repeat_n(' ', indent));
}

fn is_empty(node: &Node) -> Option<&'static str> {
    match &node.value {
        Value::Map(entries) if entries.is_empty() => Some("{}"),
        Value::List(items) if items.is_empty() => Some("[]"),
        _ => None,
    }
}

fn beneath(node: &Node, how: Sight, indent: usize, text: &mut String) {
    match (&node.value, is_empty(node)) {
        (_, Some(empty)) => {
            let _ = writeln!(text, " {empty}");
        }
        (Value::Map(_), _) => {
            text.push('\n');
            emit(node, how, indent, text);
        }
        (Value::List(_), _) => {
            text.push('\n');
            emit(node, how, indent.saturating_sub(2), text);
        }
        _ => {
            let _ = writeln!(text, " {}", leaf(node, how));
        }
    }
}

fn beneath_dash(node: &Node, how: Sight, indent: usize, text: &mut String) {
    match (&node.value, is_empty(node)) {
        (Value::Map(_), None) => {
            text.push(' ');
            emit(node, how, indent, text);
        }
        (Value::List(_), None) => {
            text.push('\n');
            emit(node, how, indent, text);
        }
        _ => beneath(node, how, indent, text),
    }
}

fn leaf(node: &Node, how: Sight) -> String {
    match &node.value {
        Value::Scalar { .. } if how == Sight::Secret => MARK.to_owned(),
        Value::Scalar { text, plain } => match open_url(text) {
            Some(shown) => scalar(&shown, true),
            None => scalar(text, *plain),
        },
        _ => "null".to_owned(),
    }
}

/// A URL with user and password hidden; `None` if `text` has none.
fn open_url(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let (_, host) = authority.rsplit_once('@')?;
    Some(format!("{scheme}://{MARK}@{host}{}", &rest[authority.len()..]))
}

/// `text` as a scalar that reads back as itself.
fn scalar(text: &str, plain: bool) -> String {
    let safe = |c: char| c.is_alphanumeric() || "_-./<>@+ ".contains(c) || c == ':';
    let calm = plain
        && !text.is_empty()
        && text.chars().all(safe)
        && text.starts_with(|c: char| c.is_alphanumeric() || "_./<".contains(c))
        && !text.ends_with([' ', ':'])
        && !text.contains(": ");
    if calm { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
