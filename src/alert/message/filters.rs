//! Filters that every template of messages and requests has.

use minijinja::Environment;

use super::{plain, tame};

/// Instructions that one template may take: no template of an operator runs for ever.
const FUEL: u64 = 200_000;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_write_each_format_safely() {
        let engine = engine();
        let it = "a\"b\\ <&'> \u{1} đ\n2";
        for (template, out) in [
            ("{{ it|json }}", r#""a\"b\\ <&'> \u0001 đ\n2""#),
            ("{{ it|form }}", "a%22b%5C+%3C%26%27%3E+%01+%C4%91%0A2"),
            ("{{ it|xml }}", "a&quot;b\\ &lt;&amp;&apos;&gt;   đ\n2"),
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
