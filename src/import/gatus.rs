//! Gatus: one YAML file with `endpoints`.

mod client;
mod condition;
mod endpoint;
mod http;
mod other;

use std::time::Duration;

use condition::{Condition, Op, Want};

use super::draft::Draft;
use super::note::{Place, Told, Weight};
use super::plan::{Plan, elsewhere};
use super::value::Value;
use super::why::{self, Why};
use super::yaml::{self, Node};
use super::{ImportError, Imported, Judge};

/// A condition as it stands in the file.
struct Written {
    condition: Condition,
    text: String,
    place: Place,
}

/// Keys of the whole file that have another place here, or none.
const ELSEWHERE: &[(&str, Why)] = &[
    ("alerting", why::ALERTING),
    ("maintenance", why::MAINTENANCE),
    ("storage", why::HISTORY),
    ("web", why::LISTEN),
    ("security", why::LISTEN),
    ("connectivity", why::ANCHORS),
    ("remote", why::PEERS),
    ("ui", why::PAGE),
    ("announcements", why::PAGE),
    ("metrics", why::NOT_NEEDED),
    ("concurrency", why::NOT_NEEDED),
    ("debug", why::NOT_NEEDED),
    ("disable-monitoring-lock", why::NOT_NEEDED),
    ("skip-invalid-config-update", why::NOT_NEEDED),
    ("tunneling", why::TUNNEL),
];

/// Keys of the whole file that hold checks; `services` is what old versions called endpoints.
const CHECKS: &[&str] = &["endpoints", "services", "external-endpoints", "suites"];

/// Reads a configuration of Gatus.
///
/// # Errors
///
/// [`ImportError`] if it is not one.
pub fn gatus(text: &str, judge: Judge<'_>) -> Result<Imported, ImportError> {
    let root = yaml::parse(text)?;
    let mut plan = Plan::new("Gatus", "gatus", judge);
    plan.variables.expands = true;
    for (key, node) in root.entries() {
        match key.as_str() {
            "endpoints" | "services" => {
                node.items().iter().for_each(|it| endpoint::endpoint(&mut plan, &root, it));
            }
            "external-endpoints" => {
                node.items().iter().for_each(|it| endpoint::external(&mut plan, &root, it));
            }
            "suites" => node.items().iter().for_each(|it| suite(&mut plan, it)),
            // Where files keep what they use again and again.
            other if other.starts_with("x-") || other.starts_with('.') => {}
            other => {
                let known = ELSEWHERE.iter().find(|(known, _)| *known == other);
                let why = known.map_or(why::UNKNOWN, |(_, why)| *why);
                elsewhere(&mut plan, &node.place(), other, why);
            }
        }
    }
    if plan.is_empty() {
        let seen = if root.get("scrape_configs").is_some() {
            "it has `scrape_configs`: it is prometheus.yml".to_owned()
        } else if root.get("modules").is_some() {
            "it has `modules`: it is blackbox.yml".to_owned()
        } else {
            format!("it has none of `{}`", CHECKS.join("`, `"))
        };
        return Err(ImportError::NotThis {
            wanted: "a configuration of Gatus with anything to watch",
            seen,
            mend: "name the file that has `endpoints`, often config/config.yaml; of a folder, join its files first",
        });
    }
    plan.finish()
}

fn suite(plan: &mut Plan<'_>, node: &Node) {
    let name = node.text("name").unwrap_or_default();
    let group = node.text("group").unwrap_or_default();
    plan.lose(&group, &name, &Told::new(Weight::Lost, &node.place(), "suite", why::SUITE));
}

/// `[CONNECTED]`: that it answers is what every check is about.
fn connected(condition: &Condition) -> Result<(), (Weight, Why)> {
    let expected = match &condition.want {
        Want::Text(text) => text == "true",
        _ => return Err((Weight::Weaker, why::CONDITION)),
    };
    match condition.op {
        Op::Is if expected => Ok(()),
        Op::IsNot if !expected => Ok(()),
        Op::Is | Op::IsNot => Err((Weight::Off, why::EXPECTS_DOWN)),
        _ => Err((Weight::Weaker, why::CONDITION)),
    }
}

/// `[CERTIFICATE_EXPIRATION]`: whole days of the leaf.
fn certificate(draft: &mut Draft, it: &Written) -> Result<(), (Weight, Why)> {
    let length =
        it.condition.length().filter(|_| matches!(it.condition.op, Op::More | Op::MoreEqual));
    let hours = length.ok_or((Weight::Weaker, why::COMPARE))?.as_secs().div_ceil(3_600);
    let days = hours.div_ceil(24);
    draft.part(
        &["expect", "cert_days"],
        Value::Integer(days.min(3_650) as i64),
        &it.place,
        &it.text,
    );
    if days * 24 != hours {
        draft.tell(Told::new(Weight::Changed, &it.place, it.text.as_str(), why::DAYS));
    }
    Ok(())
}

/// The longest time that a condition on `[RESPONSE_TIME]` allows.
fn limit(condition: &Condition) -> Option<Duration> {
    let upper = matches!(condition.op, Op::Less | Op::LessEqual);
    condition.length().filter(|it| upper && !it.is_zero())
}

#[cfg(test)]
mod tests;
