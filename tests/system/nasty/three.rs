//! HTTP/3: what its server does, good or bad.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http::{Response, StatusCode};
use quinn::{ConnectionError, VarInt};
use thongsuot::model::check::Check;
use thongsuot::model::expect::HttpVersion;
use thongsuot::model::observation::Observation;
use thongsuot::model::phases::Phase;
use thongsuot::model::reason::Reason;
use thongsuot::model::secret::Secret;
use thongsuot::model::spec::{HttpOffer, HttpSpec, RedirectTo};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

use super::bench::{BODY_CAP, Bench, SHORT, get_with, spent_in};
use super::pki::{Options, Pair, VALID, leaf, root};
use super::server3::{H3, asked, connected, fixed, frame, head, knocked, knocked_on, say, served};

/// A GET over HTTP/3.
fn three(url: &str) -> Check {
    three_with(url, |_| {})
}

fn three_with(url: &str, change: impl FnOnce(&mut HttpSpec)) -> Check {
    get_with(url, |spec| {
        spec.offer = HttpOffer::Http3;
        change(spec);
    })
}

fn three_soon(url: &str) -> Check {
    Check { timeout: SHORT, ..three(url) }
}

/// A root and a certificate of `localhost`.
fn pair() -> (Pair, Pair) {
    let ca = root("root", VALID);
    let end = leaf(&["localhost"], &ca, VALID);
    (ca, end)
}

/// What a run against a server sees that says `status`, `headers` and `body`.
async fn against(
    status: u16,
    headers: &[(&'static str, &str)],
    body: Vec<u8>,
    reason: Reason,
) -> Observation {
    let (ca, end) = pair();
    let server = fixed(&end, status, headers, body);
    Bench::trusting(&ca.pem).expect(&three(&server.url()), reason).await
}

/// What a run against a server sees that writes `bytes` for an answer and closes as `end` says.
async fn against_bytes(bytes: Vec<u8>, how: After, reason: Reason) -> Observation {
    let (ca, end) = pair();
    let server = connected(&end, move |connection| {
        let bytes = bytes.clone();
        async move {
            let Some(mut send) = asked(&connection).await else { return };
            let _gone = send.write_all(&bytes).await;
            match how {
                After::Finish => drop(send.finish()),
                After::FinishLater => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    let _gone = send.finish();
                }
                // What was written must have come, or it is not the middle.
                After::Reset => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    let _gone = send.reset(VarInt::from_u32(0x102));
                }
                After::Close => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    connection.close(VarInt::from_u32(0x102), b"bye\n\x1b[1m");
                }
                After::Nothing => {}
            }
            connection.closed().await;
        }
    });
    let mut check = three(&server.url());
    if matches!(how, After::Nothing) {
        check.timeout = SHORT;
    }
    Bench::trusting(&ca.pem).expect(&check, reason).await
}

#[derive(Clone, Copy)]
enum After {
    Finish,
    FinishLater,
    Reset,
    Close,
    Nothing,
}

fn data(body: &[u8]) -> Vec<u8> {
    frame(0x00, body.len(), body)
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test]
async fn a_request_and_its_answer_go_over_quic() {
    let (ca, end) = pair();
    let options = Options { alpn: H3, ..Options::default() };
    let server = served(&end, &options, |request, mut stream| async move {
        assert_eq!(request.method(), "POST");
        assert_eq!(request.uri().path_and_query().expect("a path").as_str(), "/a?b");
        assert_eq!(request.uri().authority().expect("an authority").as_str(), "dvc.vn");
        assert_eq!(request.headers()["user-agent"], "thongsuot/test");
        assert_eq!(request.headers()["x-key"], "k");
        assert_eq!(request.headers()["content-length"], "600000");
        assert!(!request.headers().contains_key("connection"));
        let mut length = 0;
        while let Ok(Some(data)) = stream.recv_data().await {
            length += hyper::body::Buf::remaining(&data);
        }
        assert_eq!(length, 600_000);
        let early = Response::builder().status(103).body(()).expect("sound");
        stream.send_response(early).await.expect("sent");
        let response = Response::builder().header("content-length", 4).body(()).expect("sound");
        say(stream, response, b"xong".to_vec()).await;
    });
    let check = three_with(&format!("{}a?b", server.url()), |spec| {
        spec.method = "POST".to_owned();
        spec.body = Some(vec![b'x'; 600_000]);
        spec.expect.versions = vec![HttpVersion::Http3];
        for (name, value) in [("host", "dvc.vn"), ("x-key", "k"), ("connection", "close")] {
            spec.headers.push((name.to_owned(), Secret::new(value.to_owned())));
        }
    });
    let seen = Bench::trusting(&ca.pem).expect(&check, Reason::None).await;
    assert_eq!((seen.status, seen.bytes), (Some(200), 4));
    assert_eq!(seen.detail.http_version, Some("3"));
    assert_eq!(seen.detail.remote, Some(server.addr));
    let tls = seen.detail.tls.expect("facts");
    assert_eq!((tls.version, tls.alpn.as_deref()), ("TLS 1.3", Some("h3")));
    assert_eq!(tls.cipher, "TLS13_AES_128_GCM_SHA256");
    assert_eq!((tls.chain.len(), tls.fault), (1, None));
    for phase in [Phase::Connect, Phase::Tls, Phase::Send] {
        assert!(seen.phases.get(phase).0 > 0, "{phase:?}: {:?}", seen.phases);
    }
}

