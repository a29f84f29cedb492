//! Each command as an operator uses it: exit codes, and the lines that matter.

use unicode_width::UnicodeWidthStr;

use rustix::process::Signal;

use crate::harness::{BINARY, Folder, Process, check, config, until};
use crate::server::{Manner, Server};

const KEYS: &str = "interval = \"1s\"\ntimeout = \"1s\"\nexpect = { body_contains = [\"OK\"] }";

/// No line is wider than a terminal; frames of addresses and hashes are not counted.
#[track_caller]
fn fits(text: &str) {
    for line in text.lines().filter(|line| !line.contains("/tmp")) {
        assert!(line.width() <= 80, "{} columns: {line}", line.width());
    }
}

#[test]
fn probe_explains_a_url_and_a_check_and_its_exit_code_is_the_verdict() {
    let server = Server::start();
    let folder = Folder::with(&config("", &[check("home", server.address(), KEYS)]));
    let url = format!("http://{}/", server.address());

    let (code, out, error) = folder.run(&["probe", &url]);
    assert_eq!((code, error.as_str()), (0, ""), "{out}");
    for line in ["thông suốt · ok / none", "status      200", "connect", "receive"] {
        assert!(out.contains(line), "{line}: {out}");
    }
    fits(&out);
    assert_eq!(folder.run(&["probe", "home"]).0, 0);

    server.set(Manner::Broken);
    let (code, out, _) = folder.run(&["probe", "home"]);
    assert_eq!(code, 1);
    assert!(out.contains("lỗi · error / http_status"), "{out}");
    let (code, out, _) = folder.run(&["probe", "--json", "home"]);
    let seen: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &seen["lanes"][0]["reason"]), (1, &"http_status".into()));
    server.set(Manner::Hang);
    let (code, out, _) = folder.run(&["probe", "--timeout", "300ms", &url]);
    assert_eq!(code, 1);
    assert!(out.contains("treo · hang / timeout_wait"), "{out}");

    let (code, out, error) = folder.run(&["probe", "nope://x"]);
    assert_eq!((code, out.as_str()), (64, ""));
    assert!(error.contains("`nope` is no scheme that can be probed: write http"), "{error}");
    let (code, _, error) = folder.run(&["probe", "hoem"]);
    assert_eq!(code, 78);
    assert!(error.contains("no check `hoem`") && error.contains("`home`"), "{error}");
    fits(&error);

    folder.write(&config("kill = [\"127.0.0.1\"]", &[check("home", server.address(), KEYS)]));
    for arguments in [&["probe", "home"][..], &["probe", &url, "--config", "targets.toml"]] {
        let (code, out, error) = folder.run(arguments);
        assert_eq!((code, out.as_str()), (78, ""));
        assert!(error.contains("`127.0.0.1` is in `[monitor] kill`"), "{error}");
        fits(&error);
    }
}

