//! Templates of messages.

use std::collections::BTreeMap;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

use super::NotAn;
use crate::model::alerting::presets::{FIELDS, FILTERS};

/// Steps of a trial: what needs more would hold up every message.
const FUEL: u64 = 200_000;

/// What the engine brings along, that looks like a value.
const BUILT_IN: &[&str] = &["range", "dict", "namespace", "debug", "loop"];

/// Whether `text` is a template, whatever names it uses.
pub(crate) fn syntax(text: &str) -> Result<(), NotAn> {
    engine().template_from_str(text).map(drop).map_err(|error| bad(&error))
}

/// The first name in `text`, by the alphabet, that is neither a field of messages nor one of
/// `values`.
pub(crate) fn unknown_name(text: &str, values: &[&str]) -> Option<String> {
    let engine = engine();
    let template = engine.template_from_str(text).ok()?;
    let known = |name: &&String| {
        let name = name.as_str();
        FIELDS.contains(&name) || values.contains(&name) || BUILT_IN.contains(&name)
    };
    template.undeclared_variables(false).iter().filter(|name| !known(name)).min().cloned()
}

/// Fills `text` once, so that a filter that is none is found before the night it is needed.
pub(crate) fn trial(text: &str, values: &[&str]) -> Result<(), NotAn> {
    let names = FIELDS.iter().chain(values).map(|name| (*name, Value::from("1")));
    let filled = engine().render_str(text, Value::from(names.collect::<BTreeMap<_, _>>()));
    filled.map(drop).map_err(|error| bad(&error))
}

fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_auto_escape_callback(|_| AutoEscape::None);
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_fuel(Some(FUEL));
    for name in FILTERS {
        engine.add_filter(*name, |text: String| text);
    }
    engine.add_filter("cut", |text: String, _: usize| text);
    engine
}

fn bad(error: &minijinja::Error) -> NotAn {
    let kind = error.kind().to_string();
    let problem = error.detail().map_or(kind.clone(), |detail| format!("{kind}: {detail}"));
    NotAn::Template { problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_filters_are_those_of_messages() {
        let check = |text: &str, expected: &str| {
            let got = syntax(text).err().map(|it| it.to_string());
            let got = got.or_else(|| unknown_name(text, &["token"]).map(|it| format!("no {it}")));
            let got = got.or_else(|| trial(text, &["token"]).err().map(|it| it.to_string()));
            let got = got.unwrap_or_default();
            assert!(got.starts_with(expected) && got.is_empty() == expected.is_empty(), "{got}");
        };
        check(r#"{"a":{{ text|cut(30)|json }},"b":{{ token|form }}}"#, "");
        check("{% for i in range(3) %}{{ loop.index }}{% endfor %}", "");
        check("{{ texts }}", "no texts");
        check("{{ text", "this is not a template: syntax error");
        check("{{ text|cut }}", "this is not a template: missing argument");
        check("{{ text|jsn }}", "this is not a template: unknown filter");
        check(
            "{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}",
            "this is not a template: engine ran out of fuel",
        );
    }
}
