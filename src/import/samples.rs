//! What tests of the importers share.

use std::fmt::Write as _;

use super::Imported;

/// Our own reader, with every variable set.
pub(super) fn judge(text: &str) -> Result<(), String> {
    let read = crate::config::parse_with("targets.toml", text, &|_| {
        Some("stand-in-for-a-secret".to_owned())
    });
    read.map(drop)
        .map_err(|it| it.list().first().map_or_else(String::new, |it| it.what.to_string()))
}

/// The file and what is told, each note as one line.
pub(super) fn shown(made: &Imported) -> String {
    let mut out = made.toml.clone();
    out.push_str("\n\n");
    for it in &made.notes {
        let weight = format!("{:?}", it.weight).to_lowercase();
        let _ = writeln!(out, "{weight} {}: {}: {}", it.place, it.what, it.why);
    }
    out
}
