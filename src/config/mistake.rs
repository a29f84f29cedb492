//! One mistake, and all mistakes of a configuration together.

use std::fmt::{self, Write as _};

use super::render::{self, Looks};
use super::source::{self, Place, Position, Source};

pub use super::what::What;

/// Mistakes shown in full; of more only the number is told.
const SHOWN_MAX: usize = 100;

/// One mistake and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// Where it is written.
    pub at: Place,
    /// What is wrong.
    pub what: What,
    /// Another place that has to do with it, and what is there.
    pub also: Option<(Place, &'static str)>,
}

impl Mistake {
    /// A mistake at one place.
    #[must_use]
    pub const fn new(at: Place, what: What) -> Self {
        Self { at, what, also: None }
    }

    /// The same with a second place.
    #[must_use]
    pub const fn and(mut self, also: Place, label: &'static str) -> Self {
        self.also = Some((also, label));
        self
    }
}

/// Everything that is wrong with a configuration; never empty.
///
/// Displayed, it is readable at 80 columns without colour. Secrets written into the files are
/// never shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistakes {
    sources: Vec<Source>,
    list: Vec<Mistake>,
}

impl Mistakes {
    /// `list` over `sources`, whose texts are masked; sorted by place.
    pub(super) fn new(sources: Vec<Source>, mut list: Vec<Mistake>) -> Self {
        list.sort_by_key(|mistake| mistake.at);
        list.dedup();
        Self { sources, list }
    }

    /// Each mistake, by file and place.
    #[must_use]
    pub fn list(&self) -> &[Mistake] {
        &self.list
    }

    /// File, line and column of a place.
    #[must_use]
    pub fn position(&self, place: Place) -> Position {
        source::position(&self.sources, place)
    }

    /// The files read, with secrets masked.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Each as one line: where, what, and what to do.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let line = |mistake: &Mistake| {
            let help = mistake.what.help().map(|it| format!(" ({it})")).unwrap_or_default();
            format!("{}: {}{help}", self.position(mistake.at), mistake.what)
        };
        self.list.iter().take(SHOWN_MAX).map(line).collect()
    }

    /// All of them as text for `looks`.
    #[must_use]
    pub fn render(&self, looks: Looks) -> String {
        let mut text = String::new();
        for mistake in self.list.iter().take(SHOWN_MAX) {
            text += &render::mistake(&self.sources, mistake, looks);
            text.push('\n');
        }
        if self.list.len() > SHOWN_MAX {
            let _ = writeln!(text, "… and {} more", self.list.len() - SHOWN_MAX);
        }
        let files: std::collections::BTreeSet<_> = self.list.iter().map(|it| it.at.file).collect();
        let _ = writeln!(text, "{}{}", count(self.list.len(), "mistake"), in_files(files.len()));
        text
    }
}

fn count(number: usize, of: &str) -> String {
    format!("{number} {of}{}", if number == 1 { "" } else { "s" })
}

fn in_files(number: usize) -> String {
    if number > 1 { format!(" in {number} files") } else { String::new() }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Looks::PLAIN))
    }
}

impl std::error::Error for Mistakes {}
