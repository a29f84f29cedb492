//! §5: a system, from its checks.

use thongsuot::model::span::Span;
use thongsuot::model::state::State;

use super::{Story, at, edges, paint, union, unite};

/// The state of a system of checks, each critical or not; `None` without a critical one.
pub(crate) fn system(checks: &[(bool, Story)]) -> Option<Story> {
    let critical: Vec<&Story> =
        checks.iter().filter(|(critical, _)| *critical).map(|(_, story)| story).collect();
    if critical.is_empty() {
        return None;
    }
    let bounds = checks.iter().flat_map(|(_, story)| edges(&story.states)).collect();
    let states = paint(bounds, |t| state(checks, t));
    let downs = unite(critical.iter().flat_map(|it| it.downs.clone()).collect());
    let downs = downs.into_iter().map(|it| it.within(&states)).collect();
    let all = |pick: fn(&Story) -> &Vec<Span>| {
        union(&critical.iter().flat_map(|it| pick(it).clone()).collect::<Vec<_>>())
    };
    Some(Story {
        states,
        downs,
        inner: all(|it| &it.inner),
        outer: all(|it| &it.outer),
        blips: all(|it| &it.blips),
        raws: critical.iter().flat_map(|it| it.raws.clone()).collect(),
    })
}

fn state(checks: &[(bool, Story)], t: i64) -> Option<State> {
    let of = |wanted: bool| {
        let some = checks.iter().filter(move |(critical, _)| *critical == wanted);
        some.map(move |(_, story)| at(&story.states, t)).collect::<Vec<Option<State>>>()
    };
    let (critical, other) = (of(true), of(false));
    if critical.contains(&Some(State::Down)) {
        Some(State::Down)
    } else if critical.contains(&None) {
        None
    } else if critical.contains(&Some(State::Partial)) || other.contains(&Some(State::Down)) {
        Some(State::Partial)
    } else if critical.contains(&Some(State::Slow)) {
        Some(State::Slow)
    } else {
        Some(State::Up)
    }
}
