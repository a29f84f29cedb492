//! `thongsuot import`: `targets.toml` from another monitor's configuration.

mod told;

use std::fs::File;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::output::Output;
use super::{Failure, environment};
use crate::blackbox as modules;
use crate::config;
use crate::import::{self, ImportError, Imported};

/// Largest text that is read: a configuration of ten thousand checks is about 5 MB.
const BYTES_MAX: u64 = 64 << 20;

/// How an SQLite database begins (https://www.sqlite.org/fileformat.html, section 1.3).
const SQLITE: &[u8] = b"SQLite format 3\0";

/// Stands in for secrets, which are not needed to see whether a file is sound.
const STAND_IN: &str = "import-stand-in-for-a-secret";

/// Make `targets.toml` from another monitor's configuration, and say what could not be carried.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  thongsuot import gatus config.yaml -o targets.toml
  thongsuot import uptime-kuma data/kuma.db -o targets.toml      versions 1 and 2, SQLite
  thongsuot import uptime-kuma backup.json > targets.toml        a backup of version 1
  thongsuot import blackbox blackbox.yml --prometheus prometheus.yml -o targets.toml

The source is read and never changed. Secrets are not copied: the file names environment
variables, and the notes say what to put into each. A check that can't do its work without
something that was left out is in the file, switched off with the reason.
Then: read the notes, `thongsuot check targets.toml`, `thongsuot probe CHECK-ID`.
What is carried and what is not: docs/import.md.")]
pub(super) struct Import {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    /// Gatus: its YAML file with `endpoints`.
    Gatus(Gatus),
    /// Uptime Kuma: `kuma.db` of versions 1 and 2, or a backup (JSON) of version 1.
    UptimeKuma(Kuma),
    /// blackbox_exporter: its modules, and the targets that Prometheus has for them.
    Blackbox(Blackbox),
}

#[derive(Debug, Args)]
struct Gatus {
    /// The configuration of Gatus, often `config/config.yaml`.
    file: PathBuf,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, Args)]
struct Kuma {
    /// The database, or a backup.
    file: PathBuf,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, Args)]
struct Blackbox {
    /// The configuration of blackbox_exporter.
    file: PathBuf,
    /// The configuration of Prometheus: jobs with `metrics_path: /probe` have the targets.
    #[arg(long, value_name = "FILE")]
    prometheus: Option<PathBuf>,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, Args)]
struct To {
    /// Write to this file, which is whole or not there, instead of printing it.
    #[arg(long, short)]
    output: Option<PathBuf>,
    /// Overwrite the file if it is there.
    #[arg(long, requires = "output")]
    force: bool,
}

impl Import {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (imported, to) = match self.from {
            From::Gatus(it) => (
                import::gatus(&text(&it.file)?, &judge).map_err(|why| failed(&it.file, &why))?,
                it.to,
            ),
            From::UptimeKuma(it) => (kuma(&it.file)?, it.to),
            From::Blackbox(it) => {
                let modules = text(&it.file)?;
                finish(&blackbox(&it, &modules)?, &it.to)?;
                refused(&it.file, &modules);
                return Ok(());
            }
        };
        finish(&imported, &to)
    }
}

/// Says what our reader of modules refuses in `file`: an import passes over what it can't make
/// sense of.
#[expect(clippy::print_stderr, reason = "as all that is told of an import")]
fn refused(file: &Path, text: &str) {
    let Err(faults) = modules::parse(file, text.as_bytes(), &environment) else { return };
    eprintln!("\nMISTAKES: refused by `--blackbox-config`; what they meant may be missing");
    faults.lines().iter().for_each(|it| eprintln!("  {it}"));
}

/// Whether our own reader takes a file, with every variable set.
fn judge(text: &str) -> Result<(), String> {
    let read = config::parse_with("targets.toml", text, &|_| Some(STAND_IN.to_owned()));
    let Err(mistakes) = read else { return Ok(()) };
    Err(mistakes
        .list()
        .first()
        .map_or_else(|| "it is refused".to_owned(), |it| it.what.to_string()))
}

#[expect(clippy::print_stderr, reason = "what was carried, where standard output is the file")]
fn finish(imported: &Imported, to: &To) -> Result<(), Failure> {
    if let Some(path) = to.output.as_deref().filter(|it| it.exists() && !to.force) {
        return Err(Failure::Usage(format!(
            "{} is there already: name another file, or add --force to overwrite it",
            path.display()
        )));
    }
    let mut out = Output::open(to.output.as_deref())?;
    let written = out.write_all(imported.toml.as_bytes());
    match written {
        Err(why) if why.kind() == std::io::ErrorKind::BrokenPipe => {}
        written => written.map_err(|why| Failure::Ours(format!("can't write: {why}")))?,
    }
    out.finish()?;
    eprint!("{}", told::text(imported, to.output.as_deref()));
    Ok(())
}

fn kuma(path: &Path) -> Result<Imported, Failure> {
    let mut first = Vec::new();
    let opened =
        File::open(path).and_then(|it| it.take(SQLITE.len() as u64).read_to_end(&mut first));
    opened.map_err(|why| unreadable(path, &why.to_string()))?;
    let made = if first == SQLITE {
        import::uptime_kuma_database(path, &judge)
    } else {
        import::uptime_kuma_backup(&text(path)?, &judge)
    };
    made.map_err(|why| failed(path, &why))
}

fn blackbox(it: &Blackbox, modules: &str) -> Result<Imported, Failure> {
    let Some(path) = &it.prometheus else {
        return import::blackbox(modules, None, &judge).map_err(|why| failed(&it.file, &why));
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let files = |pattern: &str| matching(&folder.join(pattern));
    let prometheus = text(path)?;
    import::blackbox(modules, Some((&prometheus, &files)), &judge).map_err(|why| match why {
        ImportError::Targets(why) => failed(path, &why),
        why => failed(&it.file, &why),
    })
}

/// The files that a path names; one `*` may stand in its last name.
fn matching(path: &Path) -> Vec<(String, Result<String, String>)> {
    let last = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
    let mut paths = Vec::new();
    if let Some((start, end)) = last.split_once('*') {
        let folder =
            path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let fits = name.to_str().is_some_and(|it| {
                it.len() >= start.len() + end.len() && it.starts_with(start) && it.ends_with(end)
            });
            if fits {
                paths.push(entry.path());
            }
        }
        paths.sort();
    } else {
        paths.push(path.to_path_buf());
    }
    let read =
        |path: PathBuf| (path.display().to_string(), text(&path).map_err(|it| format!("{it:?}")));
    paths.into_iter().map(read).collect()
}

/// A file as text.
fn text(path: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|it| it.take(BYTES_MAX + 1).read_to_end(&mut bytes));
    read.map_err(|why| unreadable(path, &why.to_string()))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(unreadable(path, "it is larger than 64 MiB"));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        let seen = "it is not text in UTF-8\nhelp: name the configuration itself; a database is read by `import uptime-kuma`";
        unreadable(path, seen)
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn unreadable(path: &Path, problem: &str) -> Failure {
    Failure::Ours(format!("can't read {}: {problem}", path.display()))
}

fn failed(path: &Path, why: &ImportError) -> Failure {
    match why {
        ImportError::Database { .. } | ImportError::Refused { .. } => {
            Failure::Ours(why.to_string())
        }
        _ => Failure::Config(format!("{}: {why}", path.display())),
    }
}
