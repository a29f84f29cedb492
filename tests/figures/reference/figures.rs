//! §6: the figures of a period.

use thongsuot::model::span::Span;
use thongsuot::model::state::State;
use thongsuot::model::time::Millis;

use super::{Down, Raw, Story, at, clip, edges, end, paint, span, start};

/// The windows of MCR: 1 min, 5 min, 1 h, 1 d.
pub(crate) const WINDOWS_MS: [i64; 4] = [60_000, 300_000, 3_600_000, 86_400_000];

/// Down spans closer than this are one incident.
const APART_MS: i64 = 60_000;

/// A window of maintenance and when it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Maintenance {
    pub(crate) recorded: i64,
    pub(crate) announced: Span,
}

/// What is asked, and under which contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) period: Span,
    /// Agreed service hours; `None`: always.
    pub(crate) hours: Option<Vec<Span>>,
    pub(crate) maintenance: Vec<Maintenance>,
    pub(crate) notice_ms: i64,
    /// First slot of what is judged, if it came in the period.
    pub(crate) begin: Option<i64>,
    /// Most down time that meets the objective.
    pub(crate) budget_ms: i64,
    /// Least coverage, in hundredths of a percent.
    pub(crate) coverage_bp: i64,
    /// Weight of each raw line; missing ones weigh 1.
    pub(crate) weights: Vec<i64>,
}

impl Ask {
    /// A period with the defaults: always in service, no maintenance, no budget, 99 %.
    pub(crate) fn plain(period: Span) -> Self {
        Self {
            period,
            hours: None,
            maintenance: Vec::new(),
            notice_ms: 86_400_000,
            begin: None,
            budget_ms: 0,
            coverage_bp: 9_900,
            weights: Vec::new(),
        }
    }

    fn excludes(&self, it: &Maintenance) -> bool {
        start(it.announced) - it.recorded >= self.notice_ms
    }

    fn in_maintenance(&self, t: i64) -> bool {
        let mut windows = self.maintenance.iter().filter(|it| self.excludes(it));
        windows.any(|it| it.announced.contains(Millis(t)))
    }

    /// Whether `t` is in P ∩ S ∖ X, and not before the first slot.
    pub(crate) fn judges(&self, t: i64) -> bool {
        self.offers(t) && !self.in_maintenance(t)
    }

    /// That, maintenance or not.
    fn offers(&self, t: i64) -> bool {
        let served = |hours: &Vec<Span>| hours.iter().any(|it| it.contains(Millis(t)));
        self.period.contains(Millis(t))
            && self.hours.as_ref().is_none_or(served)
            && self.begin.is_none_or(|begin| begin <= t)
    }

    fn bounds(&self) -> Vec<i64> {
        let hours = self.hours.iter().flatten().copied();
        let windows = self.maintenance.iter().map(|it| it.announced);
        let spans = hours.chain(windows).chain([self.period]);
        spans.flat_map(|it| [start(it), end(it)]).chain(self.begin).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Met,
    Missed,
    WithinError,
    NotEnoughData,
}

/// One incident: down spans that belong together, and what of them counts in the period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Incident {
    /// From its first to its last instant, with the brackets of these edges.
    pub(crate) whole: Down,
    pub(crate) parts: Vec<Span>,
    /// Down time of all its parts.
    pub(crate) down_ms: i64,
    /// Down time in judged time of the period.
    pub(crate) judged_ms: i64,
}

