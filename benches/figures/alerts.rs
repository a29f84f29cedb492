//! Alerting: from a fault to the alert, a storm, false pages, and what deciding costs.
//!
//! [`real`] and [`storm`] run the real daemon in real time, side by side, since they mostly wait;
//! [`simulated`] is the simulation of `tests/alerting`; [`cost`] times the engine by itself.

mod cost;
mod real;
mod rival;
mod servers;
mod simulated;
mod storm;
mod watcher;

use crate::ground::Ground;
use crate::table::Table;
use crate::{Broken, Plan, say};

/// The bounds of `docs/measurement.md` with a second to decide and tell, in seconds.
const REFUSING_P50_S: f64 = 27.0;
const REFUSING_WORST_S: f64 = 42.0;
const HANGING_WORST_S: f64 = 72.0;

/// A page follows what confirms it within this, in seconds.
const PAGE_S: f64 = 5.0;

/// Measures it all.
pub(crate) async fn measure(ground: &Ground, plan: &Plan, table: &mut Table) -> Result<(), Broken> {
    say("alerts: faults in real time, beside Prometheus; a storm of 1,000 checks (8 minutes)");
    let (faults, storm) = tokio::join!(real::measure(ground, plan), storm::measure(ground, plan));
    let faults = faults?;
    faults.tell(table);
    storm?.tell(table);
    say("alerts: 1,000 check-months simulated");
    simulated::tell(table);
    say("alerts: what a look of the engine costs");
    cost::tell(table)?;
    Ok(())
}

/// Seconds, and whether they are within what is wanted.
fn judged(seconds: f64, most: f64) -> String {
    let decimals = if seconds < 1.0 { 2 } else { 1 };
    format!("{seconds:.decimals$} s, {}", if seconds <= most { "pass" } else { "FAIL" })
}
