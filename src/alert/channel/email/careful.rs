//! A connection that is read byte by byte until TLS begins.
//!
//! lettre keeps what it has read in plain text when it goes over to TLS, and takes it for answers that
//! came inside: whoever is on the way could append to the `220` of STARTTLS the answers of a server
//! that has taken a message, which nobody got (CVE-2021-38371 is one of many of its kind). Here
//! nothing is read beyond the end of a line; what stands behind it meets the TLS handshake, which fails.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The first byte of a TLS client, the type of a handshake record (RFC 8446, section 5.1); no
/// command of SMTP begins so.
const HANDSHAKE: u8 = 22;

/// A connection to a mail server.
#[derive(Debug)]
pub(super) struct Careful {
    stream: TcpStream,
    /// Whether we speak TLS.
    tls: bool,
}

impl Careful {
    /// One that speaks plain text yet.
    pub(super) const fn new(stream: TcpStream) -> Self {
        Self { stream, tls: false }
    }
}

impl AsyncTokioStream for Careful {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for Careful {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.tls {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte[..buffer.remaining().min(1)]);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut one))?;
        buffer.put_slice(one.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Careful {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.tls |= bytes.first() == Some(&HANDSHAKE);
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
