//! `thongsuot healthy`: a question for a supervisor that can only run a command, as of a container
//! without a shell.

use clap::Args;

use super::Failure;
use super::call::Daemon;
use super::output::sayln;

/// Ask a running daemon whether it is well: exit code 0 if it is, 1 if not or if it is silent.
#[derive(Debug, Args)]
pub(super) struct Healthy {
    /// Where the daemon serves.
    #[arg(long, default_value = "http://127.0.0.1:9247")]
    url: String,
    /// Ask whether it is ready (it has its history and watches), not only alive.
    #[arg(long)]
    ready: bool,
}

impl Healthy {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (path, word) =
            if self.ready { ("/-/ready", "ready") } else { ("/-/healthy", "healthy") };
        match Daemon::new(&self.url, None)?.get(path) {
            Ok(_) => {
                sayln!("{word}");
                Ok(())
            }
            Err(failure) => {
                // Told here; whatever is wrong, who asked knows two codes only.
                let _ = failure.report();
                Err(Failure::No)
            }
        }
    }
}
