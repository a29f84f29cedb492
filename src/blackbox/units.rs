//! Lengths of time and numbers of bytes as blackbox_exporter writes them.

use std::time::Duration;

const DURATION_UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
    ("y", 31_536_000_000_000_000),
];

const SIZE_UNITS: &[(&str, u64)] = &[
    ("B", 1),
    ("KiB", 1 << 10),
    ("KB", 1 << 10),
    ("MiB", 1 << 20),
    ("MB", 1 << 20),
    ("GiB", 1 << 30),
    ("GB", 1 << 30),
    ("TiB", 1 << 40),
    ("TB", 1 << 40),
    ("PiB", 1 << 50),
    ("PB", 1 << 50),
    ("EiB", 1 << 60),
    ("EB", 1 << 60),
];

/// A length of time as Go (`1.5s`) or Prometheus (`1m30s`, `1d`) writes it; whole nanoseconds.
pub(super) fn duration(text: &str) -> Option<Duration> {
    parsed(text, DURATION_UNITS).map(Duration::from_nanos)
}

/// Bytes: `10MB` is 10 · 1,048,576, in every spelling of the unit.
pub(super) fn bytes(text: &str) -> Option<u64> {
    parsed(text, SIZE_UNITS)
}

/// Numbers, each with a unit, added up; a bare `0` needs none.
fn parsed(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest.is_empty() {
        return None;
    }
    let mut sum: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
        sum = sum.checked_add(scaled(number, *factor)?)?;
        rest = after;
    }
    Some(sum)
}

/// A decimal number times `factor`, cut down to a whole.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction = &fraction[..fraction.len().min(15)];
    let part = if fraction.is_empty() {
        0
    } else {
        let parts: u128 = fraction.parse().ok()?;
        parts * u128::from(factor) / 10u128.pow(fraction.len() as u32)
    };
    whole.checked_mul(factor)?.checked_add(u64::try_from(part).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_go_and_prometheus_write_them() {
        for (text, expected) in [
            ("5s", 5_000),
            ("1m30s", 90_000),
            ("100ms", 100),
            ("1.5s", 1_500),
            (".5s", 500),
            ("1d", 86_400_000),
            ("0", 0),
            ("0s", 0),
            ("+2s", 2_000),
        ] {
            assert_eq!(duration(text), Some(Duration::from_millis(expected)), "{text}");
        }
        for bad in
            ["", "5", "-5s", "s", "5 s", "1.2.3s", "5sec", "99999999999999999999s", ".s", "+"]
        {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes_are_powers_of_two_whatever_their_unit_is_called() {
        for (text, expected) in [
            ("10MB", 10 << 20),
            ("1KiB", 1_024),
            ("1.5KB", 1_536),
            ("1MB512KB", 1_572_864),
            ("0", 0),
            ("7B", 7),
        ] {
            assert_eq!(bytes(text), Some(expected), "{text}");
        }
        for bad in ["10", "10mb", "1 MB", "-1B", "99EB", ""] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }
}
