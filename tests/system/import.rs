//! `thongsuot import`, as an operator uses it: the real binary on files of each of the others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use rusqlite::Connection;
use tempfile::TempDir;
use thongsuot::config::{self, Config};
use thongsuot::import;
use unicode_width::UnicodeWidthStr;

/// Where the samples are.
fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/system/import").join(name)
}

/// Exit code, standard output and standard error of `thongsuot import`.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thongsuot"));
    let output = command.arg("import").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn read(text: &str) -> Result<Config, config::Mistakes> {
    config::parse_with("targets.toml", text, &|_| Some("gia-tri-thay-cho-bi-mat".to_owned()))
}

/// The configuration is taken by our own reader, no secret of the source is in it, and what is
/// told fits on a terminal.
#[track_caller]
fn is_sound(toml: &str, told: &str) -> Config {
    let config = read(toml).unwrap_or_else(|it| panic!("{it}\n{toml}"));
    for text in [toml, told] {
        assert!(!text.contains("bi-mat"), "a secret: {text}");
    }
    for line in told.lines() {
        assert!(line.width() <= 80, "{} columns: {line}", line.width());
    }
    config
}

/// The golden file beside the sample; `THONGSUOT_GOLDEN=write` writes it anew.
#[track_caller]
fn golden(name: &str, text: &str) {
    let path = sample(name);
    if std::env::var_os("THONGSUOT_GOLDEN").is_some_and(|it| it == "write") {
        fs::write(&path, text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert_eq!(text, expected, "{name} is not what it was");
}

#[test]
fn gatus_is_carried_and_what_is_not_is_told() {
    let (code, toml, told) = run(&["gatus", sample("gatus.yaml").to_str().unwrap()]);
    assert_eq!(code, 0, "{told}");
    let config = is_sound(&toml, &told);
    assert_eq!(config.roster.checks().filter(|it| it.disabled.is_none()).count(), 8);
    golden("gatus.toml", &toml);
    golden("gatus.told.txt", &told);
}

#[test]
fn a_backup_of_uptime_kuma_is_carried() {
    let (code, toml, told) = run(&["uptime-kuma", sample("kuma.json").to_str().unwrap()]);
    assert_eq!(code, 0, "{told}");
    let config = is_sound(&toml, &told);
    assert_eq!(config.roster.checks().count(), 3);
    golden("kuma.toml", &toml);
    golden("kuma.told.txt", &told);
}

#[test]
fn blackbox_is_carried_with_the_targets_of_prometheus() {
    let (modules, prometheus) = (sample("blackbox.yml"), sample("prometheus.yml"));
    let modules = modules.to_str().unwrap();
    let (code, toml, told) =
        run(&["blackbox", modules, "--prometheus", prometheus.to_str().unwrap()]);
    assert_eq!(code, 0, "{told}");
    let config = is_sound(&toml, &told);
    assert_eq!(config.roster.checks().count(), 7);
    golden("blackbox.toml", &toml);
    golden("blackbox.told.txt", &told);

    let (code, toml, told) = run(&["blackbox", modules]);
    assert_eq!(code, 0, "{told}");
    assert_eq!(is_sound(&toml, &told).roster.checks().count(), 0);
    assert!(toml.contains("# kind = \"icmp\"") && told.contains("--prometheus"), "{toml}{told}");
}

#[test]
fn what_a_blackbox_yml_means_by_a_mistake_is_not_dropped_without_a_word() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("blackbox.yml");
    let text = "modules:\n  web:\n    prober: http\n    http:\n      valid_status_codes: x\n";
    fs::write(&file, text).unwrap();
    let (code, _, told) = run(&["blackbox", file.to_str().unwrap()]);
    assert_eq!(code, 0, "{told}");
    let place = format!("{}:5:27: ", file.display());
    assert!(told.contains("\nMISTAKES: ") && told.contains(&place), "{told}");
}

/// Tables of version 1.23, as far as they are read, with rows; all columns are named as there.
const KUMA_1: &str = "
CREATE TABLE monitor (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(150), active BOOLEAN DEFAULT 1 NOT NULL,
  user_id INTEGER, interval INTEGER DEFAULT 20 NOT NULL, url TEXT, type VARCHAR(20), weight INTEGER DEFAULT 2000,
  hostname VARCHAR(255), port INTEGER, created_date DATETIME, keyword VARCHAR(255), maxretries INTEGER NOT NULL DEFAULT 0,
  ignore_tls BOOLEAN DEFAULT 0 NOT NULL, upside_down BOOLEAN DEFAULT 0 NOT NULL, maxredirects INTEGER NOT NULL DEFAULT 10,
  accepted_statuscodes_json TEXT NOT NULL DEFAULT '[\"200-299\"]', dns_resolve_type VARCHAR(5),
  dns_resolve_server VARCHAR(255), dns_last_result VARCHAR(255), retry_interval INTEGER NOT NULL DEFAULT 0,
  push_token VARCHAR(20) DEFAULT NULL, method TEXT NOT NULL DEFAULT 'GET', body TEXT, headers TEXT,
  basic_auth_user TEXT, basic_auth_pass TEXT, docker_host INTEGER, docker_container VARCHAR(255), proxy_id INTEGER,
  expiry_notification BOOLEAN DEFAULT 1, mqtt_topic TEXT, mqtt_username VARCHAR(255), mqtt_password VARCHAR(255),
  database_connection_string VARCHAR(2000), database_query TEXT, auth_method VARCHAR(250), grpc_url VARCHAR(255),
  grpc_metadata TEXT, grpc_service_name TEXT, grpc_enable_tls BOOLEAN DEFAULT 0 NOT NULL, radius_secret VARCHAR(255),
  resend_interval INTEGER DEFAULT 0 NOT NULL, packet_size INTEGER DEFAULT 56 NOT NULL, game VARCHAR(255),
  http_body_encoding VARCHAR(25), description TEXT, tls_ca TEXT, tls_cert TEXT, tls_key TEXT, parent INTEGER,
  invert_keyword BOOLEAN DEFAULT 0 NOT NULL, json_path TEXT, expected_value VARCHAR(255), oauth_client_id TEXT,
  oauth_client_secret TEXT, oauth_token_url TEXT, oauth_scopes TEXT, oauth_auth_method TEXT, timeout DOUBLE DEFAULT 0 NOT NULL);
CREATE TABLE tag (id INTEGER PRIMARY KEY, name VARCHAR(255) NOT NULL, color VARCHAR(255) NOT NULL, created_date DATETIME);
CREATE TABLE monitor_tag (id INTEGER PRIMARY KEY, monitor_id INTEGER NOT NULL, tag_id INTEGER NOT NULL, value TEXT);
CREATE TABLE proxy (id INTEGER PRIMARY KEY, user_id INTEGER, protocol VARCHAR(10), host VARCHAR(255), port SMALLINT,
  auth BOOLEAN, username VARCHAR(255), password VARCHAR(255), active BOOLEAN DEFAULT 1, 'default' BOOLEAN DEFAULT 0);
CREATE TABLE notification (id INTEGER PRIMARY KEY, name VARCHAR(255), config VARCHAR(255), active BOOLEAN, user_id INTEGER);
CREATE TABLE maintenance (id INTEGER PRIMARY KEY, title VARCHAR(150), description TEXT, active BOOLEAN DEFAULT 1);
CREATE TABLE status_page (id INTEGER PRIMARY KEY, slug VARCHAR(255), title VARCHAR(255));
CREATE TABLE heartbeat (id INTEGER PRIMARY KEY, monitor_id INTEGER, status SMALLINT, msg TEXT, time DATETIME);
INSERT INTO monitor (id, name, type, interval) VALUES (1, 'Bộ Tư pháp', 'group', 60);
INSERT INTO monitor (id, name, type, url, interval, maxretries, retry_interval, parent, timeout, basic_auth_user,
  basic_auth_pass, keyword) VALUES (2, 'Tra cứu hộ tịch', 'keyword', 'https://hotich.example.gov.vn/', 60, 3, 20, 1, 48,
  'giamsat', 'bi-mat-ho-tich', 'Hộ tịch');
INSERT INTO monitor (id, name, type, hostname, dns_resolve_server, dns_resolve_type, port, interval, active)
  VALUES (3, 'Tên miền', 'dns', 'moj.example.gov.vn', '1.1.1.1', 'A', 53, 300, 0);
INSERT INTO monitor (id, name, type, url, interval, proxy_id, headers, accepted_statuscodes_json) VALUES (4, 'Qua proxy',
  'http', 'https://noibo.example.gov.vn/', 20, 1, '{\"Cookie\":\"bi-mat-cookie\"}', '[\"200-299\",\"301\"]');
INSERT INTO monitor (id, name, type, database_connection_string, interval) VALUES (5, 'Cơ sở dữ liệu', 'postgres',
  'postgres://u:bi-mat-db@10.0.0.5:5433/hotich', 60);
INSERT INTO monitor (id, name, type, docker_container, interval) VALUES (6, 'Vùng chứa', 'docker', 'web', 60);
INSERT INTO proxy VALUES (1, 1, 'http', '10.0.0.1', 3128, 1, 'nguoi', 'bi-mat-proxy', 1, 0);
INSERT INTO tag VALUES (1, 'Bộ Tài chính', '#000', NULL);
INSERT INTO monitor_tag VALUES (1, 4, 1, '');
INSERT INTO notification VALUES (1, 'Thư trực', '{\"type\":\"smtp\",\"smtpPassword\":\"bi-mat-smtp\"}', 1, 1);
INSERT INTO maintenance VALUES (1, 'Nâng cấp tháng 12', '', 1);
INSERT INTO status_page VALUES (1, 'chung', 'Trang chung');
";

/// Columns and rows that version 2.0 has besides.
const KUMA_2: &str = "
ALTER TABLE monitor ADD COLUMN json_path_operator VARCHAR(255);
ALTER TABLE monitor ADD COLUMN conditions TEXT NOT NULL DEFAULT '[]';
ALTER TABLE monitor ADD COLUMN ip_family VARCHAR(4);
ALTER TABLE monitor ADD COLUMN smtp_security VARCHAR(255);
ALTER TABLE monitor ADD COLUMN ws_subprotocol TEXT;
ALTER TABLE monitor ADD COLUMN rabbitmq_nodes TEXT;
ALTER TABLE monitor ADD COLUMN snmp_oid VARCHAR(255);
ALTER TABLE monitor ADD COLUMN ping_count INTEGER NOT NULL DEFAULT 1;
INSERT INTO monitor (id, name, type, url, json_path, json_path_operator, expected_value, interval, ip_family)
  VALUES (7, 'Liên thông', 'json-query', 'https://lienthong.example.gov.vn/api', '$.trang_thai', '==', 'OK', 60, 'ipv4');
INSERT INTO monitor (id, name, type, hostname, port, smtp_security, interval)
  VALUES (8, 'Thư đi', 'smtp', 'mail.example.gov.vn', 587, 'starttls', 60);
INSERT INTO monitor (id, name, type, url, interval) VALUES (9, 'Hàng đợi', 'websocket-upgrade', 'wss://q.example.gov.vn/x', 60);
INSERT INTO monitor (id, name, type, snmp_oid, hostname, interval) VALUES (10, 'Bộ chuyển mạch', 'snmp', '1.3', '10.0.0.9', 60);
";

fn bytes(folder: &TempDir) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap());
    let mut all: Vec<_> = entries
        .map(|it| (it.file_name().into_string().unwrap(), fs::read(it.path()).unwrap()))
        .collect();
    all.sort();
    all
}

