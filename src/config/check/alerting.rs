//! Who is told of what, and how.

mod channel;
mod people;
pub(super) mod rules;

use std::time::Duration;

use jiff::tz::TimeZone;

use super::http::{auth, is_here};
use super::read::{length, needs};
use super::roster::known;
use crate::config::element::{self, clock};
use crate::config::mistake::What;
use crate::config::note::NoteWhat;
use crate::config::outside::Desk;
use crate::config::raw::{Node, Value};
use crate::model::alerting::channel::Alertmanager;
use crate::model::alerting::rules::Flapping;
use crate::model::alerting::{Alerting, DeadMan, Language, Pager, PeerMonitor, WeeklyDrill};
use crate::model::system::Roster;
use crate::model::terms::{DAY_MIN, weekday};

/// Fewest bytes of a key that signs links: fewer could be guessed from one link.
const LINK_KEY_BYTES_MIN: usize = 16;

/// How often a dead man's switch is told, if nothing is written.
const HEARTBEAT_EVERY: Duration = Duration::from_mins(1);

/// Deadline of one request or attempt, if none is written.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Nine o'clock: somebody is there who can tell that nothing came.
const DRILL_MIN: u16 = 540;

/// What the other parts of the configuration say.
pub(in crate::config) struct Ground<'a> {
    /// The tables of every file that is whole.
    pub(in crate::config) roots: &'a [Node],
    /// Whether all files could be read, so that a reference to nothing is a mistake.
    pub(in crate::config) whole: bool,
    /// The zone of local times.
    pub(in crate::config) zone: TimeZone,
    /// Systems and days off.
    pub(in crate::config) roster: &'a Roster,
}

impl<'a> Ground<'a> {
    /// Each table called `key`, in whichever file.
    fn all(&self, key: &'static str) -> impl Iterator<Item = &'a Node> + use<'a> {
        self.roots.iter().flat_map(move |root| root.list(key))
    }
}

/// What the main file and all others say of alerting.
pub(in crate::config) fn alerting(
    desk: &mut Desk<'_>,
    main: &Node,
    ground: &Ground<'_>,
) -> Alerting {
    let default = Alerting::default();
    let empty = Node { at: main.at, value: Value::Table(Vec::new()) };
    let node = main.get("alerting").unwrap_or(&empty);
    known(desk, "peer", ground.all("peer"));
    let channels = channel::channels(desk, ground);
    let (people, teams) = people::people(desk, ground);
    let alerting = Alerting {
        language: match node.text("language") {
            Some("en") => Language::English,
            _ => Language::Vietnamese,
        },
        public_url: base(desk, node, "public_url"),
        seen_from: node.text("seen_from").map(str::to_owned),
        grafana_url: node.text("grafana_url").map(str::to_owned),
        templates: node.get("templates").and_then(|path| desk.directory(path)),
        link_key: node.get("link_key").and_then(|key| desk.long_secret(key, LINK_KEY_BYTES_MIN)),
        pager: match node.text("pager") {
            Some("alertmanager") => Pager::Alertmanager,
            _ => Pager::Direct,
        },
        resolve_after_ms: millis(node, "resolve_after", default.resolve_after_ms),
        dependency_wait_ms: millis(node, "dependency_wait", default.dependency_wait_ms),
        flapping: flapping(node.get("flapping")),
        ack_timeout_ms: millis(node, "ack_timeout", default.ack_timeout_ms),
        alertmanagers: alertmanagers(desk, main),
        channels,
        people,
        teams,
        heartbeat: node.get("heartbeat").and_then(|it| heartbeat(desk, it)),
        peers: main.list("peer").iter().filter_map(|it| peer(desk, it)).collect(),
        drill: node.get("drill").and_then(|it| drill(desk, it)),
    };
    relations(desk, node, main, ground);
    alerting
}

/// What is only seen when all of it is there.
fn relations(desk: &mut Desk<'_>, node: &Node, main: &Node, ground: &Ground<'_>) {
    let pager = node.get("pager").filter(|it| it.as_text() == Some("alertmanager"));
    if let Some(pager) = pager.filter(|_| main.list("alertmanager").is_empty()) {
        desk.wrong(pager.at, needs("pager = \"alertmanager\"", "an `[[alertmanager]]`"));
    }
    let some_team = ground.all("team").next().is_some();
    if let Some(drill) = node.get("drill").filter(|_| !some_team && ground.whole) {
        desk.wrong(drill.at, needs("drill", "a `[[team]]`"));
    }
    if let Some(person) = ground.all("person").next() {
        let at = person.get("id").map_or(person.at, |it| it.at);
        if !some_team && ground.whole {
            desk.note(at, NoteWhat::NobodyCalled);
        }
        if node.get("public_url").is_none() {
            desk.note(at, NoteWhat::NoLinks);
        }
    }
    let public = node.get("public_url");
    let url = public.and_then(|it| element::url::http(it.as_text()?).ok());
    if let (Some(at), Some(url)) = (public, url)
        && url.scheme() == "http"
        && !is_here(&url)
    {
        desk.note(at.at, NoteWhat::LinksInClear);
    }
}

