//! `kind = dns` against a name server of our own, over UDP, TCP and TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME, NS};
use hickory_proto::rr::{Name, RData, Record};
use thongsuot::model::check::Check;
use thongsuot::model::expect::{DnsExpect, DnsSection};
use thongsuot::model::observation::Observation;
use thongsuot::model::phases::Phase;
use thongsuot::model::reason::Reason;
use thongsuot::model::spec::{DnsSpec, DnsTransport, Spec, TlsClient};
use thongsuot::model::time::Micros;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::probe_kit::{Authority, LONG, SHORT, check, ends, net, observe, peer};

/// A question as the server heard it.
struct Asked {
    query: Message,
    tcp: bool,
    /// How many datagrams came before it.
    before: usize,
}

impl Asked {
    /// The answer: `cong.example.vn` is an alias of an address.
    fn answer(&self) -> Message {
        let name = |text: &str| Name::from_ascii(text).unwrap();
        let record = |owner: &str, data| Record::from_rdata(name(owner), 60, data);
        let mut message = self.query.clone().into_response();
        message.add_answer(record("cong.example.vn.", RData::CNAME(CNAME(name("a.example.vn.")))));
        message.add_answer(record("a.example.vn.", RData::A(A::new(192, 0, 2, 7))));
        message.add_authority(record("example.vn.", RData::NS(NS(name("ns.example.vn.")))));
        message
    }

    fn refusal(&self, code: ResponseCode) -> Message {
        let mut message = self.query.clone().into_response();
        message.metadata.response_code = code;
        message
    }
}

/// A name server that answers each question with what a script says, until it is dropped.
struct Server {
    address: SocketAddr,
    datagrams: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Over UDP and TCP on one port; over TLS instead of TCP with an acceptor.
    async fn start<F>(tls: Option<TlsAcceptor>, script: F) -> Self
    where
        F: Fn(&Asked) -> Vec<Vec<u8>> + Send + Sync + 'static,
    {
        let (udp, tcp) = one_port().await;
        let address = tcp.local_addr().unwrap();
        let script = Arc::new(script);
        let datagrams = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        let (counter, own) = (Arc::clone(&datagrams), Arc::clone(&script));
        tasks.spawn(async move {
            let mut packet = [0; 2_048];
            loop {
                let (length, from) = udp.recv_from(&mut packet).await.unwrap();
                let query = Message::from_vec(&packet[..length]).unwrap();
                let before = counter.fetch_add(1, Ordering::SeqCst);
                for reply in own(&Asked { query, tcp: false, before }) {
                    udp.send_to(&reply, from).await.unwrap();
                }
            }
        });
        tasks.spawn(async move {
            loop {
                let (stream, _from) = tcp.accept().await.unwrap();
                match &tls {
                    None => answer_stream(stream, &*script).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            answer_stream(stream, &*script).await;
                        }
                    }
                }
            }
        });
        Self { address, datagrams, _tasks: tasks }
    }

    fn datagrams(&self) -> usize {
        self.datagrams.load(Ordering::SeqCst)
    }
}

async fn one_port() -> (UdpSocket, TcpListener) {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            return (udp, tcp);
        }
    }
}

/// Answers one question; what the script gives is sent as it is, so it frames its own answers.
async fn answer_stream<S, F>(mut stream: S, script: &F)
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Fn(&Asked) -> Vec<Vec<u8>>,
{
    let Ok(length) = stream.read_u16().await else { return };
    let mut packet = vec![0; usize::from(length)];
    stream.read_exact(&mut packet).await.unwrap();
    let query = Message::from_vec(&packet).unwrap();
    let replies = script(&Asked { query, tcp: true, before: 0 });
    for reply in &replies {
        // The peer may have heard enough.
        _ = stream.write_all(reply).await;
        _ = stream.flush().await;
    }
    if !replies.is_empty() {
        // Open until the peer closes: the end of the stream is not the end of the answer.
        _ = stream.read_u8().await;
    }
}

