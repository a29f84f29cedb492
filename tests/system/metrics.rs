//! Judges of the metrics page that we did not write: promtool and the Python client's parsers.
//! A judge that is not installed is named on standard error and skipped.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tokio::time::Instant;

use thongsuot::metrics::{Build, Figured, Format, Metrics, Settings, family};
use thongsuot::model::alerting::rules::Severity;
use thongsuot::model::id::CheckId;
use thongsuot::model::reason::Reason;
use thongsuot::model::span::Span;
use thongsuot::model::state::State;
use thongsuot::model::system::Roster;
use thongsuot::model::time::Millis;

use crate::sample::{result_of, roster_of, vantage};

/// Metrics of a roster in which every check has a usual life: good, slow and bad results.
fn used(roster: &Roster) -> Metrics {
    let build = Build { version: "0.1.0\\\"\n".to_owned(), revision: "bản thử".to_owned() };
    let metrics = Metrics::new(Settings::default(), &build).unwrap();
    metrics.set_roster(roster, &vantage());
    metrics.reload(true, Millis(1_764_000_000_123));
    metrics.commit(Duration::from_micros(3_217));
    metrics.queue_length("results", 12);
    metrics.runs_in_flight(3);
    metrics.period(Span::new(Millis(1_763_000_000_000), Millis(1_765_000_000_000)).unwrap());
    for (at, check) in roster.checks().enumerate() {
        let us = 1_234 + at as u32;
        for reason in [Reason::None, Reason::None, Reason::HttpStatus, Reason::OverSlow] {
            metrics.result(&result_of(&check.id, reason, us));
        }
        metrics.check_state(&check.id, State::Up);
        metrics.tls_not_after(&check.id, Millis(1_800_000_000_000));
    }
    for system in &roster.systems {
        let figures = Figured {
            availability: vec![("1h", 1.0), ("24h", 0.999_53)],
            coverage: vec![("1h", 1.0), ("24h", 0.987)],
            budget_remaining: Some(-0.25),
            burn_rate: vec![("5m", 0.0), ("1h", 14.4)],
        };
        metrics.figures(&system.id, figures);
        metrics.incident(&system.id, true, 1);
        metrics.system_since(&system.id, Millis(1_764_000_000_123));
    }
    let alerts = metrics.alerts();
    alerts.message("mail", "sent");
    alerts.attempt("mail", "accepted");
    alerts.delay("mail", Duration::from_millis(3));
    alerts.waiting("mail", 1);
    alerts.firing(Severity::Page, 1);
    alerts.on_call("noc", 1);
    alerts.alertmanager("am-1:9093", [("accepted", 1), ("refused", 0), ("failed", 0)], true);
    alerts.troubles("blind", 1);
    alerts.heartbeat("sent");
    metrics.result(&result_of(&CheckId::new("elsewhere").unwrap(), Reason::Overrun, 1));
    metrics.show_probes().unwrap();
    metrics.probes().answered("http_2xx", true);
    metrics
}

fn render(metrics: &Metrics, format: Format) -> Vec<u8> {
    let mut page = Vec::new();
    metrics.render(format, &mut page).unwrap();
    page
}

/// Runs a judge on `input`; `None`, said aloud, if it is not there.
fn judge(program: &str, arguments: &[&str], input: &[u8]) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        crate::skip::skip("a judge of /metrics", &format!("{program} is not installed"));
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    Some(output)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn promtool_finds_nothing_wrong_with_the_page() {
    let page = render(&used(&roster_of(3)), Format::Text);
    if let Some(output) = judge("promtool", &["check", "metrics"], &page) {
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{said}");
    }
}

/// Prints one line a sample as the parser understood it: name, labels in order, value.
const PARSER: &str = r#"
import sys
if sys.argv[1] == "openmetrics":
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
else:
    from prometheus_client.parser import text_string_to_metric_families as parse
for family in parse(sys.stdin.buffer.read().decode()):
    if not family.documentation:
        sys.exit("no help for " + family.name)
    for sample in family.samples:
        print(family.type, family.unit or "-", repr((sample.name, sorted(sample.labels.items()), sample.value)))
"#;

fn parse(format: Format, page: &[u8]) -> Option<String> {
    let probe = judge("python3", &["-c", "import prometheus_client"], b"")?;
    if !probe.status.success() {
        crate::skip::skip("a judge of /metrics", "no Python module prometheus_client");
        return None;
    }
    let name = if format == Format::Text { "text" } else { "openmetrics" };
    let output = judge("python3", &["-X", "utf8", "-c", PARSER, name], page)?;
    assert!(output.status.success(), "{name}: {}", text(&output.stderr));
    Some(text(&output.stdout))
}

#[test]
fn an_independent_parser_reads_both_formats_alike() {
    let metrics = used(&roster_of(3));
    let read = |format| parse(format, &render(&metrics, format));
    let (Some(plain), Some(open)) = (read(Format::Text), read(Format::OpenMetrics)) else {
        return;
    };
    for read in [&plain, &open] {
        let escaped =
            r#"('thongsuot_build_info', [('revision', 'bản thử'), ('version', '0.1.0\\"\n')], "#;
        assert!(read.contains(escaped), "{read}");
        let exact =
            "('thongsuot_config_last_reload_success_timestamp_seconds', [], 1764000000.123)";
        assert!(read.contains(exact), "{read}");
        assert!(read.contains("('thongsuot_history_commit_seconds_sum', [], 0.003217)"));
    }
    let samples = |read: &str| {
        let ours = read.lines().filter(|line| !line.contains("('process_"));
        let mut samples: Vec<_> =
            ours.map(|line| line.split_once('(').unwrap().1.to_owned()).collect();
        samples.sort();
        samples
    };
    assert_eq!(samples(&plain), samples(&open));
    assert!(open.contains("counter seconds ('thongsuot_phase_seconds_total'"), "{open}");
    assert!(open.contains("info - ('thongsuot_build_info'"));
    for family in family::ALL {
        assert!(open.contains(family.name), "{} has no sample", family.name);
    }
}

/// Every example in the documentation is a rule file away from being used.
#[test]
fn promtool_understands_every_example_in_the_documentation() {
    let docs = include_str!("../../docs/metrics.md");
    let mut rules = "groups:\n- name: examples\n  rules:\n".to_owned();
    for (at, block) in docs.split("```promql\n").skip(1).enumerate() {
        let (expression, _) = block.split_once("```").unwrap();
        let lines: String = expression.lines().fold(String::new(), |mut all, line| {
            writeln!(all, "      {line}").unwrap();
            all
        });
        write!(rules, "  - record: example:{at}\n    expr: |\n{lines}").unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.yml");
    std::fs::write(&path, &rules).unwrap();
    if let Some(output) = judge("promtool", &["check", "rules", path.to_str().unwrap()], b"") {
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success(), "{said}\n{rules}");
    }
}

/// Prints what a scrape of ten thousand checks costs. Target in a release build: 300 ms, 25 MB.
#[test]
fn ten_thousand_checks_fit_a_scrape() {
    let metrics = used(&roster_of(1_000));
    for format in [Format::Text, Format::OpenMetrics] {
        let begun = Instant::now();
        let page = render(&metrics, format);
        let took = begun.elapsed();
        eprintln!("{format:?}: 10,000 checks, {} bytes in {took:?}", page.len());
        assert!(page.len() <= 25_000_000, "{} bytes", page.len());
    }
}
