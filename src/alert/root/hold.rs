//! What newly is down waits for its dependencies to speak.

use super::graph::Graph;
use super::view::View;
use crate::alert::book::Book;
use crate::alert::facts::SystemFacts;
use crate::alert::step::{Ctx, What};
use crate::availability::live::Alarm;
use crate::model::time::Millis;

/// What is known of systems.
#[derive(Clone, Copy)]
struct Known {
    /// The newest result of a check is bad, and not confirmed.
    suspect: bool,
    /// The oldest of the newest results.
    until: Millis,
}

const ALL: Known = Known { suspect: false, until: Millis(i64::MAX) };

/// Holds what newly is down and has no cause, if a dependency is suspect or was not measured
/// since its first bad result; and lets go what is held, as soon as all have spoken or after the wait. What was paged
/// before is not held again.
pub(super) fn decide(book: &mut Book, views: &[View], graph: &Graph, ctx: &mut Ctx<'_>) {
    let systems = &ctx.index.facts.systems;
    let known: Vec<Known> =
        (0..graph.len()).map(|at| systems.get(at).map_or(ALL, Known::of)).collect();
    let above = graph.above(&known, ALL, Known::and);
    let wait_ms = ctx.alerting.dependency_wait_ms;
    for view in views {
        let Some(incident) = book.incidents.get_mut(&view.id) else { continue };
        let circle = graph.circle(view.place).iter().filter(|it| **it != view.place);
        let known = circle.map(|it| known[*it]).fold(above[view.place], Known::and);
        // Its first bad result lies up to half an interval after its back-dated beginning.
        let first_bad = view.down.map(|since| since.plus_ms(view.interval_ms / 2));
        let waits = incident.cause.is_none()
            && first_bad.is_some_and(|it| known.suspect || known.until <= it);
        let fresh = ctx.newly_down.remove(&view.id) && incident.escalation.begun.is_none();
        if waits && fresh && wait_ms > 0 {
            let until = ctx.now.plus_ms(wait_ms);
            incident.held_until = Some(until);
            ctx.tell(incident, What::Held { until });
        } else if incident.held_until.is_some_and(|until| !waits || ctx.now >= until) {
            incident.held_until = None;
            ctx.tell(incident, What::Released);
        }
    }
}

impl Known {
    fn of(system: &SystemFacts) -> Self {
        let critical = system.checks.iter().filter(|it| it.check.critical);
        critical.fold(ALL, |known, it| {
            known.and(Self {
                suspect: it.fault.is_some() && it.alarm == Alarm::Quiet,
                until: it.last.unwrap_or(Millis(i64::MIN)),
            })
        })
    }

    fn and(self, other: Self) -> Self {
        Self { suspect: self.suspect || other.suspect, until: self.until.min(other.until) }
    }
}
