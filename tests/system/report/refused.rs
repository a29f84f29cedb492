//! What is refused, and what is said of it.

use super::command::{eventful, thongsuot};
use super::kit::Story;

/// The exit code, and what standard error must hold.
#[track_caller]
fn check(story: &Story, arguments: &[&str], code: i32, parts: &[&str]) {
    let output = thongsuot(story, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{error}");
    for part in parts {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_with_its_mend() {
    let story = eventful().await;
    let month = ["report", "--period", "2024-10"];
    let with = |more: &[&'static str]| [&month[..], more].concat();
    check(
        &story,
        &["report", "--period", "10/2024"],
        64,
        &["`10/2024` is not a period", "2026-Q4"],
    );
    check(&story, &["report", "--period", "2024-13"], 64, &["months are 1 to 12"]);
    check(&story, &["report", "--period", "2924-10"], 64, &["still to come"]);
    check(
        &story,
        &["report", "--from", "2024-10-02", "--to", "2024-10-01"],
        64,
        &["end is not after"],
    );
    check(
        &story,
        &with(&["--system", "vnied"]),
        64,
        &["no system `vnied`", "did you mean `vneid`?"],
    );
    check(&story, &with(&["--owner", "bac"]), 64, &["no owner `bac`", "did you mean `bca`?"]);
    check(
        &story,
        &["export", "--check", "vneid-hom", "--period", "2024-10"],
        64,
        &["no check", "did you mean `vneid-home`?"],
    );
    check(
        &story,
        &["report", "--period", "2020-10"],
        64,
        &["--config", "first contract is of 2024-09-10T00:00:00+07:00"],
    );
    check(&story, &with(&["--output", "/nonexistent/x"]), 74, &["can't write /nonexistent/x"]);
    let empty = Story::new();
    check(&empty, &month, 74, &["history.sqlite"]);
}

#[tokio::test]
async fn a_damaged_block_is_refused_with_its_range_and_never_left_out() {
    let story = eventful().await;
    let file = story.folder.path().join("history.sqlite");
    let connection = rusqlite::Connection::open(file).unwrap();
    let sql = "UPDATE blocks SET body = CAST(substr(body, 1, 200) || x'00ff00' || substr(body, 204) AS BLOB)
               WHERE id = (SELECT id FROM blocks ORDER BY day LIMIT 1 OFFSET 20)";
    assert_eq!(connection.execute(sql, []).unwrap(), 1);
    drop(connection);
    let parts =
        ["damaged history", "check vneid-", "day 2024-", "results from", "thongsuot verify"];
    check(&story, &["report", "--period", "2024-10"], 74, &parts);
    let output = story.folder.path().join("out");
    let path = output.to_str().unwrap();
    check(&story, &["report", "--period", "2024-10", "--output", path], 74, &parts);
    check(&story, &["export", "--system", "vneid", "--period", "2024-10", "-o", path], 74, &parts);
    assert!(!output.exists(), "a file is whole or not there");
    // A week without it can be told.
    let output = thongsuot(&story, &["report", "--period", "2024-W41"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_contract_that_is_not_understood_is_no_contract_at_all() {
    let mut story = Story::new();
    story.promise(0, serde_json::json!({ "version": 9 }));
    story.tell().await;
    let parts = ["event 1 of the journal", "contract.version: 9, this program reads version 1"];
    check(&story, &["report", "--period", "2024-10"], 74, &parts);
}
