use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use url::Host;

use super::family::{self, Shape};
use super::*;
use crate::model::alerting::rules::Severity;
use crate::model::check::{Check, IpChoice, Lane};
use crate::model::id::OwnerId;
use crate::model::phases::Phases;
use crate::model::spec::{IcmpSpec, Spec};
use crate::model::system::{AlertTerms, Objective, Owner, System};
use crate::model::terms::Terms;

fn check_of(system: &str, id: &str) -> Check {
    Check {
        id: CheckId::new(id).unwrap(),
        system: SystemId::new(system).unwrap(),
        owner: OwnerId::new("bca").unwrap(),
        name: id.to_owned(),
        disabled: None,
        critical: true,
        interval_ms: 30_000,
        timeout: Micros(10_000_000),
        slow: None,
        confirm: 3,
        ip: IpChoice::Any,
        platform: None,
        spec: Spec::Icmp(IcmpSpec {
            host: Host::Domain("localhost".into()),
            payload_bytes: 8,
            ttl: None,
            dont_fragment: false,
        }),
    }
}

fn roster_of(checks: Vec<Check>) -> Roster {
    let mut systems: Vec<System> = Vec::new();
    for check in checks {
        if systems.last().is_none_or(|system| system.id != check.system) {
            systems.push(System {
                id: check.system.clone(),
                owner: check.owner.clone(),
                name: check.system.to_string(),
                objective: None,
                terms: Terms::default(),
                depends_on: Vec::new(),
                alert: AlertTerms::default(),
                checks: Vec::new(),
            });
        }
        systems.last_mut().unwrap().checks.push(Arc::new(check));
    }
    Roster { systems, ..Roster::default() }
}

fn result_of(check: &str, reason: Reason, phases: [u32; 6]) -> RunResult {
    RunResult {
        check: CheckId::new(check).unwrap(),
        lane: Lane::Any,
        vantage: vantage(),
        due: Millis(0),
        started: Millis(2),
        lateness: Micros(2_000),
        kind: RunKind::Grid,
        run: 0,
        reason,
        phases: Phases::from_array(phases.map(Micros)),
        status: None,
        bytes: 0,
        reused: false,
    }
}

fn vantage() -> VantageId {
    VantageId::new("hn-1").unwrap()
}

fn metrics_of(checks: Vec<Check>) -> Metrics {
    let build = Build { version: "0.1.0".into(), revision: "abc\"\\".into() };
    let metrics = Metrics::new(Settings::default(), &build).unwrap();
    metrics.set_roster(&roster_of(checks), &vantage());
    metrics
}

