//! What is wrong with the monitor itself, as facts for the rules.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tracing::warn;

use super::peers;
use crate::alert::channel::alertmanager::status::Status;
use crate::alert::facts::{Trouble, TroubleKind};
use crate::alert::rota;
use crate::app::lock;
use crate::app::watched::Spell;
use crate::config::Config;
use crate::history::Stats;
use crate::model::alerting::people::{Target, Team};
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
    pub(super) peers: Arc<Mutex<peers::Failing>>,
    /// Channels that can't be set up: since when, and why.
    pub(super) unusable: BTreeMap<String, (Millis, String)>,
    refused: Refusal,
}

/// The newest configuration, if it was refused: since when, and why.
pub(in crate::app) type Refusal = Arc<Mutex<Option<(Millis, String)>>>;

/// What is looked at.
pub(super) struct Looked<'a> {
    pub(super) config: &'a Config,
    /// Runs that start late, and results that are void because the anchors do not answer.
    pub(super) spells: (Spell, Spell),
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
        let (late, blind) = looked.spells;
        if let Some(since) = late.lasts(now, PATIENCE_MS) {
            add(TroubleKind::ScheduleLate, "", since, "runs start more than a second late");
        }
        if let Some(since) = blind.lasts(now, PATIENCE_MS) {
            add(TroubleKind::Blind, "", since, "the control anchors do not answer");
        }
        for (channel, (since, why)) in &self.unusable {
            add(TroubleKind::ChannelFailing, channel, *since, why);
        }
        let usable = |it: &ChannelId| !self.unusable.contains_key(it.as_str());
        let failing = looked.failing.iter().filter(|it| patient(&it.1) && usable(&it.0));
        for (channel, since, why) in failing {
            add(TroubleKind::ChannelFailing, channel.as_str(), *since, why);
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
        all.extend(looked.alertmanagers.iter().flat_map(|it| it.troubles(now)));
        self.look_at_rotas(looked);
        all.extend(self.holes.iter().map(|(team, since)| Trouble {
            kind: TroubleKind::RotaHole,
            subject: team.clone(),
            since: *since,
            why: "nobody is on call; the fallback is called".to_owned(),
        }));
        all
    }

    fn look_at_rotas(&mut self, looked: &Looked<'_>) {
        let config = looked.config;
        let empty = config.alerting.teams.iter().filter(|team| {
            let zone = &config.monitor.timezone;
            asks_the_rota(team)
                && rota::on_duty(team, &config.roster.holidays, zone, looked.now).is_empty()
        });
        let empty: Vec<String> = empty.map(|it| it.id.to_string()).collect();
        self.holes.retain(|id, _| empty.contains(id));
        for id in empty {
            self.holes.entry(id).or_insert(looked.now);
        }
    }
}

/// Whether anybody is called because it is their turn.
fn asks_the_rota(team: &Team) -> bool {
    team.steps.iter().flat_map(|it| &it.targets).any(|it| *it == Target::OnCall)
}

/// How far ahead holes in a rota are told when a configuration comes into force.
const AHEAD_DAYS: u16 = 60;

/// Warns of each team that will have nobody on call.
pub(super) fn warn_of_holes(config: &Config, now: Millis) {
    let zone = &config.monitor.timezone;
    let Some(ahead) = rota::ahead(zone, now, AHEAD_DAYS) else { return };
    for team in config.alerting.teams.iter().filter(|it| asks_the_rota(it)) {
        let holes = rota::holes(team, &config.roster.holidays, zone, ahead);
        let Some(first) = holes.first() else { continue };
        let from = crate::web::time(first.start());
        warn!(
            team = %team.id, from, holes = holes.len(),
            "nobody is on call then; the fallback will be called (see `thongsuot oncall`)"
        );
    }
}
