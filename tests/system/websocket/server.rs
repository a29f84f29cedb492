//! A server that reads the opening request and then does as its script says, byte by byte.

use std::future::Future;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// What carries a connection.
pub(super) trait Carrier: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Carrier for S {}

/// A connection after its opening request.
pub(super) struct Guest {
    stream: Box<dyn Carrier>,
    /// The request's head, whole.
    pub(super) head: String,
}

impl Guest {
    async fn read(mut stream: Box<dyn Carrier>) -> Option<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.ok()?);
        }
        Some(Self { stream, head: String::from_utf8(head).unwrap() })
    }

    /// The value of one header of the request.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(super) fn accept(&self) -> String {
        derive_accept_key(self.header("sec-websocket-key").unwrap().as_bytes())
    }

    /// Says these bytes; a peer that has gone is no mistake of the server's.
    pub(super) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        _ = self.stream.write_all(bytes.as_ref()).await;
        _ = self.stream.flush().await;
    }

    /// Answers with the switch and `more` headers, each with its end of line.
    pub(super) async fn switch(&mut self, more: &str) {
        let accept = self.accept();
        self.say(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, \
             Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{more}\r\n"
        ))
        .await;
    }

    /// The next frame of the client, which must be masked and whole: its code and its payload.
    pub(super) async fn hear(&mut self) -> Option<(u8, Vec<u8>)> {
        let first = self.stream.read_u8().await.ok()?;
        let second = self.stream.read_u8().await.ok()?;
        assert_eq!((first & 0xf0, second & 0x80), (0x80, 0x80), "final, and masked");
        let length = match second & 0x7f {
            126 => usize::from(self.stream.read_u16().await.ok()?),
            short => usize::from(short),
        };
        let mask = self.stream.read_u32().await.ok()?.to_be_bytes();
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await.ok()?;
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        Some((first & 0x0f, payload))
    }

    /// Reads until the client closes.
    pub(super) async fn hold(&mut self) {
        let mut sink = [0; 4_096];
        while self.stream.read(&mut sink).await.is_ok_and(|length| length > 0) {}
    }
}

pub(super) const TEXT: u8 = 1;
pub(super) const BINARY: u8 = 2;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
pub(super) const PONG: u8 = 10;

/// A whole frame.
pub(super) fn frame(code: u8, payload: &[u8]) -> Vec<u8> {
    part(0x80 | code, payload)
}

/// A frame with this first byte.
pub(super) fn part(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..=125 => frame.push(short as u8),
        long => {
            frame.push(127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

/// A server that treats every connection as its script says, until it is dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Server {
    pub(super) async fn start<F, W>(script: F) -> Self
    where
        F: Fn(Guest) -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send,
    {
        Self::over(None, script).await
    }

    /// The same over TLS.
    pub(super) async fn over<F, W>(acceptor: Option<TlsAcceptor>, script: F) -> Self
    where
        F: Fn(Guest) -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            loop {
                let (stream, _from) = listener.accept().await.unwrap();
                let Some(stream) = carried(acceptor.as_ref(), stream).await else { continue };
                let Some(guest) = Guest::read(stream).await else { continue };
                script(guest).await;
            }
        });
        Self { address, _tasks: tasks }
    }
}

async fn carried(acceptor: Option<&TlsAcceptor>, stream: TcpStream) -> Option<Box<dyn Carrier>> {
    match acceptor {
        None => Some(Box::new(stream)),
        Some(acceptor) => Some(Box::new(acceptor.accept(stream).await.ok()?)),
    }
}
