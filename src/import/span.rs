//! Lengths of time, as the sources write them and as `targets.toml` does.

use std::time::Duration;

/// Units of Go, longest names first.
const UNITS: &[(&str, f64)] = &[
    ("ns", 1e-9),
    ("us", 1e-6),
    ("µs", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3_600.0),
    ("d", 86_400.0),
    ("w", 604_800.0),
];

/// `1h30m`, `500ms`, `1.5h`, and `1d` as Prometheus has it; `None` if it is no such thing.
pub(super) fn go(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut seconds = 0.0;
    while !rest.is_empty() && rest != "0" {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let after = &rest[digits..];
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (_, size) = UNITS.iter().find(|(name, _)| *name == &after[..unit])?;
        seconds += number * size;
        rest = &after[unit..];
    }
    Duration::try_from_secs_f64(seconds).ok()
}

/// As `targets.toml` has it, in whole milliseconds.
pub(super) fn show(length: Duration) -> String {
    let ms = length.as_millis();
    match ms {
        0 => "1ms".to_owned(),
        _ if !ms.is_multiple_of(1_000) => format!("{ms}ms"),
        _ if ms.is_multiple_of(86_400_000) => format!("{}d", ms / 86_400_000),
        _ if ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        _ if ms.is_multiple_of(60_000) && ms > 120_000 => format!("{}m", ms / 60_000),
        _ => format!("{}s", ms / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_go_over() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(go(text).map(show).as_deref(), expected, "{text}");
        };
        check("60s", Some("60s"));
        check("1m", Some("60s"));
        check("5m", Some("5m"));
        check("1h30m", Some("90m"));
        check("1.5s", Some("1500ms"));
        check("500ms", Some("500ms"));
        check("1d", Some("1d"));
        check("48h", Some("2d"));
        for bad in ["", "60", "s", "1x", "-1s", "1e9s", "9".repeat(400).as_str()] {
            check(bad, None);
        }
        assert_eq!(go(&format!("{}s", "9".repeat(400))), None);
    }
}
