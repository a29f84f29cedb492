//! A daemon under test: its folder, its process, its log, and what it answers.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;

/// The binary under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_thongsuot");

/// How long anything may take that takes a second on an idle machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at a condition.
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// Longest that an answer of the daemon is waited for.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Lines of the log that a failed test shows.
const LOG_LINES_SHOWN: usize = 60;

/// Waits until `look` sees something, at most `longest`; panics with what `what` says.
#[track_caller]
pub(crate) fn within<T>(longest: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let from = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(from.elapsed() < longest, "not within {longest:?}: {what}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Waits until `look` sees something, at most [`PATIENCE`].
#[track_caller]
pub(crate) fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, look)
}

/// Whether `program` can be started.
pub(crate) fn is_installed(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let sbin = [PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")];
    std::env::split_paths(&folders).chain(sbin).any(|it| it.join(program).is_file())
}

/// A folder for a configuration, a history and logs.
pub(crate) struct Folder {
    temporary: TempDir,
}

impl Folder {
    /// A new one; gone with this value.
    pub(crate) fn new() -> Self {
        Self { temporary: tempfile::Builder::new().prefix("thongsuot-test").tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// With this configuration.
    pub(crate) fn with(config: &str) -> Self {
        let folder = Self::new();
        folder.write(config);
        folder
    }

    /// Writes the configuration as editors do: a new file in the place of the old one.
    pub(crate) fn write(&self, config: &str) {
        let new = self.path().join("targets.toml.new");
        std::fs::write(&new, config).unwrap();
        std::fs::rename(new, self.path().join("targets.toml")).unwrap();
    }

    /// `thongsuot` with these arguments, in this folder, with a log that is not coloured.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command.env_remove("THONGSUOT_LOG").env_remove("NOTIFY_SOCKET");
        command
    }

    /// Runs a command to its end: exit code, standard output, standard error.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// Starts `thongsuot run` and waits until it is ready.
    pub(crate) fn start(&self) -> Daemon {
        Daemon::ready(self.command(&["run"]), self.path())
    }
}

/// A configuration with a free port and no cap on loopback; `monitor` holds further keys.
pub(crate) fn config(monitor: &str, checks: &[String]) -> String {
    format!(
        "[monitor]\nlisten = \"127.0.0.1:0\"\ndata = \"var\"\nvantage = \"hn-1\"\n\
         timezone = \"Asia/Ho_Chi_Minh\"\nper_host_per_minute = 6000\n{monitor}\n\n\
         [[owner]]\nid = \"bca\"\nname = \"Bộ Công an\"\n\n{}",
        checks.join("\n")
    )
}

/// A system with one HTTP check, both called `id`; `keys` holds further keys of the check.
pub(crate) fn check(id: &str, address: SocketAddr, keys: &str) -> String {
    format!(
        "[[system]]\nid = \"{id}\"\nowner = \"bca\"\nname = \"Hệ thống {id}\"\n\n\
         [[system.check]]\nid = \"{id}\"\nkind = \"http\"\nurl = \"http://{address}/\"\n{keys}\n"
    )
}

/// A process of ours that ends with this value.
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; what it says goes to a new file in `folder`.
    pub(crate) fn start(mut command: Command, folder: &Path) -> Self {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let log = folder.join(format!("{number}.log"));
        let file = std::fs::File::create(&log).unwrap();
        command.stderr(file.try_clone().unwrap()).stdout(file);
        Self { child: command.spawn().unwrap(), log }
    }

    /// What it has said so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Whether it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end; its exit code.
    #[track_caller]
    pub(crate) fn end(&mut self) -> i32 {
        let status = until("the process ends", || self.ended());
        status.code().unwrap_or_else(|| panic!("ended by a signal: {status}"))
    }

    /// Ends it without a chance to tidy up.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|it| it.is_none()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let shown = &lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..];
            eprintln!("--- the end of {}\n{}", self.log.display(), shown.join("\n"));
        }
    }
}

/// A daemon that serves.
pub(crate) struct Daemon {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl Daemon {
    /// Starts it and waits until it is ready.
    #[track_caller]
    pub(crate) fn ready(command: Command, folder: &Path) -> Self {
        let daemon = Self::serving(command, folder);
        until("/-/ready says so", || daemon.get("/-/ready").filter(|(status, _)| *status == 200));
        daemon
    }

    /// Starts it and waits until it says where it serves.
    #[track_caller]
    pub(crate) fn serving(command: Command, folder: &Path) -> Self {
        Self::of(Process::start(command, folder))
    }

