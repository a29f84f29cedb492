//! The table of `thongsuot status`: 80 columns, and never by colour alone.

use std::fmt::Write as _;

use serde::Deserialize;
use unicode_width::UnicodeWidthStr;

use crate::cli::tame::{cut, tame_line};

/// Columns of a name; a longer one is cut.
const NAME_COLUMNS: usize = 46;

/// What the daemon answers.
#[derive(Debug, Deserialize)]
pub(super) struct Country {
    at: String,
    vantage: String,
    systems: Vec<System>,
}

#[derive(Debug, Deserialize)]
struct System {
    name: String,
    owner: Owner,
    state: Option<String>,
    since: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    maintenance: bool,
    checks: Vec<Check>,
}

#[derive(Debug, Deserialize)]
struct Owner {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Check {
    id: String,
    state: Option<String>,
    disabled: Option<String>,
    since: Option<String>,
    reason: Option<String>,
    why: Option<String>,
}

/// How it is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looks {
    pub(super) colour: bool,
    pub(super) vietnamese: bool,
    pub(super) checks: bool,
}

/// State, symbol, words, colour.
const STATES: [(&str, &str, &str, &str, &str); 6] = [
    ("up", "●", "thông suốt", "up", "32"),
    ("slow", "◐", "chậm", "slow", "33"),
    ("partial", "◑", "gián đoạn một phần", "partial", "35"),
    ("down", "✖", "GIÁN ĐOẠN", "DOWN", "1;31"),
    ("unknown", "?", "không có dữ liệu", "unknown", "36"),
    ("none", "·", "không giám sát", "not watched", "2"),
];

impl Country {
    /// Without what would steer the terminal: the daemon may not be ours.
    pub(super) fn tame(&mut self) {
        tame(&mut self.at);
        tame(&mut self.vantage);
        for system in &mut self.systems {
            tame(&mut system.name);
            tame(&mut system.owner.name);
            [&mut system.state, &mut system.since, &mut system.reason]
                .into_iter()
                .flatten()
                .for_each(tame);
            for check in &mut system.checks {
                tame(&mut check.id);
                let Check { id: _, state, disabled, since, reason, why } = check;
                [state, disabled, since, reason, why].into_iter().flatten().for_each(tame);
            }
        }
    }
}

fn tame(text: &mut String) {
    *text = tame_line(text);
}

/// The whole text. Call [`Country::tame`] first.
pub(super) fn text(country: &Country, looks: Looks) -> String {
    let mut out = String::new();
    let mut owners: Vec<&str> = Vec::new();
    for system in &country.systems {
        if !owners.contains(&system.owner.name.as_str()) {
            owners.push(&system.owner.name);
        }
    }
    let place = |it: &&System| owners.iter().position(|owner| *owner == it.owner.name);
    let mut systems: Vec<&System> = country.systems.iter().collect();
    systems.sort_by_key(place);
    let mut owner = "";
    for system in systems {
        if system.owner.name != owner {
            owner = &system.owner.name;
            let _ = writeln!(out, "\n{owner}");
        }
        let since = system.since.as_deref();
        row(
            &mut out,
            &system.name,
            system.state.as_deref(),
            since,
            system.reason.as_deref(),
            looks,
        );
        if system.maintenance {
            let words = if looks.vietnamese {
                "đang bảo trì (đã thông báo)"
            } else {
                "in maintenance (announced)"
            };
            let _ = writeln!(out, "    {words}");
        }
        for check in &system.checks {
            checks(&mut out, check, looks);
        }
    }
    let count = |state: &str| {
        country.systems.iter().filter(|it| it.state.as_deref().unwrap_or("none") == state).count()
    };
    let counts: Vec<String> = STATES
        .iter()
        .filter(|it| count(it.0) > 0)
        .map(|it| {
            format!("{} {} {}", it.1, count(it.0), if looks.vietnamese { it.2 } else { it.3 })
        })
        .collect();
    let _ = writeln!(out, "\n{}\n{} · {}", counts.join("   "), country.vantage, country.at);
    out
}

fn row(
    out: &mut String,
    name: &str,
    state: Option<&str>,
    since: Option<&str>,
    reason: Option<&str>,
    looks: Looks,
) {
    let state = state.unwrap_or("none");
    let known = STATES.iter().find(|it| it.0 == state).unwrap_or(&STATES[4]);
    let (_, symbol, vietnamese, english, colour) = known;
    let word = if looks.vietnamese { vietnamese } else { english };
    let (on, off) =
        if looks.colour { (format!("\x1b[{colour}m"), "\x1b[0m") } else { (String::new(), "") };
    let name = cut(name, NAME_COLUMNS);
    let pad = " ".repeat(NAME_COLUMNS - name.width());
    // Since when matters for what is not well; the minute is enough at a glance.
    let since = since.filter(|_| !matches!(state, "up" | "none")).and_then(minute);
    let since = since.map(|it| format!("  {it}")).unwrap_or_default();
    let _ = writeln!(out, "{on}{symbol}{off} {name}{pad} {on}{word}{off}{since}");
    if let Some(reason) = reason.filter(|_| !looks.checks) {
        let _ = writeln!(out, "    {reason}");
    }
}

fn checks(out: &mut String, check: &Check, looks: Looks) {
    if !looks.checks {
        return;
    }
    let name = format!("  {}", check.id);
    if let Some(why) = &check.disabled {
        row(out, &name, None, None, None, looks);
        let _ = writeln!(out, "    {}", cut(why, 74));
        return;
    }
    row(out, &name, check.state.as_deref(), check.since.as_deref(), None, looks);
    if let Some(reason) = check.reason.as_deref() {
        let why = check.why.as_deref().unwrap_or_default();
        let _ = writeln!(out, "    {}", cut(&format!("{reason}: {why}"), 74));
    }
}

/// Day and minute in the zone of this terminal: `24/11 15:37`.
fn minute(written: &str) -> Option<String> {
    let at: jiff::Timestamp = written.parse().ok()?;
    let here = at.to_zoned_datetime(jiff::tz::TimeZone::system());
    Some(here.strftime("%d/%m %H:%M").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_daemon_steers_the_terminal() {
        let evil = "x\\u001b[2J\\u0007\\u009b\\u202e\\n\\u2066y";
        let json = format!(
            r#"{{"at":"{evil}","vantage":"{evil}","systems":[{{"name":"{evil}",
            "owner":{{"name":"{evil}"}},"state":"down","since":"{evil}","reason":"{evil}",
            "checks":[{{"id":"{evil}","state":"{evil}","reason":"{evil}","why":"{evil}"}},
            {{"id":"{evil}","disabled":"{evil}"}}]}}]}}"#
        );
        let mut country: Country = serde_json::from_str(&json).unwrap();
        country.tame();
        for checks in [false, true] {
            let out = text(&country, Looks { colour: false, vietnamese: true, checks });
            assert!(
                !out.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\u{2066}']),
                "{out:?}"
            );
            assert!(!out.contains("\ny") && out.contains('\u{fffd}'), "{out:?}");
        }
    }
}
