//! Names, record types and response codes of DNS.

use url::Host;

use super::{NotAn, nearest};

/// Record types by name (IANA, "Resource Record (RR) TYPEs").
const TYPES: &[(&str, u16)] = &[
    ("A", 1),
    ("NS", 2),
    ("CNAME", 5),
    ("SOA", 6),
    ("PTR", 12),
    ("HINFO", 13),
    ("MX", 15),
    ("TXT", 16),
    ("AAAA", 28),
    ("SRV", 33),
    ("NAPTR", 35),
    ("DS", 43),
    ("SSHFP", 44),
    ("RRSIG", 46),
    ("NSEC", 47),
    ("DNSKEY", 48),
    ("NSEC3", 50),
    ("NSEC3PARAM", 51),
    ("TLSA", 52),
    ("CDS", 59),
    ("CDNSKEY", 60),
    ("SVCB", 64),
    ("HTTPS", 65),
    ("ANY", 255),
    ("CAA", 257),
];

/// Response codes by name (IANA, "DNS RCODEs").
const RCODES: &[(&str, u16)] = &[
    ("NOERROR", 0),
    ("FORMERR", 1),
    ("SERVFAIL", 2),
    ("NXDOMAIN", 3),
    ("NOTIMP", 4),
    ("REFUSED", 5),
    ("YXDOMAIN", 6),
    ("YXRRSET", 7),
    ("NXRRSET", 8),
    ("NOTAUTH", 9),
    ("NOTZONE", 10),
    ("BADVERS", 16),
];

/// A name to ask for, in the form DNS knows (IDNA); `.` is the root.
pub(crate) fn name(text: &str) -> Result<String, NotAn> {
    let not = || NotAn::DnsName { written: text.to_owned() };
    if text == "." {
        return Ok(text.to_owned());
    }
    match Host::parse(text) {
        Ok(Host::Domain(name)) if super::address::is_name(&name) => Ok(name),
        _ => Err(not()),
    }
}

/// A record type by name, or as `TYPE65` (RFC 3597, section 5).
pub(crate) fn record_type(text: &str) -> Result<u16, NotAn> {
    by_name(TYPES, text).ok_or_else(|| NotAn::RecordType {
        written: text.to_owned(),
        nearest: nearest(text, &names(TYPES)),
    })
}

/// A response code by name.
pub(crate) fn rcode(text: &str) -> Result<u16, NotAn> {
    let found = RCODES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    found.map(|(_, code)| *code).ok_or_else(|| NotAn::Rcode {
        written: text.to_owned(),
        nearest: nearest(text, &names(RCODES)),
    })
}

fn by_name(list: &[(&'static str, u16)], text: &str) -> Option<u16> {
    let named = list.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, it)| *it);
    named.or_else(|| {
        let digits = text.strip_prefix("TYPE")?;
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse().ok().filter(|number| plain && *number > 0)
    })
}

fn names(list: &[(&'static str, u16)]) -> Vec<&'static str> {
    list.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_codes_are_known_by_name() {
        assert_eq!(record_type("AAAA"), Ok(28));
        assert_eq!(record_type("https"), Ok(65));
        assert_eq!(record_type("TYPE65280"), Ok(65_280));
        assert_eq!(record_type("AAA").unwrap_err().help().unwrap(), "did you mean `AAAA`?");
        assert!(record_type("TYPE").is_err() && record_type("TYPE0").is_err());
        assert_eq!(rcode("NXDOMAIN"), Ok(3));
        assert_eq!(rcode("NXDOMIAN").unwrap_err().help().unwrap(), "did you mean `NXDOMAIN`?");
    }

    #[test]
    fn names_may_be_vietnamese_or_begin_with_underscores() {
        assert_eq!(name("_dmarc.gov.vn"), Ok("_dmarc.gov.vn".to_owned()));
        assert_eq!(name("thuế.vn"), Ok("xn--thu-9jz.vn".to_owned()));
        assert_eq!(name("."), Ok(".".to_owned()));
        assert!(name("a..vn").is_err() && name("192.0.2.1").is_err() && name("a b").is_err());
    }
}
