use proptest::prelude::*;

use super::*;
use crate::alert::channel::alertmanager::FIRING_MS;

/// When the loop began, by the wall clock.
const BEGUN: i64 = 1_790_000_000_000;

fn at(at_ms: i64) -> Reading {
    Reading { now: Millis(BEGUN + at_ms), at_ms }
}

/// The alert of incident `number` of this severity.
fn alert(number: u32, severity: &str, ends_at: Option<i64>) -> Arc<AmAlert> {
    let incident = IncidentId(format!("SC-2026-{number:04}"));
    let labels = [
        ("alertname", "ThongsuotServiceDown"),
        ("incident", incident.0.as_str()),
        ("severity", severity),
    ];
    Arc::new(AmAlert {
        labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        annotations: [("summary".to_owned(), format!("{severity} {number}"))].into(),
        starts_at: Some(Millis(BEGUN)),
        ends_at: ends_at.map(|it| Millis(BEGUN + it)),
        generator_url: None,
        incident: Some(incident),
    })
}

fn firing(number: u32) -> Arc<AmAlert> {
    alert(number, "page", None)
}

fn set<const N: usize>(all: [Arc<AmAlert>; N]) -> Alerts {
    Alerts { all: all.into() }
}

/// What is due, as incident, severity and whether it fires.
fn due(ledger: &mut Ledger, at_ms: i64) -> Vec<(u32, String, bool)> {
    let number = |it: &AmAlert| it.labels["incident"][8..].parse().unwrap();
    let all = ledger.due(at(at_ms));
    all.iter().map(|it| (number(it), it.labels["severity"].clone(), it.is_firing())).collect()
}

/// Posts all that is due; gives how many.
fn post(ledger: &mut Ledger, at_ms: i64) -> usize {
    let due = ledger.due(at(at_ms));
    ledger.accepted(&due, at_ms);
    due.len()
}

fn status(ledger: &Ledger) -> Status {
    let mut status = Status::default();
    ledger.tell(&mut status);
    status
}

#[test]
fn a_firing_alert_is_posted_at_once_and_again_every_30_s() {
    let mut ledger = Ledger::default();
    ledger.want(&set([firing(1)]), at(0));
    assert_eq!(ledger.next_ms(), Some(i64::MIN));
    assert_eq!(post(&mut ledger, 10), 1);
    assert_eq!(ledger.next_ms(), Some(30_010));
    assert_eq!(post(&mut ledger, 30_009), 0);
    assert_eq!(post(&mut ledger, 30_010), 1);
    const { assert!(RESEND_MS * 4 <= FIRING_MS, "several posts may be lost before it ends") };
}

#[test]
fn what_is_not_accepted_stays_due() {
    let mut ledger = Ledger::default();
    ledger.want(&set([firing(1), firing(2)]), at(0));
    let first = ledger.due(at(0));
    ledger.accepted(&first[..1], 0);
    assert_eq!(due(&mut ledger, 1), [(2, "page".into(), true)]);
    let status = status(&ledger);
    assert_eq!((status.firing, status.waiting), (2, 1));
    let waiting: Vec<_> = status.unaccepted.into_iter().collect();
    assert_eq!(waiting, [(IncidentId("SC-2026-0002".into()), Millis(BEGUN))]);
}

#[test]
fn alerts_that_are_soon_due_are_sent_along() {
    let mut ledger = Ledger::default();
    ledger.want(&set([firing(1)]), at(0));
    post(&mut ledger, 0);
    ledger.want(&set([firing(1), firing(2)]), at(4_000));
    assert_eq!(post(&mut ledger, 4_000), 1);
    assert_eq!(post(&mut ledger, 30_000), 2);
    assert_eq!(post(&mut ledger, 34_000), 0);
}

