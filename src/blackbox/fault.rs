//! What is wrong, or worth knowing, and where.

use std::fmt;

/// One mistake, or one note, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file's name as given.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong; no secret is ever in it.
    pub what: String,
    /// What to write instead.
    pub mend: Option<String>,
}

impl fmt::Display for Fault {
    /// As one line: where, what, and what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.what)?;
        self.mend.as_ref().map_or(Ok(()), |mend| write!(f, " ({mend})"))
    }
}
