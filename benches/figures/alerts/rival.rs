//! The usual way: Prometheus asks blackbox_exporter, and a rule alerts. As Debian ships them.

use std::fmt::Write as _;
use std::process::Command;

use super::servers::Server;
use crate::Broken;
use crate::ground::{self, Ground, found, free_port};
use crate::process::Program;
use crate::rival::exporter;

/// The rule's name.
pub(crate) const ALERT: &str = "ProbeFailed";

/// `for: 1m` over scrapes every 15 s, the rules evaluated as in Debian's `prometheus.yml`.
const SCRAPE_S: u64 = 15;
const RULES: &str = "groups:\n- name: probes\n  rules:\n  - alert: ProbeFailed\n    \
                     expr: probe_success == 0\n    for: 1m\n";

/// Prometheus and its exporter.
#[derive(Debug)]
pub(crate) struct Rival {
    _exporter: Program,
    _prometheus: Program,
}

impl Rival {
    /// Starts both, over these servers.
    pub(crate) async fn start(
        ground: &Ground,
        servers: &[Server],
        alertmanager: u16,
    ) -> Result<Self, Broken> {
        let (exporter, port) = exporter(ground, "alerts-bb").await?;
        let folder = ground.folder("alerts-prometheus")?;
        std::fs::write(folder.join("rules.yml"), RULES)?;
        let config = folder.join("prometheus.yml");
        std::fs::write(&config, configuration(servers, port, alertmanager))?;
        let own = free_port().await?;
        let mut command = Command::new(found("prometheus"));
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("tsdb").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{own}"));
        let prometheus = Program::start(&command, &folder.join("log"))?;
        ground::ready(own, "/-/ready").await?;
        Ok(Self { _exporter: exporter, _prometheus: prometheus })
    }
}

fn configuration(servers: &[Server], exporter: u16, alertmanager: u16) -> String {
    let mut text = format!(
        "global: {{ scrape_interval: {SCRAPE_S}s, evaluation_interval: {SCRAPE_S}s }}\n\
         rule_files: [rules.yml]\n\
         alerting: {{ alertmanagers: [{{ static_configs: [{{ targets: ['127.0.0.1:{alertmanager}'] }}] }}] }}\n\
         scrape_configs:\n- job_name: probe\n  metrics_path: /probe\n  params: \
         {{ module: [http_2xx] }}\n  relabel_configs:\n  \
         - {{ source_labels: [__address__], target_label: __param_target }}\n  \
         - {{ target_label: __address__, replacement: '127.0.0.1:{exporter}' }}\n  \
         static_configs:\n"
    );
    for server in servers {
        // Writing to a String can't fail.
        let _always_ok = writeln!(
            text,
            "  - {{ targets: ['http://{}/'], labels: {{ instance: {} }} }}",
            server.address, server.id
        );
    }
    text
}
