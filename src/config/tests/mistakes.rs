//! One bad file for each mistake, with its text.

use std::fmt::Write as _;

use crate::config::load::parse_bytes;

const CASES: &str = include_str!("mistakes.txt");

const MONITOR: &str = "[monitor]\nvantage = \"hn-1\"\n";
const OWNER: &str = "[[owner]]\nid = \"bca\"\nname = \"Bộ Công an\"\n";
const SYSTEM: &str = "[[system]]\nid = \"vneid\"\nowner = \"bca\"\nname = \"VNeID\"\n";
const ZALO: &str = "[[channel]]\nid = \"zalo\"\nkind = \"zalo-bot\"\ntoken = { env = \"SET\" }\n";
const AN: &str = "[[person]]\nid = \"an\"\nname = \"An\"\n\
    contacts = [{ channel = \"zalo\", to = \"1\" }]\n";
const CHECK: &str = "[[system.check]]\nid = \"c\"\n";
const HTTP: &str = "kind = \"http\"\nurl = \"https://vneid.gov.vn/\"\n";

/// A whole file with `text` in its place.
fn file(place: &str, text: &str) -> String {
    match place {
        "file" => text.to_owned(),
        "monitor" => format!("{MONITOR}{text}{OWNER}{SYSTEM}{CHECK}{HTTP}"),
        "system" => format!("{MONITOR}{OWNER}{SYSTEM}{text}{CHECK}{HTTP}"),
        "kind" => format!("{MONITOR}{OWNER}{SYSTEM}{CHECK}{text}"),
        "check" | "end" => format!("{MONITOR}{OWNER}{SYSTEM}{CHECK}{HTTP}{text}"),
        "team" => format!("{MONITOR}{ZALO}{AN}[[team]]\nid = \"t\"\nname = \"T\"\n{text}"),
        "channel" => format!("{MONITOR}[[channel]]\nid = \"c\"\n{text}"),
        "alerting" => format!("{MONITOR}[alerting]\n{text}"),
        other => panic!("no such place: {other}"),
    }
}

fn env(name: &str) -> Option<String> {
    let value = match name {
        "SET" => "s3cret\n",
        "HOOK" => "https://hooks.example.vn/s3cret",
        "EMPTY" => "\n",
        "TWO_LINES" => "a\nb\n",
        _ => return None,
    };
    Some(value.to_owned())
}

/// The mistakes of a file: the lines they are on, their texts and their mends.
fn told(text: &str) -> String {
    let Err(mistakes) = parse_bytes("t.toml", text.as_bytes().to_vec(), &env) else {
        return "fine\n".to_owned();
    };
    let mut told = String::new();
    for mistake in mistakes.list() {
        let at = mistakes.position(mistake.at);
        let line = text.lines().nth(at.line - 1).unwrap_or_default();
        let line = if line.contains("hunter2") { "***" } else { line };
        writeln!(told, "{line} @ {}: {}", at.column, mistake.what).unwrap();
        told += &mistake.what.help().map_or(String::new(), |help| format!("    {help}\n"));
    }
    let shown = mistakes.to_string();
    assert!(!shown.contains("hunter2"), "a secret is shown:\n{shown}");
    assert!(!shown.contains("s3cret"), "a secret is shown:\n{shown}");
    told
}

#[test]
#[expect(clippy::disallowed_methods, reason = "BLESS=1 writes the expected texts anew")]
fn each_mistake_says_what_is_wrong_and_what_to_write() {
    let mut blessed = String::new();
    let mut wrong = Vec::new();
    for (index, case) in CASES.split("#### ").enumerate() {
        if index == 0 {
            blessed += case;
            continue;
        }
        let (head, expected) = case.split_once("=>\n").unwrap();
        let (title, text) = head.split_once('\n').unwrap();
        let place = title.rsplit_once('(').unwrap().1.trim_end_matches(')');
        let got = told(&file(place, text));
        if got.trim() != expected.trim() {
            wrong.push(format!("{title}\nexpected:\n{}\ngot:\n{got}", expected.trim_end()));
        }
        write!(blessed, "#### {head}=>\n{got}\n").unwrap();
    }
    if std::env::var("BLESS").is_ok() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/tests/mistakes.txt");
        std::fs::write(path, blessed.trim_end().to_owned() + "\n").unwrap();
        return;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