fn framed(message: &[u8]) -> Vec<u8> {
    let mut bytes = u16::try_from(message.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend(message);
    bytes
}

fn bytes(message: &Message) -> Vec<u8> {
    message.to_vec().unwrap()
}

/// A question for addresses of `Cong.Example.vn`; the answer must hold its address.
fn spec(server: Option<SocketAddr>, transport: DnsTransport) -> DnsSpec {
    let contains = vec!["192.0.2.7".to_owned()];
    DnsSpec {
        server: server.map(peer),
        transport,
        name: "Cong.Example.vn".to_owned(),
        record_type: 1,
        class: 1,
        recursion: true,
        expect: DnsExpect {
            rcodes: vec![0],
            answer: DnsSection { contains, ..DnsSection::default() },
            authority: DnsSection::default(),
            additional: DnsSection::default(),
            authenticated: false,
        },
    }
}

fn dns(spec: DnsSpec, timeout: Duration) -> Check {
    check(Spec::Dns(Box::new(spec)), timeout)
}

async fn ask(server: &Server, transport: DnsTransport, timeout: Duration) -> Observation {
    observe(&dns(spec(Some(server.address), transport), timeout), &net(None)).await
}

#[tokio::test]
async fn an_answer_over_udp_is_shown_as_in_a_zone_file() {
    let server = Server::start(None, |asked| vec![bytes(&asked.answer())]).await;
    let seen = ask(&server, DnsTransport::Udp, LONG).await;
    ends(&seen, Reason::None);
    assert_eq!(seen.status, Some(0));
    assert!(seen.bytes > 60);
    assert_eq!(seen.detail.remote, Some(server.address));
    assert_eq!(
        seen.detail.answer,
        [
            "cong.example.vn. 60 IN CNAME a.example.vn.",
            "a.example.vn. 60 IN A 192.0.2.7",
            ";; authority",
            "example.vn. 60 IN NS ns.example.vn.",
        ]
    );
    assert!(seen.phases.get(Phase::Wait) > Micros(0));
    assert_eq!(seen.phases.get(Phase::Tls), Micros(0));
    assert_eq!(server.datagrams(), 1);
}

#[tokio::test]
async fn an_answer_over_tcp_has_its_length_before_it() {
    let server = Server::start(None, |asked| {
        // One byte, then the rest: the length itself may come in parts.
        let answer = framed(&bytes(&asked.answer()));
        vec![answer[..1].to_vec(), answer[1..].to_vec()]
    })
    .await;
    ends(&ask(&server, DnsTransport::Tcp, LONG).await, Reason::None);
    assert_eq!(server.datagrams(), 0);
}

#[tokio::test]
async fn an_answer_over_tls_counts_if_the_certificate_does() {
    let authority = Authority::new();
    let tls = Some(authority.acceptor(&[]));
    let server = Server::start(tls, |asked| vec![framed(&bytes(&asked.answer()))]).await;
    let seen = ask(&server, DnsTransport::Tls(authority.client()), LONG).await;
    ends(&seen, Reason::None);
    assert!(seen.phases.get(Phase::Tls) > Micros(0));
    assert!(seen.tls_not_after.is_some());
    let seen = ask(&server, DnsTransport::Tls(TlsClient::default()), LONG).await;
    assert_eq!(seen.reason.outcome(), thongsuot::model::outcome::Outcome::Error, "{seen:?}");
}

#[tokio::test]
async fn a_truncated_answer_is_asked_again_over_tcp() {
    let server = Server::start(None, |asked| {
        if asked.tcp {
            return vec![framed(&bytes(&asked.answer()))];
        }
        let mut cut = bytes(&asked.answer());
        cut[2] |= 0b10;
        cut.truncate(50);
        vec![cut]
    })
    .await;
    let seen = ask(&server, DnsTransport::Udp, LONG).await;
    ends(&seen, Reason::None);
    assert_eq!((server.datagrams(), seen.detail.answer.len()), (1, 4));
}

#[tokio::test]
async fn what_is_no_answer_to_the_question_is_passed_over() {
    let server = Server::start(None, |asked| {
        let good = asked.answer();
        let mut other_id = good.clone();
        other_id.metadata.id ^= 1;
        let mut other_question = good.clone();
        other_question.queries[0].set_name(Name::from_ascii("x.vn.").unwrap());
        let mut broken = bytes(&good);
        broken.truncate(40);
        let others = [other_id, other_question].map(|it| bytes(&it));
        let mut replies = vec![Vec::new(), b"garbage".to_vec(), bytes(&asked.query), broken];
        replies.extend(others);
        replies.push(bytes(&good));
        replies
    })
    .await;
    ends(&ask(&server, DnsTransport::Udp, LONG).await, Reason::None);
}

#[tokio::test]
async fn nothing_but_garbage_is_no_answer() {
    let server = Server::start(None, |asked| {
        let mut broken = bytes(&asked.answer());
        broken.truncate(40);
        vec![b"x".to_vec(); 50].into_iter().chain([broken]).collect()
    })
    .await;
    let seen = ask(&server, DnsTransport::Udp, SHORT).await;
    ends(&seen, Reason::DnsNoAnswer);
    let why = seen.detail.why.unwrap();
    assert!(why.ends_with("passed over because its records can't be parsed"), "{why}");
    assert_eq!(seen.status, None);
}

#[tokio::test]
async fn a_server_from_before_edns_is_asked_as_in_its_day() {
    let server = Server::start(None, |asked| {
        if asked.query.edns.is_none() {
            return vec![bytes(&asked.answer())];
        }
        // No more than a header, as it can't read the rest.
        let mut refusal = asked.refusal(ResponseCode::FormErr);
        refusal.queries.clear();
        refusal.edns = None;
        vec![bytes(&refusal)]
    })
    .await;
    ends(&ask(&server, DnsTransport::Udp, LONG).await, Reason::None);
    assert_eq!(server.datagrams(), 2);
}

#[tokio::test]
async fn a_server_is_asked_over_ipv6() {
    let Ok(socket) = UdpSocket::bind("[::1]:0").await else {
        crate::skip::skip("dns over IPv6", "this machine has no IPv6");
        return;
    };
    let address = socket.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut packet = [0; 2_048];
        let (length, from) = socket.recv_from(&mut packet).await.unwrap();
        let query = Message::from_vec(&packet[..length]).unwrap();
        let asked = Asked { query, tcp: false, before: 0 };
        socket.send_to(&bytes(&asked.answer()), from).await.unwrap();
    });
    let seen = observe(&dns(spec(Some(address), DnsTransport::Udp), LONG), &net(None)).await;
    ends(&seen, Reason::None);
    assert_eq!(seen.detail.remote, Some(address));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_garbage_does_not_outlast_the_deadline() {
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut packet = [0; 2_048];
        let (_length, from) = server.recv_from(&mut packet).await.unwrap();
        loop {
            _ = server.send_to(b"garbage", from).await;
        }
    });
    let check = dns(spec(Some(address), DnsTransport::Udp), SHORT);
    ends(&observe(&check, &net(None)).await, Reason::DnsNoAnswer);
}

