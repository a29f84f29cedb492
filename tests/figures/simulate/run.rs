//! The event loop: slots, confirm and fast runs, fan-out, absences.

use std::collections::BTreeMap;

use thongsuot::model::reason::Reason;
use thongsuot::model::result::{RunKind, RunResult, VoidSpan};
use thongsuot::model::time::{Micros, Millis};

use super::{Dice, Mode, Scenario, Simulated, result, vantage_id};

/// How long fast runs go on after an outage is decided.
const FAST_FOR_MS: i64 = 600_000;

/// Pause before a run that found two others in flight is tried again.
const AGAIN_MS: i64 = 500;

#[derive(Clone, Copy, Debug)]
enum Event {
    Slot { vantage: usize, k: i64 },
    Extra { vantage: usize, kind: RunKind, token: u64 },
    End { vantage: usize, started: i64, bad: Option<bool>, retry: bool },
    Reset { vantage: usize },
}

#[derive(Clone, Debug, Default)]
struct Vantage {
    streak: usize,
    decided: Option<i64>,
    /// An extra run with another token is out of date.
    token: u64,
    extra_waits: bool,
    in_flight: usize,
    due: i64,
    extras: [u16; 2],
    away_until: i64,
}

struct World<'a> {
    scenario: &'a Scenario,
    dice: Dice,
    queue: BTreeMap<(i64, u64), Event>,
    count: u64,
    vantages: Vec<Vantage>,
    results: Vec<Vec<RunResult>>,
}

/// Plays a scenario.
pub(crate) fn simulate(scenario: &Scenario) -> Simulated {
    let mut world = World {
        scenario,
        dice: Dice::new(scenario.seed ^ 0x51AB),
        queue: BTreeMap::new(),
        count: 0,
        vantages: vec![Vantage::default(); scenario.vantages],
        results: vec![Vec::new(); scenario.vantages],
    };
    world.begin();
    while let Some(((now, _), event)) = world.queue.pop_first() {
        if now < scenario.span.end().0 || matches!(event, Event::End { .. }) {
            world.step(now, event);
        }
    }
    let mut results = world.results;
    if scenario.disorder {
        for of_one in &mut results {
            shuffle(of_one, &mut world.dice);
        }
    }
    let down = scenario.faults.iter().filter(|it| it.only.is_none() && it.mode != Mode::Slow);
    let truth: Vec<_> = down.map(|it| it.span).collect();
    Simulated { results, absences: absences(scenario), truth: crate::reference::union(&truth) }
}

fn absences(scenario: &Scenario) -> Vec<VoidSpan> {
    let of = |vantage: usize| {
        let those =
            scenario.absences.iter().filter(move |(who, _)| who.is_none_or(|v| v == vantage));
        those.map(move |(_, span)| VoidSpan {
            check: scenario.check_id(),
            vantage: vantage_id(vantage),
            from: span.start(),
            to: span.end(),
            reason: Reason::Stopped,
        })
    };
    (0..scenario.vantages).flat_map(of).collect()
}

/// Late by up to two minutes each, and one in fifty twice.
fn shuffle(results: &mut Vec<RunResult>, dice: &mut Dice) {
    let mut arrivals: Vec<(i64, RunResult)> = Vec::new();
    for it in results.drain(..) {
        if dice.chance(20) {
            arrivals.push((it.ended().0 + dice.within(0, 120_000), it.clone()));
        }
        arrivals.push((it.ended().0 + dice.within(0, 120_000), it));
    }
    arrivals.sort_by_key(|(at, _)| *at);
    results.extend(arrivals.into_iter().map(|(_, it)| it));
}