#[test]
fn a_resolved_alert_is_told_for_15_min_and_until_it_is_accepted() {
    let mut ledger = Ledger::default();
    ledger.want(&set([firing(1)]), at(0));
    post(&mut ledger, 0);
    ledger.want(&set([alert(1, "page", Some(60_000))]), at(60_000));
    assert_eq!(due(&mut ledger, 60_000), [(1, "page".into(), false)]);
    // Nobody answers for an hour, and the incident is long gone from the book.
    ledger.want(&set([]), at(3_600_000));
    assert_eq!(post(&mut ledger, 3_660_000), 1);
    assert_eq!(post(&mut ledger, 3_690_000), 0, "accepted, and told for long enough");
    assert_eq!(ledger.next_ms(), None);
}

#[test]
fn a_resolved_alert_is_said_again_every_30_s_for_15_min() {
    let mut ledger = Ledger::default();
    ledger.want(&set([firing(1)]), at(0));
    post(&mut ledger, 0);
    let over = set([alert(1, "page", Some(1_000))]);
    ledger.want(&over, at(1_000));
    let posts: usize = (1..=1_000).map(|second| post(&mut ledger, second * 1_000)).sum();
    assert_eq!(posts, 30);
    // The book still names it for a moment: it does not come back.
    ledger.want(&over, at(1_000_000));
    assert_eq!(post(&mut ledger, 1_000_000), 0);
}

#[test]
fn what_is_no_longer_wanted_is_over_even_without_a_word() {
    let mut ledger = Ledger::default();
    ledger.want(&set([firing(1)]), at(0));
    post(&mut ledger, 0);
    ledger.want(&set([]), at(5_000));
    let told = ledger.due(at(5_000));
    assert_eq!(told[0].ends_at, Some(Millis(BEGUN + 5_000)));
    // That it was closed a little later is not news.
    ledger.want(&set([alert(1, "page", Some(6_000))]), at(6_000));
    assert_eq!(ledger.due(at(6_000))[0].ends_at, Some(Millis(BEGUN + 5_000)));
}

#[test]
fn an_incident_that_gets_worse_fires_anew_before_the_old_alert_is_over() {
    let mut ledger = Ledger::default();
    ledger.want(&set([alert(1, "ticket", None)]), at(0));
    post(&mut ledger, 0);
    ledger.want(&set([alert(1, "page", None)]), at(1_000));
    let expected = [(1, "page".into(), true), (1, "ticket".into(), false)];
    assert_eq!(due(&mut ledger, 1_000), expected);
    let told = ledger.due(at(1_000));
    assert_eq!(told[1].annotations["summary"], "page 1", "the old one says what is true now");
}

#[test]
fn an_alert_that_comes_back_is_not_over() {
    let mut ledger = Ledger::default();
    ledger.want(&set([firing(1)]), at(0));
    post(&mut ledger, 0);
    ledger.want(&set([alert(1, "page", Some(1_000))]), at(1_000));
    ledger.want(&set([firing(1)]), at(2_000));
    assert_eq!(due(&mut ledger, 2_000), [(1, "page".into(), true)]);
    post(&mut ledger, 2_000);
    assert_eq!(post(&mut ledger, RESOLVED_MS + 10_000), 1, "it is not forgotten");
}

#[test]
fn words_alone_wait_for_the_next_time() {
    let mut ledger = Ledger::default();
    ledger.want(&set([firing(1)]), at(0));
    post(&mut ledger, 0);
    let other = AmAlert {
        annotations: [("summary".to_owned(), "worse".to_owned())].into(),
        ..AmAlert::clone(&firing(1))
    };
    ledger.want(&set([Arc::new(other)]), at(1_000));
    assert_eq!(ledger.next_ms(), Some(30_000));
    assert_eq!(ledger.due(at(30_000))[0].annotations["summary"], "worse");
}

#[test]
fn a_new_start_makes_everything_due_even_what_is_over() {
    let mut ledger = Ledger::default();
    ledger.want(&set([firing(1), firing(2)]), at(0));
    post(&mut ledger, 0);
    ledger.want(&set([firing(1)]), at(1_000));
    post(&mut ledger, 1_000);
    ledger.restarted(at(2_000));
    assert_eq!(due(&mut ledger, 2_000).len(), 2);
    let waiting = status(&ledger).unaccepted;
    assert_eq!(waiting.values().collect::<Vec<_>>(), [&Millis(BEGUN + 2_000)]);
}

