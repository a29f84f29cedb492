//! Turns, moments, mobile numbers and whom a step calls.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::NotAn;
use super::words::mailbox;
use crate::model::alerting::people::{Target, Turn};
use crate::model::id::{ChannelId, PersonId};
use crate::model::terms::{DAY_MIN, clock_minute};
use crate::model::time::Millis;

/// Digits of a number with its country, at most (ITU-T E.164).
const DIGITS_MAX: usize = 15;

/// Digits that any mobile number has.
const DIGITS_MIN: usize = 9;

/// `8h`, `1d` or `2w`: at most about a year.
pub(crate) fn turn(text: &str) -> Result<Turn, NotAn> {
    let not = || NotAn::Turn { written: text.to_owned() };
    let unit = text.chars().last().ok_or_else(not)?;
    let digits = &text[..text.len() - unit.len_utf8()];
    let plain = digits.bytes().all(|it| it.is_ascii_digit()) && !digits.starts_with('0');
    let number: u16 = digits.parse().ok().filter(|_| plain).ok_or_else(not)?;
    match unit {
        'h' if number <= 24 * 7 => Ok(Turn::Hours(number)),
        'd' if number <= 366 => Ok(Turn::Days(number)),
        'w' if number <= 53 => Ok(Turn::Weeks(number)),
        _ => Err(not()),
    }
}

/// `17:00-08:00`: from the first minute to before the second, which may be on the next day.
pub(crate) fn window(text: &str) -> Result<(u16, u16), NotAn> {
    let ends = text.split_once('-').and_then(|(from, to)| {
        let (from, to) = (clock_minute(from)?, clock_minute(to)?);
        (from < DAY_MIN).then_some((from, to))
    });
    ends.ok_or_else(|| NotAn::ClockWindow { written: text.to_owned() })
}

/// `2027-02-05 08:00` by the clock of `zone`, or RFC 3339.
pub(crate) fn moment(text: &str, zone: &TimeZone) -> Result<Millis, NotAn> {
    let not = || NotAn::Moment { written: text.to_owned() };
    let at = |place: usize, sign: u8| text.as_bytes().get(place) == Some(&sign);
    if !(at(4, b'-') && at(7, b'-') && at(13, b':')) {
        return Err(not()); // Other forms of ISO 8601 are easily misread.
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(Millis(instant.as_millisecond()));
    }
    let local = text.len() == "2027-02-05 08:00".len();
    let local: DateTime = text.parse().ok().filter(|_| local).ok_or_else(not)?;
    let instant = zone.to_timestamp(local).map_err(|_| not())?;
    Ok(Millis(instant.as_millisecond()))
}

/// `oncall`, `everyone`, `person:an` or `address:zalo:1a2b`.
pub(crate) fn target(text: &str) -> Result<Target, NotAn> {
    let not = || NotAn::Target { written: text.to_owned() };
    match text {
        "oncall" => return Ok(Target::OnCall),
        "everyone" => return Ok(Target::Everyone),
        _ => {}
    }
    if let Some(person) = text.strip_prefix("person:") {
        return Ok(Target::Person(PersonId::new(person)?));
    }
    let address = text.strip_prefix("address:").ok_or_else(not)?;
    let (channel, to) = address.split_once(':').ok_or_else(not)?;
    if to.trim().is_empty() || to.contains(char::is_control) {
        return Err(not());
    }
    Ok(Target::Address(ChannelId::new(channel)?, to.to_owned()))
}

/// A mobile number as gateways want it: `84912345678`. `0912 345 678` is one of Việt Nam.
pub(crate) fn phone(text: &str) -> Result<String, NotAn> {
    let plain: String = text.chars().filter(|c| !" .-".contains(*c)).collect();
    let number = match plain.strip_prefix('+') {
        Some(number) => number.to_owned(),
        None => plain.strip_prefix('0').map_or(plain.clone(), |rest| format!("84{rest}")),
    };
    let sound = !number.starts_with("840")
        && number.bytes().all(|it| it.is_ascii_digit())
        && !number.starts_with('0');
    let length = DIGITS_MIN..=DIGITS_MAX;
    if sound && length.contains(&number.len()) {
        Ok(number)
    } else {
        Err(NotAn::Phone { written: text.to_owned() })
    }
}

