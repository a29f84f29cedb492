//! The command as it is used: two processes, files, languages.

use std::process::{Command, Output};

use serde_json::{Value, json};
use thongsuot::model::reason::Reason;
use unicode_width::UnicodeWidthStr;

use super::kit::{DAY, HOUR, MINUTE, NOVEMBER, OCTOBER, Story, contract, within};

const HOME: &str = "vneid-home";
const INTERVAL: i64 = 10 * MINUTE;

/// A month with a bit of everything.
pub(super) async fn eventful() -> Story {
    let mut story = Story::new();
    let checks = [(HOME, INTERVAL, true), ("vneid-api", INTERVAL, false)];
    story.promise(OCTOBER - 5 * DAY, contract(999_000, &checks));
    story.promise(OCTOBER + 18 * DAY, contract(995_000, &checks));
    story.announce(OCTOBER, "bt-1", OCTOBER + 6 * DAY, OCTOBER + 6 * DAY + 4 * HOUR);
    story.announce(
        OCTOBER + 8 * DAY,
        "bt-2",
        OCTOBER + 8 * DAY + HOUR,
        OCTOBER + 8 * DAY + 2 * HOUR,
    );
    let all = (OCTOBER - 2 * DAY, NOVEMBER + 2 * DAY);
    let hang = (OCTOBER + 3 * DAY, OCTOBER + 3 * DAY + 2 * HOUR);
    let refused = (OCTOBER + 6 * DAY + HOUR, OCTOBER + 6 * DAY + 5 * HOUR);
    let slow = (OCTOBER + 12 * DAY, OCTOBER + 12 * DAY + 5 * HOUR);
    let absent = (OCTOBER + 20 * DAY, OCTOBER + 20 * DAY + 3 * HOUR);
    let blocked = (OCTOBER + 22 * DAY, OCTOBER + 22 * DAY + HOUR);
    let other = (OCTOBER + 25 * DAY, OCTOBER + 25 * DAY + HOUR);
    story.watch(HOME, INTERVAL, "hn-1", all, |at| match at {
        _ if within(at, &[hang]) => Some(Reason::TimeoutWait),
        _ if within(at, &[refused]) => Some(Reason::ConnectRefused),
        _ if within(at, &[slow]) => Some(Reason::OverSlow),
        _ if within(at, &[blocked]) => Some(Reason::RateLimited),
        _ if within(at, &[absent]) => None,
        _ => Some(Reason::None),
    });
    story.watch("vneid-api", INTERVAL, "hn-1", all, |at| {
        Some(if within(at, &[other]) { Reason::HttpStatus } else { Reason::None })
    });
    story.void(HOME, "hn-1", absent);
    story.tell().await;
    story
}

pub(super) fn thongsuot(story: &Story, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thongsuot"));
    command.arg(arguments[0]).arg("--data").arg(story.folder.path()).args(&arguments[1..]);
    command.output().unwrap()
}

