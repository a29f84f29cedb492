//! Whether an HTTP answer is what was expected. Pure: the same answer always gets the same
//! verdict.

mod text;

use std::cmp::Ordering;
use std::time::Duration;

use http::HeaderMap;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::model::expect::{HeaderMust, HeaderRule, HttpExpect, HttpVersion, JsonMust, JsonRule};
use crate::model::reason::Reason;
use crate::model::time::{Micros, Millis};

use super::block::{self, BlockSignature};
use super::stopwatch::Fault;
use text::Haystack;

pub(super) use text::{clean, excerpt, shorten};

/// What came back, whole and decoded.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Whether it came over TLS.
    pub tls: bool,
    /// The version it came in.
    pub version: HttpVersion,
    /// Its status code.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, decoded.
    pub body: Vec<u8>,
    /// How long the run took until its last byte.
    pub total: Micros,
}

/// Judges `answer`: first whether it is the service's own (unless `expect.blocked` is off), then
/// TLS, version, status, headers, size, texts, patterns, JSON and time, in this order.
///
/// # Errors
///
/// The first expectation that does not hold, and what came instead.
pub fn judge(
    expect: &HttpExpect,
    answer: &Answer,
    signatures: &[BlockSignature],
) -> Result<(), Fault> {
    if expect.blocked {
        not_blocked(answer, signatures)?;
    }
    transport(expect, answer)?;
    version(expect, answer)?;
    status(expect, answer)?;
    for rule in &expect.headers {
        header(rule, &answer.headers)?;
    }
    size(expect, answer)?;
    texts(expect, answer)?;
    patterns(expect, answer)?;
    json(&expect.json, answer)?;
    in_time(expect, answer)
}

/// How long the service asks to be left alone (RFC 9110, section 10.2.3): with 429 and 503
/// only, as seconds or as a date; a date that has passed is no time at all.
pub fn retry_after(status: u16, headers: &HeaderMap, now: Millis) -> Option<Duration> {
    if !matches!(status, 429 | 503) {
        return None;
    }
    let value = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)));
    }
    let date = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(value).ok()?;
    let left = date.as_millisecond().saturating_sub(now.0);
    Some(Duration::from_millis(u64::try_from(left).unwrap_or(0)))
}

/// The fault of an answer that is not the service's own by its status and headers alone.
pub(super) fn refused_by_head(
    status: u16,
    headers: &HeaderMap,
    signatures: &[BlockSignature],
) -> Option<Fault> {
    if let Some(name) = block::recognise(status, headers, b"", signatures) {
        let why = format!("{name} answered instead of the service");
        return Some(Fault::new(Reason::WafBlock, why));
    }
    let why = "asked to slow down (status 429)";
    (status == 429).then(|| Fault::new(Reason::RateLimited, why))
}

fn not_blocked(answer: &Answer, signatures: &[BlockSignature]) -> Result<(), Fault> {
    if let Some(name) = block::recognise(answer.status, &answer.headers, &answer.body, signatures) {
        let why = format!("{name} answered instead of the service: {}", excerpt(&answer.body));
        return Err(Fault::new(Reason::WafBlock, why));
    }
    if answer.status == 429 {
        return Err(Fault::new(Reason::RateLimited, "asked to slow down (status 429)"));
    }
    Ok(())
}

fn transport(expect: &HttpExpect, answer: &Answer) -> Result<(), Fault> {
    let why = match (expect.tls, answer.tls) {
        (Some(true), false) => "expected the last hop to be over TLS, it was in clear",
        (Some(false), true) => "expected the last hop to be in clear, it was over TLS",
        _ => return Ok(()),
    };
    Err(Fault::new(Reason::TlsUnexpected, why))
}

fn version(expect: &HttpExpect, answer: &Answer) -> Result<(), Fault> {
    if expect.versions.is_empty() || expect.versions.contains(&answer.version) {
        return Ok(());
    }
    let allowed: Vec<_> = expect.versions.iter().map(|it| it.as_str()).collect();
    let (allowed, came) = (allowed.join(" or "), answer.version.as_str());
    Err(Fault::new(Reason::HttpVersion, format!("expected HTTP {allowed}, got HTTP {came}")))
}

fn status(expect: &HttpExpect, answer: &Answer) -> Result<(), Fault> {
    if expect.status.contains(answer.status) {
        return Ok(());
    }
    let allowed = expect.status.describe();
    let why = format!("expected status {allowed}, got {}", answer.status);
    Err(Fault::new(Reason::HttpStatus, why))
}

fn header(rule: &HeaderRule, headers: &HeaderMap) -> Result<(), Fault> {
    let name = &rule.name;
    let fault = |why: String| Err(Fault::new(Reason::HeaderMismatch, why));
    let mut values = headers.get_all(name).iter().map(http::HeaderValue::as_bytes);
    let first = headers.get(name).map(|value| excerpt(value.as_bytes()));
    match (&rule.must, first) {
        (HeaderMust::BePresent, None) => fault(format!("expected a header `{name}`")),
        (HeaderMust::BeAbsent, Some(first)) => {
            fault(format!("expected no header `{name}`, got `{first}`"))
        }
        (HeaderMust::Match { pattern, allow_missing: false }, None) => {
            let pattern = pattern.as_str();
            fault(format!("expected a header `{name}` to match `{pattern}`, got none"))
        }
        (HeaderMust::Match { pattern, .. }, Some(first))
            if !values.any(|value| pattern.is_match(value)) =>
        {
            let pattern = pattern.as_str();
            fault(format!("expected header `{name}` to match `{pattern}`, got `{first}`"))
        }
        (HeaderMust::NotMatch(pattern), Some(_)) => {
            match values.find(|value| pattern.is_match(value)) {
                None => Ok(()),
                Some(value) => {
                    let (pattern, value) = (pattern.as_str(), excerpt(value));
                    fault(format!("expected header `{name}` not to match `{pattern}`: `{value}`"))
                }
            }
        }
        _ => Ok(()),
    }
}

