//! P13: after every prefix of the results, in the order in which they came, the live engine says
//! what batch says of that prefix: through late and doubled results, restarts and reloads.

use thongsuot::availability::confirm::Confirm;
use thongsuot::availability::live::{Alarm, LiveCheck};
use thongsuot::availability::segment::Segment;
use thongsuot::availability::timeline::{alone, samples};
use thongsuot::availability::track::sweep::state_at;
use thongsuot::model::check::{Check, IpChoice};
use thongsuot::model::id::{OwnerId, SystemId};
use thongsuot::model::result::RunResult;
use thongsuot::model::secret::Secret;
use thongsuot::model::spec::{HeartbeatSpec, Spec};
use thongsuot::model::state::State;
use thongsuot::model::step::Step;
use thongsuot::model::time::{Micros, Millis};

use super::seeds;
use crate::reference::{Heard, Reach, Rules, check as judged};
use crate::simulate::{Dice, Scenario, simulate};

/// Steps that are read back after a start, then four times as many until the state is settled.
const STEPS_AT_FIRST: i64 = 12;

fn check(scenario: &Scenario, interval_ms: i64, confirm: usize) -> Check {
    Check {
        id: scenario.check_id(),
        system: SystemId::new("s").unwrap(),
        owner: OwnerId::new("o").unwrap(),
        name: String::new(),
        disabled: None,
        critical: true,
        interval_ms,
        timeout: Micros(u32::try_from(scenario.timeout_ms * 1_000).unwrap()),
        slow: None,
        confirm: u8::try_from(confirm).unwrap(),
        ip: IpChoice::Any,
        platform: None,
        spec: Spec::Heartbeat(HeartbeatSpec {
            token: Secret::new(String::new()),
            age_max: std::time::Duration::from_secs(1),
        }),
    }
}

/// One vantage of a scenario, its live engine, and what came so far.
struct Played {
    /// The check, each version with the instant from which it is in force.
    versions: Vec<(Millis, Check)>,
    live: LiveCheck,
    came: Vec<RunResult>,
    /// Whether the live engine has seen all that came under the `K` in force.
    whole: bool,
    /// After a restart: from when on the past was read.
    restored: Option<Millis>,
    late: u64,
}

impl Played {
    fn new(check: Check) -> Self {
        let live = LiveCheck::new(&check);
        let versions = vec![(Millis(i64::MIN), check)];
        Self { versions, live, came: Vec::new(), whole: true, restored: None, late: 0 }
    }

    fn now(&self) -> Millis {
        self.came.iter().map(RunResult::ended).max().unwrap_or(Millis(0))
    }

    fn current(&self) -> &Check {
        &self.versions[self.versions.len() - 1].1
    }

    fn reach(&self) -> Reach {
        let of = |it: &(Millis, Check)| (it.0.0, Step::of(&it.1.id, it.1.interval_ms).reach_ms());
        Reach(self.versions.iter().map(of).collect())
    }

    /// A live engine that read all that started since `from`, under the `K` in force.
    fn read(&self, from: Millis) -> LiveCheck {
        let confirm = self.current().confirm;
        let of = |it: &Check| Check { confirm, ..it.clone() };
        let mut live = LiveCheck::new(&of(&self.versions[0].1));
        for (at, check) in &self.versions[1..] {
            live.adopt(&of(check), *at);
        }
        let mut tail: Vec<&RunResult> = self.came.iter().filter(|it| it.started >= from).collect();
        tail.sort_by_key(|it| it.started);
        for result in tail {
            assert!(!live.note(result).late, "late, though in order");
        }
        live
    }

    fn read_all(&mut self) {
        self.live = self.read(Millis(i64::MIN));
        (self.whole, self.restored) = (true, None);
    }

    /// As after a restart: as much of the past as settles the state.
    fn restart(&mut self) {
        let first = self.came.iter().map(|it| it.started).min();
        let mut back = self.current().interval_ms * STEPS_AT_FIRST;
        let from = loop {
            let from = self.now().plus_ms(-back);
            self.live = self.read(from);
            if first.is_none_or(|it| from <= it) {
                return self.read_all();
            }
            if self.live.is_settled() {
                break from;
            }
            back *= 4;
        };
        (self.whole, self.restored) = (true, Some(from));
    }

    fn reload(&mut self, check: Check) {
        let at = self.now().plus_ms(1);
        self.whole &= check.confirm == self.current().confirm;
        self.live.adopt(&check, at);
        self.versions.push((at, check));
    }

    fn note(&mut self, result: &RunResult) {
        self.came.push(result.clone());
        let is_older = self.restored.is_some_and(|from| result.started < from);
        if self.live.note(result).late || is_older {
            self.late += 1;
            self.read_all();
        }
    }

    fn batch(&self) -> Vec<Segment> {
        let reach = self.reach();
        let samples = samples(&self.came, |at| reach.at(at.0));
        alone(&samples, Confirm::new(self.current().confirm))
    }