#[test]
fn databases_of_both_versions_of_uptime_kuma_are_carried_and_not_touched() {
    for (name, more) in [("kuma1", ""), ("kuma2", KUMA_2)] {
        let folder = TempDir::new().unwrap();
        // A name that must be escaped in an address of SQLite.
        let path = folder.path().join("kuma #1?%.db");
        let database = Connection::open(&path).unwrap();
        database.execute_batch(KUMA_1).unwrap();
        database.execute_batch(more).unwrap();
        drop(database);
        let before = bytes(&folder);
        let (code, toml, told) = run(&["uptime-kuma", path.to_str().unwrap()]);
        assert_eq!(code, 0, "{told}");
        is_sound(&toml, &told);
        assert_eq!(bytes(&folder), before, "the database was changed");
        golden(&format!("{name}.toml"), &toml);
        golden(&format!("{name}.told.txt"), &told);
    }
}

#[test]
fn a_database_in_use_is_read_with_what_was_written_last() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("kuma.db");
    let database = Connection::open(&path).unwrap();
    database.execute_batch("PRAGMA journal_mode = WAL;").unwrap();
    database.execute_batch(KUMA_1).unwrap();
    let before = bytes(&folder);
    let (code, toml, told) = run(&["uptime-kuma", path.to_str().unwrap()]);
    assert_eq!(code, 0, "{told}");
    assert!(is_sound(&toml, &told).roster.checks().any(|it| it.name == "Tra cứu hộ tịch"));
    assert!(told.contains("Uptime Kuma was writing it"), "{told}");
    assert_eq!(bytes(&folder), before, "the database was changed");
}

