//! `kind = websocket` against servers of our own that switch, refuse, break the rules and flood.

mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use thongsuot::model::check::{Check, Lane};
use thongsuot::model::expect::CertExpect;
use thongsuot::model::how::How;
use thongsuot::model::kept::{DialogueKept, Kept, Unmet};
use thongsuot::model::observation::Observation;
use thongsuot::model::phases::Phase;
use thongsuot::model::reason::Reason;
use thongsuot::model::secret::Secret;
use thongsuot::model::spec::{Auth, Line, OAuth2, Spec, TlsClient, WebsocketSpec};
use thongsuot::model::text::Pattern;
use thongsuot::model::time::{Micros, Millis};
use thongsuot::probe;

use crate::probe_kit::{Authority, LONG, SHORT, check, ends, net, now, observe};
use server::{BINARY, CLOSE, Guest, PING, PONG, Server, TEXT, frame, part};

fn expect(pattern: &str) -> Line {
    Line::Expect(Pattern::new(pattern).unwrap())
}

fn send(text: &str) -> Line {
    Line::Send(text.as_bytes().to_vec())
}

fn spec(server: &Server, scheme: &str, dialogue: Vec<Line>) -> WebsocketSpec {
    WebsocketSpec {
        url: format!("{scheme}://{}/ws?token=hidden", server.address).parse().unwrap(),
        headers: Vec::new(),
        auth: Auth::None,
        tls: TlsClient::default(),
        subprotocol: None,
        dialogue,
        cert: CertExpect::default(),
    }
}

fn of(spec: WebsocketSpec, timeout: Duration) -> Check {
    check(Spec::Websocket(Box::new(spec)), timeout)
}

async fn talk(server: &Server, dialogue: Vec<Line>, timeout: Duration) -> Observation {
    observe(&of(spec(server, "ws", dialogue), timeout), &net(None)).await
}

/// Runs `dialogue` against a server that switches and says `bytes`.
async fn hears(bytes: impl Into<Vec<u8>>, dialogue: Vec<Line>) -> Observation {
    let bytes = bytes.into();
    let server = Server::start(move |mut guest: Guest| {
        let bytes = bytes.clone();
        async move {
            guest.switch("").await;
            guest.say(&bytes).await;
            guest.hold().await;
        }
    })
    .await;
    talk(&server, dialogue, LONG).await
}

#[tokio::test]
async fn the_switch_is_enough_without_a_dialogue() {
    let server = Server::start(|mut guest: Guest| async move {
        assert!(guest.head.starts_with("GET /ws?token=hidden HTTP/1.1\r\n"), "{}", guest.head);
        assert_eq!(guest.header("upgrade"), Some("websocket"));
        assert_eq!(guest.header("connection"), Some("Upgrade"));
        assert_eq!(guest.header("sec-websocket-version"), Some("13"));
        assert_eq!(guest.header("sec-websocket-key").unwrap().len(), 24);
        assert_eq!(guest.header("user-agent"), Some("thongsuot-test"));
        assert_eq!(guest.header("origin"), Some("https://a.vn"));
        assert_eq!(guest.header("authorization"), Some("Basic dTpwYXNz"));
        assert!(guest.header("host").unwrap().starts_with("127.0.0.1:"));
        guest.switch("").await;
        let (code, goodbye) = guest.hear().await.unwrap();
        assert_eq!((code, goodbye), (CLOSE, 1_000_u16.to_be_bytes().to_vec()));
        guest.say(frame(CLOSE, &1_000_u16.to_be_bytes())).await;
    })
    .await;
    let mut spec = spec(&server, "ws", Vec::new());
    spec.headers = vec![("origin".to_owned(), Secret::new("https://a.vn".to_owned()))];
    spec.auth = Auth::Basic { user: "u".to_owned(), password: Secret::new("pass".to_owned()) };
    let how = How { keep: true, ..How::from(Lane::Any) };
    let seen = probe::run(&of(spec, LONG), how, &net(None), now()).await;
    ends(&seen, Reason::None);
    assert_eq!((seen.status, seen.detail.http_version), (Some(101), Some("1.1")));
    let kept = DialogueKept { upgraded: true, ..DialogueKept::default() };
    assert_eq!(seen.detail.kept.as_deref(), Some(&Kept::Dialogue(kept)));
    assert!(seen.phases.get(Phase::Wait) > Micros(0));
    assert_eq!(seen.detail.remote, Some(server.address));
    let hop = &seen.detail.hops[0];
    assert_eq!(hop.url, format!("ws://{}/ws", server.address));
    assert_eq!((hop.status, hop.phases), (Some(101), seen.phases));
}

