//! Messages as people get them.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use unicode_normalization::is_nfc;

use super::*;
use crate::alert::book::{Ack, Book, Cause, CauseBy, Ending, Incident, IncidentId, Said};
use crate::alert::condition::{Kind, Thread};
use crate::alert::delivery::Purpose;
use crate::alert::facts::TroubleKind;
use crate::model::alerting::rules::Severity;
use crate::model::alerting::{Alerting, Language};
use crate::model::check::{Check, IpChoice};
use crate::model::id::{CheckId, OwnerId, SystemId};
use crate::model::reason::Reason;
use crate::model::secret::Secret;
use crate::model::spec::{HeartbeatSpec, Spec};
use crate::model::system::{AlertTerms, Owner, Roster, System};
use crate::model::terms::Terms;
use crate::model::time::{Micros, Millis};

/// 08:14 on 23/11/2026 in Hà Nội.
const SINCE: Millis = Millis(1_795_396_440_000);
const NOW: Millis = Millis(SINCE.0 + 720_000);

fn check(id: &str, name: &str) -> Arc<Check> {
    Arc::new(Check {
        id: CheckId::new(id).unwrap(),
        system: SystemId::new("vneid").unwrap(),
        owner: OwnerId::new("bca").unwrap(),
        name: name.to_owned(),
        disabled: None,
        critical: true,
        interval_ms: 30_000,
        timeout: Micros(10_000_000),
        slow: None,
        confirm: 3,
        ip: IpChoice::Any,
        platform: None,
        spec: Spec::Heartbeat(HeartbeatSpec {
            token: Secret::new("t".repeat(32)),
            age_max: Duration::from_mins(1),
        }),
    })
}

fn roster(name: &str, checks: Vec<Arc<Check>>) -> Roster {
    let system = System {
        id: SystemId::new("vneid").unwrap(),
        owner: OwnerId::new("bca").unwrap(),
        name: name.to_owned(),
        objective: None,
        terms: Terms::default(),
        depends_on: Vec::new(),
        alert: AlertTerms {
            runbook: Some("https://wiki.example.gov.vn/vneid".to_owned()),
            ..AlertTerms::default()
        },
        checks,
    };
    let owner = Owner { id: OwnerId::new("bca").unwrap(), name: "Bộ Công an".to_owned() };
    Roster { owners: vec![owner], systems: vec![system], ..Roster::default() }
}

fn said(kind: Kind, checks: &[&str], reason: Option<Reason>, why: Option<&str>) -> Said {
    Said {
        kind,
        severity: Severity::Page,
        since: SINCE,
        checks: checks.iter().map(|it| CheckId::new(it).unwrap()).collect(),
        reason: reason.map(|it| it.as_str().to_owned()),
        why: why.map(str::to_owned),
        number: None,
    }
}

fn incident(thread: Thread, kind: Kind, now: Vec<Said>) -> Incident {
    Incident {
        id: IncidentId("SC-2026-0012".to_owned()),
        thread,
        team: None,
        kind,
        severity: Severity::Page,
        since: SINCE,
        opened: SINCE,
        now,
        calm_since: None,
        closed: None,
        ending: None,
        cause: None,
        returns: Vec::new(),
        flapping: false,
        maintained: false,
        paged: true,
        held_until: None,
        ack: None,
        escalation: crate::alert::book::Escalation::default(),
        parts: Vec::new(),
        log: Vec::new(),
    }
}

fn down() -> Incident {
    let why = Some("connect to 203.0.113.1:443: connection refused");
    let now = vec![said(Kind::Down, &["vneid-login"], Some(Reason::ConnectRefused), why)];
    incident(Thread::Service(SystemId::new("vneid").unwrap()), Kind::Down, now)
}

/// As told in a language, with carriers if wanted.
fn tell_in(language: Language, incident: &Incident, seen: bool) -> Told {
    let checks = vec![check("vneid-login", "Đăng nhập"), check("vneid-home", "Trang chủ")];
    let roster = roster("VNeID", checks);
    let alerting = Alerting {
        language,
        public_url: Some("https://giamsat.example.gov.vn/".parse().unwrap()),
        grafana_url: Some("https://grafana.example.gov.vn/d/{system}".to_owned()),
        ..Alerting::default()
    };
    let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
    let names = |of: &[&str]| of.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let (hit, fine) =
        if seen { (names(&["Viettel", "VNPT"]), names(&["FPT"])) } else { Default::default() };
    let mut book = Book::default();
    let mut other = down();
    other.id = IncidentId("SC-2026-0011".to_owned());
    book.incidents.insert(other.id.clone(), other);
    let scene = Scene {
        roster: &roster,
        alerting: &alerting,
        book: &book,
        zone: &zone,
        now: NOW,
        hit: &hit,
        fine: &fine,
        ack_url: "https://giamsat.example.gov.vn/ack/SC-2026-0012/k3y",
    };
    told(incident, &scene)
}

