//! Whether an answer is gRPC, and what it says of the service. Pure.

use http::{HeaderMap, HeaderValue};

use super::call::CallAnswer;
use super::health::{ServingStatus, answer, code_name, status_name};
use crate::model::bytes;
use crate::model::observation::Detail;
use crate::model::reason::Reason;
use crate::probe::screen;
use crate::probe::stopwatch::Fault;

/// What came of a call that was answered.
#[derive(Debug)]
pub(super) struct Verdict {
    /// Whether it is as expected.
    pub(super) end: Result<(), Fault>,
    /// The gRPC status, if there was one.
    pub(super) status: Option<u16>,
    /// Bytes of the body.
    pub(super) bytes: u32,
    /// The serving status by its number, if the service told it.
    pub(super) serving: Option<i32>,
}

/// Holds an answer against the protocol ("Responses" in gRPC over HTTP/2), then against
/// SERVING. What the service says goes into `detail.answer`.
pub(super) fn judge(call: &CallAnswer, detail: &mut Detail) -> Verdict {
    let bytes = u32::try_from(call.body.len()).unwrap_or(u32::MAX);
    match status(call) {
        Ok(0) => {
            let (end, serving) = match serving(&call.body, detail) {
                Ok(serving) => (is_serving(serving), Some(serving)),
                Err(fault) => (Err(fault), None),
            };
            Verdict { end, status: Some(0), bytes, serving }
        }
        Ok(status) => {
            let message = screen::line(&field(call, "grpc-message").unwrap_or_default());
            let name = code_name(status);
            detail.answer.push(format!("{name} {message}").trim_end().to_owned());
            let colon = if message.is_empty() { "" } else { ": " };
            let why = format!("gRPC status {status} ({name}){colon}{message}");
            let end = Err(Fault::new(Reason::GrpcStatus, why));
            Verdict { end, status: Some(status), bytes, serving: None }
        }
        Err(fault) => Verdict { end: Err(fault), status: None, bytes, serving: None },
    }
}

/// The gRPC status, which a proxy or a web server would not send.
fn status(call: &CallAnswer) -> Result<u16, Fault> {
    let not_grpc = |why: String| Fault::new(Reason::HttpProtocol, format!("not gRPC: {why}"));
    if call.status != 200 {
        return Err(not_grpc(format!("HTTP status {}, and gRPC has 200", call.status)));
    }
    let kind = call.headers.get("content-type").map_or(&b""[..], |it| it.as_bytes());
    let after = kind.strip_prefix(b"application/grpc");
    if !matches!(after, Some([] | [b'+' | b';', ..])) {
        return Err(not_grpc(format!("the content type is `{}`", screen::line(kind))));
    }
    let status = last(call, "grpc-status").ok_or_else(|| not_grpc("no grpc-status came".into()))?;
    let digits = std::str::from_utf8(status).ok().and_then(|text| text.parse().ok());
    digits.ok_or_else(|| not_grpc(format!("the grpc-status is `{}`", screen::line(status))))
}

fn serving(body: &[u8], detail: &mut Detail) -> Result<i32, Fault> {
    let health = answer(body)
        .map_err(|why| Fault::new(Reason::HttpProtocol, format!("not a health answer: {why}")))?;
    detail.answer.push(status_name(health.status));
    Ok(health.status)
}

fn is_serving(status: i32) -> Result<(), Fault> {
    if status == ServingStatus::Serving as i32 {
        return Ok(());
    }
    let why = format!("the health service says {}, expected SERVING", status_name(status));
    Err(Fault::new(Reason::GrpcNotServing, why))
}

/// A field of the trailers, or of the headers of an answer that has nothing else.
fn last<'a>(call: &'a CallAnswer, name: &str) -> Option<&'a [u8]> {
    let of = |fields: &'a HeaderMap| fields.get(name).map(HeaderValue::as_bytes);
    call.trailers.as_ref().and_then(of).or_else(|| of(&call.headers))
}

/// A text field, in which bytes outside of printable ASCII are written `%XX`. What is not
/// written so stays as it is.
fn field(call: &CallAnswer, name: &str) -> Option<Vec<u8>> {
    last(call, name).map(bytes::unescaped)
}

#[cfg(test)]
mod tests {
    use http::HeaderName;
    use proptest::prelude::*;

