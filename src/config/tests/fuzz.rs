//! Good files made worse at random: never a panic, and never a refusal without a place.

use proptest::prelude::*;

use super::files::FULL;
use super::*;
use crate::config::load::parse_bytes;

/// One way to spoil a file; numbers choose where.
#[derive(Clone, Debug)]
enum Spoil {
    DropLine(usize),
    RepeatLine(usize),
    SwapLines(usize, usize),
    Replace(usize, String),
    /// The value of some key becomes this.
    Value(usize, &'static str),
    /// A letter of some key is lost.
    Key(usize),
    Cut(usize),
}

const VALUES: &[&str] = &[
    "1",
    "-1",
    "0.5",
    "true",
    "\"\"",
    "\"x\"",
    "\"1h\"",
    "[]",
    "{}",
    "[[]]",
    "[{}]",
    "1979-05-27",
    "nan",
    "{ file = 1 }",
    "{ a = { b = 1 } }",
    "99999999999999999999",
    "'\\'",
    "[1, \"a\", {}]",
    "\"\\uFFFF\"",
];

fn spoil() -> impl Strategy<Value = Spoil> {
    let at = || 0..10_000_usize;
    prop_oneof![
        at().prop_map(Spoil::DropLine),
        at().prop_map(Spoil::RepeatLine),
        (at(), at()).prop_map(|(a, b)| Spoil::SwapLines(a, b)),
        (at(), ".{0,8}").prop_map(|(a, text)| Spoil::Replace(a, text)),
        (at(), prop::sample::select(VALUES)).prop_map(|(a, value)| Spoil::Value(a, value)),
        at().prop_map(Spoil::Key),
        at().prop_map(Spoil::Cut),
    ]
}

fn apply(text: &str, spoil: &Spoil) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return text.to_owned();
    }
    let count = lines.len();
    match spoil {
        Spoil::DropLine(at) => drop(lines.remove(at % count)),
        Spoil::RepeatLine(at) => lines.insert(at % count, lines[at % count].clone()),
        Spoil::SwapLines(a, b) => lines.swap(a % count, b % count),
        Spoil::Value(at, value) => {
            let line = &mut lines[at % count];
            if let Some((key, _)) = line.clone().split_once('=') {
                *line = format!("{key}= {value}");
            }
        }
        Spoil::Key(at) => {
            let line = &mut lines[at % count];
            let letter = line.char_indices().nth(at % 5).map(|(at, _)| at);
            letter.map(|at| line.remove(at));
        }
        Spoil::Replace(at, with) => {
            let start = text.floor_char_boundary(at % text.len());
            let end = text.ceil_char_boundary((start + with.len()).min(text.len()));
            return format!("{}{with}{}", &text[..start], &text[end..]);
        }
        Spoil::Cut(at) => return text[..text.floor_char_boundary(at % text.len())].to_owned(),
    }
    lines.join("\n")
}

fn env(name: &str) -> Option<String> {
    let value = match name {
        "" => return None,
        "HOOK_URL" => "https://hooks.example.vn/secret",
        "LINK_KEY" => "a secret that is long enough",
        _ => "secret",
    };
    Some(value.to_owned())
}

