//! Servers that break TCP and HTTP/1.

use std::future::pending;
use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use thongsuot::model::phases::Phase;
use thongsuot::model::reason::Reason;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::bench::{BODY_CAP, Bench, SHORT, get, get_soon, get_with, spent_in};
use super::server::{answer, answering, drain, fixed, ok, request, reset, serve};

/// Between two bytes of a server that drips.
const DRIP: Duration = Duration::from_millis(20);

#[tokio::test]
async fn a_closed_port_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    drop(listener);
    Bench::new().expect(&get(&url), Reason::ConnectRefused).await;
}

#[tokio::test]
async fn an_address_that_no_connection_leads_to_is_unreachable() {
    // The broadcast address of the loopback network: the kernel says so at once.
    Bench::new().expect(&get("http://127.255.255.255:9/"), Reason::ConnectUnreachable).await;
}

#[tokio::test]
async fn a_listener_whose_queue_is_full_never_connects() {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("loopback");
    let listener = socket.listen(0).expect("can listen");
    let addr = listener.local_addr().expect("bound");
    let mut fillers = Vec::new();
    while let Ok(filler) =
        tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(addr)).await
    {
        fillers.push(filler.expect("connects or waits"));
    }
    let bench = Bench::new();
    let seen = bench.expect(&get_soon(&format!("http://{addr}/")), Reason::TimeoutConnect).await;
    spent_in(&seen, Phase::Connect);
}

#[tokio::test]
async fn a_reset_at_once_is_one_of_two_things() {
    let server = serve(|stream| async { reset(stream) }).await;
    let seen = Bench::new().probe(&get(&server.url())).await;
    // Which of the two came first, the reset or our request, is up to the machine.
    let known = [Reason::ConnectReset, Reason::HttpProtocol];
    assert!(known.contains(&seen.reason), "{seen:#?}");
}

#[tokio::test]
async fn a_reset_after_the_request_is_a_broken_answer() {
    let server = serve(|mut stream| async {
        request(&mut stream).await;
        reset(stream);
    })
    .await;
    Bench::new().expect(&get(&server.url()), Reason::HttpProtocol).await;
}

#[tokio::test]
async fn a_close_after_the_request_is_a_broken_answer() {
    let server = fixed("").await;
    Bench::new().expect(&get(&server.url()), Reason::HttpProtocol).await;
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_hangs() {
    let server = serve(|stream| async {
        let _held = stream;
        pending::<()>().await;
    })
    .await;
    let seen = Bench::new().expect(&get_soon(&server.url()), Reason::TimeoutWait).await;
    spent_in(&seen, Phase::Wait);
    assert_eq!(seen.status, None);
}

#[tokio::test]
async fn a_server_that_never_reads_a_large_request_hangs_in_send() {
    let server = serve(|stream| async {
        let _held = stream;
        pending::<()>().await;
    })
    .await;
    let check = get_with(&server.url(), |spec| {
        spec.method = "POST".to_owned();
        spec.body = Some(vec![0; 16 << 20]);
    });
    let check = thongsuot::model::check::Check { timeout: SHORT, ..check };
    let seen = Bench::new().expect(&check, Reason::TimeoutSend).await;
    spent_in(&seen, Phase::Send);
}

#[tokio::test]
async fn a_dripping_head_hangs_in_receive() {
    let server = serve(|mut stream| async move {
        request(&mut stream).await;
        let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(DRIP).await;
        }
    })
    .await;
    let seen = Bench::new().expect(&get_soon(&server.url()), Reason::TimeoutReceive).await;
    spent_in(&seen, Phase::Receive);
}

#[tokio::test]
async fn a_dripping_body_hangs_in_receive() {
    let server = serve(|mut stream| async move {
        request(&mut stream).await;
        let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n").await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(DRIP).await;
        }
    })
    .await;
    let seen = Bench::new().expect(&get_soon(&server.url()), Reason::TimeoutReceive).await;
    spent_in(&seen, Phase::Receive);
}

/// Sends `first`, then `again` without end.
async fn flood(first: &'static [u8], again: &'static [u8]) -> super::server::Server {
    serve(move |mut stream| async move {
        request(&mut stream).await;
        let _gone = stream.write_all(first).await;
        let block = again.repeat(65_536 / again.len() + 1);
        while stream.write_all(&block).await.is_ok() {}
    })
    .await
}

#[tokio::test]
async fn an_endless_body_is_cut_at_the_cap() {
    let server = flood(b"HTTP/1.1 200 OK\r\n\r\n", b"x").await;
    let seen = Bench::new().expect(&get(&server.url()), Reason::BodyTooLarge).await;
    assert_eq!(seen.status, Some(200));
}

#[tokio::test]
async fn an_endless_body_of_one_byte_chunks_is_cut_at_the_cap() {
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let server = flood(head, b"1\r\nx\r\n").await;
    let check = get_with(&server.url(), |spec| spec.body_bytes_cap = 50_000);
    Bench::new().expect(&check, Reason::BodyTooLarge).await;
}

