//! What is not known yet: after a start figures must be worked out, certificates seen again and
//! troubles noticed again before silence means that something is over.

use crate::alert::book::Incident;
use crate::alert::condition::{Kind, Thread};
use crate::alert::facts::{TROUBLES_MS, TroubleKind};

use super::Ctx;

/// Whether it is not known whether what `incident` is about goes on, though nothing is said of it.
/// What is not watched any more, or not worth telling, is no such thing.
pub(super) fn is_unknown(incident: &Incident, ctx: &Ctx<'_>) -> bool {
    let facts = ctx.index.facts;
    let system = ctx.index.system_of(&incident.thread);
    let Some((rules, (system, of))) = system.map(|it| (&it.0.alert.rules, it)) else {
        // Some are known at the first look: a start reads the configuration and the rota.
        let troubles = match &incident.thread {
            Thread::Monitor(kind, _) => {
                !matches!(kind, TroubleKind::ConfigurationRefused | TroubleKind::RotaHole)
            }
            _ => false,
        };
        return troubles && ctx.since(facts.begun) < TROUBLES_MS;
    };
    match &incident.thread {
        // Alarms are restored; burn rates are not.
        Thread::Service(_) => {
            let burns = rules.burn && system.objective.is_some() && of.in_hours && !of.maintained;
            burns && of.burn.is_empty() && says_only_burn(incident)
        }
        Thread::Certificate(id) => ctx.index.check(id).is_some_and(|it| {
            // A good result without a certificate: it has none any more.
            let good = it.fault.is_none() && it.last.is_some_and(|last| last >= facts.begun);
            !rules.certificate_days.is_empty() && it.not_after.is_none() && !good
        }),
        // While the vantage is blind nothing is said of coverage: it is not back.
        Thread::Coverage(_) => {
            rules.coverage.is_some() && (ctx.index.is_blind() || of.coverage_ppm.is_none())
        }
        Thread::Objective(_) => rules.objective.is_some() && of.budget.is_none(),
        Thread::Monitor(..) | Thread::Drill(_) => false,
    }
}

/// Whether burn rates are all that is, or was last, told of it.
fn says_only_burn(incident: &Incident) -> bool {
    let is_burn = |kind| matches!(kind, Kind::BurnFast | Kind::BurnSlow);
    match incident.now.as_slice() {
        [] => is_burn(incident.kind),
        now => now.iter().all(|it| is_burn(it.kind)),
    }
}
