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

/// As it may be written in the configuration, days being the longest unit: `1m 30s`.
pub(crate) fn show(length: Duration) -> String {
    let micros = length.as_micros();
    let units = [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000)];
    let units = units.into_iter().chain([("ms", 1_000), ("us", 1)]);
    let mut rest = micros;
    let mut parts = Vec::new();
    for (name, unit) in units {
        if rest >= unit {
            parts.push(format!("{}{name}", rest / unit));
        }
        rest %= unit;
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_read_again() {
        for text in ["1d", "90d", "1h 30m", "1m 30s", "500ms", "2s 500ms", "400d 1us", "0s"] {
            assert_eq!(show(parse(text).unwrap()), text);
        }
    }

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
        check("0s", "0s is not within 1s to 1d");
        check("2days", "2days is not within 1s to 1d");
        check(
            "99999999999999999999s",
            "`99999999999999999999s` is not a length of time: it is too long or too fine",
        );
    }
}
