//! The schedule under clocks that the tests move by hand.

use std::collections::{BTreeMap, HashSet};

use crate::model::check::IpChoice;
use crate::model::id::{OwnerId, SystemId};
use crate::model::secret::Secret;
use crate::model::spec::{HeartbeatSpec, IcmpSpec, Spec};
use crate::model::step::Step;

use super::*;

const SECOND: i64 = 1_000_000;
const START: i64 = 1_790_000_000 * SECOND;

fn check(id: &str, interval_s: i64, ip: IpChoice) -> (Arc<Check>, Grid) {
    let check = Check {
        id: CheckId::new(id).unwrap(),
        system: SystemId::new("s").unwrap(),
        owner: OwnerId::new("o").unwrap(),
        name: id.to_owned(),
        disabled: None,
        critical: true,
        interval_ms: interval_s * 1_000,
        timeout: Micros(1_000_000),
        slow: None,
        confirm: 3,
        ip,
        platform: None,
        spec: Spec::Icmp(IcmpSpec {
            host: url::Host::Domain("h".into()),
            payload_bytes: 8,
            ttl: None,
            dont_fragment: false,
        }),
    };
    let grid = Grid::new(Step::of(&check.id, check.interval_ms), 0, 1);
    (Arc::new(check), grid)
}

/// Clocks that move together unless told otherwise.
struct World {
    core: Core,
    now: Reading,
    acts: Vec<Act>,
}

impl World {
    fn new(checks: &[(Arc<Check>, Grid)]) -> Self {
        let now = Reading { wall_us: START, mono_us: 0, boot_us: 0 };
        let mut core = Core::new(Gate::new(0), now);
        core.replace(checks, now.wall_us);
        Self { core, now, acts: Vec::new() }
    }

    /// Looks at the clocks whenever the schedule wants to, for `us`.
    fn pass(&mut self, us: i64) {
        let end = self.now.wall_us + us;
        while self.now.wall_us < end {
            let wake = self.core.wake_us(self.now.wall_us).clamp(self.now.wall_us + 1, end);
            self.jump(wake - self.now.wall_us, true, true);
        }
    }

    /// Moves the wall by `us`, and the other clocks too where asked; then looks once.
    fn jump(&mut self, us: i64, mono: bool, boot: bool) {
        self.now.wall_us += us;
        self.now.mono_us += if mono { us } else { 0 };
        self.now.boot_us += if boot { us } else { 0 };
        self.core.step(self.now, &mut self.acts);
    }

    fn done_all(&mut self, from: usize) {
        let started: Vec<Job> = self.acts[from..]
            .iter()
            .filter_map(|act| if let Act::Start(job) = act { Some(job.clone()) } else { None })
            .collect();
        for job in started {
            self.core.done(&job.check.id, job.lane, None);
        }
    }

    fn count(&self, wanted: impl Fn(&Act) -> bool) -> usize {
        self.acts.iter().filter(|act| wanted(act)).count()
    }
}

fn is_start(act: &Act) -> bool {
    matches!(act, Act::Start(_))
}

#[test]
fn every_slot_starts_on_time_and_lanes_run_together() {
    let (check, grid) = check("a", 30, IpChoice::Both);
    let mut world = World::new(&[(check, grid)]);
    for _ in 0..600 {
        let from = world.acts.len();
        world.pass(SECOND);
        world.done_all(from);
    }
    let first = grid.first_from(START);
    let slots = grid.first_from(START + 600 * SECOND) - first;
    assert_eq!(world.acts.len() as i64, 2 * slots);
    for act in &world.acts {
        let Act::Start(job) = act else { panic!("{act:?}") };
        assert_eq!(job.kind, RunKind::Grid);
        assert_eq!(job.due.0, job.planned_us / 1_000);
    }
}

