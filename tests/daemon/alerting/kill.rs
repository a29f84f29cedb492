//! Killed at any instant between a decision and its delivery, the daemon loses no message, doubles
//! at most one at a time, and knows every incident by its number.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use super::hook::{Hook, Reply};
use super::kit::{
    QUICK, about, alerting, channel, incidents, person, post, team, try_post, until_all_sent,
    webhook,
};
use crate::harness::{Daemon, Folder, Process, check, within};
use crate::server::{Manner, Server};

const KILLS: usize = 50;

/// Teams that drills are for, beside the one whose system is down all the time.
const TEAMS: usize = 5;

/// More steps of the escalation than all lives have time for.
const STEPS: usize = 60;

/// Who is called every two seconds as long as nobody answers, each over two channels.
const CALLED: [&str; 2] = ["an", "binh"];

fn written(broken: &Server, hook: &Hook) -> String {
    let mut people = vec![channel(hook), webhook("other", hook, "timeout = \"5s\"")];
    let both = |to: &str| {
        format!(
            "{{ channel = \"hook\", to = \"{to}\" }}, {{ channel = \"other\", to = \"{to}\", after = \"300ms\" }}"
        )
    };
    people.extend(CALLED.map(|id| person(id, &both(id))));
    let mut steps = [("2s", "\"person:an\", \"person:binh\""); STEPS];
    steps[0].0 = "0s";
    people.push(team("truc", "an", "", &steps));
    for at in 0..TEAMS {
        let id = format!("d{at}");
        people.push(person(&id, &both(&id)));
        people.push(team(&format!("t{at}"), &id, "", &[("0s", "\"oncall\"")]));
    }
    alerting("resolve_after = \"0s\"", &[check("a", broken.address(), QUICK)], &people)
}

fn pause(ms_max: u64) {
    std::thread::sleep(Duration::from_millis(rand::random_range(0..ms_max)));
}

/// What a daemon has answered, and so must not forget.
#[derive(Default)]
struct Promised {
    /// Numbers of drills, with their team.
    drills: BTreeMap<String, String>,
    /// Drills that were taken on.
    acknowledged: BTreeSet<String>,
}

impl Promised {
    /// Begins a drill, or takes one on.
    fn act(&mut self, daemon: &Daemon, turn: usize) {
        let team = format!("t{}", turn % TEAMS);
        let open = self.drills.iter().find(|it| *it.1 == team && !self.acknowledged.contains(it.0));
        if let Some(id) = open.map(|it| it.0.clone()) {
            let path = format!("/api/v1/alerts/{id}/acknowledge");
            let answer = try_post(daemon.address, &path, "{\"who\":\"trực ca\"}");
            // It may have been taken on by a request that got no answer.
            if answer.is_ok_and(|(status, _)| matches!(status, 200 | 409)) {
                self.acknowledged.insert(id);
            }
            return;
        }
        let body = format!("{{\"who\":\"trực ca\",\"team\":\"{team}\"}}");
        if let Ok((200, body)) = try_post(daemon.address, "/api/v1/drill", &body) {
            let seen: Value = serde_json::from_str(&body).unwrap();
            let id = seen["id"].as_str().unwrap().to_owned();
            let before = self.drills.insert(id.clone(), team.clone());
            assert!(before.is_none_or(|it| it == team), "{id} is a number used twice");
        }
    }
}

#[test]
fn fifty_kills_lose_no_message_double_one_at_most_and_keep_every_number() {
    let lives = Arc::new(AtomicUsize::new(0));
    let life = Arc::clone(&lives);
    let arrived = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&arrived);
    // Long enough to be killed in, now and then.
    let hook = Hook::with(move |got| {
        seen.lock().unwrap().push((got.key().to_owned(), life.load(Ordering::SeqCst)));
        Reply::After(Duration::from_millis(rand::random_range(0..60)))
    });
    let broken = Server::with(Manner::Broken);
    let folder = Folder::with(&written(&broken, &hook));
    let mut promised = Promised::default();
    let mut numbers = BTreeMap::new();
    for kill in 0..KILLS {
        lives.fetch_add(1, Ordering::SeqCst);
        if kill % 5 == 4 {
            let mut process = Process::start(folder.command(&["run"]), folder.path());
            pause(400);
            process.kill();
            continue;
        }
        let mut daemon = Daemon::serving(folder.command(&["run"]), folder.path());
        for turn in 0..3 {
            promised.act(&daemon, kill + turn);
            pause(120);
        }
        if let Some((200, body)) = daemon.get("/api/v1/alerts") {
            remember(&mut numbers, &serde_json::from_str(&body).unwrap());
        }
        pause(200);
        daemon.process.kill();
    }
    lives.fetch_add(1, Ordering::SeqCst);
    let mut daemon = folder.start();
    within(Duration::from_mins(1), "it pages on", || {
        let page = |it: &(String, usize)| it.0.contains("/page/1/0/") && it.1 == KILLS + 1;
        arrived.lock().unwrap().iter().any(page).then_some(())
    });
    broken.set(Manner::Good);
    daemon.until_state("a", "up");
    within(Duration::from_mins(1), "the incident is over", || {
        about(&daemon, "a").iter().all(|it| it["state"] == "closed").then_some(())
    });
    until_all_sent(&daemon);
    remember(&mut numbers, &daemon.json("/api/v1/alerts"));

    let arrived = arrived.lock().unwrap().clone();
    once_a_life(&arrived);
    nothing_is_lost(&daemon, &arrived);
    promises_are_kept(&daemon, &promised);
    let outages = about(&daemon, "a");
    assert_eq!(outages.len(), 1, "one outage is one incident: {outages:#?}");
    let drills = promised.drills.len();
    assert!(drills > KILLS / 4, "{drills} drills");
    assert_eq!(post(daemon.address, "/api/v1/drill", "{\"who\":\"a\",\"team\":\"t0\"}").0, 200);
    remember(&mut numbers, &daemon.json("/api/v1/alerts"));
    assert_eq!(daemon.terminate(), 0);
    let (code, out, _) = folder.run(&["verify", "--data", "var"]);
    assert_eq!(code, 0, "{out}");
}

