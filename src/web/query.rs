//! The parameters of `/api/v1/checks/{id}/results`, read by hand so that every mistake gets an
//! answer that says what to write.

use std::borrow::Cow;

use jiff::Timestamp;
use url::form_urlencoded;

use super::answer::ApiError;
use super::source::ResultsQuery;
use crate::model::check::Lane;
use crate::model::id::{CheckId, VantageId};
use crate::model::outcome::Outcome;
use crate::model::span::Span;
use crate::model::time::Millis;

/// Most results of one answer: about 4 MB of JSON.
pub(super) const LIMIT_MAX: usize = 10_000;

/// Results of one answer if nothing is said.
const LIMIT: usize = 1_000;

/// Span if nothing is said: the last day.
const SPAN_MS: i64 = 86_400_000;

const KNOWN: [&str; 7] = ["from", "to", "lane", "vantage", "outcome", "cursor", "limit"];

/// Reads `query`. The second part is the outcome that is asked for.
pub(super) fn results(
    check: CheckId,
    query: &str,
    now: Millis,
) -> Result<(ResultsQuery, Option<Outcome>), ApiError> {
    let pairs = pairs(query, &KNOWN)?;
    let find = |name: &str| pairs.iter().find(|(it, _)| it == name).map(|(_, value)| value);
    let span = span_of(&pairs, now)?;
    let query = ResultsQuery {
        check,
        span,
        lane: find("lane").map(|text| lane(text)).transpose()?,
        vantage: find("vantage").map(|text| vantage(text)).transpose()?,
        cursor: find("cursor").map(ToString::to_string),
        limit: find("limit").map_or(Ok(LIMIT), |text| limit(text))?,
    };
    let outcome = find("outcome").map(|text| outcome(text)).transpose()?;
    Ok((query, outcome))
}

/// A span and a system, of which the parameters `known` are read.
pub(super) fn span(
    query: &str,
    known: &[&str],
    now: Millis,
) -> Result<(Span, Option<String>), ApiError> {
    let pairs = pairs(query, known)?;
    let system = pairs.iter().find(|(name, _)| name == "system");
    Ok((span_of(&pairs, now)?, system.map(|(_, value)| value.to_string())))
}

type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

fn pairs<'a>(query: &'a str, known: &[&str]) -> Result<Vec<Pair<'a>>, ApiError> {
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    for (at, (name, _)) in pairs.iter().enumerate() {
        if !known.contains(&&**name) {
            let hint = format!("there are {}", known.join(", "));
            return Err(ApiError::bad(format!("`{name}` is not a parameter"), hint));
        }
        if pairs[..at].iter().any(|(earlier, _)| earlier == name) {
            return Err(ApiError::bad(format!("`{name}` is there twice"), "write it once"));
        }
    }
    Ok(pairs)
}

fn span_of(pairs: &[Pair<'_>], now: Millis) -> Result<Span, ApiError> {
    let find = |name: &str| pairs.iter().find(|(it, _)| it == name).map(|(_, value)| value);
    let to = find("to").map_or(Ok(now.plus_ms(1)), |text| time("to", text))?;
    let from = find("from").map_or(Ok(to.plus_ms(-SPAN_MS)), |text| time("from", text))?;
    Span::new(from, to).ok_or_else(|| {
        let hint = "the span is from `from` up to but without `to`; `to` is now if it is not given";
        ApiError::bad("`from` is not before `to`", hint)
    })
}

/// An instant as RFC 3339 writes it. A `+` that was not escaped has become a space.
pub(super) fn time(name: &str, text: &str) -> Result<Millis, ApiError> {
    let text = match text.rfind(' ') {
        Some(at) if at > "2026-11-24".len() => {
            Cow::Owned(format!("{}+{}", &text[..at], &text[at + 1..]))
        }
        _ => Cow::Borrowed(text),
    };
    text.parse::<Timestamp>().map(|it| Millis(it.as_millisecond())).map_err(|_| {
        let hint = "write it as RFC 3339 does, such as 2026-11-24T08:00:00Z \
                    or 2026-11-24T15:00:00%2B07:00";
        ApiError::bad(format!("`{name}` is not a time: `{text}`"), hint)
    })
}

fn lane(text: &str) -> Result<Lane, ApiError> {
    Lane::ALL
        .into_iter()
        .find(|it| it.as_str() == text)
        .ok_or_else(|| ApiError::bad(format!("`{text}` is not a lane"), "write any, v4 or v6"))
}

fn outcome(text: &str) -> Result<Outcome, ApiError> {
    Outcome::ALL.into_iter().find(|it| it.as_str() == text).ok_or_else(|| {
        let hint = format!("write one of {}", Outcome::ALL.map(Outcome::as_str).join(", "));
        ApiError::bad(format!("`{text}` is not an outcome"), hint)
    })
}

fn vantage(text: &str) -> Result<VantageId, ApiError> {
    VantageId::new(text).map_err(|error| {
        ApiError::bad(error.to_string(), "write the id of a vantage, as in the results")
    })
}

fn limit(text: &str) -> Result<usize, ApiError> {
    let limit = text.parse().ok().filter(|it| (1..=LIMIT_MAX).contains(it));
    limit.ok_or_else(|| {
        let hint = format!("write 1 to {LIMIT_MAX}, and use `cursor` for more");
        ApiError::bad(format!("`limit` can't be `{text}`"), hint)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<(ResultsQuery, Option<Outcome>), ApiError> {
        results(CheckId::new("c").unwrap(), query, Millis(1_800_000_000_000))
    }

    #[test]
    fn nothing_said_is_the_last_day() {
        let (query, outcome) = read("").unwrap();
        assert_eq!(query.span.end(), Millis(1_800_000_000_001));
        assert_eq!(query.span.length_ms(), SPAN_MS);
        assert_eq!((query.limit, outcome), (LIMIT, None));
    }

    #[test]
    fn a_time_may_have_an_offset_escaped_or_not() {
        for from in
            ["2026-11-24T15:00:00%2B07:00", "2026-11-24T15:00:00+07:00", "2026-11-24T08:00:00Z"]
        {
            let (query, _) = read(&format!("from={from}&to=2026-11-24T09:00:00Z")).unwrap();
            assert_eq!(query.span.length_ms(), 3_600_000, "{from}");
        }
    }

    #[test]
    fn a_mistake_is_named() {
        for (query, named) in [
            ("form=x", "`form` is not a parameter"),
            ("limit=1&limit=2", "`limit` is there twice"),
            ("from=yesterday", "`from` is not a time"),
            ("to=2026-11-24", "`to` is not a time"),
            ("from=2027-01-16T00:00:00Z&to=2027-01-15T00:00:00Z", "`from` is not before `to`"),
            ("limit=0", "`limit` can't be `0`"),
            ("limit=10001", "`limit` can't be `10001`"),
            ("lane=v5", "`v5` is not a lane"),
            ("outcome=bad", "`bad` is not an outcome"),
            ("vantage=H%C3%A0%20N%E1%BB%99i", "`Hà Nội` is not an id"),
        ] {
            let error = format!("{:?}", read(query).unwrap_err());
            assert!(error.contains(named), "{query}: {error}");
        }
    }
}
