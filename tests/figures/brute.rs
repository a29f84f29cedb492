//! The reference against counting: every tick of a line is asked for its state by the shortest
//! reading of the definition, and the figures are sums of ticks.

use std::iter::once;

use thongsuot::model::id::CheckId;
use thongsuot::model::outcome::Testimony;
use thongsuot::model::reason::Reason;
use thongsuot::model::result::RunResult;
use thongsuot::model::state::State;

use crate::reference::{
    Ask, Down, Heard, Raw, Reach, Rules, Story, at, check, end, figures, span, start,
};
use crate::simulate::{Dice, result};

/// One vantage's results at whole even numbers of units, with a reach of `h`.
struct Ticks {
    unit: i64,
    h: i64,
    results: Vec<RunResult>,
}

impl Ticks {
    /// The result that speaks for [t, t + unit): the nearest to its middle, a later one before an
    /// earlier one, the worse of two.
    fn nearest(&self, t: i64) -> Option<&RunResult> {
        let twice = |it: &RunResult| (2 * it.started.0 - 2 * t - self.unit).abs();
        let testify = self.results.iter().filter(|it| it.testimony().is_some());
        let nearest = testify.min_by(|a, b| {
            let near = twice(a).cmp(&twice(b));
            near.then(b.started.cmp(&a.started)).then(b.outcome().cmp(&a.outcome()))
        });
        nearest.filter(|it| twice(it) < 2 * self.h)
    }

    fn raw(&self, t: i64) -> Option<Raw> {
        self.nearest(t).map(|it| match (it.testimony(), it.reason) {
            (Some(Testimony::Bad), _) => Raw::Bad,
            (_, Reason::OverSlow) => Raw::Slow,
            _ => Raw::Good,
        })
    }

    /// Whether a bad result is confirmed: every row of K and of 10 that holds it is tried.
    fn is_confirmed(&self, bad: &RunResult, k: usize) -> bool {
        let mut starts: Vec<i64> = self.results.iter().map(|it| it.started.0).collect();
        starts.sort_unstable();
        starts.dedup();
        let testify: Vec<(i64, bool)> = starts
            .into_iter()
            .filter_map(|t| {
                let same = self.results.iter().filter(|it| it.started.0 == t);
                let worst = same.filter_map(RunResult::testimony).max()?;
                Some((t, worst == Testimony::Bad))
            })
            .collect();
        let holds = |row: &[(i64, bool)]| row.iter().any(|it| it.0 == bad.started.0);
        let bads = |row: &[(i64, bool)]| row.iter().filter(|it| it.1).count();
        let rows = testify.windows(k).any(|row| holds(row) && bads(row) == k);
        let tens = testify.windows(10).any(|row| holds(row) && bads(row) >= k);
        rows || tens || (testify.len() < 10 && bads(&testify) >= k)
    }

    fn alone(&self, t: i64, k: usize) -> State {
        match (self.raw(t), self.nearest(t)) {
            (Some(Raw::Bad), Some(bad)) if self.is_confirmed(bad, k) => State::Down,
            (Some(Raw::Slow), _) => State::Slow,
            (Some(_), _) => State::Up,
            _ => State::Unknown,
        }
    }
}

fn counted(vantages: &[Ticks], t: i64, rules: Rules) -> State {
    let raws: Vec<Raw> = vantages.iter().filter_map(|it| it.raw(t)).collect();
    let of = |raw| raws.iter().filter(|it| **it == raw).count();
    match (raws.len(), of(Raw::Bad), of(Raw::Slow)) {
        (known, _, _) if known < rules.known => State::Unknown,
        (_, bad, _) if bad >= rules.quorum => State::Down,
        (_, 1.., _) => State::Partial,
        (_, _, slow) if slow >= rules.quorum => State::Slow,
        _ => State::Up,
    }
}

/// Results at even ticks in [0, length), good and bad in rows, a few void.
fn scene(dice: &mut Dice, unit: i64, length: i64) -> Ticks {
    let id = CheckId::new("brute").unwrap();
    let h = 2 * unit * dice.within(1, 12);
    let (mut t, mut results, mut bad) = (0, Vec::new(), false);
    while t < length {
        bad ^= dice.chance(250);
        let reason = match (bad, dice.within(0, 9)) {
            (_, 0) => Reason::SelfNet,
            (true, 1..=4) => Reason::HttpStatus,
            (true, _) => Reason::TimeoutWait,
            (false, 1..=2) => Reason::OverSlow,
            (false, _) => Reason::None,
        };
        results.push(result(&id, 0, t, unit * dice.within(0, 6), reason));
        let most = if dice.chance(60) { 40 } else { (h / unit).min(8) };
        t += 2 * unit * dice.within(0, most);
    }
    Ticks { unit, h, results }
}

