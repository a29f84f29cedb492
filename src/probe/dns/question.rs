//! The question as bytes, and what an arriving message is to it. Pure.

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};

use crate::model::reason::Reason;
use crate::model::spec::DnsSpec;
use crate::probe::stopwatch::Fault;

/// UDP payload we say we can take: what passes everywhere without fragments (RFC 9715).
const EDNS_PAYLOAD_BYTES: u16 = 1_232;

/// One question that is under way.
#[derive(Debug)]
pub(super) struct Question {
    id: u16,
    name: Name,
    record_type: RecordType,
    class: DNSClass,
    message: Message,
    /// The message as sent over UDP.
    pub(super) bytes: Vec<u8>,
}

/// What an arriving message is to a question.
#[derive(Debug)]
pub(super) enum Heard {
    /// Its answer.
    Answer(Box<Message>),
    /// Its answer, cut to fit a datagram (RFC 1035, section 4.1.1, TC).
    Truncated,
    /// Something else: too short, another id, another question, or broken; why, in a few words.
    Foreign(&'static str),
}

impl Question {
    /// Builds the question that `spec` asks.
    ///
    /// EDNS (RFC 6891) is offered; the AD and DO bits are set where the answer is to be
    /// authenticated (RFC 6840, section 5.7; RFC 4035, section 3.2.1).
    ///
    /// # Errors
    ///
    /// A `void` fault if the name is not a domain name: that is our configuration's trouble.
    pub(super) fn new(spec: &DnsSpec, id: u16) -> Result<Self, Fault> {
        let mut name =
            Name::from_str_relaxed(&spec.name).map_err(|error| unwritable(&spec.name, &error))?;
        name.set_fqdn(true);
        let record_type = RecordType::from(spec.record_type);
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = spec.recursion;
        message.metadata.authentic_data = spec.expect.authenticated;
        let class = DNSClass::from(spec.class);
        let mut query = Query::query(name.clone(), record_type);
        query.set_query_class(class);
        message.add_query(query);
        let mut edns = Edns::new();
        edns.set_max_payload(EDNS_PAYLOAD_BYTES).set_dnssec_ok(spec.expect.authenticated);
        message.set_edns(edns);
        let bytes = message.to_vec().map_err(|error| unwritable(&spec.name, &error))?;
        Ok(Self { id, name, record_type, class, message, bytes })
    }

    /// The same question without EDNS, if `answer` shows that the server does not know EDNS: it
    /// must then say FORMERR (RFC 6891, section 7), some say NOTIMP, and every resolver asks
    /// again like this. None if the answer needs EDNS, or this is that question.
    ///
    /// # Errors
    ///
    /// As [`Question::new`].
    pub(super) fn without_edns(&self, answer: &Message) -> Result<Option<Self>, Fault> {
        let code = answer.metadata.response_code;
        let unknown = matches!(code, ResponseCode::FormErr | ResponseCode::NotImp);
        let offered = self.message.edns.as_ref();
        let wanted = offered.is_none_or(|edns| edns.flags().dnssec_ok);
        if !unknown || answer.edns.is_some() || wanted {
            return Ok(None);
        }
        let mut message = self.message.clone();
        message.edns = None;
        message.metadata.id = rand::random();
        let (name, record_type, class) = (self.name.clone(), self.record_type, self.class);
        let bytes = message.to_vec().map_err(|error| unwritable(&name.to_ascii(), &error))?;
        Ok(Some(Self { id: message.metadata.id, name, record_type, class, message, bytes }))
    }

    /// Whether `packet` answers this question (RFC 5452, section 9.1: id and question must
    /// match; the socket has seen to addresses and ports).
    pub(super) fn hear(&self, packet: &[u8]) -> Heard {
        let Some(head) = packet.first_chunk::<12>() else {
            return Heard::Foreign("shorter than a DNS header");
        };
        if u16::from_be_bytes([head[0], head[1]]) != self.id {
            return Heard::Foreign("it carries another id");
        }
        if head[2] & 0b1000_0000 == 0 || head[2] & 0b0111_1000 != 0 {
            return Heard::Foreign("it is no response to a query");
        }
        let truncated = head[2] & 0b0000_0010 != 0;
        match u16::from_be_bytes([head[4], head[5]]) {
            1 if self.is_repeated_in(packet) => {}
            // A server that can't read the question can't repeat it.
            0 if head[3] & 0b0000_1111 != 0 => {}
            _ => return Heard::Foreign("it answers another question"),
        }
        if truncated {
            return Heard::Truncated;
        }
        match Message::from_vec(packet) {
            Ok(message) => Heard::Answer(Box::new(message)),
            Err(_broken) => Heard::Foreign("its records can't be parsed"),
        }
    }

