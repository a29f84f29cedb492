//! Texts in bodies: found however their accents are composed, and shown cut short.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Most characters of a server's text in a message.
const EXCERPT_CHARS_MAX: usize = 200;

/// Most characters of an explanation: three excerpts, more is not read.
const CLEAN_CHARS_MAX: usize = 600;

/// A body to look for texts in. Vietnamese may come composed (NFC) or decomposed (NFD): both
/// sides are compared in NFC.
pub(super) struct Haystack<'a>(Cow<'a, str>);

impl<'a> Haystack<'a> {
    /// Prepares `body`; bytes that are not UTF-8 match nothing.
    pub(super) fn new(body: &'a [u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        Self(if is_composed(&text) { text } else { Cow::Owned(text.nfc().collect()) })
    }

    /// Whether `needle` is in it.
    pub(super) fn contains(&self, needle: &str) -> bool {
        if is_composed(needle) {
            return self.0.contains(needle);
        }
        self.0.contains(&needle.nfc().collect::<String>())
    }
}

fn is_composed(text: &str) -> bool {
    text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes
}

/// The beginning of `bytes` as one printable line of at most 200 characters.
pub(in crate::probe) fn excerpt(bytes: &[u8]) -> String {
    // Four bytes a character at most, so this much is enough.
    let begin = bytes.get(..EXCERPT_CHARS_MAX * 4 + 4).unwrap_or(bytes);
    shorten(&String::from_utf8_lossy(begin))
}

/// `text` as one printable line of at most 200 characters, runs of blanks made one.
pub(in crate::probe) fn shorten(text: &str) -> String {
    let mut line = String::new();
    let mut count = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if count > 0 {
            line.push(' ');
            count += 1;
        }
        for character in word.chars().filter(|c| !is_invisible(*c)) {
            if count >= EXCERPT_CHARS_MAX - 1 {
                line.push('…');
                return line;
            }
            line.push(character);
            count += 1;
        }
    }
    line
}

/// `text`, which may hold words of a stranger, fit to be shown anywhere: blanks that break lines
/// become blanks, other controls and marks that reorder or hide text become `\u{fffd}`, and it
/// has at most 600 characters.
pub(in crate::probe) fn clean(text: &str) -> String {
    let plain = |c: char| match c {
        '\t' | '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        c if c.is_control() || is_invisible(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    let mut cleaned: String = text.chars().take(CLEAN_CHARS_MAX).map(plain).collect();
    if text.chars().nth(CLEAN_CHARS_MAX).is_some() {
        cleaned.pop();
        cleaned.push('…');
    }
    cleaned
}

/// Marks that reorder or hide text in a terminal or on a page.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vietnamese_is_found_however_it_is_composed() {
        let composed = "Cổng Dịch vụ công quốc gia";
        let decomposed: String = composed.nfd().collect();
        assert_ne!(composed, decomposed);
        for body in [composed, &decomposed] {
            let haystack = Haystack::new(body.as_bytes());
            assert!(haystack.contains("Dịch vụ công"));
            assert!(haystack.contains(&"Dịch vụ công".nfd().collect::<String>()));
            assert!(!haystack.contains("Dich vu cong"));
        }
    }

    #[test]
    fn what_strangers_say_is_made_fit_to_show() {
        assert_eq!(clean("lỗi: `a`\r\nb\tc"), "lỗi: `a`  b c");
        let bad = '\u{fffd}';
        for mark in ['\x1b', '\0', '\u{7f}', '\u{9b}', '\u{202e}', '\u{2066}', '\u{61c}'] {
            assert_eq!(clean(&format!("a{mark}[31m")), format!("a{bad}[31m"));
        }
        let long = clean(&"ế\x1b".repeat(100_000));
        assert_eq!(long.chars().count(), CLEAN_CHARS_MAX);
        assert!(long.ends_with('…') && !long.contains(char::is_control));
        assert_eq!(clean(&"x".repeat(CLEAN_CHARS_MAX)), "x".repeat(CLEAN_CHARS_MAX));
    }

    #[test]
    fn an_excerpt_is_one_short_printable_line() {
        assert_eq!(excerpt(b" a\r\n\t\x1b[31mb \xff"), "a [31mb \u{fffd}");
        let long = excerpt("ế".repeat(1_000).as_bytes());
        assert_eq!(long.chars().count(), 200);
        assert!(long.ends_with('…'));
        assert_eq!(shorten("a\u{202e}b"), "ab");
    }
}
