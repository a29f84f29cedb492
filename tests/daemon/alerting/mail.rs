//! Mail servers with bad manners.

use std::time::Duration;

use super::hook::Hook;
use super::kit::{
    QUICK, alerting, channel, messages, on_hook, person, team, until_all_sent, until_is,
};
use super::smtp::{Manner, Smtp};
use crate::harness::{Folder, check, until, within};
use crate::server::{self, Server};

/// An attempt may take this long; what waited for it would come later.
const TIMEOUT: &str = "timeout = \"25s\"";
const NOT_HELD_UP: Duration = Duration::from_secs(20);

fn on_mail(to: &str) -> String {
    format!("{{ channel = \"mail\", to = \"{to}@example.gov.vn\", after = \"0s\" }}")
}

#[test]
fn a_tarpit_a_greylist_and_a_refusal_hold_up_nobody_and_other_contacts_are_used() {
    let hook = Hook::start();
    let server = Server::with(server::Manner::Broken);
    let smtp = Smtp::start(&[
        ("binh@", Manner::Tarpit),
        ("chi@", Manner::Refused),
        ("dung@", Manner::Greylisted),
    ]);
    let later = "{ channel = \"hook\", to = \"chi\", after = \"15m\" }";
    let people = [
        channel(&hook),
        smtp.written(TIMEOUT),
        // The tarpit is the first that is tried.
        person("binh", &on_mail("binh")),
        person("an", &on_mail("an")),
        person("chi", &format!("{}, {later}", on_mail("chi"))),
        person("dung", &on_mail("dung")),
        person("giang", &on_hook("giang")),
        team(
            "truc",
            "an",
            "",
            &[(
                "0s",
                "\"person:binh\", \"person:an\", \"person:chi\", \"person:dung\", \"person:giang\"",
            )],
        ),
    ];
    let folder = Folder::with(&alerting("", &[check("a", server.address(), QUICK)], &people));
    let daemon = folder.start();
    until_is(&daemon, "a", "state", "open");
    within(NOT_HELD_UP, "everybody else is told", || {
        let mailed = ["an@", "dung@"].iter().all(|it| smtp.taken(it).len() == 1);
        let called = ["chi", "giang"].iter().all(|it| hook.of(it, "page").len() == 1);
        (mailed && called).then_some(())
    });
    assert_eq!(smtp.asked("dung@"), 2, "greylisted once");
    assert_eq!((smtp.asked("binh@"), smtp.taken("binh@").len()), (1, 0), "still in the tarpit");
    let incident = until("what is refused is told", || {
        let incident = super::kit::about(&daemon, "a").pop()?;
        (messages(&incident, "chi", "mail")[0]["status"] == "failed").then_some(incident)
    });
    assert_eq!(smtp.asked("chi@"), 1, "refused for good");
    let why = messages(&incident, "chi", "mail")[0]["why"].to_string();
    assert!(why.contains("550"), "{why}");
    // Who is in the tarpit is tried again after the deadline.
    within(Duration::from_mins(1), "the tarpit is left and tried again", || {
        (smtp.asked("binh@") >= 2).then_some(())
    });
}

#[test]
fn a_mail_server_that_was_down_gets_every_message_once_when_it_is_back() {
    let smtp = Smtp::down(&[]);
    let server = Server::with(server::Manner::Broken);
    let people = [
        smtp.written("timeout = \"5s\""),
        person("an", &on_mail("an")),
        person("binh", &on_mail("binh")),
        team("truc", "an", "", &[("0s", "\"person:an\", \"person:binh\"")]),
    ];
    let keys = "resolve_after = \"1s\"";
    let folder = Folder::with(&alerting(keys, &[check("a", server.address(), QUICK)], &people));
    let mut daemon = folder.start();
    until("both are tried", || {
        let incident = super::kit::about(&daemon, "a").pop()?;
        let tried = |who: &str| {
            let it = messages(&incident, who, "mail");
            it.first().is_some_and(|it| it["attempts"].as_u64() > Some(1))
        };
        (tried("an") && tried("binh")).then_some(())
    });
    // It also survives a restart.
    assert_eq!(daemon.terminate(), 0);
    let daemon = folder.start();
    smtp.listen();
    within(Duration::from_mins(1), "both are told", || {
        ["an@", "binh@"].iter().all(|it| smtp.taken(it).len() == 1).then_some(())
    });
    until_all_sent(&daemon);
    server.set(server::Manner::Good);
    until("both hear that it is over", || {
        ["an@", "binh@"].iter().all(|it| smtp.taken(it).len() == 2).then_some(())
    });
    let closed = until_is(&daemon, "a", "state", "closed");
    until_all_sent(&daemon);
    assert_eq!(closed["messages"].as_array().unwrap().len(), 4, "{closed:#}");
    assert_eq!(smtp.taken("@").len(), 4);
}
