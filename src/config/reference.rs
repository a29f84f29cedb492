//! The table of keys as the reference section of `docs/configuration.md`.

use std::fmt::Write as _;

use super::keys::roster::FILE;
use super::keys::{Form, Key, Need, Shape, Table};
use super::{element::duration, shape};

/// The reference: one section for each table, in the order of mention. Markdown.
#[must_use]
pub fn reference() -> String {
    let mut text = String::new();
    for table in FILE.with_all_below() {
        let _ = writeln!(text, "### {}\n\n{}\n", heading(table), table.doc);
        rows(&mut text, table.keys);
        for kind in table.kinds {
            let _ = writeln!(text, "#### `kind = \"{}\"`\n\n{}\n", kind.name, kind.doc);
            rows(&mut text, kind.keys);
        }
    }
    format!("{}\n", text.trim_end())
}

fn heading(table: &Table) -> String {
    let plain =
        table.title.starts_with(|c: char| c.is_ascii_alphabetic()) && table.title.contains(' ');
    match table.title.split_once(" (") {
        Some((key, kinds)) => format!("`{key}` ({kinds}"),
        None if plain => {
            let mut title = table.title.to_owned();
            title[..1].make_ascii_uppercase();
            title
        }
        None => format!("`{}`", table.title),
    }
}

fn rows(text: &mut String, keys: &[Key]) {
    text.push_str("| key | value | if not written | meaning |\n|---|---|---|---|\n");
    for key in keys {
        let need = match key.need {
            Need::Required => "**required**",
            Need::Default(default) => default,
        };
        let example = match key.example {
            "" => String::new(),
            example => format!(" Example: {}", code(example)),
        };
        let cells = [describe(&key.shape), need.to_owned(), format!("{}{example}", key.doc)];
        let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(text, "| `{}` | {} |", key.name, cells.join(" | "));
    }
    text.push('\n');
}

/// `text` as code, whatever it holds.
fn code(text: &str) -> String {
    format!("`{text}`")
}

/// What a value looks like, with its range.
fn describe(shape: &Shape) -> String {
    match shape {
        Shape::Text(form) => form_name(*form),
        Shape::Integer { min, max, unit } => format!("{min} to {max} {unit}").trim().to_owned(),
        Shape::Word(words) => {
            let words: Vec<_> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
            words.join(", ")
        }
        Shape::List { of, min: 1 } => format!("list of: {}", describe(of)),
        Shape::List { of, min } => format!("list of at least {min}: {}", describe(of)),
        Shape::Table(table) => format!("table {}", heading(table)),
        Shape::Tables(table) => format!("tables {}", heading(table)),
        Shape::Map { of_keys, of } => {
            format!("table of: {} = {}", form_name(*of_keys), describe(of))
        }
        Shape::Secret => "`secret`".to_owned(),
        Shape::Either(shapes) => shapes.iter().map(describe).collect::<Vec<_>>().join("; or "),
        Shape::Bool | Shape::Any => shape::wanted(shape),
    }
}

fn form_name(form: Form) -> String {
    let name = match form {
        Form::Duration { min_ms, max_ms } => {
            let show =
                |ms: i64| duration::show(std::time::Duration::from_millis(ms.unsigned_abs()));
            return format!("length of time, {} to {}", show(min_ms), show(max_ms));
        }
        Form::PeerOr(port) => return format!("host, and `:port` if it is not {port}"),
        Form::Plain | Form::HeaderValue => "text",
        Form::Bytes => "text, perhaps empty",
        Form::Id => "id: 1 to 64 of a-z, 0-9, `-`, `_`, `.`",
        Form::Size => "size such as `\"64 KiB\"`",
        Form::Percent => "percentage",
        Form::Url => "URL",
        Form::WebsocketUrl => "URL of `ws` or `wss`",
        Form::ProxyUrl => "URL of `http`: host and port",
        Form::Pattern => "regular expression",
        Form::JsonPath => "JSONPath",
        Form::StatusRange => "range such as `\"300-399\"`",
        Form::HeaderName => "name of a header",
        Form::MetadataName => "name of metadata",
        Form::Host => "host: a name or an address",
        Form::Peer => "`host:port`",
        Form::Anchor => "`tcp://host:port`",
        Form::Listen => "IP address and port",
        Form::Ip => "IP address",
        Form::Resolver => "IP address, and `:port` if it is not 53",
        Form::Zone => "time zone",
        Form::Path => "path",
        Form::SocketPath => "path of a socket",
        Form::Subprotocol => "name of a subprotocol",
        Form::Glob => "path, perhaps with `*` and `?`",
        Form::EnvName => "name of an environment variable",
        Form::DnsName => "name in DNS",
        Form::RecordType => "record type",
        Form::Rcode => "response code",
        Form::Mailbox => "mailbox",
        Form::Date => "day such as `\"2026-02-16\"`",
        Form::ClockMinute => "time of day such as `\"07:30\"`",
        Form::ClockRange => "hours such as `\"07:30-11:30\"`",
        Form::ClockWindow => "hours such as `\"17:00-08:00\"`",
        Form::Moment => "time such as `\"2027-02-05 08:00\"`",
        Form::Turn => "`8h`, `1d`, `1w`",
        Form::Target => "`oncall`, `everyone`, `person:ID`, `address:CHANNEL:TO`",
        Form::Sender => "mailbox, perhaps with a name",
        Form::Template => "template",
        Form::ValueName => "name: a-z, 0-9, `_`",
        Form::Every => "`daily`, `mon` to `sun`, `monthly-1` to `monthly-31`",
    };
    name.to_owned()
}
