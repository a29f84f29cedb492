//! The messages of a WebSocket over a stream of our own, within limits.
//!
//! The protocol itself is `tungstenite`'s, kept away from the network: it reads from and writes
//! into memory, so that deadlines, byte counts and the order of writing stay ours.

use std::io::{self, Read, Write};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{
    CloseFrame, Message, Role, WebSocketConfig, WebSocketContext,
};

use crate::model::reason::Reason;
use crate::probe::expect::excerpt;
use crate::probe::stopwatch::Fault;

/// Longest message and frame. Greetings and answers of services are far below.
const MESSAGE_BYTES_MAX: usize = 256 << 10;

/// Most bytes read in one dialogue, of frames of all sorts.
const HEARD_BYTES_MAX: usize = 1 << 20;

/// Most messages read in one dialogue, pings included: a feed that never says what is expected
/// is given up early, and nobody makes us answer pings for ever.
const MESSAGES_MAX: usize = 1_000;

/// Bytes read at a time.
const READ_BYTES: usize = 4 << 10;

/// Longest that the peer's own goodbye is waited for: it says nothing that counts, but a close
/// in good order keeps the servers' logs clean.
const GOODBYE_MAX: Duration = Duration::from_millis(100);

/// What came next.
#[derive(Debug)]
pub(super) enum Heard {
    /// A whole message of text or bytes.
    Message(Vec<u8>),
    /// The end of the connection, in words.
    Closed(String),
}

/// A WebSocket after the switch.
#[derive(Debug)]
pub(super) struct Messages<S> {
    stream: S,
    protocol: WebSocketContext,
    pipe: Pipe,
    heard: usize,
    count: usize,
    closed: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Messages<S> {
    /// Over `stream`, of which `read` was read already.
    pub(super) fn new(stream: S, read: &[u8]) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let protocol =
            WebSocketContext::from_partially_read(read.to_vec(), Role::Client, Some(config));
        Self { stream, protocol, pipe: Pipe::default(), heard: read.len(), count: 0, closed: false }
    }

    /// Bytes that came so far.
    pub(super) const fn heard(&self) -> usize {
        self.heard
    }

    /// Sends one message: as text if it is UTF-8, else as bytes.
    ///
    /// # Errors
    ///
    /// `dialogue_closed`.
    pub(super) async fn send(&mut self, said: Vec<u8>) -> Result<(), Fault> {
        let message = match String::from_utf8(said) {
            Ok(text) => Message::text(text),
            Err(bytes) => Message::binary(bytes.into_bytes()),
        };
        let ended = |why: String| {
            let why = format!("the connection ended while we were sending: {why}");
            Fault::new(Reason::DialogueClosed, why)
        };
        let written = self.protocol.write(&mut self.pipe, message);
        written.map_err(|error| ended(error.to_string()))?;
        self.flush().await.map_err(|error| ended(error.to_string()))
    }

    /// The next message of text or bytes, or the end. Pings are answered.
    ///
    /// # Errors
    ///
    /// `http_protocol` if the peer breaks the rules, `dialogue_mismatch` if too much comes.
    pub(super) async fn next(&mut self) -> Result<Heard, Fault> {
        loop {
            let read = self.protocol.read(&mut self.pipe);
            match read {
                Ok(message) => {
                    self.count += 1;
                    if self.count > MESSAGES_MAX {
                        return Err(too_much(&format!("more than {MESSAGES_MAX} messages came")));
                    }
                    match message {
                        Message::Text(text) => {
                            return Ok(Heard::Message(text.as_bytes().to_vec()));
                        }
                        Message::Binary(bytes) => return Ok(Heard::Message(bytes.to_vec())),
                        Message::Close(frame) => {
                            return Ok(Heard::Closed(goodbye_of(frame.as_ref())));
                        }
                        _ => {}
                    }
                }
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    if let Err(error) = self.more().await {
                        self.closed = true;
                        return Ok(Heard::Closed(format!("the connection ended: {error}")));
                    }
                    if self.heard > HEARD_BYTES_MAX {
                        return Err(too_much(&format!("more than {HEARD_BYTES_MAX} bytes came")));
                    }
                }
                Err(error) => return self.broken(&error),
            }
        }
    }

    /// Sends what waits, and reads what comes.
    async fn more(&mut self) -> io::Result<()> {
        self.flush().await?;
        let mut buffer = vec![0; READ_BYTES];
        let length = self.stream.read(&mut buffer).await?;
        self.pipe.ended = length == 0;
        self.pipe.came.extend_from_slice(&buffer[..length]);
        self.heard = self.heard.saturating_add(length);
        Ok(())
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.pipe.to_send).await?;
        self.pipe.to_send.clear();
        self.stream.flush().await
    }

    fn broken(&mut self, error: &Error) -> Result<Heard, Fault> {
        let why = match error {
            Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                self.closed = true;
                let end = "the peer closed the connection without a goodbye";
                return Ok(Heard::Closed(end.to_owned()));
            }
            Error::Io(error) => {
                self.closed = true;
                return Ok(Heard::Closed(format!("the connection ended: {error}")));
            }
            Error::Capacity(CapacityError::MessageTooLong { .. }) => {
                return Err(too_much(&format!(
                    "a message is longer than {MESSAGE_BYTES_MAX} bytes"
                )));
            }
            Error::Utf8(_) => "WebSocket: a message of text is not UTF-8".to_owned(),
            other => format!("WebSocket: {other}"),
        };
        Err(Fault::new(Reason::HttpProtocol, why))
    }

    /// Says goodbye, and waits a moment for the peer's: never beyond `deadline`.
    pub(super) async fn close(mut self, deadline: Instant) {
        if self.closed {
            return;
        }
        let normal = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        let goodbye = async {
            // Whatever fails now no longer matters.
            if self.protocol.close(&mut self.pipe, Some(normal)).is_err()
                || self.flush().await.is_err()
            {
                return;
            }
            let mut count = self.count;
            while count < MESSAGES_MAX && self.heard <= HEARD_BYTES_MAX {
                count += 1;
                if !matches!(self.next().await, Ok(Heard::Message(_))) {
                    return;
                }
            }
        };
        _ = timeout_at(deadline.min(Instant::now() + GOODBYE_MAX), goodbye).await;
    }
}

