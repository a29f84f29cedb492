//! The figures: false pages, and the time from a server's fault to the page.
//!
//! Event-driven, over the real schedule, live engine, rules and book. The book is stepped once a
//! second, as the daemon does at least.

use std::sync::Arc;

use thongsuot::alert::book::{Book, IncidentId};
use thongsuot::alert::facts::Facts;
use thongsuot::alert::step::{Happened, What};
use thongsuot::model::reason::Reason;

use crate::fixture::{DAY, Dice, check, facts, go, pages, system};
use crate::watch::{GOOD, Watch};

/// Good results that make the past of a check: more than any window looks back.
const PAST: i64 = 30;

/// One system with one check, and its book.
struct One {
    watch: Watch,
    facts: Facts,
    book: Book,
    /// The next second at which the book is stepped.
    tick: i64,
}

impl One {
    fn new(name: &str, from: i64) -> Self {
        let check = Arc::new(check("s", name));
        let facts = facts(vec![system("s", &[], vec![Arc::clone(&check)])]);
        let tick = from.div_euclid(1_000) * 1_000 + 1_000;
        Self { watch: Watch::new(check, from), facts, book: Book::default(), tick }
    }

    /// Runs up to `until`, and tells each page with its instant: a new incident, or one that was
    /// over.
    fn run(
        &mut self,
        until: i64,
        meets: &mut dyn FnMut(i64, usize) -> (Reason, i64),
    ) -> Vec<(i64, IncidentId)> {
        let mut paged = Vec::new();
        while self.tick <= until {
            while self.watch.at() < self.tick {
                self.watch.advance(meets);
            }
            self.facts.now = thongsuot::model::time::Millis(self.tick);
            self.facts.systems[0].checks[0] = self.watch.facts(self.tick);
            let happened = go(&mut self.book, &self.facts);
            let new = |it: &&Happened| matches!(it.what, What::Opened { .. } | What::Reopened);
            let new = happened.iter().filter(new).map(|it| it.incident.clone());
            paged
                .extend(new.filter(|it| pages(&self.book.incidents[it])).map(|it| (self.tick, it)));
            self.tick += 1_000;
            // Nothing to wait for: on to the next event.
            if self.book.incidents.values().all(|it| !it.is_open()) {
                self.tick = self.tick.max(self.watch.at().div_euclid(1_000) * 1_000 + 1_000);
            }
        }
        paged
    }
}

/// Independent loss of single runs, for `months` check-months.
pub(crate) struct Lost {
    pub(crate) runs: i64,
    pub(crate) bad: i64,
    pub(crate) pages: usize,
    pub(crate) in_a_row: usize,
}

/// Counts over so many check-months in which each run is lost with probability `p`.
pub(crate) fn lose(months: usize, p: f64) -> Lost {
    let mut dice = Dice(20_261_124);
    let mut total = Lost { runs: 0, bad: 0, pages: 0, in_a_row: 0 };
    for month in 0..months {
        let name = format!("check-{month}");
        let step = thongsuot::model::step::Step::of(&check("s", &name).id, 30_000);
        let runs = 30 * 86_400_000_000 / step.step_us;
        total.runs += runs;
        let mut at = dice.trials(p);
        while at <= runs {
            // The bad runs that lie within ten of each other, by their distance from the first.
            let mut bad = vec![0_i64];
            let mut gap = dice.trials(p);
            while gap < 10 {
                bad.push(bad[bad.len() - 1] + gap);
                gap = dice.trials(p);
            }
            total.bad += bad.len() as i64;
            let last = bad[bad.len() - 1];
            if bad.len() > 1 {
                let from = DAY + at * step.step_us / 1_000;
                total.pages += played(&name, from, &bad);
                total.in_a_row += usize::from(bad.windows(3).any(|it| it[2] - it[0] == 2));
            }
            at += last + gap;
        }
    }
    total
}

/// How often a cluster of bad runs pages: each takes its whole timeout.
fn played(name: &str, from: i64, bad: &[i64]) -> usize {
    let mut one = One::new(name, from);
    let mut meets = |_: i64, run: usize| {
        let is_bad = bad.contains(&(run as i64 - PAST));
        if is_bad { (Reason::TimeoutConnect, 10_000) } else { GOOD }
    };
    one.run(from + (PAST + bad[bad.len() - 1] + 12) * 30_000, &mut meets).len()
}

/// Prints how often so many check-months page for nothing, and gives what was expected and what
/// was counted.
fn false_pages(months: usize) -> (f64, usize) {
    let p = 0.001;
    let got = lose(months, p);
    // Three in a row; else four among ten, which end with a bad one.
    let expected = got.runs as f64 * (p.powi(3) + 84.0 * p.powi(4));
    println!("# False pages: loss {p} a run, one vantage, every 30 s, K = 3");
    println!(
        "{months} check-months: {} runs, {} lost, {} times three in a row; \
         expected {expected:.2} pages, counted {}",
        got.runs, got.bad, got.in_a_row, got.pages
    );
    (expected, got.pages)
}

