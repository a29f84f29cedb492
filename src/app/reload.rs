//! Taking a configuration into force: whole or not at all, and the outcome is told everywhere.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use notify::{RecursiveMode, Watcher};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Duration, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::alerting::{self, Refusal};
use super::notices::{self, Notices};
use super::pipeline::{Event, journal};
use super::probes::{self, Probes};
use super::restore::Past;
use super::runs::Runs;
use super::{AppError, Options, lock, settings};
use crate::availability::live::LiveCheck;
use crate::blackbox::Modules;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::history::{self, History, Record};
use crate::metrics::Metrics;
use crate::model::id::{CheckId, VantageId};
use crate::model::spec::Spec;
use crate::model::system::Roster;
use crate::model::time::Millis;
use crate::probe::heartbeat::{self, Board};
use crate::schedule::Command;
use crate::web::source::{Beat, Reloaded};

/// After a file changes: editors write more than once.
const SETTLE: Duration = Duration::from_millis(300);

/// Changes of files that wait to be looked at; more say nothing new.
const CHANGES_QUEUED_MAX: usize = 1;

/// Reads the configuration anew and takes it into force.
#[derive(Debug)]
pub(super) struct Reloader {
    pub(super) options: Options,
    pub(super) runs: Arc<Runs>,
    pub(super) board: Arc<Board>,
    pub(super) probes: Arc<Probes>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) clock: Clock,
    pub(super) vantage: VantageId,
    pub(super) notices: Arc<Notices>,
    /// What is in force.
    pub(super) current: watch::Sender<Arc<Config>>,
    /// The newest configuration, if it was refused: since when, and why.
    pub(super) refused: Refusal,
    /// One reload at a time.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// Reloads under way.
    pub(super) tasks: TaskTracker,
    /// Where they run.
    pub(super) runtime: tokio::runtime::Handle,
    /// How the files lay when the first configuration had been read.
    pub(super) begun: Seen,
}

/// Length and time of change of files.
pub(super) type Seen = BTreeMap<PathBuf, (u64, SystemTime)>;

/// How the files lie that `config` and `modules` were read from. To be asked right after reading:
/// what changes later is noticed, also while the past is still being read back.
pub(super) fn seen(config: &Config, modules: Option<&Modules>) -> Seen {
    let mut files = config.files.clone();
    files.extend(modules.into_iter().flat_map(|it| it.files.clone()));
    let folders = folders(&files);
    states(files, &folders)
}

/// Reads the configuration that `options` name, and sets up its channels once, so that none is
/// taken into force that can't be.
pub(super) async fn read(options: &Options) -> Result<(Config, Option<Arc<Modules>>), AppError> {
    let (path, environment) = (options.config.clone(), options.environment);
    let blackbox = options.blackbox.clone();
    let read = tokio::task::spawn_blocking(move || {
        let config = config::load(&path, &environment)?;
        let unusable = alerting::unusable(&config.alerting);
        if !unusable.is_empty() {
            return Err(AppError::Unusable(unusable));
        }
        Ok((config, probes::read(blackbox.as_ref(), environment)?))
    });
    read.await
        .unwrap_or_else(|panic| Err(AppError::PartDied { part: "config", why: panic.to_string() }))
}

/// The data folder: that of the command, or of the configuration.
pub(super) fn data_folder(config: &Config, options: &Options) -> PathBuf {
    options.data.clone().unwrap_or_else(|| config.monitor.data.clone())
}

