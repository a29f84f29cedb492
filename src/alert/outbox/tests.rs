use super::*;
use crate::alert::book::IncidentId;
use crate::model::alerting::rules::Severity;
use crate::model::id::PersonId;

const GAP: Duration = Duration::from_mins(1);

fn id(text: &str) -> ChannelId {
    ChannelId::new(text).unwrap()
}

fn page(incident: &str, channel: &str, to: &str, due: i64) -> Delivery {
    Delivery {
        key: format!("{incident}/page/0/0/0/an/{channel}/{to}"),
        incident: IncidentId(incident.to_owned()),
        purpose: Purpose::Page,
        severity: Severity::Page,
        person: Some(PersonId::new("an").unwrap()),
        channel: id(channel),
        to: to.to_owned(),
        decided: Millis(0),
        due: Millis(due),
        attempts: 0,
        status: Status::Pending,
        why: None,
    }
}

fn later(after_s: Option<u64>) -> Sent {
    Sent::Later { why: "down".to_owned(), after: after_s.map(Duration::from_secs) }
}

/// Sends what is next, with this result.
#[track_caller]
fn send(outbox: &mut Outbox, channel: &str, sent: &Sent, now: i64) -> Vec<String> {
    let batch = outbox.next(&id(channel), GAP, Millis(now)).expect("something is due");
    outbox.begin(&batch);
    outbox.done(&batch, sent, Millis(now));
    batch.deliveries.into_iter().map(|it| it.key).collect()
}

const TAKEN: Sent = Sent::Accepted { id: None };

#[test]
fn a_message_is_sent_once_when_it_is_due_and_kept_until_it_is_taken() {
    let mut outbox = Outbox::default();
    outbox.add(page("1", "sms", "84", 5_000));
    outbox.add(page("1", "sms", "84", 9_000));
    assert_eq!(outbox.next(&id("sms"), GAP, Millis(4_999)), None);
    assert_eq!(outbox.next_at(&id("sms"), GAP), Some(Millis(5_000)));
    assert_eq!(outbox.next(&id("mail"), GAP, Millis(9_000)), None);
    assert_eq!([4_999, 5_000].map(|at| outbox.waiting(&id("sms"), Millis(at))), [0, 1]);
    send(&mut outbox, "sms", &later(None), 5_000);
    assert_eq!(outbox.waiting(&id("sms"), Millis(5_001)), 1, "put off, and still not told");
    let again = outbox.next_at(&id("sms"), GAP).unwrap();
    assert!((6_000..6_200).contains(&again.0), "{again}");
    let mut waits = Vec::new();
    for _ in 0..8 {
        let at = outbox.next_at(&id("sms"), GAP).unwrap();
        send(&mut outbox, "sms", &later(None), at.0);
        waits.push(outbox.next_at(&id("sms"), GAP).unwrap().since(at));
    }
    assert!(waits[..5].is_sorted() && waits[5..].iter().all(|it| (60_000..=72_000).contains(it)));
    let at = outbox.next_at(&id("sms"), GAP).unwrap();
    send(&mut outbox, "sms", &TAKEN, at.0);
    assert_eq!(outbox.next_at(&id("sms"), GAP), None);
    assert_eq!(outbox.waiting(&id("sms"), at), 0);
    assert!(matches!(outbox.all().next().unwrap().status, Status::Sent { .. }));
}

#[test]
fn one_address_gets_a_message_a_minute_and_others_do_not_wait_for_it() {
    let mut outbox = Outbox::default();
    for (incident, to) in [("1", "84"), ("2", "84"), ("3", "85")] {
        outbox.add(page(incident, "sms", to, 0));
    }
    assert_eq!(send(&mut outbox, "sms", &TAKEN, 0), ["1/page/0/0/0/an/sms/84"]);
    assert_eq!(send(&mut outbox, "sms", &TAKEN, 0), ["3/page/0/0/0/an/sms/85"]);
    assert_eq!(outbox.next(&id("sms"), GAP, Millis(59_999)), None);
    assert_eq!(outbox.next_at(&id("sms"), GAP), Some(Millis(60_000)));
    assert_eq!(send(&mut outbox, "sms", &TAKEN, 60_000), ["2/page/0/0/0/an/sms/84"]);
}

#[test]
fn what_is_under_way_to_an_address_holds_back_the_next_only_there() {
    let mut outbox = Outbox::default();
    for (incident, to) in [("1", "84"), ("2", "84"), ("3", "85")] {
        outbox.add(page(incident, "sms", to, 0));
    }
    let first = outbox.next(&id("sms"), GAP, Millis(0)).unwrap();
    outbox.begin(&first);
    assert_eq!(outbox.next(&id("sms"), GAP, Millis(0)).unwrap().to, "85");
    outbox.drop_where(Millis(1), |_| true);
    let left: Vec<bool> = outbox.all().map(Delivery::is_waiting).collect();
    assert_eq!(left, [true, false, false], "what is under way is not called back");
}

#[test]
fn many_pages_for_one_address_are_one_message() {
    let mut outbox = Outbox::default();
    for incident in ["1", "2", "3", "4", "5"] {
        outbox.add(page(incident, "sms", "84", 0));
    }
    assert_eq!(send(&mut outbox, "sms", &TAKEN, 0).len(), 5);
    assert_eq!(outbox.next_at(&id("sms"), GAP), None);
}