/// Every kind of message in a language, as one text.
fn gallery(language: Language) -> String {
    let templates = Templates::default();
    let mut all = String::new();
    let mut show = |name: &str, told: &Told, purpose| {
        let it = templates.render(told, purpose, language);
        for part in [&it.subject, &it.text, &it.html, &it.short] {
            assert!(is_nfc(part), "{part}");
        }
        assert!(it.short.len() <= SHORT_CHARS_MAX && it.short.is_ascii());
        assert!(it.short.contains("SC-2026-0012"), "{}", it.short);
        assert!(!it.subject.contains('\n'));
        let count = it.short.len();
        writeln!(all, "== {name}\n{}\n-- short ({count})\n{}", it.text, it.short).unwrap();
    };
    let tell = |it: &Incident, seen| tell_in(language, it, seen);
    show("page", &tell(&down(), true), Purpose::Page);
    show("page, nothing known of carriers", &tell(&down(), false), Purpose::Page);

    let mut ticket = down();
    ticket.thread = Thread::Certificate(CheckId::new("vneid-home").unwrap());
    (ticket.kind, ticket.severity) = (Kind::Certificate, Severity::Ticket);
    ticket.now =
        vec![Said { number: Some(7), ..said(Kind::Certificate, &["vneid-home"], None, None) }];
    show("ticket", &tell(&ticket, false), Purpose::Ticket);

    let mut acked = down();
    let by = "Trần Thị B".to_owned();
    acked.ack = Some(Ack { at: SINCE.plus_ms(360_000), by, via: "link".to_owned() });
    show("acknowledged", &tell(&acked, true), Purpose::Acknowledged);

    let mut worse = down();
    worse.flapping = true;
    worse.returns = vec![SINCE, SINCE, NOW];
    worse.now.push(said(Kind::Slow, &["vneid-home"], Some(Reason::OverSlow), None));
    worse.parts = (13..26).map(|it| IncidentId(format!("SC-2026-00{it}"))).collect();
    show("update", &tell(&worse, true), Purpose::Update);
    worse.flapping = false;
    show("update, worse", &tell(&worse, false), Purpose::Update);

    let mut part = down();
    let incident_id = IncidentId("SC-2026-0011".to_owned());
    part.cause = Some(Cause { incident: incident_id, by: CauseBy::Dependency, until: None });
    part.maintained = true;
    show("part, maintained", &tell(&part, false), Purpose::Page);

    let mut over = down();
    over.now.clear();
    over.calm_since = Some(SINCE.plus_ms(600_000));
    (over.closed, over.ending) = (Some(NOW), Some(Ending::Recovered));
    show("resolved", &tell(&over, false), Purpose::Resolved);

    let mut drill = incident(Thread::Drill("2026-w48".to_owned()), Kind::Drill, Vec::new());
    drill.now = vec![said(Kind::Drill, &[], None, None)];
    show("drill", &tell(&drill, false), Purpose::Page);

    let mut monitor = down();
    monitor.thread = Thread::Monitor(TroubleKind::ChannelFailing, "zalo".to_owned());
    monitor.kind = Kind::Monitor;
    monitor.now = vec![said(Kind::Monitor, &[], None, Some("answers 401"))];
    show("monitor", &tell(&monitor, false), Purpose::Page);

    let tolds = [ticket, down(), acked, monitor].map(|it| tell(&it, false));
    let bundle = templates.bundle(&tolds, Purpose::Page, language).unwrap();
    assert!(bundle.short.len() <= SHORT_CHARS_MAX);
    assert_eq!((bundle.severity.as_str(), bundle.ack_url.as_str()), ("page", ""));
    writeln!(all, "== bundle\n{}\n-- short\n{}", bundle.text, bundle.short).unwrap();
    all
}

#[test]
fn every_message_in_vietnamese() {
    insta::assert_snapshot!(gallery(Language::Vietnamese));
}

