//! Maintenance as operators announce it, and the figures and incidents that go with it.

use std::time::Duration;

use serde_json::Value;

use thongsuot::availability::calendar::{self, Calendar};
use thongsuot::clock::Clock;
use thongsuot::history::{History, Settings};
use thongsuot::model::time::Millis;

use crate::harness::{Daemon, Folder, check, config, until, within};
use crate::past;
use crate::server::{Manner, Server};

const KEYS: &str = "interval = \"1s\"\ntimeout = \"1s\"";

const HOUR_S: i64 = 3_600;

/// So many seconds from now, as RFC 3339 writes it.
fn in_seconds(seconds: i64) -> String {
    let now = Clock::System.now().0 / 1_000;
    jiff::Timestamp::from_second(now + seconds).unwrap().to_string()
}

/// `thongsuot maintenance` against a running daemon: exit code and what it says.
fn maintenance(folder: &Folder, daemon: &Daemon, arguments: &[&str]) -> (i32, String) {
    let url = format!("http://{}", daemon.address);
    let arguments = [&["maintenance"], arguments, &["--url", &url]].concat();
    let (code, out, error) = folder.run(&arguments);
    (code, out + &error)
}

fn add(folder: &Folder, daemon: &Daemon, scope: &[&str], from: i64, to: i64) -> (i32, String) {
    let (from, to) = (in_seconds(from), in_seconds(to));
    let said = ["--from", &from, "--to", &to, "--who", "trực ca", "--why", "nâng cấp"];
    let arguments = [&["add"], scope, &said, &["--notice", "TB 123/TB-C06"]].concat();
    maintenance(folder, daemon, &arguments)
}

#[test]
fn maintenance_is_announced_shown_prolonged_and_taken_back_and_survives_a_restart() {
    let server = Server::start();
    let folder = Folder::with(&config("", &[check("vneid", server.address(), KEYS)]));
    let mut daemon = folder.start();
    let active = "thongsuot_maintenance_active{system=\"vneid\"}";
    until("no maintenance yet", || daemon.metric(active).filter(|it| *it < 0.5));

    let late = add(&folder, &daemon, &["--system", "vneid"], -60, HOUR_S);
    assert_eq!(late.0, 0, "{}", late.1);
    assert!(late.1.contains("bt-1") && late.1.contains("KHÔNG được trừ"), "{}", late.1);
    until("it is under way", || daemon.metric(active).filter(|it| *it > 0.5));
    assert_eq!(daemon.json("/api/v1/systems/vneid")["maintenance"], true);
    let page = daemon.get("/").unwrap().1;
    assert!(page.contains("Đang bảo trì (đã thông báo)"), "{page}");
    let url = format!("http://{}", daemon.address);
    let (_, status, _) = folder.run(&["status", "--url", &url]);
    assert!(status.contains("đang bảo trì (đã thông báo)"), "{status}");

    let local = ["add", "--system", "vneid", "--from", "2099-01-01 22:00"];
    let said = ["--to", "2099-01-02 02:00", "--who", "a", "--why", "b", "--json"];
    let (code, told) = maintenance(&folder, &daemon, &[&local[..], &said].concat());
    assert!(code == 0 && told.contains("\"from\":\"2099-01-01T15:00:00.000Z\""), "{told}");

    let in_time = add(&folder, &daemon, &["--check", "vneid"], 30 * HOUR_S, 34 * HOUR_S);
    assert!(in_time.1.contains("bt-3") && in_time.1.contains("được trừ khỏi số liệu"));
    let again = add(&folder, &daemon, &["--system", "vneid"], 33 * HOUR_S, 35 * HOUR_S);
    assert!(again.1.contains("trùng với   bt-3"), "{}", again.1);

    let unknown = add(&folder, &daemon, &["--system", "vneit"], HOUR_S, 2 * HOUR_S);
    assert!(unknown.0 == 74 && unknown.1.contains("did you mean `vneid`?"), "{}", unknown.1);
    let reversed = add(&folder, &daemon, &["--system", "vneid"], 2 * HOUR_S, HOUR_S);
    assert!(reversed.0 == 74 && reversed.1.contains("`from` is not before `to`"), "{}", reversed.1);

    let who = ["--who", "trực ca", "--why", "chưa xong"];
    let later = in_seconds(36 * HOUR_S);
    let longer = [&["extend", "bt-3", "--to", &later], who.as_slice()].concat();
    assert_eq!(maintenance(&folder, &daemon, &longer).0, 0);
    let same = maintenance(&folder, &daemon, &longer);
    assert!(same.0 == 74 && same.1.contains("does not end before that"), "{}", same.1);
    let back = [&["cancel", "bt-1"], who.as_slice()].concat();
    assert_eq!(maintenance(&folder, &daemon, &back).0, 0);
    until("it is over", || daemon.metric(active).filter(|it| *it < 0.5));
    let twice = maintenance(&folder, &daemon, &back);
    assert!(twice.0 == 74 && twice.1.contains("cancelled already"), "{}", twice.1);

    let all = |daemon: &Daemon| daemon.json("/api/v1/maintenance")["maintenance"].clone();
    let before = all(&daemon);
    assert_eq!(before.as_array().map(Vec::len), Some(4));
    let (code, _, error) = folder.run(&["maintenance", "list", "--data", "var"]);
    assert!(code == 74 && !error.is_empty(), "the folder is the daemon's: {error}");
    assert_eq!(daemon.terminate(), 0);

    offline(&folder, &before);
    let daemon = folder.start();
    assert_eq!(all(&daemon).as_array().map(Vec::len), Some(5));
    assert_eq!(all(&daemon)[2], before[2]);
}