/// What must hold of any bytes.
fn judge(bytes: &[u8]) -> Result<(), TestCaseError> {
    match parse_bytes("t.toml", bytes.to_vec(), &env) {
        Ok(config) => {
            let text = std::str::from_utf8(bytes).unwrap();
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            let written = raw::parse(0, text).0;
            prop_assert_eq!(config.roster.owners.len(), written.list("owner").len());
            prop_assert_eq!(config.roster.systems.len(), written.list("system").len());
            prop_assert_eq!(config.roster.directives.len(), written.list("directive").len());
            let alerting = &config.alerting;
            prop_assert_eq!(alerting.channels.len(), written.list("channel").len());
            prop_assert_eq!(alerting.people.len(), written.list("person").len());
            prop_assert_eq!(alerting.teams.len(), written.list("team").len());
            prop_assert_eq!(alerting.alertmanagers.len(), written.list("alertmanager").len());
            prop_assert_eq!(alerting.peers.len(), written.list("peer").len());
            for (team, node) in alerting.teams.iter().zip(written.list("team")) {
                prop_assert_eq!(team.layers.len(), node.list("layer").len());
                prop_assert_eq!(team.overrides.len(), node.list("override").len());
                prop_assert!(!team.steps.is_empty());
            }
            for (person, node) in alerting.people.iter().zip(written.list("person")) {
                prop_assert_eq!(person.contacts.len(), node.list("contacts").len());
            }
            let checks: usize =
                written.list("system").iter().map(|it| it.list("check").len()).sum();
            prop_assert_eq!(config.roster.checks().count(), checks);
            let _ = (config.render_notes(Looks::PLAIN), summary(&config).to_string());
            for error in VALIDATOR.iter_errors(&written.to_json()) {
                prop_assert!(false, "{error} at {}", error.instance_path());
            }
        }
        Err(mistakes) => {
            prop_assert!(!mistakes.list().is_empty());
            let text = &mistakes.sources()[0].text;
            for mistake in mistakes.list() {
                prop_assert!(mistake.at.start <= text.len(), "{mistake:?}");
                prop_assert!(mistake.at.end <= text.len(), "{mistake:?}");
                prop_assert!(mistake.at.start <= mistake.at.end, "{mistake:?}");
            }
            prop_assert!(mistakes.to_string().contains("t.toml"));
        }
    }
    Ok(())
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() }
}

static VALIDATOR: std::sync::LazyLock<jsonschema::Validator> =
    std::sync::LazyLock::new(|| jsonschema::draft202012::new(&schema()).unwrap());

/// The full example without what lies outside, so that it is good by itself.
static ALONE: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    let outside = |line: &&str| {
        let names =
            ["include", "roots", "extra_roots", "cert", "key", "body", "identity", "templates"];
        !names
            .iter()
            .map(|it| format!("{it} ="))
            .any(|start| line.starts_with(&start) && !line.starts_with("body = '"))
    };
    let text: Vec<_> = FULL.lines().filter(outside).collect();
    let text = text.join("\n").replace("[channel.body]\nfile = \"body.json\"", "");
    let text = text.replace("file = \"secrets/token\"", "env = \"T\"");
    text + "\n[[system]]\nid = \"dan-cu\"\nowner = \"bca\"\nname = \"D\"\n"
});

#[test]
fn the_unspoilt_file_is_good() {
    assert!(judge(ALONE.as_bytes()).is_ok());
    parse_bytes("t.toml", ALONE.clone().into(), &env).unwrap_or_else(|it| panic!("{it}"));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_spoilt_file_is_refused_with_places_or_is_a_configuration(
        spoils in prop::collection::vec(spoil(), 1..4),
    ) {
        let text = spoils.iter().fold(ALONE.clone(), |text, spoil| apply(&text, spoil));
        judge(text.as_bytes())?;
    }

    #[test]
    fn a_secret_in_a_file_that_is_spoilt_once_is_never_shown(spoil in spoil()) {
        prop_assume!(!matches!(spoil, Spoil::Replace(..)));
        let text = ALONE.replace("password = { env = \"API_KEY\" }", "password = \"hunter2\"");
        let text = text.replace("token = { env = \"T\" }", "token = \"hunter2\"");
        let text = text.replace("token = { env = \"API_KEY\" }", "token = \"hunter2\"");
        let text = text.replace("{ env = \"HOOK_URL\" }", "\"https://a.vn/hooks/hunter2\"");
        prop_assert!(text.matches("hunter2").count() == 17);
        if let Err(mistakes) = parse_bytes("t.toml", apply(&text, &spoil).into(), &env) {
            let shown = mistakes.to_string();
            prop_assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn any_bytes_are_refused_with_places(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        judge(&bytes)?;
    }

    #[test]
    fn any_text_of_toml_letters_is_refused_with_places(
        text in "[\\[\\]{}=\",.a-z0-9#'\\\\ \n-]{0,80}",
    ) {
        judge(text.as_bytes())?;
    }
}
