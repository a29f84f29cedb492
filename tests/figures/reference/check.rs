//! §5: a check over its vantages, and the edges of what several of them saw.

use thongsuot::model::span::Span;
use thongsuot::model::state::State;

use super::vantage::alone;
use super::{
    Down, Heard, Line, Raw, Rules, Story, at, edges, end, known_since, known_until, paint, span,
    start, union, unite,
};

/// The state of a check, from what each of its vantages said.
pub(crate) fn check(vantages: &[Heard], rules: Rules) -> Story {
    match vantages {
        [only] => alone(only, rules),
        _ => together(vantages, rules),
    }
}

fn together(vantages: &[Heard], rules: Rules) -> Story {
    let raws: Vec<Line<Raw>> = vantages.iter().map(Heard::timeline).collect();
    let bounds: Vec<i64> = raws.iter().flat_map(|line| edges(line)).collect();
    let counted = paint(bounds.clone(), |t| count(&raws, rules, t));
    let mut downs = Vec::new();
    let mut given: Vec<(Span, State)> = Vec::new();
    for (piece, _) in counted.iter().filter(|(_, state)| *state == State::Down) {
        let seen = Seen::of(vantages, &raws, *piece);
        let moved = Moved {
            start: seen.start(&counted, *piece, rules.quorum),
            end: seen.end(&counted, *piece, rules.quorum),
        };
        let moved = moved.uncrossed(*piece);
        given.extend(moved.gives(&counted, *piece));
        downs.extend(moved.down().map(|it| it.within(&counted)));
    }
    let inner = union(&downs.iter().filter_map(Down::inner).collect::<Vec<_>>());
    let outer = union(&downs.iter().filter_map(Down::outer).collect::<Vec<_>>());
    let downs = unite(downs);
    let mut bounds = bounds;
    bounds.extend(edges(&given));
    bounds.extend(downs.iter().flat_map(|it| [start(it.span), end(it.span)]));
    let states = paint(bounds, |t| {
        let inside = |span: Span| start(span) <= t && t < end(span);
        if downs.iter().any(|it| inside(it.span)) {
            return Some(State::Down);
        }
        let gift = given.iter().find(|(piece, _)| inside(*piece)).map(|(_, state)| *state);
        gift.or_else(|| at(&counted, t))
    });
    Story { inner, outer, blips: Vec::new(), states, downs, raws }
}

fn count(raws: &[Line<Raw>], rules: Rules, t: i64) -> Option<State> {
    let now: Vec<Raw> = raws.iter().filter_map(|line| at(line, t)).collect();
    let of = |raw: Raw| now.iter().filter(|it| **it == raw).count();
    if now.is_empty() || now.len() < rules.known {
        None
    } else if of(Raw::Bad) >= rules.quorum {
        Some(State::Down)
    } else if of(Raw::Bad) > 0 {
        Some(State::Partial)
    } else if of(Raw::Slow) >= rules.quorum {
        Some(State::Slow)
    } else {
        Some(State::Up)
    }
}

/// An edge and where it can lie.
#[derive(Clone, Copy)]
struct Edge {
    at: i64,
    lo: i64,
    hi: i64,
    /// Beside unknown time: without width.
    sharp: bool,
}

impl Edge {
    fn sharp(at: i64) -> Self {
        Self { at, lo: at, hi: at, sharp: true }
    }

    fn bounds(self) -> (i64, i64) {
        if self.sharp { (self.at, self.at) } else { (self.lo, self.hi) }
    }

    /// Not moved after all.
    fn stays(self, at: i64) -> Self {
        Self { at, sharp: false, ..self }
    }
}

/// What the vantages of one incident saw, one entry each.
#[derive(Default)]
struct Seen {
    last_good: Vec<i64>,
    first_bad: Vec<i64>,
    bad_end: Vec<i64>,
    last_bad: Vec<i64>,
    first_good: Vec<i64>,
    good_end: Vec<i64>,
}

