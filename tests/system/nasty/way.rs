//! Proxies, tokens, and the address that we come from.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use thongsuot::model::check::Check;
use thongsuot::model::phases::Phase;
use thongsuot::model::reason::Reason;
use thongsuot::model::secret::Secret;
use thongsuot::model::spec::{Auth, HttpSpec, OAuth2, Peer, Proxy};
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use url::Host;

use super::bench::{Bench, get_with};
use super::pki::{Options, VALID, acceptor, leaf, root, serve_tls};
use super::server::{Server, answer, answering, drain, fixed, ok, request, serve};

fn through(url: &str, proxy: &Server) -> Check {
    get_with(url, |spec| spec.proxy = Some(at(proxy)))
}

fn at(proxy: &Server) -> Proxy {
    Proxy {
        peer: Peer { host: Host::Domain("localhost".to_owned()), port: proxy.addr.port() },
        auth: Some(("u".to_owned(), Secret::new("p".to_owned()))),
        connect_headers: vec![("x-tenant".to_owned(), Secret::new("a b".to_owned()))],
    }
}

#[tokio::test]
async fn plain_http_asks_the_proxy_for_the_whole_url() {
    let proxy = answering(|request| {
        assert!(request.starts_with("GET http://dvc.test:81/a?b HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("\r\nhost: dvc.test:81\r\n"), "{request}");
        assert!(request.contains("\r\nproxy-authorization: Basic dTpw\r\n"), "{request}");
        assert!(!request.contains("x-tenant"), "{request}");
        ok("by proxy")
    })
    .await;
    let seen = Bench::new().expect(&through("http://dvc.test:81/a?b", &proxy), Reason::None).await;
    assert_eq!(seen.bytes, 8);
    assert_eq!(seen.phases.get(Phase::Dns).0 / 1_000, 0);
}

/// A proxy that connects every tunnel to `to`.
async fn tunnel(to: std::net::SocketAddr) -> Server {
    serve(move |mut stream| async move {
        let asked = request(&mut stream).await;
        assert!(asked.starts_with("CONNECT localhost:"), "{asked}");
        assert!(asked.contains("\r\nProxy-Authorization: Basic dTpw\r\n"), "{asked}");
        assert!(asked.contains("\r\nx-tenant: a b\r\n"), "{asked}");
        let mut other = TcpStream::connect(to).await.expect("the target is there");
        let _gone = stream.write_all(b"HTTP/1.1 200 Connected\r\nx: y\r\n\r\n").await;
        let _gone = copy_bidirectional(&mut stream, &mut other).await;
    })
    .await
}

#[tokio::test]
async fn https_asks_the_proxy_for_a_tunnel() {
    let ca = root("root", VALID);
    let end = leaf(&["localhost"], &ca, VALID);
    let server = serve_tls(acceptor(&end, &[], &Options::default()), |mut stream| async move {
        request(&mut stream).await;
        let _gone = stream.write_all(&ok("inside")).await;
        let _gone = stream.shutdown().await;
        drain(stream).await;
    })
    .await;
    let proxy = tunnel(server.addr).await;
    let bench = Bench::trusting(&ca.pem);
    let seen = bench.expect(&through(&server.tls_url(), &proxy), Reason::None).await;
    assert_eq!(seen.bytes, 6);
    assert_eq!(seen.detail.tls.expect("facts").chain.len(), 1);
}

#[tokio::test]
async fn a_proxy_that_would_not_connect_us_is_told_from_one_that_is_gone() {
    let check = |bytes: &'static [u8], reason| async move {
        let proxy = fixed(bytes).await;
        Bench::new().expect(&through("https://dvc.test/", &proxy), reason).await;
    };
    check(b"HTTP/1.1 502 Bad Gateway\r\n\r\n", Reason::ProxyRefused).await;
    check(b"HTTP/1.1 407 Who?\r\n\r\n", Reason::SelfSecret).await;
    check(b"SSH-2.0-OpenSSH\r\n\r\n\r\n", Reason::ProxyRefused).await;
    check(b"", Reason::ProxyRefused).await;
    let endless =
        serve(|mut stream| async move { while stream.write_all(&[b'x'; 4_096]).await.is_ok() {} })
            .await;
    Bench::new().expect(&through("https://dvc.test/", &endless), Reason::ProxyRefused).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let gone = get_with("http://dvc.test/", |spec| {
        let peer = Peer { host: Host::Domain("localhost".to_owned()), port };
        spec.proxy = Some(Proxy { peer, auth: None, connect_headers: Vec::new() });
    });
    Bench::new().expect(&gone, Reason::SelfNet).await;
}

fn with_token(url: &str, endpoint: &str, more: impl FnOnce(&mut HttpSpec)) -> Check {
    get_with(url, |spec| {
        spec.auth = Auth::OAuth2(Box::new(OAuth2 {
            token_url: endpoint.parse().expect("a URL"),
            client_id: "monitor".to_owned(),
            client_secret: Secret::new("hunter2".to_owned()),
            scopes: vec!["read".to_owned(), "status".to_owned()],
            params: Vec::new(),
            tls: None,
        }));
        more(spec);
    })
}

/// A token endpoint that takes its time and numbers its tokens.
async fn endpoint(life: u64) -> Server {
    let made = Arc::new(AtomicUsize::new(0));
    serve(move |mut stream| {
        let made = Arc::clone(&made);
        async move {
            let asked = request(&mut stream).await;
            assert!(asked.starts_with("POST /token HTTP/1.1\r\n"), "{asked}");
            assert!(asked.contains("authorization: Basic bW9uaXRvcjpodW50ZXIy\r\n"), "{asked}");
            assert!(
                asked.ends_with("\r\n\r\ngrant_type=client_credentials&scope=read+status"),
                "{asked}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
            let number = made.fetch_add(1, Ordering::SeqCst);
            let body = format!(r#"{{"access_token":"t{number}","expires_in":{life}}}"#);
            let _gone = stream.write_all(&answer("200 OK", "", &body)).await;
            drain(stream).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_token_is_fetched_once_and_timed_apart() {
    let tokens = endpoint(3_600).await;
    let server = answering(|request| {
        assert!(request.contains("\r\nauthorization: Bearer t0\r\n"), "{request}");
        ok("in")
    })
    .await;
    let check = with_token(&server.url(), &format!("{}token", tokens.url()), |_| {});
    let bench = Bench::new();
    let (first, second) =
        tokio::join!(bench.expect(&check, Reason::None), bench.expect(&check, Reason::None));
    for seen in [first, second] {
        assert!(seen.detail.aside.0 >= 100_000, "{seen:#?}");
    }
    bench.expect(&check, Reason::None).await;
    assert_eq!(tokens.taken(), 1);
}

#[tokio::test]
async fn a_token_that_ends_soon_or_is_not_taken_is_fetched_anew() {
    let tokens = endpoint(10).await;
    let server = fixed(ok("in")).await;
    let check = with_token(&server.url(), &format!("{}token", tokens.url()), |_| {});
    let bench = Bench::new();
    bench.expect(&check, Reason::None).await;
    bench.expect(&check, Reason::None).await;
    assert_eq!(tokens.taken(), 2);
    let tokens = endpoint(3_600).await;
    let server = fixed(answer("401 Unauthorized", "", "")).await;
    let check = with_token(&server.url(), &format!("{}token", tokens.url()), |_| {});
    bench.expect(&check, Reason::HttpStatus).await;
    bench.expect(&check, Reason::HttpStatus).await;
    assert_eq!(tokens.taken(), 2);
}

#[tokio::test]
async fn a_token_that_is_refused_is_told_without_secrets() {
    let refusals = [
        answer("401 Unauthorized", "", r#"{"error":"hunter2 is wrong"}"#),
        ok("<html>"),
        ok("{}"),
        Vec::new(),
    ];
    for bytes in refusals {
        let tokens = fixed(bytes).await;
        let check = with_token("http://127.0.0.1:9/", &format!("{}token", tokens.url()), |_| {});
        let seen = Bench::new().expect(&check, Reason::AuthRefused).await;
        assert!(!seen.detail.why.expect("told").contains("hunter2"));
    }
    let silent = serve(drain).await;
    let check = with_token("http://127.0.0.1:9/", &format!("{}token", silent.url()), |_| {});
    let check = Check { timeout: super::bench::SHORT, ..check };
    Bench::new().expect(&check, Reason::AuthRefused).await;
}

#[tokio::test]
async fn we_come_from_the_address_that_is_set() {
    let server = serve(|mut stream| async move {
        request(&mut stream).await;
        let from = stream.peer_addr().expect("connected").ip().to_string();
        let _gone = stream.write_all(&ok(&from)).await;
        drain(stream).await;
    })
    .await;
    let bench = Bench::with(|settings| settings.source = Some([127, 0, 0, 7].into()));
    let check = get_with(&server.url(), |spec| {
        spec.expect.body_contains.push("127.0.0.7".to_owned());
    });
    bench.expect(&check, Reason::None).await;
}