#[test]
fn a_file_is_written_once_and_checked_by_the_same_program() {
    let folder = TempDir::new().unwrap();
    let target = folder.path().join("targets.toml");
    let target = target.to_str().unwrap();
    let source = sample("kuma.json");
    let source = source.to_str().unwrap();
    let (code, out, told) = run(&["uptime-kuma", source, "-o", target]);
    assert_eq!((code, out.as_str()), (0, ""), "{told}");
    assert!(told.contains("Carried: 2 systems, 3 checks, 1 of them switched off"), "{told}");

    let (code, _, error) = run(&["uptime-kuma", source, "-o", target]);
    assert_eq!(code, 64);
    assert!(error.contains("is there already") && error.contains("--force"), "{error}");
    assert_eq!(run(&["uptime-kuma", source, "-o", target, "--force"]).0, 0);

    let check = |variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_thongsuot"));
        let output =
            command.arg("check").arg(target).envs(variables.iter().copied()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, error) = check(&[]);
    assert_eq!(code, 78);
    assert!(error.contains("CONG_DICH_VU_CONG_BEARER_TOKEN"), "{error}");
    let (code, error) = check(&[("CONG_DICH_VU_CONG_BEARER_TOKEN", "x")]);
    assert_eq!(code, 0, "{error}");
}

