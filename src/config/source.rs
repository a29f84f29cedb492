//! The files as read, and places in them.

use std::{fmt, path::PathBuf};

/// A stretch of bytes in one of the files that were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Which file, as an index into the files read.
    pub file: usize,
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// One configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name as shown in messages: as given, or relative to the including file.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// Its text. In what is shown, secrets written into it are `*`.
    pub text: String,
}

/// Where a place begins, counted from 1, the column in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The file's name.
    pub file: String,
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Where `place` begins.
#[must_use]
pub(super) fn position(sources: &[Source], place: Place) -> Position {
    let Some(source) = sources.get(place.file) else {
        return Position { file: String::new(), line: 1, column: 1 };
    };
    let place = clamp(&source.text, place);
    let before = &source.text[..place.start];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Position {
        file: source.name.clone(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

/// `place` moved to lie inside `text`, on whole characters.
#[must_use]
pub(super) fn clamp(text: &str, place: Place) -> Place {
    let start = text.floor_char_boundary(place.start);
    let end = text.ceil_char_boundary(place.end.max(start).min(text.len()));
    Place { file: place.file, start, end }
}

/// `text` as it may be shown: the bytes of each of `masks` are `*`, and what would steer a
/// terminal is `?` or `·`. Its length and its lines stay.
#[must_use]
pub(super) fn masked(text: &str, masks: &[Place]) -> String {
    let steers = |c: char| c.is_control() && !"\n\r\t".contains(c);
    let tame = |c: char| match (steers(c), c.len_utf8()) {
        (true, 1) => '?',
        (true, _) => '·',
        (false, _) => c,
    };
    let tamed: String = text.chars().map(tame).collect();
    let places: Vec<_> = masks.iter().map(|mask| clamp(&tamed, *mask)).collect();
    let mut bytes = tamed.into_bytes();
    for place in places {
        for byte in bytes[place.start..place.end].iter_mut().filter(|byte| **byte != b'\n') {
            *byte = b'*';
        }
    }
    // Places are whole characters, so this is UTF-8 still; nothing is better than a secret.
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source { name: "a.toml".into(), path: "a.toml".into(), text: text.into() }
    }

    #[test]
    fn columns_count_characters_and_places_stay_inside() {
        let sources = [source("x = 1\nđộ = 2\n")];
        let at = |start, end| position(&sources, Place { file: 0, start, end }).to_string();
        assert_eq!(at(0, 1), "a.toml:1:1");
        assert_eq!(at(12, 13), "a.toml:2:4");
        assert_eq!(at(900, 901), "a.toml:3:1");
        assert_eq!(at(7, 8), "a.toml:2:1", "inside a character: its beginning");
    }

    #[test]
    fn a_mask_keeps_every_offset() {
        let text = "password = \"bí mật\"\nb = 1\n";
        let shown = masked(text, &[Place { file: 0, start: 11, end: 21 }]);
        assert_eq!(shown.len(), text.len());
        assert!(!shown.contains("mật") && shown.ends_with("\nb = 1\n"));
        assert_eq!(masked("a\u{1b}[2J\u{9b}b\tc\r\n", &[]), "a?[2J·b\tc\r\n");
    }
}
