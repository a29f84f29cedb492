//! How mistakes, notes and summaries look.

use super::*;

#[test]
fn a_mistake_shows_its_line_and_its_mend() {
    let text =
        EXAMPLE.replace("interval", "intervall").replace("\"bca\"\nname =", "\"bco\"\nname =");
    let shown = parse_str("targets.toml", &text).unwrap_err().to_string();
    insta::assert_snapshot!(shown);
    assert!(shown.lines().all(|line| line.chars().count() <= 100));
}

#[test]
fn both_places_of_a_duplicate_are_shown() {
    let text = format!("{EXAMPLE}\n[[owner]]\nid = \"bca\"\nname = \"Bộ Công an\"\n");
    insta::assert_snapshot!(parse_str("targets.toml", &text).unwrap_err());
}

#[test]
fn a_secret_in_the_file_is_hidden_in_every_picture() {
    let text = EXAMPLE.replace("data =", "token = \"hunter2\"\ndata =");
    insta::assert_snapshot!(parse_str("targets.toml", &text).unwrap_err());
}

#[test]
fn colours_are_only_added_when_asked_for() {
    let mistakes = parse_str("targets.toml", "[monitor]\nvantag = 1\n").unwrap_err();
    assert!(!mistakes.to_string().contains('\u{1b}'));
    assert!(mistakes.render(Looks { colour: true, columns: 80 }).contains('\u{1b}'));
}

#[test]
fn a_line_without_end_is_told_by_its_place_alone() {
    let text = format!("[monitor]\nvantage = \"{}\"\n", "x".repeat(100_000));
    let shown = parse_str("targets.toml", &text).unwrap_err().to_string();
    assert!(shown.contains("targets.toml:2:11") && shown.len() < 2_000, "{shown:.2000}");
}

#[test]
fn notes_point_too() {
    let text = EXAMPLE
        .replace("[monitor]", "[monitor]\nkill = [\"b.vn\"]\nper_host_per_minute = 2")
        .replace("OK", "O\u{302}K")
        + "tls = { verify = false }\n\
           [[system.check]]\nid = \"b\"\nkind = \"icmp\"\nhost = \"B.vn\"\n\
           [[owner]]\nid = \"idle\"\nname = \"I\"\n\
           [[system]]\nid = \"s\"\nowner = \"bca\"\nname = \"S\"\n\
           [[system.check]]\nid = \"s-1\"\nkind = \"http\"\nurl = \"http://a.vn/\"\n\
           critical = false\n\
           auth = { bearer = { env = \"T\" } }\n";
    let env = |_: &str| Some("t".to_owned());
    let config = super::load::parse_bytes("targets.toml", text.into(), &env);
    let config = config.unwrap_or_else(|it| panic!("{it}"));
    insta::assert_snapshot!(config.render_notes(Looks::PLAIN));
}

#[test]
fn a_summary_fits_80_columns() {
    let more = (0..25).map(|n| {
        let interval = 60 + n;
        format!(
            "[[system.check]]\nid = \"more-{n}\"\nkind = \"tls\"\n\
             address = \"host-{n}.example.gov.vn\"\ninterval = \"{interval}s\"\n",
        )
    });
    let mut text = EXAMPLE.to_owned() + &more.collect::<String>();
    text += "[[system.check]]\nid = \"off\"\nkind = \"dns\"\nquery = \"a.vn\"\nenabled = false\n\
        reason = \"chờ văn bản đồng ý của cơ quan chủ quản, đã gửi công văn ngày 01/11/2026\"\n\
        [[system.check]]\nid = \"long\"\nkind = \"icmp\"\n\
        host = \"a-very-long-host-name.with-many-labels.example.gov.vn\"\nip = \"both\"\n";
    let config = parse_str("targets.toml", &text).unwrap_or_else(|it| panic!("{it}"));
    let shown = summary(&config).to_string();
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    let shown = shown.replace(&config.fingerprint[..16], "0123456789abcdef");
    insta::assert_snapshot!(shown);
}

/// A configuration with people, and much to note.
const CALLED: &str = r#"
[alerting]
public_url = "http://giamsat.example.gov.vn/"
[[channel]]
id = "thu"
kind = "email"
server = "mail.example.gov.vn:25"
security = "none"
user = "u"
password = { env = "T" }
from = "a@b.vn"
[[channel]]
id = "sms"
kind = "sms-vnpt"
url = "http://10.0.0.5:8888/smsbn/api"
user = "u"
password = { env = "T" }
brand = "1"
account = "a"
agent = "1"
contract = "1"
template = "1"
[[channel]]
id = "tele"
kind = "telegram"
token = { env = "T" }
url = "http://relay.example.vn/"
[[person]]
id = "an"
name = "An"
contacts = [{ channel = "thu", to = "an@b.vn" }]
[[person]]
id = "binh"
name = "Bình"
contacts = [{ channel = "sms", to = "0912345678" }]
"#;

