//! HTTP channels that say yes and mean no, fail, ask to wait, or say nothing.

use std::time::Duration;

use super::hook::{Got, Hook, Reply};
use super::kit::{QUICK, about, alerting, messages, person, team, until_is, webhook};
use crate::harness::{Folder, check, until, within};
use crate::server::{Manner, Server};

/// What `busy` asks for.
const RETRY_AFTER: Duration = Duration::from_secs(6);

fn script(got: &Got) -> Reply {
    match (&*got.path, got.nth) {
        ("/zalo/bot1234:t0k3n/sendMessage", 0 | 1) => {
            Reply::Says(200, "", r#"{"ok":false,"error_code":429,"description":"chậm lại"}"#)
        }
        ("/zalo/bot1234:t0k3n/sendMessage", _) => {
            Reply::Says(200, "", r#"{"ok":true,"result":{"message_id":"82599fa3"}}"#)
        }
        ("/broken", 0 | 1) => Reply::Says(500, "", "lỗi"),
        ("/busy", 0) => Reply::Says(429, "Retry-After: 6\r\n", ""),
        ("/silent", 0) | ("/never", _) => Reply::Nothing,
        _ => Reply::Says(200, "", ""),
    }
}

#[test]
fn a_no_in_the_body_a_500_a_429_and_silence_are_tried_again_and_hold_up_no_other() {
    let hook = Hook::with(script);
    let server = Server::with(Manner::Broken);
    let folder = Folder::new();
    std::fs::write(folder.path().join("bot"), "1234:t0k3n").unwrap();
    let zalo = format!(
        "[[channel]]\nid = \"zalo\"\nkind = \"zalo-bot\"\nmin_gap = \"0s\"\n\
         token = {{ file = \"bot\" }}\nurl = \"http://{}/zalo\"\n",
        hook.address
    );
    let channels = ["good", "broken", "busy", "silent", "never"];
    let mut people = vec![zalo];
    people.extend(channels.map(|id| webhook(id, &hook, "timeout = \"3s\"")));
    let contact =
        |channel: &str| format!("{{ channel = \"{channel}\", to = \"an\", after = \"0s\" }}");
    let contacts = channels.map(contact).join(", ");
    people.push(person("an", &format!("{contacts}, {}", contact("zalo"))));
    people.push(team("truc", "an", "", &[("0s", "\"oncall\"")]));
    folder.write(&alerting("", &[check("a", server.address(), QUICK)], &people));
    let daemon = folder.start();
    let incident = until_is(&daemon, "a", "state", "open");
    let id = incident["id"].as_str().unwrap();

    let on = |path: &str| -> Vec<Got> {
        hook.all().into_iter().filter(|it| it.path.starts_with(path)).collect()
    };
    within(Duration::from_secs(40), "all but the one that never answers are told", || {
        let counts = ["/good", "/broken", "/busy", "/silent", "/zalo"].map(|it| on(it).len());
        (counts == [1, 3, 2, 2, 3]).then_some(())
    });
    let busy = on("/busy");
    let waited = busy[1].at.duration_since(busy[0].at);
    assert!(waited + Duration::from_millis(50) >= RETRY_AFTER, "came back after {waited:?}");
    // The good one had it before anybody's second attempt.
    let good = on("/good")[0].at;
    assert!(["/busy", "/silent"].iter().all(|it| good < on(it)[1].at));
    for path in ["/broken", "/busy", "/silent"] {
        assert!(on(path).iter().all(|it| it.key() == on(path)[0].key()), "one key");
    }
    assert!(on("/zalo")[0].body["text"].as_str().unwrap().contains(id));

    let sent = until("what was sent is known", || {
        let incident = about(&daemon, "a").pop()?;
        let sent = |it: &&str| messages(&incident, "an", it)[0]["status"] == "sent";
        ["good", "broken", "busy", "silent", "zalo"].iter().all(sent).then_some(incident)
    });
    let attempts = |channel: &str| messages(&sent, "an", channel)[0]["attempts"].as_u64().unwrap();
    assert_eq!(["good", "broken", "busy", "silent", "zalo"].map(attempts), [1, 3, 2, 2, 3]);
    assert_eq!(messages(&sent, "an", "never")[0]["status"], "pending");
    let later = daemon.metric_sum("thongsuot_notifications_total{channel=\"zalo\"");
    println!("thongsuot_notifications_total{{channel=\"zalo\"}}: {later}");
    let log = daemon.process.log() + &sent.to_string() + &daemon.get("/metrics").unwrap().1;
    assert!(!log.contains("t0k3n"), "a token was told");
}
