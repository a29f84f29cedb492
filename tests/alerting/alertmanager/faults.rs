//! A real Alertmanager that is stopped, killed, hung, or given what it refuses.

use std::net::SocketAddr;

use rustix::process::Signal;
use thongsuot::alert::channel::alertmanager::status::{
    Status, TAKE_OVER_MS, must_take_over, must_tell_the_end,
};
use thongsuot::alert::channel::alertmanager::{AmAlert, Labels};
use thongsuot::alert::condition::Kind;
use thongsuot::model::alerting::rules::Severity;
use thongsuot::model::time::Millis;
use tokio::time::Instant;

use super::desk::{Desk, TIMEOUT, id, now, settings};
use super::hook::Hook;
use super::instance::{Instance, config, free_address};
use super::real::can;
use super::until;

#[tokio::test(flavor = "multi_thread")]
async fn stopped_for_a_while_it_then_tells_what_ended_and_nothing_twice() {
    if !can("an Alertmanager that is stopped and started") {
        return;
    }
    let hook = Hook::start().await;
    let mut am = Instance::start(hook.address).await;
    let mut desk = Desk::new(&[settings(am.address)]);
    desk.together(|desk| {
        desk.open(1, "vneid", Kind::Down, Severity::Page);
        desk.open(2, "ho-tich", Kind::Down, Severity::Page);
    });
    hook.told("on-call", 1, true, 1).await;
    hook.told("on-call", 2, true, 1).await;
    am.stop();
    desk.close(1);
    desk.open(3, "ho-tich", Kind::Coverage, Severity::Page);
    let waits = |it: &Status| it.failing_since.is_some() && it.unaccepted.contains_key(&id(3));
    let failing = desk.status_is(0, "fails, and an incident waits", waits).await;
    assert!(failing.why.is_some_and(|it| it.starts_with("no answer")));
    am.launch().await;
    hook.told("on-call", 3, true, 1).await;
    hook.told("on-call", 1, false, 1).await;
    assert_eq!(hook.count("on-call", 1, true), 1, "{:?}", hook.all("on-call"));
    let status = desk.accepted(0).await;
    assert_eq!((status.failing_since, status.restarts), (None, 1));
    assert!(status.counts.failed > 0);
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_with_its_memory_gone_it_learns_everything_again() {
    if !can("an Alertmanager that loses its memory") {
        return;
    }
    let hook = Hook::start().await;
    let mut am = Instance::start(hook.address).await;
    let mut desk = Desk::new(&[settings(am.address)]);
    desk.open(1, "vneid", Kind::Down, Severity::Page);
    hook.told("on-call", 1, true, 1).await;
    desk.accepted(0).await;
    am.kill_and_forget();
    am.launch().await;
    // Between two posts 30 s apart only its new start tells that it forgot.
    let status = desk.status_is(0, "a new start is seen", |it| it.restarts == 1).await;
    am.has(1, "ThongsuotServiceDown").await;
    hook.told("on-call", 1, true, 2).await;
    desk.close(1);
    hook.told("on-call", 1, false, 1).await;
    assert!(status.last_accepted.is_some());
    // What is over is told again to one that forgot, for a quarter of an hour.
    let before = desk.accepted(0).await.counts.accepted;
    assert!(desk.status(0).untold.is_empty());
    am.kill_and_forget();
    am.launch().await;
    let both = |counts: u64| counts >= before + 2;
    desk.status_is(0, "posted again", |it| it.restarts == 2 && both(it.counts.accepted)).await;
    assert_eq!(desk.accepted(0).await.resolved, 1);
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_it_can_t_tell_any_more_is_left_to_others() {
    if !can("an incident that ends while Alertmanager loses its memory") {
        return;
    }
    let hook = Hook::start().await;
    let mut am = Instance::start(hook.address).await;
    let mut desk = Desk::new(&[settings(am.address)]);
    desk.open(1, "vneid", Kind::Down, Severity::Page);
    hook.told("on-call", 1, true, 1).await;
    desk.accepted(0).await;
    am.kill_and_forget();
    desk.close(1);
    desk.status_is(0, "fails", |it| it.failing_since.is_some()).await;
    am.launch().await;
    let status = desk.status_is(0, "its end is untold", |it| it.untold.contains(&id(1))).await;
    assert!(must_tell_the_end([&status], &id(1), status.last_accepted.unwrap_or(now())));
    // Another incident of the group is told and the first is not: Alertmanager indeed says nothing.
    desk.open(2, "vneid", Kind::Coverage, Severity::Page);
    hook.told("on-call", 2, true, 1).await;
    desk.close(2);
    hook.told("on-call", 2, false, 1).await;
    assert_eq!(hook.count("on-call", 1, false), 0);
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_tells_once_and_goes_on_with_one_of_two() {
    if !can("a cluster of two Alertmanagers") {
        return;
    }
    let hook = Hook::start().await;
    let [first, second] = [(); 2].map(|()| free_address());
    let arguments = |own: SocketAddr, peer: SocketAddr| {
        [
            format!("--cluster.listen-address={own}"),
            format!("--cluster.peer={peer}"),
            "--cluster.settle-timeout=2s".to_owned(),
            "--cluster.peer-timeout=4s".to_owned(),
        ]
    };
    let mut one = Instance::new(&config(hook.address), &arguments(first, second));
    let mut other = Instance::new(&config(hook.address), &arguments(second, first));
    one.launch().await;
    other.launch().await;
    until("they know each other", async || {
        let peers = [one.peers().await, other.peers().await];
        (peers == [2, 2]).then_some(())
    })
    .await;
    let mut desk = Desk::new(&[settings(one.address), settings(other.address)]);
    desk.open(1, "vneid", Kind::Down, Severity::Page);
    one.has(1, "ThongsuotServiceDown").await;
    other.has(1, "ThongsuotServiceDown").await;
    hook.told("on-call", 1, true, 1).await;
    desk.accepted(0).await;
    desk.accepted(1).await;
    one.stop();
    // The other works through the messages of a group one after the other: when it tells of this,
    // it has decided not to tell of the first.
    desk.open(2, "vneid", Kind::Coverage, Severity::Page);
    hook.told("on-call", 2, true, 1).await;
    let messages = hook.all("on-call");
    let of_it_alone = messages.iter().filter(|it| it.iter().all(|it| it.incident == id(1).0));
    assert_eq!(of_it_alone.count(), 1, "{messages:?}");
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_instance_gets_everything_and_one_that_hangs_delays_no_other() {
    if !can("two Alertmanagers, one hung") {
        return;
    }
    let hook = Hook::start().await;
    let one = Instance::start(hook.address).await;
    let other = Instance::start(hook.address).await;
    let mut desk = Desk::new(&[settings(one.address), settings(other.address)]);
    desk.open(1, "vneid", Kind::Down, Severity::Page);
    one.has(1, "ThongsuotServiceDown").await;
    other.has(1, "ThongsuotServiceDown").await;
    desk.accepted(0).await;
    desk.accepted(1).await;

    one.signal(Signal::STOP);
    desk.open(2, "ho-tich", Kind::Down, Severity::Page);
    let from = Instant::now();
    desk.accepted(1).await;
    // While the other is not even known to hang.
    let took = from.elapsed();
    assert!(took < TIMEOUT, "took {took:?}");
    hook.told("on-call", 2, true, 1).await;
    let hung = desk.status_is(0, "hangs", |it| it.failing_since.is_some()).await;
    assert!(hung.why.is_some_and(|it| it.starts_with("no answer in time")));
    // The rule of take-over: one that has it is enough.
    let statuses = [desk.status(0), desk.status(1)];
    let late = statuses[1].last_accepted.unwrap().plus_ms(TAKE_OVER_MS);
    assert!(!must_take_over(&statuses, &id(2), late));
    assert!(must_take_over(&statuses[..1], &id(2), late.plus_ms(1)));

    // An incident that came and went while it hung, and one that stays.
    desk.close(1);
    one.signal(Signal::CONT);
    one.has(2, "ThongsuotServiceDown").await;
    let status = desk.accepted(0).await;
    assert_eq!((status.failing_since, status.restarts), (None, 0));
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_refuses_is_left_out_alone() {
    if !can("alerts that a real Alertmanager refuses") {
        return;
    }
    let hook = Hook::start().await;
    let am = Instance::start(hook.address).await;
    let mut desk = Desk::new(&[settings(am.address)]);
    let named = |name: &str| -> Labels { [("alertname".to_owned(), name.to_owned())].into() };
    // Not a URI: 422, and nothing of the batch is kept. No labels: 400, the others are kept.
    let no_uri = AmAlert {
        labels: named("ThongsuotNoUri"),
        generator_url: Some("không phải địa chỉ".into()),
        incident: Some(id(8)),
        ..AmAlert::default()
    };
    let no_labels = AmAlert { incident: Some(id(9)), ..AmAlert::default() };
    desk.together(|desk| {
        for number in 1..=5 {
            desk.open(number, "vneid", Kind::Down, Severity::Page);
        }
        desk.odd = vec![no_uri, no_labels];
    });
    let status = desk.status_is(0, "both are left out", |it| it.quarantined.len() == 2).await;
    for number in 1..=5 {
        am.has(number, "ThongsuotServiceDown").await;
    }
    let why =
        |number| status.quarantined.iter().find(|it| it.incident == Some(id(number))).unwrap();
    assert!(why(8).why.starts_with("answers 422: "), "{status:?}");
    assert!(why(9).why.starts_with("answers 400: "), "{status:?}");
    assert_eq!(status.failing_since, None, "the instance is well");
    assert_eq!(status.counts.refused, 2);
    let waiting: Vec<_> = status.unaccepted.keys().cloned().collect();
    assert_eq!(waiting, [id(8), id(9)], "others must tell of these");
    // Others go on.
    desk.open(6, "ho-tich", Kind::Down, Severity::Page);
    hook.told("on-call", 6, true, 1).await;
    // Mended, it is sent at once.
    desk.odd[0].generator_url = None;
    desk.publish();
    am.has(6, "ThongsuotServiceDown").await;
    desk.status_is(0, "the mended one is accepted", |it| !it.unaccepted.contains_key(&id(8))).await;
    desk.stop().await;
}

/// Twenty minutes behind: what we call a quarter of an hour ahead is past for Alertmanager.
fn slow_clock() -> Millis {
    now().plus_ms(-20 * 60_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_neither_hides_an_alert_nor_keeps_it() {
    if !can("clocks that differ from Alertmanager's") {
        return;
    }
    let hook = Hook::start().await;
    let mut am = Instance::new(&config(hook.address), &[]);
    am.launch().await;
    let mut desk = Desk::with_clock(&[settings(am.address)], slow_clock);
    desk.open(1, "vneid", Kind::Down, Severity::Page);
    hook.told("on-call", 1, true, 1).await;
    let skew = desk.accepted(0).await.skew_ms;
    assert!((1_180_000..=1_220_000).contains(&skew), "{skew}");
    desk.close(1);
    hook.told("on-call", 1, false, 1).await;
    desk.stop().await;
}