/// The base address at `key`, with a slash at its end, so that a path joined to it keeps a prefix.
fn base(desk: &mut Desk<'_>, table: &Node, key: &str) -> Option<url::Url> {
    let node = table.get(key)?;
    let mut url = element::url::http(node.as_text()?).ok()?;
    if url.query().is_some() {
        desk.wrong(node.at, What::BaseHasQuery);
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Some(url)
}

/// The length of time at `key` in milliseconds.
fn millis(table: &Node, key: &str, default: i64) -> i64 {
    let length = length(table, key, None).and_then(|it| i64::try_from(it.as_millis()).ok());
    length.unwrap_or(default)
}

fn flapping(node: Option<&Node>) -> Flapping {
    let default = Flapping::default();
    let Some(node) = node else { return default };
    let times = node.integer("times").and_then(|it| usize::try_from(it).ok());
    Flapping {
        times: times.unwrap_or(default.times),
        within_ms: millis(node, "within", default.within_ms),
        calm_ms: millis(node, "calm", default.calm_ms),
    }
}

fn heartbeat(desk: &mut Desk<'_>, node: &Node) -> Option<DeadMan> {
    let url = desk.url_secret(node.get("url")?)?;
    Some(DeadMan { url, every: length(node, "every", Some(HEARTBEAT_EVERY))? })
}

fn drill(desk: &mut Desk<'_>, node: &Node) -> Option<WeeklyDrill> {
    let at_min = match node.get("at") {
        Some(at) => {
            let minute = clock::minute(at.as_text()?).ok()?;
            if minute >= DAY_MIN {
                desk.wrong(at.at, What::EndOfDay);
                return None;
            }
            minute
        }
        None => DRILL_MIN,
    };
    Some(WeeklyDrill { day: weekday(node.text("day").unwrap_or("mon"))?, at_min })
}

fn peer(desk: &mut Desk<'_>, node: &Node) -> Option<PeerMonitor> {
    let token = node.get("token").map(|token| desk.header_secret(token));
    let url = base(desk, node, "url")?;
    in_clear(desk, node.get("token"), &url);
    Some(PeerMonitor { id: node.text("id")?.to_owned(), url, token: token.flatten() })
}

/// Notes that what `secret` holds is sent in clear.
fn in_clear(desk: &mut Desk<'_>, secret: Option<&Node>, url: &url::Url) {
    if let Some(secret) = secret.filter(|_| url.scheme() == "http" && !is_here(url)) {
        let host = url.host_str().unwrap_or_default().to_owned();
        desk.note(secret.at, NoteWhat::CredentialsInClear { host });
    }
}

fn alertmanagers(desk: &mut Desk<'_>, main: &Node) -> Vec<std::sync::Arc<Alertmanager>> {
    let mut all: Vec<std::sync::Arc<Alertmanager>> = Vec::new();
    for node in main.list("alertmanager") {
        let Some(one) = alertmanager(desk, node) else { continue };
        if all.iter().any(|it| it.url == one.url) {
            let at = node.get("url").map_or(node.at, |it| it.at);
            desk.wrong(at, What::Duplicate { of: "Alertmanager", id: one.url.to_string() });
        }
        all.push(std::sync::Arc::new(one));
    }
    all
}

fn alertmanager(desk: &mut Desk<'_>, node: &Node) -> Option<Alertmanager> {
    let url = base(desk, node, "url");
    let auth = auth(desk, node, url.as_ref());
    let roots = node.get("roots").map(|path| desk.certificates(path));
    let identity = node.get("identity").map(|secret| desk.identity(secret));
    let timeout = length(node, "timeout", Some(TIMEOUT));
    Some(Alertmanager {
        url: url?,
        auth: auth?,
        extra_roots_pem: roots.flatten().into_iter().collect(),
        identity_pem: identity.flatten(),
        timeout: timeout?,
    })
}
