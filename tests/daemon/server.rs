//! A server on loopback whose manners can be changed while it runs.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// The text that a check may expect in a good page.
pub(crate) const GOOD: &str = "OK, xin chào";

/// The text that a check may forbid.
pub(crate) const MAINTENANCE: &str = "Hệ thống đang bảo trì";

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// 200 and [`GOOD`].
    Good,
    /// The same, after this long.
    After(Duration),
    /// 429, and to come back in half a minute.
    Busy,
    /// 503, and to come back in an hour.
    Overloaded,
    /// 500.
    Broken,
    /// 200, [`GOOD`] and [`MAINTENANCE`].
    Maintenance,
    /// Takes the request and says nothing until the client leaves.
    Hang,
}

/// A running server.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

struct Shared {
    manner: Mutex<Manner>,
    requests: AtomicU64,
    stop: AtomicBool,
}

impl Server {
    /// Starts a good one.
    pub(crate) fn start() -> Self {
        let manner = Mutex::new(Manner::Good);
        let shared = Shared { manner, requests: AtomicU64::new(0), stop: AtomicBool::new(false) };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut server = Self { address, shared: Arc::new(shared), listening: None };
        server.listen();
        server
    }

    /// A good one that is told to behave so.
    pub(crate) fn with(manner: Manner) -> Self {
        let server = Self::start();
        server.set(manner);
        server
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes how requests are answered from now on.
    pub(crate) fn set(&self, manner: Manner) {
        *self.shared.manner.lock().unwrap() = manner;
    }

    /// Requests read so far.
    pub(crate) fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Listens (again), at the same address.
    pub(crate) fn listen(&mut self) {
        let listener = TcpListener::bind(self.address).unwrap();
        self.address = listener.local_addr().unwrap();
        self.shared.stop.store(false, Ordering::Release);
        let shared = Arc::clone(&self.shared);
        self.listening = Some(std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if shared.stop.load(Ordering::Acquire) {
                    return;
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || answer(stream, &shared));
            }
        }));
    }

    /// Stops listening: connections are refused from now on.
    pub(crate) fn stop(&mut self) {
        if let Some(listening) = self.listening.take() {
            self.shared.stop.store(true, Ordering::Release);
            // Wakes it, so that it sees that it is to stop.
            let _ = TcpStream::connect(self.address);
            let _ = listening.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Reads a request and answers it. A client that goes away in the middle is none of our business.
fn answer(mut stream: TcpStream, shared: &Shared) {
    let mut head = Vec::new();
    let mut part = [0; 1024];
    while !head.windows(4).any(|it| it == b"\r\n\r\n") {
        match stream.read(&mut part) {
            Ok(n) if n > 0 => head.extend_from_slice(&part[..n]),
            _ => return,
        }
    }
    shared.requests.fetch_add(1, Ordering::Relaxed);
    let manner = *shared.manner.lock().unwrap();
    let (status, body) = match manner {
        Manner::Good => ("200 OK", GOOD.to_owned()),
        Manner::After(time) => {
            std::thread::sleep(time);
            ("200 OK", GOOD.to_owned())
        }
        Manner::Busy => ("429 Too Many Requests\r\nRetry-After: 30", String::new()),
        Manner::Overloaded => ("503 Service Unavailable\r\nRetry-After: 3600", String::new()),
        Manner::Broken => ("500 Internal Server Error", "lỗi".to_owned()),
        Manner::Maintenance => ("200 OK", format!("{GOOD}. {MAINTENANCE}.")),
        Manner::Hang => {
            while stream.read(&mut part).is_ok_and(|n| n > 0) {}
            return;
        }
    };
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
}