    use super::*;

    const SERVING: &[u8] = &[0, 0, 0, 0, 2, 8, 1];
    const GRPC: (&str, &str) = ("content-type", "application/grpc");

    fn fields(pairs: &[(&str, &str)]) -> HeaderMap {
        let name = |text: &str| HeaderName::try_from(text).unwrap();
        pairs.iter().map(|(n, value)| (name(n), HeaderValue::try_from(*value).unwrap())).collect()
    }

    #[track_caller]
    fn check(call: &CallAnswer, expected: &str, status: Option<u16>) {
        let verdict = judge(call, &mut Detail::default());
        let got = match verdict.end {
            Ok(()) => "ok".to_owned(),
            Err(fault) => format!("{}: {}", fault.reason.as_str(), fault.why),
        };
        assert_eq!(got, expected);
        assert_eq!(verdict.status, status);
    }

    fn call(headers: &[(&str, &str)], body: &[u8], trailers: &[(&str, &str)]) -> CallAnswer {
        CallAnswer {
            status: 200,
            headers: fields(headers),
            body: body.to_vec(),
            trailers: Some(fields(trailers)),
        }
    }

    #[test]
    fn only_serving_is_good() {
        let ok = [("grpc-status", "0")];
        check(&call(&[GRPC], SERVING, &ok), "ok", Some(0));
        check(&call(&[("content-type", "application/grpc+proto")], SERVING, &ok), "ok", Some(0));
        for (status, name) in [(0, "UNKNOWN"), (2, "NOT_SERVING"), (3, "SERVICE_UNKNOWN")] {
            let why = format!("grpc_not_serving: the health service says {name}, expected SERVING");
            check(&call(&[GRPC], &[0, 0, 0, 0, 2, 8, status], &ok), &why, Some(0));
        }
        let why = "http_protocol: not a health answer: no message came";
        check(&call(&[GRPC], &[], &ok), why, Some(0));
    }

    #[test]
    fn another_status_is_kept_and_its_message_told() {
        let trailers = [("grpc-status", "5"), ("grpc-message", "kh%C3%B4ng c%C3%B3 100% %zz%")];
        let why = "grpc_status: gRPC status 5 (NOT_FOUND): không có 100% %zz%";
        check(&call(&[GRPC], &[], &trailers), why, Some(5));
        let alone = CallAnswer { trailers: None, ..call(&[GRPC, ("grpc-status", "14")], &[], &[]) };
        check(&alone, "grpc_status: gRPC status 14 (UNAVAILABLE)", Some(14));
        check(
            &call(&[GRPC], &[], &[("grpc-status", "99")]),
            "grpc_status: gRPC status 99 (99)",
            Some(99),
        );
    }

    #[test]
    fn what_a_proxy_or_a_web_server_says_is_not_grpc() {
        let bad = CallAnswer { status: 503, ..call(&[GRPC], &[], &[]) };
        check(&bad, "http_protocol: not gRPC: HTTP status 503, and gRPC has 200", None);
        for kind in ["text/html", "application/grpc-web", "application/grpcx"] {
            let why = format!("http_protocol: not gRPC: the content type is `{kind}`");
            check(&call(&[("content-type", kind)], &[], &[("grpc-status", "0")]), &why, None);
        }
        check(&call(&[], &[], &[]), "http_protocol: not gRPC: the content type is ``", None);
        check(&call(&[GRPC], SERVING, &[]), "http_protocol: not gRPC: no grpc-status came", None);
        let why = "http_protocol: not gRPC: the grpc-status is `-1`";
        check(&call(&[GRPC], SERVING, &[("grpc-status", "-1")]), why, None);
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(
            status in prop::sample::select(vec![200u16, 404]),
            body in prop::collection::vec(any::<u8>(), 0..20),
            code in "[0-9]{0,6}|[ -~]{0,6}",
            message in "[ -~]{0,20}",
        ) {
            let trailers = [("grpc-status", code.as_str()), ("grpc-message", message.as_str())];
            let call = CallAnswer { status, ..call(&[GRPC], &body, &trailers) };
            let mut detail = Detail::default();
            prop_assert_eq!(judge(&call, &mut detail).bytes as usize, body.len());
        }
    }
}
