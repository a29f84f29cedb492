use std::fmt::Write as _;

use super::*;
use crate::config::parse_str;

/// A small configuration; `system` holds further keys of the one system.
fn written(systems: &[(&str, &str)]) -> Config {
    let mut text = "[monitor]\nvantage = \"hn-1\"\ncontact = \"a@example.gov.vn\"\n\n\
                    [[owner]]\nid = \"bca\"\nname = \"Bộ Công an\"\n"
        .to_owned();
    for (id, keys) in systems {
        let _ = write!(
            text,
            "\n[[system]]\nid = \"{id}\"\nowner = \"bca\"\nname = \"{id}\"\n{keys}\n\n\
             [[system.check]]\nid = \"{id}\"\nkind = \"http\"\nurl = \"https://{id}.example.gov.vn/\"\n"
        );
    }
    parse_str("targets.toml", &text).unwrap_or_else(|it| panic!("{it}"))
}

fn made(systems: &[(&str, &str)], language: Language) -> String {
    text(&written(systems), "thongsuot", language)
}

#[test]
fn systems_that_are_told_of_alike_share_rules_without_naming_them() {
    let text = made(&[("vneid", ""), ("dvc.qg", "")], Language::Vi);
    assert_eq!(text.matches("alert: ThongsuotServiceSlow").count(), 1);
    assert!(!text.contains("system=~") && !text.contains("system=\""), "{text}");
}

#[test]
fn what_a_system_asks_for_itself_has_rules_of_its_own() {
    let alert = "alert = { down = \"ticket\", slow = \"off\", runbook = \"gọi {{ ai }}\" }";
    let text = made(&[("vneid", ""), ("dvc.qg", alert), ("lltp", "")], Language::Vi);
    let own =
        "      max by (system) (thongsuot_system_state{state=\"down\",system=\"dvc.qg\"}) == 1";
    let rest = "state=\"down\",system=~\"vneid|lltp\"}";
    assert!(text.contains(own) || text.contains(own.trim()), "{text}");
    assert!(text.contains(rest), "{text}");
    assert_eq!(text.matches("alert: ThongsuotServiceSlow").count(), 1, "{text}");
    assert!(text.contains(r#"runbook: "gọi {{ \"{{\" }} ai }}""#), "{text}");
    let both = "alert = { slow = \"off\" }";
    let text = made(&[("a", ""), ("b.c", both), ("d", both)], Language::Vi);
    assert!(text.contains("system=~\"b\\\\.c|d\""), "{text}");
}

#[test]
fn burn_rates_are_those_of_the_measurement_page() {
    let text = made(&[("vneid", "objective = \"99.9%\"")], Language::Vi);
    for (long, short, factor) in
        [("1h", "5m", "14.4"), ("6h", "30m", "6.0"), ("1d", "2h", "3.0"), ("3d", "6h", "1.0")]
    {
        for window in [long, short] {
            let part = format!("(thongsuot_system_burn_rate{{window=\"{window}\"}}) > {factor}");
            assert!(text.contains(&part), "{part}\n{text}");
        }
    }
}

#[test]
fn the_english_file_has_the_same_rules_and_no_vietnamese() {
    let systems = [("vneid", "objective = \"99.9%\"")];
    let (vietnamese, english) = (made(&systems, Language::Vi), made(&systems, Language::En));
    let code = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|it| !it.trim_start().starts_with("summary:"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(code(&vietnamese), code(&english));
    let body = english.split_once("groups:").unwrap().1;
    assert!(body.is_ascii(), "{body}");
}

#[test]
fn a_job_is_named_as_in_the_scrape_configuration() {
    assert_eq!(job("k8s/giam-sat.1"), Ok("k8s/giam-sat.1".to_owned()));
    for bad in ["", "a\"b", "a b"] {
        assert!(job(bad).is_err(), "{bad}");
    }
    let text = text(&written(&[]), "monitors", Language::Vi);
    assert!(text.contains("up{job=\"monitors\"} == 0"));
    assert!(!text.contains("job=\"thongsuot\""));
}