#[test]
fn a_failed_page_hurries_the_persons_other_contacts() {
    let mut outbox = Outbox::default();
    outbox.add(page("1", "zalo", "x", 0));
    outbox.add(page("1", "sms", "84", 120_000));
    outbox.add(page("2", "sms", "84", 120_000));
    send(&mut outbox, "zalo", &Sent::Refused { why: "no such chat".to_owned() }, 10);
    assert_eq!(send(&mut outbox, "sms", &TAKEN, 10), ["1/page/0/0/0/an/sms/84"]);
    assert_eq!(
        outbox.next(&id("sms"), GAP, Millis(70_000)),
        None,
        "the other incident's is not due"
    );
    assert_eq!(outbox.failing().next().unwrap().2, "no such chat");
    assert_eq!(outbox.next_at(&id("zalo"), GAP), None, "refused is for good");
}

#[test]
fn a_channel_that_asks_for_a_pause_gets_it_but_not_for_hours() {
    let mut outbox = Outbox::default();
    outbox.add(page("1", "zalo", "x", 0));
    outbox.add(page("2", "zalo", "y", 0));
    send(&mut outbox, "zalo", &later(Some(30)), 0);
    assert_eq!(outbox.next(&id("zalo"), GAP, Millis(29_999)), None);
    assert_eq!(outbox.next_at(&id("zalo"), GAP), Some(Millis(30_000)));
    send(&mut outbox, "zalo", &later(Some(86_400)), 30_000);
    assert_eq!(outbox.next_at(&id("zalo"), GAP), Some(Millis(630_000)));
}

#[test]
fn after_a_day_a_message_is_given_up() {
    let mut outbox = Outbox::default();
    outbox.add(page("1", "zalo", "x", 0));
    send(&mut outbox, "zalo", &later(None), GIVE_UP_MS);
    send(&mut outbox, "zalo", &later(None), GIVE_UP_MS + 10_000);
    assert!(matches!(outbox.all().next().unwrap().status, Status::Failed { .. }));
}

#[test]
fn what_is_kept_is_what_changed_and_a_restart_goes_on_with_it() {
    let mut outbox = Outbox::default();
    outbox.add(page("1", "sms", "84", 0));
    outbox.add(page("2", "sms", "85", 0));
    let mut kept: BTreeMap<String, Delivery> = BTreeMap::new();
    let mut keep = |outbox: &mut Outbox| {
        for (key, delivery) in outbox.take_changes() {
            match delivery {
                Some(it) => drop(kept.insert(key, it)),
                None => drop(kept.remove(&key)),
            }
        }
        kept.clone()
    };
    assert_eq!(keep(&mut outbox).len(), 2);
    send(&mut outbox, "sms", &TAKEN, 0);
    let half = keep(&mut outbox);
    let mut again = Outbox::restore(half.into_values());
    assert_eq!(send(&mut again, "sms", &TAKEN, 0), ["2/page/0/0/0/an/sms/85"]);
    outbox.prune(|_| false);
    assert_eq!(keep(&mut outbox).len(), 1, "what is over goes, what waits stays");
}

#[test]
fn a_clock_that_is_set_back_makes_nothing_wait_until_it_has_caught_up() {
    const HOUR: i64 = 3_600_000;
    let mut outbox = Outbox::default();
    let at = |ms: i64| Millis(HOUR + ms);
    assert!(!outbox.settle(at(0)));
    let decided = Delivery { decided: at(0), ..page("1", "sms", "84", HOUR) };
    outbox.add(decided.clone());
    let (key, to) = ("1/b".to_owned(), "85".to_owned());
    outbox.add(Delivery { key, to, person: None, due: at(120_000), ..decided });
    send(&mut outbox, "sms", &later(Some(30)), HOUR);
    outbox.take_changes();
    assert!(!outbox.settle(at(500)), "time goes on");
    assert!(outbox.settle(Millis(500)), "an hour back");
    assert_eq!(outbox.next(&id("sms"), GAP, Millis(29_999)), None, "asked for a pause");
    assert_eq!(outbox.next_at(&id("sms"), GAP), Some(Millis(30_000)));
    send(&mut outbox, "sms", &TAKEN, 30_000);
    assert_eq!(outbox.next_at(&id("sms"), GAP), Some(Millis(120_000)), "as was meant");
    assert_eq!(outbox.take_changes().len(), 2);
    // What was sent by the clock that was ahead does not hold up the next.
    outbox.settle(at(0));
    outbox.add(Delivery { key: "2".to_owned(), ..page("2", "sms", "86", HOUR) });
    send(&mut outbox, "sms", &TAKEN, HOUR);
    outbox.settle(Millis(0));
    outbox.add(Delivery { key: "3".to_owned(), ..page("3", "sms", "86", 0) });
    assert_eq!(outbox.next(&id("sms"), GAP, Millis(60_000)).map(|it| it.deliveries.len()), Some(1));
    // As when the machine's clock was mended while we were away.
    let mut outbox = Outbox::restore([Delivery { decided: at(0), ..page("1", "sms", "84", HOUR) }]);
    assert!(outbox.settle(Millis(0)));
    assert!(outbox.next(&id("sms"), GAP, Millis(0)).is_some());
}