#[tokio::test]
async fn statuses_bodies_and_heads_are_judged_as_ever() {
    let cap = BODY_CAP as usize;
    against(404, &[], b"no".to_vec(), Reason::HttpStatus).await;
    against(200, &[], vec![b'x'; cap + 1], Reason::BodyTooLarge).await;
    let seen = against(200, &[], vec![b'x'; cap], Reason::None).await;
    assert_eq!(u64::from(seen.bytes), BODY_CAP);
    let seen = against(200, &[("content-encoding", "gzip")], b"not".to_vec(), Reason::BodyEncoding);
    assert_eq!(seen.await.status, Some(200));
    against(200, &[("content-length", "5")], b"four".to_vec(), Reason::HttpProtocol).await;
    against(429, &[], Vec::new(), Reason::RateLimited).await;
    let (ca, end) = pair();
    let server = fixed(&end, 200, &[("content-length", "5")], Vec::new());
    let bench = Bench::trusting(&ca.pem);
    let only_head = three_with(&server.url(), |spec| spec.method = "HEAD".to_owned());
    bench.expect(&only_head, Reason::None).await;
    let older = three_with(&server.url(), |spec| {
        spec.method = "HEAD".to_owned();
        spec.expect.versions = vec![HttpVersion::Http2];
    });
    bench.expect(&older, Reason::HttpVersion).await;
}

#[tokio::test]
async fn redirects_stay_on_http_3() {
    let (ca, end) = pair();
    let options = Options { alpn: H3, ..Options::default() };
    let server = served(&end, &options, |request, stream| async move {
        let (status, to) = match request.uri().path() {
            "/" => (StatusCode::FOUND, "/b"),
            "/b" => (StatusCode::PERMANENT_REDIRECT, "/c"),
            "/down" => (StatusCode::FOUND, "http://localhost:1/"),
            _ => (StatusCode::OK, ""),
        };
        assert_eq!(request.headers().get("cookie").is_some(), request.uri().path() == "/b");
        let mut response = Response::builder().status(status).header("location", to);
        if request.uri().path() == "/" {
            response = response.header("set-cookie", "a=1; Path=/b");
        }
        say(stream, response.body(()).expect("sound"), b"x".to_vec()).await;
    });
    let bench = Bench::trusting(&ca.pem);
    let seen = bench.expect(&three(&server.url()), Reason::None).await;
    let statuses: Vec<_> = seen.detail.hops.iter().map(|hop| hop.status).collect();
    assert_eq!(statuses, [Some(302), Some(308), Some(200)]);
    for downgrade in [false, true] {
        let down = three_with(&format!("{}down", server.url()), |spec| {
            spec.redirects.to = RedirectTo::Anywhere;
            spec.redirects.downgrade = downgrade;
        });
        bench.expect(&down, Reason::RedirectRefused).await;
    }
}

