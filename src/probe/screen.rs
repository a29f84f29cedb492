//! What others sent, as text that is safe and short enough to show.

/// Most lines of an answer that are shown: a screenful.
pub(super) const LINES_MAX: usize = 40;

/// Longest line shown, in characters: more is of no use to a person.
const LINE_CHARS_MAX: usize = 200;

/// `bytes` as one line: what is not UTF-8 and what would move a terminal's cursor is shown as
/// the replacement character, and a long line is cut and ends in an ellipsis.
pub(super) fn line(bytes: &[u8]) -> String {
    // No character has more than four bytes, so the rest can't be shown anyway.
    let near = bytes.get(..(LINE_CHARS_MAX + 1) * 4).unwrap_or(bytes);
    let text = String::from_utf8_lossy(near);
    let mut shown: String = text.chars().take(LINE_CHARS_MAX).map(harmless).collect();
    if text.chars().nth(LINE_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

const fn harmless(character: char) -> char {
    match character {
        // Controls, and the marks that turn the direction of what follows.
        '\0'..=' ' | '\u{7f}'..='\u{9f}' if character != ' ' && character != '\t' => '\u{fffd}',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        shown => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_short_and_moves_no_cursor() {
        let check = |bytes: &[u8], expected: &str| assert_eq!(line(bytes), expected);
        check("250 Xin chào\tbạn".as_bytes(), "250 Xin chào\tbạn");
        check(b"\x1b[2Jx\r\n\xff", "\u{fffd}[2Jx\u{fffd}\u{fffd}\u{fffd}");
        check("a\u{202e}b".as_bytes(), "a\u{fffd}b");
        check(&[b'a'; 200], &"a".repeat(200));
        check(&b"a".repeat(90_000), &format!("{}…", "a".repeat(200)));
        check("đ".repeat(201).as_bytes(), &format!("{}…", "đ".repeat(200)));
    }
}
