//! The simulator's words in those of the fast code.

use thongsuot::availability::confirm::Confirm;
use thongsuot::availability::judge::{Reach, Rule};
use thongsuot::availability::span_set::SpanSet;
use thongsuot::availability::track::Track;
use thongsuot::availability::track::quorum::Quorum;
use thongsuot::availability::track::system::Part;
use thongsuot::model::check::Lane;

use crate::reference::span;
use crate::simulate::{Scenario, vantage_id};

/// The rule of a scenario; a missing weight is 1.
pub(super) fn rule(scenario: &Scenario, weights: &[i64]) -> Rule {
    let weight = |it: usize| weights.get(it).map_or(1, |it| u32::try_from(*it).unwrap());
    Rule {
        confirm: Confirm::new(u8::try_from(scenario.confirm).unwrap()),
        reach: Reach::constant(scenario.step().reach_ms()),
        lanes: vec![Lane::Any],
        vantages: (0..scenario.vantages).map(|it| (vantage_id(it), weight(it))).collect(),
        quorum: Quorum { bad: scenario.quorum, known: scenario.known },
    }
}

/// A check of a system, watched all the time.
pub(super) fn part(track: Track, critical: bool) -> Part {
    let ever = span(-1_000_000_000_000_000, 1_000_000_000_000_000).unwrap();
    Part { track, critical, watched: SpanSet::from(ever) }
}