/// What a command that works prints.
#[track_caller]
pub(super) fn printed(story: &Story, arguments: &[&str]) -> String {
    let output = thongsuot(story, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Whether all numbers are whole and all keys in order.
fn canonical(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.keys().is_sorted() && map.values().all(canonical),
        Value::Array(list) => list.iter().all(canonical),
        other => !other.is_f64(),
    }
}

#[tokio::test]
async fn two_processes_write_the_same_bytes_and_the_schema_describes_them() {
    let story = eventful().await;
    let arguments = ["report", "--period", "2024-10", "--format", "json"];
    let first = printed(&story, &arguments);
    assert_eq!(first, printed(&story, &arguments));
    let file = story.folder.path().join("report.json");
    printed(&story, &[&arguments[..], &["--output", file.to_str().unwrap()]].concat());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), first);

    assert!(first.ends_with("}\n") && first.lines().count() == 1);
    let value: Value = serde_json::from_str(&first).unwrap();
    assert!(canonical(&value));
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/report.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> =
        schema.iter_errors(&value).map(|it| format!("{}: {it}", it.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let mut other = value.clone();
    other["systems"][0]["figures"]["times_ms"]["down"] = json!(1.5);
    assert!(!schema.is_valid(&other));
    assert_eq!(value["systems"][0]["pieces"].as_array().unwrap().len(), 2);
    assert_eq!(value["evidence"]["contracts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_table_fits_a_terminal_and_says_what_a_ministry_asks() {
    let story = eventful().await;
    let table = printed(&story, &["report", "--period", "2024-10"]);
    for line in table.lines() {
        // A fingerprint or a hash is not broken.
        assert!(
            line.width() <= 80
                || !line.trim().contains(' ')
                || line.len() > 64 && line.split(' ').count() <= 3,
            "{line}"
        );
        assert_eq!(line.trim_end(), line);
    }
    for part in [
        "BÁO CÁO MỨC ĐỘ SẴN SÀNG · 2024-10 (NĐ 09/2019/NĐ-CP)",
        "15/09/2024 00:00 – 15/10/2024 00:00 (Asia/Ho_Chi_Minh)",
        "BỘ CÔNG AN",
        "→ KHÔNG ĐẠT",
        "treo: hết giờ khi chờ trả lời",
        "được trừ 4 giờ",
        "KHÔNG được trừ (báo muộn) 1 giờ",
        "trong bảo trì",
        "điểm đo không chạy 3 giờ",
    ] {
        assert!(table.contains(part), "{part}\n{table}");
    }
    let english = printed(&story, &["report", "--period", "2024-10", "--lang", "en"]);
    for part in ["AVAILABILITY REPORT", "→ MISSED", "objective 99.9%", "hang: timeout_wait", "4 h"]
    {
        assert!(english.contains(part), "{part}\n{english}");
    }
    println!("{table}\n{english}");
}

#[tokio::test]
async fn csv_has_a_row_for_each_system_check_and_vantage() {
    let story = eventful().await;
    let text = printed(&story, &["report", "--period", "2024-10", "--format", "csv"]);
    let lines: Vec<&str> = text.split("\r\n").collect();
    let columns: Vec<&str> = lines[0].split(',').collect();
    let levels: Vec<&str> = lines[1..].iter().map(|it| it.split(',').next().unwrap()).collect();
    assert_eq!(levels, ["system", "check", "vantage", "check", "vantage", ""]);
    let json = printed(&story, &["report", "--period", "2024-10", "--format", "json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let system = &json["systems"][0];
    for (line, figures) in [(1, &system["figures"]), (2, &system["checks"][0]["figures"])] {
        let cells: Vec<&str> = lines[line].split(',').collect();
        assert_eq!(cells.len(), columns.len(), "{}", lines[line]);
        let cell = |name: &str| cells[columns.iter().position(|it| *it == name).unwrap()];
        assert_eq!(cell("down_ms"), figures["times_ms"]["down"].to_string());
        assert_eq!(
            cell("availability_percent"),
            figures["availability"]["percent"].as_str().unwrap()
        );
        assert_eq!(cell("worst_1d_percent"), figures["worst"]["1d"]["percent"].as_str().unwrap());
    }
}

#[tokio::test]
async fn a_period_that_is_not_over_is_judged_until_now_and_says_so() {
    let story = eventful().await;
    let now = ["--as-of", "2024-09-25T00:00"];
    let json = printed(
        &story,
        &[&["report", "--period", "2024-10", "--format", "json"][..], &now].concat(),
    );
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["period"]["finished"], json!(false));
    assert_eq!(json["systems"][0]["figures"]["times_ms"]["unknown"], json!(0));
    assert_eq!(json["systems"][0]["figures"]["times_ms"]["excluded"], json!(20 * DAY + 4 * HOUR));
    let table = printed(&story, &[&["report", "--period", "2024-10"][..], &now].concat());
    assert!(table.contains("KỲ CHƯA KẾT THÚC: số liệu tính đến 25/09/2024 00:00"), "{table}");
}

#[tokio::test]
async fn quarters_halves_and_years_are_sums_of_their_months() {
    let story = eventful().await;
    let times = |period: &str| {
        story.report(period).unwrap().systems.remove(0).measured.unwrap().figures.times
    };
    let months = ["2024-10", "2024-11", "2024-12"].map(times);
    assert_eq!(months[0].plus(months[1]).plus(months[2]), times("2024-Q4"));
    assert_eq!(times("2024-Q3").plus(times("2024-Q4")), times("2024-H2"));
}

/// The pages name every column there is.
#[tokio::test]
async fn the_pages_explain_every_column() {
    let story = eventful().await;
    let month = ["--period", "2024-10", "--format", "csv"];
    for (command, page) in [
        (&["report"][..], include_str!("../../../docs/report.md")),
        (&["export", "--check", HOME], include_str!("../../../docs/export.md")),
    ] {
        let text = printed(&story, &[command, &month[..]].concat());
        let columns = text.lines().find(|it| !it.starts_with('#')).unwrap();
        let words: Vec<&str> = page.split(|it: char| !it.is_alphanumeric() && it != '_').collect();
        for column in columns.trim_end().split(',') {
            assert!(words.contains(&column), "{column}");
        }
    }
}
