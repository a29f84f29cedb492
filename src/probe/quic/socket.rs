//! The UDP socket of one connection: connected, so that only its server is heard and the kernel
//! tells what ICMP says, and counted.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};
use socket2::{Domain, Protocol, Type};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::time::Instant;

use crate::model::reason::Reason;
use crate::probe::fault;
use crate::probe::stopwatch::Fault;

/// Most bytes before the handshake is done: the largest chain that TLS takes, sent over and over.
const HANDSHAKE_BYTES_MAX: u64 = 512 * 1024;

#[derive(Debug)]
struct Seen {
    read: u64,
    read_max: u64,
    first_read: Option<Instant>,
    error: Option<io::Error>,
}

/// The socket and what passed.
#[derive(Debug)]
pub(in crate::probe) struct Socket {
    io: UdpSocket,
    remote: SocketAddr,
    seen: Mutex<Seen>,
}

impl Socket {
    pub(super) fn open(remote: SocketAddr, source: Option<IpAddr>) -> io::Result<Self> {
        let any: IpAddr = match remote {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let source = source.filter(|ip| ip.is_ipv4() == remote.is_ipv4()).unwrap_or(any);
        let socket =
            socket2::Socket::new(Domain::for_address(remote), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddr::new(source, 0).into())?;
        socket.connect(&remote.into())?;
        let seen = Seen { read: 0, read_max: HANDSHAKE_BYTES_MAX, first_read: None, error: None };
        let io = UdpSocket::from_std(socket.into())?;
        Ok(Self { io, remote, seen: Mutex::new(seen) })
    }

    /// When the first datagram of the server came.
    pub(super) fn first_read(&self) -> Option<Instant> {
        self.lock().first_read
    }

    /// Lets `more` bytes come from here on; what comes beyond them is [`Socket::trouble`].
    pub(in crate::probe) fn allow(&self, more: u64) {
        let mut seen = self.lock();
        seen.read_max = seen.read.saturating_add(more);
    }

    /// What ends the connection from outside of it: ICMP, our own machine, or too many bytes.
    pub(super) fn trouble(&self) -> Option<Fault> {
        let seen = self.lock();
        if seen.read > seen.read_max {
            let why = "more bytes came than any honest answer needs";
            return Some(Fault::new(Reason::HttpProtocol, why));
        }
        let error = seen.error.as_ref()?;
        let fault = fault::of_io(&format!("QUIC to {}", self.remote), error);
        let at_first = matches!(fault.reason, Reason::ConnectRefused | Reason::ConnectUnreachable);
        if seen.first_read.is_some() && at_first {
            return Some(Fault::new(Reason::ConnectReset, fault.why));
        }
        Some(fault)
    }

    fn came(&self, length: usize) {
        let mut seen = self.lock();
        seen.read = seen.read.saturating_add(length as u64);
        if seen.first_read.is_none() {
            seen.first_read = Some(Instant::now());
        }
    }

    fn broke(&self, error: io::Error) {
        self.lock().error.get_or_insert(error);
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Poller(self))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        match self.io.try_send(transmit.contents) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                // Whoever waits for the connection is told by `trouble`.
                self.broke(error);
                Ok(())
            }
            done => done.map(drop),
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buf), Some(meta)) = (bufs.first_mut(), meta.first_mut()) else {
            return Poll::Ready(Ok(0));
        };
        if self.trouble().is_some() {
            return Poll::Pending;
        }
        let mut buf = ReadBuf::new(buf);
        match ready!(self.io.poll_recv(cx, &mut buf)) {
            Ok(()) => {
                let len = buf.filled().len();
                self.came(len);
                let addr = self.remote;
                *meta = RecvMeta { addr, len, stride: len, ecn: None, dst_ip: None };
                Poll::Ready(Ok(1))
            }
            Err(error) => {
                self.broke(error);
                Poll::Pending
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }
}

#[derive(Debug)]
struct Poller(Arc<Socket>);

impl UdpPoller for Poller {
    fn poll_writable(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // An error comes again when something is sent.
        self.0.io.poll_send_ready(cx).map(|_| Ok(()))
    }
}
