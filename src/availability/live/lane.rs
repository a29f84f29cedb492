//! One lane of a check, seen from one vantage: its last results and the state before them.

mod set_back;

use crate::availability::confirm::Confirm;
use crate::availability::judge::Reach;
use crate::availability::sample::{Backoff, Sample, boundary, cells};
use crate::availability::segment::{Segment, append};
use crate::model::check::Check;
use crate::model::reason::Reason;
use crate::model::result::RunResult;
use crate::model::span::Span;
use crate::model::state::State;
use crate::model::step::Step;
use crate::model::time::Millis;

use super::follow::{self, Follow, Stand};

/// How many results may be noted out of order. At most two runs of a lane are in flight, so one
/// can be overtaken by the few that start and end within its timeout.
const DISORDER_MAX: usize = 8;

/// Slots left out at the service's request that are kept one by one, in case a result that
/// started before them is still to come. Older ones are folded into the result they follow.
const BACKOFFS_MAX: usize = 8;

/// Changes of the interval that are kept, for results that started before them.
const REACHES_MAX: usize = 4;

/// Consecutive good results that end an alert.
const GOOD_TO_RESOLVE: usize = 3;

/// What a lane needs to know of its check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneRule {
    /// When bad results are an outage.
    pub confirm: Confirm,
    /// Time between runs as written, in milliseconds.
    pub interval_ms: i64,
    /// How far a result speaks, in milliseconds.
    pub reach_ms: i64,
    /// How long after its start a result is the latest that can be known, in milliseconds: the
    /// next slot may end as late as its timeout.
    pub overdue_ms: i64,
}

/// What a result may take beyond its timeout to be counted here: lateness and queues.
const SLACK_MS: i64 = 1_000;

impl LaneRule {
    /// The rule of a check.
    #[must_use]
    pub fn of(check: &Check) -> Self {
        Self {
            confirm: Confirm::new(check.confirm),
            interval_ms: check.interval_ms,
            reach_ms: Step::of(&check.id, check.interval_ms).reach_ms(),
            overdue_ms: check.interval_ms + check.timeout.whole_ms() + SLACK_MS,
        }
    }
}

/// The present state of one lane.
///
/// The newest results are kept: first those that only give context to the windows of the next,
/// then those whose windows are whole, then those that a result out of order may still precede.
#[derive(Clone, Debug)]
pub struct LiveLane {
    rule: LaneRule,
    /// By when a result started: one that was in flight while the interval changed is judged by
    /// the old one.
    reach: Reach,
    entries: Vec<Entry>,
    backoffs: Vec<Backoff>,
    /// How many results left `entries`.
    evicted: usize,
    /// How many of the first entries only give context: their marks are final.
    frozen: usize,
    /// What is said of the time just before the first entry, if it is known.
    carry: Option<Carry>,
    /// Where the first entry begins, once anything was before it.
    begins: Option<Millis>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    sample: Sample,
    /// How far it speaks, with every backoff after it.
    held_to: Millis,
    confirmed: bool,
    /// Whether an alert is open after it.
    open: bool,
    /// Whether older results than those noted can't change `confirmed`.
    sure: bool,
    /// Whether older results can't change `open`.
    open_sure: bool,
}

impl Entry {
    fn new(sample: Sample) -> Self {
        let held_to = sample.held_to;
        Self { sample, held_to, confirmed: false, open: false, sure: false, open_sure: false }
    }

    fn state(&self) -> State {
        state_of(&self.sample, self.confirmed)
    }

    fn reached(&self) -> Sample {
        Sample { held_to: self.held_to, ..self.sample }
    }
}

#[derive(Clone, Copy, Debug)]
struct Carry {
    segment: Segment,
    /// Whether older results can't make it begin earlier.
    start_sure: bool,
    /// Whether older results can't change what is said at its end.
    end_sure: bool,
}

/// The state that one vantage gives to the time of a result. An unconfirmed bad one is a blip,
/// which is up.
#[must_use]
pub fn state_of(sample: &Sample, confirmed: bool) -> State {
    if confirmed {
        State::Down
    } else if sample.reason == Reason::OverSlow {
        State::Slow
    } else {
        State::Up
    }
}

