//! The schedule's decisions, without a timer: what to start, what comes out void, when to look
//! again. Time goes in, [`Act`]s come out.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use crate::model::check::{Check, Lane};
use crate::model::id::CheckId;
use crate::model::reason::Reason;
use crate::model::result::RunKind;
use crate::model::span::Span;
use crate::model::time::{Micros, Millis};

use super::gate::Gate;
use super::plan::Grid;

/// Runs of one check and lane that may be in flight at once. The timeout is at most the
/// interval, so a third can only mean that a run does not keep its deadline.
const IN_FLIGHT_MAX: u8 = 2;

/// The loop looks at the clocks at least this often, so that a stop of the process shows.
pub const TICK_US: i64 = 1_000_000;

/// A silence between two looks longer than this, beyond what was planned, is an absence.
const STALL_US: i64 = 2_000_000;

/// A difference between wall and machine time longer than this is a step of the wall clock.
const CLOCK_STEP_US: i64 = 1_000_000;

/// One look at the clocks, all in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Wall time since 1970.
    pub wall_us: i64,
    /// The monotonic clock, which stands still while the machine sleeps.
    pub mono_us: i64,
    /// The same, sleep included.
    pub boot_us: i64,
}

/// What is to be run: one lane of one check.
#[derive(Clone, Debug)]
pub struct Job {
    /// The check.
    pub check: Arc<Check>,
    /// The lane.
    pub lane: Lane,
    /// The due instant that its result is filed under.
    pub due: Millis,
    /// Why.
    pub kind: RunKind,
    /// Tells it from other runs of this kind that are filed under the same slot.
    pub run: u16,
    /// When it was planned for, in microseconds since 1970; its lateness counts from here.
    pub planned_us: i64,
}

/// A run asked for after a bad result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follow {
    /// When, in microseconds since 1970.
    pub at_us: i64,
    /// The grid slot that it follows.
    pub due: Millis,
    /// `Confirm` or `Fast`.
    pub kind: RunKind,
}

/// What the schedule wants done.
#[derive(Clone, Debug)]
pub enum Act {
    /// Start this run now.
    Start(Job),
    /// Record this slot as void.
    Void(Job, Reason),
    /// Record every slot of this span, of every check, as void; results that were in flight
    /// in it say nothing.
    Absent(Span, Reason),
    /// The wall clock stepped by this many milliseconds (negative: back).
    ClockStepped {
        /// How far.
        by_ms: i64,
        /// The wall time after the step.
        at: Millis,
    },
}

/// One lane of one check that is scheduled.
#[derive(Debug)]
struct Entry {
    check: Arc<Check>,
    lane: Lane,
    host: Option<String>,
    grid: Grid,
    /// The next slot to be started.
    next: i64,
    in_flight: u8,
    /// Follow-ups made, which numbers them: no two of a slot have one number.
    follows: u16,
    follow: Option<Follow>,
    /// Counts follow-ups, so that one that was replaced is known when its time comes.
    generation: u32,
}

/// What is due at an instant: the next slot of an entry, or one follow-up.
type Due = Reverse<(i64, u32, Option<u32>)>;

/// The schedule's state.
#[derive(Debug)]
pub struct Core {
    entries: Vec<Entry>,
    index: HashMap<(CheckId, Lane), u32>,
    queue: BinaryHeap<Due>,
    gate: Gate,
    /// Runs in flight, over all entries.
    in_flight: usize,
    last: Reading,
    /// Slots due up to here may have been run before the wall clock was set back.
    repeat_until_us: i64,
    /// The number that repeated slots are run under.
    lap: u16,
}

/// Follow-ups of one lap; the next begins to count beyond them.
const FOLLOWS_A_LAP: u16 = 4_096;

impl Core {
    /// A schedule of nothing, at this time.
    pub fn new(gate: Gate, now: Reading) -> Self {
        Self {
            entries: Vec::new(),
            index: HashMap::new(),
            queue: BinaryHeap::new(),
            gate,
            in_flight: 0,
            last: now,
            repeat_until_us: i64::MIN,
            lap: 0,
        }
    }

    /// Slots due up to `until` may have been run before, by a clock that was ahead: those that
    /// come again are run under the number `lap`. For the start; later steps are noticed here.
    pub fn repeat(&mut self, until: Millis, lap: u16) {
        self.repeat_until_us = self.repeat_until_us.max(until.0.saturating_mul(1_000));
        self.lap = self.lap.max(lap);
    }

    /// The gate, for waits and kill switches.
    pub const fn gate(&mut self) -> &mut Gate {
        &mut self.gate
    }

