//! A past written into a history before the daemon starts on it: what was promised and measured.

use serde_json::json;
use thongsuot::config::parse_str;
use thongsuot::history::{Event, Record};
use thongsuot::model::check::Lane;
use thongsuot::model::id::{CheckId, VantageId};
use thongsuot::model::phases::Phases;
use thongsuot::model::reason::Reason;
use thongsuot::model::result::{RunKind, RunResult};
use thongsuot::model::time::{Micros, Millis};
use thongsuot::report::contract::Contract;

/// What a configuration promises from `at` on, as the journal has it.
pub(crate) fn promise(at: i64, written: &str) -> Record {
    let config = parse_str("targets.toml", written).unwrap_or_else(|it| panic!("{it}"));
    let vantages = [config.monitor.vantage.clone()];
    let contract = Contract::of(&config.roster, &config.monitor.timezone_name, &vantages);
    let body = json!({ "config": config.fingerprint, "contract": contract.to_json() });
    Record::Event(Event { at: Millis(at), kind: "config.loaded".to_owned(), body })
}

/// A result of the schedule from the vantage `hn-1`, due and started at `at`.
pub(crate) fn result(check: &str, at: i64, bad: bool) -> Record {
    let at = Millis(at);
    Record::Result(RunResult {
        check: CheckId::new(check).unwrap(),
        lane: Lane::Any,
        vantage: VantageId::new("hn-1").unwrap(),
        due: at,
        started: at,
        lateness: Micros(0),
        kind: RunKind::Grid,
        run: 0,
        reason: if bad { Reason::HttpStatus } else { Reason::None },
        phases: Phases::from_array([0, 0, 0, 0, 50_000, 0].map(Micros)),
        status: Some(if bad { 500 } else { 200 }),
        bytes: 0,
        reused: false,
    })
}
