//! The slow, obvious model of `docs/measurement.md`, sections 4, 5, 6 and 10.
//!
//! Written from that text and the nouns of `thongsuot::model` alone, blind to the fast code. One
//! way is used throughout: collect every instant at which anything could change, and ask the
//! definition for the state of each piece between two of them ([`paint`]). Integers only.
//!
//! Where the text can be read in several ways:
//!
//! 1. Reach when `I_c` changes between two results. Chosen: nearest first (midpoint), then that
//!    result's own h; `I_c` in force at the result's *start*.
//! 2. Two results of one vantage in one millisecond. Chosen: they are one result (also for K and
//!    the window of 10), with the worst outcome, and the earliest end among those of its
//!    testimony.
//! 3. Fewer than 10 results in all. Chosen: the window is all of them.
//! 4. `void/backoff`, "the state before it": as the settled points have it, each carries the bad
//!    state of the last testimony on for 2h past its own start, if that state became unknown no
//!    more than 4h before; the next testimony keeps its own h. A back-off in the millisecond of
//!    the bad result follows it.
//! 5. Time held by a back-off belongs to the last bad result: down if that one is confirmed.
//! 6. A blip of a slow or up service. Chosen: up, never slow.
//! 7. "The good runs after it" (bracket). Chosen: the row of good results after the last bad
//!    one, unbroken by bad ones and by unknown time.
//! 8. A bracket that reaches into unknown time (a run longer than its reach). Chosen: it
//!    ends where the unknown begins, and does not go on behind it.
//! 9. Outer spans of neighbouring outages can overlap. Settled: D_lo and D_hi are the lengths of
//!    unions of the inner and outer spans of each outage, before moved ones are united: between
//!    two that meet it may have been up for a while.
//! 10. Several lanes (IPv4 and IPv6) of one check: the text has no rule. Chosen: each lane is
//!     judged alone; the caller gives the results of one lane.
//! 11. "Touches" (a vantage belongs to an incident). Settled: its bad span shares an instant
//!     with the quorum's.
//! 12. A vantage with several bad spans in one incident. Chosen: the first gives g and b, the
//!     last gives last bad and first good; "its bad runs" are those of all of them.
//! 13. A vantage's own edge beside its own unknown time. Settled: that edge stands for good, bad
//!     and end alike.
//! 14. A moved edge that would reach into unknown time, or exactly to it. Chosen: it stops there
//!     and is then an edge beside unknown, without width. An edge that the counting already puts
//!     beside unknown does not move.
//! 15. A moved start at or after the moved end. Settled: both stay where they were counted, in
//!     the brackets that they have.
//! 16. Spans that abut after moving are united like those that overlap. The bracket of the
//!     united span: start in [least, least] of their starts, end in [most, most].
//! 17. A moved edge gives its time to the state next to the counted edge; several spans give
//!     first, then all take.
//! 18. `slow` over vantages. Chosen: at least Q vantages whose nearest result is slow; Q, not a
//!     share of F.
//! 19. Bracket of a system's down span. Chosen: start in [least, least] of the starts of its
//!     critical checks' spans, end in [most, most], in the known time of the system around it.
//!     Checks that are not critical give none.
//! 20. System D_lo, D_hi: unions of the critical checks' inner and outer spans, where the
//!     *system's* state is known.
//! 21. "Availability of a check added mid-period begins with its first slot". Chosen: the caller
//!     gives that instant ([`Ask::begin`]); what lies before counts as excluded.
//! 22. Incidents and the edges of a period. Chosen: incidents are found on the whole timeline;
//!     one counts in a period if it is down in judged time there, with its down time cut to
//!     that. So MTTR = D / count and MTBF = (U+L+G) / count.
//! 23. "Less than 60 s apart" holds whatever state lies between, excluded time included; exactly
//!     60 s is apart. "Only unknown between" has no limit of length.
//! 24. MCR, settled: the judged and known time of P is put together, and the window slides over
//!     that; none if it is shorter than the window.
//! 25. Reachability of a check: each vantage's known time in judged time times its weight
//!     (default 1); slow is good. For a system (no rule): the lines of all its critical checks.
//! 26. Verdict. Chosen: coverage is asked first (nothing known: not enough data); then met if
//!     D_hi <= budget, missed if D_lo > budget, else within the error of measurement. What the
//!     objective is a share of (B or |P|) is left to the caller, who gives milliseconds.
//! 27. Uncertainty, settled: the width of a bracket is what of it lies in known judged time.
//! 28. Maintenance recorded exactly the notice before it begins is excluded.
//! 29. System: `partial` by a check that is not critical needs all critical ones known (order of
//!     the text); an unknown check that is not critical changes nothing.
//! 30. Of two results one millisecond apart the midpoint, cut down, is the first: it speaks for
//!     no time after its start. Chosen: so be it.
//! 31. Down in excluded maintenance is shown apart only where it would else be judged: in service
//!     hours and not before the first slot.
//! 32. A clash of section 8 with section 5: down is monotone in Q only before edges move. With
//!     moved edges a larger Q can give a little more (a second here and there).

