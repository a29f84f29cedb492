use std::sync::Arc;

use super::*;
use crate::alert::book::{Cause, CauseBy, Ending, Escalation, IncidentId, Said};
use crate::alert::condition::Kind;
use crate::alert::facts::TroubleKind;
use crate::model::alerting::people::Team;
use crate::model::id::{CheckId, OwnerId, SystemId, TeamId};
use crate::model::system::{AlertTerms, Owner};
use crate::model::terms::Terms;

/// 08:14 on 23/11/2026 in Việt Nam.
const SINCE: i64 = 1_795_396_440_000;

const NOW: Millis = Millis(SINCE + 600_000);

fn zone() -> TimeZone {
    jiff::tz::TimeZoneDatabase::bundled().get("Asia/Ho_Chi_Minh").unwrap()
}

fn roster() -> Roster {
    let id = |text| OwnerId::new(text).unwrap();
    let system = System {
        id: SystemId::new("vneid").unwrap(),
        owner: id("bca"),
        name: "VNeID – Đăng nhập".into(),
        objective: None,
        terms: Terms::default(),
        depends_on: Vec::new(),
        alert: AlertTerms {
            runbook: Some("https://sổ-tay.vn/vneid".into()),
            ..AlertTerms::default()
        },
        checks: Vec::new(),
    };
    let owners = vec![Owner { id: id("bca"), name: "Bộ Công an".into() }];
    Roster { owners, systems: vec![system], ..Roster::default() }
}

fn alerting() -> Alerting {
    let team = Team {
        id: TeamId::new("truc").unwrap(),
        name: "Tổ trực".into(),
        layers: Vec::new(),
        overrides: Vec::new(),
        steps: Vec::new(),
        repeat: 0,
        fallback: Vec::new(),
    };
    Alerting {
        public_url: Some("https://giamsat.example.gov.vn/mon".parse().unwrap()),
        grafana_url: Some("https://grafana/d/x?var-system={system}".into()),
        teams: vec![team],
        ..Alerting::default()
    }
}

fn incident(thread: Thread, kind: Kind, severity: Severity) -> Incident {
    let said = Said {
        kind,
        severity,
        since: Millis(SINCE),
        checks: vec![CheckId::new("vneid-home").unwrap()],
        reason: Some("connect_refused".into()),
        why: None,
        number: Some(7),
    };
    Incident {
        id: IncidentId("SC-2026-0012".into()),
        thread,
        team: None,
        kind,
        severity,
        since: Millis(SINCE),
        opened: Millis(SINCE + 47_000),
        now: vec![said],
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
        escalation: Escalation::default(),
        parts: Vec::new(),
        log: Vec::new(),
    }
}

fn down() -> Incident {
    let thread = Thread::Service(SystemId::new("vneid").unwrap());
    incident(thread, Kind::Down, Severity::Page)
}

/// The alert of the only incident; `None`: there is none.
fn alert_of(incident: Incident, now: Millis) -> Option<Arc<AmAlert>> {
    let incidents = [(incident.id.clone(), incident)].into();
    let book = Book { last: (2026, 12), incidents };
    let all = alerts(&book, &roster(), &alerting(), &zone(), (NOW, now)).all;
    assert_eq!(all[0].labels["alertname"], WATCHDOG);
    assert!(all.len() <= 2);
    all.get(1).cloned()
}

/// `name=value …` of the labels.
fn labels_of(incident: Incident) -> String {
    let alert = alert_of(incident, NOW).unwrap();
    let pairs = alert.labels.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join(" ")
}

#[test]
fn an_open_incident_is_one_alert_with_everything_a_person_needs() {
    let alert = alert_of(down(), NOW).unwrap();
    assert_eq!(
        labels_of(down()),
        "alertname=ThongsuotServiceDown incident=SC-2026-0012 kind=down owner=bca severity=page \
         system=vneid team=truc"
    );
    let texts = &alert.annotations;
    assert_eq!(
        texts["summary"],
        "[GIÁN ĐOẠN] VNeID – Đăng nhập: từ 08:14 ngày 23/11 (SC-2026-0012)"
    );
    assert_eq!(
        texts["description"],
        "GIÁN ĐOẠN, từ 08:14 ngày 23/11: từ chối kết nối (vneid-home)\nChưa có người tiếp nhận."
    );
    assert_eq!(texts["owner_name"], "Bộ Công an");
    assert_eq!(texts["runbook"], "https://sổ-tay.vn/vneid");
    assert_eq!(texts["grafana_url"], "https://grafana/d/x?var-system=vneid");
    let url = "https://giamsat.example.gov.vn/mon/incidents/SC-2026-0012";
    assert_eq!(texts["incident_url"], url);
    assert_eq!(alert.generator_url.as_deref(), Some(url));
    assert_eq!(alert.starts_at, Some(Millis(SINCE + 47_000)));
    assert_eq!(alert.ends_at, None);
}

