//! What is written is read back, and nothing else is taken for it.

use jiff::civil::date;

use super::*;

fn week() -> Week {
    let day = vec![(450, 690), (780, 1_440)];
    let mut week: Week = std::array::from_fn(|_| day.clone());
    week[6].clear();
    week
}

fn contract() -> Contract {
    let lanes = vec![Lane::V4, Lane::V6];
    let check = Tested {
        id: CheckId::new("vneid-home").unwrap(),
        name: "Trang chủ".to_owned(),
        interval_ms: 30_000,
        confirm: 3,
        critical: true,
        lanes,
        enabled: true,
        platform: Some("g-cloud".to_owned()),
    };
    let promise = Promise {
        id: SystemId::new("vneid").unwrap(),
        owner: OwnerId::new("bca").unwrap(),
        name: "Định danh và xác thực điện tử".to_owned(),
        objective: Objective::parse("99,95%"),
        hours: Some(week()),
        maintenance: vec![week()],
        monthly: vec![Monthly { day: 15, from_min: 1_320, to_min: 0 }],
        notice_ms: Some(172_800_000),
        coverage_ppm: Some(950_000),
        checks: vec![check.clone(), Tested { platform: None, enabled: false, ..check }],
    };
    let other = Promise {
        objective: None,
        hours: None,
        maintenance: vec![],
        monthly: vec![],
        notice_ms: None,
        coverage_ppm: None,
        ..promise.clone()
    };
    let holidays = [
        (date(2026, 9, 2), DayKind::Off),
        (date(2026, 9, 5), DayKind::WorkedLike(Weekday::Wednesday)),
    ];
    Contract {
        zone: "Asia/Ho_Chi_Minh".to_owned(),
        vantages: vec![VantageId::new("hn-1").unwrap()],
        notice_ms: 86_400_000,
        coverage_ppm: 990_000,
        holidays: holidays.into(),
        owners: vec![Party { id: OwnerId::new("bca").unwrap(), name: "Bộ Công an".to_owned() }],
        systems: vec![promise.into(), other.into()],
    }
}

#[test]
fn a_contract_is_read_back_as_written() {
    let contract = contract();
    let text = contract.to_json().to_string();
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(Contract::from_json(&value), Ok(contract));
}

#[test]
fn keys_are_sorted_at_every_depth() {
    fn sorted(value: &Value) -> bool {
        match value {
            Value::Object(map) => map.keys().is_sorted() && map.values().all(sorted),
            Value::Array(list) => list.iter().all(sorted),
            other => !other.is_f64(),
        }
    }
    assert!(sorted(&contract().to_json()));
}

/// Changes one thing; what is said of it.
#[track_caller]
fn check(change: impl Fn(&mut Value), expected: &str) {
    let mut value = contract().to_json();
    change(&mut value);
    assert_eq!(Contract::from_json(&value).unwrap_err().to_string(), expected);
}

#[test]
fn what_is_not_a_contract_is_refused_with_its_place() {
    check(|it| *it = json!(1), "contract: not an object");
    check(|it| it["version"] = json!(2), "contract.version: 2, this program reads version 1");
    check(|it| it["more"] = json!(2), "contract.more: this version does not know it");
    check(
        |it| it["notice_ms"] = json!(-1),
        "contract.notice_ms: -1 is not from 0 to 9223372036854775807",
    );
    check(|it| it["notice_ms"] = json!(1.5), "contract.notice_ms: not a whole number");
    check(
        |it| drop(it["systems"][0].as_object_mut().unwrap().remove("owner")),
        "contract.systems.0.owner: missing",
    );
    check(
        |it| it["systems"][1]["objective_ppm"] = json!(0),
        "contract.systems.1.objective_ppm: not from 1 to 1000000",
    );
    check(
        |it| it["systems"][0]["checks"][0]["lanes"][1] = json!("v5"),
        "contract.systems.0.checks.0.lanes.1: not one of any, v4, v6",
    );
    check(
        |it| it["holidays"][0]["as_on"] = json!("day"),
        "contract.holidays.0.as_on: neither off nor a weekday",
    );
    let hours =
        "contract.systems.0.hours: not seven lists of [from, to) in minutes of a day, Monday first";
    check(|it| it["systems"][0]["hours"] = json!([[]]), hours);
    check(|it| it["systems"][0]["hours"][0][0] = json!([60, 60]), hours);
    check(|it| it["systems"][0]["hours"][0][0] = json!([60, 1441]), hours);
}