#[test]
fn an_end_after_a_new_start_may_never_be_told() {
    let mut ledger = Ledger::default();
    let untold = |ledger: &Ledger| status(ledger).untold.into_iter().map(|it| it.0).collect();
    ledger.want(&set([firing(1), firing(2)]), at(0));
    post(&mut ledger, 0);
    ledger.restarted(at(1_000));
    // One is over before the instance hears of it anew, the other after.
    ledger.want(&set([firing(2)]), at(2_000));
    post(&mut ledger, 2_000);
    ledger.want(&set([]), at(3_000));
    post(&mut ledger, 3_000);
    let told: Vec<String> = untold(&ledger);
    assert_eq!(told, ["SC-2026-0001"]);
}

#[test]
fn the_watchdog_ends_when_nobody_says_what_should_stand_and_comes_back() {
    let labels = [("alertname".to_owned(), "ThongsuotWatchdog".to_owned())].into();
    let watchdog = Arc::new(AmAlert { labels, ..AmAlert::default() });
    let wanted = set([firing(1), Arc::clone(&watchdog)]);
    let mut ledger = Ledger::default();
    ledger.want(&wanted, at(0));
    post(&mut ledger, 0);
    for second in 1..120 {
        assert!(ledger.due(at(second * 1_000)).iter().all(|it| it.is_firing()));
        post(&mut ledger, second * 1_000);
    }
    assert_eq!(ledger.next_ms(), Some(SILENCE_MS));
    let over: Vec<_> =
        ledger.due(at(SILENCE_MS)).into_iter().filter(|it| !it.is_firing()).collect();
    assert_eq!(over.len(), 1);
    assert_eq!(over[0].labels, watchdog.labels);
    post(&mut ledger, SILENCE_MS);
    assert!(ledger.next_ms().unwrap() > SILENCE_MS);
    assert_eq!(status(&ledger).firing, 1, "what fires stays");
    ledger.want(&wanted, at(SILENCE_MS + 1));
    assert_eq!(ledger.due(at(SILENCE_MS + 1)), [watchdog]);
}

#[test]
fn an_offender_is_left_out_until_it_changes_or_five_minutes_have_gone() {
    let mut ledger = Ledger::default();
    ledger.want(&set([firing(1), firing(2)]), at(0));
    ledger.accepted(&[firing(1)], 0);
    ledger.refused(&firing(2), "no".into(), at(0));
    let told = status(&ledger);
    assert_eq!(told.quarantined.len(), 1);
    assert_eq!(told.quarantined[0].alert, "ThongsuotServiceDown SC-2026-0002");
    assert_eq!(due(&mut ledger, 30_000), [(1, "page".into(), true)]);
    assert_eq!(due(&mut ledger, QUARANTINE_MS).len(), 2);
    ledger.refused(&firing(2), "no".into(), at(QUARANTINE_MS));
    assert_eq!(status(&ledger).quarantined[0].since, Millis(BEGUN), "since the first time");
    let other = AmAlert { generator_url: Some("http://a/".into()), ..AmAlert::clone(&firing(2)) };
    ledger.want(&set([firing(1), Arc::new(other)]), at(QUARANTINE_MS + 1));
    assert!(due(&mut ledger, QUARANTINE_MS + 1).contains(&(2, "page".into(), true)));
    assert!(status(&ledger).quarantined.is_empty());
}

#[test]
fn what_was_accepted_but_is_not_there_is_posted_again_and_counted() {
    let mut ledger = Ledger::default();
    ledger.want(&set([firing(1), firing(2)]), at(0));
    assert!(!ledger.has_standing());
    post(&mut ledger, 0);
    assert!(ledger.has_standing());
    ledger.verify(&[firing(1).labels.clone()].into(), at(1_000));
    assert_eq!(due(&mut ledger, 1_000), [(2, "page".into(), true)]);
    assert_eq!(status(&ledger).dropped, 1);
    post(&mut ledger, 1_000);
    ledger.verify(&[firing(1).labels.clone(), firing(2).labels.clone()].into(), at(2_000));
    assert_eq!((status(&ledger).dropped, ledger.due(at(2_000)).len()), (0, 0));
}

