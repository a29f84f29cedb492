//! A thousand systems fall together, because of one that they depend on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use thongsuot::alert::book::Book;
use thongsuot::alert::facts::Facts;
use thongsuot::alert::rules::conditions;
use thongsuot::alert::step::What;
use thongsuot::availability::live::Alarm;
use thongsuot::model::check::Check;
use thongsuot::model::id::SystemId;
use thongsuot::model::reason::Reason;
use thongsuot::model::state::State;
use thongsuot::model::step::Step;
use thongsuot::model::system::System;
use thongsuot::model::time::Millis;

use crate::fixture::{DAY, check, facts, go, pages, system};
use crate::watch::{GOOD, Watch};

/// `sso` and so many that depend on it, each with `checks` checks.
fn roster(dependants: usize, checks: usize) -> Vec<System> {
    let one = |id: &str, depends_on: &[&str]| {
        let all = (0..checks).map(|at| Arc::new(check(id, &format!("{id}-{at}"))));
        system(id, depends_on, all.collect())
    };
    let rest = (0..dependants).map(|at| one(&format!("system-{at:04}"), &["sso"]));
    [one("sso", &[])].into_iter().chain(rest).collect()
}

/// Every check down or well since `at`.
fn set(facts: &mut Facts, down: bool, at: i64) {
    for it in facts.systems.iter_mut().flat_map(|it| &mut it.checks) {
        (it.alarm, it.state, it.fault) = if down {
            (Alarm::Down, State::Down, Some(Reason::ConnectRefused))
        } else {
            (Alarm::Quiet, State::Up, None)
        };
        it.since = Some(Millis(at));
    }
}

#[test]
fn a_thousand_checks_that_fall_by_one_cause_are_one_page_and_one_all_clear() {
    // The cause is measured last of all, or first: by the phase of its check.
    for late in [true, false] {
        storm(late);
    }
}

/// A check of the cause that is measured late, or soon, after `fault`.
fn cause(fault: i64, late: bool) -> Arc<Check> {
    let first = |it: &Check| {
        let step = Step::of(&it.id, it.interval_ms);
        (step.phase_us - fault * 1_000).rem_euclid(step.step_us)
    };
    let all = (0..200).map(|at| check("sso", &format!("sso-{at}")));
    let wait = |it: &Check| if late { -first(it) } else { first(it) };
    Arc::new(all.min_by_key(wait).unwrap())
}

fn storm(late: bool) {
    let (fault, healed) = (DAY + 600_000, DAY + 900_000);
    let mut systems = roster(1_000, 1);
    systems[0].checks = vec![cause(fault, late)];
    let checks: Vec<Arc<Check>> = systems.iter().map(|it| Arc::clone(&it.checks[0])).collect();
    let mut watches: Vec<Watch> = checks.into_iter().map(|it| Watch::new(it, DAY)).collect();
    let mut meets = |at: i64, _| {
        let down = (fault..healed).contains(&at);
        if down { (Reason::ConnectRefused, 1) } else { GOOD }
    };
    let (mut facts, mut book) = (facts(systems), Book::default());
    let (mut paged, mut cleared, mut confirmed, mut down_max) = (Vec::new(), Vec::new(), None, 0);
    let mut seen = std::collections::BTreeSet::new();
    for tick in (fault / 1_000 - 60..healed / 1_000 + 420).map(|it| it * 1_000) {
        let mut changed = false;
        for (watch, of) in watches.iter_mut().zip(&mut facts.systems) {
            let mut advanced = false;
            while watch.at() <= tick {
                advanced |= watch.advance(&mut meets);
            }
            if advanced {
                let before = std::mem::replace(&mut of.checks[0], watch.facts(tick));
                changed |= (before.alarm, before.fault) != (of.checks[0].alarm, of.checks[0].fault);
            }
        }
        if confirmed.is_none() && facts.systems[0].checks[0].alarm == Alarm::Down {
            confirmed = Some(tick);
        }
        // Between changes nothing but time passes.
        if !changed && tick % 10_000 != 0 {
            continue;
        }
        facts.now = Millis(tick);
        let happened = go(&mut book, &facts);
        for it in book.incidents.values().filter(|it| pages(it)) {
            if seen.insert(it.id.clone()) {
                paged.push((tick, it.id.clone()));
            }
        }
        let closed = happened.iter().filter(|it| matches!(it.what, What::Closed(_)));
        cleared.extend(closed.map(|it| it.incident.clone()).filter(|it| seen.contains(it)));
        down_max = down_max.max(book.incidents.values().filter(|it| it.is_open()).count());
    }
    let after = paged[0].0 - confirmed.unwrap();
    let when = if late { "last" } else { "first" };
    println!("# Storm: {down_max} incidents of one cause, which is measured {when}");
    println!(
        "pages {}, {after} ms after the cause was confirmed, {} ms after the fault; all-clears {}",
        paged.len(),
        paged[0].0 - fault,
        cleared.len()
    );
    assert_eq!((paged.len(), cleared.len(), down_max), (1, 1, 1_001));
    assert!((0..=5_000).contains(&after), "{after} ms");
    assert!(book.incidents.values().all(|it| !it.is_open()));
    assert_eq!(book.incidents[&paged[0].1].parts.len(), 1_000);
}

#[test]
fn what_else_fails_in_a_storm_is_not_lost_in_it() {
    let mut systems = roster(300, 1);
    systems.push(system("other", &[], vec![Arc::new(check("other", "other"))]));
    let (mut facts, mut book) = (facts(systems), Book::default());
    facts.now = Millis(DAY + 100_000);
    set(&mut facts, true, DAY + 80_000);
    go(&mut book, &facts);
    let paging: Vec<_> =
        book.incidents.values().filter(|it| pages(it)).map(|it| &it.thread).collect();
    let service =
        |id: &str| thongsuot::alert::condition::Thread::Service(SystemId::new(id).unwrap());
    assert_eq!(paging.len(), 2);
    assert!(paging.contains(&&service("sso")) && paging.contains(&&service("other")));
}

/// The longest of three.
fn longest(mut run: impl FnMut()) -> Duration {
    let times = (0..3).map(|_| {
        #[expect(clippy::disallowed_methods, reason = "a measurement for people")]
        let begun = Instant::now();
        run();
        begun.elapsed()
    });
    times.max().unwrap()
}

/// `cargo test --release --test alerting cost -- --ignored --nocapture`
#[test]
#[ignore = "a measurement: only its printed figures say something"]
fn cost_of_a_step_with_a_thousand_systems_and_ten_thousand_checks() {
    println!("# Cost of a step: 1,001 systems, 10,010 checks, longest of three");
    let mut facts = facts(roster(1_000, 10));
    let begin = |facts: &Facts| {
        let mut book = Book::default();
        go(&mut book, facts);
        book
    };
    println!("all well: {:?}", longest(|| drop(begin(&facts))));
    set(&mut facts, true, DAY - 20_000);
    println!("conditions, all down: {:?}", longest(|| drop(conditions(&facts))));
    println!("all fall at once: {:?}", longest(|| drop(begin(&facts))));
    let mut book = begin(&facts);
    facts.now = Millis(DAY + 1_000);
    println!("all stay down: {:?}", longest(|| drop(go(&mut book, &facts))));
    let text = serde_json::to_string(&book).unwrap();
    println!("the book: {} kB", text.len() / 1_000);
    set(&mut facts, false, DAY + 1_000);
    println!("all recover: {:?}", longest(|| drop(go(&mut book, &facts))));
}
