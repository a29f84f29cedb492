//! Both exporters, and what they answer.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::skip::skip;

/// Longest that either may take to be there.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that ends with this value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// blackbox_exporter and our daemon with the same modules.
pub(super) struct Rivals {
    pub(super) ours: SocketAddr,
    pub(super) theirs: SocketAddr,
    _processes: [Process; 2],
    folder: TempDir,
}

/// An answer: its status and its body.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Series by name and labels, these sorted.
pub(super) type Metrics = BTreeMap<String, f64>;

impl Rivals {
    /// Starts both with `modules`, in which `{folder}` stands for a folder that holds `files`;
    /// `None`: blackbox_exporter is not installed, and the test is skipped.
    pub(super) async fn start(modules: &str, files: &[(&str, &str)]) -> Option<Self> {
        let program = "prometheus-blackbox-exporter";
        if Command::new(program).arg("--version").output().is_err() {
            skip("nasty::rival", "prometheus-blackbox-exporter is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let modules = modules.replace("{folder}", folder.path().to_str().unwrap());
        let yml = folder.path().join("blackbox.yml");
        std::fs::write(&yml, modules).unwrap();
        let targets = folder.path().join("targets.toml");
        std::fs::write(&targets, "[monitor]\nvantage = \"hn-1\"\nlisten = \"127.0.0.1:0\"\n")
            .unwrap();
        let (theirs, their_process) = their(program, &yml).await;
        let mut ours = Command::new(env!("CARGO_BIN_EXE_thongsuot"));
        ours.args(["run", "--config"]).arg(&targets).arg("--blackbox-config").arg(&yml);
        ours.arg("--data").arg(folder.path().join("data")).current_dir(folder.path());
        let (ours, our_process) = our(ours).await;
        Some(Self { ours, theirs, _processes: [our_process, their_process], folder })
    }

    /// Where the files lie.
    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The metrics that each gives for `module` and `target`: ours, theirs.
    pub(super) async fn both(&self, module: &str, target: &str) -> (Metrics, Metrics) {
        let path = format!("/probe?module={module}&target={}", escaped(target));
        let [ours, theirs] = self.pages(&path).await;
        assert_eq!(ours.status, 200, "{path}: {ours:?}");
        assert_eq!(theirs.status, 200, "{path}: {theirs:?}");
        (metrics(&ours.body), metrics(&theirs.body))
    }

    /// What each answers to a path: ours, theirs.
    pub(super) async fn pages(&self, path: &str) -> [Page; 2] {
        [get(self.ours, path, "").await, get(self.theirs, path, "").await]
    }
}

/// As a value of a query.
pub(super) fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn their(program: &str, yml: &std::path::Path) -> (SocketAddr, Process) {
    // It can't say which port it got, so it is given one that was free just now.
    for _again in 0..20 {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(program);
        command.arg(format!("--config.file={}", yml.display()));
        command.arg(format!("--web.listen-address={free}"));
        let mut process =
            Process(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        if until_there(free, &mut process.0).await {
            return (free, process);
        }
    }
    panic!("blackbox_exporter does not start with the modules of this test");
}

/// Starts ours, which says in its log where it listens.
async fn our(mut command: Command) -> (SocketAddr, Process) {
    command.env_remove("THONGSUOT_LOG").stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut log = child.stderr.take().unwrap();
    let process = Process(child);
    let address = tokio::task::spawn_blocking(move || {
        let (mut text, mut buffer) = (String::new(), [0; 4_096]);
        loop {
            let count = log.read(&mut buffer).unwrap();
            assert!(count > 0, "the daemon ended: {text}");
            text.push_str(&String::from_utf8_lossy(&buffer[..count]));
            let plain = text.split("address=").nth(1).and_then(|it| it.split_whitespace().next());
            if let Some(address) = plain.and_then(|it| it.parse().ok()) {
                // The rest is of no interest, but a full pipe would stop the daemon.
                std::thread::spawn(move || while matches!(log.read(&mut buffer), Ok(1..)) {});
                return address;
            }
        }
    });
    (address.await.unwrap(), process)
}

async fn until_there(address: SocketAddr, child: &mut Child) -> bool {
    let from = Instant::now();
    while from.elapsed() < PATIENCE {
        if TcpStream::connect(address).await.is_ok() {
            return true;
        }
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

/// Asks `address` for `path`; `headers` are lines that end in CRLF.
pub(super) async fn get(address: SocketAddr, path: &str, headers: &str) -> Page {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nhost: 127.0.0.1\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{path}: {text}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Page { status, body: body.to_owned() }
}

/// Reads the text format; labels are sorted, since only their set means something.
pub(super) fn metrics(page: &str) -> Metrics {
    let mut found = Metrics::new();
    for line in page.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
        assert!(found.insert(sorted(series), value).is_none(), "twice: {series}");
    }
    found
}

fn sorted(series: &str) -> String {
    let Some((name, labels)) = series.split_once('{') else { return series.to_owned() };
    let inner = labels.strip_suffix('}').unwrap();
    // A comma between labels follows a quote that is not escaped; `",` is enough for these.
    let mut labels: Vec<_> = inner.split("\",").map(|it| it.trim_end_matches('"')).collect();
    labels.sort_unstable();
    format!("{name}{{{}\"}}", labels.join("\","))
}
