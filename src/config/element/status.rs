//! Ranges of status codes.

use super::NotAn;

/// `300-399` as its first and last code.
pub(crate) fn range(text: &str) -> Result<(u16, u16), NotAn> {
    let code = |part: &str| {
        let part = part.trim();
        let plain = part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u16>().ok().filter(|it| plain && (100..=599).contains(it))
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (code(first), code(last)) {
        (Some(first), Some(last)) if first <= last => Ok((first, last)),
        _ => Err(NotAn::StatusRange { written: text.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_two_codes_in_order() {
        assert_eq!(range("300-399"), Ok((300, 399)));
        assert_eq!(range("200 - 204"), Ok((200, 204)));
        assert_eq!(range("200"), Ok((200, 200)));
        for bad in ["", "2xx", "399-300", "99-200", "200-600", "200-", "-200", "+200", "1-2-3"] {
            assert!(range(bad).is_err(), "{bad}");
        }
    }
}
