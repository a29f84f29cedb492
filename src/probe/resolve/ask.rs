//! One name server asked for the addresses of one name (RFC 1035, sections 4.1 and 4.2).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hickory_proto::op::{Message, MessageType, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, UdpSocket};

use crate::model::reason::Reason;
use crate::probe::dial::is_own_shortage;
use crate::probe::stopwatch::Fault;

/// Largest answer over UDP without EDNS is 512 bytes; more is taken, should a server send it.
const UDP_BYTES_MAX: usize = 4_096;

/// Most aliases followed (RFC 1034, section 3.6.2, has no limit; resolvers stop near 16).
const ALIASES_MAX: usize = 16;

/// Most questions for one name: an answer may end at an alias that must be asked for apart.
const QUESTIONS_MAX: usize = 8;

/// Datagrams of others passed over before a server counts as talking nonsense.
const STRAY_MAX: usize = 64;

/// Why a name server gave no addresses.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// It answered, and this is what it said.
    Said(Fault),
    /// Nothing came.
    Silent,
    /// It can't be reached: the text of the error.
    Unreachable(String),
    /// Our own side failed.
    Own(Fault),
}

impl Trouble {
    fn nonsense(why: impl Into<String>) -> Self {
        Self::Said(Fault::new(Reason::DnsServfail, why))
    }

    fn of(server: SocketAddr, error: &io::Error) -> Self {
        if is_own_shortage(error) {
            return Self::Own(Fault::new(Reason::Fd, format!("asking {server}: {error}")));
        }
        Self::Unreachable(format!("{server}: {error}"))
    }
}

/// The addresses of `name`; empty if it exists without such a record.
pub(super) async fn addresses(
    server: SocketAddr,
    name: &Name,
    record_type: RecordType,
    source: Option<IpAddr>,
) -> Result<Vec<IpAddr>, Trouble> {
    let mut seen: Vec<Name> = vec![name.clone()];
    for _question in 0..QUESTIONS_MAX {
        let asked = seen.last().unwrap_or(name).clone();
        let answer = question(server, &asked, record_type, source).await?;
        let before = seen.len();
        let found = follow(&answer, record_type, &mut seen)?;
        if !found.is_empty() || seen.len() == before {
            return Ok(found);
        }
    }
    Err(Trouble::nonsense(format!("`{name}`: aliases without end")))
}

/// Follows the aliases of `answer` from the last name seen, and takes the addresses at its end.
fn follow(
    answer: &Message,
    record_type: RecordType,
    seen: &mut Vec<Name>,
) -> Result<Vec<IpAddr>, Trouble> {
    loop {
        let Some(current) = seen.last().cloned() else { return Ok(Vec::new()) };
        let here = || answer.answers.iter().filter(|record| record.name == current);
        let found: Vec<_> = here()
            .filter(|record| record.record_type() == record_type)
            .filter_map(|record| record.data.ip_addr())
            .collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let alias = here().find_map(|record| match &record.data {
            RData::CNAME(target) => Some(target.0.clone()),
            _ => None,
        });
        let Some(alias) = alias else { return Ok(Vec::new()) };
        if seen.contains(&alias) || seen.len() > ALIASES_MAX {
            return Err(Trouble::nonsense(format!("`{}`: aliases go in a circle", seen[0])));
        }
        seen.push(alias);
    }
}

/// One question and its answer, over UDP, and over TCP if the answer is cut short.
async fn question(
    server: SocketAddr,
    name: &Name,
    record_type: RecordType,
    source: Option<IpAddr>,
) -> Result<Message, Trouble> {
    let mut query = Message::query();
    query.metadata.id = rand::random();
    query.metadata.recursion_desired = true;
    query.add_query(Query::query(name.clone(), record_type));
    let bytes = query.to_vec().map_err(|error| Trouble::nonsense(format!("`{name}`: {error}")))?;
    let mut answer = over_udp(server, &query, &bytes, source).await?;
    if answer.metadata.truncation {
        answer = over_tcp(server, &query, &bytes, source).await?;
    }
    match answer.metadata.response_code {
        ResponseCode::NoError => Ok(answer),
        ResponseCode::NXDomain => {
            let why = format!("{server} says that `{name}` does not exist");
            Err(Trouble::Said(Fault::new(Reason::DnsNxdomain, why)))
        }
        code => Err(Trouble::nonsense(format!("{server} answered {code} for `{name}`"))),
    }
}

async fn over_udp(
    server: SocketAddr,
    query: &Message,
    bytes: &[u8],
    source: Option<IpAddr>,
) -> Result<Message, Trouble> {
    let trouble = |error: io::Error| Trouble::of(server, &error);
    let socket = UdpSocket::bind(local(server, source)).await.map_err(trouble)?;
    // Connected, so that an ICMP refusal comes back as an error.
    socket.connect(server).await.map_err(trouble)?;
    socket.send(bytes).await.map_err(trouble)?;
    let mut buffer = [0; UDP_BYTES_MAX];
    for _datagram in 0..STRAY_MAX {
        let length = socket.recv(&mut buffer).await.map_err(trouble)?;
        let Some(datagram) = buffer.get(..length) else { continue };
        if datagram.get(..2) != Some(&query.metadata.id.to_be_bytes()[..]) {
            continue;
        }
        let answer = Message::from_vec(datagram)
            .map_err(|error| Trouble::nonsense(format!("{server} answered nonsense: {error}")))?;
        if belongs(&answer, query) {
            return Ok(answer);
        }
    }
    Err(Trouble::nonsense(format!("{server} answers other questions than ours")))
}

async fn over_tcp(
    server: SocketAddr,
    query: &Message,
    bytes: &[u8],
    source: Option<IpAddr>,
) -> Result<Message, Trouble> {
    let trouble = |error: io::Error| Trouble::of(server, &error);
    let socket = if server.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }
        .map_err(trouble)?;
    if let Some(source) = source.filter(|ip| ip.is_ipv4() == server.is_ipv4()) {
        socket.bind(SocketAddr::new(source, 0)).map_err(trouble)?;
    }
    let mut stream = socket.connect(server).await.map_err(trouble)?;
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    let mut framed = length.to_be_bytes().to_vec();
    framed.extend_from_slice(bytes);
    stream.write_all(&framed).await.map_err(trouble)?;
    let length = stream.read_u16().await.map_err(trouble)?;
    let mut buffer = vec![0; usize::from(length)];
    stream.read_exact(&mut buffer).await.map_err(trouble)?;
    let answer = Message::from_vec(&buffer)
        .map_err(|error| Trouble::nonsense(format!("{server} answered nonsense: {error}")))?;
    if belongs(&answer, query) && !answer.metadata.truncation {
        return Ok(answer);
    }
    Err(Trouble::nonsense(format!("{server} answers another question than ours")))
}

/// Whether `answer` is one to `query`: the id, the kind, and the question, which some servers
/// leave out of an error.
fn belongs(answer: &Message, query: &Message) -> bool {
    let failed = answer.metadata.response_code != ResponseCode::NoError;
    answer.metadata.id == query.metadata.id
        && answer.metadata.message_type == MessageType::Response
        && (answer.queries == query.queries || (failed && answer.queries.is_empty()))
}

/// Where a socket to `server` is bound: to `source` if it is of the same family, any port.
pub(in crate::probe) fn local(server: SocketAddr, source: Option<IpAddr>) -> SocketAddr {
    let any = match server {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    SocketAddr::new(source.filter(|ip| ip.is_ipv4() == server.is_ipv4()).unwrap_or(any), 0)
}
