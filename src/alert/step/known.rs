//! An incident that is open: what is said of it changes, ends, or comes back.

use crate::alert::book::{Ending, Incident, Said};
use crate::alert::condition::{Condition, Kind, Thread};
use crate::alert::rules;

use super::{Ctx, What, echo, end, grow_louder, says, unknown};

/// Returns that are remembered, the newest: as many as any sensible setting counts.
const RETURNS_MAX: usize = 64;

/// Takes in what is true now of an open incident's thread.
pub(super) fn update(incident: &mut Incident, said: &[&Condition], ctx: &mut Ctx<'_>) {
    let said = real(incident, said, ctx);
    if !said.is_empty() {
        if incident.calm_since.take().is_some() {
            incident.returns.push(ctx.now);
            ctx.tell(incident, What::Returned);
            count_returns(incident, ctx);
        }
        say(incident, &said, ctx);
        return;
    }
    if is_gone(incident, ctx) {
        close(incident, Ending::Removed, ctx);
        return;
    }
    if unknown::is_unknown(incident, ctx) {
        return; // That nothing is said does not mean that it is over.
    }
    if incident.calm_since.is_none() {
        incident.now.clear();
        incident.held_until = None;
        incident.calm_since = Some(ctx.now);
        ctx.tell(incident, What::Calm);
    }
    let flapping = &ctx.alerting.flapping;
    let needed = match &incident.thread {
        // It does not come back by itself, and the next one is an incident of its own.
        Thread::Drill(_) => 0,
        _ if incident.flapping => flapping.calm_ms,
        _ => ctx.alerting.resolve_after_ms,
    };
    if incident.calm_since.is_some_and(|it| ctx.since(it) >= needed) {
        close(incident, Ending::Recovered, ctx);
    }
}

fn close(incident: &mut Incident, ending: Ending, ctx: &mut Ctx<'_>) {
    let happened = end(incident, ending, ctx.now);
    ctx.tell(incident, happened.what);
}

/// What is said, without the echo of an outage that was told in this incident. What burns after
/// it was found to be new, and burns alone, is no echo.
fn real<'a>(incident: &Incident, said: &[&'a Condition], ctx: &Ctx<'_>) -> Vec<&'a Condition> {
    let burns = |it: &Said| matches!(it.kind, Kind::BurnFast | Kind::BurnSlow);
    let is_new = !incident.now.is_empty() && incident.now.iter().all(burns);
    let over = incident.calm_since.unwrap_or(ctx.now);
    let is_echo = |it: &Condition| !is_new && echo::of_outage(incident, over, it, ctx);
    if said.iter().all(|it| is_echo(it)) { Vec::new() } else { said.to_vec() }
}

/// Puts what is true now into the incident: what goes on keeps its beginning, and its reason if
/// there is no newer one.
pub(super) fn say(incident: &mut Incident, said: &[&Condition], ctx: &mut Ctx<'_>) {
    let mut now: Vec<Said> = Vec::with_capacity(said.len());
    let mut renewed = None;
    for condition in said {
        let mut new = Said::of(condition);
        if let Some(old) = incident.now.iter().find(|it| it.kind == new.kind) {
            new.since = new.since.min(old.since);
            new.reason = new.reason.or_else(|| old.reason.clone());
            new.why = new.why.or_else(|| old.why.clone());
            renewed = renewed.or_else(|| crossed(condition, old, ctx));
        }
        now.push(new);
    }
    now.sort_by_key(|it| std::cmp::Reverse((it.kind, it.severity)));
    now.dedup_by_key(|it| it.kind);
    let down = now.iter().any(|it| it.kind == Kind::Down);
    if down && !says(incident, Kind::Down) {
        ctx.newly_down.insert(incident.id.clone());
    }
    incident.now = now;
    incident.since = incident.now.iter().map(|it| it.since).fold(incident.since, Ord::min);
    let kind = incident.now.iter().map(|it| it.kind).fold(incident.kind, Ord::max);
    let severity = incident.now.iter().map(|it| it.severity).fold(incident.severity, Ord::max);
    if (kind, severity) != (incident.kind, incident.severity) {
        incident.kind = kind;
        grow_louder(incident, severity);
        ctx.tell(incident, What::Worsened { kind, severity });
    } else if let Some(days_left) = renewed {
        ctx.tell(incident, What::Renewed { days_left });
    }
    let maintained = said.iter().all(|it| it.maintained);
    if maintained != incident.maintained {
        incident.maintained = maintained;
        ctx.tell(incident, What::Maintained(maintained));
    }
}

/// The days left, if a certificate has reached the next threshold since it was last said.
fn crossed(condition: &Condition, old: &Said, ctx: &Ctx<'_>) -> Option<i64> {
    let (Kind::Certificate, Some(new), Some(old)) = (condition.kind, condition.number, old.number)
    else {
        return None;
    };
    let (system, _) = ctx.index.system_of(&condition.thread)?;
    let threshold = |left| rules::threshold(&system.alert.rules, left);
    (threshold(new)? < threshold(old)?).then_some(new)
}

/// Counts how often it came back of late.
pub(super) fn count_returns(incident: &mut Incident, ctx: &mut Ctx<'_>) {
    let flapping = &ctx.alerting.flapping;
    incident.returns.retain(|it| ctx.since(*it) < flapping.within_ms);
    let many = incident.returns.len().saturating_sub(RETURNS_MAX.max(flapping.times));
    incident.returns.drain(..many);
    if !incident.flapping && incident.returns.len() >= flapping.times {
        incident.flapping = true;
        ctx.tell(incident, What::BecameFlapping);
    }
}

/// Whether what the incident is about is not watched any more: its system, every check that said
/// so, or the objective.
fn is_gone(incident: &Incident, ctx: &Ctx<'_>) -> bool {
    let checks = || incident.now.iter().flat_map(|it| &it.checks);
    match &incident.thread {
        Thread::Monitor(..) | Thread::Drill(_) => false,
        Thread::Certificate(check) => ctx.index.check(check).is_none(),
        Thread::Service(system) => {
            let none_left = || checks().all(|it| ctx.index.check(it).is_none());
            ctx.index.system(system).is_none() || (checks().next().is_some() && none_left())
        }
        Thread::Coverage(id) => ctx.index.system(id).is_none_or(|(_, it)| it.standing.is_none()),
        Thread::Objective(id) => ctx.index.system(id).is_none_or(|(it, _)| it.objective.is_none()),
    }
}

/// Whether all of it is no heavier and no louder than the incident ever was.
pub(super) fn is_no_worse(incident: &Incident, said: &[&Condition]) -> bool {
    said.iter().all(|it| it.severity <= incident.severity && it.kind <= incident.kind)
}
