//! What may be announced, and what is said of it.

use crate::availability::maintenance::journal::{Announcement, Journal, Scope};
use crate::model::system::Roster;
use crate::model::terms::NOTICE_MS_DEFAULT;
use crate::model::time::Millis;
use crate::web::source::{Maintenance, MaintenanceChange, MaintenanceError, NewMaintenance};

/// Longest maintenance: what takes longer is no maintenance but a system that is switched off.
const LENGTH_MS_MAX: i64 = 92 * 86_400_000;

/// Most edits between an id and one that may be meant.
const EDITS_MAX: usize = 3;

/// Whether `new` may be announced under this roster.
pub(super) fn check(new: &NewMaintenance, roster: &Roster) -> Result<(), MaintenanceError> {
    length(new.span.length_ms())?;
    let (what, id) = new.scope.parts();
    let known: Vec<&str> = match new.scope {
        Scope::System(_) => roster.systems.iter().map(|it| it.id.as_str()).collect(),
        Scope::Check(_) => roster.checks().map(|it| it.id.as_str()).collect(),
        Scope::Platform(_) => roster.checks().filter_map(|it| it.platform.as_deref()).collect(),
    };
    if known.contains(&id) {
        return Ok(());
    }
    let near = known.iter().map(|it| (strsim::damerau_levenshtein(it, id), *it));
    let near = near.filter(|it| it.0 <= EDITS_MAX || it.1.contains(id)).min();
    Err(MaintenanceError::Wrong {
        error: format!("there is no {what} `{id}`"),
        hint: near.map_or_else(
            || "write the id as in the configuration; /api/v1/systems lists them".to_owned(),
            |(_, near)| format!("did you mean `{near}`?"),
        ),
    })
}

/// Whether `found` may be changed so at `now`.
pub(super) fn check_change(
    found: &Announcement,
    change: &MaintenanceChange,
    now: Millis,
) -> Result<(), MaintenanceError> {
    let conflict = |why: String| Err(MaintenanceError::Conflict(why));
    if found.cancelled.is_some() {
        return conflict(format!("`{}` is cancelled already", found.id));
    }
    match change {
        MaintenanceChange::Cancel { .. } if found.end() <= now => {
            conflict(format!("`{}` is over: what is past can't be taken back", found.id))
        }
        MaintenanceChange::Extend { to, .. } if *to <= found.end() => conflict(format!(
            "`{}` does not end before that; to end it sooner, cancel it",
            found.id
        )),
        MaintenanceChange::Extend { to, .. } => length(to.since(found.span.start())),
        MaintenanceChange::Cancel { .. } => Ok(()),
    }
}

fn length(length_ms: i64) -> Result<(), MaintenanceError> {
    if length_ms <= LENGTH_MS_MAX {
        return Ok(());
    }
    Err(MaintenanceError::Wrong {
        error: format!("this is longer than {} days", LENGTH_MS_MAX / 86_400_000),
        hint: "disable the checks of what is switched off for so long".to_owned(),
    })
}

/// That there is no announcement of this id.
pub(super) fn unknown_id(id: &str, journal: &Journal) -> MaintenanceError {
    let last = journal.all().last().map(|it| it.id.clone());
    MaintenanceError::Unknown { id: id.to_owned(), last }
}

/// An announcement, and what comes of it.
pub(super) fn seen(
    found: &Announcement,
    journal: &Journal,
    roster: &Roster,
    now: Millis,
) -> Maintenance {
    let touched = || roster.systems.iter().filter(|it| found.scope.touches(it));
    // Of systems with different notices the longest is promised to be kept.
    let notice_ms = touched().map(|it| it.terms.notice_ms).max().unwrap_or(NOTICE_MS_DEFAULT);
    let others = journal.all().iter().filter(|it| {
        let apart = it.end() <= found.span.start() || found.end() <= it.span.start();
        it.id != found.id && it.cancelled.is_none() && !apart
    });
    let meet = |it: &&Announcement| {
        it.scope == found.scope || touched().any(|system| it.scope.touches(system))
    };
    Maintenance {
        notice_ms,
        active: found.is_active(now),
        over: found.end() <= now,
        overlaps: others.filter(meet).map(|it| it.id.clone()).collect(),
        announcement: found.clone(),
    }
}
