//! Alerts about the monitor itself: silent, blind, late, not recording, refused.

use super::{Rule, Words};
use crate::alert::facts::TroubleKind;
use crate::alert::rules::trouble_severity;
use crate::model::alerting::rules::Severity;

/// A page without an acknowledgement for so long, in seconds, is news for everybody.
const UNANSWERED_S: i64 = 900;

/// All of them, of the scrape job `job`.
pub(super) fn rules(job: &str, words: Words) -> Vec<Rule> {
    let mut all = vec![dead(job, words), absent(job, words), watchdog(job, words)];
    all.extend(TroubleKind::ALL.map(|kind| trouble(kind, job, words)));
    all.extend(measuring(job, words));
    all.extend(telling(job, words));
    all
}

fn dead(job: &str, words: Words) -> Rule {
    let summary = words.pick(
        "[LỖI GIÁM SÁT] {{ $labels.instance }} không trả lời: không còn ai theo dõi các hệ thống",
        "[MONITOR] {{ $labels.instance }} does not answer: nobody watches the systems",
    );
    let expr = format!("up{{job=\"{job}\"}} == 0");
    rule("ThongsuotMonitorDead", Severity::Page, 120, expr, summary)
}

fn absent(job: &str, words: Words) -> Rule {
    let summary = words.pick(
        "[LỖI GIÁM SÁT] Prometheus không có máy giám sát nào để hỏi",
        "[MONITOR] Prometheus knows of no monitor to ask",
    );
    let expr = format!("absent(up{{job=\"{job}\"}})");
    rule("ThongsuotMonitorAbsent", Severity::Page, 300, expr, summary)
}

/// Always fires while a monitor answers: who waits for it raises the alarm when it stops.
fn watchdog(job: &str, words: Words) -> Rule {
    let summary = words.pick(
        "Tín hiệu sống: Prometheus và thongsuot đang hoạt động",
        "A sign of life: Prometheus and thongsuot work",
    );
    let expr = format!("max by (job) (up{{job=\"{job}\"}}) == 1");
    let watchdog = rule("ThongsuotWatchdog", Severity::Info, 0, expr, summary);
    let mut labels = watchdog.labels;
    labels.push(("monitor", "prometheus".to_owned()));
    Rule { labels, ..watchdog }
}

/// What the monitor itself says is wrong, as loud as it would tell it.
fn trouble(kind: TroubleKind, job: &str, words: Words) -> Rule {
    let (vietnamese, english) = match kind {
        TroubleKind::HistoryNotCommitting => {
            ("không ghi được kết quả đo", "results can't be stored")
        }
        TroubleKind::ScheduleLate => ("phép đo chạy trễ", "checks start late"),
        TroubleKind::Blind => ("điểm đo mất kết nối mạng", "the vantage can't reach the network"),
        TroubleKind::ChannelFailing => ("kênh báo động không gửi được", "a channel can't deliver"),
        TroubleKind::AlertmanagerFailing => {
            ("Alertmanager không nhận cảnh báo", "Alertmanager does not accept alerts")
        }
        TroubleKind::AlertRefused => {
            ("Alertmanager từ chối một cảnh báo", "Alertmanager refused an alert")
        }
        TroubleKind::ConfigurationRefused => {
            ("cấu hình mới bị từ chối", "the new configuration was refused")
        }
        TroubleKind::RotaHole => ("không có người trực", "nobody is on call"),
        TroubleKind::PeerFailing => {
            ("hệ thống giám sát khác không trả lời", "another monitor does not answer")
        }
    };
    let name = serde_json::to_value(kind).unwrap_or_default();
    let name = name.as_str().unwrap_or_default();
    let summary = format!("{}: {}", instance(words), words.pick(vietnamese, english));
    let expr = format!(
        "max by (job, instance) (thongsuot_monitor_troubles{{job=\"{job}\",kind=\"{name}\"}}) > 0"
    );
    let severity = trouble_severity(kind);
    let mut trouble = rule("ThongsuotMonitorTrouble", severity, 60, expr, &summary);
    trouble.labels.push(("trouble", name.to_owned()));
    trouble
}

