//! Whether a DNS answer is what was expected. Pure.

use hickory_proto::op::Message;
use hickory_proto::rr::Record;

use super::question::rcode_name;
use super::zone;
use crate::model::expect::{DnsExpect, DnsSection};
use crate::model::reason::Reason;
use crate::probe::stopwatch::Fault;

/// Holds `message` against `expect`: the response code first, then authentication, then the
/// sections from the first to the last.
///
/// # Errors
///
/// The first expectation that does not hold.
pub(super) fn judge(expect: &DnsExpect, message: &Message) -> Result<(), Fault> {
    let code = u16::from(message.metadata.response_code);
    if !expect.rcodes.contains(&code) {
        let allowed: Vec<_> = expect.rcodes.iter().map(|code| rcode_name(*code)).collect();
        let why = format!("answered {}, expected {}", rcode_name(code), allowed.join(" or "));
        return Err(Fault::new(Reason::DnsRcode, why));
    }
    if expect.authenticated && !message.metadata.authentic_data {
        let why = "the answer does not carry the AD bit: it was not validated by DNSSEC";
        return Err(Fault::new(Reason::DnsAnswer, why));
    }
    for (name, rules, records) in [
        ("answer", &expect.answer, &message.answers),
        ("authority", &expect.authority, &message.authorities),
        ("additional", &expect.additional, &message.additionals),
    ] {
        section(rules, records)
            .map_err(|why| Fault::new(Reason::DnsAnswer, format!("{name} section: {why}")))?;
    }
    Ok(())
}

fn section(rules: &DnsSection, records: &[Record]) -> Result<(), String> {
    if let Some(least) = rules.count_min
        && records.len() < least as usize
    {
        return Err(format!("{} records, expected at least {least}", records.len()));
    }
    for written in &rules.contains {
        if !records.iter().any(|record| zone::data_is(record, written)) {
            return Err(format!("no record's data is `{written}`"));
        }
    }
    let lines: Vec<String> = records.iter().map(zone::line).collect();
    for pattern in &rules.matches {
        if !lines.iter().any(|line| pattern.is_match(line.as_bytes())) {
            return Err(format!("no record matches `{}`", pattern.as_str()));
        }
    }
    for pattern in &rules.all_match {
        if lines.is_empty() {
            return Err(format!("it is empty, and every record must match `{}`", pattern.as_str()));
        }
        if let Some(line) = lines.iter().find(|line| !pattern.is_match(line.as_bytes())) {
            return Err(format!("`{line}` does not match `{}`", pattern.as_str()));
        }
    }
    for pattern in &rules.none_matches {
        if let Some(line) = lines.iter().find(|line| pattern.is_match(line.as_bytes())) {
            return Err(format!("`{line}` matches the forbidden `{}`", pattern.as_str()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::{OpCode, ResponseCode};
    use hickory_proto::rr::rdata::{A, CNAME, NS};
    use hickory_proto::rr::{Name, RData};

    use super::*;
    use crate::model::text::Pattern;

    /// An answer: a CNAME to an address, an authority, and an address of it.
    fn message() -> Message {
        let name = |text: &str| Name::from_ascii(text).unwrap();
        let record = |owner: &str, data| Record::from_rdata(name(owner), 60, data);
        let mut message = Message::response(1, OpCode::Query);
        message.add_answer(record("a.vn.", RData::CNAME(CNAME(name("b.vn.")))));
        message.add_answer(record("b.vn.", RData::A(A::new(192, 0, 2, 7))));
        message.add_authority(record("vn.", RData::NS(NS(name("ns.vn.")))));
        message.add_additional(record("ns.vn.", RData::A(A::new(192, 0, 2, 9))));
        message
    }

    fn pattern(text: &str) -> Vec<Pattern> {
        vec![Pattern::new(text).unwrap()]
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut DnsExpect, &mut Message), expected: &str) {
        let mut expect = DnsExpect {
            rcodes: vec![0],
            answer: DnsSection::default(),
            authority: DnsSection::default(),
            additional: DnsSection::default(),
            authenticated: false,
        };
        let mut message = message();
        change(&mut expect, &mut message);
        let got = match judge(&expect, &message) {
            Ok(()) => "ok".to_owned(),
            Err(fault) => format!("{}: {}", fault.reason.as_str(), fault.why),
        };
        assert_eq!(got, expected);
    }

    #[test]
    fn a_code_is_judged_before_the_records() {
        check(|_, _| (), "ok");
        check(
            |_, message| message.metadata.response_code = ResponseCode::ServFail,
            "dns_rcode: answered SERVFAIL, expected NOERROR",
        );
        check(
            |expect, message| {
                expect.rcodes = vec![0, 3];
                message.metadata.response_code = ResponseCode::NXDomain;
            },
            "ok",
        );
        check(
            |expect, _| expect.rcodes = vec![3, 2],
            "dns_rcode: answered NOERROR, expected NXDOMAIN or SERVFAIL",
        );
    }

    #[test]
    fn an_answer_that_must_be_authenticated_carries_the_bit() {
        check(
            |expect, message| {
                expect.authenticated = true;
                message.metadata.authentic_data = true;
            },
            "ok",
        );
        check(
            |expect, _| expect.authenticated = true,
            "dns_answer: the answer does not carry the AD bit: it was not validated by DNSSEC",
        );
    }

    #[test]
    fn each_rule_of_a_section_can_hold_and_break() {
        check(|it, _| it.answer.contains = vec!["192.0.2.7".into(), "B.VN".into()], "ok");
        check(
            |it, _| it.answer.contains = vec!["192.0.2.9".into()],
            "dns_answer: answer section: no record's data is `192.0.2.9`",
        );
        check(|it, _| it.answer.matches = pattern(r"^b\.vn\. 60 IN A 192\.0\.2\.7$"), "ok");
        check(
            |it, _| it.answer.matches = pattern("AAAA"),
            "dns_answer: answer section: no record matches `AAAA`",
        );
        check(|it, _| it.answer.all_match = pattern(" IN "), "ok");
        check(
            |it, _| it.answer.all_match = pattern(" A "),
            "dns_answer: answer section: `a.vn. 60 IN CNAME b.vn.` does not match ` A `",
        );
        check(
            |it, message| {
                it.answer.all_match = pattern(".");
                message.answers.clear();
            },
            "dns_answer: answer section: it is empty, and every record must match `.`",
        );
        check(|it, _| it.answer.none_matches = pattern("AAAA"), "ok");
        check(
            |it, _| it.answer.none_matches = pattern("CNAME"),
            "dns_answer: answer section: `a.vn. 60 IN CNAME b.vn.` matches the forbidden `CNAME`",
        );
        check(|it, _| it.answer.count_min = Some(2), "ok");
        check(
            |it, _| it.answer.count_min = Some(3),
            "dns_answer: answer section: 2 records, expected at least 3",
        );
    }

    #[test]
    fn every_section_is_judged() {
        check(|it, _| it.authority.contains = vec!["ns.vn".into()], "ok");
        check(
            |it, _| it.authority.contains = vec!["x.vn".into()],
            "dns_answer: authority section: no record's data is `x.vn`",
        );
        check(
            |it, _| it.additional.count_min = Some(2),
            "dns_answer: additional section: 1 records, expected at least 2",
        );
    }
}
