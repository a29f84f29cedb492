//! Regular expressions as Go writes them, for Rust's `regex`.
//!
//! The two languages are nearly one (RE2). Where Go reads something else than Rust would, it is
//! written as Rust writes it: braces that repeat nothing are themselves, a bracket inside a class
//! is itself, `\d`, `\s`, `\w` and `\b` know ASCII only, `\Q…\E` quotes, `\<` is no word boundary.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use crate::model::text::Pattern;

/// Compiles `text`.
///
/// # Errors
///
/// In words, if it is no regular expression of either.
pub(super) fn go(text: &str) -> Result<Pattern, String> {
    let rust = translated(text)?;
    Pattern::new(&rust).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it would take too much memory".to_owned(),
        error => {
            let words = error.to_string();
            let last = words.lines().last().unwrap_or_default().trim();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    })
}

/// `text`, written for Rust.
fn translated(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => escape(&mut rest, &mut out, false)?,
            '[' => class(&mut rest, &mut out)?,
            '{' if !repeats(rest.clone()) => out.push_str("\\{"),
            '(' => group(&mut rest, &mut out)?,
            c => out.push(c),
        }
    }
    Ok(out)
}

/// Whether what follows `{` makes it a repetition: `3}`, `3,}` or `3,5}`.
fn repeats(mut rest: Peekable<Chars<'_>>) -> bool {
    let digits = |rest: &mut Peekable<Chars<'_>>| {
        let mut any = false;
        while rest.next_if(char::is_ascii_digit).is_some() {
            any = true;
        }
        any
    };
    if !digits(&mut rest) {
        return false;
    }
    if rest.next_if_eq(&',').is_some() {
        digits(&mut rest);
    }
    rest.next() == Some('}')
}

/// What follows `(`: Go's flags are `i`, `m`, `s` and `U` alone.
fn group(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    out.push('(');
    if rest.peek() != Some(&'?') {
        return Ok(());
    }
    let head: String =
        rest.clone().skip(1).take_while(|c| !matches!(c, ')' | ':' | '<' | '>')).collect();
    let flags = head.chars().all(|c| "imsU-".contains(c));
    if flags || head.is_empty() || head == "P" {
        return Ok(());
    }
    Err(format!("`(?{head}` means nothing in Go's expressions"))
}

fn escape(rest: &mut Peekable<Chars<'_>>, out: &mut String, in_class: bool) -> Result<(), String> {
    let Some(c) = rest.next() else {
        return Err("it ends in a backslash".to_owned());
    };
    match (c, in_class) {
        ('d', false) => out.push_str("[0-9]"),
        ('D', _) => out.push_str("[^0-9]"),
        ('s', false) => out.push_str("[\\t\\n\\f\\r ]"),
        ('S', _) => out.push_str("[^\\t\\n\\f\\r ]"),
        ('w', false) => out.push_str("[0-9A-Za-z_]"),
        ('W', _) => out.push_str("[^0-9A-Za-z_]"),
        ('d', true) => out.push_str("0-9"),
        ('s', true) => out.push_str("\\t\\n\\f\\r "),
        ('w', true) => out.push_str("0-9A-Za-z_"),
        ('b', false) => out.push_str("(?-u:\\b)"),
        ('B', false) => out.push_str("(?-u:\\B)"),
        ('Q', _) => quoted(rest, out),
        ('C', _) => return Err("`\\C` (any byte) is not known here".to_owned()),
        ('1'..='9', _) => return Err("there are no references to groups".to_owned()),
        // Octal: up to three digits.
        ('0', _) => {
            let mut code = 0;
            for _ in 0..2 {
                let Some(digit) = rest.next_if(|c| c.is_digit(8)) else { break };
                code = code * 8 + digit.to_digit(8).unwrap_or(0);
            }
            // Writing to a String can't fail.
            let _ = write!(out, "\\x{{{code:x}}}");
        }
        ('a' | 'f' | 'n' | 'r' | 't' | 'v' | 'x' | 'p' | 'P' | 'A' | 'z', _) => {
            out.push('\\');
            out.push(c);
            if "xpP".contains(c) && rest.peek() == Some(&'{') {
                for c in rest.by_ref() {
                    out.push(c);
                    if c == '}' {
                        break;
                    }
                }
            }
        }
        (c, _) if c.is_ascii() && !c.is_ascii_alphanumeric() => {
            out.push_str(&regex::escape(&c.to_string()));
        }
        (c, _) => return Err(format!("`\\{c}` means nothing")),
    }
    Ok(())
}

