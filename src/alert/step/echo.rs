//! What is still true only because windows remember what was told already.

use crate::alert::book::{Book, Incident};
use crate::alert::condition::{Condition, Kind, Thread};
use crate::alert::facts::TroubleKind;
use crate::availability::burn::{BurnState, RULES, Severity};
use crate::model::time::Millis;

use super::Ctx;

/// Whether `condition` only repeats the outage of `incident`, which is over since `over`.
///
/// A burn rate stays over for as long as its short window holds the outage. If it is over for
/// longer, something new burns.
pub(super) fn of_outage(
    incident: &Incident,
    over: Millis,
    condition: &Condition,
    ctx: &Ctx<'_>,
) -> bool {
    let severity = match condition.kind {
        Kind::BurnFast => Severity::Page,
        Kind::BurnSlow => Severity::Ticket,
        _ => return false,
    };
    if !matches!(incident.kind, Kind::Down | Kind::Partial) {
        return false;
    }
    let Some((_, of)) = ctx.index.system_of(&condition.thread) else { return false };
    let since = ctx.since(over);
    let rules = RULES.iter().zip(&of.burn).filter(|(it, _)| it.severity == severity);
    let mut over = rules.filter(|(_, state)| **state == BurnState::Over);
    over.all(|(rule, _)| since < rule.short_ms)
}

/// Whether `condition` only says that the vantage was blind a short while ago.
pub(super) fn of_blindness(condition: &Condition, ctx: &Ctx<'_>) -> bool {
    if condition.kind != Kind::Coverage {
        return false;
    }
    let system = ctx.index.system_of(&condition.thread);
    let window_ms = system.map_or(0, |(it, _)| it.alert.rules.coverage_window_ms);
    ctx.index.is_blind() || ctx.sees_since.is_some_and(|it| ctx.since(it) < window_ms)
}

/// When the vantage last began to see again, as far as the book knows. While it is not known yet
/// whether it sees, that is `now`.
pub(super) fn sees_since(book: &Book, now: Millis) -> Option<Millis> {
    let blind = |it: &&Incident| matches!(it.thread, Thread::Monitor(TroubleKind::Blind, _));
    let of = |it: &Incident| it.calm_since.or(it.closed).unwrap_or(now);
    book.incidents.values().filter(blind).map(of).max()
}
