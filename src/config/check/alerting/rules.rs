//! What is worth telling, of all systems and of one.

use super::millis;
use crate::config::element;
use crate::config::raw::{Node, Value};
use crate::model::alerting::rules::{AlertRules, Severity};
use crate::model::id::TeamId;
use crate::model::system::AlertTerms;

/// What `[alerting.rules]` of the main file says.
pub(in crate::config::check) fn defaults(main: Option<&Node>) -> AlertRules {
    let node = main.and_then(|main| main.get("alerting")?.get("rules"));
    node.map_or_else(AlertRules::default, |node| rules(node, AlertRules::default()))
}

/// What is told of the system at `node`, and to whom.
pub(in crate::config::check) fn system(node: &Node, defaults: &AlertRules) -> AlertTerms {
    let Some(alert) = node.get("alert") else {
        return AlertTerms { rules: defaults.clone(), ..AlertTerms::default() };
    };
    AlertTerms {
        rules: rules(alert, defaults.clone()),
        team: alert.text("team").and_then(|id| TeamId::new(id).ok()),
        runbook: alert.text("runbook").map(element::nfc),
    }
}

fn rules(node: &Node, base: AlertRules) -> AlertRules {
    let loud = |key: &str, base| match node.text(key) {
        Some("page") => Some(Severity::Page),
        Some("ticket") => Some(Severity::Ticket),
        Some("info") => Some(Severity::Info),
        Some("off") => None,
        _ => base,
    };
    let percent = |key: &str, base: i64| {
        let share = node.text(key).and_then(|text| element::objective(text).ok());
        share.map_or(base, |it| 1_000_000 - i64::from(it.down_ppm()))
    };
    let days = |node: &Node| match node.value {
        Value::Integer(days) => u32::try_from(days).ok(),
        _ => None,
    };
    let certificate_days = match node.get("certificate_days") {
        Some(list) => {
            let mut list: Vec<u32> = list.items().iter().filter_map(days).collect();
            list.sort_unstable_by(|a, b| b.cmp(a));
            list.dedup();
            list
        }
        None => base.certificate_days,
    };
    AlertRules {
        down: loud("down", base.down),
        partial: loud("partial", base.partial),
        slow: loud("slow", base.slow),
        slow_after_ms: millis(node, "slow_after", base.slow_after_ms),
        burn: node.bool("burn").unwrap_or(base.burn),
        certificate_days,
        certificate_page_days: node
            .get("certificate_page_days")
            .and_then(days)
            .unwrap_or(base.certificate_page_days),
        coverage: loud("coverage", base.coverage),
        coverage_ppm_min: percent("coverage_min", base.coverage_ppm_min),
        coverage_window_ms: millis(node, "coverage_window", base.coverage_window_ms),
        objective: loud("objective", base.objective),
        budget_left_ppm: percent("budget_left", base.budget_left_ppm),
    }
}
