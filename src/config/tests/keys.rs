//! The table of keys against the full example, the schema and the documentation.

use std::collections::BTreeSet;

use serde_json::Value;

use super::files::FULL;
use super::*;
use crate::config::keys::roster::FILE;
use crate::config::keys::shared::SECRET;
use crate::config::keys::{Shape, Table};

/// Every key of `table` and of all below it, as `title.key`.
fn all_keys(table: &'static Table, found: &mut BTreeSet<String>) {
    let kinds = table.kinds.iter().flat_map(|kind| kind.keys.iter().map(move |it| (kind.name, it)));
    for (kind, key) in table.keys.iter().map(|it| ("", it)).chain(kinds) {
        if found.insert(format!("{} {kind} {}", table.title, key.name)) {
            below(&key.shape, found);
        }
    }
}

fn below(shape: &'static Shape, found: &mut BTreeSet<String>) {
    match shape {
        Shape::Table(table) | Shape::Tables(table) => all_keys(table, found),
        Shape::List { of, .. } | Shape::Map { of, .. } => below(of, found),
        Shape::Either(shapes) => shapes.iter().for_each(|it| below(it, found)),
        Shape::Secret => all_keys(&SECRET, found),
        _ => {}
    }
}

/// The same for the keys that `node` uses.
fn used_keys(node: &raw::Node, table: &'static Table, found: &mut BTreeSet<String>) {
    let kind = node.text("kind").filter(|_| !table.kinds.is_empty());
    for entry in node.entries() {
        let key = table.key(&entry.key, kind).unwrap();
        let common = table.keys.iter().any(|it| it.name == key.name);
        let kind = if common { "" } else { kind.unwrap_or_default() };
        found.insert(format!("{} {kind} {}", table.title, key.name));
        used_below(&entry.node, &key.shape, found);
    }
}

fn used_below(node: &raw::Node, shape: &'static Shape, found: &mut BTreeSet<String>) {
    let is_table = matches!(node.value, raw::Value::Table(_));
    match shape {
        Shape::Table(table) if is_table => used_keys(node, table, found),
        Shape::Tables(table) => node.items().iter().for_each(|it| used_keys(it, table, found)),
        Shape::List { of, .. } => node.items().iter().for_each(|it| used_below(it, of, found)),
        Shape::Map { of, .. } => {
            node.entries().iter().for_each(|it| used_below(&it.node, of, found));
        }
        Shape::Either(shapes) => shapes.iter().for_each(|it| used_below(node, it, found)),
        Shape::Secret => used_keys(node, &SECRET, found),
        _ => {}
    }
}

#[test]
fn the_full_example_has_every_key() {
    let (mut all, mut used) = (BTreeSet::new(), BTreeSet::new());
    all_keys(&FILE, &mut all);
    used_keys(&raw::parse(0, FULL).0, &FILE, &mut used);
    let unused: Vec<_> = all.difference(&used).collect();
    assert!(unused.is_empty(), "{unused:#?}");
    assert!(all.len() > 120, "{}", all.len());
}

fn validator() -> jsonschema::Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

fn json(text: &str) -> Value {
    raw::parse(0, text).0.to_json()
}

