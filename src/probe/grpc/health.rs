//! The messages of `grpc.health.v1` and their frames. Pure.

use prost::Message;

/// Most bytes of an answer: a health answer has two; more is nothing we asked for.
pub(super) const ANSWER_BYTES_MAX: usize = 16 << 10;

/// Bytes before each message: a flag and a length.
const FRAME_HEADER_BYTES: usize = 5;

/// `grpc.health.v1.HealthCheckRequest`.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct HealthCheckRequest {
    /// The service asked for; empty: the server as a whole.
    #[prost(string, tag = "1")]
    pub(super) service: String,
}

/// `grpc.health.v1.HealthCheckResponse`.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct HealthCheckResponse {
    /// What the service says of itself.
    #[prost(enumeration = "ServingStatus", tag = "1")]
    pub(super) status: i32,
}

/// `grpc.health.v1.HealthCheckResponse.ServingStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub(super) enum ServingStatus {
    Unknown = 0,
    Serving = 1,
    NotServing = 2,
    ServiceUnknown = 3,
}

/// A message with its frame: not compressed, then the length (gRPC over HTTP/2,
/// "Length-Prefixed-Message").
pub(super) fn frame(message: &impl Message) -> Vec<u8> {
    let body = message.encode_to_vec();
    let mut framed = vec![0];
    framed.extend(u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend(body);
    framed
}

/// The one answer of a unary call.
///
/// # Errors
///
/// What is wrong with the frame or the message, in a few words.
pub(super) fn answer(body: &[u8]) -> Result<HealthCheckResponse, &'static str> {
    let Some((head, message)) = body.split_first_chunk::<FRAME_HEADER_BYTES>() else {
        return Err(if body.is_empty() { "no message came" } else { "the frame is cut short" });
    };
    let [flag, length @ ..] = *head;
    if flag != 0 {
        return Err("the message is compressed, which we did not offer");
    }
    if u32::from_be_bytes(length) as usize != message.len() {
        return Err("the frame's length is not that of the one message in it");
    }
    HealthCheckResponse::decode(message).map_err(|_broken| "the message can't be parsed")
}

/// The name of a serving status as the protocol writes it.
pub(super) fn status_name(status: i32) -> String {
    match ServingStatus::try_from(status) {
        Ok(ServingStatus::Unknown) => "UNKNOWN".to_owned(),
        Ok(ServingStatus::Serving) => "SERVING".to_owned(),
        Ok(ServingStatus::NotServing) => "NOT_SERVING".to_owned(),
        Ok(ServingStatus::ServiceUnknown) => "SERVICE_UNKNOWN".to_owned(),
        Err(_unknown) => format!("status {status}"),
    }
}

/// The names of gRPC status codes; the number for those that have none.
pub(super) fn code_name(code: u16) -> String {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    NAMES.get(usize::from(code)).map_or_else(|| code.to_string(), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_request_is_framed_as_the_protocol_says() {
        let request = HealthCheckRequest { service: "a".into() };
        assert_eq!(frame(&request), [0, 0, 0, 0, 3, 0x0a, 1, b'a']);
        assert_eq!(frame(&HealthCheckRequest::default()), [0, 0, 0, 0, 0]);
    }

    #[test]
    fn an_answer_is_one_whole_plain_message() {
        let check = |body: &[u8], expected: Result<i32, &str>| {
            assert_eq!(answer(body).map(|it| it.status), expected, "{body:?}");
        };
        check(&[0, 0, 0, 0, 2, 8, 1], Ok(1));
        check(&[0, 0, 0, 0, 2, 8, 99], Ok(99));
        check(&[0, 0, 0, 0, 0], Ok(0));
        check(&[0, 0, 0, 0, 5, 8, 2, 0x12, 1, b'x'], Ok(2));
        check(&[], Err("no message came"));
        check(&[0, 0, 0], Err("the frame is cut short"));
        check(&[1, 0, 0, 0, 2, 8, 1], Err("the message is compressed, which we did not offer"));
        let length = "the frame's length is not that of the one message in it";
        check(&[0, 0, 0, 0, 3, 8, 1], Err(length));
        check(&[0, 0xff, 0xff, 0xff, 0xff, 8, 1], Err(length));
        check(&[0, 0, 0, 0, 2, 8, 1, 0, 0, 0, 0, 0], Err(length));
        check(&[0, 0, 0, 0, 1, 0xff], Err("the message can't be parsed"));
    }

    #[test]
    fn statuses_and_codes_have_names_or_are_numbers() {
        assert_eq!(status_name(2), "NOT_SERVING");
        assert_eq!(status_name(-1), "status -1");
        assert_eq!(code_name(14), "UNAVAILABLE");
        assert_eq!(code_name(17), "17");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            head in prop::collection::vec(any::<u8>(), 0..6),
            body in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let _ = answer(&head);
            let mut framed = vec![0];
            framed.extend((body.len() as u32).to_be_bytes());
            framed.extend(body);
            let _ = answer(&framed);
        }
    }
}
