//! What every page needs of HTML.

use crate::model::bytes::base64;
use sha2::{Digest, Sha256};

/// The policy of a page that may load and run nothing but its one style, and send its forms to
/// `forms` (Content Security Policy, level 3).
pub(super) fn policy(style: &str, forms: &str) -> String {
    let digest = base64(&Sha256::digest(style));
    format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action {forms}; \
         frame-ancestors 'none'"
    )
}

/// The same as [`escape`], as a text of its own.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(&mut out, text);
    out
}

/// `text` as content or as a quoted attribute of HTML.
pub(super) fn escape(out: &mut String, text: &str) {
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn nothing_in_a_text_is_markup() {
        let mut out = String::new();
        escape(&mut out, "<b a=\"x\" b='y'>&amp;");
        assert_eq!(out, "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;");
    }
}
