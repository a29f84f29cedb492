//! What the configuration makes of text can be sent with: the two sides agree on templates, names and
//! filters, though neither may use the other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use thongsuot::alert::channel::{Sender, TokenStore};
use thongsuot::config::{self, Config};
use thongsuot::model::alerting::channel::ChannelKind;
use thongsuot::model::alerting::presets::{FIELDS, PRESETS};

use crate::send::{Store, message};

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// `text` as a configuration whose secrets are all there.
fn config(text: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("targets.toml");
    let file = regex::Regex::new(r#"\{ file = "[^"]*" \}"#).unwrap();
    let text = file.replace_all(text, "{ env = \"URL\" }");
    fs::write(&path, format!("[monitor]\nvantage = \"hn-1\"\n{text}")).unwrap();
    let env = |_: &str| Some("https://example.vn/secret".to_owned());
    config::load(&path, &env).unwrap_or_else(|it| panic!("{it}"))
}

/// Makes every channel ready, and tells which kinds there were.
fn ready(config: &Config) -> BTreeSet<&'static str> {
    let store: Arc<dyn TokenStore> = Arc::new(Store::default());
    let mut kinds = BTreeSet::new();
    for channel in &config.alerting.channels {
        let sender = Sender::new(channel, &store);
        assert!(sender.is_ok(), "{}: {sender:?}", channel.id);
        kinds.insert(match &channel.kind {
            ChannelKind::Email(_) => "email",
            ChannelKind::Http(http) => http.preset,
        });
    }
    kinds
}

#[test]
fn a_channel_of_every_kind_can_be_sent_with() {
    // Each `[[channel]]` of the file that has every key, without what lies beside it.
    let full = read("src/config/tests/full.toml");
    let start = full.find("[[channel]]").unwrap();
    let end = full.find("[[person]]").unwrap();
    let beside = |line: &&str| {
        !["roots =", "file =", "[channel.body]"].iter().any(|it| line.starts_with(it))
    };
    let channels: Vec<_> = full[start..end].lines().filter(beside).collect();
    let kinds = ready(&config(&channels.join("\n")));
    let all: BTreeSet<_> = PRESETS.iter().map(|it| it.kind).chain(["email", "http"]).collect();
    assert_eq!(kinds, all);
}

#[test]
fn names_that_the_configuration_allows_are_those_of_messages() {
    let message = serde_json::to_value(message()).unwrap();
    let fields = message.as_object().unwrap().keys().map(String::as_str);
    let fields: BTreeSet<_> = fields.chain(["to"]).collect();
    assert_eq!(fields, FIELDS.iter().copied().collect());
}

#[test]
fn the_examples_that_are_shipped_can_be_sent_with() {
    assert_eq!(ready(&config(&read("deploy/alerting.example.toml"))).len(), 4);
    let page = read("docs/channels.md");
    for example in page.split("```toml\n").skip(1) {
        ready(&config(example.split("```").next().unwrap()));
    }
}
