//! Rules as YAML: always the same text for the same rules. Strings are written as JSON strings,
//! which YAML reads, and expressions as blocks.

use std::fmt::Write as _;

use super::Rule;

const HEAD: &str = "\
# Prometheus rules, made by `thongsuot rules`. Make them anew when the configuration changes; don't
# edit them. Check with `promtool check rules`; what they mean is in docs/prometheus.md.
#
# Luật của Prometheus, do `thongsuot rules` sinh ra từ cấu hình: không sửa tay.
";

/// A whole rule file. Groups without a rule are left out.
pub(super) fn file(groups: &[(&str, Vec<Rule>)]) -> String {
    let mut text = format!("{HEAD}groups:\n");
    for (name, rules) in groups.iter().filter(|(_, rules)| !rules.is_empty()) {
        let _ = write!(text, "\n- name: {name}\n  rules:\n");
        for rule in rules {
            write_rule(&mut text, rule);
        }
    }
    text
}

fn write_rule(text: &mut String, rule: &Rule) {
    let key = if rule.labels.is_empty() { "record" } else { "alert" };
    let _ = writeln!(text, "  - {key}: {}\n    expr: |-", rule.name);
    for line in rule.expr.lines() {
        let _ = writeln!(text, "      {line}");
    }
    if rule.hold_s > 0 {
        let _ = writeln!(text, "    for: {}s", rule.hold_s);
    }
    for (key, pairs) in [("labels", &rule.labels), ("annotations", &rule.annotations)] {
        if pairs.is_empty() {
            continue;
        }
        let _ = writeln!(text, "    {key}:");
        for (name, value) in pairs {
            let _ = writeln!(text, "      {name}: {}", quoted(value));
        }
    }
}

/// As a JSON string, which is a YAML string too.
fn quoted(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}
