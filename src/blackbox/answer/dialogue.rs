//! Probers `tcp`, `unix` and `websocket`: a dialogue, whatever carries it.

use crate::model::kept::{DialogueKept, Kept, Unmet};
use crate::model::observation::Observation;

use super::super::module::{Dialogue, Expect, Websocket};
use super::super::text::Page;
use super::{came_whole, tls};

/// Probers `tcp` and `unix`.
pub(super) fn answer(module: &Dialogue, seen: &Observation, page: &mut Page) -> Result<(), String> {
    let help = "Whether a pattern failed the probe";
    page.flag("probe_failed_due_to_regex", help, unmet(seen) == Some(Unmet::Pattern));
    if module.exchanges.iter().any(|it| matches!(it.expect, Some(Expect::Bytes(_)))) {
        let help = "Whether bytes that were not expected failed the probe";
        page.flag("probe_failed_due_to_bytes", help, unmet(seen) == Some(Unmet::Bytes));
    }
    labels(seen, page);
    let speaks_tls = module.tls || module.exchanges.iter().any(|it| it.starttls);
    if let Some(facts) = seen.detail.tls.as_ref().filter(|_| speaks_tls) {
        tls::answer(facts, false, page);
    }
    came_whole(seen)
}

/// Prober `websocket`.
pub(super) fn websocket(
    module: &Websocket,
    seen: &Observation,
    page: &mut Page,
) -> Result<(), String> {
    let status = f64::from(seen.status.unwrap_or(0));
    page.gauge("probe_websocket_status_code", "HTTP status code of the upgrade", status);
    let upgraded = kept(seen).is_some_and(|it| it.upgraded);
    let help = "Whether the connection was switched to WebSocket";
    page.flag("probe_websocket_connection_upgraded", help, upgraded);
    if !module.exchanges.is_empty() {
        let help = "Whether a pattern failed the probe";
        page.flag("probe_websocket_failed_due_to_regex", help, unmet(seen).is_some());
    }
    labels(seen, page);
    if let Some(facts) = &seen.detail.tls {
        tls::answer(facts, false, page);
    }
    came_whole(seen)
}

fn kept(seen: &Observation) -> Option<&DialogueKept> {
    match seen.detail.kept.as_deref() {
        Some(Kept::Dialogue(kept)) => Some(kept),
        _ => None,
    }
}

/// What the peer did not say before it said something else or closed. Silence is nobody's pattern.
fn unmet(seen: &Observation) -> Option<Unmet> {
    kept(seen)?.unmet
}

fn labels(seen: &Observation, page: &mut Page) {
    let labels = kept(seen).map(|it| it.labels.clone()).unwrap_or_default();
    if !labels.is_empty() {
        page.sample("probe_expect_info", "What the peer said, in parts", labels, 1.0);
    }
}