#[test]
fn every_message_in_english() {
    let gallery = gallery(Language::English);
    for line in gallery.lines().filter(|it| !it.contains("Bộ Công an")) {
        let own = line.replace("Đăng nhập", "").replace("Trang chủ", "").replace("Trần Thị B", "");
        assert!(own.chars().all(|c| c.is_ascii() || "–…".contains(c)), "{line}");
    }
    insta::assert_snapshot!(gallery);
}

#[test]
fn a_long_link_is_not_cut() {
    let long = format!("https://wiki.example.gov.vn/{}", "a".repeat(400));
    let mut roster = roster("VNeID", Vec::new());
    roster.systems[0].alert.runbook = Some(long.clone());
    let alerting = Alerting { grafana_url: Some(long.clone()), ..Alerting::default() };
    let (zone, book) = (TimeZone::UTC, Book::default());
    let (hit, fine, ack_url) = (&[][..], &[][..], long.as_str());
    let (roster, alerting) = (&roster, &alerting);
    let scene = Scene { roster, alerting, book: &book, zone: &zone, now: NOW, hit, fine, ack_url };
    let told = told(&down(), &scene);
    assert_eq!([&told.runbook, &told.grafana_url, &told.ack_url], [&long; 3]);
    let message = Templates::default().render(&told, Purpose::Page, Language::Vietnamese);
    assert_eq!(message.text.matches(&long).count(), 3, "{}", message.text);
}

#[test]
fn a_bundle_of_a_thousand_is_a_short_message() {
    let many = vec![tell_in(Language::Vietnamese, &down(), false); 1_000];
    let bundle = Templates::default().bundle(&many, Purpose::Page, Language::Vietnamese).unwrap();
    assert!(bundle.subject.starts_with("[1000 CẢNH BÁO] "), "{}", bundle.subject);
    assert!(bundle.text.ends_with("… và 980 cảnh báo khác."), "{}", bundle.text);
    assert!(bundle.html.contains("<p>… và 980 cảnh báo khác.</p>"));
    assert!(bundle.short.len() <= SHORT_CHARS_MAX);
    let one = Templates::default().bundle(&many[..1], Purpose::Page, Language::Vietnamese);
    assert_eq!(one.unwrap().ack_url, many[0].ack_url);
    assert_eq!(Templates::default().bundle(&[], Purpose::Page, Language::Vietnamese), None);
}

#[test]
fn html_of_a_page() {
    let told = tell_in(Language::Vietnamese, &down(), true);
    let message = Templates::default().render(&told, Purpose::Page, Language::Vietnamese);
    insta::assert_snapshot!(message.html);
}

#[test]
fn the_official_wording() {
    let told = tell_in(Language::Vietnamese, &down(), true);
    let message = Templates::default().render(&told, Purpose::Page, Language::Vietnamese);
    assert_eq!(
        message.subject,
        "[GIÁN ĐOẠN] VNeID – Đăng nhập: từ 08:14 ngày 23/11 (Viettel, VNPT; FPT bình thường). \
         Chưa có người tiếp nhận. Mã SC-2026-0012"
    );
}

#[test]
fn whoever_says_themselves_who_they_are_is_told_so() {
    let mut it = down();
    for (via, vietnamese, english) in [
        ("link", "Trần Thị B (lúc", "Trần Thị B ("),
        ("api", "Trần Thị B (tự xưng, qua API) (lúc", "Trần Thị B (self-declared, over API) ("),
        ("cli", "Trần Thị B (tự xưng, qua CLI) (lúc", "Trần Thị B (self-declared, over CLI) ("),
    ] {
        it.ack = Some(Ack { at: NOW, by: "Trần Thị B".to_owned(), via: via.to_owned() });
        for (language, expected) in
            [(Language::Vietnamese, vietnamese), (Language::English, english)]
        {
            let told = tell_in(language, &it, false);
            let message = Templates::default().render(&told, Purpose::Acknowledged, language);
            assert!(message.text.contains(&format!(": {expected}")), "{}", message.text);
        }
    }
}

#[test]
fn what_a_hostile_server_says_is_tamed_and_escaped() {
    let evil = format!(
        "<script>alert(1)</script>\r\nBcc: x@y.vn\r\n\r\n\u{1b}[31mđỏ\u{202e}nược \
         {{{{ 7*7 }}}} {{% raise %}} {}",
        "Z".repeat(10_000)
    );
    let mut it = down();
    it.now[0].why = Some(evil.clone());
    it.ack = Some(Ack { at: NOW, by: evil.clone(), via: "link".to_owned() });
    for purpose in Purpose::ALL {
        let mut told = tell_in(Language::Vietnamese, &it, false);
        // As if it had come by every other way too.
        told.seen = super::tamed(&evil);
        let message = Templates::default().render(&told, purpose, Language::Vietnamese);
        assert!(!message.html.contains("<script>"), "{}", message.html);
        for part in [&message.subject, &message.text, &message.html, &message.short] {
            assert!(!part.contains(['\u{1b}', '\u{202e}', '\r']), "{part:?}");
            assert!(!part.contains("\nBcc:") && !part.contains("49"), "{part}");
            assert!(part.chars().count() < 5_000, "{purpose:?}");
        }
        assert!(!message.subject.contains('\n'));
        assert!(message.subject.chars().count() <= 240 && message.short.len() <= SHORT_CHARS_MAX);
    }
}