/// The figures of a period, in milliseconds; quotients as (numerator, denominator), `None` if
/// that would divide by nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) up: i64,
    pub(crate) slow: i64,
    pub(crate) partial: i64,
    pub(crate) down: i64,
    pub(crate) unknown: i64,
    pub(crate) excluded: i64,
    /// Down while in excluded maintenance: shown apart.
    pub(crate) down_in_maintenance: i64,
    pub(crate) down_lo: i64,
    pub(crate) down_hi: i64,
    pub(crate) availability: Option<(i64, i64)>,
    pub(crate) coverage: Option<(i64, i64)>,
    pub(crate) least: Option<(i64, i64)>,
    pub(crate) most: Option<(i64, i64)>,
    /// Σ (g_start² + g_end²) in ms², to be divided by 12.
    pub(crate) edge_squares: i128,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) mttr: Option<(i64, i64)>,
    pub(crate) mtbf: Option<(i64, i64)>,
    /// By [`WINDOWS_MS`].
    pub(crate) mcr: [Option<(i64, i64)>; 4],
    pub(crate) reachability: Option<(i64, i64)>,
    pub(crate) verdict: Verdict,
}

pub(crate) fn figures(story: &Story, ask: &Ask) -> Figures {
    let judged = judged(story, ask);
    let of = |state: State| -> i64 {
        judged.iter().filter(|(_, it)| *it == state).map(|(piece, _)| piece.length_ms()).sum()
    };
    let (up, slow, partial) = (of(State::Up), of(State::Slow), of(State::Partial));
    let (down, unknown) = (of(State::Down), of(State::Unknown));
    let (good, known) = (up + slow + partial, up + slow + partial + down);
    let incidents = incidents(story, ask);
    let count = i64::try_from(incidents.len()).unwrap();
    let (down_lo, down_hi) = (known_in(&story.inner, &judged), known_in(&story.outer, &judged));
    let over = |top: i64, bottom: i64| (bottom > 0).then_some((top, bottom));
    let coverage = over(known, known + unknown);
    Figures {
        up,
        slow,
        partial,
        down,
        unknown,
        excluded: ask.period.length_ms() - known - unknown,
        down_in_maintenance: down_in_maintenance(story, ask),
        down_lo,
        down_hi,
        availability: over(good, known),
        coverage,
        least: over(known - down_hi, known + unknown),
        most: over(known + unknown - down_lo, known + unknown),
        edge_squares: edge_squares(story, &judged),
        incidents,
        mttr: over(down, count),
        mtbf: over(good, count),
        mcr: WINDOWS_MS.map(|window| worst(&judged, window)),
        reachability: reachability(story, ask),
        verdict: verdict(ask, coverage, down_lo, down_hi),
    }
}

/// The judged time of the period by state, unknown written out.
fn judged(story: &Story, ask: &Ask) -> Vec<(Span, State)> {
    let whole = clip(&story.states, ask.period);
    let mut bounds = edges(&whole);
    bounds.extend(ask.bounds());
    paint(bounds, |t| ask.judges(t).then(|| at(&whole, t).unwrap()))
}

fn known_in(spans: &[Span], judged: &[(Span, State)]) -> i64 {
    let known = judged.iter().filter(|(_, state)| *state != State::Unknown);
    let common = known.flat_map(|(piece, _)| spans.iter().filter_map(|it| it.within(*piece)));
    common.map(Span::length_ms).sum()
}

fn down_in_maintenance(story: &Story, ask: &Ask) -> i64 {
    let mut bounds = edges(&story.states);
    bounds.extend(ask.bounds());
    let shown = |t: i64| {
        let down = at(&story.states, t) == Some(State::Down);
        (down && ask.offers(t) && ask.in_maintenance(t)).then_some(())
    };
    paint(bounds, shown).iter().map(|(piece, ())| piece.length_ms()).sum()
}

fn edge_squares(story: &Story, judged: &[(Span, State)]) -> i128 {
    let square = |from: i64, to: i64| {
        let bracket: Vec<Span> = span(from, to).into_iter().collect();
        i128::from(known_in(&bracket, judged)).pow(2)
    };
    let edges = |it: &Down| square(it.start_lo, it.start_hi) + square(it.end_lo, it.end_hi);
    story.downs.iter().map(edges).sum()
}

