//! A real name server on loopback, over UDP and TCP, that answers as a test wishes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

/// What to answer.
#[derive(Clone, Debug)]
pub(super) enum Say {
    /// These records: `(owner, data)`.
    Records(Vec<(String, Data)>),
    /// No records, and this code.
    Code(ResponseCode),
    /// Nothing at all.
    Silence,
    /// Bytes that are no DNS message, under the question's id.
    Garbage,
    /// An empty answer with TC set over UDP, the other over TCP.
    Truncated(Box<Say>),
}

#[derive(Clone, Debug)]
pub(super) enum Data {
    Address(IpAddr),
    Alias(String),
}

/// One address for `name`.
pub(super) fn address(name: &str, ip: &str) -> Say {
    Say::Records(vec![(name.to_owned(), Data::Address(ip.parse().expect("an address")))])
}

/// No records, no error.
pub(super) fn nothing() -> Say {
    Say::Records(Vec::new())
}

/// A name server; it ends when dropped.
pub(super) struct NameServer {
    pub(super) addr: SocketAddr,
    asked: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl NameServer {
    /// How many questions came.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Serves what `say` wants for each question.
pub(super) async fn name_server<F>(say: F) -> NameServer
where
    F: Fn(&str, RecordType) -> Say + Send + Sync + 'static,
{
    let (addr, udp, tcp) = loop {
        let udp = UdpSocket::bind("127.0.0.1:0").await.expect("loopback");
        let addr = udp.local_addr().expect("bound");
        // Another test may hold the same port of TCP.
        if let Ok(tcp) = TcpListener::bind(addr).await {
            break (addr, udp, tcp);
        }
    };
    let (say, asked) = (Arc::new(say), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    let (by_udp, counter) = (Arc::clone(&say), Arc::clone(&asked));
    tasks.spawn(async move {
        let mut buffer = [0; 4_096];
        while let Ok((length, from)) = udp.recv_from(&mut buffer).await {
            counter.fetch_add(1, Ordering::SeqCst);
            if let Some(bytes) = answer(&buffer[..length], &*by_udp, true) {
                let _gone = udp.send_to(&bytes, from).await;
            }
        }
    });
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            let length = stream.read_u16().await.unwrap_or(0);
            let mut buffer = vec![0; usize::from(length)];
            if stream.read_exact(&mut buffer).await.is_ok()
                && let Some(bytes) = answer(&buffer, &*say, false)
            {
                let mut framed = (bytes.len() as u16).to_be_bytes().to_vec();
                framed.extend(bytes);
                let _gone = stream.write_all(&framed).await;
            }
        }
    });
    NameServer { addr, asked, _tasks: tasks }
}

fn answer<F>(question: &[u8], say: &F, udp: bool) -> Option<Vec<u8>>
where
    F: Fn(&str, RecordType) -> Say,
{
    let question = Message::from_vec(question).expect("a sound question");
    let query: &Query = question.queries.first().expect("a question");
    let mut said = say(&query.name().to_ascii(), query.query_type());
    let mut message = Message::response(question.metadata.id, question.metadata.op_code);
    message.add_query(query.clone());
    if let Say::Truncated(inner) = said {
        message.metadata.truncation = udp;
        said = if udp { nothing() } else { *inner };
    }
    match said {
        Say::Silence => return None,
        Say::Garbage => {
            let mut bytes = question.metadata.id.to_be_bytes().to_vec();
            bytes.extend([0xff; 40]);
            return Some(bytes);
        }
        Say::Code(code) => message.metadata.response_code = code,
        Say::Records(records) => {
            for (owner, data) in records {
                let data = match data {
                    Data::Address(IpAddr::V4(ip)) => RData::A(A(ip)),
                    Data::Address(IpAddr::V6(ip)) => RData::AAAA(AAAA(ip)),
                    Data::Alias(name) => RData::CNAME(CNAME(named(&name))),
                };
                message.add_answer(Record::from_rdata(named(&owner), 60, data));
            }
        }
        Say::Truncated(_) => unreachable!("opened above"),
    }
    Some(message.to_vec().expect("a sound answer"))
}

fn named(text: &str) -> Name {
    Name::from_ascii(text).expect("a name")
}
