use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::blackbox::parse;
use crate::model::kept::{DialogueKept, DnsKept, HttpKept, Unmet};
use crate::model::observation::Hop;
use crate::model::phases::Phases;

fn module(yaml: &str) -> Arc<Module> {
    let text = format!("modules:\n  m: {yaml}\n");
    let modules = parse(Path::new("blackbox.yml"), text.as_bytes(), &|_| None);
    Arc::clone(modules.unwrap_or_else(|faults| panic!("{faults}")).get("m").unwrap())
}

/// What a run sees that comes back with `kept`.
fn seen(status: u16, kept: Kept) -> Observation {
    let phases = Phases::from_array([1, 2, 3, 4, 5, 6].map(|it| Micros(it * 1_000)));
    let mut seen = Observation::bare(Reason::None, phases);
    seen.status = Some(status);
    seen.detail.http_version = Some("1.1");
    seen.detail.kept = Some(Box::new(kept));
    let remote = "192.0.2.1:80".parse().ok();
    seen.detail.hops =
        vec![Hop { url: "http://a.vn/".to_owned(), remote, status: Some(status), phases }];
    seen
}

fn page(body: &str, headers: &[(&str, &str)]) -> Observation {
    let headers =
        headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    let body = Some(body.as_bytes().to_vec());
    seen(200, Kept::Http(HttpKept { headers: headers.collect(), tls: false, body, lease: None }))
}

#[track_caller]
fn check(yaml: &str, seen: &Observation, success: bool, lines: &[&str]) {
    let answered = answer(&module(yaml), seen, Micros(2_500_000));
    assert_eq!(answered.success, success, "{yaml}: {:?}", answered.why);
    assert_eq!(answered.why.is_none(), success);
    for line in lines {
        let found = answered.metrics.lines().any(|it| it == *line);
        assert!(found, "{yaml}: no `{line}` in\n{}", answered.metrics);
    }
}

#[test]
fn phases_sum_to_the_duration() {
    check(
        "{prober: http}",
        &page("x", &[]),
        true,
        &[
            "probe_http_duration_seconds{phase=\"resolve\"} 0.001",
            "probe_http_duration_seconds{phase=\"connect\"} 0.002",
            "probe_http_duration_seconds{phase=\"tls\"} 0.003",
            "probe_http_duration_seconds{phase=\"processing\"} 0.009",
            "probe_http_duration_seconds{phase=\"transfer\"} 0.006",
            "probe_duration_seconds 0.021",
            "probe_dns_lookup_time_seconds 0.001",
            "probe_timeout_seconds 2.5",
            "probe_ip_protocol 4",
            "probe_success 1",
        ],
    );
}

#[test]
fn rules_on_an_answer_fail_the_probe_and_say_which() {
    let http = |keys: &str| format!("{{prober: http, http: {{{keys}}}}}");
    let body = page("Lỗi 5", &[("x-a", "1"), ("x-a", "2"), ("content-length", "7")]);
    let regex = &["probe_failed_due_to_regex 1"][..];
    for (keys, success, lines) in [
        ("", true, &["probe_http_content_length 7", "probe_http_uncompressed_body_length 7"][..]),
        ("valid_status_codes: [204]", false, &["probe_failed_due_to_regex 0"][..]),
        ("valid_http_versions: [HTTP/2.0]", false, &["probe_http_version 1.1"][..]),
        ("fail_if_body_matches_regexp: ['Lỗi \\d']", false, regex),
        ("fail_if_body_not_matches_regexp: [tốt]", false, regex),
        ("fail_if_header_matches: [{header: X-A, regexp: 2}]", false, regex),
        ("fail_if_header_matches: [{header: X-B, regexp: 2}]", false, regex),
        ("fail_if_header_matches: [{header: X-B, regexp: 2, allow_missing: true}]", true, &[][..]),
        ("fail_if_header_not_matches: [{header: X-A, regexp: 2}]", true, &[][..]),
        ("fail_if_header_not_matches: [{header: X-A, regexp: 3}]", false, regex),
        ("fail_if_not_ssl: true", false, &["probe_http_ssl 0"][..]),
        ("compression: gzip", false, &[][..]),
        ("compression: identity", true, &[][..]),
        ("fail_if_body_json_matches_cel: body.a == 1", false, &["probe_failed_due_to_cel 1"][..]),
    ] {
        check(&http(keys), &body, success, lines);
    }
    let json = page("{\"a\": 1}", &[]);
    let cel = |keys: &str, success, line: &str| check(&http(keys), &json, success, &[line]);
    cel("fail_if_body_json_matches_cel: body.a == 1", false, "probe_failed_due_to_cel 1");
    cel("fail_if_body_json_matches_cel: body.a == 2", true, "probe_failed_due_to_cel 0");
    cel("fail_if_body_json_not_matches_cel: body.a == 1", true, "probe_failed_due_to_cel 0");
    cel("fail_if_body_json_not_matches_cel: body.b == 1", false, "probe_failed_due_to_cel 1");
    let large = page(&format!("{{\"a\": [{}0]}}", "0,".repeat(2 << 20)), &[]);
    let rule = http("fail_if_body_json_matches_cel: body.a == 1");
    check(&rule, &large, false, &["probe_failed_due_to_cel 1"]);
    let why = answer(&module(&rule), &large, Micros(1)).why.unwrap();
    assert!(why.contains("larger than"), "{why}");
}

