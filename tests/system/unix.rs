//! `kind = unix` against sockets of our own: files and abstract names, that talk, hang, are full,
//! speak TLS, or are not there.

use std::future::Future;
use std::os::linux::net::SocketAddrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thongsuot::model::check::{Check, Lane};
use thongsuot::model::expect::CertExpect;
use thongsuot::model::how::How;
use thongsuot::model::kept::{DialogueKept, Kept, Unmet};
use thongsuot::model::observation::Observation;
use thongsuot::model::outcome::Outcome;
use thongsuot::model::phases::Phase;
use thongsuot::model::reason::Reason;
use thongsuot::model::spec::{Line, Spec, TlsClient, UnixSpec};
use thongsuot::model::text::Pattern;
use thongsuot::model::time::Micros;
use thongsuot::probe;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use crate::probe_kit::{Authority, LONG, SHORT, check, ends, net, now, observe};

/// A peer that treats every connection as `script` says, until it is dropped.
struct Peer {
    path: PathBuf,
    _folder: tempfile::TempDir,
    _tasks: JoinSet<()>,
}

impl Peer {
    fn start<F, W>(script: F) -> Self
    where
        F: Fn(UnixStream) -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send,
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            loop {
                let (stream, _from) = listener.accept().await.unwrap();
                script(stream).await;
            }
        });
        Self { path, _folder: folder, _tasks: tasks }
    }

    /// One that says back every line that it hears.
    fn echoing() -> Self {
        Self::start(|stream| async move {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            while stream.read_line(&mut line).await.is_ok_and(|length| length > 0) {
                stream.write_all(line.as_bytes()).await.unwrap();
                line.clear();
            }
        })
    }
}

fn expect(pattern: &str) -> Line {
    Line::Expect(Pattern::new(pattern).unwrap())
}

fn send(text: &str) -> Line {
    Line::Send(text.as_bytes().to_vec())
}

fn unix(path: &Path, tls: Option<TlsClient>, dialogue: Vec<Line>, timeout: Duration) -> Check {
    let (path, cert) = (path.to_path_buf(), CertExpect::default());
    check(Spec::Unix(Box::new(UnixSpec { path, tls, dialogue, cert })), timeout)
}

async fn talk(path: &Path, dialogue: Vec<Line>, timeout: Duration) -> Observation {
    observe(&unix(path, None, dialogue, timeout), &net(None)).await
}

#[tokio::test]
async fn a_dialogue_goes_over_a_file() {
    let peer = Peer::echoing();
    let dialogue = vec![send("PING 7\r\n"), expect(r"^PING (\d)$"), send("$1\n"), expect("^7$")];
    let seen = talk(&peer.path, dialogue, LONG).await;
    ends(&seen, Reason::None);
    assert_eq!(seen.detail.answer, ["PING 7", "7"]);
    assert_eq!((seen.bytes, seen.status, seen.detail.remote), (10, None, None));
    assert!(seen.phases.get(Phase::Wait) > Micros(0));
    assert_eq!(seen.detail.kept, None, "nobody asked for it");
    ends(&talk(&peer.path, Vec::new(), LONG).await, Reason::None);
}

#[tokio::test]
async fn what_is_heard_can_be_kept_even_if_the_run_fails() {
    let peer = Peer::start(|mut stream| async move {
        stream.write_all(b"S220 mx.vn ready\r\n").await.unwrap();
    });
    let dialogue = vec![
        Line::ExpectBytes(b"S".to_vec()),
        expect(r"^220 (?P<name>\S+)"),
        Line::Label { name: "who".to_owned(), value: b"<${name}>".to_vec() },
        Line::Label { name: "code".to_owned(), value: b"$$220".to_vec() },
        expect("^250 "),
    ];
    let how = How { keep: true, ..How::from(Lane::Any) };
    let seen = probe::run(&unix(&peer.path, None, dialogue, LONG), how, &net(None), now()).await;
    ends(&seen, Reason::DialogueClosed);
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let labels = vec![label("who", "<mx.vn>"), label("code", "$220")];
    let kept = DialogueKept { labels, upgraded: false, unmet: Some(Unmet::Pattern) };
    assert_eq!(seen.detail.kept.as_deref(), Some(&Kept::Dialogue(kept)));
}

#[tokio::test]
async fn a_name_may_be_abstract() {
    let name = format!("thongsuot-test-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
    let seen = talk(Path::new(&format!("@{name}")), Vec::new(), LONG).await;
    ends(&seen, Reason::None);
    let seen = talk(Path::new(&format!("@{name}-2")), Vec::new(), LONG).await;
    ends(&seen, Reason::ConnectRefused);
}

#[tokio::test]
async fn a_socket_that_is_not_there_or_that_nobody_listens_on_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let seen = talk(&folder.path().join("nowhere.sock"), Vec::new(), LONG).await;
    ends(&seen, Reason::ConnectRefused);
    assert!(seen.detail.why.unwrap().starts_with("there is no socket `"));
    let left = folder.path().join("left.sock");
    drop(UnixListener::bind(&left).unwrap());
    let seen = talk(&left, Vec::new(), LONG).await;
    ends(&seen, Reason::ConnectRefused);
    assert!(seen.detail.why.unwrap().starts_with("nobody listens on `"));
    ends(&talk(&left.join("below"), Vec::new(), LONG).await, Reason::ConnectRefused);
}

#[tokio::test]
async fn a_socket_of_another_sort_says_nothing_of_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("datagrams.sock");
    let _socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let seen = talk(&path, Vec::new(), LONG).await;
    assert_eq!(seen.reason.outcome(), Outcome::Void, "{seen:?}");
}

#[tokio::test]
async fn a_peer_without_room_or_without_words_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("full.sock");
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    socket.bind(&socket2::SockAddr::unix(&path).unwrap()).unwrap();
    socket.listen(0).unwrap();
    // The queue takes one more than it says; who waits then is told nothing.
    let mut waiting = Vec::new();
    let seen = loop {
        let seen = talk(&path, Vec::new(), SHORT).await;
        if seen.reason != Reason::None || waiting.len() > 8 {
            break seen;
        }
        waiting.push(UnixStream::connect(&path).await);
    };
    ends(&seen, Reason::TimeoutConnect);
    let peer = Peer::start(|mut stream| async move {
        _ = stream.read_u8().await;
    });
    ends(&talk(&peer.path, vec![expect("x")], SHORT).await, Reason::TimeoutWait);
}

#[tokio::test]
async fn tls_can_go_over_it_and_needs_a_name() {
    let authority = Authority::new();
    let acceptor = authority.acceptor(&[]);
    let peer = Peer::start(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            _ = stream.write_all(b"ready\n").await;
            _ = stream.read_u8().await;
        }
    });
    let run = async |client: TlsClient| {
        let dialogue = vec![expect("^ready$")];
        observe(&unix(&peer.path, Some(client), dialogue, LONG), &net(None)).await
    };
    let named = |name: &str| TlsClient { server_name: Some(name.to_owned()), ..authority.client() };
    let seen = run(named("127.0.0.1")).await;
    ends(&seen, Reason::None);
    assert!(seen.tls_not_after.is_some());
    let seen = run(named("a.vn")).await;
    ends(&seen, Reason::TlsNameMismatch);
    assert!(seen.detail.tls.is_some());
    ends(&run(TlsClient { verify: false, ..TlsClient::default() }).await, Reason::None);
}
