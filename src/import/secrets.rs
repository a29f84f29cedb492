//! Secrets of the source: references in their place.

use super::names;
use super::note::Place;
use super::value::Value;
use crate::model::secret::is_credential;

/// Parts of names of headers that are kept secret beyond those that `targets.toml` insists on.
const DELICATE: &[&str] = &["auth", "key", "session", "sig", "pass", "credential"];

/// Words before which or after which a body or an address likely holds a secret.
const WORDS: &[&str] =
    &["password", "passwd", "pwd=", "secret", "token", "apikey", "api_key", "api-key", "mật khẩu"];

/// An environment variable that the file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// The check that uses it first.
    pub check: String,
    /// What to put into it, in English.
    pub what: String,
    /// Where the secret stands in the source.
    pub place: Place,
}

/// The variables named so far.
#[derive(Debug, Default)]
pub(super) struct Variables {
    pub(super) all: Vec<Variable>,
    /// Whether the source puts variables in for `${NAME}`: then such a text is no secret itself.
    pub(super) expands: bool,
}

impl Variables {
    /// A reference to the secret `what` of the check `id`; `written` is its text in the source,
    /// which is only looked at to see whether it is a variable already.
    pub(super) fn refer(&mut self, id: &str, what: &str, place: &Place, written: &str) -> Value {
        let known = variable_in(written).filter(|_| self.expands);
        let name = known.map_or_else(|| names::variable(id, what), str::to_owned);
        if !self.all.iter().any(|it| it.name == name) {
            self.all.push(Variable {
                name: name.clone(),
                check: id.to_owned(),
                what: what.to_owned(),
                place: place.clone(),
            });
        }
        Value::one("env", name)
    }
}

/// `text` with `$$` as `$`; `None` if it holds a variable.
pub(super) fn without_variables(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        match after.chars().next() {
            Some('$') => rest = &after[1..],
            Some(c) if c == '{' || c == '_' || c.is_ascii_alphanumeric() => return None,
            _ => rest = after,
        }
        out.push('$');
    }
    out.push_str(rest);
    Some(out)
}

/// The variable that `text` is and nothing else: `${NAME}` or `$NAME`.
pub(super) fn variable_in(text: &str) -> Option<&str> {
    let rest = text.trim().strip_prefix('$')?;
    let name = rest.strip_prefix('{').and_then(|it| it.strip_suffix('}')).unwrap_or(rest);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (begins && name.chars().all(plain)).then_some(name)
}

/// Whether the value of this header is a secret.
pub(super) fn is_delicate(name: &str, value: &str) -> bool {
    let plain = name.to_ascii_lowercase();
    let scheme = value.split(' ').next().unwrap_or_default().to_ascii_lowercase();
    is_credential(name)
        || DELICATE.iter().any(|it| plain.contains(it))
        || ["bearer", "basic", "digest"].contains(&scheme.as_str())
}

/// Whether a line that is sent likely logs in.
pub(super) fn logs_in(line: &str) -> bool {
    let plain = line.trim_start().to_ascii_uppercase();
    holds_secret(line) || ["AUTH ", "PASS ", "LOGIN "].iter().any(|it| plain.starts_with(it))
}

/// `text` without what may be a user and a password before an `@`: it may quote an address.
pub(super) fn without_users(text: &str) -> String {
    let word =
        |it: &str| it.rfind('@').map_or_else(|| it.to_owned(), |at| format!("…{}", &it[at..]));
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Whether a body or an address likely holds a secret.
pub(super) fn holds_secret(text: &str) -> bool {
    let plain = text.to_lowercase();
    WORDS.iter().any(|word| plain.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_the_source_keep_their_names() {
        assert_eq!(variable_in("${TOKEN}"), Some("TOKEN"));
        assert_eq!(variable_in("$TOKEN_2"), Some("TOKEN_2"));
        for other in ["TOKEN", "Bearer ${TOKEN}", "${}", "$1", "$", "${A-B}"] {
            assert_eq!(variable_in(other), None, "{other}");
        }
        let mut all = Variables { expands: true, ..Variables::default() };
        let place = Place::Line(3);
        assert_eq!(all.refer("a", "password", &place, "hunter2"), Value::one("env", "A_PASSWORD"));
        assert_eq!(all.refer("a", "password", &place, "${PW}"), Value::one("env", "PW"));
        assert_eq!(all.all.len(), 2);
        let mut other = Variables::default();
        assert_eq!(other.refer("a", "password", &place, "$ecret"), Value::one("env", "A_PASSWORD"));
        assert!(!format!("{all:?}").contains("hunter2"));
    }

    #[test]
    fn dollars_are_escaped_by_doubling_them() {
        assert_eq!(without_variables("a$$b, 5 $ c").as_deref(), Some("a$b, 5 $ c"));
        assert_eq!(without_variables("https://${HOST}/"), None);
        assert_eq!(without_variables("$HOST"), None);
    }

    #[test]
    fn secrets_are_known_by_name_or_by_shape() {
        assert!(is_delicate("Authorization", "x") && is_delicate("X-Auth", "x"));
        assert!(is_delicate("X-Foo", "Bearer abc") && !is_delicate("Accept", "text/html"));
        assert!(logs_in("auth hunter2") && logs_in("PASS x\r\n") && !logs_in("EHLO a"));
        assert!(holds_secret(r#"{"Password":"x"}"#) && !holds_secret(r#"{"ma":"123"}"#));
    }
}