/// A peer's goodbye, in words.
fn goodbye_of(frame: Option<&CloseFrame>) -> String {
    let said = frame.map(|CloseFrame { code, reason }| {
        let reason = excerpt(reason.as_bytes());
        format!(" with {code} `{reason}`")
    });
    format!("the peer closed the connection{}", said.unwrap_or_default())
}

fn too_much(why: &str) -> Fault {
    Fault::new(Reason::DialogueMismatch, why)
}

/// What stands between the protocol and the stream.
#[derive(Debug, Default)]
struct Pipe {
    came: Vec<u8>,
    /// Whether nothing more will come.
    ended: bool,
    to_send: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.came.is_empty() && !self.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let length = Read::read(&mut self.came.as_slice(), buffer)?;
        self.came.drain(..length);
        Ok(length)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to_send.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All that is heard of `bytes`, of which the first `read` came with the switch: the messages,
    /// and whether the peer broke a rule or a limit.
    fn all(bytes: &[u8], read: usize) -> (Vec<Vec<u8>>, Option<Reason>) {
        let (read, rest) = bytes.split_at(read);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (ours, mut theirs) = tokio::io::duplex(1 << 20);
            theirs.write_all(rest).await.unwrap();
            theirs.shutdown().await.unwrap();
            let mut messages = Messages::new(ours, read);
            let mut heard = Vec::new();
            loop {
                match messages.next().await {
                    Ok(Heard::Message(message)) => heard.push(message),
                    Ok(Heard::Closed(_)) => break (heard, None),
                    Err(fault) => break (heard, Some(fault.reason)),
                }
            }
        })
    }

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        [&[first, payload.len() as u8], payload].concat()
    }

    #[test]
    fn messages_are_whole_wherever_the_packets_are_cut() {
        let parts = [
            frame(0x81, b"one"),
            frame(0x89, b"?"),
            frame(0x01, "tiếng ".as_bytes()),
            frame(0x80, "Việt".as_bytes()),
            frame(0x82, &[0xff]),
        ];
        let bytes = parts.concat();
        let expected = vec![b"one".to_vec(), "tiếng Việt".as_bytes().to_vec(), vec![0xff]];
        for read in 0..=bytes.len() {
            assert_eq!(all(&bytes, read), (expected.clone(), None), "{read}");
        }
    }

    #[test]
    fn a_flood_has_an_end() {
        let pings = frame(0x89, b"?").repeat(MESSAGES_MAX);
        assert_eq!(all(&pings, 0), (Vec::new(), None));
        let more = [pings, frame(0x81, b"late")].concat();
        assert_eq!(all(&more, 0), (Vec::new(), Some(Reason::DialogueMismatch)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            frames in prop::collection::vec(
                (any::<u8>(), prop::collection::vec(any::<u8>(), 0..125)),
                0..20,
            ),
            noise in prop::collection::vec(any::<u8>(), 0..40),
            codes in any::<bool>(),
        ) {
            // Half of them with first bytes that mean something.
            let first = |byte: u8| if codes { (byte & 0x80) | (byte % 11) } else { byte };
            let frames = frames.iter().map(|(byte, payload)| frame(first(*byte), payload));
            let bytes = [frames.collect::<Vec<_>>().concat(), noise].concat();
            let (heard, _) = all(&bytes, 0);
            prop_assert!(heard.concat().len() <= bytes.len());
        }
    }
}