impl World<'_> {
    fn push(&mut self, at: i64, event: Event) {
        self.count += 1;
        self.queue.insert((at, self.count), event);
    }

    fn begin(&mut self) {
        for vantage in 0..self.scenario.vantages {
            let mut k = self.scenario.span.start().0 * 1_000 / self.scenario.step().step_us - 2;
            while self.due(vantage, k) < self.scenario.span.start().0 {
                k += 1;
            }
            self.vantages[vantage].due = self.due(vantage, k - 1);
            self.push(self.due(vantage, k), Event::Slot { vantage, k });
        }
        for (who, span) in &self.scenario.absences {
            for vantage in 0..self.scenario.vantages {
                if who.is_none_or(|it| it == vantage) {
                    self.push(span.end().0, Event::Reset { vantage });
                }
            }
        }
    }

    /// `phase + k * I_c + rank * I_c / V`, in whole milliseconds.
    fn due(&self, vantage: usize, k: i64) -> i64 {
        let step = self.scenario.step();
        let rank = step.step_us * vantage as i64 / self.scenario.vantages as i64;
        (step.phase_us + k * step.step_us + rank).div_euclid(1_000)
    }

    fn step(&mut self, now: i64, event: Event) {
        match event {
            Event::Slot { vantage, k } => self.slot(now, vantage, k),
            Event::Extra { vantage, kind, token } => self.extra(now, vantage, kind, token),
            Event::End { vantage, started, bad, retry } => {
                self.ended(now, vantage, started, bad, retry);
            }
            Event::Reset { vantage } => {
                let it = &mut self.vantages[vantage];
                let (token, due, extras) = (it.token + 1, it.due, it.extras);
                *it = Vantage { token, due, extras, ..Vantage::default() };
            }
        }
    }

    fn slot(&mut self, now: i64, vantage: usize, k: i64) {
        self.push(self.due(vantage, k + 1), Event::Slot { vantage, k: k + 1 });
        if self.scenario.is_absent(vantage, now) {
            return;
        }
        let it = &mut self.vantages[vantage];
        (it.due, it.extras) = (now, [0, 0]);
        if now < it.away_until {
            self.keep(vantage, now, 0, Reason::Backoff, RunKind::Grid);
        } else if it.in_flight >= 2 {
            self.keep(vantage, now, 0, Reason::Overrun, RunKind::Grid);
        } else {
            let late = self.dice.within(0, self.scenario.late_ms);
            self.run(vantage, now + late, RunKind::Grid);
        }
    }

    fn extra(&mut self, now: i64, vantage: usize, kind: RunKind, token: u64) {
        let it = &mut self.vantages[vantage];
        if token != it.token || self.scenario.is_absent(vantage, now) || now < it.away_until {
            return;
        }
        if it.in_flight >= 2 {
            self.push(now + AGAIN_MS, Event::Extra { vantage, kind, token });
            return;
        }
        it.extra_waits = false;
        self.run(vantage, now, kind);
    }

    /// One run: what it meets is decided at an instant between its start and its latency.
    fn run(&mut self, vantage: usize, started: i64, kind: RunKind) {
        let (low, high) = self.scenario.latency_ms;
        let latency = self.dice.within(low, high);
        let meets = started + self.dice.within(0, latency);
        let lost = self.dice.chance(self.scenario.lost_permille);
        let mode = self.scenario.fault(vantage, meets);
        let (reason, length, bad) = match mode {
            _ if lost => (self.dice.pick(&[Reason::SelfNet, Reason::Fd]), 0, None),
            None => (Reason::None, latency, Some(false)),
            Some(Mode::Slow) => (Reason::OverSlow, latency + self.scenario.slow_ms, Some(false)),
            Some(Mode::Refused) => (Reason::ConnectRefused, meets - started, Some(true)),
            Some(Mode::Error) => (Reason::HttpStatus, latency, Some(true)),
            Some(Mode::Hung) => (Reason::TimeoutWait, self.scenario.timeout_ms, Some(true)),
        };
        let ended = started + length;
        if self.scenario.is_killed(vantage, started, ended) {
            return; // Killed in flight.
        }
        self.keep(vantage, started, length, reason, kind);
        self.vantages[vantage].in_flight += 1;
        let retry = self.scenario.retry_after_ms > 0 && mode == Some(Mode::Error) && !lost;
        self.push(ended, Event::End { vantage, started, bad, retry });
    }

    fn keep(&mut self, vantage: usize, at: i64, length: i64, reason: Reason, kind: RunKind) {
        let it = &mut self.vantages[vantage];
        let run = match kind {
            RunKind::Grid => 0,
            RunKind::Confirm | RunKind::Fast => {
                let number = &mut it.extras[usize::from(kind == RunKind::Fast)];
                *number += 1;
                *number - 1
            }
        };
        let mut kept = result(&self.scenario.check_id(), vantage, at, length, reason);
        kept.due = Millis(it.due);
        if kind == RunKind::Grid {
            kept.lateness = Micros(u32::try_from((at - it.due) * 1_000).unwrap());
        }
        (kept.kind, kept.run) = (kind, run);
        self.results[vantage].push(kept);
    }

    fn ended(&mut self, now: i64, vantage: usize, started: i64, bad: Option<bool>, retry: bool) {
        let it = &mut self.vantages[vantage];
        it.in_flight = it.in_flight.saturating_sub(1);
        match bad {
            None if it.streak > 0 && !it.extra_waits => self.ask_again(now, vantage, started),
            None => {}
            Some(false) => {
                (it.streak, it.decided, it.extra_waits) = (0, None, false);
                it.token += 1;
            }
            Some(true) => {
                it.streak += 1;
                let first = it.streak == 1;
                if it.streak >= self.scenario.confirm {
                    it.decided = it.decided.or(Some(now));
                }
                if retry {
                    it.away_until = now + self.scenario.retry_after_ms;
                }
                self.ask_again(now, vantage, started);
                if first && self.scenario.fan_out {
                    self.ask_others(now, vantage);
                }
            }
        }
    }

    /// The next run of a vantage that saw a bad one.
    fn ask_again(&mut self, now: i64, vantage: usize, started: i64) {
        let fast = self.scenario.fast_ms();
        let it = &mut self.vantages[vantage];
        let (kind, at) = match it.decided {
            None => (RunKind::Confirm, now + self.scenario.confirm_after_ms()),
            Some(since) if now - since > FAST_FOR_MS => return,
            Some(_) if it.extra_waits => return,
            Some(_) => (RunKind::Fast, now.max(started + fast)),
        };
        it.token += 1;
        it.extra_waits = true;
        let token = it.token;
        self.push(at, Event::Extra { vantage, kind, token });
    }

    fn ask_others(&mut self, now: i64, asker: usize) {
        for vantage in 0..self.scenario.vantages {
            let it = &self.vantages[vantage];
            if vantage != asker && it.streak == 0 && it.in_flight < 2 {
                let token = it.token;
                self.push(now + 1, Event::Extra { vantage, kind: RunKind::Confirm, token });
            }
        }
    }
}
