//! Several timelines side by side: one pass over all their edges.

use crate::availability::segment::{Segment, append};
use crate::model::span::Span;
use crate::model::state::State;
use crate::model::time::Millis;

/// The state at an instant.
#[must_use]
pub fn state_at(timeline: &[Segment], at: Millis) -> State {
    let after = timeline.partition_point(|it| it.span.start() <= at);
    let before = after.checked_sub(1).map(|it| timeline[it]);
    before.filter(|it| it.span.contains(at)).map_or(State::Unknown, |it| it.state)
}

/// Calls `each` with every span in which no timeline changes, in order, and the states of all.
/// Time before the first and after the last edge is left out: all are unknown there.
pub fn sweep(timelines: &[&[Segment]], mut each: impl FnMut(Span, &[State])) {
    let spans = timelines.iter().flat_map(|it| it.iter()).map(|it| it.span);
    let mut edges: Vec<Millis> = spans.flat_map(|it| [it.start(), it.end()]).collect();
    edges.sort_unstable();
    edges.dedup();
    let mut places = vec![0; timelines.len()];
    let mut states = vec![State::Unknown; timelines.len()];
    for pair in edges.windows(2) {
        let Some(span) = Span::new(pair[0], pair[1]) else { continue };
        for ((timeline, place), state) in timelines.iter().zip(&mut places).zip(&mut states) {
            while timeline.get(*place).is_some_and(|it| it.span.end() <= span.start()) {
                *place += 1;
            }
            let here = timeline.get(*place).filter(|it| it.span.start() <= span.start());
            *state = here.map_or(State::Unknown, |it| it.state);
        }
        each(span, &states);
    }
}

/// The timeline that `rule` makes of several; unknown time is left out of it.
#[must_use]
pub fn merge(timelines: &[&[Segment]], rule: impl Fn(&[State]) -> State) -> Vec<Segment> {
    let mut merged = Vec::new();
    sweep(timelines, |span, states| match rule(states) {
        State::Unknown => {}
        state => append(&mut merged, span, state),
    });
    merged
}
