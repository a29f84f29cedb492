//! Time zones.

use jiff::tz::{self, TimeZone};

use super::{NotAn, nearest_of};

/// The zone called `text` in the IANA database.
pub(crate) fn zone(text: &str) -> Result<TimeZone, NotAn> {
    TimeZone::get(text).map_err(|_| {
        let known: Vec<String> = tz::db().available().map(|name| name.to_string()).collect();
        NotAn::Zone {
            written: text.to_owned(),
            nearest: nearest_of(text, known.iter().map(String::as_str)).map(str::to_owned),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_zone_finds_its_neighbour() {
        assert!(zone("Asia/Ho_Chi_Minh").is_ok());
        let not = zone("Asia/Ho_Chi_Min").unwrap_err();
        assert_eq!(not.help().unwrap(), "did you mean `Asia/Ho_Chi_Minh`?");
    }
}
