use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::blackbox::parse;
use crate::model::secret::Secret;
use crate::model::spec::{Auth, HttpOffer, HttpSpec, Line};

/// The module `m` of this YAML.
fn module(yaml: &str) -> Arc<Module> {
    let text = format!("modules:\n  m: {yaml}\n");
    let modules = parse(Path::new("blackbox.yml"), text.as_bytes(), &|_| None);
    Arc::clone(modules.unwrap_or_else(|faults| panic!("{faults}")).get("m").unwrap())
}

fn ask(yaml: &str, target: &str, hostname: Option<&str>) -> Result<Question, Refusal> {
    question(&module(yaml), target, hostname, Micros(1_000_000))
}

fn http(yaml: &str, target: &str, hostname: Option<&str>) -> HttpSpec {
    match ask(yaml, target, hostname).unwrap().check.spec {
        Spec::Http(spec) => *spec,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_deadline_is_the_shorter_of_what_module_and_asker_say() {
    for (own, patience_ms, expected_ms) in [
        ("5s", None, 5_000),
        ("5s", Some(10_000), 5_000),
        ("5s", Some(3_000), 2_500),
        ("0s", Some(3_000), 2_500),
        ("0s", None, 119_500),
        ("5s", Some(400), 5_000),
        ("0s", Some(400), 400),
        ("5s", Some(0), 5_000),
    ] {
        let module = module(&format!("{{prober: tcp, timeout: {own}}}"));
        let patience = patience_ms.map(Duration::from_millis);
        let expected = Micros(expected_ms * 1_000);
        assert_eq!(timeout(&module, patience), expected, "{own} {patience:?}");
    }
}

#[test]
fn one_address_of_the_preferred_family_is_tried() {
    let how = |keys: &str| ask(&format!("{{prober: tcp, tcp: {{{keys}}}}}"), "a.vn:1", None);
    let how = |keys: &str| how(keys).unwrap().how;
    let usual = how("");
    assert_eq!((usual.lane, usual.spare, usual.first_only), (Lane::V6, true, true));
    let only = how("preferred_ip_protocol: ip4, ip_protocol_fallback: false");
    assert_eq!((only.lane, only.spare, only.keep), (Lane::V4, false, true));
    assert_eq!(how("source_ip_address: 192.0.2.1").source, "192.0.2.1".parse().ok());
}

#[test]
fn targets_are_read_as_prometheus_writes_them() {
    let peer = |target: &str, port| {
        target::peer(target, port).map(|peer| format!("{}:{}", peer.host, peer.port))
    };
    for (target, port, expected) in [
        ("a.vn:443", None, Some("a.vn:443")),
        ("a.vn", Some(53), Some("a.vn:53")),
        ("a.vn", None, None),
        ("[::1]:80", None, Some("[::1]:80")),
        ("::1", Some(53), Some("[::1]:53")),
        ("[::1]", Some(53), Some("[::1]:53")),
        ("192.0.2.1", Some(853), Some("192.0.2.1:853")),
        ("a.vn:0", None, None),
        ("a.vn:65536", None, None),
        ("a.vn:", Some(53), None),
        ("", Some(53), None),
        ("a b:1", None, None),
        ("dịchvụcông.gov.vn:1", None, Some("xn--dchvcng-c1a32jb2dm2h.gov.vn:1")),
    ] {
        let found = peer(target, port);
        match expected {
            Some(expected) if expected.starts_with("xn--") => {
                assert!(found.unwrap().starts_with("xn--"), "{target}");
            }
            Some(expected) => assert_eq!(found.unwrap(), expected, "{target}"),
            None => assert!(found.is_err(), "{target}"),
        }
    }
}

#[test]
fn a_request_is_that_of_the_module_and_the_target() {
    let spec = http("{prober: http}", "a.vn/x#y", None);
    assert_eq!((spec.url.as_str(), spec.method.as_str()), ("http://a.vn/x", "GET"));
    assert_eq!((spec.redirects.hops_max, spec.redirects.downgrade), (10, true));
    assert_eq!(
        (spec.offer, &spec.auth, spec.body_bytes_cap),
        (HttpOffer::Auto, &Auth::None, 64 << 20)
    );
    let spec =
        http("{prober: http, http: {enable_http2: false, follow_redirects: false}}", "a.vn", None);
    assert_eq!((spec.offer, spec.redirects.hops_max), (HttpOffer::Http1, 0));
}

#[test]
fn who_asks_is_said_by_the_module_or_the_url() {
    let basic = |user: &str, password: &str| Auth::Basic {
        user: user.to_owned(),
        password: Secret::new(password.to_owned()),
    };
    let spec = http("{prober: http}", "https://u%40x:p+%C3%A9=&@a.vn/", None);
    assert_eq!(spec.auth, basic("u@x", "p+é=&"));
    assert_eq!(spec.url.as_str(), "https://a.vn/");
    let own = "{prober: http, http: {basic_auth: {username: o, password: w}}}";
    assert_eq!(http(own, "https://u:p@a.vn/", None).auth, basic("o", "w"));
}

#[test]
fn a_host_name_is_sent_and_verified() {
    let spec = http("{prober: http}", "https://192.0.2.1/", Some("a.gov.vn:8443"));
    assert_eq!(spec.tls.server_name.as_deref(), Some("a.gov.vn"));
    assert!(
        spec.headers
            .iter()
            .any(|(name, value)| name == "Host" && value.reveal() == "a.gov.vn:8443")
    );
    let spec = http("{prober: http}", "https://192.0.2.1/", Some("[2001:db8::1]:8443"));
    assert_eq!(spec.tls.server_name.as_deref(), Some("2001:db8::1"));
    let own = "{prober: http, http: {headers: {host: b.vn}, tls_config: {server_name: c.vn}}}";
    assert_eq!(http(own, "https://a.vn/", Some("b.vn")).tls.server_name.as_deref(), Some("c.vn"));
    assert!(matches!(ask(own, "https://a.vn/", Some("x.vn")), Err(Refusal::Request(_))));
}

#[test]
fn a_dialogue_is_in_tls_with_the_host_that_is_named() {
    let named = |yaml: &str, hostname: &str| {
        let Spec::Tcp(spec) = ask(yaml, "192.0.2.1:1", Some(hostname)).unwrap().check.spec else {
            panic!()
        };
        let later = spec.dialogue.iter().find_map(|line| match line {
            Line::StartTls(tls) => tls.server_name.clone(),
            _ => None,
        });
        (spec.tls.and_then(|tls| tls.server_name), later)
    };
    let of = |name: &str| Some(name.to_owned());
    assert_eq!(named("{prober: tcp, tcp: {tls: true}}", "a.vn"), (of("a.vn"), None));
    let later = "{prober: tcp, tcp: {query_response: [{starttls: true}]}}";
    assert_eq!(named(later, "a.vn"), (None, of("a.vn")));
    assert_eq!(named(later, ""), (None, None));
    let own = "{prober: tcp, tcp: {tls: true, tls_config: {server_name: b.vn}}}";
    assert_eq!(named(own, "a.vn"), (of("b.vn"), None));
}

#[test]
fn a_dialogue_is_sent_line_by_line() {
    let yaml = "{prober: tcp, tcp: {query_response: [{send: 'a$1'}, \
                {expect: '^(.*)$', send: 'b${1}', labels: [{name: x, value: '$1'}]}, {starttls: true}]}}";
    let Spec::Tcp(spec) = ask(yaml, "a.vn:1", None).unwrap().check.spec else { panic!() };
    let [
        Line::SendExpanded(first),
        Line::Expect(_),
        Line::Label { name, .. },
        Line::SendExpanded(then),
        Line::StartTls(_),
    ] = &spec.dialogue[..]
    else {
        panic!("{:?}", spec.dialogue)
    };
    assert_eq!((&first[..], &then[..], name.as_str()), (&b"a$$1\n"[..], &b"b${1}\n"[..], "x"));
}

proptest! {
    #[test]
    fn no_target_makes_it_panic(target in any::<String>(), hostname in any::<Option<String>>()) {
        for prober in ["http", "tcp", "icmp", "grpc", "websocket", "unix"] {
            let _any = ask(&format!("{{prober: {prober}}}"), &target, hostname.as_deref());
        }
        let _any = ask("{prober: dns, dns: {query_name: a.vn}}", &target, None);
    }
}
