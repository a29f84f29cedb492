//! Words: which one is meant, and which are allowed.

use super::NotAn;

/// The word that looks most like `written`, if one looks like it at all.
#[must_use]
pub(crate) fn nearest(written: &str, words: &[&'static str]) -> Option<&'static str> {
    nearest_of(written, words.iter().copied())
}

/// The same over words of any source.
pub(crate) fn nearest_of<'a>(
    written: &str,
    words: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let wanted = plain(written);
    let distance = |word: &str| strsim::damerau_levenshtein(&wanted, &plain(word));
    let (word, away) = words.map(|word| (word, distance(word))).min_by_key(|(_, away)| *away)?;
    // A third of the letters may differ; of very short words one.
    let allowed = (wanted.chars().count().max(word.chars().count()) / 3).max(1);
    (away <= allowed && away < word.chars().count()).then_some(word)
}

/// `key` as it must be written in TOML: in quotes if it is not plain.
#[must_use]
pub(crate) fn quoted_key(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !key.is_empty() && key.chars().all(plain) { key.to_owned() } else { format!("{key:?}") }
}

/// Whether `text` can be the path of a socket, or `@` and an abstract name. How long it may be
/// is known once it is whole.
pub(crate) fn socket_path(text: &str) -> Result<(), NotAn> {
    let problem = match text {
        _ if text.contains('\0') => "it has a NUL in it",
        "@" => "no name follows the `@`",
        _ => return Ok(()),
    };
    Err(NotAn::SocketPath { problem: problem.to_owned() })
}

/// Whether `text` is the name of an environment variable.
pub(crate) fn env_name(text: &str) -> Result<(), NotAn> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let sound = text.chars().all(plain) && !text.starts_with(|c: char| c.is_ascii_digit());
    if sound && !text.is_empty() {
        Ok(())
    } else {
        Err(NotAn::EnvName { written: text.to_owned() })
    }
}

/// Whether `text` is a mailbox that can stand in a header.
pub(crate) fn mailbox(text: &str) -> Result<(), NotAn> {
    let visible = text.bytes().all(|b| b.is_ascii_graphic() && !b"()<>,;:\\\"[]".contains(&b));
    let sound = text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.contains('@') && super::address::is_name(domain)
    });
    if visible && sound { Ok(()) } else { Err(NotAn::Mailbox { written: text.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        let words = &["interval", "timeout", "slow", "id", "ip"];
        assert_eq!(nearest("intervall", words), Some("interval"));
        assert_eq!(nearest("Time-Out", words), Some("timeout"));
        assert_eq!(nearest("solw", words), Some("slow"));
        assert_eq!(nearest("platform", words), None);
        assert_eq!(nearest("", words), None);
    }

    #[test]
    fn mailboxes_and_variables_are_plain() {
        assert!(mailbox("giamsat@example.gov.vn").is_ok());
        for bad in ["", "a", "a@", "@b", "a@b@c", "a b@c", "<a@b>"] {
            assert!(mailbox(bad).is_err(), "{bad}");
        }
        assert!(env_name("A_1").is_ok() && env_name("1A").is_err() && env_name("A-B").is_err());
    }
}
