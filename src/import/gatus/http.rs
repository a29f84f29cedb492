//! Conditions of Gatus on HTTP as expectations of an `http` check.

use std::time::Duration;

use super::super::draft::Draft;
use super::super::note::{Place, Told, Weight};
use super::super::value::Value;
use super::super::why::{self, Why};
use super::super::{pattern, request, span};
use super::Written;
use super::condition::{Op, Subject, Want};

/// Puts every condition into the draft, or tells it; `timeout` is the deadline of a run.
pub(super) fn expect(draft: &mut Draft, conditions: &[Written], timeout: Duration) {
    status(draft, conditions);
    for it in conditions.iter().filter(|it| it.condition.subject != Subject::Status) {
        if let Err((weight, why)) = one(draft, it, timeout) {
            draft.tell(Told::new(weight, &it.place, it.text.as_str(), why));
        }
    }
}

/// All conditions on the status code together: the codes that meet every one of them.
fn status(draft: &mut Draft, conditions: &[Written]) {
    let asked: Vec<_> =
        conditions.iter().filter(|it| it.condition.subject == Subject::Status).collect();
    let place = asked.first().map_or_else(|| draft.place.clone(), |it| it.place.clone());
    let allowed = |code: u16| asked.iter().all(|it| it.condition.holds(&code.to_string()));
    match request::status(allowed) {
        Some(codes) => {
            draft.part(&["expect", "status"], codes, &place, "[STATUS]");
            // Otherwise 429 would be told from the service's own answers.
            if !asked.is_empty() && allowed(429) {
                draft.key("blocked", Value::Bool(false));
            }
        }
        None => draft.tell(Told::new(Weight::Weaker, &place, "[STATUS]", why::NEVER)),
    }
}

type Refused = (Weight, Why);

fn one(draft: &mut Draft, it: &Written, timeout: Duration) -> Result<(), Refused> {
    let Written { condition, text, place } = it;
    let is = match condition.op {
        Op::Is => Some(true),
        Op::IsNot => Some(false),
        _ => None,
    };
    let equal = is.ok_or((Weight::Weaker, why::COMPARE));
    match &condition.subject {
        Subject::Connected => return super::connected(condition),
        Subject::ResponseTime => return response_time(draft, it, timeout),
        Subject::Certificate => return super::certificate(draft, it),
        Subject::Body => body(draft, it, equal?)?,
        Subject::Json(path) => {
            let path = path.as_deref().ok_or((Weight::Weaker, why::JSON_PATH))?;
            json(draft, it, path, equal?)?;
        }
        Subject::Header(name) => {
            let key = if equal? { "matches" } else { "not_matches" };
            let rule = condition.anchored("", "").ok_or((Weight::Weaker, why::GLOB))?;
            header(draft, name, Some((key, rule.into())), place, text);
        }
        Subject::Has(inner) => {
            let wanted = match &condition.want {
                Want::Text(text) if text == "true" => equal?,
                Want::Text(text) if text == "false" => !equal?,
                _ => return Err((Weight::Weaker, why::CONDITION)),
            };
            has(draft, inner, wanted, place, text)?;
        }
        Subject::Ip => return Err((Weight::Weaker, why::IP)),
        Subject::Domain => return Err((Weight::Weaker, why::DOMAIN)),
        Subject::Context => return Err((Weight::Weaker, why::CONTEXT)),
        Subject::Measured => return Err((Weight::Weaker, why::CONDITION)),
        Subject::Rcode | Subject::Status => return Err((Weight::Weaker, why::CONDITION_KIND)),
    }
    Ok(())
}

fn response_time(draft: &mut Draft, it: &Written, timeout: Duration) -> Result<(), Refused> {
    let limit = super::limit(&it.condition).ok_or((Weight::Weaker, why::COMPARE))?;
    // Beyond the deadline the run has failed already.
    if limit < timeout {
        draft.part(&["expect", "response_time"], span::show(limit), &it.place, &it.text);
    }
    Ok(())
}

fn body(draft: &mut Draft, it: &Written, is: bool) -> Result<(), Refused> {
    let Written { condition, text, place } = it;
    if let Want::Glob(glob) = &condition.want
        && let Some(inner) = pattern::contained(glob)
    {
        let key = if is { "body_contains" } else { "body_absent" };
        draft.part(&["expect", key], Value::texts([inner]), place, text);
        return Ok(());
    }
    // Gatus looks at the body without the blanks around it.
    let rule = condition.anchored(r"\s*", r"\s*").ok_or((Weight::Weaker, why::GLOB))?;
    let key = if is { "body_matches" } else { "body_not_matches" };
    draft.part(&["expect", key], Value::texts([rule]), place, text);
    Ok(())
}

fn json(draft: &mut Draft, it: &Written, path: &str, is: bool) -> Result<(), Refused> {
    let Written { condition, text, place } = it;
    if !is {
        return Err((Weight::Weaker, why::DIFFERS));
    }
    let rule = match &condition.want {
        Want::Text(text) if is_word(text) => ("equals", Value::from(text.as_str())),
        _ => ("matches", condition.anchored("", "").ok_or((Weight::Weaker, why::GLOB))?.into()),
    };
    let rule = vec![("path".to_owned(), path.into()), (rule.0.to_owned(), rule.1)];
    draft.part(&["expect", "json"], Value::List(vec![Value::Table(rule)]), place, text);
    if path.contains("[*]") {
        draft.tell(Told::new(Weight::Changed, place, text.as_str(), why::WILDCARD));
    }
    Ok(())
}

/// Whether a text can only be text in JSON: Gatus compares numbers and booleans by their words.
fn is_word(text: &str) -> bool {
    !text.is_empty() && serde_json::from_str::<serde_json::Value>(text).is_err()
}

fn header(draft: &mut Draft, name: &str, rule: Option<(&str, Value)>, place: &Place, text: &str) {
    let mut table = vec![("name".to_owned(), Value::from(name))];
    table.extend(rule.map(|(key, value)| (key.to_owned(), value)));
    draft.part(&["expect", "headers"], Value::List(vec![Value::Table(table)]), place, text);
}

fn has(
    draft: &mut Draft,
    inner: &Subject,
    wanted: bool,
    place: &Place,
    text: &str,
) -> Result<(), Refused> {
    match inner {
        Subject::Body if wanted => {
            draft.part(&["expect", "body_min"], Value::Integer(1), place, text);
        }
        Subject::Header(name) => {
            let rule = (!wanted).then_some(("absent", Value::Bool(true)));
            header(draft, name, rule, place, text);
        }
        Subject::Json(Some(path)) => {
            let mut rule = vec![("path".to_owned(), Value::from(path.as_str()))];
            if !wanted {
                rule.push(("absent".to_owned(), Value::Bool(true)));
            }
            let rule = if wanted { Value::from(path.as_str()) } else { Value::Table(rule) };
            draft.part(&["expect", "json"], Value::List(vec![rule]), place, text);
        }
        _ => return Err((Weight::Weaker, why::CONDITION)),
    }
    Ok(())
}
