//! Lengths of time, such as `1h 30m`.

use std::time::Duration;

use super::NotAn;

/// `text` as a length of time from `min_ms` to `max_ms` milliseconds.
pub(crate) fn within(text: &str, min_ms: i64, max_ms: i64) -> Result<Duration, NotAn> {
    let length = parse(text)?;
    let bound = |ms: i64| Duration::from_millis(ms.unsigned_abs());
    if (bound(min_ms)..=bound(max_ms)).contains(&length) {
        return Ok(length);
    }
    Err(NotAn::DurationRange {
        written: text.to_owned(),
        min: show(bound(min_ms)),
        max: show(bound(max_ms)),
    })
}

/// `text` as a length of time.
pub(crate) fn parse(text: &str) -> Result<Duration, NotAn> {
    humantime::parse_duration(text).map_err(|error| NotAn::Duration {
        written: text.to_owned(),
        problem: match error {
            humantime::DurationError::UnknownUnit { unit, .. } if unit.is_empty() => {
                "it has no unit".to_owned()
            }
            humantime::DurationError::UnknownUnit { unit, .. } => format!("`{unit}` is no unit"),
            humantime::DurationError::NumberOverflow => "it is too long or too fine".to_owned(),
            humantime::DurationError::Empty => "it is empty".to_owned(),
            _ => "it is not numbers, each with a unit".to_owned(),
        },
    })
}

/// As written in the configuration: `1m 30s`.
pub(crate) fn show(length: Duration) -> String {
    humantime::format_duration(length).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_need_units_and_stay_in_range() {
        let check = |text: &str, expected: &str| {
            let got = within(text, 1_000, 86_400_000);
            let got = got.map_or_else(|not| not.to_string(), |it| format!("{}ms", it.as_millis()));
            assert_eq!(got, expected, "{text}");
        };
        check("30s", "30000ms");
        check("1h 30m", "5400000ms");
        check("30", "`30` is not a length of time: it has no unit");
        check("30x", "`30x` is not a length of time: `x` is no unit");
        check("-1s", "`-1s` is not a length of time: it is not numbers, each with a unit");
        check("0s", "0s is not within 1s to 1day");
        check("2days", "2days is not within 1s to 1day");
        check(
            "99999999999999999999s",
            "`99999999999999999999s` is not a length of time: it is too long or too fine",
        );
    }
}
