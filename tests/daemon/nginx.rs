//! The example of the first day, byte for byte, against a real nginx: what is wrong with the
//! server is told apart, and in time.

use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::Instant;

use crate::harness::{Daemon, Folder, PATIENCE, Process, ask, is_installed, until, within};
use crate::server::{Manner, Server};
use crate::skip::skip;

/// As written; neither its address nor its times are the test's to choose.
const EXAMPLE: &str = r#"[monitor]
listen = "127.0.0.1:9247"
data = "var"
vantage = "hn-1"
timezone = "Asia/Ho_Chi_Minh"

[[owner]]
id = "bca"
name = "Bộ Công an"

[[system]]
id = "vneid"
owner = "bca"
name = "Định danh và xác thực điện tử (VNeID)"

[[system.check]]
id = "vneid-home"
kind = "http"
url = "http://127.0.0.1:18080/"
interval = "5s"
timeout = "2s"
slow = "500ms"
expect = { status = [200], body_contains = ["OK"], body_absent = ["Hệ thống đang bảo trì"] }
"#;

const CHECK: &str = "vneid-home";

/// The example's interval, timeout, confirm step (all in milliseconds) and K.
const I: u64 = 5_000;
const T: u64 = 2_000;
const R: u64 = 5_000;
const K: u64 = 3;

/// Room for a loaded machine, and for our looking every so often.
const LATE: u64 = 4_000;

/// The port of the example.
const PORT: u16 = 18_080;

/// An nginx in one process that hands every request on to `backend`.
fn start_nginx(folder: &Folder, backend: SocketAddr) -> Process {
    let home = folder.path().join("nginx");
    std::fs::create_dir_all(&home).unwrap();
    let home_text = home.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|it| format!("  {it}_temp_path {home_text}/{it};\n"))
        .concat();
    let config = format!(
        "daemon off;\nmaster_process off;\npid {home_text}/nginx.pid;\nerror_log stderr;\n\
         events {{ worker_connections 64; }}\nhttp {{\n{temporary}  access_log off;\n  \
         server {{\n    listen 127.0.0.1:{PORT};\n    \
         location / {{ proxy_pass http://{backend}; }}\n  }}\n}}\n"
    );
    std::fs::write(home.join("nginx.conf"), config).unwrap();
    let program = if is_installed("nginx") { "/usr/sbin/nginx" } else { "nginx" };
    let mut command = Command::new(program);
    command.arg("-c").arg(home.join("nginx.conf")).arg("-p").arg(&home);
    command.arg("-e").arg("stderr");
    let nginx = Process::start(command, folder.path());
    let address = SocketAddr::from(([127, 0, 0, 1], PORT));
    until("nginx answers", || ask(address, "GET", "/").ok().filter(|(status, _)| *status == 200));
    nginx
}

/// Outcome, reason and status of the newest result.
fn last(daemon: &Daemon) -> String {
    let last = &daemon.check(CHECK)["last"];
    let word = |key: &str| last[key].as_str().unwrap_or("-").to_owned();
    format!("{} {} {}", word("outcome"), word("reason"), last["status"])
}

/// Waits until the check is down for `reason`, which must be confirmed in time; prints how long
/// it took since the fault began.
#[track_caller]
fn goes_down(daemon: &Daemon, fault: &str, reason: &str, newest: &str) {
    let from = Instant::now();
    daemon.until_state(CHECK, &format!("down {reason}"));
    let took = from.elapsed();
    let longest = Duration::from_millis(I + (K - 1) * (R + T) + T + LATE);
    println!("{fault}: down confirmed {:.1} s after it began", took.as_secs_f64());
    assert!(took <= longest, "{fault}: {took:?} is more than {longest:?}");
    assert_eq!(last(daemon), newest, "{fault}");
    let system = daemon.json("/api/v1/systems/vneid");
    assert_eq!((&system["state"], &system["reason"]), (&"down".into(), &reason.into()));
}

#[track_caller]
fn comes_back(daemon: &Daemon) {
    let took = daemon.until_state(CHECK, "up");
    println!("  up again after {:.1} s", took.as_secs_f64());
    // While down it is asked every 5 s here.
    assert!(took <= Duration::from_millis(R + T + LATE), "{took:?}");
}

/// The daemon with an empty history, and the check up.
fn anew(mut daemon: Daemon, folder: &Folder) -> Daemon {
    assert_eq!(daemon.terminate(), 0);
    std::fs::remove_dir_all(folder.path().join("var")).unwrap();
    let daemon = folder.start();
    daemon.until_state(CHECK, "up");
    daemon
}

#[test]
fn the_example_tells_each_fault_of_a_real_nginx_apart_and_in_time() {
    if !is_installed("nginx") {
        return skip("the example against nginx", "nginx is not installed");
    }
    for taken in [PORT, 9_247] {
        // Another run of these tests ends by itself.
        let what = format!("port {taken} of the example is free: end what listens there");
        within(4 * PATIENCE, &what, || TcpListener::bind(("127.0.0.1", taken)).ok());
    }
    let server = Server::start();
    let folder = Folder::with(EXAMPLE);
    let mut nginx = start_nginx(&folder, server.address());
    let daemon = folder.start();
    assert_eq!(daemon.address.to_string(), "127.0.0.1:9247");
    daemon.until_state(CHECK, "up");
    assert_eq!(last(&daemon), "ok none 200");

    server.set(Manner::After(Duration::from_millis(900)));
    daemon.until_state(CHECK, "slow over_slow");
    assert_eq!(last(&daemon), "slow over_slow 200");

    server.set(Manner::Good);
    comes_back(&daemon);
    server.set(Manner::Broken);
    goes_down(&daemon, "wrong status", "http_status", "error http_status 500");

    server.set(Manner::Good);
    comes_back(&daemon);
    server.set(Manner::Maintenance);
    goes_down(&daemon, "maintenance text", "body_forbidden", "error body_forbidden 200");
    let why = daemon.check(CHECK)["why"].to_string();
    assert!(why.contains("Hệ thống đang bảo trì"), "{why}");

    server.set(Manner::Good);
    comes_back(&daemon);
    // So many bad ones are remembered that a single one is an outage: a new start for the others.
    let daemon = anew(daemon, &folder);
    nginx.signal(Signal::STOP);
    goes_down(&daemon, "hang", "timeout_wait", "hang timeout_wait null");
    let total_us = daemon.check(CHECK)["last"]["total_us"].as_u64().unwrap();
    assert!((T * 1_000..T * 1_000 + 500_000).contains(&total_us), "{total_us}");

    nginx.signal(Signal::CONT);
    comes_back(&daemon);
    let mut daemon = anew(daemon, &folder);
    nginx.kill();
    goes_down(&daemon, "stop", "connect_refused", "unreachable connect_refused null");

    let nginx = start_nginx(&folder, server.address());
    comes_back(&daemon);
    drop(nginx);
    assert_eq!(daemon.terminate(), 0);
    assert_eq!(std::fs::read(folder.path().join("targets.toml")).unwrap(), EXAMPLE.as_bytes());
    assert!(folder.path().join("var/history.sqlite").is_file());
}
