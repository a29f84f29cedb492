//! Incidents and drills as people on call use them, with the real binary.

use std::io::Read;
use std::net::SocketAddr;
use std::process::Stdio;

use serde_json::Value;
use thongsuot::clock::Clock;
use unicode_width::UnicodeWidthStr;

use crate::harness::{Daemon, Folder, check, config, until};
use crate::server::{Manner, Server};

const KEYS: &str = "interval = \"1s\"\ntimeout = \"1s\"";

/// One person on call, called over a server of ours.
fn with_people(checked: SocketAddr, gateway: SocketAddr) -> String {
    let alerting = format!(
        "[alerting]\nresolve_after = \"1s\"\n\n\
         [[channel]]\nid = \"cong\"\nkind = \"http\"\nurl = \"http://{gateway}/\"\n\
         body = '{{\"to\":{{{{ to|json }}}},\"text\":{{{{ text|json }}}}}}'\n\n\
         [[person]]\nid = \"an\"\nname = \"Nguyễn Văn An\"\n\
         contacts = [{{ channel = \"cong\", to = \"an\" }}]\n\n\
         [[team]]\nid = \"noc\"\nname = \"Trực ban\"\n\
         layer = [{{ people = [\"an\"], start = \"2026-11-02\" }}]\n\n"
    );
    config("", &[alerting, check("a", checked, KEYS)])
}

struct Desk<'a> {
    folder: &'a Folder,
    url: String,
}

impl Desk<'_> {
    /// Runs a command against the daemon: exit code, what it prints, what it says besides.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        self.folder.run(&[arguments, &["--url", &self.url]].concat())
    }
}

#[track_caller]
fn fits(text: &str) {
    for line in text.lines() {
        assert!(line.width() <= 80, "{} columns: {line}", line.width());
    }
}

/// The incident that is open, by what it is about.
fn open(daemon: &Daemon, about: &str) -> Option<Value> {
    let list = daemon.json("/api/v1/alerts")["alerts"].clone();
    let is = |it: &&Value| it["about"] == about && it["state"] != "closed";
    list.as_array()?.iter().find(is).cloned()
}

