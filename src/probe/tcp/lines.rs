//! What a peer has said, cut into lines, and what we say with parts of it. Pure.

use crate::model::text::Pattern;

/// Longest line, its end included. No protocol with lines comes near.
pub(super) const LINE_BYTES_MAX: usize = 8 << 10;

/// Most bytes read in one dialogue: a greeting and a few answers are far below.
pub(super) const HEARD_BYTES_MAX: usize = 256 << 10;

/// Most bytes that groups may add to what is sent: eight of the longest line.
pub(super) const ADDED_BYTES_MAX: usize = 64 << 10;

/// Groups that `$1` to `$9` can stand for.
const GROUPS_MAX: usize = 9;

/// Bytes heard and not yet looked at.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pending: Vec<u8>,
    /// Where in `pending` the next line begins.
    from: usize,
    heard: usize,
}

/// More was said than a dialogue may be long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TooMuch {
    /// One line.
    #[error("a line is longer than {LINE_BYTES_MAX} bytes")]
    Line,
    /// All lines.
    #[error("more than {HEARD_BYTES_MAX} bytes came")]
    Total,
}

impl Lines {
    /// Takes in what came.
    ///
    /// # Errors
    ///
    /// [`TooMuch::Total`], and then nothing of it is kept.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<(), TooMuch> {
        self.heard = self.heard.saturating_add(bytes.len());
        if self.heard > HEARD_BYTES_MAX {
            return Err(TooMuch::Total);
        }
        self.pending.drain(..self.from);
        self.from = 0;
        self.pending.extend_from_slice(bytes);
        Ok(())
    }

    /// The next whole line, without its LF or CR LF; `None` if it is not yet whole.
    ///
    /// # Errors
    ///
    /// [`TooMuch::Line`].
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, TooMuch> {
        let unread = &self.pending[self.from..];
        let end = unread.iter().position(|byte| *byte == b'\n');
        if end.map_or(unread.len(), |end| end + 1) > LINE_BYTES_MAX {
            return Err(TooMuch::Line);
        }
        let Some(end) = end else { return Ok(None) };
        let line = &unread[..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
        self.from += end + 1;
        Ok(Some(line))
    }

    /// What is left once the peer has closed: a line without an end.
    pub(super) fn rest(&mut self) -> Option<Vec<u8>> {
        let rest = self.pending.split_off(self.from);
        self.pending.clear();
        self.from = 0;
        (!rest.is_empty()).then_some(rest)
    }

    /// Whether something was heard that nobody has looked at.
    pub(super) const fn is_empty(&self) -> bool {
        self.from == self.pending.len()
    }

    /// Bytes heard in all.
    pub(super) const fn heard(&self) -> usize {
        self.heard
    }
}

/// Groups 1 to 9 of a match.
pub(super) type Groups = Vec<Option<Vec<u8>>>;

/// The groups of the first match of `pattern` in `line`; `None` if it does not match.
pub(super) fn groups(pattern: &Pattern, line: &[u8]) -> Option<Groups> {
    let captures = pattern.regex().captures(line)?;
    let group = |group: Option<regex::bytes::Match<'_>>| group.map(|it| it.as_bytes().to_vec());
    Some(captures.iter().skip(1).take(GROUPS_MAX).map(group).collect())
}

