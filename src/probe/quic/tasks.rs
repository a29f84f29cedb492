//! The work that a QUIC connection needs done while something is waited for on it, done in the
//! task of the run itself.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use quinn::{AsyncTimer, AsyncUdpSocket, Endpoint, EndpointConfig, Runtime, VarInt};
use rustls::CipherSuite;

use crate::probe::stopwatch::Fault;
use crate::probe::{fault, tls};

use super::socket::Socket;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The code of a close that is no error (RFC 9114, section 8.1).
const H3_NO_ERROR: u32 = 0x100;

/// What `quinn` takes for a runtime: it keeps the tasks instead of spawning them.
#[derive(Default)]
struct Tasks {
    new: Mutex<Vec<Task>>,
}

impl Tasks {
    fn taken(&self) -> Vec<Task> {
        std::mem::take(&mut *self.new.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tasks")
    }
}

impl Runtime for Tasks {
    fn new_timer(&self, at: Instant) -> Pin<Box<dyn AsyncTimer>> {
        Box::pin(tokio::time::sleep_until(at.into()))
    }

    fn spawn(&self, future: Task) {
        self.new.lock().unwrap_or_else(PoisonError::into_inner).push(future);
    }

    fn wrap_udp_socket(&self, _: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Err(io::Error::other("an endpoint brings its own socket"))
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

/// A socket and the endpoint on it. Dropping it ends all at once and in silence.
pub(in crate::probe) struct Link {
    endpoint: Endpoint,
    socket: Arc<Socket>,
    tasks: Arc<Tasks>,
    running: Vec<Task>,
    suite: Option<CipherSuite>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // A task holds on to what it would be spawned on: left there, both would stay for ever.
        drop(self.tasks.taken());
    }
}

impl Link {
    /// A link to `remote`, from `source` if that is of its family.
    ///
    /// # Errors
    ///
    /// What [`fault::of_io`] makes of the system's error.
    pub(super) fn open(remote: SocketAddr, source: Option<IpAddr>) -> Result<Self, Fault> {
        let broken = |error: io::Error| fault::of_io(&format!("QUIC to {remote}"), &error);
        let socket = Arc::new(Socket::open(remote, source).map_err(broken)?);
        let tasks = Arc::<Tasks>::default();
        let endpoint = Endpoint::new_with_abstract_socket(
            EndpointConfig::default(),
            None,
            Arc::<Socket>::clone(&socket),
            Arc::<Tasks>::clone(&tasks),
        )
        .map_err(broken)?;
        Ok(Self { endpoint, socket, tasks, running: Vec::new(), suite: None })
    }

    /// The endpoint.
    pub(super) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The socket.
    pub(in crate::probe) const fn socket(&self) -> &Arc<Socket> {
        &self.socket
    }

    /// The cipher suite that keys were last made for: once the handshake is done, the one agreed
    /// on.
    pub(super) const fn suite(&self) -> Option<CipherSuite> {
        self.suite
    }

    /// Waits for `work`, which needs the connection, while driving that.
    ///
    /// # Errors
    ///
    /// The fault of `work`, or what the socket was told by the network ([`Socket::trouble`]).
    pub(in crate::probe) async fn drive<T>(
        &mut self,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let mut work = pin!(work);
        poll_fn(|cx| {
            self.poll(cx);
            // What came whole goes before what the network says of the rest.
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(done);
            }
            self.poll(cx);
            self.socket.trouble().map_or(Poll::Pending, |fault| Poll::Ready(Err(fault)))
        })
        .await
    }

    /// Tells the server that it is over, and waits for nothing.
    pub(in crate::probe) fn close(mut self) {
        self.endpoint.close(VarInt::from_u32(H3_NO_ERROR), b"");
        self.poll(&mut Context::from_waker(Waker::noop()));
    }

    fn poll(&mut self, cx: &mut Context<'_>) {
        self.running.append(&mut self.tasks.taken());
        // What another connection left on this thread.
        let _others = tls::noted();
        self.running.retain_mut(|task| task.as_mut().poll(cx).is_pending());
        self.suite = tls::noted().or(self.suite);
    }
}