/// A mailbox, or a name and a mailbox: `Giám sát <giamsat@example.gov.vn>`.
pub(crate) fn sender(text: &str) -> Result<(), NotAn> {
    let Some(rest) = text.trim().strip_suffix('>') else { return mailbox(text.trim()) };
    let not = || NotAn::Mailbox { written: text.to_owned() };
    let (name, address) = rest.rsplit_once('<').ok_or_else(not)?;
    let odd = |c: char| c.is_control() || "<>\"".contains(c);
    if name.contains(odd) { Err(not()) } else { mailbox(address) }
}

/// The name of a value in templates.
pub(crate) fn value_name(text: &str) -> Result<(), NotAn> {
    let first = text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if first && text.chars().all(plain) {
        Ok(())
    } else {
        Err(NotAn::ValueName { written: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_have_one_number_and_one_unit() {
        assert_eq!(turn("8h"), Ok(Turn::Hours(8)));
        assert_eq!(turn("1d"), Ok(Turn::Days(1)));
        assert_eq!(turn("2w"), Ok(Turn::Weeks(2)));
        for bad in ["", "h", "0h", "01d", "+1d", "1", "1m", "999w", "1d 8h", "đ", "99999d"] {
            assert!(turn(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn windows_may_cross_midnight() {
        assert_eq!(window("17:00-08:00"), Ok((1_020, 480)));
        assert_eq!(window("08:00-24:00"), Ok((480, 1_440)));
        assert!(window("24:00-08:00").is_err() && window("17:00").is_err());
    }

    #[test]
    fn moments_are_local_or_have_an_offset() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        let expected = Ok(Millis(1_801_789_200_000));
        assert_eq!(moment("2027-02-05 08:00", &zone), expected);
        assert_eq!(moment("2027-02-05T08:00", &zone), expected);
        assert_eq!(moment("2027-02-05T08:00:00+07:00", &zone), expected);
        assert_eq!(moment("2027-02-05T01:00:00Z", &zone), expected);
        for bad in [
            "",
            "2027-02-05",
            "08:00",
            "2027-02-30 08:00",
            "2027-02-05 8:00",
            "mai",
            "20270205T0800Z",
        ] {
            assert!(moment(bad, &zone).is_err(), "{bad}");
        }
    }

    #[test]
    fn targets_name_whom_they_call() {
        assert_eq!(target("oncall"), Ok(Target::OnCall));
        assert_eq!(target("person:an"), Ok(Target::Person(PersonId::new("an").unwrap())));
        let address = target("address:zalo:a:b").unwrap();
        assert_eq!(address, Target::Address(ChannelId::new("zalo").unwrap(), "a:b".to_owned()));
        for bad in
            ["", "an", "person:", "person:A", "address:zalo", "address:z: ", "address:z:a\nb"]
        {
            assert!(target(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_get_their_country() {
        for written in ["0912345678", "+84912345678", "84912345678", "091.234 56-78"] {
            assert_eq!(phone(written), Ok("84912345678".to_owned()), "{written}");
        }
        for bad in ["", "0", "113", "+", "0912 345 67x", "00912345678", "+8491234567890123"] {
            assert!(phone(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_sender_may_have_a_name() {
        assert!(sender("a@b.vn").is_ok() && sender("Giám sát <a@b.vn>").is_ok());
        for bad in ["", "a", "Giám sát", "A <a>", "\"A\" <a@b.vn>", "A\r\nBcc: <a@b.vn>", "<a@b>>"]
        {
            assert!(sender(bad).is_err(), "{bad}");
        }
    }
}