#[tokio::test]
async fn an_endless_chunk_extension_is_no_http() {
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;";
    let server = flood(head, b"x").await;
    Bench::new().expect(&get(&server.url()), Reason::HttpProtocol).await;
}

#[tokio::test]
async fn a_header_line_without_end_is_no_http() {
    let server = flood(b"HTTP/1.1 200 OK\r\nx: ", b"x").await;
    Bench::new().expect(&get(&server.url()), Reason::HttpProtocol).await;
}

#[tokio::test]
async fn a_hundred_thousand_headers_are_no_http() {
    let headers = "x-a: b\r\n".repeat(100_000);
    let server = fixed(answer("200 OK", &headers, "")).await;
    Bench::new().expect(&get(&server.url()), Reason::HttpProtocol).await;
}

#[tokio::test]
async fn more_headers_than_anyone_needs_are_no_http() {
    let headers = "x-a: b\r\n".repeat(129);
    let server = fixed(answer("200 OK", &headers, "")).await;
    Bench::new().expect(&get(&server.url()), Reason::HttpProtocol).await;
}

#[tokio::test]
async fn early_answers_without_end_are_no_http() {
    let server = flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n").await;
    Bench::new().expect(&get(&server.url()), Reason::HttpProtocol).await;
}

#[tokio::test]
async fn a_few_early_answers_are_passed_over() {
    let mut bytes = b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(3);
    bytes.extend(ok("here"));
    let server = fixed(bytes).await;
    let seen = Bench::new().expect(&get(&server.url()), Reason::None).await;
    assert_eq!((seen.status, seen.bytes), (Some(200), 4));
}

#[tokio::test]
async fn a_truncated_body_is_a_broken_answer() {
    let server = fixed("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort").await;
    Bench::new().expect(&get(&server.url()), Reason::HttpProtocol).await;
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n";
    let server = fixed(chunked).await;
    Bench::new().expect(&get(&server.url()), Reason::HttpProtocol).await;
}

#[tokio::test]
async fn garbage_is_no_http() {
    for garbage in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"\x15\x04\x01\x00\x02\x02\x28", &[0xff; 64]] {
        let server = fixed(garbage).await;
        Bench::new().expect(&get(&server.url()), Reason::HttpProtocol).await;
    }
}

#[tokio::test]
async fn nonsense_in_headers_is_no_http() {
    let two_lengths = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx";
    let bad_chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";
    let huge = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n";
    for bytes in [two_lengths, bad_chunk, huge] {
        let server = fixed(bytes).await;
        Bench::new().expect(&get(&server.url()), Reason::HttpProtocol).await;
    }
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).expect("in memory");
    encoder.finish().expect("in memory")
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn a_gzip_bomb_is_too_large() {
    let server = fixed(gzipped(&gzip(&vec![0; 64 << 20]))).await;
    Bench::new().expect(&get(&server.url()), Reason::BodyTooLarge).await;
}

#[tokio::test]
async fn bad_gzip_is_a_bad_encoding() {
    let server = fixed(gzipped(b"this is not gzip")).await;
    Bench::new().expect(&get(&server.url()), Reason::BodyEncoding).await;
    let whole = gzip(&b"thong suot ".repeat(1_000));
    let server = fixed(gzipped(&whole[..whole.len() / 2])).await;
    Bench::new().expect(&get(&server.url()), Reason::BodyEncoding).await;
}

#[tokio::test]
async fn good_gzip_counts_its_decoded_bytes() {
    let server = answering(|request| {
        assert!(request.contains("accept-encoding: gzip, deflate, br\r\n"), "{request}");
        gzipped(&gzip(&b"thong suot ".repeat(1_000)))
    })
    .await;
    let seen = Bench::new().expect(&get(&server.url()), Reason::None).await;
    assert_eq!(seen.bytes, 11_000);
}

#[tokio::test]
async fn a_body_of_just_the_cap_is_taken() {
    let body = "x".repeat(BODY_CAP as usize);
    let server = fixed(ok(&body)).await;
    let seen = Bench::new().expect(&get(&server.url()), Reason::None).await;
    assert_eq!(u64::from(seen.bytes), BODY_CAP);
    let server = fixed(ok(&(body + "x"))).await;
    Bench::new().expect(&get(&server.url()), Reason::BodyTooLarge).await;
}

#[tokio::test]
async fn a_slow_answer_is_charged_to_wait_and_a_slow_body_to_receive() {
    let server = serve(|mut stream| async move {
        request(&mut stream).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
        let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let _gone = stream.write_all(b"ok").await;
        drain(stream).await;
    })
    .await;
    let seen = Bench::new().expect(&get(&server.url()), Reason::None).await;
    assert!(seen.phases.get(Phase::Wait).0 >= 145_000, "{seen:#?}");
    assert!(seen.phases.get(Phase::Receive).0 >= 95_000, "{seen:#?}");
}
