use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{DateTime, date};
use jiff::tz::TimeZoneDatabase;
use unicode_width::UnicodeWidthStr;

use super::*;
use crate::model::alerting::channel::{Channel, ChannelKind, Email, MailSecurity};
use crate::model::alerting::people::{
    Contact, DaysOff, Layer, Override, Person, Step, Target, Team, Turn, Window,
};
use crate::model::alerting::rules::Severity;
use crate::model::id::{ChannelId, PersonId};

fn person(id: &str) -> PersonId {
    PersonId::new(id).unwrap()
}

fn channel(id: &str) -> ChannelId {
    ChannelId::new(id).unwrap()
}

fn zone() -> TimeZone {
    TimeZoneDatabase::bundled().get("Asia/Ho_Chi_Minh").unwrap()
}

fn at(text: &str) -> Millis {
    let local: DateTime = text.parse().unwrap();
    Millis(zone().to_zoned_datetime(local).unwrap().timestamp().as_millisecond())
}

/// Three shifts on working days, and a hole on days off, but for one override.
fn alerting() -> Alerting {
    let contact = |name: &str, to: &str, after_ms, from_severity| Contact {
        channel: channel(name),
        to: to.to_owned(),
        after_ms,
        from_severity,
    };
    let somebody = |(id, name, number): (&str, &str, &str)| Person {
        id: person(id),
        name: name.to_owned(),
        contacts: vec![
            contact("sms", number, 0, Severity::Page),
            contact("thu", &format!("{id}@example.gov.vn"), 120_000, Severity::Ticket),
        ],
    };
    let mail = Email {
        host: "mail.example.gov.vn".to_owned(),
        port: 25,
        security: MailSecurity::StartTls,
        login: None,
        from: "giamsat@example.gov.vn".to_owned(),
        extra_roots_pem: Vec::new(),
    };
    let layer = Layer {
        people: ["an", "binh", "chi"].map(person).to_vec(),
        start: date(2026, 11, 2),
        handover_min: 6 * 60,
        turn: Turn::Hours(8),
        only: Some(Window { days: Vec::new(), which: DaysOff::Working, hours: None }),
    };
    let team = Team {
        id: TeamId::new("truc-dvc").unwrap(),
        name: "Tổ trực dịch vụ công".to_owned(),
        layers: vec![layer],
        overrides: vec![Override {
            person: person("dung"),
            instead_of: None,
            from: at("2026-11-28T00:00"),
            to: at("2026-11-28T18:00"),
        }],
        steps: vec![
            Step { after_ms: 0, targets: vec![Target::OnCall] },
            Step {
                after_ms: 600_000,
                targets: vec![
                    Target::Everyone,
                    Target::Address(channel("zalo"), "1a2b3c4d5e".to_owned()),
                ],
            },
        ],
        repeat: 2,
        fallback: vec![person("dung")],
    };
    Alerting {
        channels: vec![Arc::new(Channel {
            id: channel("thu"),
            min_gap: Duration::ZERO,
            timeout: Duration::from_secs(10),
            kind: ChannelKind::Email(Box::new(mail)),
        })],
        people: [
            ("an", "Đ/c Nguyễn Văn An", "84912345678"),
            ("binh", "Đ/c Lê Thị Bình", "84987654321"),
            ("chi", "Đ/c Phạm Chi", "84911112222"),
            ("dung", "Đ/c Trần Dũng", "84933334444"),
        ]
        .map(somebody)
        .to_vec(),
        teams: vec![team],
        ..Alerting::default()
    }
}

fn shown(alerting: &Alerting, when: &str, days: u16, vietnamese: bool) -> String {
    let zone = zone();
    let question = Question {
        alerting,
        holidays: &[],
        zone: &zone,
        zone_name: "Asia/Ho_Chi_Minh",
        at: at(when),
        days,
        vietnamese,
    };
    let text = table::text(&question);
    for line in text.lines() {
        assert!(line.width() <= 80, "{} columns: {line}", line.width());
        assert_eq!(line.trim_end(), line, "spaces at the end");
    }
    text
}

