//! Numbers of bytes, such as `64 KiB`.

use super::NotAn;

/// Most bytes that can be asked for.
pub(crate) const SIZE_MAX: u64 = 64 << 20;

const UNITS: &[(&str, u64)] =
    &[("", 1), ("B", 1), ("kB", 1_000), ("KiB", 1 << 10), ("MB", 1_000_000), ("MiB", 1 << 20)];

/// `text` in bytes.
pub(crate) fn bytes(text: &str) -> Result<u64, NotAn> {
    let not = || NotAn::Size { written: text.to_owned() };
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim();
    let (_, factor) =
        UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(not)?;
    let number: u64 = number.parse().map_err(|_| not())?;
    number.checked_mul(*factor).filter(|it| (1..=SIZE_MAX).contains(it)).ok_or_else(not)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_and_decimal_units() {
        for (text, expected) in [("1", 1), ("64 KiB", 65_536), ("1MiB", 1 << 20), ("2kb", 2_000)] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for bad in ["", "0", "1 GiB", "65 MiB", "-1", "1.5 MiB", "MiB", "99999999999999999999"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }
}
