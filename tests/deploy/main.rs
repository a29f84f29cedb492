//! What ships around the binary: the unit, the package, the container files, the manifests, and
//! the pages that say how to use them. `tests/image.sh` tries the image itself.
#![cfg(test)]

#[path = "../support/skip.rs"]
mod skip;
#[path = "../daemon/harness.rs"]
#[expect(dead_code, reason = "of the daemon's tests; not all of it is needed here")]
mod harness;
mod backup;
mod files;
mod grafana;
mod pages;
mod package;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A file of the project.
fn project(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Runs a program in the project's folder.
fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap_or_else(|why| panic!("{program}: {why}"))
}

/// What it printed, standard error last.
fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

/// Lints a file or folder; what the lint printed.
fn lint(what: &str, path: &str) -> Option<String> {
    if !run("python3", &["-c", "import yaml"]).status.success() {
        skip::skip(&format!("lint of {path}"), "no Python module yaml");
        return None;
    }
    let output = run("python3", &["tests/deploy/lint.py", what, path]);
    assert!(output.status.success(), "{}", said(&output));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// A configuration whose one check fails once a second, without anybody being there.
fn lonely() -> String {
    let keys = "interval = \"1s\"\ntimeout = \"1s\"";
    harness::config("", &[harness::check("a", ([127, 0, 0, 1], 1).into(), keys)])
}
