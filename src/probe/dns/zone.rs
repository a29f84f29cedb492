//! Records as the text of a zone file (RFC 1035, section 5.1). Pure.

use std::fmt::Write;
use std::net::IpAddr;

use hickory_proto::rr::{DNSClass, RData, Record, RecordType};

/// One record as `name TTL class type data`, single spaces between, names with their final dot.
pub(super) fn line(record: &Record) -> String {
    parts(record, ' ')
}

/// The same with tabs between the parts.
pub(super) fn tabbed(record: &Record) -> String {
    parts(record, '\t')
}

fn parts(record: &Record, gap: char) -> String {
    let class = match record.dns_class {
        DNSClass::Unknown(number) => format!("CLASS{number}"),
        known => known.to_string(),
    };
    let kind = type_name(record.record_type());
    let name = record.name.to_ascii();
    format!("{name}{gap}{}{gap}{class}{gap}{kind}{gap}{}", record.ttl, data(record))
}

/// The data of a record. Types without a form of their own are written as RFC 3597 says.
pub(super) fn data(record: &Record) -> String {
    let mut text = String::new();
    match &record.data {
        RData::TXT(txt) => {
            for (at, part) in txt.txt_data.iter().enumerate() {
                text.push_str(if at == 0 { "\"" } else { " \"" });
                quote(&mut text, part);
                text.push('"');
            }
        }
        RData::Unknown { rdata, .. } => generic(&mut text, &rdata.anything),
        RData::NULL(null) => generic(&mut text, &null.anything),
        // Pseudo-records (OPT) have no text, and say so with an error: they stay empty.
        other => _ = write!(text, "{other}"),
    }
    text
}

/// Whether the data of `record` is what somebody wrote: addresses by value, texts exactly with
/// or without quotes, anything else without regard to case or a final dot.
pub(super) fn data_is(record: &Record, written: &str) -> bool {
    match &record.data {
        RData::A(address) => written.parse() == Ok(IpAddr::V4(address.0)),
        RData::AAAA(address) => written.parse() == Ok(IpAddr::V6(address.0)),
        RData::TXT(txt) => txt.txt_data.concat() == written.as_bytes() || data(record) == written,
        _ => {
            let bare = |text: &str| text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
            bare(&data(record)) == bare(written)
        }
    }
}

fn type_name(kind: RecordType) -> String {
    match kind {
        RecordType::Unknown(number) => format!("TYPE{number}"),
        known => known.to_string(),
    }
}

/// RFC 3597, section 5: `\# length hexadecimal`.
fn generic(text: &mut String, bytes: &[u8]) {
    _ = write!(text, "\\# {}", bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        _ = write!(text, "{}{byte:02x}", if at == 0 { " " } else { "" });
    }
}

/// RFC 1035, section 5.1: a backslash before quotes and backslashes, `\DDD` for the rest.
fn quote(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => _ = write!(text, "\\{byte:03}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::Name;
    use hickory_proto::rr::rdata::{A, CNAME, MX, NULL, TXT};

    use super::*;

    fn record(data: RData) -> Record {
        Record::from_rdata(Name::from_ascii("cong.Example.vn.").unwrap(), 300, data)
    }

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    #[test]
    fn records_read_as_in_a_zone_file() {
        let unknown =
            RData::Unknown { code: RecordType::Unknown(65_280), rdata: NULL::with(vec![0, 0xab]) };
        let check = |data: RData, expected: &str| assert_eq!(line(&record(data)), expected);
        check(RData::A(A::new(192, 0, 2, 1)), "cong.Example.vn. 300 IN A 192.0.2.1");
        check(RData::CNAME(CNAME(name("a.vn."))), "cong.Example.vn. 300 IN CNAME a.vn.");
        check(RData::MX(MX::new(10, name("mx.vn."))), "cong.Example.vn. 300 IN MX 10 mx.vn.");
        check(
            RData::TXT(TXT::from_bytes(vec![b"a \"b\"", b"\xc3\\"])),
            r#"cong.Example.vn. 300 IN TXT "a \"b\"" "\195\\""#,
        );
        check(unknown, r"cong.Example.vn. 300 IN TYPE65280 \# 2 00ab");
    }

    #[test]
    fn written_data_is_compared_by_its_meaning() {
        let v6 = RData::AAAA("2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap().into());
        let txt = RData::TXT(TXT::from_bytes(vec![b"v=spf1 ", b"-all"]));
        for (data, written, expected) in [
            (v6.clone(), "2001:DB8:0:0:0:0:0:1", true),
            (v6, "2001:db8::2", false),
            (RData::A(A::new(192, 0, 2, 1)), "192.0.2.1", true),
            (RData::A(A::new(192, 0, 2, 1)), "192.0.2", false),
            (txt.clone(), "v=spf1 -all", true),
            (txt.clone(), r#""v=spf1 " "-all""#, true),
            (txt, "V=spf1 -all", false),
            (RData::MX(MX::new(10, name("mx.vn."))), "10 MX.vn", true),
            (RData::MX(MX::new(10, name("mx.vn."))), "20 mx.vn", false),
        ] {
            assert_eq!(data_is(&record(data), written), expected, "{written}");
        }
    }
}
