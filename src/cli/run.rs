//! `thongsuot run`: the daemon.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Failure, default_config, environment};
use crate::app::{App, Options, Signals};

/// Signals that wait to be obeyed.
const ASKED_QUEUED_MAX: usize = 8;

/// Watch everything in a configuration.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// The configuration.
    #[arg(long, short, default_value_os_t = default_config())]
    config: PathBuf,
    /// The data folder, instead of `[monitor] data`.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Where to serve, instead of `[monitor] listen`. Beyond loopback a token is needed.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Answer GET /probe?target=…&module=… as Prometheus' blackbox_exporter does, with the modules
    /// of this blackbox.yml. It is read anew with the configuration.
    #[arg(long, value_name = "FILE")]
    blackbox_config: Option<PathBuf>,
}

impl Run {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Self { config, data, listen, blackbox_config: blackbox } = self;
        let options = Options { config, data, listen, blackbox, environment };
        let runtime = runtime()?;
        runtime.block_on(async {
            // From the first moment on: a HUP before it would end the process.
            let signals = hear_signals()?;
            let app = App::start(options).await?;
            until_asked(app, signals).await
        })
    }
}

/// The runtime of every command that needs one.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|why| Failure::Ours(format!("can't start the runtime: {why}")))
}

/// Begins to listen to signals; what comes before the daemon runs waits for it.
pub(super) fn hear_signals() -> Result<Signals, Failure> {
    Signals::listen().map_err(|why| Failure::Ours(format!("can't listen to signals: {why}")))
}

/// Runs `app` until a signal ends it.
pub(super) async fn until_asked(app: App, mut signals: Signals) -> Result<(), Failure> {
    let (tell, mut asked) = mpsc::channel(ASKED_QUEUED_MAX);
    let mut listening = JoinSet::new();
    listening.spawn(async move { while tell.send(signals.next().await).await.is_ok() {} });
    Ok(app.run(&mut asked).await?)
}
