//! What the fast code and the reference say of one story, side by side.

use std::fmt::Debug;

use thongsuot::availability::figures::{Figures as Fast, Fraction, Verdict as FastVerdict};
use thongsuot::availability::incident::{Incident as FastIncident, incidents, summary};
use thongsuot::availability::segment::Segment;
use thongsuot::availability::track::{Edge, Outage, Track};
use thongsuot::model::span::Span;
use thongsuot::model::state::State;

use super::asks::Question;
use crate::reference::{Down, Figures, Incident, Line, Raw, Story, Verdict, figures};

/// Where two measurements are not the same.
struct Differences(Vec<String>);

impl Differences {
    fn see<T: PartialEq + Debug>(&mut self, what: &str, fast: &T, slow: &T) {
        if fast != slow {
            self.0.push(format!("{what}:\n   fast {fast:?}\n   slow {slow:?}"));
        }
    }
}

/// A down span and its bracket, in milliseconds.
type Ends = [i64; 6];

fn fast_ends(start: Edge, end: Edge) -> Ends {
    [start.at, end.at, start.earliest, start.latest, end.earliest, end.latest].map(|it| it.0)
}

fn slow_ends(it: &Down) -> Ends {
    [it.span.start().0, it.span.end().0, it.start_lo, it.start_hi, it.end_lo, it.end_hi]
}

pub(super) fn down_of(it: &Outage) -> Down {
    Down {
        span: it.span().unwrap(),
        start_lo: it.start.earliest.0,
        start_hi: it.start.latest.0,
        end_lo: it.end.earliest.0,
        end_hi: it.end.latest.0,
    }
}

fn fraction(it: Option<(i64, i64)>) -> Option<Fraction> {
    it.and_then(|(part, whole)| Fraction::new(part, whole))
}

fn raw_line(line: &Line<Raw>) -> Line<State> {
    let state = |raw: &Raw| match raw {
        Raw::Good => State::Up,
        Raw::Slow => State::Slow,
        Raw::Bad => State::Down,
    };
    line.iter().map(|(piece, raw)| (*piece, state(raw))).collect()
}

fn same_story(found: &mut Differences, track: &Track, story: &Story) {
    let line =
        |of: &[Segment]| -> Line<State> { of.iter().map(|it| (it.span, it.state)).collect() };
    found.see("states", &line(&track.timeline), &story.states);
    let fast: Vec<Ends> = track.outages.iter().map(|it| fast_ends(it.start, it.end)).collect();
    found.see("down spans", &fast, &story.downs.iter().map(slow_ends).collect());
    found.see("shortest", &track.shortest.spans(), &story.inner.as_slice());
    let raws: Vec<Line<State>> = track.views.iter().map(|it| line(&it.raw)).collect();
    found.see("raw states", &raws, &story.raws.iter().map(raw_line).collect());
}

fn same_figures(found: &mut Differences, fast: &Fast, slow: &Figures) {
    let times = &fast.times;
    found.see(
        "U, L, G, D, N, excluded",
        &[
            times.up_ms,
            times.slow_ms,
            times.partial_ms,
            times.down_ms,
            times.unknown_ms,
            times.excluded_ms,
        ],
        &[slow.up, slow.slow, slow.partial, slow.down, slow.unknown, slow.excluded],
    );
    found.see(
        "D_lo, D_hi, D in maintenance",
        &[times.down_shortest_ms, times.down_longest_ms, times.maintenance_down_ms],
        &[slow.down_lo, slow.down_hi, slow.down_in_maintenance],
    );
    found.see("availability", &fast.availability(), &fraction(slow.availability));
    found.see("coverage", &fast.coverage(), &fraction(slow.coverage));
    let range = fraction(slow.least).zip(fraction(slow.most));
    found.see("hard range", &fast.hard_range(), &range);
    found.see("edge squares", &fast.edges_ms2, &slow.edge_squares);
    found.see("MCR", &fast.worst, &slow.mcr.map(fraction));
    found.see(
        "reachability",
        &fast.reachability().map(|it| (it.part(), it.whole())),
        &slow.reachability,
    );
}

fn same_incidents(found: &mut Differences, fast: &[FastIncident], slow: &[Incident]) {
    let one = |it: &FastIncident| {
        let parts: Vec<Span> = it.parts.iter().filter_map(Outage::span).collect();
        (fast_ends(it.start(), it.end()), parts)
    };
    let other = |it: &Incident| (slow_ends(&it.whole), it.parts.clone());
    found.see(
        "incidents",
        &fast.iter().map(one).collect::<Vec<_>>(),
        &slow.iter().map(other).collect(),
    );
}

fn verdict(it: FastVerdict) -> Verdict {
    match it {
        FastVerdict::Met => Verdict::Met,
        FastVerdict::Missed => Verdict::Missed,
        FastVerdict::WithinError => Verdict::WithinError,
        FastVerdict::NotEnoughData => Verdict::NotEnoughData,
    }
}

/// What the fast code and the reference say of one story and one question.
pub(super) fn differences(
    track: &Track,
    fast: &Fast,
    story: &Story,
    question: &Question,
) -> Vec<String> {
    let mut found = Differences(Vec::new());
    let slow = figures(story, &question.ask);
    same_story(&mut found, track, story);
    same_figures(&mut found, fast, &slow);
    let judged = question.judged();
    let all = incidents(track);
    let hit: Vec<FastIncident> =
        all.iter().filter(|it| !it.down().intersect(&judged).is_empty()).cloned().collect();
    same_incidents(&mut found, &hit, &slow.incidents);
    let good_ms = fast.times.known_ms() - fast.times.down_ms;
    let sums = summary(&all, &judged, good_ms);
    let cut = |it: Option<(i64, i64)>| it.map(|(top, bottom)| top / bottom);
    found.see(
        "incidents, MTTR, MTBF",
        &(sums.count, sums.mean_down_ms, sums.good_between_ms),
        &(slow.incidents.len() as i64, cut(slow.mttr), cut(slow.mtbf)),
    );
    let told = fast.verdict(question.objective, question.ask.coverage_bp * 100);
    found.see("verdict", &verdict(told), &slow.verdict);
    found.0
}
