//! `kind = unix`: a stream socket in this machine's file system, and a dialogue of lines.
//!
//! There is no name to resolve and no address: `dns` is next to nothing, and `connect` is the time
//! until the peer has room for us. A socket that is missing or that nobody listens on is
//! `connect_refused`; one that we may not open says nothing of the service, and is void.

use std::io;
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use tokio::net::UnixStream;
use tokio::time::sleep;
use url::Host;

use super::dial::is_own_shortage;
use super::dialogue::{Dialogue, Terms};
use super::net::Net;
use super::stopwatch::Fault;
use crate::model::check::Check;
use crate::model::how::How;
use crate::model::observation::Observation;
use crate::model::phases::Phase;
use crate::model::reason::Reason;
use crate::model::spec::UnixSpec;
use crate::model::time::Millis;

/// How long we wait before we knock again at a socket whose queue is full; the kernel does not
/// tell when there is room.
const KNOCK_AGAIN: Duration = Duration::from_millis(10);

/// Connects, and says and hears what the check says.
pub(super) async fn run(
    spec: &UnixSpec,
    check: &Check,
    how: How,
    net: &Net,
    now: Millis,
) -> Observation {
    let terms = Terms {
        lines: &spec.dialogue,
        tls: spec.tls.as_ref(),
        // An address, so that no name is asked for where none is written.
        host: &Host::Ipv4(Ipv4Addr::LOCALHOST),
        cert: spec.cert,
        now,
    };
    let mut dialogue = Dialogue::begin(terms, check, net);
    let end = talk(&mut dialogue, &spec.path).await;
    dialogue.end(end, check, how)
}

async fn talk(dialogue: &mut Dialogue<'_>, path: &Path) -> Result<(), Fault> {
    let stream = dialogue.watch.run(Phase::Connect, connect(path)).await?;
    dialogue.hold(stream).await
}

async fn connect(path: &Path) -> Result<UnixStream, Fault> {
    let name = name_of(path);
    loop {
        match UnixStream::connect(&name).await {
            Ok(stream) => return Ok(stream),
            // Its queue is full: what a call that blocks would wait for.
            Err(error) if errno(&error) == Some(Errno::AGAIN) => sleep(KNOCK_AGAIN).await,
            Err(error) => return Err(fault(path, &error)),
        }
    }
}

/// The name as the kernel knows it: an abstract one begins with NUL.
fn name_of(path: &Path) -> PathBuf {
    match path.as_os_str().as_bytes() {
        [b'@', rest @ ..] => {
            let bytes = [b"\0", rest].concat();
            PathBuf::from(std::ffi::OsStr::from_bytes(&bytes))
        }
        _ => path.to_path_buf(),
    }
}

fn errno(error: &io::Error) -> Option<Errno> {
    error.raw_os_error().map(Errno::from_raw_os_error)
}

fn fault(path: &Path, error: &io::Error) -> Fault {
    let name = path.display();
    if is_own_shortage(error) {
        return Fault::new(Reason::Fd, format!("connecting to `{name}`: {error}"));
    }
    match errno(error) {
        Some(Errno::NOENT | Errno::NOTDIR) => {
            Fault::new(Reason::ConnectRefused, format!("there is no socket `{name}`"))
        }
        Some(Errno::CONNREFUSED) => {
            Fault::new(Reason::ConnectRefused, format!("nobody listens on `{name}`"))
        }
        Some(Errno::CONNRESET | Errno::PIPE) => {
            Fault::new(Reason::ConnectReset, format!("connecting to `{name}`: {error}"))
        }
        Some(Errno::ACCESS | Errno::PERM) => {
            let why = format!("this monitor may not open `{name}`: give it write permission");
            Fault::new(Reason::Internal, why)
        }
        // Such as a socket of datagrams: not what the check is about.
        _ => Fault::new(Reason::Internal, format!("connecting to `{name}`: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_service_can_mend_is_blamed_on_it() {
        for (errno, expected) in [
            (Errno::NOENT, Reason::ConnectRefused),
            (Errno::NOTDIR, Reason::ConnectRefused),
            (Errno::CONNREFUSED, Reason::ConnectRefused),
            (Errno::CONNRESET, Reason::ConnectReset),
            (Errno::ACCESS, Reason::Internal),
            (Errno::PERM, Reason::Internal),
            (Errno::PROTOTYPE, Reason::Internal),
            (Errno::MFILE, Reason::Fd),
        ] {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            let fault = fault(Path::new("/run/a.sock"), &error);
            assert_eq!(fault.reason, expected, "{errno:?}");
            assert!(fault.why.contains("`/run/a.sock`"), "{}", fault.why);
        }
    }

    #[test]
    fn a_name_with_an_at_sign_is_abstract() {
        assert_eq!(name_of(Path::new("@app")), Path::new("\0app"));
        assert_eq!(name_of(Path::new("./@app")), Path::new("./@app"));
    }
}
