//! The table of keys as a JSON Schema, for editors.

use serde_json::{Map, Value, json};

use super::keys::roster::{FILE, INCLUDED};
use super::keys::shared::SECRET;
use super::keys::{Choice, Form, Key, Kind, Need, Shape, Table};

/// A JSON Schema (draft 2020-12) of the main file; `#/$defs/an-included-file` is that of a file
/// it includes. Whatever [`super::load()`] takes is valid. The reverse does not hold: what needs
/// two values or something outside the file is not said here.
#[must_use]
pub fn schema() -> Value {
    let mut defs = Map::new();
    define(&mut defs, &FILE);
    define(&mut defs, &INCLUDED);
    let main = defs.remove(&slug(FILE.title));
    let mut schema = Map::new();
    schema.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".into(), "thongsuot".into());
    if let Some(Value::Object(main)) = main {
        schema.extend(main);
    }
    schema.insert("$defs".into(), defs.into());
    schema.into()
}

/// The name of a table in `$defs`.
fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-").to_lowercase()
}

fn reference(title: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{}", slug(title)) })
}

/// Adds `table` and all that it mentions to `defs`.
fn define(defs: &mut Map<String, Value>, table: &'static Table) {
    let name = slug(table.title);
    if defs.contains_key(&name) {
        return;
    }
    defs.insert(name.clone(), Value::Null); // Holds the place, in the order of mention.
    let schema = if table.kinds.is_empty() {
        object(defs, table, None)
    } else {
        let mut kinds = Vec::new();
        for kind in table.kinds {
            let title = format!("{} {}", table.title, kind.name);
            let schema = object(defs, table, Some(kind));
            defs.insert(slug(&title), schema);
            kinds.push(reference(&title));
        }
        json!({ "description": table.doc, "oneOf": kinds })
    };
    defs.insert(name, schema);
}

fn object(defs: &mut Map<String, Value>, table: &'static Table, kind: Option<&Kind>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in table.keys_of(kind.map(|kind| kind.name)) {
        let schema = match kind.filter(|_| key.name == "kind") {
            Some(kind) => json!({ "const": kind.name, "description": kind.doc }),
            None => property(defs, key),
        };
        properties.insert(key.name.to_owned(), schema);
        if matches!(key.need, Need::Required) {
            required.push(key.name);
        }
    }
    let mut schema = json!({
        "type": "object",
        "description": kind.map_or(table.doc, |kind| kind.doc),
        "properties": properties,
        "additionalProperties": false,
    });
    if let Some(schema) = schema.as_object_mut() {
        if !required.is_empty() {
            schema.insert("required".into(), required.into());
        }
        choose(schema, &table.choice);
    }
    schema
}

fn choose(schema: &mut Map<String, Value>, choice: &Choice) {
    match choice {
        Choice::Free => {}
        Choice::One(keys) => {
            let each = keys.iter().map(|key| json!({ "required": [key] })).collect();
            schema.insert("oneOf".into(), Value::Array(each));
        }
        Choice::AtMostOne(keys) => {
            let pairs = keys.iter().enumerate().flat_map(|(at, a)| {
                keys[at + 1..].iter().map(move |b| json!({ "required": [a, b] }))
            });
            schema.insert("not".into(), json!({ "anyOf": pairs.collect::<Vec<_>>() }));
        }
    }
}

fn property(defs: &mut Map<String, Value>, key: &'static Key) -> Value {
    let mut schema = shape(defs, &key.shape);
    let Some(object) = schema.as_object_mut() else { return schema };
    let default = match key.need {
        Need::Default(default) if default != "-" => format!(" Default: {default}."),
        _ => String::new(),
    };
    object.insert("description".into(), format!("{}{default}", key.doc).into());
    schema
}

fn shape(defs: &mut Map<String, Value>, of: &'static Shape) -> Value {
    match of {
        Shape::Text(form) => text(*form),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Integer { min, max, .. } => {
            json!({ "type": "integer", "minimum": min, "maximum": max })
        }
        Shape::Word(words) => json!({ "type": "string", "enum": words }),
        Shape::Any => json!({}),
        Shape::List { of, min } => {
            json!({ "type": "array", "minItems": min, "items": shape(defs, of) })
        }
        Shape::Table(table) => {
            define(defs, table);
            reference(table.title)
        }
        Shape::Tables(table) => {
            define(defs, table);
            json!({ "type": "array", "items": reference(table.title) })
        }
        Shape::Map { of, .. } => {
            json!({ "type": "object", "additionalProperties": shape(defs, of) })
        }
        Shape::Secret => {
            define(defs, &SECRET);
            reference(SECRET.title)
        }
        Shape::Either(shapes) => {
            let shapes: Vec<_> = shapes.iter().map(|it| shape(defs, it)).collect();
            json!({ "anyOf": shapes })
        }
    }
}

/// A text; with a pattern where one is simple, which never refuses what the reader takes.
fn text(form: Form) -> Value {
    let pattern = match form {
        Form::Bytes => return json!({ "type": "string" }),
        Form::Id => "^[a-z0-9][a-z0-9._-]{0,63}$",
        Form::Duration { .. } => r"^\s*[0-9].*[a-zA-Zµμ]\s*$",
        Form::Size => r"^[0-9]+\s*([kKmM]?[iI]?[bB])?\s*$",
        Form::Percent => r"^\s*[0-9]+([.,][0-9]{0,4})?\s*%\s*$",
        Form::Url => r"^\s*[hH][tT][tT][pP][sS]?:",
        Form::WebsocketUrl => r"^\s*[wW][sS][sS]?:",
        Form::ProxyUrl => r"^\s*[hH][tT][tT][pP]:",
        Form::StatusRange => r"^\s*[1-5][0-9]{2}\s*(-\s*[1-5][0-9]{2}\s*)?$",
        Form::JsonPath => r"^\$",
        Form::Anchor => "^tcp://.+:[0-9]+$",
        Form::Peer => ":[0-9]+$",
        Form::Mailbox => "^[^@]+@[^@]+$",
        Form::Date => "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        Form::ClockMinute => r"^\s*[0-9]{2}:[0-9]{2}\s*$",
        Form::ClockRange | Form::ClockWindow => {
            r"^\s*[0-9]{2}:[0-9]{2}\s*-\s*[0-9]{2}:[0-9]{2}\s*$"
        }
        Form::Every => "^(daily|mon|tue|wed|thu|fri|sat|sun|monthly-[0-9]{1,2})$",
        Form::Moment => "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}",
        Form::Turn => "^[1-9][0-9]*[hdw]$",
        Form::Target => "^(oncall|everyone|person:.+|address:[^:]+:.+)$",
        Form::Sender => "@",
        Form::ValueName => "^[a-z_][a-z0-9_]*$",
        Form::EnvName => "^[A-Za-z_][A-Za-z0-9_]*$",
        _ => return json!({ "type": "string", "minLength": 1 }),
    };
    json!({ "type": "string", "pattern": pattern })
}