#[tokio::test]
async fn certificates_are_judged_as_over_tcp() {
    let (ca, good) = pair();
    let bench = Bench::trusting(&ca.pem);
    let expired = leaf(&["localhost"], &ca, (2020, 2021));
    let other = leaf(&["other.test"], &ca, VALID);
    let strange = leaf(&["localhost"], &root("strange", VALID), VALID);
    for (end, reason) in [
        (&expired, Reason::TlsExpired),
        (&other, Reason::TlsNameMismatch),
        (&strange, Reason::TlsChainIncomplete),
        (&good, Reason::None),
    ] {
        let server = fixed(end, 200, &[], b"x".to_vec());
        let seen = bench.expect(&three(&server.url()), reason).await;
        let tls = seen.detail.tls.expect("facts");
        assert_eq!(tls.chain.len(), 1);
        assert_eq!(tls.fault.map_or(Reason::None, |fault| fault.0), reason);
        let lax = three_with(&server.url(), |spec| spec.tls.verify = false);
        bench.expect(&lax, Reason::None).await;
    }
    let server = fixed(&good, 200, &[], b"x".to_vec());
    let named = three_with(&server.url(), |spec| {
        spec.tls.server_name = Some("other.test".to_owned());
    });
    bench.expect(&named, Reason::TlsNameMismatch).await;
    let soon = three_with(&server.url(), |spec| {
        spec.expect.cert.leaf_days_min = Some(100_000);
    });
    bench.expect(&soon, Reason::TlsExpiresSoon).await;
}

#[tokio::test]
async fn the_cipher_suite_is_told_whichever_it_is() {
    let (ca, end) = pair();
    let bench = Bench::trusting(&ca.pem);
    let known = rustls::crypto::ring::default_provider().cipher_suites;
    let known = known.into_iter().filter(|it| it.tls13().is_some()).map(|it| it.suite());
    let mut told = 0;
    for suite in known {
        let options = Options { alpn: H3, only_suite: Some(suite), ..Options::default() };
        let server = served(&end, &options, |_, stream| async move {
            say(stream, Response::new(()), Vec::new()).await;
        });
        let check = three(&server.url());
        // Two at once on one thread: what one notes is not the other's.
        let (one, two) =
            tokio::join!(bench.expect(&check, Reason::None), bench.expect(&check, Reason::None));
        for seen in [one, two] {
            assert_eq!(Some(&*seen.detail.tls.expect("facts").cipher), suite.as_str());
            told += 1;
        }
    }
    assert_eq!(told, 6);
}

#[tokio::test]
async fn a_server_that_knows_its_clients_lets_only_them_in_over_quic() {
    let (ca, end) = pair();
    let clients = root("clients", VALID);
    let ours = leaf(&["monitor"], &clients, VALID);
    let options = Options { alpn: H3, clients: Some(&clients), ..Options::default() };
    let server = served(&end, &options, |_, stream| async move {
        say(stream, Response::new(()), b"x".to_vec()).await;
    });
    let bench = Bench::trusting(&ca.pem);
    let known = three_with(&server.url(), |spec| {
        let key = Secret::new(ours.key_pem());
        spec.tls.identity_pem = Some((ours.pem.clone().into_bytes(), key));
    });
    bench.expect(&known, Reason::None).await;
    bench.expect(&three(&server.url()), Reason::TlsHandshake).await;
}

#[tokio::test]
async fn a_server_without_http_3_is_told_by_its_alpn() {
    let (ca, end) = pair();
    for alpn in [&[b"h3-29".as_slice()][..], &[]] {
        let options = Options { alpn, ..Options::default() };
        let server = served(&end, &options, |_, _| async {});
        let seen =
            Bench::trusting(&ca.pem).expect(&three(&server.url()), Reason::HttpVersion).await;
        let why = "expected HTTP/3, the server does not offer it by ALPN";
        assert_eq!(seen.detail.why.as_deref(), Some(why));
    }
}

#[tokio::test]
async fn a_server_that_refuses_or_asks_again_is_understood() {
    let (ca, end) = pair();
    let options = Options { alpn: H3, ..Options::default() };
    let bench = Bench::trusting(&ca.pem);
    let refusing = knocked(&end, &options, |incoming| async move { incoming.refuse() });
    bench.expect(&three(&refusing.url()), Reason::ConnectRefused).await;
    let silent = knocked(&end, &options, |incoming| async move { incoming.ignore() });
    bench.expect(&three_soon(&silent.url()), Reason::TimeoutConnect).await;
    let asking = knocked(&end, &options, |incoming| async move {
        if !incoming.remote_address_validated() {
            let _asked = incoming.retry();
            return;
        }
        let Ok(connection) = incoming.await else { return };
        if let Some(mut send) = asked(&connection).await {
            let _gone = send.write_all(&[head(&[]), data(b"ok")].concat()).await;
            let _gone = send.finish();
        }
        connection.closed().await;
    });
    let seen = bench.expect(&three(&asking.url()), Reason::None).await;
    assert_eq!(seen.bytes, 2);
}

