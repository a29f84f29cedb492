//! HTTP/2, spoken well and badly.

use hyper::body::Bytes;
use thongsuot::model::phases::Phase;
use thongsuot::model::reason::Reason;
use thongsuot::model::spec::HttpOffer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::bench::{Bench, SHORT, get, get_with, spent_in};
use super::pki::{Options, VALID, acceptor, leaf, root, serve_tls};
use super::server::{Server, drain, ok, request, serve};
use thongsuot::model::check::Check;

const PREFACE: usize = 24;

/// An HTTP/2 server that answers with what it was asked.
pub(super) async fn speak<S: AsyncRead + AsyncWrite + Unpin>(stream: S) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let length = request.headers().len();
        let (head, mut body) = request.into_parts();
        let mut received = 0;
        // Only small bodies: nothing else drives the connection meanwhile.
        if head.method == http::Method::POST {
            while let Some(Ok(data)) = std::future::poll_fn(|cx| {
                let _driven = connection.poll_closed(cx);
                body.poll_data(cx)
            })
            .await
            {
                received += data.len();
                let _window = body.flow_control().release_capacity(data.len());
            }
        }
        let answer = http::Response::builder().status(200).body(()).expect("an answer");
        let Ok(mut send) = respond.send_response(answer, false) else { return };
        let text = format!("{} {} {received} {length}", head.method, head.uri);
        let _gone = send.send_data(Bytes::from(text), true);
    }
}

fn prior(url: &str) -> Check {
    get_with(url, |spec| spec.offer = HttpOffer::Http2)
}

#[tokio::test]
async fn it_is_chosen_by_alpn_and_by_prior_knowledge() {
    let ca = root("root", VALID);
    let end = leaf(&["localhost"], &ca, VALID);
    let options = Options { alpn: &[b"h2", b"http/1.1"], ..Options::default() };
    let server = serve_tls(acceptor(&end, &[], &options), speak).await;
    let bench = Bench::trusting(&ca.pem);
    let check = get_with(&server.tls_url(), |spec| {
        spec.expect.body_contains.push(format!("GET {} 0", spec.url));
    });
    let seen = bench.expect(&check, Reason::None).await;
    assert_eq!(seen.detail.http_version, Some("2"));
    assert_eq!(seen.detail.tls.expect("facts").alpn.as_deref(), Some("h2"));
    let server = serve(speak).await;
    let seen = bench.expect(&prior(&server.url()), Reason::None).await;
    assert_eq!(seen.detail.http_version, Some("2"));
}

#[tokio::test]
async fn a_body_larger_than_the_window_arrives() {
    let server = serve(speak).await;
    let check = get_with(&server.url(), |spec| {
        spec.offer = HttpOffer::Http2;
        spec.method = "POST".to_owned();
        spec.body = Some(vec![b'x'; 300_000]);
        spec.expect.body_contains.push(" 300000 ".to_owned());
    });
    Bench::new().expect(&check, Reason::None).await;
}

