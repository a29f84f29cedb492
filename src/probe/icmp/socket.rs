//! An ICMP socket: unprivileged where the machine allows it, else raw.

use std::io;
use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use crate::model::reason::Reason;
use crate::probe::fault;
use crate::probe::stopwatch::Fault;

/// An open socket, connected to its target.
pub(super) struct IcmpSocket {
    /// The socket; sending and receiving are the same calls as for UDP.
    pub(super) inner: UdpSocket,
    /// Whether it is raw, and so shows IPv4 headers and everybody's replies.
    pub(super) raw: bool,
}

/// Opens a socket to `target`, sending from `source` if one is set.
///
/// # Errors
///
/// `internal` with the mend if the machine allows neither kind; the socket's error otherwise.
pub(super) fn open(target: IpAddr, source: Option<IpAddr>) -> Result<IcmpSocket, Fault> {
    let (domain, protocol) = match target {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    let (socket, raw) = match Socket::new(domain, Type::DGRAM, Some(protocol)) {
        Ok(socket) => (Ok(socket), false),
        Err(error) if is_forbidden(&error) => {
            (Socket::new(domain, Type::RAW, Some(protocol)), true)
        }
        Err(error) => (Err(error), false),
    };
    let socket = socket.map_err(|error| {
        if is_forbidden(&error) { forbidden() } else { fault::of_io("an ICMP socket", &error) }
    })?;
    let inner = connected(socket, target, source)
        .map_err(|error| fault::of_io(&format!("ICMP to {target}"), &error))?;
    Ok(IcmpSocket { inner, raw })
}

fn connected(socket: Socket, target: IpAddr, source: Option<IpAddr>) -> io::Result<UdpSocket> {
    socket.set_nonblocking(true)?;
    if let Some(source) = source {
        socket.bind(&SocketAddr::new(source, 0).into())?;
    }
    socket.connect(&SocketAddr::new(target, 0).into())?;
    UdpSocket::from_std(socket.into())
}

fn is_forbidden(error: &io::Error) -> bool {
    // A kernel without this kind of socket says "protocol not supported".
    let unsupported = rustix::io::Errno::PROTONOSUPPORT.raw_os_error();
    error.kind() == io::ErrorKind::PermissionDenied || error.raw_os_error() == Some(unsupported)
}

fn forbidden() -> Fault {
    let why = "this machine does not let us send ICMP: allow our group in the sysctl \
               net.ipv4.ping_group_range, or give the program the capability CAP_NET_RAW";
    Fault::new(Reason::Internal, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_forbids_icmp_is_told_how_to_allow_it() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        assert!(is_forbidden(&denied));
        assert!(!is_forbidden(&io::Error::from(io::ErrorKind::AddrInUse)));
        assert_eq!(forbidden().reason, Reason::Internal);
        assert!(forbidden().why.contains("net.ipv4.ping_group_range"));
        assert!(forbidden().why.contains("CAP_NET_RAW"));
    }
}
