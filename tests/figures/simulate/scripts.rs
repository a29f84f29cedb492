//! Scenarios from a seed.

use thongsuot::model::span::Span;

use super::{Dice, Fault, Mode, Scenario};
use crate::reference::span;

const BAD: [Mode; 3] = [Mode::Refused, Mode::Error, Mode::Hung];

impl Scenario {
    /// A quiet day with the defaults of the product: I = 30 s, T = 10 s, K = 3.
    pub(crate) fn quiet(seed: u64, vantages: usize) -> Self {
        let mut dice = Dice::new(seed);
        let start = 1_800_000_000_000 + dice.within(0, 1_000_000_000);
        let (quorum, known) = if vantages == 1 { (1, 1) } else { (2, 2) };
        Self {
            seed,
            check: format!("check-{}", dice.within(0, 99_999)),
            vantages,
            confirm: 3,
            quorum,
            known,
            interval_ms: 30_000,
            timeout_ms: 10_000,
            late_ms: 100,
            latency_ms: (20, 200),
            slow_ms: 2_000,
            lost_permille: 0,
            retry_after_ms: 0,
            absences: Vec::new(),
            fan_out: vantages > 1,
            disorder: false,
            faults: Vec::new(),
            span: span(start, start + 3_600_000).unwrap(),
        }
    }

    /// `count` outages, far enough apart that each can be judged alone.
    pub(crate) fn isolated(seed: u64, vantages: usize, count: usize, lengths: (i64, i64)) -> Self {
        Self::quiet(seed, vantages).with_isolated(count, lengths)
    }

    /// Other intervals, timeouts, latencies and K than the defaults.
    pub(crate) fn varied(seed: u64, vantages: usize) -> Self {
        let mut it = Self::quiet(seed, vantages);
        let mut dice = Dice::new(seed ^ 0x007A_121E);
        it.interval_ms = dice.pick(&[3_000, 10_000, 30_000, 60_000, 300_000]);
        // With timeout and lateness above the step a hung grid run and a confirm run fill both places in
        // flight, the next slot is an overrun, and an outage has unknown time in it.
        it.timeout_ms = (it.interval_ms * 4 / 5).min(dice.pick(&[2_000, 10_000, 60_000]));
        // Runs that start closer together than w can see an edge in either order, and then one
        // outage is measured as two: a short w keeps that out of the bounds.
        it.latency_ms = (1, dice.pick(&[1, 20, 100]));
        it.late_ms = dice.pick(&[0, 50, it.interval_ms / 10]);
        it.confirm = dice.pick(&[1, 2, 3, 5]);
        it
    }

    /// This, with isolated outages instead of its own.
    pub(crate) fn with_isolated(mut self, count: usize, lengths: (i64, i64)) -> Self {
        let it = &mut self;
        it.faults.clear();
        let mut dice = Dice::new(it.seed ^ 0x15_0147ED);
        let mut now = it.span.start().0;
        for _ in 0..count {
            let from = now + it.interval_ms * 13 + dice.within(0, it.interval_ms * 3);
            now = from + dice.within(lengths.0, lengths.1);
            let mode = dice.pick(&BAD);
            it.faults.push(Fault { span: span(from, now).unwrap(), mode, only: None });
        }
        it.span = span(it.span.start().0, now + it.interval_ms * 14).unwrap();
        self
    }

    /// Everything at once: outages, flapping, slowness, outages of one vantage, lost results,
    /// absences, back-off, disorder; other intervals, other quorums.
    pub(crate) fn wild(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x0071_1D00);
        let vantages = dice.pick(&[1, 1, 1, 2, 3, 3, 4]);
        let mut it = Self::quiet(seed, vantages);
        it.confirm = dice.pick(&[1, 2, 3, 3, 4]);
        if vantages > 1 {
            it.quorum = usize::try_from(dice.within(1, vantages as i64)).unwrap();
            it.known = usize::try_from(dice.within(1, vantages as i64)).unwrap();
        }
        it.interval_ms = dice.pick(&[4_000, 30_000, 60_000]);
        it.timeout_ms = it.interval_ms.min(dice.pick(&[3_000, 10_000, 30_000]));
        it.late_ms = dice.pick(&[0, 100, it.interval_ms / 3]);
        it.latency_ms = (1, dice.pick(&[2, 200, 2_500]));
        it.lost_permille = dice.pick(&[0, 50, 400]);
        it.retry_after_ms = dice.pick(&[0, 0, it.interval_ms * 4]);
        it.fan_out = dice.chance(700);
        it.disorder = dice.chance(700);
        let length = it.interval_ms * dice.within(30, 80);
        it.span = span(it.span.start().0, it.span.start().0 + length).unwrap();
        for _ in 0..dice.within(0, 6) {
            let only = it.someone(&mut dice, 400);
            let mode = dice.pick(&[Mode::Refused, Mode::Error, Mode::Hung, Mode::Slow]);
            // Half of them too short to be confirmed.
            let most = dice.pick(&[1, 8]);
            let span = it.somewhen(&mut dice, most);
            it.faults.push(Fault { span, mode, only });
        }
        if dice.chance(300) {
            it.flap(&mut dice);
        }
        for _ in 0..dice.pick(&[0, 0, 1, 3]) {
            let who = it.someone(&mut dice, 500);
            let span = it.somewhen(&mut dice, 6);
            it.absences.push((who, span));
        }
        it
    }

    fn someone(&self, dice: &mut Dice, permille: i64) -> Option<usize> {
        let who = usize::try_from(dice.within(0, self.vantages as i64 - 1)).unwrap();
        dice.chance(permille).then_some(who)
    }

    fn somewhen(&self, dice: &mut Dice, most_intervals: i64) -> Span {
        let from = dice.within(self.span.start().0, self.span.end().0 - 1);
        span(from, from + dice.within(1, self.interval_ms * most_intervals)).unwrap()
    }

    /// Down for a part of each period, many times.
    fn flap(&mut self, dice: &mut Dice) {
        let period = self.interval_ms * dice.within(1, 4) / 2;
        let down = dice.within(period / 8, period * 3 / 4);
        let mode = dice.pick(&BAD);
        let mut from = dice.within(self.span.start().0, self.span.end().0);
        for _ in 0..dice.within(5, 25) {
            let span = span(from, from + down).unwrap();
            self.faults.push(Fault { span, mode, only: None });
            from += period;
        }
    }
}
