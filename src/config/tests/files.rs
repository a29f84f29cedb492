//! Configurations of several files: includes, secrets, certificates.

use std::{fs, path::Path};

use super::*;

pub(super) const FULL: &str = include_str!("full.toml");

const MORE: &str = "[[owner]]\nid = \"c06\"\nname = \"C06\"\n\n[[system]]\nid = \"dan-cu\"\n\
    owner = \"c06\"\nname = \"CSDL quốc gia về dân cư\"\n";

fn env(name: &str) -> Option<String> {
    let value = match name {
        "API_KEY" => "k3y\n",
        "LINK_KEY" => "0123456789abcdef0123456789abcdef",
        "HOOK_URL" => "https://hooks.example.vn/k3y",
        _ => return None,
    };
    Some(value.to_owned())
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A folder with the full example and all that it names.
pub(super) fn full_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["vneid.gov.vn".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    write(folder.path(), "targets.toml", FULL);
    write(folder.path(), "more/b.toml", MORE);
    write(folder.path(), "more/.hidden.toml", "not read");
    write(folder.path(), "more/README", "not read");
    write(folder.path(), "secrets/token", "t0ken\r\n");
    write(folder.path(), "body.json", "{}");
    write(folder.path(), "pem/root.pem", certificate.pem());
    write(folder.path(), "pem/key.pem", key.serialize_pem());
    write(folder.path(), "pem/both.pem", certificate.pem() + &key.serialize_pem());
    fs::create_dir(folder.path().join("mau-tin")).unwrap();
    folder
}

fn load_in(folder: &Path) -> Result<Config, Mistakes> {
    load(&folder.join("targets.toml"), &env)
}

/// The mistakes with the folder's own path taken out, without the pictures.
fn told(folder: &Path) -> String {
    let Err(mistakes) = load_in(folder) else { return "fine".to_owned() };
    let each = mistakes.list().iter();
    let lines = each.map(|it| format!("{}: {}", mistakes.position(it.at), it.what));
    lines.collect::<Vec<_>>().join("\n").replace(&format!("{}/", folder.display()), "")
}

#[test]
fn the_full_example_is_read_to_the_last_key() {
    let folder = full_folder();
    let config = load_in(folder.path()).unwrap_or_else(|it| panic!("{it}"));
    let checks = config.roster.checks().map(|check| format!("{check:#?}"));
    let roster = checks.collect::<Vec<_>>().join("\n");
    // Certificates are new each time: only their lengths would tell, and those vary.
    let roster = without_bytes(&roster);
    let monitor = without_bytes(&format!("{:#?}", config.monitor));
    let monitor = monitor.replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!("full_monitor", monitor);
    insta::assert_snapshot!("full_checks", roster);
    let alerting = without_bytes(&format!("{:#?}", config.alerting));
    let alerting = alerting.replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!("full_alerting", alerting);
    let systems: Vec<_> = config.roster.systems.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(systems, ["vneid", "dan-cu"]);
    assert_eq!(config.roster.systems[0].objective.unwrap().down_ppm(), 500);
    assert_eq!(config.roster.directives[0].systems.len(), 2);
    insta::assert_snapshot!(
        "full_terms",
        format!(
            "{:#?}\n{:#?}\n{:#?}",
            config.roster.systems[0].terms, config.roster.systems[0].alert, config.roster.holidays
        )
    );
    let defaults = &config.roster.systems[1].terms;
    assert_eq!((defaults.notice_ms, defaults.coverage_ppm), (36 * 3_600_000, 985_000));
    assert_eq!(defaults.hours, crate::model::terms::Hours::office());
}

#[test]
fn the_days_off_that_are_shipped_are_read_and_say_where_they_are_from() {
    let folder = full_folder();
    let main = FULL.replace("more/*.toml", "holidays.toml\", \"more/*.toml");
    let main = main
        .replace("date = \"2026-", "date = \"2029-")
        .replace("until = \"2026-", "until = \"2029-");
    write(folder.path(), "targets.toml", main);
    write(folder.path(), "holidays.toml", include_str!("../../../targets.d/holidays.toml"));
    let config = load_in(folder.path()).unwrap_or_else(|it| panic!("{it}"));
    let year = |year| config.roster.holidays.iter().filter(move |it| it.date.year() == year);
    // Days by law, those taken for them and those worked for them; weekends need no naming.
    assert_eq!((year(2026).count(), year(2027).count()), (17, 13));
    let days = [(2026, 11, 24), (2026, 2, 17), (2027, 2, 8)];
    for (y, m, d) in days {
        let day = jiff::civil::date(y, m, d);
        assert!(config.roster.holidays.iter().any(|it| it.date == day), "{day}");
    }
    assert!(config.roster.holidays.iter().any(|it| it.source.starts_with("chưa công bố")));
}

#[test]
fn the_example_of_alerting_is_whole_and_has_nothing_to_note() {
    let example = include_str!("../../../deploy/alerting.example.toml");
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "targets.toml", format!("{EXAMPLE}\n{example}"));
    for part in example.split("{ file = \"").skip(1) {
        let name = part.split('"').next().unwrap();
        write(folder.path(), name, "https://example.vn/beat");
    }
    let config = load_in(folder.path()).unwrap_or_else(|it| panic!("{it}"));
    let notes: Vec<_> = config.notes.iter().map(|it| it.what.clone()).collect();
    assert_eq!(notes, [NoteWhat::NoContact]);
    let alerting = &config.alerting;
    assert_eq!((alerting.channels.len(), alerting.people.len(), alerting.teams.len()), (4, 3, 1));
    assert_eq!((alerting.teams[0].layers.len(), alerting.teams[0].steps.len()), (2, 3));
    assert!(example.lines().all(element::is_nfc));
}

