//! Each form of condition and each kind of endpoint.

use std::fmt::Write as _;

use super::super::samples::{judge, shown};
use super::*;

/// One endpoint, as YAML, with these conditions.
fn endpoint(more: &str, conditions: &[&str]) -> String {
    let mut text =
        format!("endpoints:\n- name: Cổng thử\n  {}\n  conditions:\n", more.replace('\n', "\n  "));
    for it in conditions {
        let _ = writeln!(text, "  - {}", serde_json::Value::from(*it));
    }
    text
}

/// `expected` is in what an `http` endpoint with this condition becomes, or in what is told.
#[track_caller]
fn condition(text: &str, expected: &str) {
    let yaml = endpoint("url: https://a.vn/", &[text]);
    let shown = shown(&gatus(&yaml, &judge).unwrap());
    assert!(shown.contains(expected), "{text}\nwants {expected}\n{shown}");
}

#[test]
fn each_form_of_condition_is_carried_or_told() {
    condition("[STATUS] == 200", "status = [200]");
    condition("[STATUS] < 300", "status = [\"100-299\"]");
    condition("[STATUS] != 404", "status = [\"100-403\", \"405-599\"]");
    condition("[STATUS] == any(200, 429)", "blocked = false");
    condition("[STATUS] == pat(2*)", "status = [\"200-299\"]");
    condition("[STATUS] > 999", "weaker line 5: [STATUS]: no answer can meet this");
    condition("[RESPONSE_TIME] < 500", "response_time = \"500ms\"");
    condition("[RESPONSE_TIME] <= 1s", "response_time = \"1s\"");
    condition("[RESPONSE_TIME] < 60000", "status = [\"100-599\"] }\n\n");
    condition("[RESPONSE_TIME] > 5", "weaker line 5: [RESPONSE_TIME] > 5");
    condition("[BODY] == pat(*Đăng nhập*)", "body_contains = [\"Đăng nhập\"]");
    condition("[BODY] != pat(*bảo trì*)", "body_absent = [\"bảo trì\"]");
    condition("[BODY] == pat(<html*</html>)", "body_matches = ['^\\s*<html(?s:.)*</html>\\s*$']");
    condition("[BODY] == pat([ab])", "weaker line 5: [BODY] == pat([ab]): a pattern with classes");
    condition("[BODY] == UP", "body_matches = ['^\\s*UP\\s*$']");
    condition("[BODY] != DOWN", "body_not_matches = ['^\\s*DOWN\\s*$']");
    condition("[BODY] == any(UP, OK)", "body_matches = ['^\\s*(?:UP|OK)\\s*$']");
    condition("[BODY].status == UP", "{ path = \"$.status\", equals = \"UP\" }");
    condition("[BODY].n == 5", "{ path = \"$.n\", matches = \"^5$\" }");
    condition("[BODY].ok == true", "{ path = \"$.ok\", matches = \"^true$\" }");
    condition(
        "[BODY].ds[0].ten == pat(A*)",
        "{ path = \"$.ds[0].ten\", matches = \"^A(?s:.)*$\" }",
    );
    condition("[BODY].a == any(1, 2)", "matches = \"^(?:1|2)$\"");
    condition("[BODY].a != 1", "weaker line 5: [BODY].a != 1: a value in JSON that must differ");
    condition(
        "[BODY].a > 1",
        "weaker line 5: [BODY].a > 1: values in a body are compared for equality",
    );
    condition("[BODY].ds[*].t == UP", "changed line 5");
    condition("len([BODY].ds) > 0", "weaker line 5: len([BODY].ds) > 0: this condition has no");
    condition("age([BODY].luc) < 1h", "weaker line 5");
    condition("has([BODY].loi) == false", "{ path = \"$.loi\", absent = true }");
    condition("has([BODY].ds) == true", "json = [\"$.ds\"]");
    condition("has([BODY]) == true", "body_min = 1");
    condition("has([IP]) == true", "weaker line 5");
    condition("[HEADER].Server == nginx", "{ name = \"Server\", matches = \"^nginx$\" }");
    condition("[HEADER].Server != nginx", "{ name = \"Server\", not_matches = \"^nginx$\" }");
    condition("has([HEADER].X-A) == false", "{ name = \"X-A\", absent = true }");
    condition("[CONNECTED] == true", "status = [\"100-599\"]");
    condition("[CONNECTED] == false", "off line 5: [CONNECTED] == false");
    condition("[CERTIFICATE_EXPIRATION] > 48h", "cert_days = 2");
    condition("[CERTIFICATE_EXPIRATION] > 50h", "cert_days = 3");
    condition("[CERTIFICATE_EXPIRATION] < 50h", "weaker line 5");
    condition("[DOMAIN_EXPIRATION] > 720h", "weaker line 5: [DOMAIN_EXPIRATION] > 720h");
    condition("[IP] == 10.0.0.1", "weaker line 5: [IP] == 10.0.0.1: the address");
    condition(
        "[DNS_RCODE] == NOERROR",
        "weaker line 5: [DNS_RCODE] == NOERROR: this condition can't",
    );
    condition(
        "[BODY].a == [CONTEXT].b",
        "weaker line 5: [BODY].a == [CONTEXT].b: this is not a condition",
    );
    condition("[STATUS]==200", "weaker line 5: [STATUS]==200: this is not a condition");
    condition("[BODY] == ${X}", "weaker line 5: [BODY] == ${X}: it holds a variable");
}

