//! What an error of a datagram socket means.

use std::io;

use rustix::io::Errno;

use super::dial::is_own_shortage;
use super::stopwatch::Fault;
use crate::model::reason::Reason;

/// The fault of `error` while doing `what` on a connected datagram socket, which also hears
/// what ICMP says of earlier datagrams.
///
/// What only our own machine can be the cause of (a rule of its firewall, a datagram too large
/// for it) is `void`.
pub(super) fn of_io(what: &str, error: &io::Error) -> Fault {
    let reason = if is_own_shortage(error) {
        Reason::Fd
    } else {
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            // Port unreachable and protocol unreachable.
            Some(Errno::CONNREFUSED | Errno::NOPROTOOPT) => Reason::ConnectRefused,
            Some(Errno::HOSTUNREACH | Errno::NETUNREACH | Errno::HOSTDOWN | Errno::NONET) => {
                Reason::ConnectUnreachable
            }
            _ => Reason::Internal,
        }
    };
    Fault::new(reason, format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_peer_or_its_network_said_is_blamed_on_it() {
        for (errno, expected) in [
            (Errno::CONNREFUSED, Reason::ConnectRefused),
            (Errno::NOPROTOOPT, Reason::ConnectRefused),
            (Errno::HOSTUNREACH, Reason::ConnectUnreachable),
            (Errno::NETUNREACH, Reason::ConnectUnreachable),
            (Errno::MFILE, Reason::Fd),
            (Errno::NOBUFS, Reason::Fd),
            (Errno::PERM, Reason::Internal),
            (Errno::MSGSIZE, Reason::Internal),
        ] {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            let fault = of_io("UDP to 192.0.2.1:53", &error);
            assert_eq!(fault.reason, expected, "{errno:?}");
            assert!(fault.why.starts_with("UDP to 192.0.2.1:53: "));
        }
    }
}
