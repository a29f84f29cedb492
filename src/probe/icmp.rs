//! `kind = icmp`: one echo, and its reply.
//!
//! Of an echo that runs out of hops the kernel tells us nothing: it ends at the deadline.
//!
//! The only phases are the name (`dns`), the socket (`connect`, next to nothing), `send` and
//! `wait`, which is the round trip.

mod echo;
mod socket;

use std::io;
use std::net::IpAddr;

use rustix::io::Errno;
use tokio::time::{Instant, timeout_at};

use super::net::Net;
use super::stopwatch::{Fault, Stopwatch};
use super::{conclude, fault, or_slow, resolve};
use crate::model::check::Check;
use crate::model::how::How;
use crate::model::kept::Kept;
use crate::model::observation::{Detail, Observation};
use crate::model::phases::Phase;
use crate::model::reason::Reason;
use crate::model::spec::IcmpSpec;
use echo::Echo;
use socket::{IcmpSocket, Wishes};

/// Sends an echo to the first address of the host and waits for its reply.
pub(super) async fn run(spec: &IcmpSpec, check: &Check, how: How, net: &Net) -> Observation {
    let mut watch = Stopwatch::start(check.timeout);
    let mut detail = Box::<Detail>::default();
    let end = ping(spec, how, net, &mut watch, &mut detail).await;
    let mut observation = conclude(end, watch.read(), detail);
    or_slow(&mut observation, check);
    observation
}

async fn ping(
    spec: &IcmpSpec,
    how: How,
    net: &Net,
    watch: &mut Stopwatch,
    detail: &mut Detail,
) -> Result<(), Fault> {
    let found = resolve::resolve(&spec.host, how, net, watch, detail).await?;
    let target =
        *found.first().ok_or_else(|| Fault::new(Reason::Internal, "no address to ping"))?;
    watch.enter(Phase::Connect);
    detail.remote = Some((target, 0).into());
    let source = how.source.or(net.settings.source).filter(|ip| ip.is_ipv4() == target.is_ipv4());
    // Only a raw socket shows the header that the reply came with, and only of IPv4.
    let raw = how.keep && target.is_ipv4();
    let (ttl, dont_fragment) = (spec.ttl, spec.dont_fragment);
    let socket = socket::open(target, Wishes { source, ttl, dont_fragment, raw })?;
    let echo = Echo::random(target.is_ipv6(), spec.payload_bytes);
    let hop_limit = exchange(&socket, target, &echo, dont_fragment, watch).await?;
    if how.keep {
        detail.kept = Some(Box::new(Kept::Icmp { hop_limit }));
    }
    Ok(())
}

/// The hop limit of the reply, if it can be known. A reply to something else is passed over,
/// however much of it comes.
async fn exchange(
    socket: &IcmpSocket,
    target: IpAddr,
    echo: &Echo,
    in_one_piece: bool,
    watch: &mut Stopwatch,
) -> Result<Option<u8>, Fault> {
    let fault = |error: io::Error| {
        let too_large = Some(Errno::MSGSIZE.raw_os_error());
        if in_one_piece && error.raw_os_error() == too_large {
            let why = format!("the echo is too large to pass to {target} in one piece");
            return Fault::new(Reason::IcmpNoReply, why);
        }
        fault::of_io(&format!("ICMP to {target}"), &error)
    };
    let request = echo.request();
    watch
        .run(Phase::Send, async { socket.inner.send(&request).await.map_err(fault).map(drop) })
        .await?;
    watch.enter(Phase::Wait);
    let mut packet = vec![0; echo.reply_bytes_max()];
    // Asked each time: packets that are always there would keep `timeout_at` from its clock.
    while Instant::now() < watch.deadline() {
        match timeout_at(watch.deadline(), socket.inner.recv(&mut packet)).await {
            Ok(Ok(length)) if echo.is_reply(&packet[..length], socket.raw) => {
                let shown = socket.raw && target.is_ipv4();
                return Ok(shown.then(|| echo::hop_limit(&packet[..length])).flatten());
            }
            Ok(Ok(_another)) => {}
            Ok(Err(error)) => return Err(fault(error)),
            Err(_elapsed) => break,
        }
    }
    let timeout = watch.deadline() - watch.started();
    let why = format!("no echo reply from {target} within the timeout of {timeout:?}");
    Err(Fault::new(Reason::IcmpNoReply, why))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use tokio::net::UdpSocket;

    use super::*;
    use crate::model::time::Micros;

    /// An exchange with `replies` to the request over UDP in place of ICMP, which every
    /// loopback address answers.
    async fn against(replies: impl Fn(Vec<u8>) -> Vec<Vec<u8>>) -> Result<(), Fault> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (ours, theirs) = (UdpSocket::bind(any).await?, UdpSocket::bind(any).await?);
        ours.connect(theirs.local_addr()?).await?;
        theirs.connect(ours.local_addr()?).await?;
        let socket = IcmpSocket { inner: ours, raw: false };
        let mut watch = Stopwatch::start(Micros(300_000));
        let echo = Echo::random(false, 8);
        let answer = async {
            let mut packet = [0; 100];
            let length = theirs.recv(&mut packet).await?;
            for reply in replies(packet[..length].to_vec()) {
                theirs.send(&reply).await?;
            }
            Ok::<(), std::io::Error>(())
        };
        let target = Ipv4Addr::LOCALHOST.into();
        let (end, answered) =
            tokio::join!(exchange(&socket, target, &echo, false, &mut watch), answer);
        answered?;
        end.map(|hop_limit| assert_eq!(hop_limit, None))
    }

    impl From<std::io::Error> for Fault {
        fn from(error: std::io::Error) -> Self {
            Self::new(Reason::Internal, error.to_string())
        }
    }

    fn reply(mut request: Vec<u8>) -> Vec<u8> {
        request[0] = 0;
        request
    }

    #[tokio::test]
    async fn the_reply_is_found_among_others() {
        let end = against(|request| {
            let mut other = reply(request.clone());
            other[10] ^= 1;
            vec![b"x".to_vec(), request.clone(), other, reply(request)]
        });
        assert_eq!(end.await, Ok(()));
    }

    #[tokio::test]
    async fn silence_and_the_replies_of_others_are_no_reply() {
        for others in [0, 20] {
            let fault = against(|request| vec![request; others]).await.unwrap_err();
            assert_eq!(fault.reason, Reason::IcmpNoReply);
            assert_eq!(fault.why, "no echo reply from 127.0.0.1 within the timeout of 300ms");
        }
    }
}
