//! The API against its own description.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use hyper::StatusCode;
use serde_json::{Value, json};

use super::duty::{ALERT, LINK};
use super::fake::{Fake, TOKEN};
use super::{Answer, Served, request, serve, serve_with};
use crate::sample::roster_of;
use thongsuot::web::Limits;
use thongsuot::web::source::Beat;

const CHECK: &str = "system-0000-check-0";

/// Validates `answer` against the schema that the description has for this status.
#[track_caller]
fn validate(openapi: &Value, path: &str, method: &str, answer: &Answer) {
    let status = answer.status.as_str();
    let what = format!("{method} {path} {status}");
    let operation = &openapi["paths"][path][method.to_lowercase()];
    let content = &operation["responses"][status]["content"];
    let kind = answer.header("content-type").split(';').next().unwrap();
    let schema = &content[kind]["schema"];
    assert!(schema.is_object(), "{what}: {kind} is not described: {content}");
    if kind != "application/json" {
        return;
    }
    let root = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "allOf": [schema],
        "components": openapi["components"],
    });
    let validator = jsonschema::options().should_validate_formats(true).build(&root).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&answer.json())
        .map(|it| format!("{} at {}", it, it.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{what}: {errors:?} in {}", answer.text());
}

async fn openapi(served: &Served) -> Value {
    served.get("/api/v1/openapi.json").await.json()
}

#[tokio::test]
async fn every_described_route_answers_as_described() {
    let served = serve(Fake::new()).await;
    let openapi = openapi(&served).await;
    let mut seen = 0;
    for (path, methods) in openapi["paths"].as_object().unwrap() {
        let id = match path {
            it if it.contains("systems") => "system-0000",
            it if it.contains("maintenance") => "bt-1",
            it if it.contains("alerts") || it.starts_with("/incidents") => ALERT,
            _ => CHECK,
        };
        let target = path.replace("{id}", id).replace("{check}", id).replace("{token}", LINK);
        let target = if path == "/probe" { target + "?target=a.vn" } else { target };
        for method in methods.as_object().unwrap().keys() {
            let authorization = format!("Bearer {TOKEN}");
            let headers = [("authorization", authorization.as_str())];
            let body = body_of(path, method);
            // Only what somebody has can be closed, and only once can they have it.
            served.fake.taken.store(path.ends_with("close"), Ordering::SeqCst);
            let answer =
                served.send(request(&method.to_uppercase(), &target, &headers, body)).await;
            assert_eq!(answer.status, StatusCode::OK, "{method} {target}: {}", answer.text());
            validate(&openapi, path, method, &answer);
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
            if method == "get" {
                let head = served.send(request("HEAD", &target, &headers, "")).await;
                assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0), "{target}");
                assert_eq!(head.header("content-type"), answer.header("content-type"));
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 28);
}

/// What is sent there so that it is done.
fn body_of(path: &str, method: &str) -> &'static str {
    match path.rsplit('/').next().unwrap() {
        "maintenance" if method == "post" => {
            r#"{"system":"system-0000","from":"2026-11-28 22:00","to":"2026-11-29T02:00:00+07:00",
                "notice":"TB 123/TB-C06","who":"trực ca","why":"nâng cấp"}"#
        }
        "extend" => r#"{"to":"2026-11-29 04:00","who":"trực ca","why":"chưa xong"}"#,
        "acknowledge" => r#"{"who":"trực ca"}"#,
        "close" => r#"{"who":"trực ca","via":"cli"}"#,
        "drill" => r#"{"who":"trực ca","team":"noc"}"#,
        "{token}" if method == "post" => "act=acknowledge",
        "cancel" => r#"{"who":"trực ca","why":"hoãn"}"#,
        _ => "",
    }
}

/// The routes are read from the code, so that a new one can't be forgotten.
#[tokio::test]
async fn every_route_is_described() {
    let openapi = openapi(&serve(Fake::new()).await).await;
    let code = include_str!("../../../src/web.rs");
    let routes: BTreeSet<_> = code
        .split(".route(\"")
        .skip(1)
        .map(|rest| {
            let (path, rest) = rest.split_once('"').unwrap();
            (path.to_owned(), rest[2..].split('(').next().unwrap().to_owned())
        })
        .collect();
    let described: BTreeSet<_> = openapi["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |it| (path.clone(), it.clone()))
        })
        .collect();
    assert_eq!(routes, described);
}

