//! The shipped configuration in a real Alertmanager: what people are told, and what not.

use std::process::Command;

use thongsuot::alert::book::{Cause, CauseBy};
use thongsuot::alert::condition::Kind;
use thongsuot::model::alerting::rules::Severity;

use super::desk::{Desk, id, settings};
use super::hook::Hook;
use super::instance::{Instance, PROGRAM, SHIPPED};
use super::{is_installed, until};
use crate::skip::skip;

/// Whether the test can run; if not, says so.
pub(super) fn can(test: &str) -> bool {
    let can = is_installed(PROGRAM);
    if !can {
        skip(test, &format!("{PROGRAM} is not installed"));
    }
    can
}

#[test]
fn the_shipped_configuration_is_valid() {
    if !is_installed("amtool") {
        return skip("the shipped Alertmanager configuration", "amtool is not installed");
    }
    let output = Command::new("amtool").args(["check-config", SHIPPED]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("4 receivers"), "{text}");
}

#[test]
fn the_shipped_routes_lead_where_they_should() {
    if !is_installed("amtool") {
        return skip("the shipped Alertmanager routes", "amtool is not installed");
    }
    for (labels, receiver) in [
        ("alertname=ThongsuotWatchdog severity=info", "watchdog"),
        ("alertname=ThongsuotServiceDown severity=page", "on-call"),
        ("alertname=ThongsuotServiceDown severity=page maintenance=true", "nobody"),
        ("alertname=ThongsuotServiceDown severity=info cause=SC-2026-0001", "nobody"),
        ("alertname=ThongsuotServiceSlow severity=ticket", "tickets"),
        ("alertname=ThongsuotCoverageLost severity=info", "nobody"),
    ] {
        let mut command = Command::new("amtool");
        command.args(["config", "routes", "test", &format!("--config.file={SHIPPED}")]);
        let output = command.args(labels.split(' ')).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), receiver, "{labels}");
    }
}