fn size(expect: &HttpExpect, answer: &Answer) -> Result<(), Fault> {
    let length = answer.body.len() as u64;
    if let Some(least) = expect.body_bytes_min.filter(|least| length < *least) {
        let why = format!("expected a body of at least {least} bytes, got {length}");
        return Err(Fault::new(Reason::BodyTooSmall, why));
    }
    if let Some(most) = expect.body_bytes_max.filter(|most| length > *most) {
        let why = format!("expected a body of at most {most} bytes, got {length}");
        return Err(Fault::new(Reason::BodyTooLarge, why));
    }
    Ok(())
}

fn texts(expect: &HttpExpect, answer: &Answer) -> Result<(), Fault> {
    if expect.body_contains.is_empty() && expect.body_absent.is_empty() {
        return Ok(());
    }
    let haystack = Haystack::new(&answer.body);
    if let Some(missing) = expect.body_contains.iter().find(|it| !haystack.contains(it)) {
        return Err(missing_from(answer, &format!("contain `{}`", shorten(missing))));
    }
    if let Some(found) = expect.body_absent.iter().find(|it| haystack.contains(it)) {
        let why = format!("expected the body not to contain `{}`", shorten(found));
        return Err(Fault::new(Reason::BodyForbidden, why));
    }
    Ok(())
}

fn patterns(expect: &HttpExpect, answer: &Answer) -> Result<(), Fault> {
    let matches = |pattern: &&crate::model::text::Pattern| pattern.is_match(&answer.body);
    if let Some(missing) = expect.body_matches.iter().find(|it| !matches(it)) {
        return Err(missing_from(answer, &format!("match `{}`", shorten(missing.as_str()))));
    }
    if let Some(found) = expect.body_not_matches.iter().find(matches) {
        let came = found.regex().find(&answer.body).map(|it| excerpt(it.as_bytes()));
        let (pattern, came) = (shorten(found.as_str()), came.unwrap_or_default());
        let why = format!("expected the body not to match `{pattern}`, found `{came}`");
        return Err(Fault::new(Reason::BodyForbidden, why));
    }
    Ok(())
}

fn missing_from(answer: &Answer, what: &str) -> Fault {
    let begins = excerpt(&answer.body);
    Fault::new(Reason::BodyMissing, format!("expected the body to {what}; it begins `{begins}`"))
}

fn json(rules: &[JsonRule], answer: &Answer) -> Result<(), Fault> {
    if rules.is_empty() {
        return Ok(());
    }
    let value: serde_json::Value = serde_json::from_slice(&answer.body).map_err(|error| {
        let begins = excerpt(&answer.body);
        Fault::new(Reason::JsonMismatch, format!("not JSON: {error}; it begins `{begins}`"))
    })?;
    for rule in rules {
        json_rule(rule, &value)?;
    }
    Ok(())
}

fn json_rule(rule: &JsonRule, value: &serde_json::Value) -> Result<(), Fault> {
    let path = &rule.written;
    let nodes = rule.path.query(value).all();
    let fault = |why: String| Err(Fault::new(Reason::JsonMismatch, why));
    match (&rule.must, nodes.first()) {
        (JsonMust::SelectNothing, None) | (JsonMust::Select, Some(_)) => Ok(()),
        (JsonMust::SelectNothing, Some(first)) => {
            fault(format!("expected `{path}` to select nothing, got {}", shown(first)))
        }
        (_, None) => fault(format!("`{path}` selects nothing")),
        (JsonMust::Equal(wanted), Some(_)) => match nodes.iter().find(|it| !equal(it, wanted)) {
            None => Ok(()),
            Some(other) => {
                fault(format!("expected `{path}` to be {}, got {}", shown(wanted), shown(other)))
            }
        },
        (JsonMust::Match(pattern), Some(_)) => {
            match nodes.iter().find(|it| !pattern.is_match(as_text(it).as_bytes())) {
                None => Ok(()),
                Some(other) => {
                    let pattern = shorten(pattern.as_str());
                    fault(format!("expected `{path}` to match `{pattern}`, got {}", shown(other)))
                }
            }
        }
    }
}

/// Equal as JSON; numbers by value, so that 1 equals 1.0.
fn equal(left: &serde_json::Value, right: &serde_json::Value) -> bool {
    match (left.as_f64(), right.as_f64()) {
        (Some(a), Some(b)) if left.is_f64() || right.is_f64() => {
            a.partial_cmp(&b) == Some(Ordering::Equal)
        }
        _ => left == right,
    }
}

fn as_text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn shown(value: &serde_json::Value) -> String {
    shorten(&value.to_string())
}

fn in_time(expect: &HttpExpect, answer: &Answer) -> Result<(), Fault> {
    match expect.response_time {
        Some(most) if answer.total > most => {
            let (most, took) = (most.duration(), answer.total.duration());
            let why = format!("expected an answer within {most:?}, took {took:?}");
            Err(Fault::new(Reason::ResponseTime, why))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
