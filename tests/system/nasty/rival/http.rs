//! Plain HTTP, spoken well and badly.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::AsyncWriteExt;

use super::differ::{Differ, compare, same};
use super::kit::Rivals;
use crate::nasty::server::{Server, answer, answering, drain, fixed, ok, request, reset, serve};

const MODULES: &str = "
modules:
  http_2xx: {prober: http, timeout: 3s, http: &plain {preferred_ip_protocol: ip4}}
  short: {prober: http, timeout: 700ms, http: *plain}
  missing: {prober: http, timeout: 3s, http: {<<: *plain, valid_status_codes: [404, 410]}}
  stay: {prober: http, timeout: 3s, http: {<<: *plain, follow_redirects: false, valid_status_codes: [302]}}
  body: {prober: http, timeout: 3s, http: {<<: *plain, fail_if_body_matches_regexp: [Lỗi], fail_if_body_not_matches_regexp: ['Đăng\\s+nhập']}}
  head: {prober: http, timeout: 3s, http: {<<: *plain, fail_if_header_matches: [{header: Server, regexp: old, allow_missing: true}], fail_if_header_not_matches: [{header: X-Kind, regexp: ^good$}]}}
  small: {prober: http, timeout: 3s, http: {<<: *plain, body_size_limit: 1KB}}
  gzip: {prober: http, timeout: 3s, http: {<<: *plain, compression: gzip, headers: {Accept-Encoding: gzip}}}
  one: {prober: http, timeout: 3s, http: {<<: *plain, valid_http_versions: [HTTP/1.0]}}
  secure: {prober: http, timeout: 3s, http: {<<: *plain, fail_if_not_ssl: true}}
  post: {prober: http, timeout: 3s, http: {<<: *plain, method: POST, body: 'a=1', headers: {Content-Type: text/plain, X-A: b}, basic_auth: {username: u, password: p}}}
  look: {prober: http, timeout: 3s, http: {<<: *plain, method: HEAD}}
  unchanged: {prober: http, timeout: 3s, http: {<<: *plain, valid_status_codes: [304]}}
  send: {prober: http, timeout: 3s, http: {<<: *plain, method: POST, body: 'a=1'}}
  open: {prober: http, timeout: 3s, http: {<<: *plain, fail_if_ssl: true}}
  six: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip6, ip_protocol_fallback: false}}
";

/// A body is counted whole or not at all.
const UNREAD: &str = "A body is counted if it came whole";

/// Encodings are undone.
const DECODED: &str = "A compressed body is decoded, asked for or not";

/// Silence is nobody's pattern.
const BLAME: &str = "A body that did not come is no pattern's fault";

/// No metric comes and goes.
const ALWAYS: &str = "What a prober can say, it always says";

