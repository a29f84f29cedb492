//! A thread without an open incident: a new one, the last one again, or nothing new.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alert::book::{Book, Ending, Escalation, Incident, IncidentId};
use crate::alert::condition::{Condition, Thread};
use crate::model::id::TeamId;
use crate::model::time::Millis;

use super::{Ctx, What, echo, known, reopen};

/// Opens an incident for what is said of one thread, if it is news.
pub(super) fn open(
    book: &mut Book,
    latest: Option<&IncidentId>,
    said: &[&Condition],
    zone: &TimeZone,
    ctx: &mut Ctx<'_>,
) {
    let mut returns = Vec::new();
    if let Some(last) = latest.and_then(|it| book.incidents.get_mut(it)) {
        let over = last.calm_since.or(last.closed).unwrap_or(ctx.now);
        let echo = |it: &&Condition| echo::of_outage(last, over, it, ctx);
        if said.iter().all(echo) || is_quiet(last, said, ctx) {
            return;
        }
        let closed = last.closed.unwrap_or(ctx.now);
        if last.ending == Some(Ending::ByHand) && !last.now.is_empty() {
            come_back(last, said, ctx);
            return;
        }
        let flapping = &ctx.alerting.flapping;
        // One drill after the other is no flapping: each is to be answered.
        let counts =
            last.ending != Some(Ending::Removed) && !matches!(last.thread, Thread::Drill(_));
        if counts && ctx.since(closed) < flapping.within_ms {
            let recent = last.returns.iter().filter(|it| ctx.since(**it) < flapping.within_ms);
            returns = recent.copied().chain([ctx.now]).collect();
            if returns.len() >= flapping.times {
                last.returns = returns;
                come_back(last, said, ctx);
                return;
            }
        }
    }
    if said.iter().all(|it| echo::of_blindness(it, ctx)) {
        return;
    }
    let Some(first) = said.first() else { return };
    let mut incident = begin(next_id(book, ctx.now, zone), &first.thread, said, ctx);
    incident.returns = returns;
    let (kind, severity) = (incident.kind, incident.severity);
    ctx.tell(&mut incident, What::Opened { kind, severity });
    known::say(&mut incident, said, ctx);
    book.incidents.insert(incident.id.clone(), incident);
}

/// The conversation goes on under its number.
fn come_back(last: &mut Incident, said: &[&Condition], ctx: &mut Ctx<'_>) {
    reopen(last);
    last.now.clear();
    ctx.tell(last, What::Reopened);
    known::count_returns(last, ctx);
    known::say(last, said, ctx);
}

/// Whether a person closed it, and what they closed goes on, no worse, for not too long.
fn is_quiet(last: &Incident, said: &[&Condition], ctx: &Ctx<'_>) -> bool {
    let by_hand = last.ending == Some(Ending::ByHand) && !last.now.is_empty();
    let long = last.closed.is_none_or(|it| ctx.since(it) >= ctx.alerting.ack_timeout_ms);
    by_hand && !long && known::is_no_worse(last, said)
}

fn begin(id: IncidentId, thread: &Thread, said: &[&Condition], ctx: &Ctx<'_>) -> Incident {
    let heaviest = said.iter().map(|it| it.kind).max();
    let loudest = said.iter().map(|it| it.severity).max();
    let first = &said[0];
    Incident {
        id,
        thread: thread.clone(),
        team: team(thread, ctx),
        kind: heaviest.unwrap_or(first.kind),
        severity: loudest.unwrap_or(first.severity),
        since: said.iter().map(|it| it.since).min().unwrap_or(ctx.now),
        opened: ctx.now,
        now: Vec::new(),
        calm_since: None,
        closed: None,
        ending: None,
        cause: None,
        returns: Vec::new(),
        flapping: false,
        maintained: false,
        paged: false,
        held_until: None,
        ack: None,
        escalation: Escalation::default(),
        parts: Vec::new(),
        log: Vec::new(),
    }
}

/// Who answers for it: the system's team, the team of a drill, else the first.
fn team(thread: &Thread, ctx: &Ctx<'_>) -> Option<TeamId> {
    if let Thread::Drill(team) = thread {
        return TeamId::new(team).ok();
    }
    let own = ctx.index.system_of(thread).and_then(|(it, _)| it.alert.team.clone());
    own.or_else(|| ctx.alerting.teams.first().map(|it| it.id.clone()))
}

/// The next number. A year that the clock has once seen is not left again, so that numbers only
/// rise.
fn next_id(book: &mut Book, now: Millis, zone: &TimeZone) -> IncidentId {
    let (last_year, n) = book.last;
    let year = Timestamp::from_millisecond(now.0)
        .map_or(last_year, |it| zone.to_datetime(it).year())
        .clamp(0, 9_999);
    book.last = if year > last_year { (year, 1) } else { (last_year, n.saturating_add(1)) };
    IncidentId::new(book.last.0, book.last.1)
}
