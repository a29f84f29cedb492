//! JSON in one form: keys sorted by their bytes, no spaces, one line feed at the end.

use serde_json::Value;

/// `value` as text. Equal values have equal texts, whatever the order of their keys.
#[must_use]
pub(super) fn text(value: &Value) -> String {
    let mut text = sorted(value).to_string();
    text.push('\n');
    text
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by_key(|it| it.0);
            pairs.into_iter().map(|(key, it)| (key.clone(), sorted(it))).collect()
        }
        Value::Array(list) => list.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
