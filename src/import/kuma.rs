//! Uptime Kuma: a backup of version 1 (JSON), or the SQLite database of versions 1 and 2.

mod backup;
mod database;
mod fields;
mod http;
mod monitor;
mod other;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use fields::Fields;

use super::note::{Place, Told, Weight};
use super::plan::{Plan, UNGROUPED};
use super::{ImportError, Imported, Judge, why};

/// Groups within groups that are followed; more is a circle.
const DEPTH_MAX: usize = 20;

/// What was read, whatever it was read from.
#[derive(Debug, Default)]
struct Kuma {
    monitors: Vec<Fields>,
    proxies: Vec<Fields>,
    /// Names and kinds of notifications.
    notifications: Vec<(String, String)>,
    /// Titles of maintenance windows.
    maintenance: Vec<String>,
    /// Names of status pages.
    pages: Vec<String>,
    /// Whether somebody was writing it.
    in_use: bool,
}

/// Reads a backup that Uptime Kuma 1 wrote.
///
/// # Errors
///
/// [`ImportError`] if it is not one.
pub fn uptime_kuma_backup(text: &str, judge: Judge<'_>) -> Result<Imported, ImportError> {
    carry(&backup::read(text)?, judge)
}

/// Reads the database `kuma.db`. Nothing is written to it: if Uptime Kuma is running, a copy in
/// the folder for temporary files is read instead. Blocks on the file system.
///
/// # Errors
///
/// [`ImportError`] if it is not one or can't be read.
pub fn uptime_kuma_database(path: &Path, judge: Judge<'_>) -> Result<Imported, ImportError> {
    carry(&database::read(path)?, judge)
}

fn carry(kuma: &Kuma, judge: Judge<'_>) -> Result<Imported, ImportError> {
    if kuma.monitors.is_empty() {
        return Err(ImportError::NotThis {
            wanted: "a configuration of Uptime Kuma with anything to watch",
            seen: "there is no monitor in it".to_owned(),
            mend: "look whether it is the file of the instance that is meant",
        });
    }
    let mut plan = Plan::new("Uptime Kuma", "uptime-kuma", judge);
    let parents: HashSet<i64> =
        kuma.monitors.iter().filter_map(|it| it.integer("parent")).collect();
    for monitor in &kuma.monitors {
        let is_group = monitor.text("type").as_deref() == Some("group");
        let group = group(kuma, monitor);
        if !is_group {
            monitor::add(&mut plan, kuma, monitor, &group);
        } else if !parents.contains(&monitor.id()) {
            let told =
                Told::new(Weight::Elsewhere, &monitor.place(), "an empty group", why::NOT_NEEDED);
            plan.tell(&told);
        }
    }
    whole(&mut plan, kuma);
    plan.finish()
}

/// The system that a monitor belongs to: its groups, else its first tag.
fn group(kuma: &Kuma, monitor: &Fields) -> String {
    let by_id: HashMap<i64, &Fields> = kuma.monitors.iter().map(|it| (it.id(), it)).collect();
    let mut names = Vec::new();
    let mut at = monitor.integer("parent");
    while let Some(parent) = at.and_then(|id| by_id.get(&id)).filter(|_| names.len() < DEPTH_MAX) {
        names.push(parent.text("name").unwrap_or_default());
        at = parent.integer("parent");
    }
    names.reverse();
    if !names.is_empty() {
        return names.join(" / ");
    }
    let tag = monitor.tags.first();
    tag.cloned().unwrap_or_else(|| UNGROUPED.to_owned())
}

/// What is about no monitor.
fn whole(plan: &mut Plan<'_>, kuma: &Kuma) {
    let mut tell =
        |what: String, why| plan.tell(&Told::new(Weight::Elsewhere, &Place::File, what, why));
    for (name, kind) in &kuma.notifications {
        tell(format!("notification \"{name}\" ({kind})"), why::ALERTING);
    }
    for title in &kuma.maintenance {
        tell(format!("maintenance \"{title}\""), why::MAINTENANCE);
    }
    for page in &kuma.pages {
        tell(format!("status page \"{page}\""), why::PAGE);
    }
    if kuma.in_use {
        tell("kuma.db".to_owned(), why::IN_USE);
    }
}

#[cfg(test)]
mod tests;