/// What shows from outside, should the monitor not know what ails it: late, not recording.
fn measuring(job: &str, words: Words) -> Vec<Rule> {
    let told =
        |name, severity, hold_s, expr, said| told(words, (name, severity, hold_s), expr, said);
    vec![
        told(
            "ThongsuotScheduleLate",
            Severity::Ticket,
            300,
            format!(
                "histogram_quantile(0.99, sum by (job, instance, le) (\n  \
                 rate(thongsuot_slot_lateness_seconds_bucket{{job=\"{job}\"}}[5m]))) > 1"
            ),
            ("phép đo chạy trễ hơn 1 giây", "checks start more than a second late"),
        ),
        told(
            "ThongsuotHistoryStalled",
            Severity::Page,
            120,
            format!(
                "sum by (job, instance) (increase(thongsuot_results_total{{job=\"{job}\"}}[5m])) > 0\n\
                 unless on (job, instance) sum by (job, instance) (\n  \
                 increase(thongsuot_history_commit_seconds_count{{job=\"{job}\"}}[5m])) > 0"
            ),
            ("có kết quả đo nhưng không ghi được", "there are results, and none is stored"),
        ),
        told(
            "ThongsuotConfigurationRefused",
            Severity::Ticket,
            60,
            format!("thongsuot_config_last_reload_successful{{job=\"{job}\"}} == 0"),
            (
                "cấu hình mới bị từ chối, cấu hình cũ còn hiệu lực",
                "the newest configuration was refused, an older one is in force",
            ),
        ),
    ]
}

/// The same of messages and of the process.
fn telling(job: &str, words: Words) -> Vec<Rule> {
    let told =
        |name, severity, hold_s, expr, said| told(words, (name, severity, hold_s), expr, said);
    // The first failure of a channel is born with its series, and no increase to Prometheus.
    let failed = format!("thongsuot_notifications_total{{job=\"{job}\",result=\"failed\"}}");
    vec![
        told(
            "ThongsuotMessagesFailing",
            Severity::Ticket,
            0,
            format!(
                "sum by (job, instance, channel) (\n  \
                 increase({failed}[1h]) > 0\n  or {failed} unless {failed} offset 1h) > 0"
            ),
            (
                "có tin báo không gửi được qua kênh {{ $labels.channel }}",
                "messages over {{ $labels.channel }} were given up",
            ),
        ),
        told(
            "ThongsuotPageUnanswered",
            Severity::Page,
            0,
            format!("thongsuot_oncall_unacknowledged_seconds{{job=\"{job}\"}} > {UNANSWERED_S}"),
            ("cảnh báo gọi người trực chưa có ai tiếp nhận", "nobody has acknowledged a page"),
        ),
        told(
            "ThongsuotRestarting",
            Severity::Ticket,
            0,
            format!("changes(process_start_time_seconds{{job=\"{job}\"}}[1h]) > 2"),
            ("tiến trình giám sát khởi động lại nhiều lần", "the process starts again and again"),
        ),
        told(
            "ThongsuotDescriptorsScarce",
            Severity::Ticket,
            600,
            format!("process_open_fds{{job=\"{job}\"}} / process_max_fds{{job=\"{job}\"}} > 0.8"),
            ("sắp hết số tệp được mở", "file descriptors are nearly used up"),
        ),
    ]
}

/// A rule about one monitor: name, severity and hold, and what is said in both languages.
fn told(
    words: Words,
    (name, severity, hold_s): (&str, Severity, i64),
    expr: String,
    (vietnamese, english): (&'static str, &'static str),
) -> Rule {
    let summary = format!("{}: {}", instance(words), words.pick(vietnamese, english));
    rule(name, severity, hold_s, expr, &summary)
}

const fn instance(words: Words) -> &'static str {
    words.pick("[LỖI GIÁM SÁT] {{ $labels.instance }}", "[MONITOR] {{ $labels.instance }}")
}

fn rule(name: &str, severity: Severity, hold_s: i64, expr: String, summary: &str) -> Rule {
    Rule {
        name: name.to_owned(),
        expr,
        hold_s,
        labels: vec![("severity", severity.as_str().to_owned())],
        annotations: vec![("summary", summary.to_owned())],
    }
}