/// `text` without the lines that are only numbers, in lists longer than a few.
fn without_bytes(text: &str) -> String {
    let is_byte = |line: &&str| line.trim().trim_end_matches(',').parse::<u8>().is_ok();
    text.lines().filter(|line| !is_byte(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn all_files_are_told_once_and_secrets_are_not_in_the_fingerprint() {
    let folder = full_folder();
    let config = load_in(folder.path()).unwrap();
    let names: Vec<_> = config
        .files
        .iter()
        .map(|file| file.strip_prefix(folder.path()).unwrap().display().to_string())
        .collect();
    let expected = [
        "body.json",
        "more/b.toml",
        "pem/both.pem",
        "pem/key.pem",
        "pem/root.pem",
        "secrets/token",
        "targets.toml",
    ];
    assert_eq!(names, expected);
    assert_eq!(config.fingerprint.len(), 64);

    write(folder.path(), "secrets/token", "other");
    let rotated = load_in(folder.path()).unwrap();
    assert_eq!(rotated.fingerprint, config.fingerprint);
    assert_ne!(rotated, config);
    write(folder.path(), "body.json", "[]");
    assert_ne!(load_in(folder.path()).unwrap().fingerprint, config.fingerprint);
}

#[test]
fn secrets_are_cut_and_never_printed() {
    let folder = full_folder();
    let config = load_in(folder.path()).unwrap();
    assert_eq!(config.monitor.token.as_ref().unwrap().reveal(), "t0ken");
    let printed = format!("{config:?}{}", summary(&config));
    assert!(!printed.contains("t0ken") && !printed.contains("k3y"));
}

#[test]
fn a_check_that_does_not_run_needs_no_secret_yet() {
    let folder = full_folder();
    let beat = |token: &str, off: &str| {
        let text = format!(
            "{MORE}\n[[system.check]]\nid = \"b\"\nkind = \"heartbeat\"\nmax_age = \"1h\"\n\
             token = {token}\n{off}"
        );
        write(folder.path(), "more/b.toml", text);
        told(folder.path())
    };
    let off = "enabled = false\nreason = \"chờ\"\n";
    for token in ["{ env = \"NOT_SET\" }", "{ file = \"none\" }"] {
        assert_eq!(beat(token, off), "fine");
        assert_ne!(beat(token, ""), "fine");
    }
    // One that is there must be sound all the same.
    write(folder.path(), "more/empty", "");
    assert!(beat("{ file = \"empty\" }", off).contains("is empty"));
}

#[test]
fn every_file_has_its_own_name_and_lines() {
    let folder = full_folder();
    write(folder.path(), "more/a.toml", "[[owner]]\nid = \"c06\"\nname = 1\n[monitor]\n");
    write(folder.path(), "more/c.toml", "[[owner]\n");
    write(folder.path(), "more/d.toml", b"x = \"\xff\"");
    assert_eq!(
        told(folder.path()),
        "targets.toml:2:12: `more/d.toml` is not UTF-8 text: byte 5 does not belong\n\
         more/a.toml:3:8: `name` must be a text, not a whole number\n\
         more/a.toml:4:2: `monitor` may stand only in the main file, and this one is included\n\
         more/b.toml:2:6: the owner `c06` is described twice\n\
         more/c.toml:1:9: this is not TOML: unclosed array table, expected `]`"
    );
}

#[test]
fn with_a_broken_file_references_are_not_judged() {
    let folder = full_folder();
    write(folder.path(), "more/b.toml", "[[system]]\nid =\n");
    let told = told(folder.path());
    assert!(told.contains("this is not TOML") && !told.contains("there is no"), "{told}");
}

#[test]
fn a_name_without_a_star_must_exist() {
    let folder = full_folder();
    let text = FULL.replace("more/*.toml", "more/*.toml\", \"none/*.toml\", \"more/b?toml");
    write(folder.path(), "targets.toml", text.replace("more/b?toml", "nowhere.toml"));
    assert_eq!(
        told(folder.path()),
        "targets.toml:2:42: `include` names `nowhere.toml`, and there is no such file"
    );
    write(folder.path(), "targets.toml", text);
    assert_eq!(load_in(folder.path()).unwrap().roster.owners.len(), 2, "each file once");
}

#[test]
fn files_that_are_not_what_they_should_be() {
    let folder = full_folder();
    write(folder.path(), "pem/root.pem", "not PEM");
    write(folder.path(), "pem/key.pem", "not PEM");
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    write(folder.path(), "pem/both.pem", key);
    fs::remove_dir(folder.path().join("mau-tin")).unwrap();
    write(folder.path(), "secrets/token", "a\nb");
    write(folder.path(), "body.json", vec![b'x'; (1 << 20) + 1]);
    let told = told(folder.path());
    for part in [
        "`pem/root.pem` holds no certificate in PEM",
        "`pem/both.pem` holds no certificate in PEM",
        "can't read `mau-tin`: there is no such directory",
        "`pem/key.pem` holds no private key in PEM",
        "the secret in `secrets/token` has characters that can't stand in a header",
        "`body.json` is larger than 1048576 bytes",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
}

#[test]
fn a_main_file_that_can_not_be_read_is_one_mistake() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        told(folder.path()),
        "targets.toml:1:1: can't read `targets.toml`: there is no such file"
    );
    let shown = load_in(folder.path()).unwrap_err().to_string();
    assert!(shown.contains("there is no such file") && shown.contains("1 mistake"), "{shown}");
}
