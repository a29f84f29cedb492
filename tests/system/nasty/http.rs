//! Answers, redirects and cookies.

use std::time::Duration;

use serde_json_path::JsonPath;
use thongsuot::model::check::Check;
use thongsuot::model::expect::{
    CodeSet, HeaderMust, HeaderRule, HttpExpect, HttpVersion, JsonMust, JsonRule,
};
use thongsuot::model::phases::Phase;
use thongsuot::model::reason::Reason;
use thongsuot::model::secret::Secret;
use thongsuot::model::spec::{Auth, RedirectTo};
use thongsuot::model::time::Micros;
use tokio::io::AsyncWriteExt;

use super::bench::{Bench, get, get_with};
use super::pki::{Options, VALID, acceptor, leaf, root, serve_tls};
use super::server::{answer, answering, drain, fixed, ok, request};

#[tokio::test]
async fn a_plain_answer_is_ok() {
    let server = answering(|request| {
        assert!(request.starts_with("GET / HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("\r\nuser-agent: thongsuot/test\r\n"), "{request}");
        ok("xin chào")
    })
    .await;
    let seen = Bench::new().expect(&get(&server.url()), Reason::None).await;
    assert_eq!((seen.status, seen.bytes, seen.reused), (Some(200), 9, false));
    assert_eq!(seen.detail.http_version, Some("1.1"));
    assert_eq!(seen.detail.remote, Some(server.addr));
    assert_eq!(seen.detail.hops.len(), 1);
    assert_eq!(seen.phases.get(Phase::Tls), Micros(0));
}

#[tokio::test]
async fn each_run_has_a_connection_of_its_own() {
    let server = fixed(ok("x")).await;
    let bench = Bench::new();
    for _run in 0..3 {
        bench.expect(&get(&server.url()), Reason::None).await;
    }
    assert_eq!(server.taken(), 3);
}

#[tokio::test]
async fn another_status_than_expected_is_told() {
    let server = fixed(answer("503 Service Unavailable", "retry-after: 7\r\n", "")).await;
    let seen = Bench::new().expect(&get(&server.url()), Reason::HttpStatus).await;
    assert_eq!(seen.status, Some(503));
    assert_eq!(seen.retry_after, Some(Duration::from_secs(7)));
    assert_eq!(seen.detail.why.as_deref(), Some("expected status 200-299, got 503"));
}

#[tokio::test]
async fn a_rate_limit_is_no_outage() {
    let server = fixed(answer("429 Too Many Requests", "retry-after: 120\r\n", "")).await;
    let seen = Bench::new().expect(&get(&server.url()), Reason::RateLimited).await;
    assert_eq!(seen.retry_after, Some(Duration::from_mins(2)));
    let own = get_with(&server.url(), |spec| {
        spec.expect.blocked = false;
        spec.expect.status = CodeSet::new(vec![(429, 429)]).expect("a set");
    });
    Bench::new().expect(&own, Reason::None).await;
}

#[tokio::test]
async fn a_firewalls_page_is_no_answer_though_its_status_is_200() {
    let page = "<html><head><title>Request Rejected</title></head><body>The requested URL was \
                rejected. Please consult with your administrator.<br><br>Your support ID is: \
                8517433927364\n<br><br><a href='javascript:history.back();'>[Go Back]</a></body>";
    let server = fixed(ok(page)).await;
    let seen = Bench::new().expect(&get(&server.url()), Reason::WafBlock).await;
    assert_eq!(seen.status, Some(200));
    let own = get_with(&server.url(), |spec| spec.expect.blocked = false);
    Bench::new().expect(&own, Reason::None).await;
}

type Change = fn(&mut HttpExpect);

#[tokio::test]
async fn each_expectation_that_a_good_looking_answer_breaks_has_its_reason() {
    let page = r#"{"status":"DOWN"}"#;
    let server = fixed(answer("200 OK", "content-type: text/html\r\n", page)).await;
    let broken: [(Change, Reason); 5] = [
        (
            |expect| {
                let must = HeaderMust::BePresent;
                let name = "strict-transport-security".to_owned();
                expect.headers.push(HeaderRule { name, must });
            },
            Reason::HeaderMismatch,
        ),
        (|expect| expect.body_contains.push("UP".to_owned()), Reason::BodyMissing),
        (|expect| expect.body_absent.push("DOWN".to_owned()), Reason::BodyForbidden),
        (|expect| expect.body_bytes_min = Some(100), Reason::BodyTooSmall),
        (
            |expect| {
                let (written, must) = ("$.status".to_owned(), JsonMust::Equal("UP".into()));
                let path = JsonPath::parse(&written).expect("a path");
                expect.json.push(JsonRule { path, written, must });
            },
            Reason::JsonMismatch,
        ),
    ];
    for (change, reason) in broken {
        let check = get_with(&server.url(), |spec| change(&mut spec.expect));
        Bench::new().expect(&check, reason).await;
    }
}

#[tokio::test]
async fn a_slow_answer_is_slow_and_a_slower_one_an_error() {
    let server = super::server::serve(|mut stream| async move {
        request(&mut stream).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        let _gone = stream.write_all(&ok("x")).await;
        drain(stream).await;
    })
    .await;
    let slow = Check { slow: Some(Micros(50_000)), ..get(&server.url()) };
    Bench::new().expect(&slow, Reason::OverSlow).await;
    let strict = get_with(&server.url(), |spec| spec.expect.response_time = Some(Micros(50_000)));
    Bench::new().expect(&strict, Reason::ResponseTime).await;
}

#[tokio::test]
async fn head_and_204_have_no_body() {
    let server = answering(|request| {
        assert!(request.starts_with("HEAD "), "{request}");
        b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\ncontent-encoding: gzip\r\n\r\n".to_vec()
    })
    .await;
    let head = get_with(&server.url(), |spec| spec.method = "HEAD".to_owned());
    Bench::new().expect(&head, Reason::None).await;
    let server = fixed("HTTP/1.1 204 No Content\r\n\r\n").await;
    Bench::new().expect(&get(&server.url()), Reason::None).await;
}

#[tokio::test]
async fn a_body_that_ends_with_the_connection_is_whole() {
    let server = fixed("HTTP/1.0 200 OK\r\n\r\nto the end").await;
    let seen = Bench::new().expect(&get(&server.url()), Reason::None).await;
    assert_eq!((seen.bytes, seen.detail.http_version), (10, Some("1.0")));
    let only_11 = get_with(&server.url(), |spec| spec.expect.versions = vec![HttpVersion::Http11]);
    Bench::new().expect(&only_11, Reason::HttpVersion).await;
}

#[tokio::test]
async fn what_is_sent_is_what_was_written() {
    let server = answering(|request| {
        assert!(request.starts_with("PUT /a?b=c HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("\r\nhost: dvc.vn\r\n"), "{request}");
        assert!(request.contains("\r\nuser-agent: mine\r\n"), "{request}");
        assert!(request.contains("\r\nx-one: 1\r\n"), "{request}");
        assert!(request.contains("\r\nauthorization: Basic dTpw\r\n"), "{request}");
        assert!(request.contains("\r\ncontent-length: 4\r\n"), "{request}");
        assert!(request.ends_with("\r\n\r\nbody"), "{request}");
        ok("")
    })
    .await;
    let check = get_with(&format!("{}a?b=c", server.url()), |spec| {
        spec.method = "PUT".to_owned();
        spec.body = Some(b"body".to_vec());
        spec.auth = Auth::Basic { user: "u".to_owned(), password: Secret::new("p".to_owned()) };
        for (name, value) in [("host", "dvc.vn"), ("User-Agent", "mine"), ("x-one", "1")] {
            spec.headers.push((name.to_owned(), Secret::new(value.to_owned())));
        }
    });
    Bench::new().expect(&check, Reason::None).await;
}

#[tokio::test]
async fn a_redirect_loop_has_an_end() {
    let server = fixed(answer("302 Found", "location: /again\r\n", "")).await;
    let seen = Bench::new().expect(&get(&server.url()), Reason::RedirectLimit).await;
    assert_eq!(seen.detail.hops.len(), 6);
    assert_eq!(server.taken(), 6);
    assert_eq!(seen.status, Some(302));
}

#[tokio::test]
async fn redirects_can_be_answers_like_any_other() {
    let server = fixed(answer("302 Found", "location: /again\r\n", "")).await;
    let check = get_with(&server.url(), |spec| {
        spec.redirects.hops_max = 0;
        spec.expect.status = CodeSet::new(vec![(302, 302)]).expect("a set");
    });
    Bench::new().expect(&check, Reason::None).await;
}

#[tokio::test]
async fn a_redirect_that_leads_nowhere_is_refused() {
    for location in ["", "location: ftp://127.0.0.1/\r\n", "location: http://\r\n"] {
        let server = fixed(answer("301 Moved", location, "")).await;
        Bench::new().expect(&get(&server.url()), Reason::RedirectRefused).await;
    }
}

#[tokio::test]
async fn a_redirect_to_plain_http_is_refused_unless_it_is_asked_for() {
    let plain = answering(|request| {
        assert!(!request.contains("authorization"), "{request}");
        ok("in clear")
    })
    .await;
    let ca = root("root", VALID);
    let end = leaf(&["localhost"], &ca, VALID);
    let port = plain.addr.port();
    let server =
        serve_tls(acceptor(&end, &[], &Options::default()), move |mut stream| async move {
            request(&mut stream).await;
            let location = format!("location: http://localhost:{port}/\r\n");
            let _gone = stream.write_all(&answer("302 Found", &location, "")).await;
            let _gone = stream.shutdown().await;
            drain(stream).await;
        })
        .await;
    let check = |downgrade| {
        get_with(&server.tls_url(), |spec| {
            spec.redirects.to = RedirectTo::Anywhere;
            spec.redirects.downgrade = downgrade;
            spec.auth = Auth::Bearer(Secret::new("t".to_owned()));
        })
    };
    let bench = Bench::trusting(&ca.pem);
    bench.expect(&check(false), Reason::RedirectRefused).await;
    let seen = bench.expect(&check(true), Reason::None).await;
    assert_eq!((seen.detail.hops.len(), seen.bytes), (2, 8));
}

#[tokio::test]
async fn a_redirect_off_the_host_needs_leave_and_takes_no_secrets_along() {
    let other = answering(|request| {
        let request = request.to_ascii_lowercase();
        for secret in ["authorization", "cookie", "x-key", "dvc.vn"] {
            assert!(!request.contains(secret), "{request}");
        }
        assert!(request.contains("accept-language: vi"), "{request}");
        ok("there")
    })
    .await;
    let location = format!("location: http://localhost:{}/\r\n", other.addr.port());
    let headers = format!("{location}set-cookie: a=1\r\n");
    let server = fixed(answer("302 Found", &headers, "")).await;
    let check = |to| {
        get_with(&server.url(), |spec| {
            spec.redirects.to = to;
            spec.auth = Auth::Bearer(Secret::new("t".to_owned()));
            for (name, value) in [("host", "dvc.vn"), ("x-key", "k"), ("accept-language", "vi")] {
                spec.headers.push((name.to_owned(), Secret::new(value.to_owned())));
            }
        })
    };
    let bench = Bench::new();
    bench.expect(&check(RedirectTo::SameHost), Reason::RedirectRefused).await;
    bench.expect(&check(RedirectTo::Hosts(vec![])), Reason::RedirectRefused).await;
    let named = RedirectTo::Hosts(vec!["LOCALHOST".to_owned()]);
    bench.expect(&check(named), Reason::None).await;
    let seen = bench.expect(&check(RedirectTo::Anywhere), Reason::None).await;
    assert_eq!(seen.detail.hops.len(), 2);
    assert_eq!(seen.detail.hops[0].status, Some(302));
    assert_eq!(seen.detail.hops[1].url, format!("http://localhost:{}/", other.addr.port()));
}

#[tokio::test]
async fn a_cookie_set_on_the_way_comes_back() {
    let server = answering(|request| {
        if request.starts_with("GET /in ") {
            assert!(request.contains("\r\ncookie: sid=42\r\n"), "{request}");
            ok("inside")
        } else {
            assert!(!request.contains("\r\ncookie:"), "{request}");
            answer("303 See Other", "set-cookie: sid=42; path=/\r\nlocation: /in\r\n", "bye")
        }
    })
    .await;
    let check = get_with(&server.url(), |spec| {
        spec.method = "POST".to_owned();
        spec.body = Some(b"x".to_vec());
    });
    // The second run begins without the first one's cookie.
    for _run in 0..2 {
        Bench::new().expect(&check, Reason::None).await;
    }
}

#[tokio::test]
async fn a_308_carries_the_body_on() {
    let server = answering(|request| {
        assert!(request.starts_with("POST "), "{request}");
        assert!(request.ends_with("\r\n\r\nkept"), "{request}");
        if request.contains("/next ") {
            ok("")
        } else {
            answer("308 Permanent Redirect", "location: /next\r\n", "")
        }
    })
    .await;
    let check = get_with(&server.url(), |spec| {
        spec.method = "POST".to_owned();
        spec.body = Some(b"kept".to_vec());
    });
    Bench::new().expect(&check, Reason::None).await;
}

#[tokio::test]
async fn an_early_refusal_of_a_large_request_is_its_answer() {
    let server = super::server::serve(|mut stream| async move {
        let mut buffer = [0; 100];
        let _first = tokio::io::AsyncReadExt::read(&mut stream, &mut buffer).await;
        let _gone = stream.write_all(&answer("413 Too Large", "", "")).await;
        drain(stream).await;
    })
    .await;
    let check = get_with(&server.url(), |spec| {
        spec.method = "POST".to_owned();
        spec.body = Some(vec![b'x'; 1 << 20]);
        spec.expect.status = CodeSet::new(vec![(413, 413)]).expect("a set");
    });
    Bench::new().expect(&check, Reason::None).await;
}