#[test]
fn a_template_of_the_operator_replaces_the_built_in_one() {
    let own = vec![("vi/subject.txt".to_owned(), "TIN: {{ title }}\nBcc: x@y.vn".to_owned())];
    let (templates, faults) = Templates::of_texts(own);
    assert_eq!(faults, Vec::new());
    let told = tell_in(Language::Vietnamese, &down(), false);
    let message = templates.render(&told, Purpose::Page, Language::Vietnamese);
    assert_eq!(message.subject, "TIN: VNeID – Đăng nhập Bcc: x@y.vn");
    assert!(message.text.starts_with("TIN: VNeID – Đăng nhập Bcc: x@y.vn\n\nGián đoạn từ"));
}

#[test]
fn a_broken_template_is_told_with_its_line_and_the_built_in_one_speaks() {
    for (text, line) in [
        ("một\n{{ title }", Some(2)),
        ("một\nhai\n{{ no_such_name }}", Some(3)),
        ("{% if purpose == 'resolved' %}{{ nope }}{% endif %}x", Some(1)),
        ("{% for i in range(9999) %}{% for j in range(9999) %}.{% endfor %}{% endfor %}", Some(1)),
    ] {
        let (templates, faults) =
            Templates::of_texts(vec![("vi/text.txt".to_owned(), text.to_owned())]);
        assert_eq!(faults.len(), 1, "{text}");
        assert_eq!((faults[0].name.as_str(), faults[0].line), ("vi/text.txt", line), "{faults:?}");
        let told = tell_in(Language::Vietnamese, &down(), false);
        let message = templates.render(&told, Purpose::Resolved, Language::Vietnamese);
        assert!(message.text.contains("Mã SC-2026-0012"), "{}", message.text);
    }
}

#[test]
fn a_template_that_fails_on_one_incident_falls_back_for_it() {
    // No sample has three checks, so the trial can't find this.
    let text = "{% if checks|length == 2 %}{{ nope }}{% endif %}TIN";
    let (templates, faults) =
        Templates::of_texts(vec![("vi/text.txt".to_owned(), text.to_owned())]);
    assert_eq!(faults, Vec::new());
    let mut two = down();
    two.now[0].checks.push(CheckId::new("vneid-home").unwrap());
    let text = |it: &Incident| {
        let told = tell_in(Language::Vietnamese, it, false);
        templates.render(&told, Purpose::Page, Language::Vietnamese).text
    };
    assert_eq!(text(&down()), "TIN");
    assert!(text(&two).contains("Chưa có người tiếp nhận."));
}

#[test]
fn a_folder_is_read_and_what_is_wrong_with_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("vi")).unwrap();
    std::fs::write(folder.path().join("vi/short.txt"), "NGAN {{ number }}").unwrap();
    std::fs::write(folder.path().join("vi/text.txt"), [0xff, 0xfe]).unwrap();
    std::fs::write(folder.path().join("vi/html.html"), "a".repeat(70_000)).unwrap();
    let (templates, faults) = Templates::of_folder(folder.path());
    let names: Vec<_> = faults.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["vi/text.txt", "vi/html.html"]);
    let told = tell_in(Language::Vietnamese, &down(), false);
    let message = templates.render(&told, Purpose::Page, Language::Vietnamese);
    assert_eq!(message.short, "NGAN SC-2026-0012");
    let (_, faults) = Templates::of_folder(&folder.path().join("nowhere"));
    assert_eq!(faults.len(), 1);
}

#[test]
fn every_built_in_template_renders_on_every_sample() {
    let texts = NAMES.iter().map(|name| {
        let path = format!("src/alert/templates/{name}");
        ((*name).to_owned(), std::fs::read_to_string(path).unwrap())
    });
    let (_, faults) = Templates::of_texts(texts.collect());
    assert_eq!(faults, Vec::new());
}
