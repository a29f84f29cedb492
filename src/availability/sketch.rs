//! A picture language for tests: one character a result.
//!
//! `o` ok, `s` slow, `x` error, `h` hang, `v` void, `k` blocked, `B` backoff, `.` nothing.

use proptest::prelude::*;

use crate::model::check::{Check, IpChoice, Lane};
use crate::model::id::{CheckId, OwnerId, SystemId, VantageId};
use crate::model::phases::Phases;
use crate::model::reason::Reason;
use crate::model::result::{RunKind, RunResult};
use crate::model::secret::Secret;
use crate::model::spec::{HeartbeatSpec, Spec};
use crate::model::time::{Micros, Millis};

/// One result of a sketched check: instant of its start, what it shows, how long it took.
pub(crate) fn result(at_ms: i64, shows: char, length_ms: u32) -> Option<RunResult> {
    let reason = match shows {
        'o' => Reason::None,
        's' => Reason::OverSlow,
        'x' => Reason::HttpStatus,
        'h' => Reason::TimeoutWait,
        'v' => Reason::SelfNet,
        'k' => Reason::WafBlock,
        'B' => Reason::Backoff,
        _ => return None,
    };
    let mut lengths = [Micros(0); 6];
    lengths[4] = Micros(length_ms * 1_000);
    Some(RunResult {
        check: CheckId::new("c").unwrap(),
        lane: Lane::Any,
        vantage: VantageId::new("v").unwrap(),
        due: Millis(at_ms),
        started: Millis(at_ms),
        lateness: Micros(0),
        kind: RunKind::Grid,
        run: 0,
        reason,
        phases: Phases::from_array(lengths),
        status: None,
        bytes: 0,
        reused: false,
    })
}

/// One result every `step_ms` from 0; a run takes 100 ms, a hang 10 s.
pub(crate) fn results(sketch: &str, step_ms: i64) -> Vec<RunResult> {
    let one = |(index, shows)| {
        let length_ms = if shows == 'h' { 10_000 } else { 100 };
        result(i64::try_from(index).unwrap() * step_ms, shows, length_ms)
    };
    sketch.chars().enumerate().filter_map(one).collect()
}

/// A check for tests: nothing of it matters but the interval, `K` and the lanes.
pub(crate) fn check(interval_ms: i64, confirm: u8, ip: IpChoice) -> Check {
    Check {
        id: CheckId::new("c").unwrap(),
        system: SystemId::new("s").unwrap(),
        owner: OwnerId::new("o").unwrap(),
        name: String::new(),
        disabled: None,
        critical: true,
        interval_ms,
        timeout: Micros(10_000_000),
        slow: None,
        confirm,
        ip,
        platform: None,
        spec: Spec::Heartbeat(HeartbeatSpec {
            token: Secret::new(String::new()),
            age_max: std::time::Duration::from_micros(1),
        }),
    }
}

/// One run of a generated history: milliseconds since the run before, what it shows, its length
/// in milliseconds.
pub(crate) type Run = (i64, char, u32);

/// The results of a generated history, in the order in which they arrived: by their ends.
pub(crate) fn arrived(runs: &[Run]) -> Vec<RunResult> {
    let mut at = 0;
    let mut all = Vec::new();
    for (gap, shows, length) in runs {
        at += gap;
        all.extend(result(at, *shows, *length));
    }
    all.sort_by_key(RunResult::ended);
    all
}

/// Any history: calm, broken and flapping stretches, gaps of 0 ms to hours, and runs that are
/// overtaken by one or two later ones.
pub(crate) fn histories(stretches: usize) -> impl Strategy<Value = Vec<Run>> {
    let calm = prop_oneof![20 => Just('o'), 2 => Just('s'), 1 => Just('v'), 1 => Just('x')];
    let broken = prop_oneof![
        10 => Just('x'), 4 => Just('h'), 1 => Just('o'), 1 => Just('k'), 1 => Just('v'), 2 => Just('B')
    ];
    let mixed = prop::sample::select(vec!['o', 's', 'x', 'x', 'h', 'v', 'B']);
    let gap = || {
        prop_oneof![
            2 => Just(1_i64), 1 => Just(0_i64), 20 => 4_000..12_000_i64, 60 => 28_000..31_000_i64,
            4 => 31_000..100_000_i64, 1 => 100_000..10_000_000_i64
        ]
    };
    let length = || prop_oneof![6 => 0..400_u32, 1 => 9_000..10_001_u32];
    let stretch = prop_oneof![
        prop::collection::vec((gap(), calm, length()), 1..20),
        prop::collection::vec((gap(), broken, length()), 1..16),
        prop::collection::vec((gap(), mixed, length()), 1..12),
    ];
    prop::collection::vec(stretch, 0..stretches).prop_map(|it| it.concat())
}

/// A history from several vantages: outages that all see, and what each sees alone.
pub(crate) fn fleets(vantages: usize) -> impl Strategy<Value = Vec<Vec<Run>>> {
    let outage = (0..3_000_000_i64, 1_000..400_000_i64);
    let outages = prop::collection::vec(outage, 0..4);
    let own = prop_oneof![
        6 => (1..80_usize).prop_map(|it| "o".repeat(it)),
        1 => (1..8_usize).prop_map(|it| "x".repeat(it)),
        1 => (1..8_usize).prop_map(|it| "v".repeat(it)),
        1 => "[osxhvB.]{1,8}",
    ];
    let sketch = prop::collection::vec(own, 1..6).prop_map(|it| it.concat());
    let one = (sketch, 26_000..31_000_i64, 0..30_000_i64, 0..10_000_u32);
    (outages, prop::collection::vec(one, vantages)).prop_map(|(outages, all)| {
        let see = |(sketch, step, phase, length): (String, i64, i64, u32)| {
            let mut runs: Vec<Run> = Vec::new();
            let (mut at, mut last) = (phase, 0);
            for shows in sketch.chars() {
                let down = outages.iter().any(|(from, long)| (*from..from + long).contains(&at));
                let shows = if down && shows != 'v' { 'x' } else { shows };
                runs.push((at - last, shows, length));
                last = at;
                at += if shows == 'x' { 5_000 + i64::from(length) } else { step };
            }
            runs
        };
        all.into_iter().map(see).collect()
    })
}

/// The results of a fleet: those of the first vantage are from `v0`, and so on.
pub(crate) fn fleet_results(fleet: &[Vec<Run>]) -> Vec<RunResult> {
    let named = |(place, runs): (usize, &Vec<Run>)| {
        let vantage = vantage(place);
        arrived(runs).into_iter().map(move |it| RunResult { vantage: vantage.clone(), ..it })
    };
    fleet.iter().enumerate().flat_map(named).collect()
}

/// `v0`, `v1` and so on.
pub(crate) fn vantage(place: usize) -> VantageId {
    VantageId::new(&format!("v{place}")).unwrap()
}