#[test]
fn check_says_what_a_configuration_means_or_all_that_is_wrong() {
    let address = "127.0.0.1:1".parse().unwrap();
    let folder = Folder::with(&config("", &[check("home", address, KEYS)]));
    let (code, out, error) = folder.run(&["check"]);
    assert_eq!((code, error.as_str()), (0, ""));
    for part in ["owners           1", "checks           1: 1 http", "127.0.0.1", "no `contact`"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    fits(&out);
    folder.write(&config("kil = 1", &[check("home", address, "interval = \"x\"")]));
    let (code, out, error) = folder.run(&["check", "targets.toml"]);
    assert_eq!((code, out.as_str()), (78, ""));
    for part in ["unknown key `kil`", "did you mean `kill`?", "`x` is not a length", "2 mistakes"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    fits(&error);
    let (code, _, error) = folder.run(&["check", "nowhere.toml"]);
    assert_eq!(code, 78);
    assert!(error.contains("nowhere.toml"), "{error}");
}

#[test]
fn schema_is_json_and_help_fits_a_terminal() {
    let folder = Folder::new();
    let (code, out, _) = folder.run(&["schema"]);
    let schema: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, schema["properties"].get("monitor").is_some()), (0, true));

    for command in [
        "",
        "run",
        "demo",
        "check",
        "schema",
        "probe",
        "status",
        "alerts",
        "drill",
        "oncall",
        "verify",
        "report",
        "export",
        "rules",
        "maintenance",
        "healthy",
    ] {
        let mut help = folder.command(&[command, "--help"]);
        if command.is_empty() {
            help = folder.command(&["--help"]);
        }
        let output = help.env("COLUMNS", "80").output().unwrap();
        assert!(output.status.success(), "{command}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("Usage: thongsuot"), "{text}");
        assert!(text.lines().all(|line| line.width() <= 80), "{text}");
    }
    let (code, _, error) = folder.run(&["rum"]);
    assert_eq!(code, 64);
    assert!(error.contains("'run'"), "{error}");
    let (code, out, _) = folder.run(&["--version"]);
    assert_eq!((code, out.starts_with("thongsuot ")), (0, true));
    assert!(BINARY.ends_with("thongsuot"));
}

#[test]
fn whoever_reads_the_past_is_told_how_to_say_where_it_is() {
    let folder = Folder::new();
    let report = ["report", "--period", "2026-10"];
    for command in [&["verify"][..], &report, &["export", "--period", "2026-10", "--check", "c"]] {
        let (code, out, error) = folder.run(command);
        assert_eq!((code, out.as_str()), (74, ""), "{command:?}: {error}");
        assert!(error.contains("there is no var/history.sqlite: name with `--data`"), "{error}");
    }
}

#[test]
fn status_shows_who_is_down_and_why_in_eighty_columns() {
    let good = Server::start();
    let broken = Server::with(Manner::Broken);
    let checks = [check("good", good.address(), KEYS), check("broken", broken.address(), KEYS)];
    let folder = Folder::with(&config("", &checks));
    let daemon = folder.start();
    daemon.until_state("good", "up");
    daemon.until_state("broken", "down http_status");
    let url = format!("http://{}", daemon.address);

    let (code, out, error) = folder.run(&["status", "--url", &url, "--lang", "en"]);
    assert_eq!((code, error.as_str()), (0, ""));
    for part in ["Bộ Công an", "● Hệ thống good", "✖ Hệ thống broken", "DOWN", "http_status"]
    {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(out.contains("● 1 up   ✖ 1 DOWN\nhn-1 · "), "{out}");
    fits(&out);
    let (_, out, _) = folder.run(&["status", "--url", &url, "--checks"]);
    assert!(out.contains("GIÁN ĐOẠN") && out.contains("http_status: "), "{out}");
    fits(&out);
    let (code, out, _) = folder.run(&["status", "--url", &url, "--json"]);
    assert_eq!(code, 0);
    let country: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(country["vantage"], "hn-1");

    drop(daemon);
    let (code, out, error) = folder.run(&["status", "--url", &url]);
    assert_eq!((code, out.as_str()), (74, ""));
    for part in ["no answer from http://127.0.0.1:", "refused", "is the daemon running?"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    until("a daemon serves again", || Some(folder.start())).terminate();
}

#[test]
fn a_token_guards_everything_but_health_and_status_can_give_it() {
    let server = Server::start();
    let checks = [check("home", server.address(), KEYS)];
    let folder = Folder::with(&config("token = { file = \"token\" }", &checks));
    std::fs::write(folder.path().join("token"), "mat-khau-thu-0123456789abcdef\n").unwrap();
    let daemon = folder.start();
    for (path, status) in [
        ("/-/healthy", 200),
        ("/-/ready", 200),
        ("/", 401),
        ("/metrics", 401),
        ("/api/v1/systems", 401),
        ("/api/v1/checks/home/results", 401),
    ] {
        assert_eq!(daemon.get(path).unwrap().0, status, "{path}");
    }
    assert_eq!(daemon.reload().0, 401);
    let url = format!("http://{}", daemon.address);
    let (code, _, error) = folder.run(&["status", "--url", &url]);
    assert_eq!(code, 74);
    assert!(error.contains("--token-file"), "{error}");
    until("status with the token shows it up", || {
        let (code, out, _) = folder.run(&["status", "--url", &url, "--token-file", "token"]);
        (code == 0 && out.contains("● Hệ thống home")).then_some(())
    });
    assert!(!daemon.process.log().contains("mat-khau"), "secrets are not logged");
}

#[test]
fn the_log_is_one_json_object_a_line_if_asked_and_a_wrong_filter_is_named() {
    let server = Server::with(Manner::Broken);
    let folder = Folder::with(&config("", &[check("home", server.address(), KEYS)]));
    let arguments = ["run", "--log-format", "json", "--log", "a=b=c"];
    let mut process = Process::start(folder.command(&arguments), folder.path());
    until("it went down", || process.log().contains("\"system went down\"").then_some(()));
    process.signal(Signal::TERM);
    assert_eq!(process.end(), 0);
    let log = process.log();
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["message"], "not a log filter; using info");
    let down = lines.iter().find(|it| it["message"] == "went down").unwrap();
    assert_eq!((&down["level"], &down["check"]), (&"WARN".into(), &"home".into()));
    assert!(down["why"].as_str().unwrap().contains("500"), "{down}");
    assert_eq!(lines.last().unwrap()["message"], "ended");
}

/// An, from 06:00 to 22:00; nobody at night, when the fallback list is called.
const ROTA: &str = r#"
[[channel]]
id = "thu"
kind = "email"
server = "127.0.0.1:25"
security = "none"
from = "giamsat@example.gov.vn"

[[person]]
id = "an"
name = "Đ/c Nguyễn Văn An"
contacts = [{ channel = "thu", to = "nguyen.an@example.gov.vn" }]

[[team]]
id = "truc"
name = "Tổ trực"
[[team.layer]]
people = ["an"]
start = "2026-11-02"
turn = "8h"
only = { hours = "06:00-22:00" }
"#;

#[test]
fn oncall_says_who_is_on_call_and_its_exit_code_whether_anybody_is() {
    let address = "127.0.0.1:1".parse().unwrap();
    let text = config("contact = \"a@example.gov.vn\"", &[check("home", address, KEYS)]);
    let folder = Folder::with(&format!("{text}{ROTA}"));
    let (code, out, error) = folder.run(&["oncall", "--at", "2026-11-24 12:00"]);
    assert_eq!((code, error.as_str()), (0, ""), "{out}");
    for part in ["Đ/c Nguyễn Văn An (an), đến 22:00", "ng*****@example.gov.vn", "KHÔNG CÓ AI"]
    {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(!out.contains("nguyen.an@"), "{out}");
    fits(&out);
    let (code, out, _) = folder.run(&["oncall", "--at", "2026-11-24 23:00", "--lang", "en"]);
    assert_eq!(code, 1);
    assert!(out.contains("NOBODY"), "{out}");
    fits(&out);
    let (code, out, _) = folder.run(&["oncall", "--at", "2026-11-24 12:00", "--json"]);
    let seen: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &seen["teams"][0]["now"]["people"][0]["id"]), (0, &"an".into()));
    let (code, _, error) = folder.run(&["oncall", "--team", "nope"]);
    assert_eq!(code, 64);
    assert!(error.contains("no team `nope`") && error.contains("`truc`"), "{error}");
    let (code, out, _) = folder.run(&["check"]);
    assert_eq!(code, 0);
    assert!(out.contains("truc\n    nobody is on call"), "{out}");
    fits(&out);
}