#[test]
fn each_kind_of_address_becomes_its_kind_of_check() {
    let check = |more: &str, conditions: &[&str], expected: &[&str]| {
        let shown = shown(&gatus(&endpoint(more, conditions), &judge).unwrap());
        for it in expected {
            assert!(shown.contains(it), "{more}\nwants {it}\n{shown}");
        }
    };
    let answers = ["[CONNECTED] == true"];
    check("url: tcp://a.vn:25", &answers, &["kind = \"tcp\"", "address = \"a.vn:25\""]);
    let body = "url: tcp://a.vn:6379\nbody: \"PING\\r\\n\"";
    let dialogue = "dialogue = [{ send = \"PING\\r\\n\" }, { expect = '\\+PONG' }]";
    check(body, &["[BODY] == pat(*+PONG*)"], &[dialogue]);
    check("url: tls://[::1]:443", &answers, &["kind = \"tls\"", "address = \"[::1]:443\""]);
    check("url: starttls://a.vn:25", &answers, &["starttls = \"smtp\""]);
    check(
        "url: icmp://a.vn",
        &["[RESPONSE_TIME] < 300"],
        &["host = \"a.vn\"", "timeout = \"300ms\"", "changed"],
    );
    check("url: ssh://a.vn", &answers, &["a.vn:22", "^SSH-"]);
    check(
        "url: wss://u:hunter2@a.vn/x\nbody: ping\nheaders: { Origin: https://a.vn }\nclient: { insecure: true }",
        &["[BODY] == pat(*pong*)", "[CERTIFICATE_EXPIRATION] > 24h"],
        &[
            "kind = \"websocket\"\nurl = \"wss://a.vn/x\"",
            "headers = { origin = \"https://a.vn\" }",
            "dialogue = [{ send = \"ping\" }, { expect = \"pong\" }]",
            "auth = { basic = { user = \"u\", password = { env = \"CONG_THU_PASSWORD\" } } }",
            "tls = { verify = false }",
            "cert_days = 1",
        ],
    );
    let insecure = "url: grpcs://a.vn:443\nclient: { insecure: true }";
    check(insecure, &answers, &["kind = \"grpc\"", "tls = { verify = false }"]);
    check("url: grpcs://a.vn:443", &answers, &["kind = \"grpc\"", "tls = true"]);
    check("url: redis://a.vn", &answers, &["address = \"a.vn:6379\"", "changed"]);
    for lost in ["udp://a.vn:1", "sctp://a.vn:1", "foo://a.vn", "a.vn"] {
        check(&format!("url: {lost}"), &answers, &["lost line"]);
    }
    let dns =
        |kind: &str| format!("url: 8.8.8.8:53\ndns: {{ query-name: a.vn, query-type: {kind} }}");
    let rule = ["[DNS_RCODE] != NXDOMAIN", "[BODY] == pat(*.mail.vn)"];
    check(
        &dns("mx"),
        &rule,
        &["record = \"MX\"", r"matches = ['(?i)\s\S*\.mail\.vn\.?$']", "\"SERVFAIL\""],
    );
    check(&dns("A"), &["[BODY] == 192.0.2.1"], &["contains = [\"192.0.2.1\"]"]);
}

#[test]
fn what_a_client_needs_to_get_through_is_carried_or_switches_the_check_off() {
    let check = |client: &str, expected: &str| {
        let more = format!("url: https://a.vn/\nclient: {client}");
        let shown = shown(&gatus(&endpoint(&more, &["[STATUS] == 200"]), &judge).unwrap());
        assert!(shown.contains(expected), "{client}\nwants {expected}\n{shown}");
        assert!(!shown.contains("hunter2"));
    };
    check("{ timeout: 30s }", "timeout = \"30s\"");
    check("{ timeout: 5m }", "changed line 2: 5m: the timeout is longer");
    check("{ ignore-redirect: true }", "redirects = { max = 0 }");
    check("{ insecure: true }", "tls = { verify = false }");
    check(
        "{ proxy-url: \"http://u:hunter2@10.0.0.1:1\" }",
        "url = \"http://10.0.0.1:1\"\nuser = \"u\"",
    );
    let oauth = "{ oauth2: { token-url: https://s.vn/, client-id: i, client-secret: hunter2, scopes: [a] } }";
    check(oauth, "client_secret = { env = \"CONG_THU_CLIENT_SECRET\" }\nscopes = [\"a\"]");
    for off in [
        "dns-resolver: \"tcp://10.0.0.1:53\"",
        "tunnel: x",
        "identity-aware-proxy: { audience: x }",
        "tls: { certificate-file: a, private-key-file: b }",
    ] {
        check(&format!("{{ {off} }}"), "off line 4");
    }
}

#[test]
fn thresholds_of_alerts_confirm() {
    let check = |alerts: &str, expected: &str| {
        let text = format!(
            "alerting: {{ slack: {{ default-alert: {{ failure-threshold: 7 }} }} }}\n{}",
            endpoint(&format!("url: https://a.vn/\nalerts: {alerts}"), &["[STATUS] == 200"])
        );
        let made = gatus(&text, &judge).unwrap();
        assert!(made.toml.contains(expected), "{alerts}: {}", made.toml);
    };
    check("[{ type: slack }]", "confirm = 7");
    check("[{ type: slack, failure-threshold: 2 }]", "confirm = 2");
    check("[{ type: email }]", "confirm = 3");
    check(
        "[{ type: email, enabled: false }, { type: slack, failure-threshold: 99 }]",
        "confirm = 10",
    );
}

#[test]
fn what_is_no_configuration_of_gatus_is_refused_with_a_mend() {
    for (text, expected) in [
        ("a: [", "this is not YAML (line 1)"),
        ("modules: {}", "it is blackbox.yml"),
        ("scrape_configs: []", "it is prometheus.yml"),
        ("x", "it has none of `endpoints`"),
        ("endpoints: []", "it has none of"),
        ("", "help: "),
    ] {
        let error = gatus(text, &judge).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("help: "), "{text}: {error}");
    }
}