#[test]
fn what_can_not_be_imported_is_said_with_what_to_do() {
    let folder = TempDir::new().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let no_table = folder.path().join("khac.db");
    Connection::open(&no_table).unwrap().execute_batch("CREATE TABLE a (b)").unwrap();
    let no_table = no_table.to_str().unwrap();
    let torn = put("hong.db", b"SQLite format 3\0and then nothing that makes sense");
    let (deep, idle) = (put("sau.yml", &[b'['; 9_000]), put("khong-do.yml", b"scrape_configs: []"));
    let (yaml, modules) = (sample("gatus.yaml"), sample("blackbox.yml"));
    let (yaml, modules) = (yaml.to_str().unwrap(), modules.to_str().unwrap());
    let cases: &[(&[&str], i32, &str)] = &[
        (&["gatus", "khong-co.yaml"], 74, "can't read khong-co.yaml"),
        (&["gatus", &put("a", b"a: [")], 78, "this is not YAML (line 1)"),
        (&["gatus", &put("b", &[0xff, 0xfe])], 74, "not text in UTF-8"),
        (&["gatus", modules], 78, "it is blackbox.yml"),
        (&["uptime-kuma", yaml], 78, "this is not JSON (line 1)"),
        (&["uptime-kuma", no_table], 78, "it has no table `monitor`"),
        (&["uptime-kuma", &torn], 74, "can't read"),
        (&["blackbox", yaml], 78, "it has no `modules`"),
        // The file that is wrong is the one that is named.
        (&["blackbox", modules, "--prometheus", &deep], 78, "sau.yml: this is not YAML (line 1)"),
        (&["blackbox", modules, "--prometheus", &idle], 78, "khong-do.yml: this is not a"),
        (&["blackbox", &deep, "--prometheus", &idle], 78, "sau.yml: this is not YAML (line 1)"),
        (&["zabbix", "x"], 64, "zabbix"),
    ];
    for (arguments, expected, text) in cases {
        let (code, out, error) = run(arguments);
        assert_eq!((code, out.as_str()), (*expected, ""), "{arguments:?}: {error}");
        assert!(error.contains(text), "{arguments:?} wants {text}: {error}");
    }
    let (code, help, _) = run(&["--help"]);
    assert_eq!(code, 0);
    assert!(help.contains("thongsuot import uptime-kuma data/kuma.db -o targets.toml"), "{help}");
}

fn judge(text: &str) -> Result<(), String> {
    read(text).map(drop).map_err(|it| it.to_string())
}

fn no_files(_: &str) -> Vec<(String, Result<String, String>)> {
    Vec::new()
}

