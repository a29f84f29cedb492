//! TLS where plain text was expected, and plain text where TLS was.

use thongsuot::model::phases::Phase;
use thongsuot::model::reason::Reason;
use thongsuot::model::spec::HttpOffer;
use tokio::io::AsyncWriteExt;

use super::bench::{Bench, get, get_with, tls_at};
use super::pki::{Options, Pair, VALID, acceptor, leaf, root, serve_tls};
use super::server::{Server, answer, drain, fixed, ok, request, serve};

/// A server of TLS that answers each request with 200.
async fn secure(ca: &Pair) -> Server {
    let end = leaf(&["localhost"], ca, VALID);
    serve_tls(acceptor(&end, &[], &Options::default()), |mut stream| async move {
        request(&mut stream).await;
        let _gone = stream.write_all(&ok("here")).await;
        let _gone = stream.shutdown().await;
        drain(stream).await;
    })
    .await
}

#[tokio::test]
async fn plain_http_to_a_tls_server_is_unexpected_tls() {
    let server = secure(&root("root", VALID)).await;
    for offer in [HttpOffer::Auto, HttpOffer::Http2] {
        let check = get_with(&server.url(), |spec| spec.offer = offer);
        let seen = Bench::new().expect(&check, Reason::TlsUnexpected).await;
        assert_eq!(seen.phases.get(Phase::Tls).0, 0);
        assert!(seen.detail.why.expect("told").contains("should the URL be `https`?"));
    }
}

#[tokio::test]
async fn a_tls_record_of_any_version_is_unexpected_tls() {
    let alert = b"\x15\x03\x00\x00\x02\x02\x0a";
    let hello = b"\x16\x03\x03\x00\x04\x02\x00\x00\x00";
    for bytes in [&alert[..], hello] {
        let server = fixed(bytes).await;
        Bench::new().expect(&get(&server.url()), Reason::TlsUnexpected).await;
    }
    // Fewer bytes than tell it are only no HTTP.
    let server = fixed(&b"\x15\x03"[..]).await;
    Bench::new().expect(&get(&server.url()), Reason::HttpProtocol).await;
}

#[tokio::test]
async fn tls_to_a_server_of_plain_text_is_unexpected_and_tells_what_it_said() {
    let lines = [
        "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
        "220 mail.dvc.vn ESMTP ready\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
    ];
    for said in lines {
        let server = serve(move |mut stream| async move {
            let _gone = stream.write_all(said.as_bytes()).await;
            let _gone = stream.shutdown().await;
            drain(stream).await;
        })
        .await;
        for check in [get(&server.tls_url()), tls_at(server.addr.port(), |_| {})] {
            let seen = Bench::new().expect(&check, Reason::TlsUnexpected).await;
            let line = said.lines().next().expect("a line");
            let why = seen.detail.why.expect("told");
            assert_eq!(why, format!("expected TLS, the server speaks plain text: `{line}`"));
            assert_eq!(seen.detail.tls, None);
        }
    }
}

#[tokio::test]
async fn the_last_hop_must_or_must_not_be_over_tls() {
    let ca = root("root", VALID);
    let end = secure(&ca).await;
    let bench = Bench::trusting(&ca.pem);
    let plain = fixed(ok("here")).await;
    let location = format!("location: {}\r\n", end.tls_url());
    let leading = fixed(answer("301 Moved Permanently", &location, "")).await;
    let leading = format!("http://localhost:{}/", leading.addr.port());
    for (url, must, reason) in [
        (plain.url(), Some(true), Reason::TlsUnexpected),
        (plain.url(), Some(false), Reason::None),
        (end.tls_url(), Some(true), Reason::None),
        (end.tls_url(), Some(false), Reason::TlsUnexpected),
        (leading.clone(), Some(true), Reason::None),
        (leading.clone(), Some(false), Reason::TlsUnexpected),
        (leading, None, Reason::None),
    ] {
        let check = get_with(&url, |spec| spec.expect.tls = must);
        let seen = bench.expect(&check, reason).await;
        assert_eq!(seen.status, Some(200), "{url}");
    }
}
