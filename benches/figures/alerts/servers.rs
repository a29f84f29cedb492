//! Servers that answer until their instant comes, and then refuse or hang.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::{Broken, daemon};

/// How many fail.
pub(crate) const SERVERS: usize = 60;

/// All of them within this.
pub(crate) const WINDOW: Duration = Duration::from_mins(1);

/// The same instants in every run.
const SEED: u64 = 20_261_124;

/// A prober that says nothing is waited for so long.
const SAYS_WITHIN: Duration = Duration::from_secs(10);

/// How one fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Its port is closed.
    Refuses,
    /// It takes connections and is silent.
    Hangs,
}

/// One server, by what its check is called.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) id: String,
    pub(crate) address: SocketAddr,
    pub(crate) fault: Fault,
    /// How long after the beginning it fails.
    pub(crate) after: Duration,
}

/// All of them. Gone with this value.
#[derive(Debug)]
pub(crate) struct Servers {
    pub(crate) all: Vec<Server>,
    begin: watch::Sender<Option<Instant>>,
    _serving: JoinSet<()>,
}

impl Servers {
    /// Starts them, all well.
    pub(crate) async fn start() -> Result<Self, Broken> {
        let (begin, begins) = watch::channel(None);
        let (mut dice, mut serving, mut all) =
            (SmallRng::seed_from_u64(SEED), JoinSet::new(), Vec::new());
        for at in 0..SERVERS {
            let host = Ipv4Addr::new(127, 0, 1, u8::try_from(at % 200)? + 1);
            let listener = TcpListener::bind((host, 0)).await?;
            let server = Server {
                id: format!("may-chu-{at:02}"),
                address: listener.local_addr()?,
                fault: if at % 2 == 0 { Fault::Refuses } else { Fault::Hangs },
                after: WINDOW.mul_f64(dice.random_range(0.0..1.0)),
            };
            serving.spawn(serve(listener, server.clone(), begins.clone()));
            all.push(server);
        }
        Ok(Self { all, begin, _serving: serving })
    }

    /// From now on each fails in its turn. Gives the beginning.
    pub(crate) fn begin(&self) -> Instant {
        let now = Instant::now();
        self.begin.send_replace(Some(now));
        now
    }
}

async fn serve(
    listener: TcpListener,
    server: Server,
    mut begins: watch::Receiver<Option<Instant>>,
) {
    let mut answering = JoinSet::new();
    let ends = async {
        let Ok(begin) = begins.wait_for(Option::is_some).await.map(|it| *it) else { return };
        sleep_until(begin.unwrap_or_else(Instant::now) + server.after).await;
    };
    tokio::pin!(ends);
    loop {
        tokio::select! {
            () = &mut ends => break,
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                answering.spawn(answer(stream, true));
            }
        }
        while answering.try_join_next().is_some() {}
    }
    match server.fault {
        Fault::Refuses => drop(listener),
        Fault::Hangs => daemon::hang(listener).await,
    }
}

/// Answers one request, well or not.
async fn answer(mut stream: TcpStream, well: bool) {
    let mut request = Vec::new();
    let asked = async {
        let mut piece = [0; 1_024];
        while !request.ends_with(b"\r\n\r\n") {
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => return,
                Ok(length) => request.extend_from_slice(&piece[..length]),
            }
        }
    };
    if timeout(SAYS_WITHIN, asked).await.is_err() {
        return;
    }
    let status = if well { "200 OK" } else { "503 Service Unavailable" };
    let text = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
    // Whoever has gone away needs no answer.
    let _gone = stream.write_all(text.as_bytes()).await;
}

/// Servers on some addresses that are well or not all together.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) addresses: Vec<SocketAddr>,
    well: Arc<AtomicBool>,
    _serving: JoinSet<()>,
}

impl Shared {
    /// Starts them, all well.
    pub(crate) async fn start(count: u8) -> Result<Self, Broken> {
        let well = Arc::new(AtomicBool::new(true));
        let (mut addresses, mut serving) = (Vec::new(), JoinSet::new());
        for at in 1..=count {
            let listener = TcpListener::bind((Ipv4Addr::new(127, 0, 2, at), 0)).await?;
            addresses.push(listener.local_addr()?);
            let well = Arc::clone(&well);
            serving.spawn(async move {
                let mut answering = JoinSet::new();
                loop {
                    let Ok((stream, _)) = listener.accept().await else { continue };
                    answering.spawn(answer(stream, well.load(Ordering::Relaxed)));
                    while answering.try_join_next().is_some() {}
                }
            });
        }
        Ok(Self { addresses, well, _serving: serving })
    }

    /// From now on all answer well, or all that they can't.
    pub(crate) fn set(&self, well: bool) {
        self.well.store(well, Ordering::Relaxed);
    }
}
