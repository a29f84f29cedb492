//! The configuration changes while people are being called.

use super::hook::{Hook, Reply};
use super::kit::{
    QUICK, about, alerting, an, channel, messages, on_hook, person, post, team, until_is, webhook,
};
use crate::harness::{Daemon, Folder, ask, check, until};
use crate::server::{Manner, Server};

/// Takes a configuration into force.
#[track_caller]
fn reload(folder: &Folder, daemon: &Daemon, text: &str) {
    folder.write(text);
    let (status, answer) = daemon.reload();
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn a_check_a_person_and_a_channel_may_go_and_a_team_may_come_while_people_are_called() {
    let hook = Hook::with(|got| match &*got.path {
        "/mute" | "/gone" => Reply::Says(500, "", ""),
        _ => Reply::Says(200, "", ""),
    });
    let server = Server::with(Manner::Broken);
    let [a, b] = ["a", "b"].map(|id| check(id, server.address(), QUICK));
    let on = |channel: &str, to: &str| {
        format!("{{ channel = \"{channel}\", to = \"{to}\", after = \"0s\" }}")
    };
    let [mute, gone] = ["mute", "gone"].map(|id| webhook(id, &hook, ""));
    let an = |more: &str| person("an", &(on_hook("an") + more));
    let on_gone = format!(", {}", on("gone", "an-2"));
    let [binh, chi] = [person("binh", &on_hook("binh")), person("chi", &on("mute", "chi"))];
    // Chi is on call, over a channel that takes nothing; the others come in half an hour.
    let steps = [("0s", "\"oncall\""), ("30m", "\"person:binh\", \"person:an\"")];
    let before = team("truc", "chi", "", &steps);
    let after = team("truc", "an", "", &steps);
    let keys = "resolve_after = \"2s\"";
    let folder = Folder::with(&alerting(
        keys,
        &[a.clone(), b.clone()],
        &[channel(&hook), mute, gone.clone(), an(&on_gone), binh.clone(), chi, before],
    ));
    let mut daemon = folder.start();
    for id in ["a", "b"] {
        until("Chi is called in vain", || {
            let it = messages(&about(&daemon, id).pop()?, "chi", "mute").pop()?;
            (it["attempts"].as_u64() > Some(0)).then_some(())
        });
    }

    // Chi has left, and her channel with her: the others are called now, not in half an hour.
    let who = [channel(&hook), gone, an(&on_gone), binh.clone(), after.clone()];
    reload(&folder, &daemon, &alerting(keys, &[a.clone(), b.clone()], &who));
    for to in ["an", "binh"] {
        until("both hear of both", || (hook.of(to, "page").len() == 2).then_some(()));
    }
    for id in ["a", "b"] {
        let dropped = until("what waits for her is dropped", || {
            let it = messages(&about(&daemon, id).pop()?, "chi", "mute").pop()?;
            (it["status"] == "dropped").then_some(it)
        });
        assert!(!dropped["ended"].is_null());
    }

    // A channel goes while messages wait for it; whoever had it is reached over the other.
    until("a message waits for the channel", || {
        let it = messages(&about(&daemon, "a").pop()?, "an", "gone").pop()?;
        (it["attempts"].as_u64() > Some(0) && it["status"] == "pending").then_some(())
    });
    let who = [channel(&hook), an(""), binh.clone(), after.clone()];
    reload(&folder, &daemon, &alerting(keys, &[a, b.clone()], &who));
    until("what waits for it is dropped", || {
        let it = messages(&about(&daemon, "a").pop()?, "an", "gone").pop()?;
        (it["status"] == "dropped").then_some(())
    });

    // The check that fails is not watched any more, and there is a new team.
    let giang = person("giang", &on_hook("giang"));
    let new = team("moi", "giang", "", &[("0s", "\"oncall\"")]);
    let who = [channel(&hook), an(""), binh, giang, after, new];
    let last = alerting(keys, std::slice::from_ref(&b), &who);
    reload(&folder, &daemon, &last);
    let removed = until_is(&daemon, "a", "state", "closed");
    let id = removed["id"].as_str().unwrap();
    let log = removed["log"].to_string();
    assert!(log.contains("removed") || log.contains("not watched"), "{log}");
    for to in ["an", "binh"] {
        let told = hook.hears(to, "resolved");
        assert_eq!(told.incident(), id);
        println!("{}", told.subject());
    }
    let teams = daemon.json("/api/v1/oncall");
    assert_eq!(teams["teams"][1]["on_call"][0]["id"], "giang", "{teams}");
    assert_eq!(post(daemon.address, "/api/v1/drill", "{\"who\":\"a\",\"team\":\"moi\"}").0, 200);
    hook.hears("giang", "page");

    // The other outage went on all the time, and ends as ever.
    server.set(Manner::Good);
    until_is(&daemon, "b", "state", "closed");
    for to in ["an", "binh"] {
        until("the end of both is told once", || {
            (hook.of(to, "resolved").len() == 2).then_some(())
        });
        assert_eq!(hook.of(to, "page").len(), 2);
    }
    assert_eq!(daemon.terminate(), 0);
}

/// A key that has become known to others is changed, and at once links made with it are of no use.
#[test]
fn another_key_of_links_is_in_force_with_the_reload() {
    let hook = Hook::start();
    let (broken, breaks) = (Server::with(Manner::Broken), Server::start());
    let systems = [check("a", broken.address(), QUICK), check("b", breaks.address(), QUICK)];
    let with = |key: &str| {
        let keys = format!("link_key = {{ file = \"{key}\" }}");
        alerting(&keys, &systems, &an(&hook))
    };
    let folder = Folder::new();
    for key in ["old", "new"] {
        std::fs::write(folder.path().join(key), key.repeat(11)).unwrap();
    }
    folder.write(&with("old"));
    let daemon = folder.start();
    let opened = |of: usize| {
        let got = until("a page with a link", || hook.of("an", "page").into_iter().nth(of));
        let link = got.body["ack_url"].as_str().unwrap().to_owned();
        let path = link.strip_prefix("https://giamsat.example.gov.vn").unwrap().to_owned();
        ask(daemon.address, "GET", &path).unwrap().0
    };
    assert_eq!(opened(0), 200);
    reload(&folder, &daemon, &with("new"));
    until("the old link is of no use", || (opened(0) == 403).then_some(()));
    breaks.set(Manner::Broken);
    assert_eq!(opened(1), 200, "the new one is");
}
