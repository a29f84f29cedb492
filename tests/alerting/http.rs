//! One HTTP request a message: what each answer means, and that nothing of it leaks.

use std::time::Duration;

use thongsuot::alert::channel::{SenderError, Sent, signature};
use thongsuot::model::alerting::channel::{HttpChannel, Success};
use thongsuot::model::text::Pattern;
use tokio::time::Instant;

use crate::send::{NOW, TIMEOUT, http, message, secret, sender};
use crate::web::{Reply, Web};

/// Part of the address, as tokens are.
const TOKEN: &str = "123456:t0ken-in-the-address";

fn channel(url: &str) -> HttpChannel {
    HttpChannel {
        preset: "http",
        url: secret(url),
        method: "POST".to_owned(),
        headers: Vec::new(),
        body: secret(r#"{"text":{{ text|json }}}"#),
        content_type: "application/json".to_owned(),
        signing_key: None,
        success: Success::Json { path: "$.ok".to_owned(), equals: vec!["true".to_owned()] },
        values: vec![("token".to_owned(), secret(TOKEN))],
        token: None,
        text_chars_max: 2_000,
    }
}

async fn answered(reply: Reply, success: Option<Success>, timeout: Duration) -> Sent {
    let server = Web::start(vec![reply]).await;
    let mut channel = channel(&server.url("/bot{{ token }}/sendMessage"));
    channel.success = success.unwrap_or(channel.success);
    let sender = sender(http(channel), timeout).unwrap();
    let sent = sender.send("g1", &message(), NOW).await;
    assert_eq!(server.one().path, format!("/bot{TOKEN}/sendMessage"));
    for told in [format!("{sent:?}"), format!("{sender:?}")] {
        assert!(!told.contains("t0ken"), "{told}");
    }
    sent
}

#[tokio::test]
async fn each_answer_is_accepted_later_or_refused() {
    let says = |status, header, body: &str| Reply::Says(status, header, body.to_owned());
    let echo = format!(r#"{{"ok":false,"why":"no bot {TOKEN}"}}"#);
    for (reply, expected) in [
        (says(200, "", r#"{"ok":true,"result":{"message_id":77}}"#), "accepted 77"),
        (says(200, "", r#"{"ok":false,"error_code":400}"#), "later answers 200, but `$.ok` is not"),
        (
            says(200, "", &echo),
            r#"later answers 200, but `$.ok` is not true: {"ok":false,"why":"no bot ***"}"#,
        ),
        (says(200, "", "<html>gateway</html>"), "later answers 200, but not with JSON"),
        (says(500, "", "oops"), "later answers 500: oops"),
        (says(429, "retry-after: 7", "{}"), "later 7 s answers 429: {}"),
        (says(503, "retry-after: Mon, 23 Nov 2026 01:14:30 GMT", ""), "later 30 s answers 503"),
        (says(302, "location: http://127.0.0.1:1/", ""), "later answers 302: redirects are not"),
        (says(400, "", "bad chat"), "refused answers 400: bad chat"),
        (says(401, "", "who?"), "later answers 401: who?"),
        (Reply::Closes, "later request: "),
    ] {
        let sent = answered(reply.clone(), None, TIMEOUT).await;
        let told = match sent {
            Sent::Accepted { id } => format!("accepted {}", id.unwrap_or_default()),
            Sent::Later { why, after: Some(after) } => format!("later {} s {why}", after.as_secs()),
            Sent::Later { why, after: None } => format!("later {why}"),
            Sent::Refused { why } => format!("refused {why}"),
        };
        assert!(told.starts_with(expected), "{reply:?}: {told}");
    }
}

#[tokio::test]
async fn one_deadline_holds_and_a_body_without_end_is_not_read() {
    let timeout = Duration::from_millis(700);
    let from = Instant::now();
    let sent = answered(Reply::Hangs, None, timeout).await;
    assert!(matches!(&sent, Sent::Later { why, .. } if why.contains("no complete answer")));
    assert!(from.elapsed() < timeout + Duration::from_secs(5));
    let sent = answered(Reply::Endless, None, TIMEOUT).await;
    assert!(matches!(&sent, Sent::Later { why, .. } if why.contains("65536 bytes")), "{sent:?}");
    let sent = answered(Reply::Endless, Some(Success::Status), TIMEOUT).await;
    assert!(matches!(sent, Sent::Accepted { .. }), "{sent:?}");
}

/// A server that answers with what it was asked, as many frameworks do with a path they don't know.
#[tokio::test]
async fn an_answer_that_echoes_the_path_tells_neither_the_password_nor_the_recipient_nor_links() {
    let path = "/services/T00000000/hook-secret-of-ours?code=qu3ry-secret";
    let mut bundle = message();
    let link = |n| format!("https://giamsat.example.gov.vn/a/SC-2026-001{n}_1_an_0123456789abcdef");
    bundle.ack_url = String::new();
    bundle.text = format!("1. VNeID\n   TIẾP NHẬN: {}\n2. DVC ({})", link(1), link(2));
    let echo = format!("no 0912345678 at {path}: {}, {}", link(1), &link(2)[30..]);
    for status in [404, 400, 200] {
        let server = Web::start(vec![Reply::Says(status, "", echo.clone())]).await;
        let sender = sender(http(channel(&server.url(path))), TIMEOUT).unwrap();
        let sent = format!("{:?}", sender.send("0912345678", &bundle, NOW).await);
        for secret in ["hook-secret", "qu3ry", "912345678", "0123456789abcdef", "SC-2026-0011_1"] {
            assert!(!sent.contains(secret), "{secret}: {sent}");
        }
        assert!(sent.contains("no *** at ***"), "{sent}");
    }
}

#[tokio::test]
async fn success_is_a_status_or_a_pattern_too() {
    let matches = Some(Success::Matches(Pattern::new(r"^\s*ok\s*$").unwrap()));
    let sent = answered(Reply::ok("ok\n"), matches.clone(), TIMEOUT).await;
    assert_eq!(sent, Sent::Accepted { id: None });
    let sent = answered(Reply::ok("no_service"), matches, TIMEOUT).await;
    assert!(matches!(&sent, Sent::Later { why, .. } if why.contains("no_service")), "{sent:?}");
    let sent = answered(Reply::ok(r#"{"ok":false}"#), Some(Success::Status), TIMEOUT).await;
    assert!(matches!(sent, Sent::Accepted { .. }), "{sent:?}");
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_never_told() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for url in [
        format!("http://127.0.0.1:{port}/bot{TOKEN}/x?key={TOKEN}"),
        format!("http://user:{TOKEN}@127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/bot{TOKEN}"),
    ] {
        let sent = sender(http(channel(&url)), TIMEOUT).unwrap().send("g1", &message(), NOW).await;
        let Sent::Later { why, .. } = &sent else { panic!("{sent:?}") };
        assert!(why.starts_with("connect: ") && !why.contains("t0ken"), "{why}");
    }
    let it = channel("ftp://x/{{ token }}");
    let sent = sender(http(it), TIMEOUT).unwrap().send("g1", &message(), NOW).await;
    assert!(matches!(&sent, Sent::Refused { why } if !why.contains("t0ken")), "{sent:?}");
}

#[tokio::test]
async fn a_request_carries_its_key_and_a_signature_that_can_be_verified() {
    let server = Web::start(vec![Reply::ok(r#"{"ok":true}"#)]).await;
    let mut it = channel(&server.url("/hook"));
    it.signing_key = Some(secret("chìa khóa"));
    it.headers = vec![("X-Phòng".replace('ò', "o"), secret("{{ system }}/{{ severity }}"))];
    let sent = sender(http(it), TIMEOUT).unwrap().send("-", &message(), NOW).await;
    assert!(matches!(sent, Sent::Accepted { .. }), "{sent:?}");
    let asked = server.one();
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/hook"));
    assert_eq!(asked.headers["idempotency-key"], message().key);
    assert_eq!(asked.headers["content-type"], "application/json");
    assert_eq!(asked.headers["x-phong"], "VNeID/page");
    assert_eq!(asked.headers["x-thongsuot-timestamp"], "1795396440");
    let expected = signature("chìa khóa".as_bytes(), 1_795_396_440, asked.body.as_bytes());
    assert_eq!(asked.headers["x-thongsuot-signature"], expected);
    let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(body["text"], message().text);
}

/// The example of `docs/channels.md`, as a receiver runs it.
#[test]
fn the_documented_check_of_a_signature_knows_ours_from_others() {
    let docs = std::fs::read_to_string("docs/channels.md").unwrap();
    let example = docs.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let body = r#"{"text":"gián đoạn"}"#;
    let signed = signature("chìa".as_bytes(), 1_795_396_440, body.as_bytes());
    for (secret, timestamp, body, now, ours) in [
        ("chìa", "1795396440", body, "1795396500", "True"),
        ("khác", "1795396440", body, "1795396500", "False"),
        ("chìa", "1795396441", body, "1795396500", "False"),
        ("chìa", "1795396440", "{}", "1795396500", "False"),
        ("chìa", "1795396440", body, "1795396841", "False"),
        ("chìa", "", body, "1795396500", "False"),
    ] {
        let call = format!(
            "{example}\nimport sys\na = sys.argv\n\
             print(is_ours(a[1].encode(), a[2], a[3], a[4].encode(), float(a[5])))"
        );
        let mut python = std::process::Command::new("python3");
        let Ok(out) = python.args(["-c", &call, secret, timestamp, &signed, body, now]).output()
        else {
            return crate::skip::skip("the documented signature check", "python3 is not installed");
        };
        let said = String::from_utf8_lossy(&out.stdout).trim().to_owned();
        assert_eq!(said, ours, "{secret} {timestamp}: {}", String::from_utf8_lossy(&out.stderr));
    }
}

/// A TLS server whose certificate nobody has vouched for.
#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_told_without_the_address() {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let chain = vec![certificate.self_signed(&key).unwrap().der().clone()];
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key.into())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/bot{TOKEN}", listener.local_addr().unwrap());
    let mut server = tokio::task::JoinSet::new();
    server.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            acceptor.accept(stream).await.ok();
        }
    });
    let sent = sender(http(channel(&url)), TIMEOUT).unwrap().send("g1", &message(), NOW).await;
    let Sent::Later { why, .. } = &sent else { panic!("{sent:?}") };
    assert!(why.contains("certificate") && !why.contains("t0ken"), "{why}");
}

#[tokio::test]
async fn a_get_has_no_body() {
    let server = Web::start(vec![Reply::ok(r#"{"ok":true}"#)]).await;
    let mut it = channel(&server.url("/goi?so={{ to|form }}&tin={{ short|cut(9)|form }}"));
    (it.method, it.body) = ("GET".to_owned(), secret(""));
    sender(http(it), TIMEOUT).unwrap().send("+84 9&x", &message(), NOW).await;
    let asked = server.one();
    assert_eq!(asked.method, "GET");
    assert_eq!(asked.path, "/goi?so=%2B84+9%26x&tin=GIAN+DOA%E2%80%A6");
    assert!(!asked.headers.contains_key("content-length"));
}

#[tokio::test]
async fn a_long_text_is_cut_where_the_channel_says() {
    let server = Web::start(vec![Reply::ok(r#"{"ok":true}"#)]).await;
    let mut it = channel(&server.url("/"));
    it.text_chars_max = 50;
    sender(http(it), TIMEOUT).unwrap().send("-", &message(), NOW).await;
    let body: serde_json::Value = serde_json::from_str(&server.one().body).unwrap();
    let text = body["text"].as_str().unwrap();
    assert!(text.chars().count() <= 50 && text.ends_with('…'), "{text}");
}

#[tokio::test]
async fn a_header_can_not_be_broken_out_of() {
    let server = Web::start(vec![Reply::ok(r#"{"ok":true}"#)]).await;
    let mut it = channel(&server.url("/"));
    it.headers = vec![("x-to".to_owned(), secret("{{ to }}"))];
    let sender = sender(http(it), TIMEOUT).unwrap();
    let sent = sender.send("a\r\nx-evil: 1", &message(), NOW).await;
    assert!(matches!(&sent, Sent::Refused { why } if why.contains("x-to")), "{sent:?}");
    assert!(server.asked().is_empty());
    let mut evil = message();
    evil.key = "k\r\nx-evil: đ 1".to_owned();
    assert!(matches!(sender.send("g", &evil, NOW).await, Sent::Accepted { .. }));
    assert_eq!(server.one().headers["idempotency-key"], "k%d%ax-evil:%20%111%201");
}

#[test]
fn what_is_wrong_with_a_channel_is_found_before_anything_is_sent() {
    let good = || channel("http://127.0.0.1:1/");
    let fails = |channel: HttpChannel| sender(http(channel), TIMEOUT).unwrap_err().to_string();
    let body = |text: &str| HttpChannel { body: secret(text), ..good() };
    let broken = fails(body("{\n{{ text }"));
    assert!(broken.starts_with("the template of the body, line 2, is broken: "), "{broken}");
    let unknown = fails(body("{{ text }}{{ tocken }}"));
    assert!(unknown.starts_with("the template of the body, line 1, is broken: undefined"));
    let path = Success::Json { path: "ok".to_owned(), equals: Vec::new() };
    assert_eq!(fails(HttpChannel { success: path, ..good() }), "JSONPath `ok` is not valid");
    let headers = vec![("a b".to_owned(), secret("x"))];
    assert_eq!(fails(HttpChannel { headers, ..good() }), "header name `a b` is not valid");
    let method = HttpChannel { method: "PO ST".to_owned(), ..good() };
    assert_eq!(fails(method), "method `PO ST` is not valid");
    assert!(matches!(
        sender(http(body("{{ text|nothing }}")), TIMEOUT).unwrap_err(),
        SenderError::Template { line: Some(1), .. }
    ));
}
