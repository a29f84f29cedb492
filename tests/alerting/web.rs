//! An HTTP server that follows a script and remembers what it was asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// One answer.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Status, a header line (or nothing) and a body.
    Says(u16, &'static str, String),
    /// Reads the request and says nothing.
    Hangs,
    /// A 200 that begins a body of 10 MB, letter by letter at the end.
    Endless,
    /// Closes the connection.
    Closes,
}

impl Reply {
    pub(crate) fn ok(body: &str) -> Self {
        Self::Says(200, "", body.to_owned())
    }
}

/// What a client asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// The server; ends with this value.
pub(crate) struct Web {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    _tasks: JoinSet<()>,
}

impl Web {
    /// Gives `replies` in turn, the last again and again.
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, replies) = (Arc::clone(&seen), replies.clone());
                connections.spawn(async move {
                    talk(stream, &seen, &replies).await.ok();
                });
            }
        });
        Self { address, asked, _tasks: tasks }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The only request.
    pub(crate) fn one(&self) -> Asked {
        let asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked[0].clone()
    }
}

async fn talk(
    stream: TcpStream,
    seen: &Mutex<Vec<Asked>>,
    replies: &[Reply],
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut asked = Asked::default();
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let mut words = line.split(' ').map(str::to_owned);
    (asked.method, asked.path) =
        (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    loop {
        line.clear();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        asked.headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = asked.headers.get("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    asked.body = String::from_utf8(body).unwrap();
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(asked);
        seen.len() - 1
    };
    match replies.get(number).or(replies.last()) {
        Some(Reply::Says(status, header, body)) => {
            let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
            let head = format!(
                "HTTP/1.1 {status} X\r\n{header}content-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body.as_bytes()).await
        }
        Some(Reply::Endless) => {
            stream
                .write_all(
                    b"HTTP/1.1 200 X\r\ncontent-length: 10485760\r\n\r\n{\"ok\":true,\"x\":\"",
                )
                .await?;
            let block = vec![b'y'; 16_384];
            for _ in 0..600 {
                stream.write_all(&block).await?;
            }
            std::future::pending().await
        }
        Some(Reply::Hangs) | None => std::future::pending().await,
        Some(Reply::Closes) => Ok(()),
    }
}
