//! What systemd is told.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::harness::{Daemon, Folder, PATIENCE, check, config};
use crate::server::Server;

#[test]
fn systemd_hears_that_it_is_ready_alive_and_stopping() {
    let server = Server::start();
    let keys = "interval = \"1s\"\ntimeout = \"1s\"";
    let folder = Folder::with(&config("", &[check("a", server.address(), keys)]));
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let hear = || {
        let mut text = [0; 512];
        let length = socket.recv(&mut text).unwrap();
        String::from_utf8_lossy(&text[..length]).trim().to_owned()
    };
    let mut command = folder.command(&["run"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "1500000");
    let mut daemon = Daemon::ready(command, folder.path());
    let mut heard = vec![hear(), hear(), hear(), hear()];
    heard.sort();
    assert_eq!(heard, ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]);

    // Silent while it stands still: systemd would end it after the limit.
    daemon.process.signal(rustix::process::Signal::STOP);
    socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let mut text = [0; 512];
    let mut more = 0;
    while socket.recv(&mut text).is_ok() {
        more += 1;
    }
    assert!(more <= 1, "{more} messages of a process that stands still");
    daemon.process.signal(rustix::process::Signal::CONT);
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(hear(), "WATCHDOG=1");

    daemon.process.signal(rustix::process::Signal::TERM);
    let mut last = hear();
    while last == "WATCHDOG=1" {
        last = hear();
    }
    assert_eq!(last, "STOPPING=1");
    assert_eq!(daemon.process.end(), 0);
}
