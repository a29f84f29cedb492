//! Filters that every template of messages and requests has.

use minijinja::{Environment, State, Value};

use super::{plain, tame};

/// Instructions that one template may take: no template of an operator runs for ever.
const FUEL: u64 = 200_000;

/// The name under which `markdown` finds the addresses that may be followed; no value of an
/// operator can have it.
pub(in crate::alert) const LINKS: &str = "(links)";

/// An engine with the filters, strict about names that do not exist.
pub(in crate::alert) fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    engine.set_fuel(Some(FUEL));
    engine.add_filter("json", |text: String| serde_json::Value::from(text).to_string());
    engine.add_filter("form", |text: String| {
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
    });
    engine.add_filter("xml", |text: String| xml(&text));
    engine.add_filter("markdown", |state: &State<'_, '_>, text: String| {
        let links = state.lookup(LINKS).unwrap_or_default();
        let links = links.try_iter().into_iter().flatten();
        markdown(&text, links.filter_map(|it: Value| it.as_str().map(str::to_owned)).collect())
    });
    engine.add_filter("unaccent", |text: String| plain::unaccented(&text));
    engine.add_filter("cut", |text: String, max: usize| tame::cut(&text, max));
    engine
}

/// `text` as XML character data or attribute value (XML 1.0, section 2.4), without characters
/// that XML has no way to write.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' | '\n' | '\r' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// `text` as Markdown that says the same: nothing in it is bold, a mention, an image or a link, but for
/// `links`, which stay as they are. A server that is watched must not put links into a chat.
fn markdown(text: &str, mut links: Vec<String>) -> String {
    links.retain(|it| !it.is_empty());
    links.sort_by_key(|it| std::cmp::Reverse(it.len()));
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(link) = links.iter().find(|it| begins(rest, it)) {
            out.push_str(link);
            rest = &rest[link.len()..];
            continue;
        }
        // Chats make links also of what only looks like an address.
        let broken = ["://", "www."].into_iter().find(|it| starts(rest, it));
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '<' | '>' | '#' | '|' | '~' => {
                out.extend(['\\', c]);
            }
            '@' => out.extend([c, BREAK]),
            _ if broken.is_some() => out.extend([c, BREAK]),
            _ => out.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// Takes no room, and is no part of an address or a name.
const BREAK: char = '\u{200b}';

/// Whether `text` goes on with the whole of `link`, and not with one that begins like it.
fn begins(text: &str, link: &str) -> bool {
    let behind = text.strip_prefix(link);
    behind
        .is_some_and(|it| it.chars().next().is_none_or(|c| c.is_whitespace() || ".,;)".contains(c)))
}

fn starts(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|it| it.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_makes_no_link_and_no_mention_but_ours() {
        let links = ["https://g.vn/a/SC-1_1_an_0f", "https://g.vn/"].map(str::to_owned).to_vec();
        for (text, out) in [
            ("[bấm](http://x.vn)", "\\[bấm\\]\\(http:\u{200b}//x.vn\\)"),
            ("@all ~kenh #a", "@\u{200b}all \\~kenh \\#a"),
            ("![](HTTPS://x) www.x.vn", "!\\[\\]\\(HTTPS:\u{200b}//x\\) w\u{200b}ww.x.vn"),
            ("*a* _b_ `c`|<d>\\", "\\*a\\* \\_b\\_ \\`c\\`\\|\\<d\\>\\\\"),
            (
                "TIẾP NHẬN: https://g.vn/a/SC-1_1_an_0f\nx",
                "TIẾP NHẬN: https://g.vn/a/SC-1_1_an_0f\nx",
            ),
            ("https://g.vn/\u{1f600}", "https:\u{200b}//g.vn/\u{1f600}"),
            ("https://g.vn/evil_", "https:\u{200b}//g.vn/evil\\_"),
            ("xem https://g.vn/.", "xem https://g.vn/."),
            ("Gián đoạn từ 08:14 ngày 23/11. 12,5 %", "Gián đoạn từ 08:14 ngày 23/11. 12,5 %"),
        ] {
            assert_eq!(markdown(text, links.clone()), out);
        }
    }

    #[test]
    fn filters_write_each_format_safely() {
        let engine = engine();
        let it = "a\"b\\ <&'> \u{1} đ\n2";
        for (template, out) in [
            ("{{ it|json }}", r#""a\"b\\ <&'> \u0001 đ\n2""#),
            ("{{ it|form }}", "a%22b%5C+%3C%26%27%3E+%01+%C4%91%0A2"),
            ("{{ it|xml }}", "a&quot;b\\ &lt;&amp;&apos;&gt;   đ\n2"),
            ("{{ it|markdown }}", "a\"b\\\\ \\<&'\\> \u{1} đ\n2"),
            ("{{ 'Đường đi'|unaccent }}", "Duong di"),
            ("{{ 'một hai ba bốn'|cut(10) }}", "một hai…"),
        ] {
            let context = minijinja::context! { it };
            assert_eq!(engine.render_str(template, context).unwrap(), out, "{template}");
        }
        assert!(engine.render_str("{{ nothing }}", ()).is_err());
        let forever =
            "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}";
        assert!(engine.render_str(forever, ()).is_err());
    }
}
