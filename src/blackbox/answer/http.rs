//! Prober `http`.

use jiff::fmt::rfc2822::DateTimeParser;

use crate::model::kept::{HttpKept, Kept};
use crate::model::observation::Observation;
use crate::model::phases::Phase;
use crate::model::reason::Reason;

use super::super::cel::JSON_BYTES_MAX;
use super::super::module::{Compression, HeaderMatch, Http, Version};
use super::super::text::Page;
use super::{came_whole, durations, spent, tls};

/// Judges the last answer by the module, and adds its metrics.
pub(super) fn answer(module: &Http, seen: &Observation, page: &mut Page) -> Result<(), String> {
    let kept = match seen.detail.kept.as_deref() {
        Some(Kept::Http(kept)) => Some(kept),
        _ => None,
    };
    phases(seen, page);
    about(module, seen, kept, page);
    let mut faults = Faults::default();
    let end = judge(module, seen, kept, &mut faults);
    let help = "Whether a pattern failed the probe";
    page.flag("probe_failed_due_to_regex", help, faults.regex);
    if module.fail_if_json_matches.is_some() || module.fail_if_json_not_matches.is_some() {
        let help = "Whether an expression on the JSON body failed the probe";
        page.flag("probe_failed_due_to_cel", help, faults.cel);
    }
    end
}

/// What failed a probe that came back whole.
#[derive(Debug, Default)]
struct Faults {
    regex: bool,
    cel: bool,
}

fn phases(seen: &Observation, page: &mut Page) {
    let phases = [
        ("resolve", spent(seen, &[Phase::Dns])),
        ("connect", spent(seen, &[Phase::Connect])),
        ("tls", spent(seen, &[Phase::Tls])),
        ("processing", spent(seen, &[Phase::Send, Phase::Wait])),
        ("transfer", spent(seen, &[Phase::Receive])),
    ];
    let help = "Duration of the request by phase, summed over all redirects";
    durations("probe_http_duration_seconds", help, &phases, page);
}

fn about(module: &Http, seen: &Observation, kept: Option<&HttpKept>, page: &mut Page) {
    let status = seen.status.unwrap_or(0);
    page.gauge("probe_http_status_code", "The HTTP status code", f64::from(status));
    let version = version(seen).map_or(0.0, number);
    page.gauge("probe_http_version", "The HTTP version of the answer", version);
    let followed = seen.detail.hops.len().saturating_sub(1);
    // One that is not followed counts as well, as in the original.
    let more = seen.reason == Reason::RedirectLimit
        || !module.follow_redirects
            && matches!(status, 301 | 302 | 303 | 307 | 308)
            && kept.is_some_and(|it| header(it, "location").is_some());
    let redirects = (followed + usize::from(more)) as f64;
    page.gauge("probe_http_redirects", "The number of redirects", redirects);
    let tls = kept.map_or_else(|| is_secure(seen), |it| it.tls);
    page.flag("probe_http_ssl", "Whether the last hop was over TLS", tls);
    let length = kept.map_or(0.0, |it| content_length(it, status));
    page.gauge("probe_http_content_length", "Content-Length of the answer, -1: none", length);
    let body = kept.and_then(|it| it.body.as_ref()).map_or(0, Vec::len);
    let help = "Bytes of the body once decoded";
    page.gauge("probe_http_uncompressed_body_length", help, body as f64);
    if let Some(at) = kept.and_then(last_modified) {
        let help = "Last-Modified of the answer, as Unix time";
        page.gauge("probe_http_last_modified_timestamp_seconds", help, at);
    }
    if let Some(facts) = seen.detail.tls.as_ref().filter(|_| tls) {
        tls::answer(facts, true, page);
    }
}

/// Whether the hop that failed was over TLS and came to a certificate.
fn is_secure(seen: &Observation) -> bool {
    let last = seen.detail.hops.last();
    seen.detail.tls.is_some() && last.is_some_and(|hop| hop.url.starts_with("https:"))
}

/// As the head says; a body without a length, or of unknown length, is -1 (as in Go).
fn content_length(kept: &HttpKept, status: u16) -> f64 {
    let said = header(kept, "content-length").and_then(|it| it.trim().parse::<u64>().ok());
    match said {
        Some(length) => length as f64,
        None if matches!(status, 204 | 304) => 0.0,
        None => -1.0,
    }
}

fn last_modified(kept: &HttpKept) -> Option<f64> {
    let text = header(kept, "last-modified")?;
    let at = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text.trim()).ok()?;
    Some(at.as_second() as f64)
}

fn header<'a>(kept: &'a HttpKept, name: &str) -> Option<&'a str> {
    let found = kept.headers.iter().find(|(it, _)| it == name);
    found.and_then(|(_, value)| std::str::from_utf8(value).ok())
}

fn version(seen: &Observation) -> Option<Version> {
    match seen.detail.http_version? {
        "1.0" => Some(Version::Http10),
        "1.1" => Some(Version::Http11),
        "2" => Some(Version::Http2),
        _ => Some(Version::Http3),
    }
}

