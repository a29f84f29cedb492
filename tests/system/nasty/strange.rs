//! Servers that would hide a failure, or have us tell or carry what is not theirs.

use std::time::Duration;

use thongsuot::model::phases::Phase;
use thongsuot::model::reason::Reason;
use thongsuot::model::secret::Secret;
use thongsuot::model::spec::{Auth, OAuth2, Peer, Proxy, RedirectTo};
use tokio::io::AsyncWriteExt;
use url::Host;

use super::bench::{Bench, get, get_soon, get_with, spent_in};
use super::server::{answer, answering, drain, fixed, ok, request, serve};

#[tokio::test]
async fn what_the_head_said_is_kept_whatever_becomes_of_the_body() {
    let wait = "retry-after: 9\r\n";
    for (headers, body) in [
        ("content-encoding: strange\r\n", "x".to_owned()),
        ("content-encoding: gzip\r\n", "not gzip".to_owned()),
        ("", "x".repeat((1 << 20) + 1)),
    ] {
        let headers = format!("{wait}{headers}");
        let server = fixed(answer("503 Unavailable", &headers, &body)).await;
        let seen = Bench::new().probe(&get(&server.url())).await;
        assert!(matches!(seen.reason, Reason::BodyEncoding | Reason::BodyTooLarge), "{seen:#?}");
        assert_eq!((seen.status, seen.retry_after), (Some(503), Some(Duration::from_secs(9))));
    }
    let cut = format!("HTTP/1.1 503 Unavailable\r\n{wait}content-length: 9\r\n\r\nx");
    let server = fixed(cut).await;
    let seen = Bench::new().expect(&get(&server.url()), Reason::HttpProtocol).await;
    assert_eq!((seen.status, seen.retry_after), (Some(503), Some(Duration::from_secs(9))));
}

#[tokio::test]
async fn a_block_is_known_by_its_head_though_the_rest_is_broken() {
    let blocked = "cf-mitigated: challenge\r\n";
    let strange = format!("{blocked}content-encoding: strange\r\n");
    let moved = format!("{blocked}location: /captcha\r\n");
    for (status, headers, reason) in [
        ("403 Forbidden", strange.as_str(), Reason::WafBlock),
        ("302 Found", &moved, Reason::WafBlock),
        ("429 Too Many", "content-encoding: strange\r\n", Reason::RateLimited),
    ] {
        let server = fixed(answer(status, headers, "x")).await;
        let seen = Bench::new().expect(&get(&server.url()), reason).await;
        assert_eq!(seen.detail.hops.len(), 1);
    }
    let server = fixed("HTTP/1.1 429 Too Many\r\ncontent-length: 9\r\n\r\nx").await;
    Bench::new().expect(&get(&server.url()), Reason::RateLimited).await;
    let own = get_with(&server.url(), |spec| spec.expect.blocked = false);
    Bench::new().expect(&own, Reason::HttpProtocol).await;
}

#[tokio::test]
async fn a_redirect_that_no_request_can_be_written_to_is_refused() {
    // Each of these letters becomes nine.
    let location = format!("location: /{}\r\n", "ế".repeat(7_500));
    let server = fixed(answer("302 Found", &location, "")).await;
    Bench::new().expect(&get(&server.url()), Reason::RedirectRefused).await;
}

#[tokio::test]
async fn the_body_of_a_redirect_that_is_followed_is_not_looked_at() {
    let server = answering(|request| {
        if request.starts_with("GET /next ") {
            ok("there")
        } else {
            let headers = "content-encoding: gzip\r\nlocation: /next\r\n";
            answer("302 Found", headers, "not gzip")
        }
    })
    .await;
    Bench::new().expect(&get(&server.url()), Reason::None).await;
}

