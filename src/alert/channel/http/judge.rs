//! The answer: whether the message was sent. A 2xx alone says so only where the API does.

use std::time::Duration;

use serde_json::Value;
use serde_json_path::JsonPath;

use super::ANSWER_BYTES_MAX;
use crate::alert::channel::hide::Secrets;
use crate::alert::channel::{AFTER_MAX, SenderError, Sent};
use crate::alert::message::tamed;
use crate::model::alerting::channel::Success;
use crate::model::text::Pattern;
use crate::model::time::Millis;

/// Most bytes of an answer that are told.
const TOLD_BYTES_MAX: usize = 1_024;

/// Where APIs put their id of a message.
const ID_POINTERS: [&str; 6] =
    ["/result/message_id", "/data/message_id", "/data/msg_id", "/message_id", "/SMSID", "/id"];

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<String>,
    /// One byte more than [`ANSWER_BYTES_MAX`] if there was more.
    pub(super) body: Vec<u8>,
}

/// What an answer must be.
pub(super) enum Judge {
    Status,
    Json { path: JsonPath, equals: Vec<String> },
    Matches(Pattern),
}

impl Judge {
    pub(super) fn new(success: &Success) -> Result<Self, SenderError> {
        Ok(match success {
            Success::Status => Self::Status,
            Success::Json { path, equals } => Self::Json {
                path: JsonPath::parse(path)
                    .map_err(|_| SenderError::Invalid { what: "JSONPath", text: path.clone() })?,
                equals: equals.clone(),
            },
            Success::Matches(pattern) => Self::Matches(pattern.clone()),
        })
    }

    /// Whether the body says anything.
    pub(super) const fn reads_body(&self) -> bool {
        !matches!(self, Self::Status)
    }

    /// What the answer means.
    pub(super) fn judge(&self, answer: &Answer, now: Millis, secrets: &Secrets) -> Sent {
        let said = || shown(&answer.body, secrets);
        let status = answer.status;
        match status {
            200..=299 => match self.holds(&answer.body) {
                Ok(()) => Sent::Accepted { id: id_of(&answer.body).map(|it| secrets.hide(&it)) },
                Err(what) => Sent::later(format!("answers {status}, but {what}{}", said())),
            },
            300..=399 => Sent::later(format!("answers {status}: redirects are not followed")),
            // A credential, an empty account or an address that is not there (yet) can be mended
            // while the page still matters; the others of these ask for it.
            401..=404 | 407 | 408 | 423 | 425 | 429 | 500.. => Sent::Later {
                why: format!("answers {status}{}", said()),
                after: answer.retry_after.as_deref().and_then(|it| after(it, now)),
            },
            _ => Sent::refused(format!("answers {status}{}", said())),
        }
    }

    /// Whether a good status was meant; if not, what is missing.
    fn holds(&self, body: &[u8]) -> Result<(), String> {
        if self.reads_body() && body.len() > ANSWER_BYTES_MAX {
            return Err(format!("with more than {ANSWER_BYTES_MAX} bytes"));
        }
        match self {
            Self::Status => Ok(()),
            Self::Matches(pattern) if pattern.is_match(body) => Ok(()),
            Self::Matches(pattern) => Err(format!("does not say `{}`", pattern.as_str())),
            Self::Json { path, equals } => {
                let Ok(value) = serde_json::from_slice::<Value>(body) else {
                    return Err("not with JSON".to_owned());
                };
                let found = path.query(&value).all();
                let good = found.iter().any(|it| equals.contains(&it.to_string()));
                if good { Ok(()) } else { Err(format!("`{path}` is not {}", equals.join(" or "))) }
            }
        }
    }
}

/// What of an answer may be told, after a colon; nothing if it is not text. Hidden before it is cut:
/// the first half of a secret is none that could be found.
fn shown(body: &[u8], secrets: &Secrets) -> String {
    let hidden = secrets.hide(&String::from_utf8_lossy(body));
    let end = hidden.floor_char_boundary(TOLD_BYTES_MAX);
    match tamed(&hidden[..end]) {
        text if text.is_empty() => text,
        text => format!(": {text}"),
    }
}

