//! What is told of an import.

use std::fmt;

use super::secrets::without_users;
use super::why::Why;

/// Where something stands in the source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A line of the file, from 1.
    Line(u64),
    /// A monitor by its number.
    Monitor(i64),
    /// The file as a whole.
    File,
}

impl Place {
    /// As it stands in comments of the file, which are Vietnamese; empty for the whole file.
    pub(super) fn vietnamese(&self) -> String {
        match self {
            Self::Line(line) => format!(" (dòng {line})"),
            Self::Monitor(id) => format!(" (monitor {id})"),
            Self::File => String::new(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Monitor(id) => write!(f, "monitor {id}"),
            Self::File => f.write_str("the file"),
        }
    }
}

/// How much was lost, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A whole check is not there.
    Lost,
    /// A check is there, switched off.
    Off,
    /// A check runs, and is less strict than it was.
    Weaker,
    /// Something is carried, and means a little else.
    Changed,
    /// It has another place here, or needs none.
    Elsewhere,
}

/// One thing that was not carried as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// How much was lost.
    pub weight: Weight,
    /// Where it stands.
    pub place: Place,
    /// The check it is about; empty: the whole file.
    pub check: String,
    /// What it is, in the words of the source; never a secret.
    pub what: String,
    /// Why, in English.
    pub why: String,
    /// What to do about it; empty: nothing.
    pub mend: String,
}

/// A note on its way: before it is known which check it is about.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) weight: Weight,
    pub(super) place: Place,
    pub(super) what: String,
    pub(super) why: Why,
    /// More about it, such as what the judge says.
    pub(super) detail: String,
}

impl Told {
    pub(super) fn new(weight: Weight, place: &Place, what: impl Into<String>, why: Why) -> Self {
        Self { weight, place: place.clone(), what: what.into(), why, detail: String::new() }
    }

    pub(super) fn with(mut self, detail: &str) -> Self {
        self.detail = without_users(detail);
        self
    }

    /// As a comment in the file.
    pub(super) fn vietnamese(&self) -> String {
        let lead = match self.weight {
            Weight::Changed => "Khác trước",
            Weight::Off => "Tắt",
            _ => "Chưa chuyển",
        };
        let detail =
            if self.detail.is_empty() { String::new() } else { format!(": {}", self.detail) };
        format!("{lead}: {}{}: {}{detail}", self.what, self.place.vietnamese(), self.why.vi)
    }

    pub(super) fn note(&self, check: &str) -> Note {
        let detail =
            if self.detail.is_empty() { String::new() } else { format!(": {}", self.detail) };
        Note {
            weight: self.weight,
            place: self.place.clone(),
            check: check.to_owned(),
            what: self.what.clone(),
            why: format!("{}{detail}", self.why.en),
            mend: self.why.mend.to_owned(),
        }
    }
}
