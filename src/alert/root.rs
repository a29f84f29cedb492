//! Root causes: of incidents with one cause one is told, the others are parts of it.
//!
//! Linear in systems, edges and incidents, for each root that has parts: all of them may be down
//! at once, and this runs at every step.
//!
//! - **Dependency.** A service that depends, directly or through others, on one that is down is a
//!   part of it, if it did not fail before it: what failed first has a cause of its own.
//! - **Platform.** A service of which all that fails runs on one platform is a part of the first
//!   of which the same is true, if it fails within [`PLATFORM_SPREAD_MS`] of the others. A failure
//!   with anything critical off the platform is never a part.
//! - A part stays one while its cause is down, and [`leave_ms`] longer: so long its own checks
//!   may need to see that all is well. What is still wrong then stands for itself.
//! - A part lends its loudness to its cause, so a page is never lost in a ticket.
//! - **Hold.** What newly is down waits a little, while something it depends on is suspect or has
//!   not been measured since.

mod graph;
mod view;
mod dependency;
mod platform;
mod hold;

use std::collections::BTreeMap;

use super::book::{Book, Cause, CauseBy, IncidentId};
use super::step::{Ctx, PARTS_MAX, What, grow_louder};
use graph::Graph;
use view::View;

/// How far apart two failures on a platform may begin and still be one. What fails on it hours
/// later has failed anew, and somebody must hear of it.
pub const PLATFORM_SPREAD_MS: i64 = 3_600_000;

/// Longest time that a part is left to recover after its cause, however seldom it is measured.
pub const LEAVE_MS_MAX: i64 = 3 * 3_600_000;

/// Good results that end an alert.
const GOOD_TO_RESOLVE: i64 = 3;

/// Causes as they are decided, by place in the views.
struct Causes {
    parent: Vec<Option<usize>>,
    by: Vec<Option<CauseBy>>,
    /// Of which open incident it still is a part, though that is over.
    lingers: Vec<Option<usize>>,
    /// What it was a part of is no cause of it any more: it stands for itself at once.
    orphan: Vec<bool>,
}

/// Most times that causes are decided in one step. What one decision frees the next may use; where
/// systems depend on each other in circles it takes more than one.
const ROUNDS_MAX: usize = 8;

/// Decides causes and holds until nothing changes any more, and says what changed.
pub(super) fn settle(book: &mut Book, ctx: &mut Ctx<'_>) {
    for _ in 0..ROUNDS_MAX {
        let before = ctx.happened.len();
        once(book, ctx);
        if ctx.happened.len() == before {
            return;
        }
    }
}

fn once(book: &mut Book, ctx: &mut Ctx<'_>) {
    let views = view::all(book, ctx);
    if views.is_empty() {
        return;
    }
    let graph = Graph::of(&ctx.index.facts.roster.systems, |id| ctx.index.place(id));
    let mut causes = Causes::kept(&views);
    dependency::decide(&views, &graph, &mut causes);
    platform::decide(&views, &mut causes);
    for at in 0..views.len() {
        apply(book, &views, &causes, at, ctx);
    }
    lend(book, &views, &causes, ctx);
    hold::decide(book, &views, &graph, ctx);
}

/// How long after the end of its cause a part may take to recover.
fn leave_ms(view: &View, ctx: &Ctx<'_>) -> i64 {
    let results = view.interval_ms.saturating_mul(GOOD_TO_RESOLVE);
    let wait = ctx.alerting.dependency_wait_ms.max(0);
    wait.saturating_add(results).saturating_add(view.timeout_ms).min(LEAVE_MS_MAX)
}

impl Causes {
    /// What goes on: a cause that is still down stays the cause, whatever else there is. A cause by
    /// platform must still be one.
    fn kept(views: &[View]) -> Self {
        let places: BTreeMap<&IncidentId, usize> =
            views.iter().enumerate().map(|(at, it)| (&it.id, at)).collect();
        let n = views.len();
        let mut causes = Self {
            parent: vec![None; n],
            by: vec![None; n],
            lingers: vec![None; n],
            orphan: vec![false; n],
        };
        for (at, view) in views.iter().enumerate() {
            let Some(cause) = &view.cause else { continue };
            let Some(parent) = places.get(&cause.incident).copied() else { continue };
            let holds = match &cause.by {
                CauseBy::Dependency => true,
                CauseBy::Platform(name) => platform::shares(view, &views[parent], name),
            };
            if views[parent].down.is_none() || !view.speaks {
                causes.lingers[at] = Some(parent);
                continue;
            }
            if holds && !causes.is_above(at, parent) {
                causes.set(at, parent, cause.by.clone());
            } else {
                causes.orphan[at] = true;
            }
        }
        causes
    }