/// A UDP server that answers each datagram as `reply` says.
async fn udp(reply: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + 'static) -> (String, JoinSet<()>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("loopback");
    let url = format!("https://localhost:{}/", socket.local_addr().expect("bound").port());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut packet = [0; 2_000];
        while let Ok((length, from)) = socket.recv_from(&mut packet).await {
            if let Some(reply) = reply(&packet[..length]) {
                let _gone = socket.send_to(&reply, from).await;
            }
        }
    });
    (url, tasks)
}

#[tokio::test]
async fn a_port_that_swallows_datagrams_can_not_be_connected_to() {
    let (url, _tasks) = udp(|_| None).await;
    let seen = Bench::new().expect(&three_soon(&url), Reason::TimeoutConnect).await;
    spent_in(&seen, Phase::Connect);
}

#[tokio::test]
async fn a_server_that_says_nothing_sensible_hangs_in_the_handshake() {
    let (url, _tasks) = udp(|_| Some(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())).await;
    let seen = Bench::new().expect(&three_soon(&url), Reason::TimeoutTls).await;
    spent_in(&seen, Phase::Tls);
}

#[tokio::test]
async fn a_server_of_another_quic_is_told() {
    // Version negotiation (RFC 9000, section 17.2.1), for a version of nobody.
    let (url, _tasks) = udp(|packet| {
        let ours = usize::from(packet[5]);
        let (to, rest) = packet[6..].split_at(ours);
        let theirs = usize::from(rest[0]);
        let from = &rest[1..=theirs];
        let mut reply = vec![0x80, 0, 0, 0, 0, theirs as u8];
        reply.extend(from);
        reply.push(ours as u8);
        reply.extend(to);
        reply.extend([0x0b, 0xad, 0xca, 0xfe]);
        Some(reply)
    })
    .await;
    Bench::new().expect(&three(&url), Reason::HttpVersion).await;
}

#[tokio::test]
async fn a_port_without_a_listener_refuses() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("loopback");
    let port = socket.local_addr().expect("bound").port();
    drop(socket);
    let url = format!("https://localhost:{port}/");
    let seen = Bench::new().expect(&three(&url), Reason::ConnectRefused).await;
    assert!(seen.phases.total().0 < 2_000_000, "{:?}", seen.phases);
}

#[tokio::test]
async fn we_come_from_the_address_that_is_set_and_close_what_we_opened() {
    let (ca, end) = pair();
    let (seen, mut ends) = tokio::sync::mpsc::channel(1);
    let source = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 77));
    let server = connected(&end, move |connection| {
        let seen = seen.clone();
        async move {
            assert_eq!(connection.remote_address().ip(), source);
            if let Some(mut send) = asked(&connection).await {
                let _gone = send.write_all(&head(&[])).await;
                let _gone = send.finish();
            }
            let end = connection.closed().await;
            let code = VarInt::from_u32(0x100);
            let polite =
                matches!(&end, ConnectionError::ApplicationClosed(it) if it.error_code == code);
            seen.send(polite).await.expect("waited for");
        }
    });
    let bench = Bench::with(|settings| {
        settings.source = Some(source);
        settings.extra_roots_pem.push(ca.pem.as_bytes().to_vec());
    });
    bench.expect(&three(&server.url()), Reason::None).await;
    assert_eq!(ends.recv().await, Some(true));
}

#[tokio::test]
async fn a_control_stream_that_ends_is_not_http() {
    let (ca, end) = pair();
    let server = connected(&end, |connection| async move {
        let Ok(mut control) = connection.open_uni().await else { return };
        let _gone = control.write_all(&[0x00, 0x04, 0x00]).await;
        let _gone = control.finish();
        connection.closed().await;
    });
    let bench = Bench::trusting(&ca.pem);
    bench.expect(&three(&server.url()), Reason::HttpProtocol).await;
}