/// The same command over the folder of a stopped daemon.
fn offline(folder: &Folder, before: &Value) {
    let (code, list, error) = folder.run(&["maintenance", "list", "--data", "var", "--json"]);
    assert_eq!(code, 0, "{error}");
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["maintenance"], *before);
    let (from, to) = (in_seconds(50 * HOUR_S), in_seconds(51 * HOUR_S));
    let arguments = ["maintenance", "add", "--data", "var", "--system", "vneid", "--lang", "en"];
    let said = ["--from", &from, "--to", &to, "--who", "a", "--why", "b"];
    let (code, told, error) = folder.run(&[&arguments[..], &said].concat());
    assert!(code == 0 && told.contains("left out of the figures"), "{told}{error}");
    let (code, told, _) = folder.run(&["verify", "--data", "var"]);
    assert_eq!(code, 0, "{told}");
}

#[test]
fn an_incident_opens_and_closes_and_is_found_in_the_history() {
    let server = Server::start();
    let folder = Folder::with(&config("", &[check("a", server.address(), KEYS)]));
    let daemon = folder.start();
    let open = "thongsuot_incident_open{system=\"a\"}";
    let total = "thongsuot_incidents_total{system=\"a\"}";
    daemon.until_state("a", "up");
    assert_eq!((daemon.metric(open), daemon.metric(total)), (Some(0.0), Some(0.0)));
    server.set(Manner::Broken);
    within(Duration::from_mins(1), "it opens", || daemon.metric(open).filter(|it| *it > 0.5));
    assert_eq!(daemon.metric(total), Some(1.0));
    let incidents =
        |daemon: &Daemon| daemon.json("/api/v1/incidents?system=a")["incidents"].clone();
    within(Duration::from_mins(1), "the history has it", || {
        incidents(&daemon).as_array().filter(|it| it.len() == 1).map(|_| ())
    });
    assert_eq!(incidents(&daemon)[0]["end"], Value::Null);
    server.set(Manner::Good);
    within(Duration::from_mins(1), "it closes", || daemon.metric(open).filter(|it| *it < 0.5));
    assert_eq!(daemon.metric(total), Some(1.0));
    let ended = within(Duration::from_mins(1), "the history has its end", || {
        Some(incidents(&daemon)[0].clone()).filter(|it| !it["end"].is_null())
    });
    assert_eq!(ended["reason"], "http_status");
    assert_eq!(ended["checks"][0], "a");
    let figures = daemon.json("/api/v1/systems/a/figures");
    let times = &figures["times_ms"];
    let sum = ["up", "slow", "partial", "down", "unknown", "excluded"];
    let sum: i64 = sum.iter().map(|key| times[*key].as_i64().unwrap()).sum();
    assert_eq!(sum, 86_400_000, "the last day");
    assert_eq!(figures["incidents"], 1);
    assert!(times["down"].as_i64().unwrap() > 0);
    assert_eq!(
        figures["availability"]["part_ms"].as_i64().unwrap() + times["down"].as_i64().unwrap(),
        figures["availability"]["whole_ms"].as_i64().unwrap()
    );
}