/// The other side's id of the message, if it is where one is expected.
fn id_of(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let found = ID_POINTERS.iter().find_map(|at| value.pointer(at))?;
    match found {
        Value::String(text) => Some(tamed(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// `Retry-After` (RFC 9110, section 10.2.3): seconds or a date; at most [`AFTER_MAX`].
fn after(text: &str, now: Millis) -> Option<Duration> {
    let text = text.trim();
    let wait = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp().as_millisecond();
        Duration::from_millis(u64::try_from(at.saturating_sub(now.0)).unwrap_or(0))
    };
    Some(wait.min(AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_795_396_440_000);

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, retry_after: None, body: body.as_bytes().to_vec() }
    }

    fn json() -> Judge {
        let equals = vec!["true".to_owned()];
        Judge::new(&Success::Json { path: "$.ok".to_owned(), equals }).unwrap()
    }

    #[test]
    fn a_status_decides_between_now_later_and_never() {
        for (status, expected) in [
            (200, "accepted"),
            (204, "accepted"),
            (302, "later"),
            (400, "refused"),
            (401, "later"),
            (403, "later"),
            (402, "later"),
            (404, "later"),
            (410, "refused"),
            (408, "later"),
            (413, "refused"),
            (429, "later"),
            (500, "later"),
            (503, "later"),
            (599, "later"),
        ] {
            let sent = Judge::Status.judge(&answer(status, "x"), NOW, &Secrets::default());
            let word = match sent {
                Sent::Accepted { .. } => "accepted",
                Sent::Later { .. } => "later",
                Sent::Refused { .. } => "refused",
            };
            assert_eq!(word, expected, "{status}");
        }
    }

    #[test]
    fn a_good_status_is_not_enough_where_the_body_decides() {
        let good = answer(200, r#"{"ok":true,"result":{"message_id":"m1"}}"#);
        assert_eq!(
            json().judge(&good, NOW, &Secrets::default()),
            Sent::Accepted { id: Some("m1".to_owned()) }
        );
        for bad in [r#"{"ok":false}"#, r#"{"ok":"true"}"#, "{}", "", "<html>", "null"] {
            assert!(
                matches!(
                    json().judge(&answer(200, bad), NOW, &Secrets::default()),
                    Sent::Later { .. }
                ),
                "{bad}"
            );
        }
        let huge = format!(r#"{{"ok":true,"x":"{}"}}"#, "y".repeat(ANSWER_BYTES_MAX));
        assert!(matches!(
            json().judge(&answer(200, &huge), NOW, &Secrets::default()),
            Sent::Later { .. }
        ));
    }

    #[test]
    fn an_answer_that_repeats_a_secret_is_told_without_it() {
        let mut secrets = Secrets::default();
        for it in ["hunter2/x\"y", "ab", ""] {
            secrets.add(it);
        }
        let body = "{\"e\":\"token hunter2/x\\\"y or hunter2\\/x\\\"y is bad\u{1b}[31m\\nab\"}";
        let Sent::Later { why, .. } = Judge::Status.judge(&answer(401, body), NOW, &secrets) else {
            panic!()
        };
        assert_eq!(why, r#"answers 401: {"e":"token *** or *** is bad\nab"}"#);
        // One that lies across the end of what is told.
        let body = format!("{}hunter2/x\"y", " ".repeat(TOLD_BYTES_MAX - 5));
        let sent = Judge::Status.judge(&answer(401, &body), NOW, &secrets);
        assert!(!format!("{sent:?}").contains("hunt"), "{sent:?}");
        let body = r#"{"ok":true,"id":"hunter2/x\"y"}"#;
        let sent = json().judge(&answer(200, body), NOW, &secrets);
        assert_eq!(sent, Sent::Accepted { id: Some("***".to_owned()) });
    }

    #[test]
    fn the_wait_that_is_asked_for_is_kept_within_an_hour() {
        for (text, seconds) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("99999999", Some(3_600)),
            ("Mon, 23 Nov 2026 01:15:00 GMT", Some(60)),
            ("Mon, 23 Nov 2025 01:15:00 GMT", None),
            ("Sun, 22 Nov 2026 01:15:00 GMT", Some(0)),
            ("soon", None),
            ("-5", None),
        ] {
            assert_eq!(after(text, NOW), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