#[tokio::test]
async fn an_address_of_ipv6_is_reached_over_quic() {
    if UdpSocket::bind("[::1]:0").await.is_err() {
        return crate::skip::skip("HTTP/3 over IPv6", "no IPv6 on this machine");
    }
    let ca = root("root", VALID);
    let end = leaf(&["::1"], &ca, VALID);
    let local = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    let options = Options { alpn: H3, ..Options::default() };
    let server = knocked_on(local, &end, &options, |incoming| async move {
        let Ok(connection) = incoming.await else { return };
        if let Some(mut send) = asked(&connection).await {
            let _gone = send.write_all(&head(&[])).await;
            let _gone = send.finish();
        }
        connection.closed().await;
    });
    let url = format!("https://{}/", server.addr);
    Bench::trusting(&ca.pem).expect(&three(&url), Reason::None).await;
}

#[tokio::test]
async fn a_run_leaves_no_socket_behind() {
    let (url, tasks) = udp(|_| None).await;
    let sockets = || {
        let all = std::fs::read_to_string("/proc/self/net/udp").expect("Linux");
        let port = url.parse::<url::Url>().expect("a URL").port().expect("a port");
        let ours = format!("0100007F:{port:04X}");
        all.lines().filter(|line| line.split_whitespace().nth(2) == Some(&*ours)).count()
    };
    let bench = Bench::new();
    for _ in 0..3 {
        bench.expect(&three_soon(&url), Reason::TimeoutConnect).await;
        assert_eq!(sockets(), 0);
    }
    drop(tasks);
    let none = three("https://localhost:0/");
    bench.expect(&none, Reason::Internal).await;
}

#[tokio::test]
async fn an_answer_that_breaks_in_the_middle_is_no_answer() {
    let half = [head(&[]), frame(0x00, 100, b"half")].concat();
    let seen = against_bytes(half.clone(), After::Reset, Reason::HttpProtocol).await;
    assert_eq!(seen.status, Some(200));
    against_bytes(half.clone(), After::Finish, Reason::HttpProtocol).await;
    against_bytes(half.clone(), After::FinishLater, Reason::HttpProtocol).await;
    let seen = against_bytes(half.clone(), After::Close, Reason::HttpProtocol).await;
    let why = seen.detail.why.expect("told");
    assert!(why.contains("bye"), "{why}");
    let seen = against_bytes(half, After::Nothing, Reason::TimeoutReceive).await;
    spent_in(&seen, Phase::Receive);
    let seen = against_bytes(Vec::new(), After::Nothing, Reason::TimeoutWait).await;
    spent_in(&seen, Phase::Wait);
    for how in [After::Reset, After::Close, After::Finish] {
        against_bytes(Vec::new(), how, Reason::HttpProtocol).await;
    }
}

#[tokio::test]
async fn an_answer_may_come_before_the_request_is_whole() {
    let (ca, end) = pair();
    let server = connected(&end, |connection| async move {
        let Ok((mut send, receive)) = connection.accept_bi().await else { return };
        // `:status: 403` of the static table (RFC 9204, appendix A).
        let answer = frame(0x01, 4, b"\x00\x00\xff\x05");
        let _gone = send.write_all(&answer).await;
        let _gone = send.finish();
        connection.closed().await;
        drop(receive);
    });
    let check = three_with(&server.url(), |spec| {
        spec.method = "POST".to_owned();
        spec.body = Some(vec![b'x'; 8 << 20]);
    });
    let seen = Bench::trusting(&ca.pem).expect(&check, Reason::HttpStatus).await;
    assert_eq!(seen.status, Some(403));
}

#[tokio::test]
async fn a_server_that_takes_no_more_of_the_request_hangs_in_sending() {
    let (ca, end) = pair();
    let server = connected(&end, |connection| async move {
        let streams = connection.accept_bi().await;
        connection.closed().await;
        drop(streams);
    });
    let check = three_with(&server.url(), |spec| {
        spec.method = "POST".to_owned();
        spec.body = Some(vec![b'x'; 8 << 20]);
    });
    let check = Check { timeout: SHORT, ..check };
    let seen = Bench::trusting(&ca.pem).expect(&check, Reason::TimeoutSend).await;
    spent_in(&seen, Phase::Send);
}