fn page(metrics: &Metrics, format: Format) -> String {
    let mut out = Vec::new();
    metrics.render(format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Samples that say `what`, without comments.
fn samples(page: &str, what: &str) -> Vec<String> {
    let plain = page.lines().filter(|line| !line.starts_with('#') && line.contains(what));
    plain.map(str::to_owned).collect()
}

#[test]
fn a_result_moves_its_series_and_is_printed_exactly() {
    let metrics = metrics_of(vec![check_of("vneid", "vneid-home")]);
    metrics.result(&result_of("vneid-home", Reason::None, [1_000, 100_000, 0, 1, 0, 0]));
    metrics.result(&result_of("vneid-home", Reason::HttpStatus, [0, 0, 0, 0, 2_000_000, 0]));
    metrics.result(&result_of("vneid-home", Reason::SelfDns, [9_000_000, 0, 0, 0, 0, 0]));
    metrics.check_state(&CheckId::new("vneid-home").unwrap(), State::Slow);
    metrics.system_state(&SystemId::new("vneid").unwrap(), State::Down);
    metrics.tls_not_after(&CheckId::new("vneid-home").unwrap(), Millis(1_800_000_000_000));
    let vneid = SystemId::new("vneid").unwrap();
    metrics.system_since(&vneid, Millis(1_764_000_000_123));
    metrics.maintenance(&vneid, true);
    metrics.incident(&vneid, true, 1);
    metrics.incident(&vneid, true, 1);
    let figures = Figured {
        availability: vec![("1h", 0.5), ("period", 0.99953)],
        coverage: vec![("1h", 1.0)],
        budget_remaining: Some(-0.25),
        burn_rate: vec![("5m", 14.4)],
    };
    metrics.figures(&vneid, figures);
    let page = page(&metrics, Format::Text);
    let expected = "\
thongsuot_results_total{owner=\"bca\",system=\"vneid\",check=\"vneid-home\",kind=\"icmp\",vantage=\"hn-1\",outcome=\"ok\",reason=\"none\"} 1
thongsuot_results_total{owner=\"bca\",system=\"vneid\",check=\"vneid-home\",kind=\"icmp\",vantage=\"hn-1\",outcome=\"error\",reason=\"http_status\"} 1
thongsuot_results_total{owner=\"bca\",system=\"vneid\",check=\"vneid-home\",kind=\"icmp\",vantage=\"hn-1\",outcome=\"void\",reason=\"self_dns\"} 1
thongsuot_result_duration_seconds_bucket{system=\"vneid\",check=\"vneid-home\",le=\"0.1\"} 0
thongsuot_result_duration_seconds_bucket{system=\"vneid\",check=\"vneid-home\",le=\"0.25\"} 1
thongsuot_result_duration_seconds_bucket{system=\"vneid\",check=\"vneid-home\",le=\"0.5\"} 1
thongsuot_result_duration_seconds_bucket{system=\"vneid\",check=\"vneid-home\",le=\"1.0\"} 1
thongsuot_result_duration_seconds_bucket{system=\"vneid\",check=\"vneid-home\",le=\"3.0\"} 2
thongsuot_result_duration_seconds_bucket{system=\"vneid\",check=\"vneid-home\",le=\"10.0\"} 2
thongsuot_result_duration_seconds_bucket{system=\"vneid\",check=\"vneid-home\",le=\"+Inf\"} 2
thongsuot_result_duration_seconds_sum{system=\"vneid\",check=\"vneid-home\"} 2.101001
thongsuot_result_duration_seconds_count{system=\"vneid\",check=\"vneid-home\"} 2
thongsuot_phase_seconds_total{check=\"vneid-home\",phase=\"dns\"} 0.001
thongsuot_phase_seconds_total{check=\"vneid-home\",phase=\"connect\"} 0.1
thongsuot_phase_seconds_total{check=\"vneid-home\",phase=\"send\"} 0.000001
thongsuot_phase_seconds_total{check=\"vneid-home\",phase=\"wait\"} 2
thongsuot_check_state{check=\"vneid-home\",state=\"up\"} 0
thongsuot_check_state{check=\"vneid-home\",state=\"slow\"} 1
thongsuot_check_state{check=\"vneid-home\",state=\"partial\"} 0
thongsuot_check_state{check=\"vneid-home\",state=\"down\"} 0
thongsuot_check_state{check=\"vneid-home\",state=\"unknown\"} 0
thongsuot_tls_not_after_timestamp_seconds{check=\"vneid-home\"} 1800000000
thongsuot_system_info{system=\"vneid\",owner=\"bca\",name=\"vneid\",owner_name=\"bca\"} 1
thongsuot_system_state{system=\"vneid\",state=\"up\"} 0
thongsuot_system_state{system=\"vneid\",state=\"slow\"} 0
thongsuot_system_state{system=\"vneid\",state=\"partial\"} 0
thongsuot_system_state{system=\"vneid\",state=\"down\"} 1
thongsuot_system_state{system=\"vneid\",state=\"unknown\"} 0
thongsuot_system_state_since_timestamp_seconds{system=\"vneid\"} 1764000000.123
thongsuot_maintenance_active{system=\"vneid\"} 1
thongsuot_incidents_total{system=\"vneid\"} 2
thongsuot_incident_open{system=\"vneid\"} 1
thongsuot_system_availability_ratio{system=\"vneid\",window=\"1h\"} 0.5
thongsuot_system_availability_ratio{system=\"vneid\",window=\"period\"} 0.99953
thongsuot_system_coverage_ratio{system=\"vneid\",window=\"1h\"} 1
thongsuot_system_budget_remaining_ratio{system=\"vneid\"} -0.25
thongsuot_system_burn_rate{system=\"vneid\",window=\"5m\"} 14.4";
    assert_eq!(samples(&page, "vneid").join("\n"), expected);
    assert!(page.contains("thongsuot_slots_void_total{reason=\"self_dns\"} 1\n"));
    assert!(page.contains("thongsuot_slot_lateness_seconds_sum 0.004\n"));
    assert!(page.contains("thongsuot_checks{state=\"enabled\"} 1\n"));
    assert!(page.contains("thongsuot_build_info{version=\"0.1.0\",revision=\"abc\\\"\\\\\"} 1\n"));
}

#[test]
fn a_value_on_a_bound_is_inside() {
    let metrics = metrics_of(vec![check_of("s", "c")]);
    metrics.result(&result_of("c", Reason::None, [100_000, 0, 0, 0, 0, 0]));
    metrics.result(&result_of("c", Reason::None, [100_001, 0, 0, 0, 0, 0]));
    metrics.result(&result_of("c", Reason::None, [10_000_001, 0, 0, 0, 0, 0]));
    let page = page(&metrics, Format::Text);
    for (le, count) in [("0.1", 1), ("0.25", 2), ("10.0", 2), ("+Inf", 3)] {
        let line = format!(
            "thongsuot_result_duration_seconds_bucket{{system=\"s\",check=\"c\",le=\"{le}\"}} {count}\n"
        );
        assert!(page.contains(&line), "{line}");
    }
}

#[test]
fn a_reload_keeps_counters_of_kept_checks_and_drops_the_others() {
    let metrics =
        metrics_of(vec![check_of("s", "kept"), check_of("s", "gone"), check_of("s", "moved")]);
    for check in ["kept", "gone", "moved", "moved"] {
        metrics.result(&result_of(check, Reason::None, [1; 6]));
    }
    let before = metrics.page(Format::Text);
    let stopped = Check { disabled: Some("maintenance".into()), ..check_of("s", "stopped") };
    let checks =
        vec![check_of("s", "kept"), stopped, check_of("other", "moved"), check_of("s", "new")];
    metrics.set_roster(&roster_of(checks), &vantage());
    metrics.result(&result_of("kept", Reason::None, [1; 6]));
    metrics.result(&result_of("gone", Reason::None, [1; 6]));

    let page = page(&metrics, Format::Text);
    let counts = |check: &str| {
        let line = samples(&page, &format!("_seconds_count{{system=\"s\",check=\"{check}\"}}"));
        line.first().map(|line| line.rsplit(' ').next().unwrap().to_owned())
    };
    assert_eq!(counts("kept").as_deref(), Some("2"));
    assert_eq!(counts("new").as_deref(), Some("0"));
    assert_eq!(counts("gone"), None);
    assert_eq!(counts("moved"), None, "under its new system only");
    assert!(page.contains("_seconds_count{system=\"other\",check=\"moved\"} 0\n"));
    assert!(page.contains("thongsuot_checks{state=\"disabled\"} 1\n"));
    assert!(!page.contains("stopped"));

    let (mut old, mut whole) = (before, Vec::new());
    while old.fill(&mut whole) {}
    let whole = String::from_utf8(whole).unwrap();
    assert!(whole.contains("check=\"gone\""), "a page under way keeps the roster it began with");
}

#[test]
fn a_system_without_an_enabled_critical_check_has_no_state() {
    let beside = Check { critical: false, ..check_of("beside", "b") };
    let stopped = Check { disabled: Some("x".into()), ..check_of("stopped", "c") };
    let metrics = metrics_of(vec![check_of("judged", "a"), beside, stopped]);
    let page = page(&metrics, Format::Text);
    let systems: BTreeSet<_> = samples(&page, "thongsuot_system_state{")
        .iter()
        .map(|line| line.split('"').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(systems, BTreeSet::from(["judged".to_owned()]));
}

#[test]
fn what_the_roster_says_of_systems_is_told_of_those_without_a_state_too() {
    let stopped = Check { disabled: Some("x".into()), ..check_of("lltp", "c") };
    let mut roster = roster_of(vec![check_of("dvcqg", "a"), stopped]);
    roster.owners =
        vec![Owner { id: OwnerId::new("bca").unwrap(), name: "Bộ \"Công an\"".into() }];
    roster.systems[0].objective = Objective::parse("99.95%");
    roster.systems[0].depends_on = vec![SystemId::new("lltp").unwrap()];
    let metrics = metrics_of(Vec::new());
    metrics.set_roster(&roster, &vantage());
    let page = page(&metrics, Format::OpenMetrics);
    let expected = "\
thongsuot_system_info{system=\"dvcqg\",owner=\"bca\",name=\"dvcqg\",owner_name=\"Bộ \\\"Công an\\\"\"} 1
thongsuot_system_info{system=\"lltp\",owner=\"bca\",name=\"lltp\",owner_name=\"Bộ \\\"Công an\\\"\"} 1
thongsuot_system_objective_ratio{system=\"dvcqg\"} 0.9995
thongsuot_system_dependency_info{system=\"dvcqg\",on=\"lltp\"} 1";
    let told = ["thongsuot_system_info{", "_objective_ratio{", "_dependency_info{"];
    let lines: Vec<_> = told.iter().flat_map(|it| samples(&page, it)).collect();
    assert_eq!(lines.join("\n"), expected);
    roster.systems[0].name = "Cổng DVCQG".into();
    metrics.set_roster(&roster, &vantage());
    let page = self::page(&metrics, Format::Text);
    assert!(page.contains("name=\"Cổng DVCQG\""), "a reload changes what is told");
}

#[test]
fn whose_line_a_vantage_has_is_told_over_reloads() {
    let build = Build { version: String::new(), revision: String::new() };
    for (carrier, label) in [(Some("VNPT".to_owned()), "VNPT"), (None, "")] {
        let metrics = Metrics::new(Settings::default().with_carrier(carrier), &build).unwrap();
        for check in ["a", "b"] {
            metrics.set_roster(&roster_of(vec![check_of("s", check)]), &vantage());
            let page = page(&metrics, Format::Text);
            let told =
                format!("thongsuot_vantage_info{{vantage=\"hn-1\",carrier=\"{label}\"}} 1\n");
            assert!(page.contains(&told), "{page}");
        }
    }
}

#[test]
fn a_check_never_has_more_series_than_the_limit() {
    let build = Build { version: String::new(), revision: String::new() };
    let most = Settings::new((1..=10).map(|s| Micros(s * 1_000_000)).collect()).unwrap();
    let metrics = Metrics::new(most, &build).unwrap();
    metrics.set_roster(&roster_of(vec![check_of("s", "c")]), &vantage());
    for order in 0..2 {
        let mut reasons = Reason::ALL.to_vec();
        if order == 0 {
            reasons.reverse();
        }
        for reason in reasons {
            metrics.result(&result_of("c", reason, [1; 6]));
        }
    }
    metrics.tls_not_after(&CheckId::new("c").unwrap(), Millis(1));
    let page = page(&metrics, Format::Text);
    assert_eq!(samples(&page, "check=\"c\"").len(), SERIES_PER_CHECK_MAX);
    let results = samples(&page, "thongsuot_results_total");
    let sum: usize =
        results.iter().map(|it| it.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum();
    assert_eq!(sum, 2 * Reason::ALL.len(), "nothing is lost in `other`");
}

#[test]
fn a_family_is_one_block_in_either_format_and_all_have_heads() {
    let metrics = metrics_of(vec![check_of("s", "a"), check_of("t", "b")]);
    metrics.result(&result_of("a", Reason::None, [1; 6]));
    metrics.result(&result_of("b", Reason::Fd, [1; 6]));
    metrics.reload(true, Millis(1_500));
    metrics.reload(false, Millis(2_500));
    metrics.queue_length("results", 3);
    metrics.commit(Duration::from_millis(3));
    let alerts = metrics.alerts();
    alerts.message("mail", "sent");
    alerts.attempt("mail", "accepted");
    alerts.delay("mail", Duration::from_millis(3));
    alerts.waiting("mail", 1);
    alerts.firing(Severity::Page, 1);
    alerts.on_call("noc", 1);
    alerts.alertmanager("am-1:9093", [("accepted", 1), ("refused", 0), ("failed", 0)], true);
    alerts.troubles("blind", 0);
    alerts.heartbeat("sent");
    metrics.period(Span::new(Millis(1_000), Millis(2_500)).unwrap());
    metrics.show_probes().unwrap();
    metrics.probes().answered("http_2xx", true);
    for format in [Format::Text, Format::OpenMetrics] {
        let page = page(&metrics, format);
        let heads: Vec<_> = page.lines().filter_map(|it| it.strip_prefix("# TYPE ")).collect();
        let names: BTreeMap<_, _> = heads.iter().filter_map(|it| it.split_once(' ')).collect();
        assert_eq!(names.len(), heads.len(), "no head twice");
        for family in family::ALL {
            let name = if format == Format::Text { family.name } else { family.stem() };
            let shape = names.get(name).unwrap_or_else(|| panic!("no {name}"));
            assert_eq!(*shape == "histogram", family.shape == Shape::Histogram, "{name}");
        }
        assert_eq!(names.len(), family::ALL.len());
        assert_eq!(page.ends_with("# EOF\n"), format == Format::OpenMetrics);
        assert!(page.contains("thongsuot_config_last_reload_success_timestamp_seconds 1.5\n"));
        assert!(page.contains("thongsuot_config_last_reload_successful 0\n"));
        assert_eq!(page.contains("# UNIT "), format == Format::OpenMetrics);
        contiguous(&page);
    }
}

/// Every sample belongs to the head above it.
fn contiguous(page: &str) {
    let mut head = "";
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            head = rest.split(' ').next().unwrap();
        } else if !line.starts_with('#') {
            assert!(line.starts_with(head), "{line} under {head}");
        }
    }
}

#[test]
fn a_piece_is_small_however_long_the_page() {
    let metrics = metrics_of((0..2_000).map(|at| check_of("s", &format!("c{at}"))).collect());
    let (mut page, mut pieces, mut piece) = (metrics.page(Format::OpenMetrics), 0, Vec::new());
    while page.fill(&mut piece) {
        assert!(piece.len() < page::PIECE_BYTES * 2, "{}", piece.len());
        pieces += 1;
        piece.clear();
    }
    assert!(pieces > 10, "{pieces}");
}

#[test]
fn bounds_must_rise() {
    for bad in [vec![], vec![0, 1], vec![2, 2], vec![3, 1], (1..=11).collect()] {
        assert!(Settings::new(bad.iter().copied().map(Micros).collect()).is_err(), "{bad:?}");
    }
}

/// `docs/metrics.md` has a heading for each family, and says its shape and labels below it.
#[test]
fn every_family_is_described_and_every_description_has_a_family() {
    let docs = include_str!("../../docs/metrics.md");
    let sections: BTreeMap<_, _> =
        docs.split("\n### `").skip(1).map(|section| section.split_once('`').unwrap()).collect();
    let described: BTreeSet<_> = sections.keys().copied().collect();
    let known: BTreeSet<_> = family::ALL.iter().map(|family| family.name).collect();
    assert_eq!(described, known);
    for family in family::ALL {
        let shape = format!("{:?}", family.shape).to_lowercase();
        let labels: Vec<_> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        let labels = if labels.is_empty() { "none".to_owned() } else { labels.join(", ") };
        let line =
            format!("- {shape}; labels: {labels}; unit: {}\n", family.unit().unwrap_or("none"));
        assert!(sections[family.name].contains(&line), "{} wants `{}`", family.name, line.trim());
        assert!(sections[family.name].contains("- moves: "), "{}", family.name);
        assert!(sections[family.name].contains("```promql\n"), "{}", family.name);
    }
}

#[test]
fn pages_made_while_results_are_counted_are_whole() {
    let metrics = metrics_of((0..50).map(|at| check_of("s", &format!("c{at}"))).collect());
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for round in 0..200 {
                for at in 0..50 {
                    let us = 70_000 * (round % 9);
                    metrics.result(&result_of(&format!("c{at}"), Reason::None, [us; 6]));
                }
            }
        });
        for _ in 0..20 {
            let page = page(&metrics, Format::OpenMetrics);
            contiguous(&page);
            let count = |what: &str| {
                let line = samples(&page, what);
                line[0].rsplit(' ').next().unwrap().parse::<u64>().unwrap()
            };
            for at in 0..50 {
                let labels = format!("system=\"s\",check=\"c{at}\"");
                let name = "thongsuot_result_duration_seconds";
                let all = count(&format!("{name}_count{{{labels}}}"));
                assert_eq!(count(&format!("{name}_bucket{{{labels},le=\"+Inf\"}}")), all);
            }
        }
    });
    let last = page(&metrics, Format::Text);
    assert!(last.contains("_seconds_count{system=\"s\",check=\"c49\"} 200\n"), "nothing is lost");
}
