//! The figures of the simulation of `tests/alerting`: the real schedule, live engine, rules and
//! book, without a clock or a socket.

use thongsuot::model::reason::Reason;

use super::{HANGING_WORST_S, REFUSING_P50_S, REFUSING_WORST_S, judged};
use crate::simulation::{faults, lose};
use crate::stats::percentile;
use crate::table::Table;

/// Check-months, and the share of runs that are lost, each by itself.
const MONTHS: usize = 1_000;
const LOST: f64 = 0.001;

/// Faults of each kind.
const TRIALS: usize = 2_000;

/// Runs it, and tells the rows of it.
pub(crate) fn tell(table: &mut Table) {
    let lost = lose(MONTHS, LOST);
    let pages = format!("{}, {}", lost.pages, if lost.pages == 0 { "pass" } else { "FAIL" });
    table.row("false pages in 1,000 check-months, 0.1 % of runs lost", &pages, "0", "-", None);
    table.note(format!(
        "False pages, simulated: {} runs of 1,000 checks in 30 days, every 30 s, K = 3, one vantage; \
         {} lost, three in a row {} times ({:.2} expected).",
        lost.runs,
        lost.bad,
        lost.in_a_row,
        lost.runs as f64 * LOST.powi(3),
    ));
    for (what, reason, length_ms, p50, worst) in [
        ("refusing", Reason::ConnectRefused, 1, Some(REFUSING_P50_S), REFUSING_WORST_S),
        ("hanging", Reason::TimeoutWait, 10_000, None, HANGING_WORST_S),
    ] {
        let mut seconds: Vec<f64> =
            faults(reason, length_ms, TRIALS).iter().map(|it| *it as f64 / 1e3).collect();
        let mut row = |share: f64, name: &str, most: Option<f64>| {
            let reached = percentile(&mut seconds, share);
            let most_text = most.map_or_else(|| "-".into(), |it| format!("{it:.0} s"));
            let reached =
                most.map_or_else(|| format!("{reached:.1} s"), |most| judged(reached, most));
            let figure = format!("simulated, {what}, fault to page decided, {name}");
            table.row(&figure, &reached, &most_text, "-", None);
        };
        row(0.5, "p50", p50);
        row(0.9, "p90", None);
        row(1.0, "worst", Some(worst));
    }
    table.note(format!("Faults simulated: {TRIALS} of each kind at random phases."));
}