/// Texts such as operators and their mistakes write.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,30}",
        "(https?|tcp|tls|icmp|wss?|ssh|starttls|grpc|redis)://[a-z@:/?#$\\{\\}\\[\\] .0-9é]{0,20}",
        "\\[(STATUS|BODY|BODY\\]\\.a|HEADER\\]\\.x|RESPONSE_TIME|CERTIFICATE_EXPIRATION|DNS_RCODE|IP)\\]? (==|!=|<|>|<=|>=) (200|any\\(1, 2\\)|pat\\(\\*.{0,6}\\*\\)|.{0,8})",
        "[0-9]{1,20}(s|m|h|ms|d)?",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_an_import_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
        for text in [String::from_utf8_lossy(&bytes).into_owned(), text] {
            let _ = import::gatus(&text, &judge);
            let _ = import::uptime_kuma_backup(&text, &judge);
            let _ = import::blackbox(&text, None, &judge);
            let _ = import::blackbox("modules: {}", Some((&text, &no_files)), &judge);
        }
    }

    #[test]
    fn no_secret_of_any_source_is_written_or_told(
        names in proptest::collection::vec(text(), 6),
        kind in prop_oneof![
            Just("http"), Just("https"), Just("tcp"), Just("tls"), Just("wss"), Just("grpc"), Just("ssh"), Just("redis"),
            Just("starttls"), Just("mqtt"), Just("foo"),
        ],
        text in prop_oneof![Just("postgres"), Just("sqlserver"), Just("mqtt"), Just("redis"), Just("http"), Just("push"),
            Just("rabbitmq"), Just("kafka-producer"), Just("websocket-upgrade")],
    ) {
        const SECRET: &str = "bi-mat-Zx9";
        let it = |at: usize| names[at].as_str();
        let url = format!("{kind}://u:{SECRET}@{}/", it(0));
        let proxy = format!("{}://u:{SECRET}@p.vn:1", it(1));
        let headers = serde_json::json!({ "Authorization": format!("Bearer {SECRET}"), "X-Api-Key": SECRET, "Cookie": SECRET });
        let gatus = serde_json::json!({
            "alerting": { "slack": { "webhook-url": SECRET } },
            "endpoints": [{
                "name": it(2), "url": url, "headers": headers, "conditions": [it(3)], "ssh": { "password": SECRET },
                "body": format!("password={SECRET}"), "client": { "proxy-url": proxy, "oauth2": {
                    "token-url": it(4), "client-id": it(5), "client-secret": SECRET } },
            }],
            "external-endpoints": [{ "name": it(2), "token": SECRET }],
        });
        let kuma = serde_json::json!({
            "monitorList": [{
                "id": 1, "name": it(2), "type": text, "url": url, "headers": headers.to_string(), "basic_auth_user": it(3),
                "basic_auth_pass": SECRET, "pushToken": SECRET, "databaseConnectionString": url, "proxyId": 1,
                "body": format!("{{\"token\":\"{SECRET}\"}}"), "mqttPassword": SECRET, "rabbitmqNodes": [url],
                "kafkaProducerBrokers": [it(0)], "hostname": if text == "mqtt" { url.as_str() } else { "" },
            }],
            "proxyList": [{ "id": 1, "protocol": "http", "host": it(4), "port": 1, "auth": true, "username": it(5), "password": SECRET }],
            "notificationList": [{ "name": it(2), "config": format!("{{\"type\":\"x\",\"token\":\"{SECRET}\"}}") }],
        });
        let modules = serde_json::json!({ "modules": { "m": { "prober": "http", "http": {
            "basic_auth": { "username": it(2), "password": SECRET }, "headers": headers, "proxy_url": proxy,
            "bearer_token": SECRET, "oauth2": { "token_url": it(3), "client_secret": SECRET }, "tls_config": { "key": SECRET },
        } } } });
        let prometheus = serde_json::json!({ "scrape_configs": [{
            "job_name": it(4), "metrics_path": "/probe", "params": { "module": ["m"] },
            "static_configs": [{ "targets": [url] }], "basic_auth": { "password": SECRET },
            "relabel_configs": [{ "source_labels": ["__address__"], "target_label": "__param_target" }],
        }] });
        let made = [
            import::gatus(&gatus.to_string(), &judge),
            import::uptime_kuma_backup(&kuma.to_string(), &judge),
            import::blackbox(&modules.to_string(), Some((&prometheus.to_string(), &no_files)), &judge),
            import::blackbox(&modules.to_string(), None, &judge),
        ];
        for made in made {
            let shown = format!("{made:?}");
            prop_assert!(!shown.contains(SECRET), "{}", shown);
        }
    }

    #[test]
    fn any_endpoint_of_gatus_gives_a_file_that_is_taken(
        names in proptest::collection::vec(text(), 12),
        number in any::<i64>(),
        yes in any::<bool>(),
    ) {
        let it = |at: usize| names[at].as_str();
        let endpoint = serde_json::json!({
            "name": it(0), "group": it(1), "url": it(2), "interval": it(3), "method": it(4), "enabled": yes,
            "conditions": [it(5), it(6), it(7)], "headers": { it(8): it(9), "Authorization": it(10) },
            "body": it(11), "client": { "timeout": it(3), "proxy-url": it(2), "insecure": yes, it(0): it(1) },
            "alerts": [{ "failure-threshold": number }],
        });
        let dns = serde_json::json!({
            "name": it(0), "url": it(2), "dns": { "query-name": it(5), "query-type": it(6) }, "conditions": [it(7)],
        });
        let beat = serde_json::json!({ "name": it(0), "token": it(1), "heartbeat": { "interval": it(3) } });
        let root = serde_json::json!({ "endpoints": [endpoint, dns, endpoint], "external-endpoints": [beat] });
        let made = import::gatus(&root.to_string(), &judge);
        prop_assert!(!matches!(&made, Err(import::ImportError::Refused { .. })), "{:?}", made);
    }

    #[test]
    fn any_monitor_of_uptime_kuma_gives_a_file_that_is_taken(
        names in proptest::collection::vec(text(), 12),
        number in any::<i64>(),
        yes in any::<bool>(),
        kind in prop_oneof![
            Just("http"), Just("keyword"), Just("json-query"), Just("port"), Just("ping"), Just("dns"), Just("push"),
            Just("grpc-keyword"), Just("websocket-upgrade"), Just("smtp"), Just("postgres"), Just("sqlserver"),
        ],
    ) {
        let it = |at: usize| names[at].as_str();
        let monitor = serde_json::json!({
            "id": number, "name": it(0), "type": kind, "url": it(1), "hostname": it(2), "port": number,
            "interval": number, "timeout": it(3), "maxretries": number, "maxredirects": number, "active": yes,
            "accepted_statuscodes": [it(3), "200-999"], "headers": it(4), "body": it(5), "keyword": it(6),
            "jsonPath": it(7), "expectedValue": it(8), "dns_resolve_server": it(9), "dns_resolve_type": it(10),
            "pushToken": it(11), "grpcUrl": it(1), "databaseConnectionString": it(4), "basic_auth_user": it(2),
            "packetSize": number, "parent": number, "tags": [{ "name": it(11) }],
        });
        let root = serde_json::json!({ "monitorList": [monitor, monitor] });
        let made = import::uptime_kuma_backup(&root.to_string(), &judge);
        prop_assert!(!matches!(&made, Err(import::ImportError::Refused { .. })), "{:?}", made);
    }

    #[test]
    fn any_module_of_blackbox_gives_a_file_that_is_taken(
        names in proptest::collection::vec(text(), 8),
        number in any::<i64>(),
        prober in prop_oneof![
            Just("http"), Just("tcp"), Just("dns"), Just("icmp"), Just("grpc"), Just("unix"), Just("websocket"),
        ],
    ) {
        let it = |at: usize| names[at].as_str();
        let settings = serde_json::json!({
            "valid_status_codes": [number, 200], "method": it(0), "headers": { it(1): it(2) }, "body": it(3),
            "fail_if_body_matches_regexp": [it(4)], "fail_if_header_matches": [{ "header": it(1), "regexp": it(4) }],
            "query_response": [{ "expect": it(4), "send": it(5), "starttls": true }], "tls": number > 0,
            "query_name": it(5), "query_type": it(6), "payload_size": number, "service": it(7),
            "validate_answer_rrs": { "fail_if_none_matches_regexp": [it(4)] }, "valid_rcodes": [it(6)],
            "tls_config": { "server_name": it(7), "ca_file": it(0) }, "proxy_url": it(1),
        });
        let modules = serde_json::json!({ "modules": { "m": { "prober": prober, "timeout": it(0), prober: settings } } });
        let prometheus = serde_json::json!({ "scrape_configs": [{
            "job_name": it(3), "metrics_path": "/probe", "params": { "module": ["m"] },
            "static_configs": [{ "targets": [it(1), it(2)], "labels": { "name": it(0) } }],
            "relabel_configs": [{ "source_labels": ["__address__"], "target_label": "__param_target" }],
        }] });
        let prometheus = prometheus.to_string();
        let made = import::blackbox(&modules.to_string(), Some((&prometheus, &no_files)), &judge);
        prop_assert!(!matches!(&made, Err(import::ImportError::Refused { .. })), "{:?}", made);
        let bare = import::blackbox(&modules.to_string(), None, &judge);
        prop_assert!(!matches!(&bare, Err(import::ImportError::Refused { .. })), "{:?}", bare);
    }
}