impl LiveLane {
    pub(super) const fn new(rule: LaneRule) -> Self {
        Self {
            rule,
            reach: Reach::constant(rule.reach_ms),
            entries: Vec::new(),
            backoffs: Vec::new(),
            evicted: 0,
            frozen: 0,
            carry: None,
            begins: None,
        }
    }

    /// How far results speak, also those from before.
    pub(super) fn reaching(&mut self, reach: &Reach) {
        self.reach = reach.clone().newest(REACHES_MAX);
    }

    /// Goes on under a rule that is in force from `at` on.
    pub(super) fn adopt(&mut self, rule: LaneRule, at: Millis) {
        let old = std::mem::replace(&mut self.rule, rule);
        if old.reach_ms != rule.reach_ms {
            self.reach = self.reach.clone().then(at, rule.reach_ms).newest(REACHES_MAX);
        }
        if old.confirm != rule.confirm {
            self.confirm_anew(old.confirm);
        }
    }

    /// Another `K`: results side by side are confirmed together, so those that are kept are
    /// enough to say since when it is down (`K` up to ten). Of an older one whose window is not
    /// kept, what a greater `K` confirmed stays.
    fn confirm_anew(&mut self, old: Confirm) {
        let bad: Vec<bool> = self.entries.iter().map(|it| it.sample.is_bad()).collect();
        let marks = self.rule.confirm.mark(&bad);
        let is_weaker = self.rule.confirm.needed() <= old.needed();
        for (entry, mark) in self.entries.iter_mut().zip(marks).take(self.frozen) {
            entry.confirmed = mark || (is_weaker && entry.confirmed);
        }
        self.recount();
    }

    /// Takes a result into account; `false` if it is too old to be placed.
    pub(super) fn note(&mut self, result: &RunResult) -> bool {
        let reach_ms = self.reach.at(result.started);
        if let Some(backoff) = Backoff::of(result, reach_ms) {
            return self.hold(backoff);
        }
        let Some(sample) = Sample::of(result, reach_ms) else { return true };
        let place = self.entries.partition_point(|it| it.sample.at < sample.at);
        // The windows of those after the frozen ones must not change in their frozen part.
        if place < (2 * self.frozen).min(self.entries.len()) {
            return false;
        }
        match self.entries.get_mut(place) {
            Some(entry) if entry.sample.at == sample.at => {
                entry.sample = entry.sample.merge(sample);
            }
            _ => self.entries.insert(place, Entry::new(sample)),
        }
        self.recount();
        self.evict();
        true
    }

    /// The state at `now`, which is not before the newest result.
    #[must_use]
    pub fn state(&self, now: Millis) -> State {
        match self.entries.last() {
            Some(last) if now < last.held_to => last.state(),
            _ => State::Unknown,
        }
    }

    /// Since when; `None` if nothing was ever known.
    #[must_use]
    pub fn since(&self, now: Millis) -> Option<Millis> {
        let last = self.entries.last()?;
        if now >= last.held_to {
            return Some(last.held_to);
        }
        self.segments(now).last().map(|it| it.span.start())
    }

    /// The state for those who look at `now`: that of the newest testimony until the next one is
    /// overdue. [`Self::state`] knows `now` only as far as the newest result reaches, since a
    /// result that is still to come decides about the time in between.
    #[must_use]
    pub fn present(&self, now: Millis) -> State {
        match self.newest(now) {
            Some(newest) if !self.has_only_doubts() => newest.state(),
            _ => State::Unknown,
        }
    }

    /// Whether all that was ever heard is bad and not confirmed: a check that begins so is not
    /// shown as up, though the figures count a blip as up.
    fn has_only_doubts(&self) -> bool {
        let doubt = |it: &Entry| it.sample.is_bad() && !it.confirmed;
        self.evicted == 0 && self.carry.is_none() && self.entries.iter().all(doubt)
    }

