//! What is said with parts of what was heard. Pure.

use std::ops::Range;

use crate::model::text::Pattern;

/// Most bytes that groups may add to what is sent: eight of the longest line.
pub(super) const ADDED_BYTES_MAX: usize = 64 << 10;

/// The last match: the text it was found in, and its groups.
#[derive(Clone, Debug, Default)]
pub(super) struct Match {
    text: Vec<u8>,
    /// Of each group, where in `text` it is, and what it is called; the whole match is the first.
    groups: Vec<(Option<Range<usize>>, Option<String>)>,
}

impl Match {
    /// The first match of `pattern` in `text`; `None` if there is none.
    pub(super) fn of(pattern: &Pattern, text: &[u8]) -> Option<Self> {
        let captures = pattern.regex().captures(text)?;
        let names = pattern.regex().capture_names().map(|name| name.map(str::to_owned));
        let spans = captures.iter().map(|group| group.map(|group| group.range()));
        Some(Self { text: text.to_vec(), groups: spans.zip(names).collect() })
    }

    /// A group by its number, 0 for the whole match; empty if there is none or it took no part.
    fn number(&self, number: usize) -> &[u8] {
        let span = self.groups.get(number).and_then(|(span, _)| span.clone());
        span.and_then(|span| self.text.get(span)).unwrap_or_default()
    }

    /// The same by what stands after a `$`: a number or a name.
    fn group(&self, name: &str) -> &[u8] {
        if let Ok(number) = name.parse() {
            return self.number(number);
        }
        let called = |(_, it): &(_, Option<String>)| it.as_deref() == Some(name);
        self.groups.iter().position(called).map_or(&[], |number| self.number(number))
    }
}

/// `written` with `$1` to `$9` replaced by the groups of the last match; a group that took no
/// part in it is empty. Any other `$` is itself. `None`: they add more than
/// [`ADDED_BYTES_MAX`].
pub(super) fn fill(written: &[u8], last: &Match) -> Option<Vec<u8>> {
    replace(written, |after| match after {
        [digit @ b'1'..=b'9', ..] => Some((1, last.number(usize::from(digit - b'0')))),
        _ => None,
    })
}

/// `written` with groups put in as `regex::bytes::Captures::expand` does: `$name`, where the name
/// is as long as it can be, `${name}`, and `$$` for a dollar; names that are numbers are those of
/// groups. What is no such thing is itself. `None`: they add more than [`ADDED_BYTES_MAX`].
pub(super) fn expand(written: &[u8], last: &Match) -> Option<Vec<u8>> {
    replace(written, |after| match after {
        [b'$', ..] => Some((1, b"$")),
        [b'{', rest @ ..] => {
            let length = rest.iter().position(|byte| *byte == b'}')?;
            let name = std::str::from_utf8(&rest[..length]).ok()?;
            Some((length + 2, last.group(name)))
        }
        _ => {
            let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let length = after.iter().take_while(|byte| of_name(byte)).count();
            let name = std::str::from_utf8(&after[..length]).ok().filter(|it| !it.is_empty())?;
            Some((length, last.group(name)))
        }
    })
}

/// `written`, with what `meant` makes of what stands after a `$`: how much of that it takes, and
/// what comes instead; `None`: the `$` is itself.
fn replace<'a>(
    written: &[u8],
    meant: impl Fn(&[u8]) -> Option<(usize, &'a [u8])>,
) -> Option<Vec<u8>> {
    let mut said = Vec::with_capacity(written.len());
    let mut rest = written;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, if *byte == b'$' { meant(after) } else { None }) {
            (_, Some((length, instead))) => {
                rest = after.get(length..).unwrap_or_default();
                said.extend_from_slice(instead);
            }
            (byte, None) => said.push(*byte),
        }
        if said.len() > written.len() + ADDED_BYTES_MAX {
            return None;
        }
    }
    Some(said)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::lines::LINE_BYTES_MAX;
    use super::*;

    fn text(said: Option<Vec<u8>>) -> String {
        String::from_utf8(said.unwrap()).unwrap()
    }

    #[test]
    fn groups_of_the_last_match_are_put_into_what_is_said() {
        let pattern = Pattern::new(r"PING (\w+)(?: (\w+))?").unwrap();
        let found = Match::of(&pattern, b":x PING ab\xff").unwrap();
        let check = |written: &str, expected: &str| {
            assert_eq!(text(fill(written.as_bytes(), &found)), expected, "{written}");
        };
        check("PONG $1\r\n", "PONG ab\r\n");
        check("$1$1", "abab");
        check("[$2] [$9]", "[] []");
        check("$0 $$1 $a $", "$0 $ab $a $");
        check("", "");
        assert!(Match::of(&pattern, b"PONG").is_none());
    }

    #[test]
    fn groups_can_be_named_and_numbered_as_in_other_programs() {
        let pattern = Pattern::new(r"^SSH-(?P<version>[\d.]+)-(\S+)(?: (?P<more>.*))?$").unwrap();
        let found = Match::of(&pattern, b"SSH-2.0-OpenSSH_9.7").unwrap();
        let check = |written: &str, expected: &str| {
            assert_eq!(text(expand(written.as_bytes(), &found)), expected, "{written}");
        };
        check("${version} $version $1 ${1}", "2.0 2.0 2.0 2.0");
        check("$2/${2}x", "OpenSSH_9.7/OpenSSH_9.7x");
        check("[$2x] [$more] [$nobody] [${99}]", "[] [] [] []");
        check("$0", "SSH-2.0-OpenSSH_9.7");
        check("5 $$ $$1 $ ${version", "5 $ $1 $ ${version");
        check("$", "$");
        assert_eq!(text(expand(b"a $1 $$", &Match::default())), "a  $");
    }

    #[test]
    fn what_is_said_has_a_greatest_length() {
        let pattern = Pattern::new("(a+)").unwrap();
        let found = Match::of(&pattern, &[b'a'; LINE_BYTES_MAX]).unwrap();
        for put in [fill, expand] {
            assert!(put(&b"$1".repeat(8), &found).is_some());
            assert_eq!(put(&b"$1".repeat(9), &found), None);
            let long = b"a".repeat(2 * ADDED_BYTES_MAX);
            assert_eq!(put(&long, &found), Some(long));
        }
    }

    proptest! {
        #[test]
        fn nothing_written_makes_it_panic(
            written in prop::collection::vec(any::<u8>(), 0..60),
            group in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            let pattern = Pattern::new("(?s-u)(.*)").unwrap();
            let said = fill(&written, &Match::of(&pattern, &group).unwrap()).unwrap();
            prop_assert!(said.len() <= written.len() * group.len().max(1));
        }

        #[test]
        fn it_says_what_the_library_would_say(written in r"[$a1{}_ é0]{0,24}") {
            let pattern = Pattern::new("(?P<a>x)(y)?(?P<a1>z)").unwrap();
            let found = Match::of(&pattern, b"-xz-").unwrap();
            let mut expected = Vec::new();
            pattern.regex().captures(b"-xz-").unwrap().expand(written.as_bytes(), &mut expected);
            prop_assert_eq!(expand(written.as_bytes(), &found).unwrap(), expected);
        }
    }
}