/// `written` with `$1` to `$9` replaced by the groups of the last match; a group that took no
/// part in it is empty. Any other `$` is itself. `None`: they add more than
/// [`ADDED_BYTES_MAX`].
pub(super) fn fill(written: &[u8], groups: &Groups) -> Option<Vec<u8>> {
    let mut said = Vec::with_capacity(written.len());
    let mut rest = written;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after.split_first()) {
            (b'$', Some((digit @ b'1'..=b'9', after))) => {
                rest = after;
                if let Some(Some(group)) = groups.get(usize::from(digit - b'1')) {
                    said.extend_from_slice(group);
                }
            }
            _ => said.push(*byte),
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

    use super::*;

    fn all(lines: &mut Lines) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            seen.push(String::from_utf8_lossy(&line).into_owned());
        }
        seen
    }

    #[test]
    fn lines_end_with_lf_or_cr_lf_wherever_the_packets_are_cut() {
        let text = b"220 mx.vn\r\n250-a\n\r\n250 \xff\r\r\nrest";
        for size in 1..=text.len() {
            let mut lines = Lines::default();
            let mut seen = Vec::new();
            for part in text.chunks(size) {
                lines.push(part).unwrap();
                seen.extend(all(&mut lines));
            }
            assert_eq!(seen, ["220 mx.vn", "250-a", "", "250 \u{fffd}\r"]);
            assert!(!lines.is_empty());
            assert_eq!(lines.rest(), Some(b"rest".to_vec()));
            assert_eq!(lines.rest(), None);
        }
    }

    #[test]
    fn a_line_and_a_dialogue_have_a_greatest_length() {
        let mut lines = Lines::default();
        lines.push(&[b'a'; LINE_BYTES_MAX - 1]).unwrap();
        assert_eq!(lines.next(), Ok(None));
        lines.push(b"\n").unwrap();
        assert_eq!(lines.next().unwrap().unwrap().len(), LINE_BYTES_MAX - 1);
        lines.push(&[b'a'; LINE_BYTES_MAX + 1]).unwrap();
        assert_eq!(lines.next(), Err(TooMuch::Line));

        let mut lines = Lines::default();
        lines.push(&b"\n".repeat(HEARD_BYTES_MAX)).unwrap();
        assert_eq!(all(&mut lines).len(), HEARD_BYTES_MAX);
        assert_eq!(lines.push(b"\n"), Err(TooMuch::Total));
        assert!(lines.is_empty());
    }

    #[test]
    fn groups_of_the_last_match_are_put_into_what_is_said() {
        let pattern = Pattern::new(r"PING (\w+)(?: (\w+))?").unwrap();
        let found = groups(&pattern, b":x PING ab\xff").unwrap();
        let check = |written: &str, expected: &str| {
            let said = fill(written.as_bytes(), &found).unwrap();
            assert_eq!(String::from_utf8(said).unwrap(), expected, "{written}");
        };
        check("PONG $1\r\n", "PONG ab\r\n");
        check("$1$1", "abab");
        check("[$2] [$9]", "[] []");
        check("$0 $$1 $a $", "$0 $ab $a $");
        check("", "");
        assert_eq!(groups(&pattern, b"PONG"), None);
    }

    #[test]
    fn what_is_said_has_a_greatest_length() {
        let groups = vec![Some(vec![b'a'; LINE_BYTES_MAX])];
        assert!(fill(&b"$1".repeat(8), &groups).is_some());
        assert_eq!(fill(&b"$1".repeat(9), &groups), None);
        let long = b"a".repeat(2 * ADDED_BYTES_MAX);
        assert_eq!(fill(&long, &groups), Some(long));
    }

    proptest! {
        #[test]
        fn no_bytes_are_lost_or_make_it_panic(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
        ) {
            let mut lines = Lines::default();
            let mut seen = 0;
            for part in &parts {
                lines.push(part).unwrap();
                while let Some(_line) = lines.next().unwrap() {
                    seen += 1;
                }
            }
            let text = parts.concat();
            prop_assert_eq!(seen + 1, text.split(|byte| *byte == b'\n').count());
            prop_assert_eq!(lines.is_empty(), text.is_empty() || text.ends_with(b"\n"));
            prop_assert_eq!(lines.heard(), text.len());
        }

        #[test]
        fn nothing_written_makes_it_panic(
            written in prop::collection::vec(any::<u8>(), 0..60),
            group in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            let said = fill(&written, &vec![Some(group.clone()), None]).unwrap();
            prop_assert!(said.len() <= written.len() * group.len().max(1));
        }
    }
}