#[test]
fn the_schema_is_a_schema_and_takes_good_files() {
    assert!(jsonschema::meta::is_valid(&schema()));
    for (name, text) in [("example", EXAMPLE), ("full", FULL)] {
        let errors: Vec<_> = validator()
            .iter_errors(&json(text))
            .map(|it| format!("{it} at {}", it.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "BLESS=1 writes the schema anew")]
fn the_schema_for_editors_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/targets.schema.json");
    let text = format!("{:#}\n", schema());
    if std::env::var("BLESS").is_ok() {
        std::fs::write(path, &text).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert!(written == text, "run: BLESS=1 cargo test config::tests");
}

#[test]
fn the_schema_refuses_bad_files() {
    let validator = validator();
    for (from, to) in [
        ("interval = ", "intervall = "),
        ("interval = \"5s\"", "interval = 5"),
        ("interval = \"5s\"", "interval = \"5\""),
        ("kind = \"http\"", "kind = \"htp\""),
        ("kind = \"http\"", "kind = \"dns\""),
        ("id = \"vneid\"", "id = \"VNeID\""),
        ("vantage = \"hn-1\"", ""),
        ("[200]", "[700]"),
        ("[200]", "[\"2xx\"]"),
        ("[200]", "[]"),
        ("99.9%", "99.9"),
        ("http://127", "ftp://127"),
        ("data = \"var\"", "token = \"hunter2\""),
        ("data = \"var\"", "token = { file = \"a\", env = \"B\" }"),
        ("[[owner]]", "[[ownr]]"),
        ("body_absent", "json = [{ path = \"$\", equals = 1, absent = true }], body_absent"),
    ] {
        let text = EXAMPLE.replacen(from, to, 1);
        assert_ne!(text, EXAMPLE, "{from}");
        assert!(!validator.is_valid(&json(&text)), "{from} -> {to}");
        assert!(parse_str("t.toml", &text).is_err(), "{from} -> {to}");
    }
}

#[test]
fn every_key_has_a_description_in_the_schema() {
    fn check(at: &str, value: &Value) {
        let Some(object) = value.as_object() else { return };
        for (name, property) in
            object.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            let text = property["description"].as_str().unwrap_or_default();
            assert!(text.len() > 5, "{at} {name}");
        }
        for (name, value) in object {
            check(&format!("{at}/{name}"), value);
        }
    }
    check("", &schema());
}

const BEGIN: &str = "<!-- Made from the table of keys (BLESS=1 cargo test); do not edit. -->\n";

#[test]
#[expect(clippy::disallowed_methods, reason = "BLESS=1 writes the reference anew")]
fn the_documentation_describes_every_key() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (by_hand, written) = page.split_once(BEGIN).expect("the mark of the reference");
    if std::env::var("BLESS").is_ok() {
        std::fs::write(path, format!("{by_hand}{BEGIN}\n{}", reference())).unwrap();
        return;
    }
    assert!(written.trim() == reference().trim(), "run: BLESS=1 cargo test config::tests");
    let mut all = BTreeSet::new();
    all_keys(&FILE, &mut all);
    for key in all {
        let name = key.rsplit(' ').next().unwrap();
        assert!(written.contains(&format!("| `{name}` |")), "{key}");
    }
}

#[test]
fn every_example_in_the_documentation_is_a_configuration() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    let page = std::fs::read_to_string(path).unwrap();
    let examples: Vec<_> = page.split("```toml\n").skip(1).collect();
    assert!(!examples.is_empty());
    let env = |_: &str| Some("secret".to_owned());
    for example in examples {
        let text = example.split("```").next().unwrap();
        let whole = if text.contains("[monitor]") {
            text.to_owned()
        } else if text.contains("[[system]]") {
            format!("[monitor]\nvantage = \"a\"\n[[owner]]\nid = \"bca\"\nname = \"B\"\n{text}")
        } else {
            format!("{EXAMPLE}\n{text}")
        };
        let config = super::load::parse_bytes("example.toml", whole.into(), &env);
        config.unwrap_or_else(|it| panic!("{text}\n{it}"));
    }
}

#[test]
fn every_example_of_a_channel_is_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/channels.md");
    let page = std::fs::read_to_string(path).unwrap();
    let examples: Vec<_> = page.split("```toml\n").skip(1).collect();
    assert!(examples.len() > 4, "{}", examples.len());
    let env = |_: &str| Some("https://example.vn/secret".to_owned());
    // Their secrets lie in files of somebody else's machine.
    let file = regex::Regex::new(r#"\{ file = "[^"]*" \}"#).unwrap();
    for example in examples {
        let text = file.replace_all(example.split("```").next().unwrap(), "{ env = \"T\" }");
        let config =
            super::load::parse_bytes("channels.md", format!("{EXAMPLE}\n{text}").into(), &env);
        config.unwrap_or_else(|it| panic!("{text}\n{it}"));
    }
}

#[test]
fn every_example_of_a_key_is_of_its_shape() {
    fn check(table: &'static Table, seen: &mut BTreeSet<&'static str>) {
        if !seen.insert(table.title) {
            return;
        }
        let kinds = table.kinds.iter().flat_map(|kind| kind.keys);
        for key in table.keys.iter().chain(kinds) {
            if !key.example.is_empty() {
                let text = format!("{} = {}", key.name, key.example);
                let (node, syntax) = raw::parse(0, &text);
                assert!(syntax.is_empty(), "{text}: {syntax:?}");
                let mut found = shape::Found::default();
                found.value(node.get(key.name).unwrap(), key.name, &key.shape, "");
                assert!(found.mistakes.is_empty(), "{text}: {:?}", found.mistakes);
            }
            each_table(&key.shape, &mut |table| check(table, seen));
        }
    }
    fn each_table(shape: &'static Shape, act: &mut dyn FnMut(&'static Table)) {
        match shape {
            Shape::Table(table) | Shape::Tables(table) => act(table),
            Shape::List { of, .. } | Shape::Map { of, .. } => each_table(of, act),
            Shape::Either(shapes) => shapes.iter().for_each(|it| each_table(it, act)),
            _ => {}
        }
    }
    check(&FILE, &mut BTreeSet::new());
}
