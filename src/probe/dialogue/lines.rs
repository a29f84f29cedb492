//! What a peer has said, cut into lines or into pieces of a length. Pure.

/// Longest line, its end included. No protocol with lines comes near.
pub(super) const LINE_BYTES_MAX: usize = 8 << 10;

/// Most bytes read in one dialogue: a greeting and a few answers are far below.
pub(super) const HEARD_BYTES_MAX: usize = 256 << 10;

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

    /// What was heard and not yet looked at, at most `length` bytes.
    pub(super) fn ahead(&self, length: usize) -> &[u8] {
        let unread = &self.pending[self.from..];
        unread.get(..length).unwrap_or(unread)
    }

    /// Passes over `length` bytes, or over all there are.
    pub(super) fn skip(&mut self, length: usize) {
        self.from = self.from.saturating_add(length).min(self.pending.len());
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
    fn bytes_can_be_taken_between_lines() {
        let mut lines = Lines::default();
        lines.push(b"S220 mx\r\nrest").unwrap();
        assert_eq!(lines.ahead(1), b"S");
        assert_eq!(lines.ahead(100), b"S220 mx\r\nrest");
        lines.skip(1);
        assert_eq!(all(&mut lines), ["220 mx"]);
        lines.skip(100);
        assert!(lines.is_empty() && lines.ahead(1).is_empty());
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
    }
}
