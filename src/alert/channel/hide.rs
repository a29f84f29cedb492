//! What must not be told of an answer: it may repeat the request, which holds passwords, addresses
//! of people and links that acknowledge.

use regex::{Regex, RegexBuilder};
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::alert::message::Message;

/// Secrets shorter than this are not looked for: they would be everywhere.
const SECRET_CHARS_MIN: usize = 4;

/// Parts of an address that are shorter than this are words, such as `send`.
const PART_CHARS_MIN: usize = 8;

/// What stands for a secret.
const HIDDEN: &str = "***";

/// How an acknowledge link goes on behind the address of the monitor.
const ACKNOWLEDGE: &str = "/a/";

/// The secrets of one attempt.
#[derive(Clone, Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// Hides `text` as a whole.
    pub(super) fn add(&mut self, text: &str) {
        self.0.push(text.trim().to_owned());
    }

    /// Hides an address, its path and query, whatever in them is long enough to be a password, and
    /// who logs in.
    pub(super) fn add_url(&mut self, url: &Url) {
        self.add(url.as_str());
        self.add(url.path());
        self.add(url.query().unwrap_or_default());
        let target = url.query().map(|query| format!("{}?{query}", url.path()));
        self.add(&target.unwrap_or_default());
        self.add(url.username());
        self.add(url.password().unwrap_or_default());
        let segments = url.path_segments().into_iter().flatten().map(str::to_owned);
        let values = url.query_pairs().map(|(_, value)| value.into_owned());
        for part in segments.chain(values) {
            if part.chars().count() >= PART_CHARS_MIN {
                self.add(&part);
            }
        }
    }

    /// Hides a recipient: a telephone number also in its other spellings, an address of e-mail
    /// also without its domain.
    pub(super) fn add_recipient(&mut self, to: &str) {
        self.add(to);
        if let Some((local, _)) = to.rsplit_once('@') {
            self.add(local);
        }
        let digits: String = to.chars().filter(char::is_ascii_digit).collect();
        let number = digits.strip_prefix("84").unwrap_or(&digits).trim_start_matches('0');
        if number.len() >= PART_CHARS_MIN {
            self.add(number);
        }
    }

    /// Hides the links of a message that acknowledge, also the many of a bundle.
    pub(super) fn add_links(&mut self, message: &Message) {
        self.add(&message.ack_url);
        let Message { ack_url, text, html, short, .. } = message;
        for text in [ack_url, text, html, short] {
            let ends = |c: char| c.is_whitespace() || "\"'<>()[]".contains(c);
            for word in text.split(ends) {
                let word = word.find("http").map_or("", |at| &word[at..]);
                if let Some((_, token)) = word.rsplit_once(ACKNOWLEDGE) {
                    self.add(word);
                    self.add(token);
                }
            }
        }
    }

    /// `text` with `***` for every secret, however it is spelled: as it is, in capitals, as JSON,
    /// HTML, an address or a form has it.
    pub(super) fn hide(&self, text: &str) -> String {
        let long = self.0.iter().filter(|it| it.chars().count() >= SECRET_CHARS_MIN);
        let mut spellings: Vec<String> = long.flat_map(|it| spellings(it)).collect();
        // The longest first: a part of a secret that is hidden would keep the rest from being found.
        spellings.sort_by_key(|it| std::cmp::Reverse(it.len()));
        spellings.dedup();
        if text.is_empty() || spellings.is_empty() {
            return text.to_owned();
        }
        match any_of(&spellings) {
            Some(secret) => secret.replace_all(text, HIDDEN).into_owned(),
            None => HIDDEN.to_owned(),
        }
    }
}

fn any_of(spellings: &[String]) -> Option<Regex> {
    let escaped: Vec<_> = spellings.iter().map(|it| regex::escape(it)).collect();
    RegexBuilder::new(&escaped.join("|")).case_insensitive(true).build().ok()
}

/// The ways in which an answer may write `secret`.
fn spellings(secret: &str) -> Vec<String> {
    let plain = decoded(secret);
    let mut all = Vec::new();
    for it in [secret, plain.as_str()] {
        let quoted = Value::from(it).to_string();
        let quoted = quoted.trim_matches('"');
        let html = it.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        all.extend([
            it.to_owned(),
            quoted.to_owned(),
            quoted.replace('/', "\\/"),
            // As Go writes JSON.
            quoted.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e"),
            html.replace('"', "&quot;").replace('\'', "&#39;"),
            form_urlencoded::byte_serialize(it.as_bytes()).collect(),
            encoded(it, "-._~"),
            encoded(it, "-._~/"),
            encoded(it, "-._~/:@!$&'()*+,;=?"),
        ]);
    }
    all
}

/// `text` with everything but letters, digits and `kept` percent-encoded.
fn encoded(text: &str, kept: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut out, byte| {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || kept.contains(c) {
            out.push(c);
        } else {
            write!(out, "%{byte:02X}").ok();
        }
        out
    })
}

/// `text` with every `%41` as what it stands for.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let hex = behind.get(..2).filter(|_| *first == b'%');
        let hex = hex.and_then(|it| std::str::from_utf8(it).ok());
        if let Some(byte) = hex.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            bytes.push(byte);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(secrets: &Secrets, text: &str, hidden: &str) {
        assert_eq!(secrets.hide(text), hidden);
    }

    #[test]
    fn a_password_in_an_address_is_hidden_however_it_is_echoed() {
        let mut secrets = Secrets::default();
        let url = "https://u5er:pa55@h.vn/services/T0KEN%2F12345/send?key=k%C3%A9y-abcdef&x=1";
        secrets.add_url(&Url::parse(url).unwrap());
        for (text, hidden) in [
            (url, "***"),
            ("no /services/T0KEN%2F12345/send here", "no *** here"),
            ("Cannot POST /services/T0KEN%2f12345/send?key=k%c3%a9y-abcdef&x=1", "Cannot POST ***"),
            ("T0KEN/12345 and t0ken%2F12345", "*** and ***"),
            ("T0KEN\\/12345", "***"),
            ("kéy-abcdef", "***"),
            ("key=kéy-abcdef&amp;x=1", "***"),
            ("u5er, pa55", "***, ***"),
            ("send it to x=2", "send it to x=2"),
        ] {
            check(&secrets, text, hidden);
        }
    }

    #[test]
    fn whom_it_was_for_is_hidden() {
        let mut secrets = Secrets::default();
        secrets.add_recipient("0912345678");
        secrets.add_recipient("an.nguyen@example.gov.vn");
        secrets.add_recipient("-");
        let text =
            "84912345678, +84912345678, 0912345678, <An.Nguyen@EXAMPLE.gov.vn>, an.nguyen - no";
        check(&secrets, text, "84***, +84***, ***, <***>, *** - no");
    }
}
