//! Each type of monitor, from a backup.

use serde_json::{Value as Json, json};

use super::super::samples::{judge, shown};
use super::*;

/// A backup with these monitors.
fn backup(monitors: &[Json]) -> String {
    let proxies = json!([
        { "id": 1, "protocol": "http", "host": "10.0.0.1", "port": 3128, "auth": true, "username": "u",
          "password": "hunter2", "active": true },
        { "id": 2, "protocol": "socks5", "host": "10.0.0.1", "port": 1080, "auth": false, "active": true },
    ]);
    json!({ "version": "1.23.16", "notificationList": [], "monitorList": monitors, "proxyList": proxies })
        .to_string()
}

/// Each of `expected` is in what a monitor becomes, or in what is told.
#[track_caller]
fn check(monitor: &Json, expected: &[&str]) {
    let mut whole =
        json!({ "id": 7, "name": "Phép thử", "active": true, "interval": 60, "maxretries": 1 });
    for (key, value) in monitor.as_object().unwrap() {
        whole[key] = value.clone();
    }
    let shown = shown(&uptime_kuma_backup(&backup(&[whole.clone()]), &judge).unwrap());
    for it in expected {
        assert!(shown.contains(it), "{whole}\nwants {it}\n{shown}");
    }
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn requests_are_carried_with_what_they_expect() {
    let url = "https://a.vn/";
    check(
        &json!({ "type": "http", "url": url, "accepted_statuscodes": ["200-299", "401"], "maxredirects": 3 }),
        &[
            "status = [\"200-299\", 401]",
            "redirects = { max = 3, to = \"anywhere\" }",
            "confirm = 2",
            "timeout = \"48s\"",
        ],
    );
    check(&json!({ "type": "http", "url": url, "timeout": 12.5 }), &["timeout = \"12500ms\""]);
    check(&json!({ "type": "http", "url": url, "ignoreTls": true }), &["tls = { verify = false }"]);
    check(
        &json!({ "type": "http", "url": url, "expiryNotification": true }),
        &["elsewhere monitor 7: certificate expiry"],
    );
    check(
        &json!({ "type": "keyword", "url": url, "keyword": "Xin chào" }),
        &["body_contains = [\"Xin chào\"]"],
    );
    check(
        &json!({ "type": "keyword", "url": url, "keyword": "lỗi", "invertKeyword": true }),
        &["body_absent = [\"lỗi\"]"],
    );
    let query = |path: &str, operator: &str| json!({ "type": "json-query", "url": url, "jsonPath": path, "jsonPathOperator": operator, "expectedValue": "UP" });
    check(
        &query("trang_thai", "=="),
        &["{ path = \"$.trang_thai\", matches = \"^UP$\" }", "changed"],
    );
    check(&query("$", "contains"), &["{ path = \"$\", matches = \"UP\" }"]);
    check(
        &query("$count(a)", "=="),
        &["weaker monitor 7: $count(a): this expression is more than a path"],
    );
    check(&query("a", "!="), &["weaker monitor 7: a: a value in JSON that must differ"]);
    check(&query("a", ">"), &["weaker monitor 7: a: values in a body"]);
    check(
        &json!({ "type": "real-browser", "url": url }),
        &["kind = \"http\"", "changed monitor 7: real-browser"],
    );
    check(
        &json!({ "type": "http", "url": "nope" }),
        &["lost monitor 7: http: targets.toml does not take it"],
    );
}

#[test]
fn what_a_request_needs_to_get_through_is_carried_or_switches_it_off() {
    let with = |key: &str, value: Json| {
        let mut it = json!({ "type": "http", "url": "https://a.vn/", "basic_auth_user": "u", "basic_auth_pass": "hunter2" });
        it[key] = value;
        it
    };
    check(
        &with("x", json!(1)),
        &["auth = { basic = { user = \"u\", password = { env = \"PHEP_THU_PASSWORD\" } } }"],
    );
    check(&with("authMethod", json!("ntlm")), &["off monitor 7: login by ntlm"]);
    check(&with("authMethod", json!("mtls")), &["off monitor 7: mTLS"]);
    let mut oauth = with("authMethod", json!("oauth2-cc"));
    oauth["oauth_token_url"] = json!("https://s.vn/");
    oauth["oauth_client_id"] = json!("i");
    oauth["oauth_client_secret"] = json!("hunter2");
    oauth["oauth_scopes"] = json!("a b");
    check(
        &oauth,
        &["client_secret = { env = \"PHEP_THU_CLIENT_SECRET\" }", "scopes = [\"a\", \"b\"]"],
    );
    check(
        &with("headers", json!("{\"X-Api-Key\":\"hunter2\",\"Accept\":\"a/b\"}")),
        &["headers = { x-api-key = { env = \"PHEP_THU_HEADER_X_API_KEY\" }, accept = \"a/b\" }"],
    );
    check(&with("headers", json!("X: 1")), &["off monitor 7: headers"]);
    check(
        &with("proxyId", json!(1)),
        &["[system.check.proxy]\nurl = \"http://10.0.0.1:3128\"\nuser = \"u\""],
    );
    check(&with("proxyId", json!(2)), &["off monitor 7: proxy"]);
    check(&with("upsideDown", json!(true)), &["off monitor 7: upside down"]);
    check(&with("active", json!(0)), &["enabled = false\nreason = \"đã tắt trong Uptime Kuma\""]);
    check(&with("body", json!("{\"token\":\"hunter2\"}")), &["off monitor 7: body"]);
    let mut body = with("body", json!("{\"a\":1}"));
    body["method"] = json!("post");
    check(
        &body,
        &["method = \"POST\"", "body = '{\"a\":1}'", "content-type = \"application/json\""],
    );
    check(&with("method", json!("TRACE")), &["off monitor 7: method"]);
}

#[test]
fn other_monitors_become_the_nearest_check_or_are_told() {
    let host = |kind: &str, port: i64| json!({ "type": kind, "hostname": "a.vn", "port": port });
    check(&host("port", 25), &["kind = \"tcp\"", "address = \"a.vn:25\""]);
    check(
        &json!({ "type": "port", "hostname": "2001:db8::1", "port": 25 }),
        &["address = \"[2001:db8::1]:25\""],
    );
    check(
        &json!({ "type": "ping", "hostname": "a.vn", "packetSize": 100, "ipFamily": "ipv4" }),
        &["host = \"a.vn\"", "payload = 100", "ip = \"v4\""],
    );
    let mut dns = json!({ "type": "dns", "hostname": "a.vn", "dns_resolve_server": "1.1.1.1", "dns_resolve_type": "MX", "port": 53 });
    check(&dns, &["query = \"a.vn\"", "record = \"MX\"", "server = \"1.1.1.1\"", "count_min = 1"]);
    dns["conditions"] = json!(
        "[{\"type\":\"expression\",\"andOr\":\"and\",\"variable\":\"record\",\"operator\":\"equals\",\"value\":\"mail.vn\"}]"
    );
    check(&dns, &[r"matches = ['\smail\.vn\.?$']"]);
    dns["conditions"] = json!([{ "type": "group" }]);
    check(&dns, &["weaker monitor 7: conditions"]);
    check(
        &json!({ "type": "push", "pushToken": "hunter2", "interval": 3600 }),
        &[
            "token = { env = \"PHEP_THU_PUSH_TOKEN\" }",
            "max_age = \"1h\"",
            "changed monitor 7: push",
        ],
    );
    check(
        &json!({ "type": "grpc-keyword", "grpcUrl": "a.vn:443", "grpcEnableTls": true, "grpcServiceName": "Tra" }),
        &["kind = \"grpc\"", "tls = true", "off monitor 7: gRPC method"],
    );
    let health = json!({ "type": "grpc-keyword", "grpcUrl": "a.vn:50051", "grpcServiceName": "Health",
        "grpcProtobuf": "package grpc.health.v1;", "grpcMetadata": "{\"authorization\":\"hunter2\"}" });
    check(&health, &["metadata = { authorization = { env = "]);
    check(&host("smtp", 25), &["^220[ -]"]);
    check(
        &json!({ "type": "smtp", "hostname": "a.vn", "smtpSecurity": "starttls" }),
        &["address = \"a.vn:25\"", "starttls = \"smtp\""],
    );
    check(
        &json!({ "type": "websocket-upgrade", "url": "wss://a.vn/x", "wsSubprotocol": "v12.stomp", "ignoreTls": true }),
        &["kind = \"websocket\"", "subprotocol = \"v12.stomp\"", "tls = { verify = false }"],
    );
    check(
        &json!({ "type": "websocket-upgrade", "url": "ws://a.vn/", "wsIgnoreSecWebsocketAcceptHeader": 1 }),
        &["off monitor 7: ignored header"],
    );
    check(&host("mqtt", 1883), &["address = \"a.vn:1883\"", "weaker monitor 7: mqtt"]);
    let database =
        |kind: &str, text: &str| json!({ "type": kind, "databaseConnectionString": text });
    check(&database("postgres", "postgres://u:hunter2@db.vn/x"), &["address = \"db.vn:5432\""]);
    check(&database("redis", "redis://:hunter2@db.vn:6380"), &["address = \"db.vn:6380\""]);
    check(
        &database("sqlserver", "Server=db.vn,1434;User Id=u;Password=hunter2"),
        &["address = \"db.vn:1434\""],
    );
    check(&database("mysql", "u:hunter2@x"), &["lost monitor 7: mysql: it has no address"]);
    check(
        &json!({ "type": "kafka-producer", "kafkaProducerBrokers": ["k.vn:9093"] }),
        &["address = \"k.vn:9093\""],
    );
    check(
        &json!({ "type": "rabbitmq", "rabbitmqNodes": "[\"https://r.vn:15672/\"]" }),
        &["address = \"r.vn:15672\""],
    );
    for lost in ["radius", "snmp", "steam", "gamedig", "docker", "manual", "khác"] {
        check(&json!({ "type": lost }), &["lost monitor 7"]);
    }
}

#[test]
fn groups_and_tags_are_systems() {
    let monitors = [
        json!({ "id": 1, "name": "Bộ Công an", "type": "group" }),
        json!({ "id": 2, "name": "VNeID", "type": "group", "parent": 1 }),
        json!({ "id": 3, "name": "Trang", "type": "http", "url": "https://a.vn/", "parent": 2 }),
        json!({ "id": 4, "name": "Trang", "type": "http", "url": "https://b.vn/", "tags": [{ "name": "Thuế" }] }),
        json!({ "id": 5, "name": "Trang", "type": "http", "url": "https://c.vn/" }),
        json!({ "id": 6, "name": "Vòng", "type": "group", "parent": 6 }),
    ];
    let made = uptime_kuma_backup(&backup(&monitors), &judge).unwrap();
    for it in [
        "name = \"Bộ Công an / VNeID\"",
        "name = \"Thuế\"",
        "name = \"Chưa xếp nhóm\"",
        "id = \"trang-3\"",
    ] {
        assert!(made.toml.contains(it), "{it}: {}", made.toml);
    }
    assert_eq!((made.systems, made.checks), (3, 3));
}

#[test]
fn what_is_no_backup_is_refused_with_a_mend() {
    for (text, expected) in [
        ("x", "this is not JSON (line 1)"),
        ("{}", "it has no `monitorList`"),
        ("[]", "it has no `monitorList`"),
        ("{\"monitorList\":[]}", "there is no monitor in it"),
        ("{\"monitorList\":3}", "there is no monitor in it"),
    ] {
        let error = uptime_kuma_backup(text, &judge).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("help: "), "{text}: {error}");
    }
}