/// What each number stands for never changes.
#[track_caller]
fn remember(numbers: &mut BTreeMap<String, (String, String)>, list: &Value) {
    for it in list["alerts"].as_array().unwrap() {
        let text = |key: &str| it[key].as_str().unwrap().to_owned();
        let is = (text("subject"), text("opened"));
        let before = numbers.entry(text("id")).or_insert_with(|| is.clone());
        assert_eq!(*before, is, "{} stands for two things", text("id"));
    }
}

/// The same message comes again only after a kill.
#[track_caller]
fn once_a_life(arrived: &[(String, usize)]) {
    let mut lives = BTreeSet::new();
    for it in arrived {
        assert!(lives.insert(it.clone()), "twice in one life: {it:?}");
    }
    let keys: BTreeSet<&str> = arrived.iter().map(|it| &*it.0).collect();
    let doubled = arrived.len() - keys.len();
    println!("{} messages, {doubled} of them doubled by {KILLS} kills", keys.len());
}

/// Whatever was decided arrived, and the steps of the escalation have no gap.
#[track_caller]
fn nothing_is_lost(daemon: &Daemon, arrived: &[(String, usize)]) {
    let keys: BTreeSet<&str> = arrived.iter().map(|it| &*it.0).collect();
    for incident in incidents(daemon) {
        let id = incident["id"].as_str().unwrap();
        let of = |it: &&str| it.starts_with(&format!("{id}/"));
        let sent = |it: &&Value| it["status"] == "sent";
        let said = incident["messages"].as_array().unwrap().iter().filter(sent).count();
        let heard = keys.iter().filter(|it| of(it)).count();
        assert!(heard >= said, "{id}: {said} sent, {heard} arrived: {incident:#}");
    }
    let outage = about(daemon, "a").remove(0);
    let id = outage["id"].as_str().unwrap();
    let step = |key: &str| -> Option<usize> {
        let rest = key.strip_prefix(&format!("{id}/page/1/0/"))?;
        rest.split('/').next()?.parse().ok()
    };
    let last = keys.iter().filter_map(|it| step(it)).max().expect("it was paged");
    for (step, who) in (0..=last).flat_map(|step| CALLED.map(|who| (step, who))) {
        let key = format!("{id}/page/1/0/{step}/{who}/hook/{who}");
        assert!(keys.contains(&*key), "lost: {key}");
    }
    assert!(last >= 3, "escalation went on over restarts: {last}");
    for (who, over) in CALLED.iter().flat_map(|it| [(it, "hook"), (it, "other")]) {
        let key = format!("{id}/resolved/1/0/0/{who}/{over}/{who}");
        assert!(keys.contains(&*key), "lost: {key}");
    }
}

#[track_caller]
fn promises_are_kept(daemon: &Daemon, promised: &Promised) {
    let all = incidents(daemon);
    for (id, team) in &promised.drills {
        let incident = all.iter().find(|it| it["id"] == **id);
        let incident = incident.unwrap_or_else(|| panic!("{id} is forgotten"));
        assert_eq!(
            (&incident["about"], &incident["subject"]),
            (&"drill".into(), &(&**team).into())
        );
        let paged = |it: &Value| it["purpose"] == "page" && it["channel"] == "hook";
        assert!(incident["messages"].as_array().unwrap().iter().any(paged), "{incident:#}");
    }
    for id in &promised.acknowledged {
        let incident = all.iter().find(|it| it["id"] == **id).unwrap();
        assert!(!incident["acknowledged"].is_null(), "{incident:#}");
    }
}
