//! A TCP connection, and what its failure means.

use std::io;
use std::net::{IpAddr, SocketAddr};

use rustix::io::Errno;
use tokio::net::{TcpSocket, TcpStream};

use crate::model::how::How;
use crate::model::observation::Detail;
use crate::model::phases::Phase;
use crate::model::reason::Reason;

use super::net::Net;
use super::stopwatch::{Fault, Stopwatch};

/// Connects to the first of `addresses` that takes us; the next is tried when one refuses or
/// can't be reached. Time goes to `connect`; `detail.remote` says where it went last.
///
/// # Errors
///
/// The fault of the last address tried, `timeout_connect`, or `fd` where our own side ran short.
pub(super) async fn connect(
    addresses: &[IpAddr],
    port: u16,
    how: How,
    net: &Net,
    watch: &mut Stopwatch,
    detail: &mut Detail,
) -> Result<TcpStream, Fault> {
    watch.enter(Phase::Connect);
    let mut last = Fault::new(Reason::Internal, "no address to connect to");
    let tried = if how.first_only { 1 } else { addresses.len() };
    for ip in addresses.iter().take(tried) {
        let remote = SocketAddr::new(*ip, port);
        detail.remote = Some(remote);
        match watch
            .run(Phase::Connect, connect_one(remote, how.source.or(net.settings.source)))
            .await
        {
            Ok(stream) => return Ok(stream),
            Err(fault) if may_try_next(fault.reason) => last = fault,
            Err(fault) => return Err(fault),
        }
    }
    Err(last)
}

/// Whether another address may do where one failed for `reason`.
pub(super) const fn may_try_next(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::ConnectRefused
            | Reason::ConnectReset
            | Reason::ConnectUnreachable
            | Reason::ConnectTimeout
    )
}

async fn connect_one(remote: SocketAddr, source: Option<IpAddr>) -> Result<TcpStream, Fault> {
    let fault = |error: io::Error| connect_fault(remote, &error);
    let socket =
        if remote.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(fault)?;
    if let Some(source) = source.filter(|ip| ip.is_ipv4() == remote.is_ipv4()) {
        socket.bind(SocketAddr::new(source, 0)).map_err(fault)?;
    }
    let stream = socket.connect(remote).await.map_err(fault)?;
    stream.set_nodelay(true).map_err(fault)?;
    Ok(stream)
}

fn connect_fault(remote: SocketAddr, error: &io::Error) -> Fault {
    let why = format!("connecting to {remote}: {error}");
    if is_own_shortage(error) {
        return Fault::new(Reason::Fd, why);
    }
    let reason = match error.raw_os_error().map(Errno::from_raw_os_error) {
        // An administrative refusal by ICMPv6 comes as the second.
        Some(Errno::CONNREFUSED | Errno::ACCESS) => Reason::ConnectRefused,
        // Only a packet filter of this machine says so.
        Some(Errno::PERM) => Reason::SelfNet,
        Some(Errno::TIMEDOUT) => Reason::ConnectTimeout,
        Some(Errno::CONNRESET | Errno::CONNABORTED | Errno::PIPE | Errno::NOTCONN) => {
            Reason::ConnectReset
        }
        _ => Reason::ConnectUnreachable,
    };
    Fault::new(reason, why)
}

/// Whether an error says that we have run out of descriptors, ports or memory.
pub(super) fn is_own_shortage(error: &io::Error) -> bool {
    let short = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::ADDRNOTAVAIL,
        Errno::NOMEM,
        Errno::NOBUFS,
        Errno::AGAIN,
    ];
    error.raw_os_error().is_some_and(|code| short.contains(&Errno::from_raw_os_error(code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_connecting_blame_the_right_side() {
        let remote = SocketAddr::from(([127, 0, 0, 1], 1));
        for (errno, expected) in [
            (Errno::CONNREFUSED, Reason::ConnectRefused),
            (Errno::ACCESS, Reason::ConnectRefused),
            (Errno::CONNRESET, Reason::ConnectReset),
            (Errno::TIMEDOUT, Reason::ConnectTimeout),
            (Errno::HOSTUNREACH, Reason::ConnectUnreachable),
            (Errno::NETUNREACH, Reason::ConnectUnreachable),
            (Errno::PERM, Reason::SelfNet),
            (Errno::MFILE, Reason::Fd),
            (Errno::NFILE, Reason::Fd),
            (Errno::ADDRNOTAVAIL, Reason::Fd),
            (Errno::NOMEM, Reason::Fd),
        ] {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            assert_eq!(connect_fault(remote, &error).reason, expected, "{error}");
        }
    }
}