/// A phase that failed has the time that it took.
const FAILED_PHASE: &str = "A phase that fails has its time";

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn encoded(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

async fn page() -> Server {
    fixed(answer("200 OK", "last-modified: Tue, 24 Nov 2026 01:02:03 GMT\r\n", "Đăng nhập")).await
}

/// Holds connections open: after a while a test is over.
async fn hanging(first: &'static str) -> Server {
    serve(move |mut stream| async move {
        request(&mut stream).await;
        let _gone = stream.write_all(first.as_bytes()).await;
        drain(stream).await;
    })
    .await
}

/// Sends on to `/then` with `status`, and there is content with what `good` says of the request.
async fn moved(status: &'static str, good: fn(&str) -> bool) -> Server {
    answering(move |request| match request.split(' ').nth(1) {
        Some("/then") if good(request) => ok("as asked"),
        Some("/then") => answer("400 Bad Request", "", "not as asked"),
        _ => answer(status, "location: /then\r\n", ""),
    })
    .await
}

async fn hops() -> Server {
    answering(|request| match request.split(' ').nth(1) {
        Some("/a") => answer("302 Found", "location: /b\r\n", "moved"),
        Some("/b") => answer("301 Moved", "location: /c\r\nset-cookie: k=v\r\n", ""),
        Some("/loop") => answer("302 Found", "location: /loop\r\n", ""),
        Some("/nowhere") => answer("302 Found", "", ""),
        _ => ok("there"),
    })
    .await
}

#[tokio::test]
async fn answers_are_told_alike() {
    let Some(rivals) = Rivals::start(MODULES, &[]).await else { return };
    let (page, hops) = (page().await, hops().await);
    let not_found = fixed(answer("404 Not Found", "", "no")).await;
    let old = fixed(b"HTTP/1.0 200 OK\r\n\r\nold".to_vec()).await;
    let chunked = fixed(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_vec(),
    );
    let chunked = chunked.await;
    let empty = fixed(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()).await;
    let kinds = fixed(answer("200 OK", "server: very old\r\nx-kind: bad\r\nx-kind: good\r\n", ""));
    let (kinds, bare) = (kinds.await, fixed(answer("200 OK", "x-kind: good\r\n", "")).await);
    let packed = fixed(encoded(&gzip("Đăng nhập"))).await;
    let echo = answering(|request| {
        let lower = request.to_ascii_lowercase();
        let good = lower.starts_with("post / ")
            && lower.contains("x-a: b\r\n")
            && lower.contains("authorization: basic dtpw\r\n")
            && lower.ends_with("a=1");
        if good { ok("as asked") } else { answer("400 Bad", "", "not as asked") }
    });
    let echo = echo.await;
    let unchanged = fixed(b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec()).await;
    let kept =
        moved("307 Temporary Redirect", |then| then.starts_with("POST ") && then.ends_with("a=1"));
    let dropped = moved("302 Found", |then| then.starts_with("GET ") && !then.contains("a=1"));
    let (kept, dropped) = (kept.await, dropped.await);
    let port = page.addr.port();
    let cases = [
        same("http_2xx", page.url(), true),
        same("http_2xx", format!("127.0.0.1:{port}"), true),
        same("http_2xx", format!("localhost:{port}/x?y=z#part"), true),
        same("http_2xx", not_found.url(), false),
        same("missing", not_found.url(), true),
        same("missing", page.url(), false),
        same("http_2xx", old.url(), true),
        same("one", old.url(), true),
        same("one", page.url(), false),
        same("http_2xx", chunked.url(), true),
        same("http_2xx", empty.url(), true),
        same("http_2xx", hops.url() + "a", true),
        same("stay", hops.url() + "a", true)
            .but(UNREAD, &[Differ::Value("probe_http_uncompressed_body_length", 5.0, 0.0)]),
        same("body", page.url(), true),
        same("body", old.url(), false),
        same("head", bare.url(), true),
        same("head", page.url(), false),
        same("head", kinds.url(), false),
        same("gzip", packed.url(), true),
        same("secure", page.url(), false),
        same("post", echo.url(), true),
        same("http_2xx", echo.url(), false),
        same("small", page.url(), true),
        same("look", page.url(), true),
        same("unchanged", unchanged.url(), true),
        same("send", kept.url(), true),
        same("send", dropped.url(), true),
        same("open", page.url(), true),
    ];
    compare(&rivals, &cases).await;
}

#[tokio::test]
async fn servers_that_misbehave_are_told_alike_or_better() {
    let Some(rivals) = Rivals::start(MODULES, &[]).await else { return };
    let hops = hops().await;
    let silent = hanging("").await;
    let stalled = hanging("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc").await;
    let cut = fixed(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc".to_vec()).await;
    let garbage = fixed(b"SSH-2.0-OpenSSH_9.2p1\r\n".to_vec()).await;
    let slammed = serve(|stream| async { reset(stream) }).await;
    let large = fixed(ok(&"a".repeat(2_000))).await;
    let plain = fixed(ok("not packed at all")).await;
    let broken = fixed(encoded(b"\x1f\x8b\x08\x00broken")).await;
    let unasked = fixed(encoded(&gzip("Đăng nhập"))).await;
    let connect = Differ::Above("probe_http_duration_seconds{phase=\"connect\"}", 0.0);
    let wait = Differ::Above("probe_http_duration_seconds{phase=\"processing\"}", 0.6);
    let partial = Differ::Value("probe_http_uncompressed_body_length", 0.0, 3.0);
    let packed = Differ::Value("probe_http_uncompressed_body_length", 13.0, 33.0);
    let phases = [
        Differ::Ours("probe_http_duration_seconds{phase=\"connect\"}"),
        Differ::Ours("probe_http_duration_seconds{phase=\"tls\"}"),
        Differ::Ours("probe_http_duration_seconds{phase=\"processing\"}"),
        Differ::Ours("probe_http_duration_seconds{phase=\"transfer\"}"),
    ];
    let cases = [
        same("http_2xx", "127.0.0.1:1", false).but(FAILED_PHASE, &[connect]),
        same("short", silent.url(), false).but(FAILED_PHASE, &[wait]),
        same("short", stalled.url(), false).but(UNREAD, &[partial]),
        same("http_2xx", cut.url(), false).but(UNREAD, &[partial]),
        same("body", cut.url(), false)
            .but(UNREAD, &[partial])
            .but(BLAME, &[Differ::Value("probe_failed_due_to_regex", 0.0, 1.0)]),
        same("http_2xx", garbage.url(), false),
        same("http_2xx", slammed.url(), false),
        same("small", large.url(), false)
            .but(UNREAD, &[Differ::Value("probe_http_uncompressed_body_length", 0.0, 1_024.0)]),
        same("gzip", plain.url(), false)
            .but(DECODED, &[Differ::Value("probe_http_uncompressed_body_length", 17.0, 0.0)]),
        same("gzip", broken.url(), false),
        same("http_2xx", unasked.url(), true).but(DECODED, &[packed]),
        same("body", unasked.url(), true).but(
            DECODED,
            &[
                packed,
                Differ::Value("probe_failed_due_to_regex", 0.0, 1.0),
                Differ::Value("probe_success", 1.0, 0.0),
            ],
        ),
        same("http_2xx", hops.url() + "loop", false),
        same("http_2xx", hops.url() + "nowhere", false),
        same("six", hops.url(), false).but(ALWAYS, &phases),
    ];
    compare(&rivals, &cases).await;
}

/// Debian's version does not know `no_proxy` yet.
#[tokio::test]
async fn a_proxy_is_gone_through() {
    // In clear a proxy is asked for the whole URL.
    let proxy = answering(|request| match request.split(' ').nth(1) {
        Some(target) if target.starts_with("http://") => ok("through the proxy"),
        _ => answer("400 Bad Request", "", "no proxy's request"),
    })
    .await;
    let page = page().await;
    let modules = format!(
        "modules:\n  through: {{prober: http, timeout: 3s, http: {{preferred_ip_protocol: ip4, \
         proxy_url: 'http://{}'}}}}\n",
        proxy.addr
    );
    let Some(rivals) = Rivals::start(&modules, &[]).await else { return };
    compare(&rivals, &[same("through", page.url(), true)]).await;
    assert_eq!((proxy.taken(), page.taken()), (2, 0));
}
