//! `/probe` in the place of blackbox_exporter: reloads, and a Prometheus that knows no other.

use crate::harness::{Daemon, Folder, is_installed, until};
use crate::prometheus::{self, query};
use crate::server::Server;
use crate::skip::skip;

const MODULES: &str =
    "modules:\n  http_2xx: {prober: http, timeout: 3s, http: {preferred_ip_protocol: ip4}}\n";

/// The daemon with nothing of its own to watch, and these modules.
fn start(folder: &Folder, modules: &str) -> Daemon {
    folder.write("[monitor]\nvantage = \"hn-1\"\nlisten = \"127.0.0.1:0\"\ndata = \"var\"\n");
    std::fs::write(folder.path().join("blackbox.yml"), modules).unwrap();
    Daemon::ready(folder.command(&["run", "--blackbox-config", "blackbox.yml"]), folder.path())
}

/// A scrape configuration as it was for blackbox_exporter, but for the port.
#[test]
fn a_scrape_configuration_of_blackbox_exporter_goes_on_working() {
    if !is_installed("prometheus") {
        return skip("a real Prometheus scrapes /probe", "prometheus is not installed");
    }
    let (folder, mut server) = (Folder::new(), Server::start());
    let daemon = start(&folder, MODULES);
    let scrape = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n\
         - job_name: blackbox\n  metrics_path: /probe\n  params: {{module: [http_2xx]}}\n  \
         static_configs: [{{targets: ['http://{}/']}}]\n  relabel_configs:\n  \
         - {{source_labels: [__address__], target_label: __param_target}}\n  \
         - {{source_labels: [__param_target], target_label: instance}}\n  \
         - {{target_label: __address__, replacement: '{}'}}\n\
         - job_name: exporter\n  static_configs: [{{targets: ['{}']}}]\n",
        server.address(),
        daemon.address,
        daemon.address,
    );
    let (address, _prometheus) = prometheus::start(&folder, &scrape);
    let asks = |text: &str| until(text, || Some(query(address, text)).filter(|it| !it.is_empty()));

    let up = asks("probe_success{job=\"blackbox\"} == 1");
    assert_eq!(up[0]["instance"], format!("http://{}/", server.address()));
    asks("up{job=\"blackbox\"} == 1");
    asks("probe_http_status_code == 200");
    asks("sum by (instance) (probe_http_duration_seconds) > 0");
    // What Prometheus waits, less half a second.
    asks("probe_timeout_seconds == 0.5");
    asks("blackbox_exporter_config_last_reload_successful == 1");
    asks("thongsuot_probe_requests_total{module=\"http_2xx\", result=\"success\"} > 0");
    server.stop();
    asks("probe_success{job=\"blackbox\"} == 0 and up{job=\"blackbox\"} == 1");
}

#[test]
fn modules_are_reloaded_with_the_configuration_or_not_at_all() {
    let (folder, server) = (Folder::new(), Server::start());
    let daemon = start(&folder, MODULES);
    let probe = |module: &str| {
        let path = format!("/probe?module={module}&target={}", server.address());
        daemon.get(&path).unwrap()
    };
    let (status, body) = probe("http_2xx");
    assert!(status == 200 && body.contains("\nprobe_success 1\n"), "{status}: {body}");
    assert_eq!(probe("more").0, 400);
    assert_eq!(daemon.metric("blackbox_module_unknown_total"), Some(1.0));

    let modules = folder.path().join("blackbox.yml");
    std::fs::write(&modules, MODULES.to_owned() + "  more: {prober: tcp}\n").unwrap();
    until("the new module", || (probe("more").0 == 200).then_some(()));

    std::fs::write(&modules, "modules:\n  http_2xx: {prober: http, http: {metod: GET}}\n").unwrap();
    let (status, answer) = daemon.reload();
    assert!(status >= 400, "{answer}");
    let text = answer.to_string();
    assert!(text.contains("blackbox.yml:2:") && text.contains("metod"), "{text}");
    assert_eq!(daemon.metric("blackbox_exporter_config_last_reload_successful"), Some(0.0));
    assert_eq!(probe("more").0, 200);
}

#[test]
fn without_modules_it_says_how_to_have_them() {
    let folder = Folder::with("[monitor]\nvantage = \"hn-1\"\nlisten = \"127.0.0.1:0\"\n");
    let daemon = folder.start();
    let (status, body) = daemon.get("/probe?target=127.0.0.1").unwrap();
    assert!(status == 404 && body.contains("--blackbox-config"), "{status}: {body}");
    assert_eq!(daemon.metric("blackbox_module_unknown_total"), None);
    let (code, _, error) = folder.run(&["run", "--blackbox-config", "none.yml"]);
    assert!(code == 78 && error.contains("none.yml"), "{code}: {error}");
    std::fs::write(folder.path().join("b.yml"), MODULES).unwrap();
    let (code, out, _) = folder.run(&["check", "--blackbox-config", "b.yml"]);
    assert!(code == 0 && out.contains("/probe: modules: http_2xx"), "{out}");
}