fn heard(it: &Ticks) -> Heard {
    Heard::of(&it.results, &Reach::constant(it.h))
}

fn rules(k: usize, quorum: usize, known: usize) -> Rules {
    Rules { confirm: k, quorum, known }
}

fn state(story: &Story, t: i64) -> State {
    at(&story.states, t).unwrap_or(State::Unknown)
}

/// A second-aligned line, and one of odd milliseconds.
const UNITS: [i64; 2] = [1_000, 1];

#[test]
fn one_vantage_is_as_counted_tick_by_tick() {
    for seed in 0..150 {
        for unit in UNITS {
            let mut dice = Dice::new(seed);
            let length = 300 * unit;
            let mut ticks = scene(&mut dice, unit, length);
            if unit == 1 {
                // Odd starts, so that middles are cut down.
                ticks.results.iter_mut().for_each(|it| it.started.0 += dice.within(0, 1));
            }
            let k = usize::try_from(dice.within(1, 4)).unwrap();
            let story = check(&[heard(&ticks)], rules(k, 1, 1));
            for t in (-30..330).map(|tick| tick * unit) {
                assert_eq!(at(&story.raws[0], t), ticks.raw(t), "seed {seed}, {unit}, {t}");
                assert_eq!(state(&story, t), ticks.alone(t, k), "seed {seed}, {unit}, {t}");
            }
        }
    }
}

/// First and last second of a counted down span, and the moved one in milliseconds.
type Walked = ((i64, i64), (i64, i64));

/// The counted states and what the edges make of them, second by second; each span is found by
/// walking to its ends.
struct Edges<'a> {
    vantages: &'a [Ticks],
    rules: Rules,
}

impl Edges<'_> {
    fn counted(&self, second: i64) -> State {
        counted(self.vantages, second * 1_000, self.rules)
    }

    fn raw(&self, vantage: usize, second: i64) -> Option<Raw> {
        self.vantages[vantage].raw(second * 1_000)
    }

    /// The first and the last second of what holds around `second`.
    fn walk(second: i64, holds: impl Fn(i64) -> bool) -> (i64, i64) {
        let (mut first, mut last) = (second, second);
        while holds(first - 1) {
            first -= 1;
        }
        while holds(last + 1) {
            last += 1;
        }
        (first, last)
    }

    /// The moved span of the counted one from `first` to `last`, in milliseconds.
    fn moved(&self, first: i64, last: i64) -> (i64, i64) {
        let mut all: Vec<[i64; 4]> = Vec::new();
        for (vantage, ticks) in self.vantages.iter().enumerate() {
            let bad = |second: i64| self.raw(vantage, second) == Some(Raw::Bad);
            let touched: Vec<i64> = (first..=last).filter(|it| bad(*it)).collect();
            let (Some(from), Some(to)) = (touched.first(), touched.last()) else { continue };
            let (from, to) = (Self::walk(*from, bad).0, Self::walk(*to, bad).1);
            let heard = |second: i64| ticks.nearest(second * 1_000).map(|it| it.started.0);
            // Beside its own unknown time the edge itself stands for both.
            let (begin, stop) = (from * 1_000, (to + 1) * 1_000);
            let left = heard(from - 1).map_or([begin; 2], |good| [good, heard(from).unwrap()]);
            let right = heard(to + 1).map_or([stop; 2], |good| [heard(to).unwrap(), good]);
            all.push([left[0], left[1], right[0], right[1]]);
        }
        let q = self.rules.quorum;
        let sorted = |which: usize| {
            let mut column: Vec<i64> = all.iter().map(|it| it[which]).collect();
            column.sort_unstable();
            column
        };
        let [goods, bads, last_bads, first_goods] = [0, 1, 2, 3].map(sorted);
        let n = all.len();
        let mut start = i64::midpoint(goods[q - 1], bads[q - 1]);
        if goods[n - 1] <= bads[0] {
            start = i64::midpoint(goods[n - 1], bads[0]);
        }
        let mut end = i64::midpoint(last_bads[n - q], first_goods[n - q]);
        if last_bads[n - 1] <= first_goods[0] {
            end = i64::midpoint(last_bads[n - 1], first_goods[0]);
        }
        let known = |second: i64| self.counted(second) != State::Unknown;
        let (since, until) = Self::walk(first, known);
        let start = if known(first - 1) { start.max(since * 1_000) } else { first * 1_000 };
        let end = if known(last + 1) { end.min((until + 1) * 1_000) } else { (last + 1) * 1_000 };
        if start < end { (start, end) } else { (first * 1_000, (last + 1) * 1_000) }
    }

    /// Every counted down span in seconds and its moved one.
    fn all(&self, seconds: i64) -> Vec<Walked> {
        let mut found = Vec::new();
        let mut second = -60;
        while second < seconds {
            let down = |it: i64| self.counted(it) == State::Down;
            if down(second) {
                let (first, last) = Self::walk(second, down);
                found.push(((first, last), self.moved(first, last)));
                second = last;
            }
            second += 1;
        }
        found
    }

    fn state(&self, spans: &[Walked], second: i64) -> State {
        let t = second * 1_000;
        if spans.iter().any(|(_, (from, to))| *from <= t && t < *to) {
            return State::Down;
        }
        let counted = spans.iter().find(|((first, last), _)| (*first..=*last).contains(&second));
        let Some(((first, last), (from, _))) = counted else { return self.counted(second) };
        let (left, right) = (self.counted(first - 1), self.counted(last + 1));
        if t < *from { left } else { right }
    }
}