#[test]
fn pages_go_first_and_changes_before_what_is_only_said_again() {
    let mut ledger = Ledger::default();
    ledger.want(&set([firing(1)]), at(0));
    post(&mut ledger, 0);
    ledger.want(&set([firing(1), alert(2, "info", None), firing(3)]), at(28_000));
    let order: Vec<u32> = due(&mut ledger, 28_000).iter().map(|it| it.0).collect();
    assert_eq!(order, [3, 2, 1]);
}

#[test]
fn an_instance_that_never_answers_costs_a_bounded_memory() {
    let mut ledger = Ledger::default();
    let many = u32::try_from(RESOLVED_KEPT_MAX).unwrap() + 50;
    let from = |first: u32| Alerts { all: (first..many).map(firing).collect() };
    ledger.want(&from(0), at(0));
    // The first sixty are over a moment before the others.
    ledger.want(&from(60), at(1));
    ledger.want(&from(many), at(2));
    let left = due(&mut ledger, 3);
    assert_eq!(left.len(), RESOLVED_KEPT_MAX);
    let (old, new) = left.iter().partition::<Vec<_>, _>(|it| it.0 < 60);
    assert_eq!((old.len(), new.len()), (10, RESOLVED_KEPT_MAX - 10), "the oldest go first");
}

/// What may happen to the instance and to what should stand there.
#[derive(Clone, Debug)]
enum Step {
    Want(Vec<u32>),
    Post(usize),
    Fail,
    Restart,
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => prop::collection::btree_set(0..6_u32, 0..6)
            .prop_map(|all| Step::Want(all.into_iter().collect())),
        3 => (0..8_usize).prop_map(Step::Post),
        1 => Just(Step::Fail),
        1 => Just(Step::Restart),
        2 => (1..100_000_i64).prop_map(Step::Wait),
    ]
}

proptest! {
    /// An instance in memory: what it was told last of each alert.
    #[test]
    fn whatever_happens_the_last_state_stands_once_it_accepts(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let mut ledger = Ledger::default();
        let mut instance: BTreeMap<Labels, bool> = BTreeMap::new();
        let (mut now, mut wanted) = (0, Vec::new());
        for step in steps {
            match step {
                Step::Want(all) => {
                    wanted = all;
                    let all = wanted.iter().map(|it| firing(*it)).collect();
                    ledger.want(&Alerts { all }, at(now));
                }
                Step::Post(count) => {
                    let due: Vec<_> = ledger.due(at(now)).into_iter().take(count).collect();
                    instance.extend(due.iter().map(|it| (it.labels.clone(), it.is_firing())));
                    ledger.accepted(&due, now);
                }
                Step::Fail => drop(ledger.due(at(now))),
                Step::Restart => {
                    instance.clear();
                    ledger.restarted(at(now));
                }
                Step::Wait(length) => now += length,
            }
        }
        for alert in ledger.due(at(now)) {
            instance.insert(alert.labels.clone(), alert.is_firing());
            ledger.accepted(std::slice::from_ref(&alert), now);
        }
        let stands: BTreeSet<Labels> =
            instance.into_iter().filter(|it| it.1).map(|it| it.0).collect();
        let expected: BTreeSet<Labels> = wanted.iter().map(|it| firing(*it).labels.clone()).collect();
        prop_assert_eq!(stands, expected);
        prop_assert_eq!(status(&ledger).waiting, 0);
    }
}

#[test]
fn what_waits_goes_on_waiting_in_a_new_ledger_and_no_longer_than_the_clock_says() {
    let mut old = Ledger::default();
    old.want(&set([firing(1)]), at(0));
    let unaccepted = status(&old).unaccepted;
    let mut new = Ledger::after(unaccepted.clone());
    new.want(&set([firing(1), firing(2)]), at(50_000));
    let now = at(50_000).now;
    let waits = status(&new).unaccepted;
    assert_eq!((waits.len(), waits.values().min()), (2, unaccepted.values().next()));
    assert_eq!(waits.values().max(), Some(&now));
    new.settle(Millis(0));
    assert!(status(&new).unaccepted.values().all(|it| *it == Millis(0)));
}