#[test]
fn independent_loss_of_single_runs_wakes_nobody() {
    assert_eq!(false_pages(1_000).1, 0);
}

#[test]
#[ignore = "a longer measurement of the same"]
fn independent_loss_of_single_runs_pages_as_seldom_as_expected() {
    let (expected, counted) = false_pages(30_000);
    assert!((counted as f64) < expected + 4.0 * expected.sqrt());
}

/// Milliseconds from a fault to its page, over random phases, sorted.
pub(crate) fn faults(reason: Reason, length: i64, trials: usize) -> Vec<i64> {
    let mut dice = Dice(7);
    let mut all: Vec<i64> = (0..trials)
        .map(|trial| {
            let mut one = One::new(&format!("check-{trial}"), DAY);
            let fault = DAY + PAST * 30_000 + dice.within(0, 60_000);
            let mut meets = |at: i64, _| if at >= fault { (reason, length) } else { GOOD };
            let paged = one.run(fault + 120_000, &mut meets);
            assert_eq!(paged.len(), 1, "trial {trial}");
            paged[0].0 - fault
        })
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn a_page_is_decided_within_the_bounds_of_the_measurement() {
    println!("# From a server's fault to the page decided: every 30 s, timeout 10 s, K = 3");
    for (name, reason, length, p50_max, worst_max) in [
        ("refusing", Reason::ConnectRefused, 1, 27_000, 42_000),
        ("hanging", Reason::TimeoutWait, 10_000, 72_000, 72_000),
    ] {
        let all = faults(reason, length, 1_000);
        let (p50, worst) = (all[all.len() / 2], all[all.len() - 1]);
        println!("{name}: p50 {p50} ms, worst {worst} ms of {} faults", all.len());
        assert!(p50 <= p50_max && worst <= worst_max, "{name}: {p50} ms, {worst} ms");
    }
}

/// Outages of one service, `[from, to)`, over days.
fn outages(dice: &mut Dice, count: usize, gap: (i64, i64), bound: i64) -> Vec<(i64, i64)> {
    let mut at = DAY + PAST * 30_000;
    let one = |_| {
        let from = at + dice.within(gap.0, gap.1);
        let long = if dice.within(0, 4) == 0 { 1_200_000 } else { 180_000 };
        at = from + bound + dice.within(1_000, long);
        (from, at)
    };
    (0..count).map(one).collect()
}

#[test]
fn every_outage_longer_than_the_bound_is_paged_exactly_once() {
    let (mut count, mut paged_count) = (0, 0);
    for seed in 0..50_u64 {
        let mut dice = Dice(seed);
        let hangs = seed % 2 == 0;
        let (fault, bound) = if hangs {
            ((Reason::TimeoutWait, 10_000), 71_000)
        } else {
            ((Reason::HttpStatus, 80), 41_000)
        };
        // Far enough apart that each is an incident of its own.
        let script = outages(&mut dice, 6, (4_000_000, 9_000_000), bound);
        let mut one = One::new(&format!("check-{seed}"), DAY);
        let mut meets = |at: i64, _| {
            let down = script.iter().any(|(from, to)| (*from..*to).contains(&at));
            if down { fault } else { GOOD }
        };
        let paged = one.run(script[5].1 + 600_000, &mut meets);
        assert_eq!(paged.len(), script.len(), "seed {seed}");
        for ((at, id), (from, to)) in paged.iter().zip(&script) {
            assert!((*from..*to + 1_000).contains(at), "seed {seed}: {at} of {from} to {to}");
            let it = &one.book.incidents[id];
            assert!(it.closed.is_some_and(|it| it.0 > *to), "seed {seed}: over after its end");
        }
        count += script.len();
        paged_count += paged.len();
    }
    println!("# Outages longer than the bound: {count}, pages {paged_count}");
}

#[test]
fn outages_in_quick_succession_are_never_without_an_open_incident() {
    for seed in 0..20_u64 {
        let mut dice = Dice(1_000 + seed);
        let script = outages(&mut dice, 8, (1_000, 600_000), 41_000);
        let mut one = One::new(&format!("check-{seed}"), DAY);
        let mut meets = |at: i64, _| {
            let down = script.iter().any(|(from, to)| (*from..*to).contains(&at));
            if down { (Reason::HttpStatus, 80) } else { GOOD }
        };
        let mut paged = 0;
        for (from, to) in &script {
            paged += one.run(*to, &mut meets).len();
            let open = one.book.incidents.values().filter(|it| it.is_open());
            assert_eq!(open.count(), 1, "seed {seed}: the outage from {from} to {to}");
        }
        paged += one.run(script[7].1 + 1_200_000, &mut meets).len();
        assert!((1..=script.len()).contains(&paged), "seed {seed}: {paged} pages");
        assert!(one.book.incidents.values().all(|it| !it.is_open()), "seed {seed}");
    }
}