#[tokio::test]
async fn a_lost_datagram_is_sent_once_more_and_the_wait_shows_it() {
    let server = Server::start(None, |asked| match asked.before {
        0 => Vec::new(),
        _ => vec![bytes(&asked.answer())],
    })
    .await;
    let seen = ask(&server, DnsTransport::Udp, Duration::from_millis(1_500)).await;
    ends(&seen, Reason::None);
    assert!(seen.phases.get(Phase::Wait) >= Micros(500_000), "{seen:?}");
    assert_eq!(server.datagrams(), 2);
}

#[tokio::test]
async fn silence_is_no_answer_after_two_questions() {
    let server = Server::start(None, |_asked| Vec::new()).await;
    let seen = ask(&server, DnsTransport::Udp, SHORT).await;
    ends(&seen, Reason::DnsNoAnswer);
    assert!(seen.phases.get(Phase::Wait) >= Micros(400_000), "{seen:?}");
    assert_eq!(server.datagrams(), 2);
}

#[tokio::test]
async fn an_answer_from_another_port_is_not_heard() {
    let forger = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut packet = [0; 2_048];
        loop {
            let (length, from) = server.recv_from(&mut packet).await.unwrap();
            let query = Message::from_vec(&packet[..length]).unwrap();
            let asked = Asked { query, tcp: false, before: 0 };
            forger.send_to(&bytes(&asked.answer()), from).unwrap();
        }
    });
    let check = dns(spec(Some(address), DnsTransport::Udp), SHORT);
    ends(&observe(&check, &net(None)).await, Reason::DnsNoAnswer);
}

