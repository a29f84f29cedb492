//! The client against an Alertmanager that follows a script.

use std::time::Duration;

use serde_json::Value;
use thongsuot::alert::channel::alertmanager::status::Status;
use thongsuot::alert::condition::Kind;
use thongsuot::model::alerting::channel::Alertmanager;
use thongsuot::model::alerting::rules::Severity;
use thongsuot::model::secret::Secret;
use thongsuot::model::spec::Auth;

use super::desk::{Desk, id};
use super::script::{Fake, Reply, incidents};
use super::until;

fn is_incident(alert: &Value, number: u32) -> bool {
    alert["labels"]["incident"] == id(number).0
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_alert_among_many_is_found_and_the_others_stand() {
    for code in [400, 422, 413] {
        let bad = |alerts: &[Value]| alerts.iter().any(|it| is_incident(it, 7));
        let fake =
            Fake::start(move |alerts, _| if bad(alerts) { Reply::Code(code) } else { Reply::Keep })
                .await;
        let mut desk = Desk::new(&[fake.settings()]);
        desk.together(|desk| {
            (1..=40).for_each(|number| desk.open(number, "vneid", Kind::Down, Severity::Page));
        });
        let alone = |it: &[_]| it.len() == 1;
        let status = desk
            .status_is(0, "the offender is alone", |it| {
                alone(&it.quarantined) && it.unaccepted.len() == 1
            })
            .await;
        assert_eq!(status.quarantined[0].why, format!("answers {code}: \"no\""));
        assert_eq!(status.quarantined[0].incident, Some(id(7)));
        assert_eq!((status.counts.refused, status.failing_since), (1, None));
        assert!(status.counts.accepted >= 40, "{status:?}");
        assert!(fake.posts().len() < 20, "{} posts", fake.posts().len());
        desk.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_refuses_everything_is_itself_at_fault() {
    for code in [400, 301, 302, 401, 404, 429, 500, 503] {
        let fake = Fake::start(move |_, _| Reply::Code(code)).await;
        let mut desk = Desk::new(&[fake.settings()]);
        desk.open(1, "vneid", Kind::Down, Severity::Page);
        let waits = |it: &Status| it.failing_since.is_some() && it.unaccepted.contains_key(&id(1));
        let status = desk.status_is(0, "fails, and an incident waits", waits).await;
        assert_eq!(status.why, Some(format!("answers {code}: \"no\"")));
        assert_eq!(status.last_accepted, None);
        assert!(status.quarantined.is_empty(), "{code}: {status:?}");
        desk.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_one_skips_states_in_between_but_not_the_last() {
    let fake = Fake::start(|_, _| Reply::Slow(Duration::from_millis(700))).await;
    let mut desk = Desk::new(&[fake.settings()]);
    until("the first post is on its way", async || (!fake.posts().is_empty()).then_some(())).await;
    for _ in 0..50 {
        desk.open(1, "vneid", Kind::Down, Severity::Page);
        desk.close(1);
    }
    desk.open(1, "vneid", Kind::Down, Severity::Page);
    desk.accepted(0).await;
    let posts = fake.posts();
    assert!(posts.len() <= 10, "{} posts for 101 changes", posts.len());
    let last = posts.iter().flatten().rfind(|it| is_incident(it, 1)).unwrap();
    let (start, end) = (last["startsAt"].as_str().unwrap(), last["endsAt"].as_str().unwrap());
    assert!(end > start, "it fires: {last}");
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_is_sent_in_small_posts_each_alert_once() {
    let fake = Fake::start(|_, _| Reply::Keep).await;
    let mut desk = Desk::new(&[fake.settings()]);
    desk.accepted(0).await;
    let before = fake.posts().len();
    desk.together(|desk| {
        (1..=1_000).for_each(|number| desk.open(number, "vneid", Kind::Down, Severity::Page));
    });
    let status = desk.accepted(0).await;
    assert_eq!(status.firing, 1_001);
    let posts = fake.posts().split_off(before);
    assert!(posts.iter().all(|it| it.len() <= 64));
    assert!(fake.bytes_max() <= 256 * 1024);
    let mut told: Vec<String> = posts.iter().flat_map(|it| incidents(it)).collect();
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 1_000);
    assert!(posts.len() <= 40, "{} posts", posts.len());
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_behind_a_200_is_noticed_and_posted_again() {
    let fake = Fake::start(|alerts, number| {
        // A limit that lets only the first post of the incident through to nobody.
        let first = number < 4 && alerts.iter().any(|it| is_incident(it, 1));
        if first { Reply::Drop } else { Reply::Keep }
    })
    .await;
    let mut desk = Desk::new(&[fake.settings()]);
    desk.accepted(0).await;
    desk.open(1, "vneid", Kind::Down, Severity::Page);
    let status = desk.status_is(0, "noticed", |it| it.dropped > 0).await;
    assert!(status.failing_since.is_none());
    until("posted again", async || {
        let told = fake.posts().iter().filter(|it| incidents(it) == [id(1).0]).count();
        (told >= 2).then_some(())
    })
    .await;
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_start_is_noticed_and_everything_posted_at_once() {
    let fake = Fake::start(|_, _| Reply::Keep).await;
    let mut desk = Desk::new(&[fake.settings()]);
    desk.open(1, "vneid", Kind::Down, Severity::Page);
    desk.open(2, "ho-tich", Kind::Down, Severity::Page);
    desk.close(2);
    desk.accepted(0).await;
    let before = fake.posts().len();
    fake.restart();
    desk.status_is(0, "a new start is seen", |it| it.restarts == 1 && it.waiting == 0).await;
    let again: Vec<String> = fake.posts()[before..].iter().flat_map(|it| incidents(it)).collect();
    assert!(again.contains(&id(1).0) && again.contains(&id(2).0), "{again:?}");
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_new_is_posted_before_we_leave() {
    let fake = Fake::start(|_, _| Reply::Keep).await;
    let mut desk = Desk::new(&[fake.settings()]);
    desk.accepted(0).await;
    desk.open(1, "vneid", Kind::Down, Severity::Page);
    desk.stop().await;
    assert!(fake.posts().iter().any(|it| incidents(it) == [id(1).0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_who_we_are_and_never_tells_anybody() {
    let basic = Auth::Basic { user: "giamsat".into(), password: Secret::new("mat-khau".into()) };
    let bearer = Auth::Bearer(Secret::new("the-bai".into()));
    for (auth, header) in [(basic, "Basic Z2lhbXNhdDptYXQta2hhdQ=="), (bearer, "Bearer the-bai")] {
        let fake = Fake::start(|_, _| Reply::Code(500)).await;
        let mut desk = Desk::new(&[Alertmanager { auth, ..fake.settings() }]);
        desk.open(1, "vneid", Kind::Down, Severity::Page);
        let status = desk.status_is(0, "fails", |it| it.failing_since.is_some()).await;
        assert_eq!(fake.headers()[0]["authorization"], header);
        let told = format!("{status:?}");
        assert!(!told.contains("khau") && !told.contains("the-bai"), "{told}");
        desk.stop().await;
    }
}
