//! Text of others, made fit for a message: one line, no steering, NFC, not long.

use unicode_normalization::UnicodeNormalization;

/// Longest piece of text of others in a message, in characters.
pub(super) const PIECE_CHARS_MAX: usize = 200;

/// Room for what [`one_line`] leaves out, in characters.
const READ_FACTOR: usize = 4;

/// `text` as one line of NFC without control characters, ANSI sequences, and what turns the
/// direction of writing (UAX #9) or is invisible; at most [`PIECE_CHARS_MAX`] characters.
pub(super) fn piece(text: &str) -> String {
    // Cut first, so that a megabyte costs no more than a line does.
    let head: String = text.chars().take(PIECE_CHARS_MAX * READ_FACTOR).collect();
    cut(&one_line(&head), PIECE_CHARS_MAX)
}

/// `text` as one line: whatever breaks lines or steers becomes one space.
pub(super) fn one_line(text: &str) -> String {
    lines(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` in NFC, without anything that steers; lines stay lines.
pub(super) fn lines(text: &str) -> String {
    without_ansi(text).nfc().filter(|c| !is_invisible(*c)).map(plain_control).collect()
}

fn plain_control(c: char) -> char {
    if c.is_control() && c != '\n' { ' ' } else { c }
}

/// Marks and overrides of direction, joiners, byte order marks, line and paragraph separators,
/// tags: nothing of Vietnamese or English text.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

/// Without escape sequences (ECMA-48): `ESC [ … final`, and the escape character anywhere else.
fn without_ansi(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' if chars.peek() == Some(&'[') => {
                chars.next();
                skip_sequence(&mut chars);
            }
            '\u{9b}' => skip_sequence(&mut chars),
            c => kept.push(c),
        }
    }
    kept
}

/// Parameters and intermediates, then one final character.
fn skip_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
    chars.next_if(|c| matches!(c, '@'..='~'));
}

/// At most `max` characters, with `…` where something was cut, after a word if one ends in the
/// last third.
pub(super) fn cut(text: &str, max: usize) -> String {
    cut_with(text, max, "…")
}

/// As [`cut`], with another mark.
pub(super) fn cut_with(text: &str, max: usize, mark: &str) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    let room = max.saturating_sub(mark.chars().count());
    let head: String = text.chars().take(room).collect();
    let third = head.len() - head.len() / 3;
    let end = head.rfind(char::is_whitespace).filter(|at| *at >= third).unwrap_or(head.len());
    let cut = format!("{}{mark}", head[..end].trim_end());
    cut.chars().take(max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_hostile_server_says_becomes_one_short_line() {
        let evil = "Lỗi\r\nBcc: a@b.vn\u{1b}[31;1m đỏ\u{1b}]0;t\u{7}\u{202e}nược\u{2066}\u{200b} \
                    \u{feff}<b>";
        assert_eq!(piece(evil), "Lỗi Bcc: a@b.vn đỏ ]0;t nược <b>");
        let long = piece(&"rất dài ".repeat(10_000));
        assert!(long.chars().count() <= PIECE_CHARS_MAX && long.ends_with('…'), "{long}");
        assert_eq!(piece("Tie\u{302}\u{301}ng"), "Tiếng");
        assert_eq!(piece("\u{9b}31mđỏ\u{85}x"), "đỏ x");
        assert_eq!(lines("a\nb\tc"), "a\nb c");
    }

    #[test]
    fn a_cut_is_after_a_word() {
        for (text, max, cut_text) in [
            ("một hai ba", 10, "một hai ba"),
            ("một hai ba bốn", 10, "một hai…"),
            ("nghiêngngả", 5, "nghi…"),
            ("a", 0, ""),
        ] {
            assert_eq!(cut(text, max), cut_text);
        }
    }
}
