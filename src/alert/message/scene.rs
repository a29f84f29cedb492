//! What is around an incident when it is put into words: names, people, links.

use jiff::tz::TimeZone;

use super::tame::{one_line, piece};
use super::told::{CHECKS_MAX, ToldCheck, ToldSaid};
use super::words;
use crate::alert::book::{Ack, Book, CauseBy, Incident, IncidentId, Said};
use crate::alert::condition::Thread;
use crate::model::alerting::{Alerting, Language};
use crate::model::check::Check;
use crate::model::id::{CheckId, SystemId};
use crate::model::system::{Roster, System};
use crate::model::time::Millis;

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

impl<'a> Scene<'a> {
    pub(super) fn system(&self, thread: &Thread) -> Option<&'a System> {
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
    pub(super) fn subject(&self, thread: &Thread) -> String {
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

    pub(super) fn owner(&self, system: &System) -> String {
        let owner = self.roster.owners.iter().find(|it| it.id == system.owner);
        owner.map_or_else(|| system.owner.to_string(), |it| piece(&it.name))
    }

    /// Names of the checks that are hit, each once, and how many more there are.
    pub(super) fn checks(&self, said: &[Said]) -> (Vec<ToldCheck>, usize) {
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

    pub(super) fn said(&self, it: &Said) -> ToldSaid {
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
    /// Who has it. A link was sent to a person; over the API people say themselves who they are.
    pub(super) fn holder(&self, ack: &Ack) -> String {
        let person = self.person(&ack.by);
        if ack.is_proven() {
            return person;
        }
        let via = piece(&ack.via).to_uppercase();
        match self.alerting.language {
            Language::Vietnamese => format!("{person} (tự xưng, qua {via})"),
            Language::English => format!("{person} (self-declared, over {via})"),
        }
    }

    fn person(&self, by: &str) -> String {
        let known = self.alerting.people.iter().find(|it| it.id.as_str() == by);
        piece(known.map_or(by, |it| &it.name))
    }

    pub(super) fn name_of(&self, id: &IncidentId) -> String {
        let incident = self.book.incidents.get(id);
        incident.map_or_else(|| id.0.clone(), |it| self.subject(&it.thread))
    }

    pub(super) fn cause(&self, incident: &Incident) -> String {
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
    pub(super) fn incident_url(&self, id: &IncidentId) -> String {
        let base = self.alerting.public_url.as_ref().map(|it| it.as_str().trim_end_matches('/'));
        base.map(|base| format!("{base}/incidents/{}", id.0)).unwrap_or_default()
    }

    pub(super) fn grafana_url(&self, system: &str) -> String {
        let url = self.alerting.grafana_url.as_deref().unwrap_or_default();
        if system.is_empty() && url.contains("{system}") {
            return String::new();
        }
        one_line(&url.replace("{system}", system))
    }

    /// Who is hit: `Viettel, VNPT; FPT bình thường`.
    pub(super) fn seen(&self) -> String {
        let names = |of: &[String]| of.iter().map(|it| piece(it)).collect::<Vec<_>>().join(", ");
        match (self.hit.is_empty(), self.fine.is_empty()) {
            (true, _) => String::new(),
            (false, true) => names(self.hit),
            (false, false) => {
                let fine = words::pick(self.alerting.language, "bình thường", "fine");
                format!("{}; {} {fine}", names(self.hit), names(self.fine))
            }
        }
    }
}
