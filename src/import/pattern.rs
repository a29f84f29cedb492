//! Globs and texts of the sources as regular expressions.

/// `text` as an expression that matches exactly it.
pub(super) fn literal(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A glob of `*` and `?` as an expression; `any` stands for what `*` runs over. `None` if it has
/// classes or escapes.
pub(super) fn glob(text: &str, any: &str) -> Option<String> {
    if text.contains(['[', '\\']) {
        return None;
    }
    let one = |c: char| match c {
        '*' => format!("{any}*"),
        '?' => any.to_owned(),
        c => literal(&c.to_string()),
    };
    Some(text.chars().map(one).collect())
}

/// The text that a glob looks for anywhere, if it is `*text*` and nothing more.
pub(super) fn contained(glob: &str) -> Option<&str> {
    let inner = glob.strip_prefix('*')?.strip_suffix('*')?;
    (!inner.is_empty() && !inner.contains(['*', '?', '[', '\\'])).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::text::Pattern;

    #[test]
    fn globs_match_what_they_did() {
        let check = |pattern: &str, text: &str, expected: bool| {
            let pattern = format!("^{}$", glob(pattern, "(?s:.)").unwrap());
            assert_eq!(
                Pattern::new(&pattern).unwrap().is_match(text.as_bytes()),
                expected,
                "{pattern}"
            );
        };
        check("*UP*", "a\nUP b", true);
        check("UP*", "DOWN", false);
        check("a.b?", "a.bc", true);
        check("a.b?", "axbc", false);
        check("(1|2)", "(1|2)", true);
        assert_eq!(glob("[ab]", "."), None);
        assert_eq!(contained("*Đăng nhập*"), Some("Đăng nhập"));
        assert_eq!(contained("*a*b*"), None);
        assert_eq!(contained("**"), None);
    }
}