#[test]
fn a_hung_run_delays_nothing_and_a_third_one_is_void() {
    let (check, grid) = check("a", 10, IpChoice::Any);
    let mut world = World::new(&[(check, grid)]);
    world.pass(100 * SECOND);
    assert_eq!(world.count(is_start), 2, "two in flight");
    let overrun = |act: &Act| matches!(act, Act::Void(_, Reason::Overrun));
    let slots = grid.first_from(START + 100 * SECOND) - grid.first_from(START);
    assert_eq!(world.count(overrun) as i64, slots - 2);
}

#[test]
fn a_follow_up_runs_once_and_is_replaced_by_a_newer_one() {
    let (check, grid) = check("a", 30, IpChoice::Any);
    let mut world = World::new(&[(Arc::clone(&check), grid)]);
    world.pass(31 * SECOND);
    let job =
        world.acts.iter().find_map(|a| if let Act::Start(j) = a { Some(j.clone()) } else { None });
    let due = job.unwrap().due;
    let follow = |after: i64, world: &World| Follow {
        at_us: world.now.wall_us + after * SECOND,
        due,
        kind: RunKind::Confirm,
    };
    let first = follow(5, &world);
    world.core.done(&check.id, Lane::Any, Some(first));
    let second = follow(6, &world);
    world.core.done(&check.id, Lane::Any, Some(second));
    world.pass(8 * SECOND);
    let confirm = |act: &Act| {
        matches!(act, Act::Start(job) if job.kind == RunKind::Confirm
        && job.planned_us == second.at_us)
    };
    assert_eq!(world.count(confirm), 1);
    assert_eq!(world.count(is_start), 2, "the slot and one follow-up");
}

#[test]
fn a_stop_of_the_process_is_one_absence_and_no_burst() {
    let (check, grid) = check("a", 10, IpChoice::Any);
    let mut world = World::new(&[(check, grid)]);
    world.pass(5 * SECOND);
    world.acts.clear();
    world.jump(600 * SECOND, true, true);
    assert_eq!(world.acts.len(), 1, "{:?}", world.acts);
    let Act::Absent(gap, Reason::Suspend) = &world.acts[0] else { panic!("{:?}", world.acts) };
    assert!(gap.length_ms() >= 600_000);
    world.pass(20 * SECOND);
    assert_eq!(world.count(is_start), 2);
}

#[test]
fn a_sleep_of_the_machine_is_an_absence_though_the_monotonic_clock_stood_still() {
    let (check, grid) = check("a", 10, IpChoice::Any);
    let mut world = World::new(&[(check, grid)]);
    world.pass(5 * SECOND);
    world.acts.clear();
    world.jump(600 * SECOND, false, true);
    assert!(matches!(world.acts[..], [Act::Absent(_, Reason::Suspend)]), "{:?}", world.acts);
}

#[test]
fn a_step_forward_is_told_from_a_sleep_and_its_time_is_void() {
    let (check, grid) = check("a", 10, IpChoice::Any);
    let mut world = World::new(&[(check, grid)]);
    world.pass(5 * SECOND);
    world.acts.clear();
    world.jump(3_600 * SECOND, false, false);
    let [Act::ClockStepped { by_ms, .. }, Act::Absent(gap, Reason::ClockStep)] = &world.acts[..]
    else {
        panic!("{:?}", world.acts)
    };
    assert_eq!(*by_ms, 3_600_000);
    assert_eq!(gap.length_ms(), 3_600_000);
}

#[test]
fn a_step_back_runs_the_repeated_slots_under_new_numbers() {
    let (check, grid) = check("a", 10, IpChoice::Any);
    let mut world = World::new(&[(check, grid)]);
    for _ in 0..100 {
        let from = world.acts.len();
        world.pass(SECOND);
        world.done_all(from);
    }
    world.jump(-60 * SECOND, false, false);
    for _ in 0..100 {
        let from = world.acts.len();
        world.pass(SECOND);
        world.done_all(from);
    }
    let mut seen = HashSet::new();
    let mut laps = BTreeMap::new();
    for act in &world.acts {
        if let Act::Start(job) = act {
            assert!(seen.insert((job.due, job.run)), "{job:?} twice");
            *laps.entry(job.run).or_insert(0) += 1;
        }
    }
    assert!(laps[&1] >= 5, "{laps:?}");
}

