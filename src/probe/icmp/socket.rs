//! An ICMP socket: unprivileged where the machine allows it, else raw.

use std::io;
use std::net::{IpAddr, SocketAddr};

use rustix::net::sockopt::{self, Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery};
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

/// How a socket is to be.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wishes {
    /// The address to send from.
    pub(super) source: Option<IpAddr>,
    /// Most hops.
    pub(super) ttl: Option<u8>,
    /// Whether nothing sent may be cut into fragments.
    pub(super) dont_fragment: bool,
    /// Whether it is better raw.
    pub(super) raw: bool,
}

/// Opens a socket to `target`, as wished.
///
/// # Errors
///
/// `internal` with the mend if the machine allows neither kind; the socket's error otherwise.
pub(super) fn open(target: IpAddr, wishes: Wishes) -> Result<IcmpSocket, Fault> {
    let (domain, protocol) = match target {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    let kinds = if wishes.raw { [Type::RAW, Type::DGRAM] } else { [Type::DGRAM, Type::RAW] };
    let [first, second] = kinds;
    let (socket, kind) = match Socket::new(domain, first, Some(protocol)) {
        Err(error) if is_forbidden(&error) => (Socket::new(domain, second, Some(protocol)), second),
        done => (done, first),
    };
    let socket = socket.map_err(|error| {
        if is_forbidden(&error) { forbidden() } else { fault::of_io("an ICMP socket", &error) }
    })?;
    let inner = connected(socket, target, wishes)
        .map_err(|error| fault::of_io(&format!("ICMP to {target}"), &error))?;
    Ok(IcmpSocket { inner, raw: kind == Type::RAW })
}

fn connected(socket: Socket, target: IpAddr, wishes: Wishes) -> io::Result<UdpSocket> {
    socket.set_nonblocking(true)?;
    match (wishes.ttl, target) {
        (None, _) => {}
        (Some(ttl), IpAddr::V4(_)) => socket.set_ttl_v4(ttl.into())?,
        (Some(ttl), IpAddr::V6(_)) => socket.set_unicast_hops_v6(ttl.into())?,
    }
    // Otherwise the system sets it where it fits, and cuts what does not.
    if wishes.dont_fragment {
        match target {
            IpAddr::V4(_) => sockopt::set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::DO)?,
            IpAddr::V6(_) => sockopt::set_ipv6_mtu_discover(&socket, Ipv6PathMtuDiscovery::DO)?,
        }
    }
    if let Some(source) = wishes.source {
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

    #[tokio::test]
    async fn a_socket_is_as_it_was_wished() {
        let wishes = Wishes { ttl: Some(7), dont_fragment: true, ..Wishes::default() };
        let v4 = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
        let v4 = connected(v4, std::net::Ipv4Addr::LOCALHOST.into(), wishes);
        // A port of 0 can't be connected to over UDP in every kernel.
        if let Ok(v4) = v4 {
            assert_eq!(v4.ttl().unwrap(), 7);
            assert_eq!(sockopt::ip_mtu_discover(&v4).unwrap(), Ipv4PathMtuDiscovery::DO);
        }
        let v6 = Socket::new(Domain::IPV6, Type::DGRAM, None).unwrap();
        if let Ok(v6) = connected(v6, std::net::Ipv6Addr::LOCALHOST.into(), wishes) {
            let mtu = sockopt::ipv6_mtu_discover(&v6).unwrap();
            assert_eq!(mtu, Ipv6PathMtuDiscovery::DO);
            assert_eq!(sockopt::ipv6_unicast_hops(&v6).unwrap(), 7);
        }
    }

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