#[tokio::test]
async fn a_server_without_it_is_told() {
    let ca = root("root", VALID);
    let end = leaf(&["localhost"], &ca, VALID);
    let server = serve_tls(acceptor(&end, &[], &Options::default()), |mut stream| async move {
        request(&mut stream).await;
        let _gone = stream.write_all(&ok("1.1")).await;
        drain(stream).await;
    })
    .await;
    let bench = Bench::trusting(&ca.pem);
    bench.expect(&prior(&server.tls_url()), Reason::HttpVersion).await;
    let seen = bench.expect(&get(&server.tls_url()), Reason::None).await;
    assert_eq!(seen.detail.http_version, Some("1.1"));
    let server = super::server::fixed(ok("x")).await;
    bench.expect(&prior(&server.url()), Reason::HttpProtocol).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_closes_is_not_waited_for() {
    for bytes in [0, 10, PREFACE, 1_024] {
        let server = serve(move |mut stream| async move {
            let _some = stream.read(&mut vec![0; bytes]).await;
        })
        .await;
        for _again in 0..50 {
            Bench::new().expect(&prior(&server.url()), Reason::HttpProtocol).await;
        }
    }
}

/// Takes the preface, sends empty SETTINGS and `first`, then `again` without end.
async fn flood(first: &'static [u8], again: &'static [u8]) -> Server {
    serve(move |stream| async move {
        let (mut reader, mut writer) = stream.into_split();
        let mut preface = [0; PREFACE];
        let _gone = reader.read_exact(&mut preface).await;
        let mut reading = tokio::task::JoinSet::new();
        reading.spawn(drain(reader));
        let _gone = writer.write_all(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00").await;
        let _gone = writer.write_all(first).await;
        let block = again.repeat(16_384 / again.len() + 1);
        while writer.write_all(&block).await.is_ok() {}
    })
    .await
}

#[tokio::test]
async fn a_flood_of_settings_is_no_http() {
    let server = flood(b"", b"\x00\x00\x00\x04\x00\x00\x00\x00\x00").await;
    Bench::new().expect(&prior(&server.url()), Reason::HttpProtocol).await;
}

#[tokio::test]
async fn a_flood_of_pings_is_no_http() {
    let server = flood(b"", b"\x00\x00\x08\x06\x00\x00\x00\x00\x0001234567").await;
    Bench::new().expect(&prior(&server.url()), Reason::HttpProtocol).await;
}

#[tokio::test]
async fn a_flood_of_continuations_is_no_http() {
    // HEADERS without END_HEADERS, then CONTINUATION frames of one small header each.
    let headers = b"\x00\x00\x01\x01\x00\x00\x00\x00\x01\x88";
    let more = b"\x00\x00\x05\x09\x00\x00\x00\x00\x01\x00\x01x\x01y";
    let server = flood(headers, more).await;
    Bench::new().expect(&prior(&server.url()), Reason::HttpProtocol).await;
}

#[tokio::test]
async fn a_flood_of_empty_continuations_is_no_http() {
    let headers = b"\x00\x00\x01\x01\x00\x00\x00\x00\x01\x88";
    let server = flood(headers, b"\x00\x00\x00\x09\x00\x00\x00\x00\x01").await;
    Bench::new().expect(&prior(&server.url()), Reason::HttpProtocol).await;
}

#[tokio::test]
async fn a_body_without_end_is_cut_at_the_cap() {
    let headers = b"\x00\x00\x01\x01\x04\x00\x00\x00\x01\x88";
    let data = b"\x00\x00\x20\x00\x00\x00\x00\x00\x01xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    let server = flood(headers, data).await;
    let seen = Bench::new().probe(&prior(&server.url())).await;
    // The window may end before the cap does: this server heeds neither.
    let known = [Reason::BodyTooLarge, Reason::HttpProtocol];
    assert!(known.contains(&seen.reason), "{seen:#?}");
}

#[tokio::test]
async fn a_flood_of_empty_data_is_cut() {
    let headers = b"\x00\x00\x01\x01\x04\x00\x00\x00\x01\x88";
    let server = flood(headers, b"\x00\x00\x00\x00\x00\x00\x00\x00\x01").await;
    Bench::new().expect(&prior(&server.url()), Reason::HttpProtocol).await;
}

#[tokio::test]
async fn garbage_is_no_http() {
    for bytes in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[0xff; 100]] {
        let server = super::server::fixed(bytes).await;
        Bench::new().expect(&prior(&server.url()), Reason::HttpProtocol).await;
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_hangs_in_wait() {
    let server = serve(drain).await;
    let check = Check { timeout: SHORT, ..prior(&server.url()) };
    let seen = Bench::new().expect(&check, Reason::TimeoutWait).await;
    spent_in(&seen, Phase::Wait);
}

#[tokio::test]
async fn a_dripping_body_hangs_in_receive() {
    let server = serve(|stream| async move {
        let (reader, mut writer) = stream.into_split();
        let mut reading = tokio::task::JoinSet::new();
        reading.spawn(drain(reader));
        let _gone = writer.write_all(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00").await;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let _gone = writer.write_all(b"\x00\x00\x01\x01\x04\x00\x00\x00\x01\x88").await;
        while writer.write_all(b"\x00\x00\x01\x00\x00\x00\x00\x00\x01x").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
    let check = Check { timeout: SHORT, ..prior(&server.url()) };
    let seen = Bench::new().expect(&check, Reason::TimeoutReceive).await;
    spent_in(&seen, Phase::Receive);
}