#[test]
fn a_reload_keeps_the_place_the_flight_and_the_follow_up_of_what_did_not_change() {
    let (a, grid_a) = check("a", 10, IpChoice::Any);
    let (b, grid_b) = check("b", 10, IpChoice::Any);
    let mut world = World::new(&[(Arc::clone(&a), grid_a), (Arc::clone(&b), grid_b)]);
    world.pass(11 * SECOND);
    assert_eq!(world.core.in_flight(), 2);
    let due = Millis(world.now.wall_us / 1_000);
    let at_us = world.now.wall_us + 3 * SECOND;
    let follow = Follow { at_us, due, kind: RunKind::Confirm };
    world.core.done(&a.id, Lane::Any, Some(follow));
    let (slower, grid) = check("b", 20, IpChoice::Any);
    world.core.replace(&[(a, grid_a), (slower, grid)], world.now.wall_us);
    assert_eq!(world.core.in_flight(), 1, "b has a new grid, and its run is still under way");
    world.acts.clear();
    world.pass(4 * SECOND);
    let confirm = |act: &Act| matches!(act, Act::Start(job) if job.kind == RunKind::Confirm);
    assert_eq!(world.count(confirm), 1);
}

#[test]
fn a_heartbeat_has_no_host_and_is_never_held_back() {
    let (check, grid) = check("a", 10, IpChoice::Any);
    let spec = HeartbeatSpec {
        token: Secret::new("t".into()),
        age_max: std::time::Duration::from_micros(1),
    };
    let check = Arc::new(Check { spec: Spec::Heartbeat(spec), ..(*check).clone() });
    let mut world = World::new(&[(check, grid)]);
    world.core.gate().reconfigure(1, std::iter::empty());
    for _ in 0..100 {
        let from = world.acts.len();
        world.pass(SECOND);
        world.done_all(from);
    }
    assert_eq!(world.count(is_start), world.acts.len());
    assert!(world.acts.len() >= 9);
}

#[test]
fn a_host_that_asks_for_time_gets_it_and_each_slot_has_a_record() {
    let (check, grid) = check("a", 10, IpChoice::Any);
    let mut world = World::new(&[(Arc::clone(&check), grid)]);
    world.core.wait(&check.id, Lane::Any, 0, 45 * SECOND);
    for _ in 0..100 {
        let from = world.acts.len();
        world.pass(SECOND);
        world.done_all(from);
    }
    let backoff = |act: &Act| matches!(act, Act::Void(_, Reason::Backoff));
    let slots = grid.first_from(START + 100 * SECOND) - grid.first_from(START);
    assert_eq!(world.acts.len() as i64, slots);
    assert!((4..=5).contains(&world.count(backoff)), "{}", world.count(backoff));
}

/// A run of `check` ends bad and its host asks for an hour; what starts in the next 50 seconds.
fn after_a_request_for_an_hour(check: &Arc<Check>, grid: Grid, kind: RunKind) -> Vec<RunKind> {
    let mut world = World::new(&[(Arc::clone(check), grid)]);
    world.pass(grid.due_us(grid.first_from(START)) - START);
    let mut seen = 0;
    for _ in 0..50 {
        let now = world.now.wall_us;
        let started: Vec<Job> = world.acts[seen..]
            .iter()
            .filter_map(|act| if let Act::Start(job) = act { Some(job.clone()) } else { None })
            .collect();
        seen = world.acts.len();
        for job in started {
            world.core.wait(&check.id, job.lane, world.now.boot_us, 3_600 * SECOND);
            let follow = Follow { at_us: now + 5 * SECOND, due: job.due, kind };
            let runs = world.count(is_start);
            world.core.done(&check.id, job.lane, Some(follow).filter(|_| runs < 3));
        }
        world.pass(SECOND);
    }
    let kinds = world.acts.iter().filter_map(|act| match act {
        Act::Start(job) => Some(job.kind),
        _ => None,
    });
    kinds.collect()
}

