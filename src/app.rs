//! How it hangs together: builds the parts from the configuration, runs them, ends them.
//!
//! Read in this order: [`App::start`], `pipeline` (what happens to a result), `runs` (what
//! happens to a probe), `reload`, `parts` (how tasks live and die).

mod parts;
mod probes;
mod signals;
mod absence;
mod alerting;
mod again;
mod announce;
mod asked;
mod control;
mod descriptors;
mod figures;
mod folder;
mod maintained;
mod notices;
mod offline;
mod runs;
mod scheduled;
mod serving;
mod watched;
mod pipeline;
mod settings;
mod restore;
mod reload;
mod source;
mod upkeep;
mod drain;
mod error;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

pub use alerting::unusable;
pub use error::AppError;
pub use offline::Offline;
pub use settings::net;
pub use signals::{Asked, Signals};

use crate::blackbox::Modules;
use crate::clock::Clock;
use crate::config::Config;
use crate::history::History;
use crate::metrics::Metrics;
use crate::model::id::VantageId;
use crate::probe::heartbeat::Board;
use crate::web;

use absence::Absences;
use again::PastAgain;
use alerting::Alerting;
use descriptors::Budget;
use figures::Figures;
use maintained::Maintained;
use notices::Notices;
use parts::Parts;
use pipeline::Pipeline;
use probes::Probes;
use reload::Reloader;
use restore::Past;
use runs::Runs;
use watched::Shared;

/// Commands that wait for the schedule.
const COMMANDS_QUEUED_MAX: usize = 1_024;

/// What a daemon is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The main file of the configuration.
    pub config: PathBuf,
    /// The data folder, instead of the configuration's.
    pub data: Option<PathBuf>,
    /// Where to listen, instead of the configuration's.
    pub listen: Option<SocketAddr>,
    /// The modules that `/probe` takes, in the format of blackbox_exporter; `None`: no `/probe`.
    pub blackbox: Option<PathBuf>,
    /// How environment variables are looked up.
    pub environment: fn(&str) -> Option<String>,
}

/// A running daemon.
#[derive(Debug)]
pub struct App {
    address: SocketAddr,
    parts: Parts,
    /// Ends the schedule: nothing new is started.
    schedule_stop: CancellationToken,
    tracker: TaskTracker,
    runs: Arc<Runs>,
    history: History,
    reloader: Arc<Reloader>,
    grace: std::time::Duration,
    clock: Clock,
}

