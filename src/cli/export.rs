//! `thongsuot export`: raw results for an auditor.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::Failure;
use super::output::Output;
use super::progress::Bar;
use super::report::{Past, When, id};
use crate::model::id::{CheckId, SystemId};
use crate::report::{self, ReportError, Request, export};

/// Zstandard's own default: about a tenth of the text, at the speed of the disk.
const ZSTD_LEVEL: i32 = 3;

/// Raw results of a period, with all that is needed to recompute its figures.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  thongsuot export --check vneid-home --period 2026-10 --output vneid-home.jsonl
  thongsuot export --system vneid --from 2026-10-05 --to 2026-10-06 \\
      --format csv --gzip -o d.csv.gz
Results around the period that its figures depend on are written too: \
`read_ms` says how far.")]
pub(super) struct Export {
    /// This check.
    #[arg(long, required_unless_present = "system", conflicts_with = "system")]
    check: Option<String>,
    /// Every check of this system.
    #[arg(long)]
    system: Option<String>,
    #[command(flatten)]
    when: When,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// Compress it with gzip.
    #[arg(long, conflicts_with = "zstd")]
    gzip: bool,
    /// Compress it with zstd (RFC 8878): smaller and faster than gzip.
    #[arg(long)]
    zstd: bool,
    #[command(flatten)]
    past: Past,
    /// Write to this file, which is whole or not there.
    #[arg(long, short)]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object a line.
    Jsonl,
    /// Columns; what is no result stands before them in lines that begin with `#`.
    Csv,
}

impl Export {
    #[expect(clippy::print_stderr, reason = "how much was written, where the answer is a file")]
    pub(super) fn run(self) -> Result<(), Failure> {
        let (reader, journal) = self.past.open()?;
        let (_, zone) = report::zone_of(&journal)?;
        let check = self.check.as_deref().map(|it| id(it, CheckId::new)).transpose()?;
        let request = Request {
            period: self.when.named(&zone)?,
            now: self.past.now(&zone)?,
            owner: None,
            system: self.system.as_deref().map(|it| id(it, SystemId::new)).transpose()?,
            software: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let form = match self.format {
            Format::Jsonl => export::Form::Jsonl,
            Format::Csv => export::Form::Csv,
        };
        let mut output = Output::open(self.output.as_deref())?;
        let mut bar = Bar::new("export");
        let mut tell = |it: report::Progress| bar.tell(it.checks as u64, it.checks_total as u64);
        let mut all = |out: &mut dyn Write| {
            export::export(&reader, &journal, &request, check.as_ref(), form, out, &mut tell)
        };
        let written = if self.gzip {
            let mut packer = GzEncoder::new(&mut output, Compression::default());
            let written = all(&mut packer);
            let packed = packer.finish().map(drop).map_err(ReportError::from);
            written.and_then(|count| packed.map(|()| count))
        } else if self.zstd {
            zstd::Encoder::new(&mut output, ZSTD_LEVEL).map_err(ReportError::from).and_then(
                |mut packer| {
                    let count = all(&mut packer)?;
                    packer.finish()?;
                    Ok(count)
                },
            )
        } else {
            all(&mut output)
        };
        drop(bar);
        let count = match written {
            Err(ReportError::Output(why))
                if self.output.is_none() && why.kind() == std::io::ErrorKind::BrokenPipe =>
            {
                return Ok(());
            }
            written => written?,
        };
        output.finish()?;
        if let Some(path) = &self.output {
            eprintln!("{count} results in {}", path.display());
        }
        Ok(())
    }
}
