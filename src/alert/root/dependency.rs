//! Causes by `depends_on`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::Causes;
use super::graph::Graph;
use super::view::View;
use crate::alert::book::CauseBy;
use crate::model::time::Millis;

/// A system that is down: the one that can have failed first is the cause.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Down {
    /// The earliest instant at which it may have failed, as it was measured.
    earliest: Millis,
    number: (i16, u32),
    view: usize,
}

/// Gives a cause to everything that depends on what is down and did not fail before it, the root
/// of all if it can be, and takes causes by platform from those whose own cause is a dependency.
pub(super) fn decide(views: &[View], graph: &Graph, causes: &mut Causes) {
    let systems = graph.len();
    let mut own: Vec<Option<Down>> = vec![None; systems];
    for (at, view) in views.iter().enumerate() {
        if let (Some(since), Some(own)) = (view.down, own.get_mut(view.place)) {
            let earliest = since.plus_ms(-view.slack_ms());
            *own = first(*own, Some(Down { earliest, number: view.number, view: at }));
        }
    }
    let above = graph.above(&own, None, first);
    let_go(views, graph, causes);
    let mut new = Vec::new();
    for (at, view) in views.iter().enumerate().filter(|(_, it)| it.speaks) {
        if causes.is_by_dependency(at) {
            continue;
        }
        let circle = || graph.circle(view.place).iter().filter_map(|it| own[*it]);
        // Of a circle the first to fail is the cause of the others.
        let leader = circle().min().filter(|it| it.view != at);
        let Some(cause) = first(above[view.place], leader) else { continue };
        if fits(view, cause.earliest) && !causes.is_above(at, cause.view) {
            causes.set(at, cause.view, CauseBy::Dependency);
            new.push(at);
        }
    }
    for at in new {
        let top = causes.top_by_dependency(at);
        let earliest = own.get(views[top].place).copied().flatten().map(|it| it.earliest);
        if top != at && earliest.is_some_and(|it| fits(&views[at], it)) {
            causes.set(at, top, CauseBy::Dependency);
        }
    }
    for at in 0..views.len() {
        let by_platform = matches!(causes.by[at], Some(CauseBy::Platform(_)));
        if by_platform && causes.parent[at].is_some_and(|it| causes.is_by_dependency(it)) {
            causes.orphan(at);
        }
    }
}

/// Lets go what does not depend on its cause any more, after a reload.
fn let_go(views: &[View], graph: &Graph, causes: &mut Causes) {
    let mut parts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for at in (0..views.len()).filter(|it| causes.is_by_dependency(*it)) {
        if let Some(parent) = causes.parent[at] {
            parts.entry(parent).or_default().push(at);
        }
    }
    for (parent, parts) in parts {
        let below = graph.below(views[parent].place);
        for at in parts.into_iter().filter(|it| !below[views[*it].place]) {
            causes.orphan(at);
        }
    }
}

/// Whether it can have failed because of what may have failed at `earliest`.
fn fits(view: &View, earliest: Millis) -> bool {
    view.since.plus_ms(view.slack_ms()) >= earliest
}

/// Of two the first; nothing comes last.
fn first(a: Option<Down>, b: Option<Down>) -> Option<Down> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if a.cmp(&b) == Ordering::Greater { b } else { a }),
        (a, b) => a.or(b),
    }
}
