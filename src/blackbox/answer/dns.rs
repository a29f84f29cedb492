//! Prober `dns`.

use crate::model::kept::{DnsKept, Kept};
use crate::model::observation::Observation;
use crate::model::phases::Phase;

use super::super::module::{Dns, Records};
use super::super::text::Page;
use super::{came_whole, durations, spent, tls};

/// The record type SOA (RFC 1035, section 3.2.2).
const SOA: u16 = 6;

/// Judges the answer by the module, and adds its metrics.
pub(super) fn answer(module: &Dns, seen: &Observation, page: &mut Page) -> Result<(), String> {
    let phases = [
        ("resolve", spent(seen, &[Phase::Dns])),
        ("connect", spent(seen, &[Phase::Connect, Phase::Tls])),
        ("request", spent(seen, &[Phase::Send, Phase::Wait, Phase::Receive])),
    ];
    durations("probe_dns_duration_seconds", "Duration of the question by phase", &phases, page);
    let kept = match seen.detail.kept.as_deref() {
        Some(Kept::Dns(kept)) => Some(kept),
        _ => None,
    };
    let count =
        |records: fn(&DnsKept) -> &Vec<String>| kept.map_or(0.0, |kept| records(kept).len() as f64);
    for (name, help, count) in [
        ("probe_dns_answer_rrs", "Records in the answer section", count(|it| &it.answer)),
        ("probe_dns_authority_rrs", "Records in the authority section", count(|it| &it.authority)),
        (
            "probe_dns_additional_rrs",
            "Records in the additional section",
            count(|it| &it.additional),
        ),
    ] {
        page.gauge(name, help, count);
    }
    let help = "Whether the question was answered, whatever the answer";
    page.flag("probe_dns_query_succeeded", help, kept.is_some());
    if module.record_type == SOA
        && let Some(kept) = kept
    {
        let serial = f64::from(kept.serial.unwrap_or(0));
        page.gauge("probe_dns_serial", "The serial number of the zone", serial);
    }
    if let Some(facts) = &seen.detail.tls {
        tls::answer(facts, false, page);
    }
    judge(module, seen, kept)
}

fn judge(module: &Dns, seen: &Observation, kept: Option<&DnsKept>) -> Result<(), String> {
    came_whole(seen)?;
    let kept = kept.ok_or("no answer was kept")?;
    let rcode = seen.status.unwrap_or(0);
    let valid = if module.valid_rcodes.is_empty() {
        rcode == 0
    } else {
        module.valid_rcodes.contains(&rcode)
    };
    if !valid {
        return Err(format!("the response code {rcode} is not valid"));
    }
    section("answer", &module.answer, &kept.answer)?;
    section("authority", &module.authority, &kept.authority)?;
    section("additional", &module.additional, &kept.additional)
}

/// The rules on one section, each as its name says: in the original, `fail_if_all_match_regexp`
/// fails when *not* all records match.
fn section(name: &str, rules: &Records, records: &[String]) -> Result<(), String> {
    let fault = |what: &str, pattern: &str| Err(format!("{name} records: {what} `{pattern}`"));
    for pattern in &rules.fail_if_matches {
        if records.iter().any(|it| pattern.is_match(it.as_bytes())) {
            return fault("one matches", pattern.as_str());
        }
    }
    for pattern in &rules.fail_if_all_match {
        if !records.is_empty() && records.iter().all(|it| pattern.is_match(it.as_bytes())) {
            return fault("all match", pattern.as_str());
        }
    }
    for pattern in &rules.fail_if_not_matches {
        if records.is_empty() || records.iter().any(|it| !pattern.is_match(it.as_bytes())) {
            return fault("not all match", pattern.as_str());
        }
    }
    // One match of any of these is enough.
    let none = &rules.fail_if_none_matches;
    if none.iter().any(|pattern| records.iter().any(|it| pattern.is_match(it.as_bytes()))) {
        return Ok(());
    }
    none.first().map_or(Ok(()), |pattern| fault("none matches", pattern.as_str()))
}
