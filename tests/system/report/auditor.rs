//! An auditor with a script of their own gets the same integers out of an export.

use std::process::Command;

use super::command::{eventful, printed};

#[tokio::test]
async fn an_auditor_recomputes_a_month_from_an_export() {
    if Command::new("python3").arg("--version").output().is_err() {
        crate::skip::skip("the auditor's script", "no python3 on this machine");
        return;
    }
    let story = eventful().await;
    let october = story.october();
    for (more, name) in [
        (&["--format", "jsonl"][..], "x.jsonl"),
        (&["--format", "csv"], "x.csv"),
        (&["--format", "csv", "--gzip"], "x.csv.gz"),
    ] {
        let path = story.folder.path().join(name);
        let file = path.to_str().unwrap();
        let arguments = ["export", "--system", "vneid", "--period", "2024-10", "--output", file];
        printed(&story, &[&arguments[..], more].concat());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/auditor.py");
        let output = Command::new("python3").arg(script).arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told = String::from_utf8(output.stdout).unwrap();
        let expected = october.checks.iter().map(|check| {
            let it = &check.measured.figures.times;
            let up = it.up_ms + it.slow_ms;
            let rest = (it.partial_ms, it.down_ms, it.unknown_ms, it.excluded_ms);
            format!("{} {up} {} {} {} {}\n", check.id, rest.0, rest.1, rest.2, rest.3)
        });
        assert_eq!(told, expected.collect::<String>(), "{name}");
    }
}

#[tokio::test]
async fn an_export_holds_every_result_it_read_once_and_ten_beyond_the_period() {
    let story = eventful().await;
    let arguments =
        ["export", "--check", "vneid-home", "--from", "2024-10-01", "--to", "2024-10-02"];
    let text = printed(&story, &arguments);
    let lines: Vec<serde_json::Value> =
        text.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let number = |value: &serde_json::Value| value.as_i64().unwrap();
    let (from, to) = (number(&lines[0]["from_ms"]), number(&lines[0]["to_ms"]));
    let starts: Vec<i64> = lines
        .iter()
        .filter(|it| it["type"] == "result")
        .map(|it| number(&it["started_ms"]))
        .collect();
    assert!(starts.is_sorted());
    let read = &lines[1]["read_ms"];
    let inside = |at: i64| (number(&read[0])..number(&read[1])).contains(&at);
    let stored = story.results.iter().filter(|it| it.check.as_str() == "vneid-home");
    assert_eq!(starts.len(), stored.filter(|it| inside(it.started.0)).count());
    assert!(starts.iter().filter(|it| **it < from).count() >= 10);
    assert!(starts.iter().filter(|it| **it >= to).count() >= 10);
}

#[tokio::test]
async fn an_export_with_zstd_unpacks_to_the_same_bytes() {
    let story = eventful().await;
    let export = |more: &[&str], name: &str| {
        let path = story.folder.path().join(name);
        let file = path.to_str().unwrap();
        let arguments = ["export", "--system", "vneid", "--period", "2024-10", "--output", file];
        printed(&story, &[&arguments[..], more].concat());
        std::fs::read(path).unwrap()
    };
    let plain = export(&[], "plain.jsonl");
    let packed = export(&["--zstd"], "packed.jsonl.zst");
    assert!(packed.len() * 5 < plain.len(), "{} of {}", packed.len(), plain.len());
    assert_eq!(zstd::decode_all(&packed[..]).unwrap(), plain);
}
