//! Each prober with its settings, and how targets are found.

use super::super::samples::{judge, shown};
use super::*;

const PROMETHEUS: &str = "\
global: { scrape_interval: 30s }
scrape_configs:
- job_name: khac
  static_configs: [{ targets: [\"10.0.0.1:9100\"] }]
- job_name: Cổng dịch vụ công
  metrics_path: /probe
  params: { module: [m] }
  static_configs: [{ targets: [\"TARGET\"] }]
  relabel_configs:
  - { source_labels: [__address__], target_label: __param_target }
  - { source_labels: [__param_target], target_label: instance }
  - { target_label: __address__, replacement: 127.0.0.1:9115 }
";

fn no_files(_: &str) -> Vec<(String, Result<String, String>)> {
    Vec::new()
}

/// Each of `expected` is in what a module (`prober`, and its settings as YAML in one line) makes
/// of a target, or in what is told.
#[track_caller]
fn check(prober: &str, settings: &str, target: &str, expected: &[&str]) {
    let modules = format!(
        "modules:\n  m:\n    prober: {prober}\n    timeout: 5s\n    {prober}: {settings}\n"
    );
    let prometheus = PROMETHEUS.replace("TARGET", target);
    let shown = shown(&blackbox(&modules, Some((&prometheus, &no_files)), &judge).unwrap());
    for it in expected {
        assert!(shown.contains(it), "{prober} {settings}\nwants {it}\n{shown}");
    }
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn each_setting_of_http_is_carried_or_told() {
    let http =
        |settings: &str, expected: &[&str]| check("http", settings, "https://a.vn/x", expected);
    http(
        "{}",
        &[
            "url = \"https://a.vn/x\"",
            "interval = \"30s\"",
            "timeout = \"5s\"",
            "name = \"Cổng dịch vụ công\"",
        ],
    );
    check("http", "{}", "a.vn", &["url = \"http://a.vn\""]);
    http("{ valid_status_codes: [200, 301, 302] }", &["status = [200, \"301-302\"]"]);
    http("{ valid_http_versions: [HTTP/1.1, HTTP/2.0] }", &["versions = [\"1.1\", \"2\"]"]);
    http("{ method: POST, body: x }", &["method = \"POST\"", "body = \"x\""]);
    http("{ body: \"password=hunter2\" }", &["off line 5: body"]);
    http("{ body_file: /etc/x }", &["off line 5: body_file"]);
    http(
        "{ headers: { Host: b.vn, X-Token: hunter2 } }",
        &["host = \"b.vn\"", "env = \"HTTPS_A_VN_X_HEADER_X_TOKEN\""],
    );
    http("{ follow_redirects: false }", &["redirects = { max = 0 }"]);
    http("{ fail_if_ssl: false, fail_if_not_ssl: true }", &["expect = { tls = true }"]);
    http("{ fail_if_body_matches_regexp: [lỗi] }", &["body_not_matches = [\"lỗi\"]"]);
    http("{ fail_if_body_not_matches_regexp: ['^OK', x] }", &["body_matches = [\"^OK\", \"x\"]"]);
    http(
        "{ fail_if_body_not_matches_regexp: ['('] }",
        &["weaker line 5: fail_if_body_not_matches_regexp"],
    );
    let missing =
        "{ fail_if_header_matches: [{ header: Server, regexp: php, allow_missing: true }] }";
    http(missing, &["headers = [{ name = \"Server\", not_matches = \"php\" }]"]);
    http(
        "{ fail_if_header_matches: [{ header: Server, regexp: php }] }",
        &["not_matches = \"php\" }, \"Server\"]"],
    );
    let optional =
        "{ fail_if_header_not_matches: [{ header: A, regexp: b, allow_missing: true }] }";
    http(optional, &["matches = \"b\", optional = true"]);
    http(
        "{ fail_if_body_json_matches_cel: \"body.x\" }",
        &["weaker line 5: fail_if_body_json_matches_cel"],
    );
    http("{ body_size_limit: 10KB }", &["body_cap = 10240"]);
    http(
        "{ basic_auth: { username: u, password: hunter2 } }",
        &["basic = { user = \"u\", password = { env = "],
    );
    http(
        "{ basic_auth: { username: u, password_file: /no/such } }",
        &["off line 5: basic_auth: the secret is in a file", "password = { file = \"/no/such\" }"],
    );
    http("{ authorization: { credentials: hunter2 } }", &["bearer = { env = "]);
    http(
        "{ authorization: { type: Basic, credentials: hunter2 } }",
        &["off line 5: authorization"],
    );
    http("{ bearer_token: hunter2 }", &["bearer = { env = "]);
    let oauth = "{ oauth2: { token_url: https://s.vn/, client_id: i, client_secret: hunter2 } }";
    http(oauth, &["client_secret = { env = "]);
    http("{ proxy_url: http://p.vn:3128 }", &["proxy = \"http://p.vn:3128\""]);
    http("{ enable_http2: false }", &["http_version = \"1.1\""]);
    http(
        "{ tls_config: { insecure_skip_verify: true, server_name: b.vn } }",
        &["verify = false, server_name = \"b.vn\""],
    );
    http("{ tls_config: { ca_file: /no/such } }", &["off line 5: tls_config.ca_file"]);
    http("{ tls_config: { cert_file: /a, key_file: /b } }", &["off line 5: tls_config.cert_file"]);
    http("{ preferred_ip_protocol: ip4, ip_protocol_fallback: false }", &["ip = \"v4\""]);
    http("{ preferred_ip_protocol: ip6 }", &["changed line 5: preferred_ip_protocol"]);
    let relative =
        "{ basic_auth: { username: u, password_file: no/such }, tls_config: { ca_file: a.pem } }";
    http(
        relative,
        &["off line 5: basic_auth: the secret is in a file", "off line 5: tls_config.ca_file"],
    );
    http("{ enable_http3: true }", &["http_version = \"3\""]);
    http(
        "{ http_headers: { A: { values: [b] }, C: { secrets: [hunter2] } } }",
        &["a = \"b\", c = { env = "],
    );
    http("{ proxy_from_environment: true }", &["off line 5: proxy_from_environment"]);
    http("{ gì_đó: 1 }", &["weaker line 5: gì_đó: this setting has no counterpart"]);
}

#[test]
fn each_other_prober_becomes_its_kind() {
    let dialogue = "{ query_response: [{ expect: \"^220 (.*)\" }, { send: \"EHLO ${1}\\r\" }, { expect: ^250, starttls: true }] }";
    check(
        "tcp",
        dialogue,
        "a.vn:25",
        &["address = \"a.vn:25\"", "{ send = \"EHLO $1\\r\\n\" }", "{ starttls = true }"],
    );
    check(
        "tcp",
        "{ tls: true, tls_config: { insecure_skip_verify: true } }",
        "a.vn:443",
        &["tls = { verify = false }"],
    );
    check(
        "icmp",
        "{ payload_size: 100, dont_fragment: true }",
        "a.vn",
        &["payload = 100", "dont_fragment = true"],
    );
    check(
        "grpc",
        "{ tls: true, service: x.Y }",
        "a.vn:443",
        &["tls = { verify = true }", "service = \"x.Y\""],
    );
    let dns = "{ query_name: a.vn, query_type: MX, transport_protocol: tcp, valid_rcodes: [NXDOMAIN], \
        validate_answer_rrs: { fail_if_matches_regexp: [x], fail_if_not_matches_regexp: [y], \
        fail_if_none_matches_regexp: [z], fail_if_all_match_regexp: [w] } }";
    check(
        "dns",
        dns,
        "8.8.8.8",
        &[
            "server = \"8.8.8.8\"",
            "transport = \"tcp\"",
            "rcodes = [\"NXDOMAIN\"]",
            "none_matches = [\"x\"], all_match = [\"y\"], matches = [\"z\"] }",
            "weaker line 5: fail_if_all_match_regexp",
        ],
    );
    check(
        "dns",
        "{ query_name: a.vn }",
        "8.8.8.8",
        &["record = \"ANY\"", "changed line 5: query_type"],
    );
    let websocket = "{ http_config: { headers: { Origin: https://a.vn }, bearer_token: hunter2, \
        tls_config: { insecure_skip_verify: true } }, query_response: [{ send: ping }, { expect: pong }] }";
    check(
        "websocket",
        websocket,
        "wss://a.vn/x",
        &[
            "kind = \"websocket\"\nurl = \"wss://a.vn/x\"",
            "origin = \"https://a.vn\"",
            "bearer = { env = ",
            "tls = { verify = false }",
            "dialogue = [{ send = \"ping\" }, { expect = \"pong\" }]",
        ],
    );
    check(
        "unix",
        "{ query_response: [{ send: PING }] }",
        "/run/a.sock",
        &["kind = \"unix\"\npath = \"/run/a.sock\"", "{ send = \"PING\\n\" }"],
    );
    check("lạ", "{}", "a.vn", &["lost line 8: module m: there is no check of this kind"]);
}

#[test]
fn targets_come_from_files_labels_and_parameters() {
    let modules = "modules:\n  web: { prober: http }\n  ping: { prober: icmp }\n";
    let prometheus = "\
scrape_configs:
- job_name: a
  metrics_path: /probe
  scrape_interval: 15s
  scrape_timeout: 4s
  file_sd_configs: [{ files: [dich.json, khong-co.yml] }]
  relabel_configs:
  - { source_labels: [__address__], target_label: __param_target, replacement: \"https://${1}/\" }
  - { source_labels: [kieu], target_label: __param_module }
  - { source_labels: [__address__], regex: \"(a).*\", action: keep }
- job_name: b
  metrics_path: /probe
  params: { module: [nope], target: [c.vn] }
  static_configs: [{ targets: [\"x:9115\"] }]
  kubernetes_sd_configs: [{ role: ingress }]
";
    let files = |pattern: &str| match pattern {
        "dich.json" => {
            let text = r#"[{"targets":["a.vn","b.vn"],"labels":{"kieu":"web","name":"Cổng","tinh":"01"}}]"#;
            vec![(pattern.to_owned(), Ok(text.to_owned()))]
        }
        other => vec![(other.to_owned(), Err("no such file".to_owned()))],
    };
    let shown = shown(&blackbox(modules, Some((prometheus, &files)), &judge).unwrap());
    for it in [
        "id = \"cong\"",
        "id = \"cong-2\"",
        "url = \"https://b.vn/\"",
        "timeout = \"3500ms\"",
        "lost line 6: khong-co.yml",
        "changed line 10: job a: this relabelling",
        "elsewhere line 2: job a: labels",
        "lost line 14: module nope",
        "lost line 15: kubernetes_sd_configs",
    ] {
        assert!(shown.contains(it), "wants {it}\n{shown}");
    }
}

#[test]
fn a_user_in_an_address_is_in_no_name() {
    check(
        "http",
        "{}",
        "https://u:hunter2@a.vn/x",
        &["name = \"https://a.vn/x\"", "url = \"https://a.vn/x\""],
    );
    check("tcp", "{}", "u:hunter2@a.vn:1", &["# a.vn:1: ", "…@a.vn` is not a host"]);
}

#[test]
fn without_targets_there_is_a_skeleton_for_each_module() {
    let modules = "modules:\n  http_2xx: { prober: http }\n  tcp_tls: { prober: tcp, tcp: { tls: true } }\n  x: { prober: x }\n";
    let made = blackbox(modules, None, &judge).unwrap();
    assert_eq!((made.systems, made.checks), (0, 0));
    for it in [
        "# url = \"https://vi-du.example.gov.vn/\"",
        "# address = \"vi-du.example.gov.vn:443\"",
        "# [[system.check]]",
    ] {
        assert!(made.toml.contains(it), "{it}: {}", made.toml);
    }
    assert!(shown(&made).contains("lost the file: targets"), "{}", shown(&made));
}

#[test]
fn what_is_no_configuration_is_refused_with_a_mend() {
    let check = |modules: &str, prometheus: Option<&str>, expected: &str| {
        let prometheus = prometheus.map(|it| (it, &no_files as Files<'_>));
        let error = blackbox(modules, prometheus, &judge).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("help: "), "{modules}: {error}");
    };
    check("a: [", None, "this is not YAML");
    check("scrape_configs: []", None, "it is prometheus.yml");
    check("x: 1", None, "it has no `modules`");
    check("modules: {}", Some("x: 1"), "it has no `scrape_configs`");
    check("modules: {}", Some("scrape_configs: []"), "no job with");
}
