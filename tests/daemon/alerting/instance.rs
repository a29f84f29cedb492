//! A real Alertmanager (Debian's) that can be stopped, hung, and made to forget.

use std::net::{SocketAddr, TcpListener};
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{Folder, Process, ask, is_installed, until};
use crate::skip::skip;

const PROGRAM: &str = "prometheus-alertmanager";

/// A receiver that tells nobody: the tests look at what stands there.
const CONFIG: &str = "route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n";

/// An instance, running or not.
pub(super) struct Instance {
    folder: Folder,
    pub(super) address: SocketAddr,
    process: Option<Process>,
}

impl Instance {
    /// One that runs; `None`, and said so, if it is not installed.
    pub(super) fn start(test: &str) -> Option<Self> {
        if !is_installed(PROGRAM) {
            skip(test, &format!("{PROGRAM} is not installed"));
            return None;
        }
        let folder = Folder::new();
        std::fs::write(folder.path().join("alertmanager.yml"), CONFIG).unwrap();
        // Free a moment ago; Alertmanager can't choose one itself and say which.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut instance = Self { folder, address, process: None };
        instance.launch();
        Some(instance)
    }

    /// Starts (again), at the same address, and waits until it answers.
    pub(super) fn launch(&mut self) {
        let mut command = Command::new(PROGRAM);
        command
            .current_dir(self.folder.path())
            .args(["--config.file=alertmanager.yml", "--storage.path=data"])
            .arg("--cluster.listen-address=")
            .arg(format!("--web.listen-address={}", self.address));
        self.process = Some(Process::start(command, self.folder.path()));
        until("Alertmanager answers", || ask(self.address, "GET", "/-/ready").ok());
    }

    /// Ends it at once, and with it all that it knew.
    pub(super) fn kill_and_forget(&mut self) {
        self.process.take().unwrap().kill();
        let _ = std::fs::remove_dir_all(self.folder.path().join("data"));
    }

    pub(super) fn signal(&self, signal: Signal) {
        self.process.as_ref().unwrap().signal(signal);
    }

    /// `[[alertmanager]]`, with a short deadline so that a hang is noticed soon.
    pub(super) fn written(&self) -> String {
        format!("[[alertmanager]]\nurl = \"http://{}/\"\ntimeout = \"2s\"\n", self.address)
    }

    /// Active alerts.
    pub(super) fn alerts(&self) -> Vec<Value> {
        let Ok((200, body)) = ask(self.address, "GET", "/api/v2/alerts") else { return Vec::new() };
        serde_json::from_str(&body).unwrap_or_default()
    }

    /// The active alert of this name and label, once it stands there.
    #[track_caller]
    pub(super) fn has(&self, name: &str, label: &str, value: &str) -> Value {
        until(&format!("{name} with {label}={value} stands in Alertmanager"), || {
            let is = |it: &Value| it["labels"]["alertname"] == name && it["labels"][label] == value;
            self.alerts().into_iter().find(is)
        })
    }

    /// Whether there is none of this name and label.
    pub(super) fn lacks(&self, name: &str, label: &str, value: &str) -> bool {
        let is = |it: &Value| it["labels"]["alertname"] == name && it["labels"][label] == value;
        !self.alerts().iter().any(is)
    }
}