    fn is_repeated_in(&self, packet: &[u8]) -> bool {
        let mut decoder = BinDecoder::new(packet);
        let past_head = decoder.read_slice(12).is_ok();
        past_head
            && Query::read(&mut decoder).is_ok_and(|query| {
                *query.name() == self.name
                    && query.query_type() == self.record_type
                    && query.query_class() == self.class
            })
    }
}

fn unwritable(name: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::new(Reason::Internal, format!("can't ask for `{name}`: {error}"))
}

/// The names of response codes as IANA lists them; `RCODE17` for those without one.
pub(super) fn rcode_name(code: u16) -> String {
    let name = match code.into() {
        ResponseCode::NoError => "NOERROR",
        ResponseCode::FormErr => "FORMERR",
        ResponseCode::ServFail => "SERVFAIL",
        ResponseCode::NXDomain => "NXDOMAIN",
        ResponseCode::NotImp => "NOTIMP",
        ResponseCode::Refused => "REFUSED",
        ResponseCode::YXDomain => "YXDOMAIN",
        ResponseCode::YXRRSet => "YXRRSET",
        ResponseCode::NXRRSet => "NXRRSET",
        ResponseCode::NotAuth => "NOTAUTH",
        ResponseCode::NotZone => "NOTZONE",
        ResponseCode::BADVERS | ResponseCode::BADSIG => "BADVERS",
        _ => return format!("RCODE{code}"),
    };
    name.to_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::expect::{DnsExpect, DnsSection};
    use crate::model::spec::DnsTransport;

    /// A question for addresses of `name` over UDP, whose answer must be NOERROR.
    pub(in crate::probe::dns) fn spec(name: &str) -> DnsSpec {
        DnsSpec {
            server: None,
            transport: DnsTransport::Udp,
            name: name.to_owned(),
            record_type: 1,
            class: 1,
            recursion: true,
            expect: DnsExpect {
                rcodes: vec![0],
                answer: DnsSection::default(),
                authority: DnsSection::default(),
                additional: DnsSection::default(),
                authenticated: false,
            },
        }
    }

    fn question() -> Question {
        Question::new(&spec("Cong.Example.vn"), 0x1234).unwrap()
    }

    /// An answer to [`question`], changed by `change` before it is encoded.
    fn answer(change: impl FnOnce(&mut Message)) -> Vec<u8> {
        let mut message = Message::from_vec(&question().bytes).unwrap().into_response();
        change(&mut message);
        message.to_vec().unwrap()
    }

    #[track_caller]
    fn check(packet: &[u8], expected: &str) {
        let got = match question().hear(packet) {
            Heard::Answer(message) => rcode_name(message.metadata.response_code.into()),
            Heard::Truncated => "truncated".to_owned(),
            Heard::Foreign(why) => why.to_owned(),
        };
        assert_eq!(got, expected);
    }

    #[test]
    fn only_a_response_with_our_id_and_question_is_an_answer() {
        let other = |name: &str, kind| Query::query(Name::from_ascii(name).unwrap(), kind);
        check(&answer(|_| ()), "NOERROR");
        check(&answer(|it| it.queries = vec![other("cong.example.vn.", RecordType::A)]), "NOERROR");
        check(&answer(|it| it.metadata.id = 1), "it carries another id");
        check(&question().bytes, "it is no response to a query");
        check(&answer(|it| it.metadata.op_code = OpCode::Notify), "it is no response to a query");
        for wrong in
            [other("x.example.vn.", RecordType::A), other("cong.example.vn.", RecordType::MX)]
        {
            check(&answer(|it| it.queries = vec![wrong]), "it answers another question");
        }
        check(&answer(|it| it.queries.clear()), "it answers another question");
        check(b"", "shorter than a DNS header");
        check(&question().bytes[..11], "shorter than a DNS header");
    }

    #[test]
    fn a_server_that_can_not_read_the_question_need_not_repeat_it() {
        let refusal = answer(|it| {
            it.queries.clear();
            it.metadata.response_code = ResponseCode::FormErr;
        });
        check(&refusal, "FORMERR");
    }

    #[test]
    fn a_truncated_answer_is_seen_even_if_its_records_are_cut_apart() {
        let mut cut = answer(|it| it.metadata.truncation = true);
        cut[7] = 9;
        check(&cut, "truncated");
        let mut broken = answer(|_| ());
        broken[7] = 9;
        check(&broken, "its records can't be parsed");
    }

    #[test]
    fn an_extended_code_is_put_together_from_both_halves() {
        let versions = answer(|it| {
            // Encoded as 1 in the OPT record and 0 in the header.
            it.metadata.response_code = ResponseCode::BADVERS;
        });
        check(&versions, "BADVERS");
    }

    #[test]
    fn the_bits_of_dnssec_are_set_only_where_they_are_needed() {
        let mut asked = spec("a.vn");
        for wanted in [false, true] {
            asked.expect.authenticated = wanted;
            asked.recursion = wanted;
            let question = Question::new(&asked, 7).unwrap();
            let message = Message::from_vec(&question.bytes).unwrap();
            assert_eq!(message.metadata.id, 7);
            assert_eq!(message.metadata.authentic_data, wanted);
            assert_eq!(message.metadata.recursion_desired, wanted);
            let edns = message.edns.unwrap();
            assert_eq!(edns.flags().dnssec_ok, wanted);
            assert_eq!(edns.max_payload(), 1_232);
        }
    }

    #[test]
    fn a_question_of_another_class_takes_only_answers_of_that_class() {
        let mut chaos = spec("version.bind");
        chaos.class = 3;
        let question = Question::new(&chaos, 7).unwrap();
        let mut message = Message::from_vec(&question.bytes).unwrap();
        assert_eq!(message.queries[0].query_class(), DNSClass::CH);
        message = message.into_response();
        assert!(matches!(question.hear(&message.to_vec().unwrap()), Heard::Answer(_)));
        message.queries[0].set_query_class(DNSClass::IN);
        assert!(matches!(question.hear(&message.to_vec().unwrap()), Heard::Foreign(_)));
    }

    #[test]
    fn a_server_that_does_not_know_edns_is_asked_without() {
        let refusal = |code, edns: bool| {
            Message::from_vec(&answer(|it| {
                it.metadata.response_code = code;
                it.edns = it.edns.take().filter(|_| edns);
            }))
            .unwrap()
        };
        let again = |question: &Question, code, edns| {
            question.without_edns(&refusal(code, edns)).unwrap().map(|it| it.message)
        };
        let plain = again(&question(), ResponseCode::FormErr, false).unwrap();
        assert_eq!(plain.queries, question().message.queries);
        assert_eq!(plain.edns, None);
        assert!(again(&question(), ResponseCode::NotImp, false).is_some());
        assert_eq!(again(&question(), ResponseCode::FormErr, true), None);
        assert_eq!(again(&question(), ResponseCode::ServFail, false), None);
        let last = question().without_edns(&refusal(ResponseCode::FormErr, false)).unwrap();
        assert_eq!(again(&last.unwrap(), ResponseCode::FormErr, false), None, "only once");
        let mut secure = spec("a.vn");
        secure.expect.authenticated = true;
        let secure = Question::new(&secure, 1).unwrap();
        assert_eq!(again(&secure, ResponseCode::FormErr, false), None);
    }

    #[test]
    fn a_name_in_vietnamese_is_asked_for_in_its_encoded_form() {
        let question = Question::new(&spec("Dịch-Vụ-Công.vn"), 1).unwrap();
        assert_eq!(question.name.to_ascii(), "xn--dch-v-cng-m7a6315fbja.vn.");
        let question = Question::new(&spec("_dmarc.example.vn."), 1).unwrap();
        assert_eq!(question.name.to_ascii(), "_dmarc.example.vn.");
        assert_eq!(Question::new(&spec("."), 1).unwrap().name.to_ascii(), ".");
    }

    #[test]
    fn a_name_that_is_none_is_our_own_fault() {
        let fault = Question::new(&spec(&"a".repeat(64)), 1).unwrap_err();
        assert_eq!(fault.reason, Reason::Internal);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = question().hear(&bytes);
        }

        /// A true head and question, then anything: the record parser itself is reached.
        #[test]
        fn no_records_make_it_panic(
            counts in prop::array::uniform3(0u8..4),
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            kind in 0u16..300,
        ) {
            let mut packet = answer(|it| it.edns = None);
            [packet[7], packet[9], packet[11]] = counts;
            packet.extend([0xc0, 12]);
            packet.extend(kind.to_be_bytes());
            packet.extend([0, 1, 0, 0, 0, 60]);
            packet.extend((bytes.len() as u16).to_be_bytes());
            packet.extend(bytes);
            if let Heard::Answer(message) = question().hear(&packet) {
                for record in message.all_sections() {
                    let _ = super::super::zone::line(record);
                }
            }
        }
    }
}
