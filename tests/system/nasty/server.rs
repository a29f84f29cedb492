//! Small servers on loopback, each connection handed to a closure.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A server; it ends when dropped.
pub(super) struct Server {
    pub(super) addr: SocketAddr,
    /// Connections taken so far.
    pub(super) taken: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// `http://127.0.0.1:port/`.
    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    /// `https://localhost:port/`, as the certificates of the tests say.
    pub(super) fn tls_url(&self) -> String {
        format!("https://localhost:{}/", self.addr.port())
    }

    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

/// Serves each connection with `handle`, on 127.0.0.1.
pub(super) async fn serve<F, Fut>(handle: F) -> Server
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    serve_on("127.0.0.1:0", handle).await
}

/// Serves each connection with `handle`.
pub(super) async fn serve_on<F, Fut>(local: &str, handle: F) -> Server
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind(local).await.expect("loopback can be bound");
    let addr = listener.local_addr().expect("bound");
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            connections.spawn(handle(stream));
        }
    });
    Server { addr, taken, _tasks: tasks }
}

/// Answers every request with what `answer` makes of its head (and body, if it came with it),
/// then closes.
pub(super) async fn answering<F>(answer: F) -> Server
where
    F: Fn(&str) -> Vec<u8> + Send + Sync + 'static,
{
    let answer = Arc::new(answer);
    serve(move |mut stream| {
        let answer = Arc::clone(&answer);
        async move {
            let request = request(&mut stream).await;
            let bytes = answer(&request);
            // The client may well have gone away.
            let _gone = stream.write_all(&bytes).await;
            let _gone = stream.shutdown().await;
            drain(stream).await;
        }
    })
    .await
}

/// Always the same answer.
pub(super) async fn fixed(bytes: impl Into<Vec<u8>>) -> Server {
    let bytes = bytes.into();
    answering(move |_| bytes.clone()).await
}

/// Reads a request: its head, and as much of a body as its length says.
pub(super) async fn request<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.and_then(|text| text.parse().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                break;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads until the other side closes, so that our close is not a reset.
pub(super) async fn drain<S: AsyncRead + Unpin>(mut stream: S) {
    let mut buffer = [0; 4_096];
    while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
}

/// Closes with a reset instead of a goodbye.
pub(super) fn reset(stream: TcpStream) {
    let stream = stream.into_std().expect("a socket");
    let socket = socket2::Socket::from(stream);
    socket.set_linger(Some(std::time::Duration::ZERO)).expect("can linger");
}

/// A whole answer with status 200 and this body.
pub(super) fn ok(body: &str) -> Vec<u8> {
    answer("200 OK", "", body)
}

/// A whole answer; `headers` are lines that each end in CRLF.
pub(super) fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
}
