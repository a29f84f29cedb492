//! What is wrong with the monitor itself, as facts for the rules.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::alert::channel::alertmanager::status::Status;
use crate::alert::facts::{Trouble, TroubleKind};
use crate::alert::rota;
use crate::app::lock;
use crate::app::watched::Watch;
use crate::config::Config;
use crate::history::Stats;
use crate::model::id::ChannelId;
use crate::model::time::Millis;

/// A channel, an Alertmanager or the history may fail for so long before it is told: a restart
/// of the other side takes less.
const PATIENCE_MS: i64 = 60_000;

/// What is known of the monitor's own health from one look to the next.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Since when the history refuses.
    refusing: Option<Millis>,
    /// Since when a team has nobody on call.
    holes: BTreeMap<String, Millis>,
    /// Other monitors that do not answer: since when, and why.
    pub(super) peers: Arc<Mutex<BTreeMap<String, (Millis, String)>>>,
    refused: Refusal,
}

/// The newest configuration, if it was refused: since when, and why.
pub(in crate::app) type Refusal = Arc<Mutex<Option<(Millis, String)>>>;

/// What is looked at.
pub(super) struct Looked<'a> {
    pub(super) config: &'a Config,
    pub(super) watch: &'a Watch,
    /// Channels that fail: since when, and why.
    pub(super) failing: Vec<(ChannelId, Millis, String)>,
    pub(super) history: Stats,
    pub(super) alertmanagers: &'a [Status],
    pub(super) now: Millis,
}

impl Health {
    pub(super) fn new(refused: Refusal) -> Self {
        Self { refused, ..Self::default() }
    }

    /// Everything that is wrong now.
    pub(super) fn troubles(&mut self, looked: &Looked<'_>) -> Vec<Trouble> {
        let now = looked.now;
        let mut all = Vec::new();
        let mut add = |kind, subject: &str, since: Millis, why: &str| {
            let (subject, why) = (subject.to_owned(), why.to_owned());
            all.push(Trouble { kind, subject, since, why });
        };
        let patient = |since: &Millis| now.since(*since) >= PATIENCE_MS;
        self.refusing = match looked.history.failing {
            0 => None,
            _ => Some(self.refusing.unwrap_or(now)),
        };
        if let Some(since) = self.refusing.filter(patient) {
            let waiting = looked.history.waiting;
            let why = format!("results can't be stored; {waiting} wait in memory");
            add(TroubleKind::HistoryNotCommitting, "", since, &why);
        }
        if let Some(since) = looked.watch.late.since(now).filter(patient) {
            add(TroubleKind::ScheduleLate, "", since, "runs start more than a second late");
        }
        if let Some(since) = looked.watch.blind.since(now) {
            add(TroubleKind::Blind, "", since, "the control anchors do not answer");
        }
        for (channel, since, why) in looked.failing.iter().filter(|it| patient(&it.1)) {
            add(TroubleKind::ChannelFailing, channel.as_str(), *since, why);
        }
        for status in looked.alertmanagers {
            if let Some(since) = status.failing_since.filter(patient) {
                let why = status.why.as_deref().unwrap_or("no answer");
                add(TroubleKind::AlertmanagerFailing, &status.name, since, why);
            }
            for it in &status.quarantined {
                let subject = format!("{} {}", status.name, it.alert);
                add(TroubleKind::AlertRefused, &subject, it.since, &it.why);
            }
        }
        // Whoever edits it is told at once by the command; others only if it is left so.
        if let Some((since, why)) = lock(&self.refused).as_ref().filter(|it| patient(&it.0)) {
            add(TroubleKind::ConfigurationRefused, "", *since, why);
        }
        for (peer, (since, why)) in &*lock(&self.peers) {
            if patient(since) {
                add(TroubleKind::PeerFailing, peer, *since, why);
            }
        }
        self.look_at_rotas(looked);
        for (team, since) in &self.holes {
            add(TroubleKind::RotaHole, team, *since, "nobody is on call; the fallback is called");
        }
        all
    }

    fn look_at_rotas(&mut self, looked: &Looked<'_>) {
        let config = looked.config;
        let empty = config.alerting.teams.iter().filter(|team| {
            let zone = &config.monitor.timezone;
            rota::people(team, &config.roster.holidays, zone, looked.now).is_empty()
        });
        let empty: Vec<String> = empty.map(|it| it.id.to_string()).collect();
        self.holes.retain(|id, _| empty.contains(id));
        for id in empty {
            self.holes.entry(id).or_insert(looked.now);
        }
    }
}
