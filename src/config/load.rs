//! From files to a configuration, or to everything that is wrong with them.

use std::collections::{BTreeMap, HashMap};
use std::{path::Path, sync::Arc};

use sha2::Digest;

use super::check::alerting::{Ground, alerting};
use super::check::{monitor::monitor, roster::roster};
use super::keys::roster::{FILE, INCLUDED};
use super::mistake::{Mistake, Mistakes, What};
use super::note::NoteWhat;
use super::outside::{CONFIG_BYTES_MAX, Desk, Env, read_file};
use super::raw::{self, Node, Value};
use super::shape::{Found, secret_in_line};
use super::source::{self, Place, Source};
use super::{Config, Monitor, include};
use crate::model::bytes::hex;
use crate::model::check::Check;
use crate::model::system::Roster;

/// Reads the configuration whose main file is `path`. Environment variables that secrets name
/// are looked up with `env`. Blocks on the file system.
///
/// # Errors
///
/// Everything that is wrong with it. Nothing outside was changed.
pub fn load(path: &Path, env: Env<'_>) -> Result<Config, Mistakes> {
    let mut reading = Reading::default();
    let name = path.display().to_string();
    let read = read_file(path, CONFIG_BYTES_MAX);
    reading.add(name, path, read, Place::default());
    let include = reading.roots.first().and_then(|root| root.get("include")).cloned();
    if let Some(include) = include {
        for (path, named) in include::files(path, &include, &mut reading.mistakes) {
            let name = path.display().to_string();
            let read = read_file(&path, CONFIG_BYTES_MAX);
            reading.add(name, &path, read, named.at);
        }
    }
    reading.finish(env)
}

/// Reads one file from `text`, as if it were called `name` and lay in the current directory.
/// `include` is not followed, and no environment variable is set.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn parse_str(name: &str, text: &str) -> Result<Config, Mistakes> {
    parse_bytes(name, text.as_bytes().to_vec(), &|_| None)
}

/// The same with environment variables looked up with `env`.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn parse_with(name: &str, text: &str, env: Env<'_>) -> Result<Config, Mistakes> {
    parse_bytes(name, text.as_bytes().to_vec(), env)
}

/// The same for any bytes and environment.
pub(super) fn parse_bytes(name: &str, bytes: Vec<u8>, env: Env<'_>) -> Result<Config, Mistakes> {
    let mut reading = Reading::default();
    reading.add(name.to_owned(), Path::new(name), Ok(bytes), Place::default());
    reading.finish(env)
}

/// The files read so far, and what is wrong with them.
#[derive(Debug, Default)]
struct Reading {
    sources: Vec<Source>,
    /// The tree of each file that is whole; the first is the main file's if `main_whole`.
    roots: Vec<Node>,
    main_whole: bool,
    /// Whether some file can't be read or is not TOML.
    broken: bool,
    mistakes: Vec<Mistake>,
    found: Found,
}

impl Reading {
    /// Adds a file; `named` is where another file names it.
    fn add(&mut self, name: String, path: &Path, read: Result<Vec<u8>, What>, named: Place) {
        let file = self.sources.len();
        let text = read.and_then(|bytes| {
            String::from_utf8(bytes).map_err(|error| What::NotUtf8 {
                path: name.clone(),
                byte: error.utf8_error().valid_up_to(),
            })
        });
        let readable = text.is_ok();
        let text = match text {
            Ok(text) => text,
            Err(what) => {
                let at = if file == 0 { Place::default() } else { named };
                self.mistakes.push(Mistake::new(at, what));
                self.broken = true;
                String::new()
            }
        };
        // A mark at the beginning is allowed, and would move every column.
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        let (root, syntax) = raw::parse(file, &text);
        self.sources.push(Source { name, path: path.to_path_buf(), text });
        self.found.table(&root, if file == 0 { &FILE } else { &INCLUDED });
        let mut found = std::mem::take(&mut self.found.mistakes);
        if !syntax.is_empty() {
            self.broken = true;
            self.mask_around(file, &syntax);
            self.mistakes.extend(syntax);
        } else if readable {
            self.mistakes.append(&mut found);
            self.main_whole |= file == 0;
            self.roots.push(root);
        }
    }

