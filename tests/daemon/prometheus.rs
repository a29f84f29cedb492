//! A real Prometheus scrapes the daemon and answers questions about it.

use std::net::{SocketAddr, TcpListener};
use std::process::Command;

use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use crate::harness::{Folder, Process, ask, check, config, is_installed, until};
use crate::server::Server;
use crate::skip::skip;

/// The series that `query` gives, as label sets with the value under `value`.
pub(crate) fn query(prometheus: SocketAddr, query: &str) -> Vec<Value> {
    let escaped: String = byte_serialize(query.as_bytes()).collect();
    let answer = ask(prometheus, "GET", &format!("/api/v1/query?query={escaped}"));
    let Ok((200, body)) = answer else { return Vec::new() };
    let answer: Value = serde_json::from_str(&body).unwrap();
    let series = answer["data"]["result"].as_array().unwrap();
    series.iter().map(|it| it["metric"].clone()).collect()
}

/// Starts Prometheus with this configuration in `folder`; gives where it listens.
pub(crate) fn start(folder: &Folder, config: &str) -> (SocketAddr, Process) {
    std::fs::write(folder.path().join("prometheus.yml"), config).unwrap();
    // Free a moment ago; Prometheus can't choose one itself and say which.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = Command::new("prometheus");
    command.current_dir(folder.path()).args([
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=prometheus-data",
        &format!("--web.listen-address={address}"),
    ]);
    (address, Process::start(command, folder.path()))
}

#[test]
fn a_real_prometheus_sees_it_up_and_the_system_down() {
    if !is_installed("prometheus") {
        return skip("a real Prometheus scrapes", "prometheus is not installed");
    }
    let mut server = Server::start();
    let keys = "interval = \"1s\"\ntimeout = \"1s\"\nexpect = { body_contains = [\"OK\"] }";
    let folder = Folder::with(&config("", &[check("vneid", server.address(), keys)]));
    let daemon = folder.start();

    let scrape = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: thongsuot\n  \
         static_configs: [{{targets: ['{}']}}]\n",
        daemon.address
    );
    let (address, _prometheus) = start(&folder, &scrape);
    let asks = |text: &str| until(text, || Some(query(address, text)).filter(|it| !it.is_empty()));

    assert_eq!(asks("up{job=\"thongsuot\"} == 1").len(), 1);
    let up = asks("thongsuot_system_state{state=\"up\"} == 1");
    assert_eq!(up[0]["system"], "vneid");
    asks("rate(thongsuot_results_total{outcome=\"ok\"}[10s]) > 0");
    asks("histogram_quantile(0.9, rate(thongsuot_result_duration_seconds_bucket[10s])) > 0");

    server.stop();
    let down = asks("thongsuot_system_state{state=\"down\"} == 1");
    assert_eq!((down.len(), &down[0]["system"]), (1, &"vneid".into()));
    let reason = "thongsuot_results_total{outcome=\"unreachable\"} > 0";
    assert_eq!(asks(reason)[0]["check"], "vneid");
    assert_eq!(asks("up{job=\"thongsuot\"} == 1").len(), 1);
}
