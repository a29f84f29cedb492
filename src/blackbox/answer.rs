//! What a probe answers: the metrics of blackbox_exporter, from what one run of ours saw.
//!
//! Names, labels and meanings are the original's. Where it misleads we are right instead, and
//! `docs/blackbox.md` lists it: time goes to the phase that it was spent in, also when that
//! phase failed, so phases sum to the probe's duration; a certificate is reported whether it is
//! valid or not.

mod dialogue;
mod dns;
mod http;
mod tls;

use std::net::IpAddr;

use crate::model::kept::Kept;
use crate::model::observation::Observation;
use crate::model::phases::Phase;
use crate::model::reason::Reason;
use crate::model::time::Micros;

use super::module::{Module, Prober};
use super::text::Page;

/// What one probe came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// Whether all that the module asks for holds.
    pub success: bool,
    /// Why not, in a sentence.
    pub why: Option<String>,
    /// The metrics, in Prometheus' text format.
    pub metrics: String,
}

/// Judges what a run of `module` saw, whose timeout was `timeout`.
#[must_use]
pub fn answer(module: &Module, seen: &Observation, timeout: Micros) -> Answered {
    let mut page = Page::default();
    let verdict = match &module.prober {
        Prober::Http(module) => http::answer(module, seen, &mut page),
        Prober::Tcp(module) | Prober::Unix(module) => dialogue::answer(module, seen, &mut page),
        Prober::Websocket(module) => dialogue::websocket(module, seen, &mut page),
        Prober::Dns(module) => dns::answer(module, seen, &mut page),
        Prober::Icmp(_) => icmp(seen, &mut page),
        Prober::Grpc(_) => grpc(seen, &mut page),
    };
    if !matches!(module.prober, Prober::Unix(_) | Prober::Websocket(_)) {
        address(seen, &mut page);
    }
    let success = verdict.is_ok();
    page.flag("probe_success", "Whether the probe was a success", success);
    let total = seconds(seen.phases.total());
    page.gauge("probe_duration_seconds", "How long the probe took, in seconds", total);
    let timeout = seconds(timeout);
    page.gauge("probe_timeout_seconds", "The deadline of the probe, in seconds", timeout);
    Answered { success, why: verdict.err(), metrics: page.text() }
}

/// What is wrong with a run before any rule of a module; `Err` in a sentence.
fn came_whole(seen: &Observation) -> Result<(), String> {
    match seen.reason {
        Reason::None | Reason::OverSlow => Ok(()),
        reason => {
            let why = seen.detail.why.as_deref().unwrap_or("no more is known");
            Err(format!("{}: {why}", reason.as_str()))
        }
    }
}

fn seconds(time: Micros) -> f64 {
    f64::from(time.0) / 1e6
}

/// Time in `phases`, in seconds.
fn spent(seen: &Observation, phases: &[Phase]) -> f64 {
    seconds(Micros(phases.iter().map(|phase| seen.phases.get(*phase).0).sum()))
}

/// Which address the probe went to first, and how long finding it took.
fn address(seen: &Observation, page: &mut Page) {
    let first = seen.detail.hops.first();
    let lookup = first.map_or(seen.phases, |hop| hop.phases).get(Phase::Dns);
    let help = "How long finding the address of the target took, in seconds";
    page.gauge("probe_dns_lookup_time_seconds", help, seconds(lookup));
    let remote = match first {
        Some(hop) => hop.remote.map(|it| it.ip()),
        None => seen.detail.remote.map(|it| it.ip()),
    };
    let remote = remote.or_else(|| seen.detail.addresses.first().copied());
    let family = remote.map_or(0.0, |ip| if ip.is_ipv4() { 4.0 } else { 6.0 });
    page.gauge("probe_ip_protocol", "Whether the target was reached over IPv4 or IPv6", family);
    let help = "A hash of the target's address, to see when it changes";
    page.gauge("probe_ip_addr_hash", help, remote.map_or(0.0, hash));
}

/// FNV-1a of 32 bits over the bytes of an address, as the original has it.
fn hash(ip: IpAddr) -> f64 {
    let over = |bytes: &[u8]| {
        let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(16_777_619);
        f64::from(bytes.iter().fold(2_166_136_261, step))
    };
    match ip {
        IpAddr::V4(v4) => over(&v4.octets()),
        IpAddr::V6(v6) => over(&v6.octets()),
    }
}

/// Adds how long each of `phases` took.
fn durations(name: &'static str, help: &'static str, phases: &[(&str, f64)], page: &mut Page) {
    for (phase, length) in phases {
        page.labelled(name, help, ("phase", phase), *length);
    }
}

fn icmp(seen: &Observation, page: &mut Page) -> Result<(), String> {
    let phases = [
        ("resolve", spent(seen, &[Phase::Dns])),
        ("setup", spent(seen, &[Phase::Connect])),
        ("rtt", spent(seen, &[Phase::Send, Phase::Wait])),
    ];
    durations("probe_icmp_duration_seconds", "Duration of the echo by phase", &phases, page);
    if let Some(Kept::Icmp { hop_limit: Some(limit) }) = seen.detail.kept.as_deref() {
        let help = "The hop limit (TTL in IPv4) that the reply came with";
        page.gauge("probe_icmp_reply_hop_limit", help, f64::from(*limit));
    }
    came_whole(seen)
}

/// What the health service can say, by number.
const SERVING: [&str; 4] = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

fn grpc(seen: &Observation, page: &mut Page) -> Result<(), String> {
    let all = [Phase::Connect, Phase::Tls, Phase::Send, Phase::Wait, Phase::Receive];
    let phases = [("resolve", spent(seen, &[Phase::Dns])), ("check", spent(seen, &all))];
    durations("probe_grpc_duration_seconds", "Duration of the call by phase", &phases, page);
    let serving = match seen.detail.kept.as_deref() {
        Some(Kept::Grpc { serving }) => *serving,
        _ => None,
    };
    for (number, name) in (0..).zip(SERVING) {
        let help = "What the health service said";
        let said = f64::from(u8::from(serving == Some(number)));
        page.labelled("probe_grpc_healthcheck_response", help, ("serving_status", name), said);
    }
    page.flag("probe_grpc_ssl", "Whether TLS was spoken", seen.detail.tls.is_some());
    // Where no status came, gRPC libraries call it UNAVAILABLE, or DEADLINE_EXCEEDED in time.
    let status = seen.status.unwrap_or(if is_late(seen.reason) { 4 } else { 14 });
    page.gauge("probe_grpc_status_code", "The gRPC status code", f64::from(status));
    if let Some(facts) = &seen.detail.tls {
        tls::answer(facts, false, page);
    }
    came_whole(seen)
}

fn is_late(reason: Reason) -> bool {
    reason.as_str().starts_with("timeout") || reason == Reason::DnsTimeout
}

#[cfg(test)]
mod tests;
