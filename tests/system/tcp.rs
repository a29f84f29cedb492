//! `kind = tcp` against peers of our own that talk, keep silent, drip, flood and turn to TLS.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use thongsuot::model::check::{Check, Lane};
use thongsuot::model::expect::CertExpect;
use thongsuot::model::how::How;
use thongsuot::model::kept::{DialogueKept, Kept};
use thongsuot::model::observation::Observation;
use thongsuot::model::outcome::Outcome;
use thongsuot::model::phases::Phase;
use thongsuot::model::reason::Reason;
use thongsuot::model::spec::{Line, Spec, TcpSpec, TlsClient};
use thongsuot::model::text::Pattern;
use thongsuot::model::time::Micros;
use thongsuot::probe;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::probe_kit::{Authority, LONG, SHORT, check, ends, net, now, observe, peer};

/// A peer that treats every connection as `script` says, until it is dropped.
struct Peer {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Peer {
    async fn start<F, W>(script: F) -> Self
    where
        F: Fn(TcpStream) -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            loop {
                let (stream, _from) = listener.accept().await.unwrap();
                script(stream).await;
            }
        });
        Self { address, _tasks: tasks }
    }

    /// Says these bytes, and then reads until we close.
    async fn saying(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |mut stream| {
            let bytes = bytes.clone();
            async move {
                _ = stream.write_all(&bytes).await;
                hold(&mut stream).await;
            }
        })
        .await
    }
}

/// Reads until the other side closes.
async fn hold(stream: &mut TcpStream) {
    let mut sink = [0; 1_024];
    while stream.read(&mut sink).await.is_ok_and(|length| length > 0) {}
}

fn expect(pattern: &str) -> Line {
    Line::Expect(Pattern::new(pattern).unwrap())
}

fn send(text: &str) -> Line {
    Line::Send(text.as_bytes().to_vec())
}

fn tcp(address: SocketAddr, dialogue: Vec<Line>, timeout: Duration) -> Check {
    let cert = CertExpect::default();
    let spec = TcpSpec { peer: peer(address), tls: None, dialogue, cert };
    check(Spec::Tcp(Box::new(spec)), timeout)
}

async fn talk(peer: &Peer, dialogue: Vec<Line>, timeout: Duration) -> Observation {
    observe(&tcp(peer.address, dialogue, timeout), &net(None)).await
}

#[tokio::test]
async fn to_connect_is_enough_without_a_dialogue() {
    let peer = Peer::saying("").await;
    let seen = talk(&peer, Vec::new(), LONG).await;
    ends(&seen, Reason::None);
    assert_eq!(seen.detail.remote, Some(peer.address));
    assert_eq!(seen.phases.get(Phase::Wait), Micros(0));
    let mut slow = tcp(peer.address, Vec::new(), LONG);
    slow.slow = Some(Micros(1));
    ends(&observe(&slow, &net(None)).await, Reason::OverSlow);
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let check = tcp(address, vec![expect("x")], LONG);
    ends(&observe(&check, &net(None)).await, Reason::ConnectRefused);
}

#[tokio::test]
async fn what_was_heard_can_be_said_again() {
    let peer = Peer::start(|stream| async move {
        let mut stream = BufReader::new(stream);
        stream.write_all(b":irc NOTICE * :***\r\nPING :tok").await.unwrap();
        stream.write_all(b"en-7 x\r\n").await.unwrap();
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        // The optional group took no part in the match, so it stands for nothing.
        let answer = if line == "PONG token-7 $[]\r\n" { ":irc 001 welcome\n" } else { "no\n" };
        stream.write_all(answer.as_bytes()).await.unwrap();
        hold(stream.get_mut()).await;
    })
    .await;
    let dialogue =
        vec![expect(r"^PING :(\S+)( y)?"), send("PONG $1 $[$2]\r\n"), expect("^:irc 001 ")];
    ends(&talk(&peer, dialogue, LONG).await, Reason::None);
}

#[tokio::test]
async fn a_mail_server_greets_and_says_goodbye() {
    let peer = Peer::start(|stream| async move {
        let mut stream = BufReader::new(stream);
        stream.write_all("220 mx chào bạn\r\n".as_bytes()).await.unwrap();
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let hello = line.trim_end().strip_prefix("EHLO ").unwrap().to_owned();
        stream.write_all(format!("250-{hello}\r\n250 OK\r\n").as_bytes()).await.unwrap();
        line.clear();
        stream.read_line(&mut line).await.unwrap();
        stream.write_all(b"221 bye").await.unwrap();
    })
    .await;
    let dialogue = vec![
        expect(r"^220 (\w+) "),
        send("EHLO $1.vn\r\n"),
        expect(r"^250-mx\.vn$"),
        expect("^250 "),
        send("QUIT\r\n"),
        // Closed without an end of line: what is left is a line.
        expect("^221 bye$"),
    ];
    let seen = talk(&peer, dialogue, LONG).await;
    ends(&seen, Reason::None);
    assert_eq!(seen.detail.answer, ["220 mx chào bạn", "250-mx.vn", "250 OK", "221 bye"]);
    assert_eq!(seen.bytes, 20 + 11 + 8 + 7);
    assert!(seen.phases.get(Phase::Wait) > Micros(0));
}