    /// The daemon that `process` is, once it says where it serves.
    #[track_caller]
    pub(crate) fn of(mut process: Process) -> Self {
        let address = until("the log says `watching address=…`", || {
            if let Some(status) = process.ended() {
                panic!("it ended with {status} before it watched");
            }
            let log = process.log();
            let rest = log.split("watching address=").nth(1)?;
            rest.split_once(' ')?.0.parse().ok()
        });
        Self { process, address }
    }

    /// Asks for `path`; `None` if nobody answers.
    pub(crate) fn get(&self, path: &str) -> Option<(u16, String)> {
        ask(self.address, "GET", path).ok()
    }

    /// The JSON at `path`, which must be there.
    #[track_caller]
    pub(crate) fn json(&self, path: &str) -> Value {
        let (status, body) = ask(self.address, "GET", path).unwrap();
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Asks it to reload: status and JSON.
    #[track_caller]
    pub(crate) fn reload(&self) -> (u16, Value) {
        let (status, body) = ask(self.address, "POST", "/-/reload").unwrap();
        (status, serde_json::from_str(&body).unwrap())
    }

    /// A check as the API tells it.
    #[track_caller]
    pub(crate) fn check(&self, id: &str) -> Value {
        self.json(&format!("/api/v1/checks/{id}"))
    }

    /// State and reason of a check, with a blank between; `up` alone if there is no reason.
    #[track_caller]
    pub(crate) fn state(&self, id: &str) -> String {
        let check = self.check(id);
        let word = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
        format!("{} {}", word("state"), word("reason")).trim().to_owned()
    }

    /// Waits until a check stands so; how long it took.
    #[track_caller]
    pub(crate) fn until_state(&self, id: &str, state: &str) -> Duration {
        let from = Instant::now();
        let longest = 2 * PATIENCE;
        loop {
            let seen = self.state(id);
            if seen == state {
                return from.elapsed();
            }
            assert!(
                from.elapsed() < longest,
                "not within {longest:?}: `{id}` is `{seen}`, not `{state}`"
            );
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Every stored result of a check that the API gives, oldest first, and its void spans.
    #[track_caller]
    pub(crate) fn results(&self, id: &str) -> (Vec<Value>, Vec<Value>) {
        let mut page = self.json(&format!("/api/v1/checks/{id}/results?limit=10000"));
        assert_eq!(page["next"], Value::Null, "more than one page");
        let mut take = |key: &str| match page[key].take() {
            Value::Array(list) => list,
            other => panic!("`{key}` is {other}"),
        };
        (take("results"), take("void_spans"))
    }

    /// The value of one series of `/metrics`, written as on that page.
    #[track_caller]
    pub(crate) fn metric(&self, series: &str) -> Option<f64> {
        let (status, page) = ask(self.address, "GET", "/metrics").unwrap();
        assert_eq!(status, 200);
        let value = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
        Some(value.parse().unwrap())
    }

    /// The sum of all series that begin with this.
    #[track_caller]
    pub(crate) fn metric_sum(&self, start: &str) -> f64 {
        let (status, page) = ask(self.address, "GET", "/metrics").unwrap();
        assert_eq!(status, 200);
        let of = |line: &str| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
        page.lines().filter(|line| line.starts_with(start)).map(of).sum()
    }

    /// Asks it to end, and waits until it has; its exit code.
    #[track_caller]
    pub(crate) fn terminate(&mut self) -> i32 {
        self.process.signal(Signal::TERM);
        self.process.end()
    }
}

/// One request in a connection of its own: status and body.
pub(crate) fn ask(address: SocketAddr, method: &str, path: &str) -> io::Result<(u16, String)> {
    ask_with(address, method, path, "")
}

/// The same with more header lines, each ended. HTTP/1.0, so that the answer ends with the
/// connection.
pub(crate) fn ask_with(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_TIME_MAX)?;
    stream.set_read_timeout(Some(ANSWER_TIME_MAX))?;
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: 0\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8(answer).map_err(io::Error::other)?;
    let broken = || io::Error::other(format!("not an answer: {answer}"));
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(broken)?;
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).ok_or_else(broken)?;
    Ok((status, body.to_owned()))
}

/// An instant of the API in milliseconds since 1970.
#[track_caller]
pub(crate) fn millis(at: &Value) -> i64 {
    let text = at.as_str().unwrap_or_else(|| panic!("{at} is not an instant"));
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}
