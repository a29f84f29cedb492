//! `targets.toml`: from the file as written to everything that is meant by it.
//!
//! Two passes over a tree of values with places: `shape` compares it with the table of keys
//! (`keys`), `check` turns it into [`Monitor`] and [`Roster`]. Neither stops at the first
//! mistake, so [`Mistakes`] holds them all, each with its file, line, column and mend. The JSON
//! Schema and the reference in `docs/configuration.md` are made from the same table of keys.
//!
//! Reads files, and nothing else: the environment comes in as a function, so that tests and
//! [`load()`] can't differ. Blocks; a caller in async code hands it to a blocking thread.

mod keys;
mod element;
mod source;
mod raw;
mod what;
mod mistake;
mod note;
mod render;
mod shape;
mod outside;
mod include;
mod check;
mod monitor;
mod load;
mod summary;
mod schema;
mod reference;

use std::path::PathBuf;
use std::sync::Arc;

use crate::model::alerting::Alerting;
use crate::model::system::Roster;

pub use element::NotAn;
pub use load::{load, parse_str, parse_with};
pub use mistake::{Mistake, Mistakes, What};
pub use monitor::{BlockSignature, HistoryKeys, Monitor};
pub use note::{Note, NoteWhat};
pub use outside::Env;
pub use reference::reference;
pub use render::Looks;
pub use schema::schema;
pub use source::{Place, Position, Source};
pub use summary::{HostLoad, Summary, summary};

/// A configuration without a mistake.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The monitor itself.
    pub monitor: Monitor,
    /// Who and what is watched.
    pub roster: Roster,
    /// Who is told of what, and how.
    pub alerting: Arc<Alerting>,
    /// What is not wrong but worth knowing, by place.
    pub notes: Vec<Note>,
    /// Every file read: the configuration, secrets, certificates, bodies; sorted, each once.
    /// A change of any of them may change the configuration.
    pub files: Vec<PathBuf>,
    /// Names this configuration in reports: SHA-256, in hex, over the configuration files in the
    /// order read and the certificates and bodies they name. Secrets are left out, since it is
    /// published and a short secret could be guessed from it; compare whole `Config`s to
    /// see whether anything has changed. Addresses of people are part of the files: whoever has
    /// all of the rest could confirm one that they guess.
    pub fingerprint: String,
    sources: Vec<Source>,
}

impl Config {
    /// File, line and column of a place.
    #[must_use]
    pub fn position(&self, place: Place) -> Position {
        source::position(&self.sources, place)
    }

    /// The notes as text that points into the files; empty if there are none.
    #[must_use]
    pub fn render_notes(&self, looks: Looks) -> String {
        let notes = self.notes.iter().map(|note| render::note(&self.sources, note, looks));
        notes.collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests;
