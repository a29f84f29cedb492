//! The shipped `targets.toml`: whole, polite, and nothing in it that needs leave it has not got.
//!
//! Reads files only: no name is resolved and no host is contacted.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use thongsuot::config::{self, Config, NoteWhat};
use thongsuot::model::check::Check;
use thongsuot::model::spec::{Auth, Line, Spec};
use unicode_normalization::is_nfc;

/// What the dispatch and its systems need; each keeps its row until it works end to end.
const SYSTEMS: &[&str] = &[
    "vneid",
    "lt-khaisinh",
    "lt-khaitu",
    "lltp",
    "gplx",
    "dkxe",
    "condau",
    "hotich",
    "csdl-hotich",
    "thue",
    "dkkd",
    "hkd",
    "nsw",
    "dvcqg",
    "ndxp",
    "ndop",
    "bhxh",
    "haiquan",
    "cutru",
    "dvc-bca",
    "bo-xaydung",
    "bo-gddt",
    "bo-nnmt",
    "bo-yte",
    "bo-noivu",
    "bo-congthuong",
    "bo-vhttdl",
];

/// The provincial units since 1 July 2025.
const PROVINCES: usize = 34;

/// Shortest step as a share of the interval: it is 1 % to 5 % shorter (`docs/measurement.md`).
const STEP_MIN: f64 = 0.95;

/// Most runs a minute that a host gets while all is well.
const PER_HOST_MAX: f64 = 1.0;

/// The same for hosts where every visit opens a session.
const PER_SESSION_HOST_MAX: f64 = 0.2;

/// Hosts where every visit opens a session: single sign-on, tax, WebForms, JSF.
const SESSION_HOSTS: &[&str] = &[
    "sso.dancuquocgia.gov.vn",
    "dichvucong.gdt.gov.vn",
    "thuedientu.gdt.gov.vn",
    "dangkyquamang.dkkd.gov.vn",
    "hokinhdoanh.dkkd.gov.vn",
    "pus.customs.gov.vn",
];

/// Most runs a minute on one shared platform: ten hosts of the largest, each every three minutes.
const PER_PLATFORM_MAX: f64 = 4.0;

/// What robots.txt of the national portal disallows.
const DISALLOWED: &[&str] = &[
    "/assets/",
    "/nop-ho-so",
    "/tao-ho-so",
    "/sua-ho-so/",
    "/sso",
    "/dang-nhap",
    "/ho-so-cong-dan/",
];

/// Parts of paths where dossiers are filed, or that are for bearers of a token.
const OFF_LIMITS: &[&str] =
    &["nop-ho-so", "tao-ho-so", "apply-online", "tiep-nhan-online", "eform", "rest.jsp", "/v1/"];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The configuration as anyone finds it: no secret is set.
fn shipped() -> Config {
    config::load(&path("targets.toml"), &|_| None).unwrap_or_else(|it| panic!("{it}"))
}

fn enabled(config: &Config) -> impl Iterator<Item = &Check> {
    config.roster.checks().map(AsRef::as_ref).filter(|check| check.disabled.is_none())
}

/// Most runs a minute of `check`.
fn runs_a_minute(check: &Check) -> f64 {
    60_000.0 / (check.interval_ms as f64 * STEP_MIN) * check.lanes().len() as f64
}

fn files() -> Vec<PathBuf> {
    let mut files = vec![path("targets.toml")];
    let more = fs::read_dir(path("targets.d")).unwrap().map(|entry| entry.unwrap().path());
    files.extend(more);
    files.sort();
    files
}

#[test]
fn it_loads_without_mistakes_and_notes_only_what_a_person_must_do() {
    let config = shipped();
    let surprising: Vec<_> = config
        .notes
        .iter()
        .filter(|it| !matches!(it.what, NoteWhat::NotJudged { .. } | NoteWhat::NoContact))
        .map(|it| it.what.to_string())
        .collect();
    assert!(surprising.is_empty(), "{surprising:#?}");
    let contact = config.notes.iter().filter(|it| matches!(it.what, NoteWhat::NoContact)).count();
    assert_eq!((contact, config.monitor.contact), (1, None), "the operator's mailbox is left open");
    let read = config.files.iter().filter(|it| it.extension().is_some_and(|it| it == "toml"));
    assert_eq!(read.count(), files().len(), "each file is included");
}

