//! How far a long command is, on standard error: nothing for the first two seconds, then a line
//! that is written over in a terminal, or one line every ten percent elsewhere.

use std::io::IsTerminal;

use tokio::time::{Duration, Instant};

/// Shorter commands say nothing.
const QUIET: Duration = Duration::from_secs(2);

/// Columns of the bar.
const BAR: u64 = 30;

/// What was told so far.
#[derive(Debug)]
pub(super) struct Bar {
    what: &'static str,
    since: Instant,
    terminal: bool,
    told: Option<u64>,
}

impl Bar {
    /// Of `what`, from now on.
    pub(super) fn new(what: &'static str) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { what, since: Instant::now(), terminal, told: None }
    }

    /// `done` of `total` are done.
    #[expect(clippy::print_stderr, reason = "the progress of a command")]
    pub(super) fn tell(&mut self, done: u64, total: u64) {
        if self.since.elapsed() < QUIET {
            return;
        }
        let percent = done.saturating_mul(100) / total.max(1);
        let step = if self.terminal { percent } else { percent - percent % 10 };
        if self.told.is_some_and(|it| step <= it) {
            return;
        }
        self.told = Some(step);
        if self.terminal {
            let full = percent * BAR / 100;
            let bar = "█".repeat(full as usize) + &"░".repeat((BAR - full.min(BAR)) as usize);
            eprint!("\r{} {bar} {percent} % ({done}/{total})", self.what);
        } else {
            eprintln!("{}: {step} % of {total}", self.what);
        }
    }
}

impl Drop for Bar {
    /// Takes the line away again.
    #[expect(clippy::print_stderr, reason = "the progress of a command")]
    fn drop(&mut self) {
        if self.terminal && self.told.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}
