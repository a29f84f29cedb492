//! A real Alertmanager, and when each alert first stands in it.

use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::Broken;
use crate::ground::{self, Ground, found, free_port};
use crate::process::Program;

/// How often it is looked: what is measured is too long by half of it.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// An instance of Debian's, with nobody to tell.
#[derive(Debug)]
pub(crate) struct Alertmanager {
    pub(crate) port: u16,
    /// The label that says which server an alert is about.
    label: &'static str,
    /// The alert that is looked for.
    name: &'static str,
    _program: Program,
}

impl Alertmanager {
    /// Starts it.
    pub(crate) async fn start(
        ground: &Ground,
        folder: &str,
        (name, label): (&'static str, &'static str),
    ) -> Result<Self, Broken> {
        let (folder, port) = (ground.folder(folder)?, free_port().await?);
        let config = folder.join("alertmanager.yml");
        std::fs::write(&config, "route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n")?;
        let mut command = Command::new(found("prometheus-alertmanager"));
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=");
        let program = Program::start(&command, &folder.join("log"))?;
        ground::ready(port, "/-/ready").await?;
        Ok(Self { port, label, name, _program: program })
    }

    /// When each of `count` alerts was first seen, by its label; those that stand there within
    /// `most`.
    pub(crate) async fn watch(
        &self,
        count: usize,
        most: Duration,
    ) -> Result<HashMap<String, Instant>, Broken> {
        let (begun, mut seen) = (Instant::now(), HashMap::new());
        while seen.len() < count && begun.elapsed() < most {
            let standing = self.standing().await?;
            let now = Instant::now();
            for id in standing {
                seen.entry(id).or_insert(now);
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(seen)
    }

    /// Alerts that stand in it now.
    pub(crate) async fn standing(&self) -> Result<Vec<String>, Broken> {
        let all: Vec<Value> =
            serde_json::from_str(&ground::get(self.port, "/api/v2/alerts?active=true").await?)?;
        let ours = all.iter().map(|it| &it["labels"]).filter(|it| it["alertname"] == self.name);
        Ok(ours.filter_map(|it| it[self.label].as_str().map(str::to_owned)).collect())
    }
}
