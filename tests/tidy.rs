//! Style as a test: who may use whom, how long files and functions get, and what is banned.
//!
//! Sizes are a ratchet: a named exception may only shrink, and goes when it is no longer needed.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

/// Who may `use crate::…` whom. A new entry is a design decision: say why in DESIGN.md.
const MAY_USE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("clock", &["model"]),
    ("availability", &["model"]),
    ("schedule", &["clock", "model"]),
    ("probe", &["model"]),
    ("history", &["model"]),
    ("report", &["history", "availability", "model"]),
    ("alert", &["availability", "model"]),
    ("metrics", &["model"]),
    ("config", &["availability", "model"]),
    ("import", &["model"]),
    ("blackbox", &["model"]),
    ("web", &["history", "metrics", "availability", "model"]),
    (
        "app",
        &[
            "blackbox",
            "config",
            "web",
            "alert",
            "report",
            "metrics",
            "history",
            "probe",
            "schedule",
            "availability",
            "clock",
            "model",
        ],
    ),
    ("demo", &["app", "config", "clock", "model"]),
    (
        "cli",
        &[
            "demo",
            "app",
            "blackbox",
            "config",
            "import",
            "web",
            "alert",
            "report",
            "metrics",
            "history",
            "probe",
            "schedule",
            "availability",
            "clock",
            "model",
        ],
    ),
];

/// Rooms that must stay pure: no input or output, no clock, no async.
const PURE: &[&str] = &["model", "availability"];

/// What a pure room must not name.
const IMPURE: &[&str] = &[
    "tokio",
    "std::fs",
    "std::net::Tcp",
    "std::net::Udp",
    "std::thread",
    "Instant",
    "async ",
    "rand::",
];

/// Most lines of a file, tests not counted.
const FILE_LINES_MAX: usize = 500;

/// Longer files, with their ratchet.
const LONG_FILES: &[(&str, usize)] = &[];

/// Most lines of a function, from its signature to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

/// Longer functions, with their ratchet.
const LONG_FUNCTIONS: &[(&str, usize)] = &[
    // A closed list, one line a reason.
    ("src/model/reason/words.rs::vietnamese", 73),
];

/// Files of `src` that are test modules though they are not called `tests.rs`.
const TEST_FILES: &[&str] = &[
    "src/alert/sketch.rs",
    "src/availability/invariants.rs",
    "src/availability/sketch.rs",
    "src/availability/slow.rs",
    "src/availability/truth.rs",
    "src/import/samples.rs",
];

struct Source {
    path: String,
    room: String,
    text: String,
}

/// Every source file, without its test modules.
fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    walk(Path::new("src"), &mut found);
    assert!(found.len() > 10, "the sources were not found");
    found
}

fn walk(folder: &Path, found: &mut Vec<Source>) {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs") {
            let name = path.to_str().unwrap().to_owned();
            if TEST_FILES.contains(&name.as_str()) {
                continue;
            }
            let room = name["src/".len()..].split(['/', '.']).next().unwrap().to_owned();
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("\n#[cfg(test)]\nmod tests").next().unwrap().to_owned();
            found.push(Source { path: name, room, text });
        }
    }
}

/// The rooms that a text names after `crate::`, single or in a group.
fn rooms_used(text: &str) -> Vec<String> {
    let code: Vec<&str> =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut used = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => used.push(name(rest)),
            Some(group) => used.extend(items(group).iter().map(|item| name(item))),
        }
    }
    used
}

/// The items of a `use` group, up to its closing brace.
fn items(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' => {
                found.push(&group[start..at]);
                break;
            }
            ',' if depth == 0 => {
                found.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found
}