#[tokio::test]
async fn codes_and_records_are_held_against_the_expectation() {
    let server = Server::start(None, |asked| {
        let wrong = match asked.query.queries[0].name().to_ascii().as_str() {
            "servfail.vn." => asked.refusal(ResponseCode::ServFail),
            "nxdomain.vn." => asked.refusal(ResponseCode::NXDomain),
            _ => asked.refusal(ResponseCode::NoError),
        };
        vec![bytes(&wrong)]
    })
    .await;
    for (name, rcodes, reason, status) in [
        ("servfail.vn", vec![0], Reason::DnsRcode, 2),
        ("nxdomain.vn", vec![0], Reason::DnsRcode, 3),
        ("nxdomain.vn", vec![3], Reason::None, 3),
        ("empty.vn", vec![0, 3], Reason::DnsAnswer, 0),
    ] {
        let mut spec = spec(Some(server.address), DnsTransport::Udp);
        spec.name = name.to_owned();
        if rcodes == [3] {
            spec.expect.answer.contains.clear();
        }
        spec.expect.rcodes = rcodes;
        let seen = observe(&dns(spec, LONG), &net(None)).await;
        ends(&seen, reason);
        assert_eq!(seen.status, Some(status), "{name}");
    }
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let (udp, tcp) = one_port().await;
    let address = tcp.local_addr().unwrap();
    drop((udp, tcp));
    for transport in [DnsTransport::Udp, DnsTransport::Tcp, DnsTransport::Tls(TlsClient::default())]
    {
        let check = dns(spec(Some(address), transport), LONG);
        ends(&observe(&check, &net(None)).await, Reason::ConnectRefused);
    }
}

#[tokio::test]
async fn a_stream_that_ends_or_stalls_is_told_apart() {
    type Script = fn(&Asked) -> Vec<Vec<u8>>;
    let cases: [(Script, Reason); 6] = [
        (|_asked| Vec::new(), Reason::DnsNoAnswer),
        (|_asked| vec![Vec::new()], Reason::TimeoutWait),
        (|asked| vec![framed(&bytes(&asked.answer()))[..30].to_vec()], Reason::TimeoutReceive),
        (|_asked| vec![framed(b"garbage")], Reason::DnsNoAnswer),
        (|_asked| vec![framed(b"")], Reason::DnsNoAnswer),
        (
            |asked| {
                let mut other = asked.answer();
                other.metadata.id ^= 1;
                vec![framed(&bytes(&other))]
            },
            Reason::DnsNoAnswer,
        ),
    ];
    for (script, reason) in cases {
        let server = Server::start(None, script).await;
        ends(&ask(&server, DnsTransport::Tcp, SHORT).await, reason);
    }
}

#[tokio::test]
async fn our_own_resolver_is_not_the_service() {
    let server = Server::start(None, |asked| match asked.query.queries[0].query_type() {
        hickory_proto::rr::RecordType::A => vec![bytes(&asked.answer())],
        _ => Vec::new(),
    })
    .await;
    let net = net(Some(server.address));
    let mut own = spec(None, DnsTransport::Udp);
    ends(&observe(&dns(own.clone(), LONG), &net).await, Reason::None);
    own.record_type = 15;
    let seen = observe(&dns(own, SHORT), &net).await;
    ends(&seen, Reason::SelfDns);
    assert!(seen.detail.why.unwrap().starts_with("our own resolver: no answer from 127.0.0.1"));
}

#[tokio::test]
async fn a_late_good_answer_is_slow() {
    let server = Server::start(None, |asked| vec![bytes(&asked.answer())]).await;
    let mut check = dns(spec(Some(server.address), DnsTransport::Udp), LONG);
    check.slow = Some(Micros(1));
    ends(&observe(&check, &net(None)).await, Reason::OverSlow);
}
