//! The shipped Prometheus configuration and rules, judged by promtool.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{BINARY, Folder, is_installed};
use crate::skip::skip;

/// A file of the project.
pub(crate) fn project(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn text(name: &str) -> String {
    let path = project(name);
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// Runs promtool in `folder`; what it says if it is not content.
fn promtool(folder: &Path, arguments: &[&str]) {
    let output = Command::new("promtool").current_dir(folder).args(arguments).output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let all = said(&output.stdout) + &said(&output.stderr);
    assert!(output.status.success(), "promtool {arguments:?}: {all}");
}

#[test]
fn the_shipped_rules_are_those_of_the_shipped_targets() {
    let folder = Folder::new();
    let out = folder.path().to_str().unwrap();
    let targets = project("targets.toml");
    let arguments = ["rules", "--config", targets.to_str().unwrap()];
    let mut command = Command::new(BINARY);
    command.args(arguments).args(["--out", out]).current_dir(folder.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made = std::fs::read_to_string(folder.path().join("rules.yml")).unwrap();
    let remedy = "run `thongsuot rules --config targets.toml --out deploy/prometheus`";
    assert!(made == text("deploy/prometheus/rules.yml"), "{remedy}");
    let printed = Command::new(BINARY).args(arguments).output().unwrap().stdout;
    assert_eq!(String::from_utf8(printed).unwrap(), made, "the same again, to standard output");
}

#[test]
fn promtool_accepts_the_shipped_files_and_the_rules_say_what_they_should() {
    if !is_installed("promtool") {
        return skip("promtool judges the shipped rules", "promtool is not installed");
    }
    let folder = project("deploy/prometheus");
    promtool(&folder, &["check", "config", "prometheus.yml"]);
    promtool(&folder, &["check", "rules", "rules.yml"]);
    promtool(&folder, &["test", "rules", "rules_test.yml"]);
}

#[test]
fn every_shipped_rule_is_shown_to_speak_and_to_be_silent() {
    let (rules, cases) =
        (text("deploy/prometheus/rules.yml"), text("deploy/prometheus/rules_test.yml"));
    let named = |key: &str| -> Vec<String> {
        let rest =
            |line: &str| Some(line.trim_start().strip_prefix("- ")?.strip_prefix(key)?.to_owned());
        rules.lines().filter_map(rest).map(|it| it.trim_matches([' ', '"']).to_owned()).collect()
    };
    let mut missing = Vec::new();
    for alert in named("alert:") {
        for (kind, wanted) in [("speaks", "exp_alerts:\n"), ("is silent", "exp_alerts: []\n")] {
            let case = format!("alertname: {alert}\n        {wanted}");
            if !cases.contains(&case) {
                missing.push(format!("{alert} {kind}"));
            }
        }
    }
    for record in named("record:") {
        if !cases.contains(&record) {
            missing.push(format!("{record} gives a value"));
        }
    }
    assert!(named("alert:").len() > 20 && named("record:").len() > 5, "the rules are found");
    assert!(missing.is_empty(), "no case in rules_test.yml: {missing:#?}");
}

#[test]
fn promtool_accepts_rules_of_systems_that_ask_for_their_own() {
    if !is_installed("promtool") {
        return skip("promtool judges rules of several classes", "promtool is not installed");
    }
    let folder = Folder::with(
        "[monitor]\nvantage = \"hn-1\"\n[[owner]]\nid = \"o\"\nname = \"Bộ \\\"A\\\"\"\n\
         [[system]]\nid = \"a\"\nowner = \"o\"\nname = \"A\"\nobjective = \"99.9%\"\n\
         [[system.check]]\nid = \"a\"\nkind = \"http\"\nurl = \"http://127.0.0.1/\"\n\
         [[system]]\nid = \"b.1\"\nowner = \"o\"\nname = \"B\"\nalert = { slow = \"off\", \
         runbook = \"mở {{ sổ tay }} \\\"mục 3\\\"\", burn = false, certificate_days = [] }\n\
         [[system.check]]\nid = \"b\"\nkind = \"http\"\nurl = \"http://127.0.0.1/\"\n",
    );
    for language in ["vi", "en"] {
        let out = folder.path().join(language);
        std::fs::create_dir(&out).unwrap();
        let out = out.to_str().unwrap();
        let (code, _, error) = folder.run(&["rules", "--lang", language, "--out", out]);
        assert_eq!(code, 0, "{error}");
        promtool(Path::new(out), &["check", "rules", "rules.yml"]);
    }
}