    /// Hides what may be a secret in lines with broken syntax, which the tree does not hold.
    fn mask_around(&mut self, file: usize, syntax: &[Mistake]) {
        let text = &self.sources[file].text;
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let end = start + line.len();
            let touched = syntax.iter().any(|it| it.at.start <= end && it.at.end >= start);
            let opens = line.contains("\"\"\"") || line.contains("'''");
            if let Some(from) = secret_in_line(line).filter(|_| touched || opens) {
                // A text of several lines may have no end: then the rest of the file is hidden.
                let end = if opens { text.len() } else { end };
                self.found.masks.push(Place { file, start: start + from, end });
            }
            start = end;
        }
    }

    fn finish(self, env: Env<'_>) -> Result<Config, Mistakes> {
        let Self { mut sources, roots, main_whole, broken, mistakes, found } = self;
        let Found { masks, patterns, .. } = found;
        let mut desk = Desk::new(&sources, mistakes, patterns, env);
        for source in &sources {
            desk.hasher.update((source.text.len() as u64).to_be_bytes());
            desk.hasher.update(&source.text);
        }
        let nothing = Node { at: Place::default(), value: Value::Table(Vec::new()) };
        let main = roots.first().filter(|_| main_whole).unwrap_or(&nothing);
        let monitor = monitor(&mut desk, main);
        let roster = roster(&mut desk, Some(main), &roots, !broken);
        let zone = monitor.as_ref().map(|it| it.timezone.clone());
        let zone = zone.unwrap_or(jiff::tz::TimeZone::UTC);
        let ground = Ground { roots: &roots, whole: !broken, zone, roster: &roster };
        let alerting = Arc::new(alerting(&mut desk, main, &ground));
        if let Some(monitor) = &monitor {
            host_notes(&mut desk, monitor, &roster, &roots);
        }
        let Desk { mistakes, mut notes, mut files, hasher, .. } = desk;
        files.extend(sources.iter().map(|source| source.path.clone()));
        files.sort();
        files.dedup();
        for (file, source) in sources.iter_mut().enumerate() {
            let here: Vec<_> = masks.iter().filter(|it| it.file == file).copied().collect();
            source.text = source::masked(&source.text, &here);
        }
        match monitor {
            Some(monitor) if mistakes.is_empty() => {
                notes.sort_by_key(|note| note.at);
                let fingerprint = hex(&hasher.finalize());
                Ok(Config { monitor, roster, alerting, notes, files, fingerprint, sources })
            }
            _ => Err(Mistakes::new(sources, mistakes)),
        }
    }
}

/// Runs a minute of `check`, over its lanes.
pub(super) fn runs_a_minute(check: &Check) -> f64 {
    60_000.0 / check.interval_ms as f64 * check.lanes().len() as f64
}

/// Notes on hosts that get more than the cap or are in the kill switch.
fn host_notes(desk: &mut Desk<'_>, monitor: &Monitor, roster: &Roster, roots: &[Node]) {
    let mut places = HashMap::new();
    for system in roots.iter().flat_map(|root| root.list("system")) {
        for id in system.list("check").iter().filter_map(|check| check.get("id")) {
            places.insert(id.as_text().unwrap_or_default(), id.at);
        }
    }
    let mut hosts: BTreeMap<String, (f64, Place)> = BTreeMap::new();
    for check in roster.checks().filter(|check| check.disabled.is_none()) {
        let Some(host) = check.spec.host() else { continue };
        let at = places.get(check.id.as_str()).copied().unwrap_or_default();
        if monitor.kill.contains(&host) {
            desk.note(at, NoteWhat::Killed { host });
        } else {
            hosts.entry(host).or_insert((0.0, at)).0 += runs_a_minute(check);
        }
    }
    let cap = monitor.per_host_per_minute;
    for (host, (runs, at)) in hosts {
        if runs > f64::from(cap) {
            desk.note(at, NoteWhat::OverCap { host, runs, cap });
        }
    }
}