#[tokio::test]
async fn a_wrong_request_is_told_what_to_do() {
    let served = serve(Fake::new()).await;
    served.fake.ready.store(false, Ordering::SeqCst);
    let openapi = openapi(&served).await;
    let results = "/api/v1/checks/{id}/results";
    let beat = "/api/v1/heartbeats/{check}";
    let figures = "/api/v1/systems/{id}/figures";
    let maintenance = "/api/v1/maintenance";
    let extend = "/api/v1/maintenance/{id}/extend";
    let acknowledge = "/api/v1/alerts/{id}/acknowledge";
    let new = body_of(maintenance, "post");
    let bearer = format!("Bearer {TOKEN}");
    let long = format!("{{\"message\":\"{}\"}}", "x".repeat(64 * 1024));
    for (method, path, id, query, body, status, hint) in [
        ("GET", "/api/v1/systems/{id}", "nope", "", "", 404, "/api/v1/systems lists them"),
        ("GET", "/api/v1/checks/{id}", "nope", "", "", 404, "/api/v1/checks lists them"),
        ("GET", "/api/v1/checks/{id}", "%FF", "", "", 404, "write ids as"),
        ("GET", results, "nope", "", "", 404, "/api/v1/checks lists them"),
        ("GET", results, CHECK, "?from=today", "", 400, "2026-11-24T08:00:00Z"),
        ("GET", results, CHECK, "?cursor=x", "", 400, "give back `next`"),
        ("GET", results, CHECK, "?form=x", "", 400, "from, to, lane"),
        ("GET", figures, "nope", "", "", 404, "/api/v1/systems lists them"),
        ("GET", figures, "system-0005", "", "", 404, "không giám sát"),
        ("GET", figures, "system-0000", "?from=2026-01-01T00:00:00Z", "", 400, "at most 31 days"),
        ("GET", "/api/v1/incidents", "", "?system=nope", "", 404, "/api/v1/systems lists them"),
        ("GET", "/api/v1/incidents", "", "?from=2026-11-01T00:00:00Z", "", 400, "at most 7 days"),
        ("GET", "/api/v1/incidents", "", "?lane=v4", "", 400, "from, to, system"),
        ("POST", maintenance, "", "", "", 400, "platform"),
        ("POST", maintenance, "", "", &new.replace("\"system\"", "\"sistem\""), 400, "platform"),
        (
            "POST",
            maintenance,
            "",
            "",
            &new.replace("\"to\"", "\"check\":\"x\",\"to\""),
            400,
            "platform",
        ),
        (
            "POST",
            maintenance,
            "",
            "",
            &new.replace("2026-11-29T02", "2026-11-28T02"),
            400,
            "after its start",
        ),
        (
            "POST",
            maintenance,
            "",
            "",
            &new.replace("2026-11-28 22:00", "2026-11-28"),
            400,
            "RFC 3339",
        ),
        ("POST", maintenance, "", "", &new.replace("nâng cấp", " \\n"), 400, "1 to 500"),
        (
            "POST",
            maintenance,
            "",
            "",
            &new.replace("system-0000", "SYSTEM"),
            400,
            "as in the configuration",
        ),
        (
            "POST",
            maintenance,
            "",
            "",
            &new.replace("system-0000", "system-000"),
            400,
            "did you mean `system-0000`",
        ),
        (
            "POST",
            extend,
            "bt-9",
            "",
            r#"{"to":"2026-11-29 04:00","who":"a","why":"b"}"#,
            404,
            "/api/v1/maintenance",
        ),
        ("POST", extend, "bt-1", "", "{}", 400, "who"),
        ("GET", "/-/ready", "", "", "", 503, "try again"),
        ("GET", "/api/v1/alerts/{id}", "SC-1", "", "", 404, "/api/v1/alerts lists them"),
        ("POST", acknowledge, "SC-1", "", r#"{"who":"a"}"#, 404, "/api/v1/alerts lists them"),
        ("POST", acknowledge, ALERT, "", "", 400, "who"),
        ("POST", acknowledge, ALERT, "", r#"{"who":" "}"#, 400, "1 to"),
        ("POST", acknowledge, ALERT, "", r#"{"who":"a","via":"sms"}"#, 400, "who"),
        ("POST", acknowledge, ALERT, "", &long, 413, "65536"),
        ("POST", "/api/v1/alerts/{id}/close", ALERT, "", r#"{"who":"a"}"#, 409, "closes by itself"),
        ("POST", "/api/v1/drill", "", "", r#"{"who":"a","team":"x"}"#, 400, "teams are: noc"),
        ("POST", "/api/v1/drill", "", "", "{}", 400, "who"),
        ("POST", beat, "nope", "", "", 401, "compare the id"),
        ("POST", beat, "N%20O", "", "", 401, "compare the id"),
        ("POST", beat, CHECK, "", "{\"status\":\"bad\"}", 400, "ok\" or \"fail"),
        ("POST", beat, CHECK, "", "{\"stauts\":\"ok\"}", 400, "ok\" or \"fail"),
        ("POST", beat, CHECK, "", &long, 413, "65536"),
    ] {
        let target = path.replace("{id}", id).replace("{check}", id) + query;
        let headers = [("authorization", bearer.as_str())];
        let answer = served.send(request(method, &target, &headers, body)).await;
        assert_eq!(answer.status.as_u16(), status, "{target}: {}", answer.text());
        validate(&openapi, path, method, &answer);
        let said = answer.json()["hint"].as_str().unwrap().to_owned();
        assert!(said.contains(hint), "{target}: {said}");
    }
    let nowhere = served.get("/nowhere").await;
    assert_eq!((nowhere.status.as_u16(), nowhere.json()["hint"].is_string()), (404, true));
    let wrong = served.send(request("DELETE", "/api/v1/systems", &[], "")).await;
    assert_eq!((wrong.status.as_u16(), wrong.json()["hint"].is_string()), (405, true));
    assert!(wrong.header("allow").contains("GET"), "{:?}", wrong.headers);
}

/// The status of the answer to a request with exactly these lines after the first.
async fn status(served: &super::Served, line: &str, lines: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(served.at).await.unwrap();
    let head = format!("{line} HTTP/1.1\r\n{lines}connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(!answer.starts_with("HTTP/1.1 4") || answer.contains("`[monitor] token`"), "{answer}");
    answer[9..12].to_owned()
}

#[tokio::test]
async fn without_a_token_only_an_address_or_localhost_is_answered() {
    let served = serve(Fake::new()).await;
    for (host, expected) in [
        ("host: 127.0.0.1:9247\r\n", "200"),
        ("host: 10.1.2.3\r\n", "200"),
        ("host: [::1]:9247\r\n", "200"),
        ("host: LocalHost:1\r\n", "200"),
        ("host: evil.example:9247\r\n", "403"),
        ("host: localhost.evil.example\r\n", "403"),
        ("host: 127.0.0.1.evil.example\r\n", "403"),
        ("host: \r\n", "403"),
        ("", "400"),
        ("host: localhost\r\nhost: evil.example\r\n", "400"),
    ] {
        for target in
            ["/metrics", "/", "/api/v1/systems", "/api/v1/checks/system-0000-check-0/results"]
        {
            let line = format!("GET {target}");
            assert_eq!(status(&served, &line, host).await, expected, "{target} {host}");
        }
        assert_eq!(status(&served, "GET /-/healthy", host).await, "200", "{host}");
    }
    let line = "GET http://evil.example/metrics";
    assert_eq!(status(&served, line, "host: localhost\r\n").await, "403");
    let refused = served.send(request("POST", "/-/reload", &[("host", "evil.example")], "")).await;
    assert!(refused.status.is_client_error());
    let guarded = serve_with(Fake::new(), Some("mật"), Limits::default()).await;
    let named = "host: monitor.example\r\nauthorization: Bearer mật\r\n";
    assert_eq!(status(&guarded, "GET /metrics", named).await, "200", "a token is enough");
}

#[tokio::test]
async fn nothing_is_changed_for_another_origin() {
    let served = serve(Fake::new()).await;
    for (origin, expected) in [
        ("http://localhost:9247", 200),
        ("http://LOCALHOST", 200),
        ("http://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("null", 403),
    ] {
        let answer = served.post("/-/reload", &[("origin", origin)], "").await;
        assert_eq!(answer.status.as_u16(), expected, "{origin}");
        let read = served.send(request("GET", "/metrics", &[("origin", origin)], "")).await;
        assert_eq!(read.status, StatusCode::OK, "{origin}");
    }
}

#[tokio::test]
async fn void_spans_are_no_more_than_the_limit() {
    let mut fake = Fake::new();
    fake.voids = 20_000;
    let served = serve(fake).await;
    for (limit, expected) in [("?limit=7", 7), ("", 1_000), ("?limit=10000", 10_000)] {
        let page = served.get(&format!("/api/v1/checks/{CHECK}/results{limit}")).await.json();
        assert_eq!(page["void_spans"].as_array().unwrap().len(), expected, "{limit}");
    }
}

#[tokio::test]
async fn a_token_guards_all_but_health_and_heartbeats() {
    let served = serve_with(Fake::new(), Some("mật"), Limits::default()).await;
    let right = "Bearer mật".as_bytes();
    for (method, target, guarded) in [
        ("GET", "/", true),
        ("GET", "/metrics", true),
        ("POST", "/-/reload", true),
        ("GET", "/api/v1/systems", true),
        ("GET", "/api/v1/checks/nope/results", true),
        ("GET", "/api/v1/openapi.json", true),
        ("GET", "/-/healthy", false),
        ("GET", "/-/ready", false),
        ("POST", "/api/v1/heartbeats/system-0000-check-0", false),
    ] {
        for wrong in [None, Some("Bearer x"), Some("Basic bcOhdA==")] {
            let headers: Vec<_> = wrong.map(|it| ("authorization", it)).into_iter().collect();
            let answer = served.send(request(method, target, &headers, "")).await;
            let beat = target.contains("heartbeats");
            assert_eq!(answer.status.as_u16() == 401, guarded || beat, "{target} {wrong:?}");
            if guarded {
                assert_eq!(answer.header("www-authenticate"), "Bearer");
                assert!(answer.json()["hint"].as_str().unwrap().contains("Authorization: Bearer"));
            }
        }
        let mut asked = request(method, target, &[], "");
        asked.headers_mut().insert("authorization", right.try_into().unwrap());
        let answer = served.send(asked).await;
        assert_eq!(answer.status.as_u16() == 401, target.contains("heartbeats"), "{target}");
    }
    let beat = [("authorization", "Bearer nhip-bao")];
    let answer = served.post("/api/v1/heartbeats/system-0000-check-0", &beat, "").await;
    assert_eq!(answer.status, StatusCode::OK, "a beat needs only its own token");
}

#[tokio::test]
async fn large_answers_leave_room_for_each_other() {
    let served = serve(Fake::of(roster_of(20))).await;
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..12 {
        asked.spawn(super::send(served.at, request("GET", "/api/v1/checks", &[], "")));
        asked.spawn(super::send(served.at, request("GET", "/metrics", &[], "")));
    }
    let answers = asked.join_all().await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
}

#[tokio::test]
async fn systems_hold_all_that_a_terminal_needs() {
    let answer = serve(Fake::new()).await.get("/api/v1/systems").await.json();
    let down = &answer["systems"][1];
    assert_eq!(down["state"], "down");
    assert_eq!(down["since"], "2026-11-24T07:48:00.000Z");
    assert_eq!(down["reason"], "tls_expired");
    assert_eq!(down["owner"]["name"], "Bộ Công an");
    assert_eq!(down["objective"], "99.9%");
    assert_eq!(down["checks"].as_array().unwrap().len(), 3);
    assert_eq!(down["checks"][0]["why"], "chứng thư <hết hạn> & \"cũ\"");
    assert_eq!(answer["systems"][5]["state"], Value::Null, "nothing in it runs");
}

/// Walks the pages and gives back when their results started.
async fn walk(served: &Served, query: &str) -> Vec<String> {
    let (mut started, mut cursor) = (Vec::new(), String::new());
    loop {
        let target = format!("/api/v1/checks/{CHECK}/results?{query}{cursor}");
        let page = served.get(&target).await.json();
        assert_eq!(page["void_spans"].as_array().unwrap().is_empty(), !cursor.is_empty());
        let results = page["results"].as_array().unwrap();
        started.extend(results.iter().map(|it| it["started"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return started,
        }
    }
}

#[tokio::test]
async fn pages_hold_every_result_once_in_order() {
    let served = serve(Fake::new()).await;
    let whole = walk(&served, "limit=10000").await;
    assert_eq!(whole.len(), 100);
    assert!(whole.is_sorted());
    for limit in [1, 7, 50, 100] {
        assert_eq!(walk(&served, &format!("limit={limit}")).await, whole, "{limit}");
    }
    for (query, expected) in [
        ("outcome=error&limit=3", 25),
        ("outcome=hang&limit=1", 0),
        ("lane=v4&limit=9", 50),
        ("lane=v4&outcome=error&limit=100", 25 * 2 / 2),
        ("vantage=elsewhere&limit=9", 0),
        ("from=2026-11-24T07:50:00Z&to=2026-11-24T07:55:00Z&limit=4", 10),
        ("from=2026-11-24T14:50:00%2B07:00&to=2026-11-24T14:55:00%2B07:00&limit=100", 10),
    ] {
        assert_eq!(walk(&served, query).await.len(), expected, "{query}");
    }
}

#[tokio::test]
async fn a_result_is_told_in_full() {
    let served = serve(Fake::new()).await;
    let page = served.get(&format!("/api/v1/checks/{CHECK}/results?limit=1")).await.json();
    let expected = json!({
        "check": CHECK,
        "from": "2026-11-23T08:00:00.001Z",
        "to": "2026-11-24T08:00:00.001Z",
        "results": [{
            "lane": "v4", "vantage": "hn-1", "kind": "grid", "run": 0,
            "due": "2026-11-24T07:09:59.995Z",
            "scheduled": "2026-11-24T07:09:59.995Z",
            "started": "2026-11-24T07:09:59.997Z",
            "ended": "2026-11-24T07:10:00.194Z",
            "lateness_us": 2_000,
            "outcome": "ok", "reason": "none",
            "phases_us": {
                "dns": 12_345, "connect": 24_690, "tls": 37_035,
                "send": 40, "wait": 111_105, "receive": 12_345,
            },
            "total_us": 197_560, "status": 200, "bytes": 0, "reused": false,
        }],
        "void_spans": [{
            "vantage": "hn-1", "reason": "stopped",
            "from": "2026-11-23T08:00:00.001Z", "to": "2026-11-23T08:01:00.001Z",
        }],
        "next": "1",
    });
    assert_eq!(page, expected);
}

#[tokio::test]
async fn a_beat_is_taken_with_or_without_a_body() {
    let served = serve(Fake::new()).await;
    let target = format!("/api/v1/heartbeats/{CHECK}");
    let bearer = [("authorization", "Bearer nhip-bao")];
    let long = "đ".repeat(600);
    for (body, good, message) in [
        ("", true, None),
        ("{}", true, None),
        (r#"{"status":"ok","message":"xong"}"#, true, Some("xong".to_owned())),
        (r#"{"status":"fail","message":null}"#, false, None),
        (&format!("{{\"message\":\"{long}\"}}"), true, Some("đ".repeat(500))),
    ] {
        let answer = served.post(&target, &bearer, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{body}: {}", answer.text());
        assert_eq!(answer.json()["taken"], "2026-11-24T08:00:00.000Z");
        let (check, beat) = served.fake.beats.lock().unwrap().pop().unwrap();
        assert_eq!((check.as_str(), beat), (CHECK, Beat { good, message }));
    }
    let without = served.post(&target, &[], "").await;
    assert_eq!((without.status.as_u16(), without.header("www-authenticate")), (401, "Bearer"));
    assert!(served.fake.beats.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_reload_tells_every_mistake() {
    let mistakes = vec!["line 3: no such owner `x`".to_owned(), "line 9: no interval".to_owned()];
    let served = serve(Fake { mistakes: mistakes.clone(), ..Fake::new() }).await;
    let answer = served.post("/-/reload", &[], "").await;
    assert_eq!(answer.status.as_u16(), 422);
    validate(&openapi(&served).await, "/-/reload", "POST", &answer);
    assert_eq!(answer.json()["mistakes"], json!(mistakes));
    assert!(answer.json()["error"].as_str().unwrap().contains("2 mistakes"));
}

#[tokio::test]
async fn a_page_of_another_site_can_change_nothing() {
    let served = serve(Fake::new()).await;
    for (site, status) in
        [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)]
    {
        let answer = served.post("/-/reload", &[("sec-fetch-site", site)], "").await;
        assert_eq!(answer.status.as_u16(), status, "{site}");
    }
}
