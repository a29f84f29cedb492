//! What is told of an import: what was carried, which variables to set, what was not carried.

use std::fmt::Write as _;
use std::path::Path;

use unicode_width::UnicodeWidthStr;

use crate::import::{Imported, Note, Weight};

/// Columns of the text.
const COLUMNS: usize = 80;

/// Places told one by one for one reason; of others only the number is.
const PLACES_SHOWN_MAX: usize = 12;

/// Headings, the heaviest loss first.
const HEADINGS: &[(Weight, &str)] = &[
    (Weight::Lost, "NOT CARRIED: nothing of it is watched"),
    (Weight::Off, "SWITCHED OFF: in the file with `enabled = false`, until it is mended"),
    (Weight::Weaker, "LESS STRICT: the check runs without it"),
    (Weight::Changed, "CHANGED: it means a little else here"),
    (Weight::Elsewhere, "ELSEWHERE: it has another place here, or needs none"),
];

/// All of it, at most 80 columns wide.
pub(super) fn text(imported: &Imported, output: Option<&Path>) -> String {
    let mut out = String::new();
    let systems = count(imported.systems, "system");
    let checks = count(imported.checks, "check");
    let off = match imported.off {
        0 => String::new(),
        off => format!(", {off} of them switched off"),
    };
    let place = output.map(|it| format!(" in {}", it.display())).unwrap_or_default();
    line(&mut out, "", &format!("Carried: {systems}, {checks}{off}{place}."));
    if !imported.variables.is_empty() {
        let _ = writeln!(out, "\nSecrets are not copied. Set these before `thongsuot check`:");
        for it in &imported.variables {
            let _ = writeln!(out, "  {}", it.name);
            line(&mut out, "      ", &format!("{} of `{}` ({})", it.what, it.check, it.place));
        }
    }
    for (weight, heading) in HEADINGS {
        let notes: Vec<&Note> = imported.notes.iter().filter(|it| it.weight == *weight).collect();
        if !notes.is_empty() {
            let _ = writeln!(out, "\n{heading}");
            group(&mut out, &notes);
        }
    }
    if imported.notes.is_empty() {
        let _ = writeln!(out, "Nothing was left out.");
    }
    let file = output.map_or_else(|| "targets.toml".to_owned(), |it| it.display().to_string());
    let _ = writeln!(out, "\nNext: read it, then `thongsuot check {file}`. More: docs/import.md");
    out
}

/// Notes by their reason, each with its places.
fn group(out: &mut String, notes: &[&Note]) {
    let mut reasons: Vec<(&str, &str)> = Vec::new();
    for note in notes {
        if !reasons.contains(&(&note.why, &note.mend)) {
            reasons.push((&note.why, &note.mend));
        }
    }
    for (why, mend) in reasons {
        let alike: Vec<_> = notes.iter().filter(|it| it.why == why && it.mend == mend).collect();
        line(out, "- ", why);
        for note in alike.iter().take(PLACES_SHOWN_MAX) {
            let check =
                if note.check.is_empty() { String::new() } else { format!("\"{}\": ", note.check) };
            line(out, "    ", &format!("{}: {check}{}", note.place, note.what));
        }
        if alike.len() > PLACES_SHOWN_MAX {
            let _ = writeln!(out, "    and {} more like it", alike.len() - PLACES_SHOWN_MAX);
        }
        if !mend.is_empty() {
            line(out, "  help: ", mend);
        }
    }
}

fn count(number: usize, of: &str) -> String {
    format!("{number} {of}{}", if number == 1 { "" } else { "s" })
}

/// `text` after `lead`, broken at blanks and indented like its first line. A word that is wider
/// than a line is broken too.
fn line(out: &mut String, lead: &str, text: &str) {
    let indent = " ".repeat(lead.width());
    let mut current = lead.to_owned();
    let mut is_bare = true;
    for word in text.split_whitespace() {
        let mut word = word.to_owned();
        if !is_bare && current.width() + 1 + word.width() > COLUMNS {
            let _ = writeln!(out, "{current}");
            current.clone_from(&indent);
            is_bare = true;
        }
        if !is_bare {
            current.push(' ');
        }
        while current.width() + word.width() > COLUMNS {
            let mut head = String::new();
            while let Some(c) =
                word.chars().next().filter(|_| current.width() + head.width() < COLUMNS - 1)
            {
                head.push(c);
                word.remove(0);
            }
            let _ = writeln!(out, "{current}{head}");
            current.clone_from(&indent);
        }
        current.push_str(&word);
        is_bare = false;
    }
    let _ = writeln!(out, "{}", current.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::Place;

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        let note = |what: String| Note {
            weight: Weight::Weaker,
            place: Place::Line(1_234),
            check: "Đăng ký doanh nghiệp qua mạng – trang chủ".to_owned(),
            what,
            why: "a reason that is rather long, so that it does not fit on one line of eighty"
                .to_owned(),
            mend: "something to do about it that is at least as long as the reason was before"
                .to_owned(),
        };
        let imported = Imported {
            toml: String::new(),
            systems: 1,
            checks: 2,
            off: 1,
            notes: vec![note("x".repeat(200)), note("ngắn".to_owned())],
            variables: Vec::new(),
        };
        let text = text(&imported, Some(Path::new("targets.toml")));
        for line in text.lines() {
            assert!(line.width() <= 80, "{} columns: {line}", line.width());
        }
        assert!(
            text.starts_with(
                "Carried: 1 system, 2 checks, 1 of them switched off in targets.toml.\n"
            )
        );
        assert_eq!(text.matches("- a reason").count(), 1);
    }
}