#[test]
fn the_table_says_who_until_when_how_and_who_is_next() {
    let got = shown(&alerting(), "2026-11-27T18:20", 2, true);
    assert_eq!(
        got,
        "\
AI ĐANG TRỰC · thứ Sáu 27/11/2026 18:20 (Asia/Ho_Chi_Minh)

TỔ TRỰC DỊCH VỤ CÔNG (truc-dvc)
  đang trực     Đ/c Lê Thị Bình (binh), đến 22:00 thứ Sáu 27/11
                sms (?) 84*****321
                thu (email) bi*****@example.gov.vn, sau 2 phút, cả phiếu
  tiếp theo     Đ/c Phạm Chi (chi), từ 22:00 thứ Sáu 27/11
  các bước      ngay: người đang trực; sau 10 phút: cả tổ, zalo 1a*****d5e; gọi
                lại từ đầu ×2; sau 1 giờ: danh sách dự phòng (Đ/c Trần Dũng)

  2 ngày tới
  thứ Sáu 27/11  18:20 – 22:00         Đ/c Lê Thị Bình
                 22:00 – 00:00 28/11   Đ/c Phạm Chi
  thứ Bảy 28/11  00:00 – 18:00         Đ/c Trần Dũng (trực thay)
                 18:00 – 00:00 30/11   KHÔNG CÓ AI → Đ/c Trần Dũng
  ! 1 khoảng không có ai trực, 1 ngày 6 giờ
"
    );
}

#[test]
fn the_same_in_english() {
    let got = shown(&alerting(), "2026-11-28T20:00", 1, false);
    assert_eq!(
        got,
        "\
WHO IS ON CALL · Sat 28 Nov 2026 20:00 (Asia/Ho_Chi_Minh)

TỔ TRỰC DỊCH VỤ CÔNG (truc-dvc)
  on call       NOBODY; the fallback is called: Đ/c Trần Dũng (dung), until
                00:00 Mon 30 Nov
                sms (?) 84*****444
                thu (email) du*****@example.gov.vn, after 2 min, tickets too
  next          Đ/c Phạm Chi (chi), from 00:00 Mon 30 Nov
  steps         at once: who is on call; after 10 min: the whole team, zalo
                1a*****d5e; again from the beginning ×2; after 1 h: the fallback
                list (Đ/c Trần Dũng)

  the next day
  Sat 28 Nov     20:00 – 00:00 30 Nov  NOBODY → Đ/c Trần Dũng
  ! nobody on call once, 1 d 4 h
"
    );
}

#[test]
fn without_a_team_that_is_said() {
    let got = shown(&Alerting::default(), "2026-11-28T20:00", 7, true);
    assert!(got.contains("Chưa có tổ trực nào"), "{got}");
}

#[test]
fn long_names_and_what_steers_a_terminal_are_tamed() {
    let mut long = alerting();
    long.people[0].name = "Đồng chí \u{1b}[31m".to_owned() + &"rất dài ".repeat(30);
    long.teams[0].name = "Tổ ".to_owned() + &"trực ".repeat(40);
    long.people[0].contacts[0].to = "x".repeat(200) + "@" + &"y".repeat(200);
    for when in ["2026-11-27T10:00", "2026-11-27T22:30", "2026-11-29T10:00"] {
        for vietnamese in [true, false] {
            assert!(!shown(&long, when, 31, vietnamese).contains('\u{1b}'));
        }
    }
}

#[test]
fn json_has_the_same_and_no_whole_address() {
    let (alerting, zone) = (alerting(), zone());
    let question = Question {
        alerting: &alerting,
        holidays: &[],
        zone: &zone,
        zone_name: "Asia/Ho_Chi_Minh",
        at: at("2026-11-27T18:20"),
        days: 2,
        vietnamese: true,
    };
    let json = question.json(&question.teams());
    let team = &json["teams"][0];
    assert_eq!(json["at"], "2026-11-27T18:20:00+07:00");
    assert_eq!(team["now"]["people"][0]["id"], "binh");
    assert_eq!(team["now"]["until"], "2026-11-27T15:00:00.000Z");
    assert_eq!(team["next"]["people"][0]["id"], "chi");
    assert_eq!(team["now"]["people"][0]["contacts"][1]["kind"], "email");
    assert_eq!(team["shifts"].as_array().unwrap().len(), 4);
    assert_eq!(team["holes"].as_array().unwrap().len(), 1);
    assert!(!json.to_string().contains("84987654321"), "{json}");
}