    /// The raw present state, `Down` for a bad result whether confirmed or not: what a vantage
    /// brings to [`crate::availability::track::quorum::Quorum::state`].
    #[must_use]
    pub fn present_raw(&self, now: Millis) -> State {
        let raw = |it: &Entry| state_of(&it.sample, it.sample.is_bad());
        self.newest(now).map_or(State::Unknown, raw)
    }

    /// [`Self::segments`], with the present state going on to `now`.
    #[must_use]
    pub fn present_segments(&self, now: Millis) -> Vec<Segment> {
        let mut timeline = self.segments(now);
        if self.newest(now).is_some()
            && let Some(last) = timeline.last_mut()
        {
            let end = last.span.end().max(now.plus_ms(1));
            last.span = Span::new(last.span.start(), end).unwrap_or(last.span);
        }
        timeline
    }

    /// Since when the present state is so; `None` if nothing was ever known.
    #[must_use]
    pub fn present_since(&self, now: Millis) -> Option<Millis> {
        match self.newest(now) {
            Some(newest) => self.segments(newest.sample.at).last().map(|it| it.span.start()),
            None => self.since(now),
        }
    }

    /// The newest testimony, unless the next one is overdue.
    fn newest(&self, now: Millis) -> Option<&Entry> {
        let overdue = |it: &Entry| it.held_to.max(it.sample.at.plus_ms(self.rule.overdue_ms));
        self.entries.last().filter(|it| now < overdue(it))
    }

    /// What is said of the recent past until its last result stops speaking or until `now`,
    /// oldest first. The first segment begins when it really began.
    #[must_use]
    pub fn segments(&self, now: Millis) -> Vec<Segment> {
        let samples: Vec<Sample> = self.entries.iter().map(Entry::reached).collect();
        let now = samples.last().map_or(now, |it| now.max(it.at.plus_ms(1)));
        let mut timeline: Vec<Segment> = self.carry.iter().map(|it| it.segment).collect();
        for (cell, entry) in cells(&samples, self.begins).into_iter().zip(&self.entries) {
            let cell = cell.and_then(|it| Span::new(it.start(), it.end().min(now)));
            if let Some(cell) = cell {
                append(&mut timeline, cell, entry.state());
            }
        }
        timeline
    }

    /// Where [`Self::segments`] stops being the whole past; `None`: it is all there was.
    #[must_use]
    pub fn remembers_from(&self) -> Option<Millis> {
        let carried = self.carry.map(|it| it.segment.span.start());
        carried.or(self.begins).filter(|_| self.evicted > 0)
    }