#[test]
fn modules_depend_in_one_direction() {
    let mut wrong = Vec::new();
    for source in sources() {
        if matches!(source.room.as_str(), "main" | "lib") {
            continue;
        }
        let Some((_, may)) = MAY_USE.iter().find(|(room, _)| *room == source.room) else {
            wrong.push(format!("{}: room `{}` is not in the table", source.path, source.room));
            continue;
        };
        for used in rooms_used(&source.text) {
            let known = MAY_USE.iter().any(|(room, _)| *room == used);
            if known && used != source.room && !may.contains(&used.as_str()) {
                wrong.push(format!("{}: `{}` must not use `{used}`", source.path, source.room));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_stay_pure() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| PURE.contains(&source.room.as_str())) {
        for (number, line) in source.text.lines().enumerate() {
            let code = !line.trim_start().starts_with("//");
            if let Some(word) = IMPURE.iter().find(|word| code && line.contains(*word)) {
                wrong.push(format!("{}:{}: `{word}`", source.path, number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_clock_asks_the_time() {
    for source in sources().iter().filter(|source| source.path != "src/clock.rs") {
        for banned in ["clock_gettime", "Timestamp::now", "Zoned::now", "SystemTime::now"] {
            assert!(!source.text.contains(banned), "{}: {banned}", source.path);
        }
    }
}

#[test]
fn files_are_short() {
    let mut wrong = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        let exception = LONG_FILES.iter().find(|(path, _)| *path == source.path);
        let max = exception.map_or(FILE_LINES_MAX, |(_, max)| *max);
        if lines > max {
            wrong.push(format!("{}: {lines} lines, at most {max}", source.path));
        }
        if exception.is_some() && lines <= FILE_LINES_MAX {
            wrong.push(format!("{}: no longer needs its exception", source.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Name, first line and length of each function, found by its indentation (rustfmt sees to it).
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let is_fn = [
            "fn ",
            "pub fn ",
            "pub(super) fn ",
            "pub(crate) fn ",
            "async fn ",
            "pub async fn ",
            "pub(super) async fn ",
            "const fn ",
            "pub const fn ",
        ]
        .iter()
        .any(|start| code.starts_with(start));
        if !is_fn {
            continue;
        }
        let indent = &line[..line.len() - code.len()];
        let close = format!("{indent}}}");
        let Some(length) = lines[at..].iter().position(|it| **it == close) else { continue };
        let name = code.split("fn ").nth(1).unwrap_or("").split(['(', '<']).next().unwrap_or("");
        found.push((name.to_owned(), at + 1, length + 1));
    }
    found
}

#[test]
fn functions_fit_a_screen() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (name, line, length) in functions(&source.text) {
            let full = format!("{}::{name}", source.path);
            let exception = LONG_FUNCTIONS.iter().find(|(it, _)| **it == full);
            let max = exception.map_or(FUNCTION_LINES_MAX, |(_, max)| *max);
            if length > max {
                wrong.push(format!("{full} (line {line}): {length} lines, at most {max}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_markers_are_left_behind_and_nothing_points_outside() {
    // Written in two parts, so that this file does not find itself.
    let markers = [
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("todo", "!"),
        concat!("unimplemented", "!"),
        concat!("dbg", "!"),
        concat!("..", "/shared"),
        concat!("/wo", "rk/"),
    ];
    let mut wrong = Vec::new();
    for path in tracked_texts() {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for marker in markers {
            if text.contains(marker) {
                wrong.push(format!("{}: {marker}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Texts of the project that people write: sources, tests, docs, scripts.
fn tracked_texts() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["src", "tests", "docs", "targets.d", "benches", ".ci", "deploy", "grafana"] {
        collect(Path::new(folder), &mut found);
    }
    for name in
        ["README.md", "ARCHITECTURE.md", "DESIGN.md", "CHANGELOG.md", "targets.toml", "Cargo.toml"]
    {
        found.push(PathBuf::from(name));
    }
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        // Installed, not written here.
        if path.ends_with("node_modules") {
            continue;
        }
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
fn the_judge_of_dependencies_sees_groups_and_single_uses() {
    let text = "use crate::{model::id::CheckId, web};\nuse crate::app::run; // crate::demo\ncrate::history::open();";
    let used = rooms_used(text);
    for room in ["model", "web", "app", "history"] {
        assert!(used.iter().any(|it| it == room), "{room}: {used:?}");
    }
}