impl App {
    /// Reads the configuration, opens the history, and starts every part.
    ///
    /// # Errors
    ///
    /// [`AppError`]; then nothing runs.
    pub async fn start(options: Options) -> Result<Self, AppError> {
        let (config, modules) = reload::read(&options).await?;
        let begun = reload::seen(&config, modules.as_deref());
        let listen = listen(&options, &config)?;
        let budget = Budget::take(options.blackbox.is_some());
        let common = Common::new(&config, &options).await?;
        let past = common.past(&config).await?;
        let (listener, address) = bind(listen).await?;

        let mut parts = Parts::default();
        let measuring = measure(&mut parts, &common, &config, &past, budget)?;
        let Measuring { runs, tracker, schedule_stop, .. } = measuring.clone();
        let (grace, fingerprint) = (config.monitor.grace, config.fingerprint.clone());
        let web = settings::web(&config);
        let probes = probes(modules, &common, &measuring)?;
        let reloader = reloader(options, config, begun, &common, measuring, Arc::clone(&probes));
        let judges = judges(&reloader, &common);
        let alerting = Alerting::start(&common, &reloader, Arc::clone(&judges.1.board)).await?;
        let source = source::AppSource {
            clock: common.clock.clone(),
            watch: Arc::clone(&common.watch),
            notices: Arc::clone(&common.notices),
            history: common.history.clone(),
            reloader: Arc::clone(&reloader),
            alerting: Arc::clone(&alerting),
            probes,
            ready: Arc::default(),
        };
        let ready = Arc::clone(&source.ready);
        let router = web::router(web, Arc::clone(&common.metrics), source);
        serving::serve(&mut parts, listener, router, budget.connections)?;
        reloader.begin(past, &common.history).await?;
        keep_up(&mut parts, &common, Arc::clone(&reloader));
        judges.0.begin();
        parts.spawn("maintenance", judges.0.run(parts.stop_token()));
        parts.spawn("figures", judges.1.run(parts.stop_token()));
        parts.spawn("past", judges.2.run(parts.stop_token()));
        parts.spawn("alerting", alerting.run(parts.stop_token()));
        ready.store(true, Ordering::Release);
        upkeep::tell_supervisor(&[sd_notify::NotifyState::Ready]);
        info!(%address, config = fingerprint, "watching");
        let Common { clock, history, .. } = common;
        Ok(Self { address, parts, schedule_stop, tracker, runs, history, reloader, grace, clock })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs until it is asked to stop or a part dies, then ends in good order.
    ///
    /// # Errors
    ///
    /// [`AppError::PartDied`]; [`AppError::Hurried`] if it is asked to stop twice.
    pub async fn run(mut self, asked: &mut mpsc::Receiver<Asked>) -> Result<(), AppError> {
        let end = loop {
            tokio::select! {
                death = self.parts.death() => {
                    break Err(AppError::PartDied { part: death.part, why: death.why });
                }
                asked = asked.recv() => match asked {
                    Some(Asked::Reload) => drop(self.reloader.reload_apart("signal")),
                    Some(Asked::Stop) | None => break Ok(()),
                },
            }
        };
        upkeep::tell_supervisor(&[sd_notify::NotifyState::Stopping]);
        tokio::select! {
            ended = drain::end(self) => end.and(ended),
            () = drain::hurry(asked) => Err(AppError::Hurried),
        }
    }
}

/// Where to listen. What the configuration says has been checked; the option has not.
fn listen(options: &Options, config: &Config) -> Result<SocketAddr, AppError> {
    let listen = options.listen.unwrap_or(config.monitor.listen);
    let open = !listen.ip().to_canonical().is_loopback() && config.monitor.token.is_none();
    if open { Err(AppError::Open(listen)) } else { Ok(listen) }
}

async fn bind(listen: SocketAddr) -> Result<(TcpListener, SocketAddr), AppError> {
    let refused = |why| AppError::Listen { address: listen, why };
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}

/// What many parts share.
#[derive(Clone, Debug)]
struct Common {
    clock: Clock,
    vantage: VantageId,
    history: History,
    metrics: Arc<Metrics>,
    notices: Arc<Notices>,
    watch: Shared,
    /// When the pipeline last looked around, in milliseconds since the machine started.
    looked: Arc<AtomicI64>,
    /// Told when the past of a check must be read again.
    again: Arc<Notify>,
    /// Told when an alert opens or is over.
    alarmed: Arc<Notify>,
    /// The newest configuration, if it was refused.
    refused: alerting::Refusal,
}

impl Common {
    async fn new(config: &Config, options: &Options) -> Result<Self, AppError> {
        let metrics = Arc::new(settings::metrics(config)?);
        let history = open_history(config, options, &metrics)?;
        Ok(Self {
            clock: Clock::System,
            vantage: config.monitor.vantage.clone(),
            notices: Arc::new(restore::notices(&history).await?),
            history,
            metrics,
            watch: Shared::default(),
            looked: Arc::default(),
            again: Arc::default(),
            alarmed: Arc::default(),
            refused: alerting::Refusal::default(),
        })
    }