    /// Whether an alert is open on this lane.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.entries.last().is_some_and(|it| it.open)
    }

    /// What the newest testimony says is wrong.
    #[must_use]
    pub fn fault(&self) -> Option<Reason> {
        self.entries.last().filter(|it| it.sample.is_bad()).map(|it| it.sample.reason)
    }

    /// Whether older results than those noted could change neither the state, nor the alert,
    /// nor since when it is down, nor what the next result makes of them.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let Some(last) = self.entries.last() else { return false };
        let next_is_sure = self.evicted + self.entries.len() >= self.rule.confirm.window() - 1;
        next_is_sure && last.sure && last.open_sure && (!last.confirmed || self.knows_start())
    }

    /// What to run after `result`, which was just noted.
    pub(super) fn follow(&self, result: &RunResult) -> Follow {
        let now = result.ended();
        // A run may end later than it reaches: what it says itself is never too old.
        let speaks = |it: &Entry| result.testimony().is_some() || now < it.held_to;
        let stand = match self.entries.last() {
            Some(last) if last.sample.is_bad() && speaks(last) => {
                if last.confirmed {
                    let since = self.since(now).unwrap_or(last.sample.at);
                    Stand::Down { lasting_ms: result.started.since(since) }
                } else {
                    Stand::Doubt
                }
            }
            _ => Stand::Calm,
        };
        follow::after(stand, result, self.rule.interval_ms)
    }

    fn hold(&mut self, backoff: Backoff) -> bool {
        if self.evicted > 0 && self.entries.first().is_some_and(|it| backoff.at < it.sample.at) {
            return false;
        }
        let place = self.backoffs.partition_point(|it| *it < backoff);
        if self.backoffs.get(place) != Some(&backoff) {
            self.backoffs.insert(place, backoff);
        }
        while self.backoffs.len() > BACKOFFS_MAX {
            let oldest = self.backoffs.remove(0);
            let after = self.entries.partition_point(|it| it.sample.at <= oldest.at);
            if let Some(entry) = after.checked_sub(1).and_then(|it| self.entries.get_mut(it)) {
                entry.sample.hold(oldest);
            }
        }
        self.recount();
        true
    }

    /// Works out every mark that can have changed. Those of the first entries were made when
    /// their windows were whole, and stay.
    fn recount(&mut self) {
        let confirm = self.rule.confirm;
        let bad: Vec<bool> = self.entries.iter().map(|it| it.sample.is_bad()).collect();
        let marks = confirm.mark(&bad);
        for index in 0..self.entries.len() {
            let mut sample = self.entries[index].sample;
            let from = self.backoffs.partition_point(|it| it.at < sample.at);
            let until = self.entries.get(index + 1).map(|it| it.sample.at);
            let after = self.backoffs[from..].iter();
            for backoff in after.take_while(|it| until.is_none_or(|until| it.at < until)) {
                sample.hold(*backoff);
            }
            self.entries[index].held_to = sample.held_to;
            if index < self.frozen {
                continue;
            }
            let before = index.checked_sub(1).map(|it| self.entries[it]);
            let opens = confirm.alerts_at_end(&bad[..=index]);
            let from = (index + 1).checked_sub(GOOD_TO_RESOLVE);
            let resolves = from.is_some_and(|from| bad[from..=index].iter().all(|it| !it));
            let whole = self.evicted + index + 1 >= confirm.window();
            let entry = &mut self.entries[index];
            entry.confirmed = marks[index];
            entry.sure = marks[index] || !bad[index] || whole;
            entry.open = opens || (!resolves && before.is_some_and(|it| it.open));
            let same = (!bad[index] || whole) && before.is_some_and(|it| it.open_sure);
            entry.open_sure = opens || resolves || same;
        }
    }

    fn evict(&mut self) {
        let kept = 2 * (self.rule.confirm.window() - 1) + DISORDER_MAX;
        while self.entries.len() > kept {
            let samples = [self.entries[0].reached(), self.entries[1].reached()];
            let (ends, begins) = boundary(&samples[0], &samples[1]);
            let first = self.entries.remove(0);
            let from =
                self.begins.unwrap_or_else(|| first.sample.at.plus_ms(-first.sample.reach_ms));
            if let Some(span) = Span::new(from, ends) {
                self.carry_on(span, first.state(), first.sure);
            }
            self.begins = Some(begins);
            self.evicted += 1;
            self.frozen = self.rule.confirm.window() - 1;
            let front = self.entries[0].sample.at;
            self.backoffs.retain(|it| it.at >= front);
        }
    }

    fn carry_on(&mut self, span: Span, state: State, sure: bool) {
        let before = self.carry;
        let mut timeline: Vec<Segment> = before.iter().map(|it| it.segment).collect();
        append(&mut timeline, span, state);
        let start_sure = before.is_some_and(|before| {
            let apart = before.segment.span.end() < span.start();
            let goes_on = timeline.len() == 1;
            if goes_on { before.start_sure } else { apart || before.end_sure }
        });
        self.carry = timeline.last().map(|it| Carry { segment: *it, start_sure, end_sure: sure });
    }

    /// Whether the state before the present one is known for sure, so that its start is.
    fn knows_start(&self) -> bool {
        let mut later: Option<&Entry> = None;
        for entry in self.entries.iter().rev() {
            let apart = later.is_some_and(|later| {
                let (ends, begins) = boundary(&entry.reached(), &later.reached());
                ends < begins
            });
            if apart || !entry.confirmed {
                return apart || entry.sure;
            }
            later = Some(entry);
        }
        self.carry.is_some_and(|carry| {
            let apart = self.begins.is_some_and(|it| carry.segment.span.end() < it);
            let down = carry.segment.state == State::Down;
            apart || if down { carry.start_sure } else { carry.end_sure }
        })
    }
}
