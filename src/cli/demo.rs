//! `thongsuot demo`: see it work, offline.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::output::sayln;
use super::run::{hear_signals, runtime, until_asked};
use super::{Failure, environment};
use crate::app::{App, Options};
use crate::clock::Clock;

/// Start a small country of e-services on loopback and watch it.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Where to serve; port 0: any free one.
    #[arg(long, default_value = "127.0.0.1:9247")]
    listen: SocketAddr,
    /// A folder for the demo's configuration and history, kept afterwards. Without it, a new one
    /// that is removed at the end.
    #[arg(long)]
    folder: Option<PathBuf>,
}

impl Demo {
    pub(super) fn run(self) -> Result<(), Failure> {
        runtime()?.block_on(self.show())
    }

    async fn show(self) -> Result<(), Failure> {
        let signals = hear_signals()?;
        let ours = |why: std::io::Error| Failure::Ours(format!("can't start the demo: {why}"));
        let temporary = match self.folder {
            Some(_) => None,
            None => {
                Some(tempfile::Builder::new().prefix("thongsuot-demo").tempdir().map_err(ours)?)
            }
        };
        let folder = self.folder.as_deref().or(temporary.as_ref().map(tempfile::TempDir::path));
        let folder = folder.unwrap_or(std::path::Path::new("."));
        std::fs::create_dir_all(folder).map_err(ours)?;
        let now_s = Clock::System.now().0.div_euclid(1_000);
        let demo = crate::demo::Demo::start(folder, &self.listen.to_string(), now_s).await;
        let demo = demo.map_err(ours)?;
        let options = Options {
            config: demo.config().to_path_buf(),
            data: Some(folder.join("data")),
            listen: None,
            blackbox: None,
            environment,
        };
        let app = App::start(options).await?;
        let address = app.address();
        sayln!(
            "\nthongsuot demo: eight e-services on loopback, watched every two seconds.\n\n  \
             page     http://{address}/\n  \
             metrics  http://{address}/metrics\n  \
             API      http://{address}/api/v1/systems\n  \
             terminal thongsuot status --url http://{address}\n  \
             config   {}\n\n\
             Within a minute every state is settled. Ctrl-C ends it.\n",
            demo.config().display()
        );
        let ended = until_asked(app, signals).await;
        demo.stop().await;
        ended
    }
}
