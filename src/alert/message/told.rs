//! What templates know of an incident: every text in words, tamed, with nothing left to look up.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::tame::piece;
use super::words;
use crate::alert::book::{Book, CauseBy, Incident, IncidentId, Said};
use crate::alert::condition::{Kind, Thread};
use crate::model::alerting::rules::Severity;
use crate::model::alerting::{Alerting, Language};
use crate::model::check::Check;
use crate::model::id::{CheckId, SystemId};
use crate::model::system::{Roster, System};
use crate::model::time::Millis;

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

/// What is around an incident when it is told.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Names of systems, owners and checks.
    pub roster: &'a Roster,
    /// Language, links and people.
    pub alerting: &'a Alerting,
    /// Its causes and parts.
    pub book: &'a Book,
    /// The zone that people live in.
    pub zone: &'a TimeZone,
    /// The instant.
    pub now: Millis,
    /// Carriers or vantage points that see the fault; empty: not told.
    pub hit: &'a [String],
    /// Those that see none.
    pub fine: &'a [String],
    /// Acknowledge link of the recipient; empty: none.
    pub ack_url: &'a str,
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
        ending_kind: incident.ending.and_then(word_of).unwrap_or_default(),
        duration: words::duration(language, ended.since(incident.since)),
        reason: first.map_or_else(String::new, |it| it.reason.clone()),
        count: first.map_or_else(String::new, |it| it.count.clone()),
        checks,
        checks_more,
        seen: seen(language, scene.hit, scene.fine),
        holder: ack.map_or_else(String::new, |it| scene.person(&it.by)),
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
        runbook: system.and_then(|it| it.alert.runbook.as_deref()).map(piece).unwrap_or_default(),
        system_id,
        said,
    }
}

/// The name of a unit variant as it is stored.
fn word_of(it: impl Serialize) -> Option<String> {
    serde_json::to_value(it).ok()?.as_str().map(str::to_owned)
}

fn title(system: &str, thread: &Thread, checks: &[ToldCheck], more: usize) -> String {
    match (thread, checks) {
        (Thread::Service(_) | Thread::Certificate(_), [one]) if more == 0 && one.name != system => {
            format!("{system} – {}", one.name)
        }
        _ => system.to_owned(),
    }
}

fn seen(language: Language, hit: &[String], fine: &[String]) -> String {
    let names = |of: &[String]| of.iter().map(|it| piece(it)).collect::<Vec<_>>().join(", ");
    match (hit.is_empty(), fine.is_empty()) {
        (true, _) => String::new(),
        (false, true) => names(hit),
        (false, false) => {
            let fine_word = words::pick(language, "bình thường", "fine");
            format!("{}; {} {fine_word}", names(hit), names(fine))
        }
    }
}

impl<'a> Scene<'a> {
    fn system(&self, thread: &Thread) -> Option<&'a System> {
        let id = match thread {
            Thread::Service(id) | Thread::Coverage(id) | Thread::Objective(id) => id,
            Thread::Certificate(check) => &self.check(check)?.system,
            Thread::Monitor(..) | Thread::Drill(_) => return None,
        };
        self.roster.systems.iter().find(|it| it.id == *id)
    }

    fn check(&self, id: &CheckId) -> Option<&'a Check> {
        self.roster.checks().find(|it| it.id == *id).map(AsRef::as_ref)
    }

    /// What a thread is about.
    fn subject(&self, thread: &Thread) -> String {
        let language = self.alerting.language;
        let system = |id: &SystemId| {
            self.system(thread).map_or_else(|| id.to_string(), |it| piece(&it.name))
        };
        match thread {
            Thread::Service(id) | Thread::Coverage(id) | Thread::Objective(id) => system(id),
            Thread::Certificate(check) => {
                self.system(thread).map_or_else(|| check.to_string(), |it| piece(&it.name))
            }
            Thread::Monitor(kind, subject) => {
                let words = words::trouble(language, *kind);
                let monitor = words::pick(language, "Hệ thống giám sát", "The monitor");
                match piece(subject) {
                    it if it.is_empty() => format!("{monitor} – {words}"),
                    it => format!("{monitor} – {words} ({it})"),
                }
            }
            Thread::Drill(name) => {
                let drill =
                    words::pick(language, "Thử đường báo động", "Test of the alerting path");
                match piece(name) {
                    it if it.is_empty() => drill.to_owned(),
                    it => format!("{drill} ({it})"),
                }
            }
        }
    }

    fn owner(&self, system: &System) -> String {
        let owner = self.roster.owners.iter().find(|it| it.id == system.owner);
        owner.map_or_else(|| system.owner.to_string(), |it| piece(&it.name))
    }

    /// Names of the checks that are hit, each once, and how many more there are.
    fn checks(&self, said: &[Said]) -> (Vec<ToldCheck>, usize) {
        let language = self.alerting.language;
        let mut seen: Vec<&CheckId> = Vec::new();
        let mut named = Vec::new();
        for (it, id) in said.iter().flat_map(|it| it.checks.iter().map(move |id| (it, id))) {
            if seen.contains(&id) {
                continue;
            }
            seen.push(id);
            if named.len() < CHECKS_MAX {
                let name = self.check(id).map_or_else(|| id.to_string(), |it| piece(&it.name));
                named.push(ToldCheck { name, what: words::kind(language, it.kind).to_owned() });
            }
        }
        let more = seen.len() - named.len();
        (named, more)
    }

    fn said(&self, it: &Said) -> ToldSaid {
        let language = self.alerting.language;
        ToldSaid {
            kind: it.kind,
            what: words::kind(language, it.kind).to_owned(),
            since: words::instant(language, self.zone, it.since, self.now),
            reason: it.reason().map(|it| words::reason(language, it)).unwrap_or_default(),
            why: it.why.as_deref().map(piece).unwrap_or_default(),
            count: words::number(language, it.kind, it.number),
        }
    }

    /// A person's name; what they called themselves if they are nobody's known.
    fn person(&self, by: &str) -> String {
        let known = self.alerting.people.iter().find(|it| it.id.as_str() == by);
        piece(known.map_or(by, |it| &it.name))
    }

    fn name_of(&self, id: &IncidentId) -> String {
        let incident = self.book.incidents.get(id);
        incident.map_or_else(|| id.0.clone(), |it| self.subject(&it.thread))
    }

    fn cause(&self, incident: &Incident) -> String {
        let Some(cause) = &incident.cause else { return String::new() };
        let language = self.alerting.language;
        let (name, number) = (self.name_of(&cause.incident), &cause.incident.0);
        let by = words::pick(language, "ảnh hưởng bởi", "affected by");
        match &cause.by {
            CauseBy::Dependency => format!("{by} {name} ({number})"),
            CauseBy::Platform(platform) => {
                let shared = words::pick(language, "cùng nền tảng", "same platform");
                format!("{by} {name} ({number}, {shared} {})", piece(platform))
            }
        }
    }

    /// `<public_url>/incidents/<number>`; empty without `public_url`.
    fn incident_url(&self, id: &IncidentId) -> String {
        let base = self.alerting.public_url.as_ref().map(|it| it.as_str().trim_end_matches('/'));
        base.map(|base| format!("{base}/incidents/{}", id.0)).unwrap_or_default()
    }

    fn grafana_url(&self, system: &str) -> String {
        let url = self.alerting.grafana_url.as_deref().unwrap_or_default();
        if system.is_empty() && url.contains("{system}") {
            return String::new();
        }
        piece(&url.replace("{system}", system))
    }
}

