//! Every reason of the closed list comes out of some test with a real server, process or clock.

use std::path::Path;

use thongsuot::model::reason::Reason;

/// Reasons that none does, and why.
const NOT_PRODUCED: &[(Reason, &str)] = &[
    (Reason::ConnectTimeout, "the kernel gives up after two minutes; a run has ended by then"),
    (Reason::IcmpNoReply, "every loopback address replies; see `probe/icmp.rs` for silence"),
    (Reason::DataAge, "no kind of check produces it yet"),
    (Reason::DataMismatch, "no kind of check produces it yet"),
    (Reason::GuardRefused, "there is no guard yet"),
    (Reason::Overrun, "needs a schedule that is late or a run that never ends: `schedule/core`"),
];

fn text_of(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            text_of(&path, text);
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("reasons.rs") {
            *text += &std::fs::read_to_string(&path).expect("a file");
        }
    }
}

/// Whether `word` stands in `text`, and not only as a part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let after = text[at + word.len()..].chars().next();
        let before = text[..at].chars().next_back();
        !after.is_some_and(is_part) && !before.is_some_and(is_part)
    })
}

#[test]
fn every_reason_is_produced_by_a_test_or_it_is_said_why_not() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let (mut system, mut daemon) = (String::new(), String::new());
    for folder in ["nasty", "history"] {
        text_of(&tests.join("system").join(folder), &mut system);
    }
    for file in
        ["dns.rs", "icmp.rs", "tcp.rs", "unix.rs", "websocket.rs", "grpc.rs", "heartbeat.rs"]
    {
        let path = tests.join("system").join(file);
        system += &std::fs::read_to_string(path).expect("a file");
    }
    text_of(&tests.join("daemon"), &mut daemon);
    for reason in Reason::ALL {
        let produced = has_word(&system, &format!("Reason::{reason:?}"))
            || daemon.contains(&format!("\"{}\"", reason.as_str()))
            || daemon.contains(&format!(" {}\"", reason.as_str()));
        let excuse = NOT_PRODUCED.iter().find(|(it, _)| it == reason);
        assert_eq!(produced, excuse.is_none(), "{}: {excuse:?}", reason.as_str());
    }
}