/// What `\Q` quotes: up to `\E` or the end.
fn quoted(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    while let Some(c) = rest.next() {
        if c == '\\' && rest.next_if_eq(&'E').is_some() {
            return;
        }
        out.push_str(&regex::escape(&c.to_string()));
    }
}

/// A class, up to its `]`.
fn class(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut first = true;
    while let Some(c) = rest.next() {
        match c {
            ']' if !first => {
                out.push(']');
                return Ok(());
            }
            ']' => out.push_str("\\]"),
            '\\' => escape(rest, out, true)?,
            '[' if rest.peek() == Some(&':') => {
                let name: String = rest.clone().take_while(|c| *c != ']').collect();
                if !name.ends_with(':') || name.len() < 3 {
                    out.push_str("\\[");
                } else {
                    out.push('[');
                    out.push_str(&name);
                    out.push(']');
                    rest.nth(name.chars().count());
                }
            }
            '[' | '&' | '~' => {
                out.push('\\');
                out.push(c);
            }
            // A sign of its own at the beginning, else the end of a range.
            '-' if rest.peek() == Some(&'-') && first => out.push_str("\\-"),
            '-' if rest.next_if_eq(&'-').is_some() => out.push_str("-\\-"),
            c => out.push(c),
        }
        first = false;
    }
    Err("a class has no `]`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        let check = |text: &str, matches: &[&str], not: &[&str]| {
            let pattern = go(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            for it in matches {
                assert!(pattern.is_match(it.as_bytes()), "{text} on {it}");
            }
            for it in not {
                assert!(!pattern.is_match(it.as_bytes()), "{text} on {it}");
            }
        };
        check(r#"{"status":"(ok|up)"}"#, &[r#"x{"status":"up"}"#], &["{}"]);
        check("a{2}b{1,}c{0,1}", &["aabb", "aabc"], &["ab"]);
        check("a{,2}", &["a{,2}"], &["aa"]);
        check("x{", &["x{"], &["x"]);
        check(r"^\d+$", &["12"], &["١٢"]);
        check(r"^\w+$", &["a_1"], &["ấ"]);
        check(r"\bok\b", &["is ok.", "ấokấ"], &["tokk"]);
        check(r"^\s$", &[" "], &["\u{a0}", "\u{b}"]);
        check("[[]x", &["[x"], &["x"]);
        check("[]a]+$", &["]a"], &["b"]);
        check("[^]]", &["a"], &["]"]);
        check("[a&&b~]", &["&", "~"], &["c"]);
        check(r"[\w.-]+@[[:alpha:]\d]+", &["a.b-c@vn1"], &["@"]);
        check(r"[^\D]", &["5"], &["x"]);
        check("[+--]", &["-", "+", ","], &["."]);
        check("[--a]", &["-", ".", "a"], &["b", ","]);
        check(r"\Qa.b\E.", &["a.bc"], &["axbc"]);
        check(r"\<html\>", &["<html>"], &["html"]);
        check(r"\_\/\-\%", &["_/-%"], &[]);
        check("(?i)OK", &["ok"], &[]);
        check("(?P<n>a)(?:b)(?s:.)", &["ab\n"], &[]);
        check("^SSH-2.0-", &["SSH-2.0-x"], &["xSSH-2.0-"]);
        check(r"(\*|example\.com)", &["*", "example.com"], &["x"]);
        check(r"\x41\x{1ea5}\072", &["Aấ:"], &[]);
        check("", &["", "x"], &[]);
        check("Đà Nẵng.$", &["Đà Nẵng!"], &[]);
        for bad in
            [":[", "(", "*", r"\", r"a\8", r"\C", r"\y", "(?x)a b", "(?=a)", "(?<!a)b", "[z-a]"]
        {
            assert!(go(bad).is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,60}") {
            let _ = go(&text);
        }

        #[test]
        fn nor_one_of_its_own_signs(text in r"[\[\]{}()\\^$*+?.,:|\-&~dQEwPx0-9a]{0,40}") {
            let _ = go(&text);
        }
    }
}
