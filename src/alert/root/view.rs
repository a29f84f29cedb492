//! An open incident of a service, as far as causes are about it.

use crate::alert::book::{Book, Cause, Incident, IncidentId, Said};
use crate::alert::condition::{Kind, Thread};
use crate::alert::facts::{CheckFacts, SystemFacts};
use crate::alert::step::Ctx;
use crate::model::alerting::rules::Severity;
use crate::model::time::Millis;

/// An open incident of a service.
pub(super) struct View {
    /// Its id.
    pub(super) id: IncidentId,
    /// Year and number: earlier ones opened earlier.
    pub(super) number: (i16, u32),
    /// The place of its system in the roster.
    pub(super) place: usize,
    /// Of what it was a part so far.
    pub(super) cause: Option<Cause>,
    /// Whether anything is true of it now.
    pub(super) speaks: bool,
    /// Since when it is down, if it is.
    pub(super) down: Option<Millis>,
    /// Since when the heaviest of it is true.
    pub(super) since: Millis,
    /// How loud it is now; `None`: it is calm, or in maintenance.
    pub(super) severity: Option<Severity>,
    /// The longest interval and timeout of the checks that say so.
    pub(super) interval_ms: i64,
    pub(super) timeout_ms: i64,
    /// The one platform of all critical checks that are down.
    pub(super) platform: Option<String>,
}

impl View {
    /// How uncertain its beginning is: as it was measured.
    pub(super) fn slack_ms(&self) -> i64 {
        self.interval_ms.saturating_add(self.timeout_ms)
    }

    /// Whether it is down, and all that is runs on this platform.
    pub(super) fn is_all_on(&self, platform: &str) -> bool {
        self.down.is_some() && self.platform.as_deref() == Some(platform)
    }
}

/// Every open incident of a service that is watched, as they opened.
pub(super) fn all(book: &Book, ctx: &Ctx<'_>) -> Vec<View> {
    let open = book.incidents.values().filter(|it| it.is_open());
    let mut views: Vec<View> = open.filter_map(|it| view(it, ctx)).collect();
    views.sort_by_key(|it| it.number);
    views
}

fn view(incident: &Incident, ctx: &Ctx<'_>) -> Option<View> {
    let Thread::Service(system) = &incident.thread else { return None };
    let place = ctx.index.place(system)?;
    let of = ctx.index.facts.systems.get(place)?;
    let down = incident.now.iter().find(|it| it.kind == Kind::Down);
    let (interval_ms, timeout_ms) = slowest(incident, of, ctx);
    let loudest = incident.now.iter().map(|it| it.severity).max();
    Some(View {
        id: incident.id.clone(),
        number: incident.id.number(),
        place,
        cause: incident.cause.clone(),
        speaks: !incident.now.is_empty(),
        down: down.map(|it| it.since),
        since: down.or(incident.now.first()).map_or(incident.since, |it| it.since),
        severity: loudest.filter(|_| !incident.maintained),
        interval_ms,
        timeout_ms,
        platform: down.and_then(|it| platform(it, ctx)),
    })
}

/// The longest interval and timeout of the checks that an incident names, or of all.
fn slowest(incident: &Incident, of: &SystemFacts, ctx: &Ctx<'_>) -> (i64, i64) {
    let named = incident.now.iter().flat_map(|it| &it.checks);
    let named: Vec<&CheckFacts> = named.filter_map(|it| ctx.index.check(it)).collect();
    let checks = if named.is_empty() { of.checks.iter().collect() } else { named };
    let longest = |length: fn(&CheckFacts) -> i64| checks.iter().map(|it| length(it)).max();
    let interval_ms = longest(|it| it.check.interval_ms).unwrap_or_default();
    (interval_ms, longest(|it| it.check.timeout.whole_ms()).unwrap_or_default())
}

/// The one platform of all checks that say so.
fn platform(said: &Said, ctx: &Ctx<'_>) -> Option<String> {
    let mut names = said.checks.iter().map(|it| ctx.index.check(it)?.check.platform.as_deref());
    let first = names.next()??;
    names.all(|it| it == Some(first)).then(|| first.to_owned())
}
