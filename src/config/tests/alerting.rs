//! What holds of alerting when little is written.

use super::*;
use crate::model::alerting::people::{Target, Turn};
use crate::model::alerting::rules::Severity;
use crate::model::id::PersonId;

const CHANNELS: &str = r#"
[[channel]]
id = "thu"
kind = "email"
server = "[::1]:25"
from = "a@b.vn"
[[channel]]
id = "sms"
kind = "sms-esms"
user = { env = "T" }
password = { env = "T" }
brand = "B"
[[channel]]
id = "nhom"
kind = "mattermost"
url = { env = "URL" }
"#;

const PEOPLE: &str = r#"
[[person]]
id = "an"
name = "An"
contacts = [
  { channel = "thu", to = "an@b.vn" },
  { channel = "sms", to = "+84 912 345 671" },
  { channel = "nhom", after = "7m" },
  { channel = "sms", to = "0912345672" },
]
[[person]]
id = "binh"
name = "Bi\u0300nh"
contacts = [{ channel = "nhom" }]
"#;

fn read(text: &str) -> Config {
    let env = |name: &str| Some(if name == "URL" { "https://a.vn/x" } else { "t" }.to_owned());
    let config = super::load::parse_bytes("t.toml", text.into(), &env);
    config.unwrap_or_else(|it| panic!("{it}"))
}

fn team(text: &str) -> crate::model::alerting::people::Team {
    let team = format!("[[team]]\nid = \"t\"\nname = \"T\"\n{text}");
    let config = read(&format!("{EXAMPLE}{CHANNELS}{PEOPLE}{team}"));
    config.alerting.teams[0].clone()
}

#[test]
fn a_configuration_without_alerting_has_its_defaults() {
    let config = read(EXAMPLE);
    assert_eq!(*config.alerting, Alerting::default());
    assert_eq!(config.roster.systems[0].alert, crate::model::system::AlertTerms::default());
}

#[test]
fn contacts_come_one_after_the_other_in_the_form_their_channel_wants() {
    let config = read(&format!("{EXAMPLE}{CHANNELS}{PEOPLE}"));
    let contacts: Vec<_> = config.alerting.people[0]
        .contacts
        .iter()
        .map(|it| (it.to.as_str(), it.after_ms / 60_000, it.from_severity))
        .collect();
    let expected = [
        ("an@b.vn", 0, Severity::Ticket),
        ("84912345671", 2, Severity::Page),
        ("-", 7, Severity::Page),
        ("84912345672", 9, Severity::Page),
    ];
    assert_eq!(contacts, expected);
    assert_eq!(config.alerting.people[1].name, "Bình");
}

#[test]
fn a_team_calls_who_is_on_then_everybody_and_falls_back_on_all() {
    let made = team("layer = [{ people = [\"binh\", \"an\", \"binh\"], start = \"2026-11-02\" }]");
    let steps: Vec<_> = made.steps.iter().map(|it| (it.after_ms, it.targets.clone())).collect();
    assert_eq!(steps, [(0, vec![Target::OnCall]), (600_000, vec![Target::Everyone])]);
    let fallback: Vec<_> = made.fallback.iter().map(PersonId::as_str).collect();
    assert_eq!((fallback, made.repeat), (vec!["binh", "an"], 2));
    let layer = &made.layers[0];
    assert_eq!((layer.turn, layer.handover_min, &layer.only), (Turn::Weeks(1), 480, &None));
    assert_eq!(layer.people.len(), 3, "somebody may take two turns in three");
}

#[test]
fn a_team_without_turns_calls_those_it_names() {
    let made = team("fallback = [\"an\", \"binh\"]");
    assert_eq!((made.steps.len(), made.steps[0].targets.len()), (1, 2));
    let made = team("step = [{ targets = [\"person:an\"] }, { targets = [\"address:nhom:x\"] }]");
    let after: Vec<_> = made.steps.iter().map(|it| it.after_ms).collect();
    let fallback: Vec<_> = made.fallback.iter().map(PersonId::as_str).collect();
    assert_eq!((after, fallback), (vec![0, 600_000], vec!["an"]));
    let made = team("step = [{ targets = [\"address:nhom:x\"] }]");
    assert_eq!(made.fallback, [], "a group is somebody, but can't be fallen back on");
}

#[test]
fn a_system_takes_the_rules_of_all_and_changes_its_own() {
    let alert = "[system.alert]\nslow = \"off\"\n";
    let example = EXAMPLE.replace("[[system.check]]", &format!("{alert}[[system.check]]"));
    let all = "[alerting.rules]\ndown = \"ticket\"\nslow = \"page\"\ncertificate_days = []\n";
    let config = read(&format!("{example}{all}"));
    let rules = &config.roster.systems[0].alert.rules;
    assert_eq!((rules.down, rules.slow), (Some(Severity::Ticket), None));
    assert_eq!((&rules.certificate_days, rules.budget_left_ppm), (&Vec::new(), 250_000));
}

#[test]
fn base_addresses_end_with_a_slash_and_hosts_lose_their_brackets() {
    let more = "[alerting]\npublic_url = \"https://a.vn/giam-sat\"\n";
    let config = read(&format!("{EXAMPLE}{more}{CHANNELS}"));
    let public = config.alerting.public_url.as_ref().unwrap();
    assert_eq!(public.join("incidents").unwrap().as_str(), "https://a.vn/giam-sat/incidents");
    let kind = &config.alerting.channels[0].kind;
    let crate::model::alerting::channel::ChannelKind::Email(email) = kind else { panic!("mail") };
    assert_eq!((email.host.as_str(), email.port), ("::1", 25));
}

#[test]
fn local_times_are_of_the_monitors_zone() {
    let text = "fallback = [\"an\"]\noverride = [{ person = \"an\", from = \"2027-02-05 08:00\", \
        to = \"2027-02-05T01:00:01Z\" }]";
    let made = team(text);
    assert_eq!(made.overrides[0].to.since(made.overrides[0].from), 1_000);
}

#[test]
fn every_kind_has_a_preset_whose_names_are_its_keys() {
    use crate::config::element::template;
    use crate::config::keys::alerting::channel::{CHANNEL, KINDS};
    use crate::model::alerting::presets::{ACCESS_TOKEN, PRESETS, Settings, preset};
    use crate::model::secret::Secret;

    let listed: Vec<_> = CHANNEL.kinds.iter().map(|it| it.name).collect();
    assert_eq!(listed, KINDS);
    for kind in KINDS.iter().filter(|it| !["email", "http"].contains(it)) {
        let url = Some(Secret::new("https://a.vn/".to_owned()));
        let made = preset(kind, Settings { url, ..Settings::default() }).expect(kind);
        let mut names: Vec<_> = CHANNEL.keys_of(Some(kind)).map(|key| key.name).collect();
        if CHANNEL.key("refresh_token", Some(kind)).is_some() {
            names.push(ACCESS_TOKEN);
        }
        let headers = made.headers.iter().map(|(_, value)| value);
        for part in [&made.url, &made.body].into_iter().chain(headers) {
            assert_eq!(template::unknown_name(part.reveal(), &names), None, "{kind}");
            template::trial(part.reveal(), &names).unwrap_or_else(|it| panic!("{kind}: {it}"));
        }
    }
    assert_eq!(PRESETS.len(), KINDS.len() - 2);
}
