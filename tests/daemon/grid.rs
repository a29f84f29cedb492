//! The slots of a check, recomputed from what the API publishes: every one must have a record.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::harness::{Daemon, millis};

/// What identifies a result: lane, due instant, kind, run.
pub(crate) type Identity = (String, String, String, u64);

/// The identity of a result of the API.
pub(crate) fn identity(result: &Value) -> Identity {
    let text = |key: &str| result[key].as_str().unwrap().to_owned();
    (text("lane"), text("due"), text("kind"), result["run"].as_u64().unwrap())
}

/// Results of a check by identity, each of which must be there once.
#[track_caller]
pub(crate) fn by_identity(results: &[Value]) -> HashMap<Identity, Value> {
    let map: HashMap<_, _> = results.iter().map(|it| (identity(it), it.clone())).collect();
    assert_eq!(map.len(), results.len(), "a result is there twice");
    map
}

/// Checks that every slot of `check` from its first result to its last has a record: a result
/// of its own, or a void span that it lies in. Gives how many slots there were, and how many
/// of them lie in void spans only.
#[track_caller]
pub(crate) fn every_slot_has_a_record(daemon: &Daemon, check: &str) -> (usize, usize) {
    let facts = daemon.check(check);
    let (step, phase) = (facts["step_us"].as_i64().unwrap(), facts["phase_us"].as_i64().unwrap());
    let (results, voids) = daemon.results(check);
    let grid: HashSet<i64> =
        results.iter().filter(|it| it["kind"] == "grid").map(|it| millis(&it["due"])).collect();
    let (first, last) = (*grid.iter().min().unwrap(), *grid.iter().max().unwrap());
    let spans: Vec<(i64, i64)> =
        voids.iter().map(|it| (millis(&it["from"]), millis(&it["to"]))).collect();
    let number = |ms: i64| (ms * 1_000 + 999 - phase).div_euclid(step);
    let due = |slot: i64| (phase + slot * step).div_euclid(1_000);
    let slots: Vec<i64> = (number(first)..=number(last)).map(due).collect();
    for it in &grid {
        assert!(slots.contains(it), "{check}: {it} is no instant of the grid");
    }
    let in_span = |slot: i64| spans.iter().any(|(from, to)| (*from..*to).contains(&slot));
    let lost: Vec<i64> =
        slots.iter().copied().filter(|it| !grid.contains(it) && !in_span(*it)).collect();
    assert!(lost.is_empty(), "{check}: slots {lost:?} have no record; void spans {spans:?}");
    (slots.len(), slots.iter().filter(|it| !grid.contains(it)).count())
}