#[tokio::test]
async fn a_dialogue_is_of_whole_messages_and_pings_are_answered() {
    let server = Server::start(|mut guest: Guest| async move {
        guest.switch("").await;
        // In one go with a ping between the parts of a message.
        let mut bytes = frame(TEXT, "thông báo".as_bytes());
        bytes.extend(part(TEXT, b"0{\"sid\":\"a"));
        bytes.extend(frame(PING, b"alive?"));
        bytes.extend(part(0x80, b"1\"}"));
        guest.say(&bytes).await;
        assert_eq!(guest.hear().await, Some((PONG, b"alive?".to_vec())));
        assert_eq!(guest.hear().await, Some((TEXT, b"40a1".to_vec())));
        assert_eq!(guest.hear().await, Some((BINARY, vec![0xff, 0])));
        guest.say(frame(BINARY, b"\xffok")).await;
        guest.hold().await;
    })
    .await;
    let dialogue = vec![
        expect(r#"^0\{"sid":"(\w+)""#),
        send("40$1"),
        Line::SendExpanded(vec![0xff, 0]),
        Line::Label { name: "sid".to_owned(), value: b"${1}".to_vec() },
        expect(r"(?-u)^\xffok$"),
        Line::Label { name: "whole".to_owned(), value: b"$0".to_vec() },
    ];
    let how = How { keep: true, ..How::from(Lane::Any) };
    let check = of(spec(&server, "ws", dialogue), LONG);
    let seen = probe::run(&check, how, &net(None), now()).await;
    ends(&seen, Reason::None);
    assert_eq!(seen.detail.answer, ["thông báo", "0{\"sid\":\"a1\"}", "\u{fffd}ok"]);
    let Some(Kept::Dialogue(kept)) = seen.detail.kept.as_deref() else { panic!("{seen:?}") };
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(kept.labels, [label("sid", "a1"), label("whole", "\u{fffd}ok")]);
    assert_eq!(kept.unmet, None);
}

#[tokio::test]
async fn bytes_must_be_the_next_message() {
    let bytes = [frame(TEXT, b"one"), frame(TEXT, b"two")].concat();
    let is = |text: &[u8]| Line::ExpectBytes(text.to_vec());
    ends(&hears(bytes.clone(), vec![is(b"one"), is(b"two")]).await, Reason::None);
    let seen = hears(bytes, vec![is(b"two")]).await;
    ends(&seen, Reason::DialogueMismatch);
    assert_eq!(seen.detail.why.unwrap(), "expected the message `two`; the last message was `one`");
    let inside = hears(Vec::new(), vec![Line::StartTls(TlsClient::default())]).await;
    ends(&inside, Reason::Internal);
}

/// A server that answers every request with `answer`, and closes if it says so.
async fn answering(answer: &'static str) -> Server {
    Server::start(move |mut guest: Guest| async move {
        guest.say(answer).await;
        if !answer.contains("close") {
            guest.hold().await;
        }
    })
    .await
}

#[tokio::test]
async fn another_answer_than_the_switch_is_told_by_its_status() {
    let check = async |answer: &'static str, status: u16, expected: Reason| {
        let server = answering(answer).await;
        let seen = talk(&server, vec![expect("x")], SHORT).await;
        assert_eq!((seen.status, seen.reason), (Some(status), expected), "{answer}: {seen:#?}");
        assert_eq!(seen.detail.hops[0].status, Some(status));
        seen
    };
    for (answer, status) in [
        ("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", 400),
        ("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\nno", 401),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", 403),
        ("HTTP/1.1 426 Upgrade Required\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n", 426),
        ("HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", 301),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200),
        // Its page never ends: the head says enough.
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 20\r\n\r\nno", 403),
        ("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\nzz", 404),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n", 502),
    ] {
        let seen = check(answer, status, Reason::HttpStatus).await;
        assert_eq!(seen.detail.why.unwrap(), format!("expected status 101, got {status}"));
    }
    let slow = "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
    let seen = check(slow, 429, Reason::RateLimited).await;
    assert_eq!(seen.retry_after, Some(Duration::from_secs(7)));
    let page = "HTTP/1.1 403 No\r\nContent-Length: 16\r\n\r\n by Mod_Security";
    check(page, 403, Reason::WafBlock).await;
}

