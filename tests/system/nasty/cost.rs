//! What a run costs. Not a test of the machine: run by hand, in a release build, with
//! `cargo test --release --test system cost -- --ignored --nocapture`.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;

use rustix::time::{ClockId, clock_gettime};
use thongsuot::model::check::Check;
use thongsuot::model::reason::Reason;
use thongsuot::model::spec::HttpOffer;
use tokio::io::AsyncWriteExt;
use tokio::runtime::Builder;

use super::bench::{Bench, get, get_with};
use super::pki::{Options, VALID, acceptor, leaf, middle, root, serve_tls};
use super::server::{Server, answer, drain, request, serve};
use super::server3::fixed;

const RUNS: u32 = 2_000;

fn page() -> Vec<u8> {
    answer("200 OK", "content-type: text/html; charset=utf-8\r\n", &"<p>Xin chào</p>\n".repeat(64))
}

/// Serves on a thread of its own, so that only the probe's CPU is counted.
fn apart<F, Fut>(start: F) -> SocketAddr
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = Server>,
{
    apart_at(|| async {
        let server = start().await;
        (server.addr, server)
    })
}

/// The same for a server of any kind, which says where it is.
fn apart_at<F, Fut, S>(start: F) -> SocketAddr
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = (SocketAddr, S)>,
{
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (addr, _server) = start().await;
            send.send(addr).expect("the test waits");
            std::future::pending::<()>().await;
        });
    });
    receive.recv().expect("the server started")
}

fn measure(what: &str, bench: &Bench, check: &Check) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let run = || runtime.block_on(bench.net_run(check));
    assert_eq!(run(), Reason::None);
    let before = clock_gettime(ClockId::ThreadCPUTime);
    for _run in 0..RUNS {
        assert_eq!(run(), Reason::None);
    }
    let after = clock_gettime(ClockId::ThreadCPUTime);
    let nanos = (after.tv_sec - before.tv_sec) * 1_000_000_000 + after.tv_nsec - before.tv_nsec;
    println!("{what}: {} us of CPU a run", nanos / 1_000 / i64::from(RUNS));
}

#[test]
#[ignore = "measures this machine"]
fn a_run_costs_little() {
    let plain = apart(|| {
        serve(|mut stream| async move {
            request(&mut stream).await;
            let _gone = stream.write_all(&page()).await;
            drain(stream).await;
        })
    });
    measure("http", &Bench::new(), &get(&format!("http://{plain}/")));
    let ca = root("root", VALID);
    let sub = middle("middle", &ca, VALID);
    let end = leaf(&["localhost"], &sub, VALID);
    for (what, alpn) in [("https 1.1", &[] as &[&[u8]]), ("https 2", &[b"h2"])] {
        let acceptor = acceptor(&end, &[&sub], &Options { alpn, ..Options::default() });
        let two = !alpn.is_empty();
        let secure = apart(move || {
            serve_tls(acceptor, move |mut stream| async move {
                if two {
                    super::two::speak(stream).await;
                } else {
                    request(&mut stream).await;
                    let _gone = stream.write_all(&page()).await;
                    drain(stream).await;
                }
            })
        });
        let url = format!("https://localhost:{}/", secure.port());
        measure(what, &Bench::trusting(&ca.pem), &get(&url));
    }
    let secure = apart_at(move || async move {
        let server = fixed(&end, 200, &[], "<p>Xin chào</p>\n".repeat(64).into_bytes());
        (server.addr, server)
    });
    let url = format!("https://localhost:{}/", secure.port());
    // Its chain is the leaf alone: all else is as above.
    let direct = get_with(&url, |spec| {
        spec.offer = HttpOffer::Http3;
        spec.tls.verify = false;
    });
    measure("https 3", &Bench::trusting(&ca.pem), &direct);
}
