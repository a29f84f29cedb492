//! How it hangs together: builds the parts from the configuration, runs them, ends them.
//!
//! Read in this order: [`App::start`], `pipeline` (what happens to a result), `runs` (what
//! happens to a probe), `reload`, `parts` (how tasks live and die).

mod parts;
mod signals;
mod absence;
mod alerting;
mod again;
mod announce;
mod asked;
mod control;
mod descriptors;
mod figures;
mod maintained;
mod notices;
mod offline;
mod runs;
mod scheduled;
mod watched;
mod pipeline;
mod settings;
mod restore;
mod reload;
mod source;
mod upkeep;
mod drain;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

pub use offline::Offline;
pub use settings::net;
pub use signals::{Asked, Signals};

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::history::{History, HistoryError};
use crate::metrics::Metrics;
use crate::probe::NetError;
use crate::probe::heartbeat::Board;
use crate::web;

use absence::Absences;
use again::PastAgain;
use alerting::Alerting;
use descriptors::Budget;
use figures::Figures;
use maintained::Maintained;
use parts::Parts;
use pipeline::Pipeline;
use reload::Reloader;
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
    /// How environment variables are looked up.
    pub environment: fn(&str) -> Option<String>,
}

/// Why the daemon did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration is wrong; all that is wrong with it is the text.
    #[error("{0}")]
    Config(Box<config::Mistakes>),
    /// Everybody could read, and reload.
    #[error(
        "{0} can be reached from other machines, and there is no `[monitor] token`: set one, or \
         listen on 127.0.0.1"
    )]
    Open(SocketAddr),
    /// The address is taken or not ours.
    #[error("can't listen on {address}: {why}; choose another with `[monitor] listen`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's words.
        why: std::io::Error,
    },
    /// The history can't be opened or closed.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The data folder can't be made.
    #[error("can't make the data folder {}: {why}", folder.display())]
    Data {
        /// The folder.
        folder: PathBuf,
        /// The system's words.
        why: std::io::Error,
    },
    /// The network part can't be set up.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The system refuses something a daemon needs.
    #[error("can't {what}: {why}")]
    System {
        /// What.
        what: &'static str,
        /// The system's words.
        why: std::io::Error,
    },
    /// A bug: a family of metrics was refused.
    #[error(transparent)]
    Metrics(#[from] crate::metrics::MetricsError),
    /// A part of the daemon died.
    #[error("the part `{part}` died: {why}")]
    PartDied {
        /// Its name.
        part: &'static str,
        /// What it said.
        why: String,
    },
    /// The operator did not want to wait for the end.
    #[error("left at once, as asked")]
    Hurried,
}

impl AppError {
    /// What the process tells its supervisor (`sysexits.h`); 78 must not be retried.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Open(_) => 78,
            Self::PartDied { .. } | Self::Metrics(_) => 70,
            Self::Hurried => 130,
            Self::Listen { .. }
            | Self::History(_)
            | Self::Data { .. }
            | Self::Net(_)
            | Self::System { .. } => 74,
        }
    }
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
        let config = reload::read(&options).await?;
        let listen = listen(&options, &config)?;
        let budget = Budget::take();
        let clock = Clock::System;
        let metrics = Arc::new(settings::metrics(&config)?);
        let history = open_history(&config, &options, &metrics)?;
        let notices = Arc::new(restore::notices(&history).await?);
        let past = restore::past(&history, &config, &notices, clock.now()).await?;
        restore::account(&history, &config, &past, &metrics).await?;
        let (listener, address) = bind(listen).await?;

        let mut parts = Parts::default();
        let (events, incoming) = mpsc::channel(pipeline::EVENTS_QUEUED_MAX);
        let (commands, commanded) = mpsc::channel(COMMANDS_QUEUED_MAX);
        let board = Arc::<Board>::default();
        let runs = Arc::new(Runs {
            clock: clock.clone(),
            absences: Absences::new(),
            events: events.clone(),
            outside: RwLock::new(Arc::new(settings::outside(&config, &board)?)),
            room: Semaphore::new(budget.runs),
            cut: CancellationToken::new(),
        });
        let (shared, looked, again) = (Shared::default(), Arc::default(), Arc::default());
        let (alarmed, refused) = (Arc::default(), alerting::Refusal::default());
        let pipeline = Pipeline {
            clock: clock.clone(),
            vantage: config.monitor.vantage.clone(),
            history: history.clone(),
            metrics: Arc::clone(&metrics),
            schedule: commands.clone(),
            watch: Arc::clone(&shared),
            again: Arc::clone(&again),
            looked: Arc::clone(&looked),
            alarmed: Arc::clone(&alarmed),
        };
        parts.spawn("pipeline", pipeline.run(incoming, parts.stop_token()));
        let (tracker, schedule_stop) = (TaskTracker::new(), CancellationToken::new());
        parts.spawn(
            "schedule",
            scheduled::run(
                scheduled::first(&clock, &past),
                Arc::clone(&runs),
                Arc::clone(&metrics),
                commanded,
                schedule_stop.clone(),
                tracker.clone(),
            ),
        );

        let (grace, fingerprint) = (config.monitor.grace, config.fingerprint.clone());
        let web = settings::web(&config);
        let reloader = Arc::new(Reloader {
            options,
            runs: Arc::clone(&runs),
            board,
            metrics: Arc::clone(&metrics),
            events,
            commands,
            clock: clock.clone(),
            vantage: config.monitor.vantage.clone(),
            notices: Arc::clone(&notices),
            current: watch::Sender::new(Arc::new(config)),
            refused: Arc::clone(&refused),
            turn: tokio::sync::Mutex::default(),
            tasks: TaskTracker::new(),
        });
        let judges = judges(&reloader, &shared, &history, again);
        let needs = alerting::Needs {
            clock: clock.clone(),
            history: history.clone(),
            watch: Arc::clone(&shared),
            figures: Arc::clone(&judges.1.board),
            reloader: Arc::clone(&reloader),
            metrics: Arc::clone(&metrics),
            looked: Arc::clone(&looked),
            alarmed,
            refused,
        };
        let alerting = Alerting::start(needs).await?;
        let source = source::AppSource {
            alerting: Arc::clone(&alerting),
            clock: clock.clone(),
            watch: shared,
            notices,
            history: history.clone(),
            reloader: Arc::clone(&reloader),
            ready: Arc::default(),
        };
        let ready = Arc::clone(&source.ready);
        serve(&mut parts, listener, web::router(web, metrics, source), budget.connections);
        reloader.begin(past, &history).await?;
        keep_up(&mut parts, &history, &clock, looked, Arc::clone(&reloader));
        parts.spawn("maintenance", judges.0.run(parts.stop_token()));
        parts.spawn("figures", judges.1.run(parts.stop_token()));
        parts.spawn("past", judges.2.run(parts.stop_token()));
        parts.spawn("alerting", alerting.run(parts.stop_token()));
        ready.store(true, Ordering::Release);
        upkeep::tell_supervisor(&[sd_notify::NotifyState::Ready]);
        info!(%address, config = fingerprint, "watching");
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

