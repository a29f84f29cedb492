//! Whatever is asked for is what the whole timeline says, clipped.

use thongsuot::availability::confirm::Confirm;
use thongsuot::availability::figures::Terms;
use thongsuot::availability::judge::{Reach, Rule, judge};
use thongsuot::availability::span_set::SpanSet;
use thongsuot::availability::track::quorum::Quorum;
use thongsuot::model::check::Lane;
use thongsuot::model::id::{CheckId, VantageId};
use thongsuot::model::reason::Reason;
use thongsuot::model::span::Span;
use thongsuot::model::step::Step;
use thongsuot::model::time::Millis;

use super::kit::{DAY, HOUR, MINUTE, OCTOBER, Story, contract, within};

const HOME: &str = "vneid-home";
const INTERVAL: i64 = 5 * MINUTE;

/// Numbers that look random and are the same each time.
struct Lot(u64);

impl Lot {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        i64::try_from((self.0 >> 33) % limit.unsigned_abs()).unwrap()
    }
}

/// Any reason, by stretches: calm, broken, flapping, silent, asked to stay away.
fn stretches(lot: &mut Lot) -> Vec<(i64, char)> {
    let mut at = OCTOBER - DAY;
    let mut all = Vec::new();
    while at < OCTOBER + 5 * DAY {
        all.push((at, ['o', 'o', 'o', 'x', 'f', '.', 'B'][usize::try_from(lot.below(7)).unwrap()]));
        at += lot.below(5 * HOUR) + MINUTE;
    }
    all
}

#[tokio::test]
async fn figures_of_any_period_are_those_of_the_whole_timeline_clipped() {
    for (seed, vantages) in [(1, 1), (2, 1), (3, 3), (4, 2)] {
        let mut lot = Lot(seed);
        let mut story = Story::new();
        let names: Vec<String> = (0..vantages).map(|it| format!("v-{it}")).collect();
        let mut promise = contract(999_000, &[(HOME, INTERVAL, true)]);
        promise["vantages"] = names.iter().map(String::as_str).collect();
        story.promise(OCTOBER - 3 * DAY, promise);
        for name in &names {
            let script = stretches(&mut lot);
            let dice: Vec<bool> = (0..64).map(|_| lot.below(2) == 0).collect();
            story.watch(HOME, INTERVAL, name, (OCTOBER - DAY, OCTOBER + 5 * DAY), |at| {
                let here = script.iter().rev().find(|it| it.0 <= at).map(|it| it.1);
                match here {
                    Some('x') => Some(Reason::TimeoutWait),
                    Some('f') if dice[usize::try_from(at / INTERVAL % 64).unwrap()] => {
                        Some(Reason::HttpStatus)
                    }
                    Some('.') => None,
                    Some('B') => Some(Reason::Backoff),
                    _ => Some(Reason::None),
                }
            });
        }
        story.tell().await;
        let id = CheckId::new(HOME).unwrap();
        let names: Vec<_> = names.iter().map(|it| (VantageId::new(it).unwrap(), 1)).collect();
        let rule = Rule {
            confirm: Confirm::new(3),
            reach: Reach::constant(Step::of(&id, INTERVAL).reach_ms()),
            lanes: vec![Lane::Any],
            quorum: Quorum::of(names.len()),
            vantages: names,
        };
        for _ in 0..12 {
            let from = OCTOBER + lot.below(4 * DAY);
            let to = from + 1 + lot.below(DAY);
            let at = |it: i64| jiff::Timestamp::from_millisecond(it).unwrap().to_string();
            let asked = format!("{}..{}", at(from), at(to));
            let got = story.report(&asked).unwrap().systems.remove(0).measured.unwrap().figures;
            let period = Span::new(Millis(from), Millis(to)).unwrap();
            let nothing = SpanSet::EMPTY;
            let terms = Terms { period, service: None, maintenance: &nothing, watched: None };
            assert_eq!(got, judge(&story.results, &rule, &terms), "seed {seed}, {asked}");
        }
    }
}

#[tokio::test]
async fn a_report_over_an_interval_that_changed_judges_each_result_by_the_interval_of_its_time() {
    let (long, short) = (10 * MINUTE, MINUTE / 2);
    for (first, second) in [(long, short), (short, long)] {
        let change = OCTOBER + 2 * DAY + 7 * MINUTE;
        let down = (change - HOUR, change + HOUR);
        // The long interval would speak for this, the short one does not.
        let holes = [change - 6 * HOUR, change + 6 * HOUR].map(|it| (it, it + 4 * MINUTE));
        let what = |at: i64| {
            let reason = if within(at, &[down]) { Reason::HttpStatus } else { Reason::None };
            (!within(at, &holes)).then_some(reason)
        };
        let mut story = Story::new();
        story.promise(OCTOBER - DAY, contract(999_000, &[(HOME, first, true)]));
        story.promise(change, contract(999_000, &[(HOME, second, true)]));
        story.watch(HOME, first, "hn-1", (OCTOBER - DAY + HOUR, change), what);
        story.watch(HOME, second, "hn-1", (change, OCTOBER + 5 * DAY), what);
        story.tell().await;
        let id = CheckId::new(HOME).unwrap();
        let reach_ms = |interval_ms| Step::of(&id, interval_ms).reach_ms();
        let rule = |reach| Rule {
            confirm: Confirm::new(3),
            reach,
            lanes: vec![Lane::Any],
            quorum: Quorum::of(1),
            vantages: vec![(VantageId::new("hn-1").unwrap(), 1)],
        };
        let changed = Reach::constant(reach_ms(first)).then(Millis(change), reach_ms(second));
        let at = |it: i64| jiff::Timestamp::from_millisecond(it).unwrap().to_string();
        // Over the change, just before it and just after it.
        for (from, to) in [(-2 * DAY, 2 * DAY), (-3 * HOUR, -1), (1, 3 * HOUR)] {
            let (from, to) = (change + from, change + to);
            let asked = format!("{}..{}", at(from), at(to));
            let system = story.report(&asked).unwrap().systems.remove(0);
            let got = system.measured.unwrap().figures;
            let period = Span::new(Millis(from), Millis(to)).unwrap();
            let nothing = SpanSet::EMPTY;
            let terms = Terms { period, service: None, maintenance: &nothing, watched: None };
            let of = |reach| judge(&story.results, &rule(reach), &terms);
            assert_eq!(got, of(changed.clone()), "{first} to {second}, {asked}");
            if to - from > DAY {
                assert_ne!(got, of(Reach::constant(reach_ms(second))));
            }
        }
    }
}
