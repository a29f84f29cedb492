//! `thongsuot verify`: is the history whole, and as it was written?

use std::path::PathBuf;

use clap::Args;

use super::Failure;
use super::output::sayln;
use crate::model::bytes::hex;

/// Check that the history is whole and nobody has edited it.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The data folder.
    #[arg(long, default_value = "var")]
    data: PathBuf,
}

impl Verify {
    #[expect(clippy::print_stderr, reason = "the answer of the command")]
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut told = 0;
        let progress = |done: crate::history::Progress| {
            let percent = done.blocks * 100 / done.blocks_total.max(1);
            if percent >= told + 10 {
                told = percent - percent % 10;
                eprintln!("{told} % of {} blocks", done.blocks_total);
            }
        };
        let report = crate::history::verify(&self.data, progress)
            .map_err(|error| Failure::Ours(error.to_string()))?;
        let head =
            report.head.map(|(seq, hash)| format!("\nnewest event: no. {seq}, {}", hex(&hash)));
        sayln!(
            "{} results in {} sealed day blocks, {} not sealed yet, {} events{}",
            report.sealed,
            report.blocks,
            report.raw,
            report.events,
            head.unwrap_or_default()
        );
        report.faults.iter().for_each(|fault| sayln!("fault: {fault}"));
        match report.fault_count {
            0 => sayln!("whole, and as it was written"),
            count => sayln!("{count} faults: the history is damaged or was edited"),
        }
        if report.is_sound() { Ok(()) } else { Err(Failure::No) }
    }
}