const TEAM: &str = r#"
[[team]]
id = "truc"
name = "Tổ trực"
[[team.layer]]
people = ["an"]
start = "2026-11-02"
[[team.override]]
person = "an"
instead_of = "binh"
from = "2027-02-05 08:00"
to = "2027-02-06 08:00"
"#;

fn called(text: &str) -> Config {
    let env = |_: &str| Some("t".to_owned());
    let config = super::load::parse_bytes("t.toml", text.into(), &env);
    config.unwrap_or_else(|it| panic!("{it}"))
}

fn notes(config: &Config) -> String {
    let lines = config.notes.iter().map(|it| format!("{} {}", config.position(it.at), it.what));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_may_reach_nobody_is_noted() {
    insta::assert_snapshot!(notes(&called(&format!("{EXAMPLE}{CALLED}{TEAM}"))));
    let told = notes(&called(&format!("{EXAMPLE}{CALLED}").replace("public_url", "# ")));
    assert!(told.contains("there is no `[[team]]`: nobody is called"), "{told}");
    assert!(told.contains("messages have no links"), "{told}");
}

#[test]
fn a_summary_says_who_is_called() {
    let am = "[[alertmanager]]\nurl = \"http://127.0.0.1:9093\"\n";
    let by_am = CALLED.replace("[alerting]", "[alerting]\npager = \"alertmanager\"");
    for (more, pages) in [
        (String::new(), "nobody: no team and no Alertmanager"),
        (am.to_owned(), "nobody but Alertmanager's receivers: no team"),
        (format!("{CALLED}{TEAM}"), "by this monitor: truc, unless a system names another team"),
        (
            format!("{by_am}{TEAM}{am}"),
            "by Alertmanager; if it is gone, by this monitor: truc first",
        ),
        (format!("{by_am}{am}"), "by Alertmanager alone"),
    ] {
        let shown = summary(&called(&format!("{EXAMPLE}{more}"))).to_string();
        assert!(shown.contains(&format!("\npages       {pages}\n")), "{shown}");
    }
    let shown = summary(&called(&format!("{EXAMPLE}{CALLED}{TEAM}{am}"))).to_string();
    let part: Vec<_> = shown.lines().skip(6).take(4).collect();
    let expected = [
        "teams            1",
        "people           2",
        "channels         3: 1 email, 1 sms-vnpt, 1 telegram",
        "Alertmanagers    1",
    ];
    assert_eq!(part, expected);
}

#[test]
fn nothing_in_a_file_can_steer_the_terminal() {
    for value in ["\u{1b}[2J", "\\u001b[2J"] {
        let text = format!("[monitor]\r\nvantage = \"{value}\"\r\n");
        let shown = parse_str("targets.toml", &text).unwrap_err().to_string();
        assert!(!shown.contains('\u{1b}') && !shown.contains('\r'), "{shown:?}");
    }
}

#[test]
fn nothing_in_a_file_steers_the_terminal() {
    let disabled = "\nenabled = false\nreason = \"x\\u001b[2J\\u0007\\u009b\\u202e\\ny\"\n";
    let text = EXAMPLE.replace("\ninterval", &format!("{disabled}interval"));
    let config = parse_str("a\u{1b}[31m\u{202e}.toml", &text).unwrap_or_else(|it| panic!("{it}"));
    let mistakes = parse_str("a\u{1b}[31m\u{202e}.toml", "x = 1\n").unwrap_err();
    let shown = [
        summary(&config).to_string(),
        config.render_notes(Looks::PLAIN),
        mistakes.render(Looks::PLAIN),
    ];
    for shown in shown {
        let evil = ['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}'];
        assert!(!shown.contains(evil) && shown.contains('\u{fffd}'), "{shown:?}");
    }
}

#[test]
fn many_systems_that_are_not_judged_are_one_note() {
    for (count, notes) in [(5, 5), (6, 1)] {
        let system = |n| format!("[[system]]\nid = \"s-{n}\"\nowner = \"bca\"\nname = \"S {n}\"\n");
        let more: String = (0..count).map(system).collect();
        let config =
            parse_str("t.toml", &format!("{EXAMPLE}{more}")).unwrap_or_else(|it| panic!("{it}"));
        let summary = summary(&config);
        let told: Vec<_> =
            summary.notes.iter().filter(|it| it.1.contains("không giám sát")).collect();
        assert_eq!(told.len(), notes, "{summary}");
        assert!((0..count).all(|n| told.iter().any(|it| it.1.contains(&format!("s-{n}")))));
    }
}
