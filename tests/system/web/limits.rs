//! Clients that are slow, greedy or gone.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::fake::Fake;
use super::{Served, request, send, serve_with};
use crate::sample::roster_of;
use thongsuot::web::Limits;

/// What no step of a test may take, however loaded the machine.
const PATIENCE: Duration = Duration::from_mins(1);

async fn serve(fake: Fake, limits: Limits) -> Served {
    serve_with(fake, None, limits).await
}

/// Sends `bytes` and reads until the server closes.
async fn say(served: &Served, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(served.at).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A reset after the answer is as good as a close.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("it closes");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn clients_that_send_nothing_or_half_a_head_do_not_keep_others_out() {
    let limits =
        Limits { connections: 2, head_time: Duration::from_millis(300), ..Limits::default() };
    let served = serve(Fake::new(), limits).await;
    let silent = TcpStream::connect(served.at).await.unwrap();
    let mut halfway = TcpStream::connect(served.at).await.unwrap();
    halfway.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx: ").await.unwrap();
    let answer = timeout(PATIENCE, served.get("/-/healthy")).await.expect("a slot came free");
    assert!(answer.status.is_success());
    drop((silent, halfway));
}

#[tokio::test]
async fn a_head_is_bounded_in_bytes_and_lines() {
    let served = serve(Fake::new(), Limits::default()).await;
    let long = format!("GET /-/healthy HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(20_000));
    let many = format!("GET /-/healthy HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(100));
    for head in [long, many] {
        let answer = say(&served, head.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    for nonsense in ["\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"] {
        let answer = say(&served, nonsense.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
}

#[tokio::test]
async fn a_reader_that_stops_reading_loses_its_place() {
    let limits =
        Limits { connections: 1, write_stall: Duration::from_millis(300), ..Limits::default() };
    let served = serve(Fake::of(roster_of(1_000)), limits).await;
    let mut greedy = TcpStream::connect(served.at).await.unwrap();
    greedy.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let answer = timeout(PATIENCE, served.get("/-/healthy")).await.expect("the slot came free");
    assert!(answer.status.is_success());
    drop(greedy);
}

#[tokio::test]
async fn a_connection_does_not_live_for_ever() {
    let limits = Limits {
        life: Duration::from_millis(200),
        grace: Duration::from_millis(200),
        ..Limits::default()
    };
    let served = serve(Fake::new(), limits).await;
    served.fake.gate.forget_permits(1_000);
    let answer = say(&served, b"POST /-/reload HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(answer, "", "cut after life and grace");
}

#[tokio::test]
async fn the_end_waits_for_answers_under_way_and_for_nobody_else() {
    let mut served = serve(Fake::new(), Limits::default()).await;
    served.fake.gate.forget_permits(1_000);
    let mut idle = TcpStream::connect(served.at).await.unwrap();
    idle.write_all(b"GET /-/healthy HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();

    let busy = send(served.at, request("POST", "/-/reload", &[], ""));
    let (fake, at) = (std::sync::Arc::clone(&served.fake), served.at);
    let end = async {
        fake.begun.acquire().await.unwrap().forget();
        served.stop();
        let mut rest = Vec::new();
        timeout(PATIENCE, idle.read_to_end(&mut rest)).await.expect("idle ones end").unwrap();
        let refused = TcpStream::connect(at).await;
        assert!(refused.is_err(), "nobody new is let in");
        fake.gate.add_permits(1);
    };
    let (answer, ()) = timeout(PATIENCE, async { tokio::join!(busy, end) }).await.expect("ends");
    assert!(answer.status.is_success(), "{}", answer.text());
    timeout(PATIENCE, served.task.join_next()).await.expect("serve returns").unwrap().unwrap();
}

#[tokio::test]
async fn the_end_does_not_wait_longer_than_the_grace() {
    let limits = Limits { grace: Duration::from_millis(200), ..Limits::default() };
    let mut served = serve(Fake::new(), limits).await;
    served.fake.gate.forget_permits(1_000);
    let mut busy = TcpStream::connect(served.at).await.unwrap();
    busy.write_all(b"POST /-/reload HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    served.fake.begun.acquire().await.unwrap().forget();
    served.stop();
    timeout(PATIENCE, served.task.join_next()).await.expect("serve returns").unwrap().unwrap();
}

#[tokio::test]
async fn a_handler_that_breaks_costs_only_its_connection() {
    let served = serve(Fake::new(), Limits::default()).await;
    // The fake's reload unwraps this.
    served.fake.gate.close();
    let answer = say(&served, b"POST /-/reload HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(answer, "");
    assert!(served.get("/-/healthy").await.status.is_success());
}