mod vantage;
mod check;
mod system;
mod figures;

use thongsuot::model::result::RunResult;
use thongsuot::model::span::Span;
use thongsuot::model::state::State;
use thongsuot::model::time::Millis;

pub(crate) use self::check::check;
pub(crate) use self::figures::{Ask, Figures, Incident, Maintenance, Verdict, figures};
pub(crate) use self::system::system;
pub(crate) use self::vantage::{Heard, vantage_timeline};

/// What the nearest result of one vantage says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Raw {
    Good,
    Slow,
    Bad,
}

/// Known pieces in order, neighbours of equal state united. What is in no piece is unknown.
pub(crate) type Line<S> = Vec<(Span, S)>;

/// `h` of the nearest-sample rule, as in force from an instant on; the first holds before, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach(pub(crate) Vec<(i64, i64)>);

impl Reach {
    pub(crate) fn constant(h: i64) -> Self {
        Self(vec![(i64::MIN, h)])
    }

    pub(crate) fn at(&self, t: i64) -> i64 {
        let last = self.0.iter().rev().find(|(from, _)| *from <= t);
        last.unwrap_or(&self.0[0]).1
    }
}

/// K, Q and M of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// K: bad results that confirm, with one vantage.
    pub(crate) confirm: usize,
    /// Q: vantages that make it down.
    pub(crate) quorum: usize,
    /// M: vantages that must be known.
    pub(crate) known: usize,
}

/// A whole measurement, for comparing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) story: Story,
    pub(crate) figures: Figures,
}

/// What a check did, and its figures, from the results of each vantage in any order.
pub(crate) fn measure(
    vantages: &[Vec<RunResult>],
    reach: &Reach,
    rules: Rules,
    ask: &Ask,
) -> Reference {
    let heard: Vec<Heard> = vantages.iter().map(|results| Heard::of(results, reach)).collect();
    let story = check(&heard, rules);
    Reference { figures: figures(&story, ask), story }
}

/// A down span and where its edges can lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Down {
    pub(crate) span: Span,
    pub(crate) start_lo: i64,
    pub(crate) start_hi: i64,
    pub(crate) end_lo: i64,
    pub(crate) end_hi: i64,
}

impl Down {
    /// Latest start to earliest end.
    pub(crate) fn inner(&self) -> Option<Span> {
        span(self.start_hi, self.end_lo)
    }

    /// With its bracket cut to the known time around it.
    pub(crate) fn within<S>(self, known: &[(Span, S)]) -> Self {
        let (from, to) = (start(self.span), end(self.span));
        let (since, until) = (known_since(known, from), known_until(known, to));
        let cut = |t: i64| t.clamp(since, until);
        Self {
            start_lo: cut(self.start_lo),
            start_hi: cut(self.start_hi),
            end_lo: cut(self.end_lo),
            end_hi: cut(self.end_hi),
            ..self
        }
    }

    /// Earliest start to latest end.
    pub(crate) fn outer(&self) -> Option<Span> {
        span(self.start_lo, self.end_hi)
    }
}