/// Four hours of results every 20 seconds until a minute ago, of which ten minutes an hour and a
/// half ago are bad.
async fn seed(folder: &Folder, written: &str, now: Millis) {
    let data = folder.path().join("var");
    std::fs::create_dir_all(&data).unwrap();
    let settings = Settings { folder: Some(data), reserve_bytes: 0, ..Settings::default() };
    let history = History::open(settings, None).unwrap();
    let result = |ago_s: i64| {
        let bad = (4_800..5_400).contains(&ago_s);
        past::result("a", now.plus_ms(-ago_s * 1_000).0, bad)
    };
    let promise = past::promise(now.plus_ms(-14_400_000).0, written);
    let records = (3..720).rev().map(|slot| result(slot * 20));
    history.append(std::iter::once(promise).chain(records).collect()).await.unwrap();
    history.close().await.unwrap();
}

#[test]
fn live_figures_are_there_after_a_start_and_kept_over_the_next() {
    let server = Server::start();
    let written = check("a", server.address(), "interval = \"20s\"\ntimeout = \"1s\"");
    let written = written.replace("name = \"Hệ thống a\"", "name = \"A\"\nobjective = \"99%\"");
    let written = config("", &[written]);
    let folder = Folder::with(&written);
    let now = Clock::System.now();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(seed(&folder, &written, now));
    let mut daemon = folder.start();
    let ratio = |daemon: &Daemon, family: &str, window: &str| {
        daemon.metric(&format!("thongsuot_system_{family}{{system=\"a\",window=\"{window}\"}}"))
    };
    let day = |daemon: &Daemon| {
        within(Duration::from_mins(1), "the figures of a day", || {
            ratio(daemon, "availability_ratio", "24h")
        })
    };
    // Ten of four hours less a minute or two at the end; only from the first result on.
    let seen = day(&daemon);
    assert!((0.955..0.961).contains(&seen), "{seen}");
    let coverage = ratio(&daemon, "coverage_ratio", "24h").unwrap();
    assert!(coverage > 0.98, "{coverage}");
    within(Duration::from_mins(1), "the period is caught up", || {
        ratio(&daemon, "availability_ratio", "period")
    });
    assert!(ratio(&daemon, "burn_rate", "6h").unwrap() > 2.0);
    assert_eq!(ratio(&daemon, "burn_rate", "3d"), None, "less than a quarter is known");
    // One percent of the month since the promise; ten minutes of it are gone.
    let zone = jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
    let month = Calendar::Nd09.month_at(now, &zone).unwrap();
    let month = calendar::span(Calendar::Nd09, month, &zone).unwrap();
    let promised = month.end().since(month.start().max(now.plus_ms(-14_400_000)));
    let expected = 1.0 - 600_000.0 / (promised as f64 / 100.0);
    let left = daemon.metric("thongsuot_system_budget_remaining_ratio{system=\"a\"}").unwrap();
    assert!((left - expected).abs() < 0.001, "{left} {expected}");
    assert_eq!(daemon.terminate(), 0);
    let cache = folder.path().join("var/figures.cache");
    let kept = std::fs::read_to_string(&cache).unwrap();
    assert!(kept.starts_with("thongsuot figures 2 hn-1\n") && kept.contains("\nend "), "{kept}");
    std::fs::write(&cache, &kept[..kept.len() / 2]).unwrap();
    let daemon = folder.start();
    let again = day(&daemon);
    assert!((again - seen).abs() < 0.003, "a damaged cache is no loss: {again} {seen}");
}
