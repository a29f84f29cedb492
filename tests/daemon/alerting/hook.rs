//! A web server that people's messages go to: it writes down what arrives, and answers as it is
//! told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::harness::until;

/// How it answers.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// Status, header lines (each ended), body.
    Says(u16, &'static str, &'static str),
    /// 200 after this long.
    After(Duration),
    /// Nothing, until the client leaves.
    Nothing,
}

/// A message that arrived.
#[derive(Clone, Debug)]
pub(super) struct Got {
    pub(super) at: Instant,
    /// The path it came to.
    pub(super) path: String,
    /// The body; null if it is not JSON.
    pub(super) body: Value,
    /// How many came to that path before it.
    pub(super) nth: usize,
}

/// What it does with a message.
type Script = Box<dyn Fn(&Got) -> Reply + Send + Sync>;

/// A running one. Its threads end with the process.
pub(super) struct Hook {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    got: Mutex<Vec<Got>>,
    script: Script,
}

impl Got {
    fn text(&self, key: &str) -> &str {
        self.body[key].as_str().unwrap_or_default()
    }

    pub(super) fn key(&self) -> &str {
        self.text("key")
    }

    pub(super) fn incident(&self) -> &str {
        self.text("incident")
    }

    pub(super) fn purpose(&self) -> &str {
        self.text("purpose")
    }

    pub(super) fn to(&self) -> &str {
        self.text("to")
    }

    pub(super) fn subject(&self) -> &str {
        self.text("subject")
    }
}

impl Hook {
    /// One that takes everything.
    pub(super) fn start() -> Self {
        Self::with(|_| Reply::Says(200, "", ""))
    }

    /// One that follows a script.
    pub(super) fn with(script: impl Fn(&Got) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { got: Mutex::default(), script: Box::new(script) });
        let of_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&of_thread);
                std::thread::spawn(move || shared.talk(&stream));
            }
        });
        Self { address, shared }
    }

    /// Everything that arrived, in order.
    pub(super) fn all(&self) -> Vec<Got> {
        self.shared.got.lock().unwrap().clone()
    }

    /// What arrived for somebody with this purpose.
    pub(super) fn of(&self, to: &str, purpose: &str) -> Vec<Got> {
        let mut all = self.all();
        all.retain(|it| it.to() == to && it.purpose() == purpose);
        all
    }

    /// Waits for the first message to somebody with this purpose.
    #[track_caller]
    pub(super) fn hears(&self, to: &str, purpose: &str) -> Got {
        until(&format!("`{to}` is told: {purpose}"), || self.of(to, purpose).into_iter().next())
    }

    /// Every key that arrived, with how often.
    pub(super) fn keys(&self) -> std::collections::BTreeMap<String, usize> {
        let mut keys = std::collections::BTreeMap::new();
        for it in self.all() {
            *keys.entry(it.key().to_owned()).or_default() += 1;
        }
        keys
    }
}

impl Shared {
    fn talk(&self, stream: &TcpStream) {
        let Some((path, body)) = request(stream) else { return };
        let reply = {
            let mut all = self.got.lock().unwrap();
            let nth = all.iter().filter(|it| it.path == path).count();
            let body = serde_json::from_slice(&body).unwrap_or_default();
            let got = Got { at: Instant::now(), path, body, nth };
            let reply = (self.script)(&got);
            all.push(got);
            reply
        };
        let (status, headers, body) = match reply {
            Reply::Says(status, headers, body) => (status, headers, body),
            Reply::After(length) => {
                std::thread::sleep(length);
                (200, "", "")
            }
            Reply::Nothing => {
                let mut part = [0; 64];
                while (&mut &*stream).read(&mut part).is_ok_and(|n| n > 0) {}
                return;
            }
        };
        let length = body.len();
        let _ = write!(
            &mut &*stream,
            "HTTP/1.1 {status} -\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n\
             {body}"
        );
    }
}

/// Path and body of a request.
fn request(stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, body))
}
