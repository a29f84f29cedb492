//! Numbers as Vietnamese documents write them: decimal comma, dots between thousands, and never
//! better than they are (`docs/measurement.md`, "The official figures of a period": rounding).

use super::figures::Fraction;

/// `99,953%`: cut to three decimals, so that what is not whole never prints as 100 %. Exactly
/// all and exactly nothing are `100%` and `0%`.
#[must_use]
pub fn percent(share: Fraction) -> String {
    let cut = share.thousandths_of_percent();
    match share.part() {
        0 => "0%".to_owned(),
        part if part == share.whole() => "100%".to_owned(),
        _ => format!("{},{:03}%", cut / 1_000, cut % 1_000),
    }
}

/// `1.234.567`.
#[must_use]
pub fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    text
}

/// A number of thousandths as `1.234,567`, without zeros at its end: `-250` is `-0,25`.
#[must_use]
pub fn decimal(thousandths: i64) -> String {
    let sign = if thousandths < 0 { "-" } else { "" };
    let size = thousandths.unsigned_abs();
    let whole = thousands(i64::try_from(size / 1_000).unwrap_or(i64::MAX));
    let decimals = format!("{:03}", size % 1_000);
    let decimals = decimals.trim_end_matches('0');
    let comma = if decimals.is_empty() { "" } else { "," };
    format!("{sign}{whole}{comma}{decimals}")
}

/// A length of time in words, cut down to seconds: `2 ngày 3 giờ 15 phút`, `45 giây`. The two or
/// three largest units that say something; less than a second is `dưới 1 giây`.
#[must_use]
pub fn duration(length_ms: i64) -> String {
    let seconds = length_ms.max(0) / 1_000;
    let units = [
        (seconds / 86_400, "ngày"),
        (seconds / 3_600 % 24, "giờ"),
        (seconds / 60 % 60, "phút"),
        (seconds % 60, "giây"),
    ];
    let first = units.iter().position(|it| it.0 > 0);
    let Some(first) = first else {
        return if length_ms > 0 { "dưới 1 giây" } else { "0 giây" }.to_owned();
    };
    let said = units.iter().skip(first).take(3).filter(|it| it.0 > 0);
    said.map(|(count, unit)| format!("{count} {unit}")).collect::<Vec<_>>().join(" ")
}

/// A length of time as a clock shows it, cut down to seconds: `27:05:09`.
#[must_use]
pub fn clock(length_ms: i64) -> String {
    let seconds = length_ms.max(0) / 1_000;
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_cut_down_and_only_all_is_100_percent() {
        for (part, whole, expected) in [
            (99_953, 100_000, "99,953%"),
            (999, 1_000, "99,900%"),
            (2_678_399_999, 2_678_400_000, "99,999%"),
            (1, 1, "100%"),
            (0, 5, "0%"),
            (1, 2_678_400_000, "0,000%"),
            (7, 700, "1,000%"),
        ] {
            assert_eq!(percent(Fraction::new(part, whole).unwrap()), expected);
        }
    }

    #[test]
    fn thousands_have_dots_and_decimals_a_comma() {
        for (number, expected) in
            [(0, "0"), (999, "999"), (1_000, "1.000"), (-1_234_567, "-1.234.567")]
        {
            assert_eq!(thousands(number), expected);
        }
        for (number, expected) in
            [(1_234_500, "1.234,5"), (14_400, "14,4"), (-250, "-0,25"), (6_000, "6"), (1, "0,001")]
        {
            assert_eq!(decimal(number), expected);
        }
    }

    #[test]
    fn a_length_is_told_in_words_or_as_a_clock() {
        for (length_ms, words, shown) in [
            (0, "0 giây", "00:00:00"),
            (999, "dưới 1 giây", "00:00:00"),
            (45_999, "45 giây", "00:00:45"),
            (8_100_000, "2 giờ 15 phút", "02:15:00"),
            (97_509_000, "1 ngày 3 giờ 5 phút", "27:05:09"),
        ] {
            assert_eq!((duration(length_ms).as_str(), clock(length_ms).as_str()), (words, shown));
        }
    }
}