#[tokio::test]
async fn frames_that_do_not_belong_there_are_not_http() {
    for bytes in [
        data(b"a body before its head"),
        // SETTINGS, and a frame of HTTP/2, on a request's stream.
        frame(0x04, 0, b""),
        frame(0x06, 0, b""),
        frame(0x01, 4, b"\xff\xff\xff\xff"),
        frame(0x01, 2, b"\x00\x00"),
        b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
    ] {
        against_bytes(bytes, After::Finish, Reason::HttpProtocol).await;
    }
    for (name, value) in [("connection", "close"), ("transfer-encoding", "chunked"), ("X-A", "a")] {
        let bytes = head(&[field(name, value)]);
        against_bytes(bytes, After::Finish, Reason::HttpProtocol).await;
    }
    // Frames that nobody knows are passed over (RFC 9114, section 9).
    let unknown = [frame(0x21, 3, b"abc"), head(&[]), data(b"ok"), frame(0x21, 1, b"x")].concat();
    against_bytes(unknown, After::Finish, Reason::None).await;
    // A body in pieces, some of them empty, and then trailers.
    let pieces = [head(&[]), data(b""), data(b"a"), data(b""), data(b"b"), head(&[])].concat();
    let trailers = [frame(0x01, 2, b"\x00\x00")].concat();
    let seen = against_bytes([pieces, trailers].concat(), After::FinishLater, Reason::None).await;
    assert_eq!(seen.bytes, 2);
}

#[tokio::test]
async fn heads_of_any_size_are_bounded() {
    let many = |count: usize, length: usize| -> Vec<_> {
        (0..count).map(|at| field(&format!("x-{at}"), &"v".repeat(length))).collect()
    };
    against_bytes(head(&many(100, 100)), After::Finish, Reason::None).await;
    for headers in [many(1, 1 << 20), many(5_000, 1), many(200, 1), many(100, 1_000)] {
        against_bytes(head(&headers), After::Finish, Reason::HttpProtocol).await;
    }
    // It says that it is of nearly 1 GiB, and sends as much as it may.
    let mut endless = frame(0x01, (1 << 30) - 1, b"");
    endless.extend(vec![0; 8 << 20]);
    let seen = against_bytes(endless, After::Nothing, Reason::HttpProtocol).await;
    assert!(seen.detail.why.expect("told").contains("more bytes came"));
}

#[tokio::test]
async fn informational_answers_have_an_end() {
    // `:status: 103` of the static table (RFC 9204, appendix A).
    let early = frame(0x01, 3, b"\x00\x00\xd8");
    let few = [early.repeat(10), head(&[]), data(b"ok")].concat();
    against_bytes(few, After::Finish, Reason::None).await;
    let flood = early.repeat(400_000);
    against_bytes(flood, After::Nothing, Reason::HttpProtocol).await;
}

#[tokio::test]
async fn a_flood_of_streams_is_stopped() {
    let (ca, end) = pair();
    let server = connected(&end, |connection| async move {
        let mut streams = JoinSet::new();
        for _ in 0..4 {
            let Ok(mut stream) = connection.open_uni().await else { return };
            streams.spawn(async move { while stream.write_all(&[0x21; 4_096]).await.is_ok() {} });
        }
        streams.join_all().await;
    });
    let check = three_soon(&server.url());
    let seen = Bench::trusting(&ca.pem).probe(&check).await;
    assert!(matches!(seen.reason, Reason::HttpProtocol | Reason::TimeoutWait), "{seen:#?}");
}

#[tokio::test]
async fn frames_of_nothing_do_not_outlast_the_deadline() {
    let (ca, end) = pair();
    let bench = Bench::trusting(&ca.pem);
    // Empty DATA frames, and empty ones that nobody knows.
    for empty in [[0x00, 0x00], [0x21, 0x00]] {
        let server = connected(&end, move |connection| async move {
            let Some(mut send) = asked(&connection).await else { return };
            let _gone = send.write_all(&head(&[])).await;
            let many = empty.repeat(1 << 16);
            while send.write_all(&many).await.is_ok() {}
        });
        let seen = bench.probe(&three_soon(&server.url())).await;
        let ended = [Reason::HttpProtocol, Reason::TimeoutReceive];
        assert!(ended.contains(&seen.reason), "{seen:#?}");
    }
}