impl Reloader {
    /// Puts the first configuration into force, from where the past ends.
    pub(super) async fn begin(&self, past: Past, history: &History) -> Result<(), AppError> {
        let config = self.current();
        let Past { at: now, last, lives, .. } = past;
        let body = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"), "config": config.fingerprint,
            "last_activity_ms": last.map(|it| it.0),
        });
        let event = self.with_contract(&config, journal(now, "process.start", body));
        history.append(vec![Record::Event(event)]).await?;
        self.metrics.reload(true, now);
        self.put_into_force(&config, lives, now).await;
        Ok(())
    }

    /// The contract goes into the journal with the event that changes it.
    fn with_contract(&self, config: &Config, event: history::Event) -> history::Event {
        self.notices.with_contract(&notices::contract(config, &self.vantage), event)
    }

    /// Where the history lies.
    pub(super) fn data_folder(&self) -> PathBuf {
        data_folder(&self.current(), &self.options)
    }

    /// Where results are measured from.
    pub(super) const fn vantage(&self) -> &VantageId {
        &self.vantage
    }

    /// Every file whose change may change what is in force.
    fn files(&self) -> Vec<PathBuf> {
        let mut files = self.current().files.clone();
        files.extend(self.probes.files());
        files
    }

    /// What is in force.
    pub(super) fn current(&self) -> Arc<Config> {
        Arc::clone(&self.current.borrow())
    }

    /// Told of every configuration that comes into force.
    pub(super) fn configured(&self) -> watch::Receiver<Arc<Config>> {
        self.current.subscribe()
    }

    /// [`Self::reload`] in a task of its own: whoever asked may leave, and it is done whole.
    pub(super) fn reload_apart(
        self: &Arc<Self>,
        asked_by: &'static str,
    ) -> impl Future<Output = Result<Reloaded, Vec<String>>> + Send + use<> {
        let this = Arc::clone(self);
        // Not in the runtime of whoever asked, which may be that of the web.
        let task = async move { this.reload(asked_by).await };
        let task = self.tasks.spawn_on(task, &self.runtime);
        async move { task.await.unwrap_or_else(|panic| Err(vec![panic.to_string()])) }
    }

    /// Reads the configuration anew; `asked_by` is for the log.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it; then what was in force still is.
    pub(super) async fn reload(&self, asked_by: &'static str) -> Result<Reloaded, Vec<String>> {
        let _turn = self.turn.lock().await;
        let now = self.clock.now();
        match self.try_reload(asked_by).await {
            Ok((changes, fingerprint)) => {
                info!(asked_by, ?changes, fingerprint, "configuration in force");
                self.metrics.reload(true, now);
                *lock(&self.refused) = None;
                Ok(changes)
            }
            Err(mistakes) => {
                let (count, first) = (mistakes.len(), mistakes.first());
                warn!(asked_by, count, first, "configuration refused; the one in force stays");
                self.metrics.reload(false, now);
                let why = mistakes.first().cloned().unwrap_or_default();
                lock(&self.refused).get_or_insert((now, String::new())).1 = why;
                Err(mistakes)
            }
        }
    }

    async fn try_reload(&self, asked_by: &str) -> Result<(Reloaded, String), Vec<String>> {
        let (new, modules) = read(&self.options).await.map_err(|error| match error {
            AppError::Config(mistakes) => mistakes.lines(),
            AppError::Modules(faults) => faults.lines(),
            AppError::Unusable(lines) => lines,
            other => vec![other.to_string()],
        })?;
        let old = self.current();
        let fixed = fixed(&old, &new);
        if !fixed.is_empty() {
            return Err(fixed);
        }
        let outside = settings::outside(&new, &self.board).map_err(|it| vec![it.to_string()])?;
        let changes = changes(&old.roster, &new.roster);
        let new = Arc::new(new);
        self.runs.replace(outside);
        self.probes.replace(modules);
        self.board.keep(|id| new.roster.checks().any(|check| check.id == *id));
        // One instant for the journal and for all that goes by it.
        let at = self.clock.now();
        let body = serde_json::json!({ "config": new.fingerprint, "asked_by": asked_by });
        let event = self.with_contract(&new, journal(at, "config.loaded", body));
        self.tell(Event::Journal(event)).await;
        self.put_into_force(&new, HashMap::new(), at).await;
        self.current.send_replace(Arc::clone(&new));
        Ok((changes, new.fingerprint.clone()))
    }

    /// The pipeline first, so that it knows every check whose result comes; then the schedule,
    /// which owes every slot of a new check from `from` on.
    async fn put_into_force(
        &self,
        config: &Config,
        restored: HashMap<CheckId, LiveCheck>,
        from: Millis,
    ) {
        let (adopted, done) = oneshot::channel();
        let roster = Arc::new(config.roster.clone());
        self.tell(Event::Adopt { roster, restored, at: from, done: adopted }).await;
        // An error means that the daemon is ending.
        let _ = done.await;
        let (replaced, done) = oneshot::channel();
        let command = Command::Replace {
            checks: config.roster.checks().map(|it| (Arc::clone(it), settings::grid(it))).collect(),
            per_minute: config.monitor.per_host_per_minute,
            killed: config.monitor.kill.iter().cloned().collect(),
            from,
            done: replaced,
        };
        let _ = self.commands.send(command).await;
        let _ = done.await;
    }

    async fn tell(&self, event: Event) {
        // The pipeline is gone only when the daemon is ending.
        let _ = self.events.send(event).await;
    }

    /// Takes a beat, if `check` is a heartbeat check with this token.
    pub(super) fn beat(&self, check: &CheckId, token: &str, at: Millis, beat: &Beat) -> Option<()> {
        let config = self.current();
        let check = config.roster.checks().find(|it| it.id == *check && it.disabled.is_none())?;
        let Spec::Heartbeat(spec) = &check.spec else { return None };
        heartbeat::verify(&spec.token, token).then(|| {
            let failed = (!beat.good).then(|| beat.message.as_deref().unwrap_or("no message"));
            self.board.beat(&check.id, at, failed);
        })
    }
}

