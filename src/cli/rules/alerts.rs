//! Alerts about systems: what `[system.alert]` asks to be told, from the exported metrics.

use super::classes::{Class, classes};
use super::recording::{self, CERTIFICATE_LEFT, DEPENDENCY_DOWN};
use super::{Rule, Words};
use crate::availability::burn::{self, BurnRule, RULES};
use crate::config::Config;
use crate::model::alerting::rules::Severity;

/// The period that burn-rate factors are given for: 30 days, as in the SRE Workbook.
const PERIOD_MS: i64 = 30 * 86_400_000;

/// How long something that is read from figures must hold: they are renewed once a minute.
const FIGURES_HOLD_S: i64 = 120;

/// Official names, for annotations and routes: one series a system however many monitors say it.
const NAMES: &str = "* on (system) group_left (owner, name, owner_name)\n  \
                     topk by (system) (1, thongsuot_system_info)";

/// Announced maintenance is no news, and what a dependency causes is told as a part of it.
const CALM: &str = "unless on (system) max by (system) (thongsuot_maintenance_active) == 1";

/// All of them, class by class.
pub(super) fn rules(config: &Config, words: Words) -> Vec<Rule> {
    let mut all = recording::before_alerts();
    all.extend(classes(config).iter().flat_map(|class| of(class, words)));
    all
}

fn of(class: &Class, words: Words) -> Vec<Rule> {
    let mut all = Vec::new();
    service(class, words, &mut all);
    burning(class, words, &mut all);
    coverage(class, words, &mut all);
    certificates(class, words, &mut all);
    objective(class, words, &mut all);
    all
}

/// Down, partly down, slow for long.
fn service(class: &Class, words: Words, all: &mut Vec<Rule>) {
    let (rules, matcher) = (&class.rules, &class.matcher);
    let state = |it: &str| {
        format!("max by (system) (thongsuot_system_state{{state=\"{it}\"{matcher}}}) == 1")
    };
    let alone = format!("{CALM}\n  unless on (system) {DEPENDENCY_DOWN} == 1");
    if let Some(severity) = rules.down {
        let text = words.pick("[GIÁN ĐOẠN] {{ $labels.name }}", "[DOWN] {{ $labels.name }}");
        let (down, name) = (state("down"), "ThongsuotServiceDown");
        let alone = rule(class, name, severity, &format!("{down}\n  {alone}"), text);
        all.push(Rule { hold_s: class.wait_ms / 1_000, ..alone });
        let text = words.pick(
            "[BỊ ẢNH HƯỞNG] {{ $labels.name }}: hệ thống liên quan đang gián đoạn",
            "[AFFECTED] {{ $labels.name }}: a system that it depends on is down",
        );
        let expr = format!("{down}\n  {CALM}\n  and on (system) {DEPENDENCY_DOWN} == 1");
        let mut affected = rule(class, name, Severity::Info, &expr, text);
        affected.labels.push(("cause", "dependency".to_owned()));
        all.push(affected);
    }
    if let Some(severity) = rules.partial {
        let text = words
            .pick("[GIÁN ĐOẠN MỘT PHẦN] {{ $labels.name }}", "[PARTLY DOWN] {{ $labels.name }}");
        let expr = format!("{}\n  {alone}", state("partial"));
        all.push(rule(class, "ThongsuotServicePartial", severity, &expr, text));
    }
    if let Some(severity) = rules.slow {
        let text = words.pick("[CHẬM] {{ $labels.name }}", "[SLOW] {{ $labels.name }}");
        let expr = format!("{}\n  {alone}", state("slow"));
        let slow = rule(class, "ThongsuotServiceSlow", severity, &expr, text);
        all.push(Rule { hold_s: rules.slow_after_ms / 1_000, ..slow });
    }
}

/// The four rules of `docs/measurement.md`, where a system has an objective.
fn burning(class: &Class, words: Words, all: &mut Vec<Rule>) {
    if !class.rules.burn {
        return;
    }
    for (name, severity, from, vietnamese, english) in [
        (
            "ThongsuotBudgetBurnFast",
            burn::Severity::Page,
            Severity::Page,
            "[GIÁN ĐOẠN NHIỀU] {{ $labels.name }}: tiêu quỹ gián đoạn nhanh gấp \
             {{ printf \"%.1f\" $value }} lần mức cho phép",
            "[BUDGET BURNS FAST] {{ $labels.name }}: {{ printf \"%.1f\" $value }} times faster than allowed",
        ),
        (
            "ThongsuotBudgetBurnSlow",
            burn::Severity::Ticket,
            Severity::Ticket,
            "[HAY GIÁN ĐOẠN] {{ $labels.name }}: tiêu quỹ gián đoạn nhanh gấp \
             {{ printf \"%.1f\" $value }} lần mức cho phép",
            "[BUDGET BURNS] {{ $labels.name }}: {{ printf \"%.1f\" $value }} times faster than allowed",
        ),
    ] {
        let rules = RULES.iter().filter(|it| it.severity == severity);
        let over: Vec<_> = rules.map(|it| over(it, &class.matcher)).collect();
        let expr = format!("({})\n  {CALM}", over.join("\n  or\n  "));
        all.push(rule(class, name, from, &expr, words.pick(vietnamese, english)));
    }
}