impl Told {
    /// Samples that every template must be able to render: one with all there is to say, one
    /// with as little as there can be, of each kind that is told differently.
    #[must_use]
    pub(super) fn samples() -> Vec<Self> {
        let full = Self::sample(Kind::Down);
        let bare = |kind| {
            let mut bare = Self { kind, ..Self::sample(kind) };
            for text in [
                &mut bare.meaning,
                &mut bare.system_id,
                &mut bare.owner,
                &mut bare.ended,
                &mut bare.ending,
                &mut bare.ending_kind,
                &mut bare.reason,
                &mut bare.seen,
                &mut bare.holder,
                &mut bare.holder_since,
                &mut bare.cause,
                &mut bare.count,
                &mut bare.ack_url,
                &mut bare.incident_url,
                &mut bare.grafana_url,
                &mut bare.runbook,
            ] {
                text.clear();
            }
            (bare.said, bare.checks, bare.parts_names) = (Vec::new(), Vec::new(), Vec::new());
            (bare.parts, bare.checks_more, bare.returns) = (0, 0, 0);
            (bare.maintained, bare.flapping) = (false, false);
            bare
        };
        vec![full, bare(Kind::Down), bare(Kind::Drill), bare(Kind::Certificate)]
    }

    fn sample(kind: Kind) -> Self {
        let text = str::to_owned;
        Self {
            number: text("SC-2026-0012"),
            kind,
            label: text("GIÁN ĐOẠN"),
            what: text("gián đoạn"),
            meaning: text("Không truy cập được."),
            severity: Severity::Page,
            urgency: text("cần xử lý ngay"),
            system: text("VNeID"),
            system_id: text("vneid"),
            owner: text("Bộ Công an"),
            title: text("VNeID – Đăng nhập"),
            since: text("08:14 ngày 23/11"),
            ended: text("08:40 ngày 23/11"),
            ending: text("đã khôi phục"),
            ending_kind: text("recovered"),
            duration: text("26 phút"),
            said: vec![ToldSaid {
                kind,
                what: text("gián đoạn"),
                since: text("08:14 ngày 23/11"),
                reason: text("từ chối kết nối"),
                why: text("connection refused"),
                count: text("còn 7 ngày"),
            }],
            checks: vec![ToldCheck { name: text("Đăng nhập"), what: text("gián đoạn") }],
            checks_more: 1,
            reason: text("từ chối kết nối"),
            seen: text("Viettel, VNPT; FPT bình thường"),
            holder: text("Nguyễn Văn A"),
            holder_since: text("08:20 ngày 23/11"),
            cause: text("ảnh hưởng bởi Cổng Dịch vụ công (SC-2026-0011)"),
            parts: 2,
            parts_names: vec![text("Cổng Dịch vụ công")],
            maintained: true,
            flapping: true,
            returns: 3,
            count: text("còn 7 ngày"),
            ack_url: text("https://giamsat.example.gov.vn/ack/x"),
            incident_url: text("https://giamsat.example.gov.vn/incidents/SC-2026-0012"),
            grafana_url: text("https://grafana.example.gov.vn/d/x"),
            runbook: text("https://wiki.example.gov.vn/vneid"),
        }
    }
}
