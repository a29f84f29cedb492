use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use super::*;
use crate::blackbox::module::{Compression, DnsOver, Expect, Version};
use crate::model::secret::Secret;
use crate::model::spec::{Auth, TlsVersion};

const FULL: &str = include_str!("tests/full.yml");
const CASES: &str = include_str!("tests/mistakes.txt");

fn no_env(_: &str) -> Option<String> {
    None
}

fn env(name: &str) -> Option<String> {
    (name == "https_proxy").then(|| "u:hunter2@proxy.example.vn:8080".to_owned())
}

fn ok(text: &str) -> Modules {
    parse(Path::new("b.yml"), text.as_bytes(), &no_env).unwrap_or_else(|faults| panic!("{faults}"))
}

fn full() -> Modules {
    let folder = tempfile::tempdir().unwrap();
    let key = rcgen::generate_simple_self_signed(["a.vn".to_owned()]).unwrap();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    write("secret.txt", " hunter2\n".to_owned());
    write("ca.pem", key.cert.pem());
    write("cert.pem", key.cert.pem());
    write("key.pem", key.signing_key.serialize_pem());
    write("b.yml", FULL.to_owned());
    read(&folder.path().join("b.yml"), &env).unwrap_or_else(|faults| panic!("{faults}"))
}

fn http(modules: &Modules, name: &str) -> super::super::module::Http {
    match &modules.get(name).unwrap().prober {
        Prober::Http(http) => http.as_ref().clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_key_of_http_is_read() {
    let modules = full();
    let module = modules.get("http_full").unwrap();
    assert_eq!(module.timeout, Some(Duration::from_secs(90)));
    let http = http(&modules, "http_full");
    assert_eq!(http.valid_status, [200, 204]);
    assert_eq!(http.valid_versions, [Version::Http11, Version::Http2]);
    assert_eq!(http.family, Family { prefer_v6: false, fallback: false });
    assert!(http.skip_resolve_with_proxy && !http.follow_redirects && !http.fail_if_ssl);
    assert!(http.fail_if_not_ssl && http.http2 && !http.http3);
    assert_eq!(http.method, "POST");
    let names: Vec<_> =
        http.headers.iter().map(|(name, it)| (name.as_str(), it.reveal())).collect();
    assert_eq!(names.len(), 7, "{names:?}");
    assert_eq!(names[3], ("X-Retries", "3"));
    assert_eq!(names[6], ("X-Trace", "hunter2"));
    assert!(http.fail_if_body_matches[1].is_match(br#"{"status": "down"}"#));
    assert!(http.fail_if_json_matches.is_some() && http.fail_if_json_not_matches.is_some());
    assert!(http.fail_if_header_matches[0].allow_missing);
    assert_eq!(http.fail_if_header_not_matches[0].header, "access-control-allow-origin");
    assert_eq!(http.body.as_deref(), Some(b"{\"a\": 1}\n".as_slice()));
    assert_eq!(http.body_limit, Some(10 << 20));
    assert_eq!(http.compression, Some(Compression::Gzip));
    let password = Secret::new("hunter2".to_owned());
    assert_eq!(http.auth, Auth::Basic { user: "an".to_owned(), password });
    assert!(http.tls.identity_pem.is_some() && http.tls.roots_pem.is_some());
    assert_eq!(http.tls.version_max, Some(TlsVersion::Tls13));
    let proxies = http.proxies.unwrap();
    let to = |url: &str| proxies.to(&url::Url::parse(url).unwrap()).is_some();
    assert!(to("http://a.com/") && !to("http://a.vn/") && !to("https://10.1.1.1/"));
    assert_eq!(proxies.http.as_ref().unwrap().auth.as_ref().unwrap().1.reveal(), "hunter2");
    assert_eq!(proxies.http.unwrap().connect_headers.len(), 1);
}

#[test]
fn other_ways_of_http_are_read() {
    let modules = full();
    assert_eq!(http(&modules, "http_bearer").auth, Auth::Bearer(Secret::new("hunter2".to_owned())));
    assert_eq!(http(&modules, "http_scheme").headers[0].1.reveal(), "Digest hunter2");
    let old = http(&modules, "http_old");
    assert!(matches!(old.auth, Auth::Bearer(_)) && !old.follow_redirects);
    let proxies = old.proxies.unwrap();
    assert!(proxies.http.is_none() && proxies.https.is_some());
    let token = http(&modules, "http_token");
    let Auth::OAuth2(asked) = &token.auth else { panic!("{:?}", token.auth) };
    assert_eq!(asked.params.len(), 1);
    assert_eq!(token.body.as_deref(), Some(b" hunter2\n".as_slice()));
    assert!(http(&modules, "http_3").http3);
    assert_eq!(http(&modules, "http_plain").method, "GET");
    let notes: Vec<_> = modules.notes.iter().map(|note| note.what.as_str()).collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains("no_follow_redirects") && notes[1].contains("min_version"));
    assert_eq!(modules.files.len(), 5, "{:?}", modules.files);
}

#[test]
fn every_key_of_the_other_probers_is_read() {
    let modules = full();
    let Prober::Tcp(tcp) = &modules.get("smtp_starttls").unwrap().prober else { panic!() };
    assert_eq!(tcp.source, "192.0.2.1".parse().ok());
    assert_eq!(tcp.exchanges.len(), 4);
    assert_eq!(tcp.exchanges[0].labels[0].value, "${1}");
    assert_eq!(tcp.exchanges[1].send, "EHLO prober\r");
    assert_eq!(tcp.exchanges[2].expect, Some(Expect::Bytes(b"S".to_vec())));
    assert!(tcp.exchanges[3].starttls);
    assert_eq!(tcp.tls_config.version_max, Some(TlsVersion::Tls12));
    let Prober::Unix(unix) = &modules.get("socket").unwrap().prober else { panic!() };
    assert!(unix.tls && !unix.tls_config.verify);
    let Prober::Websocket(live) = &modules.get("live").unwrap().prober else { panic!() };
    assert!(matches!(live.auth, Auth::Basic { .. }));
    assert_eq!((live.headers.len(), live.exchanges.len()), (3, 2));
    let Prober::Dns(dns) = &modules.get("dns_full").unwrap().prober else { panic!() };
    assert!(matches!(dns.over, DnsOver::Tls(_)) && !dns.recursion);
    assert_eq!((dns.record_type, dns.class, dns.valid_rcodes.as_slice()), (257, 3, &[0, 3][..]));
    assert_eq!(dns.answer.fail_if_none_matches.len(), 1);
    let Prober::Dns(dns) = &modules.get("dns_plain").unwrap().prober else { panic!() };
    assert_eq!((dns.record_type, dns.class, dns.recursion), (255, 1, true));
    assert_eq!(dns.over, DnsOver::Udp);
    let Prober::Icmp(ping) = &modules.get("ping").unwrap().prober else { panic!() };
    assert_eq!((ping.ttl, ping.payload_bytes, ping.dont_fragment), (5, Some(1400), true));
    let Prober::Icmp(ping) = &modules.get("ping_plain").unwrap().prober else { panic!() };
    assert_eq!((ping.ttl, ping.payload_bytes), (64, None));
    let Prober::Grpc(grpc) = &modules.get("grpc_full").unwrap().prober else { panic!() };
    assert_eq!((grpc.service.as_str(), grpc.metadata[0].0.as_str()), ("s.v1", "x-token"));
}

#[test]
fn no_secret_is_shown_and_what_is_shown_reads_back() {
    let modules = full();
    assert!(!format!("{modules:?}").contains("hunter2"));
    for name in modules.names() {
        let shown = &modules.get(name).unwrap().shown;
        assert!(!shown.contains("hunter2"), "{shown}");
        yaml::parse(shown).unwrap_or_else(|slip| panic!("{slip:?}\n{shown}"));
    }
    insta::assert_snapshot!(modules.get("http_full").unwrap().shown);
    insta::assert_snapshot!(modules.get("smtp_starttls").unwrap().shown);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "BLESS=1 writes the expected texts anew")]
fn each_mistake_says_what_is_wrong_and_what_to_write() {
    let (mut blessed, mut wrong) = (String::new(), Vec::new());
    for (index, case) in CASES.split("#### ").enumerate() {
        if index == 0 {
            blessed += case;
            continue;
        }
        let (head, expected) = case.split_once("=>\n").unwrap();
        let (title, text) = head.split_once('\n').unwrap();
        let got = match parse(Path::new("b.yml"), text.as_bytes(), &no_env) {
            Ok(_) => "fine".to_owned(),
            Err(faults) => {
                let all = format!("{faults}{faults:?}");
                assert!(!all.contains("hunter2"), "{title}: a secret is shown:\n{faults}");
                let text = faults.to_string();
                let words = text.lines().filter(|line| !line.contains(['│', '·', '╭']));
                assert!(words.map(|line| line.chars().count()).all(|it| it <= 80), "{text}");
                faults.lines().join("\n")
            }
        };
        if got.trim() != expected.trim() {
            wrong.push(format!("{title}\nexpected:\n{}\ngot:\n{got}", expected.trim_end()));
        }
        write!(blessed, "#### {head}=>\n{got}\n\n").unwrap();
    }
    if std::env::var("BLESS").is_ok() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/blackbox/read/tests/mistakes.txt");
        fs::write(path, blessed.trim_end().to_owned() + "\n").unwrap();
        return;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn mistakes_point_into_the_file() {
    let text = "modules:\n  a:\n    prober: http\n    http:\n      metod: POST\n      \
        basic_auth: {username: an, pasword: x, password: hunter2}\n";
    let faults = parse(Path::new("b.yml"), text.as_bytes(), &no_env).unwrap_err();
    insta::assert_snapshot!(faults.to_string());
}

#[test]
fn aliases_and_merges_work_as_in_go() {
    let modules = ok("modules:\n  a: &a\n    prober: http\n    timeout: 5s\n    http: &h\n      \
        method: POST\n      headers: &hs {A: b}\n  b:\n    <<: *a\n    timeout: 7s\n  c:\n    \
        prober: http\n    http:\n      <<: [{method: PUT}, *h]\n      body: x\n  d: *a\n");
    let (b, c) = (modules.get("b").unwrap(), http(&modules, "c"));
    assert_eq!(b.timeout, Some(Duration::from_secs(7)));
    assert_eq!(http(&modules, "b").method, "POST");
    assert_eq!((c.method.as_str(), c.headers.len()), ("PUT", 1));
    assert_eq!(http(&modules, "d"), http(&modules, "a"));
}

#[test]
fn lines_may_end_as_on_windows_and_json_is_yaml() {
    let text =
        "modules:\r\n  a:\r\n    prober: http\r\n    http:\r\n      body: |\r\n        x\r\n";
    assert_eq!(http(&ok(text), "a").body.as_deref(), Some(b"x\n".as_slice()));
    ok("{\"modules\": {\"a\": {\"prober\": \"icmp\", \"icmp\": {\"ttl\": 5}}}}");
    ok("\u{feff}modules: {a: {prober: icmp}}");
}

#[test]
fn many_mistakes_are_counted_and_not_all_told() {
    let mut text = "modules:\n".to_owned();
    for number in 0..5_000 {
        let _ = writeln!(text, "  m{number}: {{prober: icmp, x: 1}}");
    }
    let faults = parse(Path::new("b.yml"), text.as_bytes(), &no_env).unwrap_err();
    assert_eq!(faults.list().len(), 1_000);
    assert!(faults.to_string().contains("… and 900 more"));
}

#[test]
fn a_bomb_of_aliases_is_refused_and_not_followed() {
    let mut lists = "modules:\n  a: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    let mut maps = "modules:\n  m0: &m0 {a: x, b: x}\n".to_owned();
    for level in 1..40 {
        let before = level - 1;
        let _ = writeln!(lists, "  l{level}: &a{level} [*a{before}, *a{before}, *a{before}]");
        let _ = writeln!(
            maps,
            "  m{level}: &m{level} {{a: *m{before}, b: *m{before}, <<: *m{before}}}"
        );
    }
    for bomb in [lists, maps] {
        let faults = parse(Path::new("b.yml"), bomb.as_bytes(), &no_env).unwrap_err();
        assert!(faults.list()[0].what.contains("too large"), "{faults}");
    }
    let deep = format!("modules: {}", "[".repeat(100_000));
    assert!(parse(Path::new("b.yml"), deep.as_bytes(), &no_env).is_err());
}

#[test]
fn a_file_that_is_too_large_or_not_there_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.yml");
    assert!(read(&path, &no_env).unwrap_err().to_string().contains("no such file"));
    fs::write(&path, vec![b'#'; FILE_BYTES_MAX as usize + 1]).unwrap();
    assert!(read(&path, &no_env).unwrap_err().lines()[0].contains("larger than 4096 KiB"));
    assert!(read(folder.path(), &no_env).unwrap_err().to_string().contains("not a file"));
    fs::write(&path, b"modules:\n  \xff: x").unwrap();
    assert_eq!(read(&path, &no_env).unwrap_err().list()[0].line, 2);
}

#[test]
fn a_proxy_in_the_environment_that_makes_no_sense_is_told_without_its_password() {
    let text = "modules: {a: {prober: http, http: {proxy_from_environment: true}}}";
    let env = |name: &str| (name == "HTTP_PROXY").then(|| "https://u:hunter2@p".to_owned());
    let faults = parse(Path::new("b.yml"), text.as_bytes(), &env).unwrap_err();
    let told = faults.to_string();
    assert!(told.contains("HTTP_PROXY") && !told.contains("hunter2"), "{told}");
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = parse(Path::new("b.yml"), &bytes, &no_env).map_err(|faults| faults.to_string());
    }

    #[test]
    fn nor_do_bytes_inside_a_file(at in 0..FULL.len(), cut in 0usize..40, bytes in "[ -~\n\u{1ea5}]{0,12}") {
        let mut file = FULL.as_bytes()[..at].to_vec();
        file.extend(bytes.bytes());
        file.extend(&FULL.as_bytes()[(at + cut).min(FULL.len())..]);
        let told = match parse(Path::new("b.yml"), &file, &no_env) {
            Ok(modules) => modules.notes.iter().map(ToString::to_string).collect(),
            Err(faults) => faults.lines().join("\n"),
        };
        proptest::prop_assert!(!told.contains("hunter2"), "{}", told);
    }
}