fn incidents(story: &Story, ask: &Ask) -> Vec<Incident> {
    let mut found: Vec<Incident> = Vec::new();
    for down in &story.downs {
        let together = found.last().is_some_and(|last| {
            let gap = (end(last.whole.span), start(down.span));
            let known =
                story.states.iter().any(|(piece, _)| start(*piece) < gap.1 && end(*piece) > gap.0);
            gap.1 - gap.0 < APART_MS || !known
        });
        if together && let Some(last) = found.last_mut() {
            last.whole.span = span(start(last.whole.span), end(down.span)).unwrap();
            (last.whole.end_lo, last.whole.end_hi) = (down.end_lo, down.end_hi);
            last.parts.push(down.span);
        } else {
            found.push(Incident { whole: *down, parts: vec![down.span], down_ms: 0, judged_ms: 0 });
        }
    }
    for incident in &mut found {
        incident.down_ms = incident.parts.iter().map(|it| it.length_ms()).sum();
        let judged = incident.parts.iter().map(|part| judged_ms(*part, ask));
        incident.judged_ms = judged.sum();
    }
    found.retain(|it| it.judged_ms > 0);
    found
}

fn judged_ms(part: Span, ask: &Ask) -> i64 {
    let mut bounds = ask.bounds();
    bounds.extend([start(part), end(part)]);
    let line = paint(bounds, |t| (part.contains(Millis(t)) && ask.judges(t)).then_some(()));
    line.iter().map(|(piece, ())| piece.length_ms()).sum()
}

/// The worst availability of any window over the known judged time, put together. Between two
/// instants at which an edge of the window meets an edge of a state the quotient only rises or
/// only falls, so these are enough.
fn worst(judged: &[(Span, State)], window: i64) -> Option<(i64, i64)> {
    let mut length = 0;
    let mut together: Vec<(Span, bool)> = Vec::new();
    for (piece, state) in judged.iter().filter(|(_, state)| *state != State::Unknown) {
        let (from, is_down) = (length, *state == State::Down);
        length += piece.length_ms();
        match together.last_mut() {
            Some((last, before)) if *before == is_down => {
                *last = span(start(*last), length).unwrap();
            }
            _ => together.push((span(from, length).unwrap(), is_down)),
        }
    }
    let mut starts: Vec<i64> = edges(&together).into_iter().flat_map(|t| [t, t - window]).collect();
    starts.retain(|t| (0..=length - window).contains(t));
    let down_in = |from: i64| -> i64 {
        let window = span(from, from + window).unwrap();
        let down = together.iter().filter(|(_, down)| *down);
        down.filter_map(|(piece, _)| piece.within(window)).map(Span::length_ms).sum()
    };
    starts.into_iter().map(down_in).max().map(|down| (window - down, window))
}

fn reachability(story: &Story, ask: &Ask) -> Option<(i64, i64)> {
    let (mut good, mut known) = (0, 0);
    for (i, line) in story.raws.iter().enumerate() {
        let weight = ask.weights.get(i).copied().unwrap_or(1);
        let mut bounds = edges(line);
        bounds.extend(ask.bounds());
        for (piece, raw) in paint(bounds, |t| at(line, t).filter(|_| ask.judges(t))) {
            known += weight * piece.length_ms();
            good += if raw == Raw::Bad { 0 } else { weight * piece.length_ms() };
        }
    }
    (known > 0).then_some((good, known))
}

fn verdict(ask: &Ask, coverage: Option<(i64, i64)>, lo: i64, hi: i64) -> Verdict {
    let enough = coverage.is_some_and(|(known, all)| {
        known > 0 && i128::from(known) * 10_000 >= i128::from(ask.coverage_bp) * i128::from(all)
    });
    if !enough {
        Verdict::NotEnoughData
    } else if hi <= ask.budget_ms {
        Verdict::Met
    } else if lo > ask.budget_ms {
        Verdict::Missed
    } else {
        Verdict::WithinError
    }
}