#[tokio::test]
async fn a_peer_that_closes_first_has_not_said_it() {
    let peer = Peer::start(|mut stream| async move {
        stream.write_all(b"421 too busy\r\nsorry").await.unwrap();
    })
    .await;
    let seen = talk(&peer, vec![expect("^220 ")], LONG).await;
    ends(&seen, Reason::DialogueClosed);
    assert_eq!(
        seen.detail.why.unwrap(),
        "the peer closed the connection, before a line matched `^220 `; the last line was `sorry`"
    );
    let peer = Peer::start(|stream| async move { drop(stream) }).await;
    let seen = talk(&peer, vec![expect("^220 ")], LONG).await;
    ends(&seen, Reason::DialogueClosed);
    assert!(seen.detail.why.unwrap().ends_with("; nothing was said"));
}

#[tokio::test]
async fn a_peer_that_says_nothing_or_something_else_hangs() {
    let peer = Peer::saying("").await;
    let seen = talk(&peer, vec![expect("^220 ")], SHORT).await;
    ends(&seen, Reason::TimeoutWait);
    assert!(seen.phases.get(Phase::Wait) >= Micros(400_000), "{seen:?}");
    let peer = Peer::saying("554 no\r\n22").await;
    let seen = talk(&peer, vec![expect("^220 ")], SHORT).await;
    ends(&seen, Reason::TimeoutReceive);
    let why = seen.detail.why.unwrap();
    assert!(why.ends_with("no line matched `^220 `; the last line was `554 no`"), "{why}");
}

#[tokio::test]
async fn a_peer_that_drips_hangs() {
    let peer = Peer::start(|mut stream| async move {
        while stream.write_all(b"a\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    ends(&talk(&peer, vec![expect("^b")], SHORT).await, Reason::TimeoutReceive);
}

#[tokio::test]
async fn a_peer_that_reads_nothing_hangs_in_sending() {
    let peer = Peer::start(|stream| async move {
        tokio::time::sleep(LONG).await;
        drop(stream);
    })
    .await;
    let much = Line::Send(vec![b'a'; 60_000]);
    let seen = talk(&peer, vec![much; 400], SHORT).await;
    ends(&seen, Reason::TimeoutSend);
}

#[tokio::test]
async fn more_than_a_dialogue_may_be_long_is_refused() {
    let peer = Peer::saying(vec![b'a'; 9_000]).await;
    ends(&talk(&peer, vec![expect("^b")], LONG).await, Reason::DialogueMismatch);
    let peer = Peer::saying(b"0123456789\n".repeat(30_000)).await;
    let seen = talk(&peer, vec![expect("^b")], LONG).await;
    ends(&seen, Reason::DialogueMismatch);
    assert!(seen.detail.answer.len() <= 40);
    assert!(seen.bytes <= 270_000, "{}", seen.bytes);
}

#[tokio::test]
async fn tls_from_the_first_byte_carries_the_dialogue() {
    let authority = Authority::new();
    let acceptor = authority.acceptor(&[]);
    let peer = Peer::start(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            // The peer may have left over the certificate.
            _ = stream.write_all(b"* OK ready\r\n").await;
            _ = stream.read_u8().await;
        }
    })
    .await;
    let spec = |client, cert| {
        let dialogue = vec![expect(r"^\* OK")];
        let peer = crate::probe_kit::peer(peer.address);
        let spec = TcpSpec { peer, tls: Some(client), dialogue, cert };
        check(Spec::Tcp(Box::new(spec)), LONG)
    };
    let any = CertExpect::default();
    let seen = observe(&spec(authority.client(), any), &net(None)).await;
    ends(&seen, Reason::None);
    assert!(seen.tls_not_after.is_some());
    let seen = observe(&spec(TlsClient::default(), any), &net(None)).await;
    assert_eq!(seen.reason.outcome(), Outcome::Error, "nobody vouches for it: {seen:?}");
    let long = CertExpect { leaf_days_min: Some(u32::MAX), chain_days_min: None };
    let seen = observe(&spec(authority.client(), long), &net(None)).await;
    ends(&seen, Reason::TlsExpiresSoon);
}

/// A mail server that starts TLS, saying `more` in clear before it does.
async fn starting_tls(authority: &Authority, more: &'static str) -> Peer {
    let acceptor = authority.acceptor(&[]);
    Peer::start(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = BufReader::new(stream);
            stream.write_all(b"220 mx\r\n").await.unwrap();
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            stream.write_all(format!("220 go\r\n{more}").as_bytes()).await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream.into_inner()).await else { return };
            let mut ehlo = [0; 6];
            _ = stream.read_exact(&mut ehlo).await;
            assert_eq!(&ehlo, b"EHLO\r\n");
            stream.write_all(b"250 safe\r\n").await.unwrap();
            _ = stream.read_u8().await;
        }
    })
    .await
}