#[test]
fn whoever_fails_and_asks_to_be_left_alone_does_not_stop_its_confirmation() {
    use RunKind::{Confirm, Fast, Grid as OfGrid};
    let (check, grid) = check("a", 10, IpChoice::Any);
    let runs = after_a_request_for_an_hour(&check, grid, Confirm);
    assert_eq!(runs, [OfGrid, Confirm, Confirm]);
    assert_eq!(after_a_request_for_an_hour(&check, grid, Fast), [OfGrid]);
    // One that may last longer than a step, whose follow-up would cost a slot at another time.
    let slow = Arc::new(Check { timeout: Micros(15_000_000), ..(*check).clone() });
    let runs = after_a_request_for_an_hour(&slow, grid, Confirm);
    assert_eq!(runs, [OfGrid, Confirm, Confirm]);
}

#[test]
fn a_service_that_hangs_for_the_whole_interval_gets_no_holes_from_its_follow_ups() {
    let (check, grid) = check("a", 10, IpChoice::Any);
    let check = Arc::new(Check { timeout: Micros(10_000_000), ..(*check).clone() });
    let mut world = World::new(&[(Arc::clone(&check), grid)]);
    let mut running: Vec<(i64, Job)> = Vec::new();
    let mut seen = 0;
    for _ in 0..1_200 {
        world.pass(SECOND / 4);
        for act in &world.acts[seen..] {
            if let Act::Start(job) = act {
                running.push((world.now.wall_us + 10 * SECOND, job.clone()));
            }
        }
        seen = world.acts.len();
        let now = world.now.wall_us;
        let (ended, on): (Vec<_>, Vec<_>) = running.into_iter().partition(|(at, _)| *at <= now);
        running = on;
        for (_, job) in ended {
            let at_us = now + 5 * SECOND;
            let follow = Follow { at_us, due: job.due, kind: RunKind::Confirm };
            world.core.done(&check.id, job.lane, Some(follow));
        }
    }
    assert_eq!(world.count(|act| matches!(act, Act::Void(..))), 0);
    let slots = grid.first_from(world.now.wall_us) - grid.first_from(START);
    assert!(world.count(is_start) as i64 >= slots);
}

#[test]
fn a_start_after_the_clock_was_set_back_repeats_slots_under_a_new_number() {
    let (check, grid) = check("a", 10, IpChoice::Any);
    let mut world = World::new(&[]);
    world.core.repeat(Millis(START / 1_000 + 60_000), 3);
    world.core.replace(&[(check, grid)], START);
    for _ in 0..120 {
        let from = world.acts.len();
        world.pass(SECOND);
        world.done_all(from);
    }
    let runs: Vec<(bool, u16)> = world
        .acts
        .iter()
        .filter_map(|act| match act {
            Act::Start(job) => Some((job.planned_us <= START + 60 * SECOND, job.run)),
            _ => None,
        })
        .collect();
    assert!(runs.iter().all(|(again, run)| *run == if *again { 3 } else { 0 }), "{runs:?}");
    assert!(runs.iter().any(|it| it.0) && runs.iter().any(|it| !it.0));
}

#[test]
fn a_clock_set_back_during_a_sleep_loses_no_slot() {
    let (check, grid) = check("a", 10, IpChoice::Any);
    let mut world = World::new(&[(check, grid)]);
    world.pass(5 * SECOND);
    world.acts.clear();
    // Ten minutes asleep, and the wall clock five minutes behind on waking.
    world.now.wall_us += 300 * SECOND;
    world.now.boot_us += 600 * SECOND;
    world.core.step(world.now, &mut world.acts);
    let [Act::ClockStepped { by_ms, .. }, Act::Absent(gap, Reason::Suspend)] = &world.acts[..]
    else {
        panic!("{:?}", world.acts)
    };
    assert_eq!(*by_ms, -300_000);
    assert_eq!(gap.length_ms(), 300_000);
}
