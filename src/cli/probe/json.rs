//! One run as JSON: everything that was seen, for scripts.

use serde_json::{Value, json};

use super::Seen;
use crate::model::check::Check;
use crate::model::observation::{CertFacts, Hop, TlsFacts};
use crate::model::phases::{Phase, Phases};

/// One object with a list of lanes.
pub(super) fn text(check: &Check, seen: &[Seen]) -> serde_json::Result<String> {
    let lanes: Vec<Value> = seen.iter().map(lane).collect();
    let kind = check.spec.kind();
    serde_json::to_string_pretty(
        &json!({ "check": check.id.as_str(), "kind": kind, "lanes": lanes }),
    )
}

fn lane(seen: &Seen) -> Value {
    let it = &seen.observation;
    let detail = &it.detail;
    json!({
        "lane": seen.lane.as_str(),
        "started_ms": seen.started.0,
        "outcome": it.reason.outcome().as_str(),
        "reason": it.reason.as_str(),
        "why": detail.why,
        "total_us": it.phases.total().0,
        "phases_us": phases(it.phases),
        "status": it.status,
        "bytes": it.bytes,
        "http_version": detail.http_version,
        "addresses": detail.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "remote": detail.remote.map(|it| it.to_string()),
        "retry_after_s": it.retry_after.map(|it| it.as_secs()),
        "aside_us": detail.aside.0,
        "hops": detail.hops.iter().map(hop).collect::<Vec<_>>(),
        "tls": detail.tls.as_ref().map(tls),
        "answer": detail.answer,
    })
}

fn phases(phases: Phases) -> Value {
    let one = |phase: Phase| (phase.as_str().to_owned(), json!(phases.get(phase).0));
    Value::Object(Phase::ALL.into_iter().map(one).collect())
}

fn hop(hop: &Hop) -> Value {
    json!({ "url": hop.url, "status": hop.status, "phases_us": phases(hop.phases) })
}

fn tls(tls: &TlsFacts) -> Value {
    json!({
        "version": tls.version,
        "cipher": tls.cipher,
        "alpn": tls.alpn,
        "fault": tls.fault.as_ref().map(|(reason, why)| json!({ "reason": reason.as_str(), "why": why })),
        "chain_not_after_ms": tls.chain_not_after.map(|it| it.0),
        "chain": tls.chain.iter().map(certificate).collect::<Vec<_>>(),
    })
}

fn certificate(it: &CertFacts) -> Value {
    json!({
        "subject": it.subject, "issuer": it.issuer, "names": it.names, "serial": it.serial,
        "not_before_ms": it.not_before.0, "not_after_ms": it.not_after.0, "sha256": it.sha256,
    })
}
