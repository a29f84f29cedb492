//! Series that are asked for again and again, or that other rules are made of.

use super::Rule;

/// A system that can't work without one that is down now.
pub(super) const DEPENDENCY_DOWN: &str = "system:thongsuot_dependency_down:max";

/// Seconds that are left of a check's certificate.
pub(super) const CERTIFICATE_LEFT: &str = "check:thongsuot_certificate_left_seconds:min";

/// Quantiles of latency, by the end of the series' name.
const QUANTILES: [(&str, &str); 3] = [("p50", "0.5"), ("p95", "0.95"), ("p99", "0.99")];

/// What alerts are made of. It stands in their group and before them: groups are evaluated side by
/// side, and an alert must not read what was recorded an evaluation ago.
pub(super) fn before_alerts() -> Vec<Rule> {
    vec![
        record(
            DEPENDENCY_DOWN,
            "max by (system) (\n  max by (system, on) (thongsuot_system_dependency_info)\n  \
             * on (on) group_left () label_replace(\n    \
             max by (system) (thongsuot_system_state{state=\"down\"}), \"on\", \"$1\", \"system\", \"(.+)\")\n)",
        ),
        record(
            CERTIFICATE_LEFT,
            "min by (system, check) (\n  (thongsuot_tls_not_after_timestamp_seconds - time())\n  \
             * on (job, instance, check) group_left (system)\n    \
             (thongsuot_result_duration_seconds_count * 0 + 1)\n)",
        ),
    ]
}

/// What is asked for again and again.
pub(super) fn rules() -> Vec<Rule> {
    let mut all = vec![
        record(
            "system_outcome:thongsuot_results:rate10m",
            "sum by (system, outcome) (rate(thongsuot_results_total[10m]))",
        ),
        record(
            "check_phase:thongsuot_phase_seconds:mean10m",
            "sum by (check, phase) (rate(thongsuot_phase_seconds_total[10m]))\n  \
             / on (check) group_left () sum by (check) (rate(thongsuot_result_duration_seconds_count[10m])) > 0",
        ),
    ];
    for (name, quantile) in QUANTILES {
        all.push(record(
            &format!("system:thongsuot_result_duration_seconds:{name}_10m"),
            &format!(
                "histogram_quantile({quantile},\n  \
                 sum by (system, le) (rate(thongsuot_result_duration_seconds_bucket[10m])))"
            ),
        ));
    }
    all
}

fn record(name: &str, expr: &str) -> Rule {
    Rule { name: name.to_owned(), expr: expr.to_owned(), ..Rule::default() }
}