    /// What an earlier daemon left, accounted for.
    async fn past(&self, config: &Config) -> Result<Past, AppError> {
        let past = restore::past(&self.history, config, &self.notices, self.clock.now()).await?;
        restore::account(&self.history, config, &past, &self.metrics).await?;
        Ok(past)
    }
}

/// What measures, and how it is spoken to.
#[derive(Clone, Debug)]
struct Measuring {
    runs: Arc<Runs>,
    board: Arc<Board>,
    events: mpsc::Sender<pipeline::Event>,
    commands: mpsc::Sender<crate::schedule::Command>,
    tracker: TaskTracker,
    /// Ends the schedule.
    schedule_stop: CancellationToken,
}

/// Starts the pipeline and the schedule, which has nothing to do yet.
fn measure(
    parts: &mut Parts,
    common: &Common,
    config: &Config,
    past: &Past,
    budget: Budget,
) -> Result<Measuring, AppError> {
    let (events, incoming) = mpsc::channel(pipeline::EVENTS_QUEUED_MAX);
    let (commands, commanded) = mpsc::channel(COMMANDS_QUEUED_MAX);
    let board = Arc::<Board>::default();
    let runs = Arc::new(Runs {
        clock: common.clock.clone(),
        absences: Absences::new(),
        events: events.clone(),
        outside: RwLock::new(Arc::new(settings::outside(config, &board)?)),
        room: Semaphore::new(budget.runs),
        asked: Semaphore::new(budget.asked),
        cut: CancellationToken::new(),
    });
    let pipeline = Pipeline {
        clock: common.clock.clone(),
        vantage: common.vantage.clone(),
        history: common.history.clone(),
        metrics: Arc::clone(&common.metrics),
        schedule: commands.clone(),
        watch: Arc::clone(&common.watch),
        again: Arc::clone(&common.again),
        looked: Arc::clone(&common.looked),
        alarmed: Arc::clone(&common.alarmed),
    };
    parts.spawn("pipeline", pipeline.run(incoming, parts.stop_token()));
    let (tracker, schedule_stop) = (TaskTracker::new(), CancellationToken::new());
    let schedule = scheduled::run(
        scheduled::first(&common.clock, past),
        Arc::clone(&runs),
        Arc::clone(&common.metrics),
        commanded,
        schedule_stop.clone(),
        tracker.clone(),
    );
    parts.spawn("schedule", schedule);
    Ok(Measuring { runs, board, events, commands, tracker, schedule_stop })
}

/// Who answers `/probe`, with `modules` if there are any.
fn probes(
    modules: Option<Arc<Modules>>,
    common: &Common,
    measuring: &Measuring,
) -> Result<Arc<Probes>, AppError> {
    if modules.is_some() {
        common.metrics.show_probes()?;
    }
    let (runs, metrics) = (Arc::clone(&measuring.runs), Arc::clone(&common.metrics));
    Ok(Arc::new(Probes { runs, metrics, modules: Mutex::new(modules) }))
}

fn reloader(
    options: Options,
    config: Config,
    begun: reload::Seen,
    common: &Common,
    measuring: Measuring,
    probes: Arc<Probes>,
) -> Arc<Reloader> {
    let Measuring { runs, board, events, commands, .. } = measuring;
    Arc::new(Reloader {
        options,
        runs,
        board,
        probes,
        metrics: Arc::clone(&common.metrics),
        events,
        commands,
        clock: common.clock.clone(),
        vantage: common.vantage.clone(),
        notices: Arc::clone(&common.notices),
        current: watch::Sender::new(Arc::new(config)),
        refused: Arc::clone(&common.refused),
        turn: tokio::sync::Mutex::default(),
        tasks: TaskTracker::new(),
        runtime: tokio::runtime::Handle::current(),
        begun,
    })
}

/// The parts that do something now and then.
fn keep_up(parts: &mut Parts, common: &Common, reloader: Arc<Reloader>) {
    let (stop, clock) = (parts.stop_token(), common.clock.clone());
    let history = upkeep::history(common.history.clone(), clock.clone(), stop.clone());
    parts.spawn("upkeep", history);
    let watchdog = upkeep::watchdog(Arc::clone(&common.looked), clock, stop.clone());
    parts.spawn("watchdog", watchdog);
    parts.spawn("files", reload::watch_files(reloader, stop));
}

/// The parts that judge: who is in maintenance, the live figures, and what is judged again.
fn judges(reloader: &Arc<Reloader>, common: &Common) -> (Maintained, Figures, PastAgain) {
    let config = reloader.current();
    let (clock, zone) = (&common.clock, config.monitor.timezone.clone());
    let maintained = Maintained {
        clock: clock.clone(),
        zone: zone.clone(),
        notices: Arc::clone(&common.notices),
        watch: Arc::clone(&common.watch),
        metrics: Arc::clone(&common.metrics),
    };
    let figures = Figures {
        clock: clock.clone(),
        zone,
        vantage: common.vantage.clone(),
        history: common.history.clone(),
        notices: Arc::clone(&common.notices),
        watch: Arc::clone(&common.watch),
        metrics: Arc::clone(&common.metrics),
        cache: reloader.data_folder().join("figures.cache"),
        since: clock.now(),
        board: alerting::FigureBoard::default(),
    };
    let past = PastAgain {
        clock: clock.clone(),
        vantage: common.vantage.clone(),
        history: common.history.clone(),
        notices: Arc::clone(&common.notices),
        watch: Arc::clone(&common.watch),
        asked: Arc::clone(&common.again),
        events: reloader.events.clone(),
    };
    (maintained, figures, past)
}

fn open_history(
    config: &Config,
    options: &Options,
    metrics: &Arc<Metrics>,
) -> Result<History, AppError> {
    let folder = reload::data_folder(config, options);
    folder::make(&folder).map_err(|why| AppError::Data { folder: folder.clone(), why })?;
    let metrics = Arc::clone(metrics);
    let observer: crate::history::Observer = Arc::new(move |commit| metrics.commit(commit.took));
    Ok(History::open(settings::history(config, folder), Some(observer))?)
}

/// Takes a lock whose holder can't have left a half-made change.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