#[test]
fn a_closed_incident_is_resolved_for_15_min_and_then_gone() {
    let mut incident = down();
    incident.closed = Some(NOW);
    incident.ending = Some(Ending::Recovered);
    let alert = alert_of(incident.clone(), NOW.plus_ms(RESOLVED_MS)).unwrap();
    assert_eq!(alert.ends_at, Some(NOW));
    assert_eq!(
        alert.annotations["summary"],
        "[ĐÃ KHÔI PHỤC] VNeID – Đăng nhập: từ 08:14 ngày 23/11 đến 08:24 ngày 23/11 (SC-2026-0012)"
    );
    assert_eq!(alert_of(incident, NOW.plus_ms(RESOLVED_MS + 1)), None);
}

#[test]
fn an_end_is_never_before_the_start() {
    let mut incident = down();
    incident.closed = Some(Millis(SINCE));
    let alert = alert_of(incident, NOW).unwrap();
    assert_eq!(alert.ends_at, alert.starts_at);
}

#[test]
fn a_part_and_one_that_waits_wake_nobody() {
    let mut part = down();
    let cause = IncidentId("SC-2026-0011".into());
    part.cause = Some(Cause { incident: cause, by: CauseBy::Dependency, until: None });
    assert_eq!(
        labels_of(part.clone()),
        "alertname=ThongsuotServiceDown cause=SC-2026-0011 incident=SC-2026-0012 kind=down \
         owner=bca severity=info system=vneid team=truc"
    );
    let texts = &alert_of(part, NOW).unwrap().annotations;
    assert!(texts["summary"].starts_with("[BỊ ẢNH HƯỞNG] VNeID"), "{texts:?}");
    assert!(texts["description"].contains("Ảnh hưởng bởi sự cố SC-2026-0011."), "{texts:?}");
    let mut held = down();
    held.held_until = Some(NOW.plus_ms(1));
    assert!(labels_of(held.clone()).contains("severity=info"));
    held.held_until = Some(NOW);
    assert!(labels_of(held).contains("severity=page"));
}

#[test]
fn maintenance_is_a_label() {
    let mut incident = down();
    incident.maintained = true;
    assert!(labels_of(incident.clone()).contains(" maintenance=true "));
    let texts = &alert_of(incident, NOW).unwrap().annotations;
    assert!(texts["summary"].starts_with("[BẢO TRÌ] "), "{texts:?}");
}

#[test]
fn every_kind_of_conversation_has_labels_of_its_own_and_none_is_empty() {
    let system = || SystemId::new("vneid").unwrap();
    for (thread, kind, part) in [
        (Thread::Coverage(system()), Kind::Coverage, "kind=coverage owner=bca"),
        (Thread::Objective(system()), Kind::ObjectiveBroken, "kind=objective_broken owner=bca"),
        (
            Thread::Service(SystemId::new("gone").unwrap()),
            Kind::Slow,
            "kind=slow severity=page system=gone",
        ),
        (
            Thread::Certificate(CheckId::new("tls").unwrap()),
            Kind::Certificate,
            "check=tls incident=SC-2026-0012 kind=certificate",
        ),
        (
            Thread::Monitor(TroubleKind::RotaHole, String::new()),
            Kind::Monitor,
            "kind=monitor severity=page team=truc trouble=rota_hole",
        ),
        (
            Thread::Monitor(TroubleKind::ChannelFailing, "sms".into()),
            Kind::Monitor,
            "kind=monitor severity=page subject=sms team=truc trouble=channel_failing",
        ),
        (Thread::Drill("tuan".into()), Kind::Drill, "drill=tuan incident=SC-2026-0012 kind=drill"),
    ] {
        let incident = incident(thread, kind, Severity::Page);
        let labels = labels_of(incident.clone());
        assert!(labels.contains(part), "{labels}");
        let alert = alert_of(incident, NOW).unwrap();
        for (name, value) in alert.labels.iter().chain(&alert.annotations) {
            assert!(name.is_ascii() && !value.is_empty(), "{name}={value}");
        }
    }
}

#[test]
fn a_changing_number_changes_nothing() {
    let mut other = down();
    other.now[0].number = Some(8);
    assert_eq!(alert_of(down(), NOW), alert_of(other, NOW));
}

#[test]
fn texts_are_cut_and_kept_plain() {
    let mut incident = down();
    incident.now[0].why = Some(format!("a\u{7}b\n{}", "ệ".repeat(10_000)));
    let text = &alert_of(incident, NOW).unwrap().annotations["description"];
    assert_eq!(text.chars().count(), TEXT_CHARS_MAX);
    assert!(text.contains("ab\nệ"));
}

#[test]
fn english_is_there_for_who_wants_it() {
    let book = Book { last: (2026, 12), incidents: [(down().id, down())].into() };
    let alerting = Alerting { language: crate::model::alerting::Language::English, ..alerting() };
    let all = alerts(&book, &roster(), &alerting, &zone(), (NOW, NOW)).all;
    assert_eq!(
        all[1].annotations["summary"],
        "[DOWN] VNeID – Đăng nhập: since 08:14 on 2026-11-23 (SC-2026-0012)"
    );
}