#[test]
fn every_system_of_the_dispatch_is_there() {
    let config = shipped();
    let ids: BTreeSet<&str> = config.roster.systems.iter().map(|it| it.id.as_str()).collect();
    let missing: Vec<_> = SYSTEMS.iter().filter(|id| !ids.contains(**id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(ids.iter().filter(|id| id.starts_with("tinh-")).count(), PROVINCES);
    let bare: Vec<_> = config.roster.systems.iter().filter(|it| it.checks.is_empty()).collect();
    assert!(bare.is_empty(), "{bare:#?}");
}

#[test]
fn deadlines_stand_as_the_dispatch_words_them() {
    let config = shipped();
    let deadline = |id: &str| {
        let directive = config.roster.directives.iter().find(|it| it.id == id);
        directive.unwrap_or_else(|| panic!("{id}")).deadline.as_deref()
    };
    for (id, expected) in [
        ("cd111-vneid", None),
        ("cd111-lienthong", Some("trước ngày 20/7")),
        ("cd111-lltp-gplx-dkxe", Some("trước ngày 20/7")),
        ("cd111-condau", Some("trước ngày 20/7")),
        ("cd111-hotich", Some("trước ngày 20/7")),
        ("cd111-csdl-hotich", None),
        ("cd111-thue-dkkd-hkd", Some("trước ngày 20/7")),
        ("cd111-nsw", Some("trong tháng 7")),
        ("cd111-chiase", Some("trong tháng 8")),
    ] {
        assert_eq!(deadline(id), expected, "{id}");
    }
    for directive in &config.roster.directives {
        assert_eq!(directive.document, "Công điện số 111/CĐ-TTg ngày 17/7/2025");
    }
}

#[test]
fn no_system_is_held_to_a_percentage_that_no_text_sets() {
    for system in &shipped().roster.systems {
        assert_eq!(system.objective, None, "{}", system.id);
    }
}

#[test]
fn whatever_runs_sends_nothing_and_logs_in_nowhere() {
    let config = shipped();
    for check in enabled(&config) {
        let id = &check.id;
        match &check.spec {
            Spec::Http(http) => {
                assert!(matches!(http.method.as_str(), "GET" | "HEAD"), "{id}");
                assert!(http.body.is_none() && http.headers.is_empty(), "{id}");
                assert_eq!(http.auth, Auth::None, "{id}");
                assert!(http.tls.verify && http.tls.identity_pem.is_none(), "{id}");
                assert_eq!(http.url.scheme(), "https", "{id}");
            }
            Spec::Tcp(tcp) => {
                assert!(!tcp.dialogue.iter().any(|line| matches!(line, Line::Send(_))), "{id}");
            }
            Spec::Tls(tls) => assert!(tls.tls.identity_pem.is_none(), "{id}"),
            Spec::Dns(_) => {}
            Spec::Unix(_)
            | Spec::Websocket(_)
            | Spec::Icmp(_)
            | Spec::Grpc(_)
            | Spec::Heartbeat(_) => panic!("{id} needs consent"),
        }
    }
}

#[test]
fn whatever_runs_keeps_off_what_robots_txt_disallows_and_where_dossiers_are_filed() {
    let config = shipped();
    for check in enabled(&config) {
        let Spec::Http(http) = &check.spec else { continue };
        let at = http.url.path();
        if http.url.host_str() == Some("dichvucong.gov.vn") {
            assert!(!DISALLOWED.iter().any(|it| at.starts_with(it)), "{}: {at}", check.id);
        }
        assert!(!OFF_LIMITS.iter().any(|it| at.contains(it)), "{}: {at}", check.id);
    }
}

#[test]
fn whatever_runs_looks_into_the_body_or_at_the_code_that_must_come() {
    let config = shipped();
    for check in enabled(&config) {
        let Spec::Http(http) = &check.spec else { continue };
        let expect = &http.expect;
        let body = !expect.body_contains.is_empty() || !expect.body_matches.is_empty();
        // Where a refusal or a redirect is the answer, there is no page to look into.
        assert!(body || http.redirects.hops_max == 0, "{}", check.id);
        assert!(expect.blocked, "{}: a firewall's page is not an outage", check.id);
    }
}

#[test]
fn no_host_and_no_platform_is_asked_too_often() {
    let config = shipped();
    let (mut hosts, mut platforms) = (BTreeMap::new(), BTreeMap::new());
    for check in enabled(&config) {
        let runs = runs_a_minute(check);
        if let Some(host) = check.spec.host() {
            *hosts.entry(host).or_insert(0.0) += runs;
        }
        if let Some(platform) = &check.platform {
            *platforms.entry(platform.clone()).or_insert(0.0) += runs;
        }
    }
    for (host, runs) in &hosts {
        let session = SESSION_HOSTS.contains(&host.as_str());
        let max = if session { PER_SESSION_HOST_MAX } else { PER_HOST_MAX };
        assert!(*runs <= max, "{host}: {runs:.3} a minute, at most {max}");
    }
    for host in SESSION_HOSTS {
        assert!(hosts.contains_key(*host), "{host} is not watched");
    }
    for (platform, runs) in &platforms {
        assert!(*runs <= PER_PLATFORM_MAX, "{platform}: {runs:.3} a minute");
    }
    assert!(config.monitor.per_host_per_minute <= 3, "trouble must not make us a nuisance");
}

#[test]
fn what_waits_says_for_whom() {
    let config = shipped();
    let mut waiting = 0;
    for check in config.roster.checks() {
        let Some(reason) = &check.disabled else { continue };
        waiting += 1;
        assert!(reason.to_lowercase().contains("chờ "), "{}: {reason}", check.id);
    }
    assert!(waiting > 40, "{waiting}");
}

#[test]
fn a_certificate_that_ends_soon_is_no_outage() {
    let config = shipped();
    for check in enabled(&config) {
        if matches!(check.spec, Spec::Tls(_) | Spec::Dns(_)) {
            assert!(!check.critical, "{}", check.id);
        }
    }
}

#[test]
fn every_text_is_in_nfc() {
    for file in files() {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            assert!(is_nfc(line), "{}:{}", file.display(), number + 1);
        }
    }
}

#[test]
fn the_schema_takes_it() {
    let mut whole = Map::new();
    for file in files() {
        let text = fs::read_to_string(&file).unwrap();
        let table: toml::Table = text.parse().unwrap();
        let Value::Object(table) = serde_json::to_value(table).unwrap() else { panic!("a table") };
        for (key, value) in table {
            match (whole.get_mut(&key), value) {
                (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
                (_, value) => {
                    whole.insert(key, value);
                }
            }
        }
    }
    let whole = Value::Object(whole);
    let schema = jsonschema::draft202012::new(&config::schema()).unwrap();
    let mistakes: Vec<_> =
        schema.iter_errors(&whole).map(|it| format!("{}: {it:.200}", it.instance_path())).collect();
    assert!(mistakes.is_empty(), "{mistakes:#?}");
    assert_eq!(whole["system"].as_array().unwrap().len(), shipped().roster.systems.len());
}

#[test]
fn the_page_on_systems_names_every_system_and_host() {
    let page = fs::read_to_string(path("docs/systems.md")).unwrap();
    let config = shipped();
    let systems = config.roster.systems.iter().map(|it| it.id.to_string());
    let hosts = config.roster.checks().filter_map(|check| check.spec.host());
    let missing: BTreeSet<String> =
        systems.chain(hosts).filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(is_nfc(&page));
}

#[test]
fn the_page_on_systems_counts_right() {
    let page = fs::read_to_string(path("docs/systems.md")).unwrap();
    let config = shipped();
    let whole = &config.roster;
    let judges = |check: &Check| check.critical && check.disabled.is_none();
    let judged = whole.systems.iter().filter(|it| it.checks.iter().any(|check| judges(check)));
    let running = enabled(&config).count();
    for row in [
        format!("| owners (cơ quan chủ quản) | {}: ", whole.owners.len()),
        format!("| systems | {}, of which {} are judged", whole.systems.len(), judged.count()),
        format!("| checks that run | {running}: "),
        format!("| checks that wait for consent | {}, ", whole.checks().count() - running),
        format!("| tasks of the dispatch | {} |", whole.directives.len()),
    ] {
        assert!(page.contains(&row), "{row}");
    }
}
