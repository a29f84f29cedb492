//! Alerting at work: looks at what is true, decides by the pure rules, keeps what was decided,
//! and has it sent.
//!
//! One task decides ([`Alerting::run`]), as soon as the live state says that an alert opens or is
//! over, and every second besides. Channels and Alertmanagers have tasks of their own
//! ([`branches`]); none of them is ever waited for here, and nothing here is on a probe's path.

mod desk;
mod gather;
mod health;
mod words;
mod post;
mod tokens;
mod branches;
mod usable;
mod drill;
mod duty;
mod switch;
mod peers;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::tz::TimeZone;
use tokio::sync::watch;
use tokio::time::{Duration, Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::pipeline::journal;
use super::reload::Reloader;
use super::watched::{self, Shared};
use super::{AppError, Common, lock};
use crate::alert::book::{Book, Incident, IncidentId};
use crate::alert::channel::TokenStore;
use crate::alert::channel::alertmanager::alerts::alerts;
use crate::alert::channel::alertmanager::status::{must_take_over, must_tell_the_end};
use crate::alert::channel::alertmanager::{Alerts, status::Status};
use crate::alert::delivery::Delivery;
use crate::alert::escalation::{self, escalate};
use crate::alert::facts::{Facts, TroubleKind};
use crate::alert::rota;
use crate::alert::rules::conditions;
use crate::alert::step::{self, Happened, What, step};
use crate::alert::word;
use crate::clock::Clock;
use crate::config::Config;
use crate::history::{self, History};
use crate::metrics::Metrics;
use crate::model::alerting::Pager;
use crate::model::alerting::rules::Severity;
use crate::model::id::SystemId;
use crate::model::secret::Secret;
use crate::model::time::Millis;

use branches::Branches;
use desk::{Desk, State};
use drill::Drills;
use health::{Health, Looked};
use post::Office;

pub(super) use gather::Figure;
pub(super) use health::Refusal;
pub use usable::unusable;

/// How often it is looked whether a step of an escalation, or the end of an incident, is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often everything is looked at though nothing was said to have changed, in looks.
const FULL_EVERY: u32 = 5;

/// Rest after a look: alerts that open together are decided together.
const REST: Duration = Duration::from_millis(100);

/// How often Alertmanager's clients hear that we still judge; after two minutes of silence they
/// let the watchdog end.
const SPEAK_EVERY: Duration = Duration::from_secs(20);

/// So long after its end an incident may still have something to tell.
const FRESH_MS: i64 = 900_000;

/// How long closed incidents and their messages are shown.
const SHOWN_MS: i64 = 7 * 86_400_000;

/// What the figures say of each system, for the rules.
pub(super) type FigureBoard = Arc<Mutex<HashMap<SystemId, Figure>>>;

/// The part.
#[derive(Debug)]
pub(super) struct Alerting {
    pub(super) clock: Clock,
    /// When the process began.
    begun: Millis,
    started: Instant,
    zone: TimeZone,
    history: History,
    desk: Arc<Desk>,
    watch: Shared,
    figures: FigureBoard,
    reloader: Arc<Reloader>,
    metrics: Arc<Metrics>,
    looked: Arc<AtomicI64>,
    /// When this part last looked, in milliseconds since the machine started.
    decided: AtomicI64,
    /// The key of links that was made here, if one was needed.
    link_key: Mutex<Option<Secret>>,
    office: RwLock<Arc<Office>>,
    /// One store across reloads: what tells the configuration before still goes on for a while.
    tokens: Arc<dyn TokenStore>,
    wanted: watch::Sender<Arc<Alerts>>,
    /// When it was last sent.
    spoken: Mutex<Option<Instant>>,
    statuses: Mutex<Vec<watch::Receiver<Status>>>,
    health: Mutex<Health>,
    drills: Mutex<Drills>,
}

impl Alerting {
    /// Goes on where an earlier daemon ended.
    ///
    /// # Errors
    ///
    /// If the history can't be read, or a channel can't be set up.
    pub(super) async fn start(
        common: &Common,
        reloader: &Arc<Reloader>,
        figures: FigureBoard,
    ) -> Result<Arc<Self>, AppError> {
        let Common { clock, history, watch, metrics, looked, alarmed, refused, .. } =
            common.clone();
        let reloader = Arc::clone(reloader);
        let config = reloader.current();
        let (desk, mut link_key) = desk::restore(&history, alarmed).await?;
        let links = desk::links(&desk, &mut link_key, config.alerting.link_key.as_ref());
        let desk = Arc::new(desk);
        let zone = config.monitor.timezone.clone();
        let office = |templates| {
            Arc::new(Office {
                desk: Arc::clone(&desk),
                history: history.clone(),
                clock: clock.clone(),
                metrics: Arc::clone(&metrics),
                words: words::Words {
                    templates,
                    alerting: Arc::clone(&config.alerting),
                    zone: zone.clone(),
                    links,
                    watch: Arc::clone(&watch),
                },
            })
        };
        let office = RwLock::new(office(words::templates(&config.alerting)));
        let drills = Mutex::new(desk.with(|state| Drills::restore(&state.book)));
        Ok(Arc::new(Self {
            wanted: watch::Sender::default(),
            spoken: Mutex::default(),
            statuses: Mutex::default(),
            health: Mutex::new(Health::new(refused)),
            tokens: Arc::new(tokens::Tokens::new(Arc::clone(&desk), history.clone())),
            begun: clock.now(),
            started: Instant::now(),
            clock,
            zone,
            history,
            watch,
            figures,
            reloader,
            metrics,
            looked,
            decided: AtomicI64::default(),
            link_key: Mutex::new(link_key),
            office,
            drills,
            desk,
        }))
    }

    /// Goes on until `stop`.
    pub(super) async fn run(self: Arc<Self>, stop: CancellationToken) -> Result<(), String> {
        let mut configured = self.reloader.configured();
        configured.mark_unchanged();
        // What they hear first is complete.
        self.publish(&self.reloader.current(), self.clock.now());
        let mut branches = Branches::open(&self, None);
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks = 0_u32;
        loop {
            let mut full = true;
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.desk.wake.notified() => {}
                _ = configured.changed() => {
                    self.furnish();
                    branches.replace(&self);
                }
                died = branches.death() => return Err(died),
                _ = tick.tick() => {
                    self.drill_if_due().await;
                    looks = looks.wrapping_add(1);
                    full = looks % FULL_EVERY == 1 || self.is_waiting();
                }
            }
            self.look(full).await;
            sleep(REST).await;
        }
        branches.close().await;
        self.desk.keep(&self.history).await;
        Ok(())
    }

    fn office(&self) -> Arc<Office> {
        Arc::clone(&self.office.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// After a reload: new words, links of the key in force, and channels that are gone are forgotten.
    fn furnish(&self) {
        let config = self.reloader.current();
        let key = config.alerting.link_key.as_ref();
        let links = desk::links(&self.desk, &mut lock(&self.link_key), key);
        let office = Arc::new(Office {
            desk: Arc::clone(&self.desk),
            history: self.history.clone(),
            clock: self.clock.clone(),
            metrics: Arc::clone(&self.metrics),
            words: words::Words {
                templates: words::templates(&config.alerting),
                alerting: Arc::clone(&config.alerting),
                zone: self.zone.clone(),
                links,
                watch: Arc::clone(&self.watch),
            },
        });
        *self.office.write().unwrap_or_else(PoisonError::into_inner) = office;
        let known: BTreeSet<_> = config.alerting.channels.iter().map(|it| it.id.clone()).collect();
        let now = self.clock.now();
        self.desk.with(|state| {
            state.outbox.keep_channels(&known, now);
            state.book.incidents.values_mut().for_each(|it| escalation::try_at_once(it, now));
        });
        self.metrics.alerts().forget();
    }

    /// Whether something waits for a dependency to speak.
    fn is_waiting(&self) -> bool {
        let held = |it: &Incident| it.is_open() && it.held_until.is_some();
        self.desk.with(|state| state.book.incidents.values().any(held))
    }

    /// One look: decides, keeps, and has it sent. Not a full one goes by what was true.
    async fn look(&self, full: bool) {
        let (config, now) = (self.reloader.current(), self.clock.now());
        let statuses = self.statuses();
        let facts = full.then(|| self.facts(&config, &statuses, now));
        let changed = self.desk.with(|state| {
            let stepped = state.outbox.settle(now);
            let happened = match &facts {
                None => Vec::new(),
                Some(facts) => self.decide(state, &config, facts),
            };
            let told = self.escalate(state, &config, &statuses, now);
            Self::tidy(state, &config, now);
            Self::tell(state, &happened);
            facts.is_some() || told || stepped
        });
        self.desk.keep(&self.history).await;
        if changed {
            self.desk.post.send_replace(());
            self.publish(&config, now);
        }
        self.measure(&config, &statuses, now);
        self.decided.store(self.clock.since_boot_us() / 1_000, Ordering::Relaxed);
    }

    /// What should stand in every Alertmanager, if that has changed, and now and then besides.
    fn publish(&self, config: &Config, now: Millis) {
        let roster = Arc::clone(&watched::lock(&self.watch).roster);
        let times = (self.begun, now);
        let all =
            self.desk.with(|it| alerts(&it.book, &roster, &config.alerting, &self.zone, times));
        let mut spoken = lock(&self.spoken);
        let silent = spoken.is_none_or(|it| it.elapsed() >= SPEAK_EVERY);
        let sent = self.wanted.send_if_modified(|old| {
            let differs = **old != all;
            if differs {
                *old = Arc::new(all);
            }
            differs || silent
        });
        if sent {
            *spoken = Some(Instant::now());
        }
    }

    fn statuses(&self) -> Vec<Status> {
        lock(&self.statuses).iter().map(|it| it.borrow().clone()).collect()
    }

    fn facts(&self, config: &Config, statuses: &[Status], now: Millis) -> Facts {
        // No two of these are ever held together.
        let failing = self.desk.with(|state| {
            let all = state.outbox.failing();
            all.map(|(id, since, why)| (id.clone(), since, why.to_owned())).collect()
        });
        let spells = {
            let watch = watched::lock(&self.watch);
            (watch.late, watch.blind)
        };
        let history = self.history.stats();
        let looked = Looked { config, spells, failing, history, alertmanagers: statuses, now };
        let troubles = lock(&self.health).troubles(&looked);
        for kind in TroubleKind::ALL {
            let count = troubles.iter().filter(|it| it.kind == kind).count();
            self.metrics.alerts().troubles(&word(&kind), count);
        }
        // The wall clock may have been set since.
        let run_ms = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        let times = (now.plus_ms(-run_ms), now);
        // Never held together with the desk: others take them in the other order.
        let watch = watched::lock(&self.watch);
        gather::facts(&watch, &lock(&self.figures), troubles, &self.zone, times)
    }

    /// What is true goes into the book.
    fn decide(&self, state: &mut State, config: &Config, facts: &Facts) -> Vec<Happened> {
        let mut said = conditions(facts);
        let (more, ended) = lock(&self.drills).conditions(&state.book, facts.now);
        said.extend(more);
        for ended in ended {
            if ended.acknowledged.is_some() {
                self.metrics.alerts().drill(facts.now);
            }
            state.journal.push(ended.line(facts.now));
        }
        step(&mut state.book, &said, facts, &config.alerting, &self.zone)
    }

    /// Who is told of it. Whether there is anything new.
    fn escalate(
        &self,
        state: &mut State,
        config: &Config,
        statuses: &[Status],
        now: Millis,
    ) -> bool {
        let mut changed = false;
        let State { book, outbox, journal: lines, .. } = state;
        let fresh = |it: &Incident| it.closed.is_none_or(|at| now.since(at) < FRESH_MS);
        for incident in book.incidents.values_mut().filter(|it| fresh(it)) {
            let desk = escalation::Desk {
                alerting: &config.alerting,
                holidays: &config.roster.holidays,
                zone: &self.zone,
                take_over: must_take_over(statuses, &incident.id, now),
                tell_the_end: config.alerting.pager == Pager::Alertmanager
                    && incident.closed.is_some()
                    && must_tell_the_end(statuses, &incident.id, now),
            };
            let decided = escalate(incident, &desk, &outbox.of(&incident.id), now);
            let keys: BTreeSet<String> = decided.drop.into_iter().map(|it| it.key).collect();
            changed |= !decided.new.is_empty() || !keys.is_empty();
            for delivery in decided.new {
                outbox.add(delivery);
            }
            for key in keys {
                if let Some(dropped) = outbox.discard(&key, now) {
                    self.metrics.alerts().message(dropped.channel.as_str(), "dropped");
                }
            }
            for what in decided.happened {
                let kind = format!("alert.{}", what.as_str());
                info!(incident = incident.id.0, what = what.as_str(), detail = %what, "escalation");
                let body =
                    serde_json::json!({ "incident": incident.id.0, "text": what.to_string() });
                lines.push(journal(now, &kind, body));
            }
        }
        changed
    }

    /// Forgets what nobody asks for any more.
    fn tidy(state: &mut State, config: &Config, now: Millis) {
        let shown = |it: &Incident| it.closed.is_none_or(|at| now.since(at) < SHOWN_MS);
        let waiting: BTreeSet<IncidentId> =
            state.outbox.all().filter(|it| it.is_waiting()).map(|it| it.incident.clone()).collect();
        let keep = |it: &Incident| shown(it) || waiting.contains(&it.id);
        step::prune(&mut state.book, now, &config.alerting, keep);
        let Book { incidents, .. } = &state.book;
        state.outbox.prune(|it: &Delivery| incidents.contains_key(&it.incident));
    }

    /// Log and journal.
    fn tell(state: &mut State, happened: &[Happened]) {
        for it in happened {
            let Some(incident) = state.book.incidents.get(&it.incident) else { continue };
            let what = it.what.as_str();
            let thread = serde_json::to_value(&incident.thread).unwrap_or_default();
            let (severity, id) = (incident.severity.as_str(), &incident.id.0);
            let is_news =
                matches!(it.what, What::Opened { .. } | What::Worsened { .. } | What::Reopened);
            if incident.severity == Severity::Page && is_news {
                warn!(incident = id, %thread, severity, what, "alert");
            } else {
                info!(incident = id, %thread, severity, what, "alert");
            }
            let body = serde_json::json!({
                "incident": id, "thread": thread, "kind": incident.kind, "severity": severity,
                "since_ms": incident.since.0, "text": it.what.to_string(),
            });
            state.journal.push(line(it.at, what, body));
        }
    }

    /// Metrics.
    fn measure(&self, config: &Config, statuses: &[Status], now: Millis) {
        let metrics = self.metrics.alerts();
        self.desk.with(|state| {
            for channel in &config.alerting.channels {
                metrics.waiting(channel.id.as_str(), state.outbox.waiting(&channel.id, now));
            }
            let open = || state.book.incidents.values().filter(|it| it.is_open());
            for severity in [Severity::Page, Severity::Ticket, Severity::Info] {
                let roots = open().filter(|it| it.cause.is_none() && it.severity == severity);
                metrics.firing(severity, roots.count());
            }
            let silent = open()
                .filter(|it| it.ack.is_none())
                .filter_map(|it| it.escalation.begun.filter(|_| it.severity == Severity::Page));
            metrics.unacknowledged(silent.min().map_or(0, |since| now.since(since)));
        });
        for team in &config.alerting.teams {
            let on_call = rota::on_duty(team, &config.roster.holidays, &self.zone, now);
            metrics.on_call(team.id.as_str(), on_call.len());
        }
        for status in statuses {
            let counts = status.counts;
            let counts = [
                ("accepted", counts.accepted),
                ("refused", counts.refused),
                ("failed", counts.failed),
            ];
            metrics.alertmanager(&status.name, counts, status.accepts(now));
        }
    }
}

fn line(at: Millis, what: &str, body: serde_json::Value) -> history::Event {
    journal(at, &format!("alert.{what}"), body)
}