#[test]
fn a_run_that_failed_fails_the_probe_but_no_pattern() {
    let mut cut = page("", &[]);
    cut.reason = Reason::BodyEncoding;
    cut.detail.why = Some("the gzip body is cut short".to_owned());
    let yaml = "{prober: http, http: {fail_if_body_not_matches_regexp: [x]}}";
    check(yaml, &cut, false, &["probe_failed_due_to_regex 0", "probe_http_status_code 200"]);
    let why = answer(&module(yaml), &cut, Micros(1)).why.unwrap();
    assert_eq!(why, "body_encoding: the gzip body is cut short");
}

#[test]
fn records_are_held_against_rules_as_they_are_named() {
    let records = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let answered = |texts: &[&str]| {
        let kept = DnsKept { answer: records(texts), serial: Some(7), ..DnsKept::default() };
        let mut seen = seen(0, Kept::Dns(kept));
        seen.detail.hops.clear();
        seen
    };
    let two = answered(&["a.vn.\t60\tIN\tA\t192.0.2.1", "a.vn.\t60\tIN\tA\t192.0.2.2"]);
    let none = answered(&[]);
    for (rules, of_two, of_none) in [
        ("fail_if_matches_regexp: ['\\.2$']", false, true),
        ("fail_if_all_match_regexp: ['192']", false, true),
        ("fail_if_all_match_regexp: ['\\.2$']", true, true),
        ("fail_if_not_matches_regexp: ['192']", true, false),
        ("fail_if_not_matches_regexp: ['\\.2$']", false, false),
        ("fail_if_none_matches_regexp: ['\\.3$', '\\.2$']", true, false),
        ("fail_if_none_matches_regexp: ['\\.3$']", false, false),
    ] {
        let yaml =
            format!("{{prober: dns, dns: {{query_name: a.vn, validate_answer_rrs: {{{rules}}}}}}}");
        check(&yaml, &two, of_two, &["probe_dns_answer_rrs 2", "probe_dns_query_succeeded 1"]);
        check(&yaml, &none, of_none, &["probe_dns_answer_rrs 0"]);
    }
    let soa = "{prober: dns, dns: {query_name: a.vn, query_type: SOA}}";
    check(soa, &two, true, &["probe_dns_serial 7"]);
}

#[test]
fn what_a_peer_said_becomes_labels() {
    let labels = vec![("version".to_owned(), "2.0 \"x\"".to_owned())];
    let mut talked = seen(
        101,
        Kept::Dialogue(DialogueKept { labels, upgraded: true, unmet: Some(Unmet::Pattern) }),
    );
    let info = "probe_expect_info{version=\"2.0 \\\"x\\\"\"} 1";
    check("{prober: tcp}", &talked, true, &[info, "probe_failed_due_to_regex 1"]);
    talked.reason = Reason::DialogueMismatch;
    let yaml = "{prober: websocket, websocket: {query_response: [{expect: a}]}}";
    check(
        yaml,
        &talked,
        false,
        &[
            "probe_websocket_connection_upgraded 1",
            "probe_websocket_failed_due_to_regex 1",
            "probe_websocket_status_code 101",
        ],
    );
}