/// What the template `text` makes of two alerts.
fn rendered(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.json");
    let first = serde_json::json!({
        "summary": "[GIÁN ĐOẠN] VNeID: từ 08:14 ngày 23/11 (SC-2026-0012)",
        "description": "GIÁN ĐOẠN: từ chối kết nối\nChưa có người tiếp nhận.",
        "owner_name": "Bộ Công an",
        "incident_url": "https://giamsat.example.gov.vn/incidents/SC-2026-0012",
    });
    let second = serde_json::json!({ "summary": "[CHẬM] Hộ tịch" });
    let alerts = serde_json::json!({ "alerts": [
        { "status": "firing", "labels": {}, "annotations": first },
        { "status": "firing", "labels": {}, "annotations": second },
    ] });
    std::fs::write(&data, alerts.to_string()).unwrap();
    std::fs::write(folder.path().join("none.tmpl"), "").unwrap();
    let mut command = Command::new("amtool");
    command.args(["template", "render", "--template.glob=none.tmpl"]).current_dir(folder.path());
    command.args([format!("--template.text={text}"), "--template.data=data.json".to_owned()]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_shipped_mail_says_everything_in_vietnamese() {
    if !is_installed("amtool") {
        return skip("the shipped mail of Alertmanager", "amtool is not installed");
    }
    let shipped = std::fs::read_to_string(SHIPPED).unwrap();
    let (_, subject) = shipped.split_once("Subject: '").unwrap();
    let subject = rendered(subject.split_once("'\n").unwrap().0);
    assert_eq!(subject.trim(), "[GIÁN ĐOẠN] VNeID: từ 08:14 ngày 23/11 (SC-2026-0012) (+1)");
    let (_, text) = shipped.split_once("text: |-\n").unwrap();
    let text = text.split_once("    webhook_configs").unwrap().0;
    let text: Vec<&str> = text.lines().map(str::trim_start).collect();
    assert_eq!(
        rendered(&text.join("\n")).trim(),
        "[GIÁN ĐOẠN] VNeID: từ 08:14 ngày 23/11 (SC-2026-0012)\nGIÁN ĐOẠN: từ chối kết nối\n\
         Chưa có người tiếp nhận.\nChủ quản: Bộ Công an\n\
         Sự cố: https://giamsat.example.gov.vn/incidents/SC-2026-0012\n\n[CHẬM] Hộ tịch"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_received_grouped_inhibited_and_resolved() {
    if !can("alerts in a real Alertmanager") {
        return;
    }
    let hook = Hook::start().await;
    let am = Instance::start(hook.address).await;
    let mut desk = Desk::new(&[settings(am.address)]);
    desk.together(|desk| {
        // Both are told to the same people, of one system: one message.
        desk.open(1, "vneid", Kind::Down, Severity::Page);
        desk.open(2, "vneid", Kind::Coverage, Severity::Page);
        // Of another system: a message of its own.
        desk.open(3, "ho-tich", Kind::Partial, Severity::Ticket);
        // Of the same system, and said by the first: nothing.
        desk.open(4, "vneid", Kind::Slow, Severity::Ticket);
    });
    hook.told("on-call", 1, true, 1).await;
    hook.told("on-call", 2, true, 1).await;
    hook.told("tickets", 3, true, 1).await;
    let first = &hook.all("on-call")[0];
    assert_eq!(first.len(), 2, "one message of both: {first:?}");
    let down = first.iter().find(|it| it.name == "ThongsuotServiceDown").unwrap();
    assert!(down.summary.starts_with("[GIÁN ĐOẠN] VNeID – Đăng nhập: từ "), "{down:?}");
    let slow = am.has(4, "ThongsuotServiceSlow").await;
    let inhibited = until("slow is inhibited", async || {
        let slow = am.has(4, "ThongsuotServiceSlow").await;
        slow["status"]["inhibitedBy"].as_array().filter(|it| !it.is_empty()).map(Vec::len)
    });
    assert_eq!(inhibited.await, 1, "{slow}");

    desk.close(1);
    desk.close(3);
    hook.told("on-call", 1, false, 1).await;
    hook.told("tickets", 3, false, 1).await;
    let over = hook.alerts("on-call").into_iter().find(|it| !it.firing).unwrap();
    assert!(over.summary.starts_with("[ĐÃ KHÔI PHỤC] VNeID"), "{over:?}");
    assert_eq!(hook.count("on-call", 2, false), 0, "the other is not over");
    assert!(hook.alerts("watchdog").iter().all(|it| it.name == "ThongsuotWatchdog" && it.firing));
    assert!(!hook.alerts("watchdog").is_empty());
    assert_eq!(hook.count("on-call", 1, true), 1, "told once");
    // The slow one is told only now that nothing says it any more.
    hook.told("tickets", 4, true, 1).await;
    let status = desk.accepted(0).await;
    assert_eq!((status.counts.refused, status.counts.failed, status.restarts), (0, 0, 0));
    assert!(status.version.is_some());
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_that_gets_worse_is_no_all_clear() {
    if !can("a worsening incident in a real Alertmanager") {
        return;
    }
    let hook = Hook::start().await;
    let am = Instance::start(hook.address).await;
    let mut desk = Desk::new(&[settings(am.address)]);
    desk.open(1, "vneid", Kind::Partial, Severity::Ticket);
    hook.told("tickets", 1, true, 1).await;
    desk.open(1, "vneid", Kind::Down, Severity::Page);
    hook.told("on-call", 1, true, 1).await;
    am.has(1, "ThongsuotServiceDown").await;
    // Something else of the group is told after it, so the end of the old alert was looked at.
    desk.open(2, "vneid", Kind::Coverage, Severity::Ticket);
    hook.told("tickets", 2, true, 1).await;
    desk.close(2);
    hook.told("tickets", 2, false, 1).await;
    assert_eq!(hook.count("tickets", 1, false), 0, "{:?}", hook.all("tickets"));
    desk.close(1);
    hook.told("on-call", 1, false, 1).await;
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_and_maintenance_are_seen_but_not_told_and_say_why_they_fell_silent() {
    if !can("parts and maintenance in a real Alertmanager") {
        return;
    }
    let hook = Hook::start().await;
    let am = Instance::start(hook.address).await;
    let mut desk = Desk::new(&[settings(am.address)]);
    desk.together(|desk| {
        desk.open(1, "vneid", Kind::Down, Severity::Page);
        desk.open(2, "ho-tich", Kind::Down, Severity::Page);
        let cause = Cause { incident: id(1), by: CauseBy::Dependency, until: None };
        desk.change(2, |it| it.cause = Some(cause));
    });
    hook.told("on-call", 1, true, 1).await;
    until("the part is known as one", async || {
        let part = am.has(2, "ThongsuotServiceDown").await;
        (part["labels"]["cause"] == "SC-2026-0001").then_some(())
    })
    .await;
    // Its cause is over, it is not: now it is told.
    desk.together(|desk| {
        desk.close(1);
        desk.change(2, |it| it.cause = None);
    });
    hook.told("on-call", 2, true, 1).await;
    // Maintenance begins: that it falls silent is told with the reason, not as an all-clear.
    desk.change(2, |it| it.maintained = true);
    hook.told("on-call", 2, false, 1).await;
    let told = hook.alerts("on-call");
    let silent = told.iter().find(|it| it.incident == id(2).0 && !it.firing).unwrap();
    assert!(silent.summary.starts_with("[BẢO TRÌ] Hộ tịch điện tử"), "{silent:?}");
    // Maintenance ends and it is still true: it is told anew.
    desk.change(2, |it| it.maintained = false);
    hook.told("on-call", 2, true, 2).await;
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_comes_back_at_once_is_told_neither_twice_nor_as_over() {
    if !can("an alert that comes back in a real Alertmanager") {
        return;
    }
    let hook = Hook::start().await;
    let config = super::instance::config(hook.address);
    // Long enough that the alert is back before anything is told.
    let config = config.replace("group_interval: 1s", "group_interval: 8s");
    let mut am = Instance::new(&config, &[]);
    am.launch().await;
    let mut desk = Desk::new(&[settings(am.address)]);
    desk.open(1, "vneid", Kind::Down, Severity::Page);
    hook.told("on-call", 1, true, 1).await;
    desk.close(1);
    desk.accepted(0).await;
    desk.open(1, "vneid", Kind::Down, Severity::Page);
    desk.accepted(0).await;
    // A second incident of the group is told in the next message, with the first still firing.
    desk.open(2, "vneid", Kind::Coverage, Severity::Page);
    hook.told("on-call", 2, true, 1).await;
    assert_eq!(hook.count("on-call", 1, false), 0, "{:?}", hook.all("on-call"));
    desk.close(1);
    hook.told("on-call", 1, false, 1).await;
    desk.stop().await;
}