const fn number(version: Version) -> f64 {
    match version {
        Version::Http10 => 1.0,
        Version::Http11 => 1.1,
        Version::Http2 => 2.0,
        Version::Http3 => 3.0,
    }
}

/// In the order of the original, except that a body that did not come whole is not called the
/// fault of a pattern.
fn judge(
    module: &Http,
    seen: &Observation,
    kept: Option<&HttpKept>,
    faults: &mut Faults,
) -> Result<(), String> {
    came_whole(seen)?;
    let kept = kept.ok_or("no answer was kept")?;
    status(module, seen.status.unwrap_or(0))?;
    headers(module, kept).inspect_err(|_| faults.regex = true)?;
    compression(module, kept)?;
    let body = kept.body.as_deref().unwrap_or_default();
    patterns(module, body).inspect_err(|_| faults.regex = true)?;
    json(module, body).inspect_err(|_| faults.cel = true)?;
    let version = version(seen);
    if !module.valid_versions.is_empty()
        && !version.is_some_and(|it| module.valid_versions.contains(&it))
    {
        return Err(format!("HTTP version {} is not valid", version.map_or(0.0, number)));
    }
    match kept.tls {
        true if module.fail_if_ssl => Err("the last hop was over TLS".to_owned()),
        false if module.fail_if_not_ssl => Err("the last hop was not over TLS".to_owned()),
        _ => Ok(()),
    }
}

fn status(module: &Http, status: u16) -> Result<(), String> {
    let valid = if module.valid_status.is_empty() {
        (200..300).contains(&status)
    } else {
        module.valid_status.contains(&status)
    };
    if valid { Ok(()) } else { Err(format!("status {status} is not valid")) }
}

fn headers(module: &Http, kept: &HttpKept) -> Result<(), String> {
    let values = |rule: &HeaderMatch| -> Vec<&[u8]> {
        let of = kept.headers.iter().filter(|(name, _)| *name == rule.header);
        of.map(|(_, value)| value.as_slice()).collect()
    };
    let missing = |rule: &HeaderMatch| format!("the header `{}` is missing", rule.header);
    for rule in &module.fail_if_header_matches {
        let values = values(rule);
        if values.is_empty() && !rule.allow_missing {
            return Err(missing(rule));
        }
        if values.iter().any(|value| rule.pattern.is_match(value)) {
            let pattern = rule.pattern.as_str();
            return Err(format!("the header `{}` matches `{pattern}`", rule.header));
        }
    }
    for rule in &module.fail_if_header_not_matches {
        let values = values(rule);
        if values.is_empty() && rule.allow_missing {
            continue;
        }
        if values.is_empty() {
            return Err(missing(rule));
        }
        if !values.iter().any(|value| rule.pattern.is_match(value)) {
            let pattern = rule.pattern.as_str();
            return Err(format!("the header `{}` does not match `{pattern}`", rule.header));
        }
    }
    Ok(())
}

/// A module that says how the body is compressed fails on any other.
fn compression(module: &Http, kept: &HttpKept) -> Result<(), String> {
    let Some(wanted) = module.compression.filter(|it| *it != Compression::Identity) else {
        return Ok(());
    };
    let came = header(kept, "content-encoding").unwrap_or("identity").trim().to_ascii_lowercase();
    if came == wanted.as_str() || kept.body.as_ref().is_none_or(Vec::is_empty) {
        return Ok(());
    }
    Err(format!("the body is `{came}`, expected `{}`", wanted.as_str()))
}

fn patterns(module: &Http, body: &[u8]) -> Result<(), String> {
    if let Some(found) = module.fail_if_body_matches.iter().find(|it| it.is_match(body)) {
        return Err(format!("the body matches `{}`", found.as_str()));
    }
    match module.fail_if_body_not_matches.iter().find(|it| !it.is_match(body)) {
        Some(missed) => Err(format!("the body does not match `{}`", missed.as_str())),
        None => Ok(()),
    }
}

fn json(module: &Http, body: &[u8]) -> Result<(), String> {
    let rules = [(&module.fail_if_json_matches, true), (&module.fail_if_json_not_matches, false)];
    if rules.iter().all(|(rule, _)| rule.is_none()) {
        return Ok(());
    }
    if body.len() > JSON_BYTES_MAX {
        return Err(format!("the body is larger than the {JSON_BYTES_MAX} bytes read as JSON"));
    }
    let value: serde_json::Value =
        serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    if !value.is_object() {
        return Err("the body is not a JSON object".to_owned());
    }
    for (rule, fails_on) in rules {
        let Some(rule) = rule else { continue };
        if rule.holds(&value)? == fails_on {
            let not = if fails_on { "" } else { " not" };
            return Err(format!("the body does{not} match the expression `{}`", rule.as_str()));
        }
    }
    Ok(())
}