/// One rule of two windows; the value is that of the long one. As in the daemon, the long window
/// must hold a minute of bad time.
fn over(rule: &BurnRule, matcher: &str) -> String {
    let factor = rule.factor_thousandths(PERIOD_MS);
    let factor = format!("{}.{}", factor / 1_000, factor % 1_000 / 100);
    let rate = |ms: i64| {
        let window = window(ms);
        format!("max by (system) (thongsuot_system_burn_rate{{window=\"{window}\"{matcher}}})")
    };
    let (long, short) = (rate(rule.long_ms), rate(rule.short_ms));
    let (long_s, bad_s) = (rule.long_ms / 1_000, burn::BAD_MS_MIN / 1_000);
    format!(
        "({long} > {factor}\n    and on (system) {short} > {factor}\n    \
         and on (system) {long}\n      \
         * on (system) (1 - max by (system) (thongsuot_system_objective_ratio)) * {long_s} >= {bad_s})"
    )
}

/// The name of a window in labels.
fn window(ms: i64) -> String {
    let minutes = ms / 60_000;
    match minutes {
        1_440.. => format!("{}d", minutes / 1_440),
        60.. => format!("{}h", minutes / 60),
        _ => format!("{minutes}m"),
    }
}

fn coverage(class: &Class, words: Words, all: &mut Vec<Rule>) {
    let (rules, matcher) = (&class.rules, &class.matcher);
    let Some(severity) = rules.coverage else { return };
    let text = words.pick(
        "[MẤT GIÁM SÁT] {{ $labels.name }}: không có số đo, không biết hoạt động hay gián đoạn",
        "[COVERAGE LOST] {{ $labels.name }}: nothing is measured, whether it works is not known",
    );
    let least = f64::from(i32::try_from(rules.coverage_ppm_min).unwrap_or(0)) / 1e6;
    let expr = format!(
        "(min by (system) (thongsuot_system_state{{state=\"unknown\"{matcher}}}) == 1\n  \
         or max by (system) (thongsuot_system_coverage_ratio{{window=\"1h\"{matcher}}}) < {least})\n  {CALM}"
    );
    let lost = rule(class, "ThongsuotCoverageLost", severity, &expr, text);
    all.push(Rule { hold_s: rules.coverage_window_ms / 1_000, ..lost });
}

fn certificates(class: &Class, words: Words, all: &mut Vec<Rule>) {
    let rules = &class.rules;
    let (Some(first), page) = (rules.certificate_days.first(), rules.certificate_page_days) else {
        return;
    };
    let days = format!("{CERTIFICATE_LEFT}{} / 86400", braced(class));
    let text = words.pick(
        "[CHỨNG THƯ] {{ $labels.name }}: chứng thư của {{ $labels.check }} còn \
         {{ printf \"%.1f\" $value }} ngày",
        "[CERTIFICATE] {{ $labels.name }}: that of {{ $labels.check }} ends in \
         {{ printf \"%.1f\" $value }} days",
    );
    for (severity, expr) in [
        (Severity::Ticket, format!("{days} <= {} > {page}", first.max(&page))),
        (Severity::Page, format!("{days} <= {page}")),
    ] {
        let ends = rule(class, "ThongsuotCertificateEnds", severity, &expr, text);
        all.push(Rule { hold_s: FIGURES_HOLD_S, ..ends });
    }
}

fn objective(class: &Class, words: Words, all: &mut Vec<Rule>) {
    let rules = &class.rules;
    let Some(severity) = rules.objective else { return };
    let braced = braced(class);
    let left = format!("min by (system) (thongsuot_system_budget_remaining_ratio{braced})");
    let least = f64::from(i32::try_from(rules.budget_left_ppm).unwrap_or(0)) / 1e6;
    for (name, expr, text) in [
        (
            "ThongsuotObjectiveAtRisk",
            format!("{left} < {least} >= 0"),
            words.pick(
                "[NGUY CƠ KHÔNG ĐẠT] {{ $labels.name }}: quỹ thời gian gián đoạn cho phép còn \
                 {{ $value | humanizePercentage }}",
                "[AT RISK] {{ $labels.name }}: {{ $value | humanizePercentage }} of the period's budget is left",
            ),
        ),
        (
            "ThongsuotObjectiveBroken",
            format!("{left} < 0"),
            words.pick(
                "[KHÔNG ĐẠT CHỈ TIÊU] {{ $labels.name }}: đã dùng hết quỹ thời gian gián đoạn cho phép của kỳ này",
                "[MISSED] {{ $labels.name }}: the budget of this period is used up",
            ),
        ),
    ] {
        let told = rule(class, name, severity, &expr, text);
        all.push(Rule { hold_s: FIGURES_HOLD_S, ..told });
    }
}

/// The matcher of a class alone, in braces; empty if it is all systems.
fn braced(class: &Class) -> String {
    match class.matcher.strip_prefix(',') {
        Some(matcher) => format!("{{{matcher}}}"),
        None => String::new(),
    }
}

/// An alert with the labels and annotations that they all have.
fn rule(class: &Class, name: &str, severity: Severity, expr: &str, summary: &str) -> Rule {
    let mut labels = vec![("severity", severity.as_str().to_owned())];
    labels.extend(class.team.clone().map(|it| ("team", it)));
    let mut annotations = vec![
        ("summary", summary.to_owned()),
        ("system_name", "{{ $labels.name }}".to_owned()),
        ("owner_name", "{{ $labels.owner_name }}".to_owned()),
    ];
    annotations.extend(class.runbook.as_deref().map(|it| ("runbook", plain(it))));
    Rule {
        name: name.to_owned(),
        expr: format!("({expr})\n{NAMES}"),
        labels,
        annotations,
        ..Rule::default()
    }
}

/// A text of the configuration that is no template, though it looks like one.
fn plain(text: &str) -> String {
    text.replace("{{", "{{ \"{{\" }}")
}