    /// Whether an alert is open: it opens with a bad result that makes K in a row, or more than K
    /// of the last ten, and is over after three good ones.
    fn is_open(&self) -> bool {
        let reach = self.reach();
        let bad = Heard::of(&self.came, &reach).bads();
        let k = usize::from(self.current().confirm);
        let mut open = false;
        for last in 0..bad.len() {
            let ten = &bad[(last + 1).saturating_sub(10)..=last];
            let row = bad[..=last].iter().rev().take_while(|it| **it).count();
            if row >= k || (bad[last] && ten.iter().filter(|it| **it).count() > k) {
                open = true;
            } else if last >= 2 && bad[last - 2..=last].iter().all(|it| !it) {
                open = false;
            }
        }
        open
    }

    /// Compares with batch over the same prefix.
    fn compare(&self) -> Result<(), String> {
        let batch = self.batch();
        let now = self.now();
        let wrong = |what: &str, live: String, batch: String| {
            Err(format!("{what} after {}: live {live}, batch {batch}", self.came.len()))
        };
        let (is, should) = (self.live.state(now), state_at(&batch, now));
        if is != should {
            return wrong("state", format!("{is:?}"), format!("{should:?}"));
        }
        let since = self.live.since(now);
        let holds = batch.iter().find(|it| it.span.contains(now)).map(|it| it.span.start());
        let told = should != State::Unknown && self.whole && self.restored.is_none();
        if (should == State::Down || told) && since != holds {
            return wrong("since", format!("{since:?}"), format!("{holds:?}"));
        }
        if !self.whole {
            return Ok(());
        }
        let open = self.live.alarm() != Alarm::Quiet;
        if open != self.is_open() {
            return wrong("alarm", open.to_string(), self.is_open().to_string());
        }
        if self.restored.is_some() {
            return Ok(());
        }
        let (_, lane) = self.live.lanes().next().unwrap();
        let from = lane.remembers_from();
        let tail: Vec<Segment> = batch
            .into_iter()
            .filter(|it| from.is_none_or(|from| it.span.start() >= from))
            .collect();
        let live = lane.segments(Millis(i64::MAX));
        if live != tail {
            return wrong("spans", format!("{live:?}"), format!("{tail:?}"));
        }
        Ok(())
    }

    /// Batch over this prefix, compared with the reference.
    fn compare_reference(&self) -> Result<(), String> {
        let confirm = usize::from(self.current().confirm);
        let rules = Rules { confirm, quorum: 1, known: 1 };
        let story = judged(&[Heard::of(&self.came, &self.reach())], rules);
        let batch: Vec<_> = self.batch().iter().map(|it| (it.span, it.state)).collect();
        if batch == story.states {
            return Ok(());
        }
        Err(format!("batch {batch:?}, reference {:?}", story.states))
    }
}

#[derive(Debug, Default)]
struct Seen {
    prefixes: u64,
    late: u64,
    restarts: u64,
    reloads: [u64; 2],
    down: u64,
}

/// Plays the results of one vantage with a restart and a reload somewhere.
fn play(scenario: &Scenario, results: &[RunResult], dice: &mut Dice, seen: &mut Seen) {
    let length = results.len() as i64;
    let restart = dice.chance(500).then(|| dice.within(0, length));
    let reload = dice.chance(600).then(|| dice.within(0, length));
    let (interval, k) = (scenario.interval_ms, scenario.confirm);
    let changed = if dice.chance(500) {
        check(scenario, dice.pick(&[interval / 2, interval * 2, interval * 10]), k)
    } else {
        check(scenario, interval, dice.pick(&[1, 2, 3, 5, 9]))
    };
    let mut played = Played::new(check(scenario, interval, k));
    for (place, result) in results.iter().enumerate() {
        if reload == Some(place as i64) {
            seen.reloads[usize::from(usize::from(changed.confirm) != k)] += 1;
            played.reload(changed.clone());
        }
        if restart == Some(place as i64) {
            seen.restarts += 1;
            played.restart();
        }
        played.note(result);
        let mut held = played.compare();
        if place % 9 == 8 || place + 1 == results.len() {
            held = held.and_then(|()| played.compare_reference());
        }
        if let Err(why) = held {
            panic!(
                "live seed {}, {}: {why}\nrestart {restart:?}, reload {reload:?} to {} ms, K = {}\n{scenario:?}",
                scenario.seed, result.vantage, changed.interval_ms, changed.confirm
            );
        }
        seen.prefixes += 1;
        seen.down += u64::from(played.live.state(played.now()) == State::Down);
    }
    seen.late += played.late;
}

#[test]
fn after_every_prefix_live_says_what_batch_and_the_reference_say() {
    let mut seen = Seen::default();
    for seed in seeds(300) {
        let mut dice = Dice::new(seed ^ 0x11FE);
        let scenario = Scenario::wild(seed);
        for results in &simulate(&scenario).results {
            play(&scenario, results, &mut dice, &mut seen);
        }
    }
    println!("{seen:?}");
    assert!(seen.prefixes > 20_000, "{seen:?}");
    assert!(seen.late > 100 && seen.restarts > 100 && seen.down > 1_000, "{seen:?}");
    assert!(seen.reloads.iter().all(|it| *it > 30), "{seen:?}");
}