fn start_tls(authority: &Authority) -> Vec<Line> {
    vec![
        expect("^220 "),
        send("STARTTLS\r\n"),
        expect("^220 go"),
        Line::StartTls(authority.client()),
        send("EHLO\r\n"),
        expect("^250 safe"),
    ]
}

#[tokio::test]
async fn a_dialogue_can_turn_to_tls_on_its_way() {
    let authority = Authority::new();
    let peer = starting_tls(&authority, "").await;
    let seen = talk(&peer, start_tls(&authority), LONG).await;
    ends(&seen, Reason::None);
    assert!(seen.phases.get(Phase::Tls) > Micros(0));
    let mut twice = start_tls(&authority);
    twice.push(Line::StartTls(authority.client()));
    ends(&talk(&peer, twice, LONG).await, Reason::Internal);
}

#[tokio::test]
async fn what_is_slipped_in_before_tls_is_refused() {
    let authority = Authority::new();
    let peer = starting_tls(&authority, "250 safe\r\n").await;
    let seen = talk(&peer, start_tls(&authority), LONG).await;
    ends(&seen, Reason::DialogueMismatch);
    assert!(seen.detail.why.unwrap().contains("in clear"));
}

#[tokio::test]
async fn bytes_are_taken_as_they_are_and_not_as_lines() {
    let authority = Authority::new();
    let acceptor = authority.acceptor(&[]);
    // As PostgreSQL does: one byte, without an end of line, and then TLS.
    let peer = Peer::start(move |mut stream| {
        let acceptor = acceptor.clone();
        async move {
            let mut asked = [0; 8];
            stream.read_exact(&mut asked).await.unwrap();
            stream.write_all(b"S").await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            _ = stream.write_all(b"in TLS\n").await;
            _ = stream.read_u8().await;
        }
    })
    .await;
    let ask = Line::Send(vec![0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f]);
    let is = |text: &[u8]| Line::ExpectBytes(text.to_vec());
    let dialogue =
        vec![ask.clone(), is(b"S"), Line::StartTls(authority.client()), expect("^in TLS$")];
    ends(&talk(&peer, dialogue, LONG).await, Reason::None);
    let seen = talk(&peer, vec![ask, is(b"N")], LONG).await;
    ends(&seen, Reason::DialogueMismatch);
    assert_eq!(seen.detail.why.unwrap(), "expected the bytes `N`; the last line was `S`");
}

#[tokio::test]
async fn bytes_that_do_not_all_come_are_waited_for() {
    let is = |text: &[u8]| Line::ExpectBytes(text.to_vec());
    let peer = Peer::saying("ab").await;
    ends(&talk(&peer, vec![is(b"a"), is(b"b")], LONG).await, Reason::None);
    ends(&talk(&peer, vec![is(b"abc")], SHORT).await, Reason::TimeoutReceive);
    ends(&talk(&peer, vec![is(b"ab"), is(b"c")], SHORT).await, Reason::TimeoutWait);
    let closing = Peer::start(|mut stream| async move {
        _ = stream.write_all(b"ab").await;
    })
    .await;
    let seen = talk(&closing, vec![is(b"abc")], LONG).await;
    ends(&seen, Reason::DialogueClosed);
    let why = seen.detail.why.unwrap();
    assert_eq!(why, "the peer closed the connection, before the bytes `abc` came");
    let much = vec![b'a'; 300_000];
    let peer = Peer::saying(much.clone()).await;
    ends(&talk(&peer, vec![Line::ExpectBytes(much)], LONG).await, Reason::DialogueMismatch);
}

#[tokio::test]
async fn groups_are_put_in_by_name_and_kept_under_names() {
    let peer = Peer::start(|stream| async move {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"SSH-2.0-OpenSSH_9.7 FreeBSD\r\n").await.unwrap();
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        stream.write_all(line.as_bytes()).await.unwrap();
        hold(stream.get_mut()).await;
    })
    .await;
    let label = |name: &str, value: &str| Line::Label {
        name: name.to_owned(),
        value: value.as_bytes().to_vec(),
    };
    let dialogue = vec![
        expect(r"^SSH-2.0-(?P<version>\S+)(?: (?P<more>.*))?$"),
        label("version", "${version}"),
        label("more", "$more/$1x/$$"),
        Line::SendExpanded(b"I saw $version\n".to_vec()),
        expect("^I saw OpenSSH_9.7$"),
    ];
    let check = tcp(peer.address, dialogue, LONG);
    let how = How { keep: true, ..How::from(Lane::Any) };
    let seen = probe::run(&check, how, &net(None), now()).await;
    ends(&seen, Reason::None);
    let kept = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let labels = vec![kept("version", "OpenSSH_9.7"), kept("more", "FreeBSD//$")];
    let kept = Kept::Dialogue(DialogueKept { labels, ..DialogueKept::default() });
    assert_eq!(seen.detail.kept.as_deref(), Some(&kept));
    assert_eq!(observe(&check, &net(None)).await.detail.kept, None);
}