/// Settings that only a restart can change, and that differ.
fn fixed(old: &Config, new: &Config) -> Vec<String> {
    let (old, new) = (&old.monitor, &new.monitor);
    let differs = [
        ("listen", old.listen != new.listen),
        ("data", old.data != new.data),
        ("vantage", old.vantage != new.vantage),
        ("carrier", old.carrier != new.carrier),
        ("timezone", old.timezone_name != new.timezone_name),
        ("token", old.token != new.token),
        ("latency_buckets", old.latency_buckets != new.latency_buckets),
        ("[monitor.history]", old.history != new.history),
    ];
    let told = |(key, _): &(&str, bool)| {
        format!("`{key}` can't change while the daemon runs: change it back, or restart it")
    };
    differs.iter().filter(|(_, it)| *it).map(told).collect()
}

/// What a reload changes, in checks.
fn changes(old: &Roster, new: &Roster) -> Reloaded {
    let before: HashMap<_, _> = old.checks().map(|check| (&check.id, check)).collect();
    let mut told = Reloaded::default();
    for check in new.checks() {
        match before.get(&check.id) {
            None => told.added += 1,
            Some(same) if *same == check => told.kept += 1,
            Some(_) => told.changed += 1,
        }
    }
    told.removed = before.len() - told.kept - told.changed;
    told
}

/// Reloads when a file of the configuration changes. Folders are watched, not files: editors
/// put a new file in the old one's place.
pub(super) async fn watch_files(
    reloader: Arc<Reloader>,
    stop: CancellationToken,
) -> Result<(), String> {
    let (changed, mut changes) = mpsc::channel(CHANGES_QUEUED_MAX);
    // What changed between the first reading and here, which nobody watched.
    let _ = changed.try_send(());
    let told = move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|it| !it.kind.is_access()) {
            // A change that waits already says as much.
            let _ = changed.try_send(());
        }
    };
    let mut watcher = match notify::recommended_watcher(told) {
        Ok(watcher) => watcher,
        Err(error) => {
            warn!(%error, "files can't be watched; reload with HUP or POST /-/reload");
            stop.cancelled().await;
            return Ok(());
        }
    };
    let mut watched: Vec<PathBuf> = Vec::new();
    watch_folders(&mut watcher, &mut watched, &reloader.files());
    let mut seen = reloader.begun.clone();
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = changes.recv() => sleep(SETTLE).await,
        }
        while changes.try_recv().is_ok() {}
        // What changes while a reload is under way is seen the next time round.
        let now = states(reloader.files(), &watched);
        if now != seen {
            seen = now;
            // The outcome is logged and exported.
            let _ = reloader.reload("file change").await;
            watch_folders(&mut watcher, &mut watched, &reloader.files());
        }
    }
}

fn watch_folders(watcher: &mut impl Watcher, watched: &mut Vec<PathBuf>, files: &[PathBuf]) {
    for folder in folders(files) {
        if !watched.contains(&folder) {
            match watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => watched.push(folder),
                Err(error) => warn!(folder = %folder.display(), %error, "can't be watched"),
            }
        }
    }
}

/// The folders that `files` lie in, and those beside them that an `include` may name.
fn folders(files: &[PathBuf]) -> Vec<PathBuf> {
    let parent = |file: &PathBuf| {
        let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
        folder.unwrap_or(Path::new(".")).to_path_buf()
    };
    let mut folders: Vec<PathBuf> = files.iter().map(parent).collect();
    // A folder that an `include` names may still be empty.
    let beside = folders.iter().filter_map(|it| std::fs::read_dir(it).ok()).flatten();
    let beside: Vec<PathBuf> = beside.filter_map(Result::ok).map(|entry| entry.path()).collect();
    folders.extend(beside.into_iter().filter(|it| it.extension().is_some_and(|it| it == "d")));
    folders
}

/// Length and time of change of every file read, and of every `.toml` beside them, which an
/// `include` may take in. The history may lie in the same folder; its changes are none of ours.
fn states(files: Vec<PathBuf>, folders: &[PathBuf]) -> Seen {
    let beside = folders.iter().filter_map(|it| std::fs::read_dir(it).ok()).flatten();
    let beside = beside.filter_map(Result::ok).map(|entry| entry.path());
    let beside = beside.filter(|path| path.extension().is_some_and(|it| it == "toml"));
    let state = |file: PathBuf| {
        let about = std::fs::metadata(&file).ok()?;
        Some((file, (about.len(), about.modified().ok()?)))
    };
    beside.chain(files).filter_map(state).collect()
}