#[test]
fn several_vantages_are_as_walked_second_by_second() {
    let (mut moves, mut states) = (0, [0; 5]);
    for seed in 0..350 {
        let mut dice = Dice::new(seed);
        let n = usize::try_from(dice.within(2, 4)).unwrap();
        let ticks: Vec<Ticks> = (0..n).map(|_| scene(&mut dice, 1_000, 150_000)).collect();
        let quorum = usize::try_from(dice.within(1, n as i64)).unwrap();
        let rules = rules(3, quorum, usize::try_from(dice.within(1, n as i64)).unwrap());
        let story = check(&ticks.iter().map(heard).collect::<Vec<_>>(), rules);
        let edges = Edges { vantages: &ticks, rules };
        let spans = edges.all(220);
        moves += spans.iter().filter(|(seen, it)| it.0 != seen.0 * 1_000).count();
        for second in -30..220 {
            let is = state(&story, second * 1_000);
            assert_eq!(is, edges.state(&spans, second), "seed {seed}, second {second}");
            states[is as usize] += 1;
        }
    }
    assert!(moves > 100 && states.iter().all(|it| *it > 100), "too tame: {moves}, {states:?}");
}

#[test]
fn figures_are_as_counted_tick_by_tick() {
    for seed in 0..100 {
        let mut dice = Dice::new(seed);
        let ticks = scene(&mut dice, 1_000, 400_000);
        let story = check(&[heard(&ticks)], rules(2, 1, 1));
        let mut ask = Ask::plain(span(40_000, 360_000).unwrap());
        let cut = dice.within(50, 150) * 1_000;
        ask.begin = dice.chance(300).then_some(cut);
        ask.hours = Some(vec![span(0, 2 * cut).unwrap(), span(2 * cut + 20_000, 500_000).unwrap()]);
        let line: Vec<(i64, Option<State>)> = (40..360)
            .map(|tick| tick * 1_000)
            .map(|t| (t, ask.judges(t).then(|| ticks.alone(t, 2))))
            .collect();
        let found = figures(&story, &ask);
        let count = |state: Option<State>| -> i64 {
            line.iter().filter(|it| it.1 == state).map(|_| 1_000).sum()
        };
        let all = [State::Up, State::Slow, State::Partial, State::Down, State::Unknown];
        let counts: Vec<i64> = all.into_iter().map(Some).chain(once(None)).map(count).collect();
        let parts =
            [found.up, found.slow, found.partial, found.down, found.unknown, found.excluded];
        assert_eq!(counts, parts, "seed {seed}");
        assert_eq!(found.mcr[0].map(ratio), worst(&line, 60).map(ratio), "seed {seed}");
        assert_eq!(found.mcr[1].map(ratio), worst(&line, 300).map(ratio), "seed {seed}");
        assert_eq!(found.mcr[2], None);
        let inner: Vec<_> = story.downs.iter().filter_map(Down::inner).collect();
        let outer: Vec<_> = story.downs.iter().filter_map(Down::outer).collect();
        let within = |spans: &[thongsuot::model::span::Span]| -> i64 {
            let known = line.iter().filter(|it| it.1.is_some_and(|it| it != State::Unknown));
            let hit = known.filter(|it| spans.iter().any(|s| start(*s) <= it.0 && it.0 < end(*s)));
            hit.map(|_| 1_000).sum()
        };
        assert_eq!((found.down_lo, found.down_hi), (within(&inner), within(&outer)), "{seed}");
    }
}

/// In millionths, cut down: equal quotients of other terms are equal.
fn ratio((top, bottom): (i64, i64)) -> i64 {
    top * 1_000_000 / bottom
}

fn worst(line: &[(i64, Option<State>)], ticks: usize) -> Option<(i64, i64)> {
    let known = line.iter().filter_map(|it| it.1).filter(|it| *it != State::Unknown);
    let down: Vec<i64> = known.map(|it| i64::from(it == State::Down)).collect();
    let length = i64::try_from(ticks).unwrap();
    let of = |window: &[i64]| (length - window.iter().sum::<i64>(), length);
    down.windows(ticks).map(of).min_by_key(|it| ratio(*it))
}
