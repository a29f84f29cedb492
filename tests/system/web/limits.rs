//! Clients that are slow, greedy or gone.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

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
async fn one_address_can_not_take_every_connection() {
    let served = serve(Fake::new(), Limits { connections: 16, ..Limits::default() }).await;
    let from = async |address: &str| {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
        let mut stream = socket.connect(served.at).await.unwrap();
        let sent = stream.write_all(b"GET /-/healthy HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        let mut status = [0; 12];
        let read = timeout(PATIENCE, stream.read_exact(&mut status)).await.expect("an end");
        (sent.is_ok() && read.is_ok()).then_some(stream)
    };
    let mut kept = Vec::new();
    for _ in 0..12 {
        kept.extend(from("127.0.0.2").await);
    }
    assert_eq!(kept.len(), 8);
    assert!(from("127.0.0.3").await.is_some(), "others are let in");
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
    greedy.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let answer = timeout(PATIENCE, served.get("/-/healthy")).await.expect("the slot came free");
    assert!(answer.status.is_success());
    drop(greedy);
}

/// Asks for all systems over a connection of small buffers, and reads no more than the status.
async fn asked_and_not_read(at: SocketAddr) -> (String, TcpStream) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(at).await.unwrap();
    stream.write_all(b"GET /api/v1/systems HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut status = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut status)).await.expect("an answer").unwrap();
    (String::from_utf8_lossy(&status).into_owned(), stream)
}

#[tokio::test]
async fn no_more_large_answers_are_kept_for_readers_that_do_not_read_than_there_is_room_for() {
    let limits = Limits { write_stall: PATIENCE, answer_time: PATIENCE, ..Limits::default() };
    let served = serve(Fake::of(roster_of(8_000)), limits).await;
    let asked: JoinSet<_> = (0..20).map(|_| asked_and_not_read(served.at)).collect();
    let asked = asked.join_all().await;
    let count = |status: &str| asked.iter().filter(|it| it.0.ends_with(status)).count();
    assert_eq!((count("200"), count("503")), (8, 12), "{asked:?}");
    assert!(served.get("/-/healthy").await.status.is_success(), "small ones go on");
    drop(asked);
    assert!(served.get("/api/v1/systems").await.status.is_success(), "room again");
}

#[tokio::test]
async fn a_large_answer_that_is_read_byte_by_byte_is_cut_in_time() {
    let limits = Limits { answer_time: Duration::from_millis(500), ..Limits::default() };
    let served = serve(Fake::of(roster_of(8_000)), limits).await;
    let (status, mut stream) = asked_and_not_read(served.at).await;
    assert!(status.ends_with("200"), "{status}");
    let read = async {
        let (mut all, mut some) = (Vec::new(), [0; 512]);
        loop {
            match stream.read(&mut some).await {
                Ok(0) | Err(_) => return all,
                Ok(bytes) => all.extend_from_slice(&some[..bytes]),
            }
            sleep(Duration::from_millis(1)).await;
        }
    };
    let read = timeout(PATIENCE, read).await.expect("it is cut");
    let text = String::from_utf8_lossy(&read);
    let (_, length) = text.split_once("content-length: ").expect("a length");
    let length: usize = length.lines().next().unwrap().parse().unwrap();
    assert!(read.len() < length, "{} of {length} bytes", read.len());
}

#[tokio::test]
async fn a_connection_does_not_live_for_ever() {
    let limits = Limits {
        life: Duration::from_millis(200),
        last_answer: Duration::from_millis(200),
        ..Limits::default()
    };
    let served = serve(Fake::new(), limits).await;
    served.fake.gate.forget_permits(1_000);
    let answer = say(&served, b"POST /-/reload HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert_eq!(answer, "", "cut after life and the last answer");
}

#[tokio::test]
async fn the_last_answer_of_a_connection_may_outlast_its_life_and_the_grace() {
    let limits = Limits {
        life: Duration::from_millis(50),
        grace: Duration::from_millis(50),
        ..Limits::default()
    };
    let served = serve(Fake::new(), limits).await;
    served.fake.gate.forget_permits(1_000);
    let asked = say(&served, b"POST /-/reload HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let late = async {
        served.fake.begun.acquire().await.unwrap().forget();
        // Longer than both.
        tokio::time::sleep(Duration::from_millis(500)).await;
        served.fake.gate.add_permits(1);
    };
    let (answer, ()) = tokio::join!(asked, late);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn the_end_does_not_wait_for_a_connection_whose_life_is_over() {
    let limits = Limits {
        life: Duration::from_millis(50),
        grace: Duration::from_millis(50),
        ..Limits::default()
    };
    let mut served = serve(Fake::new(), limits).await;
    served.fake.gate.forget_permits(1_000);
    let mut busy = TcpStream::connect(served.at).await.unwrap();
    busy.write_all(b"POST /-/reload HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    served.fake.begun.acquire().await.unwrap().forget();
    tokio::time::sleep(Duration::from_millis(200)).await;
    served.stop();
    timeout(PATIENCE, served.task.join_next()).await.expect("serve returns").unwrap().unwrap();
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
    busy.write_all(b"POST /-/reload HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    served.fake.begun.acquire().await.unwrap().forget();
    served.stop();
    timeout(PATIENCE, served.task.join_next()).await.expect("serve returns").unwrap().unwrap();
}

#[tokio::test]
async fn a_handler_that_breaks_costs_only_its_connection() {
    let served = serve(Fake::new(), Limits::default()).await;
    // The fake's reload unwraps this.
    served.fake.gate.close();
    let answer = say(&served, b"POST /-/reload HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert_eq!(answer, "");
    assert!(served.get("/-/healthy").await.status.is_success());
}