    /// Replaces the checks. Those that keep their id and lane keep their runs in flight and
    /// their follow-up, and with the same grid their place in it; the others begin at their
    /// first slot from `from_us` on. Disabled checks are left out.
    pub fn replace(&mut self, checks: &[(Arc<Check>, Grid)], from_us: i64) {
        let mut old: HashMap<(CheckId, Lane), Entry> = std::mem::take(&mut self.entries)
            .into_iter()
            .map(|entry| ((entry.check.id.clone(), entry.lane), entry))
            .collect();
        self.index.clear();
        self.queue.clear();
        let running = checks.iter().filter(|(check, _)| check.disabled.is_none());
        for (check, grid) in running {
            for lane in check.lanes() {
                let key = (check.id.clone(), *lane);
                let follows = self.lap.wrapping_mul(FOLLOWS_A_LAP);
                let new = || Entry::new(check, *lane, *grid, from_us, follows);
                let mut entry = old.remove(&key).unwrap_or_else(new);
                if entry.grid != *grid {
                    entry.grid = *grid;
                    entry.next = grid.first_from(from_us);
                }
                entry.check = Arc::clone(check);
                entry.host = check.spec.host();
                let place = self.entries.len() as u32;
                self.queue.push(Reverse((entry.grid.due_us(entry.next), place, None)));
                if let Some(follow) = entry.follow {
                    self.queue.push(Reverse((follow.at_us, place, Some(entry.generation))));
                }
                self.index.insert(key, place);
                self.entries.push(entry);
            }
        }
        self.in_flight = self.entries.iter().map(|entry| usize::from(entry.in_flight)).sum();
    }

    /// A run has ended; `follow` is what its result asks for.
    pub fn done(&mut self, check: &CheckId, lane: Lane, follow: Option<Follow>) {
        let Some(&place) = self.index.get(&(check.clone(), lane)) else { return };
        let entry = &mut self.entries[place as usize];
        if entry.in_flight > 0 {
            entry.in_flight -= 1;
            self.in_flight -= 1;
        }
        entry.generation = entry.generation.wrapping_add(1);
        entry.follow = follow;
        if let Some(follow) = follow {
            self.queue.push(Reverse((follow.at_us, place, Some(entry.generation))));
        }
    }

    /// The host of this check asked to be left alone for `wait_us` from `boot_us`.
    pub fn wait(&mut self, check: &CheckId, lane: Lane, boot_us: i64, wait_us: i64) {
        let Some(&place) = self.index.get(&(check.clone(), lane)) else { return };
        if let Some(host) = &self.entries[place as usize].host {
            self.gate.wait(host, boot_us, wait_us);
        }
    }

    /// When to look again, in microseconds of wall time: the next due instant, at most a tick
    /// from `now_us`.
    pub fn wake_us(&self, now_us: i64) -> i64 {
        let due = self.queue.peek().map_or(i64::MAX, |Reverse((at, ..))| *at);
        due.clamp(now_us, now_us + TICK_US)
    }

    /// Runs in flight, over all checks.
    pub const fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Lanes that are scheduled.
    pub const fn lanes(&self) -> usize {
        self.entries.len()
    }

    /// Everything that is to be done at this look at the clocks.
    pub fn step(&mut self, now: Reading, acts: &mut Vec<Act>) {
        self.notice_gaps(now, acts);
        self.last = now;
        while let Some(&Reverse((at_us, place, follow))) = self.queue.peek() {
            if at_us > now.wall_us {
                break;
            }
            self.queue.pop();
            match follow {
                None => self.slot(place, now.wall_us, acts),
                Some(generation) => self.follow(place, generation, now.wall_us, acts),
            }
        }
    }

    /// Compares the clocks with the last look: a suspend or stop of the process is an absence,
    /// and a wall clock that moved otherwise than the machine's has stepped.
    fn notice_gaps(&mut self, now: Reading, acts: &mut Vec<Act>) {
        let wall = now.wall_us - self.last.wall_us;
        let mono = now.mono_us - self.last.mono_us;
        let boot = now.boot_us - self.last.boot_us;
        let step = wall - boot;
        if step.abs() > CLOCK_STEP_US {
            let by_ms = step.div_euclid(1_000);
            acts.push(Act::ClockStepped { by_ms, at: millis(now.wall_us) });
        }
        let back = step < -CLOCK_STEP_US;
        if back {
            self.repeat_until_us = self.repeat_until_us.max(self.last.wall_us);
            self.lap = self.lap.saturating_add(1);
        }
        let asleep = boot - mono > CLOCK_STEP_US;
        let stalled = mono > TICK_US + STALL_US;
        let skipped = step > CLOCK_STEP_US;
        if asleep || stalled || skipped {
            let reason =
                if skipped && !asleep && !stalled { Reason::ClockStep } else { Reason::Suspend };
            if let Some(gap) = Span::new(millis(self.last.wall_us), millis(now.wall_us)) {
                acts.push(Act::Absent(gap, reason));
            }
        }
        if back || asleep || stalled || skipped {
            self.resume_from(now.wall_us);
        }
    }