/// The parts that do something now and then.
fn keep_up(
    parts: &mut Parts,
    history: &History,
    clock: &Clock,
    looked: Arc<AtomicI64>,
    reloader: Arc<Reloader>,
) {
    let stop = parts.stop_token();
    parts.spawn("upkeep", upkeep::history(history.clone(), clock.clone(), stop.clone()));
    parts.spawn("watchdog", upkeep::watchdog(looked, clock.clone(), stop.clone()));
    parts.spawn("files", reload::watch_files(reloader, stop));
}

/// The parts that judge: who is in maintenance, the live figures, and what is judged again.
fn judges(
    reloader: &Arc<Reloader>,
    watch: &Shared,
    history: &History,
    again: Arc<Notify>,
) -> (Maintained, Figures, PastAgain) {
    let config = reloader.current();
    let (clock, zone) = (reloader.clock.clone(), config.monitor.timezone.clone());
    let (notices, metrics) = (Arc::clone(&reloader.notices), Arc::clone(&reloader.metrics));
    let maintained = Maintained {
        clock: clock.clone(),
        zone: zone.clone(),
        notices: Arc::clone(&notices),
        watch: Arc::clone(watch),
        metrics: Arc::clone(&metrics),
    };
    let past = PastAgain {
        clock: clock.clone(),
        vantage: reloader.vantage.clone(),
        history: history.clone(),
        notices: Arc::clone(&notices),
        watch: Arc::clone(watch),
        asked: again,
        events: reloader.events.clone(),
    };
    let figures = Figures {
        clock,
        zone,
        vantage: reloader.vantage.clone(),
        history: history.clone(),
        notices,
        watch: Arc::clone(watch),
        metrics,
        cache: reloader.data_folder().join("figures.cache"),
        since: reloader.clock.now(),
        board: alerting::FigureBoard::default(),
    };
    (maintained, figures, past)
}

fn serve(parts: &mut Parts, listener: TcpListener, router: axum::Router, connections: usize) {
    let stop = parts.stop_token();
    let limits = web::Limits { connections, ..web::Limits::default() };
    parts.spawn("web", async move {
        web::serve(listener, router, limits, stop.cancelled_owned()).await;
        Ok(())
    });
}

fn open_history(
    config: &Config,
    options: &Options,
    metrics: &Arc<Metrics>,
) -> Result<History, AppError> {
    let folder = reload::data_folder(config, options);
    std::fs::create_dir_all(&folder)
        .map_err(|why| AppError::Data { folder: folder.clone(), why })?;
    let metrics = Arc::clone(metrics);
    let observer: crate::history::Observer = Arc::new(move |commit| metrics.commit(commit.took));
    Ok(History::open(settings::history(config, folder), Some(observer))?)
}

/// Takes a lock whose holder can't have left a half-made change.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
