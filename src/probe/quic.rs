//! A QUIC connection (RFC 9000, version 1) with its TLS handshake (RFC 9001), for one run.
//!
//! Nothing runs in the background: whoever waits for something on the connection also drives it
//! ([`Link::drive`]), so that it ends with the run. Read on in [`socket`] (what passes, counted)
//! and [`blame`] (what a broken connection means).

mod blame;
mod socket;
mod tasks;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};

use quinn::crypto::rustls::{HandshakeData, QuicClientConfig};
use quinn::{ClientConfig, Connection, ConnectionError, TransportConfig, VarInt};
use rustls::CipherSuite;
use tokio::time::timeout_at;

use crate::model::how::How;
use crate::model::observation::Detail;
use crate::model::phases::Phase;
use crate::model::reason::Reason;

use super::dial;
use super::expect::clean;
use super::net::Net;
use super::stopwatch::{Fault, Stopwatch};
use super::tls::{self, Terms};
use tasks::Link;

pub(super) use blame::is_of_tls;
pub(super) use socket::Socket;

/// Bytes that the server may send before we take any: as with HTTP/2, as much as a body of the
/// usual cap.
pub(super) const WINDOW_BYTES: u32 = 1 << 20;

/// Most bytes of ours on the way without acknowledgement. What is within it when the last byte of
/// a request was handed over is counted as waited for, not as sent.
const SEND_WINDOW_BYTES: u64 = 256 * 1024;

/// Most streams that the server may open towards us at once: HTTP/3 has three, and some for
/// experiments.
const SERVER_STREAMS_MAX: u32 = 16;

/// How every connection carries bytes. There is no idle limit: the run's deadline is the limit.
static TRANSPORT: LazyLock<Arc<TransportConfig>> = LazyLock::new(|| {
    let mut config = TransportConfig::default();
    config
        .max_idle_timeout(None)
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .max_concurrent_uni_streams(VarInt::from_u32(SERVER_STREAMS_MAX))
        .stream_receive_window(VarInt::from_u32(WINDOW_BYTES))
        .receive_window(VarInt::from_u32(WINDOW_BYTES))
        .send_window(SEND_WINDOW_BYTES)
        .datagram_receive_buffer_size(None)
        .mtu_discovery_config(None);
    Arc::new(config)
});

/// An open connection.
#[derive(Debug)]
pub(super) struct Quic {
    /// The connection.
    pub(super) connection: Connection,
    /// What carries it.
    pub(super) link: Link,
}

/// Connects to the first of `addresses` that takes us, as [`dial::connect`] does for TCP, and
/// shakes hands; the chain is recorded and judged as [`tls::handshake`] does. Time up to the first
/// datagram of the server goes to `connect`, the rest to `tls`: that datagram already carries a
/// part of the handshake.
///
/// # Errors
///
/// The reasons of [`dial::connect`] where nothing came, those of [`tls::handshake`] afterwards;
/// `http_version` if the server has no protocol of `terms.alpn` or no version of QUIC in common.
pub(super) async fn connect(
    addresses: &[IpAddr],
    port: u16,
    terms: Terms<'_>,
    how: How,
    net: &Net,
    watch: &mut Stopwatch,
    detail: &mut Detail,
) -> Result<Quic, Fault> {
    let mut last = Fault::new(Reason::Internal, "no address to connect to");
    let tried = if how.first_only { 1 } else { addresses.len() };
    for ip in addresses.iter().take(tried) {
        watch.enter(Phase::Connect);
        let remote = SocketAddr::new(*ip, port);
        detail.remote = Some(remote);
        let source = how.source.or(net.settings.source);
        match attempt(remote, source, terms, net, watch, detail).await {
            Err(fault) if dial::may_try_next(fault.reason) => last = fault,
            done => return done,
        }
    }
    Err(last)
}

async fn attempt(
    remote: SocketAddr,
    source: Option<IpAddr>,
    terms: Terms<'_>,
    net: &Net,
    watch: &mut Stopwatch,
    detail: &mut Detail,
) -> Result<Quic, Fault> {
    let shaking = tls::Shaking::begin(&terms, net)?;
    let own =
        |error: &dyn std::fmt::Display| Fault::new(Reason::Internal, format!("QUIC: {error}"));
    let crypto = QuicClientConfig::try_from(shaking.config()).map_err(|error| own(&error))?;
    let mut config = ClientConfig::new(Arc::new(crypto));
    config.transport_config(Arc::clone(&TRANSPORT));
    let mut link = Link::open(remote, source)?;
    let connecting = link.endpoint().connect_with(config, remote, &shaking.name());
    let connecting = connecting.map_err(|error| own(&error))?;
    let work = async { connecting.await.map_err(|error| blame::of_handshake(&error)) };
    let shaken = timeout_at(watch.deadline(), link.drive(work)).await;
    if let Some(at) = link.socket().first_read() {
        watch.enter_at(Phase::Tls, at);
    }
    let shaken = shaken.unwrap_or_else(|_elapsed| Err(watch.timed_out()));
    let mut holds = Ok(());
    if let Some(mut facts) = shaking.facts(&terms, net) {
        if let Ok(connection) = &shaken {
            let suite = link.suite().as_ref().and_then(CipherSuite::as_str);
            facts.cipher.push_str(suite.unwrap_or_default());
            facts.alpn = alpn(connection);
        }
        holds = tls::holds(&facts, &terms);
        detail.tls = Some(facts);
    }
    match (shaken, holds) {
        (Ok(connection), Ok(())) => Ok(Quic { connection, link }),
        (Err(fault), _) | (_, Err(fault)) => {
            link.close();
            Err(fault)
        }
    }
}

/// The application protocol agreed on.
fn alpn(connection: &Connection) -> Option<String> {
    let data = connection.handshake_data()?.downcast::<HandshakeData>().ok()?;
    Some(clean(&String::from_utf8_lossy(&data.protocol?)))
}

/// Why `connection` is closed, if it is and not by us.
pub(super) fn end_of(connection: &Connection) -> Option<ConnectionError> {
    connection.close_reason().filter(|it| *it != ConnectionError::LocallyClosed)
}