impl Seen {
    fn of(vantages: &[Heard], raws: &[Line<Raw>], quorum: Span) -> Self {
        let mut seen = Self::default();
        for (heard, line) in vantages.iter().zip(raws) {
            let own: Vec<Span> = line
                .iter()
                .filter(|(piece, raw)| *raw == Raw::Bad && piece.within(quorum).is_some())
                .map(|(piece, _)| *piece)
                .collect();
            let (Some(from), Some(to)) = (own.first(), own.last()) else { continue };
            let (from, to) = (start(*from), end(*to));
            let first = heard.speaker(from).unwrap();
            let last = heard.speaker(to - 1).unwrap();
            let bad = heard.samples[first..=last].iter().filter(|it| it.is_bad());
            let bad_end = bad.map(|it| it.end).min().unwrap();
            let good = heard.speaker(from - 1).and_then(|_| heard.last_good(first));
            let before = good.map(|it| (it.start, heard.samples[first].start, bad_end));
            let before = before.unwrap_or((from, from, from));
            seen.last_good.push(before.0);
            seen.first_bad.push(before.1);
            seen.bad_end.push(before.2);
            let row = if heard.speaker(to).is_some() { heard.good_row(last) } else { vec![] };
            let good_end = row.iter().map(|it| it.end).min();
            let after = row.first().zip(good_end);
            let after = after.map(|(it, ended)| (heard.samples[last].start, it.start, ended));
            let after = after.unwrap_or((to, to, to));
            seen.last_bad.push(after.0);
            seen.first_good.push(after.1);
            seen.good_end.push(after.2);
        }
        seen
    }

    fn start(&self, counted: &Line<State>, piece: Span, q: usize) -> Edge {
        let since = known_since(counted, start(piece));
        if at(counted, start(piece) - 1).is_none() {
            return Edge::sharp(start(piece));
        }
        let good = *self.last_good.iter().max().unwrap();
        let bad = *self.first_bad.iter().min().unwrap();
        let (lo, hi) = (smallest(&self.last_good, q), smallest(&self.bad_end, q));
        let (good, bad) =
            if good <= bad { (good, bad) } else { (lo, smallest(&self.first_bad, q)) };
        let moved = (good + bad).div_euclid(2);
        Edge { at: moved.max(since), lo, hi, sharp: moved <= since }
    }

    fn end(&self, counted: &Line<State>, piece: Span, q: usize) -> Edge {
        let until = known_until(counted, end(piece));
        if at(counted, end(piece)).is_none() {
            return Edge::sharp(end(piece));
        }
        let bad = *self.last_bad.iter().max().unwrap();
        let good = *self.first_good.iter().min().unwrap();
        let (lo, hi) = (largest(&self.last_bad, q), largest(&self.good_end, q));
        let (bad, good) =
            if bad <= good { (bad, good) } else { (lo, largest(&self.first_good, q)) };
        let moved = (bad + good).div_euclid(2);
        Edge { at: moved.min(until), lo, hi, sharp: moved >= until }
    }
}

fn smallest(values: &[i64], q: usize) -> i64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted[q - 1]
}

fn largest(values: &[i64], q: usize) -> i64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() - q]
}

struct Moved {
    start: Edge,
    end: Edge,
}

impl Moved {
    fn uncrossed(self, piece: Span) -> Self {
        if self.start.at < self.end.at {
            return self;
        }
        Self { start: self.start.stays(start(piece)), end: self.end.stays(end(piece)) }
    }

    fn down(&self) -> Option<Down> {
        let ((start_lo, start_hi), (end_lo, end_hi)) = (self.start.bounds(), self.end.bounds());
        let span = span(self.start.at, self.end.at)?;
        Some(Down { span, start_lo, start_hi, end_lo, end_hi })
    }

    /// What the counted span gives away, and to which state.
    fn gives(&self, counted: &Line<State>, piece: Span) -> Vec<(Span, State)> {
        let (from, to) = (start(piece), end(piece));
        let (left, right) = (at(counted, from - 1), at(counted, to));
        let before = span(from, self.start.at.min(to)).zip(left);
        let after = span(self.end.at.max(from), to).zip(right);
        before.into_iter().chain(after).collect()
    }
}
