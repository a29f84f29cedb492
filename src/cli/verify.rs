//! `thongsuot verify`: is the history whole, and as it was written?

use std::path::PathBuf;

use clap::Args;

use super::Failure;

/// Check that the history is whole and nobody has edited it.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The data folder.
    #[arg(long, default_value = "var")]
    data: PathBuf,
}

impl Verify {
    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "the answer of the command")]
    pub(super) fn run(self) -> Result<(), Failure> {
        let report = crate::history::verify(&self.data, &|done| eprintln!("{done}"))
            .map_err(|error| Failure::Ours(error.to_string()))?;
        println!("{report}");
        if report.is_whole() { Ok(()) } else { Err(Failure::No) }
    }
}
