//! Carrying a DNS question: one datagram, or a message on a stream.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::Message;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::question::{Heard, Question};
use crate::model::phases::Phase;
use crate::model::reason::Reason;
use crate::probe::fault;
use crate::probe::stopwatch::{Fault, Stopwatch};

/// Longest datagram read: more than the 1,232 bytes we say we take, for servers that do not
/// keep to it. A longer one is cut by the kernel and then not understood.
const DATAGRAM_BYTES_MAX: usize = 4_096;

/// An answer and its length.
pub(super) struct Answer {
    /// The answer.
    pub(super) message: Box<Message>,
    /// Bytes of it.
    pub(super) bytes: u16,
}

impl Answer {
    fn new(message: Box<Message>, bytes: usize) -> Self {
        Self { message, bytes: u16::try_from(bytes).unwrap_or(u16::MAX) }
    }
}

/// What came over UDP.
pub(super) enum Datagram {
    /// The answer.
    Answer(Answer),
    /// The answer, cut: to be asked again over TCP.
    Truncated,
}

/// Asks over a socket that is bound and connected, so that the kernel drops what comes from
/// anywhere else.
///
/// A third of the timeout after the question it is sent once more, as a resolver would: of
/// packets lost one in a hundred are no outage, and the wait still shows the loss. Messages
/// that are no answer to this question are passed over until the deadline (RFC 5452, section
/// 9.1), so that nobody off the path can end the run.
///
/// # Errors
///
/// `dns_no_answer` at the deadline; the socket's error before.
pub(super) async fn udp(
    watch: &mut Stopwatch,
    socket: &UdpSocket,
    server: SocketAddr,
    question: &Question,
) -> Result<Datagram, Fault> {
    watch.run(Phase::Send, async { send(socket, server, question).await }).await?;
    watch.enter(Phase::Wait);
    let timeout = watch.deadline() - watch.started();
    let mut again_at = Some(Instant::now() + timeout / 3);
    let mut packet = vec![0; DATAGRAM_BYTES_MAX];
    let mut passed_over = (0_u32, "");
    loop {
        // Also if datagrams come so fast that waiting never ends by time.
        if Instant::now() >= watch.deadline() {
            return Err(silence(server, timeout, passed_over));
        }
        let until = again_at.map_or(watch.deadline(), |at| at.min(watch.deadline()));
        match timeout_at(until, socket.recv(&mut packet)).await {
            Ok(Ok(length)) => match question.hear(&packet[..length]) {
                Heard::Answer(message) => {
                    return Ok(Datagram::Answer(Answer::new(message, length)));
                }
                Heard::Truncated => return Ok(Datagram::Truncated),
                Heard::Foreign(why) => passed_over = (passed_over.0.saturating_add(1), why),
            },
            Ok(Err(error)) => return Err(socket_fault(server, &error)),
            Err(_elapsed) => {
                if again_at.take().is_some() && Instant::now() < watch.deadline() {
                    send(socket, server, question).await?;
                }
            }
        }
    }
}

async fn send(socket: &UdpSocket, server: SocketAddr, question: &Question) -> Result<(), Fault> {
    socket.send(&question.bytes).await.map_err(|error| socket_fault(server, &error))?;
    Ok(())
}

fn silence(server: SocketAddr, timeout: Duration, passed_over: (u32, &str)) -> Fault {
    let why = match passed_over {
        (0, _) => format!("no answer from {server} within the timeout of {timeout:?}"),
        (count, why) => format!(
            "no answer from {server} within the timeout of {timeout:?}; \
             {count} other messages came, the last one passed over because {why}"
        ),
    };
    Fault::new(Reason::DnsNoAnswer, why)
}

/// A closed port makes the peer's kernel refuse, which a connected UDP socket hears of.
fn socket_fault(server: SocketAddr, error: &io::Error) -> Fault {
    fault::of_io(&format!("UDP to {server}"), error)
}

/// Asks over a connection, with the length before each message (RFC 7766, section 8; the
/// length has 16 bits, so an answer has less than 64 KiB).
///
/// # Errors
///
/// A timeout by phase; `dns_no_answer` if the connection ends or anything else is said on it.
pub(super) async fn stream<S>(
    watch: &mut Stopwatch,
    stream: &mut S,
    question: &Question,
) -> Result<Answer, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let length = u16::try_from(question.bytes.len()).unwrap_or(u16::MAX).to_be_bytes();
    let framed = [&length[..], &question.bytes].concat();
    watch
        .run(Phase::Send, async {
            stream.write_all(&framed).await.map_err(|error| ended(&error))?;
            stream.flush().await.map_err(|error| ended(&error))
        })
        .await?;
    let first =
        watch.run(Phase::Wait, async { stream.read_u8().await.map_err(|e| ended(&e)) }).await?;
    let packet = watch
        .run(Phase::Receive, async {
            let second = stream.read_u8().await.map_err(|error| ended(&error))?;
            let mut packet = vec![0; usize::from(u16::from_be_bytes([first, second]))];
            stream.read_exact(&mut packet).await.map_err(|error| ended(&error))?;
            Ok(packet)
        })
        .await?;
    let nonsense = |why| Fault::new(Reason::DnsNoAnswer, format!("no answer over TCP: {why}"));
    match question.hear(&packet) {
        Heard::Answer(message) => Ok(Answer::new(message, packet.len())),
        Heard::Truncated => Err(nonsense("it is cut short, which only UDP may do")),
        Heard::Foreign(why) => Err(nonsense(why)),
    }
}

fn ended(error: &io::Error) -> Fault {
    Fault::new(Reason::DnsNoAnswer, format!("the connection ended before the answer: {error}"))
}