    fn set(&mut self, at: usize, parent: usize, by: CauseBy) {
        self.parent[at] = Some(parent);
        self.by[at] = Some(by);
        self.lingers[at] = None;
    }

    fn orphan(&mut self, at: usize) {
        self.parent[at] = None;
        self.by[at] = None;
        self.orphan[at] = true;
    }

    fn is_by_dependency(&self, at: usize) -> bool {
        self.by[at] == Some(CauseBy::Dependency)
    }

    /// Whether it still is a part of what is over.
    fn is_lingering(&self, at: usize, view: &View) -> bool {
        view.cause.is_some() && self.parent[at].is_none() && !self.orphan[at]
    }

    /// The cause of the cause and so on, as far as `depends_on` goes.
    fn top_by_dependency(&self, at: usize) -> usize {
        let mut top = at;
        while let (Some(above), true) = (self.parent[top], self.is_by_dependency(top)) {
            top = above;
        }
        top
    }

    /// Whether `at` is, through others, the cause of `of`; then `of` can't be the cause of `at`.
    fn is_above(&self, at: usize, of: usize) -> bool {
        let mut next = Some(of);
        for _ in 0..=self.parent.len() {
            match next {
                Some(it) if it == at => return true,
                Some(it) => next = self.parent[it].or(self.lingers[it]),
                None => return false,
            }
        }
        true
    }
}

/// Writes what was decided of one incident.
fn apply(book: &mut Book, views: &[View], causes: &Causes, at: usize, ctx: &mut Ctx<'_>) {
    let view = &views[at];
    let Some(incident) = book.incidents.get_mut(&view.id) else { return };
    if let (Some(parent), Some(by)) = (causes.parent[at], &causes.by[at]) {
        let new = Cause { incident: views[parent].id.clone(), by: by.clone(), until: None };
        if incident.cause.as_ref() == Some(&new) {
            return;
        }
        let goes_on = incident.cause.as_ref().is_some_and(|it| it.incident == new.incident);
        incident.cause = Some(new.clone());
        incident.held_until = None;
        if !goes_on {
            ctx.tell(incident, What::JoinedCause(new));
            adopt(book, &views[parent].id, &view.id);
        }
        return;
    }
    if !view.speaks {
        return;
    }
    let Some(cause) = &mut incident.cause else { return };
    let is_other = match &cause.by {
        CauseBy::Dependency => false,
        CauseBy::Platform(name) => view.down.is_some() && !view.is_all_on(name),
    };
    let goes_on = !is_other && !causes.orphan[at];
    let until = *cause.until.get_or_insert(ctx.now.plus_ms(leave_ms(view, ctx)));
    if !goes_on || ctx.now >= until {
        let what = What::LeftCause { cause: cause.incident.clone() };
        incident.cause = None;
        ctx.tell(incident, what);
    }
}

fn adopt(book: &mut Book, cause: &IncidentId, part: &IncidentId) {
    let Some(cause) = book.incidents.get_mut(cause) else { return };
    if let Err(place) = cause.parts.binary_search(part) {
        cause.parts.insert(place, part.clone());
        if cause.parts.len() > PARTS_MAX {
            cause.parts.remove(0);
        }
    }
}

/// Makes each cause as loud as the loudest of its parts that is not in maintenance.
fn lend(book: &mut Book, views: &[View], causes: &Causes, ctx: &mut Ctx<'_>) {
    let mut loudest: Vec<_> = views.iter().map(|it| it.severity).collect();
    for (at, view) in views.iter().enumerate() {
        let mut next = causes.parent[at];
        while let Some(above) = next {
            if view.severity <= loudest[above] {
                break;
            }
            loudest[above] = view.severity;
            next = causes.parent[above];
        }
    }
    for (at, view) in views.iter().enumerate() {
        let (Some(severity), Some(incident)) = (loudest[at], book.incidents.get_mut(&view.id))
        else {
            continue;
        };
        if severity > incident.severity {
            grow_louder(incident, severity);
            ctx.tell(incident, What::Worsened { kind: incident.kind, severity });
        }
    }
}

#[cfg(test)]
mod tests;
