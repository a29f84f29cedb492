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
