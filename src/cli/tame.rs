//! Text of others, made safe for a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// `text` with U+FFFD in place of what would steer a terminal: control characters (C0, DEL, C1)
/// and what turns the direction of writing (UAX #9).
pub(super) fn tame_line(text: &str) -> String {
    tame_lines(text).replace('\n', "\u{fffd}")
}

/// As [`tame_line`], but lines stay lines.
pub(super) fn tame_lines(text: &str) -> String {
    let steers = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// At most `columns` columns of `text`, with an ellipsis where something is left out.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        if kept.width() + UnicodeWidthChar::width(c).unwrap_or(0) >= columns {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_steers_is_replaced() {
        let evil = "a\u{1b}[31m\u{7}\r\u{9b}\u{7f}\u{202e}\u{2067}\nTiếng Việt ✖";
        assert_eq!(
            tame_lines(evil),
            "a\u{fffd}[31m\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\nTiếng Việt ✖"
        );
        assert!(!tame_line(evil).contains('\n'));
    }
}
