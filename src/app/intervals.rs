//! The intervals that checks had, by the contracts in the journal: a result speaks as far as
//! the interval of its time has it.

use std::collections::HashMap;

use serde_json::Value;

use crate::availability::judge::Reach;
use crate::model::check::Check;
use crate::model::span::Span;
use crate::model::step::Step;
use crate::model::time::Millis;

/// Changes kept of one check: years of them. Older ones are forgotten, as if what they led to
/// had been in force for ever.
const CHANGES_MAX: usize = 64;

/// Intervals by check, each from an instant on; the first also before it.
#[derive(Debug, Default)]
pub(super) struct Intervals {
    checks: HashMap<String, Vec<(Millis, i64)>>,
}

impl Intervals {
    /// A contract comes into force at `at`. After a clock that was set back, what was recorded
    /// last counts, from its instant on.
    pub(super) fn take(&mut self, at: Millis, contract: &Value) {
        self.checks.values_mut().for_each(|it| it.retain(|it| it.0 < at));
        let systems = contract["systems"].as_array().into_iter().flatten();
        for check in systems.filter_map(|it| it["checks"].as_array()).flatten() {
            let (id, interval) = (check["id"].as_str(), check["interval_ms"].as_i64());
            let Some((id, interval_ms)) = id.zip(interval) else { continue };
            if check["enabled"] == Value::Bool(false) {
                continue;
            }
            let all = self.checks.entry(id.to_owned()).or_default();
            if all.last().is_none_or(|it| it.1 != interval_ms) {
                all.push((at, interval_ms));
            }
            let more = all.len().saturating_sub(CHANGES_MAX);
            all.drain(..more);
        }
        self.checks.retain(|_, all| !all.is_empty());
    }

    /// How far results of a check speak, by when they started.
    pub(super) fn reach(&self, check: &Check) -> Reach {
        let reach_ms = |interval_ms| Step::of(&check.id, interval_ms).reach_ms();
        let all = self.of(check);
        let first = all.first().map_or(check.interval_ms, |it| it.1);
        let constant = Reach::constant(reach_ms(first));
        let changes = all.iter().skip(1);
        changes.fold(constant, |reach, (at, interval_ms)| reach.then(*at, reach_ms(*interval_ms)))
    }

    /// The longest interval of a check that was in force in `span` or at most `steps` of its
    /// own beside it; at least the one that is configured now.
    pub(super) fn longest_ms(&self, check: &Check, span: Span, steps: i64) -> i64 {
        let all = self.of(check);
        let near = all.iter().enumerate().filter(|(place, (at, interval_ms))| {
            let margin = interval_ms.saturating_mul(steps);
            let ends = all.get(place + 1).map(|it| it.0);
            let begins = Some(*at).filter(|_| *place > 0);
            ends.is_none_or(|it| it.plus_ms(margin) > span.start())
                && begins.is_none_or(|it| it.plus_ms(-margin) < span.end())
        });
        near.map(|(_, it)| it.1).fold(check.interval_ms, i64::max)
    }

    fn of(&self, check: &Check) -> &[(Millis, i64)] {
        self.checks.get(check.id.as_str()).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::availability::sketch;
    use crate::model::check::IpChoice;

    fn contract(check: &Check, interval_ms: i64, enabled: bool) -> Value {
        let tested =
            json!({ "id": check.id.as_str(), "interval_ms": interval_ms, "enabled": enabled });
        json!({ "systems": [{ "checks": [tested] }] })
    }

    #[test]
    fn results_speak_as_far_as_the_contract_of_their_time_has_it() {
        let check = sketch::check(30_000, 3, IpChoice::Any);
        let reach_ms = |interval_ms| Step::of(&check.id, interval_ms).reach_ms();
        let mut all = Intervals::default();
        assert_eq!(all.reach(&check), Reach::constant(reach_ms(30_000)), "no contract tells");
        for (at, interval_ms, enabled) in
            [(100, 600_000, true), (200, 600_000, true), (300, 60_000, false), (400, 30_000, true)]
        {
            all.take(Millis(at), &contract(&check, interval_ms, enabled));
        }
        let expected = Reach::constant(reach_ms(600_000)).then(Millis(400), reach_ms(30_000));
        assert_eq!(all.reach(&check), expected);
        // The clock was set back.
        all.take(Millis(350), &contract(&check, 60_000, true));
        let expected = Reach::constant(reach_ms(600_000)).then(Millis(350), reach_ms(60_000));
        assert_eq!(all.reach(&check), expected);
    }

    #[test]
    fn a_longer_interval_matters_until_its_results_are_far_away() {
        let check = sketch::check(30_000, 3, IpChoice::Any);
        let mut all = Intervals::default();
        all.take(Millis(0), &contract(&check, 600_000, true));
        all.take(Millis(10_000_000), &contract(&check, 30_000, true));
        let longest = |from: i64, to: i64| {
            all.longest_ms(&check, Span::new(Millis(from), Millis(to)).unwrap(), 12)
        };
        assert_eq!(longest(9_000_000, 11_000_000), 600_000);
        assert_eq!(longest(17_199_999, 18_000_000), 600_000);
        assert_eq!(longest(17_200_000, 18_000_000), 30_000);
    }

    #[test]
    fn only_so_many_changes_are_kept() {
        let check = sketch::check(30_000, 3, IpChoice::Any);
        let mut all = Intervals::default();
        for at in 0..200 {
            all.take(Millis(at), &contract(&check, 30_000 + at, true));
        }
        assert_eq!(all.of(&check).len(), CHANGES_MAX);
        assert_eq!(all.of(&check).last(), Some(&(Millis(199), 30_199)));
    }
}