#[tokio::test]
async fn another_port_of_the_same_host_gets_no_secrets() {
    let other = answering(|request| {
        let request = request.to_ascii_lowercase();
        assert!(!request.contains("authorization"), "{request}");
        assert!(!request.contains("cookie"), "{request}");
        assert!(!request.contains("kept"), "{request}");
        ok("there")
    })
    .await;
    let location = format!("location: {}\r\n", other.url());
    let server = fixed(answer("307 Temporary Redirect", &location, "")).await;
    let check = |method: &str, body: Option<&[u8]>| {
        get_with(&server.url(), |spec| {
            spec.method = method.to_owned();
            spec.body = body.map(<[u8]>::to_vec);
            spec.redirects.to = RedirectTo::SameHost;
            spec.auth = Auth::Bearer(Secret::new("secret".to_owned()));
            spec.headers.push(("cookie".to_owned(), Secret::new("a=b".to_owned())));
        })
    };
    Bench::new().expect(&check("GET", None), Reason::None).await;
    Bench::new().expect(&check("DELETE", Some(b"kept")), Reason::None).await;
    Bench::new().expect(&check("POST", Some(b"kept")), Reason::RedirectRefused).await;
}

#[tokio::test]
async fn silence_after_an_early_hint_is_waiting() {
    let server = serve(|mut stream| async move {
        request(&mut stream).await;
        let _gone = stream.write_all(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n").await;
        drain(stream).await;
    })
    .await;
    let seen = Bench::new().expect(&get_soon(&server.url()), Reason::TimeoutWait).await;
    spent_in(&seen, Phase::Wait);
}

#[tokio::test]
async fn secrets_that_the_target_echoes_are_not_told() {
    let server = answering(|request| answer("200 OK", "", request)).await;
    let check = get_with(&server.url(), |spec| {
        spec.auth = Auth::Bearer(Secret::new("hunter2".to_owned()));
        for (name, value) in [("x-key", "k3y-of-ours"), ("cookie", "sid=c00kie")] {
            spec.headers.push((name.to_owned(), Secret::new(value.to_owned())));
        }
        spec.expect.body_contains = vec!["not there".to_owned()];
    });
    let seen = Bench::new().expect(&check, Reason::BodyMissing).await;
    let why = seen.detail.why.expect("an explanation");
    for secret in ["hunter2", "k3y-of-ours", "c00kie"] {
        assert!(!why.contains(secret), "{why}");
    }
    assert!(why.contains("***"), "{why}");
}

#[tokio::test]
async fn nothing_is_sent_to_a_killed_host_by_a_redirect_or_for_a_token() {
    let killed = fixed(ok("there")).await;
    let port = killed.addr.port();
    let location = format!("location: http://localhost.:{port}/\r\n");
    let server = fixed(answer("302 Found", &location, "")).await;
    let bench = Bench::with(|settings| settings.kill = ["localhost".to_owned()].into());
    let check = get_with(&server.url(), |spec| spec.redirects.to = RedirectTo::Anywhere);
    bench.expect(&check, Reason::Paused).await;
    let check = get_with(&server.url(), |spec| {
        spec.auth = Auth::OAuth2(Box::new(OAuth2 {
            token_url: format!("http://localhost:{port}/").parse().expect("a URL"),
            client_id: "c".to_owned(),
            client_secret: Secret::new("s".to_owned()),
            scopes: Vec::new(),
            params: Vec::new(),
            tls: None,
        }));
    });
    bench.expect(&check, Reason::Paused).await;
    assert_eq!(killed.taken(), 0);
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_host_of_the_url_whatever_the_host_header_says() {
    let proxy = answering(|request| {
        assert!(request.starts_with("GET http://dvc.test/ HTTP/1.1\r\n"), "{request}");
        ok("")
    })
    .await;
    let check = get_with("http://dvc.test/", |spec| {
        let peer = Peer { host: Host::Domain("localhost".to_owned()), port: proxy.addr.port() };
        spec.proxy = Some(Proxy { peer, auth: None, connect_headers: Vec::new() });
        spec.headers.push(("host".to_owned(), Secret::new("other.test".to_owned())));
    });
    Bench::new().expect(&check, Reason::None).await;
}

#[test]
fn a_final_dot_makes_no_other_host() {
    for url in ["http://a.vn./", "http://a.vn/"] {
        assert_eq!(get(url).spec.host().as_deref(), Some("a.vn"));
    }
}
