//! Requests that are no probe.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::kit::{Rivals, escaped, get};
use crate::nasty::server::{answering, drain, ok, serve};

const MODULES: &str = "
modules:
  http_2xx: {prober: http, http: {preferred_ip_protocol: ip4}}
  hosted: {prober: http, http: {preferred_ip_protocol: ip4, headers: {Host: a.vn}}}
";

#[tokio::test]
async fn a_wrong_request_is_refused_with_the_same_status() {
    let Some(rivals) = Rivals::start(MODULES, &[]).await else { return };
    for (path, status, says) in [
        ("/probe?target=127.0.0.1:1&module=nope", 400, "Unknown module \"nope\""),
        ("/probe?module=http_2xx", 400, "Target parameter is missing"),
        ("/probe?target=127.0.0.1:1&module=hosted&hostname=b.vn", 400, "ost"),
    ] {
        let [ours, theirs] = rivals.pages(path).await;
        assert_eq!((ours.status, theirs.status), (status, status), "{path}");
        assert!(ours.body.contains(says) && theirs.body.contains(says), "{path}: {}", ours.body);
    }
}

#[tokio::test]
async fn an_address_is_read_as_browsers_read_it() {
    let Some(rivals) = Rivals::start(MODULES, &[]).await else { return };
    let server = answering(|_request| ok("x")).await;
    let port = server.addr.port();
    for (host, theirs) in [("127.0.0.1", 1.0), ("127.1", 0.0), ("0x7f.1", 0.0), ("2130706433", 0.0)]
    {
        let (seen, original) = rivals.both("http_2xx", &format!("http://{host}:{port}/")).await;
        assert_eq!((seen["probe_success"], original["probe_success"]), (1.0, theirs), "{host}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    let Some(rivals) = Rivals::start(MODULES, &[]).await else { return };
    for (path, ours, theirs) in [("/config", 404, 200), ("/logs?id=x", 404, 500), ("/", 200, 200)] {
        let [our, their] = rivals.pages(path).await;
        assert_eq!((our.status, their.status), (ours, theirs), "{path}");
    }
    let [ours, theirs] = rivals.pages("/metrics").await;
    for name in [
        "blackbox_module_unknown_total",
        "blackbox_exporter_config_last_reload_successful",
        "blackbox_exporter_config_last_reload_success_timestamp_seconds",
        "process_start_time_seconds",
    ] {
        assert!(ours.body.contains(name) && theirs.body.contains(name), "{name}");
    }
    assert!(!ours.body.contains("blackbox_exporter_build_info"));
}

#[tokio::test]
async fn the_host_and_the_patience_of_the_asker_go_along() {
    let Some(rivals) = Rivals::start(MODULES, &[]).await else { return };
    let server = answering(|request| {
        let host = request
            .lines()
            .find_map(|it| it.to_ascii_lowercase().strip_prefix("host: ").map(str::to_owned));
        ok(&host.unwrap_or_default())
    })
    .await;
    let path = format!("/probe?target={}&hostname=x.gov.vn", escaped(&server.url()));
    for page in rivals.pages(&path).await {
        assert!(page.body.contains("probe_http_content_length 8\n"), "{}", page.body);
    }
    let silent = serve(drain).await;
    let path = format!("/probe?target={}", silent.addr);
    for address in [rivals.ours, rivals.theirs] {
        let page = get(address, &path, "X-Prometheus-Scrape-Timeout-Seconds: 1.2\r\n").await;
        let took = super::kit::metrics(&page.body)["probe_duration_seconds"];
        assert!((0.69..3.0).contains(&took), "{took}");
        let page = get(address, &path, "X-Prometheus-Scrape-Timeout-Seconds: soon\r\n").await;
        assert!(page.status >= 400, "{}", page.status);
    }
}

#[tokio::test]
async fn debug_shows_how_it_went_and_no_secret() {
    let modules = "
modules:
  http_2xx: {prober: http, http: {preferred_ip_protocol: ip4, bearer_token: mat-khau, headers: {X-Api-Key: khoa}}}
";
    let Some(rivals) = Rivals::start(modules, &[]).await else { return };
    let path = "/probe?target=127.0.0.1:1&debug=true";
    let [ours, theirs] = rivals.pages(path).await;
    for part in [
        "Logs for the probe:\n",
        "msg=\"Beginning probe\"",
        "msg=\"Probe failed\"",
        "\n\n\nMetrics that would have been returned:\n# HELP probe_dns_lookup_time_seconds",
        "\n\n\nModule configuration:\nprober: http\n",
        "<secret>",
    ] {
        assert!(theirs.body.contains(part), "theirs: {part}: {}", theirs.body);
        assert!(ours.body.contains(part), "ours: {part}: {}", ours.body);
    }
    assert!(!ours.body.contains("mat-khau") && !ours.body.contains("khoa\n"), "{}", ours.body);
    let _ = rivals.folder();
}

#[tokio::test]
async fn a_probe_ends_with_whoever_asked_for_it() {
    let modules = "
modules:
  http_2xx: {prober: http, timeout: 100s, http: {preferred_ip_protocol: ip4}}
";
    let Some(rivals) = Rivals::start(modules, &[]).await else { return };
    let (ended, mut ends) = tokio::sync::mpsc::channel(1);
    let silent = serve(move |stream| {
        let ended = ended.clone();
        async move {
            drain(stream).await;
            let _gone = ended.send(()).await;
        }
    })
    .await;
    let mut asker = TcpStream::connect(rivals.ours).await.unwrap();
    let request = format!("GET /probe?target={} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", silent.addr);
    asker.write_all(request.as_bytes()).await.unwrap();
    while silent.taken() == 0 {
        tokio::task::yield_now().await;
    }
    drop(asker);
    // Long before the deadline of the probe.
    let end = tokio::time::timeout(Duration::from_secs(30), ends.recv()).await;
    assert_eq!(end, Ok(Some(())));
}
