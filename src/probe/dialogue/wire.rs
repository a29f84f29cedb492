//! A connection that may turn to TLS on the way.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::probe::tls;

/// The connection of a dialogue.
pub(super) enum Wire<S> {
    /// In clear.
    Plain(S),
    /// Inside TLS.
    Tls(Box<tls::Stream<S>>),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Reads what has come, at least one byte; 0: the peer closed in good order.
    ///
    /// # Errors
    ///
    /// The stream's own.
    pub(super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer).await,
            Self::Tls(stream) => stream.read(buffer).await,
        }
    }

    /// Writes all of `bytes` and hands them to the kernel.
    ///
    /// # Errors
    ///
    /// The stream's own.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes).await,
            Self::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
        }
    }
}
