//! From another monitor's configuration to a `targets.toml`, and what could not be carried.
//!
//! Each source is read into [`draft::Draft`]s, one a check: what the check can't do without, and
//! parts that it can. [`plan::Plan`] gives them ids, asks a [`Judge`] (the reader of
//! `targets.toml`) whether they would be accepted, and writes the file. What is left out is told
//! twice: as a [`Note`], and as a comment beside the check.
//!
//! Two principles decide what becomes of a thing that has no counterpart here:
//!
//! - What only made the other check stricter is left out and told; the check runs.
//! - What the other check needed to succeed (a login, a proxy, a client's certificate) leaves the
//!   check in the file, switched off with the reason: an import never makes a good service bad.
//!
//! Texts and bytes in, text out: the one input that is read from a disk is an SQLite database.
//! Secrets never reach the text: they become references, and [`Variable`] says which to set.

mod blackbox;
mod draft;
mod gatus;
mod kinds;
mod kuma;
mod names;
mod note;
mod pattern;
mod plan;
mod request;
mod secrets;
mod span;
mod value;
mod why;
mod yaml;
#[cfg(test)]
mod samples;

use std::path::PathBuf;

pub use blackbox::{Files, blackbox};
pub use gatus::gatus;
pub use kuma::{uptime_kuma_backup, uptime_kuma_database};
pub use note::{Note, Place, Weight};
pub use secrets::Variable;

/// Whether a whole `targets.toml` would be accepted, with every environment variable set; if not,
/// the first thing that is wrong with it.
pub type Judge<'a> = &'a dyn Fn(&str) -> Result<(), String>;

/// What came of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The file: accepted by the judge.
    pub toml: String,
    /// Systems in it.
    pub systems: usize,
    /// Checks in it.
    pub checks: usize,
    /// Those of them that are switched off.
    pub off: usize,
    /// What was not carried as it was, in the order of the source.
    pub notes: Vec<Note>,
    /// Environment variables that the file names, in its order.
    pub variables: Vec<Variable>,
}

/// Why a file can't be imported at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Not YAML.
    #[error(
        "this is not YAML (line {line}): {problem}
help: correct it, or name the YAML file that is meant"
    )]
    NotYaml {
        /// Line, from 1; 0: unknown.
        line: u64,
        /// The parser's words.
        problem: String,
    },
    /// Not JSON.
    #[error(
        "this is not JSON (line {line}): {problem}
help: name data/kuma.db, or a backup in JSON"
    )]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// The parser's words.
        problem: String,
    },
    /// Some other kind of file.
    #[error("this is not {wanted}: {seen}\nhelp: {mend}")]
    NotThis {
        /// What was expected.
        wanted: &'static str,
        /// What is there, or is not.
        seen: String,
        /// What to do.
        mend: &'static str,
    },
    /// Of the targets' file, where the modules' file is another.
    #[error("{0}")]
    Targets(Box<Self>),
    /// A database that can't be read.
    #[error(
        "can't read {path}: {problem}\nhelp: stop Uptime Kuma and import a copy of its data folder"
    )]
    Database {
        /// The file.
        path: PathBuf,
        /// What the database says.
        problem: String,
    },
    /// A result that the reader of `targets.toml` refuses.
    #[error(
        "the file made from it would be refused: {problem}\nhelp: this is a fault of thongsuot: report it with the line of the source that is meant"
    )]
    Refused {
        /// What the judge says.
        problem: String,
    },
}
