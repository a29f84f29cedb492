//! One run, explained to a person: what came of it, where the time went, what was seen.

use std::fmt::Write as _;

use super::Seen;
use crate::cli::tame::tame_lines;
use crate::model::check::Check;
use crate::model::observation::{Detail, TlsFacts};
use crate::model::phases::{Phase, Phases};
use crate::model::spec::Spec;
use crate::model::time::Millis;

/// Columns of a phase's bar.
const BAR_COLUMNS: u64 = 44;

/// The explanation, in lines of at most 100 columns (addresses and names may be longer).
pub(super) fn text(check: &Check, seen: &Seen) -> String {
    let Seen { lane, started, observation } = seen;
    let detail = &observation.detail;
    let mut out = String::new();
    let reason = observation.reason;
    let outcome = reason.outcome();
    let _ = writeln!(
        out,
        "{} ({}, {}) {}\n{} · {} / {} · {}",
        check.id,
        check.spec.kind(),
        lane.as_str(),
        stamp(*started),
        outcome.vietnamese(),
        outcome.as_str(),
        reason.as_str(),
        milliseconds(observation.phases.total().0),
    );
    if let Some(why) = &detail.why {
        let _ = writeln!(out, "{why}");
    }
    out.push('\n');
    bars(&mut out, observation.phases);
    out.push('\n');
    facts(&mut out, &check.spec, detail, observation.status, observation.bytes);
    if let Some(tls) = &detail.tls {
        certificates(&mut out, tls);
    }
    for line in &detail.answer {
        let _ = writeln!(out, "  | {line}");
    }
    // Headers, certificates and answers are what a server wrote.
    tame_lines(&out)
}

fn bars(out: &mut String, phases: Phases) {
    let total = u64::from(phases.total().0).max(1);
    for phase in Phase::ALL {
        let us = phases.get(phase).0;
        let columns = (u64::from(us) * BAR_COLUMNS).div_ceil(total);
        let bar = "█".repeat(usize::try_from(columns).unwrap_or(0));
        let line = format!("  {:<8}{:>12}  {bar}", phase.as_str(), milliseconds(us));
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

fn facts(out: &mut String, spec: &Spec, detail: &Detail, status: Option<u16>, bytes: u32) {
    let mut fact = |name: &str, value: String| {
        let _ = writeln!(out, "  {name:<12}{value}");
    };
    if let Some(status) = status {
        fact("status", status.to_string());
    }
    if let Some(version) = detail.http_version {
        let what = if matches!(spec, Spec::Websocket(_)) { "WebSocket" } else { "body" };
        fact("HTTP", format!("{version}, {what} of {bytes} bytes"));
    }
    if let Spec::Unix(unix) = spec {
        fact("socket", unix.path.display().to_string());
    }
    if !detail.addresses.is_empty() {
        let all: Vec<String> = detail.addresses.iter().map(ToString::to_string).collect();
        fact("addresses", all.join(", "));
    }
    if let Some(remote) = detail.remote {
        fact("peer", remote.to_string());
    }
    if detail.aside.0 > 0 {
        fact("aside", format!("{} for a token or a proxy's name", milliseconds(detail.aside.0)));
    }
    if detail.hops.len() > 1 {
        for hop in &detail.hops {
            let status = hop.status.map_or("-".to_owned(), |it| it.to_string());
            let time = milliseconds(hop.phases.total().0);
            fact("hop", format!("{status} {time} {}", hop.url));
        }
    }
}

fn certificates(out: &mut String, tls: &TlsFacts) {
    let alpn = tls.alpn.as_deref().unwrap_or("no ALPN");
    let _ = writeln!(out, "  {:<12}{}, {}, {alpn}", "TLS", tls.version, tls.cipher);
    let verdict = match (&tls.fault, tls.chain_not_after) {
        (Some((reason, why)), _) => format!("{}: {why}", reason.as_str()),
        (None, Some(end)) => format!("verified, until {}", stamp(end)),
        (None, None) => "verified".to_owned(),
    };
    let _ = writeln!(out, "  {:<12}{verdict}", "chain");
    for (number, cert) in tls.chain.iter().enumerate() {
        let _ = writeln!(
            out,
            "    {number} {}\n      from {} to {}, issued by {}",
            cert.subject,
            stamp(cert.not_before),
            stamp(cert.not_after),
            cert.issuer
        );
        if !cert.names.is_empty() {
            let _ = writeln!(out, "      for {}", cert.names.join(", "));
        }
    }
}

/// Milliseconds with three decimals: exact to the microsecond.
fn milliseconds(us: u32) -> String {
    format!("{}.{:03} ms", us / 1_000, us % 1_000)
}

/// UTC to the second.
fn stamp(at: Millis) -> String {
    jiff::Timestamp::from_second(at.0.div_euclid(1_000))
        .map_or_else(|_| at.to_string(), |it| it.to_string())
}