#[tokio::test]
async fn a_server_that_does_not_speak_http_or_nothing_at_all() {
    let check = async |answer: &'static str, expected: Reason| {
        let server = answering(answer).await;
        let seen = talk(&server, vec![expect("x")], SHORT).await;
        assert_eq!(seen.reason, expected, "{answer}: {seen:#?}");
    };
    check("", Reason::TimeoutWait).await;
    check("HTTP/1.1 101 Switch", Reason::TimeoutReceive).await;
    check("220 mx.vn\r\n", Reason::HttpProtocol).await;
    check("HTTP/1.1 101 close", Reason::HttpProtocol).await;
    let many = Box::leak(format!("HTTP/1.1 101 S\r\n{}", "a: b\r\n".repeat(200)).into_boxed_str());
    check(many, Reason::HttpProtocol).await;
}

#[tokio::test]
async fn a_switch_that_breaks_the_rules_is_none() {
    let switched = |head: &'static str, asked: Option<&'static str>| async move {
        let server = Server::start(move |mut guest: Guest| async move {
            let accept = guest.accept();
            guest.say(head.replace("ACCEPT", &accept) + "\r\n").await;
            guest.hold().await;
        })
        .await;
        let mut spec = spec(&server, "ws", Vec::new());
        spec.subprotocol = asked.map(str::to_owned);
        observe(&of(spec, LONG), &net(None)).await
    };
    let head = "HTTP/1.1 101 S\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
                sec-websocket-accept: ACCEPT\r\n";
    ends(&switched(head, None).await, Reason::None);
    let without =
        |line: &str| -> &'static str { Box::leak(head.replace(line, "").into_boxed_str()) };
    let with = |line: &str| -> &'static str { Box::leak(format!("{head}{line}").into_boxed_str()) };
    for broken in [
        without("upgrade: websocket\r\n"),
        without("connection: upgrade\r\n"),
        without("sec-websocket-accept: ACCEPT\r\n"),
        Box::leak(head.replace("ACCEPT", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=").into_boxed_str()),
        Box::leak(head.replace("HTTP/1.1", "HTTP/1.0").into_boxed_str()),
        with("sec-websocket-extensions: permessage-deflate\r\n"),
        with("sec-websocket-protocol: mqtt\r\n"),
    ] {
        let seen = switched(broken, None).await;
        assert_eq!(seen.reason, Reason::HttpProtocol, "{broken}: {seen:#?}");
        assert_eq!(seen.status, Some(101));
    }
    let chosen = with("sec-websocket-protocol: mqtt\r\n");
    ends(&switched(chosen, Some("mqtt")).await, Reason::None);
    ends(&switched(chosen, Some("stomp")).await, Reason::HeaderMismatch);
    ends(&switched(head, Some("stomp")).await, Reason::HeaderMismatch);
}

#[tokio::test]
async fn a_server_that_ends_too_early_has_not_said_it() {
    let server = Server::start(|mut guest: Guest| async move {
        guest.switch("").await;
        guest.say(&frame(TEXT, b"a whole message")[..9]).await;
    })
    .await;
    let seen = talk(&server, vec![expect("whole")], LONG).await;
    ends(&seen, Reason::DialogueClosed);
    let why = seen.detail.why.unwrap();
    assert!(why.ends_with("before a message matched `whole`; no message came"), "{why}");

    let goodbye = [&1_001_u16.to_be_bytes()[..], "bảo trì".as_bytes()].concat();
    let bytes = [frame(TEXT, b"wait"), frame(CLOSE, &goodbye)].concat();
    let how = How { keep: true, ..How::from(Lane::Any) };
    let server = Server::start(move |mut guest: Guest| {
        let bytes = bytes.clone();
        async move {
            guest.switch("").await;
            guest.say(&bytes).await;
            // Our goodbye is that of the peer.
            assert_eq!(guest.hear().await.unwrap().1[..2], 1_001_u16.to_be_bytes());
        }
    })
    .await;
    let check = of(spec(&server, "ws", vec![expect("ready")]), LONG);
    let seen = probe::run(&check, how, &net(None), now()).await;
    ends(&seen, Reason::DialogueClosed);
    let why = seen.detail.why.unwrap();
    assert!(why.contains("`bảo trì`") && why.contains("`wait`"), "{why}");
    let Some(Kept::Dialogue(kept)) = seen.detail.kept.as_deref() else { panic!("nothing kept") };
    assert_eq!(kept.unmet, Some(Unmet::Pattern));
}

#[tokio::test]
async fn a_server_that_says_nothing_or_something_else_hangs() {
    let server = Server::start(|mut guest: Guest| async move {
        guest.switch("").await;
        guest.say(frame(TEXT, b"busy")).await;
        guest.hold().await;
    })
    .await;
    let seen = talk(&server, vec![expect("ready")], SHORT).await;
    ends(&seen, Reason::TimeoutReceive);
    let why = seen.detail.why.unwrap();
    assert!(why.ends_with("no message matched `ready`; the last message was `busy`"), "{why}");
}

#[tokio::test]
async fn frames_that_break_the_rules_are_no_messages() {
    let masked = [&[0x81, 0x83, 0, 0, 0, 0][..], b"abc"].concat();
    for (what, bytes) in [
        ("text that is not UTF-8", frame(TEXT, b"abc\xff")),
        ("a masked frame", masked),
        ("reserved bits", part(0xc1, b"abc")),
        ("an unknown code", frame(3, b"abc")),
        ("a continuation of nothing", frame(0, b"abc")),
        ("a ping in parts", part(PING, b"abc")),
        ("a ping that is too long", frame(PING, &[b'a'; 126])),
    ] {
        let seen = hears(bytes, vec![expect("abc")]).await;
        assert_eq!(seen.reason, Reason::HttpProtocol, "{what}: {seen:#?}");
        assert!(seen.detail.why.unwrap().starts_with("WebSocket: "), "{what}");
    }
}

#[tokio::test]
async fn a_message_may_come_in_parts_of_one_byte() {
    let text = "từng byte một ".repeat(500);
    let mut bytes = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        bytes.extend(part(if at == 0 { TEXT } else { 0 }, &[byte]));
    }
    bytes.extend(part(0x80, b"end"));
    let seen = hears(bytes, vec![expect("^từng.* end$")]).await;
    ends(&seen, Reason::None);
    assert!(seen.detail.answer[0].chars().count() <= 201, "shown cut");
}

#[tokio::test]
async fn more_than_a_dialogue_may_be_long_is_refused() {
    // A frame that only says that it is of 1 TiB, and a message in parts that never end.
    let huge = [&[0x82, 127][..], &(1_u64 << 40).to_be_bytes()].concat();
    let half = vec![b'a'; 1 << 17];
    let endless = [part(TEXT, &half), part(0, &half), part(0, b"a")].concat();
    let many = frame(TEXT, &[b'a'; 1_000]).repeat(1_200);
    for (what, bytes) in [
        ("a huge frame", huge),
        ("an endless message", endless),
        ("many messages", many),
        ("a flood of pings", frame(PING, b"now").repeat(5_000)),
        ("a flood of small messages", frame(TEXT, b"no").repeat(5_000)),
    ] {
        let seen = hears(bytes, vec![expect("^yes$")]).await;
        assert_eq!(seen.reason, Reason::DialogueMismatch, "{what}: {seen:#?}");
        assert!(seen.detail.answer.len() <= 40, "{what}");
        assert!(seen.bytes <= (1 << 20) + (1 << 16), "{what}: {}", seen.bytes);
    }
}

#[tokio::test]
async fn a_server_that_never_stops_is_left_in_time() {
    let server = Server::start(|mut guest: Guest| async move {
        guest.switch("").await;
        // Fewer than may come, and for longer than the run may last.
        loop {
            guest.say(frame(PING, b"")).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    ends(&talk(&server, vec![expect("x")], SHORT).await, Reason::TimeoutReceive);
}

#[tokio::test]
async fn over_tls_the_facts_of_the_certificate_are_told() {
    let authority = Authority::new();
    let server =
        Server::over(Some(authority.acceptor(&["http/1.1"])), |mut guest: Guest| async move {
            guest.switch("").await;
            guest.say(frame(TEXT, b"ready")).await;
            guest.hold().await;
        })
        .await;
    let mut spec = spec(&server, "wss", vec![expect("ready")]);
    spec.tls = authority.client();
    let seen = observe(&of(spec.clone(), LONG), &net(None)).await;
    ends(&seen, Reason::None);
    let tls = seen.detail.tls.unwrap();
    assert_eq!((tls.alpn.as_deref(), tls.fault), (Some("http/1.1"), None));
    assert!(seen.phases.get(Phase::Tls) > Micros(0));
    // In the year 5000, which is after its end.
    let late = Millis(95_617_584_000_000);
    let seen = probe::run(&of(spec.clone(), LONG), Lane::Any, &net(None), late).await;
    ends(&seen, Reason::TlsExpired);
    assert!(seen.tls_not_after.is_some() && seen.detail.tls.is_some());
    spec.cert = CertExpect { leaf_days_min: Some(u32::MAX), chain_days_min: None };
    let seen = observe(&of(spec.clone(), LONG), &net(None)).await;
    ends(&seen, Reason::TlsExpiresSoon);
    // In clear to a server of TLS, and the reverse.
    spec.url.set_scheme("ws").unwrap();
    ends(&observe(&of(spec.clone(), SHORT), &net(None)).await, Reason::TlsUnexpected);
    let plain = Server::start(|mut guest: Guest| async move { guest.switch("").await }).await;
    let mut spec = self::spec(&plain, "wss", Vec::new());
    spec.tls = authority.client();
    let seen = observe(&of(spec, SHORT), &net(None)).await;
    ends(&seen, Reason::TimeoutTls);
}

#[tokio::test]
async fn secrets_are_hidden_where_the_server_says_them_again() {
    let server = Server::start(|mut guest: Guest| async move {
        let echoed = guest.header("authorization").unwrap().to_owned();
        guest.switch("").await;
        guest.say(frame(TEXT, format!("you are {echoed}").as_bytes())).await;
        guest.say(frame(CLOSE, &[&[3, 232][..], echoed.as_bytes()].concat())).await;
        guest.hold().await;
    })
    .await;
    let mut spec = spec(&server, "ws", vec![expect("are (.*)$")]);
    spec.dialogue.push(Line::Label { name: "who".to_owned(), value: b"$1".to_vec() });
    spec.dialogue.push(expect("never"));
    spec.auth = Auth::Bearer(Secret::new("hunter2".to_owned()));
    let how = How { keep: true, ..How::from(Lane::Any) };
    let seen = probe::run(&of(spec, LONG), how, &net(None), now()).await;
    ends(&seen, Reason::DialogueClosed);
    assert_eq!(seen.detail.answer, ["you are Bearer ***"]);
    assert!(!format!("{seen:?}").contains("hunter2"), "{seen:#?}");
}

#[tokio::test]
async fn a_token_is_fetched_first_and_again_once_it_is_refused() {
    let fetched = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&fetched);
    let tokens = Server::start(move |mut guest: Guest| {
        let count = Arc::clone(&count);
        async move {
            let number = count.fetch_add(1, Ordering::SeqCst);
            let body = format!("{{\"access_token\":\"ticket-{number}\",\"expires_in\":3600}}");
            let length = body.len();
            guest.say(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}")).await;
        }
    })
    .await;
    let server = Server::start(|mut guest: Guest| async move {
        if guest.header("authorization") == Some("Bearer ticket-0") {
            guest.say("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n").await;
        } else {
            assert_eq!(guest.header("authorization"), Some("Bearer ticket-1"));
            guest.switch("").await;
            guest.hold().await;
        }
    })
    .await;
    let mut spec = spec(&server, "ws", Vec::new());
    spec.auth = Auth::OAuth2(Box::new(OAuth2 {
        token_url: format!("http://{}/token", tokens.address).parse().unwrap(),
        client_id: "giamsat".to_owned(),
        client_secret: Secret::new("hunter2".to_owned()),
        scopes: Vec::new(),
        params: Vec::new(),
        tls: None,
    }));
    let (check, net) = (of(spec, LONG), net(None));
    let seen = observe(&check, &net).await;
    ends(&seen, Reason::HttpStatus);
    assert!(seen.detail.aside > Micros(0));
    ends(&observe(&check, &net).await, Reason::None);
    let seen = observe(&check, &net).await;
    ends(&seen, Reason::None);
    assert_eq!(fetched.load(Ordering::SeqCst), 2, "the second one is still good");
}
