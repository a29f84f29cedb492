//! Connections: how many, how long, and how they end.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower_service::Service;
use tracing::{debug, error, warn};

use super::large::Deadline;
use super::patient::Patient;
use super::peers::{Peers, Place};

/// What a connection may cost. The defaults are for production, others for tests.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most connections at once; further ones wait in the kernel's queue. One
    /// peer address has at most a quarter of them (but 4), a loopback address half: its further
    /// ones are closed at once.
    pub connections: usize,
    /// Longest wait for the head of a request, so also the longest idle time of a connection.
    /// With `connections` it bounds how long someone who sends nothing can keep others out.
    pub head_time: Duration,
    /// How long a client may take nothing of an answer.
    pub write_stall: Duration,
    /// Longest life of a connection, whatever happens on it. A client that is still there
    /// connects anew.
    pub life: Duration,
    /// How long a client may take to read a large answer. Few are under way at once, so a
    /// client that reads it byte by byte keeps others out for no longer than this.
    pub answer_time: Duration,
    /// How long an answer under way may take once the connection's life is over: as long as the
    /// longest probe that somebody waits for.
    pub last_answer: Duration,
    /// How long answers under way may take once the end has come.
    pub grace: Duration,
}

impl Default for Limits {
    /// A few people, a few Prometheus servers and many heartbeats need a tenth of 256
    /// connections; 10 s to send a head is ten times what a bad line needs.
    fn default() -> Self {
        Self {
            connections: 256,
            head_time: Duration::from_secs(10),
            write_stall: Duration::from_secs(20),
            life: Duration::from_mins(10),
            answer_time: Duration::from_mins(1),
            last_answer: Duration::from_mins(2),
            grace: Duration::from_secs(10),
        }
    }
}

/// Largest head of a request: cookies of other services on the same host included.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Most header lines of a request.
const HEAD_LINES_MAX: usize = 64;

/// Wait after a failed accept: it fails for want of descriptors, which come back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown`, then ends idle connections at once and others within the grace.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let peers = Peers::new(limits.connections);
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => {
                if let Err(panic) = ended {
                    error!(%panic, "a handler broke; its connection is closed");
                }
            }
            accepted = accept(&listener, &slots) => {
                // One who is let in too often is hung up on: the stream is dropped.
                if let Some((stream, peer, slot)) = accepted
                    && let Some(peer) = peers.let_in(peer)
                {
                    let (router, slot) = (router.clone(), (slot, peer));
                    connections.spawn(connection(stream, slot, router, limits, stopped.clone()));
                }
            }
        }
    }
    drop(listener);
    stop.send_replace(true);
    let drained = timeout(limits.grace, async { while connections.join_next().await.is_some() {} });
    if drained.await.is_err() {
        warn!(connections = connections.len(), "closing connections that are still busy");
        connections.shutdown().await;
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer.ip(), slot)),
        Err(error) => {
            warn!(%error, "can't accept a connection");
            sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// Serves one connection to its end. The slot is free after that.
async fn connection(
    stream: TcpStream,
    slot: (OwnedSemaphorePermit, Place),
    router: Router,
    limits: Limits,
    mut stopped: watch::Receiver<bool>,
) {
    let (deadline, overdue) = Deadline::new(limits.answer_time);
    let answer = service_fn(move |mut request: hyper::Request<Incoming>| {
        let mut router = router.clone();
        request.extensions_mut().insert(deadline.clone());
        async move { Ok::<_, Infallible>(into_ok(router.call(request).await)) }
    });
    let io = TokioIo::new(Patient::new(stream, limits.write_stall));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEAD_LINES_MAX)
        .serve_connection(io, answer);
    let mut serving = pin!(serving);
    let mut overdue = pin!(overdue);
    let ended = tokio::select! {
        ended = serving.as_mut() => Some(ended),
        _ = stopped.wait_for(|stopped| *stopped) => None,
        () = sleep(limits.life) => None,
        () = overdue.as_mut() => {
            debug!("a connection took too long to read an answer");
            return;
        }
    };
    let ended = if let Some(ended) = ended {
        Ok(ended)
    } else {
        serving.as_mut().graceful_shutdown();
        let end = async {
            let _told = stopped.wait_for(|stopped| *stopped).await.is_ok();
            sleep(limits.grace).await;
        };
        tokio::select! {
            ended = timeout(limits.last_answer, serving) => ended.map_err(|_elapsed| ()),
            () = end => Err(()),
            () = overdue => Err(()),
        }
    };
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%error, "a connection broke"),
        Err(()) => debug!("a connection was still busy at its end"),
    }
    drop(slot);
}

fn into_ok<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(it) => it,
        Err(never) => match never {},
    }
}
