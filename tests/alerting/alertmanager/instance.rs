//! A real Alertmanager, with the shipped configuration.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use serde_json::Value;
use tempfile::TempDir;

use super::until;

/// The binary, as Debian calls it.
pub(super) const PROGRAM: &str = "prometheus-alertmanager";

/// The shipped configuration.
pub(super) const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/alertmanager.yml");

/// A running instance. Ended and gone with this value.
pub(super) struct Instance {
    folder: TempDir,
    pub(super) address: SocketAddr,
    child: Option<Child>,
    arguments: Vec<String>,
}

/// The shipped configuration with receivers at `hook`, without mail, and quick.
pub(super) fn config(hook: SocketAddr) -> String {
    let shipped = fs::read_to_string(SHIPPED).unwrap();
    let (head, mail) = shipped.split_once("    email_configs:\n").unwrap();
    let (_, tail) = mail.split_once("    webhook_configs:\n").unwrap();
    let text = format!("{head}    webhook_configs:\n{tail}");
    let quick = [
        ("http://127.0.0.1:5001", format!("http://{hook}")),
        ("group_wait: 10s", "group_wait: 1s".to_owned()),
        ("group_interval: 1m", "group_interval: 1s".to_owned()),
    ];
    quick.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "the shipped file has no `{from}`");
        text.replace(from, to)
    })
}

/// Free a moment ago; Alertmanager can't choose one itself and say which.
pub(super) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Instance {
    /// Starts one that tells `hook`.
    pub(super) async fn start(hook: SocketAddr) -> Self {
        let mut instance = Self::new(&config(hook), &[]);
        instance.launch().await;
        instance
    }

    /// One that is not started yet.
    pub(super) fn new(config: &str, arguments: &[String]) -> Self {
        let folder = tempfile::Builder::new().prefix("thongsuot-am").tempdir().unwrap();
        fs::write(folder.path().join("alertmanager.yml"), config).unwrap();
        let mut arguments = arguments.to_vec();
        if !arguments.iter().any(|it| it.starts_with("--cluster.listen-address")) {
            arguments.push("--cluster.listen-address=".to_owned());
        }
        Self { folder, address: free_address(), child: None, arguments }
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts (again), at the same address, and waits until it listens.
    pub(super) async fn launch(&mut self) {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let child = Command::new(PROGRAM)
            .current_dir(self.folder.path())
            .args(["--config.file=alertmanager.yml", "--storage.path=data"])
            .arg("--data.retention=1h")
            .arg(format!("--web.listen-address={}", self.address))
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let address = self.address;
        until("Alertmanager listens", async || tokio::net::TcpStream::connect(address).await.ok())
            .await;
    }

    /// Asks it to stop and waits for it.
    pub(super) fn stop(&mut self) {
        self.signal(Signal::TERM);
        self.child.take().unwrap().wait().unwrap();
    }

    /// Ends it at once, and with it all that it knew.
    pub(super) fn kill_and_forget(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        fs::remove_dir_all(self.data()).unwrap();
    }

    pub(super) fn signal(&self, signal: Signal) {
        let id = self.child.as_ref().unwrap().id();
        let id = Pid::from_raw(id.cast_signed()).unwrap();
        kill_process(id, signal).unwrap();
        if signal == Signal::STOP {
            // Until its last thread stands still, it may still answer.
            let stopped = WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT;
            waitid(WaitId::Pid(id), stopped).unwrap();
        }
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("http://{}/api/v2/{path}", self.address);
        let Ok(answer) = plain().get(url).send().await else { return Value::Null };
        answer.json().await.unwrap_or_default()
    }

    /// Every alert that stands there, as its API gives it.
    pub(super) async fn alerts(&self) -> Vec<Value> {
        self.get("alerts").await.as_array().cloned().unwrap_or_default()
    }

    /// How many of its cluster it knows, itself too, once that has settled.
    pub(super) async fn peers(&self) -> usize {
        let status = self.get("status").await;
        let settled = status["cluster"]["status"] == "ready";
        let peers = status["cluster"]["peers"].as_array().map_or(0, Vec::len);
        if settled { peers } else { 0 }
    }

    /// The alert of an incident with this name, once it stands there.
    pub(super) async fn has(&self, number: u32, name: &str) -> Value {
        let id = super::desk::id(number).0;
        until(&format!("{name} of {id} stands"), async || {
            let all = self.alerts().await;
            let it =
                |it: &Value| it["labels"]["incident"] == id && it["labels"]["alertname"] == name;
            all.into_iter().find(it)
        })
        .await
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A client that goes nowhere but where it is told.
fn plain() -> reqwest::Client {
    let provider = std::sync::Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let tls = tokio_rustls::rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(tokio_rustls::rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap()
}
