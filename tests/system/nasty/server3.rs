//! HTTP/3 servers on loopback, made of the crates that the probe is made of: no server of
//! Debian's speaks HTTP/3. Those that misbehave write their frames by hand.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use h3::server::RequestStream;
use http::{Request, Response};
use hyper::body::Bytes;
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, Endpoint, Incoming, SendStream, ServerConfig};
use tokio::task::JoinSet;

use super::pki::{Options, Pair, server_config};

/// What HTTP/3 is called in ALPN.
pub(super) const H3: &[&[u8]] = &[b"h3"];

/// A server; it ends when dropped.
pub(super) struct Server3 {
    pub(super) addr: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Server3 {
    /// `https://localhost:port/`, as the certificates of the tests say.
    pub(super) fn url(&self) -> String {
        format!("https://localhost:{}/", self.addr.port())
    }
}

/// The request's stream, on the server's side.
pub(super) type Stream = RequestStream<h3_quinn::BidiStream<Bytes>, Bytes>;

/// Hands every attempt to connect to `handle`.
pub(super) fn knocked<F, Fut>(leaf: &Pair, options: &Options<'_>, handle: F) -> Server3
where
    F: Fn(Incoming) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    knocked_on(SocketAddr::from(([127, 0, 0, 1], 0)), leaf, options, handle)
}

/// The same at an address of choice.
pub(super) fn knocked_on<F, Fut>(
    local: SocketAddr,
    leaf: &Pair,
    options: &Options<'_>,
    handle: F,
) -> Server3
where
    F: Fn(Incoming) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let tls = server_config(leaf, &[], options);
    let aes = rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
    let first = aes.tls13().and_then(rustls::Tls13CipherSuite::quic_suite).expect("for QUIC");
    let crypto = QuicServerConfig::with_initial(Arc::new(tls), first).expect("AES");
    let config = ServerConfig::with_crypto(Arc::new(crypto));
    let endpoint = Endpoint::server(config, local).expect("loopback");
    let addr = endpoint.local_addr().expect("bound");
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Some(incoming) = endpoint.accept().await {
            connections.spawn(handle(incoming));
        }
    });
    Server3 { addr, _tasks: tasks }
}

/// Hands every connection to `handle`.
pub(super) fn connected<F, Fut>(leaf: &Pair, handle: F) -> Server3
where
    F: Fn(Connection) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    knocked(leaf, &Options { alpn: H3, ..Options::default() }, move |incoming| {
        let handle = handle.clone();
        async move {
            if let Ok(connection) = incoming.await {
                handle(connection).await;
            }
        }
    })
}

/// Hands every request to `handle`, over whole HTTP/3.
pub(super) fn served<F, Fut>(leaf: &Pair, options: &Options<'_>, handle: F) -> Server3
where
    F: Fn(Request<()>, Stream) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    knocked(leaf, options, move |incoming| {
        let handle = handle.clone();
        async move {
            let Ok(connection) = incoming.await else { return };
            let connection = h3_quinn::Connection::new(connection);
            let Ok(mut connection) = h3::server::Connection::new(connection).await else { return };
            while let Ok(Some(resolver)) = connection.accept().await {
                let Ok((request, stream)) = resolver.resolve_request().await else { return };
                handle(request, stream).await;
            }
        }
    })
}

/// Answers every request with `status`, `headers` and `body`.
pub(super) fn fixed(
    leaf: &Pair,
    status: u16,
    headers: &[(&'static str, &str)],
    body: Vec<u8>,
) -> Server3 {
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let options = Options { alpn: H3, ..Options::default() };
    served(leaf, &options, move |_, stream| {
        let headers = headers.clone();
        let body = body.clone();
        async move {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            say(stream, response.body(()).expect("sound"), body).await;
        }
    })
}

/// Answers with `response` and `body`; the client may have gone.
pub(super) async fn say(mut stream: Stream, response: Response<()>, body: Vec<u8>) {
    if stream.send_response(response).await.is_ok() {
        let _gone = stream.send_data(body.into()).await;
        let _gone = stream.finish().await;
    }
}

/// Takes one request of `connection` and gives the stream to answer on, once the settings are
/// sent.
pub(super) async fn asked(connection: &Connection) -> Option<SendStream> {
    let mut control = connection.open_uni().await.ok()?;
    // A control stream, with empty settings (RFC 9114, sections 6.2.1 and 7.2.4).
    control.write_all(&[0x00, 0x04, 0x00]).await.ok()?;
    let (send, mut receive) = connection.accept_bi().await.ok()?;
    let _request = receive.read_to_end(1 << 20).await.ok()?;
    // Closing it would be an error of the connection.
    std::mem::forget(control);
    Some(send)
}

/// A frame (RFC 9114, section 7.1) whose length is said to be `length`.
pub(super) fn frame(kind: u8, length: usize, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![kind];
    frame.extend((0x8000_0000 | length as u32).to_be_bytes());
    frame.extend(payload);
    frame
}

/// The frame of a head: status 200 and `headers` (RFC 9204, sections 4.5.2 and 4.5.6).
pub(super) fn head(headers: &[(String, String)]) -> Vec<u8> {
    // No dynamic table; then `:status: 200` of the static one.
    let mut block = vec![0x00, 0x00, 0xd9];
    for (name, value) in headers {
        prefixed(&mut block, 0x20, 3, name.len());
        block.extend(name.as_bytes());
        prefixed(&mut block, 0x00, 7, value.len());
        block.extend(value.as_bytes());
    }
    frame(0x01, block.len(), &block)
}

/// An integer with a prefix (RFC 7541, section 5.1).
fn prefixed(block: &mut Vec<u8>, flags: u8, bits: u32, mut value: usize) {
    let most = (1 << bits) - 1;
    if value < most {
        block.push(flags | value as u8);
        return;
    }
    block.push(flags | most as u8);
    value -= most;
    while value >= 128 {
        block.push(0x80 | (value % 128) as u8);
        value /= 128;
    }
    block.push(value as u8);
}
