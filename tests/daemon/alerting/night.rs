//! One outage at night, as whoever is on call lives it: by what arrives alone.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::hook::Hook;
use super::kit::{QUICK, alerting, channel, incidents, on_hook, person, post, team};
use crate::debian_exim::{Exim, PASSWORD, USER, program};
use crate::harness::{Folder, check, until, within};
use crate::server::{Manner, Server};
use crate::skip::skip;

/// When the second step would call the chief.
const SECOND_STEP: Duration = Duration::from_secs(15);

/// An's mail goes through Exim, as over any mail server.
fn mail(exim: &Exim, folder: &Folder) -> String {
    std::fs::write(folder.path().join("exim.pem"), &exim.root_pem).unwrap();
    std::fs::write(folder.path().join("smtp"), PASSWORD).unwrap();
    let mut text = String::new();
    let _ = write!(
        text,
        "[[channel]]\nid = \"thu\"\nkind = \"email\"\nserver = \"127.0.0.1:{}\"\n\
         user = \"{USER}\"\npassword = {{ file = \"smtp\" }}\nroots = \"exim.pem\"\n\
         from = \"Giám sát dịch vụ công <giamsat@example.gov.vn>\"\n",
        exim.ports[0]
    );
    text
}

#[test]
fn one_outage_at_night_is_one_mail_one_answer_and_one_all_clear() {
    let Some(program) = program() else {
        return skip("a night on call", "exim4 or python3 is not installed");
    };
    let exim = Exim::start(&program);
    let hook = Hook::start();
    let server = Server::start();
    let folder = Folder::new();
    let contacts = "{ channel = \"thu\", to = \"an@example.gov.vn\", after = \"0s\" }, \
                    { channel = \"hook\", to = \"an\", after = \"2s\" }";
    let second = format!("{}s", SECOND_STEP.as_secs());
    let people = [
        channel(&hook),
        mail(&exim, &folder),
        person("an", contacts),
        person("chi", &on_hook("chi")),
        person("truong", &on_hook("truong")),
        team(
            "truc",
            "an",
            "",
            &[("0s", "\"oncall\", \"person:chi\""), (second.as_str(), "\"person:truong\"")],
        ),
    ];
    let keys = "resolve_after = \"1s\"\nseen_from = \"Viettel, Hà Nội\"";
    folder.write(&alerting(keys, &[check("vneid", server.address(), QUICK)], &people));
    let daemon = folder.start();
    daemon.until_state("vneid", "up");
    server.set(Manner::Broken);

    // The mail wakes An, and says all that is to be known.
    let woken = exim.mailbox(1);
    let begun = Instant::now();
    let subject = woken["headers"]["subject"].as_str().unwrap();
    assert!(subject.starts_with("[GIÁN ĐOẠN] Hệ thống vneid"), "{subject}");
    assert!(subject.contains("(Viettel, Hà Nội)"), "{subject}");
    assert!(subject.contains("Chưa có người tiếp nhận"), "{subject}");
    let text = woken["text"].as_str().unwrap();
    let number = subject.rsplit("Mã ").next().unwrap();
    assert!(text.contains("Bị ảnh hưởng: Viettel, Hà Nội"), "{text}");
    println!("{subject}\n\n{text}");
    let link = line(text, "TIẾP NHẬN: ");
    let path = link.strip_prefix("https://giamsat.example.gov.vn").unwrap();
    for who in ["an", "chi"] {
        assert_eq!(hook.hears(who, "page").incident(), number);
    }

    // A mail program opens the link by itself: nothing happens.
    for _ in 0..3 {
        let (status, page) = daemon.get(path).unwrap();
        assert!(status == 200 && page.contains("<form method=\"post\">"), "{page}");
        assert!(page.contains("Hệ thống vneid"), "{page}");
    }
    assert_eq!(incidents(&daemon)[0]["acknowledged"], Value::Null);

    // An opens it and presses the button.
    let (status, page) = post(daemon.address, path, "act=acknowledge");
    assert!(status == 200 && page.contains("đã tiếp nhận"), "{page}");
    let heard = hook.hears("chi", "acknowledged");
    assert!(heard.subject().starts_with("[ĐÃ TIẾP NHẬN]"), "{}", heard.subject());
    assert!(heard.subject().contains("Đ/c an"), "{}", heard.subject());
    let (status, page) = post(daemon.address, path, "act=acknowledge");
    assert!(status == 409 && page.contains("đã tiếp nhận"), "{status} {page}");
    let (status, page) = daemon.get(path).unwrap();
    assert!(status == 200 && !page.contains("value=\"acknowledge\""), "{page}");
    let forged = format!("{}0", &path[..path.len() - 1]);
    let forged = if forged == path { format!("{}1", &path[..path.len() - 1]) } else { forged };
    assert_eq!(post(daemon.address, &forged, "act=acknowledge").0, 403);

    // The second step never comes.
    within(2 * SECOND_STEP, "the time of the second step", || {
        (begun.elapsed() > SECOND_STEP + Duration::from_secs(3)).then_some(())
    });
    assert!(hook.all().iter().all(|it| it.to() != "truong"), "the chief may sleep");

    server.set(Manner::Good);
    let over = exim.mailbox(2);
    let subject = over["headers"]["subject"].as_str().unwrap();
    assert!(subject.starts_with("[ĐÃ KHÔI PHỤC] Hệ thống vneid"), "{subject}");
    assert!(subject.ends_with(number), "{subject}");
    println!("{subject}");
    for who in ["an", "chi"] {
        hook.hears(who, "resolved");
    }
    let closed = until("the incident is closed", || {
        incidents(&daemon).into_iter().find(|it| it["state"] == "closed")
    });
    assert_eq!(closed["id"], number);
    super::kit::until_all_sent(&daemon);
    assert_eq!(exim.mailbox(2)["count"], 2, "one page and one all-clear");
    assert!(hook.keys().values().all(|count| *count == 1), "{:?}", hook.keys());
    assert_eq!(hook.all().len(), 5, "{:?}", hook.keys());
    let (status, _) = post(daemon.address, path, "act=acknowledge");
    assert_eq!(status, 409);
}

/// What stands behind a word in a text.
#[track_caller]
fn line<'a>(text: &'a str, word: &str) -> &'a str {
    let line = text.lines().find_map(|it| it.strip_prefix(word));
    line.unwrap_or_else(|| panic!("no `{word}` in {text}")).trim()
}