    /// Goes on with the first slots from `now_us`; what lies before has been accounted for.
    fn resume_from(&mut self, now_us: i64) {
        self.queue.clear();
        // Slots due in the very millisecond that an absence ends belong to the time after it.
        let from_us = now_us.div_euclid(1_000) * 1_000;
        for (place, entry) in self.entries.iter_mut().enumerate() {
            entry.next = entry.grid.first_from(from_us);
            entry.follow = None;
            entry.generation = entry.generation.wrapping_add(1);
            self.queue.push(Reverse((entry.grid.due_us(entry.next), place as u32, None)));
        }
    }

    /// One slot of the grid is due.
    fn slot(&mut self, place: u32, now_us: i64, acts: &mut Vec<Act>) {
        let entry = &mut self.entries[place as usize];
        let planned_us = entry.grid.due_us(entry.next);
        let run = if planned_us <= self.repeat_until_us { self.lap } else { 0 };
        entry.next += 1;
        self.queue.push(Reverse((entry.grid.due_us(entry.next), place, None)));

        let job = entry.job(millis(planned_us), RunKind::Grid, run, planned_us);
        let too_late = now_us - planned_us > entry.grid.step_us() / 2;
        let admitted = if too_late || entry.in_flight >= IN_FLIGHT_MAX {
            Err(Reason::Overrun)
        } else {
            let boot_us = self.last.boot_us;
            entry.host.as_deref().map_or(Ok(()), |host| self.gate.admit(host, boot_us, false))
        };
        match admitted {
            Ok(()) => {
                entry.in_flight += 1;
                self.in_flight += 1;
                acts.push(Act::Start(job));
            }
            Err(reason) => acts.push(Act::Void(job, reason)),
        }
    }

    /// A follow-up is due. It is no slot: one that can't be run leaves no record.
    fn follow(&mut self, place: u32, generation: u32, now_us: i64, acts: &mut Vec<Act>) {
        let entry = &mut self.entries[place as usize];
        let Some(follow) = entry.follow.filter(|_| entry.generation == generation) else { return };
        entry.follow = None;
        let (boot_us, confirms) = (self.last.boot_us, follow.kind == RunKind::Confirm);
        // A run in flight will speak as soon as this one would. And where the timeout is longer
        // than a step, this one must not take the place of the slot after the next; unless that
        // is left out anyway, and nobody else will confirm.
        let timeout_us = i64::from(entry.check.timeout.0);
        let slot_after_us = entry.grid.due_us(entry.next + 1) - now_us;
        let left_out = |host| self.gate.is_waiting(host, boot_us + slot_after_us);
        let costs_a_slot = timeout_us > slot_after_us
            && !(confirms && entry.host.as_deref().is_some_and(left_out));
        if entry.in_flight > 0 || costs_a_slot {
            return;
        }
        let host = entry.host.as_deref();
        if host.is_none_or(|host| self.gate.admit(host, boot_us, confirms).is_ok()) {
            entry.in_flight += 1;
            self.in_flight += 1;
            let run = entry.follows;
            entry.follows = run.wrapping_add(1);
            let job = entry.job(follow.due, follow.kind, run, follow.at_us);
            acts.push(Act::Start(job));
        }
    }
}

impl Entry {
    fn new(check: &Arc<Check>, lane: Lane, grid: Grid, from_us: i64, follows: u16) -> Self {
        Self {
            check: Arc::clone(check),
            lane,
            host: None,
            grid,
            next: grid.first_from(from_us),
            in_flight: 0,
            follows,
            follow: None,
            generation: 0,
        }
    }

    fn job(&self, due: Millis, kind: RunKind, run: u16, planned_us: i64) -> Job {
        Job { check: Arc::clone(&self.check), lane: self.lane, due, kind, run, planned_us }
    }
}

impl Job {
    /// How late a start at `now_us` is.
    pub fn lateness(&self, now_us: i64) -> Micros {
        Micros(u32::try_from((now_us - self.planned_us).max(0)).unwrap_or(u32::MAX))
    }
}

const fn millis(us: i64) -> Millis {
    Millis(us.div_euclid(1_000))
}

#[cfg(test)]
mod tests;
