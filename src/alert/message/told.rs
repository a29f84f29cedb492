//! What templates know of an incident: every text in words, tamed, with nothing left to look up.

use serde::Serialize;

use super::scene::Scene;
use super::tame::one_line;
use super::words;
use crate::alert::book::Incident;
use crate::alert::condition::{Kind, Thread};
use crate::alert::word;
use crate::model::alerting::rules::Severity;

/// Most checks that a message names.
pub const CHECKS_MAX: usize = 8;

/// Most parts that a message names.
pub const PARTS_MAX: usize = 8;

/// An incident in words. Texts are one line each, without anything that steers a terminal or a
/// reader; empty: there is nothing to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// `SC-2026-0012`.
    pub number: String,
    /// What is wrong.
    pub kind: Kind,
    /// The same in upper case: `GIÁN ĐOẠN`.
    pub label: String,
    /// The same in words: `gián đoạn`.
    pub what: String,
    /// What that means, in a sentence.
    pub meaning: String,
    /// `page`, `ticket`, `info`.
    pub severity: Severity,
    /// The same in words: `cần xử lý ngay`.
    pub urgency: String,
    /// Name of the system, or of what it is about.
    pub system: String,
    /// Id of the system.
    pub system_id: String,
    /// Who answers for the system.
    pub owner: String,
    /// Name of the system, and of the check if one alone is hit: `VNeID – Đăng nhập`.
    pub title: String,
    /// Since when: `08:14 ngày 23/11`.
    pub since: String,
    /// When it was over.
    pub ended: String,
    /// How it ended: `đã khôi phục`.
    pub ending: String,
    /// `recovered`, `by_hand`, `removed`.
    pub ending_kind: String,
    /// How long it goes on, or went on: `12 phút`.
    pub duration: String,
    /// Everything that is true of it now, heaviest first.
    pub said: Vec<ToldSaid>,
    /// The checks that say so, each once, at most [`CHECKS_MAX`].
    pub checks: Vec<ToldCheck>,
    /// How many more there are.
    pub checks_more: usize,
    /// What is wrong in a few words: `từ chối kết nối`.
    pub reason: String,
    /// Who is hit: `Viettel, VNPT; FPT bình thường`.
    pub seen: String,
    /// Who has it.
    pub holder: String,
    /// Since when.
    pub holder_since: String,
    /// Of what it is a part: `ảnh hưởng bởi VNeID (SC-2026-0012)`.
    pub cause: String,
    /// How many incidents are parts of it.
    pub parts: usize,
    /// Names of the first of them, at most [`PARTS_MAX`].
    pub parts_names: Vec<String>,
    /// In announced maintenance.
    pub maintained: bool,
    /// It comes and goes.
    pub flapping: bool,
    /// How often it came back.
    pub returns: usize,
    /// The number that belongs to it, in words: `còn 7 ngày`.
    pub count: String,
    /// Acknowledge link of the recipient.
    pub ack_url: String,
    /// Link to the incident.
    pub incident_url: String,
    /// Link to a Grafana panel.
    pub grafana_url: String,
    /// What to do: a link, or a few words.
    pub runbook: String,
}

/// One thing that is true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ToldSaid {
    /// What.
    pub kind: Kind,
    /// In words.
    pub what: String,
    /// Since when.
    pub since: String,
    /// What is wrong, in words.
    pub reason: String,
    /// What the server said, or more of what is wrong.
    pub why: String,
    /// Its number, in words.
    pub count: String,
}

/// A check that is hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ToldCheck {
    /// Its name.
    pub name: String,
    /// What is said of it: `gián đoạn`.
    pub what: String,
}

/// Puts `incident` into words.
#[must_use]
pub fn told(incident: &Incident, scene: &Scene<'_>) -> Told {
    let language = scene.alerting.language;
    let system = scene.system(&incident.thread);
    let name = scene.subject(&incident.thread);
    let until = incident.closed.unwrap_or(scene.now);
    let ended = incident.calm_since.filter(|_| incident.closed.is_some()).unwrap_or(until);
    let (checks, checks_more) = scene.checks(&incident.now);
    let instant = |at| words::instant(language, scene.zone, at, scene.now);
    let said: Vec<_> = incident.now.iter().map(|it| scene.said(it)).collect();
    let first = said.first();
    let parts = incident.parts.iter().take(PARTS_MAX).map(|id| scene.name_of(id)).collect();
    let what = words::kind(language, incident.kind).to_owned();
    let system_id = system.map_or_else(String::new, |it| it.id.to_string());
    let ack = incident.ack.as_ref();
    Told {
        number: incident.id.0.clone(),
        kind: incident.kind,
        label: what.to_uppercase(),
        what,
        meaning: words::meaning(language, incident.kind).to_owned(),
        severity: incident.severity,
        urgency: words::urgency(language, incident.severity).to_owned(),
        title: title(&name, &incident.thread, &checks, checks_more),
        system: name,
        owner: system.map_or_else(String::new, |it| scene.owner(it)),
        since: instant(incident.since),
        ended: incident.closed.map(|_| instant(ended)).unwrap_or_default(),
        ending: incident.ending.map_or("", |it| words::ending(language, it)).to_owned(),
        ending_kind: incident.ending.as_ref().map(word).unwrap_or_default(),
        duration: words::duration(language, ended.since(incident.since)),
        reason: first.map_or_else(String::new, |it| it.reason.clone()),
        count: first.map_or_else(String::new, |it| it.count.clone()),
        checks,
        checks_more,
        seen: scene.seen(),
        holder: ack.map_or_else(String::new, |it| scene.holder(it)),
        holder_since: ack.map(|it| instant(it.at)).unwrap_or_default(),
        cause: scene.cause(incident),
        parts: incident.parts.len(),
        parts_names: parts,
        maintained: incident.maintained,
        flapping: incident.flapping,
        returns: incident.returns.len(),
        ack_url: scene.ack_url.to_owned(),
        incident_url: scene.incident_url(&incident.id),
        grafana_url: scene.grafana_url(&system_id),
        runbook: system
            .and_then(|it| it.alert.runbook.as_deref())
            .map(one_line)
            .unwrap_or_default(),
        system_id,
        said,
    }
}

fn title(system: &str, thread: &Thread, checks: &[ToldCheck], more: usize) -> String {
    match (thread, checks) {
        (Thread::Service(_) | Thread::Certificate(_), [one]) if more == 0 && one.name != system => {
            format!("{system} – {}", one.name)
        }
        _ => system.to_owned(),
    }
}
