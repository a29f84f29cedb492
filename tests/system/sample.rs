//! A roster and results to test with.

use std::sync::Arc;

use thongsuot::model::check::{Check, IpChoice, Lane};
use thongsuot::model::id::{CheckId, OwnerId, SystemId, VantageId};
use thongsuot::model::phases::Phases;
use thongsuot::model::reason::Reason;
use thongsuot::model::result::{RunKind, RunResult};
use thongsuot::model::secret::Secret;
use thongsuot::model::spec::{HeartbeatSpec, Spec};
use thongsuot::model::system::{AlertTerms, Objective, Roster, System};
use thongsuot::model::terms::Terms;
use thongsuot::model::time::{Micros, Millis};

pub(crate) fn vantage() -> VantageId {
    VantageId::new("hn-1").unwrap()
}

pub(crate) fn check_of(system: &SystemId, at: usize) -> Check {
    Check {
        id: CheckId::new(&format!("{system}-check-{at}")).unwrap(),
        system: system.clone(),
        owner: OwnerId::new("bo-cong-an").unwrap(),
        name: "Trang chủ".to_owned(),
        disabled: None,
        critical: true,
        interval_ms: 30_000,
        timeout: Micros(10_000_000),
        slow: None,
        confirm: 3,
        ip: IpChoice::Any,
        platform: None,
        spec: Spec::Heartbeat(HeartbeatSpec {
            token: Secret::new("token".to_owned()),
            age_max: std::time::Duration::from_mins(1),
        }),
    }
}

/// `systems` systems of ten checks.
pub(crate) fn roster_of(systems: usize) -> Roster {
    let system = |at: usize| {
        let id = SystemId::new(&format!("system-{at:04}")).unwrap();
        System {
            checks: (0..10).map(|check| Arc::new(check_of(&id, check))).collect(),
            owner: OwnerId::new("bo-cong-an").unwrap(),
            name: id.to_string(),
            objective: Objective::parse("99.9%"),
            terms: Terms::default(),
            depends_on: vec![SystemId::new("system-0000").unwrap()],
            alert: AlertTerms::default(),
            id,
        }
    };
    Roster { systems: (0..systems).map(system).collect(), ..Roster::default() }
}

pub(crate) fn result_of(check: &CheckId, reason: Reason, us: u32) -> RunResult {
    RunResult {
        check: check.clone(),
        lane: Lane::Any,
        vantage: vantage(),
        due: Millis(0),
        started: Millis(2),
        lateness: Micros(2_000),
        kind: RunKind::Grid,
        run: 0,
        reason,
        phases: Phases::from_array([us, us * 2, us * 3, 40, us * 9, us].map(Micros)),
        status: None,
        bytes: 0,
        reused: false,
    }
}
