//! Text without accents, for SMS: seven bits hold 160 characters, Vietnamese letters only 70.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::tame;

/// Most characters of one SMS in the default alphabet of GSM 03.38.
pub const SHORT_CHARS_MAX: usize = 160;

/// `text` without accents: `đ` is `d`, every other letter loses its marks.
#[must_use]
pub fn unaccented(text: &str) -> String {
    let bare = text.nfd().filter(|c| !is_combining_mark(*c));
    let bare = bare.map(|c| match c {
        'đ' => 'd',
        'Đ' => 'D',
        c => c,
    });
    bare.nfc().collect()
}

/// `text` as one SMS: unaccented, one line, only characters that cost one septet in GSM 03.38
/// and are the same in ASCII, at most [`SHORT_CHARS_MAX`] of them.
#[must_use]
pub fn short(text: &str) -> String {
    let line = tame::one_line(&unaccented(text));
    let plain: String = line.chars().map(gsm).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    tame::cut_with(&plain, SHORT_CHARS_MAX, "...")
}

/// Brackets, braces, `\`, `^`, `~` and `|` are in the extension table: two septets each, and some
/// gateways lose them.
fn gsm(c: char) -> &'static str {
    match c {
        '[' | '{' => "(",
        ']' | '}' => ")",
        '\\' | '|' => "/",
        '^' => " ",
        '~' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '•' | '·' => "-",
        '`' | '‘' | '’' => "'",
        '“' | '”' | '„' | '«' | '»' => "\"",
        '…' => "...",
        '→' => "->",
        '≤' => "<=",
        '≥' => ">=",
        '€' => "EUR",
        c => ascii(c),
    }
}

/// A printable ASCII character as text; `?` for anything else.
fn ascii(c: char) -> &'static str {
    const PRINTABLE: &str = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_\
                             `abcdefghijklmnopqrstuvwxyz{|}~";
    PRINTABLE.find(c).map_or("?", |at| &PRINTABLE[at..=at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vietnamese_letter_loses_its_marks() {
        let letters = "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ";
        let bare = unaccented(letters);
        assert!(bare.chars().all(|c| "adeiouy".contains(c)), "{bare}");
        assert!(unaccented(&letters.to_uppercase()).is_ascii());
        assert_eq!(unaccented("ĐĂNG KÝ — Viện"), "DANG KY — Vien");
    }

    #[test]
    fn an_sms_is_one_line_of_ascii_that_fits() {
        let text = "[GIÁN ĐOẠN] VNeID – Đăng nhập: từ 08:14 ngày 23/11…\n\u{1F525}{x}|~^";
        assert_eq!(short(text), "(GIAN DOAN) VNeID - Dang nhap: tu 08:14 ngay 23/11... ?(x)/-");
        let long = short(&"Hệ thống giám sát ".repeat(20));
        assert!(long.len() <= SHORT_CHARS_MAX && long.ends_with("..."), "{long}");
        assert!(!long.contains(" ..."), "{long}");
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_said_fits_an_sms(text in "\\PC{0,300}") {
            let short = short(&text);
            proptest::prop_assert!(short.chars().count() <= SHORT_CHARS_MAX);
            proptest::prop_assert!(short.chars().all(|c| (' '..='~').contains(&c)
                && !"[]{}\\^~|`".contains(c)), "{}", short);
        }
    }
}
