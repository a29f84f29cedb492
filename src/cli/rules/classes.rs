//! Systems that are told of alike share their rules, so that a file stays short.

use crate::config::Config;
use crate::model::alerting::rules::AlertRules;

/// Systems of which the same is told to the same people.
#[derive(Clone, Debug)]
pub(super) struct Class {
    /// What is worth telling.
    pub(super) rules: AlertRules,
    /// Who answers for them; `None`: no team is configured.
    pub(super) team: Option<String>,
    /// What to do.
    pub(super) runbook: Option<String>,
    /// How long a page waits for what a system depends on; 0 if none depends on anything.
    pub(super) wait_ms: i64,
    /// A matcher with a comma before it, such as `,system=~"a|b"`; empty if it is all systems.
    pub(super) matcher: String,
}

/// The classes of a configuration, in the order of their first systems. There is always one, so
/// that a file made before there are systems is of use.
pub(super) fn classes(config: &Config) -> Vec<Class> {
    let first = config.alerting.teams.first().map(|it| it.id.to_string());
    let mut found: Vec<(Class, Vec<&str>)> = Vec::new();
    for system in &config.roster.systems {
        let alert = &system.alert;
        let team = alert.team.as_ref().map(ToString::to_string).or_else(|| first.clone());
        let same =
            |it: &Class| it.rules == alert.rules && it.team == team && it.runbook == alert.runbook;
        let depends = !system.depends_on.is_empty();
        let wait_ms = if depends { config.alerting.dependency_wait_ms } else { 0 };
        if let Some((class, systems)) = found.iter_mut().find(|(it, _)| same(it)) {
            class.wait_ms = class.wait_ms.max(wait_ms);
            systems.push(system.id.as_str());
            continue;
        }
        let (rules, runbook) = (alert.rules.clone(), alert.runbook.clone());
        found.push((
            Class { rules, team, runbook, wait_ms, matcher: String::new() },
            vec![system.id.as_str()],
        ));
    }
    if found.is_empty() {
        let rules = AlertRules::default();
        let (runbook, wait_ms, matcher) = (None, 0, String::new());
        return vec![Class { rules, team: first, runbook, wait_ms, matcher }];
    }
    let single = found.len() == 1;
    let named = |(class, systems): (Class, Vec<&str>)| {
        let matcher = if single { String::new() } else { matcher(&systems) };
        Class { matcher, ..class }
    };
    found.into_iter().map(named).collect()
}

/// Ids hold nothing that is special in an expression but the dot.
fn matcher(systems: &[&str]) -> String {
    match systems {
        [one] => format!(",system=\"{one}\""),
        many => format!(",system=~\"{}\"", many.join("|").replace('.', "\\\\.")),
    }
}
