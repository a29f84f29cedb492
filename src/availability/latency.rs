//! How long good runs took (`docs/measurement.md`, "The official figures of a period": latency).

use crate::model::outcome::Testimony;
use crate::model::result::RunResult;
use crate::model::time::Micros;

use super::span_set::SpanSet;

/// Exact quantiles of some lengths. The quantile `p` of `n` values is the smallest one that at
/// least `p * n` of them do not exceed (nearest rank).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quantiles {
    /// How many values.
    pub count: usize,
    /// Half of them are at most this.
    pub p50: Micros,
    /// 95 % of them.
    pub p95: Micros,
    /// 99 % of them.
    pub p99: Micros,
    /// The largest.
    pub max: Micros,
}

impl Quantiles {
    /// Of values in any order; `None` of nothing.
    #[must_use]
    pub fn of(mut values: Vec<Micros>) -> Option<Self> {
        let count = values.len();
        let max = *values.iter().max()?;
        // The larger first: what is below it is found among fewer. All in linear time.
        let mut below = count;
        let mut at = |percent: usize| {
            let place = (count * percent).div_ceil(100).max(1) - 1;
            let found = *values[..below].select_nth_unstable(place).1;
            below = place + 1;
            found
        };
        let (p99, p95, p50) = (at(99), at(95), at(50));
        Some(Self { count, p50, p95, p99, max })
    }
}

/// Latency of the good results that started in judged time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Latency {
    /// From the start of the run: the service's own; `None` without a good result.
    pub from_started: Option<Quantiles>,
    /// From when the run was planned: our own lateness included.
    pub from_scheduled: Option<Quantiles>,
}

/// The latency in `results`, each told once.
#[must_use]
pub fn latency<'a>(results: impl IntoIterator<Item = &'a RunResult>, judged: &SpanSet) -> Latency {
    let good = |it: &&RunResult| it.testimony() == Some(Testimony::Good);
    let (mut started, mut scheduled) = (Vec::new(), Vec::new());
    for result in results.into_iter().filter(good).filter(|it| judged.contains(it.started)) {
        let total = result.phases.total();
        started.push(total);
        scheduled.push(Micros(total.0.saturating_add(result.lateness.0)));
    }
    Latency { from_started: Quantiles::of(started), from_scheduled: Quantiles::of(scheduled) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let of = |count: u32| Quantiles::of((1..=count).rev().map(Micros).collect());
        let all = |it: Quantiles| (it.count, it.p50.0, it.p95.0, it.p99.0, it.max.0);
        assert_eq!(of(0), None);
        assert_eq!(of(1).map(all), Some((1, 1, 1, 1, 1)));
        assert_eq!(of(4).map(all), Some((4, 2, 4, 4, 4)));
        assert_eq!(of(1_000).map(all), Some((1_000, 500, 950, 990, 1_000)));
    }

    proptest::proptest! {
        #[test]
        fn quantiles_agree_with_sorting(mut values in proptest::collection::vec(0..500_u32, 1..300)) {
            let told = Quantiles::of(values.iter().copied().map(Micros).collect()).unwrap();
            values.sort_unstable();
            let at = |percent: usize| values[(values.len() * percent).div_ceil(100) - 1];
            let told = [told.p50, told.p95, told.p99, told.max].map(|it| it.0);
            proptest::prop_assert_eq!(told, [50, 95, 99, 100].map(at));
        }
    }
}