/// What is known of a check or a system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Story {
    /// Never `Unknown`: gaps are that.
    pub(crate) states: Line<State>,
    pub(crate) downs: Vec<Down>,
    /// Unions of the inner and outer spans.
    pub(crate) inner: Vec<Span>,
    pub(crate) outer: Vec<Span>,
    /// Raw-bad time that was not confirmed (one vantage).
    pub(crate) blips: Vec<Span>,
    /// The raw state at each vantage.
    pub(crate) raws: Vec<Line<Raw>>,
}

pub(crate) fn span(start: i64, end: i64) -> Option<Span> {
    Span::new(Millis(start), Millis(end))
}

pub(crate) fn start(span: Span) -> i64 {
    span.start().0
}

pub(crate) fn end(span: Span) -> i64 {
    span.end().0
}

/// The line of `state`, which changes at `bounds` at most.
pub(crate) fn paint<S: PartialEq>(
    mut bounds: Vec<i64>,
    state: impl Fn(i64) -> Option<S>,
) -> Line<S> {
    bounds.sort_unstable();
    bounds.dedup();
    let mut line: Line<S> = Vec::new();
    for pair in bounds.windows(2) {
        let (Some(piece), Some(now)) = (span(pair[0], pair[1]), state(pair[0])) else { continue };
        match line.last_mut() {
            Some((last, before)) if end(*last) == pair[0] && *before == now => {
                *last = span(start(*last), pair[1]).unwrap();
            }
            _ => line.push((piece, now)),
        }
    }
    line
}

/// The state at `t`; `None`: unknown.
pub(crate) fn at<S: Copy>(line: &[(Span, S)], t: i64) -> Option<S> {
    let next = line.partition_point(|(piece, _)| end(*piece) <= t);
    line.get(next).filter(|(piece, _)| start(*piece) <= t).map(|(_, state)| *state)
}

/// Every edge of a line.
pub(crate) fn edges<S>(line: &[(Span, S)]) -> Vec<i64> {
    line.iter().flat_map(|(piece, _)| [start(*piece), end(*piece)]).collect()
}

/// Of spans that overlap or touch, one: it began when the first of them did, and ended when the
/// last of them did.
pub(crate) fn unite(mut downs: Vec<Down>) -> Vec<Down> {
    downs.sort_by_key(|it| start(it.span));
    let mut united: Vec<Down> = Vec::new();
    for down in downs {
        match united.last_mut() {
            Some(last) if start(down.span) <= end(last.span) => {
                let to = end(last.span).max(end(down.span));
                last.span = span(start(last.span), to).unwrap();
                last.start_lo = last.start_lo.min(down.start_lo);
                last.start_hi = last.start_hi.min(down.start_hi);
                last.end_lo = last.end_lo.max(down.end_lo);
                last.end_hi = last.end_hi.max(down.end_hi);
            }
            _ => united.push(down),
        }
    }
    united
}

/// The union of spans, in order.
pub(crate) fn union(spans: &[Span]) -> Vec<Span> {
    let bounds = spans.iter().flat_map(|it| [start(*it), end(*it)]).collect();
    let inside = |t: i64| spans.iter().any(|it| it.contains(Millis(t))).then_some(());
    paint(bounds, inside).into_iter().map(|(piece, ())| piece).collect()
}

/// Where the known time around the instant before `t` begins; `t` if that is unknown.
pub(crate) fn known_since<S>(line: &[(Span, S)], t: i64) -> i64 {
    let mut since = t;
    for (piece, _) in line.iter().rev() {
        if start(*piece) < since && end(*piece) >= since {
            since = start(*piece);
        }
    }
    since
}

/// Where the known time from `t` on ends; `t` if that is unknown.
pub(crate) fn known_until<S>(line: &[(Span, S)], t: i64) -> i64 {
    let mut until = t;
    for (piece, _) in line {
        if start(*piece) <= until && end(*piece) > until {
            until = end(*piece);
        }
    }
    until
}

/// A line cut to a period, unknown time written out: it covers the period exactly.
pub(crate) fn clip(line: &[(Span, State)], period: Span) -> Line<State> {
    let mut bounds = edges(line);
    bounds.extend([start(period), end(period)]);
    bounds.retain(|t| (start(period)..=end(period)).contains(t));
    paint(bounds, |t| Some(at(line, t).unwrap_or(State::Unknown)))
}