#[test]
fn a_team_that_is_not_there_is_named_with_those_that_are() {
    let mut all = alerting();
    let said = only(&mut all.clone(), &TeamId::new("truc").unwrap()).unwrap_err();
    assert!(matches!(said, Failure::Usage(text) if text.contains("`truc-dvc`")));
    only(&mut all, &TeamId::new("truc-dvc").unwrap()).unwrap();
    assert_eq!(all.teams.len(), 1);
}

#[test]
fn check_tells_of_holes_ahead_and_of_nothing_else() {
    let mut all = alerting();
    let said = holes(&all, &[], &zone(), at("2026-11-27T18:20"));
    assert_eq!(
        said,
        "
Rota
  truc-dvc
    nobody is on call 9 times in 60 days; then the fallback list is called
    first from 2026-11-28T18:00:00+07:00
    until      2026-11-30T00:00:00+07:00
"
    );
    all.teams[0].layers[0].only = None;
    assert_eq!(holes(&all, &[], &zone(), at("2026-11-27T18:20")), "");
}

/// What stands before the example of `docs/oncall.md`.
const BEFORE: &str = r#"
[monitor]
vantage = "hn-1"

[[owner]]
id = "bca"
name = "Bộ Công an"

[[holiday]]
date = "2027-02-05"
until = "2027-02-10"
name = "Tết Nguyên đán Đinh Mùi"
source = "chưa công bố"

[[channel]]
id = "zalo"
kind = "zalo-bot"
token = { file = "secret" }

[[channel]]
id = "sms"
kind = "webhook"
url = { file = "secret" }

[[channel]]
id = "thu"
kind = "email"
server = "mail.example.gov.vn:587"
from = "giamsat@example.gov.vn"
"#;

#[test]
fn the_example_of_the_documentation_means_what_it_says() {
    let text = include_str!("../../../docs/oncall.md");
    let example = text.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let others = ["binh", "chi", "dung", "truong"].map(|id| {
        format!(
            "[[person]]\nid = \"{id}\"\nname = \"{id}\"\n\
             contacts = [{{ channel = \"zalo\", to = \"z-{id}\" }}]\n"
        )
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("targets.toml");
    std::fs::write(folder.path().join("secret"), "https://gateway.example.gov.vn/x").unwrap();
    std::fs::write(&path, format!("{BEFORE}{example}{}", others.concat())).unwrap();
    let config = config::load(&path, &|_| None).map_err(|it| it.to_string()).unwrap();
    let team = &config.alerting.teams[0];
    let zone = &config.monitor.timezone;
    for (when, who, via) in [
        ("2026-11-24T05:59", "chi", rota::Via::Layer(0)),
        ("2026-11-24T06:00", "an", rota::Via::Layer(0)),
        ("2026-11-28T06:00", "dung", rota::Via::Layer(1)),
        ("2026-11-28T22:00", "chi", rota::Via::Layer(0)),
        ("2026-12-03T23:00", "an", rota::Via::Override(2)),
        ("2026-12-04T06:00", "an", rota::Via::Layer(0)),
        ("2027-02-06T03:00", "dung", rota::Via::Override(0)),
        ("2027-02-09T05:59", "binh", rota::Via::Override(1)),
        // Still a day off, and no longer on the list.
        ("2027-02-10T10:00", "dung", rota::Via::Layer(1)),
        ("2027-02-11T10:00", "an", rota::Via::Layer(0)),
    ] {
        let got = rota::who(team, &config.roster.holidays, zone, at(when));
        assert_eq!((got.people, got.via), (vec![person(who)], via), "{when}");
    }
    assert_eq!(holes(&config.alerting, &config.roster.holidays, zone, at("2026-11-24T06:00")), "");
}
