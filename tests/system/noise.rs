//! Every kind against peers that say random things: no panic, no overrun, and never a good
//! result or a fault of our own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use thongsuot::model::expect::{CertExpect, DnsExpect, DnsSection};
use thongsuot::model::outcome::Testimony;
use thongsuot::model::spec::{
    Auth, DnsSpec, DnsTransport, GrpcSpec, Line, Spec, TcpSpec, TlsClient, TlsSpec, WebsocketSpec,
};
use thongsuot::model::text::Pattern;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

use crate::probe_kit::{check, net, observe, peer};

/// Runs of each kind.
const RUNS: u64 = 50;

/// The timeout of each: most end long before, since the noise ends in a close.
const TIMEOUT: Duration = Duration::from_millis(100);

/// Beginnings that lead past the first check of each protocol.
const BEGINNINGS: [&[u8]; 8] = [
    b"",
    b"220 mx\r\n",
    b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    // A TLS handshake record, and an alert.
    &[22, 3, 3, 0, 80, 2, 0, 0, 76, 3, 3],
    &[21, 3, 3, 0, 2],
    // SETTINGS, alone and with HEADERS on stream 1.
    &[0, 0, 0, 4, 0, 0, 0, 0, 0],
    &[0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 40, 1, 5, 0, 0, 0, 1],
    // A length of 200 before a DNS message.
    &[0, 200],
];

/// Noise that is the same in every run of the test (xorshift64).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Some beginning, and up to 400 bytes.
    fn bytes(&mut self) -> Vec<u8> {
        let mut bytes = BEGINNINGS[self.next() as usize % BEGINNINGS.len()].to_vec();
        let length = self.next() % 400;
        bytes.extend((0..length).map(|_| self.next() as u8));
        bytes
    }
}

/// A peer over TCP and UDP that answers with noise, and one time in eight keeps the connection.
async fn noisy() -> (SocketAddr, JoinSet<()>) {
    let (tcp, udp) = loop {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            break (tcp, udp);
        }
    };
    let address = tcp.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
        let mut talks = JoinSet::new();
        loop {
            let (mut stream, _from) = tcp.accept().await.unwrap();
            let (said, stays) = (noise.bytes(), noise.next().is_multiple_of(8));
            talks.spawn(async move {
                _ = stream.write_all(&said).await;
                if stays {
                    let mut sink = Vec::new();
                    _ = stream.read_to_end(&mut sink).await;
                }
            });
        }
    });
    tasks.spawn(async move {
        let mut noise = Noise(0x2545_f491_4f6c_dd1d);
        let mut packet = [0; 2_048];
        loop {
            let (length, from) = udp.recv_from(&mut packet).await.unwrap();
            // Its own question, as a response with noise for records.
            let mut echo = packet[..length].to_vec();
            echo[2] |= 0x80;
            echo[3] = noise.next() as u8;
            echo[7] = noise.next() as u8 % 4;
            echo.truncate(echo.len() - 11);
            echo.extend(noise.bytes());
            for reply in [noise.bytes(), echo] {
                udp.send_to(&reply, from).await.unwrap();
            }
        }
    });
    (address, tasks)
}

fn specs(address: SocketAddr) -> Vec<Spec> {
    let peer = peer(address);
    let cert = CertExpect::default();
    let dns = |transport| {
        let contains = vec!["192.0.2.7".to_owned()];
        Spec::Dns(Box::new(DnsSpec {
            server: Some(peer.clone()),
            transport,
            name: "a.vn".to_owned(),
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
        }))
    };
    let tcp = |tls| {
        let dialogue = vec![
            Line::Expect(Pattern::new("^(220) ").unwrap()),
            Line::Send(b"$1 $2\r\n".to_vec()),
            Line::Expect(Pattern::new("no noise says this").unwrap()),
        ];
        Spec::Tcp(Box::new(TcpSpec { peer: peer.clone(), tls, dialogue, cert }))
    };
    let grpc = |tls| {
        let (service, metadata) = (String::new(), Vec::new());
        Spec::Grpc(Box::new(GrpcSpec { peer: peer.clone(), tls, service, metadata, cert }))
    };
    let websocket = |scheme: &str| {
        Spec::Websocket(Box::new(WebsocketSpec {
            url: format!("{scheme}://{address}/").parse().unwrap(),
            headers: Vec::new(),
            auth: Auth::None,
            tls: TlsClient::default(),
            subprotocol: None,
            dialogue: Vec::new(),
            cert,
        }))
    };
    let tls = TlsSpec { peer: peer.clone(), tls: TlsClient::default(), starttls: None, cert };
    vec![
        dns(DnsTransport::Udp),
        dns(DnsTransport::Tcp),
        dns(DnsTransport::Tls(TlsClient::default())),
        tcp(None),
        tcp(Some(TlsClient::default())),
        grpc(None),
        grpc(Some(TlsClient::default())),
        websocket("ws"),
        websocket("wss"),
        Spec::Tls(Box::new(tls)),
    ]
}

#[tokio::test]
async fn noise_is_bad_and_nothing_worse() {
    let (address, _tasks) = noisy().await;
    let net = Arc::new(net(None));
    let mut kinds = JoinSet::new();
    for spec in specs(address) {
        let (check, net) = (check(spec, TIMEOUT), Arc::clone(&net));
        kinds.spawn(async move {
            for run in 0..RUNS {
                let seen = observe(&check, &net).await;
                let testimony = seen.reason.outcome().testimony();
                assert_eq!(testimony, Some(Testimony::Bad), "run {run}: {seen:#?}");
            }
        });
    }
    while let Some(kind) = kinds.join_next().await {
        kind.unwrap();
    }
}
