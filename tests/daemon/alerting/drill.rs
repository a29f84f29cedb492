//! A drill goes the real way, and it is kept whether somebody answered.

use thongsuot::history::Reader;

use super::hook::Hook;
use super::kit::{QUICK, acknowledge, alerting, an, on_hook, person, post, team, until_is};
use crate::harness::{Folder, check};
use crate::server::Server;

#[test]
fn a_drill_pages_along_the_real_path_and_the_journal_says_whether_it_was_answered() {
    let hook = Hook::start();
    let server = Server::start();
    let mut people = an(&hook);
    people.push(person("binh", &on_hook("binh")));
    people.push(team("hai", "binh", "", &[("0s", "\"oncall\"")]));
    let keys = "resolve_after = \"1s\"";
    let folder = Folder::with(&alerting(keys, &[check("a", server.address(), QUICK)], &people));
    let mut daemon = folder.start();
    let begin = |body: &str| post(daemon.address, "/api/v1/drill", body);
    let (status, body) = begin("{\"who\":\"trực ca\"}");
    assert_eq!(status, 200, "{body}");
    let begun: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&begun["about"], &begun["subject"]), (&"drill".into(), &"truc".into()));
    let page = hook.hears("an", "page");
    assert_eq!(page.incident(), begun["id"]);
    assert!(page.subject().starts_with("[DIỄN TẬP]"), "{}", page.subject());
    assert!(page.body["ack_url"].as_str().unwrap().contains("/a/"), "{:?}", page.body);

    let (status, body) = begin("{\"who\":\"trực ca\",\"team\":\"ba\"}");
    assert!(status == 400 && body.contains("truc, hai"), "{body}");
    assert_eq!(begin("{\"who\":\"trực ca\",\"team\":\"hai\"}").0, 200);
    hook.hears("binh", "page");

    assert_eq!(acknowledge(&daemon, page.incident(), "Đ/c An"), 200);
    assert_eq!(acknowledge(&daemon, page.incident(), "Đ/c Bình"), 409);
    until_is(&daemon, "truc", "state", "closed");
    hook.hears("an", "resolved");
    // A restart neither ends the other drill nor tells the end of the first again.
    assert_eq!(daemon.terminate(), 0);
    let mut daemon = folder.start();
    let other = until_is(&daemon, "hai", "state", "open");
    assert_eq!(acknowledge(&daemon, other["id"].as_str().unwrap(), "Đ/c Bình"), 200);
    until_is(&daemon, "hai", "state", "closed");
    assert_eq!(daemon.terminate(), 0);
    assert!(hook.keys().values().all(|count| *count == 1), "{:?}", hook.keys());

    let reader = Reader::open(&folder.path().join("var")).unwrap();
    let events = reader.events(0, 1_000).unwrap();
    let of = |kind: &str| -> Vec<serde_json::Value> {
        let all = events.iter().filter(|it| it.event.kind == kind);
        all.map(|it| it.event.body.clone()).collect()
    };
    let begun = of("drill.begun");
    assert_eq!(begun.len(), 2, "{begun:?}");
    assert_eq!((&begun[0]["team"], &begun[0]["who"]), (&"truc".into(), &"trực ca".into()));
    let ended = of("drill.ended");
    assert_eq!(ended.len(), 2, "{ended:?}");
    for (ended, by) in ended.iter().zip(["Đ/c An", "Đ/c Bình"]) {
        assert_eq!((&ended["acknowledged"], &ended["by"]), (&true.into(), &by.into()));
        assert!(ended["after_ms"].as_i64().is_some_and(|it| it > 0), "{ended}");
    }
}