#[test]
fn a_drill_is_answered_by_hand_and_its_exit_code_says_so() {
    let (server, gateway) = (Server::start(), Server::start());
    let folder = Folder::with(&with_people(server.address(), gateway.address()));
    let daemon = folder.start();
    let desk = Desk { folder: &folder, url: format!("http://{}", daemon.address) };
    let (code, out, error) = desk.run(&["alerts"]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(out.starts_with("Không có sự cố nào đang mở.\n"), "{out}");

    let mut command =
        folder.command(&["drill", "--who", "trưởng ca", "--wait", "60s", "--url", &desk.url]);
    let mut drill = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let sent = until("the page went out", || {
        let seen = open(&daemon, "drill")?;
        (seen["messages"][0]["status"] == "sent").then_some(seen)
    });
    let id = sent["id"].as_str().unwrap();
    assert!(gateway.requests() > 0);
    let (code, out, error) = desk.run(&["alerts", "ack", id, "--who", "Nguyễn Văn An"]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(out.contains(id) && out.contains("Nguyễn Văn An đã tiếp nhận lúc"), "{out}");
    let status = until("the drill ends", || drill.try_wait().unwrap());
    let (mut said, mut progress) = (String::new(), String::new());
    drill.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    drill.stderr.take().unwrap().read_to_string(&mut progress).unwrap();
    assert_eq!(status.code(), Some(0), "{said}{progress}");
    assert!(said.contains(&format!("✔ {id}: Nguyễn Văn An đã tiếp nhận lúc")), "{said}");
    assert!(progress.contains("tin thử đã được gửi tới đội noc"), "{progress}");
    assert!(progress.contains("báo động · an · cong · đã gửi"), "{progress}");

    let (code, _, error) = desk.run(&["alerts", "ack", id, "--who", "Trần Thị Bình"]);
    // On a busy machine the drill may be closed by now.
    let late = ["Nguyễn Văn An has it already", "it is closed already"];
    assert!(code == 74 && late.iter().any(|it| error.contains(it)), "{error}");
    let (code, out, _) = desk.run(&["alerts", id]);
    assert_eq!(code, 0);
    for part in ["Diễn biến", "mở sự cố: diễn tập", "gọi an (bước 1)", "(dòng lệnh)", "Tin đã gửi"]
    {
        assert!(out.contains(part), "{part}\n{out}");
    }
    fits(&out);
    let closed = until("it is closed", || {
        let (code, out, _) = desk.run(&["alerts", "--all", "--lang", "en"]);
        (code == 0 && out.contains("closed")).then_some(out)
    });
    assert!(closed.contains(id), "{closed}");
    fits(&closed);
    let (_, list, _) = desk.run(&["alerts", "--json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["alerts"], serde_json::json!([]), "those that are open");

    let (code, out, error) = desk.run(&["drill", "--who", "trưởng ca", "--wait", "2s"]);
    assert_eq!(code, 1, "{out}{error}");
    assert!(out.contains("KHÔNG AI tiếp nhận trong 2s"), "{out}");
}

#[test]
fn what_is_asked_for_wrongly_is_answered_with_what_to_do() {
    let (server, gateway) = (Server::start(), Server::start());
    let folder = Folder::with(&with_people(server.address(), gateway.address()));
    let daemon = folder.start();
    let desk = Desk { folder: &folder, url: format!("http://{}", daemon.address) };
    for (arguments, code, part) in [
        (&["alerts", "SC-1"][..], 74, "help: /api/v1/alerts lists them"),
        (&["alerts", "ack", "SC-1", "--who", "a"], 74, "there is no incident SC-1"),
        (&["alerts", "ack", "SC-1", "--who", " "], 74, "`who` is empty"),
        (&["alerts", "ack", "SC-1"], 64, "--who"),
        (&["alerts", "--all", "SC-1"], 64, "--all"),
        (&["drill", "--who", "a", "--team", "noc-2"], 74, "help: teams are: noc"),
        (&["drill", "--who", "a", "--wait", "2h"], 64, "more than an hour"),
        (&["drill", "--who", "a", "--wait", "15"], 64, "such as 90s or 15m"),
        (&["drill"], 64, "--who"),
    ] {
        let (seen, out, error) = desk.run(arguments);
        assert_eq!((seen, out.as_str()), (code, ""), "{arguments:?}: {error}");
        assert!(error.contains(part), "{part}: {error}");
    }
    drop(daemon);
    let (code, _, error) = desk.run(&["alerts"]);
    assert!(code == 74 && error.contains("is the daemon running?"), "{error}");
}

#[test]
fn an_outage_is_taken_on_and_the_report_says_who_and_how_soon() {
    let (server, gateway) = (Server::start(), Server::start());
    let folder = Folder::with(&with_people(server.address(), gateway.address()));
    let daemon = folder.start();
    let desk = Desk { folder: &folder, url: format!("http://{}", daemon.address) };
    daemon.until_state("a", "up");
    server.set(Manner::Broken);
    let alert = until("it is told", || {
        open(&daemon, "service").filter(|it| !it["messages"].as_array().unwrap().is_empty())
    });
    let id = alert["id"].as_str().unwrap();
    let (status, page) = daemon.get(&format!("/incidents/{id}")).unwrap();
    assert_eq!(status, 200);
    assert!(page.contains("Hệ thống a") && page.contains("Chưa có người tiếp nhận"), "{page}");
    let page = daemon.get("/").unwrap().1;
    assert!(page.contains(&format!("incidents/{id}")), "{page}");
    assert!(page.contains("Đang trực – Trực ban: <strong>Nguyễn Văn An</strong>"), "{page}");
    let (_, out, _) = desk.run(&["alerts"]);
    assert!(out.contains("CHƯA CÓ NGƯỜI TIẾP NHẬN"), "{out}");
    let (code, _, error) = desk.run(&["alerts", "close", id, "--who", "Bình"]);
    assert!(code == 74 && error.contains("still goes on"), "{error}");
    assert_eq!(desk.run(&["alerts", "ack", id, "--who", "Bình"]).0, 0);
    server.set(Manner::Good);
    until("it is closed", || open(&daemon, "service").is_none().then_some(()));

    let at = |s: i64| jiff::Timestamp::from_second(Clock::System.now().0 / 1_000 + s).unwrap();
    let (from, to) = (at(-3_600).to_string(), at(60).to_string());
    let arguments = ["report", "--from", &from, "--to", &to, "--format", "json"];
    let incident = until("the history has it", || {
        let (code, out, _) = folder.run(&arguments);
        let report: Value = serde_json::from_str(&out).ok().filter(|_| code == 0)?;
        let system = &report["systems"][0];
        let mean = &system["figures"]["incidents"]["mean_to_acknowledge_ms"];
        let incident = &system["incidents"][0];
        mean.is_i64().then(|| (incident.clone(), mean.as_i64()))
    });
    let (incident, mean) = incident;
    assert_eq!((&incident["alert"], &incident["acknowledged_by"]), (&id.into(), &"Bình".into()));
    let ms = |key: &str| incident[key]["ms"].as_i64().unwrap();
    assert_eq!(mean, Some(ms("acknowledged") - ms("first_alert")));
    assert!(ms("first_alert") >= incident["confirmed_ms"].as_i64().unwrap(), "{incident}");
}
