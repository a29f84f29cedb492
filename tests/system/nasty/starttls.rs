//! Servers that go on in TLS when asked, or do not.

use std::sync::Arc;

use thongsuot::model::check::Check;
use thongsuot::model::reason::Reason;
use thongsuot::model::spec::StartTls;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::bench::{Bench, SHORT, tls_at};
use super::pki::{Options, VALID, acceptor, leaf, root};
use super::server::{Server, drain, serve};

/// What the server says first, and then after each line it hears; TLS follows the last.
async fn speaking(script: &'static [&'static str], root: &super::pki::Pair) -> Server {
    let end = leaf(&["localhost"], root, VALID);
    let acceptor = Arc::new(acceptor(&end, &[], &Options::default()));
    serve(move |mut stream| {
        let acceptor = Arc::clone(&acceptor);
        async move {
            let mut said = script.iter();
            let _gone = stream.write_all(said.next().expect("a greeting").as_bytes()).await;
            for answer in said {
                // A line each; PostgreSQL's eight bytes end in a slash.
                while !matches!(stream.read_u8().await, Ok(b'\n' | b'/') | Err(_)) {}
                let _gone = stream.write_all(answer.as_bytes()).await;
            }
            if let Ok(stream) = acceptor.accept(stream).await {
                drain(stream).await;
            }
        }
    })
    .await
}

async fn check(protocol: StartTls, script: &'static [&'static str], reason: Reason) {
    let ca = root("root", VALID);
    let server = speaking(script, &ca).await;
    let check = tls_at(server.addr.port(), |spec| spec.starttls = Some(protocol));
    let seen = Bench::trusting(&ca.pem).expect(&check, reason).await;
    assert_eq!(seen.detail.tls.is_some(), reason == Reason::None, "{seen:#?}");
}

#[tokio::test]
async fn every_protocol_goes_on_in_tls() {
    let smtp = &["220-mail\r\n220 ready\r\n", "250-mail\r\n250 STARTTLS\r\n", "220 go\r\n"];
    check(StartTls::Smtp, smtp, Reason::None).await;
    let imap = &["* OK ready\r\n", "* CAPABILITY X\r\na OK begin\r\n"];
    check(StartTls::Imap, imap, Reason::None).await;
    check(StartTls::Pop3, &["+OK ready\r\n", "+OK begin\r\n"], Reason::None).await;
    let ftp = &["220-hello\r\n 220 not yet\r\n220 now\r\n", "234 begin\r\n"];
    check(StartTls::Ftp, ftp, Reason::None).await;
    check(StartTls::Postgres, &["", "S"], Reason::None).await;
}

#[tokio::test]
async fn a_server_without_tls_refuses() {
    let refused = Reason::StarttlsRefused;
    check(StartTls::Smtp, &["220 ready\r\n", "250 mail\r\n"], refused).await;
    let late = &["220 ready\r\n", "250-mail\r\n250 starttls\r\n", "454 no key\r\n"];
    check(StartTls::Smtp, late, refused).await;
    check(StartTls::Imap, &["* OK ready\r\n", "a BAD what\r\n"], refused).await;
    check(StartTls::Pop3, &["+OK ready\r\n", "-ERR what\r\n"], refused).await;
    check(StartTls::Ftp, &["220 ready\r\n", "500 what\r\n"], refused).await;
    check(StartTls::Postgres, &["", "N"], refused).await;
}

#[tokio::test]
async fn another_protocol_is_told_from_a_refusal() {
    let other = Reason::DialogueMismatch;
    check(StartTls::Smtp, &["SSH-2.0-OpenSSH_9.2\r\n"], other).await;
    check(StartTls::Smtp, &["554 go away\r\n"], other).await;
    check(StartTls::Imap, &["* BYE\r\n"], other).await;
    check(StartTls::Pop3, &["ế\r\n"], other).await;
    check(StartTls::Postgres, &["", "HTTP"], other).await;
}

#[tokio::test]
async fn an_endless_greeting_is_cut() {
    let server =
        serve(|mut stream| async move { while stream.write_all(&[b'x'; 4_096]).await.is_ok() {} })
            .await;
    for protocol in [StartTls::Smtp, StartTls::Imap, StartTls::Pop3, StartTls::Ftp] {
        let check = tls_at(server.addr.port(), |spec| spec.starttls = Some(protocol));
        Bench::new().expect(&check, Reason::DialogueMismatch).await;
    }
    let server =
        serve(|mut stream| async move { while stream.write_all(b"220-more\r\n").await.is_ok() {} })
            .await;
    let check = tls_at(server.addr.port(), |spec| spec.starttls = Some(StartTls::Smtp));
    Bench::new().expect(&check, Reason::DialogueMismatch).await;
}

#[tokio::test]
async fn a_close_and_a_silence_are_told_apart() {
    let server = serve(|stream| async { drop(stream) }).await;
    let check = tls_at(server.addr.port(), |spec| spec.starttls = Some(StartTls::Smtp));
    Bench::new().expect(&check, Reason::DialogueClosed).await;
    let server = serve(drain).await;
    let check = tls_at(server.addr.port(), |spec| spec.starttls = Some(StartTls::Smtp));
    let check = Check { timeout: SHORT, ..check };
    Bench::new().expect(&check, Reason::TimeoutTls).await;
}
